/* retry.h: the one retry policy of all sinks. Pure. */
#ifndef WOLFCDC_RETRY_H
#define WOLFCDC_RETRY_H
#include "err.h"
#include "sink.h"

enum { RETRY_FIRST_MS = 50, RETRY_LAST_MS = 5000 };

/* How long to wait before attempt n + 1, n counted from the last success: at once doubled up to RETRY_LAST_MS, with up to a quarter
   taken off by `random` so that several sinks do not come together. */
uint32_t retry_wait_ms(unsigned attempt, uint32_t random);
/* Where an error leads: only ERR_RETRY passes by itself. */
enum sink_state retry_state(enum err_code code, bool conflict);

#endif
