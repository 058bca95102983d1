/*
 * sha256.h: SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), for masked columns. Pure. No library that the agent is built with offers them.
 */
#ifndef WOLFCDC_SHA256_H
#define WOLFCDC_SHA256_H
#include "slice.h"

enum { SHA256_SIZE = 32, SHA256_BLOCK = 64 };
struct sha256 {
    uint32_t state[8];
    uint64_t size;
    uint8_t block[SHA256_BLOCK];
};
void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, struct slice bytes);
void sha256_end(struct sha256 *sha, uint8_t out[SHA256_SIZE]);

/* The key's two halves of the work, done once. */
struct hmac { struct sha256 inner, outer; };
void hmac_key(struct hmac *hmac, struct slice key);
void hmac_of(const struct hmac *hmac, struct slice bytes, uint8_t out[SHA256_SIZE]);

#endif
