/* record.h: changes as records and back (format.h). Encoding a row is the capture thread's hot path. */
#ifndef WOLFCDC_WAL_RECORD_H
#define WOLFCDC_WAL_RECORD_H
#include "change.h"
#include "err.h"
#include "format.h"

enum { RECORD_PREPARED = 12, RECORD_COMPLETED = 13, RECORD_OPEN_XA = 14 }; /* beside enum change_kind; the first two are read as CHANGE_COMMIT */
static inline bool record_commits(uint8_t kind) { return kind == CHANGE_COMMIT || kind == RECORD_PREPARED || kind == RECORD_COMPLETED; }

/* Appends one change. begin_timestamp is that of the transaction's BEGIN. False when it exceeds RECORD_MAX (or *out its
   maximum); *out is then as it was. */
bool record_put(struct buf *out, const struct change *change, uint32_t begin_timestamp);
bool record_put_table(struct buf *out, const struct table *table);
/* The commit record of a prepared transaction whose BEGIN has that LSN; of any other commit begin_lsn means nothing. */
bool record_put_commit(struct buf *out, const struct change *change, uint64_t begin_lsn);
struct prepared;
bool record_put_open_xa(struct buf *out, const struct prepared *prepared);
/* Takes a record of the three kinds above (its LSN is `lsn`) into the list. False: *reason. */
bool record_get_xa(struct slice record, uint64_t lsn, struct prepared *prepared, const char **reason);

/* The table definitions that rows refer to. Interned by content: a pointer given out lives as long as this. */
struct tables;
struct tables *tables_new(void);
void tables_free(struct tables *tables);
void tables_forget(struct tables *tables); /* ids only: at the end of a segment */
/* False when the definition is impossible; *reason says why. */
bool tables_define(struct tables *tables, uint32_t id, struct slice definition, const char **reason);
const struct table *tables_get(struct tables *tables, uint32_t id); /* NULL: not defined */

/* What decoding keeps between records, and lends. */
struct record_reader {
    struct tables *tables;
    uint32_t timestamp; /* of the last BEGIN */
    struct statement statement;
    struct commit commit;
};

/* Takes the next record's bytes (kind and body) off *in; in->failed when there is no whole one. */
struct slice record_take(struct cursor *in);
/* A record's bytes into *change (borrowed from them and from the reader), TABLE included: it is entered into the tables.
   False: *reason says what is wrong. Never for bytes we wrote ourselves; the CRC has vouched for them. */
bool record_get(struct record_reader *reader, struct slice record, struct change *change, const char **reason);
const char *record_kind_name(enum change_kind kind);

#endif
