/*
 * net.c: see net.h.
 */
#include "net.h"

#include <assert.h>
#include <stdlib.h>

enum { KEY_MAX = 64 << 10, ROWS_FIRST = 256 };

void net_init(struct net *net)
{
    *net = (struct net){0};
    arena_init(&net->arena);
    buf_init(&net->key, KEY_MAX);
    buf_init(&net->folded, KEY_MAX);
}

void net_fini(struct net *net)
{
    arena_fini(&net->arena);
    free(net->rows);
    free(net->heads);
    buf_fini(&net->key);
    buf_fini(&net->folded);
}

void net_reset(struct net *net)
{
    arena_reset(&net->arena);
    if (net->count) memset(net->heads, 0, net->buckets * sizeof *net->heads);
    net->count = 0;
}

bool net_fold(struct slice value, bool bytewise, struct buf *out)
{
    size_t n = value.size;
    while (n && value.data[n - 1] == ' ') n--;
    buf_varint(out, n);
    uint8_t *to = buf_reserve(out, n);
    if (!to) return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = value.data[i];
        if (!bytewise && (c < 32 || c > 126)) return false;
        to[i] = !bytewise && c >= 'A' && c <= 'Z' ? c | 32 : c;
    }
    out->size += n;
    return true;
}

static bool put_key(struct net *net, const struct plan *plan, const struct value *values)
{
    buf_clear(&net->key);
    buf_clear(&net->folded);
    for (uint16_t i = 0; i < plan->key_count; i++) {
        uint16_t c = plan->key[i];
        const struct target_column *t = &plan->target->columns[plan->column[c]];
        if (values[c].state != VALUE_PRESENT) return false;
        buf_varint_bytes(&net->key, values[c].bytes);
        if (!plan_is_text(plan, c)) buf_varint_bytes(&net->folded, values[c].bytes);
        else if (!net_fold(values[c].bytes, t->bytewise, &net->folded)) return false;
    }
    return !net->key.full && !net->folded.full;
}

static uint32_t hash_of(struct slice s)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ s.size, v;
    for (; s.size >= 8; s.data += 8, s.size -= 8) {
        memcpy(&v, s.data, 8);
        h = (h ^ v) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    v = 0;
    memcpy(&v, s.data, s.size);
    h = (h ^ v) * 0xc4ceb9fe1a85ec53u;
    return (uint32_t)(h >> 32);
}

static void grow(struct net *net)
{
    net->room = net->room ? net->room * 2 : ROWS_FIRST;
    net->buckets = net->room * 2;
    net->rows = realloc(net->rows, net->room * sizeof *net->rows);
    free(net->heads);
    net->heads = calloc(net->buckets, sizeof *net->heads);
    if (!net->rows || !net->heads) abort();
    for (uint32_t i = 0; i < net->count; i++) {
        uint32_t *head = &net->heads[net->rows[i].hash & (net->buckets - 1)];
        net->rows[i].next = *head;
        *head = i + 1;
    }
}

static struct net_row *find(struct net *net, struct slice folded, uint32_t hash)
{
    if (!net->count) return NULL;
    for (uint32_t at = net->heads[hash & (net->buckets - 1)]; at; at = net->rows[at - 1].next) {
        struct net_row *row = &net->rows[at - 1];
        if (row->hash == hash && slice_equal(row->folded, folded)) return row;
    }
    return NULL;
}

static struct net_row *add(struct net *net, struct slice key, struct slice folded, uint32_t hash)
{
    if (net->count == net->room) grow(net);
    struct net_row *row = &net->rows[net->count++];
    *row = (struct net_row){.hash = hash, .key = arena_copy(&net->arena, key)};
    row->folded = slice_equal(key, folded) ? row->key : arena_copy(&net->arena, folded);
    uint32_t *head = &net->heads[hash & (net->buckets - 1)];
    row->next = *head;
    *head = net->count;
    return row;
}

static bool same_values(const uint16_t *columns, uint16_t count, const struct value *a, const struct value *b)
{
    for (uint16_t i = 0; i < count; i++) {
        const struct value *x = &a[columns[i]], *y = &b[columns[i]];
        if (x->state != y->state || !slice_equal(x->bytes, y->bytes)) return false;
    }
    return true;
}

/* A row that was deleted in this group comes back: its other unique values must be what they were. */
static bool comes_back(const struct net_row *row, const struct plan *plan, const struct value *after)
{
    if (!plan->other_count) return true;
    struct value *old = malloc(plan->source->column_count * sizeof *old);
    if (!old) abort();
    bool same = row_values(plan->source, &row->before, old) && same_values(plan->others, plan->other_count, old, after);
    free(old);
    return same;
}

static bool full(const struct plan *plan, const struct row *row)
{
    return row->present.size == 0 || row_present_count(plan->source, row->present) == plan->source->column_count;
}

/* Index: the change's kind less CHANGE_INSERT. 0xff: cannot be. */
static const uint8_t next_state[4][3] = {
    [NET_ABSENT] = {NET_INSERT, 0xff, 0xff},
    [NET_INSERT] = {0xff, NET_INSERT, NET_ABSENT},
    [NET_UPDATE] = {0xff, NET_UPDATE, NET_DELETE},
    [NET_DELETE] = {NET_UPDATE, 0xff, 0xff},
};
static const uint8_t first_state[3] = {NET_INSERT, NET_UPDATE, NET_DELETE};

static struct row keep(struct net *net, const struct row *row)
{
    return (struct row){.image = arena_copy(&net->arena, row->image)};
}

bool net_add(struct net *net, const struct plan *plan, const struct change *change, const struct value *before,
             const struct value *after)
{
    bool has_before = change->kind != CHANGE_INSERT, has_after = change->kind != CHANGE_DELETE;
    if ((has_before && !full(plan, &change->before)) || (has_after && !full(plan, &change->after))) return false;
    if (net->count && change->row_flags != net->rows[0].flags) return false;
    if (!put_key(net, plan, has_before ? before : after)) return false;
    if (has_before && has_after && (!same_values(plan->key, plan->key_count, before, after) ||
                                    !same_values(plan->others, plan->other_count, before, after))) return false;
    struct slice key = buf_bytes(&net->key), folded = buf_bytes(&net->folded);
    uint32_t hash = hash_of(folded);
    unsigned kind = (unsigned)(change->kind - CHANGE_INSERT);
    struct net_row *row = find(net, folded, hash);
    if (row) {
        uint8_t next = next_state[row->state][kind];
        if (next == 0xff || !slice_equal(row->key, key)) return false;
        if (row->state == NET_DELETE && !comes_back(row, plan, after)) return false;
        row->state = next;
    } else {
        row = add(net, key, folded, hash);
        row->state = first_state[kind];
        row->flags = change->row_flags;
        row->lsn = change->lsn;
        if (has_before) row->before = keep(net, &change->before);
    }
    if (has_after) row->after = keep(net, &change->after);
    return true;
}
