/* sha256.c: see sha256.h. */
#include "sha256.h"

#include <string.h>

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t v, unsigned n) { return v >> n | v << (32 - n); }

static void expand(const uint8_t *block, uint32_t w[64])
{
    for (unsigned i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (unsigned i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
}

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64], s[8];
    expand(block, w);
    memcpy(s, state, sizeof s);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t one = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + constants[i] + w[i];
        uint32_t two = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (unsigned i = 0; i < 8; i++) state[i] += s[i];
}

void sha256_init(struct sha256 *sha)
{
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(sha->state, first, sizeof first);
    sha->size = 0;
}

void sha256_add(struct sha256 *sha, struct slice bytes)
{
    for (size_t at = 0; at < bytes.size;) {
        size_t used = sha->size % SHA256_BLOCK, n = SHA256_BLOCK - used < bytes.size - at ? SHA256_BLOCK - used : bytes.size - at;
        memcpy(sha->block + used, bytes.data + at, n);
        sha->size += n;
        at += n;
        if (sha->size % SHA256_BLOCK == 0) compress(sha->state, sha->block);
    }
}

void sha256_end(struct sha256 *sha, uint8_t out[SHA256_SIZE])
{
    static const uint8_t pad[SHA256_BLOCK] = {0x80};
    uint8_t bits[8];
    uint64_t size = sha->size * 8;
    for (unsigned i = 0; i < 8; i++) bits[i] = (uint8_t)(size >> (56 - 8 * i));
    sha256_add(sha, slice_of(pad, 1 + (SHA256_BLOCK + 55 - sha->size % SHA256_BLOCK) % SHA256_BLOCK));
    sha256_add(sha, slice_of(bits, 8));
    for (unsigned i = 0; i < SHA256_SIZE; i++) out[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

static void begin(struct sha256 *sha, const uint8_t key[SHA256_BLOCK], uint8_t pad)
{
    uint8_t block[SHA256_BLOCK];
    for (unsigned i = 0; i < SHA256_BLOCK; i++) block[i] = key[i] ^ pad;
    sha256_init(sha);
    sha256_add(sha, slice_of(block, sizeof block));
}

void hmac_key(struct hmac *hmac, struct slice key)
{
    uint8_t block[SHA256_BLOCK] = {0};
    if (key.size > SHA256_BLOCK) {
        sha256_init(&hmac->inner);
        sha256_add(&hmac->inner, key);
        sha256_end(&hmac->inner, block);
    } else if (key.size) {
        memcpy(block, key.data, key.size);
    }
    begin(&hmac->inner, block, 0x36);
    begin(&hmac->outer, block, 0x5c);
}

void hmac_of(const struct hmac *hmac, struct slice bytes, uint8_t out[SHA256_SIZE])
{
    struct sha256 sha = hmac->inner;
    sha256_add(&sha, bytes);
    sha256_end(&sha, out);
    sha = hmac->outer;
    sha256_add(&sha, slice_of(out, SHA256_SIZE));
    sha256_end(&sha, out);
}
