/*
 * api.h: a node's HTTP API, with its faults: /write answers success and stores nothing, /sql is logged and not executed, what is
 * called healthy is a constant. POST /standin/switch?name=NAME&value=VALUE sets a switch and GET /standin/switch lists them;
 * both are the stand-in's own and answered as they are, whatever the switches say.
 */
#ifndef STANDIN_API_H
#define STANDIN_API_H
#include "standin.h"

MUST_CHECK bool api_start(struct node *node, struct err *err);

#endif
