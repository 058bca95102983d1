/*
 * cdc.h: capture. One thread (`capture`) reads the source's binary log as a replica, decodes it and appends it to the log.
 */
#ifndef WOLFCDC_CDC_H
#define WOLFCDC_CDC_H
#include "settings.h"
#include "wal.h"

struct cdc;
struct history;

enum cdc_state { /* numbers are the metric wolfcdc_source_state */
    CDC_CONNECTING, CDC_STREAMING, CDC_IDLE, CDC_STALLED, CDC_THROTTLED, CDC_PAUSED, CDC_UNPROVEN, CDC_DIVERGED,
    CDC_PURGED, CDC_STOPPED, CDC_STATES
};

enum cdc_semi_sync { /* numbers are the metric wolfcdc_source_semi_sync */
    SEMI_SYNC_OFF,      /* not asked for, or not connected */
    SEMI_SYNC_REFUSED,  /* the source cannot */
    SEMI_SYNC_AGREED,   /* it can, but does not wait for us: switched off there, or its timeout has struck */
    SEMI_SYNC_ACTIVE,   /* the last transaction waited for our acknowledgement */
    SEMI_SYNC_STATES
};

struct cdc_status {
    enum cdc_state state;
    uint64_t since_us;               /* wall clock */
    char reason[1024], remedy[512];  /* "" when all is well */
    struct source_pos pos;           /* after the last transaction taken */
    struct gtid gtid;                /* of it */
    uint64_t lsn;                    /* of its commit in the log; 0 while the log is empty */
    uint32_t timestamp;              /* its source time */
    uint64_t last_event_us;          /* wall clock of the last packet, heartbeats included */
    char server[300], version[96];   /* host:port connected to, "" when not */
    bool tls, unproven;              /* unproven: the last reconnect could not be proven; see reason */
    uint64_t connects, transactions, rows, events, bytes, aborted;
    enum cdc_semi_sync semi_sync;
    uint64_t acks;                   /* acknowledgements sent */
    int64_t purge_seconds;           /* until the source purges what we still need; -1 unknown or not behind */
};

/* Owned. Nothing is connected yet. settings and wal outlive it. */
MUST_CHECK bool cdc_new(const struct settings *settings, struct wal *wal, const struct wal_resume *resume,
                        struct cdc **cdc, struct err *err);
void cdc_start(struct cdc *cdc);
void cdc_stop(struct cdc *cdc);  /* returns within 3 s */
void cdc_free(struct cdc *cdc);
void cdc_status(struct cdc *cdc, struct cdc_status *status); /* any thread */
void cdc_pause(struct cdc *cdc);
/* The definitions of tables whose maps carry no names; any thread; see history.h. */
struct history *cdc_history(struct cdc *cdc);
void cdc_resume(struct cdc *cdc); /* also: try again from stopped, purged, diverged */
const char *cdc_state_name(enum cdc_state state);
const char *cdc_semi_sync_name(enum cdc_semi_sync state);
const char *cdc_state_help(enum cdc_state state); /* what it means and what to do, for man page and status */

#endif
