/*
 * db_library.h: what db.c needs of a client library, as one table of calls. There are two: libmariadb (db_mariadb.c), linked into the programs, and
 * MySQL's own libmysqlclient (db_mysqlclient.c), which is a module: a shared object that exports nothing but its table, because both libraries
 * name their functions alike, and because Debian has only the first. The module is loaded when a connection first needs it and stays.
 *
 * A module uses nothing of ours but types. `link` is a connection, from new to free; calls on one link come from one thread at a time. Calls that return
 * bool say by false that `number` and `text` have the error.
 */
#ifndef WOLFCDC_DB_LIBRARY_H
#define WOLFCDC_DB_LIBRARY_H
#include "db.h"

enum { DB_LIBRARY_INTERFACE = 1 }; /* counts up when struct db_library, or what it names, changes */
#define DB_LIBRARY_SYMBOL "wolfcdc_db_library"

/* Known once connected. The text is the link's. */
struct db_link_facts {
    const char *version;
    int fd;
    bool tls, short_eof;   /* short_eof: result sets end with EOF packets, not with OK packets */
    uint32_t thread_id;
};

struct db_library {
    unsigned interface;    /* DB_LIBRARY_INTERFACE; first, whatever else changes */
    const char *name;
    void (*init)(void);
    void (*end)(void);
    void *(*new)(void);
    bool (*connect)(void *link, const struct db_options *options);
    void (*free)(void *link); /* also closes */
    void (*facts)(void *link, struct db_link_facts *facts);
    unsigned (*number)(void *link);
    const char *(*text)(void *link);
    /* Ordinary statements. query is ask and answer at once; result: NULL without one, or without memory or connection (number != 0). */
    bool (*query)(void *link, struct slice sql);
    bool (*ask)(void *link, struct slice sql);
    bool (*answer)(void *link);
    void *(*result)(void *link);
    int (*next_result)(void *link); /* 0: there is one; < 0: none; > 0: error */
    uint32_t (*columns)(void *result);
    const char *(*column_name)(void *result, uint32_t column);
    bool (*row)(void *result, struct slice *values); /* false: no more, or an error */
    void (*result_free)(void *result);
    bool (*has_commands)(void *link); /* whether command works on this connection. NULL: always */
    /* reply: the answer, an OK packet, is read as well, where `reply_begins` is NULL. */
    bool (*command)(void *link, unsigned command, struct slice payload, bool reply);
    bool (*dump)(void *link, const struct db_dump *dump); /* NULL: by command */
    /* The next packet, also an EOF packet, borrowed until the next call. */
    bool (*packet)(void *link, struct slice *packet);
    bool (*readable)(void *link); /* what has been read ahead has something, or reading fails at once */
    void (*read_timeout)(void *link, uint32_t ms);
    void (*reply_due)(void *link); /* the packet lent last wants a semi-synchronous acknowledgement. NULL: of no interest */
    /* Before the first packet of a reply to `command`: statements in flight. NULL: the library cannot do that. */
    void (*reply_begins)(void *link);
};

extern const struct db_library db_libmariadb;
#endif
