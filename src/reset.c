/*
 * reset.c: `wolfctl reset --endpoint URL`: how a WolfScale node is made to begin anew, step by step. Never done from here: WolfScale's own
 * /admin/reset deletes the log under the running process.
 */
#include <stdio.h>

#include "visit.h"
#include "program.h"

/* What WolfScale's own reset was meant to do, by hand and on a process that stands. */
static const char *const reset_steps[] = {
    "see that nothing writes through the node's proxy (port 8007), and keep a copy of its database if there is a doubt",
    "stop it on the node: systemctl stop wolfscale (and see with pgrep wolfscale that it has ended)",
    "find its data_dir: grep data_dir /opt/wolfscale/wolfscale.toml /etc/wolfscale/wolfscale.toml (without: /var/lib/wolfscale)",
    "delete its log and its position, nothing else: rm -r DATA_DIR/wal DATA_DIR/state",
    "restart WolfScale on the leader as well, as long as the node is down: a leader that runs remembers the node's old LSN and sends it "
    "nothing below that",
    "start it: systemctl start wolfscale. It gets the leader's whole log from LSN 1 again: statements that are not idempotent count twice "
    "in its database",
};
static const char leader_step[] =
    "this node LEADS: without its log the followers, which are further, ignore everything until its LSN has passed theirs. Reset every node "
    "together, or none";

static void reset_json(const struct visit *visit, const char *last)
{
    struct buf out;
    buf_init(&out, VISIT_JSON_MAX);
    struct json json = json_on(&out);
    json_open(&json, '{');
    visit_put_flag(&json, "done", false);
    visit_put(&json, visit);
    json_name(&json, "steps");
    json_open(&json, '[');
    if (visit->survey->answers[0].is_leader) json_string(&json, leader_step);
    for (size_t i = 0; i < sizeof reset_steps / sizeof *reset_steps; i++) json_string(&json, reset_steps[i]);
    json_string(&json, last);
    json_close(&json, ']');
    json_close(&json, '}');
    visit_print_json(&out);
}

static void reset_print(const struct visit *visit, const char *last)
{
    char name[VISIT_NAME_ROOM];
    size_t step = 0;
    printf("Nothing was reset. WolfScale's own way deletes the log under the running process, which goes on writing into the deleted file.\n"
           "By hand, on %s:\n\n", survey_name(visit->survey, 0, name, sizeof name));
    if (visit->survey->answers[0].is_leader) printf("%zu. %s\n", ++step, leader_step);
    for (size_t i = 0; i < sizeof reset_steps / sizeof *reset_steps; i++) printf("%zu. %s\n", ++step, reset_steps[i]);
    printf("%zu. %s\n", ++step, last);
}

/* Never says that it is done: a script that goes on after it must not believe so. */
int endpoint_reset(const struct call *call)
{
    struct visit visit;
    char last[400];
    int status = visit_begin(call, &visit);
    if (status) return status;
    const cJSON *node = visit_rows(&visit, 0);
    if (node) snprintf(last, sizeof last, "let our agent set its rows right: wolfctl nodes verify %.100s, then wolfctl nodes seed %.100s if they differ",
                       visit_text(node, "node"), visit_text(node, "node"));
    else snprintf(last, sizeof last, "compare its database with another node's: nothing in WolfScale does");
    if (call->json) reset_json(&visit, last);
    else reset_print(&visit, last);
    visit_end(&visit);
    return PROGRAM_UNMET;
}
