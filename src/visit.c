/* visit.c: see visit.h. */
#include "visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

#define ENDPOINT_DEFAULT "http://127.0.0.1:8080" /* as WolfScale's tool, on the node itself */

enum { AGENT_TIMEOUT_S = 5 };

/* ---- what our agent knows ---- */

const char *visit_text(const cJSON *in, const char *name)
{
    const char *found = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(in, name));
    return found ? found : "";
}

double visit_number(const cJSON *in, const char *name)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(in, name);
    return cJSON_IsNumber(found) ? found->valuedouble : 0;
}

const cJSON *visit_first(const cJSON *in, const char *name)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(in, name);
    return list ? list->child : NULL;
}

void visit_agent(const struct call *call, struct agent_view *view)
{
    struct client_call request = {.path = "/nodes", .timeout_s = AGENT_TIMEOUT_S};
    struct client_answer answer = {0};
    struct err err = {0};
    char *socket = NULL;
    *view = (struct agent_view){0};
    if (!client_find(call->socket, call->config, &socket, &err) || !client_do(socket, &request, &answer, &err)) {
        snprintf(view->problem, sizeof view->problem, "%.590s", err.text);
    } else {
        if (answer.status == 200) view->all = cJSON_ParseWithLength((const char *)answer.body.data, answer.body.size);
        if (!view->all) snprintf(view->problem, sizeof view->problem, "the agent on %.200s answers /nodes with HTTP %ld", socket, answer.status);
        buf_fini(&answer.body);
    }
    free(socket);
}

static bool host_is(const cJSON *node, const char *host)
{
    const char *name = visit_text(node, "node");
    size_t size = strlen(host);
    return !strncmp(name, host, size) && (!name[size] || name[size] == ':');
}

const cJSON *visit_agent_node(const struct agent_view *view, const char *host, const char *id)
{
    const cJSON *by_id = NULL;
    for (const cJSON *cluster = visit_first(view->all, "clusters"); cluster; cluster = cluster->next)
        for (const cJSON *node = visit_first(cluster, "nodes"); node; node = node->next) {
            if (*host && host_is(node, host)) return node;
            if (*id && !strcmp(visit_text(node, "id"), id)) by_id = node;
        }
    return by_id;
}

void visit_proof(const struct agent_view *view, const cJSON *node, char *out, size_t room)
{
    const cJSON *proof = cJSON_GetObjectItemCaseSensitive(node, "proof");
    const char *state = visit_text(proof, "state");
    if (!view->all) snprintf(out, room, "not known");
    else if (!node) snprintf(out, room, "not delivered to");
    else if (!strcmp(state, "different")) snprintf(out, room, "different: %.0f rows", visit_number(proof, "differences"));
    else snprintf(out, room, "%s", *state ? state : "not known");
}

static bool proven_wrong(const cJSON *node)
{
    const char *state = visit_text(cJSON_GetObjectItemCaseSensitive(node, "proof"), "state");
    return !strcmp(state, "different") || !strcmp(state, "unreadable");
}

/* ---- the look at the cluster ---- */

int visit_refused(const struct err *err)
{
    fprintf(stderr, "wolfctl: %s\n", err->text);
    return err->code == ERR_CONFIG || err->code == ERR_LIMIT ? PROGRAM_USAGE : err->code == ERR_CORRUPT ? PROGRAM_UNMET : PROGRAM_UNREACHABLE;
}

static bool endpoint_address(const struct call *call, char host[NODE_HOST_MAX], struct node_address *node, struct err *err)
{
    *node = (struct node_address){host, NODE_PORT_DB, 0, NODE_PORT_PROXY};
    return node_endpoint(call->endpoint ? call->endpoint : ENDPOINT_DEFAULT, host, NODE_HOST_MAX, &node->api_port, err);
}

void visit_end(struct visit *visit)
{
    cJSON_Delete(visit->agent.all);
    free(visit->survey);
}

int visit_begin(const struct call *call, struct visit *visit)
{
    char host[NODE_HOST_MAX];
    struct node_address node;
    struct err err = {0};
    *visit = (struct visit){.survey = survey_new()};
    bool good = endpoint_address(call, host, &node, &err) && node_ask(&node, &visit->survey->answers[0], &err) &&
                survey_add(visit->survey, &node, &err);
    if (!good) {
        visit_end(visit);
        return visit_refused(&err);
    }
    survey_run(visit->survey, 0);
    visit_agent(call, &visit->agent);
    return PROGRAM_DONE;
}

const cJSON *visit_rows(const struct visit *visit, size_t i)
{
    return visit_agent_node(&visit->agent, visit->survey->hosts[i], visit->survey->answers[i].id);
}

bool visit_node_well(const struct visit *visit, size_t i)
{
    return visit->survey->verdict.nodes[i].state == NODE_UP && !proven_wrong(visit_rows(visit, i));
}

const struct node_peer *visit_table(const struct visit *visit, size_t i)
{
    const struct node_answer *own = &visit->survey->answers[0];
    for (size_t k = 0; k < own->peer_count; k++) {
        char host[NODE_HOST_MAX];
        bool same = node_peer_host(&own->peers[k], host, sizeof host) && !strcmp(host, visit->survey->hosts[i]);
        if (same || !strcmp(own->peers[k].id, visit->survey->answers[i].id)) return &own->peers[k];
    }
    return NULL;
}

/* ---- for a program ---- */

void visit_put_pair(struct json *json, const char *name, const char *value)
{
    json_name(json, name);
    json_string(json, value);
}

void visit_put_count(struct json *json, const char *name, uint64_t value)
{
    json_name(json, name);
    json_unsigned(json, value);
}

void visit_put_flag(struct json *json, const char *name, bool value)
{
    json_name(json, name);
    json_bool(json, value);
}

void visit_put_item(struct json *json, const char *name, const cJSON *item)
{
    char *printed = item ? cJSON_PrintUnformatted(item) : NULL;
    json_name(json, name);
    if (printed) json_raw(json, slice_text(printed));
    else json_null(json);
    cJSON_free(printed);
}

static void put_node(struct json *json, const struct visit *visit, size_t i)
{
    const struct survey *survey = visit->survey;
    const struct node_answer *answer = &survey->answers[i];
    const struct node_peer *peer = visit_table(visit, i);
    json_open(json, '{');
    visit_put_pair(json, "node", survey->hosts[i]);
    visit_put_pair(json, "id", *answer->id ? answer->id : peer ? peer->id : "");
    visit_put_pair(json, "state", node_state_name(survey->verdict.nodes[i].state));
    visit_put_pair(json, "reason", survey->verdict.nodes[i].reason);
    visit_put_pair(json, "remedy", survey->verdict.nodes[i].remedy);
    visit_put_pair(json, "table_status", peer ? peer->status : "");
    visit_put_pair(json, "table_role", peer ? peer->role : "");
    visit_put_flag(json, "is_leader", answer->is_leader);
    visit_put_pair(json, "leader_seen", answer->leader_id);
    visit_put_count(json, "lsn", answer->current_lsn);
    visit_put_count(json, "answer_ms", answer->took_ms);
    visit_put_item(json, "rows", visit_rows(visit, i)); /* null: not known, or not delivered to: agent says which */
    json_close(json, '}');
}

void visit_put(struct json *json, const struct visit *visit)
{
    const struct nodes_verdict *verdict = &visit->survey->verdict;
    visit_put_pair(json, "endpoint", visit->survey->hosts[0]);
    visit_put_count(json, "port", visit->survey->addresses[0].api_port);
    visit_put_pair(json, "id", visit->survey->answers[0].id);
    visit_put_pair(json, "state", cluster_state_name(verdict->state));
    visit_put_pair(json, "leader", verdict->leader >= 0 ? visit->survey->answers[verdict->leader].id : "");
    visit_put_pair(json, "reason", verdict->reason);
    visit_put_pair(json, "remedy", verdict->remedy);
    visit_put_flag(json, "agent_answers", visit->agent.all != NULL);
    visit_put_pair(json, "agent_reason", visit->agent.problem);
    json_name(json, "nodes");
    json_open(json, '[');
    for (size_t i = 0; i < visit->survey->count; i++) put_node(json, visit, i);
    json_close(json, ']');
}

void visit_print_json(struct buf *out)
{
    printf("%s\n", buf_cstr(out));
    buf_fini(out);
}

/* ---- for a person ---- */

void visit_print_cluster(const struct visit *visit)
{
    const struct nodes_verdict *verdict = &visit->survey->verdict;
    const char *missing = verdict->leader >= 0 && !verdict->whole ? ", but not every node follows" : "";
    printf("Cluster       %s%s%s%s\n", cluster_state_name(verdict->state), missing, *verdict->reason ? ": " : "", verdict->reason);
    if (*verdict->remedy) printf("  remedy      %s\n", verdict->remedy);
}

void visit_print_trouble(const struct visit *visit, size_t i)
{
    char name[VISIT_NAME_ROOM];
    const char *reason = visit->survey->verdict.nodes[i].reason, *remedy = visit->survey->verdict.nodes[i].remedy;
    if (*reason) printf("%s: %s\n", survey_name(visit->survey, i, name, sizeof name), reason);
    if (*remedy) printf("  remedy: %s\n", remedy);
}
