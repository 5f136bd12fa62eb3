/*
 * The method is E + F of the notes: lexical repairs of what normalising broke, then a Parse with
 * untyped parameters, and where the server cannot type one of them, casts guided by its error: the
 * parameter that the message names becomes text; otherwise the one nearest to the error's position
 * is tried as numeric, bigint, interval, then the next nearest. At most MAX_RETRIES. Over 143
 * plannable statement shapes all were explained, with about one retry each.
 *
 * The statement is prepared by the protocol and explained by EXPLAIN EXECUTE under plan_cache_mode
 * = force_generic_plan: values bound to parameters would make a custom plan (NULLs collapse it),
 * and EXPLAIN (GENERIC_PLAN) exists from 16 on only.
 */
#include "config.h"

#include "pg/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "pg/fault.h"
#include "pg/plain.h"
#include "pg/sqltext.h"

enum { MAX_RETRIES = 12, MAX_PARAMS = 2000 };

/* In the order tried for a parameter of an operator or function that does not resolve. */
static const char *const guesses[] = { "numeric", "bigint", "interval" };

struct attempt {
	struct arena arena;
	const char *repaired;              /* without casts */
	const char *types[MAX_PARAMS + 1]; /* cast in force, by parameter */
	bool skip[MAX_PARAMS +
	    1];           /* not to be tried for the present error: cast already, or in vain */
	size_t place;     /* of the present error, in the text without casts */
	int param, tried; /* what is being tried for it, and with how many guesses */
	int nparams;
};

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

/* Byte offset behind the n-th (1-based) character. */
static size_t
char_offset(const char *s, long n)
{
	size_t len = strlen(s), at = 0;
	uint32_t cp;

	while (n-- > 0 && at < len)
		at += utf8_decode(s + at, len - at, &cp);
	return at;
}

/* The "$n" that a message names; 0 none. */
static int
named_param(const char *message)
{
	const char *s = strchr(message ? message : "", '$');

	return s ? (int)strtol(s + 1, NULL, 10) : 0;
}

/* Move an offset of the text with casts to the same place in the text without. */
static size_t
uncast_offset(const struct attempt *a, const char *text, size_t offset)
{
	size_t shift = 0;
	const char *at = text;

	for (;;) {
		struct sql_token t = sql_next(&at);

		if (t.kind == SQL_END || t.kind == SQL_BROKEN || (size_t)(t.s - text) >= offset)
			return offset > shift ? offset - shift : 0;
		if (t.kind == SQL_PARAM && t.param >= 1 && t.param <= a->nparams &&
		    a->types[t.param])
			shift += 2 + strlen(a->types[t.param]);
	}
}

/*
 * The same error again: the next guess for the parameter that is being tried, and when all were in
 * vain the next nearest one. An error in another place: the nearest parameter that has no cast yet,
 * since those with one have settled something.
 */
static bool
guess_nearest(struct attempt *a, const char *text, const PGresult *result)
{
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	size_t place = position ?
	    uncast_offset(a, text, char_offset(text, strtol(position, NULL, 10)) - 1) :
	    0;

	if (!a->param || place != a->place) {
		for (int i = 1; i <= a->nparams; i++)
			a->skip[i] = a->types[i] != NULL;
		a->place = place;
		a->param = 0;
	} else if (a->tried == (int)ARRAY_LEN(guesses)) {
		a->types[a->param] = NULL;
		a->skip[a->param] = true;
		a->param = 0;
	}
	if (!a->param) {
		a->param = sql_nearest_param(a->repaired, place, a->skip, a->nparams);
		a->tried = 0;
	}
	if (a->param < 1 || a->param > a->nparams)
		return false;
	a->types[a->param] = guesses[a->tried++];
	return true;
}

/* Change a cast after a failed Parse; false: nothing left to try. */
static bool
learn(struct attempt *a, const char *text, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	int n;

	if (!state || a->nparams == 0)
		return false;
	if (strcmp(state, "42P18") == 0 || strcmp(state, "42P08") == 0) {
		n = named_param(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
		if (n >= 1 && n <= a->nparams && !a->types[n]) {
			a->types[n] = "text";
			return true;
		}
		return guess_nearest(a, text, result);
	}
	/* ambiguous or unknown function or operator, datatype mismatch, wrong text for a type, bad
	 * assignment */
	if (strcmp(state, "42725") == 0 || strcmp(state, "42883") == 0 ||
	    strcmp(state, "42804") == 0 || strcmp(state, "22P02") == 0 ||
	    strcmp(state, "42846") == 0 || strcmp(state, "42P13") == 0)
		return guess_nearest(a, text, result);
	return false;
}

/* Parse under the name; true when it went. On false *again says whether another try makes sense. */
static bool
prepare(PGconn *pq, struct attempt *a, const char *name, bool *again, struct error *err)
{
	const char *text = sql_cast(&a->arena, a->repaired, a->types, a->nparams);
	PGresult *result = PQprepare(pq, name, text, 0, NULL);
	bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;

	*again = false;
	if (!ok) {
		fault_result(err, result, NULL);
		*again = learn(a, text, result);
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
run(PGconn *pq, const struct explain_request *req, struct attempt *a, struct strbuf *out,
    struct explain_info *info, struct error *err)
{
	char name[32];
	bool again = true, ok = false;

	for (info->retries = 0; !ok && again; info->retries++) {
		snprintf(name, sizeof(name), "pgmedic_%d", info->retries);
		if (!begin(pq, req, err))
			return false;
		ok = prepare(pq, a, name, &again, err);
		if (ok)
			break;
		if (!plain_command(pq, "ROLLBACK", err) || info->retries >= MAX_RETRIES)
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
	struct attempt *a = xcalloc(1, sizeof(*a));
	const char *statement = sql_explainable(&a->arena, req->text, err);
	PGconn *pq = NULL;
	bool ok = false;

	memset(info, 0, sizeof(*info));
	if (!statement)
		goto out;
	a->repaired = sql_repair(&a->arena, statement);
	a->nparams = sql_params(a->repaired);
	if (a->nparams > MAX_PARAMS) {
		error_set(err, ERR_MEMORY, "the statement has more than %d parameters", MAX_PARAMS);
		goto out;
	}
	pq = plain_connect(req->conninfo, req->password, req->database, "explain", err);
	if (!pq)
		goto out;
	const char *superuser = PQparameterStatus(pq, "is_superuser");
	info->is_superuser = superuser && strcmp(superuser, "on") == 0;
	ok = run(pq, req, a, out, info, err);
	if (!ok)
		add_hint(err);
	/* Closing the connection rolls back. */
out:
	PQfinish(pq);
	arena_release(&a->arena);
	free(a);
	return ok;
}
