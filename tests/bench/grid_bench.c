/*
 * The cost of a grid of 10,000 rows and 25 columns: filling, sorting, filtering, printing.
 * Processor time, the best of some rounds, so that a busy machine changes little. Fails when a step
 * that runs while a key is typed takes ten times its share of a frame.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/compat.h"
#include "base/grid.h"

enum { ROWS = 10000, COLS = 25, ROUNDS = 5 };

static const enum column_kind kinds[] = { COL_INT, COL_TEXT, COL_COUNT, COL_SECONDS, COL_BYTES,
	COL_MS, COL_PCT, COL_TIME, COL_LSN, COL_BOOL, COL_RATE, COL_FLOAT };
static struct column cols[COLS];
static char names[COLS][8];
static struct grid grid;
static struct strbuf out = STRBUF_INIT(1U << 30);
static int failed;

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct cell
value(enum column_kind kind, int row)
{
	static const char query[] =
	    "select a.id, b.name from accounts a join branches b on a.bid = b.bid "
	    "where a.aid = $1 and b.name > $2 order by 1";
	/* A walk through all rows in no order. */
	int64_t v = (int64_t)row * 7919 % 10007;

	switch (kind) {
	case COL_TEXT:
		return cell_text("application name");
	case COL_QUERY:
		return cell_text(query);
	case COL_SECONDS:
	case COL_MS:
	case COL_PCT:
	case COL_RATE:
	case COL_FLOAT:
		return cell_float((double)v * 0.37);
	default:
		return cell_int(v * 1000003);
	}
}

static void
fill(void)
{
	grid_reset(&grid);
	for (int r = 0; r < ROWS; r++) {
		struct cell *cells = grid_add(&grid)->cells;

		for (int c = 0; c < COLS; c++)
			cells[c] = value(cols[c].kind, r);
	}
	grid_seal(&grid);
}

static void
report(const char *what, double ms, double budget)
{
	bool is_over = budget > 0 && ms > budget * 10;

	printf("%-28s %8.2f ms%s\n", what, ms, is_over ? "  TOO SLOW" : "");
	failed += is_over;
}

static void
bench_fill(void)
{
	double start, best = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		start = cpu_ms();
		fill();
		best = cpu_ms() - start < best ? cpu_ms() - start : best;
	}
	report("fill", best, 5);
}

static void
bench_sort(int col)
{
	double start, best = 1e9;
	char what[40];

	for (int i = 0; i < ROUNDS; i++) {
		fill();
		start = cpu_ms();
		grid_sort(&grid, col, i & 1);
		best = cpu_ms() - start < best ? cpu_ms() - start : best;
	}
	snprintf(what, sizeof(what), "sort by %s", cols[col].name);
	report(what, best, 3);
}

static void
bench_filter(const char *text)
{
	double start, best = 1e9;
	struct grid_filter *f;
	struct error err;
	char what[40];

	f = grid_filter_new(cols, COLS, text, &err);
	if (!f) {
		error_report(&err);
		failed++;
		return;
	}
	for (int i = 0; i < ROUNDS; i++) {
		fill();
		start = cpu_ms();
		grid_filter(&grid, f);
		best = cpu_ms() - start < best ? cpu_ms() - start : best;
	}
	grid_filter_free(f);
	snprintf(what, sizeof(what), "filter %s, %d rows", text, grid.nrows);
	report(what, best, 16);
}

static void
print_text(struct strbuf *to, const struct grid *g)
{
	grid_text(to, g, 0);
}

static void
bench_print(const char *what, void (*print)(struct strbuf *, const struct grid *))
{
	double start, best = 1e9;

	fill();
	for (int i = 0; i < ROUNDS; i++) {
		strbuf_clear(&out);
		start = cpu_ms();
		print(&out, &grid);
		best = cpu_ms() - start < best ? cpu_ms() - start : best;
	}
	report(what, best, 0);
}

int
main(void)
{
	static const char *const filters[] = { "zebra", "name", "42.1", "c3>5m", "/order by/",
		"'bid where'" };

	for (int c = 0; c < COLS; c++) {
		snprintf(names[c], sizeof(names[c]), "c%d", c);
		cols[c] = (struct column){ names[c], names[c],
			c == COLS - 1 ? COL_QUERY : kinds[(size_t)c % ARRAY_LEN(kinds)], 0,
			c == 0 ? COL_KEY : 0, "" };
	}
	grid_init(&grid, cols, COLS);
	bench_fill();
	bench_sort(0);
	bench_sort(3);
	bench_sort(COLS - 1);
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		bench_filter(filters[i]);
	bench_print("json", grid_json_rows);
	bench_print("csv", grid_csv);
	bench_print("text", print_text);
	grid_release(&grid);
	strbuf_release(&out);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
