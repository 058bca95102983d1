/*
 * setup.h: the parts of `wolfctl binlog-setup`: taking over an upstream file and writing ours (neither needs a server), and the look at a
 * WolfScale cluster.
 */
#ifndef WOLFCDC_SETUP_H
#define WOLFCDC_SETUP_H
#include "checks.h"
#include "settings.h"
#include "survey.h"

/* What goes into the configuration. Borrowed. */
struct setup_plan {
    struct server_settings source, target; /* target.host NULL: none */
    struct server_settings account;         /* of the cluster's nodes; no host */
    const struct node_address *nodes;       /* of a WolfScale cluster that is to get the changes */
    size_t node_count;                      /* 0: none */
    bool through_leader;                    /* delivery = "leader" */
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

/* `--cluster`, in setup_cluster.c: asks the nodes in `survey` and those that they name, and looks at the MariaDB of each with the account.
   `source`: what setup_identity gave for the source, "" when nothing is known. proxies: a login at each node's proxy, too, as every follower may lead
   one day. Findings go to fn, each with the node it is about. */
typedef void setup_finding_fn(void *context, const char *side, const struct finding *finding);
void setup_cluster_look(struct survey *survey, const struct server_settings *account, const char *source, bool proxies, setup_finding_fn *fn,
                        void *context);
/* "host:8080,host:…" into the survey. ERR_CONFIG names what is none. */
MUST_CHECK bool setup_cluster_take(const char *text, const struct node_address *ports, struct survey *survey, struct err *err);
/* Tells one server from another, whatever name it was reached by. "" when it cannot be read. */
enum { SETUP_IDENTITY_MAX = 600 };
void setup_identity(struct db *db, char identity[SETUP_IDENTITY_MAX]);

#endif
