/* hosts.c: see hosts.h. */
#include "hosts.h"

#include <stdio.h>
#include <string.h>

enum { GRAVEST_MOST = 720, OTHERS_MOST = 110 }; /* bytes of a reason */

/* What the operator must look at first. */
static const uint8_t gravity[CDC_STATES] = {[CDC_CONNECTING] = 1, [CDC_STALLED] = 2, [CDC_STOPPED] = 3, [CDC_PURGED] = 4, [CDC_DIVERGED] = 5};

void hosts_init(struct hosts *hosts, const struct strings *names)
{
    memset(hosts, 0, sizeof *hosts);
    hosts->names = names;
    hosts->count = names->count ? names->count : 1;
    hosts->wait_ms = UINT32_MAX;
}

static void new_round(struct hosts *hosts)
{
    memset(hosts->trials, 0, sizeof hosts->trials);
    hosts->wait_ms = UINT32_MAX;
}

void hosts_served(struct hosts *hosts) { new_round(hosts); }

const char *hosts_name(const struct hosts *hosts, size_t i) { return i < hosts->names->count ? hosts->names->items[i] : "the source"; }

static bool next_untried(struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++) {
        if (hosts->trials[i].tried) continue;
        hosts->at = i;
        return true;
    }
    return false;
}

void hosts_lost(struct hosts *hosts, bool fruitful)
{
    hosts->fruitless = fruitful ? 0 : hosts->fruitless + 1;
    if (hosts->fruitless < HOSTS_FRUITLESS_MAX || hosts->count == 1) return;
    hosts->fruitless = 0;
    hosts->at = (hosts->at + 1) % hosts->count;
}

/* "b:3306: it has diverged …": the gravest first, the others behind it. */
static void put_reason(const struct hosts *hosts, size_t i, size_t most, char *text, size_t room)
{
    size_t used = strlen(text);
    const char *name = hosts_name(hosts, i), *reason = hosts->trials[i].reason;
    bool named = hosts->count == 1 || strstr(reason, name) != NULL;
    snprintf(text + used, room - used, "%s%s%s%.*s", used ? " | " : "", named ? "" : name, named ? "" : ": ", (int)most, reason);
}

static void judge(const struct hosts *hosts, struct host_trial *verdict)
{
    size_t gravest = 0;
    for (size_t i = 1; i < hosts->count; i++)
        if (gravity[hosts->trials[i].state] > gravity[hosts->trials[gravest].state]) gravest = i;
    *verdict = hosts->trials[gravest];
    verdict->reason[0] = 0;
    put_reason(hosts, gravest, hosts->count == 1 ? sizeof verdict->reason : GRAVEST_MOST, verdict->reason, sizeof verdict->reason);
    for (size_t i = 0; i < hosts->count; i++)
        if (i != gravest) put_reason(hosts, i, OTHERS_MOST, verdict->reason, sizeof verdict->reason);
}

bool hosts_failed(struct hosts *hosts, enum cdc_state state, const char *reason, const char *remedy, uint32_t wait_ms,
                  struct host_trial *verdict, uint32_t *verdict_wait_ms)
{
    struct host_trial *trial = &hosts->trials[hosts->at];
    trial->tried = true;
    trial->state = state;
    snprintf(trial->reason, sizeof trial->reason, "%s", reason);
    snprintf(trial->remedy, sizeof trial->remedy, "%s", remedy);
    hosts->fruitless = 0;
    if (wait_ms < hosts->wait_ms) hosts->wait_ms = wait_ms;
    size_t failed = hosts->at;
    if (next_untried(hosts)) return true;
    judge(hosts, verdict);
    *verdict_wait_ms = hosts->wait_ms;
    hosts->at = hosts->count == 1 ? failed : 0;
    new_round(hosts);
    return false;
}
