/* synchronous_standby_names as the server reads it, and the verdict on RPO 0. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "panes/sync_names.h"

static int
needed(const char *s)
{
	return sync_needed(s, (int)strlen(s));
}

static void
counts(void **state)
{
	(void)state;
	assert_int_equal(needed(""), 0);
	assert_int_equal(needed("   "), 0);
	assert_int_equal(needed("s1"), 1);
	assert_int_equal(needed("*"), 1);
	assert_int_equal(needed("s1, s2"), 1);
	assert_int_equal(needed("FIRST 2 (s1, s2, s3)"), 2);
	assert_int_equal(needed("any 3 (a,b,c,d)"), 3);
	assert_int_equal(needed("2(s1,s2)"), 2);
	assert_int_equal(needed("first"), 1); /* a standby of that name */
	assert_int_equal(needed("any_name, other"), 1);
	assert_int_equal(needed("12"), 1); /* a standby named 12 */
}

static struct sync_verdict
judge(const char *names, const char *commit, const char *fsync, int safe)
{
	struct cell n = cell_text(names), c = cell_text(commit), f = cell_text(fsync);
	return sync_judge(&n, &c, &f, safe);
}

static void
verdicts(void **state)
{
	struct sync_verdict v;

	(void)state;
	assert_false(judge("", "on", "on", 0).is_zero);
	assert_false(judge("s1", "local", "on", 1).is_zero);
	assert_false(judge("s1", "off", "on", 1).is_zero);
	assert_false(judge("s1", "remote_write", "on", 1).is_zero);
	assert_false(judge("s1", "on", "off", 1).is_zero);
	assert_true(judge("s1", "on", "on", 1).is_zero);
	assert_true(judge("s1", "remote_apply", "on", 1).is_zero);
	v = judge("FIRST 2 (a, b)", "on", "on", 1);
	assert_true(v.is_zero); /* nothing is lost: nothing commits either */
	assert_non_null(strstr(v.because, "commits wait: 1 of 2"));
	assert_false(sync_judge(NULL, NULL, NULL, 1).is_zero);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(verdicts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
