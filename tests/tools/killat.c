/*
 * killat: to be preloaded into the agent. It kills the agent with -9 at one exact step of its work: before or after it sends the statement that
 * contains a text, or writes the line of its log that does. Servers that speak TLS are not seen.
 *
 * The file KILLAT is looked at with each send, so that it can be armed while the agent runs. One line: `before` or `after`, how often the text is to be
 * met (1: the first time), milliseconds to go on for after that, and the text, to the line's end. The file is removed before the kill.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 512 };
struct order { char when[8]; int count; int ms; char text[LINE_MAX_BYTES]; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int met;
static char met_line[LINE_MAX_BYTES];

static int read_order(struct order *o)
{
    char line[LINE_MAX_BYTES] = "";
    const char *path = getenv("KILLAT");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    ssize_t n = read(fd, line, sizeof line - 1);
    close(fd);
    line[n > 0 ? n : 0] = 0;
    line[strcspn(line, "\n")] = 0;
    if (strcmp(line, met_line) != 0) met = 0;
    memcpy(met_line, line, sizeof line);
    return sscanf(line, "%7s %d %d %511[^\n]", o->when, &o->count, &o->ms, o->text) == 4;
}

static void end_now(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
    unlink(getenv("KILLAT"));
    kill(getpid(), SIGKILL);
}

/* Whether this is the one; *o is what was ordered. The thread goes on for o->ms when it is killed afterwards, as the others do. */
static int is_it(const void *data, size_t size, struct order *o)
{
    pthread_mutex_lock(&lock);
    int yes = read_order(o) && memmem(data, size, o->text, strlen(o->text)) && ++met == o->count;
    pthread_mutex_unlock(&lock);
    if (yes && strcmp(o->when, "before") == 0) end_now(0);
    return yes;
}

static void *later(void *ms)
{
    end_now(*(int *)ms);
    return NULL;
}

static void afterwards(const struct order *o)
{
    static int ms;
    pthread_t thread;
    ms = o->ms;
    if (!ms || pthread_create(&thread, NULL, later, &ms) != 0) end_now(ms);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    static ssize_t (*real)(int, const void *, size_t, int);
    struct order o;
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "send");
    int yes = is_it(data, size, &o);
    ssize_t n = real(fd, data, size, flags);
    if (yes) afterwards(&o);
    return n;
}

ssize_t write(int fd, const void *data, size_t size)
{
    static ssize_t (*real)(int, const void *, size_t);
    struct order o;
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "write");
    int yes = fd == STDERR_FILENO && is_it(data, size, &o);
    ssize_t n = real(fd, data, size);
    if (yes) afterwards(&o);
    return n;
}
