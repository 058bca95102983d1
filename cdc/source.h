/*
 * source.h: a source driver: one connection that becomes a binlog stream. The thread that captures knows only this table
 * of functions; each kind of server has its own (mariadb.c, mysql.c). Which one it is, is known when the server has greeted: source_open.
 *
 * open → (position) → dump → next, next, … → close. One thread, but `interrupt`.
 */
#ifndef WOLFCDC_SOURCE_H
#define WOLFCDC_SOURCE_H
#include "cdc.h"
#include "checks.h"
#include "semisync.h"

struct source;

struct source_info {
    char server[300];       /* host:port */
    struct db_version version;
    const char *driver;     /* the client library that speaks */
    bool tls, checksum;     /* checksum: of the events, until a FORMAT_DESCRIPTION says it */
    char identity[192];     /* which server this is, for people and for comparing: another one behind the same name has another */
    bool files_only;        /* it has no GTIDs (MySQL, gtid_mode not ON): transactions are known by file and offset, which mean nothing on any other server */
    unsigned folding;       /* lower_case_table_names: 0 names are as written; 1 kept in lower case; 2 compared so */
    bool unnamed;           /* its maps carry no column names (binlog_row_metadata is not FULL), or are not known to */
    bool explicit_timestamp; /* a MySQL before 8.0 with explicit_defaults_for_timestamp, which 5.6 does not write to its log */
    bool clustered;         /* a Galera node: it has to be asked whether it still serves */
    bool semi_sync;         /* events come with the semi-synchronous header; known from the first packet on */
    struct gtid_set end;    /* of its binary log when we connected: its GTIDs, or the place where it has none */
    struct gtid place;      /* MySQL: the place in the file, too; seq 0: our account may not see it */
    uint32_t server_id;
    int64_t clock_skew_us;  /* its clock less ours */
    int64_t retention_s;    /* how long it keeps its binary logs; 0: for ever or unknown */
};

/* A connection that has been made, before anything was said on it. */
struct source_link {
    struct db *db;
    const struct source_settings *settings;
    struct source_info info;      /* server, version, tls */
    size_t host_index;            /* of the settings' hosts */
    struct framing framing;       /* semi-synchronous */
    char name[320], host[256];    /* name: for messages */
};

/* What both drivers of a server have. */
struct source { struct source_link *link; };

struct source_driver {
    /* Learns what the stream needs to know of the server, and sets up the session of a replica: of source_open. Saved files have none. */
    bool (*begin)(struct source_link *link, struct err *err);
    const struct source_info *(*info)(const struct source *source);
    /* The configured start, or the source's end, as a position. Before dump. */
    bool (*position)(struct source *source, const struct source_settings *settings, struct source_pos *pos, struct err *err);
    bool (*check)(struct source *source, const struct check_facts *facts, finding_fn *fn, void *context, struct err *err);
    bool (*dump)(struct source *source, const struct source_pos *from, struct err *err);
    /* The next event, borrowed until the next call; *end: the server closed the stream in order. The server's refusals come
       as errors here, not in dump. */
    bool (*next)(struct source *source, struct slice *event, bool *end, struct err *err);
    bool (*ready)(struct source *source);   /* more can be had at once */
    void (*patience)(struct source *source, uint32_t ms); /* silence after which next gives up */
    void (*interrupt)(struct source *source); /* any thread: makes next return */
    void (*close)(struct source *source);   /* NULL accepted */
    /* The rest may be NULL. */
    /* Whether it applies another server's changes, so that what it lacks may still come. Before dump. */
    bool (*follows)(struct source *source);
    /* Every GTID that its binary log ends with, per domain and server: what it has of each writer. Before dump. */
    bool (*histories)(struct source *source, struct gtid *items, size_t room, size_t *count, struct err *err);
    /* A member of a cluster that has lost the majority sends heartbeats for ever. False: err says so. A connection of its own. */
    bool (*serves)(const struct source_settings *settings, size_t host, struct err *err);
    /* Semi-synchronous: whether the event lent last waits for our acknowledgement; and that. Not while an event is borrowed. */
    bool (*ack_asked)(const struct source *source);
    bool (*ack)(struct source *source, const char *file, uint64_t offset, struct err *err);
    /* Waits until something can be read, from the source or from fd, at most ms. */
    void (*wait)(struct source *source, int fd, uint32_t ms);
};

extern const struct source_driver source_mariadb, source_mysql;

/* Connects to one of the hosts, and opens it with the driver that is its kind of server's. */
MUST_CHECK bool source_open(const struct source_settings *settings, size_t host, const struct source_driver **driver,
                            struct source **source, struct err *err);
MUST_CHECK bool source_link_open(const struct source_settings *settings, size_t host, struct source_link **link, struct err *err);
void source_link_close(struct source_link *link); /* NULL accepted */
enum {
    DUMP_NON_BLOCK = 0x01,             /* a flag of both servers' dumps */
    SOURCE_WRITE_TIMEOUT_S = 600,      /* net_write_timeout: so long we may leave the stream unread, as when definitions are looked for */
    SOURCE_SEARCH_PATIENCE_MS = 120000 /* no heartbeats come while the server reads up to our position */
};
/* Of settings with server_id 0: no replica, but a reader, whose stream ends where the log ends, and which takes no other's place. */
static inline bool source_reads(const struct source_link *link) { return !link->settings->server_id; }
/* COM_REGISTER_SLAVE: so that SHOW REPLICA HOSTS shows us. */
MUST_CHECK bool source_register(struct source_link *link, struct err *err);
/* The next event of a dump: source_driver.next. */
bool source_ack_asked(const struct source *source);
MUST_CHECK bool source_ack(struct source *source, const char *file, uint64_t offset, struct err *err);
MUST_CHECK bool source_packet(struct source_link *link, struct slice *event, bool *end, struct err *err);

/* The calls that are alike for all servers. */
const struct source_info *source_info(const struct source *source);
bool source_check(struct source *source, const struct check_facts *facts, finding_fn *fn, void *context, struct err *err);
bool source_next(struct source *source, struct slice *event, bool *end, struct err *err);
bool source_ready(struct source *source);
void source_patience(struct source *source, uint32_t ms);
void source_interrupt(struct source *source);
void source_wait(struct source *source, int fd, uint32_t ms);
void source_close(struct source *source); /* NULL accepted */
#define SOURCE_SERVER_CALLS \
    .info = source_info, .check = source_check, .next = source_next, .ready = source_ready, .patience = source_patience, .interrupt = source_interrupt, \
    .wait = source_wait, .close = source_close, .ack_asked = source_ack_asked, .ack = source_ack

/* How many hosts the settings name; db_options for one of them. `name` is a buffer that outlives the connection. */
size_t source_hosts(const struct source_settings *settings);
MUST_CHECK bool source_server(const struct source_settings *settings, size_t host, struct db_options *options, char *name,
                              size_t name_room, char *host_name, size_t host_room, struct err *err);

/* What a server's refusal of the stream means, by number and text. NULL: none that is known, an error like any other. */
struct source_refusal {
    unsigned number;
    const char *text;      /* part of the message, "" = any */
    enum cdc_state state;
    const char *remedy;
};
const struct source_refusal *source_refusal(const struct err *err);
/* The stream ended at an event that a crash of the server cut short. */
bool source_torn_file(const struct err *err);

#endif
