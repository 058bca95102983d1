/*
 * gtid_text.c: GTIDs and sets as text (gtid.h). Which kind a text is, is seen at its first entry: MariaDB's has no colon, a file's is digits before it.
 * MySQL's grammar is that of its manual, "GTID Sets"; what its server takes is taken, what it prints is printed.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "gtid.h"

static const uint64_t NUMBER_MAX = INT64_MAX - 1; /* MySQL's GNO_END is the first that is none */

enum { SHOWN_MAX = 200, PART_MAX = 80, FILE_DIGITS_MAX = 10 };

static bool digits(struct cursor *in, uint64_t max, uint64_t *value)
{
    uint64_t v = 0;
    const uint8_t *start = in->at;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') {
        unsigned digit = *in->at++ - '0';
        if (v > (max - digit) / 10) return false;
        v = v * 10 + digit;
    }
    *value = v;
    return in->at > start;
}

static void skip_space(struct cursor *in)
{
    while (in->at < in->end && isspace(*in->at)) in->at++;
}

static int shown(struct slice text) { return (int)(text.size > SHOWN_MAX ? SHOWN_MAX : text.size); }

static bool is(struct cursor *in, uint8_t byte)
{
    skip_space(in);
    if (in->at == in->end || *in->at != byte) return false;
    in->at++;
    return true;
}

/* ---- MariaDB ---- */

static bool malformed(struct slice text, struct err *err)
{
    return err_set(err, ERR_CONFIG, "'%.*s' is not a MariaDB GTID position: expected DOMAIN-SERVER-SEQUENCE, for example "
                   "0-1-42, several separated by commas", shown(text), (const char *)text.data);
}

static bool take_mariadb(struct cursor *in, struct gtid *gtid)
{
    uint64_t domain, server, seq;
    if (!digits(in, UINT32_MAX, &domain) || cursor_u8(in) != '-') return false;
    if (!digits(in, UINT32_MAX, &server) || cursor_u8(in) != '-') return false;
    if (!digits(in, UINT64_MAX, &seq)) return false;
    *gtid = (struct gtid){.domain = (uint32_t)domain, .server = (uint32_t)server, .seq = seq};
    return true;
}

static bool parse_mariadb(struct slice text, struct gtid_set *set, struct err *err)
{
    struct cursor in = cursor_of(text);
    skip_space(&in);
    while (cursor_left(&in)) {
        struct gtid gtid;
        if (!take_mariadb(&in, &gtid)) return malformed(text, err);
        if (gtid_set_get(set, gtid.domain).seq)
            return err_set(err, ERR_CONFIG, "domain %" PRIu32 " stands twice in '%.*s': a position has one GTID per domain",
                           gtid.domain, SLICE_ARG(text));
        if (!gtid_set_put(set, gtid, err)) return false;
        skip_space(&in);
        if (!cursor_left(&in)) break;
        if (cursor_u8(&in) != ',') return malformed(text, err);
        skip_space(&in);
        if (!cursor_left(&in)) return malformed(text, err);
    }
    return true;
}

/* ---- a file ---- */

static bool parse_file(struct slice text, struct gtid_set *set, struct err *err)
{
    struct cursor in = cursor_of(text);
    uint64_t number, offset;
    skip_space(&in);
    bool good = digits(&in, UINT32_MAX, &number) && is(&in, ':') && digits(&in, UINT64_MAX, &offset);
    skip_space(&in);
    if (!good || cursor_left(&in))
        return err_set(err, ERR_CONFIG, "'%.*s' is no place in a binary log: expected NUMBER:OFFSET, for example 000042:1234 in the file "
                       "binlog.000042", shown(text), (const char *)text.data);
    return gtid_set_put(set, (struct gtid){.kind = GTID_FILE, .server = (uint32_t)number, .seq = offset}, err);
}

/* ---- MySQL ---- */

/* The text up to the next comma or colon, trimmed. */
static struct slice part_at(const struct cursor *in)
{
    struct cursor at = *in;
    skip_space(&at);
    const uint8_t *end = at.at;
    while (end < at.end && *end != ',' && *end != ':') end++;
    while (end > at.at && isspace(end[-1])) end--;
    return slice_of(at.at, (size_t)(end - at.at));
}

static bool wrong_part(struct slice part, struct slice text, const char *what, struct err *err)
{
    return err_set(err, ERR_CONFIG, "'%.*s' in '%.*s' %s; a MySQL GTID set is UUID:INTERVAL or UUID:TAG:INTERVAL, for example "
                   "588edc56-e4a0-11f1-a6d4-02fc00000001:1-5:7:mytag:1-3, several separated by commas",
                   (int)(part.size > PART_MAX ? PART_MAX : part.size), (const char *)part.data, shown(text), (const char *)text.data, what);
}

static int hex_of(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (uint8_t)tolower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* With dashes in their places, or without any. */
static bool read_uuid(struct slice part, uint8_t uuid[GTID_UUID_BYTES])
{
    bool dashes = part.size == 36;
    size_t at = 0;
    if (part.size != 32 && !dashes) return false;
    for (size_t i = 0; i < GTID_UUID_BYTES; i++) {
        if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && part.data[at++] != '-') return false;
        int high = hex_of(part.data[at]), low = hex_of(part.data[at + 1]);
        if (high < 0 || low < 0) return false;
        uuid[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return true;
}

/* A letter or underscore, then those and digits; 32 at most. The server takes capitals as small letters. */
static bool read_tag(struct slice part, char tag[GTID_TAG_MAX + 1])
{
    if (!part.size || part.size > GTID_TAG_MAX || isdigit(part.data[0])) return false;
    for (size_t i = 0; i < part.size; i++) {
        if (!isalnum(part.data[i]) && part.data[i] != '_') return false;
        tag[i] = (char)tolower(part.data[i]);
    }
    tag[part.size] = 0;
    return true;
}

static bool read_interval(struct slice part, struct slice text, struct gtid *item, struct err *err)
{
    struct cursor in = cursor_of(part);
    bool good = digits(&in, NUMBER_MAX, &item->first);
    item->seq = item->first;
    if (good && is(&in, '-')) {
        skip_space(&in);
        good = digits(&in, NUMBER_MAX, &item->seq);
    }
    if (!good || cursor_left(&in))
        return wrong_part(part, text, "is neither a tag (letters, digits, underscores, at most 32, no digit first) nor an interval of numbers below "
                          "9223372036854775807", err);
    if (!item->first) return wrong_part(part, text, "begins at 0, and numbers begin at 1", err);
    if (item->seq < item->first) return wrong_part(part, text, "ends before it begins", err);
    return true;
}

/* One UUID with its intervals, tags between them. */
static bool take_uuid(struct cursor *in, struct slice text, struct gtid_set *set, struct err *err)
{
    struct gtid item = {.kind = GTID_MYSQL};
    struct slice part = part_at(in), last_tag = {NULL, 0};
    bool intervals = false;
    if (!read_uuid(part, item.uuid)) return wrong_part(part, text, "is no UUID", err);
    in->at = part.data + part.size;
    if (!is(in, ':')) return wrong_part(part, text, "has no interval behind it", err);
    do {
        part = part_at(in);
        in->at = part.data + part.size;
        if (read_tag(part, item.tag)) {
            if (last_tag.size) return wrong_part(last_tag, text, "is a tag without an interval behind it", err);
            last_tag = part;
            intervals = false;
            continue;
        }
        if (!read_interval(part, text, &item, err) || !gtid_set_add(set, &item, err)) return false;
        last_tag.size = 0;
        intervals = true;
    } while (is(in, ':'));
    if (!intervals) return wrong_part(last_tag, text, "is a tag without an interval behind it", err);
    skip_space(in);
    return true;
}

static bool parse_mysql(struct slice text, struct gtid_set *set, struct err *err)
{
    struct cursor in = cursor_of(text);
    do {
        skip_space(&in);
        if (!cursor_left(&in) && set->count) break; /* the server takes a comma at the end */
        if (!take_uuid(&in, text, set, err)) return false;
    } while (is(&in, ','));
    if (cursor_left(&in)) return wrong_part(part_at(&in), text, "stands where a comma was expected", err);
    return true;
}

/* ---- all ---- */

static enum gtid_kind kind_of(struct slice text)
{
    struct cursor in = cursor_of(text);
    struct slice part = part_at(&in);
    bool number = part.size && part.size <= FILE_DIGITS_MAX;
    uint8_t uuid[GTID_UUID_BYTES];
    if (read_uuid(part, uuid)) return GTID_MYSQL;
    if (!memchr(text.data, ':', text.size)) return GTID_MARIADB;
    for (size_t i = 0; i < part.size; i++) number &= isdigit(part.data[i]) != 0;
    return number ? GTID_FILE : GTID_MYSQL;
}

bool gtid_set_parse(struct slice text, struct gtid_set *set, struct err *err)
{
    typedef bool parse_fn(struct slice text, struct gtid_set *set, struct err *err);
    static parse_fn *const parsers[GTID_KINDS] = {[GTID_MARIADB] = parse_mariadb, [GTID_MYSQL] = parse_mysql, [GTID_FILE] = parse_file};
    struct gtid_set parsed;
    parsed.count = 0;
    if (!parsers[text.size ? kind_of(text) : GTID_MARIADB](text, &parsed, err)) return false;
    gtid_set_copy(set, &parsed);
    return true;
}

bool gtid_parse(struct slice text, struct gtid *gtid, struct err *err)
{
    struct gtid_set set;
    set.count = 0;
    if (!gtid_set_parse(text, &set, err)) return false;
    if (set.count != 1 || (set.items[0].kind == GTID_MYSQL && set.items[0].first != set.items[0].seq))
        return err_set(err, ERR_CONFIG, "'%.*s' is not one GTID: expected DOMAIN-SERVER-SEQUENCE as 0-1-42 (MariaDB), UUID:NUMBER or "
                       "UUID:TAG:NUMBER (MySQL), or FILE:OFFSET as 000042:1234", shown(text), (const char *)text.data);
    *gtid = set.items[0];
    return true;
}

static size_t put_stream(const struct gtid *gtid, char *text, size_t room)
{
    const uint8_t *u = gtid->uuid;
    return (size_t)snprintf(text, room, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2], u[3], u[4], u[5],
                            u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

void gtid_format(const struct gtid *gtid, char text[GTID_TEXT_MAX])
{
    size_t n;
    switch (gtid->kind) {
    case GTID_FILE:
        snprintf(text, GTID_TEXT_MAX, "%06" PRIu32 ":%" PRIu64, gtid->server, gtid->seq);
        break;
    case GTID_MYSQL:
        n = put_stream(gtid, text, GTID_TEXT_MAX);
        snprintf(text + n, GTID_TEXT_MAX - n, "%s%s:%" PRIu64, *gtid->tag ? ":" : "", gtid->tag, gtid->seq);
        break;
    case GTID_MARIADB: case GTID_KINDS:
        snprintf(text, GTID_TEXT_MAX, "%" PRIu32 "-%" PRIu32 "-%" PRIu64, gtid->domain, gtid->server, gtid->seq);
    }
}

/* The UUID where it is another than before, the tag likewise, then the interval. */
static size_t put_interval(const struct gtid_set *set, uint32_t i, char *text, size_t room)
{
    const struct gtid *item = &set->items[i], *before = i ? item - 1 : NULL;
    size_t n = 0;
    bool same = before && !memcmp(before->uuid, item->uuid, sizeof item->uuid);
    if (!same) {
        if (before) text[n++] = ',';
        n += put_stream(item, text + n, room - n);
    }
    if (*item->tag && !(same && !strcmp(before->tag, item->tag))) n += (size_t)snprintf(text + n, room - n, ":%s", item->tag);
    n += (size_t)snprintf(text + n, room - n, ":%" PRIu64, item->first);
    if (item->seq != item->first) n += (size_t)snprintf(text + n, room - n, "-%" PRIu64, item->seq);
    return n;
}

void gtid_set_format(const struct gtid_set *set, char text[GTID_SET_TEXT_MAX])
{
    size_t n = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        char one[GTID_TEXT_MAX];
        if (set->items[i].kind == GTID_MYSQL) {
            n += put_interval(set, i, text + n, GTID_SET_TEXT_MAX - n);
            continue;
        }
        gtid_format(&set->items[i], one);
        n += (size_t)snprintf(text + n, GTID_SET_TEXT_MAX - n, "%s%s", i ? "," : "", one);
    }
}
