/*
 * The TLS of a PostgreSQL server, looked at from outside libpq, which tells only that it failed:
 * the answer to SSLRequest, version, certificate chain, whom it names, who vouches for it. Nothing
 * is sent after the handshake.
 */
#ifndef PGMEDIC_CLOUD_TLS_H
#define PGMEDIC_CLOUD_TLS_H

#include <stdbool.h>

#include "base/clock.h"

enum { TLS_CHAIN = 6 };

enum tls_answer {
	TLS_SILENT, /* connected, but no answer */
	TLS_CLOSED, /* hung up */
	TLS_ALIEN,  /* no PostgreSQL: the first bytes are in `alien` */
	TLS_NONE,   /* 'N': no TLS */
	TLS_FAILED, /* the handshake failed, see `failure` */
	TLS_DONE,
};

struct tls_cert {
	char subject[160], issuer[160];
	struct wall from, until;
};

struct tls_look {
	enum tls_answer answer;
	char alien[48], failure[160];
	char version[16], cipher[64];
	struct tls_cert chain[TLS_CHAIN]; /* the server's own first */
	int nchain;
	char names[400]; /* of hosts, in the certificate */
	bool is_named;   /* the host is one of them */
	bool is_trusted; /* an authority of ca_file (else of the system) vouches for it */
	char distrust[160];
};

struct tls_ask {
	int fd;              /* connected, non-blocking */
	const char *host;    /* whom it should name */
	const char *ca_file; /* "" or "system": those of the system */
	int timeout_ms;
};

/* Asks and fills *out; what fails is in it. */
void tls_look(const struct tls_ask *ask, struct tls_look *out);
/* The certificate of a file that ends first. False: there is none in it. */
bool tls_file_end(const char *path, struct wall *until, char *subject, int size, int *n);

#endif
