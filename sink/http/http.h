/*
 * http.h: private to the http sink. A change becomes one or two requests (http_json), each is sent and its answer judged
 * (http_client, http_answer); before any of them a target has to prove that it stores (http_probe). man 5 wolfcdc-http is the contract
 * towards servers.
 */
#ifndef WOLFCDC_HTTP_H
#define WOLFCDC_HTTP_H
#include "runner.h"
#include "target.h"

enum http_verb { HTTP_INSERT, HTTP_UPDATE, HTTP_DELETE, HTTP_UPSERT, HTTP_DDL, HTTP_VERBS };
enum { HTTP_URL_MAX = 2048, HTTP_KEY_MAX = 80, HTTP_ANSWER_MAX = 64 << 10, HTTP_NAME_MAX = 300 };
const char *http_path(enum http_verb verb); /* "/write/insert" … */

/* ---- http_json.c: bodies. Pure; one thread. ---- */

/* A source table joined with the target's: names, what can be written, what addresses a row. Owned; the source's definition is
   borrowed, nothing of the target's is. */
struct http_table;
/* ERR_UNSUPPORTED without a key, ERR_STOP when the tables do not fit. */
MUST_CHECK bool http_table_new(const struct table *source, const struct target_table *target, struct http_table **table, struct err *err);
void http_table_free(struct http_table *table);

enum { HTTP_REQUESTS_MAX = 2 };
struct http_request {
    enum http_verb verb;
    struct buf body;
};
struct http_json { /* the requests of the last change; valid until the next */
    struct render *render;
    struct charset_cache *charsets;
    struct value *before, *after; /* COLUMN_COUNT_MAX each */
    struct buf text;
    unsigned count;
    struct http_request requests[HTTP_REQUESTS_MAX];
};
void http_json_init(struct http_json *json);
void http_json_fini(struct http_json *json); /* a zeroed one is fine */
/* INSERT UPDATE DELETE. `again`: the target may have had it, and what came after it. count 0: nothing of it can be written (generated
   columns alone have changed). */
MUST_CHECK bool http_json_row(struct http_json *json, const struct http_table *table, const struct change *change, bool again, struct err *err);
/* Of the row given last (not DELETE): a request that deletes whoever has its values in the nth of the other unique keys that are all valued. False:
   there is none, or the row could not be written anew as a whole after that. */
MUST_CHECK bool http_json_rival(struct http_json *json, const struct http_table *table, uint32_t n);
/* `text` is the statement's, perhaps changed (events). */
MUST_CHECK bool http_json_statement(struct http_json *json, const struct statement *statement, struct slice text, struct err *err);
/* "shop.orders {"id":5}" of the last change given to http_json_row, cut at room. */
void http_json_name(struct http_json *json, const struct http_table *table, const struct change *change, char *text, size_t room);

/* ---- http_answer.c: what an answer means. Pure. ---- */

enum http_fate {
    HTTP_STORED,
    HTTP_AGAIN,     /* passes by itself, perhaps at another address */
    HTTP_MOVED,     /* a redirect */
    HTTP_FAILED,    /* the server failed: may pass, may be this change */
    HTTP_REFUSED,   /* this change is not taken */
    HTTP_TOO_LARGE, /* nor is one of this size */
    HTTP_DENIED,
    HTTP_WRONG      /* whoever answers does not keep the contract */
};
struct http_answer {
    uint64_t lsn;   /* HTTP_STORED */
    char text[400]; /* the others: what it said, printable, for messages */
};
enum http_fate http_answer_read(long status, struct slice body, struct http_answer *answer);
/* The address that a redirect of `path` leads to, without the path, as "https://host:port". False: it must not be followed, and
   *reason says why. `secret`: a token is sent along. */
bool http_answer_moved(const struct strings *known, const char *from, const char *to, const char *path, bool secret,
                       char base[HTTP_URL_MAX], const char **reason);

/* ---- http_client.c: one kept-alive connection, and the addresses there are. One thread, but http_client_interrupt. ---- */

struct http_client;
struct http_client *http_client_new(const struct sink_settings *settings);
void http_client_free(struct http_client *client);
/* Before each connection to the target: reads the token again, takes back an interruption. */
MUST_CHECK bool http_client_open(struct http_client *client, struct err *err);
/* One request, one answer. All but HTTP_STORED set *err, HTTP_AGAIN and HTTP_MOVED to ERR_RETRY after going on to another address:
   what is asked next goes there. */
enum http_fate http_client_post(struct http_client *client, enum http_verb verb, const char *key, struct slice body,
                                struct http_answer *answer, struct err *err);
const char *http_client_address(struct http_client *client); /* asked next */
void http_client_interrupt(struct http_client *client);      /* any thread: a blocked request returns */

/* ---- http_probe.c ---- */

/* Proves that who answers at the client's address stores rows, and that `db` sees them. ERR_STOP with what was seen when not. */
MUST_CHECK bool http_probe(struct sink *sink, struct http_client *client, struct db *db, const char *db_name, struct err *err);

#endif
