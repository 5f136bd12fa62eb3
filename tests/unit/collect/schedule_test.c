/* Periods and back-off. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/schedule.h"

static const int64_t second = 1000000;

static struct mono
at(double s)
{
	return (struct mono){ (int64_t)(s * 1e6) };
}

static void
test_every_probe_has_a_plan(void **state)
{
	(void)state;
	for (int p = 0; p < PROBE_COUNT; p++) {
		const struct probe_plan *plan = &probe_plans[p];
		assert_true(plan->hidden_ms == NEVER || plan->hidden_ms >= 0);
		assert_true(plan->shown_ms == NEVER || plan->shown_ms >= 0);
		assert_true((plan->scope == SCOPE_CONSOLE) == (plan->command != NULL));
	}
	/* Ticks and links are made of these whatever is shown. */
	assert_int_equal(probe_plans[PROBE_SERVER].hidden_ms, EACH);
	assert_int_equal(probe_plans[PROBE_ACTIVITY].hidden_ms, EACH);
	assert_int_equal(probe_plans[PROBE_DBSUM].hidden_ms, EACH);
	/* What is heavy is not asked for nobody. */
	assert_int_equal(probe_plans[PROBE_STATEMENTS].hidden_ms, NEVER);
	assert_int_equal(probe_plans[PROBE_TABLES].hidden_ms, NEVER);
}

static void
test_due(void **state)
{
	(void)state;
	struct probe_slot slot = { .backoff = 1 };
	assert_true(schedule_is_due(PROBE_SERVER, &slot, at(5)));
	assert_false(schedule_is_due(PROBE_TABLES, &slot, at(5)));
	slot.is_shown = true;
	assert_true(schedule_is_due(PROBE_TABLES, &slot, at(5)));
	slot.is_flying = true;
	assert_false(schedule_is_due(PROBE_TABLES, &slot, at(5)));
	assert_false(schedule_is_due(PROBE_SERVER, &slot, at(5)));
}

static void
test_pair_comes_soon(void **state)
{
	(void)state;
	struct probe_slot slot = { .backoff = 1, .is_shown = true };
	schedule_answered(PROBE_TABLES, &slot, at(10), second, 1000, true);
	assert_int_equal(slot.due.us, at(11).us);
	schedule_answered(PROBE_TABLES, &slot, at(11), second, 1000, true);
	assert_int_equal(slot.due.us, at(21).us);
	assert_false(schedule_is_due(PROBE_TABLES, &slot, at(20.9)));
	assert_true(schedule_is_due(PROBE_TABLES, &slot, at(20.99)));
	slot.is_wanted = true;
	assert_true(schedule_is_due(PROBE_TABLES, &slot, at(12)));
}

static void
test_backoff(void **state)
{
	(void)state;
	int b = 1;
	for (int i = 0; i < 10; i++)
		b = schedule_backoff(b, 100 * second, second);
	assert_int_equal(b, BACKOFF_MAX);
	assert_int_equal(schedule_backoff(1, second / 4, second), 1);
	assert_int_equal(schedule_backoff(1, second / 4 + 1000, second), 2);
	assert_int_equal(schedule_backoff(2, second / 4 + 1000, second),
	    2); /* neither too slow nor quick enough */
	assert_int_equal(schedule_backoff(2, second / 10, second), 1);
	assert_int_equal(schedule_backoff(16, second / 10, second), 8);
}

static void
test_failures_rest(void **state)
{
	(void)state;
	struct probe_slot slot = { .backoff = 1, .is_shown = true };
	schedule_answered(PROBE_LOCKS, &slot, at(10), second, 0, false);
	assert_int_equal(slot.backoff, 2);
	assert_false(schedule_is_due(PROBE_LOCKS, &slot, at(11)));
	assert_true(schedule_is_due(PROBE_LOCKS, &slot, at(12)));
	for (int i = 0; i < 9; i++)
		schedule_answered(PROBE_LOCKS, &slot, at(12), second, 0, false);
	assert_int_equal(slot.backoff, BACKOFF_MAX);
	for (int i = 0; i < 4; i++)
		schedule_answered(PROBE_LOCKS, &slot, at(40), second, 0, true);
	assert_int_equal(slot.backoff, 1);
	assert_true(schedule_is_due(PROBE_LOCKS, &slot, at(40)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_probe_has_a_plan),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_pair_comes_soon),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_failures_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
