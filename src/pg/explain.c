/*
 * Parameters are typed by sqltyped.h: repairs, then a Parse, and casts learned from its errors.
 *
 * The statement is prepared by the protocol and explained by EXPLAIN EXECUTE under plan_cache_mode
 * = force_generic_plan: values bound to parameters would make a custom plan (NULLs collapse it),
 * and EXPLAIN (GENERIC_PLAN) exists from 16 on only.
 */
#include "config.h"

#include "pg/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pg/fault.h"
#include "pg/plain.h"
#include "pg/sqltext.h"
#include "pg/sqltyped.h"

static bool
set_search_path(PGconn *pq, const char *path, struct error *err)
{
	const struct pg_query *q = pg_query_by_name("set_search_path");
	PGresult *result = PQexecParams(pq, q->text, 1, NULL, &path, NULL, NULL, 0);
	bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;

	if (!ok)
		fault_result(err, result, q);
	PQclear(result);
	return ok;
}

static bool
begin(PGconn *pq, const struct explain_request *req, struct error *err)
{
	char set[512];

	snprintf(set, sizeof(set),
	    "SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = 1000; SET LOCAL plan_cache_mode = force_generic_plan;"
	    " SET LOCAL standard_conforming_strings = on; SET LOCAL jit = off",
	    req->timeout_ms);
	return plain_command(pq, "BEGIN TRANSACTION READ ONLY", err) &&
	    plain_command(pq, set, err) &&
	    (!req->search_path || set_search_path(pq, req->search_path, err));
}

/* Parse under the name; true when it went. On false *again says whether another try makes sense. */
static bool
prepare(PGconn *pq, struct sql_typed *typed, const char *name, bool *again, struct error *err)
{
	PGresult *result = PQprepare(pq, name, sql_typed_text(typed), 0, NULL);
	bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;

	*again = false;
	if (!ok) {
		struct sql_complaint c = fault_complaint(result);

		fault_result(err, result, NULL);
		*again = sql_typed_learn(typed, &c);
	}
	PQclear(result);
	return ok;
}

static int
count_params(PGconn *pq, const char *name, struct error *err)
{
	PGresult *result = PQdescribePrepared(pq, name);
	int n = -1;

	if (PQresultStatus(result) == PGRES_COMMAND_OK)
		n = PQnparams(result);
	else
		fault_result(err, result, NULL);
	PQclear(result);
	return n;
}

static bool
explain_execute(
    PGconn *pq, const char *name, int nparams, bool json, struct strbuf *out, struct error *err)
{
	struct strbuf sql = STRBUF_INIT(1 << 16);
	PGresult *result;
	bool ok;

	strbuf_addf(
	    &sql, "EXPLAIN (%s) EXECUTE %s", json ? "VERBOSE, FORMAT JSON" : "VERBOSE", name);
	for (int i = 0; i < nparams; i++)
		strbuf_adds(&sql, i ? ", NULL" : " (NULL");
	if (nparams)
		strbuf_addc(&sql, ')');
	result = PQexec(pq, sql.buf);
	ok = PQresultStatus(result) == PGRES_TUPLES_OK;
	if (!ok)
		fault_result(err, result, NULL);
	for (int i = 0; ok && i < PQntuples(result); i++) {
		strbuf_adds(out, PQgetvalue(result, i, 0));
		strbuf_addc(out, '\n');
	}
	PQclear(result);
	strbuf_release(&sql);
	return ok;
}

static void
add_hint(struct error *err)
{
	if (*err->hint)
		return;
	if (strcmp(err->sqlstate, "42501") == 0)
		error_hint(err,
		    "This role may not read what the statement reads: GRANT SELECT, or pg_read_all_data (14 and newer).");
	else if (strcmp(err->sqlstate, "42P01") == 0 || strcmp(err->sqlstate, "42883") == 0)
		error_hint(err,
		    "It may belong to another search_path or database, or to a temporary table of its session.");
	else if (strcmp(err->sqlstate, "55P03") == 0)
		error_hint(err, "A table of the statement is locked; try again.");
}

/* Transactions are begun anew for each try: a failed Parse ends one. */
static bool
run(PGconn *pq, const struct explain_request *req, struct sql_typed *typed, struct strbuf *out,
    struct explain_info *info, struct error *err)
{
	char name[32];
	bool again = true, ok = false;

	for (info->retries = 0; !ok && again; info->retries++) {
		snprintf(name, sizeof(name), "pgmedic_%d", info->retries);
		if (!begin(pq, req, err))
			return false;
		ok = prepare(pq, typed, name, &again, err);
		if (ok)
			break;
		if (!plain_command(pq, "ROLLBACK", err) || info->retries >= SQL_TYPED_TRIES)
			return false;
	}
	if (!ok)
		return false;
	info->params = count_params(pq, name, err);
	if (info->params < 0)
		return false;
	info->is_generic = info->params > 0;
	return explain_execute(pq, name, info->params, req->json, out, err);
}

bool
explain_run(const struct explain_request *req, struct strbuf *out, struct explain_info *info,
    struct error *err)
{
	struct arena arena = { 0 };
	const char *statement = sql_explainable(&arena, req->text, err), *superuser;
	PGconn *pq = NULL;
	bool ok = false;

	memset(info, 0, sizeof(*info));
	if (!statement)
		goto out;
	pq = plain_connect(req->conninfo, req->password, req->database, "explain", err);
	if (!pq)
		goto out;
	superuser = PQparameterStatus(pq, "is_superuser");
	info->is_superuser = superuser && strcmp(superuser, "on") == 0;
	ok = run(pq, req, sql_typed_new(&arena, statement), out, info, err);
	if (!ok)
		add_hint(err);
	/* Closing the connection rolls back. */
out:
	PQfinish(pq);
	arena_release(&arena);
	return ok;
}
