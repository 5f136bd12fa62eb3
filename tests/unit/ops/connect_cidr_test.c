#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ops/connect_cidr.h"

static void
test_match(void **state)
{
	(void)state;
	assert_int_equal(cidr_match("10.0.0.0/16", "10.0.255.1"), 16);
	assert_int_equal(cidr_match("10.0.0.0/16", "10.1.0.1"), -1);
	assert_int_equal(cidr_match("10.0.0.128/25", "10.0.0.127"), -1);
	assert_int_equal(cidr_match("10.0.0.128/25", "10.0.0.255"), 25);
	assert_int_equal(cidr_match("0.0.0.0/0", "203.0.113.7"), 0);
	assert_int_equal(cidr_match("203.0.113.7", "203.0.113.7"), 32);
	assert_int_equal(cidr_match("2001:db8::/33", "2001:db8:7fff::1"), 33);
	assert_int_equal(cidr_match("2001:db8::/33", "2001:db8:8000::1"), -1);
	assert_int_equal(cidr_match("::/0", "fd00::1"), 0);
}

static void
test_what_is_none(void **state)
{
	static const char *const none[] = { "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
		"10.0.0.0/8x", "10.0.0/8", "pl-12345", "0.0.0.0/0", "::/129",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/8" };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(cidr_match(none[i], "2001:db8::1"), -1);
	assert_int_equal(cidr_match("10.0.0.0/8", ""), -1);
	assert_int_equal(cidr_match("10.0.0.0/8", "10.0.0"), -1);
	assert_int_equal(cidr_match("::/0", "10.0.0.1"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
