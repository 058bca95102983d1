/*
 * client.h: wolfctl's side of the control API: HTTP over the agent's Unix socket (libcurl). One thread.
 */
#ifndef WOLFCDC_CLIENT_H
#define WOLFCDC_CLIENT_H
#include "buf.h"
#include "err.h"

enum { CLIENT_PARAMS_MAX = 6, CLIENT_ANSWER_MAX = 16 * 1024 * 1024 };

struct client_param { const char *name, *value; }; /* value NULL: not sent */
struct client_call {
    bool post;
    const char *path;
    struct client_param params[CLIENT_PARAMS_MAX];
    long timeout_s;
};
struct client_answer {
    long status;
    struct buf body; /* owned by the caller: buf_fini */
};

/* Where the agent's socket is: `socket`, or what the configuration `config` says, or its default. Owned (free). ERR_CONFIG when
   a configuration that was named cannot be read. */
MUST_CHECK bool client_find(const char *socket, const char *config, char **found, struct err *err);
/* Any answer of the agent is true, its errors too. ERR_RETRY: nobody answers there; ERR_DENIED: no right to. */
MUST_CHECK bool client_do(const char *socket, const struct client_call *call, struct client_answer *answer, struct err *err);

#endif
