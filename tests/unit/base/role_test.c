/* Tests of base/role.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/role.h"

static void
names_are_unique_and_found(void **state)
{
	(void)state;
	for (int i = 0; i < ROLE_COUNT; i++) {
		assert_int_equal(role_by_name(role_infos[i].name), i);
		assert_true(strlen(role_infos[i].text) > 0);
	}
	assert_int_equal(role_by_name("purple"), -1);
	assert_int_equal(role_by_name(""), -1);
	assert_int_equal(ROLE_NORMAL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_unique_and_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
