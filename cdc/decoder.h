/*
 * decoder.h: raw binlog events in, changes out. No connection, no thread, no clock: the same decoder serves the live
 * stream, saved files, the golden tests and the fuzzers.
 *
 * Every event type has its fate in fate.def: decode, consume, skip or stop. There is no default branch. Feed it each
 * event exactly as it came (19-byte header … checksum); it verifies the checksum, tracks file and 64-bit offset, checks the
 * group's shape (GTID … XID/COMMIT/ROLLBACK/DDL), and emits BEGIN, rows and statements, COMMIT. Rolled-back groups and
 * groups cut off by the next file end with ABORT; groups of which the filter leaves nothing emit BEGIN and COMMIT alone (the
 * position moves on). Source: facts of the MariaDB knowledge base "Replication protocol", MySQL binlog_event.h.
 */
#ifndef WOLFCDC_DECODER_H
#define WOLFCDC_DECODER_H
#include "change.h"
#include "err.h"

struct decoder;
struct filter;
struct temporaries;

/* Takes one change (borrowed). False stops the decoder with that error. */
typedef bool decoder_emit_fn(void *context, const struct change *change, struct err *err);
/* Names, signs, charsets for a table whose map has no (or not all) metadata: fills in *draft (slices in *arena) and returns true,
   or refuses with an error that shows both definitions. Called once per distinct map. NULL: columns stay unnamed. */
typedef bool decoder_schema_fn(void *context, struct table *draft, struct arena *arena, struct err *err);

struct decoder_options {
    bool mariadb;                 /* flavour, until the first FORMAT_DESCRIPTION says it itself */
    bool checksum;                /* before the first FORMAT_DESCRIPTION: as declared to the server */
    bool explicit_timestamp;      /* as struct event_format has it */
    bool lower_names;             /* lower_case_table_names=1: names of tables are in lower case in maps, and as written in statements */
    bool verify_checksums;        /* true except in benchmarks of the transport */
    bool capture_accounts;        /* account statements enter the log */
    bool refuse_statements;       /* DML as text stops capture */
    const struct filter *filter;  /* NULL: everything */
    struct mask *mask;            /* borrowed; NULL: no column is masked */
    struct temporaries *temporaries; /* borrowed: what outlives this decoder, for the next one; NULL: the decoder's own */
    decoder_emit_fn *emit;
    decoder_schema_fn *schema;
    void *context;                /* of both */
};

enum decoder_note { /* what the event meant for whoever drives the stream */
    DECODER_NOTHING, DECODER_FORMAT, DECODER_FILE /* file switched */, DECODER_HEARTBEAT, DECODER_BEGIN, DECODER_CHANGE,
    DECODER_COMMIT, DECODER_ABORT, DECODER_FILE_END /* STOP: the server went down in order */
};

/* Owned. `pos`: where the stream starts (its GTID set is carried on into each COMMIT). */
struct decoder *decoder_new(const struct decoder_options *options, const struct source_pos *pos);
void decoder_free(struct decoder *decoder);
/* One event. On error nothing of it was emitted but what emit has already been given; the error's text names type, file, offset.
   ERR_CORRUPT / ERR_UNSUPPORTED / ERR_STOP: the caller saves the bytes and stops. */
MUST_CHECK bool decoder_event(struct decoder *decoder, struct slice raw, enum decoder_note *note, struct err *err);
/* What comes next is the beginning of that file: what the server's artificial ROTATE says in a stream. Emits ABORT if a transaction is
   open. Not for relay logs, which say it themselves. */
MUST_CHECK bool decoder_file(struct decoder *decoder, const char *name, struct err *err);
/* The stream ended here (connection lost, stop): emits ABORT if a transaction is open. */
MUST_CHECK bool decoder_cut(struct decoder *decoder, struct err *err);
bool decoder_in_transaction(const struct decoder *decoder);
const struct source_pos *decoder_pos(const struct decoder *decoder); /* after the last whole transaction; file/offset of the stream */
struct decoder_stats { uint64_t events, bytes, rows, transactions, statements, filtered; };
const struct decoder_stats *decoder_stats(const struct decoder *decoder);
/* From the last FORMAT_DESCRIPTION: the server's version text. */
const char *decoder_server_version(const struct decoder *decoder);
/* Definitions from the server are to be asked again (after a DDL, or `wolfctl schema refresh`). Also done by itself on DDL. */
void decoder_forget_schema(struct decoder *decoder);

#endif
