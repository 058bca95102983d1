/*
 * agent.h: the running agent: owns the log, capture, the sinks and the control API, and the order in which they begin and end.
 *
 *   start: settings → log (repaired, locked) → sinks → capture → control → threads     stop: the reverse,
 *   but capture and the sinks end side by side, so that both together stay below 5 s under load.
 */
#ifndef WOLFCDC_AGENT_H
#define WOLFCDC_AGENT_H
#include <stdatomic.h>

#include "cdc.h"
#include "settings.h"
#include "sink.h"
#include "wal.h"

struct control;

struct agent {
    struct settings *settings;
    struct wal *wal;
    struct sinks *sinks;
    struct cdc *cdc;
    struct control *control;
    uint64_t started_us; /* wall clock */
    atomic_bool stopping;
    bool threads; /* owned by thread main: agent_start was called */
};

/* Owned; takes the settings over, also when it fails. Nothing is connected, no thread but the control API's runs. */
MUST_CHECK bool agent_new(struct settings *settings, struct agent **agent, struct err *err);
void agent_start(struct agent *agent);
void agent_stop(struct agent *agent); /* idempotent */
void agent_free(struct agent *agent); /* stops first; NULL accepted */
/* SIGHUP: reads the file again, takes over what can be (the log level) and says which changed keys need a restart. */
void agent_reload(struct agent *agent);
/* A hold of the log that says: its start was adopted from a target, and the configured one does not count. Not a name that a sink
   can have. Written by wolfctl sink adopt, gone after the first transaction. */
#define AGENT_ADOPTED ".adopted"
/* Options of the log as the settings say. */
void agent_wal_options(const struct wal_settings *settings, struct wal_options *options);

#endif
