/* A conninfo string or URI as the environment of a child process, so that no password is seen in
 * its arguments. */
#ifndef PGMEDIC_PG_CONNINFO_H
#define PGMEDIC_PG_CONNINFO_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"

struct conninfo_env {
	const char **names, **values; /* PGHOST, PGPASSWORD … */
	int n;
	const char *rest; /* keywords that have no variable, as a conninfo string; "" none */
};

/* What libpq makes of a conninfo (environment, service file included); password NULL: its own. In
 * the arena. */
bool conninfo_to_env(struct arena *arena, const char *conninfo, const char *password,
    struct conninfo_env *env, struct error *err) MUST_CHECK;

#endif
