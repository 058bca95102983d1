/*
 * wire.h: sockets, and the frames between two stand-ins: u32 size, u8 kind, body (little-endian). One frame is answered by one.
 */
#ifndef STANDIN_WIRE_H
#define STANDIN_WIRE_H
#include "buf.h"
#include "conf.h"
#include "cursor.h"

enum frame_kind { FRAME_BEAT = 1, FRAME_ANSWER, FRAME_PUSH, FRAME_ACK };
enum { FRAME_MAX = 80 * 1024 * 1024 };

/* -1 when it cannot. Every receive and send of the connection then waits at most so long. */
int wire_connect(const char *host, unsigned port, unsigned timeout_ms);
int wire_listen(const char *address, struct err *err);
bool wire_send(int fd, struct slice bytes);
bool wire_receive(int fd, uint8_t *to, size_t size); /* exactly size bytes */
void wire_timeout(int fd, unsigned timeout_ms);

bool frame_send(int fd, enum frame_kind kind, struct slice body);
/* Into *body; false at the end of the connection or when it is no frame. */
bool frame_receive(int fd, enum frame_kind *kind, struct buf *body);
void frame_text(struct buf *body, const char *text);
void frame_take_text(struct cursor *in, char *to, size_t room);

/* Accepts for ever; each connection gets a thread of its own, which closes it. */
typedef void wire_serve_fn(void *context, int fd);
void wire_serve(int listener, const char *name, wire_serve_fn *serve, void *context);

#endif
