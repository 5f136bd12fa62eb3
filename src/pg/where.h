/* Where a conninfo leads, as libpq resolves it (service file, environment, defaults), without going
 * there. */
#ifndef PGMEDIC_PG_WHERE_H
#define PGMEDIC_PG_WHERE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"

enum { PG_WHERE_HOSTS = 8 };

struct pg_where_host {
	const char *host; /* name, address, or folder of a socket ("/…", "@…") */
	const char *addr; /* hostaddr; "" none */
	const char *port;
};

struct pg_where {
	struct pg_where_host hosts[PG_WHERE_HOSTS]; /* tried in this order */
	int nhosts;
	const char *user, *database, *service;
	const char *sslmode, *sslrootcert; /* as they will be used; "" none */
	const char *gssencmode;
	bool has_password; /* in the conninfo, a service or PGPASSWORD */
	int timeout_s;     /* connect_timeout; 0: not said */
};

/* Strings in the arena. False: it cannot be read. */
bool pg_where(
    struct arena *arena, const char *conninfo, struct pg_where *out, struct error *err) MUST_CHECK;

#endif
