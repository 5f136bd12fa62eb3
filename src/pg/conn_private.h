/* Between conn.c and dial.c. */
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

#endif
