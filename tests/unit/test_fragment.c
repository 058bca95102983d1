/* test_fragment.c: a rows event that was cut into pieces (MariaDB 12.3) is put together; a piece missing, doubled or out of order is named. */
#include "event_unit.h"

#include "fragment.h"

static struct fragments f;
static struct event event;
static struct err err;
static bool whole;

static bool give(const char *hex) { return fragments_take(&f, unit_hex(hex), &event, &whole, &err); }

#define HEAD "00f15365 17 07000000 ffffffff 00000000 0000"      /* WRITE_ROWS_V1 of server 7; its length means nothing */
#define HEAD_HALF "00f15365 17 07000000 ff"

static void test_whole(void **state)
{
    (void)state;
    fragments_init(&f);
    assert_true(give("03000000 01000000 01 1900000000000000" HEAD_HALF) && !whole && fragments_open(&f)); /* cut inside the header */
    assert_true(give("03000000 02000000 00 ffffff 00000000 0000 1200") && !whole);
    assert_true(give("03000000 03000000 00 00000000") && whole);
    assert_int_equal(event.type, EVENT_WRITE_ROWS_V1);
    assert_int_equal(event.server_id, 7);
    assert_int_equal(event.timestamp, 1700000000);
    assert_int_equal(event.body.size, 6);
    assert_int_equal(event.body.data[0], 0x12);
    fragments_clear(&f);
    assert_false(fragments_open(&f));
    assert_true(give("01000000 01000000 00" HEAD "aabbccdd") && whole); /* one piece, its size not said */
    assert_int_equal(event.body.size, 4);
    fragments_clear(&f);
    struct buf summed; /* with a checksum of its own */
    buf_init(&summed, 100);
    buf_slice(&summed, unit_hex(HEAD "aabbccdd"));
    uint32_t crc = (uint32_t)crc32(0, summed.data, (uInt)summed.size);
    char text[200];
    snprintf(text, sizeof text, "01000000 01000000 00" HEAD "aabbccdd %02x%02x%02x%02x", crc & 255, crc >> 8 & 255, crc >> 16 & 255, crc >> 24);
    assert_true(give(text) && whole);
    assert_int_equal(event.body.size, 4);
    buf_fini(&summed);
    fragments_fini(&f);
}

static void test_refused(void **state)
{
    static const struct { const char *pieces[3]; enum err_code code; const char *says; } cases[] = {
        {{"03000000 02000000 00 aa"}, ERR_CORRUPT, "whose first piece"},
        {{"03000000 01000000 00 aa", "03000000 03000000 00 bb"}, ERR_CORRUPT, "behind piece 1 of 3"},
        {{"03000000 01000000 00 aa", "03000000 01000000 00 aa"}, ERR_CORRUPT, "doubled"},
        {{"03000000 01000000 00 aa", "04000000 02000000 00 aa"}, ERR_CORRUPT, "piece 2 of 4"},
        {{"03000000 04000000 00 aa"}, ERR_CORRUPT, "piece 4 of 3"}, {{"03000000 00000000 00 aa"}, ERR_CORRUPT, "piece 0 of 3"},
        {{"00000000 00000000 00 aa"}, ERR_CORRUPT, "piece 0"}, {{"03000000 01000000 00"}, ERR_CORRUPT, "cut short"},
        {{"03000000 0100"}, ERR_CORRUPT, "cut short"}, {{"03000000 01000000 01 00000000"}, ERR_CORRUPT, "cut short"},
        {{"03000000 01000000 02 aa"}, ERR_UNSUPPORTED, "0x02"},
        {{"03000000 01000000 01 0000000001000000 aa"}, ERR_LIMIT, "FRAGMENTS_MAX"},
        {{"02000000 01000000 01 ff00000000000000 aa", "02000000 02000000 00 aa"}, ERR_CORRUPT, "of 255"},
        {{"02000000 01000000 01 1400000000000000" HEAD, "02000000 02000000 00 aabbcc"}, ERR_CORRUPT, "more than its 20"},
        {{"01000000 01000000 00 aabb"}, ERR_CORRUPT, "have 2 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fragments_init(&f);
        bool good = true;
        for (int n = 0; n < 3 && good && cases[i].pieces[n]; n++) good = give(cases[i].pieces[n]);
        assert_false(good);
        assert_int_equal(err.code, cases[i].code);
        if (!strstr(err.text, cases[i].says)) fail_msg("%s", err.text);
        fragments_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
