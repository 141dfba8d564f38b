#include "batten/sha256.h"

void sha256_init(struct sha256 *s)
{
    SHA256Init(&s->context);
}

void sha256_add(struct sha256 *s, const void *bytes, size_t len)
{
    if (len > 0)
        SHA256Update(&s->context, bytes, len);
}

void sha256_end(struct sha256 *s, char out[SHA256_HEX])
{
    SHA256End(&s->context, out);
}

void sha256_hex(const void *bytes, size_t len, char out[SHA256_HEX])
{
    struct sha256 s;

    sha256_init(&s);
    sha256_add(&s, bytes, len);
    sha256_end(&s, out);
}
