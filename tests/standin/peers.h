/*
 * peers.h: the node-to-node side. A heart beats every heartbeat_interval_ms: it lets the table of members decide, and has a
 * heartbeat sent to each other node. A leader's heart also asks its own MariaDB every fifth beat, and stands still as long as
 * there is no answer; after 30 s the process ends. A leader pushes to each follower what its journal holds behind the LSN that
 * the follower last named, one batch at a time, every 10 ms; without an answer in 5 s it sends again.
 */
#ifndef STANDIN_PEERS_H
#define STANDIN_PEERS_H
#include "standin.h"

/* Starts to listen on the cluster's port and all the threads. */
MUST_CHECK bool peers_start(struct node *node, struct err *err);

#endif
