/* What fills the storage, how it grows, and what is said of it. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/storage.h"

#include "fixture.h"

extern const struct pane pane_storage;
static const struct pane_opts opts;

enum { NOW = 1763700000 }; /* 2025-11-21 */

static const char sizes_columns[] = "datid int, datname text, size_bytes int";
static const char kinds_columns[] =
    "datname text, table_bytes int, index_bytes int, toast_bytes int, system_bytes int, uncounted int";
static const char wal_columns[] = "bytes int, files int, to_archive int, max_wal_size int";
static const char slot_columns[] =
    "current_lsn int, slot_name text, active bool, restart_lsn int, wal_status text, safe_wal_size int";
static const char capacity_columns[] =
    "what text, path text, source text, device int, total_bytes int, free_bytes int, max_bytes int, autoscaling bool";
static const char table_columns[] =
    "relid int, schema text, table text, parent int, size_bytes int, table_bytes int, "
    "index_bytes int, toast_bytes int, live int, dead int";
static const char history_columns[] = "time time, object text, bytes int";

/* A server with 30 GB in two databases, 2 GB of WAL and room for 100 GB. */
static struct feed *
server(void)
{
	struct feed *f = feed_new("t");
	struct server_info info = { .version_num = 150000, .database = "shop", .user = "me" };

	feed_server(f, &info);
	fixture_clock(f, NOW, false);
	feed_apply(f,
	    fixture_sample(PROBE_SIZES, NOW, sizes_columns,
	        ROWS("1|postgres|8000000", "2|shop|29000000000", "3|old|992000000")));
	feed_apply(f,
	    fixture_sample(PROBE_STORAGE_KINDS, NOW, kinds_columns,
	        ROWS("shop|20000000000|6000000000|1000000000|8000000|3")));
	feed_apply(f,
	    fixture_sample(
	        PROBE_STORAGE_WAL, NOW, wal_columns, ROWS("2000000000|120|0|1000000000")));
	feed_apply(f, fixture_sample(PROBE_STORAGE_TEMP, NOW, "bytes int, files int", ROWS("0|0")));
	feed_apply(
	    f, fixture_sample(PROBE_STORAGE_LOG, NOW, "bytes int, files int", ROWS("NULL|NULL")));
	feed_apply(f,
	    fixture_sample(PROBE_CAPACITY, NOW, capacity_columns,
	        ROWS("configured|NULL|setting|NULL|100000000000|NULL|NULL|f")));
	feed_apply(f,
	    fixture_sample(PROBE_STORAGE_TABLES, NOW, table_columns,
	        ROWS("10|public|events|NULL|20000000000|14000000000|5000000000|1000000000|100|1",
	            "11|public|users|NULL|1000000000|600000000|400000000|0|100|1")));
	return f;
}

/* 120 days of a total that grows by `grow` GB a day, and of events by 0.7 of that, to what there
 * is. */
static void
add_history(struct feed *f, double grow)
{
	const char *rows[260];
	int n = 0;

	for (int i = 119; i >= 1; i--) {
		long wiggle = (i * 7919) % 13 * 3000000L;
		char *row;

		assert_true(asprintf(&row, "%d|total|%.0f", NOW - i * 86400,
		                32e9 - i * grow * 1e9 + (double)wiggle) > 0);
		rows[n++] = row;
		assert_true(asprintf(&row, "%d|table:shop.public.events|%.0f", NOW - i * 86400,
		                20e9 - i * grow * 0.7e9) > 0);
		rows[n++] = row;
	}
	rows[n] = NULL;
	feed_apply(f, fixture_sample(PROBE_SIZE_HISTORY, NOW, history_columns, rows));
	for (int i = 0; i < n; i++)
		free((char *)(uintptr_t)rows[i]);
}

static const struct cell *
fact(const struct grid *g, const char *name)
{
	const struct grid_fact *f = grid_fact_get(g, name);

	if (!f)
		fail_msg("no fact %s", name);
	return &f->value;
}

static const char *
note(const struct grid *g, const char *code)
{
	for (int i = 0; i < g->nnotes; i++)
		if (strcmp(g->notes[i].code, code) == 0)
			return g->notes[i].what;
	return "";
}

static void
parts_add_up(void **state)
{
	struct feed *f = server();
	struct grid g;

	(void)state;
	fixture_fill(f, &pane_storage, &opts, &g);
	assert_int_equal(fact(&g, "total_bytes")->i, 32000000000);
	assert_int_equal(fact(&g, "free_bytes")->i, 68000000000);
	assert_int_equal(
	    fixture_at(&g, "kind", "uncounted", "size_bytes")->i, 29000000000 - 27008000000);
	assert_int_equal(fixture_at(&g, "kind", "wal", "size_bytes")->i, 2000000000);
	/* No collector: nothing to know, and nothing missing. */
	assert_true(cell_is_null(fixture_at(&g, "kind", "log", "size_bytes")));
	assert_int_equal(fact(&g, "unknown_parts")->i, 0);
	/* The connected database first. */
	assert_true(cell_is(&g.rows[1].cells[grid_col(&g, "name")], "shop"));
	assert_true(fabs(fixture_at(&g, "name", "public.events", "share_pct")->f - 62.5) < 0.01);
	assert_true(cell_is(fixture_at(&g, "kind", "total", "known"), "") ||
	    cell_is_null(fixture_at(&g, "kind", "total", "known")));
	assert_true(cell_is_null(fact(&g, "days_to_full_p50")));
	assert_non_null(strstr(note(&g, "refused"), "no history"));
	grid_release(&g);
	feed_free(f);
}

static void
growth_and_the_day_of_full(void **state)
{
	struct feed *f = server();
	struct grid g;
	double p10, p50, p90;

	(void)state;
	add_history(f, 1.0);
	fixture_fill(f, &pane_storage, &opts, &g);
	assert_true(fabs(fact(&g, "rate_bytes_per_day")->f / 1e9 - 1) < 0.1);
	p10 = fact(&g, "days_to_full_p10")->f;
	p50 = fact(&g, "days_to_full_p50")->f;
	p90 = fact(&g, "days_to_full_p90")->f;
	assert_true(p10 <= p50 && p50 <= p90);
	assert_true(fabs(p50 - 68) < 10);
	assert_true(fact(&g, "probability_7")->f < 0.1);
	assert_true(fabs(fixture_at(&g, "name", "public.events", "growth_bytes_per_day")->f / 1e9 -
	                0.7) < 0.05);
	assert_true(cell_is(fixture_at(&g, "name", "public.events", "known"), "history"));
	assert_non_null(strstr(note(&g, "full"), "full in "));
	assert_non_null(strstr(note(&g, "full"), "public.events grows"));
	assert_true(fabs(fixture_at(&g, "kind", "total", "in_30d_bytes")->i / 1e9 - 62) < 3);
	grid_release(&g);
	feed_free(f);
}

/* Nobody reads from a slot: found with the second answer, in hours, and before the trend. */
static void
slot_without_reader(void **state)
{
	struct feed *f = server();
	struct grid g;

	(void)state;
	add_history(f, 1.0);
	feed_apply(f,
	    fixture_sample(PROBE_SLOTS, NOW - 10, slot_columns,
	        ROWS("1000000000|gone|f|500000000|reserved|NULL",
	            "1000000000|fine|t|999000000|reserved|NULL")));
	feed_apply(f,
	    fixture_sample(PROBE_SLOTS, NOW, slot_columns,
	        ROWS("1188888889|gone|f|500000000|reserved|NULL",
	            "1188888889|fine|t|1188000000|reserved|NULL")));
	fixture_fill(f, &pane_storage, &opts, &g);
	assert_true(cell_is(fact(&g, "slot"), "gone"));
	/* 68 GB at 18.9 MB/s */
	assert_true(fabs(fact(&g, "slot_hours_to_full")->f - 1.0) < 0.01);
	assert_true(cell_is_null(fact(&g, "slot_hours_to_lost")));
	assert_string_equal(g.notes[0].code, "slot");
	assert_non_null(strstr(g.notes[0].what, "the disk is full in 60 minutes"));
	assert_non_null(strstr(g.notes[0].hint, "pg_drop_replication_slot('gone')"));
	assert_int_equal(fixture_at(&g, "name", "gone", "size_bytes")->i, 688888889);
	grid_release(&g);
	feed_free(f);
}

static void
slot_with_a_limit(void **state)
{
	struct feed *f = server();
	struct grid g;

	(void)state;
	feed_apply(f,
	    fixture_sample(PROBE_SLOTS, NOW - 10, slot_columns,
	        ROWS("1000000000|gone|f|500000000|extended|900000000")));
	feed_apply(f,
	    fixture_sample(PROBE_SLOTS, NOW, slot_columns,
	        ROWS("1100000000|gone|f|500000000|extended|800000000")));
	fixture_fill(f, &pane_storage, &opts, &g);
	assert_true(cell_is_null(fact(&g, "slot_hours_to_full")));
	assert_true(fabs(fact(&g, "slot_hours_to_lost")->f - 80 / 3600.0) < 0.001);
	assert_non_null(strstr(note(&g, "slot"), "the slot is lost in a minute"));
	grid_release(&g);
	feed_free(f);
}

static void
denied_and_unknown(void **state)
{
	struct feed *f = server();
	struct grid g;
	bool has_grant = false;

	(void)state;
	feed_apply(f,
	    fixture_failed(PROBE_STORAGE_WAL, SAMPLE_DENIED,
	        "permission denied for function pg_ls_waldir", "GRANT pg_monitor TO this role."));
	feed_apply(f,
	    fixture_failed(PROBE_CAPACITY, SAMPLE_UNSUPPORTED, "the disk is not on this machine",
	        "Set storage_capacity = 500GB"));
	/* What was good before counts until it is read anew: a new server has nothing. */
	fixture_fill(f, &pane_storage, &opts, &g);
	for (int i = 0; i < g.nnotes; i++)
		has_grant |= strstr(g.notes[i].hint, "GRANT pg_monitor") != NULL;
	assert_true(has_grant);
	assert_true(fixture_has_note(&g, "unsupported"));
	grid_release(&g);
	feed_free(f);
}

/* A moment after the start not every part has been read: the rest of them is no total, and no fall.
 */
static void
what_is_being_read(void **state)
{
	struct feed *f = feed_new("t");
	struct server_info info = { .version_num = 150000, .database = "shop", .user = "me" };
	struct grid g;

	(void)state;
	feed_server(f, &info);
	fixture_clock(f, NOW, false);
	feed_apply(f, fixture_sample(PROBE_SIZES, NOW, sizes_columns, ROWS("2|shop|29000000000")));
	add_history(f, 0.1);
	fixture_fill(f, &pane_storage, &opts, &g);
	assert_int_equal(fixture_at(&g, "name", "shop", "size_bytes")->i, 29000000000);
	assert_true(cell_is_null(fixture_at(&g, "kind", "total", "size_bytes")));
	assert_true(cell_is_null(fact(&g, "total_bytes")));
	grid_release(&g);
	feed_free(f);
	f = feed_new("t");
	feed_server(f, &info);
	fixture_clock(f, NOW, false);
	feed_apply(f, fixture_sample(PROBE_SIZES, NOW, sizes_columns, ROWS("2|shop|29000000000")));
	fixture_fill(f, &pane_storage, &opts, &g);
	assert_non_null(strstr(note(&g, "refused"), "being read"));
	grid_release(&g);
	feed_free(f);
}

/* A file that was imported from elsewhere does not make the present look like a fall. */
static void
foreign_history(void **state)
{
	struct feed *f = server();
	struct grid g;

	(void)state;
	add_history(f, 0.1);
	feed_apply(f, fixture_sample(PROBE_SIZES, NOW, sizes_columns, ROWS("2|shop|100000000")));
	fixture_fill(f, &pane_storage, &opts, &g);
	assert_true(fact(&g, "last")->i > 30000000000);
	assert_true(fact(&g, "rate_bytes_per_day")->f > 0);
	grid_release(&g);
	feed_free(f);
}

static void
orders_are_round(void **state)
{
	(void)state;
	assert_true(storage_round_up(0) == 0);
	assert_true(storage_round_up(150 * 0x1p30) == 200 * 0x1p30);
	assert_true(storage_round_up(200 * 0x1p30) == 200 * 0x1p30);
	assert_true(storage_round_up(501 * 0x1p30) == 1000 * 0x1p30);
	assert_true(storage_round_up(1.2 * 0x1p40) == 2 * 0x1p40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_add_up),
		cmocka_unit_test(growth_and_the_day_of_full),
		cmocka_unit_test(slot_without_reader),
		cmocka_unit_test(slot_with_a_limit),
		cmocka_unit_test(denied_and_unknown),
		cmocka_unit_test(what_is_being_read),
		cmocka_unit_test(foreign_history),
		cmocka_unit_test(orders_are_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
