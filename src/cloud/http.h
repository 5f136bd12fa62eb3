/*
 * One HTTP request, waited for: with a deadline, a stop flag, and the truth about whether anything
 * left. Connections are kept between calls of one `struct http`. Redirects are not followed (a
 * signature would not survive), certificates are always verified. One thread per handle.
 */
#ifndef PGMEDIC_CLOUD_HTTP_H
#define PGMEDIC_CLOUD_HTTP_H

#include <signal.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "cloud/sigv4.h"

struct http;
struct http *http_new(void);
void http_free(struct http *http);

struct http_request {
	const char *method, *url;
	const struct sigv4_header *headers;
	int nheaders;
	const char *body;
	size_t body_len;
	int timeout_ms; /* of the whole; 0: 60 s */
	int connect_ms; /* 0: 10 s */
	const char *ca_bundle;
	bool is_direct; /* no proxy: metadata addresses, loopback */
	bool is_once;   /* on a connection of its own, so that libcurl never sends it again */
	const volatile sig_atomic_t *stop; /* NULL: never */
};

struct http_answer {
	int status;       /* 0: none came */
	bool was_sent;    /* bytes of the request left */
	bool was_stopped; /* by the flag, not by the world */
	bool timed_out;
	struct strbuf body;
	char date[48], request_id[96], error_type[160], query_error[160];
	int retry_after_ms; /* x-amz-retry-after; -1 none */
};

void http_answer_init(struct http_answer *answer);
void http_answer_release(struct http_answer *answer); /* overwrites the body */
/* True: an answer of any status. False: none, with ERR_CONNECT, ERR_LOST, ERR_TIMEOUT, ERR_STATE
 * (stopped). */
bool http_do(struct http *http, const struct http_request *request, struct http_answer *answer,
    struct error *err) MUST_CHECK;
/* The Date of an answer; false: it is none. */
bool http_date(const struct http_answer *answer, struct wall *t);

#endif
