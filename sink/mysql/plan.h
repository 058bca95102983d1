/*
 * plan.h: how the changes of one source table are said to the target: which columns, by which key, in which statement. A shape is one
 * statement text with its parameters; rows of one shape travel together as an array (COM_STMT_BULK_EXECUTE), or as execute.h
 * says to a server that has none: MySQL. There, what an array says by an indicator (DEFAULT) the statement says by naming fewer columns.
 * Pure but for the statement ids, which the session fills in.
 */
#ifndef WOLFCDC_PLAN_H
#define WOLFCDC_PLAN_H
#include "bind.h"
#include "change.h"
#include "target.h"

/* What to do with a row that is there already (insert) or missing (update): conflict.c's ways, and the ordinary one. */
enum { SHAPE_SIZES = 3 };
enum shape_mode {
    SHAPE_PLAIN, SHAPE_OVERWRITE, SHAPE_REPLACE,
    SHAPE_HISTORY,             /* an INSERT with both columns of its period */
    SHAPE_MADE, SHAPE_UNMADE   /* a row of history must, must not, come of it at the after image's time: see version.h */
};

struct shape_param {
    uint16_t column; /* the source's */
    bool before;     /* from the before image, else from the after image */
    bool set;        /* assigned, else compared */
};

struct shape { /* owned by its plan */
    enum change_kind kind;
    enum shape_mode mode;
    int key;                 /* of the target's keys; -1: by the whole row */
    struct slice present;    /* key -1: the before image's presence bits */
    struct slice set;        /* updates: the after image's presence bits; empty: all. Inserts that name fewer: a byte per column, 1: named */
    struct slice sql;
    uint16_t param_count;
    struct shape_param *params;
    struct slice types;      /* u2 per parameter */
    struct db_statement statements[SHAPE_SIZES]; /* for one row or the array; for more: execute.h */
    bool prepared[SHAPE_SIZES];
    uint32_t head;           /* of the text, before what one row takes */
    const char *joint;       /* between two of those; NULL: one row only */
    bool by_default;         /* inserts: the table has nothing but generated columns, one stands there with DEFAULT */
    bool one_match;          /* counts prove each row: a unique key, or LIMIT 1 */
    struct shape *next;
};

struct plan {
    const struct table *source;
    const struct target_table *target;
    struct bind *binds;      /* per source column */
    int *column;             /* per source column: the target's, -1 none */
    uint8_t *named;          /* scratch, a byte per source column */
    int row_start, row_end;  /* source columns: its period, when both sides are system-versioned: see version.h; else -1 */
    bool lacks;              /* the target has not all of the columns: rows that bring one are refused */
    bool keyless;
    bool nets;               /* changes of one key may be joined: see net.h */
    uint16_t key_count;      /* of the key that nets: source columns */
    uint16_t *key;
    int counter;             /* source column: the target's AUTO_INCREMENT, when it is of that key and an integer; else -1 */
    uint16_t other_count;    /* source columns of the other unique keys */
    uint16_t *others;
    bool check_before;
    bool generated;          /* the target computes columns of its own */
    bool noisy;              /* and warned of one: see session_excused */
    struct shape *shapes;
    struct arena arena;
    struct plan *next;
};

/* The column's values are text, compared by the target's collation. ENUM and SET have a collation as well, but travel as numbers. */
bool plan_is_text(const struct plan *plan, uint32_t column);
/* FLOAT or DOUBLE on both sides: 0 and -0 are equal, and are not the same. */
bool plan_is_real(const struct plan *plan, uint32_t column);
/* Owned. ERR_STOP names the column that the target lacks, or why the table is refused. */
MUST_CHECK bool plan_new(const struct table *source, const struct target_table *target, bool check_before, struct plan **plan,
                         struct err *err);
void plan_free(struct plan *plan);
/* The shape for such a change; made when new. `before` is the image's values (NULL for inserts). */
MUST_CHECK bool plan_shape(struct plan *plan, enum change_kind kind, enum shape_mode mode, struct slice present, struct slice set,
                           const struct value *before, const struct value *after, struct shape **shape, struct err *err);
/* The head of a bulk packet, and one row of it. MySQL: rows as execute.h keeps them. */
void shape_begin(const struct shape *shape, const struct plan *plan, struct buf *packet);
void shape_append(const struct shape *shape, const struct plan *plan, const struct value *before, const struct value *after,
                  struct buf *packet);
/* `id`=5, `name`='x' for people: the row's key (or all of a keyless row's columns) as text, at most `room` bytes. */
void plan_describe(const struct plan *plan, const struct value *values, char *text, size_t room);

#endif
