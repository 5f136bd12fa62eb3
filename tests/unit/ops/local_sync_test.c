/* Whom a promoted server would wait for. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ops/local_sync.h"

static void
expect(const char *names, int needed, bool is_named)
{
	bool named;

	assert_int_equal(sync_waits_for(names, "db-1", &named), needed);
	assert_int_equal(named, is_named);
}

static void
reads_names(void **state)
{
	(void)state;
	expect("", 0, false);
	expect("  ", 0, false);
	expect("other", 1, false);
	expect("*", 1, true);
	expect("\"*\"", 1, true);
	expect("other, \"DB-1\"", 1, true);
	expect("\"db-1\"", 1, true);
	expect("\"db-1\"\"\"", 1, false);
	expect("1 (other, \"db-1\")", 1, true);
	expect("FIRST 1 (\"db-1\")", 1, true);
	expect("ANY 2 (other, \"db-1\")", 2, true);
	expect("any 2(other,third)", 2, false);
	expect("\"a (b)\", \"db-1\"", 1, true);
	expect("\"db-1", 1, true);
	expect("1 (", 1, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(reads_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
