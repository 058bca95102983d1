/* announce.c: see announce.h. */
#include "announce.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "members.h"
#include "thread.h"

enum { PORT = 7654, EVERY_MS = 2000 };

static void say(int fd, const struct beat *beat)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_BROADCAST)};
    char text[2 * NAME_MAX_BYTES + ADDRESS_MAX + 32];
    int n = snprintf(text, sizeof text, "WOLFSCALE|1|%s|%s|%s", beat->cluster, beat->id, beat->address);
    sendto(fd, text, (size_t)n, 0, (struct sockaddr *)&to, sizeof to); /* no route: nobody hears it */
}

static void *announce(void *context)
{
    const struct node *node = context;
    int on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct beat beat;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on)) return NULL;
    for (;;) {
        members_own_beat(node->members, &beat);
        say(fd, &beat);
        clock_sleep_ms(EVERY_MS);
    }
    return NULL;
}

void announce_start(struct node *node)
{
    pthread_t thread;
    if (node->conf->auto_discovery) thread_start(&thread, "announce", announce, node);
}
