/*
 * What a connection logs in with. Wherever a password is passed about (configuration of a dial,
 * requests to children), a login may stand in its place: a line that begins with PG_LOGIN_MARK,
 * holds no secret, and says where the password comes from. It is turned into one by the program's
 * provider at each attempt, in the thread that connects, so that it may ask the network and is
 * never older than the attempt.
 */
#ifndef PGMEDIC_PG_LOGIN_H
#define PGMEDIC_PG_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * No password begins with this. Behind it stands what the provider reads; PG_LOGIN_LAZY: only when
 * the server asks for a password and libpq has found none.
 */
#define PG_LOGIN_MARK "\001login:"
#define PG_LOGIN_LAZY "\001login?"

struct pg_login_ask {
	const char *what; /* of the login, behind its mark */
	const char *host,
	    *port; /* as libpq resolved them; the folder of a socket begins with / or @ */
	const char *user;
	bool is_again; /* the server has refused what was given a moment ago */
};

struct pg_login {
	char *password;   /* overwritten when it is freed */
	char user[128];   /* whose it is, for a conninfo without a user; "" not said */
	bool needs_tls;   /* it must not cross the network in the clear */
	char remedy[256]; /* what to look at when the server refuses it; "" nothing special */
};

/* Fill *out; any thread, may wait. */
typedef bool pg_login_fn(const struct pg_login_ask *ask, struct pg_login *out, struct error *err);
/* Once, before the first connection. */
void pg_login_provider(pg_login_fn *f);
bool pg_is_login(const char *password);

/* Is this the name of an RDS endpoint? */
bool pg_is_rds_host(const char *host);
/* The first endpoint of RDS that a conninfo or URI names; false, host "": none. */
bool pg_rds_host_in(const char *conninfo, char *host, size_t size);
enum { PG_RDS_HOST_MAX = 256 };
/*
 * The bundle of RDS's certificate authorities: rds-ca.pem in pgmedic/ of XDG_DATA_HOME, of one of
 * XDG_DATA_DIRS, or of /etc. False: there is none, and path is where one would be looked for first.
 */
bool pg_rds_ca(char *path, size_t size);
#define PG_RDS_CA_URL "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"

#endif
