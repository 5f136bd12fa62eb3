/*
 * libpq: non-blocking connections, named queries from src/pg/NAME.sql, typed rows. No SQL outside
 * this folder, no libpq type outside it. A connection belongs to one thread.
 */
#ifndef PGMEDIC_PG_PG_H
#define PGMEDIC_PG_PG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rowset.h"

/* ------------------------------------------------------------------ the query table (generated) */

struct pg_query {
	const char *name; /* file name without .sql */
	const char *text; /* with its conditions, see query.h */
	int timeout_ms;
	const char *privilege; /* what the role needs to see all of it, "" none; used in hints */
	const char *requires;  /* conditions that must all hold, blank-separated, or "" */
	const char *too_old;   /* what to say where they do not */
	bool is_act;           /* changes something: never runs in a read-only session */
	int nparams;
	int ncols;
	const char *const *col_names;
	const uint8_t *col_types; /* enum cell_type */
};
extern const struct pg_query pg_queries[]; /* sorted by name, NULL name ends */
const struct pg_query *pg_query_by_name(const char *name);

#endif
