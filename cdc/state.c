/* state.c: the states of capture, in words. The manual and `wolfctl status` are made from this table. */
#include "cdc.h"

static const struct {
    const char *name, *help;
} states[CDC_STATES] = {
    [CDC_CONNECTING] = {"connecting", "Connecting to the source, or proving that it is the one in the log; tries again by itself. "
                                      "If it lasts: the reason says what fails."},
    [CDC_STREAMING] = {"streaming", "Changes arrive and are written to the log."},
    [CDC_IDLE] = {"idle", "Connected, and everything that the source has is in the log: only heartbeats arrive."},
    [CDC_STALLED] = {"stalled", "Nothing has come for three heartbeats. The connection is made anew by itself; if it lasts, look at the "
                                "network and at the source's load."},
    [CDC_THROTTLED] = {"throttled", "The log takes changes more slowly than the source sends them: its disk is the limit."},
    [CDC_PAUSED] = {"paused", "Held by the operator (wolfctl resume) or for want of disk space (free some, or change free_min_mb or "
                              "size_max_mb). The source keeps its binary logs meanwhile: mind their retention."},
    [CDC_UNPROVEN] = {"unproven", "Going on by GTID alone: the transaction before ours has been purged from the source, so that its contents "
                                  "could not be compared with the log. Verify the target's data if in doubt."},
    [CDC_DIVERGED] = {"diverged", "The source's history is not the one in the log. Nothing is captured. Point [source] at the right server, "
                                  "or start over with an empty log and a fresh copy of the data."},
    [CDC_PURGED] = {"purged", "The source has deleted binary logs that were still needed. Start over with an empty log and a fresh copy of "
                              "the data, or add a server to hosts that still has them."},
    [CDC_STOPPED] = {"stopped", "Capture cannot go on without the operator: the reason says why and the remedy what to do. "
                                "wolfctl resume tries again."},
};

const char *cdc_state_name(enum cdc_state state) { return (unsigned)state < CDC_STATES ? states[state].name : "unknown"; }
const char *cdc_state_help(enum cdc_state state) { return (unsigned)state < CDC_STATES ? states[state].help : ""; }

const char *cdc_semi_sync_name(enum cdc_semi_sync state)
{
    static const char *const names[SEMI_SYNC_STATES] = {"off", "refused", "agreed", "active"};
    return (unsigned)state < SEMI_SYNC_STATES ? names[state] : "unknown";
}
