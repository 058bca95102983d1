/*
 * binlog_file.h: a saved binlog or relay log as a row of events. No server, no decoder: it knows the frame (magic, 19-byte headers,
 * lengths), says how a file ends, and names what is no readable binlog: encrypted, compressed, text, another storage. One thread.
 */
#ifndef WOLFCDC_BINLOG_FILE_H
#define WOLFCDC_BINLOG_FILE_H
#include <stdio.h>

#include "err.h"
#include "event.h"

enum { BINLOG_MAGIC = 4, BINLOG_EVENT_MAX = 1 << 30, BINLOG_NAME_MAX = 512 };

enum binlog_read {
    BINLOG_EVENT,  /* *event is the next one, borrowed until the next call */
    BINLOG_CLOSED, /* the end, after a ROTATE or STOP: the server closed the file in order */
    BINLOG_OPEN,   /* the end, after a whole event that is neither: a server still writes it, was killed, or the copy is a part */
    BINLOG_TORN,   /* the end, inside an event */
    BINLOG_FAILED, /* see err */
};

struct binlog_file;
/* Owned. Reads as far as the FORMAT_DESCRIPTION. ERR_CONFIG: cannot be opened; ERR_UNSUPPORTED: recognised, and not a binlog that can be
   read, with the remedy; ERR_CORRUPT: no binlog at all. */
MUST_CHECK bool binlog_file_open(const char *path, struct binlog_file **file, struct err *err);
/* The same on a stream, which it closes; on failure too. `path` stands in the messages. */
MUST_CHECK bool binlog_file_of(FILE *stream, const char *path, struct binlog_file **file, struct err *err);
void binlog_file_close(struct binlog_file *file); /* NULL accepted */
/* At the end it may be called again: a file that a server still writes may have grown. */
enum binlog_read binlog_file_next(struct binlog_file *file, struct slice *event, struct err *err);
/* At the end: whether its path has more by now. *replaced: in another file under that name (a copy that was made anew), which has to be opened. */
bool binlog_file_has_more(struct binlog_file *file, bool *replaced);

const char *binlog_file_name(const struct binlog_file *file);  /* without directories */
uint64_t binlog_file_offset(const struct binlog_file *file);   /* of the event that was read last; at the end: of the end */
uint64_t binlog_file_size(const struct binlog_file *file);     /* when it was opened or last looked at */
/* From its FORMAT_DESCRIPTION: */
bool binlog_file_in_use(const struct binlog_file *file);       /* a server has it open, or was killed while it had */
bool binlog_file_is_relay(const struct binlog_file *file);
bool binlog_file_after_start(const struct binlog_file *file);  /* the first that a server wrote after its start */
/* The file that its ROTATE names; "" before that was read. */
const char *binlog_file_following(const struct binlog_file *file);

/* How a file ended, for the one that comes behind it. */
struct binlog_end {
    char name[BINLOG_NAME_MAX], following[BINLOG_NAME_MAX];
    enum binlog_read how;
    bool relay;
};
void binlog_file_ended(const struct binlog_file *file, enum binlog_read how, struct binlog_end *end);
/* Whether the file is what was written behind that end. ERR_CONFIG: files are missing in between, out of order, or not of one kind;
   ERR_CORRUPT: the end is cut off, and its server went on elsewhere. *killed: it is cut off because its server was killed. */
MUST_CHECK bool binlog_file_follows(const struct binlog_file *file, const struct binlog_end *last, bool *killed, struct err *err);
const char *binlog_end_text(enum binlog_read how); /* "inside an event" */

/* "base.000042" → 42; false when the name does not end in a dot and digits. *stem: the length of what stands before the digits. */
bool binlog_file_number(const char *name, size_t *stem, uint64_t *number);

#endif
