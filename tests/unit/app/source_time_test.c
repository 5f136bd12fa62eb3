/* Places in time as users write them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "app/source_time.h"

static const struct wall first = { 1763683200000000 }; /* 2025-11-21T00:00:00Z */
static const struct wall last = { 1763726400000000 };  /* 12:00 */
static const struct wall at = { 1763704800000000 };    /* 06:00 */

static int64_t
place(const char *where)
{
	struct wall t = { -1 };
	struct error err;

	if (!time_read(where, first, last, at, &t, &err)) {
		assert_int_equal(err.code, ERR_USAGE);
		assert_true(strlen(err.hint) > 0);
		return -1;
	}
	return t.us;
}

static void
places(void **state)
{
	(void)state;
	assert_int_equal(place("start"), first.us);
	assert_int_equal(place("end"), last.us);
	assert_int_equal(place("-5m"), at.us - 300000000);
	assert_int_equal(place("+30s"), at.us + 30000000);
	assert_int_equal(place("+30"), at.us + 30000000);
	assert_int_equal(place("-1.5h"), at.us - 5400000000);
	assert_int_equal(place("07:31"), first.us + (7 * 60 + 31) * 60000000LL);
	assert_int_equal(place("07:31:09"), first.us + ((7 * 60 + 31) * 60 + 9) * 1000000LL);
	assert_int_equal(place("2025-11-21T06:00:01Z"), at.us + 1000000);
}

static void
nonsense(void **state)
{
	static const char *const words[] = { "", "x", "5m", "-5x", "25:00", "07:61", "07:3x",
		"+1e300s", "-", "now" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_int_equal(place(words[i]), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
