/* Which word on a snapshot counts: of this machine's journal, or of the snapshot itself. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ops/kept.h"

enum { S = 1000000 };

static int64_t
at(const char *text)
{
	struct wall t;

	assert_true(wall_parse(text, &t));
	return t.us;
}

static void
newer_word_counts(void **state)
{
	const char *day = "2026-11-20T00:00:00Z", *next = "2026-11-21T00:00:00Z";
	struct job_verified v = { .snapshot = "a", .at.us = at(day), .passed = true };
	const struct kept none = { .nverified = 0 }, k = { .verified = &v, .nverified = 1 };

	(void)state;
	assert_int_equal(kept_verified(&none, "a", "").us, 0);
	assert_int_equal(kept_verified(&none, "a", day).us, at(day));
	assert_int_equal(kept_verified(&none, "a", "failed 2026-11-20T00:00:00Z").us, 0);
	assert_int_equal(kept_verified(&k, "a", "").us, at(day));
	assert_int_equal(kept_verified(&k, "a", next).us, at(next));
	/* Another machine has withdrawn it. */
	assert_int_equal(kept_verified(&k, "a", "failed 2026-11-21T00:00:00Z").us, 0);
	/* And this one has found it good since. */
	assert_int_equal(kept_verified(&k, "a", "failed 2026-11-19T00:00:00Z").us, at(day));
	v.passed = false;
	assert_int_equal(kept_verified(&k, "a", "").us, 0);
	assert_int_equal(kept_verified(&k, "a", next).us, at(next));
	assert_int_equal(kept_verified(&k, "a", "2026-11-19T00:00:00Z").us, 0);
	assert_int_equal(kept_verified(&k, "b", "what is this").us, 0);
}

/* A name that was given again is another snapshot. */
static void
names_are_given_again(void **state)
{
	struct job_verified v = { .snapshot = "a", .at.us = 100LL * S, .passed = true };
	const struct kept k = { .verified = &v, .nverified = 1 };

	(void)state;
	assert_int_equal(kept_verified_since(&k, "a", "", (struct wall){ 99LL * S }).us, 100LL * S);
	assert_int_equal(kept_verified_since(&k, "a", "", (struct wall){ 101LL * S }).us, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(newer_word_counts),
		cmocka_unit_test(names_are_given_again) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
