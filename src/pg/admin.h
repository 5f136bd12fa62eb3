/*
 * Commands of PgBouncer's admin console for a caller that may wait. Its console knows the simple
 * protocol only, one command at a time. Main thread of a process without a screen.
 */
#ifndef PGMEDIC_PG_ADMIN_H
#define PGMEDIC_PG_ADMIN_H

#include <signal.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rowset.h"

/*
 * Connect, run one command, disconnect. ERR_TIMEOUT after timeout_ms, ERR_STATE when *stop (may be
 * NULL) is set: the pooler may go on with it. A new reference to its rows, or NULL and *err.
 */
struct rowset *pg_admin_run(const char *conninfo, const char *command, int timeout_ms,
    const volatile sig_atomic_t *stop, struct error *err) MUST_CHECK;
/* A name as the console reads it back. */
const char *pg_admin_quote(struct arena *arena, const char *name);

#endif
