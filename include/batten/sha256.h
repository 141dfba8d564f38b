/*
 * sha256.h - the SHA-256 of a run of bytes (FIPS 180-4), by libmd
 *
 * Tells whether a file is the one that was written, where the history itself need not be opened.
 *
 *     char print[SHA256_HEX];
 *     sha256_hex(bytes, len, print);
 */
#ifndef BATTEN_SHA256_H
#define BATTEN_SHA256_H

#include <sha2.h>
#include <stddef.h>

enum { SHA256_HEX = 65 };

struct sha256 {
    SHA2_CTX context;
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *bytes, size_t len);
void sha256_end(struct sha256 *s, char out[SHA256_HEX]); /* lower case, terminated */

void sha256_hex(const void *bytes, size_t len, char out[SHA256_HEX]);

#endif
