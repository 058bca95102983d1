/* event.c: see event.h. */
#include "event.h"

#include <isa-l/crc.h>
#include <stdio.h>
#include <string.h>

#include "cursor.h"

enum { DECODE = EVENT_DECODE, CONSUME = EVENT_CONSUME, SKIP = EVENT_SKIP, STOP = EVENT_REFUSE };

static const struct event_fate fates[EVENT_TYPES] = {
#define FATE_ROW(number, text, action, ...) [number] = {text, (enum event_action)(action), __VA_ARGS__},
#define EVENT(number, name, handler, ...) FATE_ROW(number, #name, __VA_ARGS__)
#include "fate.def"
#undef EVENT
};

uint32_t event_server_number(const char *version)
{
    unsigned major = 0, minor = 0, patch = 0;
    return sscanf(version, "%3u.%3u.%3u", &major, &minor, &patch) >= 2 ? major * 10000 + minor * 100 + patch : 0;
}

uint64_t event_end(const struct event *event, uint64_t offset, bool *made)
{
    *made = event->flags & EVENT_FLAG_ARTIFICIAL || event->type == EVENT_HEARTBEAT || event->type == EVENT_HEARTBEAT_V2 ||
            ((event->type == EVENT_FORMAT_DESCRIPTION || event->type == EVENT_START_ENCRYPTION) && !event->log_pos);
    if (!*made) offset += event->raw.size;
    if (!event->log_pos || event->type == EVENT_ROTATE) return offset;
    int32_t off = (int32_t)(event->log_pos - (uint32_t)offset);
    if (off < 0 && (uint64_t)-(int64_t)off > offset) return offset + (uint32_t)off; /* a step over more than 2 GiB that we need not have */
    return (uint64_t)((int64_t)offset + off);
}

const struct event_fate *event_fate(uint8_t type) { return &fates[type]; }

bool event_refuse(const struct event *event, struct err *err)
{
    const struct event_fate *fate = &fates[event->type];
    if (!fate->name)
        return err_set(err, ERR_UNSUPPORTED, "type %u is unknown to this release and not flagged as ignorable; what to do: upgrade "
                       "wolfcdc, or turn off the feature of the source that writes it", event->type);
    return err_set(err, ERR_UNSUPPORTED, "%s; what to do: %s", fate->reason, fate->remedy);
}

struct event_format event_format_default(bool mariadb, bool checksum)
{
    return (struct event_format){.mariadb = mariadb, .checksum = checksum, .table_id_bytes = 6, .query_post_header = 13};
}

static uint32_t crc(uint32_t seed, const uint8_t *data, size_t size) { return crc32_gzip_refl(seed, data, size); }

/* The checksum of a FORMAT_DESCRIPTION was made before its file was marked as in use. */
static uint32_t crc_of_format(struct slice raw)
{
    uint8_t header[EVENT_HEADER];
    memcpy(header, raw.data, sizeof header);
    header[17] &= (uint8_t)~EVENT_FLAG_IN_USE;
    return crc(crc(0, header, sizeof header), raw.data + EVENT_HEADER, raw.size - EVENT_HEADER - EVENT_CHECKSUM);
}

static bool check(const struct event *event, struct err *err)
{
    struct slice raw = event->raw;
    struct cursor tail = cursor_of(slice_of(raw.data + raw.size - EVENT_CHECKSUM, EVENT_CHECKSUM));
    uint32_t stored = cursor_u32(&tail);
    uint32_t found = event->type == EVENT_FORMAT_DESCRIPTION ? crc_of_format(raw) : crc(0, raw.data, raw.size - EVENT_CHECKSUM);
    if (stored == found) return true;
    return err_set(err, ERR_CORRUPT, "wrong checksum: the event says %08x, its bytes give %08x; what to do: check the source's file "
                   "with mariadb-binlog --verify-binlog-checksum", stored, found);
}

/* MySQL 5.6.1 and MariaDB 5.3 put the checksum's algorithm, and room for a checksum, behind the list of lengths. `after`: what follows the
   FORMAT_DESCRIPTION's header. */
static bool format_is_summed(struct slice after)
{
    char version[EVENT_VERSION_MAX] = "";
    unsigned major = 0, minor = 0, patch = 0;
    if (after.size < 2 + 50) return true; /* too short for either */
    memcpy(version, after.data + 2, 50);
    if (sscanf(version, "%3u.%3u.%3u", &major, &minor, &patch) < 2) return true;
    unsigned number = major * 1000000 + minor * 1000 + patch;
    return number >= (strstr(version, "MariaDB") || strstr(version, "-maria-") ? 5003000 : 5006001);
}

bool event_decode(struct slice raw, const struct event_format *format, bool verify, struct event *event, struct err *err)
{
    struct cursor in = cursor_of(raw);
    struct event e = {.raw = raw};
    e.timestamp = cursor_u32(&in);
    e.type = cursor_u8(&in);
    e.server_id = cursor_u32(&in);
    uint32_t size = cursor_u32(&in);
    e.log_pos = cursor_u32(&in);
    e.flags = cursor_u16(&in);
    if (in.failed || size != raw.size)
        return err_set(err, ERR_CORRUPT, "an event of %zu bytes says that it has %u", raw.size, in.failed ? 0 : size);
    bool is_format = e.type == EVENT_FORMAT_DESCRIPTION, summed = is_format ? format_is_summed(slice_of(in.at, cursor_left(&in))) : format->checksum;
    size_t tail = summed ? EVENT_CHECKSUM : 0;
    if (cursor_left(&in) < tail + (is_format ? 1u : 0u)) return err_set(err, ERR_CORRUPT, "an event of %zu bytes is too short", raw.size);
    e.body = cursor_bytes(&in, cursor_left(&in) - tail);
    /* a FORMAT_DESCRIPTION says for itself, in its last byte, whether checksums are on */
    if (is_format && summed) summed = e.body.data[e.body.size - 1] == 1;
    if (verify && summed && !check(&e, err)) return false;
    *event = e;
    return true;
}

bool event_format_decode(const struct event *event, struct event_format *format, struct err *err)
{
    struct cursor in = cursor_of(event->body);
    struct event_format f = event_format_default(false, false);
    uint16_t binlog_version = cursor_u16(&in);
    struct slice version = cursor_bytes(&in, 50);
    f.created = cursor_u32(&in);
    uint8_t header = cursor_u8(&in);
    if (in.failed || binlog_version != 4 || header != EVENT_HEADER)
        return err_set(err, ERR_CORRUPT, "not the start of a binary log of version 4 (version %u, header of %u bytes)", binlog_version, header);
    if (cursor_left(&in) < EVENT_TABLE_MAP + 1u) return err_set(err, ERR_CORRUPT, "its list of event types is too short");
    bool summed = format_is_summed(event->body);
    struct slice lengths = cursor_bytes(&in, cursor_left(&in) - summed);
    uint8_t algorithm = summed ? cursor_u8(&in) : 0;
    if (algorithm > 1) return err_set(err, ERR_UNSUPPORTED, "checksum algorithm %u is unknown", algorithm);
    memcpy(f.version, version.data, version.size);
    f.explicit_timestamp = format->explicit_timestamp; /* no file says it */
    f.mariadb = strstr(f.version, "MariaDB") || strstr(f.version, "-maria-");
    f.checksum = algorithm == 1;
    f.table_id_bytes = lengths.data[EVENT_TABLE_MAP - 1] == 6 ? 4 : 6;
    if (lengths.data[EVENT_QUERY - 1] > 13) f.query_post_header = lengths.data[EVENT_QUERY - 1];
    *format = f;
    return true;
}
