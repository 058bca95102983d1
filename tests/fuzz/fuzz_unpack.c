/* fuzz_unpack.c: any bytes as MariaDB's compressed blob. */
#include <assert.h>

#include "unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct unpack *unpack;
    struct slice plain = {0};
    struct err err = {0};
    if (!unpack) unpack = unpack_new();
    if (unpack_bytes(unpack, slice_of(data, size), &plain, &err)) {
        uint32_t sum = 0;
        for (size_t i = 0; i < plain.size; i++) sum += plain.data[i];
        assert(sum <= plain.size * 255);
    } else {
        assert(err.text[0]);
    }
    return 0;
}
