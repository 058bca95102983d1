/* switches.h: the values of switches.def, set through the API while the node runs. Any thread. */
#ifndef STANDIN_SWITCHES_H
#define STANDIN_SWITCHES_H
#include "buf.h"
#include "err.h"

enum switch_id {
#define SWITCH(NAME, ...) SWITCH_##NAME,
#include "switches.def"
    SWITCHES
};
enum { SWITCH_TEXT_MAX = 128 };

struct node;
MUST_CHECK bool switch_set(struct node *node, const char *name, const char *value, struct err *err);
int64_t switch_number(enum switch_id id);
bool switch_take(enum switch_id id); /* true, and one less, while the count is not 0 */
void switch_list(struct buf *out);   /* as JSON */

#endif
