/* file.c: see file.h. */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* --- the real one --- */

static int real_open(void *state, const char *path, unsigned how)
{
    (void)state;
    int flags = O_CLOEXEC | (how & FILE_WRITE ? O_RDWR : O_RDONLY) | (how & FILE_CREATE ? O_CREAT : 0) |
                (how & FILE_EXCLUSIVE ? O_EXCL : 0) | (how & FILE_TRUNCATE ? O_TRUNC : 0);
    int fd = open(path, flags, 0600);
    return fd < 0 ? -errno : fd;
}

static void real_close(void *state, int handle)
{
    (void)state;
    close(handle);
}

static ssize_t real_pread(void *state, int handle, void *data, size_t size, uint64_t at)
{
    (void)state;
    ssize_t n = pread(handle, data, size, (off_t)at);
    return n < 0 ? -errno : n;
}

static ssize_t real_pwrite(void *state, int handle, const void *data, size_t size, uint64_t at)
{
    (void)state;
    ssize_t n = pwrite(handle, data, size, (off_t)at);
    return n < 0 ? -errno : n;
}

static int real_sync(void *state, int handle)
{
    (void)state;
    return fdatasync(handle) < 0 ? -errno : 0;
}

static int real_truncate(void *state, int handle, uint64_t size)
{
    (void)state;
    return ftruncate(handle, (off_t)size) < 0 ? -errno : 0;
}

static int real_allocate(void *state, int handle, uint64_t size)
{
    (void)state;
    return fallocate(handle, 0, 0, (off_t)size) < 0 ? -errno : 0;
}

static int64_t real_size(void *state, int handle)
{
    struct stat st;
    (void)state;
    return fstat(handle, &st) < 0 ? -errno : (int64_t)st.st_size;
}

static int real_lock(void *state, int handle)
{
    (void)state;
    return flock(handle, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

static int real_rename(void *state, const char *from, const char *to)
{
    (void)state;
    return rename(from, to) < 0 ? -errno : 0;
}

static int real_unlink(void *state, const char *path)
{
    (void)state;
    return unlink(path) < 0 ? -errno : 0;
}

static int real_list(void *state, const char *dir, file_list_fn *fn, void *context)
{
    struct dirent *entry;
    (void)state;
    DIR *d = opendir(dir);
    if (!d) return -errno;
    for (errno = 0; (entry = readdir(d)); errno = 0)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) fn(context, entry->d_name);
    int failed = errno;
    closedir(d);
    return -failed;
}

static int real_make_dir(void *state, const char *dir)
{
    (void)state;
    return mkdir(dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int real_sync_dir(void *state, const char *dir)
{
    (void)state;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed = 0;
    if (fd < 0) return -errno;
    if (fsync(fd) < 0) failed = errno;
    close(fd);
    return -failed;
}

static int real_space(void *state, const char *dir, uint64_t *free_bytes, uint64_t *total_bytes)
{
    struct statvfs st;
    (void)state;
    if (statvfs(dir, &st) < 0) return -errno;
    *free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    *total_bytes = (uint64_t)st.f_blocks * st.f_frsize;
    return 0;
}

static void real_fatal(void *state)
{
    (void)state;
    _exit(70); /* EX_SOFTWARE; the caller has logged why */
}

const struct file_system *file_system_real(void)
{
    static const struct file_system real = {
        .open = real_open, .close = real_close, .pread = real_pread, .pwrite = real_pwrite, .sync = real_sync,
        .truncate = real_truncate, .allocate = real_allocate, .size = real_size, .lock = real_lock,
        .rename = real_rename, .unlink = real_unlink, .list = real_list, .make_dir = real_make_dir,
        .sync_dir = real_sync_dir, .space = real_space, .fatal = real_fatal,
    };
    return &real;
}

/* --- faults --- */

static atomic_uint_fast64_t calls, fault_at;
static atomic_int fault_number;

void file_fault_at(uint64_t nth, int number)
{
    atomic_store(&fault_number, number);
    atomic_store(&fault_at, nth ? atomic_load(&calls) + nth : 0);
}

bool file_fault_at_reached(void) { return atomic_load(&calls) >= atomic_load(&fault_at); }

/* 0, or the -errno that this call shall fail with. */
static int fault(void)
{
    uint64_t call = atomic_fetch_add(&calls, 1) + 1;
    return atomic_load(&fault_at) == call ? -atomic_load(&fault_number) : 0;
}

/* --- whole reads and writes, with messages --- */

static bool failed(struct err *err, int result, const char *verb, const char *path)
{
    return err_set_number(err, result == -ENOENT ? ERR_GONE : ERR_STOP, (unsigned)-result, "cannot %s %s: %s", verb,
                          path, strerror(-result));
}

bool file_open(struct file *file, const struct file_system *system, const char *path, unsigned how, struct err *err)
{
    if (strlen(path) >= sizeof file->path) return err_set(err, ERR_LIMIT, "path is longer than %d bytes", FILE_PATH_MAX);
    int handle = fault();
    if (!handle) handle = system->open(system->state, path, how);
    if (handle < 0) return failed(err, handle, how & FILE_CREATE ? "create" : "open", path);
    file->system = system;
    file->handle = handle;
    strcpy(file->path, path);
    return true;
}

void file_close(struct file *file)
{
    if (file->system) file->system->close(file->system->state, file->handle);
    file->system = NULL;
}

bool file_read(struct file *file, void *data, size_t size, uint64_t at, size_t *got, struct err *err)
{
    size_t have = 0;
    while (have < size) {
        ssize_t n = fault();
        if (!n) n = file->system->pread(file->system->state, file->handle, (char *)data + have, size - have, at + have);
        if (n == -EINTR) continue;
        if (n < 0)
            return err_set_number(err, ERR_STOP, (unsigned)-n, "cannot read %s at offset %llu: %s", file->path,
                                  (unsigned long long)(at + have), strerror((int)-n));
        if (n == 0) break;
        have += (size_t)n;
    }
    *got = have;
    return true;
}

bool file_write(struct file *file, const void *data, size_t size, uint64_t at, struct err *err)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = fault();
        if (!n)
            n = file->system->pwrite(file->system->state, file->handle, (const char *)data + done, size - done, at + done);
        if (n == -EINTR) continue;
        if (n == 0) n = -EIO;
        if (n < 0)
            return err_set_number(err, ERR_STOP, (unsigned)-n, "cannot write %s at offset %llu: %s", file->path,
                                  (unsigned long long)(at + done), strerror((int)-n));
        done += (size_t)n;
    }
    return true;
}

bool file_sync(struct file *file, struct err *err)
{
    int r = fault();
    if (!r) r = file->system->sync(file->system->state, file->handle);
    return r < 0 ? failed(err, r, "sync", file->path) : true;
}

bool file_truncate(struct file *file, uint64_t size, struct err *err)
{
    int r = fault();
    if (!r) r = file->system->truncate(file->system->state, file->handle, size);
    return r < 0 ? failed(err, r, "truncate", file->path) : true;
}

bool file_allocate(struct file *file, uint64_t size, struct err *err)
{
    int r = fault();
    if (!r) r = file->system->allocate(file->system->state, file->handle, size);
    if (r == -EOPNOTSUPP || r == -ENOSYS) return true;
    return r < 0 ? failed(err, r, "make room in", file->path) : true;
}

bool file_size(struct file *file, uint64_t *size, struct err *err)
{
    int64_t r = fault();
    if (!r) r = file->system->size(file->system->state, file->handle);
    if (r < 0) return failed(err, (int)r, "stat", file->path);
    *size = (uint64_t)r;
    return true;
}

bool file_lock(struct file *file, struct err *err)
{
    int r = fault();
    if (!r) r = file->system->lock(file->system->state, file->handle);
    return r < 0 ? failed(err, r, "lock", file->path) : true;
}

bool file_rename(const struct file_system *system, const char *from, const char *to, struct err *err)
{
    int r = fault();
    if (!r) r = system->rename(system->state, from, to);
    return r < 0 ? failed(err, r, "rename", from) : true;
}

bool file_unlink(const struct file_system *system, const char *path, struct err *err)
{
    int r = fault();
    if (!r) r = system->unlink(system->state, path);
    return r < 0 ? failed(err, r, "remove", path) : true;
}

bool file_list(const struct file_system *system, const char *dir, file_list_fn *fn, void *context, struct err *err)
{
    int r = fault();
    if (!r) r = system->list(system->state, dir, fn, context);
    return r < 0 ? failed(err, r, "list", dir) : true;
}

bool file_make_dir(const struct file_system *system, const char *dir, struct err *err)
{
    int r = fault();
    if (!r) r = system->make_dir(system->state, dir);
    return r < 0 ? failed(err, r, "make directory", dir) : true;
}

bool file_sync_dir(const struct file_system *system, const char *dir, struct err *err)
{
    int r = fault();
    if (!r) r = system->sync_dir(system->state, dir);
    return r < 0 ? failed(err, r, "sync directory", dir) : true;
}

bool file_space(const struct file_system *system, const char *dir, uint64_t *free_bytes, uint64_t *total_bytes,
                struct err *err)
{
    int r = fault();
    if (!r) r = system->space(system->state, dir, free_bytes, total_bytes);
    return r < 0 ? failed(err, r, "ask for the free space of", dir) : true;
}

bool file_replace(const struct file_system *system, const char *dir, const char *name, struct slice bytes,
                  struct err *err)
{
    struct file file = {0};
    char path[FILE_PATH_MAX], temporary[FILE_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    int m = snprintf(temporary, sizeof temporary, "%s/%s.tmp", dir, name);
    if (n >= (int)sizeof path || m >= (int)sizeof temporary) return err_set(err, ERR_LIMIT, "path of %s is too long", name);
    bool ok = file_open(&file, system, temporary, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, err) &&
              file_write(&file, bytes.data, bytes.size, 0, err) && file_sync(&file, err) &&
              file_rename(system, temporary, path, err) && file_sync_dir(system, dir, err);
    file_close(&file);
    return ok;
}

bool file_replace_path(const struct file_system *system, const char *path, struct slice bytes, struct err *err)
{
    char dir[FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    int n = snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) + (slash == path) : 1, slash ? path : ".");
    if (n >= (int)sizeof dir) return err_set(err, ERR_LIMIT, "path of %s is too long", path);
    return file_replace(system, dir, slash ? slash + 1 : path, bytes, err);
}
