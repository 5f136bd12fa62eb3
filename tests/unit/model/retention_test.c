/* Which snapshots are kept: by what they are, by their days, and what is never dropped. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/retention.h"

static const struct retention seed = { 30, 90, 365, 7 };

static struct wall
at(const char *text)
{
	struct wall t = { 0 };

	assert_true(wall_parse(text, &t));
	return t;
}

static struct retention_item
full(const char *id, const char *day)
{
	return (struct retention_item){ .id = id, .policy = "", .at = at(day), .is_full = true };
}

static struct retention_item
on(const char *id, const char *day, const char *const *uses)
{
	return (struct retention_item){
		.id = id, .policy = "", .at = at(day), .uses = uses, .nuses = 1
	};
}

static void
reads_what_it_writes(void **state)
{
	struct retention r;
	struct error err = { 0 };
	char buf[96];

	(void)state;
	assert_true(retention_parse("daily 30 weekly 90 monthly 365 continuous 7", &r, &err));
	assert_memory_equal(&r, &seed, sizeof(r));
	assert_string_equal(
	    retention_text(&r, buf, sizeof(buf)), "daily 30 weekly 90 monthly 365 continuous 7");
	assert_true(retention_parse("  monthly 12 daily 1", &r, &err));
	assert_string_equal(retention_text(&r, buf, sizeof(buf)), "daily 1 monthly 12");
}

static void
refuses_the_rest(void **state)
{
	static const char *const bad[] = { "", "weekly 4", "daily", "daily x", "daily 0",
		"daily -1", "daily 4000", "yearly 3", "daily 3d", "daily 99999999999999999999" };
	struct retention r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error err = { 0 };

		assert_false(retention_parse(bad[i], &r, &err));
		assert_true(*err.what);
	}
}

/* The calendar is UTC's, weeks begin on Sunday: 2026-11-01 and -08 are Sundays. */
static void
first_ones_are_more(void **state)
{
	struct retention_item items[] = {
		full("a", "2026-10-31T23:59:59Z"),
		full("b", "2026-11-01T00:00:00Z"),
		full("c", "2026-11-02T02:00:00Z"),
		full("d", "2026-11-07T23:59:00Z"),
		full("e", "2026-11-08T00:00:00Z"),
		full("f", "2026-12-01T00:00:00Z"),
	};
	static const enum retention_class wanted[] = { RETENTION_MONTHLY, RETENTION_MONTHLY,
		RETENTION_DAILY, RETENTION_DAILY, RETENTION_WEEKLY, RETENTION_MONTHLY };

	(void)state;
	retention_judge(items, 6, &seed, at("2026-12-01T01:00:00Z"));
	for (int i = 0; i < 6; i++)
		assert_int_equal(items[i].class, wanted[i]);
	assert_int_equal(items[1].expires.us, at("2027-11-01T00:00:00Z").us);
	assert_int_equal(items[4].expires.us, at("2027-02-06T00:00:00Z").us);
	assert_false(items[2].is_dropped);
	retention_judge(items, 6, &seed, at("2026-12-02T02:00:00Z"));
	assert_true(items[2].is_dropped); /* on its day */
	assert_false(items[3].is_dropped);
}

/* A corrupt one stands for no month; what was said goes before the calendar; names are left alone.
 */
static void
says_what_it_is(void **state)
{
	struct retention_item items[] = {
		full("bad", "2026-11-01T00:00:00Z"),
		full("good", "2026-11-02T00:00:00Z"),
		full("said", "2026-11-03T00:00:00Z"),
		full("named", "2026-11-04T00:00:00Z"),
		full("last", "2026-11-05T00:00:00Z"),
	};

	(void)state;
	items[0].is_bad = true;
	items[2].policy = "weekly";
	items[3].is_left_alone = true;
	retention_judge(items, 5, &seed, at("2036-11-01T00:00:00Z"));
	assert_int_equal(items[0].class, RETENTION_DAILY);
	assert_int_equal(items[1].class, RETENTION_MONTHLY);
	assert_int_equal(items[2].class, RETENTION_WEEKLY);
	assert_int_equal(items[3].class, RETENTION_OTHER);
	assert_true(items[0].is_dropped && items[1].is_dropped && items[2].is_dropped);
	assert_false(items[3].is_dropped);
	assert_int_equal(items[3].expires.us, 0);
	assert_false(items[4].is_dropped);
	assert_string_equal(items[4].why, "the newest");
}

static void
never_drops_what_is_needed(void **state)
{
	static const char *const on_b[] = { "b" }, *const on_c[] = { "c" };
	struct retention_item items[] = {
		full("a", "2026-01-02T00:00:00Z"),
		full("b", "2026-01-03T00:00:00Z"),
		on("c", "2026-01-04T00:00:00Z", on_b),
		on("d", "2026-01-05T00:00:00Z", on_c),
		on("e", "2026-01-06T00:00:00Z", on_b),
	};

	(void)state;
	items[0].is_verified = true;
	items[4].is_bad = true;
	retention_judge(items, 5, &seed, at("2036-01-01T00:00:00Z"));
	assert_string_equal(items[0].why, "the last that was verified");
	assert_string_equal(items[1].why, "the last full one");
	assert_string_equal(items[2].why, "others build upon it");
	assert_string_equal(items[3].why, "the newest");
	assert_true(items[4].is_dropped);
	for (int i = 0; i < 4; i++)
		assert_false(items[i].is_dropped);
}

/* Without days for weeks and months all are daily. */
static void
one_sort_is_enough(void **state)
{
	struct retention_item items[] = { full("a", "2026-11-01T00:00:00Z"),
		full("b", "2026-11-20T00:00:00Z") };
	const struct retention r = { .daily = 7 };

	(void)state;
	retention_judge(items, 2, &r, at("2026-11-08T00:00:00Z"));
	assert_int_equal(items[0].class, RETENTION_DAILY);
	assert_true(items[0].is_dropped);
	retention_judge(NULL, 0, &r, at("2026-11-08T00:00:00Z"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(first_ones_are_more),
		cmocka_unit_test(says_what_it_is),
		cmocka_unit_test(never_drops_what_is_needed),
		cmocka_unit_test(one_sort_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
