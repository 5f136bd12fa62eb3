#include "config.h"

#include "base/digest.h"

/* OpenSSL has a type of the name of one of our errors. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#undef ERR_STATE

#include "base/error.h"

void
digest_sha256(const void *data, size_t len, unsigned char out[static DIGEST_SIZE])
{
	if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
		fatal("OpenSSL has no SHA-256");
}

void
digest_hmac(const void *key, size_t keylen, const void *data, size_t len,
    unsigned char out[static DIGEST_SIZE])
{
	if (!HMAC(EVP_sha256(), key, (int)keylen, data, len, out, NULL))
		fatal("OpenSSL has no HMAC");
}

const char *
digest_hex(const unsigned char digest[static DIGEST_SIZE], char hex[static DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < DIGEST_SIZE; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[2 * DIGEST_SIZE] = '\0';
	return hex;
}

const char *
digest_sha256_hex(const void *data, size_t len, char hex[static DIGEST_HEX])
{
	unsigned char digest[DIGEST_SIZE];

	digest_sha256(data, len, digest);
	return digest_hex(digest, hex);
}

void
digest_thread_end(void)
{
	OPENSSL_thread_stop();
}
