/* A conninfo string or URI as the environment of a child process, so that no password is seen in
 * its arguments. */
#ifndef PGMEDIC_PG_CONNINFO_H
#define PGMEDIC_PG_CONNINFO_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"

/* The conninfo of a target without one: libpq refuses it, so that what is meant for that target
 * never goes to the server that libpq would choose by itself. */
#define CONNINFO_NONE_KEY "no_sql_connection"
#define CONNINFO_NONE     CONNINFO_NONE_KEY "=1"
bool conninfo_is_none(const char *conninfo);
/* A line of a password file for any server, which may change places with another; user NULL: any.
 * In the arena, with ':' and '\\' escaped as libpq reads them. */
const char *conninfo_passline(struct arena *arena, const char *user, const char *password);

struct conninfo_env {
	const char **names, **values; /* PGHOST, PGUSER …, never PGPASSWORD */
	int n;
	const char *passfile; /* a line of a password file; NULL: no password is known */
	bool is_from_file;    /* the line is of the user's own password file */
	const char *rest;     /* keywords that have no variable, as a conninfo string; "" none */
};

/* What libpq makes of a conninfo (environment, service file included); password NULL: its own. In
 * the arena. */
bool conninfo_to_env(struct arena *arena, const char *conninfo, const char *password,
    struct conninfo_env *env, struct error *err) MUST_CHECK;

/*
 * The conninfo with which a standby follows another server: host and port of `server`, all else of
 * `base` (how some standby reached its primary; "" none: of `server`), and application_name unless
 * base says one and keeps_name. In the arena; it may hold a password.
 */
const char *conninfo_follow(struct arena *arena, const char *base, const char *server,
    const char *application_name, bool keeps_name, struct error *err) MUST_CHECK;

/* The same conninfo with another host and port, as keywords; multi-host lists go. In the arena; it
 * may hold a password. */
const char *conninfo_at(struct arena *arena, const char *conninfo, const char *host, int port,
    struct error *err) MUST_CHECK;

#endif
