/*
 * endpoint_stats.c: `wolfctl stats --endpoint URL`: a node's /stats, twice, a second apart. What a leader says of its followers stands beside
 * their own word.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "visit.h"
#include "program.h"

enum { SAMPLE_MS = 1000, INFO_SHOWN = 60 };

struct sample {
    struct buf body;
    struct node_answer answer; /* only of /stats */
    uint64_t at_us;
};

static bool sample_take(const struct node_address *node, struct sample *sample, struct err *err)
{
    buf_init(&sample->body, NODE_ANSWER_MAX);
    if (!node_fetch(node, "/stats", &sample->body, err)) return false;
    sample->at_us = clock_us();
    return node_read_stats(buf_bytes(&sample->body), &sample->answer) || err_set(err, ERR_CORRUPT, "%s %s", node->host, sample->answer.problem);
}

/* Statements a second between two samples; 0 when its LSN fell. */
static double rate(const struct sample *a, const struct sample *b)
{
    uint64_t from = a->answer.current_lsn, to = b->answer.current_lsn;
    return to > from && b->at_us > a->at_us ? (double)(to - from) * 1e6 / (double)(b->at_us - a->at_us) : 0;
}

/* Of a text from outside, for a terminal: one line. */
static void one_line(const char *from, char *to, size_t room)
{
    size_t n = 0;
    for (; *from && n + 1 < room; from++) to[n++] = (unsigned char)*from < 0x20 || *from == 0x7f || (unsigned char)*from >= 0x80 ? '.' : *from;
    to[n] = 0;
}

static void print_processes(const cJSON *stats)
{
    const cJSON *process = visit_first(stats, "processlist");
    puts("\nStatements on its MariaDB now (WolfScale shows at most ten, and none that sleeps)");
    printf("%-8s %-16s %-16s %-10s %-6s %s\n", "ID", "USER", "DATABASE", "COMMAND", "TIME", "STATEMENT");
    for (; process; process = process->next) {
        char user[17], database[17], command[11], info[INFO_SHOWN + 1];
        one_line(visit_text(process, "user"), user, sizeof user);
        one_line(visit_text(process, "db"), database, sizeof database);
        one_line(visit_text(process, "command"), command, sizeof command);
        one_line(visit_text(process, "info"), info, sizeof info);
        printf("%-8.0f %-16s %-16s %-10s %-6.0f %s\n", visit_number(process, "id"), user, database, command, visit_number(process, "time"), info);
    }
}

/* The leader's word beside each node's own. */
static void print_followers(const struct visit *visit, const struct node_peer *peers, size_t count)
{
    const struct survey *survey = visit->survey;
    printf("\n%-20s %-12s %-12s %-12s %s\n", "FOLLOWER", "STATUS", "LSN (HERE)", "LSN (ITSELF)", "BEHIND");
    for (size_t k = 0; k < count; k++) {
        uint64_t lsn = peers[k].lsn, end = survey->answers[0].current_lsn;
        char own[32] = "-";
        for (size_t i = 1; i < survey->count; i++)
            if (!strcmp(survey->answers[i].id, peers[k].id) && survey->verdict.nodes[i].state != NODE_GONE)
                snprintf(own, sizeof own, "%" PRIu64, survey->answers[i].current_lsn);
        printf("%-20s %-12s %-12" PRIu64 " %-12s %" PRIu64 "\n", peers[k].id, peers[k].status, lsn, own, end > lsn ? end - lsn : 0);
    }
}

static void stats_print(const struct visit *visit, const struct sample *a, const struct sample *b)
{
    const struct survey *survey = visit->survey;
    const struct node_answer *own = &survey->answers[0];
    struct node_peer peers[NODE_PEERS_MAX];
    size_t count = 0;
    char name[VISIT_NAME_ROOM];
    cJSON *stats = cJSON_ParseWithLength((const char *)b->body.data, b->body.size);
    printf("Node          %s, %s\n", survey_name(survey, 0, name, sizeof name), own->is_leader ? "says that it leads" : "Follower");
    visit_print_cluster(visit);
    printf("LSN           %" PRIu64 ", %.1f statements/s in the last second\n", b->answer.current_lsn, rate(a, b));
    if (!own->is_leader) puts("Followers     a follower's list of the others means nothing: ask the leader");
    else if (node_read_followers(buf_bytes(&b->body), peers, &count)) print_followers(visit, peers, count);
    print_processes(stats);
    puts("\nNot shown     uptime_seconds (0 for ever), recent_errors (never filled: a statement that failed on a follower is skipped in silence),\n"
         "              commit_lsn (a copy of current_lsn)");
    cJSON_Delete(stats);
}

static void stats_json(const struct visit *visit, const struct sample *a, const struct sample *b)
{
    struct node_peer peers[NODE_PEERS_MAX];
    struct buf out;
    char per_second[32];
    size_t count = 0;
    cJSON *stats = cJSON_ParseWithLength((const char *)b->body.data, b->body.size);
    buf_init(&out, VISIT_JSON_MAX);
    struct json json = json_on(&out);
    json_open(&json, '{');
    visit_put(&json, visit);
    visit_put_count(&json, "lsn", b->answer.current_lsn);
    json_name(&json, "lsn_per_second");
    snprintf(per_second, sizeof per_second, "%.1f", rate(a, b));
    json_raw(&json, slice_text(per_second));
    json_name(&json, "followers"); /* as a leader has them; empty elsewhere */
    json_open(&json, '[');
    bool leads = visit->survey->answers[0].is_leader && node_read_followers(buf_bytes(&b->body), peers, &count);
    for (size_t k = 0; leads && k < count; k++) {
        json_open(&json, '{');
        visit_put_pair(&json, "id", peers[k].id);
        visit_put_pair(&json, "status", peers[k].status);
        visit_put_count(&json, "lsn", peers[k].lsn);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    visit_put_item(&json, "processlist", cJSON_GetObjectItemCaseSensitive(stats, "processlist"));
    json_close(&json, '}');
    visit_print_json(&out);
    cJSON_Delete(stats);
}

int endpoint_stats(const struct call *call)
{
    struct visit visit;
    struct err err = {0};
    struct sample *samples = calloc(2, sizeof *samples);
    if (!samples) abort();
    int status = visit_begin(call, &visit);
    if (!status) {
        const struct node_address *node = &visit.survey->addresses[0];
        bool good = sample_take(node, &samples[0], &err);
        if (good) clock_sleep_ms(SAMPLE_MS);
        good = good && sample_take(node, &samples[1], &err);
        if (!good) status = visit_refused(&err);
        else if (call->json) stats_json(&visit, &samples[0], &samples[1]);
        else stats_print(&visit, &samples[0], &samples[1]);
        visit_end(&visit);
    }
    buf_fini(&samples[0].body);
    buf_fini(&samples[1].body);
    free(samples);
    return status;
}
