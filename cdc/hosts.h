/*
 * hosts.h: which of several servers is tried next, and what is said when none of them will do. Pure.
 *
 * A round tries each server once: first the one that served last, then the others in the order of the configuration. The first that
 * proves to have our history serves, for as long as it does: nothing moves back and forth by itself. When a round has found none, its
 * gravest finding is the state, with what each of them said, and the next round begins after the shortest wait that one of them asked for.
 */
#ifndef WOLFCDC_HOSTS_H
#define WOLFCDC_HOSTS_H
#include "cdc.h"

struct host_trial {
    bool tried;
    enum cdc_state state;
    char reason[1024], remedy[512];
};

struct hosts {
    const struct strings *names; /* borrowed; count 0: the one server of the settings */
    size_t count, at;            /* at: the one to connect to */
    uint32_t wait_ms;            /* before the next round */
    unsigned fruitless;          /* sessions of `at` in a row that brought no transaction */
    struct host_trial trials[HOSTS_MAX];
};

enum { HOSTS_FRUITLESS_MAX = 3 };

void hosts_init(struct hosts *hosts, const struct strings *names);
/* The present one serves: what was found before is forgotten. */
void hosts_served(struct hosts *hosts);
/* A session of the present one is over, in the midst of its service: it is tried first in the next round, unless it was fruitless too often. */
void hosts_lost(struct hosts *hosts, bool fruitful);
/* The present one will not do. True: `at` is now the next to try at once. False: the round is over, the verdict can be asked for, and a new
   round has begun. */
bool hosts_failed(struct hosts *hosts, enum cdc_state state, const char *reason, const char *remedy, uint32_t wait_ms,
                  struct host_trial *verdict, uint32_t *verdict_wait_ms);
/* Its name in the settings; "the source" where there is but one. */
const char *hosts_name(const struct hosts *hosts, size_t i);

#endif
