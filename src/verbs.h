/*
 * verbs.h: what the control API can do, as functions of one request; control.c brings the requests. Each verb writes
 * its answer as JSON (metrics: as text), errors as {"error","remedy"}. They run in a thread per connection.
 */
#ifndef WOLFCDC_VERBS_H
#define WOLFCDC_VERBS_H
#include "buf.h"

struct agent;
struct MHD_Connection;

struct request {
    struct agent *agent;
    struct MHD_Connection *connection;
    unsigned status;  /* HTTP's; 200 at birth */
    const char *type; /* application/json at birth */
    struct buf answer;
};
typedef void verb_fn(struct request *request);

/* verb_health, verb_ready …; verb_wait is in wait.c, the others in verbs.c. */
#define VERB(method, path, function, ...) verb_fn verb_##function;
#include "verbs.def"
#undef VERB

struct verb {
    const char *method, *path;
    verb_fn *run;
    bool changes; /* needs the token on TCP */
    const char *parameters, *help;
};

/* The verb, or NULL; *allow is then the method that the path does have, or NULL: unknown. */
const struct verb *verb_find(const char *method, const char *path, const char **allow);
/* Replaces the answer. */
void request_error(struct request *request, unsigned status, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A parameter of the query, NULL when absent. Borrowed. In control.c. */
const char *request_param(const struct request *request, const char *name);
/* How long the connection may be silent while a verb works. In control.c. */
void request_patience(struct request *request, unsigned seconds);
/* Whether who asked has hung up. In control.c. */
bool request_abandoned(const struct request *request);

#endif
