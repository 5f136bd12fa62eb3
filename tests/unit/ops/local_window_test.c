/* What of a source's WAL the repository has. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ops/local_window.h"

/* An idle server has nothing that could be lost, however long ago it archived. */
static void
idle_is_safe(void **state)
{
	const struct wal_segment last = { .timeline = 1, .number = 0x39 };
	const struct wal_archive a = { .segment_size = 0x1000000 };
	struct wal_reach reach = { .is_whole = true, .last = &last, .missing = "" };

	(void)state;
	assert_true(wal_has_all(&a, &reach, 0x3a000000));
	assert_true(wal_has_all(&a, &reach, 0x3a000028));
	assert_false(wal_has_all(&a, &reach, 0x3a000060));
	reach.missing = "000000010000000000000038";
	assert_false(wal_has_all(&a, &reach, 0x3a000000));
	reach.missing = "";
	reach.last = NULL;
	assert_false(wal_has_all(&a, &reach, 0x3a000000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(idle_is_safe) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
