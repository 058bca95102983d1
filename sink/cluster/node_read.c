/*
 * node_read.c: the three documents of a node. cJSON keeps a number as a double, which has no digits beyond 2^53 and takes 1e999 for a
 * number; an LSN is a u64. So the text is first checked and stripped (json_compact, which also refuses what is not UTF-8), and every
 * number goes to cJSON as a string that begins with a byte no UTF-8 text has: its own digits, told apart from any real string.
 */
#include "nodes.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

enum { NUMBER_MARK = 0xff, EXCERPT = 40 };

static bool problem(struct node_answer *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool problem(struct node_answer *answer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(answer->problem, sizeof answer->problem, format, args);
    va_end(args);
    return false;
}

/* ---- the text ---- */

/* The beginning of what is no JSON, for a person: one line of printable ASCII. */
static void excerpt(struct slice text, char out[EXCERPT + 1])
{
    size_t n = text.size < EXCERPT ? text.size : EXCERPT;
    for (size_t i = 0; i < n; i++) out[i] = (char)(text.data[i] >= 0x20 && text.data[i] < 0x7f ? text.data[i] : '.');
    out[n] = 0;
}

static bool not_json(struct slice text, const char *path, struct node_answer *answer)
{
    char start[EXCERPT + 1];
    while (text.size && memchr(" \t\r\n", *text.data, 4)) text = slice_of(text.data + 1, text.size - 1);
    if (!text.size) return problem(answer, "answers %s with nothing", path);
    if (*text.data == '<') return problem(answer, "answers %s with HTML instead of JSON: not WolfScale's API", path);
    excerpt(text, start);
    if (*text.data == '{' || *text.data == '[')
        return problem(answer, "answers %s with half a JSON, or a broken one (%zu bytes from %s)", path, text.size, start);
    return problem(answer, "answers %s with no JSON: %s", path, start);
}

static bool in_number(uint8_t c) { return (c >= '0' && c <= '9') || memchr("+-.eE", c, 5); }

/* Compacted JSON → the same with its numbers marked. */
static void mark_numbers(struct slice compact, struct buf *out)
{
    const uint8_t *at = compact.data, *end = slice_end(compact);
    while (at < end) {
        const uint8_t *from = at;
        if (*at == '"') {
            for (at++; *at != '"'; at++) at += *at == '\\';
            at++;
            buf_put(out, from, (size_t)(at - from));
        } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
            while (at < end && in_number(*at)) at++;
            buf_u8(out, '"');
            buf_u8(out, NUMBER_MARK);
            buf_put(out, from, (size_t)(at - from));
            buf_u8(out, '"');
        } else {
            buf_u8(out, *at++);
        }
    }
}

/* Owned (cJSON_Delete); NULL: problem is written. */
static cJSON *document(struct slice text, const char *path, struct node_answer *answer)
{
    struct buf compact, marked;
    cJSON *all = NULL;
    buf_init(&compact, NODE_ANSWER_MAX);
    buf_init(&marked, 4 * (size_t)NODE_ANSWER_MAX);
    if (!json_compact(text, &compact)) {
        not_json(text, path, answer);
        goto out;
    }
    mark_numbers(buf_bytes(&compact), &marked);
    if (!marked.full && !compact.full) all = cJSON_ParseWithLength(buf_cstr(&marked), marked.size);
    if (!cJSON_IsObject(all)) {
        problem(answer, "answers %s with another JSON than a node's", path);
        cJSON_Delete(all);
        all = NULL;
    }
out:
    buf_fini(&compact);
    buf_fini(&marked);
    return all;
}

/* ---- values ---- */

static bool is_number(const cJSON *item) { return cJSON_IsString(item) && (uint8_t)item->valuestring[0] == NUMBER_MARK; }
static bool is_text(const cJSON *item) { return cJSON_IsString(item) && !is_number(item); }

/* Those of ASCII and those of Latin-1, which some terminals obey too. */
static bool has_controls(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)) return true;
    return false;
}

/* A text that fits and has no control characters. `path` is of the document, for the problem. */
static bool take_text(const cJSON *in, const char *path, const char *name, char *to, size_t room, struct node_answer *answer)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, name);
    if (!is_text(item)) return problem(answer, "%s: \"%s\" is %s", path, name, item ? "no text" : "missing: not WolfScale's API");
    size_t size = strlen(item->valuestring);
    if (size >= room) return problem(answer, "%s: \"%s\" is longer than %zu bytes", path, name, room - 1);
    if (has_controls(item->valuestring)) return problem(answer, "%s: \"%s\" has control characters in it", path, name);
    memcpy(to, item->valuestring, size + 1);
    return true;
}

static bool take_id(const cJSON *in, const char *path, const char *name, char to[NODE_ID_MAX], struct node_answer *answer)
{
    if (!take_text(in, path, name, to, NODE_ID_MAX, answer)) return false;
    return *to || problem(answer, "%s: \"%s\" is empty", path, name);
}

static bool take_bool(const cJSON *in, const char *path, const char *name, bool *to, struct node_answer *answer)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, name);
    if (!cJSON_IsBool(item)) return problem(answer, "%s: \"%s\" is %s", path, name, item ? "neither true nor false" : "missing");
    *to = cJSON_IsTrue(item);
    return true;
}

static bool take_u64(const cJSON *in, const char *path, const char *name, uint64_t *to, struct node_answer *answer)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, name);
    uint64_t value = 0;
    if (!is_number(item)) return problem(answer, "%s: \"%s\" is %s", path, name, item ? "no number" : "missing");
    const char *digits = item->valuestring + 1;
    for (const char *c = digits; *c; c++) {
        if (*c < '0' || *c > '9') return problem(answer, "%s: \"%s\" is %.40s, which counts nothing", path, name, digits);
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) || __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
            return problem(answer, "%s: \"%s\" is %.40s, beyond 64 bits", path, name, digits);
    }
    *to = value;
    return true;
}

/* ---- the documents ---- */

/* A follower that knows no leader says null. */
static bool take_leader(const cJSON *in, const char *path, char to[NODE_ID_MAX], struct node_answer *answer)
{
    if (cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(in, "leader_id"))) {
        *to = 0;
        return true;
    }
    return take_id(in, path, "leader_id", to, answer);
}

bool node_read_status(struct slice json, struct node_answer *answer)
{
    static const char path[] = "/status";
    char id[NODE_ID_MAX], leader[NODE_ID_MAX];
    bool is_leader = false;
    uint64_t lsn = 0;
    cJSON *all = document(json, path, answer);
    if (!all) return false;
    bool good = take_id(all, path, "node_id", id, answer) && take_bool(all, path, "is_leader", &is_leader, answer) &&
                take_leader(all, path, leader, answer) && take_u64(all, path, "last_applied_lsn", &lsn, answer);
    cJSON_Delete(all);
    if (!good) return false;
    memcpy(answer->id, id, sizeof id);
    memcpy(answer->leader_id, leader, sizeof leader);
    answer->is_leader = is_leader;
    answer->applied_lsn = lsn;
    return true;
}

bool node_read_stats(struct slice json, struct node_answer *answer)
{
    static const char path[] = "/stats";
    char id[NODE_ID_MAX];
    uint64_t lsn = 0;
    cJSON *all = document(json, path, answer);
    if (!all) return false;
    bool good = !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(all, "lb_mode")) ||
                problem(answer, "is a WolfScale load balancer, not a node");
    good = good && take_id(all, path, "node_id", id, answer) && take_u64(all, path, "current_lsn", &lsn, answer);
    if (good && *answer->id && strcmp(id, answer->id))
        good = problem(answer, "answers /status as \"%.50s\" and /stats as \"%.50s\": is something between that spreads requests?",
                       answer->id, id);
    cJSON_Delete(all);
    if (good) answer->current_lsn = lsn;
    return good;
}

static bool take_peer(const cJSON *in, struct node_peer *peer, struct node_answer *answer)
{
    static const char path[] = "/cluster";
    return take_id(in, path, "id", peer->id, answer) && take_text(in, path, "address", peer->address, sizeof peer->address, answer) &&
           take_text(in, path, "status", peer->status, sizeof peer->status, answer) &&
           take_text(in, path, "role", peer->role, sizeof peer->role, answer) &&
           take_u64(in, path, "last_applied_lsn", &peer->lsn, answer);
}

bool node_read_cluster(struct slice json, struct node_answer *answer)
{
    struct node_peer peers[NODE_PEERS_MAX];
    size_t count = 0;
    cJSON *all = document(json, "/cluster", answer);
    if (!all) return false;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(all, "nodes"), *item;
    bool good = cJSON_IsArray(list) || problem(answer, "/cluster: \"nodes\" is %s", list ? "no list" : "missing");
    if (good) {
        cJSON_ArrayForEach(item, list) {
            good = count < NODE_PEERS_MAX ? take_peer(item, &peers[count++], answer)
                                          : problem(answer, "/cluster: more than %d nodes", NODE_PEERS_MAX);
            if (!good) break;
        }
    }
    cJSON_Delete(all);
    if (!good) return false;
    answer->peer_count = count;
    memcpy(answer->peers, peers, count * sizeof *peers);
    return true;
}

static bool take_follower(const cJSON *in, struct node_peer *peer, struct node_answer *answer)
{
    static const char path[] = "/stats";
    *peer = (struct node_peer){0};
    return take_id(in, path, "node_id", peer->id, answer) && take_text(in, path, "status", peer->status, sizeof peer->status, answer) &&
           take_u64(in, path, "last_applied_lsn", &peer->lsn, answer);
}

bool node_read_followers(struct slice json, struct node_peer peers[NODE_PEERS_MAX], size_t *count)
{
    struct node_answer answer = {0};
    size_t n = 0;
    cJSON *all = document(json, "/stats", &answer);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(all, "followers"), *item;
    bool good = cJSON_IsArray(list);
    if (good) {
        cJSON_ArrayForEach(item, list) {
            good = n < NODE_PEERS_MAX && take_follower(item, &peers[n++], &answer);
            if (!good) break;
        }
    }
    cJSON_Delete(all);
    if (good) *count = n;
    return good;
}
