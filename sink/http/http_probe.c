/*
 * http_probe.c: does who answers store anything? Two marker rows are written into wolfcdc.probe the way rows are (the table is made the way
 * DDL is), the answered LSN must have moved between them, both must be there over SQL, and gone after they were deleted. Every
 * WolfScale node up to 5.5.7 answers success to all of it and stores nothing. The markers' names are new each time, so what an
 * earlier attempt left there proves nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "clock.h"
#include "http.h"
#include "log.h"

enum { SEEN_WITHIN_MS = 5000, LOOK_EVERY_MS = 50, HOPS_MAX = 2, MARKERS = 2 };

struct probe {
    struct sink *sink;
    struct http_client *client;
    struct db *db;
    const char *db_name;
    uint64_t nonce;
    unsigned requests;
};

static const char *const preparation[] = {
    "{\"ddl\":\"CREATE DATABASE IF NOT EXISTS wolfcdc\",\"table\":null,\"database\":null}",
    "{\"ddl\":\"CREATE TABLE IF NOT EXISTS wolfcdc.probe (id VARCHAR(40) NOT NULL PRIMARY KEY, sink VARCHAR(64) NOT NULL)\","
    "\"table\":\"wolfcdc.probe\",\"database\":null}",
};

static enum http_fate post(struct probe *p, enum http_verb verb, const char *body, struct http_answer *answer, struct err *err)
{
    char key[HTTP_KEY_MAX];
    snprintf(key, sizeof key, "%s-probe-%016llx-%u", wal_uuid(sink_wal(p->sink)), (unsigned long long)p->nonce, p->requests++);
    return http_client_post(p->client, verb, key, slice_text(body), answer, err);
}

/* What passes by itself is left to the caller; the rest is this target's own word. */
static bool posted(struct probe *p, enum http_verb verb, const char *body, struct http_answer *answer, struct err *err)
{
    enum http_fate fate = post(p, verb, body, answer, err);
    if (fate == HTTP_STORED) return true;
    if (err->code != ERR_RETRY || fate == HTTP_FAILED) err_context(err, "the proof that the target stores rows failed at %s", http_path(verb));
    return false;
}

static bool prepare(struct probe *p, struct err *err)
{
    struct http_answer answer;
    for (size_t i = 0; i < sizeof preparation / sizeof *preparation; i++)
        if (!posted(p, HTTP_DDL, preparation[i], &answer, err)) return false;
    return true;
}

static bool write_marker(struct probe *p, unsigned i, uint64_t *lsn, struct err *err)
{
    char body[300];
    struct http_answer answer;
    snprintf(body, sizeof body, "{\"table\":\"wolfcdc.probe\",\"values\":{\"id\":\"%016llx-%u\",\"sink\":\"%s\"}}", (unsigned long long)p->nonce, i,
             sink_settings(p->sink)->name);
    if (!posted(p, HTTP_INSERT, body, &answer, err)) return false;
    *lsn = answer.lsn;
    return true;
}

static bool delete_marker(struct probe *p, unsigned i, struct err *err)
{
    char body[200];
    struct http_answer answer;
    snprintf(body, sizeof body, "{\"table\":\"wolfcdc.probe\",\"where_key\":{\"id\":\"%016llx-%u\"}}", (unsigned long long)p->nonce, i);
    return posted(p, HTTP_DELETE, body, &answer, err);
}

/* Our markers that are there now. A table that is not there holds none. */
static bool count_markers(struct probe *p, unsigned *count, struct err *err)
{
    enum { NO_SUCH_DATABASE = 1049, NO_SUCH_TABLE = 1146 };
    char text[24];
    bool found;
    *count = 0;
    if (!db_scalar(p->db, text, sizeof text, &found, err, "SELECT COUNT(*) FROM wolfcdc.probe WHERE id LIKE '%016llx-%%'",
                   (unsigned long long)p->nonce)) {
        if (err->number != NO_SUCH_TABLE && err->number != NO_SUCH_DATABASE) return err_context(err, "looking for the marker rows");
        err_clear(err);
        return true;
    }
    *count = (unsigned)strtoul(text, NULL, 10);
    return true;
}

/* Waits until so many are there; *count is what was seen last. */
static bool await_markers(struct probe *p, unsigned wanted, unsigned *count, struct err *err)
{
    uint64_t until = clock_us() + SEEN_WITHIN_MS * 1000ull;
    for (;;) {
        if (!count_markers(p, count, err)) return false;
        if (*count == wanted || clock_us() > until) return true;
        if (sink_stopping(p->sink)) return err_set(err, ERR_RETRY, "stopped while the marker rows were awaited");
        clock_sleep_ms(LOOK_EVERY_MS);
    }
}

static bool refuse(struct probe *p, struct err *err)
{
    sink_remedy(p->sink, "Name a server that stores what /write/* is given, or, for WolfScale nodes: type = \"wolfscale\". Then: wolfctl resume --sink %s", sink_settings(p->sink)->name);
    err->code = ERR_STOP;
    return false;
}

static bool judge(struct probe *p, const uint64_t lsn[MARKERS], unsigned seen, const char *from, struct err *err)
{
    char said[120];
    if (lsn[0] == lsn[1]) snprintf(said, sizeof said, "success and lsn %llu twice", (unsigned long long)lsn[0]);
    else snprintf(said, sizeof said, "success with lsn %llu, then %llu", (unsigned long long)lsn[0], (unsigned long long)lsn[1]);
    if (seen < MARKERS) {
        err_set(err, ERR_STOP, "%s answered %s, and %s is not in wolfcdc.probe on %s: this server's /write/* stores nothing (WolfScale up to "
                "5.5.7 does so); use type = \"wolfscale\"", from, said, seen ? "one of the marker rows" : "the marker row", p->db_name);
        return refuse(p, err);
    }
    if (lsn[1] <= lsn[0]) {
        err_set(err, ERR_STOP, "%s answered %s for two rows: an LSN that does not move proves nothing of what comes after it", from, said);
        return refuse(p, err);
    }
    return true;
}

static bool prove(struct probe *p, struct err *err)
{
    uint64_t lsn[MARKERS];
    unsigned seen;
    char from[HTTP_URL_MAX];
    if (!prepare(p, err)) return false;
    snprintf(from, sizeof from, "%s", http_client_address(p->client));
    for (unsigned i = 0; i < MARKERS; i++)
        if (!write_marker(p, i, &lsn[i], err)) return false;
    if (!await_markers(p, MARKERS, &seen, err) || !judge(p, lsn, seen, from, err)) return false;
    for (unsigned i = 0; i < MARKERS; i++)
        if (!delete_marker(p, i, err)) return false;
    if (!await_markers(p, 0, &seen, err)) return false;
    if (!seen) return true;
    err_set(err, ERR_STOP, "%s answered success to /write/delete, and the marker row is still in wolfcdc.probe on %s", from, p->db_name);
    return refuse(p, err);
}

/* A redirect or a node that is not the leader leads to another address: the proof begins anew there. */
bool http_probe(struct sink *sink, struct http_client *client, struct db *db, const char *db_name, struct err *err)
{
    size_t tries = sink_settings(sink)->url.count + HOPS_MAX;
    for (size_t i = 0; i < tries; i++) {
        char from[HTTP_URL_MAX];
        struct probe p = {.sink = sink, .client = client, .db = db, .db_name = db_name};
        if (getrandom(&p.nonce, sizeof p.nonce, 0) != sizeof p.nonce) abort();
        snprintf(from, sizeof from, "%s", http_client_address(client));
        err_clear(err);
        if (prove(&p, err)) return true;
        bool elsewhere = strcmp(from, http_client_address(client)) != 0;
        if (err->code != ERR_RETRY || !elsewhere || sink_stopping(sink)) return false;
        log_debug("sink.address", "sink=%s text=\"%s\" next=%s", sink_settings(sink)->name, err->text, http_client_address(client));
    }
    return false;
}
