#include "config.h"

#include "cloud/tls.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool
wait_for(int fd, short events, struct mono deadline)
{
	for (;;) {
		int64_t left = (deadline.us - mono_now().us + 999) / 1000;
		struct pollfd pfd = { .fd = fd, .events = events };
		int n;

		if (left <= 0)
			return false;
		n = poll(&pfd, 1, (int)left);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static void
keep_alien(struct tls_look *out, const char *data, ssize_t n)
{
	out->answer = TLS_ALIEN;
	for (ssize_t i = 0; i < n && i < (ssize_t)sizeof(out->alien) - 1; i++)
		out->alien[i] = isprint((unsigned char)data[i]) ? data[i] : '.';
}

/* SSLRequest: length 8, code 80877103. 'S', 'N', or the 'E' of a very old server. */
static bool
request(const struct tls_ask *ask, struct mono deadline, struct tls_look *out)
{
	static const char ssl_request[8] = { 0, 0, 0, 8, 4, (char)0xd2, 0x16, 0x2f };
	char answer[sizeof(out->alien)];
	ssize_t n;

	out->answer = TLS_CLOSED;
	if (write(ask->fd, ssl_request, sizeof(ssl_request)) != (ssize_t)sizeof(ssl_request))
		return false;
	out->answer = TLS_SILENT;
	if (!wait_for(ask->fd, POLLIN, deadline))
		return false;
	/* One byte only: what follows belongs to the handshake. */
	n = read(ask->fd, answer, 1);
	if (n <= 0) {
		out->answer = TLS_CLOSED;
		return false;
	}
	if (answer[0] == 'S')
		return true;
	if (answer[0] == 'N') {
		out->answer = TLS_NONE;
		return false;
	}
	n = wait_for(ask->fd, POLLIN, (struct mono){ mono_now().us + 200000 }) ?
	    read(ask->fd, answer + 1, sizeof(answer) - 1) :
	    0;
	keep_alien(out, answer, n > 0 ? n + 1 : 1);
	return false;
}

static struct wall
time_of(const ASN1_TIME *t)
{
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return (struct wall){ 0 };
	return (struct wall){ (int64_t)timegm(&tm) * 1000000 };
}

static void
name_of(X509_NAME *name, char *out, int size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	out[0] = '\0';
	if (!bio)
		return;
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	n = BIO_get_mem_data(bio, &text);
	snprintf(out, (size_t)size, "%.*s", (int)n, n > 0 ? text : "");
	BIO_free(bio);
}

static void
read_names(X509 *cert, struct tls_look *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	size_t used = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		int n;

		if (name->type != GEN_DNS)
			continue;
		n = snprintf(out->names + used, sizeof(out->names) - used, "%s%s", used ? ", " : "",
		    (const char *)ASN1_STRING_get0_data(name->d.dNSName));
		if (n < 0 || (size_t)n >= sizeof(out->names) - used)
			break;
		used += (size_t)n;
	}
	GENERAL_NAMES_free(names);
}

static void
read_chain(SSL *ssl, const struct tls_ask *ask, struct tls_look *out)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	long verdict = SSL_get_verify_result(ssl);

	snprintf(out->version, sizeof(out->version), "%s", SSL_get_version(ssl));
	snprintf(out->cipher, sizeof(out->cipher), "%s", SSL_get_cipher_name(ssl));
	for (int i = 0; i < sk_X509_num(chain) && i < TLS_CHAIN; i++) {
		X509 *cert = sk_X509_value(chain, i);
		struct tls_cert *to = &out->chain[out->nchain++];

		name_of(X509_get_subject_name(cert), to->subject, sizeof(to->subject));
		name_of(X509_get_issuer_name(cert), to->issuer, sizeof(to->issuer));
		to->from = time_of(X509_get0_notBefore(cert));
		to->until = time_of(X509_get0_notAfter(cert));
		if (i > 0)
			continue;
		read_names(cert, out);
		out->is_named = X509_check_host(cert, ask->host, 0, 0, NULL) == 1 ||
		    X509_check_ip_asc(cert, ask->host, 0) == 1;
	}
	out->is_trusted = verdict == X509_V_OK && out->nchain > 0;
	if (!out->is_trusted)
		snprintf(out->distrust, sizeof(out->distrust), "%s",
		    X509_verify_cert_error_string(verdict));
	out->answer = TLS_DONE;
}

static void
keep_failure(struct tls_look *out, const char *other)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	out->answer = TLS_FAILED;
	snprintf(out->failure, sizeof(out->failure), "%s", reason ? reason : other);
}

static void
shake_hands(SSL *ssl, const struct tls_ask *ask, struct mono deadline, struct tls_look *out)
{
	for (;;) {
		int result, why;

		ERR_clear_error();
		result = SSL_connect(ssl);
		if (result == 1) {
			read_chain(ssl, ask, out);
			return;
		}
		why = SSL_get_error(ssl, result);
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
			keep_failure(out, "the server hung up in the handshake");
			return;
		}
		if (!wait_for(ask->fd, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline)) {
			out->answer = TLS_FAILED;
			snprintf(out->failure, sizeof(out->failure), "no answer in the handshake");
			return;
		}
	}
}

static SSL_CTX *
context(const struct tls_ask *ask, struct tls_look *out)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	bool is_system = !ask->ca_file || !*ask->ca_file || strcmp(ask->ca_file, "system") == 0;

	if (!ctx)
		return NULL;
	/* The verdict is recorded and told; the handshake goes on, so that all is seen. */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	if (is_system)
		(void)SSL_CTX_set_default_verify_paths(ctx);
	else if (SSL_CTX_load_verify_locations(ctx, ask->ca_file, NULL) != 1)
		keep_failure(out, "its file of authorities cannot be read");
	return ctx;
}

static bool
is_address(const char *host)
{
	struct in6_addr unread;

	return inet_pton(AF_INET, host, &unread) == 1 || inet_pton(AF_INET6, host, &unread) == 1;
}

void
tls_look(const struct tls_ask *ask, struct tls_look *out)
{
	struct mono deadline = { mono_now().us + (int64_t)ask->timeout_ms * 1000 };
	SSL_CTX *ctx = NULL;
	SSL *ssl = NULL;

	memset(out, 0, sizeof(*out));
	if (!request(ask, deadline, out))
		return;
	ctx = context(ask, out);
	ssl = ctx ? SSL_new(ctx) : NULL;
	if (ssl && SSL_set_fd(ssl, ask->fd) == 1) {
		if (!is_address(ask->host))
			(void)SSL_set_tlsext_host_name(ssl, ask->host);
		shake_hands(ssl, ask, deadline, out);
		/* A farewell, so that it is no error in the server's log. */
		if (out->answer == TLS_DONE)
			(void)SSL_shutdown(ssl);
	} else {
		keep_failure(out, "out of memory");
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

bool
tls_file_end(const char *path, struct wall *until, char *subject, int size, int *n)
{
	FILE *in = fopen(path, "re");
	X509 *cert;

	*n = 0;
	if (!in)
		return false;
	while ((cert = PEM_read_X509(in, NULL, NULL, NULL))) {
		struct wall end = time_of(X509_get0_notAfter(cert));

		if ((*n)++ == 0 || end.us < until->us) {
			*until = end;
			name_of(X509_get_subject_name(cert), subject, size);
		}
		X509_free(cert);
	}
	ERR_clear_error();
	fclose(in);
	return *n > 0;
}
