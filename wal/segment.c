/* segment.c: see segment.h. */
#include "segment.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "record.h"

enum { HEADER_CRC_AT = SEGMENT_HEADER - 4, SEARCH_CHUNK = 1 << 20 };

static const char magic[8] = {'w', 'o', 'l', 'f', 'w', 'a', 'l', '\n'};

/* --- names --- */

void segment_name_format(const struct segment_name *name, char text[SEGMENT_NAME_MAX])
{
    if (name->sealed)
        snprintf(text, SEGMENT_NAME_MAX, "wal-%016llx-%016llx.seg", (unsigned long long)name->first,
                 (unsigned long long)name->last);
    else
        snprintf(text, SEGMENT_NAME_MAX, "wal-%016llx.open", (unsigned long long)name->first);
}

static bool hex16(const char **text, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < 16; i++, (*text)++) {
        char c = **text;
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return false;
        *value = *value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return true;
}

bool segment_name_parse(const char *text, struct segment_name *name)
{
    struct segment_name n = {0};
    if (strncmp(text, "wal-", 4)) return false;
    text += 4;
    if (!hex16(&text, &n.first) || !n.first) return false;
    if (*text == '-') {
        text++;
        if (!hex16(&text, &n.last) || n.last < n.first) return false;
        n.sealed = true;
    }
    if (strcmp(text, n.sealed ? ".seg" : ".open")) return false;
    *name = n;
    return true;
}

void segment_path(const char *dir, const char *file, char path[FILE_PATH_MAX])
{
    int n = snprintf(path, FILE_PATH_MAX, "%s/%s", dir, file);
    assert(n < FILE_PATH_MAX);
}

/* --- header --- */

void uuid_format(const uint8_t u[UUID_BYTES], char text[WAL_UUID_TEXT])
{
    snprintf(text, WAL_UUID_TEXT, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2],
             u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

void segment_header_encode(struct segment_header *h, uint8_t out[SEGMENT_HEADER])
{
    struct buf b;
    buf_init(&b, HEADER_CRC_AT);
    buf_put(&b, magic, sizeof magic);
    buf_le(&b, WAL_VERSION, 4);
    buf_le(&b, SEGMENT_HEADER, 4);
    buf_put(&b, h->uuid, UUID_BYTES);
    buf_le(&b, h->first_lsn, 8);
    buf_le(&b, h->before_last, 8);
    buf_le(&b, h->before_crc, 4);
    buf_le(&b, h->created_us, 8);
    buf_varint(&b, h->resume.last_lsn);
    gtid_encode(&h->resume.gtid, &b);
    gtid_encode(&h->resume.previous, &b);
    buf_le(&b, h->resume.crc, 4);
    buf_le(&b, h->resume.timestamp, 4);
    source_pos_encode(&h->resume.pos, &b);
    assert(!b.full); /* a set of at most GTID_SET_BYTES_MAX and a file name of 511 */
    memset(out, 0, SEGMENT_HEADER);
    memcpy(out, b.data, b.size);
    buf_fini(&b);
    h->seed = crc32c(0, out, HEADER_CRC_AT);
    memcpy(out + HEADER_CRC_AT, &h->seed, 4);
}

bool segment_header_decode(const uint8_t bytes[SEGMENT_HEADER], const char *path, struct segment_header *header,
                           struct err *err)
{
    struct segment_header h = {0};
    struct cursor in = cursor_of(slice_of(bytes, HEADER_CRC_AT));
    bool is_ours = memcmp(cursor_bytes(&in, sizeof magic).data, magic, sizeof magic) == 0;
    uint32_t version = cursor_u32(&in), size = cursor_u32(&in);
    memcpy(&h.seed, bytes + HEADER_CRC_AT, 4);
    if (is_ours && version > WAL_VERSION && version < 1000)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: offset 8: the log has format version %u, this program reads up to %d: use the newer wolfcdc",
                       path, version, WAL_VERSION);
    if (!is_ours || version < WAL_VERSION_MIN || version > WAL_VERSION || size != SEGMENT_HEADER || h.seed != crc32c(0, bytes, HEADER_CRC_AT))
        return err_set(err, ERR_CORRUPT,
                       "%s: offset 0: the segment header is damaged; restore this file from a copy, or move the whole "
                       "directory away and start a new log from the target's position (wolfctl sink adopt)",
                       path);
    h.version = version;
    memcpy(h.uuid, cursor_bytes(&in, UUID_BYTES).data, UUID_BYTES);
    h.first_lsn = cursor_u64(&in);
    h.before_last = cursor_u64(&in);
    h.before_crc = cursor_u32(&in);
    h.created_us = cursor_u64(&in);
    h.resume.last_lsn = cursor_varint(&in);
    h.resume.gtid = gtid_decode(&in);
    h.resume.previous = gtid_decode(&in);
    h.resume.crc = cursor_u32(&in);
    h.resume.timestamp = cursor_u32(&in);
    h.resume.empty = h.resume.last_lsn == 0;
    if (!source_pos_decode(&in, &h.resume.pos) || in.failed)
        return err_set(err, ERR_CORRUPT, "%s: offset 60: impossible source position in the segment header", path);
    *header = h;
    return true;
}

bool segment_open(struct segment *segment, const struct file_system *files, const char *dir,
                  const struct segment_name *name, unsigned how, struct err *err)
{
    char text[SEGMENT_NAME_MAX], path[FILE_PATH_MAX];
    uint8_t bytes[SEGMENT_HEADER] = {0};
    size_t got;
    memset(segment, 0, sizeof *segment);
    segment->name = *name;
    segment_name_format(name, text);
    segment_path(dir, text, path);
    if (!file_open(&segment->file, files, path, how, err)) return false;
    if (!file_size(&segment->file, &segment->size, err) ||
        !file_read(&segment->file, bytes, sizeof bytes, 0, &got, err) ||
        !segment_header_decode(bytes, path, &segment->header, err))
        goto fail;
    if (segment->header.first_lsn != name->first) {
        err_set(err, ERR_CORRUPT, "%s: offset 32: the header says first LSN %llu, the name %llu: was the file renamed?",
                path, (unsigned long long)segment->header.first_lsn, (unsigned long long)name->first);
        goto fail;
    }
    return true;
fail:
    file_close(&segment->file);
    return false;
}

void segment_close(struct segment *segment) { file_close(&segment->file); }

/* --- walking --- */

struct place segment_start(const struct segment *segment)
{
    return (struct place){SEGMENT_HEADER, segment->header.first_lsn, segment->header.seed};
}

struct place place_after(const struct place *place, const struct block *block)
{
    return (struct place){place->at + BLOCK_HEADER + block->stored_size, place->lsn + block->records, block->crc};
}

enum walk segment_block(struct segment *segment, const struct place *place, struct block *block, struct err *err)
{
    uint8_t bytes[BLOCK_HEADER];
    size_t got;
    struct block b;
    if (!file_read(&segment->file, bytes, sizeof bytes, place->at, &got, err)) return WALK_FAILED;
    if (got < sizeof bytes || !block_decode(bytes, segment->header.seed, &b)) return WALK_NONE;
    if (!block_is_after(&b, place->before, place->lsn) || b.raw_size > BLOCK_RAW_MAX || b.stored_size > b.raw_size)
        return WALK_NONE;
    *block = b;
    return WALK_BLOCK;
}

enum walk segment_data(struct segment *segment, const struct place *place, const struct block *block, struct buf *stored,
                       struct buf *raw, struct slice *bytes, struct err *err)
{
    size_t got;
    buf_clear(stored);
    uint8_t *to = buf_reserve(stored, (size_t)block->stored_size + 1); /* a mark has none */
    assert(to); /* segment_block has checked the size */
    if (!file_read(&segment->file, to, block->stored_size, place->at + BLOCK_HEADER, &got, err)) return WALK_FAILED;
    stored->size = got;
    return block_unpack(block, buf_bytes(stored), raw, bytes) ? WALK_BLOCK : WALK_NONE;
}

bool segment_is_damaged(struct segment *segment, const struct place *place, struct err *err)
{
    uint8_t *chunk = malloc(SEARCH_CHUNK);
    bool damaged = false;
    size_t got = SEARCH_CHUNK;
    if (!chunk) abort();
    for (uint64_t at = place->at; !damaged && got == SEARCH_CHUNK; at += SEARCH_CHUNK - BLOCK_HEADER + 1) {
        if (!file_read(&segment->file, chunk, SEARCH_CHUNK, at, &got, err)) {
            free(chunk);
            return true;
        }
        const uint8_t *p = chunk, *end = chunk + got;
        while (!damaged && end - p >= BLOCK_HEADER && (p = memmem(p, (size_t)(end - p), "wBk1", 4))) {
            struct block b;
            if (end - p < BLOCK_HEADER) break;
            damaged = block_decode(p, segment->header.seed, &b) && b.durable >= place->lsn && b.first_lsn >= place->lsn;
            p++;
        }
    }
    free(chunk);
    if (damaged) segment_corrupt(segment, place->at, err, "a block that had been durable does not check");
    return damaged;
}

bool segment_corrupt(const struct segment *segment, uint64_t at, struct err *err, const char *what)
{
    return err_set(err, ERR_CORRUPT,
                   "%s: offset %llu: %s; restore this file from a copy, or move the whole directory away and start a new "
                   "log from the target's position (wolfctl sink adopt)",
                   segment->file.path, (unsigned long long)at, what);
}

/* --- scanning --- */

static void resume_commit(struct wal_resume *resume, const struct change *c)
{
    resume->empty = false;
    resume->last_lsn = c->lsn;
    resume->gtid = c->gtid;
    resume->previous = c->commit->previous;
    source_pos_copy(&resume->pos, &c->commit->pos);
    resume->crc = c->commit->crc;
    resume->timestamp = c->timestamp;
}

/* Commits and heartbeats of one block, in order, into the scan. */
static const char *scan_records(struct slice raw, uint64_t lsn, struct scan *scan)
{
    struct cursor in = cursor_of(raw);
    struct record_reader *reader = calloc(1, sizeof *reader);
    const char *reason = NULL;
    struct change c = {.kind = CHANGE_BEGIN};
    if (!reader) abort();
    for (; !reason && cursor_left(&in); lsn++) {
        struct slice record = record_take(&in);
        if (in.failed) {
            reason = "a record ends beyond its block";
        } else if (record_commits(record.data[0]) || record.data[0] == CHANGE_HEARTBEAT) {
            if (!record_get(reader, record, &c, &reason)) break;
            c.lsn = lsn;
            scan->published = lsn;
            if (c.kind == CHANGE_COMMIT)
                resume_commit(&scan->resume, &c);
            else
                source_pos_copy(&scan->resume.pos, &c.commit->pos);
        }
    }
    free(reader);
    return reason;
}

struct scan_state {
    struct buf stored, raw;
    struct place commit_at, last_at; /* last blocks with a commit, and with records, that end outside */
    struct block commit, last;
};

static void scan_count(struct scan *scan, const struct block *b)
{
    scan->commits += b->commits;
    scan->records += b->records;
    scan->raw_bytes += b->raw_size;
    scan->last_wall_us = b->wall_us;
    if (!scan->first_timestamp) scan->first_timestamp = b->first_timestamp;
    if (b->last_timestamp) scan->last_timestamp = b->last_timestamp;
}

/* Takes the block at *place into account. WALK_NONE: it is not there, or its data does not check. */
static enum walk scan_block(struct segment *s, struct place *place, bool headers_only, struct scan_state *state,
                            struct scan *scan, struct err *err)
{
    struct block b;
    struct slice bytes;
    enum walk walk = segment_block(s, place, &b, err);
    if (walk == WALK_BLOCK && headers_only && place->at + BLOCK_HEADER + b.stored_size > s->size) walk = WALK_NONE;
    if (walk == WALK_BLOCK && !headers_only) walk = segment_data(s, place, &b, &state->stored, &state->raw, &bytes, err);
    if (walk != WALK_BLOCK) return walk;
    struct place after = place_after(place, &b);
    if (!(b.flags & BLOCK_OPEN)) {
        if (b.commits) state->commit_at = *place, state->commit = b;
        if (b.records) state->last_at = *place, state->last = b;
        scan->end = after;
    }
    scan->sealed = b.flags & BLOCK_SEAL;
    scan->valid_end = after.at;
    scan_count(scan, &b);
    *place = after;
    return WALK_BLOCK;
}

static bool scan_block_records(struct segment *s, struct scan_state *state, const struct place *place,
                               const struct block *block, struct scan *scan, struct err *err)
{
    struct slice bytes;
    const char *reason = "data of a block does not check";
    enum walk walk = segment_data(s, place, block, &state->stored, &state->raw, &bytes, err);
    if (walk == WALK_BLOCK) reason = scan_records(bytes, block->first_lsn, scan);
    if (walk == WALK_FAILED) return false;
    return reason ? segment_corrupt(s, place->at, err, reason) : true;
}

/* At the end of an open segment: looks for damage. What another process wrote there meanwhile is none. */
static bool grew(struct segment *s, const struct place *place, bool *damaged, struct err *err)
{
    struct block block;
    struct err own;
    *damaged = segment_is_damaged(s, place, &own);
    if (!*damaged) return false;
    if (own.code == ERR_CORRUPT && segment_block(s, place, &block, NULL) == WALK_BLOCK) {
        struct buf stored, raw;
        struct slice bytes;
        buf_init(&stored, BLOCK_RAW_MAX + 1);
        buf_init(&raw, BLOCK_RAW_MAX);
        *damaged = segment_data(s, place, &block, &stored, &raw, &bytes, NULL) != WALK_BLOCK;
        buf_fini(&stored);
        buf_fini(&raw);
    }
    if (*damaged && err) *err = own;
    return !*damaged;
}

bool segment_scan(struct segment *s, bool headers_only, struct scan *scan, struct err *err)
{
    struct scan_state state = {0};
    struct place place = segment_start(s);
    enum walk walk = WALK_NONE;
    bool ok = false, damaged = false;
    *scan = (struct scan){.end = place, .resume = s->header.resume, .valid_end = place.at};
    buf_init(&state.stored, BLOCK_RAW_MAX + 1);
    buf_init(&state.raw, BLOCK_RAW_MAX);
    do {
        while (!scan->sealed && (walk = scan_block(s, &place, headers_only, &state, scan, err)) == WALK_BLOCK) {}
    } while (!scan->sealed && walk == WALK_NONE && !s->name.sealed && grew(s, &place, &damaged, err));
    if (!scan->sealed && walk == WALK_FAILED) goto out;
    if (!scan->sealed && s->name.sealed) {
        segment_corrupt(s, place.at, err, "a sealed segment ends here without its seal");
        goto out;
    }
    if (damaged) goto out;
    if (s->name.sealed && place.lsn != s->name.last + 1) {
        segment_corrupt(s, place.at, err, "the seal stands at another LSN than the file's name says");
        goto out;
    }
    ok = (!state.commit.records || scan_block_records(s, &state, &state.commit_at, &state.commit, scan, err)) &&
         (!state.last.records || state.last_at.at == state.commit_at.at ||
          scan_block_records(s, &state, &state.last_at, &state.last, scan, err));
out:
    buf_fini(&state.stored);
    buf_fini(&state.raw);
    return ok;
}

/* --- the directory --- */

struct listing {
    struct wal_dir *list;
    char foreign[256];
};

static bool is_ours(const char *name)
{
    static const char *const names[] = {"lock", "holds", "holds.tmp", "lost+found"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return !strncmp(name, "event-", 6); /* bytes that capture saved when it stopped */
}

static void take_name(void *context, const char *text)
{
    struct listing *listing = context;
    struct wal_dir *list = listing->list;
    struct segment_name name;
    unsigned long long number;
    int end = 0;
    if (segment_name_parse(text, &name)) {
        if ((list->count & (list->count - 1)) == 0) {
            list->items = realloc(list->items, (list->count ? list->count * 2 : 1) * sizeof *list->items);
            if (!list->items) abort();
        }
        list->items[list->count++] = name;
    } else if (sscanf(text, "recycle-%llu.tmp%n", &number, &end) == 1 && end && !text[end]) {
        if (list->recycled_count < sizeof list->recycled / sizeof *list->recycled)
            list->recycled[list->recycled_count++] = number;
    } else if (!is_ours(text)) {
        snprintf(listing->foreign, sizeof listing->foreign, "%s", text);
    }
}

static int by_first(const void *a, const void *b)
{
    const struct segment_name *x = a, *y = b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return (int)y->sealed - (int)x->sealed;
}

bool wal_dir_list(struct wal_dir *list, const struct file_system *files, const char *dir, struct err *err)
{
    struct listing listing = {.list = list};
    memset(list, 0, sizeof *list);
    if (!file_list(files, dir, take_name, &listing, err)) {
        wal_dir_fini(list);
        return false;
    }
    if (listing.foreign[0]) {
        wal_dir_fini(list);
        return err_set(err, ERR_CORRUPT,
                       "%s/%s: this file does not belong to a log; move it away, or set wal.dir to a directory of its own",
                       dir, listing.foreign);
    }
    if (list->count) qsort(list->items, list->count, sizeof *list->items, by_first);
    return true;
}

void wal_dir_fini(struct wal_dir *list)
{
    free(list->items);
    memset(list, 0, sizeof *list);
}

bool wal_dir_check(const struct wal_dir *list, const char *dir, struct err *err)
{
    char one[SEGMENT_NAME_MAX], two[SEGMENT_NAME_MAX];
    for (size_t i = 1; i < list->count; i++) {
        const struct segment_name *a = &list->items[i - 1], *b = &list->items[i];
        if (a->sealed && b->first == a->last + 1) continue;
        segment_name_format(a, one);
        segment_name_format(b, two);
        if (!a->sealed)
            return err_set(err, ERR_CORRUPT, "%s: %s is not sealed, but %s stands behind it", dir, one, two);
        if (b->first <= a->last)
            return err_set(err, ERR_CORRUPT, "%s: %s and %s overlap; one of them does not belong here", dir, one, two);
        return err_set(err, ERR_CORRUPT,
                       "%s: a segment is missing: LSN %llu to %llu, between %s and %s; bring it back from a copy", dir,
                       (unsigned long long)(a->last + 1), (unsigned long long)(b->first - 1), one, two);
    }
    return true;
}

const struct segment_name *wal_dir_at(const struct wal_dir *list, uint64_t lsn)
{
    for (size_t i = list->count; i-- > 0;)
        if (list->items[i].first <= lsn) return &list->items[i];
    return NULL;
}
