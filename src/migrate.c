/*
 * migrate.c: `wolfctl migrate --endpoint URL --from NODE`: nodes seed, with the words of WolfScale's own tool. That one copies by /dump, whose
 * position is printed and not kept, so that the node replays everything from LSN 1; /dump is never called here.
 */
#include <stdio.h>
#include <string.h>

#include "visit.h"
#include "program.h"

static int not_ours(const struct agent_view *view, const char *what, const char *name)
{
    if (!view->all) fprintf(stderr, "wolfctl: the rows are copied by our agent: %s\n", view->problem);
    else fprintf(stderr, "wolfctl: our agent does not deliver to %s (%s): add it to nodes in its [[sink]]; wolfctl nodes lists those it knows\n", name, what);
    return view->all ? PROGRAM_USAGE : PROGRAM_UNREACHABLE;
}

/* The agent's name of the node at an endpoint, or of the id given instead; NULL: it has none. */
static const char *agent_name(const struct agent_view *view, const char *given)
{
    char host[NODE_HOST_MAX];
    unsigned port;
    const cJSON *node = visit_agent_node(view, "", given);
    if (!node && node_endpoint(given, host, sizeof host, &port, NULL)) node = visit_agent_node(view, host, host);
    return node ? visit_text(node, "node") : NULL;
}

/* The node itself may be unreachable (WolfScale need not run on it): what counts is that the agent reaches its MariaDB. */
int endpoint_migrate(const struct call *call)
{
    struct agent_view view;
    int status;
    if (!call->endpoint || !call->from) {
        fputs("Usage: wolfctl migrate --endpoint URL --from NODE; the endpoint is the node that gets the rows\n", stderr);
        return PROGRAM_USAGE;
    }
    visit_agent(call, &view);
    const char *to = agent_name(&view, call->endpoint), *from = agent_name(&view, call->from);
    if (!to) status = not_ours(&view, "--endpoint", call->endpoint);
    else if (!from) status = not_ours(&view, "--from", call->from);
    else if (!strcmp(to, from)) {
        fprintf(stderr, "wolfctl: %s and %s are one node\n", call->endpoint, call->from);
        status = PROGRAM_USAGE;
    } else {
        char *args[] = {(char *)to};
        struct call seed = *call;
        seed.from = from;
        seed.count = 1;
        seed.args = args;
        status = nodes_seed(&seed);
    }
    cJSON_Delete(view.all);
    return status;
}
