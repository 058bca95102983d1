/*
 * execute.h: rows of one shape for a server without array binding (MySQL). Equal rows of inserts and deletes travel many in one statement,
 * prepared for 64, 8 or 1 of them ("VALUES (…), (…)", "WHERE (…) OR (…)"); updates one by one, each sent before the reply of the one before is
 * read. A count proves each statement as it proves an array. Pure.
 */
#ifndef WOLFCDC_EXECUTE_H
#define WOLFCDC_EXECUTE_H
#include "plan.h"

/* How many rows one statement of this size says; the sizes are shape->statements' indices. */
uint32_t execute_rows(unsigned size);
/* The size of the statement that takes the next of so many rows: the largest that this shape has. */
unsigned execute_size(const struct shape *shape, uint32_t rows);
/* The statement's text. */
void execute_sql(const struct shape *shape, unsigned size, struct buf *sql);
uint32_t execute_params(const struct shape *shape, unsigned size);
/* Appends one row as this file keeps it: u4 bytes that follow, a byte for each parameter (1: NULL), the values of the others. */
void execute_append(const struct shape *shape, const struct plan *plan, const struct value *before, const struct value *after, struct buf *rows);
/* The next execute_rows(size) of *rows as the payload of a COM_STMT_EXECUTE. */
void execute_packet(const struct shape *shape, unsigned size, struct cursor *rows, struct buf *packet);

#endif
