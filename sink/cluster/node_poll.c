/*
 * node_poll.c: asks the nodes, all at once, from one thread. A round of a node is its three documents over connections that are kept; they
 * are asked together, because an idle leader may take seconds for each. The first request that fails ends the round. Nothing is shown of a
 * round before it is whole, so that the three documents belong together as well as they can.
 */
#include "nodes.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "settings.h"

enum { PATHS = 3, URL_MAX = 512 };

static const struct {
    const char *path;
    bool (*read)(struct slice json, struct node_answer *answer);
} documents[PATHS] = {{"/status", node_read_status}, {"/stats", node_read_stats}, {"/cluster", node_read_cluster}};

struct ask { /* one document of one node */
    CURL *easy;
    struct buf body;
    bool under_way;
    char url[URL_MAX];
};

struct round {
    struct ask asks[PATHS];
    bool rests;                   /* it is not asked */
    size_t left;                  /* requests that are under way */
    uint64_t begun_us, due_us;
    struct node_answer next;      /* what becomes of the round */
};

struct node_poll {
    CURLM *multi;
    size_t count;
    struct round rounds[NODES_MAX];
};

static void curl_start(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    buf_put(body, data, size * count);
    return body->full ? 0 : size * count;
}

static CURL *easy_new(const char *url, struct buf *body)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, curl_start);
    CURL *easy = curl_easy_init();
    if (!easy) abort();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)NODE_PATIENCE_MS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
    return easy;
}

/* ---- what became of a request ---- */

static const struct {
    CURLcode code;
    enum node_trouble trouble;
    const char *text;
} failures[] = {
    {CURLE_COULDNT_CONNECT, NODE_REFUSED, "no connection"},
    {CURLE_COULDNT_RESOLVE_HOST, NODE_REFUSED, "no such host"},
    {CURLE_OPERATION_TIMEDOUT, NODE_MUTE, "no answer"},
    {CURLE_WRITE_ERROR, NODE_NONSENSE, "answers more than 4 MiB"},
    {CURLE_GOT_NOTHING, NODE_MUTE, "closes the connection without an answer"},
    {CURLE_RECV_ERROR, NODE_MUTE, "breaks the connection"},
    {CURLE_SEND_ERROR, NODE_MUTE, "breaks the connection"},
    {CURLE_PARTIAL_FILE, NODE_MUTE, "breaks the connection within its answer"},
    {CURLE_UNSUPPORTED_PROTOCOL, NODE_NONSENSE, "speaks no HTTP"},
    {CURLE_WEIRD_SERVER_REPLY, NODE_NONSENSE, "speaks no HTTP"},
};

/* No route to a host is as certain as a refusal; a connection that nobody answers is silence. */
static bool request_failed(CURL *easy, const char *path, CURLcode code, struct node_answer *answer)
{
    long number = 0;
    answer->trouble = NODE_MUTE;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        if (failures[i].code != code) continue;
        answer->trouble = failures[i].trouble;
        if (code == CURLE_COULDNT_CONNECT) curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
        snprintf(answer->problem, sizeof answer->problem, "%s%s%s%s", failures[i].text, number ? " (" : "",
                 number ? strerror((int)number) : "", number ? ")" : "");
        return false;
    }
    snprintf(answer->problem, sizeof answer->problem, "%s: %.150s", path, curl_easy_strerror(code));
    return false;
}

static bool response_good(CURL *easy, const char *path, struct node_answer *answer)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) return true;
    answer->trouble = NODE_NONSENSE;
    snprintf(answer->problem, sizeof answer->problem, "answers %s with HTTP %ld", path, status);
    return false;
}

/* ---- rounds ---- */

static void round_begin(struct node_poll *poll, struct round *round, struct node_answer *answer)
{
    round->begun_us = clock_us();
    if (!answer->since_us) answer->since_us = round->begun_us;
    round->next = *answer;
    for (size_t i = 0; i < PATHS; i++) {
        struct ask *ask = &round->asks[i];
        buf_clear(&ask->body);
        ask->body.full = false;
        ask->under_way = true;
        curl_multi_add_handle(poll->multi, ask->easy);
    }
    round->left = PATHS;
}

static void ask_end(struct node_poll *poll, struct round *round, struct ask *ask)
{
    if (!ask->under_way) return;
    curl_multi_remove_handle(poll->multi, ask->easy);
    ask->under_way = false;
    round->left--;
}

static bool round_read(struct round *round)
{
    char *ip = NULL;
    for (size_t i = 0; i < PATHS; i++) {
        if (!documents[i].read(buf_bytes(&round->asks[i].body), &round->next)) {
            round->next.trouble = NODE_NONSENSE;
            return false;
        }
    }
    curl_easy_getinfo(round->asks[0].easy, CURLINFO_PRIMARY_IP, &ip);
    snprintf(round->next.ip, sizeof round->next.ip, "%s", ip ? ip : "");
    return true;
}

/* Of a bad round only the trouble is kept: the answers stay those of the last good one. */
static void round_end(struct node_poll *poll, struct round *round, bool good, struct node_answer *answer)
{
    uint64_t now = clock_us();
    for (size_t i = 0; i < PATHS; i++) ask_end(poll, round, &round->asks[i]);
    good = good && round_read(round);
    if (good) {
        round->next.took_ms = (uint32_t)((now - round->begun_us) / 1000);
        *answer = round->next;
    } else {
        answer->trouble = round->next.trouble;
        memcpy(answer->problem, round->next.problem, sizeof answer->problem);
    }
    node_note(answer, good, now);
    round->due_us = now + (uint64_t)NODE_POLL_MS * 1000;
}

/* Who a finished request belongs to. */
static struct ask *ask_find(struct node_poll *poll, const CURL *easy, size_t *node, size_t *path)
{
    for (size_t n = 0; n < poll->count; n++)
        for (size_t p = 0; p < PATHS; p++)
            if (poll->rounds[n].asks[p].easy == easy) {
                *node = n;
                *path = p;
                return &poll->rounds[n].asks[p];
            }
    return NULL;
}

static bool message_take(struct node_poll *poll, const CURLMsg *message, struct node_answer *answers)
{
    size_t node = 0, path = 0;
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result; /* removing the handle takes the message away */
    struct ask *ask = ask_find(poll, easy, &node, &path);
    assert(ask);
    struct round *round = &poll->rounds[node];
    if (!ask->under_way) return false;
    bool good = code ? request_failed(easy, documents[path].path, code, &round->next) : response_good(easy, documents[path].path, &round->next);
    ask_end(poll, round, ask);
    if (good && round->left) return false;
    round_end(poll, round, good, &answers[node]);
    return true;
}

static bool collect(struct node_poll *poll, struct node_answer *answers)
{
    bool changed = false;
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(poll->multi, &left));)
        if (message->msg == CURLMSG_DONE) changed |= message_take(poll, message, answers);
    return changed;
}

/* Begins what is due; milliseconds until the next one is. */
static uint32_t begin_due(struct node_poll *poll, struct node_answer *answers, uint32_t wait_ms)
{
    uint64_t now = clock_us();
    for (size_t i = 0; i < poll->count; i++) {
        struct round *round = &poll->rounds[i];
        if (round->left || round->rests) continue;
        if (round->due_us <= now) round_begin(poll, round, &answers[i]);
        else if ((round->due_us - now) / 1000 + 1 < wait_ms) wait_ms = (uint32_t)((round->due_us - now) / 1000 + 1);
    }
    return wait_ms;
}

bool node_poll_step(struct node_poll *poll, struct node_answer *answers, uint32_t wait_ms)
{
    uint64_t end = clock_us() + (uint64_t)wait_ms * 1000;
    for (;;) {
        uint64_t now = clock_us();
        int running;
        uint32_t left = now < end ? (uint32_t)((end - now + 999) / 1000) : 0;
        left = begin_due(poll, answers, left);
        curl_multi_perform(poll->multi, &running);
        if (collect(poll, answers)) return true;
        if (now >= end) return false;
        curl_multi_poll(poll->multi, NULL, 0, (int)left, NULL);
    }
}

/* ---- birth and end ---- */

static void url_make(const struct node_address *node, const char *path, char url[URL_MAX])
{
    bool v6 = strchr(node->host, ':') != NULL;
    snprintf(url, URL_MAX, "http://%s%s%s:%u%s", v6 ? "[" : "", node->host, v6 ? "]" : "", node->api_port, path);
}

static void ask_init(struct ask *ask, const struct node_address *node, const char *path)
{
    url_make(node, path, ask->url);
    buf_init(&ask->body, NODE_ANSWER_MAX);
    ask->easy = easy_new(ask->url, &ask->body);
}

void node_poll_add(struct node_poll *poll, const struct node_address *node)
{
    assert(poll->count < NODES_MAX);
    for (size_t p = 0; p < PATHS; p++) ask_init(&poll->rounds[poll->count].asks[p], node, documents[p].path);
    poll->count++;
}

void node_poll_rest(struct node_poll *poll, size_t node, bool rest)
{
    struct round *round = &poll->rounds[node];
    for (size_t p = 0; rest && p < PATHS; p++) ask_end(poll, round, &round->asks[p]);
    round->rests = rest;
}

struct node_poll *node_poll_new(const struct node_address *nodes, size_t count)
{
    struct node_poll *poll = calloc(1, sizeof *poll);
    if (!poll || !(poll->multi = curl_multi_init())) abort();
    assert(count <= NODES_MAX);
    for (size_t i = 0; i < count; i++) node_poll_add(poll, &nodes[i]);
    return poll;
}

void node_poll_free(struct node_poll *poll)
{
    if (!poll) return;
    for (size_t i = 0; i < poll->count; i++)
        for (size_t p = 0; p < PATHS; p++) {
            struct ask *ask = &poll->rounds[i].asks[p];
            ask_end(poll, &poll->rounds[i], ask);
            curl_easy_cleanup(ask->easy);
            buf_fini(&ask->body);
        }
    curl_multi_cleanup(poll->multi);
    free(poll);
}

/* ---- one endpoint ---- */

bool node_endpoint(const char *endpoint, char *host, size_t room, unsigned *port, struct err *err)
{
    static const char scheme[] = "http://";
    char given[NODE_HOST_MAX + 16];
    unsigned found;
    size_t size = strlen(endpoint), skip = !strncmp(endpoint, scheme, sizeof scheme - 1) ? sizeof scheme - 1 : 0;
    while (size > skip && endpoint[size - 1] == '/') size--;
    if (size - skip < sizeof given) {
        memcpy(given, endpoint + skip, size - skip);
        given[size - skip] = 0;
        if (!given[strcspn(given, "/?#@% ")] && settings_host(given, NODE_PORT_API, host, room, &found)) {
            *port = found;
            return true;
        }
    }
    return err_set(err, ERR_CONFIG, "\"%.200s\" is no URL of a node (they speak plain HTTP); like http://10.9.0.1:%d", endpoint, NODE_PORT_API);
}

static bool trouble_error(const struct node_address *node, const struct node_answer *answer, struct err *err)
{
    if (answer->trouble == NODE_NONSENSE) return err_set(err, ERR_CORRUPT, "%s:%u %s", node->host, node->api_port, answer->problem);
    return err_set(err, ERR_RETRY, "%s:%u: %s; does WolfScale run there?", node->host, node->api_port, answer->problem);
}

bool node_ask(const struct node_address *node, struct node_answer *answer, struct err *err)
{
    struct node_poll *poll = node_poll_new(node, 1);
    *answer = (struct node_answer){0};
    while (!answer->asked) node_poll_step(poll, answer, NODE_PATIENCE_MS);
    node_poll_free(poll);
    return answer->reached || trouble_error(node, answer, err);
}

bool node_fetch(const struct node_address *node, const char *path, struct buf *body, struct err *err)
{
    char url[URL_MAX];
    struct node_answer answer = {0};
    url_make(node, path, url);
    CURL *easy = easy_new(url, body);
    CURLcode code = curl_easy_perform(easy);
    bool good = code ? request_failed(easy, path, code, &answer) : response_good(easy, path, &answer);
    curl_easy_cleanup(easy);
    return good || trouble_error(node, &answer, err);
}
