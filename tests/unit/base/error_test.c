/* Tests of base/error.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void
set_fills_all(void **state)
{
	struct error err;

	(void)state;
	memset(&err, 'x', sizeof(err));
	assert_false(error_set(&err, ERR_QUERY, "cannot read %s", "pg_class"));
	assert_int_equal(err.code, ERR_QUERY);
	assert_string_equal(err.what, "cannot read pg_class");
	assert_string_equal(err.hint, "");
	assert_string_equal(err.sqlstate, "");
}

static void
arguments_may_be_parts_of_the_error(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERR_FILE, "inner");
	error_hint(&err, "Try %d.", 7);
	error_set(&err, ERR_CONFIG, "outer: %s (%s)", err.what, err.hint);
	assert_string_equal(err.what, "outer: inner (Try 7.)");
	assert_string_equal(err.hint, "");
}

static void
prefix_keeps_the_rest(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERR_LOST, "connection lost");
	error_hint(&err, "Wait.");
	assert_false(error_prefix(&err, "target \"%s\"", "prod"));
	assert_string_equal(err.what, "target \"prod\": connection lost");
	assert_string_equal(err.hint, "Wait.");
	assert_int_equal(err.code, ERR_LOST);
}

static void
controls_become_question_marks(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERR_QUERY,
	    "a\x1b[2Jb\nc\xc2\x9b"
	    "d\xe2\x80\xae"
	    "e\xff"
	    "f\xc3\xa4");
	assert_string_equal(err.what, "a?[2Jb?c?d?e?f\xc3\xa4");
	error_hint(&err, "x\x07");
	assert_string_equal(err.hint, "x?");
}

static void
long_texts_end_at_a_character(void **state)
{
	struct error err;
	char text[512] = "";

	(void)state;
	/* 254 bytes, then a two-byte letter over the border. */
	memset(text, 'a', 254);
	memcpy(text + 254, "\xc3\xa4\xc3\xa4", 5);
	error_set(&err, ERR_QUERY, "%s", text);
	assert_int_equal(strlen(err.what), 254);
	memset(text, 'b', 300);
	text[300] = '\0';
	error_prefix(&err, "%s", text);
	assert_int_equal(strlen(err.what), 255);
	assert_int_equal(err.what[254], 'b');
}

static void
codes_have_names(void **state)
{
	(void)state;
	assert_string_equal(error_name(ERR_OK), "OK");
	assert_string_equal(error_name(ERR_NOT_CONFIRMED), "NOT_CONFIRMED");
	assert_string_equal(error_name((enum err_code)9999), "UNKNOWN");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_all),
		cmocka_unit_test(arguments_may_be_parts_of_the_error),
		cmocka_unit_test(prefix_keeps_the_rest),
		cmocka_unit_test(controls_become_question_marks),
		cmocka_unit_test(long_texts_end_at_a_character),
		cmocka_unit_test(codes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
