/* fuzz_payload.c: any bytes as a TRANSACTION_PAYLOAD: each event has the size that it says, or there is a reason. */
#include <assert.h>

#include "cursor.h"
#include "payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct payload *payload;
    struct slice event = {NULL, 0};
    struct err err = {0};
    if (!payload) payload = payload_new();
    if (!payload_open(payload, slice_of(data, size), &err)) {
        assert(err.text[0]);
        return 0;
    }
    for (int left = 10000; left; left--) {
        if (!payload_next(payload, &event, &err)) {
            assert(err.text[0]);
            break;
        }
        if (!event.size) break;
        struct cursor in = cursor_of(slice_of(event.data + 9, 4));
        assert(cursor_u32(&in) == event.size);
    }
    return 0;
}
