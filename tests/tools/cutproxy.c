/*
 * cutproxy: a TCP proxy that cuts connections at a byte, for tests of what a broken line does.
 *
 *   cutproxy [--arm FILE] [--after N [--step S]] [--dress innodb] LISTEN-PORT SERVER-PORT       both on 127.0.0.1
 *
 * Counted are the bytes from the server to the client. --after: the nth connection is cut after N + (n - 1) × S of them.
 * --arm: once FILE exists, the number in it says after how many more bytes the next connection that receives any is cut; the
 * file is removed when the count begins. A cut is a reset on both sides. One line per connection that ended goes to stdout.
 *
 * --dress innodb: a MariaDB's binary log without checksums looks like one that is kept inside InnoDB (12.3): no event says its place, and the files are
 * called -000042.ibb.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS_MAX = 32, CHUNK = 65536, CLIENT = 0, SERVER = 1 };

struct pair {
    int fd[2];
    unsigned number;
    uint64_t from_server, limit; /* limit 0: none */
    bool dumps;                  /* the client has asked for a binary log */
    uint32_t in, size;           /* of the packet at hand: bytes seen, and its length with its header, when 4 were seen */
    uint32_t frame;              /* bytes before the event: 2 where semi-synchronous */
    uint8_t head[64];            /* its beginning */
};

static struct pair pairs[PAIRS_MAX];
static const char *arm_file;
static unsigned long long after, step;
static unsigned connections;
static bool dress;

static void end_pair(struct pair *pair, bool cut)
{
    struct linger reset = {1, 0};
    for (int side = 0; side < 2; side++) {
        if (cut) setsockopt(pair->fd[side], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(pair->fd[side]);
    }
    printf("connection %u: %s after %llu bytes\n", pair->number, cut ? "cut" : "closed", (unsigned long long)pair->from_server);
    fflush(stdout);
    pair->fd[CLIENT] = -1;
}

static struct sockaddr_in local(unsigned port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

static void accept_one(int listener, unsigned to)
{
    struct sockaddr_in at = local(to);
    int on = 1, client = accept(listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);
    struct pair *free_pair = NULL;
    for (int i = 0; i < PAIRS_MAX && !free_pair; i++)
        if (pairs[i].fd[CLIENT] < 0) free_pair = &pairs[i];
    if (client < 0 || server < 0 || !free_pair || connect(server, (struct sockaddr *)&at, sizeof at)) {
        if (client >= 0) close(client);
        if (server >= 0) close(server);
        return;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *free_pair = (struct pair){.fd = {client, server}, .number = ++connections};
    if (after) free_pair->limit = after + (connections - 1) * step;
}

static uint64_t armed(void)
{
    unsigned long long n = 0;
    FILE *file = arm_file ? fopen(arm_file, "r") : NULL;
    if (!file) return 0;
    if (fscanf(file, "%llu", &n) != 1) n = 0;
    fclose(file);
    return n;
}

static bool send_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

/* binlog.000042 becomes bin-00042.ibb. */
static void dress_name(char *name, size_t size, size_t room)
{
    if (size < 10 || size > room) {
        fprintf(stderr, "cutproxy: a file's name is too short, or comes in two parts\n");
        exit(1);
    }
    name[size - 10] = '-';
    memmove(name + size - 9, name + size - 5, 5);
    memcpy(name + size - 4, ".ibb", 4);
}

/* A byte from the server. An event begins behind its packet's header, an OK byte and the frame. */
static void dress_byte(struct pair *pair, char *byte, size_t room)
{
    enum { HEADER = 4, TYPE = 4, LOG_POS = 13, NAME = 19 + 8, ROTATE = 4, FRAME = 0xef };
    uint32_t at = pair->in++, begin = HEADER + 1 + pair->frame;
    if (at < sizeof pair->head) pair->head[at] = (uint8_t)*byte;
    if (at == HEADER - 1) pair->size = HEADER + (pair->head[0] | (uint32_t)pair->head[1] << 8 | (uint32_t)pair->head[2] << 16);
    if (at == HEADER + 1) pair->frame = pair->head[at] == FRAME ? 2 : 0;
    if (at >= begin + LOG_POS && at < begin + LOG_POS + 4 && !pair->head[HEADER]) *byte = 0;
    if (at == begin + NAME && !pair->head[HEADER] && pair->head[begin + TYPE] == ROTATE) dress_name(byte, pair->size - at, room);
    if (at >= HEADER - 1 && at + 1 == pair->size) pair->in = 0;
}

static void dress_chunk(struct pair *pair, int side, char *chunk, size_t size)
{
    enum { DUMP = 0x12 };
    if (side == CLIENT && size > 4 && chunk[3] == 0 && chunk[4] == DUMP) pair->dumps = true;
    for (size_t i = 0; i < size && side == SERVER && pair->dumps; i++) dress_byte(pair, chunk + i, size - i);
}

static void forward(struct pair *pair, int side)
{
    static char chunk[CHUNK];
    ssize_t n = recv(pair->fd[side], chunk, sizeof chunk, 0);
    if (n <= 0) {
        end_pair(pair, false);
        return;
    }
    size_t size = (size_t)n;
    bool cut = false, by_arm = false;
    if (side == SERVER) {
        uint64_t more = armed(), limit = more ? pair->from_server + more : pair->limit;
        by_arm = more != 0;
        cut = limit && pair->from_server + size >= limit;
        if (cut) size = (size_t)(limit > pair->from_server ? limit - pair->from_server : 0);
        else if (more) pair->limit = limit; /* the rest of the count is for what comes next */
        pair->from_server += size;
    }
    if (dress) dress_chunk(pair, side, chunk, size);
    if (by_arm) unlink(arm_file);
    if (!send_all(pair->fd[!side], chunk, size) || cut) {
        if (cut) usleep(2000); /* a reset may overtake what was sent just before */
        end_pair(pair, cut);
    }
}

static int listen_on(unsigned port)
{
    struct sockaddr_in at = local(port);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 16)) {
        perror("cutproxy");
        exit(1);
    }
    return fd;
}

static void serve(int listener, unsigned to)
{
    struct pollfd polls[1 + 2 * PAIRS_MAX];
    for (;;) {
        polls[0] = (struct pollfd){.fd = listener, .events = POLLIN};
        for (int i = 0; i < PAIRS_MAX; i++)
            for (int side = 0; side < 2; side++)
                polls[1 + 2 * i + side] = (struct pollfd){.fd = pairs[i].fd[CLIENT] < 0 ? -1 : pairs[i].fd[side], .events = POLLIN};
        if (poll(polls, 1 + 2 * PAIRS_MAX, -1) < 0) continue;
        for (int i = 0; i < PAIRS_MAX; i++)
            for (int side = 0; side < 2; side++)
                if (polls[1 + 2 * i + side].revents && pairs[i].fd[CLIENT] >= 0) forward(&pairs[i], side);
        if (polls[0].revents) accept_one(listener, to);
    }
}

int main(int argc, char **argv)
{
    int at = 1;
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        if (!strcmp(argv[at], "--arm")) arm_file = argv[at + 1];
        else if (!strcmp(argv[at], "--after")) after = strtoull(argv[at + 1], NULL, 10);
        else if (!strcmp(argv[at], "--step")) step = strtoull(argv[at + 1], NULL, 10);
        else if (!strcmp(argv[at], "--dress") && !strcmp(argv[at + 1], "innodb")) dress = true;
        else break;
    }
    if (argc - at != 2) {
        fprintf(stderr, "usage: cutproxy [--arm FILE] [--after N [--step S]] [--dress innodb] LISTEN-PORT SERVER-PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < PAIRS_MAX; i++) pairs[i].fd[CLIENT] = -1;
    serve(listen_on((unsigned)atoi(argv[at])), (unsigned)atoi(argv[at + 1]));
}
