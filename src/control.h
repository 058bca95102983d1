/*
 * control.h: the control API: HTTP with JSON answers, on the Unix socket and, if the configuration says so, on TCP.
 * libmicrohttpd, one thread per connection, at most CONTROL_CONNECTIONS_MAX. The verbs are the table verbs.def.
 *
 * Who may do what: the socket's file mode decides there (0660). On TCP everyone who reaches it may read; what changes
 * something needs the token of token_file, and the Host header must name an address or us, so that a web page in someone's
 * browser cannot reach the agent by a name of its own.
 */
#ifndef WOLFCDC_CONTROL_H
#define WOLFCDC_CONTROL_H
#include "err.h"

struct agent;
struct control;

enum { CONTROL_CONNECTIONS_MAX = 64, CONTROL_ANSWER_MAX = 4 * 1024 * 1024, CONTROL_REQUEST_MAX = 1024 * 1024, CONTROL_IDLE_SECONDS = 30 };

/* Owned. Binds both doors, so that a wrong address ends the start; answers nothing yet. The agent outlives it. */
MUST_CHECK bool control_new(struct agent *agent, struct control **control, struct err *err);
void control_start(struct control *control);
void control_stop(struct control *control); /* idempotent */
void control_free(struct control *control); /* NULL accepted */

#endif
