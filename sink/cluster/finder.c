/* finder.c: see finder.h. */
#include "finder.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "discovery.h"
#include "log.h"

enum { FOUND_HOST_MAX = 64 };

struct scout { /* asks one node */
    struct node_poll *poll; /* NULL: free */
    char host[NODE_HOST_MAX], id[NODE_ID_MAX]; /* id: as the hint said, "" none */
    struct node_answer answer;
    uint64_t hinted_us;     /* the last hint at it */
    uint64_t good_us;       /* since when it would do; 0: it does not */
};

struct finder {
    int announcements;
    const char *cluster_name;
    bool said_unplaced;
    struct scout scouts[FINDER_SCOUTS];
    struct node_address addresses[NODES_MAX];
    struct node_answer answers[NODES_MAX]; /* of a trial */
};

struct finder *finder_new(int announcements, const char *cluster_name)
{
    struct finder *finder = calloc(1, sizeof *finder);
    if (!finder) abort();
    finder->announcements = announcements;
    finder->cluster_name = cluster_name;
    return finder;
}

static void scout_end(struct scout *scout)
{
    node_poll_free(scout->poll);
    *scout = (struct scout){0};
}

void finder_free(struct finder *finder)
{
    if (!finder) return;
    for (size_t i = 0; i < FINDER_SCOUTS; i++) scout_end(&finder->scouts[i]);
    if (finder->announcements >= 0) close(finder->announcements);
    free(finder);
}

/* ---- pure ---- */

bool finder_host_valid(const char *host)
{
    size_t size = strlen(host);
    return size && size < FOUND_HOST_MAX && !host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-")];
}

static bool is_number(const char *host)
{
    uint8_t raw[16];
    return inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1;
}

bool finder_unplaced(const struct node_address *addresses, const struct node_answer *answers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!answers[i].answered_us && !is_number(addresses[i].host)) return true;
    return false;
}

static bool balances(const struct node_answer *answer, const char *id)
{
    for (size_t k = 0; k < answer->peer_count; k++)
        if (!strcmp(answer->peers[k].id, id) && !strcmp(answer->peers[k].role, "LoadBalancer")) return true;
    return false;
}

static bool would_do(struct node_address *addresses, struct node_answer *answers, size_t count, uint64_t now_us)
{
    const struct node_answer *answer = &answers[count];
    struct nodes_verdict verdict;
    if (!node_heard(answer, now_us) || !answer->reached) return false;
    for (size_t i = 0; i <= count; i++)
        if (balances(&answers[i], answer->id)) return false;
    nodes_judge(addresses, answers, count + 1, now_us, &verdict);
    return verdict.state == CLUSTER_LED && verdict.nodes[count].state == NODE_UP;
}

bool finder_would_do(const struct node_address *addresses, const struct node_answer *answers, size_t count, const struct node_address *more,
                     const struct node_answer *answer, uint64_t now_us)
{
    struct node_address with[NODES_MAX];
    struct node_answer *all;
    if (count >= NODES_MAX) return false;
    if (!(all = calloc(count + 1, sizeof *all))) abort();
    memcpy(with, addresses, count * sizeof *with);
    memcpy(all, answers, count * sizeof *all);
    with[count] = *more;
    all[count] = *answer;
    bool good = would_do(with, all, count, now_us);
    free(all);
    return good;
}

/* ---- hints ---- */

static void hint(struct finder *finder, const char *host, const char *id, const char *from, uint64_t now_us)
{
    struct scout *scout = NULL;
    if (!finder_host_valid(host)) return;
    for (size_t i = FINDER_SCOUTS; i-- > 0;) {
        struct scout *s = &finder->scouts[i];
        if (s->poll && !strcmp(s->host, host)) {
            s->hinted_us = now_us;
            return;
        }
        if (!s->poll) scout = s;
    }
    if (!scout) return;
    *scout = (struct scout){.hinted_us = now_us};
    snprintf(scout->host, sizeof scout->host, "%s", host);
    snprintf(scout->id, sizeof scout->id, "%s", id);
    log_debug("cluster.find", "node=%s id=\"%s\" known_by=%s", scout->host, scout->id, from);
    scout->poll = node_poll_new(&(struct node_address){scout->host, NODE_PORT_DB, NODE_PORT_API, NODE_PORT_PROXY}, 1);
}

static bool is_listed(const struct node_address *addresses, const struct node_answer *answers, size_t count, const char *host, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(addresses[i].host, host) || !strcmp(answers[i].ip, host) || (*id && !strcmp(answers[i].id, id))) return true;
    return false;
}

static void take_tables(struct finder *finder, const struct node_address *addresses, const struct node_answer *answers, size_t count, uint64_t now_us)
{
    const struct node_peer *found[NODE_PEERS_MAX];
    char host[NODE_HOST_MAX];
    size_t n = nodes_unlisted(addresses, answers, count, now_us, found, NODE_PEERS_MAX);
    for (size_t i = 0; i < n; i++)
        if (node_peer_host(found[i], host, sizeof host)) hint(finder, host, found[i]->id, "tables", now_us);
}

static void take_announcements(struct finder *finder, const struct node_address *addresses, const struct node_answer *answers, size_t count,
                               uint64_t now_us)
{
    struct announcement heard;
    while (finder->announcements >= 0 && discovery_hear(finder->announcements, &heard))
        if (discovery_fits(&heard, finder->cluster_name) && !is_listed(addresses, answers, count, heard.host, heard.id))
            hint(finder, heard.host, heard.id, "announcement", now_us);
}

/* ---- asking ---- */

static bool is_over(const struct scout *scout, const struct node_address *addresses, const struct node_answer *answers, size_t count, uint64_t now_us)
{
    return now_us > scout->hinted_us + FINDER_HEARD_MS * 1000ull ||
           is_listed(addresses, answers, count, scout->host, scout->answer.reached ? scout->answer.id : scout->id);
}

static bool scout_step(struct finder *finder, struct scout *scout, size_t count, uint64_t now_us)
{
    node_poll_step(scout->poll, &scout->answer, 0);
    finder->addresses[count] = (struct node_address){scout->host, NODE_PORT_DB, NODE_PORT_API, NODE_PORT_PROXY};
    finder->answers[count] = scout->answer;
    bool good = would_do(finder->addresses, finder->answers, count, now_us);
    if (!good) scout->good_us = 0;
    else if (!scout->good_us) scout->good_us = now_us;
    return good && now_us - scout->good_us >= FINDER_STABLE_MS * 1000ull;
}

static bool may_look(struct finder *finder, const struct node_address *addresses, const struct node_answer *answers, size_t count)
{
    bool unplaced = finder_unplaced(addresses, answers, count);
    if (unplaced && !finder->said_unplaced)
        log_debug("cluster.find", "text=\"no node is looked for while one that is listed by name has not answered: it could be that one\"");
    finder->said_unplaced = unplaced;
    return !unplaced && count < NODES_MAX;
}

bool finder_step(struct finder *finder, const struct node_address *addresses, const struct node_answer *answers, size_t count, uint64_t now_us,
                 struct node_address *found, struct node_answer *answer)
{
    bool copied = false;
    take_announcements(finder, addresses, answers, count, now_us);
    if (!may_look(finder, addresses, answers, count)) return false;
    take_tables(finder, addresses, answers, count, now_us);
    for (size_t i = 0; i < FINDER_SCOUTS; i++) {
        struct scout *scout = &finder->scouts[i];
        if (!scout->poll) continue;
        if (is_over(scout, addresses, answers, count, now_us)) {
            scout_end(scout);
            continue;
        }
        if (!copied) {
            memcpy(finder->addresses, addresses, count * sizeof *addresses);
            memcpy(finder->answers, answers, count * sizeof *answers);
            copied = true;
        }
        if (!scout_step(finder, scout, count, now_us)) continue;
        scout->good_us = 0;
        *found = finder->addresses[count];
        *answer = scout->answer;
        return true;
    }
    return false;
}
