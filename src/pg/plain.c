#include "config.h"

#include "pg/plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/fault.h"
#include "pg/login_priv.h"

/* A database of encoding SQL_ASCII holds any bytes: the server would check them as UTF-8 and refuse
 * the rows. */
static bool
take_bytes(PGconn *pq, struct error *err)
{
	const char *encoding = PQparameterStatus(pq, "server_encoding");

	if (!encoding || strcmp(encoding, "SQL_ASCII") != 0 ||
	    PQsetClientEncoding(pq, "SQL_ASCII") == 0)
		return true;
	return fault_connection(err, pq, ERR_CONNECT);
}

PGconn *
plain_connect(const char *conninfo, const char *password, const char *database, const char *what,
    struct error *err)
{
	struct login_params list = { .n = 0 };
	char name[64];
	PGconn *pq;

	snprintf(name, sizeof(name), "pgmedic %s", what);
	if (!getenv("PGCONNECT_TIMEOUT"))
		login_param(&list, "connect_timeout", "5");
	login_param(&list, "keepalives_idle", "15");
	login_param(&list, "keepalives_interval", "5");
	login_param(&list, "keepalives_count", "3");
	/* expand_dbname reads the first dbname as a connection string; a later one is a mere name.
	 */
	login_param(&list, "dbname", conninfo ? conninfo : "");
	if (database)
		login_param(&list, "dbname", database);
	login_param(&list, "application_name", name);
	login_param(&list, "client_encoding", "UTF8");
	pq = login_connect(&list, password, err);
	if (!pq)
		return NULL;
	if (!take_bytes(pq, err)) {
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
