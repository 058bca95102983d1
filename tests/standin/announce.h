/*
 * announce.h: discovery. With auto_discovery on, a node says every 2 s to 255.255.255.255:7654 who it is:
 * WOLFSCALE|1|cluster name|id|advertise address. A stand-in listens to nobody's: its members are its peers.
 */
#ifndef STANDIN_ANNOUNCE_H
#define STANDIN_ANNOUNCE_H
#include "standin.h"

void announce_start(struct node *node);

#endif
