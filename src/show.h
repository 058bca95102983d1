/* show.h: the agent's JSON for a person's eyes. Colours only on a terminal, and not with NO_COLOR. */
#ifndef WOLFCDC_SHOW_H
#define WOLFCDC_SHOW_H
#include <stdbool.h>
#include <stdio.h>

#include "slice.h"

/* False: that was not such a document. */
bool show_status(FILE *out, struct slice json, bool colours);
bool show_stats(FILE *out, struct slice json);
bool show_ready(FILE *out, struct slice json, bool colours);
bool show_done(FILE *out, struct slice json);
/* {"error","remedy"} in one or two lines. */
void show_error(FILE *out, struct slice json);
bool show_colours(FILE *out);

#endif
