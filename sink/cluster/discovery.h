/*
 * discovery.h: private to sink/. What WolfScale's nodes shout into their network every 2 s, over UDP to port 7654 of everybody:
 *
 *     WOLFSCALE|1|<cluster's name, or nothing>|<node's id>|<host:port of the cluster protocol>
 *
 * UTF-8 without an end mark and without any escape; more fields may follow. It carries neither role nor the port of the API, and anybody can send
 * it: a hint to ask there, no more. A node listens on the same port and does not share it, so nobody else can listen on its machine.
 */
#ifndef WOLFCDC_DISCOVERY_H
#define WOLFCDC_DISCOVERY_H
#include "nodes.h"

enum { DISCOVERY_PORT = 7654, DISCOVERY_MAX = 512 };

struct announcement { char cluster[NODE_ID_MAX], id[NODE_ID_MAX], host[NODE_HOST_MAX]; };

/* False: no announcement, or one with an impossible field. host is "" where the node does not know its own ("0.0.0.0"). */
MUST_CHECK bool discovery_read(struct slice datagram, struct announcement *announcement);
/* As the nodes do among themselves: two names that are both set must be the same. */
bool discovery_fits(const struct announcement *announcement, const char *cluster_name);
/* ERR_CONFIG with the remedy: somebody listens there already. */
MUST_CHECK bool discovery_open(int *fd, struct err *err);
/* The next one that has come, without waiting; its host is then always known. */
bool discovery_hear(int fd, struct announcement *announcement);

#endif
