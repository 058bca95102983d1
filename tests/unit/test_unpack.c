/* test_unpack.c: MariaDB's compressed blobs; the head is as 10.11 writes it. */
#include "unit.h"

#include <zlib.h>

#include "unpack.h"

/* 0x80 | n, n bytes big-endian length, zlib. */
static size_t pack(const uint8_t *data, size_t size, unsigned n, uint8_t *out)
{
    uLongf room = compressBound(size);
    out[0] = (uint8_t)(0x80 | n);
    for (unsigned i = 0; i < n; i++) out[1 + i] = (uint8_t)(size >> (8 * (n - 1 - i)));
    assert_int_equal(compress(out + 1 + n, &room, data, size), Z_OK);
    return room + 1 + n;
}

static void test_round(void **state)
{
    (void)state;
    static uint8_t data[70000], packed[80000];
    struct unpack *unpack = unpack_new();
    struct slice plain;
    struct err err;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * i >> 7);
    static const struct { size_t size; unsigned n; } cases[] = {{1, 1}, {255, 1}, {256, 2}, {65535, 2}, {65536, 3}, {70000, 3}, {70000, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = pack(data, cases[i].size, cases[i].n, packed);
        assert_true(unpack_bytes(unpack, slice_of(packed, size), &plain, &err));
        assert_int_equal(plain.size, cases[i].size);
        assert_memory_equal(plain.data, data, plain.size);
    }
    unpack_free(unpack);
}

static void test_damage(void **state)
{
    (void)state;
    uint8_t data[500], packed[700];
    struct unpack *unpack = unpack_new();
    struct slice plain;
    struct err err;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 7);
    size_t size = pack(data, sizeof data, 2, packed);
    for (size_t n = 0; n < size; n++) assert_false(unpack_bytes(unpack, slice_of(packed, n), &plain, &err));
    for (size_t i = 0; i < size; i++) { /* adler32 tells every flip; the length and the head too */
        if (i == 3 || i == 4 || i == size - 5) continue; /* bits that mean nothing: in the head, and after the last block */
        packed[i] ^= 0x10;
        assert_false(unpack_bytes(unpack, slice_of(packed, size), &plain, &err));
        packed[i] ^= 0x10;
    }
    packed[2]--; /* a shorter length than the stream has */
    assert_false(unpack_bytes(unpack, slice_of(packed, size), &plain, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    unpack_free(unpack);
}

static void test_limits(void **state)
{
    (void)state;
    struct unpack *unpack = unpack_new();
    struct slice plain;
    struct err err;
    /* four billion bytes out of ten */
    assert_false(unpack_bytes(unpack, unit_hex("84 ffffffff 789c0300000000010000"), &plain, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_false(unpack_bytes(unpack, unit_hex("92 0001 789c"), &plain, &err)); /* algorithm 1 */
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_false(unpack_bytes(unpack, unit_hex("80"), &plain, &err));
    assert_false(unpack_bytes(unpack, unit_hex("02 0001"), &plain, &err));
    unpack_free(unpack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round), cmocka_unit_test(test_damage), cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
