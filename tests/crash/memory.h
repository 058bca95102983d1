/*
 * memory.h: a file system in memory that keeps what is not synced apart, and can lose it. One thread.
 *
 * Model: fdatasync makes a file's bytes and size durable, sync_dir all names. At a crash each unsynced write is kept, lost,
 * torn at a sector or read as zeros, by sector and at random; unsynced names survive as a random prefix of what was done
 * (a journal keeps their order). A crash is set to happen at the nth call that changes something; every call after it fails.
 */
#ifndef WOLFCDC_CRASH_MEMORY_H
#define WOLFCDC_CRASH_MEMORY_H
#include "file.h"

struct memory;

struct memory *memory_new(uint64_t seed);
void memory_free(struct memory *memory);
const struct file_system *memory_files(struct memory *memory);
/* The nth call from now that changes something crashes; 0: none will. */
void memory_crash_at(struct memory *memory, uint64_t nth);
bool memory_crashed(const struct memory *memory);
/* Power back on: what is durable, and what survived by chance, is what there is. Open handles are gone. */
void memory_reboot(struct memory *memory);
/* Turns one bit of a file's durable content. False: no such byte. */
bool memory_flip(struct memory *memory, const char *path, uint64_t bit);
uint64_t memory_random(struct memory *memory);
void memory_each(struct memory *memory, file_list_fn *fn, void *context);
uint64_t memory_size(struct memory *memory, const char *path);

#endif
