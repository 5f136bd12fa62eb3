/* What acts have changed: kept, and measured against what was before. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/effects.h"

static int
setup(void **state)
{
	static char folder[512];
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/effects.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	setenv("XDG_STATE_HOME", folder, 1);
	return 0;
}

static struct effect
sample(int64_t act, int64_t queryid)
{
	return (struct effect){
		.act = act,
		.at = { 1000000 * act },
		.target = "prod",
		.database = "shop",
		.table = "orders",
		.name = "orders_a_idx",
		.queryid = queryid,
		.calls_before = 100,
		.ms_before = 8,
		.blocks_before = 1000,
		.base_calls = 100,
		.base_ms = 800,
		.base_blocks = 100000,
	};
}

static struct effect *
list(struct journal *j, struct arena *arena, int64_t since, int *n)
{
	struct effect *out;
	struct error err = { 0 };

	if (!effects_list(
	        j, "prod", "shop", (struct wall){ since * 1000000 }, 10, arena, &out, n, &err))
		fail_msg("%s", err.what);
	return out;
}

static void
keeps_and_lists(void **state)
{
	struct error err = { 0 };
	struct journal *j = journal_open(&err);
	struct arena arena = { 0 };
	struct effect e, *out;
	int n;

	(void)state;
	assert_non_null(j);
	for (int64_t act = 1; act <= 3; act++) {
		e = sample(act, -7 * act);
		assert_true(effects_add(j, &e, &err));
	}
	e = sample(9, 5);
	e.target = "other";
	assert_true(effects_add(j, &e, &err));
	out = list(j, &arena, 0, &n);
	assert_int_equal(n, 3);
	assert_int_equal(out[0].act, 3);
	assert_int_equal(out[0].queryid, -21);
	assert_string_equal(out[0].name, "orders_a_idx");
	assert_true(out[0].calls_after == 0 && isnan(out[0].ms_after));
	(void)list(j, &arena, 2, &n);
	assert_int_equal(n, 2);
	arena_release(&arena);
	journal_close(j);
}

static void
measures_since_then(void **state)
{
	struct error err = { 0 };
	struct journal *j = journal_open(&err);
	struct arena arena = { 0 };
	struct effect e = sample(20, 1), *out;
	int n;

	(void)state;
	assert_true(effects_add(j, &e, &err));
	out = list(j, &arena, 20, &n);
	assert_int_equal(n, 1);
	assert_true(effects_now(j, out, 100, 800, 100000, &err));
	assert_true(out->calls_after == 0);
	assert_true(effects_now(j, out, 150, 810, 100200, &err));
	assert_true(out->calls_after == 50 && out->ms_after == 0.2 && out->blocks_after == 4);
	out = list(j, &arena, 20, &n);
	assert_true(out->calls_after == 50 && out->blocks_after == 4);
	/* The counters were reset: they count from zero. */
	assert_true(effects_now(j, out, 10, 5, 60, &err));
	assert_true(out->calls_after == 10 && out->ms_after == 0.5 && out->blocks_after == 6);
	out = list(j, &arena, 20, &n);
	assert_true(out->base_calls == 0 && out->ms_before == 8);
	arena_release(&arena);
	journal_close(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_and_lists),
		cmocka_unit_test(measures_since_then),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
