/* gtid.c: see gtid.h. */
#include "gtid.h"

#include <inttypes.h>
#include <stdio.h>

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

static bool take_gtid(struct cursor *in, struct gtid *gtid)
{
    uint64_t domain, server, seq;
    if (!digits(in, UINT32_MAX, &domain) || cursor_u8(in) != '-') return false;
    if (!digits(in, UINT32_MAX, &server) || cursor_u8(in) != '-') return false;
    if (!digits(in, UINT64_MAX, &seq)) return false;
    *gtid = (struct gtid){(uint32_t)domain, (uint32_t)server, seq};
    return true;
}

static bool malformed(struct slice text, struct err *err)
{
    return err_set(err, ERR_CONFIG, "'%.*s' is not a MariaDB GTID position: expected DOMAIN-SERVER-SEQUENCE, for example "
                   "0-1-42, several separated by commas", (int)(text.size > 200 ? 200 : text.size), (const char *)text.data);
}

bool gtid_parse(struct slice text, struct gtid *gtid, struct err *err)
{
    struct cursor in = cursor_of(text);
    struct gtid parsed;
    if (!take_gtid(&in, &parsed) || in.failed || cursor_left(&in)) return malformed(text, err);
    *gtid = parsed;
    return true;
}

void gtid_format(const struct gtid *gtid, char text[GTID_TEXT_MAX])
{
    snprintf(text, GTID_TEXT_MAX, "%" PRIu32 "-%" PRIu32 "-%" PRIu64, gtid->domain, gtid->server, gtid->seq);
}

static void skip_space(struct cursor *in)
{
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\n')) in->at++;
}

bool gtid_set_parse(struct slice text, struct gtid_set *set, struct err *err)
{
    struct gtid_set parsed = {0};
    struct cursor in = cursor_of(text);
    skip_space(&in);
    while (cursor_left(&in)) {
        struct gtid gtid;
        if (!take_gtid(&in, &gtid)) return malformed(text, err);
        if (gtid_set_get(&parsed, gtid.domain).seq)
            return err_set(err, ERR_CONFIG, "domain %" PRIu32 " stands twice in '%.*s': a position has one GTID per domain",
                           gtid.domain, SLICE_ARG(text));
        if (!gtid_set_put(&parsed, gtid, err)) return false;
        skip_space(&in);
        if (!cursor_left(&in)) break;
        if (cursor_u8(&in) != ',') return malformed(text, err);
        skip_space(&in);
        if (!cursor_left(&in)) return malformed(text, err);
    }
    *set = parsed;
    return true;
}

void gtid_set_format(const struct gtid_set *set, char text[GTID_SET_TEXT_MAX])
{
    size_t n = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        char one[GTID_TEXT_MAX];
        gtid_format(&set->items[i], one);
        n += (size_t)snprintf(text + n, GTID_SET_TEXT_MAX - n, "%s%s", i ? "," : "", one);
    }
}

/* Where the domain is, or where it would go. */
static uint32_t place(const struct gtid_set *set, uint32_t domain)
{
    uint32_t i = 0;
    while (i < set->count && set->items[i].domain < domain) i++;
    return i;
}

struct gtid gtid_set_get(const struct gtid_set *set, uint32_t domain)
{
    uint32_t i = place(set, domain);
    if (i < set->count && set->items[i].domain == domain) return set->items[i];
    return (struct gtid){.domain = domain};
}

bool gtid_set_put(struct gtid_set *set, struct gtid gtid, struct err *err)
{
    uint32_t i = place(set, gtid.domain);
    if (i == set->count || set->items[i].domain != gtid.domain) {
        if (set->count == GTID_DOMAINS_MAX)
            return err_set(err, ERR_LIMIT, "more than %d GTID domains (GTID_DOMAINS_MAX); the one too many is %" PRIu32,
                           GTID_DOMAINS_MAX, gtid.domain);
        memmove(&set->items[i + 1], &set->items[i], (set->count - i) * sizeof *set->items);
        set->count++;
    }
    set->items[i] = gtid;
    return true;
}

void gtid_set_remove(struct gtid_set *set, uint32_t domain)
{
    uint32_t i = place(set, domain);
    if (i == set->count || set->items[i].domain != domain) return;
    set->count--;
    memmove(&set->items[i], &set->items[i + 1], (set->count - i) * sizeof *set->items);
}

bool gtid_set_contains(const struct gtid_set *whole, const struct gtid_set *part)
{
    for (uint32_t i = 0; i < part->count; i++)
        if (gtid_set_get(whole, part->items[i].domain).seq < part->items[i].seq) return false;
    return true;
}

bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct gtid *x = &a->items[i], *y = &b->items[i];
        if (x->domain != y->domain || x->server != y->server || x->seq != y->seq) return false;
    }
    return true;
}

void gtid_set_encode(const struct gtid_set *set, struct buf *out)
{
    buf_varint(out, set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        buf_varint(out, set->items[i].domain);
        buf_varint(out, set->items[i].server);
        buf_varint(out, set->items[i].seq);
    }
}

bool gtid_set_decode(struct cursor *in, struct gtid_set *set)
{
    uint64_t count = cursor_varint(in);
    if (count > GTID_DOMAINS_MAX) in->failed = true;
    set->count = in->failed ? 0 : (uint32_t)count;
    for (uint32_t i = 0; i < set->count; i++) {
        uint64_t domain = cursor_varint(in), server = cursor_varint(in);
        set->items[i] = (struct gtid){(uint32_t)domain, (uint32_t)server, cursor_varint(in)};
        if (domain > UINT32_MAX || server > UINT32_MAX || (i && domain <= set->items[i - 1].domain)) in->failed = true;
    }
    return !in->failed;
}

void source_pos_encode(const struct source_pos *pos, struct buf *out)
{
    gtid_set_encode(&pos->gtids, out);
    buf_varint(out, pos->offset);
    buf_varint_bytes(out, slice_text(pos->file));
}

bool source_pos_decode(struct cursor *in, struct source_pos *pos)
{
    gtid_set_decode(in, &pos->gtids);
    pos->offset = cursor_varint(in);
    struct slice file = cursor_varint_bytes(in);
    if (file.size >= sizeof pos->file) in->failed = true;
    if (in->failed) return false;
    if (file.size) memcpy(pos->file, file.data, file.size);
    pos->file[file.size] = 0;
    return true;
}
