/* Sizes of B-trees against what PostgreSQL 15 built (tests/data/sizes.sql, 200,000 rows). */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "advice/size.h"

static void
built(void **state)
{
	static const double two[] = { 0.5, 0.5 };
	static const struct {
		struct size_key keys[2];
		int nkeys, ninclude, fillfactor;
		bool is_unique;
		double pages; /* as built */
	} cases[] = {
		{ { { .typlen = 4, .align = 'i', .ndistinct = 200000, .equal_image = true } }, 1, 0,
		    0, true, 551 },
		{ { { .typlen = 8, .align = 'd', .ndistinct = 200000, .equal_image = true } }, 1, 0,
		    70, false, 710 },
		{ { { .typlen = 16, .align = 'c', .ndistinct = 200000, .equal_image = true } }, 1,
		    0, 0, false, 773 },
		{ { { .typlen = 4, .align = 'i', .ndistinct = 1000, .equal_image = true } }, 1, 0,
		    0, false, 169 },
		{ { { .typlen = 4, .align = 'i', .ndistinct = 20000, .equal_image = true } }, 1, 0,
		    0, false, 232 },
		{ { { .typlen = 1,
		      .align = 'c',
		      .ndistinct = 2,
		      .equal_image = true,
		      .freqs = two,
		      .nfreqs = 2 } },
		    1, 0, 0, false, 171 },
		{ { { .typlen = -1,
		      .align = 'i',
		      .width = 97,
		      .ndistinct = 200000,
		      .equal_image = true } },
		    1, 0, 0, false, 3244 },
		{ { { .typlen = 4,
		      .align = 'i',
		      .ndistinct = 20000,
		      .null_frac = 0.9,
		      .equal_image = true } },
		    1, 0, 0, false, 209 },
		{ { { .typlen = -1, .align = 'i', .width = 5, .ndistinct = 200 } }, 1, 0, 0, false,
		    552 },
		{ { { .typlen = 4, .align = 'i', .ndistinct = 1000, .equal_image = true },
		      { .typlen = 8, .align = 'd', .ndistinct = 200000, .equal_image = true } },
		    2, 0, 0, false, 773 },
		{ { { .typlen = 4, .align = 'i', .ndistinct = 1000, .equal_image = true },
		      { .typlen = -1, .align = 'i', .width = 5, .ndistinct = 100000 } },
		    2, 1, 0, false, 773 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct size_estimate e = size_btree(&(struct size_index){ .rows = 200000,
		    .keys = cases[i].keys,
		    .nkeys = cases[i].nkeys,
		    .ninclude = cases[i].ninclude,
		    .is_unique = cases[i].is_unique,
		    .fillfactor = cases[i].fillfactor });

		assert_true(e.pages > cases[i].pages * 0.9 && e.pages < cases[i].pages * 1.12);
		assert_in_range(e.height, 2, 4);
	}
}

static void
edges(void **state)
{
	struct size_key key = { .typlen = 4, .align = 'i', .equal_image = true };
	struct size_index ix = { .rows = 0, .keys = &key, .nkeys = 1 };
	double last = 0;

	(void)state;
	assert_true(size_btree(&ix).pages == 2);
	/* more rows are never fewer pages */
	for (ix.rows = 1; ix.rows < 1e9; ix.rows *= 7) {
		struct size_estimate e = size_btree(&ix);

		assert_true(e.pages >= last && e.bytes == e.pages * 8192);
		last = e.pages;
	}
	key.ndistinct = 1;
	key.null_frac = 1;
	ix.rows = 1e6;
	assert_true(size_btree(&ix).pages > 500 && size_btree(&ix).pages < 1200);
}

static void
distinct(void **state)
{
	struct size_key keys[2] = { { .ndistinct = 100 }, { .ndistinct = 50 } };

	(void)state;
	assert_true(size_distinct(keys, 1, 1e6) > 99 && size_distinct(keys, 1, 1e6) < 101);
	assert_true(size_distinct(keys, 2, 1e6) > 4900 && size_distinct(keys, 2, 1e6) < 5001);
	/* no more than the rows, and few of the many combinations when there are few rows */
	assert_true(size_distinct(keys, 2, 1000) <= 1000);
	/* both in the order of the rows: one tells the other */
	keys[0] = (struct size_key){ .ndistinct = 1000, .correlation = 1 };
	keys[1] = (struct size_key){ .ndistinct = 900, .correlation = -0.99 };
	assert_true(size_distinct(keys, 2, 1e6) < 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built),
		cmocka_unit_test(edges),
		cmocka_unit_test(distinct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
