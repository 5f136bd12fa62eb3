#include "config.h"

#include "pg/plain.h"

#include <stdio.h>
#include <stdlib.h>

#include "pg/conn_private.h"
#include "pg/fault.h"

PGconn *
plain_connect(const char *conninfo, const char *password, const char *database, const char *what,
    struct error *err)
{
	/* As in dial.c: what stands before "dbname" is a default, what stands behind it is fixed.
	 */
	const char *keys[16], *values[16];
	char name[64];
	bool is_late;
	int n = 0;
	PGconn *pq;

	snprintf(name, sizeof(name), "pgmedic %s", what);
#define PARAM(k, v) (keys[n] = (k), values[n++] = (v))
	if (!getenv("PGCONNECT_TIMEOUT"))
		PARAM("connect_timeout", "5");
	PARAM("keepalives_idle", "15");
	PARAM("keepalives_interval", "5");
	PARAM("keepalives_count", "3");
	PARAM("dbname", conninfo ? conninfo : "");
	if (database)
		PARAM("dbname", database);
	PARAM("application_name", name);
	PARAM("client_encoding", "UTF8");
	if (password)
		PARAM("password", password);
#undef PARAM
	keys[n] = values[n] = NULL;
	/* expand_dbname reads the first dbname as a connection string; a later one is a mere name.
	 */
	pq = connect_params(keys, values, &is_late);
	if (!pq)
		fatal("out of memory");
	if (PQstatus(pq) != CONNECTION_OK) {
		if (is_late && PQstatus(pq) != CONNECTION_BAD)
			fault_message(err, "timeout expired", ERR_CONNECT);
		else
			fault_connection(err, pq, ERR_CONNECT);
		PQfinish(pq);
		return NULL;
	}
	PQsetErrorVerbosity(pq, PQERRORS_DEFAULT);
	return pq;
}

bool
plain_command(PGconn *pq, const char *sql, struct error *err)
{
	PGresult *result = PQexec(pq, sql);
	bool ok =
	    PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;

	if (!ok)
		fault_result(err, result, NULL);
	PQclear(result);
	return ok;
}
