/*
 * Thinning: minutes become hours, sizes one an hour and then one a day, statements days, and what
 * is too old goes. A little at a time, so that no writer waits long. When the file is too large all
 * of it is kept for half as long, and half of that, until it fits.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/history_priv.h"

enum {
	EVERY_S = 1800,      /* between two looks of one handle */
	BATCH = 1440,        /* minutes merged in one transaction: a day */
	MANY_OBJECTS = 2000, /* names are looked through from this number on */
	MAX_SCALE = 256,     /* ages are divided by this at most */
};

struct row {
	int64_t t;
	struct figures f;
};

static int64_t
value(struct history *h, const char *sql)
{
	struct error err;
	sqlite3_stmt *st = history_prepare(h, sql, &err);
	int64_t v = st && sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;

	sqlite3_finalize(st);
	return v;
}

/* Bytes in use: a file keeps the pages it once had. */
static int64_t
used_bytes(struct history *h)
{
	return (value(h, "PRAGMA page_count") - value(h, "PRAGMA freelist_count")) *
	    value(h, "PRAGMA page_size");
}

/* ------------------------------------------------------------------ figures */

/* Puts what is gathered of an hour to what is there of it. */
static bool
flush_hour(
    struct history *h, int64_t target, int64_t hour, const struct figures *f, struct error *err)
{
	struct figures there;

	if (!figures_get(h, target, HOUR, hour, &there, err))
		return false;
	for (int i = 0; i < f->n; i++)
		figures_add(&there, f->items[i]);
	if (f->wal_lsn)
		there.wal_lsn = f->wal_lsn;
	return figures_put(h, target, HOUR, hour, &there, err);
}

/* Reads up to BATCH minutes before `before`; returns how many, -1 and *err. */
static int
read_minutes(struct history *h, int64_t target, int64_t before, struct row *rows, struct error *err)
{
	sqlite3_stmt *st = history_sql(h, SQL_FIGURES_SPAN, err);
	int n = 0, rc = SQLITE_DONE;

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, target);
	sqlite3_bind_int(st, 2, MINUTE);
	sqlite3_bind_int64(st, 3, INT64_MIN);
	sqlite3_bind_int64(st, 4, before);
	sqlite3_bind_int64(st, 5, BATCH);
	while (n < BATCH && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		rows[n].t = sqlite3_column_int64(st, 0);
		rows[n].f.n = 0;
		rows[n].f.wal_lsn = sqlite3_column_int64(st, 1);
		figures_decode(&rows[n].f, sqlite3_column_blob(st, 2), sqlite3_column_bytes(st, 2));
		n++;
	}
	if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
		history_fail(h, err, "read");
		n = -1;
	}
	sqlite3_reset(st);
	return n;
}

static bool
drop_figures(struct history *h, int64_t target, int step, int64_t last, struct error *err)
{
	sqlite3_stmt *st = history_sql(h, SQL_FIGURES_DROP, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, target);
	sqlite3_bind_int(st, 2, step);
	sqlite3_bind_int64(st, 3, last);
	return history_run(h, st, err);
}

/* One batch in the transaction that is open. Returns the minutes merged, -1 and *err. */
static int
merge_minutes(
    struct history *h, int64_t target, int64_t before, struct row *rows, struct error *err)
{
	int n = read_minutes(h, target, before, rows, err);
	struct figures sum = { .n = 0 };
	int64_t hour = 0;

	for (int i = 0; i < n; i++) {
		if (i == 0 || bucket_of(rows[i].t, HOUR) != hour) {
			if (i > 0 && !flush_hour(h, target, hour, &sum, err))
				return -1;
			sum.n = 0;
			sum.wal_lsn = 0;
			hour = bucket_of(rows[i].t, HOUR);
		}
		for (int k = 0; k < rows[i].f.n; k++)
			figures_add(&sum, rows[i].f.items[k]);
		if (rows[i].f.wal_lsn)
			sum.wal_lsn = rows[i].f.wal_lsn;
	}
	if (n > 0 &&
	    (!flush_hour(h, target, hour, &sum, err) ||
	        !drop_figures(h, target, MINUTE, rows[n - 1].t, err)))
		return -1;
	return n;
}

static bool
thin_figures(struct history *h, int64_t target, int64_t now, int scale, struct error *err)
{
	int64_t before = bucket_of(now - KEEP_MINUTES / scale, HOUR);
	struct row *rows = xmalloc(BATCH * sizeof(*rows));
	bool ok = true;
	int n = 0;

	do {
		ok = history_begin(h, err);
		if (!ok)
			break;
		n = merge_minutes(h, target, before, rows, err);
		if (n < BATCH && n >= 0 &&
		    !drop_figures(h, target, HOUR, now - KEEP_HOURS / scale, err))
			n = -1;
		ok = history_end(h, n >= 0, err);
	} while (ok && n == BATCH);
	free(rows);
	return ok;
}

/* ------------------------------------------------------------------ sizes, statements */

/* A statement with ?1 target, ?2 moment; in a transaction of its own. */
static bool
run_for(struct history *h, const char *sql, int64_t target, int64_t moment, int64_t since,
    struct error *err)
{
	sqlite3_stmt *st = history_prepare(h, sql, err);
	bool ok;

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, target);
	sqlite3_bind_int64(st, 2, moment);
	sqlite3_bind_int64(st, 3, since);
	ok = history_run(h, st, err);
	sqlite3_finalize(st);
	return ok;
}

/* What is older than a few days behind the border was thinned when it passed it, unless this is the
 * first time or the border moved. */
static bool
thin_sizes(
    struct history *h, int64_t target, int64_t now, int scale, bool is_whole, struct error *err)
{
	static const char hourly[] =
	    "DELETE FROM size WHERE target = ?1 AND t < ?2 AND t >= ?3"
	    " AND EXISTS (SELECT 1 FROM size later"
	    " WHERE later.target = size.target AND later.object = size.object"
	    " AND later.t > size.t AND later.t < (size.t / 3600 + 1) * 3600)";
	static const char daily[] =
	    "DELETE FROM size WHERE target = ?1 AND t < ?2 AND t >= ?3"
	    " AND EXISTS (SELECT 1 FROM size later"
	    " WHERE later.target = size.target AND later.object = size.object"
	    " AND later.t > size.t AND later.t < (size.t / 86400 + 1) * 86400)";
	int64_t days = bucket_of(now - KEEP_SIZES_HOURLY / scale, DAY);
	int64_t hours = bucket_of(now - KEEP_SIZES_FULL / scale, HOUR);

	return run_for(h, "DELETE FROM size WHERE target = ?1 AND t < ?2", target,
	           now - KEEP_SIZES / scale, 0, err) &&
	    run_for(h, daily, target, days, is_whole ? INT64_MIN : days - 3 * DAY, err) &&
	    run_for(h, hourly, target, hours, is_whole ? INT64_MIN : hours - 3 * DAY, err);
}

/* Of each hour and day that is over only the statements that took most time stay. */
static bool
thin_statements(struct history *h, int64_t target, int64_t now, int scale, struct error *err)
{
	static const char top[] =
	    "DELETE FROM statement WHERE (target, step, t, queryid, dbid, userid) IN"
	    " (SELECT target, step, t, queryid, dbid, userid FROM"
	    " (SELECT *, row_number() OVER (PARTITION BY step, t ORDER BY total_ms DESC) AS place"
	    "  FROM statement WHERE target = ?1 AND t < ?2) WHERE place > 20)";
	static const char days[] =
	    "INSERT INTO statement SELECT target, 86400, t / 86400 * 86400, queryid, dbid, userid,"
	    " sum(calls), sum(total_ms), sum(hit), sum(read) FROM statement"
	    " WHERE target = ?1 AND step = 3600 AND t < ?2 GROUP BY 1, 2, 3, 4, 5, 6"
	    " ON CONFLICT DO UPDATE SET calls = calls + excluded.calls,"
	    " total_ms = total_ms + excluded.total_ms,"
	    " hit = hit + excluded.hit, read = read + excluded.read";
	int64_t before = bucket_of(now - KEEP_STATEMENTS_HOURLY / scale, DAY);
	bool ok;

	_Static_assert(TOP_STATEMENTS == 20, "the number is in the text above");
	if (!history_begin(h, err))
		return false;
	ok = run_for(h, days, target, before, 0, err) &&
	    run_for(h, "DELETE FROM statement WHERE target = ?1 AND step = 3600 AND t < ?2", target,
	        before, 0, err) &&
	    run_for(h, top, target, bucket_of(now, HOUR), 0, err) &&
	    run_for(h, "DELETE FROM statement WHERE target = ?1 AND t < ?2", target,
	        now - KEEP_HOURS / scale, 0, err);
	return history_end(h, ok, err);
}

/* ------------------------------------------------------------------ all of it */

static int
target_ids(struct history *h, int64_t *ids, int max, struct error *err)
{
	sqlite3_stmt *st = history_prepare(h, "SELECT id FROM target ORDER BY id", err);
	int n = 0;

	if (!st)
		return -1;
	while (n < max && sqlite3_step(st) == SQLITE_ROW)
		ids[n++] = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* Names and targets that nothing refers to any more. */
static bool
drop_orphans(struct history *h, int64_t now, struct error *err)
{
	return (value(h, "SELECT count(*) FROM object") < MANY_OBJECTS ||
	           history_exec(
	               h, "DELETE FROM object WHERE id NOT IN (SELECT object FROM size)", err)) &&
	    run_for(h,
	        "DELETE FROM target WHERE id <> ?1 AND seen_at < ?2"
	        " AND NOT EXISTS (SELECT 1 FROM figures WHERE target = target.id)"
	        " AND NOT EXISTS (SELECT 1 FROM size WHERE target = target.id)",
	        -1, now - KEEP_HOURS, 0, err);
}

static bool
thin(struct history *h, int64_t now, int scale, bool is_whole, struct error *err)
{
	enum { MAX_TARGETS = 10000 };
	int64_t *ids = xcalloc(MAX_TARGETS, sizeof(*ids));
	int n = target_ids(h, ids, MAX_TARGETS, err);
	bool ok = n >= 0;

	for (int i = 0; i < n && ok; i++)
		ok = thin_figures(h, ids[i], now, scale, err) &&
		    thin_sizes(h, ids[i], now, scale, is_whole, err) &&
		    thin_statements(h, ids[i], now, scale, err);
	free(ids);
	return ok && drop_orphans(h, now, err);
}

bool
history_thin(struct history *h, struct wall now, struct error *err)
{
	int64_t seconds = now.us / 1000000;
	int scale = 1;
	bool is_first;

	if (h->thinned_at.us && now.us >= h->thinned_at.us &&
	    now.us - h->thinned_at.us < EVERY_S * INT64_C(1000000))
		return true;
	is_first = h->thinned_at.us == 0;
	h->thinned_at = now;
	if (!thin(h, seconds, 1, is_first, err))
		return false;
	if (used_bytes(h) > h->limit - h->limit / 20) {
		while (used_bytes(h) > h->limit - h->limit / 5 && scale < MAX_SCALE)
			if (!thin(h, seconds, scale *= 2, true, err))
				return false;
		log_warn("history", "over %" PRId64 " bytes: minutes are kept for %d hours only",
		    h->limit, KEEP_MINUTES / scale / HOUR);
	}
	return history_exec(h, "PRAGMA incremental_vacuum(2000)", err);
}
