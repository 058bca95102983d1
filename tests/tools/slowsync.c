/*
 * slowsync: to be preloaded into the agent. Each fdatasync takes SLOWSYNC_MS longer, and once it is done a line "INODE BYTES"
 * goes to the file SLOWSYNC_LOG: so many bytes of that file are on the disk for certain. After a kill -9 the test cuts the log
 * back to that, which is what a power cut may leave.
 *
 * The log is written from front to back, so the end of the last write before the sync says how far the sync reaches.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FD_MAX = 1024 };

static _Atomic long long written[FD_MAX];

static void note(int fd, long long bytes)
{
    struct stat info;
    char line[64];
    const char *path = getenv("SLOWSYNC_LOG");
    int log = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (log < 0) return;
    if (fstat(fd, &info) == 0) {
        int n = snprintf(line, sizeof line, "%llu %lld\n", (unsigned long long)info.st_ino, bytes);
        if (write(log, line, (size_t)n) != n) abort();
    }
    close(log);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pwrite");
    ssize_t n = real(fd, data, size, at);
    if (n > 0 && fd >= 0 && fd < FD_MAX) atomic_store(&written[fd], (long long)at + n);
    return n;
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    long long bytes = fd >= 0 && fd < FD_MAX ? atomic_load(&written[fd]) : 0;
    long ms = getenv("SLOWSYNC_MS") ? atol(getenv("SLOWSYNC_MS")) : 0;
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
    int result = real(fd);
    if (result == 0) note(fd, bytes);
    return result;
}
