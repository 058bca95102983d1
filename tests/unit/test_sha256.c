/* The examples of FIPS 180-4 and RFC 4231, and lengths around the ends of blocks. */
#include "unit.h"

#include "sha256.h"

static void check(const uint8_t got[SHA256_SIZE], const char *want)
{
    struct slice bytes = unit_hex(want);
    assert_int_equal(bytes.size, SHA256_SIZE);
    assert_memory_equal(got, bytes.data, SHA256_SIZE);
}

static void sha_of(const char *text, const char *want)
{
    struct sha256 sha;
    uint8_t out[SHA256_SIZE];
    sha256_init(&sha);
    sha256_add(&sha, slice_text(text));
    sha256_end(&sha, out);
    check(out, want);
}

static void test_sha(void **state)
{
    (void)state;
    sha_of("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha_of("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_parts(void **state)
{
    (void)state;
    uint8_t text[200], whole[SHA256_SIZE], parts[SHA256_SIZE];
    struct sha256 sha;
    memset(text, 'x', sizeof text);
    for (size_t size = 0; size < sizeof text; size++) {
        sha256_init(&sha);
        sha256_add(&sha, slice_of(text, size));
        sha256_end(&sha, whole);
        sha256_init(&sha);
        for (size_t i = 0; i < size; i++) sha256_add(&sha, slice_of(text + i, 1));
        sha256_end(&sha, parts);
        assert_memory_equal(whole, parts, SHA256_SIZE);
    }
}

static void hmac_check(struct slice key, const char *text, const char *want)
{
    struct hmac hmac;
    uint8_t out[SHA256_SIZE];
    hmac_key(&hmac, key);
    hmac_of(&hmac, slice_text(text), out);
    check(out, want);
}

static void test_hmac(void **state)
{
    (void)state;
    uint8_t aa[131];
    memset(aa, 0xaa, sizeof aa);
    hmac_check(unit_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hmac_check(slice_text("Jefe"), "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_check(slice_of(aa, sizeof aa), "Test Using Larger Than Block-Size Key - Hash Key First",
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sha), cmocka_unit_test(test_parts), cmocka_unit_test(test_hmac)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
