/* test_payload.c: TRANSACTION_PAYLOAD taken apart: fields, frames, ends, and more than memory would hold. */
#include "unit.h"

#include <zstd.h>

#include "buf.h"
#include "payload.h"

struct fixture { struct payload *payload; struct buf plain, body; struct err err; };

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->payload = payload_new();
    buf_init(&f->plain, 16 << 20);
    buf_init(&f->body, 16 << 20);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    payload_free(f->payload);
    buf_fini(&f->plain);
    buf_fini(&f->body);
    free(f);
    return 0;
}

/* An event of that size whose bytes are its number. */
static void add(struct buf *to, uint32_t size, uint8_t number)
{
    size_t at = to->size;
    for (uint32_t i = 0; i < size; i++) buf_u8(to, number);
    memcpy(to->data + at + 9, &size, 4);
}

static void add_frame(struct buf *to, struct slice plain)
{
    uint8_t *at = buf_reserve(to, ZSTD_compressBound(plain.size));
    to->size += ZSTD_compress(at, ZSTD_compressBound(plain.size), plain.data, plain.size, 1);
}

static void field(struct buf *to, unsigned type, uint64_t value)
{
    struct buf bytes;
    buf_init(&bytes, 9);
    buf_lenenc(&bytes, value);
    buf_lenenc(to, type);
    buf_lenenc_bytes(to, buf_bytes(&bytes));
    buf_fini(&bytes);
}

/* In the order of MySQL 9.7, with one more field that is unknown. */
static void wrap(struct fixture *f, unsigned compression, struct slice packed, uint64_t claimed)
{
    buf_clear(&f->body);
    field(&f->body, 2, compression);
    field(&f->body, 9, 77);
    if (claimed) field(&f->body, 3, claimed);
    field(&f->body, 1, packed.size);
    buf_u8(&f->body, 0);
    buf_slice(&f->body, packed);
}

static void assert_events(struct fixture *f, const uint32_t *sizes, size_t count)
{
    struct slice event;
    assert_true(payload_open(f->payload, buf_bytes(&f->body), &f->err));
    for (size_t i = 0; i < count; i++) {
        if (!payload_next(f->payload, &event, &f->err)) fail_msg("%s", f->err.text);
        assert_int_equal(event.size, sizes[i]);
        assert_int_equal(event.data[0], i + 1);
        assert_int_equal(event.data[event.size - 1], i + 1);
    }
    assert_true(payload_next(f->payload, &event, &f->err));
    assert_int_equal(event.size, 0);
}

static const uint32_t sizes[] = {19, 20, 131072, 131073, 19, 1000000, 19};
enum { COUNT = sizeof sizes / sizeof *sizes };

static void test_events(void **state)
{
    struct fixture *f = *state;
    struct buf packed;
    buf_init(&packed, 16 << 20);
    for (size_t i = 0; i < COUNT; i++) add(&f->plain, sizes[i], (uint8_t)(i + 1));
    wrap(f, 255, buf_bytes(&f->plain), 0);
    assert_events(f, sizes, COUNT);
    add_frame(&packed, buf_bytes(&f->plain));
    wrap(f, 0, buf_bytes(&packed), f->plain.size);
    assert_events(f, sizes, COUNT);
    assert_events(f, sizes, COUNT); /* again: nothing is left over */
    /* two frames, cut within an event */
    buf_clear(&packed);
    add_frame(&packed, slice_of(f->plain.data, 50000));
    add_frame(&packed, slice_of(f->plain.data + 50000, f->plain.size - 50000));
    wrap(f, 0, buf_bytes(&packed), f->plain.size);
    assert_events(f, sizes, COUNT);
    buf_fini(&packed);
}

static bool all(struct fixture *f)
{
    struct slice event;
    if (!payload_open(f->payload, buf_bytes(&f->body), &f->err)) return false;
    do {
        if (!payload_next(f->payload, &event, &f->err)) return false;
    } while (event.size);
    return true;
}

static void test_damage(void **state)
{
    struct fixture *f = *state;
    struct buf packed;
    buf_init(&packed, 1 << 20);
    add(&f->plain, 400, 1);
    add(&f->plain, 30, 2);
    add_frame(&packed, buf_bytes(&f->plain));
    wrap(f, 0, buf_bytes(&packed), f->plain.size);
    assert_true(all(f));
    struct slice whole = buf_bytes(&f->body);
    for (size_t n = 0; n < whole.size; n++) {
        f->body.size = n;
        assert_false(all(f));
    }
    for (size_t n = 0; n < packed.size; n++) { /* the size says the same, the stream ends early */
        wrap(f, 0, slice_of(packed.data, n), f->plain.size);
        assert_false(all(f));
    }
    wrap(f, 0, buf_bytes(&packed), f->plain.size + 1);
    assert_false(all(f));
    assert_non_null(strstr(f->err.text, "430"));
    wrap(f, 1, buf_bytes(&packed), f->plain.size);
    assert_false(all(f));
    assert_int_equal(f->err.code, ERR_UNSUPPORTED);
    wrap(f, 255, slice_of(f->plain.data, 429), 0);
    assert_false(all(f));
    memcpy(f->plain.data + 9, "\x12\0\0", 4); /* 18 bytes with their header */
    wrap(f, 255, buf_bytes(&f->plain), 0);
    assert_false(all(f));
    memcpy(f->plain.data + 9, "\1\0\0\x40", 4);
    wrap(f, 255, buf_bytes(&f->plain), 0);
    assert_false(all(f));
    assert_int_equal(f->err.code, ERR_LIMIT);
    buf_fini(&packed);
}

/* A transaction of more than 2 GiB, from less than a megabyte, in the room of one event. */
static void test_endless(void **state)
{
    enum { EVENT = 1 << 20, TIMES = 64, FRAMES = 33 };
    struct fixture *f = *state;
    struct buf frame, packed;
    struct slice event;
    uint64_t total = 0;
    buf_init(&frame, 80 << 20);
    buf_init(&packed, 4 << 20);
    for (int i = 0; i < TIMES; i++) {
        uint32_t size = EVENT;
        memset(buf_reserve(&frame, size), 3, size);
        memcpy(frame.data + frame.size + 9, &size, 4);
        frame.size += size;
    }
    uint8_t *one = malloc(ZSTD_compressBound(frame.size));
    size_t one_size = ZSTD_compress(one, ZSTD_compressBound(frame.size), frame.data, frame.size, 1);
    buf_fini(&frame);
    for (int i = 0; i < FRAMES; i++) buf_put(&packed, one, one_size);
    wrap(f, 0, buf_bytes(&packed), (uint64_t)EVENT * TIMES * FRAMES);
    assert_true(payload_open(f->payload, buf_bytes(&f->body), &f->err));
    do {
        if (!payload_next(f->payload, &event, &f->err)) fail_msg("%s", f->err.text);
        total += event.size;
    } while (event.size);
    assert_true(total == (uint64_t)EVENT * TIMES * FRAMES && total > INT32_MAX);
    free(one);
    buf_fini(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_events, setup, teardown), cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_endless, setup, teardown),
    };
    return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
