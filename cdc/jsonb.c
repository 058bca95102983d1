/*
 * jsonb.c: see jsonb.h. Text is written straight from the bytes. Only a path that a diff walks is taken apart, one container at a time,
 * so that a small change of a large document costs little more than its text.
 *
 * Bytes that lie: a value may claim the bytes of another, and again inside it, so that a short document would print without end. The
 * server never shares bytes, so all values together are charged against the size of what they come from.
 */
#include "jsonb.h"

#include <stdlib.h>

#include "cursor.h"
#include "value.h"

enum type {
    SMALL_OBJECT = 0x00, LARGE_OBJECT = 0x01, SMALL_ARRAY = 0x02, LARGE_ARRAY = 0x03, LITERAL = 0x04, INT16 = 0x05, UINT16 = 0x06,
    INT32 = 0x07, UINT32 = 0x08, INT64 = 0x09, UINT64 = 0x0a, DOUBLE = 0x0b, STRING = 0x0c, OPAQUE = 0x0f
};
enum { FIELD_TIMESTAMP = 7, FIELD_DATE = 10, FIELD_TIME = 11, FIELD_DATETIME = 12, FIELD_DECIMAL = 246 };
enum { BASE64_LINE = 76, KEY_ENTRY_TAIL = 2 };

/* A value where it lies: `bytes` begins with it and ends where it must have ended. */
struct ref {
    uint8_t type;
    struct slice bytes;
};

struct container {
    struct slice bytes; /* from the count field, as long as it says */
    bool object;
    size_t wide, count; /* wide: bytes of an offset */
};

struct printer {
    struct buf *out;
    struct err *err;
    uint64_t budget;
    unsigned depth;
};

static bool corrupt(struct err *err, const char *what) { return err_set(err, ERR_CORRUPT, "a JSON document with %s", what); }

static bool charge(struct printer *p, uint64_t bytes)
{
    if (bytes > p->budget) return corrupt(p->err, "values that share their bytes");
    p->budget -= bytes;
    return true;
}

/* ---- containers ---- */

static bool is_container(uint8_t type) { return type <= LARGE_ARRAY; }
static bool is_object(uint8_t type) { return type <= LARGE_OBJECT; }
static size_t head_size(const struct container *c)
{
    return 2 * c->wide + c->count * ((c->object ? c->wide + KEY_ENTRY_TAIL : 0) + 1 + c->wide);
}

static bool container_open(struct ref ref, struct container *c, struct err *err)
{
    struct cursor in = cursor_of(ref.bytes);
    c->object = is_object(ref.type);
    c->wide = ref.type & 1 ? 4 : 2;
    c->count = (size_t)cursor_le(&in, c->wide);
    size_t size = (size_t)cursor_le(&in, c->wide);
    if (in.failed || size > ref.bytes.size || head_size(c) > size) return corrupt(err, "an object or array longer than its room");
    c->bytes = slice_of(ref.bytes.data, size);
    return true;
}

static bool part(const struct container *c, uint64_t offset, size_t size, struct slice *bytes, struct err *err)
{
    if (offset < head_size(c) || offset > c->bytes.size || size > c->bytes.size - offset)
        return corrupt(err, "an offset that leads out of its object or array");
    *bytes = slice_of(c->bytes.data + offset, size);
    return true;
}

static bool key_at(const struct container *c, size_t i, struct slice *key, struct err *err)
{
    size_t at = 2 * c->wide + i * (c->wide + KEY_ENTRY_TAIL);
    struct cursor in = cursor_of(slice_of(c->bytes.data + at, c->wide + KEY_ENTRY_TAIL));
    uint64_t offset = cursor_le(&in, c->wide);
    return part(c, offset, cursor_u16(&in), key, err);
}

static bool is_inlined(uint8_t type, size_t wide)
{
    return type == LITERAL || type == INT16 || type == UINT16 || (wide == 4 && (type == INT32 || type == UINT32));
}

static bool value_at(const struct container *c, size_t i, struct ref *ref, struct err *err)
{
    size_t at = 2 * c->wide + (c->object ? c->count * (c->wide + KEY_ENTRY_TAIL) : 0) + i * (1 + c->wide);
    struct cursor in = cursor_of(slice_of(c->bytes.data + at, 1 + c->wide));
    ref->type = cursor_u8(&in);
    if (is_inlined(ref->type, c->wide)) {
        ref->bytes = cursor_rest(&in);
        return true;
    }
    uint64_t offset = cursor_le(&in, c->wide);
    return part(c, offset, offset > c->bytes.size ? 0 : c->bytes.size - (size_t)offset, &ref->bytes, err);
}

/* By length, then bytes, as the server sorts them. */
static int key_order(struct slice a, struct slice b)
{
    if (a.size != b.size) return a.size < b.size ? -1 : 1;
    return a.size ? memcmp(a.data, b.data, a.size) : 0;
}

static bool check_order(struct slice before, struct slice key, struct err *err)
{
    return key_order(before, key) < 0 || corrupt(err, "keys that are out of order, or there twice");
}

/* ---- scalars ---- */

static void put_text(struct buf *out, struct slice text)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    size_t from = 0;
    buf_u8(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        buf_put(out, text.data + from, i - from);
        from = i + 1;
        buf_u8(out, '\\');
        if (c >= 0x20) buf_u8(out, c);
        else if (letters[c]) buf_u8(out, (uint8_t)letters[c]);
        else buf_put(out, (char[]){'u', '0', '0', hex[c >> 4], hex[c & 15]}, 5);
    }
    buf_put(out, text.data + from, text.size - from);
    buf_u8(out, '"');
}

/* The server's encoder breaks its lines, and the breaks become part of the text. */
static void put_base64(struct buf *out, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t column = 0;
    for (size_t i = 0; i < bytes.size; i += 3, column += 4) {
        size_t n = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t v = (uint32_t)bytes.data[i] << 16 | (n > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) | (n > 2 ? bytes.data[i + 2] : 0);
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63], n > 1 ? digits[v >> 6 & 63] : '=', n > 2 ? digits[v & 63] : '='};
        if (column == BASE64_LINE) {
            buf_text(out, "\\n");
            column = 0;
        }
        buf_put(out, four, 4);
    }
}

static bool put_decimal(struct printer *p, struct slice bytes)
{
    char text[VALUE_TEXT_MAX];
    if (bytes.size < 2) return corrupt(p->err, "a DECIMAL that is cut short");
    unsigned precision = bytes.data[0], scale = bytes.data[1];
    if (!precision || precision > VALUE_DECIMAL_DIGITS_MAX || scale > 30 || scale > precision || bytes.size != 2 + value_decimal_size(precision, scale))
        return corrupt(p->err, "an impossible DECIMAL");
    buf_put(p->out, text, value_decimal_text(slice_of(bytes.data + 2, bytes.size - 2), precision, scale, text));
    return true;
}

/* (year·13 + month) << 22 | day << 17 | hour << 12 | minute << 6 | second, all of it << 24 | microseconds; of a TIME with its sign. */
static bool put_temporal(struct printer *p, uint8_t field, struct slice bytes)
{
    struct cursor in = cursor_of(bytes);
    int64_t packed = (int64_t)cursor_u64(&in);
    uint64_t v = packed < 0 ? 0 - (uint64_t)packed : (uint64_t)packed;
    unsigned us = v & 0xffffff, second = v >> 24 & 63, minute = v >> 30 & 63;
    uint64_t month = v >> 46, hour = field == FIELD_TIME ? v >> 36 & 1023 : v >> 36 & 31;
    unsigned day = v >> 41 & 31, year = (unsigned)(month / 13);
    bool fits = us <= 999999 && second <= 59 && minute <= 59 && (field == FIELD_TIME ? v >> 46 == 0 && hour <= 838 : hour <= 23 && month / 13 <= 9999);
    if (in.failed || cursor_left(&in) || !fits || (packed < 0 && field != FIELD_TIME)) return corrupt(p->err, "an impossible date or time");
    buf_u8(p->out, '"');
    if (field == FIELD_TIME) buf_printf(p->out, "%s%02u:%02u:%02u.%06u", packed < 0 ? "-" : "", (unsigned)hour, minute, second, us);
    else buf_printf(p->out, "%04u-%02u-%02u", year, (unsigned)(month % 13), day);
    if (field == FIELD_DATETIME || field == FIELD_TIMESTAMP) buf_printf(p->out, " %02u:%02u:%02u.%06u", (unsigned)hour, minute, second, us);
    buf_u8(p->out, '"');
    return true;
}

/* Seven bits a byte, low first; of at most 32 bits. */
static size_t take_length(struct cursor *in)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = cursor_u8(in);
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return n <= UINT32_MAX ? (size_t)n : SIZE_MAX;
    }
    return SIZE_MAX;
}

static bool print_opaque(struct printer *p, struct cursor *in)
{
    uint8_t field = cursor_u8(in);
    struct slice bytes = cursor_bytes(in, take_length(in));
    if (in->failed) return corrupt(p->err, "a value longer than its room");
    switch (field) {
    case FIELD_DECIMAL: return put_decimal(p, bytes);
    case FIELD_DATE: case FIELD_TIME: case FIELD_DATETIME: case FIELD_TIMESTAMP: return put_temporal(p, field, bytes);
    default: break;
    }
    buf_printf(p->out, "\"base64:type%u:", field);
    put_base64(p->out, bytes);
    buf_u8(p->out, '"');
    return true;
}

static bool print_literal(struct printer *p, uint8_t literal)
{
    static const char *const names[] = {"null", "true", "false"};
    if (literal > 2) return corrupt(p->err, "a literal that is not null, true or false");
    buf_text(p->out, names[literal]);
    return true;
}

static void print_signed(struct buf *out, uint64_t v, unsigned bytes)
{
    unsigned shift = 64 - 8 * bytes;
    buf_printf(out, "%lld", (long long)((int64_t)(v << shift) >> shift));
}

/* As SELECT prints a DOUBLE, but a whole number keeps a sign of being one. */
static void print_double(struct buf *out, struct slice bytes)
{
    static const struct column column = {.kind = COLUMN_DOUBLE};
    char text[VALUE_TEXT_MAX];
    size_t n = value_text(&column, bytes, text);
    buf_put(out, text, n);
    if (!memchr(text, '.', n) && !memchr(text, 'e', n)) buf_text(out, ".0");
}

static bool print_string(struct printer *p, struct cursor *in)
{
    struct slice text = cursor_bytes(in, take_length(in));
    if (in->failed) return corrupt(p->err, "a string longer than its room");
    put_text(p->out, text);
    return true;
}

/* *used: bytes of the value. */
static bool print_scalar(struct printer *p, struct ref ref, size_t *used)
{
    static const uint8_t sizes[] = {[INT16] = 2, [UINT16] = 2, [INT32] = 4, [UINT32] = 4, [INT64] = 8, [UINT64] = 8};
    struct cursor in = cursor_of(ref.bytes);
    struct slice bytes;
    bool ok = true;
    switch (ref.type) {
    case LITERAL: ok = print_literal(p, cursor_u8(&in)); break;
    case INT16: case INT32: case INT64: print_signed(p->out, cursor_le(&in, sizes[ref.type]), sizes[ref.type]); break;
    case UINT16: case UINT32: case UINT64:
        buf_printf(p->out, "%llu", (unsigned long long)cursor_le(&in, sizes[ref.type]));
        break;
    case DOUBLE:
        bytes = cursor_bytes(&in, 8);
        if (!in.failed) print_double(p->out, bytes);
        break;
    case STRING: ok = print_string(p, &in); break;
    case OPAQUE: ok = print_opaque(p, &in); break;
    default: return err_set(p->err, ERR_UNSUPPORTED, "a JSON document with a value of type %u, which is unknown to this release", ref.type);
    }
    *used = ref.bytes.size - cursor_left(&in);
    return ok && (!in.failed || corrupt(p->err, "a value that is cut short"));
}

/* ---- text ---- */

static bool print(struct printer *p, struct ref ref);

static bool enter(struct printer *p)
{
    if (p->depth == JSONB_DEPTH_MAX)
        return err_set(p->err, ERR_LIMIT, "a JSON document with more than %d objects and arrays in each other (JSONB_DEPTH_MAX)", JSONB_DEPTH_MAX);
    p->depth++;
    return true;
}

static bool print_container(struct printer *p, struct ref ref)
{
    struct container c;
    struct slice before = {NULL, 0}, key = {NULL, 0};
    struct ref value;
    if (!enter(p) || !container_open(ref, &c, p->err) || !charge(p, head_size(&c))) return false;
    buf_u8(p->out, c.object ? '{' : '[');
    for (size_t i = 0; i < c.count; i++, before = key) {
        if (i) buf_put(p->out, ", ", 2);
        if (c.object) {
            if (!key_at(&c, i, &key, p->err) || !charge(p, key.size) || (i && !check_order(before, key, p->err))) return false;
            put_text(p->out, key);
            buf_put(p->out, ": ", 2);
        }
        if (!value_at(&c, i, &value, p->err) || !print(p, value)) return false;
    }
    buf_u8(p->out, c.object ? '}' : ']');
    p->depth--;
    return true;
}

static bool is_full(const struct printer *p)
{
    return p->out->full && !err_set(p->err, ERR_LIMIT, "the text of a JSON document is longer than %zu bytes", p->out->max);
}

static bool print(struct printer *p, struct ref ref)
{
    size_t used = 0;
    if (is_full(p)) return false;
    if (is_container(ref.type)) return print_container(p, ref);
    return print_scalar(p, ref, &used) && charge(p, used);
}

static struct ref ref_of(struct slice document)
{
    static const uint8_t null[] = {0};
    if (!document.size) return (struct ref){LITERAL, {null, sizeof null}};
    return (struct ref){document.data[0], {document.data + 1, document.size - 1}};
}

/* Inlined values have their bytes in the entry, which is charged as part of its container: twice the size is enough for both. */
static uint64_t budget_of(uint64_t size) { return 2 * size + 16; }

bool jsonb_text(struct slice document, struct buf *out, struct err *err)
{
    struct printer p = {.out = out, .err = err, .budget = budget_of(document.size)};
    return print(&p, ref_of(document)) && !is_full(&p);
}

/* ---- diffs ---- */

struct node {
    struct ref ref;        /* while it is not open */
    bool open, object;
    size_t count, room;
    struct child *children;
};
struct child { struct slice key; struct node *node; };

struct patch {
    struct printer printer; /* its budget: of what is opened */
    struct arena *arena;
    struct node *root;
};

enum { OPERATION_REPLACE, OPERATION_INSERT, OPERATION_REMOVE };
struct leg { bool member; struct slice key; size_t index; };

static struct node *node_of(struct patch *patch, struct ref ref)
{
    struct node *node = arena_alloc(patch->arena, sizeof *node);
    node->ref = ref;
    return node;
}

static bool node_open(struct patch *patch, struct node *node)
{
    struct container c;
    struct ref value;
    if (node->open) return true;
    if (!is_container(node->ref.type)) return corrupt(patch->printer.err, "a scalar where a diff goes on");
    if (!container_open(node->ref, &c, patch->printer.err) || !charge(&patch->printer, head_size(&c))) return false;
    node->object = c.object;
    node->room = c.count + 4;
    node->children = arena_alloc(patch->arena, node->room * sizeof *node->children);
    for (size_t i = 0; i < c.count; i++) {
        struct child *child = &node->children[i];
        if (c.object && (!key_at(&c, i, &child->key, patch->printer.err) ||
                         (i && !check_order(node->children[i - 1].key, child->key, patch->printer.err)))) return false;
        if (!value_at(&c, i, &value, patch->printer.err)) return false;
        child->node = node_of(patch, value);
    }
    node->count = c.count;
    node->open = true;
    return true;
}

static void node_insert(struct patch *patch, struct node *node, size_t at, struct child child)
{
    if (node->count == node->room) {
        struct child *wider = arena_alloc(patch->arena, 2 * node->room * sizeof *wider);
        memcpy(wider, node->children, node->count * sizeof *wider);
        node->children = wider;
        node->room *= 2;
    }
    memmove(node->children + at + 1, node->children + at, (node->count - at) * sizeof child);
    node->children[at] = child;
    node->count++;
}

/* Where the key is, or would be. */
static size_t key_place(const struct node *node, struct slice key, bool *found)
{
    size_t low = 0, high = node->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (key_order(node->children[middle].key, key) < 0) low = middle + 1;
        else high = middle;
    }
    *found = low < node->count && !key_order(node->children[low].key, key);
    return low;
}

/* ---- paths: $.key, $."any \"key\"", $[7] ---- */

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static uint32_t take_hex(struct cursor *in)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(cursor_u8(in));
        if (digit < 0) in->failed = true;
        v = v << 4 | (uint32_t)(digit & 15);
    }
    return v;
}

static void put_utf8(struct buf *out, uint32_t c)
{
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    buf_u8(out, (uint8_t)(leads[more] | c >> (6 * more)));
    while (more--) buf_u8(out, (uint8_t)(0x80 | (c >> (6 * more) & 63)));
}

static void take_escape(struct cursor *in, struct buf *key)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint8_t c = cursor_u8(in);
    if (c != 'u') {
        const char *at = c ? strchr(from, c) : NULL;
        if (at) buf_u8(key, (uint8_t)to[at - from]);
        else in->failed = true;
        return;
    }
    uint32_t v = take_hex(in);
    if (v >= 0xd800 && v < 0xdc00) {
        if (cursor_u8(in) != '\\' || cursor_u8(in) != 'u') in->failed = true;
        v = 0x10000 + ((v & 0x3ff) << 10) + (take_hex(in) & 0x3ff);
    }
    put_utf8(key, v);
}

static struct slice take_quoted(struct patch *patch, struct cursor *in)
{
    struct buf key;
    buf_init(&key, cursor_left(in) + 8);
    for (uint8_t c; (c = cursor_u8(in)) != '"' && !in->failed;) {
        if (c == '\\') take_escape(in, &key);
        else buf_u8(&key, c);
    }
    struct slice kept = arena_copy(patch->arena, buf_bytes(&key));
    buf_fini(&key);
    return kept;
}

static size_t take_index(struct cursor *in)
{
    uint64_t index = 0;
    unsigned digits = 0;
    uint8_t c;
    for (; (c = cursor_u8(in)) >= '0' && c <= '9'; digits++)
        if ((index = index * 10 + c - '0') > UINT32_MAX) in->failed = true;
    if (c != ']' || !digits || in->failed) in->failed = true;
    return (size_t)index;
}

static void take_leg(struct patch *patch, struct cursor *in, struct leg *leg)
{
    uint8_t c = cursor_u8(in);
    *leg = (struct leg){.member = c == '.'};
    if (c == '[') {
        leg->index = take_index(in);
    } else if (c == '.' && cursor_left(in) && *in->at == '"') {
        cursor_u8(in);
        leg->key = take_quoted(patch, in);
    } else if (c == '.') {
        const uint8_t *from = in->at;
        while (cursor_left(in) && *in->at != '.' && *in->at != '[') in->at++;
        leg->key = slice_of(from, (size_t)(in->at - from));
        if (!leg->key.size) in->failed = true;
    } else {
        in->failed = true;
    }
}

/* ---- */

static bool lost(const struct patch *patch)
{
    return corrupt(patch->printer.err, "a diff whose path leads nowhere: this is not the document that the server changed");
}

/* *at: the child that the leg names, or its place. */
static bool leg_find(struct patch *patch, struct node *node, const struct leg *leg, size_t *at, bool *found)
{
    if (!node_open(patch, node)) return false;
    if (leg->member != node->object) return lost(patch);
    if (leg->member) {
        *at = key_place(node, leg->key, found);
    } else {
        *found = leg->index < node->count;
        *at = *found ? leg->index : node->count; /* behind the end is at the end */
    }
    return true;
}

/* Does one operation at `leg` of `parent`. */
static bool leg_apply(struct patch *patch, struct node *parent, const struct leg *leg, uint8_t operation, struct slice value)
{
    size_t at = 0;
    bool found = false;
    if (!leg_find(patch, parent, leg, &at, &found)) return false;
    switch (operation) {
    case OPERATION_REPLACE:
        if (!found) return lost(patch);
        parent->children[at].node = node_of(patch, ref_of(value));
        return true;
    case OPERATION_INSERT:
        if (found && parent->object) return lost(patch);
        node_insert(patch, parent, at, (struct child){leg->key, node_of(patch, ref_of(value))});
        return true;
    default:
        if (!found) return lost(patch);
        memmove(parent->children + at, parent->children + at + 1, (parent->count - at - 1) * sizeof *parent->children);
        parent->count--;
        return true;
    }
}

static bool diff_apply(struct patch *patch, uint8_t operation, struct slice path, struct slice value)
{
    struct cursor in = cursor_of(path);
    struct node *node = patch->root;
    struct leg leg;
    size_t at = 0;
    bool found = false;
    if (cursor_u8(&in) != '$') in.failed = true;
    if (!in.failed && !cursor_left(&in)) {
        if (operation != OPERATION_REPLACE) return lost(patch);
        patch->root = node_of(patch, ref_of(value));
        return true;
    }
    for (unsigned depth = 0; !in.failed; depth++) {
        take_leg(patch, &in, &leg);
        if (in.failed || depth == JSONB_DEPTH_MAX) break;
        if (!cursor_left(&in)) return leg_apply(patch, node, &leg, operation, value);
        if (!leg_find(patch, node, &leg, &at, &found)) return false;
        if (!found) return lost(patch);
        node = node->children[at].node;
    }
    return err_set(patch->printer.err, ERR_CORRUPT, "a JSON diff with an impossible path of %zu bytes", path.size);
}

static bool diffs_apply(struct patch *patch, struct slice diffs)
{
    struct cursor in = cursor_of(diffs);
    while (cursor_left(&in)) {
        uint8_t operation = cursor_u8(&in);
        struct slice path = cursor_lenenc_bytes(&in), value = {NULL, 0};
        if (operation > OPERATION_REMOVE)
            return err_set(patch->printer.err, ERR_UNSUPPORTED, "a JSON diff of operation %u, which is unknown to this release", operation);
        if (operation != OPERATION_REMOVE) value = cursor_lenenc_bytes(&in);
        if (in.failed) return err_set(patch->printer.err, ERR_CORRUPT, "a JSON diff that is cut short");
        if (!diff_apply(patch, operation, path, value)) return false;
    }
    return true;
}

static bool print_node(struct printer *p, const struct node *node)
{
    if (!node->open) return print(p, node->ref);
    if (is_full(p) || !enter(p)) return false;
    buf_u8(p->out, node->object ? '{' : '[');
    for (size_t i = 0; i < node->count; i++) {
        if (i) buf_put(p->out, ", ", 2);
        if (node->object) {
            put_text(p->out, node->children[i].key);
            buf_put(p->out, ": ", 2);
        }
        if (!print_node(p, node->children[i].node)) return false;
    }
    buf_u8(p->out, node->object ? '}' : ']');
    p->depth--;
    return true;
}

bool jsonb_patched(struct slice document, struct slice diffs, struct arena *arena, struct buf *out, struct err *err)
{
    struct patch patch = {.printer = {.err = err, .budget = budget_of(document.size + (uint64_t)diffs.size)}, .arena = arena};
    patch.root = node_of(&patch, ref_of(document));
    if (!diffs_apply(&patch, diffs)) return false;
    struct printer p = {.out = out, .err = err, .budget = budget_of(document.size + (uint64_t)diffs.size)};
    return print_node(&p, patch.root) && !is_full(&p);
}
