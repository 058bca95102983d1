/*
 * jsonb.h: MySQL's binary JSON (5.7.8 and later) into the text that the server's own SELECT prints; and the diffs of
 * PARTIAL_UPDATE_ROWS applied to such a document. Source: MySQL json_binary.h and json_diff.h.
 *
 * A document is a type byte and a value. A container, W = 2 bytes in small ones and 4 in large ones:
 *   W count · W size · [objects: count × (W key offset, u2 key length)] · count × (u1 type, W value or offset) · keys · values
 * Offsets count from the container's count field. Literals and 16-bit integers, in large containers 32-bit ones too, stand in the entry
 * itself. Keys are sorted by length, then bytes. Updates in place leave holes, so everything is found by its offset.
 */
#ifndef WOLFCDC_JSONB_H
#define WOLFCDC_JSONB_H
#include "arena.h"
#include "buf.h"
#include "err.h"

enum { JSONB_DEPTH_MAX = 100 }; /* containers in each other: the servers' own limit */

/* Appends the document's text; no byte at all is JSON's null. ERR_CORRUPT; ERR_UNSUPPORTED for a value type of which nothing is known;
   ERR_LIMIT for depth, and when *out is full. */
MUST_CHECK bool jsonb_text(struct slice document, struct buf *out, struct err *err);
/* The text of the document after the diffs, in their order: u1 operation (0 replace, 1 insert, 2 remove) · lenenc path · [lenenc
   document]. A path that leads nowhere is ERR_CORRUPT: then this is not the document that the server changed. */
MUST_CHECK bool jsonb_patched(struct slice document, struct slice diffs, struct arena *arena, struct buf *out, struct err *err);

#endif
