/* The alarms that the rule of a composite alarm has. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/alarm_rule.h"

static void
names_are(const char *rule, const char *want)
{
	char name[ALARM_NAME_MAX], all[4 * ALARM_NAME_MAX] = "";

	for (const char *at = rule; alarm_rule_next(&at, name);)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "<%s>", name);
	assert_string_equal(all, want);
}

static void
names(void **state)
{
	(void)state;
	names_are("ALARM(cpu) OR (ALARM(\"free space (low)\") AND NOT OK(x))",
	    "<cpu><free space (low)><x>");
	names_are(
	    "INSUFFICIENT_DATA( arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a:b )AND TRUE",
	    "<a:b>");
	names_are("ALARM (\"say \\\"hi\\\"\")", "<say \"hi\">");
	names_are("ALARM(\"ALARM(x)\")", "<ALARM(x)>");
	names_are("TRUE", "");
	names_are("", "");
	names_are("NOT_OK(x) ALARM OK", "");
}

/* Broken ones have an end, too. */
static void
broken(void **state)
{
	char rule[2000], name[ALARM_NAME_MAX];
	const char *at = rule;

	(void)state;
	names_are("ALARM(", "<>");
	names_are("ALARM(\"open", "<open>");
	names_are("ALARM(\"a\\", "<a\\>");
	memset(rule, 'x', sizeof(rule));
	memcpy(rule, "OK(", 3);
	rule[sizeof(rule) - 1] = '\0';
	assert_true(alarm_rule_next(&at, name));
	assert_int_equal(strlen(name), ALARM_NAME_MAX - 1);
	assert_false(alarm_rule_next(&at, name));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
