/*
 * Safe EXPLAIN of a statement that somebody else has written: one statement only, never ANALYZE, in
 * a read-only transaction with timeouts that is rolled back. It is parsed through the extended
 * protocol, so that a second statement cannot hide in it, and planned generically, so that texts of
 * pg_stat_statements with $n can be explained. Blocks: for a process of its own.
 *
 * What it cannot prevent: to plan is to evaluate IMMUTABLE functions of constants, with the rights
 * of whoever asks. A superuser is told so.
 */
#ifndef PGMEDIC_PG_EXPLAIN_H
#define PGMEDIC_PG_EXPLAIN_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"

struct explain_request {
	const char *conninfo, *password;
	const char *database;    /* NULL: the conninfo's */
	const char *search_path; /* of the role that ran it; NULL: our own */
	const char *text;
	int timeout_ms;
	bool json; /* FORMAT JSON */
};

struct explain_info {
	int params;  /* of the statement */
	int retries; /* that parameter types needed */
	bool is_generic;
	bool is_superuser; /* the plan was made with a superuser's rights, see below */
};

/* The plan is appended to out. ERR_REFUSED: not one plannable statement; ERR_DENIED; ERR_QUERY: the
 * server cannot plan it. */
bool explain_run(const struct explain_request *req, struct strbuf *out, struct explain_info *info,
    struct error *err) MUST_CHECK;

#endif
