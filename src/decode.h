/* decode.h: `wolfctl binlog decode`: its options, for its help and for man 1 wolfctl. */
#ifndef WOLFCDC_DECODE_H
#define WOLFCDC_DECODE_H
#include <stddef.h>

struct decode_option { const char *name, *argument, *help; };
extern const struct decode_option decode_options[];
extern const size_t decode_option_count;
extern const char *const decode_about[]; /* paragraphs; NULL ends */

#endif
