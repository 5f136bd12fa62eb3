#include "config.h"

#include "ops/rds_verify_look.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ops/check.h"
#include "ops/op_server.h"
#include "pg/conninfo.h"

enum {
	NAME_MS = 60000,
	RETRY_MS = 1000,
	COUNT_MS = 120000,
	XIDS_MS = 60000,
	PAGES_MS = 10000,
	MAX_OIDS = 1 << 14
};

bool
rds_verify_at(struct op *op, struct client_at *at, struct error *err)
{
	const char *host = op_fact(op, "endpoint.host"), *conninfo = op->target->conninfo;

	*at = (struct client_at){ .password = op->target->password,
		.name = "pgmedic verify",
		.major = (int)op_fact_int(op, "copy.major", 0) };
	if (!host || !*conninfo || conninfo_is_none(conninfo))
		return true;
	at->conninfo = conninfo_at(
	    &op->arena, conninfo, host, (int)op_fact_int(op, "endpoint.port", 5432), err);
	return at->conninfo != NULL;
}

/* The name of a new instance may take a moment to be known everywhere. */
static struct pg_sync *
connect_in_time(struct op *op, const struct client_at *at, struct error *why)
{
	int limit = rds_sign_ms() < NAME_MS ? rds_sign_ms() : NAME_MS;
	struct mono start = mono_now();
	struct error stopped = { 0 };
	struct pg_sync *pg;

	for (;;) {
		*why = (struct error){ 0 };
		pg = pg_sync_open(at->conninfo, at->password, why);
		if (pg || why->code == ERR_AUTH || why->code == ERR_CONFIG ||
		    mono_since_ms(mono_now(), start) > limit)
			return pg;
		op_progress(op, -1, "does not answer yet: %s", why->what);
		if (!op_wait_ms(op, RETRY_MS, &stopped))
			return NULL;
	}
}

bool
rds_verify_connect(struct op *op, struct error *err)
{
	int64_t begun = op_fact_int(op, "begun_us", 0);
	struct error why = { 0 }, stopped = { 0 };
	struct op_server server;
	struct client_at at;
	struct pg_sync *pg;
	bool ok;

	if (!rds_verify_at(op, &at, err))
		return false;
	if (!at.conninfo)
		return check_set(op, err, "connect", false,
		    "%s has no conninfo: nothing can be read", op->target->name);
	pg = connect_in_time(op, &at, &why);
	if (!pg && op_stopped(op, &stopped)) {
		*err = stopped;
		return false;
	}
	if (!pg)
		return check_set(op, err, "connect", false,
		    "RDS says it is available, and it %s: %s",
		    why.code == ERR_AUTH ? "refuses the target's login" :
		                           "cannot be reached from here",
		    why.what);
	ok = op_fact_set(op, err, "rto_s", "%.3f", (double)(wall_now().us - begun) / 1e6) &&
	    (op_fact_int(op, "begun_pid", 0) == getpid() ||
	        check_note(op, err, "rto_s: also the time in which nobody went on with the job"));
	if (ok && op_server_read(op, pg, &server, &why))
		ok = op_fact_set(op, err, "copy.major", "%d", server.version_num / 10000) &&
		    check_set(op, err, "connect", true, "PostgreSQL %s answers", server.version);
	else if (ok)
		ok = check_set(op, err, "connect", true, "it answers");
	pg_sync_close(pg);
	return ok;
}

/* ------------------------------------------------------------------ rows */

/* Of what was counted at the source, as an array for the copy. */
static void
oids_of(const struct rowset *rows, struct strbuf *out)
{
	strbuf_addc(out, '{');
	for (int i = 0; i < rows->nrows; i++)
		strbuf_addf(out, "%s%lld", i ? "," : "",
		    (long long)cell_i64(rowset_get(rows, i, "oid"), 0));
	strbuf_addc(out, '}');
}

static bool
compare(struct op *op, const struct rowset *then, const struct rowset *now, struct error *err)
{
	int64_t rows = 0;
	int tables = 0;

	for (int i = 0; i < then->nrows; i++) {
		const struct cell *name = rowset_get(then, i, "name"), *got = NULL;
		int64_t n = cell_i64(rowset_get(then, i, "n"), 0);

		for (int k = 0; k < now->nrows && !got; k++)
			if (cell_i64(rowset_get(now, k, "oid"), 0) ==
			    cell_i64(rowset_get(then, i, "oid"), -1))
				got = rowset_get(now, k, "n");
		if (!got || got->type == CELL_NULL)
			continue;
		if (cell_i64(got, 0) < 0)
			return check_set(op, err, "rows", false,
			    "%.*s is not in the copy, and the source has %lld rows of that time",
			    (int)name->len, name->s, (long long)n);
		if (cell_i64(got, 0) < n)
			return check_set(op, err, "rows", false,
			    "%.*s has %lld rows, and the source still has %lld of that time",
			    (int)name->len, name->s, (long long)cell_i64(got, 0), (long long)n);
		rows += n;
		tables++;
	}
	if (!tables)
		return check_note(op, err,
		    "rows: the source has no rows that are surely older than the snapshot");
	return check_set(op, err, "rows", true,
	    "%lld rows of %d tables that the source has from before the snapshot", (long long)rows,
	    tables);
}

/* Copy and source are one history up to the snapshot: the same cluster, as initdb has named it. */
static bool
is_one_history(struct op *op, struct pg_sync *copy, struct pg_sync *source, struct error *why)
{
	struct op_server a, b;

	return op_server_read(op, copy, &a, why) && op_server_read(op, source, &b, why) &&
	    (a.system_identifier == b.system_identifier ||
	        error_set(why, ERR_CHANGED, "the source is another cluster than the snapshot's"));
}

static bool
count(struct op *op, struct pg_sync *copy, struct pg_sync *source, struct error *why,
    struct error *err)
{
	struct rowset *xids = pg_sync_run(copy, "op_xids", NULL, 0, XIDS_MS, why);
	struct rowset *then = NULL, *now = NULL;
	struct strbuf oids = STRBUF_INIT(MAX_OIDS);
	bool ok = false;

	if (xids && xids->nrows == 1) {
		const struct cell *lost = rowset_get(xids, 0, "lost");
		const char *params[] = { arena_printf(&op->arena, "%lld",
			                     (long long)cell_i64(rowset_get(xids, 0, "next"), 0)),
			lost->type == CELL_TEXT ? arena_strndup(&op->arena, lost->s, lost->len) :
			                          "{}" };

		then = pg_sync_run(source, "op_counts_then", params, 2, COUNT_MS, why);
	}
	if (then) {
		const char *params[] = { oids.buf };

		oids_of(then, &oids);
		params[0] = oids.buf;
		now = pg_sync_run(copy, "op_counts_of", params, 1, COUNT_MS, why);
	}
	if (now)
		ok = compare(op, then, now, err);
	rowset_unref(xids);
	rowset_unref(then);
	rowset_unref(now);
	strbuf_release(&oids);
	return ok;
}

bool
rds_verify_rows(struct op *op, const struct client_at *at, struct error *err)
{
	struct error why = { 0 };
	struct pg_sync *copy = pg_sync_open(at->conninfo, at->password, &why);
	struct pg_sync *source = copy ? op_connect(op, op->target, &why) : NULL;
	bool ok =
	    source && is_one_history(op, copy, source, &why) && count(op, copy, source, &why, err);

	pg_sync_close(copy);
	pg_sync_close(source);
	/* What cannot be compared says nothing of the snapshot; a table that cannot be read in the
	 * copy is found by the other checks. */
	return ok || (*err->what ? false : check_note(op, err, "rows: %s", why.what));
}

/* ------------------------------------------------------------------ pages */

bool
rds_verify_pages(struct op *op, const struct client_at *at, struct error *err)
{
	struct error why = { 0 };
	struct pg_sync *pg = pg_sync_open(at->conninfo, at->password, &why);
	struct rowset *rows = pg ? pg_sync_run(pg, "op_pages", NULL, 0, PAGES_MS, &why) : NULL;
	int64_t failures;
	bool ok;

	pg_sync_close(pg);
	if (!rows)
		return check_note(op, err, "checksums: %s", why.what);
	failures = cell_i64(rowset_get(rows, 0, "failures"), 0);
	if (!cell_i64(rowset_get(rows, 0, "checksums"), 0))
		ok = check_note(op, err, "checksums: the cluster has none");
	else if (failures)
		ok = check_set(op, err, "checksums", false,
		    "%lld pages that were read were not as they had been written",
		    (long long)failures);
	else
		ok = check_set(
		    op, err, "checksums", true, "on, and every page that was read is as written");
	rowset_unref(rows);
	return ok;
}
