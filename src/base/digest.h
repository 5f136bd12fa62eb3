/* SHA-256 and HMAC-SHA-256 (OpenSSL behind). */
#ifndef PGMEDIC_BASE_DIGEST_H
#define PGMEDIC_BASE_DIGEST_H

#include <stddef.h>

enum { DIGEST_SIZE = 32, DIGEST_HEX = 65 };

void digest_sha256(const void *data, size_t len, unsigned char out[static DIGEST_SIZE]);
void digest_hmac(const void *key, size_t keylen, const void *data, size_t len,
    unsigned char out[static DIGEST_SIZE]);
/* Lower-case hexadecimal digits of a digest; returns hex. */
const char *digest_hex(const unsigned char digest[static DIGEST_SIZE], char hex[static DIGEST_HEX]);
/* Both in one. */
const char *digest_sha256_hex(const void *data, size_t len, char hex[static DIGEST_HEX]);
/* Give back what OpenSSL keeps for this thread, libpq's and libcurl's use included: before a
 * detached thread tells that it has ended, since at the exit of the program nobody else does. */
void digest_thread_end(void);

#endif
