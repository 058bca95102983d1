/*
 * binlog_file.c: see binlog_file.h. The file is read once from its beginning to its end; a length is compared with what the file still
 * has before anything is allocated for it.
 *
 *   fe 'b' 'i' 'n'                         magic
 *   event: FORMAT_DESCRIPTION              always the first; its flag 0x0001: the server that writes it has not closed it
 *   [event: START_ENCRYPTION]              all that follows is encrypted, headers too (MariaDB; Percona 5.7)
 *   event …  [event: ROTATE or STOP]
 */
#include "binlog_file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "buf.h"
#include "cursor.h"

enum { READ_BUFFER = 1 << 18 };

struct binlog_file {
    FILE *in;
    char path[4096];
    const char *name;
    char following[BINLOG_NAME_MAX];
    struct buf event;
    uint64_t at, size;       /* end of the last whole event; the file's size as last seen */
    uint64_t event_at;
    bool in_use, relay, after_start, closed, first_pending, checksum;
};

/* ---- what it is instead ---- */

#define REMEDY_OVER_NETWORK "read it from its server, which decrypts it: mariadb-binlog (mysqlbinlog) --read-from-remote-server --raw"
#define REMEDY_UNPACK "unpack it first"

static const struct { const char *bytes; uint8_t size; enum err_code code; const char *what, *remedy; } magics[] = {
    {"\xfd" "bin", 4, ERR_UNSUPPORTED, "encrypted by MySQL (binlog_encryption), and the key is the server's", REMEDY_OVER_NETWORK},
    {"\xfe\xfe\x0d\x01", 4, ERR_UNSUPPORTED, "a binlog inside InnoDB (binlog_storage_engine=innodb of MariaDB 12.3)", REMEDY_OVER_NETWORK},
    {"\x1f\x8b", 2, ERR_UNSUPPORTED, "compressed (gzip)", REMEDY_UNPACK},
    {"\x28\xb5\x2f\xfd", 4, ERR_UNSUPPORTED, "compressed (zstd)", REMEDY_UNPACK},
    {"\xfd" "7zXZ", 5, ERR_UNSUPPORTED, "compressed (xz)", REMEDY_UNPACK},
    {"BZh", 3, ERR_UNSUPPORTED, "compressed (bzip2)", REMEDY_UNPACK},
    {"\x04\x22\x4d\x18", 4, ERR_UNSUPPORTED, "compressed (lz4)", REMEDY_UNPACK},
    {"PK\x03\x04", 4, ERR_UNSUPPORTED, "compressed (zip)", REMEDY_UNPACK},
    {"/*", 2, ERR_UNSUPPORTED, "SQL text, perhaps mariadb-binlog's output", "give the binlog file itself"},
    {"# a", 3, ERR_UNSUPPORTED, "SQL text, perhaps mariadb-binlog's output", "give the binlog file itself"},
    {"./", 2, ERR_UNSUPPORTED, "an index of binlog files", "give the files that it lists"},
};

static bool not_a_binlog(const uint8_t *head, size_t size, struct err *err)
{
    if (!size) return err_set(err, ERR_CORRUPT, "the file is empty");
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (size >= magics[i].size && !memcmp(head, magics[i].bytes, magics[i].size))
            return err_set(err, magics[i].code, "it is %s; what to do: %s", magics[i].what, magics[i].remedy);
    return err_set(err, ERR_CORRUPT, "not a binlog file: it does not begin with fe 62 69 6e");
}

/* ---- opening ---- */

static void look_at_size(struct binlog_file *file)
{
    struct stat found;
    int fd = fileno(file->in);
    if (fd >= 0) {
        if (!fstat(fd, &found) && S_ISREG(found.st_mode)) file->size = (uint64_t)found.st_size;
        return;
    }
    off_t here = ftello(file->in); /* a stream over memory */
    if (here >= 0 && !fseeko(file->in, 0, SEEK_END)) file->size = (uint64_t)ftello(file->in);
    if (here >= 0) (void)!fseeko(file->in, here, SEEK_SET);
}

static bool read_magic(struct binlog_file *file, struct err *err)
{
    uint8_t head[8] = {0};
    size_t got = fread(head, 1, sizeof head, file->in);
    if (ferror(file->in)) return err_set_number(err, ERR_CONFIG, (unsigned)errno, "cannot be read: %s", strerror(errno));
    if (got < BINLOG_MAGIC || memcmp(head, "\xfe" "bin", BINLOG_MAGIC) != 0) return not_a_binlog(head, got, err);
    if (fseeko(file->in, BINLOG_MAGIC, SEEK_SET)) return err_set_number(err, ERR_CONFIG, (unsigned)errno, "cannot be read from its start: %s", strerror(errno));
    file->at = BINLOG_MAGIC;
    return true;
}

static enum binlog_read take(struct binlog_file *file, struct slice *event, struct err *err);

/* The FORMAT_DESCRIPTION is read twice, here for what it says of the file, and by whoever asks for the first event. */
static bool read_format(struct binlog_file *file, struct err *err)
{
    struct slice raw;
    struct event event;
    struct event_format format = event_format_default(false, false);
    enum binlog_read read = take(file, &raw, err);
    if (read == BINLOG_FAILED) return false;
    if (read != BINLOG_EVENT) return err_set(err, ERR_CORRUPT, "it ends before its first event, the FORMAT_DESCRIPTION, is whole");
    if (raw.data[4] != EVENT_FORMAT_DESCRIPTION)
        return err_set(err, ERR_CORRUPT, "its first event is of type %u, not a FORMAT_DESCRIPTION: a file of MySQL 4, or a part of one; what to do: "
                       "give whole files", raw.data[4]);
    if (!event_decode(raw, &format, false, &event, err) || !event_format_decode(&event, &format, err)) return false;
    file->in_use = event.flags & EVENT_FLAG_IN_USE;
    file->relay = event.flags & EVENT_FLAG_RELAY_LOG;
    file->after_start = format.created != 0;
    file->checksum = format.checksum;
    file->first_pending = true;
    return true;
}

bool binlog_file_of(FILE *stream, const char *path, struct binlog_file **out, struct err *err)
{
    struct binlog_file *file = calloc(1, sizeof *file);
    if (!file) abort();
    const char *slash = strrchr(path, '/');
    file->in = stream;
    snprintf(file->path, sizeof file->path, "%s", path);
    file->name = file->path + (slash && (size_t)(slash - path) < sizeof file->path - 1 ? slash - path + 1 : 0);
    buf_init(&file->event, BINLOG_EVENT_MAX);
    look_at_size(file);
    if (!read_magic(file, err) || !read_format(file, err)) {
        binlog_file_close(file);
        return err_context(err, "%s", path);
    }
    *out = file;
    return true;
}

bool binlog_file_open(const char *path, struct binlog_file **file, struct err *err)
{
    struct stat found;
    FILE *in = fopen(path, "rbe");
    if (!in) return err_set_number(err, ERR_CONFIG, (unsigned)errno, "%s: %s", path, strerror(errno));
    if (!fstat(fileno(in), &found) && !S_ISREG(found.st_mode)) {
        fclose(in);
        return err_set(err, ERR_CONFIG, "%s: not a regular file", path);
    }
    setvbuf(in, NULL, _IOFBF, READ_BUFFER);
    return binlog_file_of(in, path, file, err);
}

void binlog_file_close(struct binlog_file *file)
{
    if (!file) return;
    fclose(file->in);
    buf_fini(&file->event);
    free(file);
}

/* ---- events ---- */

/* The end, for now: back to where the whole events end. */
static enum binlog_read ended(struct binlog_file *file, enum binlog_read how)
{
    clearerr(file->in);
    (void)!fseeko(file->in, (off_t)file->at, SEEK_SET);
    file->event_at = file->at;
    return how;
}

static enum binlog_read failed(const struct binlog_file *file, struct err *err)
{
    err_context(err, "offset %llu", (unsigned long long)file->at);
    return BINLOG_FAILED;
}

static bool sized(struct binlog_file *file, const uint8_t *head, size_t *size, struct err *err)
{
    struct cursor in = cursor_of(slice_of(head + 9, 4));
    *size = cursor_u32(&in);
    if (*size < EVENT_HEADER) return err_set(err, ERR_CORRUPT, "an event says that it has %zu bytes, less than its header", *size);
    if (*size > BINLOG_EVENT_MAX)
        return err_set(err, ERR_CORRUPT, "an event says that it has %zu bytes, more than any server writes; what to do: check the file with "
                       "mariadb-binlog --verify-binlog-checksum", *size);
    if (file->at + *size > file->size) look_at_size(file);
    return true;
}

static enum binlog_read take(struct binlog_file *file, struct slice *event, struct err *err)
{
    size_t size, got;
    buf_clear(&file->event);
    uint8_t *head = buf_reserve(&file->event, EVENT_HEADER);
    got = fread(head, 1, EVENT_HEADER, file->in);
    if (ferror(file->in)) goto unreadable;
    if (!got) return ended(file, file->closed ? BINLOG_CLOSED : BINLOG_OPEN);
    if (got < EVENT_HEADER) return ended(file, BINLOG_TORN);
    if (!sized(file, head, &size, err)) return failed(file, err);
    if (file->at + size > file->size) return ended(file, BINLOG_TORN);
    uint8_t *all = buf_reserve(&file->event, size);
    got = fread(all + EVENT_HEADER, 1, size - EVENT_HEADER, file->in);
    if (ferror(file->in)) goto unreadable;
    if (got < size - EVENT_HEADER) return ended(file, BINLOG_TORN);
    file->event_at = file->at;
    file->at += size;
    *event = slice_of(all, size);
    return BINLOG_EVENT;
unreadable:
    err_set_number(err, ERR_STOP, (unsigned)errno, "cannot be read: %s", strerror(errno));
    return failed(file, err);
}

/* A stream that was saved from the network keeps the event, flagged as ignorable, and is plain. */
static bool is_plain(const struct binlog_file *file, struct slice event, struct err *err)
{
    if (event.data[4] != EVENT_START_ENCRYPTION || event.data[17] & EVENT_FLAG_IGNORABLE) return true;
    return err_set(err, ERR_UNSUPPORTED, "%s: encrypted from offset %llu on (encrypt_binlog), and the key is the server's; what to do: "
                   REMEDY_OVER_NETWORK, file->name, (unsigned long long)file->at);
}

static void note_following(struct binlog_file *file, struct slice event)
{
    size_t head = EVENT_HEADER + 8, tail = file->checksum ? EVENT_CHECKSUM : 0;
    file->following[0] = 0;
    if (event.size <= head + tail) return;
    snprintf(file->following, sizeof file->following, "%.*s", (int)(event.size - head - tail > BINLOG_NAME_MAX ? BINLOG_NAME_MAX : event.size - head - tail),
             (const char *)event.data + head);
}

enum binlog_read binlog_file_next(struct binlog_file *file, struct slice *event, struct err *err)
{
    if (file->first_pending) {
        file->first_pending = false;
        *event = slice_of(file->event.data, (size_t)(file->at - file->event_at));
        return BINLOG_EVENT;
    }
    enum binlog_read read = take(file, event, err);
    if (read != BINLOG_EVENT) return read;
    if (!is_plain(file, *event, err)) return BINLOG_FAILED;
    uint8_t type = event->data[4];
    bool artificial = event->data[17] & EVENT_FLAG_ARTIFICIAL;
    file->closed = type == EVENT_STOP || (type == EVENT_ROTATE && !artificial);
    if (type == EVENT_ROTATE && !artificial) note_following(file, *event);
    return BINLOG_EVENT;
}

bool binlog_file_has_more(struct binlog_file *file, bool *replaced)
{
    struct stat now, ours;
    uint64_t seen = file->size > file->at ? file->size : file->at;
    int fd = fileno(file->in);
    *replaced = false;
    if (fd < 0 || stat(file->path, &now) || fstat(fd, &ours) || (uint64_t)now.st_size <= seen) return false;
    *replaced = now.st_dev != ours.st_dev || now.st_ino != ours.st_ino;
    if (!*replaced) file->size = (uint64_t)now.st_size;
    return true;
}

/* ---- what is known of it ---- */

const char *binlog_file_name(const struct binlog_file *file) { return file->name; }
uint64_t binlog_file_offset(const struct binlog_file *file) { return file->event_at; }
uint64_t binlog_file_size(const struct binlog_file *file) { return file->size; }
bool binlog_file_in_use(const struct binlog_file *file) { return file->in_use; }
bool binlog_file_is_relay(const struct binlog_file *file) { return file->relay; }
bool binlog_file_after_start(const struct binlog_file *file) { return file->after_start; }
const char *binlog_file_following(const struct binlog_file *file) { return file->following; }

bool binlog_file_number(const char *name, size_t *stem, uint64_t *number)
{
    const char *dot = strrchr(name, '.');
    size_t digits = dot ? strspn(dot + 1, "0123456789") : 0;
    if (!digits || digits > 18 || dot[1 + digits]) return false;
    *stem = (size_t)(dot + 1 - name);
    *number = strtoull(dot + 1, NULL, 10);
    return true;
}

/* ---- one file behind another ---- */

void binlog_file_ended(const struct binlog_file *file, enum binlog_read how, struct binlog_end *end)
{
    snprintf(end->name, sizeof end->name, "%s", file->name);
    snprintf(end->following, sizeof end->following, "%s", file->following);
    end->how = how;
    end->relay = file->relay;
}

const char *binlog_end_text(enum binlog_read how) { return how == BINLOG_TORN ? "inside an event" : "without a ROTATE or STOP"; }

static bool in_order(const struct binlog_file *file, const struct binlog_end *last, struct err *err)
{
    size_t stem = 0, last_stem = 0;
    uint64_t number = 0, before = 0;
    const char *name = file->name;
    if (file->relay != last->relay) return err_set(err, ERR_CONFIG, "%s is a relay log, and the other is none", file->relay ? name : last->name);
    if (last->following[0] && !strcmp(last->following, name)) return true;
    bool numbered = binlog_file_number(name, &stem, &number) && binlog_file_number(last->name, &last_stem, &before);
    bool same = numbered && stem == last_stem && !memcmp(name, last->name, stem);
    if (same && number <= before) return err_set(err, ERR_CONFIG, "it comes before %s: give the files in their order", last->name);
    if (same && number > before + 1)
        return err_set(err, ERR_CONFIG, "%.*s%0*llu is missing between %s and this file", (int)stem, name, (int)(strlen(name) - stem),
                       (unsigned long long)before + 1, last->name);
    if (!last->following[0] || last->relay) return true;
    return err_set(err, ERR_CONFIG, "it does not follow %s, whose last event names %s as the next file", last->name, last->following);
}

/* A torn end is what a killed server leaves; then the next file is the first after its start. */
bool binlog_file_follows(const struct binlog_file *file, const struct binlog_end *last, bool *killed, struct err *err)
{
    *killed = last->how != BINLOG_CLOSED && !last->relay;
    if (!in_order(file, last, err)) return false;
    if (!*killed || file->after_start) return true;
    return err_set(err, ERR_CORRUPT, "%s ends %s, and its server went on in the next file: the copy of %s is not whole", last->name,
                   binlog_end_text(last->how), last->name);
}
