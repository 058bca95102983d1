/*
 * seed_parts.h: private to the seed.
 *
 *   seed.c          the order of it, snapshot, position     seed_objects.c   what there is; databases, routines, views
 *   seed_rows.c     one table's rows                        seed_empty.c     a node that is to begin the log anew
 */
#ifndef WOLFCDC_SEED_PARTS_H
#define WOLFCDC_SEED_PARTS_H
#include "filter.h"
#include "prover.h"
#include "seed.h"

enum {
    SEED_READ_MS = 600000,
    SEED_BATCH = 1 << 20,       /* bytes of one INSERT, or less: half of what the node takes */
    SEED_ROW_MAX = 1 << 30,
    SEED_COMMIT = 64 << 20,     /* bytes of one transaction */
    SEED_SAY_US = 500000
};

enum seed_kind { SEED_TABLE, SEED_SEQUENCE, SEED_VIEW, SEED_PROCEDURE, SEED_FUNCTION, SEED_KINDS };
struct seed_object {
    enum seed_kind kind;
    char *database, *name, *text;  /* text: SHOW CREATE */
    char *sql_mode, *client, *connection; /* views and routines: the session that made them; NULL */
    uint64_t hash;                 /* tables: see intent_hash_table */
    bool unheld;                   /* tables: their engine knows no transactions, so that no snapshot holds their rows */
};
struct seed_objects { size_t count, room; struct seed_object *items; };

struct seed {
    const struct seed_options *options;
    struct db *donor, *node;
    struct filter *filter, *sink_filter;
    struct seed_objects objects;
    uint64_t packet;            /* largest statement that the node takes */
    uint64_t began_us, said_us;
    size_t tables, table;       /* there are, done */
    uint64_t rows, bytes;
    char held_back[400];        /* what was not copied */
};

/* seed.c */
MUST_CHECK bool seed_open_node(struct seed *s, struct err *err);
/* Whoever delivered to the node before, as this sink, is gone. */
MUST_CHECK bool seed_lock_node(struct seed *s, struct err *err);
MUST_CHECK bool seed_forget_position(struct seed *s, struct err *err);

/* seed_objects.c */
void seed_init(struct seed *s);
void seed_fini(struct seed *s); /* not the connections */
void seed_objects_free(struct seed_objects *objects);
MUST_CHECK bool seed_objects_read(struct seed *s, struct err *err); /* the donor's, sorted, into s->objects */
MUST_CHECK bool seed_names_read(struct seed *s, struct err *err); /* likewise without their definitions; of databases too, each as if it had a table `any` */
MUST_CHECK bool seed_object_read(struct seed *s, const char *database, const char *name, struct err *err); /* that table of the donor's, into s->objects */
MUST_CHECK bool seed_packet(struct seed *s, struct err *err);
MUST_CHECK bool seed_databases(struct seed *s, struct err *err);
MUST_CHECK bool seed_drop(struct seed *s, struct err *err);
MUST_CHECK bool seed_rest(struct seed *s, bool sequences, struct err *err); /* sequences; or routines and views */
/* "before `db`.`name` after"; a result set is read away. */
MUST_CHECK bool seed_exec(struct db *db, struct err *err, const char *before, const struct seed_object *object, const char *after);
void seed_say(struct seed *s, const char *database, const char *name, bool force);

/* seed_rows.c */
MUST_CHECK bool seed_table(struct seed *s, const struct seed_object *object, struct err *err);

#endif
