/* prepared.c: see prepared.h. Few at a time: a plain list. */
#include "prepared.h"

#include <stdlib.h>

void prepared_fini(struct prepared *p)
{
    free(p->items);
    *p = (struct prepared){0};
}

static struct prepared_item *find(const struct prepared *p, const struct xid *xid)
{
    for (size_t i = 0; i < p->count; i++)
        if (!p->items[i].done && slice_equal(xid_bytes(&p->items[i].what.xid), xid_bytes(xid))) return &p->items[i];
    return NULL;
}

bool prepared_full(const struct prepared *p) { return p->count >= PREPARED_MAX && prepared_open(p) >= PREPARED_MAX; }

bool prepared_put(struct prepared *p, const struct wal_prepared *what)
{
    struct prepared_item *at = find(p, &what->xid);
    if (!at && prepared_full(p)) return false;
    if (!at && p->count == p->room) {
        p->room = p->room ? p->room * 2 : 16;
        p->items = realloc(p->items, p->room * sizeof *p->items);
        if (!p->items) abort();
    }
    if (!at) at = &p->items[p->count++];
    *at = (struct prepared_item){.what = *what};
    return true;
}

const struct wal_prepared *prepared_find(const struct prepared *p, const struct xid *xid)
{
    const struct prepared_item *at = find(p, xid);
    return at ? &at->what : NULL;
}

void prepared_done(struct prepared *p, const struct xid *xid, uint64_t lsn)
{
    struct prepared_item *at = find(p, xid);
    if (at) at->done = lsn;
}

void prepared_prune(struct prepared *p, uint64_t durable)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++)
        if (!p->items[i].done || p->items[i].done > durable) p->items[kept++] = p->items[i];
    p->count = kept;
}

size_t prepared_open(const struct prepared *p)
{
    size_t open = 0;
    for (size_t i = 0; i < p->count; i++) open += !p->items[i].done;
    return open;
}

uint64_t prepared_oldest(const struct prepared *p, uint64_t durable)
{
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < p->count; i++)
        if ((!p->items[i].done || p->items[i].done > durable) && p->items[i].what.lsn < lowest) lowest = p->items[i].what.lsn;
    return lowest;
}
