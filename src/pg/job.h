/* Long statements (VACUUM, REINDEX, CHECKPOINT …) in a process of their own: blocking, no timeout.
 */
#ifndef PGMEDIC_PG_JOB_H
#define PGMEDIC_PG_JOB_H

#include <signal.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"

/*
 * Connect and run one statement that the server itself has quoted (act_statement()).
 *
 * lock_timeout_ms  0: wait for locks for ever
 * database         where the object lives; NULL: the conninfo's
 * output           gets the server's notices (INFO and worse), cut at its ceiling
 * warnings         how many of them were warnings
 */
bool job_statement(const char *conninfo, const char *password, const char *database,
    const char *statement, int lock_timeout_ms, struct strbuf *output, int *warnings,
    struct error *err) MUST_CHECK;

/* While a statement runs. */
struct job_watch {
	void *arg;
	int every_ms;
	void (*tick)(void *arg, int pid);  /* pid: the server process that runs it */
	const volatile sig_atomic_t *stop; /* set: it is cancelled */
};
/* The same, watched, and by the extended protocol: what has been put together of names and typed
 * expressions can be one statement only. */
bool job_watched(const char *conninfo, const char *password, const char *database,
    const char *statement, int lock_timeout_ms, const struct job_watch *watch,
    struct strbuf *output, int *warnings, struct error *err) MUST_CHECK;

#endif
