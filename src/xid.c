/* xid.c: see xid.h. */
#include "xid.h"

#include <stdio.h>

#include "cursor.h"

bool xid_set(struct xid *xid, uint32_t format, struct slice global, struct slice branch)
{
    if (global.size > XID_PART_MAX || branch.size > XID_PART_MAX) return false;
    memcpy(xid->bytes, &format, 4);
    xid->bytes[4] = (uint8_t)global.size;
    xid->bytes[5] = (uint8_t)branch.size;
    if (global.size) memcpy(xid->bytes + XID_HEAD, global.data, global.size);
    if (branch.size) memcpy(xid->bytes + XID_HEAD + global.size, branch.data, branch.size);
    xid->size = (uint8_t)(XID_HEAD + global.size + branch.size);
    return true;
}

bool xid_take(struct xid *xid, struct slice bytes)
{
    struct cursor in = cursor_of(bytes);
    uint32_t format = cursor_u32(&in);
    size_t global_size = cursor_u8(&in), branch_size = cursor_u8(&in);
    struct slice global = cursor_bytes(&in, global_size), branch = cursor_bytes(&in, branch_size);
    return !in.failed && !cursor_left(&in) && xid_set(xid, format, global, branch);
}

static int put_hex(char *to, const uint8_t *bytes, size_t size)
{
    int n = sprintf(to, "X'");
    for (size_t i = 0; i < size; i++) n += sprintf(to + n, "%02X", bytes[i]);
    return n + sprintf(to + n, "',");
}

void xid_format(const struct xid *xid, char text[XID_TEXT_MAX])
{
    uint32_t format = 0;
    text[0] = 0;
    if (xid->size < XID_HEAD) return;
    memcpy(&format, xid->bytes, 4);
    int n = put_hex(text, xid->bytes + XID_HEAD, xid->bytes[4]);
    n += put_hex(text + n, xid->bytes + XID_HEAD + xid->bytes[4], xid->bytes[5]);
    sprintf(text + n, "%u", format);
}
