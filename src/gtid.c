/* gtid.c: see gtid.h. What differs between the kinds is here and nowhere else: reading is in gtid_text.c. */
#include "gtid.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- one ---- */

static int stream_order(const struct gtid *a, const struct gtid *b)
{
    if (a->kind == GTID_MARIADB) return a->domain < b->domain ? -1 : a->domain > b->domain;
    if (a->kind == GTID_FILE) return 0;
    int order = memcmp(a->uuid, b->uuid, sizeof a->uuid);
    return order ? order : strcmp(a->tag, b->tag);
}

bool gtid_same_stream(const struct gtid *a, const struct gtid *b) { return a->kind == b->kind && stream_order(a, b) == 0; }

bool gtid_equal(const struct gtid *a, const struct gtid *b)
{
    if (!gtid_same_stream(a, b) || a->seq != b->seq) return false;
    return a->kind == GTID_MYSQL || a->server == b->server;
}

bool gtid_is(const struct gtid *seen, const struct gtid *wanted)
{
    if (!gtid_same_stream(seen, wanted) || seen->seq != wanted->seq) return false;
    return seen->kind != GTID_FILE || seen->server == wanted->server;
}

bool gtid_reaches(const struct gtid *seen, const struct gtid *wanted)
{
    if (!gtid_same_stream(seen, wanted)) return false;
    switch (seen->kind) {
    case GTID_MARIADB: return seen->seq >= wanted->seq;
    case GTID_FILE: return seen->server > wanted->server || (seen->server == wanted->server && seen->seq >= wanted->seq);
    case GTID_MYSQL: case GTID_KINDS: break;
    }
    return seen->seq == wanted->seq;
}

/* ---- a set ---- */

enum gtid_kind gtid_set_kind(const struct gtid_set *set) { return set->count ? set->items[0].kind : GTID_MARIADB; }

void gtid_set_copy(struct gtid_set *to, const struct gtid_set *from)
{
    to->count = from->count;
    memmove(to->items, from->items, from->count * sizeof *from->items);
}

/* The first entry that is of a later stream, or of this one and ends at or after `seq`. */
static uint32_t place(const struct gtid_set *set, const struct gtid *gtid, uint64_t seq)
{
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = stream_order(&set->items[middle], gtid);
        if (order < 0 || (order == 0 && set->items[middle].seq < seq)) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool is_stream(const struct gtid_set *set, uint32_t i, const struct gtid *gtid)
{
    return i < set->count && gtid_same_stream(&set->items[i], gtid);
}

struct gtid gtid_set_get(const struct gtid_set *set, uint32_t domain)
{
    struct gtid wanted = {.domain = domain};
    uint32_t i = gtid_set_kind(set) == GTID_MARIADB ? place(set, &wanted, 0) : set->count;
    return is_stream(set, i, &wanted) ? set->items[i] : wanted;
}

static bool covers(const struct gtid_set *set, const struct gtid *wanted, uint64_t first, uint64_t last)
{
    if (gtid_set_kind(set) != wanted->kind || !set->count) return false;
    uint32_t i = place(set, wanted, wanted->kind == GTID_MYSQL ? last : 0);
    if (!is_stream(set, i, wanted)) return false;
    const struct gtid *item = &set->items[i];
    switch (wanted->kind) {
    case GTID_MARIADB: return last <= item->seq;
    case GTID_FILE: return wanted->server < item->server || (wanted->server == item->server && last <= item->seq);
    case GTID_MYSQL: case GTID_KINDS: break;
    }
    return item->first <= first && last <= item->seq;
}

bool gtid_set_has(const struct gtid_set *set, const struct gtid *gtid)
{
    /* of a file the set says where the next one begins */
    return covers(set, gtid, gtid->seq, gtid->kind == GTID_FILE ? gtid->seq + 1 : gtid->seq);
}

bool gtid_set_contains(const struct gtid_set *whole, const struct gtid_set *part)
{
    for (uint32_t i = 0; i < part->count; i++)
        if (!covers(whole, &part->items[i], part->items[i].first, part->items[i].seq)) return false;
    return true;
}

bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct gtid *x = &a->items[i], *y = &b->items[i];
        if (!gtid_equal(x, y) || (x->kind == GTID_MYSQL && x->first != y->first)) return false;
    }
    return true;
}

/* ---- changing it ---- */

static void insert(struct gtid_set *set, uint32_t i, const struct gtid *item)
{
    memmove(&set->items[i + 1], &set->items[i], (set->count - i) * sizeof *set->items);
    set->items[i] = *item;
    set->count++;
}

static void take_out(struct gtid_set *set, uint32_t i, uint32_t count)
{
    set->count -= count;
    memmove(&set->items[i], &set->items[i + count], (set->count - i) * sizeof *set->items);
}

static bool same_kind(const struct gtid_set *set, const struct gtid *gtid, struct err *err)
{
    static const char *const names[GTID_KINDS] = {[GTID_MARIADB] = "MariaDB's GTIDs", [GTID_MYSQL] = "MySQL's GTIDs", [GTID_FILE] = "file and offset"};
    if (!set->count || gtid_set_kind(set) == gtid->kind) return true;
    return err_set(err, ERR_STOP, "a position of %s cannot go on with %s: it is another kind of source, or its gtid_mode was changed; what to do: start "
                   "over with an empty log and a fresh copy of the data", names[gtid_set_kind(set)], names[gtid->kind]);
}

static bool put_domain(struct gtid_set *set, const struct gtid *gtid, struct err *err)
{
    uint32_t i = place(set, gtid, 0);
    if (is_stream(set, i, gtid)) {
        set->items[i] = *gtid;
        return true;
    }
    if (set->count >= GTID_DOMAINS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d GTID domains (GTID_DOMAINS_MAX); the one too many is %" PRIu32,
                       GTID_DOMAINS_MAX, gtid->domain);
    insert(set, i, gtid);
    return true;
}

static size_t encoded_size(const struct gtid_set *set)
{
    struct buf out;
    buf_init(&out, 128 << 10);
    gtid_set_encode(set, &out);
    size_t size = out.size;
    buf_fini(&out);
    return size;
}

static bool too_many(struct err *err)
{
    return err_set(err, ERR_LIMIT, "the GTID set has more than %d intervals (GTID_INTERVALS_MAX) or %d bytes (GTID_SET_BYTES_MAX); what to do: fill the "
                   "gaps on the source with empty transactions (SET gtid_next='UUID:NUMBER'; BEGIN; COMMIT; SET gtid_next=AUTOMATIC), which its "
                   "@@gtid_executed shows, and start there", GTID_INTERVALS_MAX, GTID_SET_BYTES_MAX);
}

/* An entry more: rare, because what comes joins the one before it nearly always. */
static bool insert_interval(struct gtid_set *set, uint32_t i, const struct gtid *interval, struct err *err)
{
    if (set->count == GTID_INTERVALS_MAX) return too_many(err);
    insert(set, i, interval);
    if (encoded_size(set) <= GTID_SET_BYTES_MAX) return true;
    take_out(set, i, 1);
    return too_many(err);
}

bool gtid_set_add(struct gtid_set *set, const struct gtid *interval, struct err *err)
{
    if (!same_kind(set, interval, err)) return false;
    /* what ends right before it, and all that begins before its end or right behind it, becomes one */
    uint32_t i = place(set, interval, interval->first - 1), end = i;
    while (is_stream(set, end, interval) && set->items[end].first <= interval->seq + 1) end++;
    if (end == i) return insert_interval(set, i, interval, err);
    struct gtid *joined = &set->items[i];
    uint64_t last = set->items[end - 1].seq;
    if (interval->first < joined->first) joined->first = interval->first;
    joined->seq = last > interval->seq ? last : interval->seq;
    if (end - i > 1) take_out(set, i + 1, end - i - 1);
    return true;
}

bool gtid_set_put(struct gtid_set *set, struct gtid gtid, struct err *err)
{
    if (gtid.kind == GTID_MYSQL) {
        gtid.first = gtid.seq;
        return gtid_set_add(set, &gtid, err);
    }
    return same_kind(set, &gtid, err) && put_domain(set, &gtid, err);
}

bool gtid_set_drop(struct gtid_set *set, const struct gtid *gtid, struct err *err)
{
    uint32_t i = place(set, gtid, gtid->seq);
    if (gtid_set_kind(set) != GTID_MYSQL || !is_stream(set, i, gtid) || set->items[i].first > gtid->seq) return true;
    struct gtid *item = &set->items[i], before = *item;
    if (item->first == item->seq) {
        take_out(set, i, 1);
    } else if (item->first == gtid->seq) {
        item->first++;
    } else if (item->seq == gtid->seq) {
        item->seq--;
    } else {
        before.seq = gtid->seq - 1;
        item->first = gtid->seq + 1;
        if (insert_interval(set, i, &before, err)) return true;
        set->items[i].first = before.first;
        return false;
    }
    return true;
}

void gtid_set_remove(struct gtid_set *set, uint32_t domain)
{
    struct gtid wanted = {.domain = domain};
    uint32_t i = place(set, &wanted, 0);
    if (gtid_set_kind(set) == GTID_MARIADB && is_stream(set, i, &wanted)) take_out(set, i, 1);
}

/* What of one interval is not in the set. */
static void missing_of(const struct gtid *item, const struct gtid_set *set, struct gtid_set *missing)
{
    struct gtid rest = *item;
    uint32_t i = gtid_set_kind(set) == item->kind ? place(set, item, item->first) : set->count;
    for (; is_stream(set, i, item) && rest.first <= item->seq && set->items[i].first <= item->seq; i++) {
        if (set->items[i].first > rest.first && missing->count < GTID_INTERVALS_MAX) {
            missing->items[missing->count] = rest;
            missing->items[missing->count++].seq = set->items[i].first - 1;
        }
        rest.first = set->items[i].seq + 1;
    }
    if (rest.first <= item->seq && missing->count < GTID_INTERVALS_MAX) missing->items[missing->count++] = rest;
}

void gtid_set_missing(const struct gtid_set *a, const struct gtid_set *b, struct gtid_set *missing)
{
    missing->count = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct gtid *item = &a->items[i];
        if (item->kind == GTID_MYSQL) missing_of(item, b, missing);
        else if (!covers(b, item, item->seq, item->seq)) missing->items[missing->count++] = *item;
    }
}

/* ---- in the log ---- */

/* A number of a domain has 32 bits: what is above them says that another kind follows. A set's count has 12. */
static const uint64_t KIND_OF_ONE = UINT64_C(1) << 32;
enum { KIND_OF_SET = 1 << 12 };

static struct slice uuid_of(const struct gtid *gtid) { return slice_of(gtid->uuid, sizeof gtid->uuid); }

static bool stream_after(const struct gtid_set *set, const struct gtid *item)
{
    return !set->count || stream_order(&set->items[set->count - 1], item) < 0;
}

static void take_stream(struct cursor *in, struct gtid *gtid)
{
    struct slice uuid = cursor_bytes(in, sizeof gtid->uuid), tag = cursor_varint_bytes(in);
    if (tag.size > GTID_TAG_MAX) in->failed = true;
    if (in->failed) return;
    memcpy(gtid->uuid, uuid.data, sizeof gtid->uuid);
    if (tag.size) memcpy(gtid->tag, tag.data, tag.size);
}

void gtid_encode(const struct gtid *gtid, struct buf *out)
{
    if (gtid->kind == GTID_MARIADB) {
        buf_varint(out, gtid->domain);
        buf_varint(out, gtid->server);
    } else {
        buf_varint(out, KIND_OF_ONE * gtid->kind);
        if (gtid->kind == GTID_FILE) buf_varint(out, gtid->server);
        else buf_slice(out, uuid_of(gtid)), buf_varint_bytes(out, slice_text(gtid->tag));
    }
    buf_varint(out, gtid->seq);
}

struct gtid gtid_decode(struct cursor *in)
{
    uint64_t head = cursor_varint(in), number = 0;
    struct gtid gtid = {.domain = (uint32_t)head, .kind = (enum gtid_kind)(head / KIND_OF_ONE)};
    if (gtid.kind == GTID_MYSQL) take_stream(in, &gtid);
    else number = cursor_varint(in);
    if (head / KIND_OF_ONE >= GTID_KINDS || number > UINT32_MAX) in->failed = true;
    gtid.server = (uint32_t)number;
    gtid.seq = cursor_varint(in);
    return gtid;
}

static uint32_t stream_end(const struct gtid_set *set, uint32_t i)
{
    uint32_t end = i;
    while (end < set->count && gtid_same_stream(&set->items[end], &set->items[i])) end++;
    return end;
}

/* A stream's uuid and tag once, then its intervals: from the end of the one before to the first, from first to last. */
static void encode_intervals(const struct gtid_set *set, struct buf *out)
{
    for (uint32_t i = 0; i < set->count;) {
        uint32_t end = stream_end(set, i);
        uint64_t before = 0;
        buf_slice(out, uuid_of(&set->items[i]));
        buf_varint_bytes(out, slice_text(set->items[i].tag));
        buf_varint(out, end - i);
        for (; i < end; i++) {
            buf_varint(out, set->items[i].first - before);
            buf_varint(out, set->items[i].seq - set->items[i].first);
            before = set->items[i].seq;
        }
    }
}

void gtid_set_encode(const struct gtid_set *set, struct buf *out)
{
    enum gtid_kind kind = gtid_set_kind(set);
    buf_varint(out, (uint64_t)KIND_OF_SET * kind + set->count);
    if (kind == GTID_MYSQL) {
        encode_intervals(set, out);
        return;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        if (kind == GTID_MARIADB) buf_varint(out, set->items[i].domain);
        buf_varint(out, set->items[i].server);
        buf_varint(out, set->items[i].seq);
    }
}

static void decode_intervals(struct cursor *in, struct gtid_set *set, uint64_t count)
{
    while (!in->failed && set->count < count) {
        struct gtid item = {.kind = GTID_MYSQL};
        take_stream(in, &item);
        uint64_t intervals = cursor_varint(in);
        if (!intervals || intervals > count - set->count || !stream_after(set, &item)) in->failed = true;
        for (; !in->failed && intervals; intervals--) {
            uint64_t gap = cursor_varint(in);
            if (gap < (item.seq ? 2 : 1)) in->failed = true; /* else they would be one */
            item.first = item.seq + gap;
            item.seq = item.first + cursor_varint(in);
            if (item.first < gap || item.seq < item.first) in->failed = true;
            set->items[set->count++] = item;
        }
    }
}

bool gtid_set_decode(struct cursor *in, struct gtid_set *set)
{
    static const uint32_t most[GTID_KINDS] = {[GTID_MARIADB] = GTID_DOMAINS_MAX, [GTID_MYSQL] = GTID_INTERVALS_MAX, [GTID_FILE] = 1};
    uint64_t head = cursor_varint(in), kind = head / KIND_OF_SET, count = head % KIND_OF_SET;
    set->count = 0;
    if (kind >= GTID_KINDS || count > most[kind]) in->failed = true;
    if (!in->failed && kind == GTID_MYSQL) decode_intervals(in, set, count);
    for (uint64_t i = set->count; !in->failed && i < count; i++) {
        uint64_t domain = kind == GTID_MARIADB ? cursor_varint(in) : 0, server = cursor_varint(in);
        set->items[i] = (struct gtid){.domain = (uint32_t)domain, .server = (uint32_t)server, .seq = cursor_varint(in), .kind = (enum gtid_kind)kind};
        set->count++;
        if (domain > UINT32_MAX || server > UINT32_MAX || (i && domain <= set->items[i - 1].domain)) in->failed = true;
    }
    if (in->failed) set->count = 0;
    return !in->failed;
}

/* ---- a place in the source ---- */

void source_pos_copy(struct source_pos *to, const struct source_pos *from)
{
    gtid_set_copy(&to->gtids, &from->gtids);
    to->offset = from->offset;
    memmove(to->file, from->file, strlen(from->file) + 1);
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

bool source_file_number(const char *file, uint32_t *number)
{
    const char *dot = strrchr(file, '.');
    char *end;
    if (!dot || dot[1] < '0' || dot[1] > '9') return false;
    unsigned long value = strtoul(dot + 1, &end, 10);
    if (*end || value > UINT32_MAX) return false;
    *number = (uint32_t)value;
    return true;
}

void source_file_name(const char *beside, uint32_t number, char file[SOURCE_FILE_MAX])
{
    const char *dot = strrchr(beside, '.');
    size_t size = dot ? (size_t)(dot - beside) : strlen(beside);
    char name[SOURCE_FILE_MAX + 16];
    snprintf(name, sizeof name, "%.*s.%06" PRIu32, (int)(size < SOURCE_FILE_MAX ? size : SOURCE_FILE_MAX - 1), beside, number);
    snprintf(file, SOURCE_FILE_MAX, "%.*s", SOURCE_FILE_MAX - 1, name);
}
