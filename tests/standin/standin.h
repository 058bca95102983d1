/*
 * standin.h: a program that behaves, towards a client, as one node of a WolfScale 5.5.7 cluster does: HTTP API, MySQL proxy,
 * asynchronous replication of statement texts, election and its faults. For tests only; what passes between two of these nodes
 * is a format of our own, so a stand-in and a real node cannot be in one cluster.
 *
 * A node is: conf (the program's configuration, read as the real one's) · members (who is there, who leads) · journal (the
 * node's own log of statements) · applier (what a follower executes) · peers (the node-to-node side) · proxy · api ·
 * switches (misbehaviour to order). Each is made once in main and lives until the process ends.
 */
#ifndef STANDIN_H
#define STANDIN_H
#include "conf.h"

struct node {
    const struct conf *conf;
    struct members *members;
    struct journal *journal;
    struct applier *applier;
    struct peers *peers;
    bool started_as_leader; /* decides the API's own idea of leading, and whether /sql has a handler */
};

#endif
