/* memory.c: see memory.h. */
#include "memory.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { SECTOR = 512, HANDLES = 64, NAMES = 512, INODES = 4096 };

struct pending { /* an unsynced change of one file; data NULL: a truncation to `at` */
    struct pending *next;
    uint64_t at;
    size_t size;
    uint8_t *data;
};

struct bytes { uint8_t *data; size_t size, room; };

struct inode {
    struct bytes now, durable;
    struct pending *first, **end;
    bool locked;
};

struct name { char path[96]; int inode; };
struct names { size_t count; struct name items[NAMES]; };

struct memory {
    struct file_system files;
    uint64_t random, calls, crash_at;
    bool crashed;
    struct inode *inodes[INODES];
    int inode_count, handles[HANDLES];
    /* durable names, and each state since: the last is what is seen */
    struct names *states;
    size_t state_count, state_room;
};

uint64_t memory_random(struct memory *m)
{
    uint64_t z = m->random += 0x9E3779B97F4A7C15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static struct names *names(struct memory *m) { return &m->states[m->state_count - 1]; }

/* A new state of the directory, to be changed by the caller. */
static struct names *names_next(struct memory *m)
{
    if (m->state_count == m->state_room) {
        m->state_room = m->state_room * 2 + 4;
        m->states = realloc(m->states, m->state_room * sizeof *m->states);
        assert(m->states);
    }
    struct names *from = &m->states[m->state_count - 1], *to = &m->states[m->state_count++];
    to->count = from->count;
    memcpy(to->items, from->items, from->count * sizeof *from->items);
    return to;
}

static struct name *find(struct names *n, const char *path)
{
    for (size_t i = 0; i < n->count; i++)
        if (!strcmp(n->items[i].path, path)) return &n->items[i];
    return NULL;
}

static void set_size(struct bytes *b, size_t size)
{
    if (size > b->room) {
        b->room = size * 2;
        b->data = realloc(b->data, b->room);
        assert(b->data);
    }
    if (size > b->size) memset(b->data + b->size, 0, size - b->size);
    b->size = size;
}

static void put(struct bytes *b, const uint8_t *data, size_t size, uint64_t at)
{
    if (!size) return;
    if (b->size < at + size) set_size(b, at + size);
    if (data)
        memcpy(b->data + at, data, size);
    else
        memset(b->data + at, 0, size);
}

static void pending_clear(struct inode *inode)
{
    while (inode->first) {
        struct pending *next = inode->first->next;
        free(inode->first->data);
        free(inode->first);
        inode->first = next;
    }
    inode->end = &inode->first;
}

/* True when this changing call is the one that crashes, or comes after it. */
static bool dead(struct memory *m)
{
    if (!m->crashed && m->crash_at && ++m->calls == m->crash_at) m->crashed = true;
    return m->crashed;
}

/* --- the calls --- */

static int mem_open(void *state, const char *path, unsigned how)
{
    struct memory *m = state;
    struct name *name = find(names(m), path);
    int handle = 0;
    if (m->crashed) return -EIO;
    if (!name && !(how & FILE_CREATE)) return -ENOENT;
    if (!name && dead(m)) return -EIO;
    if (!name) {
        struct names *next = names_next(m);
        assert(next->count < NAMES && m->inode_count < INODES);
        struct inode *inode = calloc(1, sizeof *inode);
        assert(inode);
        inode->end = &inode->first;
        m->inodes[m->inode_count] = inode;
        name = &next->items[next->count++];
        snprintf(name->path, sizeof name->path, "%s", path);
        name->inode = m->inode_count++;
    } else if (how & FILE_TRUNCATE) {
        struct inode *inode = m->inodes[name->inode];
        set_size(&inode->now, 0);
        struct pending *p = calloc(1, sizeof *p);
        *inode->end = p;
        inode->end = &p->next;
    }
    while (handle < HANDLES && m->handles[handle] >= 0) handle++;
    assert(handle < HANDLES);
    m->handles[handle] = name->inode;
    return handle;
}

static void mem_close(void *state, int handle)
{
    struct memory *m = state;
    if (m->handles[handle] >= 0) m->inodes[m->handles[handle]]->locked = false;
    m->handles[handle] = -1;
}

static struct inode *inode_of(struct memory *m, int handle)
{
    assert(handle >= 0 && handle < HANDLES && m->handles[handle] >= 0);
    return m->inodes[m->handles[handle]];
}

static ssize_t mem_pread(void *state, int handle, void *data, size_t size, uint64_t at)
{
    struct memory *m = state;
    if (m->crashed) return -EIO;
    const struct inode *inode = inode_of(m, handle);
    if (at >= inode->now.size) return 0;
    if (size > inode->now.size - at) size = inode->now.size - at;
    memcpy(data, inode->now.data + at, size);
    return (ssize_t)size;
}

static void remember(struct inode *inode, const void *data, size_t size, uint64_t at)
{
    struct pending *p = calloc(1, sizeof *p);
    assert(p);
    p->at = at;
    p->size = size;
    if (size) {
        p->data = malloc(size);
        assert(p->data);
        memcpy(p->data, data, size);
    }
    *inode->end = p;
    inode->end = &p->next;
}

static ssize_t mem_pwrite(void *state, int handle, const void *data, size_t size, uint64_t at)
{
    struct memory *m = state;
    bool was = m->crashed, die = dead(m);
    if (was) return -EIO;
    if (die) size = (size_t)(memory_random(m) % (size + 1)); /* part of it reached the cache */
    struct inode *inode = inode_of(m, handle);
    if (size) {
        put(&inode->now, data, size, at);
        remember(inode, data, size, at);
    }
    return die ? -EIO : (ssize_t)size;
}

static int mem_sync(void *state, int handle)
{
    struct memory *m = state;
    if (dead(m)) return -EIO;
    struct inode *inode = inode_of(m, handle);
    for (struct pending *p = inode->first; p; p = p->next) {
        if (p->data)
            put(&inode->durable, p->data, p->size, p->at);
        else
            set_size(&inode->durable, p->at);
    }
    pending_clear(inode);
    return 0;
}

static int mem_truncate(void *state, int handle, uint64_t size)
{
    struct memory *m = state;
    if (dead(m)) return -EIO;
    struct inode *inode = inode_of(m, handle);
    set_size(&inode->now, size);
    remember(inode, NULL, 0, size);
    return 0;
}

static int mem_allocate(void *state, int handle, uint64_t size)
{
    struct memory *m = state;
    if (dead(m)) return -EIO;
    return inode_of(m, handle)->now.size >= size ? 0 : mem_truncate(state, handle, size);
}

static int64_t mem_size(void *state, int handle)
{
    struct memory *m = state;
    return m->crashed ? -EIO : (int64_t)inode_of(m, handle)->now.size;
}

static int mem_lock(void *state, int handle)
{
    struct inode *inode = inode_of(state, handle);
    if (inode->locked) return -EWOULDBLOCK;
    inode->locked = true;
    return 0;
}

static void drop(struct names *n, struct name *name) { *name = n->items[--n->count]; }

static int mem_rename(void *state, const char *from, const char *to)
{
    struct memory *m = state;
    if (dead(m)) return -EIO;
    struct names *n = names_next(m);
    struct name *old = find(n, to);
    if (old) drop(n, old);
    struct name *name = find(n, from);
    if (!name) return -ENOENT;
    snprintf(name->path, sizeof name->path, "%s", to);
    return 0;
}

static int mem_unlink(void *state, const char *path)
{
    struct memory *m = state;
    if (dead(m)) return -EIO;
    struct names *n = names_next(m);
    struct name *name = find(n, path);
    if (!name) return -ENOENT;
    drop(n, name);
    return 0;
}

static int mem_list(void *state, const char *dir, file_list_fn *fn, void *context)
{
    struct memory *m = state;
    size_t length = strlen(dir) + 1;
    if (m->crashed) return -EIO;
    struct names *n = names(m);
    for (size_t i = 0; i < n->count; i++) fn(context, n->items[i].path + length);
    return 0;
}

static int mem_make_dir(void *state, const char *dir)
{
    (void)state;
    (void)dir;
    return 0;
}

static int mem_sync_dir(void *state, const char *dir)
{
    struct memory *m = state;
    (void)dir;
    if (dead(m)) return -EIO;
    m->states[0] = *names(m);
    m->state_count = 1;
    return 0;
}

static int mem_space(void *state, const char *dir, uint64_t *free_bytes, uint64_t *total)
{
    (void)state;
    (void)dir;
    *free_bytes = *total = UINT64_C(1) << 40;
    return 0;
}

static void mem_fatal(void *state) { (void)state; }

/* --- life and death --- */

struct memory *memory_new(uint64_t seed)
{
    struct memory *m = calloc(1, sizeof *m);
    assert(m);
    m->random = seed;
    m->states = calloc(1, sizeof *m->states);
    m->state_count = m->state_room = 1;
    for (int i = 0; i < HANDLES; i++) m->handles[i] = -1;
    m->files = (struct file_system){
        .state = m, .open = mem_open, .close = mem_close, .pread = mem_pread, .pwrite = mem_pwrite, .sync = mem_sync,
        .truncate = mem_truncate, .allocate = mem_allocate, .size = mem_size, .lock = mem_lock, .rename = mem_rename,
        .unlink = mem_unlink, .list = mem_list, .make_dir = mem_make_dir, .sync_dir = mem_sync_dir, .space = mem_space,
        .fatal = mem_fatal,
    };
    return m;
}

void memory_free(struct memory *m)
{
    for (int i = 0; i < m->inode_count; i++) {
        pending_clear(m->inodes[i]);
        free(m->inodes[i]->now.data);
        free(m->inodes[i]->durable.data);
        free(m->inodes[i]);
    }
    free(m->states);
    free(m);
}

const struct file_system *memory_files(struct memory *m) { return &m->files; }

void memory_crash_at(struct memory *m, uint64_t nth)
{
    m->calls = 0;
    m->crash_at = nth;
}

bool memory_crashed(const struct memory *m) { return m->crashed; }

enum fate { FATE_KEEP, FATE_LOSE, FATE_ZERO };

static enum fate fate_of(struct memory *m, unsigned mode)
{
    static const enum fate mixed[] = {FATE_KEEP, FATE_KEEP, FATE_LOSE, FATE_ZERO};
    if (mode == 0) return FATE_LOSE;
    if (mode == 1) return FATE_KEEP;
    return mode == 2 ? (memory_random(m) & 1 ? FATE_KEEP : FATE_LOSE) : mixed[memory_random(m) % 4];
}

/* One unsynced write, sector by sector. Where nothing durable stood, "lost" and "zero" are the same when the file grew. */
static void survive_write(struct memory *m, struct inode *inode, const struct pending *p, unsigned mode)
{
    for (size_t done = 0; done < p->size;) {
        size_t n = SECTOR - (p->at + done) % SECTOR;
        if (n > p->size - done) n = p->size - done;
        enum fate fate = fate_of(m, mode);
        if (fate != FATE_LOSE) put(&inode->durable, fate == FATE_KEEP ? p->data + done : NULL, n, p->at + done);
        done += n;
    }
}

static void survive(struct memory *m, struct inode *inode)
{
    unsigned mode = (unsigned)(memory_random(m) % 4);
    bool sizes = true; /* truncations survive as a prefix */
    for (struct pending *p = inode->first; p; p = p->next) {
        if (p->data) {
            survive_write(m, inode, p, mode);
        } else {
            sizes = sizes && memory_random(m) & 1;
            if (sizes) set_size(&inode->durable, p->at);
        }
    }
    pending_clear(inode);
    set_size(&inode->now, 0);
    put(&inode->now, inode->durable.data, inode->durable.size, 0);
    inode->locked = false;
}

void memory_reboot(struct memory *m)
{
    m->states[0] = m->states[memory_random(m) % m->state_count];
    m->state_count = 1;
    for (int i = 0; i < m->inode_count; i++) survive(m, m->inodes[i]);
    for (int i = 0; i < HANDLES; i++) m->handles[i] = -1;
    m->crashed = false;
    m->crash_at = 0;
}

bool memory_flip(struct memory *m, const char *path, uint64_t bit)
{
    struct name *name = find(names(m), path);
    if (!name) return false;
    struct inode *inode = m->inodes[name->inode];
    if (bit / 8 >= inode->durable.size || bit / 8 >= inode->now.size) return false;
    inode->durable.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    inode->now.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    return true;
}

void memory_each(struct memory *m, file_list_fn *fn, void *context)
{
    struct names *n = names(m);
    for (size_t i = 0; i < n->count; i++) fn(context, n->items[i].path);
}

uint64_t memory_size(struct memory *m, const char *path)
{
    struct name *name = find(names(m), path);
    return name ? m->inodes[name->inode]->now.size : 0;
}
