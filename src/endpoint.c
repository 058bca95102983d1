/*
 * endpoint.c: `wolfctl list | status` with --endpoint URL: the words of WolfScale's own tool, spoken to a WolfScale node (stats, reset and
 * migrate: endpoint_stats.c, reset.c, migrate.c).
 *
 * What a node says of itself is shown beside what the others say of it and what our agent has proven of its rows; which of its claims are
 * constants is said. Nothing here changes a node: /admin/reset deletes the log under a running process, and /dump gives a copy without a
 * position, so neither is ever called.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "visit.h"
#include "program.h"

static void print_visit(const struct visit *visit)
{
    struct buf out;
    buf_init(&out, VISIT_JSON_MAX);
    struct json json = json_on(&out);
    json_open(&json, '{');
    visit_put(&json, visit);
    json_close(&json, '}');
    visit_print_json(&out);
}

static bool all_well(const struct visit *visit)
{
    bool well = visit->survey->verdict.state == CLUSTER_LED;
    for (size_t i = 0; i < visit->survey->count; i++) well &= visit_node_well(visit, i);
    return well;
}

/* ---- list ---- */

static void list_row(const struct visit *visit, size_t i)
{
    const struct survey *survey = visit->survey;
    const struct node_answer *answer = &survey->answers[i];
    const struct node_peer *peer = visit_table(visit, i);
    char rows[64], lsn[32] = "-";
    visit_proof(&visit->agent, visit_rows(visit, i), rows, sizeof rows);
    if (answer->answered_us) snprintf(lsn, sizeof lsn, "%" PRIu64, answer->current_lsn);
    printf("%-20s %-25s %-10s %-12s %-11s %-20s %-10s %s\n", *answer->id ? answer->id : peer ? peer->id : "-", peer ? peer->address : survey->hosts[i],
           peer ? peer->status : "-", peer ? peer->role : "-", node_state_name(survey->verdict.nodes[i].state),
           *answer->leader_id ? answer->leader_id : "-", lsn, rows);
}

static void list_print(const struct visit *visit)
{
    const struct survey *survey = visit->survey;
    const struct node_answer *own = &survey->answers[0];
    size_t active = 0;
    for (size_t k = 0; k < own->peer_count; k++) active += !strcmp(own->peers[k].status, "Active");
    printf("WolfScale Cluster Status (wolfctl %s)\n", PACKAGE_VERSION);
    printf("Total: %zu nodes  |  Active: %zu  |  Leader: %s, as %s has it in its table\n", own->peer_count, active,
           *own->leader_id ? own->leader_id : "NONE", own->id);
    visit_print_cluster(visit);
    printf("\n%-20s %-25s %-10s %-12s %-11s %-20s %-10s %s\n", "NODE ID", "ADDRESS", "STATUS", "ROLE", "ANSWERS", "SEES AS LEADER", "LSN", "ROWS");
    for (size_t i = 0; i < survey->count; i++) list_row(visit, i);
    putchar('\n');
    for (size_t i = 0; i < survey->count; i++) visit_print_trouble(visit, i);
    printf("STATUS and ROLE are from the table of %s; ANSWERS, SEES AS LEADER and LSN were asked of each node now; ROWS is what our agent\n"
           "has compared with the source.\n", own->id);
    if (!visit->agent.all) printf("Whether the nodes hold the rows is not known: %s\n", visit->agent.problem);
}

int endpoint_list(const struct call *call)
{
    struct visit visit;
    int status = visit_begin(call, &visit);
    if (status) return status;
    if (call->json) print_visit(&visit);
    else list_print(&visit);
    status = all_well(&visit) ? PROGRAM_DONE : PROGRAM_UNMET;
    visit_end(&visit);
    return status;
}

/* ---- status ---- */

static void print_role(const struct visit *visit)
{
    const struct node_answer *own = &visit->survey->answers[0];
    int leader = visit->survey->verdict.leader;
    if (leader == 0) printf("Role          LEADER; it says so, names itself, and every other node that answers names it\n");
    else if (own->is_leader) printf("Role          says that it leads, which does not hold: see Cluster\n");
    else printf("Role          Follower\n");
}

static void print_others(const struct visit *visit)
{
    for (size_t i = 1; i < visit->survey->count; i++) {
        const struct node_answer *answer = &visit->survey->answers[i];
        char name[VISIT_NAME_ROOM];
        printf("%s%s ", i == 1 ? "Others        " : "              ", survey_name(visit->survey, i, name, sizeof name));
        if (visit->survey->verdict.nodes[i].state == NODE_GONE || !answer->answered_us) printf("does not answer: %s\n", visit->survey->verdict.nodes[i].reason);
        else printf("names %s as leader%s, LSN %" PRIu64 "\n", *answer->leader_id ? answer->leader_id : "nobody",
                    answer->is_leader ? ", says that it leads itself" : "", answer->current_lsn);
    }
}

static void print_rows(const struct visit *visit)
{
    const cJSON *node = visit_rows(visit, 0), *proof = cJSON_GetObjectItemCaseSensitive(node, "proof");
    char state[64];
    if (!visit->agent.all) {
        printf("Rows          not known whether it holds them: %s\n", visit->agent.problem);
        return;
    }
    if (!node) {
        printf("Rows          not known whether it holds them: our agent answers, but does not deliver to this node\n");
        return;
    }
    visit_proof(&visit->agent, node, state, sizeof state);
    printf("Rows          delivered up to %s (LSN %.0f of our log), %.1f s behind; delivery: %s\n", *visit_text(node, "gtid") ? visit_text(node, "gtid") : "-",
           visit_number(node, "position"), visit_number(node, "lag_seconds"), *visit_text(node, "sink_state") ? visit_text(node, "sink_state") : "-");
    printf("Proof         %s; round %.0f, %.0f tables, %.0f rows%s%s%s%s\n", state, visit_number(proof, "round"), visit_number(proof, "tables"), visit_number(proof, "rows"),
           *visit_text(proof, "finished") ? "; last whole round " : "", visit_text(proof, "finished"), *visit_text(proof, "reason") ? "; " : "", visit_text(proof, "reason"));
}

static void status_print(const struct visit *visit)
{
    const struct survey *survey = visit->survey;
    const struct node_answer *own = &survey->answers[0];
    printf("Node ID       %s, http://%s:%u, answered in %u ms\n", own->id, survey->hosts[0], survey->addresses[0].api_port, own->took_ms);
    print_role(visit);
    printf("Leader        %s, as it says\n", *own->leader_id ? own->leader_id : "NONE");
    printf("Cluster Size  %zu in its table\n", own->peer_count);
    printf("LSN           %" PRIu64 "; counts WolfScale's statements, also those that failed or were skipped: no proof of rows\n", own->current_lsn);
    print_others(visit);
    visit_print_cluster(visit);
    print_rows(visit);
    visit_print_trouble(visit, 0);
    puts("Not shown     healthy (a constant), term (a constant 1), has_quorum (an isolated leader says true as well), commit_lsn (a copy of\n"
         "              last_applied_lsn, which stands still on a leader)");
}

int endpoint_status(const struct call *call)
{
    struct visit visit;
    int status = visit_begin(call, &visit);
    if (status) return status;
    if (call->json) print_visit(&visit);
    else status_print(&visit);
    status = visit.survey->verdict.state == CLUSTER_LED && visit_node_well(&visit, 0) ? PROGRAM_DONE : PROGRAM_UNMET;
    visit_end(&visit);
    return status;
}
