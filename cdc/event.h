/*
 * event.h: the frame of a binlog event: 19-byte header, body, checksum; and the fate of every type (fate.def).
 * Everything is borrowed from the raw bytes. Source: MariaDB knowledge base "2-Binlog Event Header".
 */
#ifndef WOLFCDC_EVENT_H
#define WOLFCDC_EVENT_H
#include "err.h"
#include "slice.h"

enum {
    EVENT_HEADER = 19, EVENT_TYPE_AT = 4, EVENT_CHECKSUM = 4, EVENT_VERSION_MAX = 51,
    EVENT_FLAG_IN_USE = 0x0001, EVENT_FLAG_THREAD_SPECIFIC = 0x0004, EVENT_FLAG_SUPPRESS_USE = 0x0008, EVENT_FLAG_ARTIFICIAL = 0x0020,
    EVENT_FLAG_RELAY_LOG = 0x0040, EVENT_FLAG_IGNORABLE = 0x0080,
    EVENT_FLAGS_UNKNOWN = 0x3c00 /* none that any server is known to write */
};

enum event_type {
#define EVENT(number, name, handler, ...) EVENT_##name = number,
#include "fate.def"
#undef EVENT
    EVENT_TYPES = 256
};

enum event_action { EVENT_DECODE = 1, EVENT_CONSUME, EVENT_SKIP, EVENT_REFUSE };

struct event_fate {
    const char *name; /* NULL: the type is unknown */
    enum event_action action;
    const char *since, *reason, *remedy;
};

struct event {
    uint32_t timestamp, server_id, log_pos;
    uint16_t flags;
    uint8_t type;
    struct slice raw;  /* all of it */
    struct slice body; /* between header and checksum */
};

/* What the last FORMAT_DESCRIPTION said. */
struct event_format {
    bool mariadb, checksum;
    uint8_t table_id_bytes;    /* 4 or 6 */
    uint8_t query_post_header; /* at least 13 */
    bool explicit_timestamp;   /* explicit_defaults_for_timestamp of the server itself: what it means where a MySQL before 8.0 does not say it */
    uint32_t created;          /* not 0: the first file since the server's start */
    char version[EVENT_VERSION_MAX];
};

/* Before any FORMAT_DESCRIPTION. */
struct event_format event_format_default(bool mariadb, bool checksum);
/* Splits one event; checks its length and, when `verify`, its checksum. ERR_CORRUPT. */
MUST_CHECK bool event_decode(struct slice raw, const struct event_format *format, bool verify, struct event *event, struct err *err);
/* Where the event ends in its file, when the one before it ended at `offset`. log_pos has 32 bits, is 0 where MariaDB ≥ 11.4 did not know it yet, and skips what
   the server left out: so lengths are added up, and each log_pos that is there corrects the sum. *made: by the server for the stream, it is in no file. */
uint64_t event_end(const struct event *event, uint64_t offset, bool *made);
/* 101119 for "10.11.19-MariaDB-log"; 0: none that can be read. */
uint32_t event_server_number(const char *version);
/* Reads a FORMAT_DESCRIPTION's body. */
MUST_CHECK bool event_format_decode(const struct event *event, struct event_format *format, struct err *err);
const struct event_fate *event_fate(uint8_t type);
/* Refuses the event with its fate's reason and remedy. */
bool event_refuse(const struct event *event, struct err *err);

#endif
