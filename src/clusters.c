/* clusters.c: a [[sink]] of type wolfscale as the sinks that it is made of. See settings.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "settings.h"

size_t cluster_part_name(const char *sink, const struct node_settings *node, char *name, size_t room)
{
    bool usual = node->port == 3306;
    return (size_t)snprintf(name, room, usual ? "%s@%s" : "%s@%s:%u", sink, node->host, node->port);
}

static void expand_one(struct settings *settings, const struct sink_settings *whole, struct sink_settings *out, size_t *count)
{
    bool leader = !strcmp(whole->delivery, "leader");
    assert(*count + whole->nodes.count + leader <= SINKS_MAX); /* rules.c has counted them */
    for (size_t i = 0; i < whole->nodes.count; i++) {
        const struct node_settings *node = &whole->nodes.items[i];
        struct sink_settings *part = &out[(*count)++];
        char name[SINK_NAME_MAX] = "";
        *part = *whole;
        cluster_part_name(whole->name, node, name, sizeof name);
        part->name = arena_text(&settings->arena, slice_text(name));
        part->cluster = whole->name;
        part->node = (int)i;
        part->server.host = node->host;
        part->server.port = node->port;
    }
    if (!leader) return;
    struct sink_settings *part = &out[(*count)++];
    *part = *whole;
    part->cluster = whole->name;
    part->node = -1;
}

void clusters_expand(struct settings *settings)
{
    struct sink_settings out[SINKS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < settings->sink_count; i++) {
        struct sink_settings *sink = &settings->sinks[i];
        sink->position_name = sink->name;
        if (strcmp(sink->type, "wolfscale")) out[count++] = *sink;
        else expand_one(settings, sink, out, &count);
    }
    for (size_t i = 0; i < count; i++) settings->sinks[i] = out[i];
    settings->sink_count = count;
}

bool sink_is_meant(const struct sink_settings *sink, const char *name)
{
    return !strcmp(sink->name, name) || (sink->cluster && !strcmp(sink->cluster, name));
}
