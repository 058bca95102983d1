/* retry.c: see retry.h. */
#include "retry.h"

uint32_t retry_wait_ms(unsigned attempt, uint32_t random)
{
    uint32_t ms = attempt < 16 ? (uint32_t)RETRY_FIRST_MS << attempt : RETRY_LAST_MS;
    if (ms > RETRY_LAST_MS) ms = RETRY_LAST_MS;
    return ms - random % (ms / 4 + 1);
}

enum sink_state retry_state(enum err_code code, bool conflict)
{
    if (conflict) return SINK_CONFLICT;
    if (code == ERR_RETRY) return SINK_RETRYING;
    if (code == ERR_GONE) return SINK_GONE;
    return SINK_STOPPED;
}
