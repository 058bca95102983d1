/* survey.c: see survey.h. */
#include "survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum { STEP_MS = 100 };

struct survey *survey_new(void)
{
    struct survey *survey = calloc(1, sizeof *survey);
    if (!survey) abort();
    return survey;
}

static bool put(struct survey *survey, const struct node_address *node)
{
    size_t i = survey->count;
    if (i == NODES_MAX || strlen(node->host) >= NODE_HOST_MAX) return false;
    strcpy(survey->hosts[i], node->host);
    survey->addresses[i] = *node;
    survey->addresses[i].host = survey->hosts[i];
    survey->count++;
    return true;
}

bool survey_add(struct survey *survey, const struct node_address *node, struct err *err)
{
    for (size_t i = 0; i < survey->count; i++)
        if (!strcmp(survey->hosts[i], node->host) && survey->addresses[i].api_port == node->api_port)
            return err_set(err, ERR_CONFIG, "%s is named twice", node->host);
    if (!put(survey, node)) return err_set(err, ERR_LIMIT, "more than %d nodes, or a name longer than %d bytes", NODES_MAX, NODE_HOST_MAX - 1);
    survey->given = survey->count;
    return true;
}

/* A silent node has had its time. */
static bool all_asked(const struct survey *survey)
{
    for (size_t i = 0; i < survey->count; i++) {
        const struct node_answer *answer = &survey->answers[i];
        if (!answer->asked && !(answer->since_us && clock_us() - answer->since_us > (uint64_t)NODE_GONE_MS * 1000)) return false;
    }
    return true;
}

static void ask_all(struct survey *survey, uint32_t watch_ms)
{
    struct node_poll *poll = node_poll_new(survey->addresses, survey->count);
    while (!all_asked(survey)) node_poll_step(poll, survey->answers, STEP_MS);
    for (uint64_t end = clock_us() + (uint64_t)watch_ms * 1000; clock_us() < end;) node_poll_step(poll, survey->answers, STEP_MS);
    node_poll_free(poll);
}

/* Whom they name and nobody gave. False: nobody. */
static bool complete(struct survey *survey)
{
    const struct node_peer *found[NODES_MAX];
    size_t before = survey->count;
    size_t n = nodes_unlisted(survey->addresses, survey->answers, survey->count, clock_us(), found, NODES_MAX);
    for (size_t i = 0; i < n; i++) {
        char host[NODE_HOST_MAX];
        struct node_address address = survey->addresses[0];
        if (!node_peer_host(found[i], host, sizeof host)) continue;
        address.host = host;
        if (!put(survey, &address)) break;
    }
    return survey->count > before;
}

void survey_run(struct survey *survey, uint32_t watch_ms)
{
    ask_all(survey, 0);
    while (complete(survey)) ask_all(survey, 0);
    if (watch_ms) ask_all(survey, watch_ms);
    nodes_judge(survey->addresses, survey->answers, survey->count, clock_us(), &survey->verdict);
}

const char *survey_name(const struct survey *survey, size_t i, char *out, size_t room)
{
    const char *id = survey->answers[i].id;
    if (*id) snprintf(out, room, "%s (%s)", id, survey->hosts[i]);
    else snprintf(out, room, "%s", survey->hosts[i]);
    return out;
}
