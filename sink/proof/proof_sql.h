/*
 * proof_sql.h: the SQL of the proof: a table's rows as bytes and as sums, its key ranges. Pure.
 *
 * A row's bytes: every column that is not generated, in order, each in a form that ends by itself, so that no two rows make the same
 * bytes: numbers and times as text with a comma, character and binary strings as the stored bytes behind their length, large ones, JSON and
 * geometry as their MD5, NULL as N. The session has to be proof_session (proof_link.c): UTC, no character set conversion.
 *
 * A key is the key columns' values as text (strings as hex), each with its length before it (buf_varint_bytes): equal keys are equal bytes.
 * Ranges are said as (a > x) OR (a = x AND b > y), with literals of the columns' own character sets, so that the index is used and the order is
 * its order.
 */
#ifndef WOLFCDC_PROOF_SQL_H
#define WOLFCDC_PROOF_SQL_H
#include "arena.h"
#include "buf.h"
#include "sink.h" /* CLUSTER_NODES_MAX */

enum { PROOF_KEY_PARTS = 32, PROOF_SQL_MAX = 32 << 20, PROOF_HASH_SIZE = 32 /* hex digits */ };

enum proof_literal { LITERAL_NUMBER, LITERAL_QUOTED, LITERAL_TEXT, LITERAL_BYTES };

struct proof_kind { /* of a column; `$` stands for its name */
    const char *type;       /* information_schema's DATA_TYPE; NULL: any other */
    const char *bytes;      /* for the hash */
    const char *value;      /* for a literal */
    enum proof_literal literal;
    bool comma;             /* bytes do not end by themselves */
    bool key;               /* ordered as its literals are compared */
};
const struct proof_kind *proof_kind(const char *data_type);

struct proof_column {
    struct slice name;
    const struct proof_kind *kind;
    const char *charset;    /* LITERAL_TEXT */
    bool nullable, generated;
    uint32_t members;       /* ENUM */
};

struct proof_table {
    struct arena arena;     /* of everything below */
    struct slice database, name;
    uint32_t column_count;
    struct proof_column *columns;
    uint32_t key_count;     /* 0: no key that addresses a row */
    uint16_t key[PROOF_KEY_PARTS];
    struct slice index;
    uint32_t found[CLUSTER_NODES_MAX]; /* rows that differ, of each node: the round's count */
};

void proof_sql_name(struct buf *out, const struct proof_table *table); /* `db`.`table` */
void proof_sql_hash(struct buf *out, const struct proof_table *table); /* 32 hex digits */
void proof_sql_value(struct buf *out, const struct proof_column *column); /* what a literal is made of */
/* The value as a literal that is stored, and compared, as that column's value was. False: it is none. */
bool proof_sql_literal(struct buf *out, const struct proof_column *column, struct slice value);
/* SELECTs. lower and upper: keys; data NULL: open. (lower, upper]. False: a key that is none. */
bool proof_sql_bound(struct buf *out, const struct proof_table *table, struct slice lower, struct slice upper, uint64_t rows); /* the key of the rows'th */
bool proof_sql_sum(struct buf *out, const struct proof_table *table, struct slice lower, struct slice upper); /* count, sum */
bool proof_sql_rows(struct buf *out, const struct proof_table *table, struct slice lower, struct slice upper, uint64_t limit); /* key …, hash */
/* " WHERE a=… AND b=…" */
bool proof_sql_at(struct buf *out, const struct proof_table *table, struct slice key);
/* number, hash; to be joined by UNION ALL */
bool proof_sql_look(struct buf *out, const struct proof_table *table, struct slice key, size_t number);
/* hash, every column that is not generated: `columns` of it is what proof_sql_values takes. */
bool proof_sql_row(struct buf *out, const struct proof_table *table, struct slice key);
/* "(a, b) VALUES (…)" of such a row; data NULL: NULL. */
bool proof_sql_insert(struct buf *out, const struct proof_table *table, const struct slice *values);
/* For a person: "id=17, name='x'" */
void proof_sql_say_key(struct buf *out, const struct proof_table *table, struct slice key);

#endif
