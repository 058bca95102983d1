/*
 * target.h: the target's dictionary: what a table looks like there, its unique keys, foreign keys, engine. Read once per table and
 * kept until targets_forget: after every DDL, and after an error that a changed table would explain. One thread.
 */
#ifndef WOLFCDC_TARGET_H
#define WOLFCDC_TARGET_H
#include "arena.h"
#include "db.h"

struct target_column {
    struct slice name;
    bool generated, nullable, is_unsigned;
    bool text;      /* has a collation */
    bool bytewise;  /* its collation is binary or …_bin: equal means equal bytes, but for trailing spaces */
    bool geometry;
    bool no_default; /* NOT NULL, and an INSERT must name it, but in a session that is not strict */
    bool null_default; /* takes NULL where an INSERT names it not: by its default, or for want of one (ALTER … DROP DEFAULT), which a strict session refuses */
    bool counts;    /* AUTO_INCREMENT */
    bool json;      /* a type of its own (MySQL), which takes no binary string */
    bool real;      /* FLOAT, DOUBLE */
};

struct target_key { /* unique only; without prefix parts */
    bool primary;
    bool not_null;  /* can address a row */
    uint16_t count;
    uint16_t *columns;
};

struct target_table { /* owned by its targets; immutable */
    struct slice database, name;
    bool mysql;          /* of a MySQL server: rows go as plan.h says there */
    bool exists, transactional, view, versioned, sequence;
    bool by_transaction; /* versioned, and its period is of transaction ids */
    int period[2];       /* of a versioned one: the columns ROW START and ROW END, at the end of `columns` when they are hidden */
    bool foreign;        /* child or parent of a foreign key */
    bool cascading;      /* parent of one whose rule changes or deletes the children's rows */
    bool cascaded;       /* child of such a parent */
    bool related;        /* what such a rule does may concern its rows, or is held up by them */
    bool triggers;       /* would fire for our changes too */
    bool other_unique;   /* unique keys that `keys` does not show: prefixes, functional, long unique */
    bool computes;       /* a generated column, hidden ones (functional indexes, periods) included */
    uint64_t rows;       /* the server's estimate */
    char engine[64];
    uint32_t column_count;
    struct target_column *columns;
    uint32_t key_count;
    struct target_key *keys; /* primary first */
    struct arena arena;
    struct target_table *next;
};

struct targets;
struct targets *targets_new(void);
void targets_free(struct targets *targets);
void targets_forget(struct targets *targets);
/* *table lives until targets_forget; ->exists false when there is none. */
MUST_CHECK bool targets_get(struct targets *targets, struct db *db, struct slice database, struct slice name,
                            const struct target_table **table, struct err *err);
int target_column(const struct target_table *table, struct slice name); /* index or -1 */

#endif
