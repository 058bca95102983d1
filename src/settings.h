/*
 * settings.h: the configuration file as structs. config.def is the one table that makes parser, limits, defaults,
 * `wolfcdc --help`, and man 5 wolfcdc.toml; this header must name the same keys (config.c checks the offsets at
 * compile time through the table's macros).
 */
#ifndef WOLFCDC_SETTINGS_H
#define WOLFCDC_SETTINGS_H
#include "arena.h"
#include "db.h"
#include "log.h"

enum { SINKS_MAX = 32, HOSTS_MAX = 16, FILES_LISTED_MAX = 64, PATTERNS_MAX = 256, NODES_LISTED_MAX = 16, SINK_NAME_MAX = 120 /* with its node */ };

struct host { const char *name; unsigned port; };
struct strings { size_t count; const char **items; };
struct node_settings { const char *host; unsigned port, api_port, proxy_port; };
struct nodes { size_t count; struct node_settings *items; };

/* Keys that [source] and every [[sink]] with a server share. */
struct server_settings {
    const char *host, *socket, *user, *password, *password_file, *defaults_file;
    unsigned port;
    const char *ssl_ca, *ssl_cert, *ssl_key;
    bool ssl, ssl_verify_server_cert;
    unsigned connect_timeout_ms;
    enum db_driver driver;         /* [source] alone has a choice */
};

struct source_settings {
    struct server_settings server;
    struct strings hosts;          /* or hosts = [...]; never both */
    struct strings files;          /* saved binlogs, read before the server, or instead of one */
    uint32_t server_id;
    const char *start_gtid;        /* NULL: not set; "" is legal: from the oldest file */
    const char *start_file;
    uint64_t start_position;
    unsigned heartbeat_ms;         /* 1000 */
    bool semi_sync;                /* acknowledge what is durable in the log */
    unsigned catch_up_ms;          /* how long a server that lacks what we have is waited for while it still applies: 60000 */
    unsigned return_ms;            /* after which the first of hosts is looked for again; 0: never */
    bool capture_accounts;         /* false: account statements never enter the log */
    const char *statements;        /* "capture" | "refuse": DML that arrives as text */
    const char *unknown_xa;        /* "stop" | "skip": XA COMMIT of what was prepared before the log began */
};

struct wal_settings {
    const char *dir;
    unsigned segment_size_mb;      /* 64 */
    const char *compression;       /* "lz4" | "none" */
    bool fsync;                    /* true */
    unsigned flush_interval_ms;    /* 0 = at once when idle */
    unsigned retention_hours;      /* 24 */
    uint64_t size_max_mb;          /* 0 = no limit of its own */
    uint64_t free_min_mb;          /* 0 = the larger of 5 % and 2 GiB */
    uint64_t retention_hard_mb;    /* 0 = never delete what someone needs */
    unsigned rewind_hours;         /* 24 */
};

struct sink_settings {
    const char *name, *type;       /* type: "mysql" | "wolfscale" | "http" | "jsonl" */
    struct server_settings server;
    const char *path;              /* jsonl: file, or "-" for stdout */
    struct strings url;            /* http: base addresses of the API */
    const char *token_file;        /* http: NULL: no token is sent */
    const char *start;             /* "oldest" | "now" | LSN as text; NULL: not set */
    const char *large_transactions;/* "stop" | "split" */
    bool check_before_image;
    const char *on_conflict;       /* "stop" | "overwrite" | "skip" */
    bool apply_ddl;                /* true */
    const char *foreign_ddl;       /* "stop" | "skip" | "map" */
    struct strings ddl_map;        /* "word=word" */
    unsigned connections;          /* accepted, as configurations have it; one is used */
    unsigned group_rows;           /* rows per target transaction, upper limit: 10000 */
    unsigned group_bytes_kb;       /* 4096 */
    uint64_t keyless_rows_max;     /* a table without a key above this many rows is refused; 100000 */
    bool non_transactional;        /* accept non-transactional target tables */
    struct strings include, exclude;
    struct nodes nodes;            /* wolfscale */
    const char *delivery;          /* wolfscale: "nodes" | "leader" */
    unsigned lock_ms;              /* wolfscale: how long row locks are held, about; 50 */
    uint64_t node_hold_mb;         /* wolfscale: log that one node may hold back; 0 = no limit */
    bool discovery;                /* wolfscale: hear the nodes' announcements (UDP 7654) */
    const char *cluster_name;      /* wolfscale: of the nodes that are heard; "": any */
    bool proof;                    /* wolfscale: compare rows all the time */
    unsigned proof_rows_per_second;
    /* Not keys: what clusters_expand makes of them. */
    const char *position_name;     /* what wolfcdc.position on the target calls this sink */
    const char *cluster;           /* the [[sink]] of type wolfscale that this is a part of; NULL: none */
    int node;                      /* index of its node; -1: the part that delivers through the leader */
};

struct api_settings { const char *socket, *listen, *token_file; };
struct filter_settings {
    struct strings include, exclude;
    struct strings mask_hash, mask_fixed, mask_null, exclude_columns; /* "database.table.column", mask_fixed with "=value": see cdc/mask.h */
    const char *mask_key_file;     /* NULL: none */
};
struct logging_settings { enum log_level level; enum log_format format; };

struct settings {
    struct arena arena;
    const char *file;
    struct source_settings source;
    struct wal_settings wal;
    size_t sink_count;
    struct sink_settings sinks[SINKS_MAX];
    struct api_settings api;
    struct filter_settings filter;
    struct logging_settings logging;
};

/* Reads and checks the file. Errors name file:line, key, value and what is allowed; all of them are collected
   (up to ERR_TEXT_MAX). Secret files are read here, into password. Owned by the caller. */
MUST_CHECK bool settings_read(const char *path, struct settings **settings, struct err *err);
/* The same from text, without reading any secret: for tests and tools. `path` stands in the messages, and relative paths
   are relative to its directory. */
MUST_CHECK bool settings_parse(const char *path, struct slice text, struct settings **settings, struct err *err);
void settings_free(struct settings *settings);
/* The file without its secrets, for programs that only want to find the agent: does not need to read them. */
MUST_CHECK bool settings_peek(const char *path, struct settings **settings, struct err *err);
/* "host", "host:port", "[v6]:port" taken apart. False when it is none of these. */
MUST_CHECK bool settings_host(const char *text, unsigned default_port, char *name, size_t room, unsigned *port);
/* A [[sink]] of type wolfscale becomes one sink for each of its nodes, named SINK@HOST (with :PORT where that is not 3306), behind them
   with delivery = "leader" one more by the [[sink]]'s own name. Done by settings_read, settings_peek and settings_parse. */
void clusters_expand(struct settings *settings);
/* The name of one of them; its length, as snprintf. */
size_t cluster_part_name(const char *sink, const struct node_settings *node, char *name, size_t room);
/* Whether `name` means this sink: its own name, or that of the [[sink]] it is a part of. */
bool sink_is_meant(const struct sink_settings *sink, const char *name);
/* Fills db_options from a server's keys; strings stay the settings'. `name` is kept, not copied. */
void settings_server(const struct server_settings *server, const char *name, struct db_options *options);

#endif
