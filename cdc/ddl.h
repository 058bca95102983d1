/*
 * ddl.h: what a statement is and which tables it names, by a tokenizer that reads as the server does: comments, executable
 * comments, three kinds of quotes, ANSI_QUOTES, NO_BACKSLASH_ESCAPES, and character sets whose second byte can be a
 * backslash or a backtick. It recognises statements by their beginning, it does not check their grammar.
 */
#ifndef WOLFCDC_DDL_H
#define WOLFCDC_DDL_H
#include "change.h"
#include "err.h"
#include "token.h"

enum ddl_role {
    DDL_STATEMENT,   /* kind says which */
    DDL_NOTHING,     /* comments only */
    DDL_BEGIN, DDL_COMMIT, DDL_ROLLBACK, DDL_SAVEPOINT, DDL_RELEASE, DDL_ROLLBACK_TO,
    DDL_XA_START, DDL_XA_END, DDL_XA_PREPARE, DDL_XA_COMMIT, DDL_XA_ONE_PHASE, DDL_XA_ROLLBACK /* xid says which */
};

struct ddl {
    enum ddl_role role;
    enum statement_kind kind;
    bool temporary;          /* CREATE, DROP … TEMPORARY */
    bool from_query;         /* CREATE TABLE … SELECT, TABLE, VALUES or LIKE */
    struct buf tables;       /* (varint database, varint name)… as UTF-8, see struct statement; a database has the name "" */
    struct buf savepoint;    /* SAVEPOINT, RELEASE, ROLLBACK TO */
    struct xid xid;          /* XA … */
};

enum { DDL_TABLES_MAX = 1 << 20 };

void ddl_init(struct ddl *ddl);
void ddl_fini(struct ddl *ddl);
/* ERR_UNSUPPORTED for a statement that begins like nothing that is known. */
MUST_CHECK bool ddl_parse(struct ddl *ddl, struct slice text, const struct ddl_session *session, struct err *err);

#endif
