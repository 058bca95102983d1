/*
 * table.h: what a table looked like at one moment, and the row format that the log and the sinks share.
 *
 * THE ROW FORMAT. A row image is the binlog's own (rows event v1/v2, MySQL and MariaDB): a null bitmap of
 * ⌈k/8⌉ bytes, k = number of present columns, bit i (LSB first) = the i-th *present* column is NULL; then the
 * values of the present, non-NULL columns, in column order, each laid out by its column's kind:
 *
 *   INT        width bytes (1 2 3 4 8), little-endian, two's complement unless is_unsigned
 *   FLOAT DOUBLE  4 / 8 bytes IEEE little-endian
 *   DECIMAL    packed NEWDECIMAL(precision, scale)
 *   YEAR       1 byte; 0 = 0000, else 1900 + v
 *   DATE       3 bytes LE: day | month << 5 | year << 9
 *   TIME DATETIME TIMESTAMP   3 / 5 / 4 bytes big-endian + ⌈fsp/2⌉ bytes of fraction (TIME2, DATETIME2, TIMESTAMP2)
 *   BIT        ⌈bits/8⌉ bytes big-endian
 *   ENUM SET   width bytes LE; ENUM counts from 1, 0 = ''; SET bit 0 = first member
 *   the rest   width (1 2 3 4) bytes LE length, then that many bytes. Text is in the column's charset. BINARY,
 *              UUID, INET4, INET6 have lost their trailing zero bytes: pad to max_bytes on use. GEOMETRY is
 *              u4 SRID + WKB. JSON is text. VECTOR is f4 LE each.
 *
 * What a source sends in another layout (legacy temporals, compressed columns, MySQL's binary JSON) is turned
 * into this one by cdc/layout before it enters the log. So capture copies a row's bytes once, checked, and
 * nothing but a reader of values ever takes them apart.
 */
#ifndef WOLFCDC_TABLE_H
#define WOLFCDC_TABLE_H
#include "arena.h"
#include "buf.h"
#include "cursor.h"

enum column_kind {
    COLUMN_INT = 1, COLUMN_FLOAT, COLUMN_DOUBLE, COLUMN_DECIMAL, COLUMN_YEAR, COLUMN_DATE, COLUMN_TIME,
    COLUMN_DATETIME, COLUMN_TIMESTAMP, COLUMN_BIT, COLUMN_ENUM, COLUMN_SET, COLUMN_CHAR, COLUMN_VARCHAR,
    COLUMN_TEXT, COLUMN_BINARY, COLUMN_VARBINARY, COLUMN_BLOB, COLUMN_GEOMETRY, COLUMN_JSON, COLUMN_VECTOR,
    COLUMN_UUID, COLUMN_INET4, COLUMN_INET6,
    COLUMN_KINDS
};

/* How the source lays a column's values out, where that is not THE ROW FORMAT: capture's own, not in the log. */
enum column_layout {
    LAYOUT_SAME,
    LAYOUT_JSONB,         /* MySQL's JSON: width bytes of length, a binary document */
    LAYOUT_COMPRESSED,    /* MariaDB's COMPRESSED columns */
    LAYOUT_OLD_TIME, LAYOUT_OLD_DATETIME, LAYOUT_OLD_TIMESTAMP /* before MySQL 5.6; MariaDB's mysql56_temporal_format=OFF */
};

enum { COLUMN_COUNT_MAX = 4096, TABLE_NAME_MAX = 64 * 4, COLLATION_BINARY = 63 };

struct column {
    enum column_kind kind;
    uint8_t width;      /* INT ENUM SET: bytes; kinds with a length prefix: its bytes */
    uint8_t fixed;      /* bytes of the value when it has no length prefix, else 0. Derived: table_finish */
    uint8_t precision;  /* DECIMAL */
    uint8_t scale;      /* DECIMAL scale; TIME DATETIME TIMESTAMP: fsp 0…6 */
    uint8_t bits;       /* BIT: 1…64 */
    uint8_t geometry;   /* GEOMETRY: 0 GEOMETRY 1 POINT … 7 COLLECTION */
    bool is_unsigned, nullable;
    enum column_layout layout; /* capture: before it enters the log */
    bool sign_known;    /* false: no metadata said; an INT is then shown signed */
    uint16_t collation; /* text kinds; 0 = unknown */
    uint32_t max_bytes; /* character and binary kinds */
    struct slice name;  /* empty: unknown (printed as @1, @2 …) */
    uint32_t label_count;       /* ENUM SET */
    struct slice *labels;       /* in labels_collation's charset */
    uint16_t labels_collation;
};

/* One definition. Immutable once finished; `id` is unique among those of one owner (capture, or one reader). */
struct table {
    uint32_t id;
    struct slice database, name;
    uint32_t column_count;
    struct column *columns;
    uint32_t key_count;        /* primary key as the source's metadata says; 0 = none or unknown */
    uint16_t *key;             /* column indices, in key order */
    bool named;                /* column names are known */
    /* derived by table_finish */
    uint32_t null_bytes;       /* ⌈column_count/8⌉ */
    uint32_t hash_count;       /* so many of the last columns are DB_ROW_HASH_n: MariaDB's own, of UNIQUE keys over a whole TEXT or BLOB */
    bool foreign;              /* capture: a column whose layout is the source's own */
    uint32_t names_crc;        /* CRC32C of database, NUL, name */
    struct row_plan *plan;     /* row.c's own */
    struct slice encoded;      /* table_encode's bytes: two tables are the same iff these are equal */
    struct arena arena;        /* owns all of it */
};

/* A copy of *draft (its slices may be borrowed) with everything derived. Owned; NULL and err when the draft is
   impossible (kind, width, precision, counts beyond their limits). Allocates nothing larger than it checked. */
struct table *table_new(const struct table *draft, uint32_t id, const char **reason);
void table_free(struct table *table);
/* The log's table definition, and man 5 wolfcdc-wal: varints and varint-counted strings. Without id. */
void table_encode(const struct table *draft, struct buf *out);
/* NULL when the bytes are impossible; *reason says why (static text). */
struct table *table_decode(struct slice bytes, uint32_t id, const char **reason);
/* Index of the column with that name, or -1. ASCII case folded, as servers do for column names. */
int table_column(const struct table *table, struct slice name);
/* A MariaDB SEQUENCE: known by its eight columns. Each row that it has takes the place of the one before. */
bool table_is_sequence(const struct table *table);
const char *column_kind_name(enum column_kind kind);
bool column_is_text(const struct column *column);          /* has a charset that is not binary */
bool column_has_prefix(enum column_kind kind);             /* value carries its length */

#endif
