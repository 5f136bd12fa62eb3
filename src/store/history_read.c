/* Reading the history: buckets of a metric, sizes, statements, and what there is. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/history_priv.h"

enum { MAX_BUCKETS = 10000 };

/* ------------------------------------------------------------------ a metric */

struct bucket {
	double min, sum, max;
	int64_t n;
};

struct buckets {
	int64_t from, width; /* seconds */
	int n;
	struct bucket *items;
};

/* Widths that divide hours and days, so that a chart's marks are round. */
static int64_t
bucket_width(int64_t seconds, int buckets)
{
	static const int minutes[] = { 1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720,
		1440 };

	for (size_t i = 0; i < ARRAY_LEN(minutes); i++)
		if ((int64_t)minutes[i] * MINUTE * buckets >= seconds)
			return (int64_t)minutes[i] * MINUTE;
	return bucket_of(seconds / buckets + DAY, DAY);
}

static void
bucket_add(struct buckets *b, int64_t t, const struct bucket *from)
{
	int64_t at = (t - b->from) / b->width;
	struct bucket *to;

	if (t < b->from || at >= b->n)
		return;
	to = &b->items[at];
	to->min = to->n ? fmin(to->min, from->min) : from->min;
	to->max = to->n ? fmax(to->max, from->max) : from->max;
	to->sum += from->sum;
	to->n += from->n;
}

/* What a stored bucket has of a metric; id -1: the WAL position. */
static bool
bucket_of_row(sqlite3_stmt *st, int id, struct bucket *out)
{
	struct figures f;

	if (id < 0) {
		double lsn = (double)sqlite3_column_int64(st, 1);

		*out = (struct bucket){ lsn, lsn, lsn, 1 };
		return sqlite3_column_type(st, 1) != SQLITE_NULL;
	}
	f.n = 0;
	figures_decode(&f, sqlite3_column_blob(st, 2), sqlite3_column_bytes(st, 2));
	for (int i = 0; i < f.n; i++) {
		const struct figure *from = &f.items[i];

		if (from->id != id)
			continue;
		*out = (struct bucket){ (double)from->min, (double)from->avg * from->n,
			(double)from->max, from->n };
		return true;
	}
	return false;
}

static bool
read_step(struct history *h, int64_t target, int step, int id, int64_t to, struct buckets *b,
    struct error *err)
{
	sqlite3_stmt *st = history_sql(h, SQL_FIGURES_SPAN, err);
	struct bucket one;
	int rc;

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, target);
	sqlite3_bind_int(st, 2, step);
	sqlite3_bind_int64(st, 3, b->from);
	sqlite3_bind_int64(st, 4, to);
	sqlite3_bind_int64(st, 5, -1);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		if (bucket_of_row(st, id, &one))
			bucket_add(b, sqlite3_column_int64(st, 0), &one);
	if (rc != SQLITE_DONE)
		history_fail(h, err, "read");
	sqlite3_reset(st);
	return rc == SQLITE_DONE;
}

static struct rowset *
buckets_rows(const struct buckets *b)
{
	static const char *const names[] = { "time", "min", "avg", "max", "n" };
	static const uint8_t types[] = { CELL_TIME, CELL_FLOAT, CELL_FLOAT, CELL_FLOAT, CELL_INT };
	struct rowset *rows = rowset_new((int)ARRAY_LEN(names), names, types);

	for (int i = 0; i < b->n; i++) {
		const struct bucket *from = &b->items[i];
		struct cell *c;

		if (!from->n)
			continue;
		c = rowset_add(rows);
		c[0] = cell_time((b->from + i * b->width) * 1000000);
		c[1] = cell_float(from->min);
		c[2] = cell_float(from->sum / (double)from->n);
		c[3] = cell_float(from->max);
		c[4] = cell_int(from->n);
	}
	return rows;
}

struct rowset *
history_metric(struct history *h, const char *target, const char *metric, struct wall from,
    struct wall to, int buckets, struct error *err)
{
	int64_t begin = from.us / 1000000, end = (to.us + 999999) / 1000000, id;
	struct buckets b = { 0 };
	struct rowset *rows;
	int metric_id;
	bool ok;

	err->code = ERR_OK;
	buckets = buckets < 1 ? 1 : buckets > MAX_BUCKETS ? MAX_BUCKETS : buckets;
	if (end <= begin)
		end = begin + 1;
	/* One is lost to the alignment. */
	b.width = bucket_width(end - begin, buckets > 1 ? buckets - 1 : 1);
	b.from = bucket_of(begin, b.width);
	b.n = (int)((end - b.from + b.width - 1) / b.width);
	b.items = xcalloc((size_t)b.n, sizeof(*b.items));
	id = history_target_now(h, target, err);
	metric_id = strcmp(metric, "wal_lsn") == 0 ? -1 :
	    id > 0                                 ? history_metric_id(h, metric, false, err) :
	                                             0;
	ok = id >= 0 && err->code == ERR_OK;
	if (ok && id > 0 && metric_id)
		ok = read_step(h, id, HOUR, metric_id, end, &b, err) &&
		    read_step(h, id, MINUTE, metric_id, end, &b, err);
	rows = ok ? buckets_rows(&b) : NULL;
	free(b.items);
	return rows;
}

/* ------------------------------------------------------------------ sizes */

/* Seconds between two rows of an object, by the span that is asked for. */
static int64_t
size_step(struct history *h, int64_t target, int64_t since, struct error *err)
{
	sqlite3_stmt *st =
	    history_prepare(h, "SELECT max(t) - max(?2, min(t)) FROM size WHERE target = ?1", err);
	int64_t span = -1;
	bool ok;

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, target);
	sqlite3_bind_int64(st, 2, since);
	ok = sqlite3_step(st) == SQLITE_ROW;
	if (ok)
		span = sqlite3_column_int64(st, 0);
	else
		history_fail(h, err, "read");
	sqlite3_finalize(st);
	if (span < 0 && ok)
		span = 0; /* all there is is older */
	if (span < 0)
		return span;
	return span > KEEP_SIZES_HOURLY ? DAY : span > KEEP_SIZES_FULL ? HOUR : 1;
}

static bool
read_sizes(struct history *h, int64_t target, const char *object, int64_t since, int64_t step,
    struct rowset *rows, struct error *err)
{
	/* With max() the other columns are those of its row. */
	sqlite3_stmt *st = history_prepare(h,
	    "SELECT max(s.t) AS t, o.name, s.bytes FROM size s JOIN object o ON o.id = s.object"
	    " WHERE s.target = ?1 AND s.t >= ?2 AND (?3 IS NULL OR o.name = ?3)"
	    " GROUP BY s.object, s.t / ?4 ORDER BY 1, 2",
	    err);
	int rc;

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, target);
	sqlite3_bind_int64(st, 2, since);
	if (object)
		sqlite3_bind_text(st, 3, object, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, step);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct cell *c = rowset_add(rows);
		const char *name = (const char *)sqlite3_column_text(st, 1);

		c[0] = cell_time(sqlite3_column_int64(st, 0) * 1000000);
		c[1] = cell_text(arena_strdup(&rows->arena, name ? name : ""));
		c[2] = cell_int(sqlite3_column_int64(st, 2));
	}
	if (rc != SQLITE_DONE)
		history_fail(h, err, "read");
	sqlite3_finalize(st);
	return rc == SQLITE_DONE;
}

struct rowset *
history_sizes(
    struct history *h, const char *target, const char *object, struct wall since, struct error *err)
{
	static const char *const names[] = { "time", "object", "bytes" };
	static const uint8_t types[] = { CELL_TIME, CELL_TEXT, CELL_INT };
	int64_t from = since.us / 1000000, id = history_target_now(h, target, err), step;
	struct rowset *rows;

	if (id < 0)
		return NULL;
	rows = rowset_new((int)ARRAY_LEN(names), names, types);
	if (id == 0)
		return rows;
	step = size_step(h, id, from, err);
	if (step > 0 && read_sizes(h, id, object, from, step, rows, err))
		return rows;
	rowset_unref(rows);
	return NULL;
}

/* ------------------------------------------------------------------ statements */

struct rowset *
history_statements(
    struct history *h, const char *target, struct wall from, struct wall to, struct error *err)
{
	static const char *const names[] = { "queryid", "dbid", "userid", "calls", "total_ms",
		"hit", "read" };
	static const uint8_t types[] = { CELL_INT, CELL_INT, CELL_INT, CELL_FLOAT, CELL_FLOAT,
		CELL_FLOAT, CELL_FLOAT };
	int64_t id = history_target_now(h, target, err);
	struct rowset *rows;
	sqlite3_stmt *st;
	int rc;

	st = id < 0 ?
	    NULL :
	    history_prepare(h,
	        "SELECT queryid, dbid, userid, sum(calls), sum(total_ms), sum(hit), sum(read)"
	        " FROM statement WHERE target = ?1 AND t >= ?2 AND t < ?3 GROUP BY 1, 2, 3"
	        " ORDER BY 5 DESC",
	        err);
	if (!st)
		return NULL;
	rows = rowset_new((int)ARRAY_LEN(names), names, types);
	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int64(st, 2, bucket_of(from.us / 1000000, HOUR));
	sqlite3_bind_int64(st, 3, to.us / 1000000);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct cell *c = rowset_add(rows);

		for (int i = 0; i < rows->ncols; i++)
			c[i] = i < 3 ? cell_int(sqlite3_column_int64(st, i)) :
			               cell_float(sqlite3_column_double(st, i));
	}
	if (rc != SQLITE_DONE) {
		history_fail(h, err, "read");
		rowset_unref(rows);
		rows = NULL;
	}
	sqlite3_finalize(st);
	return rows;
}

/* ------------------------------------------------------------------ what there is */

bool
history_targets(
    struct history *h, struct arena *arena, struct history_target **out, int *n, struct error *err)
{
	sqlite3_stmt *st = history_prepare(h,
	    "SELECT t.name, t.system_identifier,"
	    " (SELECT min(t) FROM (SELECT min(t) AS t FROM figures WHERE target = t.id"
	    "  UNION ALL SELECT min(t) FROM size WHERE target = t.id)), t.seen_at,"
	    " (SELECT count(*) FROM figures WHERE target = t.id AND step = 60),"
	    " (SELECT count(*) FROM figures WHERE target = t.id AND step = 3600),"
	    " (SELECT count(*) FROM size WHERE target = t.id),"
	    " (SELECT count(*) FROM statement WHERE target = t.id),"
	    " row_number() OVER (PARTITION BY t.name ORDER BY t.seen_at DESC, t.id DESC)"
	    " FROM target t ORDER BY t.name, t.seen_at DESC, t.id DESC",
	    err);
	struct history_target *items = NULL;
	int cap = 0, rc;

	*n = 0;
	*out = NULL;
	if (!st)
		return false;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);

		GROW(items, *n, cap);
		items[(*n)++] = (struct history_target){
			.name = arena_strdup(arena, name ? name : ""),
			.system_identifier = sqlite3_column_int64(st, 1),
			.first = { sqlite3_column_int64(st, 2) * 1000000 },
			.last = { sqlite3_column_int64(st, 3) * 1000000 },
			.minutes = sqlite3_column_int64(st, 4),
			.hours = sqlite3_column_int64(st, 5),
			.sizes = sqlite3_column_int64(st, 6),
			.statements = sqlite3_column_int64(st, 7),
			.is_former = sqlite3_column_int64(st, 8) > 1,
		};
	}
	if (rc != SQLITE_DONE)
		history_fail(h, err, "read");
	sqlite3_finalize(st);
	if (*n) {
		*out = arena_zalloc(arena, (size_t)*n, sizeof(*items));
		memcpy(*out, items, (size_t)*n * sizeof(*items));
	}
	free(items);
	return rc == SQLITE_DONE;
}
