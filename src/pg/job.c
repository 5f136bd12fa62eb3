#include "config.h"

#include "pg/job.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "pg/fault.h"
#include "pg/plain.h"

struct notices {
	struct strbuf *output;
	int *warnings;
};

static void
take_notice(void *arg, const PGresult *result)
{
	struct notices *n = arg;
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);

	if (severity && strcmp(severity, "WARNING") == 0)
		++*n->warnings;
	strbuf_addf(n->output, "%s: %s\n", severity ? severity : "NOTICE", message ? message : "");
	if (detail)
		strbuf_addf(n->output, "%s\n", detail);
}

/* Connected, with the timeouts that long work needs; NULL and *err. */
static PGconn *
job_connect(const char *conninfo, const char *password, const char *database, int lock_timeout_ms,
    struct notices *notices, struct error *err)
{
	char set[96];
	PGconn *pq = plain_connect(conninfo, password, database, "job", err);

	if (!pq)
		return NULL;
	/* What the role or database sets by default must not end a vacuum half-way. */
	snprintf(set, sizeof(set),
	    "SET statement_timeout = 0; SET lock_timeout = %d; SET client_min_messages = notice",
	    lock_timeout_ms);
	if (!plain_command(pq, "SET default_transaction_read_only = off", err) ||
	    !plain_command(pq, set, err)) {
		PQfinish(pq);
		return NULL;
	}
	PQsetNoticeReceiver(pq, take_notice, notices);
	return pq;
}

bool
job_statement(const char *conninfo, const char *password, const char *database,
    const char *statement, int lock_timeout_ms, struct strbuf *output, int *warnings,
    struct error *err)
{
	struct notices notices = { output, warnings };
	PGconn *pq;
	bool ok;

	*warnings = 0;
	pq = job_connect(conninfo, password, database, lock_timeout_ms, &notices, err);
	if (!pq)
		return false;
	ok = plain_command(pq, statement, err);
	PQfinish(pq);
	return ok;
}

static void
cancel(PGconn *pq)
{
	PGcancel *c = PQgetCancel(pq);
	char why[256];

	if (c)
		(void)PQcancel(c, why, sizeof(why));
	PQfreeCancel(c);
}

/* Until the statement has its result, looking up now and then. */
static bool
wait_watched(PGconn *pq, const struct job_watch *watch, struct error *err)
{
	bool is_cancelled = false;

	while (PQisBusy(pq)) {
		struct pollfd pfd = { .fd = PQsocket(pq), .events = POLLIN };
		int n = poll(&pfd, 1, watch->every_ms);

		if (n > 0 && !PQconsumeInput(pq)) {
			fault_connection(err, pq, ERR_LOST);
			return false;
		}
		if (watch->stop && *watch->stop && !is_cancelled) {
			is_cancelled = true;
			cancel(pq);
		}
		if (n == 0 && watch->tick)
			watch->tick(watch->arg, PQbackendPID(pq));
	}
	return true;
}

bool
job_watched(const char *conninfo, const char *password, const char *database, const char *statement,
    int lock_timeout_ms, const struct job_watch *watch, struct strbuf *output, int *warnings,
    struct error *err)
{
	struct notices notices = { output, warnings };
	PGresult *result;
	PGconn *pq;
	bool ok;

	*warnings = 0;
	pq = job_connect(conninfo, password, database, lock_timeout_ms, &notices, err);
	if (!pq)
		return false;
	ok = PQsendQueryParams(pq, statement, 0, NULL, NULL, NULL, NULL, 0);
	if (!ok)
		fault_connection(err, pq, ERR_LOST);
	ok = ok && wait_watched(pq, watch, err);
	while (ok && (result = PQgetResult(pq))) {
		ok = PQresultStatus(result) == PGRES_COMMAND_OK;
		if (!ok)
			fault_result(err, result, NULL);
		PQclear(result);
	}
	PQfinish(pq);
	return ok;
}
