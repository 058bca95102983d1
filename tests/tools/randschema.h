/*
 * randschema.h: what the parts of randschema share: the session that writes, what there is in its database, and the dice.
 *
 *   randschema.c         options, the session, one schema after another      randschema_define.c   types, tables, DDL
 *   randschema_write.c   rows, transactions, XA                              randschema_value.c    values at their limits
 */
#ifndef WOLFCDC_RANDSCHEMA_H
#define WOLFCDC_RANDSCHEMA_H
#include "buf.h"
#include "tool.h"

enum { COLUMNS_MAX = 40, TABLES_MAX = 6, NAME_ROOM = 70, SQL_MAX = 8 << 20 };

struct column { char name[NAME_ROOM], kind[24], type[400]; bool generated, is_unsigned, nullable; };
struct table { char name[NAME_ROOM]; bool in_parts; unsigned count; struct column columns[COLUMNS_MAX]; };

struct server { /* what it is, and what may be made of it */
    bool maria;
    unsigned version;  /* 8.0 is 800 */
    bool common;       /* only what MariaDB and MySQL both have */
    bool rows_only;    /* no changes as text: the target is of another version */
    bool says_checks;  /* check_constraint_checks of a session is in its log */
};
struct session { /* what the session is set to */
    bool full_image, text_format /* STATEMENT: what a replica could do otherwise is left out */, row_format, foreign_keys;
};

extern struct server server;
extern struct session session;
extern struct table tables[TABLES_MAX];
extern unsigned table_count, serial; /* serial: of names */

uint64_t draw(void);
unsigned below(unsigned n);
bool chance(unsigned percent);
#define ONE_OF(list) list[below(sizeof list / sizeof *list)]

/* randschema.c: one statement; false: the server refused it. run clears *sql. */
bool run(struct buf *sql);
bool say(const char *format, ...) __attribute__((format(printf, 1, 2)));
unsigned last_error(void);
/* A session beside, in the same database, which is the one that speaks from then on; and back. */
void session_beside(void);
void session_back(void);
void learn(void); /* what there is now */

/* randschema_define.c */
void create_table(void);
void create_family(void); /* a parent and its child */
void change_schema(void);
const struct column *a_column(const struct table *t); /* not a generated one; NULL: none */

/* randschema_value.c */
void put_value(struct buf *sql, const struct column *c);

/* randschema_write.c. `but`: a table that is left alone, as an XA transaction that is prepared has it; NULL: none. */
void write_row(const char *but);
void transaction(const char *but);
void xa_transaction(void);

#endif
