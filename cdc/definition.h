/*
 * definition.h: a table's definition as SQL says it: read from CREATE TABLE (a dump, a file of the operator's, the binary log itself), kept
 * up to date by the ALTER, RENAME and DROP that follow, and put on the columns of a map that carries no names. Pure: no server.
 *
 * It is better than the server's dictionary wherever the binary log is behind the server: it is what the table was *then*. What a
 * statement makes of a definition is taken over only where that is certain; else the table's definition is forgotten, never guessed.
 */
#ifndef WOLFCDC_DEFINITION_H
#define WOLFCDC_DEFINITION_H
#include "change.h"
#include "ddl.h"
#include "err.h"
#include "table.h"

struct definition_column {
    const char *name, *type; /* as information_schema.COLUMNS has them: DATA_TYPE */
    const char *full;        /* and COLUMN_TYPE: "decimal(10,2) unsigned", "enum('a','b')" */
    const char *charset;     /* static; NULL: none, or unknown */
    bool textual;            /* has a character set */
    bool nullable, nullable_known;
    uint32_t characters;     /* or bytes, of CHAR VARCHAR BINARY VARBINARY; 0: other types */
    uint16_t collation;      /* id; 0: none, or unknown */
    const char *before;      /* of an ALTER that is being read: its name till then; NULL: a new one */
};

enum definition_origin { DEFINITION_SERVER, DEFINITION_DDL, DEFINITION_FILE, DEFINITION_SET };

/* Immutable once it is in a catalog. */
struct definition {
    const char *database, *name;     /* UTF-8 */
    uint32_t column_count, key_count;
    struct definition_column *columns;
    const char **key;                /* names of the primary key's columns */
    const char *charset;             /* of new columns; static; NULL: unknown */
    uint16_t collation;
    uint32_t hashes;                 /* UNIQUE keys for which MariaDB may add a hidden DB_ROW_HASH_n */
    enum definition_origin origin;
    uint64_t version;                /* of this table in its catalog: 1, 2 … */
    uint64_t lsn;                    /* of the last commit in the log when it was learned */
    struct source_pos *pos;          /* where it was learned; NULL: unknown */
    struct arena arena;
};
void definition_free(struct definition *definition);
/* As CREATE TABLE, which can be read again. */
void definition_print(const struct definition *definition, struct buf *out);
/* One line, for people: "id int not null, name varchar(20)". */
void definition_show(const struct definition *definition, struct buf *out);
/* Names, signs, charsets and key onto the columns of a map, as decoder_schema_fn. A text that DDL made may be larger than it says. ERR_STOP with both where they cannot be the same table. */
MUST_CHECK bool definition_apply(const struct definition *definition, struct table *draft, struct arena *arena, struct err *err);
/* Whether names, types and keys are the same. */
bool definition_same(const struct definition *a, const struct definition *b);
/* What a draft that has names says. Owned. */
struct definition *definition_of(const struct table *table);

/* ---- the definitions of many tables ---- */

struct catalog;
/* Told of each definition that is new (now), or gone (now NULL). */
typedef void catalog_change_fn(void *context, const char *database, const char *table, const struct definition *now);

struct catalog *catalog_new(void); /* owned */
void catalog_free(struct catalog *catalog);
void catalog_fold(struct catalog *catalog, bool folds); /* names are the same without regard to case */
void catalog_watch(struct catalog *catalog, catalog_change_fn *fn, void *context);
size_t catalog_count(const struct catalog *catalog);
const struct definition *catalog_find(const struct catalog *catalog, struct slice database, struct slice name);
/* The nth, in no order; NULL beyond the last. */
const struct definition *catalog_at(const struct catalog *catalog, size_t n);
/* Takes the definition over; its version is set. */
void catalog_put(struct catalog *catalog, struct definition *definition);
void catalog_remove(struct catalog *catalog, struct slice database, struct slice name);
/* What a DDL statement of the binary log does to the definitions. `tables` of the statement need not be set. */
void catalog_statement(struct catalog *catalog, const struct statement *statement, uint32_t version);
/* A file of SQL statements, a dump for one: its USE, CREATE TABLE, ALTER, RENAME and DROP TABLE; others are passed over. *count: tables that
   were defined. ERR_CONFIG names the line that cannot be read. `database`: of names without one; NULL: they are refused. */
MUST_CHECK bool catalog_read(struct catalog *catalog, struct slice sql, const char *database, enum definition_origin origin, size_t *count,
                             struct err *err);
/* The definition that is found there onto the draft. True, and nothing done, where there is none. */
MUST_CHECK bool catalog_apply(const struct catalog *catalog, struct table *draft, struct arena *arena, struct err *err);

#endif
