/*
 * setup.h: the parts of `wolfctl binlog-setup` that need no server: taking over an upstream file, and writing ours.
 */
#ifndef WOLFCDC_SETUP_H
#define WOLFCDC_SETUP_H
#include "settings.h"

/* What goes into the configuration. Borrowed. */
struct setup_plan {
    struct server_settings source, target; /* target.host NULL: none */
    const char *server_text, *version_text; /* for the heading */
    uint32_t server_id;
    const char *start_gtid, *start_file;    /* one of them; start_file with start_position */
    uint64_t start_position;
    const char *end_file;                   /* where start_gtid is, for people; "" unknown */
    uint64_t end_position;
    const char *wal_dir, *api_socket;       /* NULL: our own */
    unsigned segment_size_mb, flush_interval_ms, retention_hours; /* 0: not set */
    const char *compression;                /* NULL: not set */
    const char *include;                    /* a pattern for [filter], or NULL */
    bool hide_password;                     /* for a terminal: say where it belongs instead of what it is */
};
void setup_config(const struct setup_plan *plan, struct buf *out);

/* Takes over an upstream wolfscale.toml: [database], [wal], [binlog]. Only what the plan does not have yet. Texts live in the
   arena. ERR_CONFIG names file and line. */
MUST_CHECK bool setup_take_upstream(const char *path, struct setup_plan *plan, struct arena *arena, struct err *err);
/* The text of such a file. `path` for messages. */
MUST_CHECK bool setup_take_text(const char *path, struct slice text, struct setup_plan *plan, struct arena *arena, struct err *err);

#endif
