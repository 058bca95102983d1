/*
 * file.h: every call on files that the log makes, as one table, so that tests put a twin in its place that keeps unsynced
 * writes apart (tests/crash), and can fail the nth call (file_fault_at). The real one is file_system_real().
 *
 * Functions of the table return a value ≥ 0, or -errno; reads and writes may be short. The file_… functions below them
 * turn that into whole reads and writes and an err that names file, offset and cause.
 */
#ifndef WOLFCDC_FILE_H
#define WOLFCDC_FILE_H
#include <sys/types.h>

#include "err.h"
#include "slice.h"

enum { FILE_WRITE = 1, FILE_CREATE = 2, FILE_EXCLUSIVE = 4, FILE_TRUNCATE = 8 }; /* how to open; none: read only */
enum { FILE_PATH_MAX = 4096 };

typedef void file_list_fn(void *context, const char *name);

struct file_system {
    void *state; /* first argument of each */
    int (*open)(void *state, const char *path, unsigned how);
    void (*close)(void *state, int handle);
    ssize_t (*pread)(void *state, int handle, void *data, size_t size, uint64_t at);
    ssize_t (*pwrite)(void *state, int handle, const void *data, size_t size, uint64_t at);
    int (*sync)(void *state, int handle); /* fdatasync */
    int (*truncate)(void *state, int handle, uint64_t size);
    int (*allocate)(void *state, int handle, uint64_t size);
    int64_t (*size)(void *state, int handle);
    int (*lock)(void *state, int handle); /* exclusive, at once or -EWOULDBLOCK */
    int (*rename)(void *state, const char *from, const char *to);
    int (*unlink)(void *state, const char *path);
    int (*list)(void *state, const char *dir, file_list_fn *fn, void *context);
    int (*make_dir)(void *state, const char *dir); /* 0700; 0 when it is there */
    int (*sync_dir)(void *state, const char *dir);
    int (*space)(void *state, const char *dir, uint64_t *free_bytes, uint64_t *total_bytes);
    /* A write or sync failed: what is in the file is unknown. The real one ends the process with status 70. */
    void (*fatal)(void *state);
};

const struct file_system *file_system_real(void);
/* Tests: the nth call from now of any function of any file system fails with `number`; 0 = off. */
void file_fault_at(uint64_t nth, int number);
bool file_fault_at_reached(void); /* the call that was to fail has come */

struct file {
    const struct file_system *system; /* NULL: closed */
    int handle;
    char path[FILE_PATH_MAX];
};

/* Holds a descriptor. ERR_GONE when it is not there, ERR_STOP for the rest; number is errno. */
MUST_CHECK bool file_open(struct file *file, const struct file_system *system, const char *path, unsigned how,
                          struct err *err);
void file_close(struct file *file); /* a closed or zeroed one is fine */
/* Up to size bytes; *got is less only at the end of the file. */
MUST_CHECK bool file_read(struct file *file, void *data, size_t size, uint64_t at, size_t *got, struct err *err);
MUST_CHECK bool file_write(struct file *file, const void *data, size_t size, uint64_t at, struct err *err);
MUST_CHECK bool file_sync(struct file *file, struct err *err);
MUST_CHECK bool file_truncate(struct file *file, uint64_t size, struct err *err);
/* Makes room ahead. A file system that cannot is no error; a full disk is one. */
MUST_CHECK bool file_allocate(struct file *file, uint64_t size, struct err *err);
MUST_CHECK bool file_size(struct file *file, uint64_t *size, struct err *err);
/* False with ERR_STOP when another process holds it. */
MUST_CHECK bool file_lock(struct file *file, struct err *err);
MUST_CHECK bool file_rename(const struct file_system *system, const char *from, const char *to, struct err *err);
MUST_CHECK bool file_unlink(const struct file_system *system, const char *path, struct err *err);
MUST_CHECK bool file_list(const struct file_system *system, const char *dir, file_list_fn *fn, void *context,
                          struct err *err);
MUST_CHECK bool file_make_dir(const struct file_system *system, const char *dir, struct err *err);
MUST_CHECK bool file_sync_dir(const struct file_system *system, const char *dir, struct err *err);
MUST_CHECK bool file_space(const struct file_system *system, const char *dir, uint64_t *free_bytes,
                           uint64_t *total_bytes, struct err *err);
/* Writes bytes to path so that a crash leaves the old content or the new one: path.tmp, sync, rename, sync_dir. */
MUST_CHECK bool file_replace(const struct file_system *system, const char *dir, const char *name, struct slice bytes,
                             struct err *err);
/* The same, by the whole path. */
MUST_CHECK bool file_replace_path(const struct file_system *system, const char *path, struct slice bytes, struct err *err);

#endif
