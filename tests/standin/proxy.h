/*
 * proxy.h: the MySQL proxy. Each connection gets one of its own to the node's MariaDB, whose greeting and login are relayed.
 * A write on the leader runs on that connection, is answered, and only then goes to the journal, whatever came of it; elsewhere
 * it is handed to the leader's /sql and answered with an OK of the proxy's own. All else runs on the connection. A reply is
 * taken to be over when nothing follows within a millisecond: one that pauses longer is left half sent, as on a real node.
 */
#ifndef STANDIN_PROXY_H
#define STANDIN_PROXY_H
#include "standin.h"

MUST_CHECK bool proxy_start(struct node *node, struct err *err);

#endif
