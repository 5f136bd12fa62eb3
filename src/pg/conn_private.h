/* Between conn.c, dial.c and plain.c. */
#ifndef PGMEDIC_PG_CONN_PRIVATE_H
#define PGMEDIC_PG_CONN_PRIVATE_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "pg/conn.h"

/* Takes a connected PGconn. */
struct pg_conn *conn_new(PGconn *pq, bool is_console);
/* Start a detached thread with a small stack and all signals blocked; false: the system has none to
 * give. */
bool conn_thread(void *(*main)(void *), void *arg);

/*
 * connect_params - a connection by NULL-ended keywords and values, dbname expanded; what the server
 * says meanwhile and later is dropped
 *
 * is_late  out: the connect timeout ended it
 *
 * The connection, made or failed, for PQfinish(); NULL without memory. Any thread.
 */
PGconn *connect_params(const char *const *keys, const char *const *values, bool *is_late);

#endif
