/* The history: written, merged, read, thinned, bounded, migrated, and honest about damage. */
#include "config.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf.h"
#include "store/history.h"

#define T0   INT64_C(1790000000) /* 2026-09-21T14:13:20Z */
#define DAY  INT64_C(86400)
#define HOUR INT64_C(3600)

static char folder[512];

static const char *const metric_names[] = { "tps", "active", NULL };

/* Each test has a folder of its own. */
static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/history.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	setenv("XDG_STATE_HOME", folder, 1);
	setenv("PGMEDIC_NOW", "2026-09-21T14:13:20Z", 1);
	return 0;
}

static const char *
path(const char *name)
{
	static char buf[1024];

	snprintf(buf, sizeof(buf), "%s/pgmedic/%s", folder, name);
	return buf;
}

static struct wall
at(int64_t seconds)
{
	return (struct wall){ seconds * 1000000 };
}

static struct history *
open_history(void)
{
	struct error err = { 0 };
	struct history *h = history_open(&err);

	assert_string_equal(err.what, "");
	assert_non_null(h);
	return h;
}

static void
add_value(struct history *h, const char *target, int64_t t, const char *metric, double min,
    double avg, double max, int n)
{
	struct history_value v = { metric, min, avg, max, n };
	struct history_row row = { .target = target, .at = at(t), .values = &v, .nvalues = 1 };
	struct error err = { 0 };

	assert_true(history_add(h, &row, &err));
}

static void
add_size(struct history *h, const char *target, int64_t t, const char *object, double bytes)
{
	struct history_size s = { object, bytes };
	struct history_row row = { .target = target, .at = at(t), .sizes = &s, .nsizes = 1 };
	struct error err = { 0 };

	assert_true(history_add(h, &row, &err));
}

static struct rowset *
metric(struct history *h, const char *target, const char *name, int64_t from, int64_t to, int n)
{
	struct error err = { 0 };
	struct rowset *rows = history_metric(h, target, name, at(from), at(to), n, &err);

	assert_string_equal(err.what, "");
	assert_non_null(rows);
	return rows;
}

static double
get(const struct rowset *rows, int row, const char *name)
{
	return cell_num(rowset_cell(rows, row, rowset_col(rows, name)), -1);
}

static int64_t
count(struct history *h, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	int64_t n;

	assert_int_equal(sqlite3_open(history_path(h), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void
adds_up_within_a_minute(void **state)
{
	struct history *one = open_history(), *two = open_history();
	int64_t t = T0 - T0 % 60;
	struct rowset *rows;

	(void)state;
	add_value(one, "prod", t + 1, "tps", 1, 10, 20, 30);
	add_value(two, "prod", t + 59, "tps", 5, 40, 90, 10);
	add_value(two, "prod", t + 59, "active", 3, 3, 3, 1);
	add_value(one, "prod", t + 60, "tps", 7, 7, 7, 1);
	add_value(one, "other", t, "tps", 1000, 1000, 1000, 1);
	rows = metric(one, "prod", "tps", t, t + 120, 100);
	assert_int_equal(rows->nrows, 2);
	assert_int_equal(cell_i64(rowset_cell(rows, 0, 0), 0), t * 1000000);
	assert_float_equal(get(rows, 0, "min"), 1, 1e-6);
	assert_float_equal(get(rows, 0, "avg"), (10.0 * 30 + 40 * 10) / 40, 1e-4);
	assert_float_equal(get(rows, 0, "max"), 90, 1e-6);
	assert_int_equal((int)get(rows, 0, "n"), 40);
	assert_float_equal(get(rows, 1, "avg"), 7, 1e-6);
	rowset_unref(rows);
	history_close(one);
	history_close(two);
}

static void
gaps_are_missing_rows(void **state)
{
	struct history *h = open_history();
	int64_t t = T0 - T0 % 3600;
	struct rowset *rows;

	(void)state;
	add_value(h, "prod", t, "tps", 1, 1, 1, 60);
	add_value(h, "prod", t + 60, "tps", 3, 3, 3, 60);
	add_value(h, "prod", t + 1800, "tps", 5, 5, 5, 60);
	rows = metric(h, "prod", "tps", t, t + 3600, 100);
	assert_int_equal(rows->nrows, 3);
	rowset_unref(rows);
	/* at most as many buckets as asked for, and every tick in one of them */
	for (int buckets = 1; buckets < 70; buckets += 3) {
		int n = 0;

		rows = metric(h, "prod", "tps", t + 7, t + 3600, buckets);
		assert_true(rows->nrows <= buckets);
		for (int i = 0; i < rows->nrows; i++)
			n += (int)get(rows, i, "n");
		assert_true(n <= 180 && n >= 120);
		rowset_unref(rows);
	}
	rows = metric(h, "prod", "no such metric", t, t + 3600, 100);
	assert_int_equal(rows->nrows, 0);
	rowset_unref(rows);
	rows = metric(h, "nobody", "tps", t, t + 3600, 100);
	assert_int_equal(rows->nrows, 0);
	rowset_unref(rows);
	history_close(h);
}

static void
keeps_the_wal_position(void **state)
{
	struct history *h = open_history();
	struct history_row row = { .target = "prod", .at = at(T0), .wal_lsn = INT64_C(1) << 52 };
	struct error err = { 0 };
	struct rowset *rows;

	(void)state;
	assert_true(history_add(h, &row, &err));
	row.wal_lsn += 16777217;
	row.at = at(T0 + 60);
	assert_true(history_add(h, &row, &err));
	rows = metric(h, "prod", "wal_lsn", T0 - 60, T0 + 120, 10);
	assert_int_equal(rows->nrows, 2);
	assert_true(get(rows, 1, "max") - get(rows, 0, "max") == 16777217);
	rowset_unref(rows);
	history_close(h);
}

/* A restore or another cluster under the same name is another past. */
static void
servers_are_told_apart(void **state)
{
	struct history *h = open_history();
	struct history_value v = { "tps", 1, 1, 1, 1 };
	struct history_row row = { .target = "prod", .at = at(T0), .values = &v, .nvalues = 1 };
	struct history_target *targets;
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct rowset *rows;
	int n;

	(void)state;
	assert_true(history_add(h, &row, &err)); /* nobody knows whose it is */
	row.system_identifier = 42;
	row.at = at(T0 + 60);
	assert_true(history_add(h, &row, &err)); /* now it is known, of both */
	rows = metric(h, "prod", "tps", T0 - 60, T0 + 600, 100);
	assert_int_equal(rows->nrows, 2);
	rowset_unref(rows);
	row.system_identifier = 43;
	row.at = at(T0 + 120);
	assert_true(history_add(h, &row, &err));
	rows = metric(h, "prod", "tps", T0 - 60, T0 + 600, 100);
	assert_int_equal(rows->nrows, 1);
	rowset_unref(rows);
	assert_true(history_targets(h, &arena, &targets, &n, &err));
	assert_int_equal(n, 2);
	assert_false(targets[0].is_former);
	assert_true(targets[0].system_identifier == 43 && targets[0].minutes == 1);
	assert_true(targets[1].is_former && targets[1].minutes == 2);
	/* unless it is said to be the same one */
	assert_true(history_continue(h, "prod", &err));
	rows = metric(h, "prod", "tps", T0 - 60, T0 + 600, 100);
	assert_int_equal(rows->nrows, 3);
	rowset_unref(rows);
	assert_false(history_continue(h, "prod", &err));
	assert_true(history_forget(h, "prod", &err));
	assert_false(history_forget(h, "prod", &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	arena_release(&arena);
	history_close(h);
}

static void
sizes_by_span(void **state)
{
	struct history *h = open_history();
	struct error err = { 0 };
	struct rowset *rows;

	(void)state;
	for (int64_t t = T0 - 12 * HOUR; t <= T0; t += 600)
		add_size(h, "prod", t, "total", (double)t);
	rows = history_sizes(h, "prod", "total", at(0), &err);
	assert_int_equal(rows->nrows, 73);
	assert_int_equal(cell_i64(rowset_cell(rows, 72, 2), 0), T0);
	rowset_unref(rows);
	add_size(h, "prod", T0 - 10 * DAY, "database:shop", 5);
	rows = history_sizes(h, "prod", NULL, at(0), &err); /* ten days: one an hour */
	assert_int_equal(rows->nrows, 1 + 13);
	assert_true(cell_is(rowset_cell(rows, 0, 1), "database:shop"));
	rowset_unref(rows);
	add_size(h, "prod", T0 - 100 * DAY, "total", 1);
	rows = history_sizes(h, "prod", "total", at(0), &err); /* a hundred: one a day */
	assert_in_range(rows->nrows, 2, 3);
	assert_int_equal(cell_i64(rowset_cell(rows, rows->nrows - 1, 2), 0), T0);
	rowset_unref(rows);
	rows = history_sizes(h, "nobody", NULL, at(0), &err);
	assert_int_equal(rows->nrows, 0);
	rowset_unref(rows);
	history_close(h);
}

static void
thins_with_age(void **state)
{
	struct history *h = open_history();
	int64_t hour = (T0 - 20 * DAY) / HOUR * HOUR;
	struct error err = { 0 };
	struct rowset *rows;

	(void)state;
	for (int i = 0; i < 120; i++)
		add_value(h, "prod", hour + 60 * i, "tps", i, i, i, 60);
	add_value(h, "prod", T0 - DAY, "tps", 5, 5, 5, 60);
	add_value(h, "prod", T0 - 400 * DAY, "tps", 5, 5, 5, 60);
	for (int i = 0; i < 48; i++) {
		add_size(h, "prod", (T0 - 10 * DAY) / HOUR * HOUR + 600 * i, "total", i);
		add_size(h, "prod", (T0 - 90 * DAY) / DAY * DAY + 600 * i, "total", i);
	}
	add_size(h, "prod", T0 - 4 * 366 * DAY, "total", 1);
	assert_true(history_thin(h, at(T0), &err));
	assert_int_equal(count(h, "SELECT count(*) FROM figures WHERE step = 60"), 1);
	assert_int_equal(count(h, "SELECT count(*) FROM figures WHERE step = 3600"), 2);
	assert_int_equal(count(h, "SELECT count(*) FROM size"), 8 + 1);
	rows = metric(h, "prod", "tps", hour, hour + 2 * HOUR, 10);
	assert_int_equal(rows->nrows, 2);
	assert_float_equal(get(rows, 0, "min"), 0, 1e-6);
	assert_float_equal(get(rows, 0, "avg"), 29.5, 1e-4);
	assert_float_equal(get(rows, 0, "max"), 59, 1e-6);
	assert_int_equal((int)get(rows, 0, "n"), 3600);
	rowset_unref(rows);
	/* What comes late to an hour joins it. */
	add_value(h, "prod", hour + 60, "tps", 1000, 1000, 1000, 3600);
	assert_true(history_thin(h, at(T0 + HOUR), &err));
	rows = metric(h, "prod", "tps", hour, hour + HOUR, 10);
	assert_float_equal(get(rows, 0, "max"), 1000, 1e-3);
	assert_int_equal((int)get(rows, 0, "n"), 7200);
	rowset_unref(rows);
	history_close(h);
}

static void
keeps_the_top_statements(void **state)
{
	struct history *h = open_history();
	struct history_statement s[50];
	struct history_row row = { .target = "prod", .statements = s, .nstatements = 50 };
	struct error err = { 0 };
	struct rowset *rows;

	(void)state;
	for (int i = 0; i < 50; i++)
		s[i] = (struct history_statement){ .queryid = i - 25,
			.dbid = 5,
			.userid = 10,
			.calls = 1,
			.total_ms = i,
			.hit = 2,
			.read = 1 };
	for (int i = 0; i < 3; i++) {
		row.at = at(T0 - 2 * HOUR + i);
		assert_true(history_add(h, &row, &err));
		row.at = at(T0 - 20 * DAY + i * HOUR);
		assert_true(history_add(h, &row, &err));
	}
	assert_true(history_thin(h, at(T0), &err));
	rows = history_statements(h, "prod", at(T0 - DAY), at(T0), &err);
	assert_int_equal(rows->nrows, 20);
	assert_int_equal((int)get(rows, 0, "queryid"), 24);
	assert_float_equal(get(rows, 0, "total_ms"), 3 * 49, 1e-6);
	assert_float_equal(get(rows, 0, "calls"), 3, 1e-6);
	rowset_unref(rows);
	assert_true(count(h, "SELECT count(*) FROM statement WHERE step = 86400") <= 40);
	assert_int_equal(
	    count(h, "SELECT sum(calls) FROM statement WHERE step = 86400 AND queryid = 24"), 3);
	history_close(h);
}

static void
stays_within_its_limit(void **state)
{
	struct history *h = open_history();
	struct error err = { 0 };
	char name[64];
	struct rowset *rows;

	(void)state;
	history_limit(h, 1 << 20);
	for (int day = 0; day < 13; day++)
		for (int i = 0; i < 120; i++) {
			struct history_value v[20];
			struct history_row row = { .target = "prod",
				.at = at(T0 - day * DAY - i * 60),
				.values = v,
				.nvalues = 20 };
			char names[20][16];

			for (int k = 0; k < 20; k++) {
				snprintf(names[k], sizeof(names[k]), "metric%d", k);
				v[k] = (struct history_value){ names[k], 1, 2, 3, 60 };
			}
			assert_true(history_add(h, &row, &err));
		}
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "table:shop.public.t%d", i);
		add_size(h, "prod", T0 - i * 60, name, i);
	}
	assert_true(history_thin(h, at(T0), &err));
	assert_true(count(h, "SELECT count(*) FROM figures WHERE step = 3600") > 0);
	history_close(h);
	h = open_history();
	assert_true(history_bytes(h) <= 1 << 20);
	rows = metric(h, "prod", "metric3", T0 - 3600, T0 + 60, 100);
	assert_true(rows->nrows > 30); /* the newest stay minutes */
	rowset_unref(rows);
	history_close(h);
}

/* A file as the first version made it. */
static void
migrates(void **state)
{
	static const char made[] =
	    "CREATE TABLE target (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	    " system_identifier INTEGER NOT NULL DEFAULT 0, seen_at INTEGER NOT NULL,"
	    " UNIQUE (name, system_identifier));"
	    "CREATE TABLE metric (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
	    "CREATE TABLE object (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
	    "CREATE TABLE figures (target INTEGER NOT NULL, step INTEGER NOT NULL,"
	    " t INTEGER NOT NULL, v BLOB NOT NULL, PRIMARY KEY (target, step, t)) WITHOUT ROWID;"
	    "CREATE TABLE size (target INTEGER NOT NULL, object INTEGER NOT NULL,"
	    " t INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (target, object, t))"
	    " WITHOUT ROWID;"
	    "INSERT INTO target VALUES (7, 'prod', 42, 1790000000);"
	    "INSERT INTO metric VALUES (3, 'tps');"
	    "INSERT INTO object VALUES (9, 'total');"
	    /* metric 3, 60 ticks, 1 to 4, mean 2 */
	    "INSERT INTO figures VALUES (7, 60, 1789999980,"
	    " x'03003c0000000000803f0000004000008040');"
	    "INSERT INTO size VALUES (7, 9, 1789999980, 123456789012);"
	    "PRAGMA user_version = 1;";
	struct error err = { 0 };
	struct history *h;
	struct rowset *rows;
	sqlite3 *db;

	(void)state;
	history_close(open_history());
	unlink(path("history.db"));
	assert_int_equal(sqlite3_open(path("history.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, made, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	h = open_history();
	rows = metric(h, "prod", "tps", T0 - 60, T0 + 60, 10);
	assert_int_equal(rows->nrows, 1);
	assert_float_equal(get(rows, 0, "min"), 1, 1e-6);
	assert_float_equal(get(rows, 0, "avg"), 2, 1e-6);
	assert_float_equal(get(rows, 0, "max"), 4, 1e-6);
	rowset_unref(rows);
	rows = history_sizes(h, "prod", "total", at(0), &err);
	assert_int_equal(rows->nrows, 1);
	assert_true(cell_i64(rowset_cell(rows, 0, 2), 0) == INT64_C(123456789012));
	rowset_unref(rows);
	assert_int_equal(count(h, "PRAGMA user_version"), 2);
	add_value(h, "prod", T0, "tps", 9, 9, 9, 1);
	history_close(h);
}

static void
leaves_newer_ones_alone(void **state)
{
	struct error err = { 0 };
	struct history *h = open_history();
	struct stat before, after;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(history_path(h), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	history_close(h);
	assert_int_equal(stat(path("history.db"), &before), 0);
	assert_null(history_open(&err));
	assert_int_equal(err.code, ERR_STATE);
	assert_non_null(strstr(err.what, "newer"));
	assert_int_equal(stat(path("history.db"), &after), 0);
	assert_true(before.st_size == after.st_size && before.st_ino == after.st_ino);
}

static void
write_over(const char *file, long offset, size_t n)
{
	FILE *f = fopen(file, "r+");

	assert_non_null(f);
	assert_int_equal(fseek(f, offset, SEEK_SET), 0);
	for (size_t i = 0; i < n; i++)
		fputc('x', f);
	assert_int_equal(fclose(f), 0);
}

static void
damaged_files_go_aside(void **state)
{
	struct error err = { 0 };
	struct history *h = open_history();

	(void)state;
	for (int i = 0; i < 300; i++)
		add_value(h, "prod", T0 + 60 * i, "tps", 1, 1, 1, 1);
	history_close(h);
	write_over(path("history.db"), 0, 100); /* no database any more */
	h = history_open(&err);
	assert_non_null(h);
	assert_non_null(strstr(err.what, "damaged"));
	assert_non_null(strstr(err.hint, "damaged-1"));
	assert_int_equal(access(path("history.db.damaged-1"), F_OK), 0);
	for (int i = 0; i < 300; i++)
		add_value(h, "prod", T0 + 60 * i, "tps", 1, 1, 1, 1);
	history_close(h);
	write_over(path("history.db"), 4096, 4096 * 3); /* pages in the middle */
	h = history_open(&err);
	assert_non_null(h);
	assert_non_null(strstr(err.what, "damaged"));
	assert_int_equal(access(path("history.db.damaged-2"), F_OK), 0);
	add_value(h, "prod", T0, "tps", 1, 1, 1, 1);
	history_close(h);
}

static void
unwritable_is_said(void **state)
{
	struct error err = { 0 };
	char file[700];
	FILE *f;

	(void)state;
	snprintf(file, sizeof(file), "%s/file", folder);
	f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
	setenv("XDG_STATE_HOME", file, 1);
	assert_null(history_open(&err));
	assert_int_equal(err.code, ERR_STATE);
	assert_true(*err.what != '\0');
}

static void
is_private(void **state)
{
	struct history *h = open_history();
	static const char *const parts[] = { "history.db", "history.db-wal", "history.db-shm" };
	struct stat st;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		assert_int_equal(stat(path(parts[i]), &st), 0);
		assert_int_equal(st.st_mode & 077, 0);
	}
	history_close(h);
}

/* ------------------------------------------------------------------ import */

static bool
import(struct history *h, const char *text, int64_t *rows, int64_t *skipped, struct error *err)
{
	char file[700];
	FILE *f;

	snprintf(file, sizeof(file), "%s/in.csv", folder);
	f = fopen(file, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	*err = (struct error){ 0 };
	return history_import(h, "prod", file, metric_names, rows, skipped, err);
}

static void
imports_sizes_and_figures(void **state)
{
	static const char sizes[] = "\xef\xbb\xbftime,bytes\r\n"
	                            "2026-09-20T00:00:00Z,1000000000000\r\n"
	                            "\"2026-09-21 00:00:00Z\",\"1000000000001\"\r\n"
	                            "\r\n"
	                            "1789990000,1000000000002\r\n"
	                            "1789990600000,1000000000003\r\n";
	static const char mixed[] = "time,tps,wal,active\n"
	                            "1789999990,10,5,\n" /* of one minute, and not in order */
	                            "1789999980,20,6,3\n"
	                            "1788000000,5,7,1\n" /* of one old hour */
	                            "1788000060,15,,1\n";
	struct history *h = open_history();
	struct error err;
	struct rowset *r;
	int64_t rows, skipped;

	(void)state;
	assert_true(import(h, sizes, &rows, &skipped, &err));
	assert_int_equal(rows, 4);
	assert_int_equal(skipped, 0);
	r = history_sizes(h, "prod", "total", at(0), &err);
	assert_int_equal(r->nrows, 4);
	assert_true(cell_i64(rowset_cell(r, 3, 2), 0) == INT64_C(1000000000003));
	assert_true(cell_i64(rowset_cell(r, 3, 0), 0) == INT64_C(1789990600000000));
	rowset_unref(r);
	for (int times = 0; times < 2; times++) { /* twice is as once */
		assert_true(import(h, mixed, &rows, &skipped, &err));
		assert_int_equal(rows, 4);
		r = metric(h, "prod", "tps", T0 - 60, T0, 10);
		assert_int_equal(r->nrows, 1);
		assert_float_equal(get(r, 0, "avg"), 15, 1e-6);
		assert_int_equal((int)get(r, 0, "n"), 2);
		rowset_unref(r);
		r = metric(h, "prod", "tps", 1787990000, 1788010000, 10);
		assert_int_equal(r->nrows, 1);
		assert_float_equal(get(r, 0, "avg"), 10, 1e-6);
		rowset_unref(r);
		r = metric(h, "prod", "active", T0 - 60, T0, 10);
		assert_int_equal((int)get(r, 0, "n"), 1);
		rowset_unref(r);
	}
	assert_int_equal(count(h,
	                     "SELECT count(*) FROM size s JOIN object o ON o.id = s.object"
	                     " WHERE o.name = 'wal'"),
	    3);
	history_close(h);
}

static void
says_what_it_skips(void **state)
{
	struct history *h = open_history();
	struct error err;
	int64_t rows, skipped;

	(void)state;
	assert_true(import(h,
	    "time,bytes\n1789990000,5\nyesterday,6\n1789990001,many\n1000000000,7\n"
	    "1989990000,8\n1789990002,-1\n",
	    &rows, &skipped, &err));
	assert_int_equal(rows, 1);
	assert_int_equal(skipped, 5);
	assert_non_null(strstr(err.what, "line 3"));
	assert_false(import(h, "when,bytes\n1,2\n", &rows, &skipped, &err));
	assert_non_null(strstr(err.what, "header"));
	assert_false(import(h, "time,tsp\n1,2\n", &rows, &skipped, &err));
	assert_non_null(strstr(err.hint, "tps"));
	assert_false(import(h, "", &rows, &skipped, &err));
	/* The same without a header, and as spreadsheets write it. */
	assert_true(import(h, "1789990000,5\n1789990001,6\n", &rows, &skipped, &err));
	assert_int_equal(rows, 2);
	assert_true(import(h, "Timestamp;size\n2026-09-20;7\n", &rows, &skipped, &err));
	assert_int_equal(rows, 1);
	assert_true(import(h, "date\tvalue\n2026-09-20\t7\n", &rows, &skipped, &err));
	assert_int_equal(rows, 1);
	assert_true(import(h, "time,bytes\n", &rows, &skipped, &err));
	assert_int_equal(rows, 0);
	assert_false(
	    history_import(h, "prod", "/nonexistent", metric_names, &rows, &skipped, &err));
	assert_int_equal(err.code, ERR_FILE);
	history_close(h);
}

/* What monitoring writes on a bad day. */
static void
hostile_lines_are_skipped(void **state)
{
	static const char head[] = "time,bytes\n1789990000,5\n", nul[] = "1789990001,6\0,7\n",
	                  rest[] = "1e300,7\n0x6ab13e78,8\n1789990002,0x10\n1789990003,inf\n"
	                           "1789990004,nan\n1789990005,1e999\n1789990006,9";
	struct history *h = open_history();
	int64_t rows, skipped;
	struct error err = { 0 };
	char file[700];
	FILE *f;

	(void)state;
	snprintf(file, sizeof(file), "%s/in.csv", folder);
	f = fopen(file, "w");
	assert_non_null(f);
	fwrite(head, 1, sizeof(head) - 1, f);
	fwrite(nul, 1, sizeof(nul) - 1, f);
	for (int i = 0; i < 1000000; i++)
		fputc('7', f);
	fputs("\n", f);
	fputs(rest, f);
	fclose(f);
	assert_true(history_import(h, "prod", file, metric_names, &rows, &skipped, &err));
	assert_int_equal(rows, 2);
	assert_int_equal(skipped, 8);
	assert_non_null(strstr(err.what, "line 3: no text"));
	assert_int_equal(count(h, "SELECT sum(bytes) FROM size"), 14);
	history_close(h);
}

static void
nothing_newer_is_no_failure(void **state)
{
	struct history *h = open_history();
	struct error err = { 0 };
	struct rowset *rows;

	(void)state;
	add_size(h, "prod", T0, "total", 5);
	rows = history_sizes(h, "prod", NULL, at(T0 + DAY), &err);
	assert_non_null(rows);
	assert_int_equal(rows->nrows, 0);
	rowset_unref(rows);
	history_close(h);
}

/* A handle would go on writing into a file that nobody reads. */
static void
files_that_went_away_are_begun_anew(void **state)
{
	struct history_value v = { "tps", 1, 1, 1, 1 };
	struct history_row row = { .target = "prod", .at = at(T0), .values = &v, .nvalues = 1 };
	struct history *h = open_history();
	struct error err = { 0 };

	(void)state;
	assert_true(history_add(h, &row, &err));
	assert_int_equal(unlink(path("history.db")), 0);
	assert_false(history_add(h, &row, &err));
	assert_non_null(strstr(err.what, "deleted"));
	assert_true(history_is_damaged(h));
	history_close(h);
	h = open_history();
	assert_true(history_add(h, &row, &err));
	assert_int_equal(count(h, "SELECT count(*) FROM figures"), 1);
	history_close(h);
}

/* A server that was seen while the clock was a year ahead does not hide the one of now. */
static void
a_clock_that_was_wrong_is_forgotten(void **state)
{
	struct history_size size = { "total", 5 };
	struct history_row row = { .target = "prod", .sizes = &size, .nsizes = 1 };
	struct history *h = open_history();
	struct error err = { 0 };
	struct rowset *rows;

	(void)state;
	row.system_identifier = 1;
	row.at = at(T0 + 400 * DAY);
	assert_true(history_add(h, &row, &err));
	row.at = at(T0);
	assert_true(history_add(h, &row, &err));
	row.system_identifier = 2;
	row.at = at(T0 + HOUR);
	size.bytes = 7;
	assert_true(history_add(h, &row, &err));
	rows = history_sizes(h, "prod", NULL, at(0), &err);
	assert_non_null(rows);
	assert_int_equal(rows->nrows, 1);
	assert_int_equal(rowset_cell(rows, 0, 2)->i, 7);
	rowset_unref(rows);
	history_close(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(adds_up_within_a_minute, setup),
		cmocka_unit_test_setup(gaps_are_missing_rows, setup),
		cmocka_unit_test_setup(keeps_the_wal_position, setup),
		cmocka_unit_test_setup(servers_are_told_apart, setup),
		cmocka_unit_test_setup(sizes_by_span, setup),
		cmocka_unit_test_setup(thins_with_age, setup),
		cmocka_unit_test_setup(keeps_the_top_statements, setup),
		cmocka_unit_test_setup(stays_within_its_limit, setup),
		cmocka_unit_test_setup(migrates, setup),
		cmocka_unit_test_setup(leaves_newer_ones_alone, setup),
		cmocka_unit_test_setup(damaged_files_go_aside, setup),
		cmocka_unit_test_setup(unwritable_is_said, setup),
		cmocka_unit_test_setup(is_private, setup),
		cmocka_unit_test_setup(imports_sizes_and_figures, setup),
		cmocka_unit_test_setup(says_what_it_skips, setup),
		cmocka_unit_test_setup(hostile_lines_are_skipped, setup),
		cmocka_unit_test_setup(nothing_newer_is_no_failure, setup),
		cmocka_unit_test_setup(files_that_went_away_are_begun_anew, setup),
		cmocka_unit_test_setup(a_clock_that_was_wrong_is_forgotten, setup),
	};

	return cmocka_run_group_tests_name("store/history", tests, NULL, NULL);
}
