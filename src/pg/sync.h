/*
 * Named queries for a caller that may wait: `pgmedic run`, doctor. One connection, one question at
 * a time, each with a deadline of its own on this side of the network, too. Main thread of a
 * process without a screen.
 */
#ifndef PGMEDIC_PG_SYNC_H
#define PGMEDIC_PG_SYNC_H

#include <stdbool.h>

#include "base/error.h"
#include "base/rowset.h"
#include "pg/conn.h"

struct pg_sync;

/* Connect and learn what the catalog has. NULL and *err: ERR_CONNECT, ERR_AUTH … */
struct pg_sync *pg_sync_open(
    const char *conninfo, const char *password, struct error *err) MUST_CHECK;
void pg_sync_close(struct pg_sync *s); /* NULL is fine */
void pg_sync_peer(const struct pg_sync *s, struct pg_peer *peer);
/*
 * Run src/pg/NAME.sql. A query that does not act runs in a read-only transaction that is rolled
 * back. A new reference to its rows, or NULL and *err.
 */
struct rowset *pg_sync_run(struct pg_sync *s, const char *query, const char *const *params,
    int nparams, int timeout_ms, struct error *err) MUST_CHECK;

#endif
