/* agent.c: see agent.h. */
#include "agent.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "control.h"
#include "metrics.h"
#include "thread.h"

enum { MIB = 1024 * 1024 };

void agent_wal_options(const struct wal_settings *settings, struct wal_options *options)
{
    *options = (struct wal_options){
        .dir = settings->dir,
        .segment_bytes = (uint64_t)settings->segment_size_mb * MIB,
        .compress = !strcmp(settings->compression, "lz4"),
        .fsync = settings->fsync,
        .flush_interval_ms = settings->flush_interval_ms,
        .size_max = settings->size_max_mb * MIB,
        .free_min = settings->free_min_mb * MIB,
        .retention_hard = settings->retention_hard_mb * MIB,
        .retention_hours = settings->retention_hours,
        .rewind_hours = settings->rewind_hours,
    };
}

/* An adopted start is where the target is: a configured one, however right it was for the first log, would deliver again. */
static bool adopted_start(struct agent *agent, const struct wal_resume *resume, struct err *err)
{
    struct source_settings *source = &agent->settings->source;
    uint64_t lsn;
    if (!wal_held(agent->wal, AGENT_ADOPTED, &lsn)) return true;
    if (!resume->empty) return wal_release(agent->wal, AGENT_ADOPTED, err);
    if (source->start_gtid || source->start_file)
        log_info("wal.adopted", "text=\"the log begins where the target is: start_gtid and start_file are not used\"");
    source->start_gtid = source->start_file = NULL;
    return true;
}

static bool parts_new(struct agent *agent, struct err *err)
{
    static const struct source_pos nowhere; /* capture learns the start from the source: wal_set_start */
    struct wal_options options;
    struct wal_resume resume;
    uint64_t begun = clock_us();
    agent_wal_options(&agent->settings->wal, &options);
    if (!wal_open(&options, &nowhere, &agent->wal, &resume, err)) return err_context(err, "log %s", options.dir);
    log_info("wal.opened", "dir=%s uuid=%s empty=%s last_lsn=%llu ms=%llu", options.dir, wal_uuid(agent->wal),
             resume.empty ? "yes" : "no", (unsigned long long)resume.last_lsn,
             (unsigned long long)(clock_us() - begun) / 1000);
    if (!options.fsync) log_warning("wal.fsync", "text=\"fsync = false: a power cut can damage the log\"");
    for (size_t i = 0; i < agent->settings->sink_count; i++) metrics_name_sink((unsigned)i, agent->settings->sinks[i].name);
    if (!adopted_start(agent, &resume, err)) return false;
    if (!sinks_new(agent->settings, agent->wal, &agent->sinks, err)) return false;
    if (!cdc_new(agent->settings, agent->wal, &resume, &agent->cdc, err)) return false;
    return control_new(agent, &agent->control, err);
}

bool agent_new(struct settings *settings, struct agent **out, struct err *err)
{
    struct agent *agent = calloc(1, sizeof *agent);
    if (!agent) abort();
    agent->settings = settings;
    agent->started_us = clock_wall_us();
    db_library_init();
    if (!parts_new(agent, err)) {
        agent_free(agent);
        return false;
    }
    *out = agent;
    return true;
}

void agent_start(struct agent *agent)
{
    assert(!agent->threads);
    agent->threads = true;
    wal_start(agent->wal);
    sinks_start(agent->sinks);
    cdc_start(agent->cdc);
    control_start(agent->control);
}

static void *capture_stop(void *arg)
{
    struct agent *agent = arg;
    cdc_stop(agent->cdc);
    return NULL;
}

void agent_stop(struct agent *agent)
{
    pthread_t capture;
    if (!agent->threads) return;
    agent->threads = false;
    agent->stopping = true;
    thread_start(&capture, "capture-stop", capture_stop, agent);
    sinks_stop(agent->sinks);
    pthread_join(capture, NULL);
    wal_stop(agent->wal);
    control_stop(agent->control); /* last: until here it can be asked how far the stop is */
}

void agent_free(struct agent *agent)
{
    if (!agent) return;
    agent_stop(agent);
    control_free(agent->control);
    cdc_free(agent->cdc);
    sinks_free(agent->sinks);
    wal_close(agent->wal);
    settings_free(agent->settings);
    free(agent);
    db_library_end();
}

/* ---- reload ---- */

static bool strings_equal(const struct strings *a, const struct strings *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i])) return false;
    return true;
}

static bool nodes_equal(const struct nodes *a, const struct nodes *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct node_settings *x = &a->items[i], *y = &b->items[i];
        if (strcmp(x->host, y->host) || x->port != y->port || x->api_port != y->api_port || x->proxy_port != y->proxy_port) return false;
    }
    return true;
}

static bool field_equal(const struct config_key *key, const char *a, const char *b)
{
    const char *x, *y;
    if (key->type == CONFIG_LIST) return strings_equal((const struct strings *)a, (const struct strings *)b);
    if (key->type == CONFIG_NODES) return nodes_equal((const struct nodes *)a, (const struct nodes *)b);
    if (key->type == CONFIG_NUMBER || key->type == CONFIG_BOOL || key->type == CONFIG_CHOICE) return !memcmp(a, b, key->size);
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x == y || (x && y && !strcmp(x, y));
}

/* Says which keys of one section's instance changed and wait for a restart. */
static void say_changed(const struct config_section *section, const char *now, const char *next)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (strcmp(key->section, section->name) || (!strcmp(section->name, "logging") && !strcmp(key->name, "level"))) continue;
        if (!field_equal(key, now + key->offset, next + key->offset))
            log_warning("config.reload", "section=%s key=%s text=\"changed, and takes effect after a restart\"", section->name,
                        key->name);
    }
}

static void say_all_changed(const struct settings *now, const struct settings *next)
{
    for (size_t i = 0; i < config_section_count; i++) {
        const struct config_section *section = &config_sections[i];
        bool is_sink = !strcmp(section->name, "sink");
        size_t count = is_sink ? now->sink_count : 1;
        if (is_sink && next->sink_count != now->sink_count) {
            log_warning("config.reload", "text=\"the number of sinks changed, and takes effect after a restart\"");
            continue;
        }
        for (size_t n = 0; n < count; n++)
            say_changed(section, (const char *)now + section->offset + n * section->size,
                        (const char *)next + section->offset + n * section->size);
    }
}

void agent_reload(struct agent *agent)
{
    struct settings *next;
    struct err err = {0};
    if (!settings_read(agent->settings->file, &next, &err)) {
        log_error("config.reload", "text=\"refused, nothing changed\" error=\"%s\"", err.text);
        return;
    }
    agent->settings->logging.level = next->logging.level;
    log_set_level(next->logging.level);
    log_info("config.reload", "file=%s log_level=%d", agent->settings->file, (int)next->logging.level);
    say_all_changed(agent->settings, next);
    settings_free(next);
}
