/*
 * ahead.h: whether the source's dictionary still says what a table was where capture stands. Where capture is behind, the binary log between here and the
 * server's end may hold a statement that changes the table: then what the server says now is another table's definition, and two columns of one type that
 * have changed their names meanwhile would be taken for each other without a sign. So that part of the log is looked through first, for its DDL alone, over a
 * connection of its own that ends where the log ends; once: what has been looked through is remembered. The capture thread's, but for ahead_stop.
 */
#ifndef WOLFCDC_AHEAD_H
#define WOLFCDC_AHEAD_H
#include "source.h"

struct ahead;

/* Owned. settings outlive it. */
struct ahead *ahead_new(const struct source_settings *settings, size_t host);
void ahead_free(struct ahead *ahead); /* NULL accepted */
void ahead_stop(struct ahead *ahead); /* any thread, between new and free: ahead_clear returns soon */
/* To be asked after the definition was read. `at`: behind the last transaction that was taken. False, ERR_STOP: a statement behind `at` changes that table, and the
   message has it; others: the log could not be read. */
MUST_CHECK bool ahead_clear(struct ahead *ahead, const struct source_pos *at, struct slice database, struct slice table, struct err *err);

#endif
