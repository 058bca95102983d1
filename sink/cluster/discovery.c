/* discovery.c: see discovery.h. */
#include "discovery.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cursor.h"

enum { RUBBISH_MAX = 64 }; /* datagrams of others that one call looks through */

/* Up to the next '|' or the end. */
static struct slice field(struct cursor *in, bool *more)
{
    const uint8_t *bar = in->failed ? NULL : memchr(in->at, '|', cursor_left(in));
    struct slice out = bar ? cursor_bytes(in, (size_t)(bar - in->at)) : cursor_rest(in);
    *more = bar != NULL;
    if (bar) cursor_u8(in);
    return out;
}

/* Texts that are to be shown and compared: no control characters. */
static bool keep(struct slice from, char *to, size_t room)
{
    if (from.size >= room) return false;
    for (size_t i = 0; i < from.size; i++)
        if (from.data[i] < ' ' || from.data[i] == 0x7f) return false;
    memcpy(to, from.data, from.size);
    to[from.size] = 0;
    return true;
}

static bool read_host(struct slice address, char *host, size_t room)
{
    struct node_peer peer = {0};
    if (!keep(address, peer.address, sizeof peer.address) || !node_peer_host(&peer, host, room)) return false;
    if (!strcmp(host, "0.0.0.0") || !strcmp(host, "::")) *host = 0;
    return true;
}

bool discovery_read(struct slice datagram, struct announcement *announcement)
{
    struct cursor in = cursor_of(datagram);
    struct announcement a = {0};
    struct slice fields[5];
    bool more = true;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!more) return false;
        fields[i] = field(&in, &more);
    }
    if (!slice_is(fields[0], "WOLFSCALE") || !slice_is(fields[1], "1")) return false;
    if (!keep(fields[2], a.cluster, sizeof a.cluster) || !keep(fields[3], a.id, sizeof a.id) || !*a.id) return false;
    if (!read_host(fields[4], a.host, sizeof a.host)) return false;
    *announcement = a;
    return true;
}

bool discovery_fits(const struct announcement *announcement, const char *cluster_name)
{
    return !*cluster_name || !*announcement->cluster || !strcmp(announcement->cluster, cluster_name);
}

/* Without SO_REUSEADDR: a node that is started here later must not be robbed of its announcements, and says so itself. */
bool discovery_open(int *fd, struct err *err)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(DISCOVERY_PORT), .sin_addr = {htonl(INADDR_ANY)}};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s >= 0 && bind(s, (const struct sockaddr *)&any, sizeof any) == 0) {
        *fd = s;
        return true;
    }
    int number = errno;
    if (s >= 0) close(s);
    if (number == EADDRINUSE)
        return err_set(err, ERR_CONFIG, "UDP port %d is taken: a node runs on this host: discovery must stay off here; it would take its announcements",
                       DISCOVERY_PORT);
    return err_set_number(err, ERR_CONFIG, (unsigned)number, "UDP port %d: %s", DISCOVERY_PORT, strerror(number));
}

bool discovery_hear(int fd, struct announcement *announcement)
{
    uint8_t bytes[DISCOVERY_MAX];
    for (unsigned i = 0; i < RUBBISH_MAX; i++) {
        struct sockaddr_in from = {0};
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);
        if (got < 0) return false;
        if (!discovery_read(slice_of(bytes, (size_t)got), announcement)) continue;
        if (*announcement->host || inet_ntop(AF_INET, &from.sin_addr, announcement->host, sizeof announcement->host)) return true;
    }
    return false;
}
