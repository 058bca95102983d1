/*
 * nodesctl.c: `wolfctl nodes`: every node of a WolfScale cluster as the agent knows it, and the orders that an operator gives. An order runs in
 * the agent; here it is followed to its end.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "program.h"
#include "show.h"

enum { ASK_TIMEOUT_S = 30, FOLLOW_MS = 300, ORDER_SECONDS_MAX = 86400 * 7 };

static const char *text(const cJSON *in, const char *name)
{
    const char *found = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(in, name));
    return found ? found : "";
}

static double number(const cJSON *in, const char *name)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(in, name);
    return cJSON_IsNumber(found) ? found->valuedouble : 0;
}

static const cJSON *part(const cJSON *in, const char *name) { return cJSON_GetObjectItemCaseSensitive(in, name); }

static int failed(const struct err *err)
{
    fprintf(stderr, "wolfctl: %s\n", err->text);
    return err->code == ERR_CONFIG ? PROGRAM_USAGE : PROGRAM_UNREACHABLE;
}

/* One call; on PROGRAM_DONE *answer is the caller's. */
static int ask(const struct call *call, const struct client_call *request, struct client_answer *answer)
{
    struct err err = {0};
    char *socket = NULL;
    if (!client_find(call->socket, call->config, &socket, &err)) return failed(&err);
    bool reached = client_do(socket, request, answer, &err);
    free(socket);
    if (!reached) return failed(&err);
    if (answer->status == 200) return PROGRAM_DONE;
    if (call->json) fwrite(answer->body.data, 1, answer->body.size, stdout);
    else show_error(stderr, buf_bytes(&answer->body));
    int status = answer->status == 400 || answer->status == 404 ? PROGRAM_USAGE : PROGRAM_UNMET;
    buf_fini(&answer->body);
    return status;
}

/* ---- the list ---- */

static void print_proof(const cJSON *proof)
{
    const char *state = text(proof, "state"), *finished = text(proof, "finished");
    printf("    proof     %s", state);
    if (!strcmp(state, "different")) printf(", %.0f rows", number(proof, "differences"));
    if (number(proof, "in_flight") > 0) printf(", %.0f rows in flight", number(proof, "in_flight"));
    if (*finished) printf("; last whole round %.19s", finished);
    if (number(proof, "round") > 0)
        printf("; round %.0f: %.0f tables, %.0f rows", number(proof, "round"), number(proof, "tables"), number(proof, "rows"));
    if (*text(proof, "reason")) printf("\n              %s", text(proof, "reason"));
    putchar('\n');
}

static void print_if(const char *what, const char *value)
{
    if (*value) printf("    %-9s %s\n", what, value);
}

static void print_node(const cJSON *n)
{
    printf("  %-20s %-12s %-15s %-10s sees %s as leader\n", text(n, "node"), *text(n, "id") ? text(n, "id") : "-",
           *text(n, "role") ? text(n, "role") : "-", text(n, "state"), *text(n, "leader_seen") ? text(n, "leader_seen") : "none");
    if (cJSON_IsTrue(part(n, "found"))) print_if("listed", "no: it is in the cluster, and was found there");
    print_if("why", text(n, "reason"));
    print_if("remedy", text(n, "remedy"));
    printf("    rows      LSN %.0f %s, lag %.1f s, %s", number(n, "position"), text(n, "gtid"), number(n, "lag_seconds"), text(n, "sink_state"));
    printf("; WolfScale LSN %.0f, answers in %.0f ms\n", number(n, "wolfscale_lsn"), number(n, "answer_ms"));
    print_if("", text(n, "sink_reason"));
    if (!*text(n, "remedy")) print_if("remedy", text(n, "sink_remedy"));
    print_proof(part(n, "proof"));
    print_if("order", text(n, "order_text"));
}

static void print_cluster(const cJSON *c)
{
    printf("%s  %s, led by %s; changes go by way of %s\n", text(c, "sink"), text(c, "state"), *text(c, "leader") ? text(c, "leader") : "none",
           text(c, "way"));
    if (*text(c, "reason")) printf("  why       %s\n", text(c, "reason"));
    if (*text(c, "remedy")) printf("  remedy    %s\n", text(c, "remedy"));
    const cJSON *nodes = part(c, "nodes");
    for (const cJSON *n = nodes ? nodes->child : NULL; n; n = n->next) print_node(n);
}

/* Every node is up, and no difference is known. */
static bool all_well(const cJSON *clusters)
{
    for (const cJSON *c = clusters ? clusters->child : NULL; c; c = c->next) {
        const cJSON *nodes = part(c, "nodes");
        for (const cJSON *n = nodes ? nodes->child : NULL; n; n = n->next)
            if (strcmp(text(n, "state"), "up") || !strcmp(text(part(n, "proof"), "state"), "different")) return false;
    }
    return true;
}

/* Owned; NULL: *status says why, and it was said. */
static cJSON *look(const struct call *call, struct client_answer *answer, int *status)
{
    struct client_call request = {.path = "/nodes", .timeout_s = ASK_TIMEOUT_S};
    *answer = (struct client_answer){0};
    *status = ask(call, &request, answer);
    if (*status) return NULL;
    cJSON *all = cJSON_ParseWithLength((const char *)answer->body.data, answer->body.size);
    if (all) return all;
    fputs("wolfctl: not an answer of wolfcdc\n", stderr);
    *status = PROGRAM_UNMET;
    buf_fini(&answer->body);
    return NULL;
}

int nodes_list(const struct call *call)
{
    struct client_answer answer;
    int status;
    cJSON *all = look(call, &answer, &status);
    if (!all) return status;
    const cJSON *clusters = part(all, "clusters");
    if (call->json) fwrite(answer.body.data, 1, answer.body.size, stdout);
    else if (!clusters || !clusters->child) puts("no [[sink]] of type \"wolfscale\" in the configuration");
    else for (const cJSON *c = clusters->child; c; c = c->next) print_cluster(c);
    status = all_well(clusters) ? PROGRAM_DONE : PROGRAM_UNMET;
    cJSON_Delete(all);
    buf_fini(&answer.body);
    return status;
}

/* ---- orders ---- */

static bool is_node(const cJSON *n, const char *name)
{
    return !name || !strcmp(text(n, "node"), name) || !strcmp(text(n, "id"), name) || !strcmp(text(n, "sink"), name) ||
           (strchr(text(n, "sink"), '@') && !strcmp(strchr(text(n, "sink"), '@') + 1, name));
}

struct followed { bool all_over, failed, different; char line[2000]; };

static void follow_cluster(const cJSON *c, const char *name, struct followed *f)
{
    const cJSON *nodes = part(c, "nodes");
    for (const cJSON *n = nodes ? nodes->child : NULL; n; n = n->next) {
        const char *order = text(n, "order");
        if (!is_node(n, name)) continue;
        if (!strcmp(order, "waiting") || !strcmp(order, "running")) f->all_over = false;
        f->failed |= !strcmp(order, "failed");
        f->different |= !strcmp(text(part(n, "proof"), "state"), "different");
        size_t used = strlen(f->line);
        snprintf(f->line + used, sizeof f->line - used, "%s%s: %s", used ? "; " : "", text(n, "node"), text(n, "order_text"));
    }
}

static void progress(const char *line, char *last, size_t room)
{
    bool terminal = isatty(STDERR_FILENO);
    if (!strcmp(line, last)) return;
    snprintf(last, room, "%s", line);
    fprintf(stderr, terminal ? "\r\033[K%.*s" : "%.*s\n", terminal ? 160 : 1900, line);
    fflush(stderr);
}

static int follow(const struct call *call, const char *name, bool verify)
{
    char last[2000] = "";
    uint64_t seconds = call->timeout ? strtoull(call->timeout, NULL, 10) : ORDER_SECONDS_MAX, until = clock_us() + seconds * 1000000;
    for (;;) {
        struct client_answer answer;
        struct followed f = {.all_over = true};
        int status;
        cJSON *all = look(call, &answer, &status);
        if (!all) return status;
        const cJSON *clusters = part(all, "clusters");
        for (const cJSON *c = clusters ? clusters->child : NULL; c; c = c->next) follow_cluster(c, name, &f);
        progress(f.line, last, sizeof last);
        if (f.all_over) {
            if (isatty(STDERR_FILENO)) fputc('\n', stderr);
            if (call->json) fwrite(answer.body.data, 1, answer.body.size, stdout);
        }
        cJSON_Delete(all);
        buf_fini(&answer.body);
        if (f.all_over) return f.failed || (verify && f.different) ? PROGRAM_UNMET : PROGRAM_DONE;
        if (clock_us() > until) {
            fprintf(stderr, "wolfctl: not done after %s s; it goes on in the agent, wolfctl nodes shows it\n", call->timeout);
            return PROGRAM_UNMET;
        }
        clock_sleep_ms(FOLLOW_MS);
    }
}

static int order(const struct call *call, const char *path, const char *node, const char *from)
{
    struct client_call request = {.post = true, .path = path, .params = {{"node", node}, {"from", from}, {"dry_run", call->dry_run ? "1" : NULL}},
                                  .timeout_s = ASK_TIMEOUT_S};
    struct client_answer answer = {0};
    int status = ask(call, &request, &answer);
    if (status) return status;
    buf_fini(&answer.body);
    return follow(call, node, !strcmp(path, "/nodes/verify"));
}

int nodes_verify(const struct call *call) { return order(call, "/nodes/verify", call->count ? call->args[0] : NULL, NULL); }

int nodes_repair(const struct call *call)
{
    char what[300];
    int status;
    const char *node = call->args[0];
    snprintf(what, sizeof what, "Rows of node %.100s that differ from the source's are made what the source's are; rows that the source has not are deleted.", node);
    if (!call->dry_run && !command_confirm(call, what, &status)) return status;
    return order(call, "/nodes/repair", node, NULL);
}

static void say_seed(const char *node, const char *from, char *out, size_t room)
{
    if (!from) snprintf(out, room, "Node %.100s is brought up to date from the log if its position is still in it and all its rows are then equal; else every captured table on it "
                        "is dropped, and copied from a proven node.", node);
    else if (strcmp(from, "log")) snprintf(out, room, "Every captured table on node %.100s is dropped there and copied anew from %.100s.", node, from);
    else snprintf(out, room, "Node %.100s is brought up to date from the log if its position is still in it; else every captured table on it is dropped, and the whole log delivered.",
                  node);
}

int nodes_seed(const struct call *call)
{
    char what[400];
    int status;
    const char *node = call->args[0];
    say_seed(node, call->from, what, sizeof what);
    if (!call->dry_run && !command_confirm(call, what, &status)) return status;
    return order(call, "/nodes/seed", node, call->from);
}
