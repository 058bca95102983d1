/*
 * xid.h: the name of an XA transaction: format, global id and branch, any bytes. Kept as it stands in MariaDB's GTID event: u4 format,
 * u1 size of the global id, u1 size of the branch, the bytes of both. Source: MariaDB sql/xa.h, XID.
 */
#ifndef WOLFCDC_XID_H
#define WOLFCDC_XID_H
#include "slice.h"

enum { XID_HEAD = 6, XID_PART_MAX = 64, XID_MAX = XID_HEAD + 2 * XID_PART_MAX, XID_TEXT_MAX = 4 * XID_PART_MAX + 24 };

struct xid {
    uint8_t size; /* 0: none */
    uint8_t bytes[XID_MAX];
};

/* False when a part is longer than XID_PART_MAX. */
bool xid_set(struct xid *xid, uint32_t format, struct slice global, struct slice branch);
/* From the form above. False when it is not in that form. */
bool xid_take(struct xid *xid, struct slice bytes);
static inline struct slice xid_bytes(const struct xid *xid) { return (struct slice){xid->bytes, xid->size}; }
/* As the server writes it: X'6731',X'62',1. */
void xid_format(const struct xid *xid, char text[XID_TEXT_MAX]);

#endif
