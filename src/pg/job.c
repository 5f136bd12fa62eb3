#include "config.h"

#include "pg/job.h"

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

bool
job_statement(const char *conninfo, const char *password, const char *database,
    const char *statement, int lock_timeout_ms, struct strbuf *output, int *warnings,
    struct error *err)
{
	struct notices notices = { output, warnings };
	char set[96];
	PGconn *pq = plain_connect(conninfo, password, database, "job", err);
	bool ok;

	*warnings = 0;
	if (!pq)
		return false;
	/* What the role or database sets by default must not end a vacuum half-way. */
	snprintf(set, sizeof(set),
	    "SET statement_timeout = 0; SET lock_timeout = %d; SET client_min_messages = notice",
	    lock_timeout_ms);
	ok = plain_command(pq, "SET default_transaction_read_only = off", err) &&
	    plain_command(pq, set, err);
	if (ok) {
		PQsetNoticeReceiver(pq, take_notice, &notices);
		ok = plain_command(pq, statement, err);
	}
	PQfinish(pq);
	return ok;
}
