/*
 * wait.h: when does a sink have everything that the source had? First capture must have taken that GTID set; its last
 * commit's LSN then is what every sink in question has to confirm. Pure decisions; verb_wait in wait.c lives on them.
 */
#ifndef WOLFCDC_WAIT_H
#define WOLFCDC_WAIT_H
#include "cdc.h"
#include "sink.h"

enum { WAIT_SECONDS_MAX = 86400, WAIT_STUCK_SECONDS = 3 };

/* --timeout: NULL is WAIT_SECONDS_MAX. ERR_CONFIG. The agent and wolfctl, which looks before it calls. */
MUST_CHECK bool wait_seconds(const char *text, double *seconds, struct err *err);

enum wait_step { WAIT_CAPTURE, WAIT_DELIVERY, WAIT_DONE };
struct wait_goal {
    struct gtid_set gtids;
    bool captured;  /* lsn is known */
    uint64_t lsn;
};
/* Looks once. Fixes goal->lsn at the moment capture has the set. */
enum wait_step wait_look(struct wait_goal *goal, const struct cdc_status *source, const struct sink_status *sinks,
                         size_t sink_count);
/* Whether what the source has now is less than what was captured of it before: its binary log was reset, or it lost its tail. Then "everything
   that it has" says nothing about what was delivered. Only the same server's sequence can tell. */
bool wait_went_back(const struct gtid_set *captured, const struct gtid_set *now);
/* Who cannot go on without the operator for WAIT_STUCK_SECONDS, as text; false: nobody that this step waits for. */
bool wait_stuck(enum wait_step step, const struct cdc_status *source, const struct sink_status *sinks, size_t sink_count,
                uint64_t begun_us, uint64_t now_us, char *text, size_t room);

#endif
