/* How a standby, or a base backup, reaches a server: tried before it is relied upon. */
#ifndef PGMEDIC_PG_WALSENDER_H
#define PGMEDIC_PG_WALSENDER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"

struct walsender {
	const char *host, *user;
	int port;
	const char *password; /* with which it was let in; "" none was asked for */
};

/*
 * Log in for replication, and out again. What is found out is in the arena. Where that fails, *err
 * has the SQLSTATE: 28… by pg_hba.conf or the password, 42501 no REPLICATION, 53300 no slot free.
 * May wait some seconds.
 */
bool walsender_try(struct arena *arena, const char *conninfo, const char *password,
    struct walsender *out, struct error *err) MUST_CHECK;

/*
 * Would a server that is started as the user of `passfile` (NULL: none) be let in for replication
 * by this primary_conninfo? A password that only our own environment has does not count.
 */
bool walsender_may(
    const char *primary_conninfo, const char *passfile, struct error *err) MUST_CHECK;

/*
 * The same server as the primary_conninfo of a standby: all that was in effect at the login, from
 * wherever it came (service file, environment), without a secret: where a password was asked for,
 * `passfile` has it (conninfo_passline()). NULL and *err where it cannot be reached.
 */
const char *walsender_conninfo(struct arena *arena, const char *conninfo, const char *password,
    const char *application_name, const char *passfile, struct error *err);

#endif
