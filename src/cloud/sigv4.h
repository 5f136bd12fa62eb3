/*
 * Signature Version 4 of AWS: of a request in its headers, of a URL in its query, and the token
 * that RDS takes for a password. The canonical request and the string to sign can be looked at, so
 * that a refusal can be explained; both hold the session token, so they are never logged. Pure, any
 * thread.
 */
#ifndef PGMEDIC_CLOUD_SIGV4_H
#define PGMEDIC_CLOUD_SIGV4_H

#include <stddef.h>

#include "base/clock.h"
#include "base/strbuf.h"

struct sigv4_header {
	const char *name, *value;
};

struct sigv4_request {
	const char *method;
	const char *path;                   /* as sent, percent-encoded; "" is "/" */
	const char *query;                  /* as sent, without '?'; NULL or "" none */
	const struct sigv4_header *headers; /* "Host" must be there; all but some are signed */
	int nheaders;
	const void *body;
	size_t body_len;
};

/* Who signs for what, and when. token: "" or NULL none. */
struct sigv4_scope {
	const char *key_id, *secret, *token;
	const char *region, *service;
	struct wall now;
};

enum { SIGV4_MAX = 4 << 20, SIGV4_DATE = 17, SIGV4_HEX = 65 };

struct sigv4 {
	char date[SIGV4_DATE]; /* value of X-Amz-Date: "20261121T155501Z" */
	struct strbuf canonical, to_sign, signed_headers;
	char signature[SIGV4_HEX];
	struct strbuf authorization; /* value of Authorization; "" where the query is signed */
	struct strbuf query;         /* the whole signed query; "" where headers are signed */
};

void sigv4_init(struct sigv4 *sig);
void sigv4_release(struct sigv4 *sig); /* overwrites what it held */

/*
 * Sign in the headers: the request is to be sent with X-Amz-Date, X-Amz-Security-Token (where there
 * is a token) and Authorization besides what it has; the first two are signed here without being
 * among request->headers.
 */
void sigv4_sign(
    struct sigv4 *sig, const struct sigv4_request *request, const struct sigv4_scope *scope);
/* Sign in the query, for `expires` seconds: sig->query is to be sent. */
void sigv4_presign(struct sigv4 *sig, const struct sigv4_request *request,
    const struct sigv4_scope *scope, int expires);
/*
 * The password for a login with IAM: of 380 bytes to well over 1 kB, valid for 15 minutes, at
 * connecting only. host: the endpoint's own name, never a CNAME or a tunnel's end. The service of
 * the scope is not looked at. Release it with wipe_strbuf().
 */
void sigv4_rds_token(struct strbuf *out, const char *host, int port, const char *user,
    const struct sigv4_scope *scope);

/* RFC 3986: all but A-Z a-z 0-9 - . _ ~ as %XX. */
void sigv4_escape(struct strbuf *out, const char *s, size_t len);

#endif
