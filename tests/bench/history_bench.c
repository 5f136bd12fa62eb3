/*
 * The cost of the history: three years of one target with 25 figures a minute, a hundred databases
 * and tables, as it is after thinning; a row, a chart of a year, all sizes, thinning a day. Wall
 * time, the best of some rounds. Fails when what a user waits for (a chart) takes ten times its
 * share, or the file is larger than what is promised for a target.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/compat.h"
#include "store/history.h"

enum { FIGURES = 25, OBJECTS = 100, ROUNDS = 5, MINUTE = 60, HOUR = 3600, DAY = 86400 };

static const int64_t now = 1790000040;
static char names[FIGURES][16], objects[OBJECTS][32];
static int failed;

static double
wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
report(const char *what, double ms, double most)
{
	printf("%-36s %10.2f ms", what, ms);
	if (ms > most) {
		printf("  over %g", most);
		failed = 1;
	}
	printf("\n");
}

static void
must(bool ok, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", err->what);
	exit(1);
}

static void
add(struct history *h, int64_t t, int nsizes)
{
	struct history_value v[FIGURES];
	struct history_size s[OBJECTS];
	struct history_row row = { .target = "prod",
		.at = { t * 1000000 },
		.values = v,
		.nvalues = nsizes ? 0 : FIGURES,
		.sizes = s,
		.nsizes = nsizes,
		.wal_lsn = t };
	struct error err = { 0 };

	for (int i = 0; i < FIGURES; i++)
		v[i] = (struct history_value){ names[i], 1, (double)(t % 997), 1000, 60 };
	for (int i = 0; i < nsizes; i++)
		s[i] = (struct history_size){ objects[i], (double)t * i };
	must(history_add(h, &row, &err), &err);
}

/* As thinning leaves it: hours of a year, two weeks of minutes; sizes by day, hour and quarter. */
static void
fill(struct history *h)
{
	struct error err = { 0 };

	for (int64_t t = now - 360 * DAY; t < now - 14 * DAY; t += HOUR)
		add(h, t, 0);
	must(history_thin(h, (struct wall){ now * 1000000 }, &err), &err);
	for (int64_t t = now - 14 * DAY; t < now; t += MINUTE)
		add(h, t, 0);
	for (int64_t t = now - 3 * 365 * DAY; t < now; t += t < now - 60 * DAY ? DAY :
	         t < now - 2 * DAY                                             ? HOUR :
	                                                                         900)
		add(h, t, OBJECTS);
}

static void
measure_reads(struct history *h)
{
	double chart = 1e9, week = 1e9, sizes = 1e9;
	struct error err = { 0 };
	int n = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double from = wall_ms(), to;
		struct rowset *rows = history_metric(h, "prod", names[i],
		    (struct wall){ (now - 365 * DAY) * 1000000 }, (struct wall){ now * 1000000 },
		    367, &err);

		must(rows != NULL, &err);
		rowset_unref(rows);
		to = wall_ms();
		chart = to - from < chart ? to - from : chart;
		from = wall_ms();
		rows =
		    history_metric(h, "prod", names[i], (struct wall){ (now - 7 * DAY) * 1000000 },
		        (struct wall){ now * 1000000 }, 367, &err);
		must(rows != NULL, &err);
		rowset_unref(rows);
		to = wall_ms();
		week = to - from < week ? to - from : week;
		from = wall_ms();
		rows = history_sizes(h, "prod", NULL, (struct wall){ 0 }, &err);
		must(rows != NULL, &err);
		n = rows->nrows;
		rowset_unref(rows);
		to = wall_ms();
		sizes = to - from < sizes ? to - from : sizes;
	}
	report("chart of a year", chart, 300);
	report("chart of a week", week, 200);
	report("all sizes of three years", sizes, 5000);
	printf("%-36s %10d\n", "  rows", n);
}

static void
measure_writes(struct history *h)
{
	struct error err = { 0 };
	double from = wall_ms(), row;

	for (int i = 0; i < 200; i++)
		add(h, now + i * MINUTE, 0);
	row = (wall_ms() - from) / 200;
	report("a row", row, 50);
	from = wall_ms();
	must(history_thin(h, (struct wall){ (now + DAY) * 1000000 }, &err), &err);
	report("thinning a day", wall_ms() - from, 20000);
}

static void
clean_up(const char *folder)
{
	static const char *const parts[] = { "pgmedic/history.db", "pgmedic/history.db-wal",
		"pgmedic/history.db-shm", "pgmedic/history.db.lock", "pgmedic", "" };
	char path[300];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
		(void)remove(path);
	}
}

int
main(void)
{
	struct error err = { 0 };
	char folder[] = "/tmp/history-bench.XXXXXX";
	struct history *h;
	double from;

	if (!mkdtemp(folder))
		return 1;
	setenv("XDG_STATE_HOME", folder, 1);
	for (int i = 0; i < FIGURES; i++)
		snprintf(names[i], sizeof(names[i]), "figure%d", i);
	for (int i = 0; i < OBJECTS; i++)
		snprintf(objects[i], sizeof(objects[i]), "table:shop.public.table%d", i);
	h = history_open(&err);
	must(h != NULL, &err);
	from = wall_ms();
	fill(h);
	report("three years of one target", wall_ms() - from, 600000);
	measure_reads(h);
	measure_writes(h);
	printf("%-36s %10.1f MB\n", "file", (double)history_bytes(h) / 1e6);
	if (history_bytes(h) > 64 << 20)
		failed = 1;
	history_close(h);
	clean_up(folder);
	return failed;
}
