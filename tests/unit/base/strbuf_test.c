/* Tests of base/strbuf.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"

static void
starts_empty_and_grows(void **state)
{
	struct strbuf sb = STRBUF_INIT(100000);

	(void)state;
	assert_string_equal(sb.buf, "");
	strbuf_clear(&sb);
	strbuf_add(&sb, "", 0);
	assert_ptr_equal(sb.buf, strbuf_empty);
	for (int i = 0; i < 10000; i++)
		strbuf_addc(&sb, 'a');
	assert_int_equal(sb.len, 10000);
	assert_int_equal(strlen(sb.buf), 10000);
	strbuf_addf(&sb, "%*d", 2000, 7);
	assert_int_equal(sb.len, 12000);
	assert_string_equal(sb.buf + 11999, "7");
	strbuf_clear(&sb);
	assert_string_equal(sb.buf, "");
	strbuf_release(&sb);
	assert_string_equal(sb.buf, "");
	strbuf_release(&sb);
}

static void
bytes_may_be_zero(void **state)
{
	struct strbuf sb = STRBUF_INIT(10);

	(void)state;
	strbuf_add(&sb, "a\0b", 3);
	assert_int_equal(sb.len, 3);
	assert_memory_equal(sb.buf, "a\0b", 4);
	strbuf_release(&sb);
}

static void
the_ceiling_holds(void **state)
{
	struct strbuf sb = STRBUF_INIT(5);

	(void)state;
	strbuf_adds(&sb, "abc");
	assert_false(sb.cut);
	strbuf_adds(&sb, "de");
	assert_false(sb.cut);
	strbuf_addc(&sb, 'f');
	assert_true(sb.cut);
	assert_string_equal(sb.buf, "abcde");
	strbuf_clear(&sb);
	assert_false(sb.cut);
	strbuf_addf(&sb, "%d", 1234567);
	assert_true(sb.cut);
	assert_string_equal(sb.buf, "12345");
	strbuf_release(&sb);
}

static void
the_ceiling_cuts_no_character(void **state)
{
	struct strbuf sb = STRBUF_INIT(5);

	(void)state;
	strbuf_adds(&sb, "abc\xe2\x82\xac");
	assert_string_equal(sb.buf, "abc");
	assert_true(sb.cut);
	/* A true beginning: nothing may follow the gap. */
	strbuf_addc(&sb, 'x');
	strbuf_adds(&sb, "y");
	assert_string_equal(sb.buf, "abc");
	strbuf_release(&sb);
}

static void
a_ceiling_of_nothing(void **state)
{
	struct strbuf sb = STRBUF_INIT(0);

	(void)state;
	strbuf_adds(&sb, "a");
	assert_true(sb.cut);
	assert_string_equal(sb.buf, "");
	strbuf_release(&sb);
}

static void
take_hands_over(void **state)
{
	struct strbuf sb = STRBUF_INIT(100);
	char *s = strbuf_take(&sb);

	(void)state;
	assert_string_equal(s, "");
	free(s);
	strbuf_adds(&sb, "text");
	s = strbuf_take(&sb);
	assert_string_equal(s, "text");
	assert_int_equal(sb.len, 0);
	strbuf_adds(&sb, "more");
	assert_string_equal(s, "text");
	free(s);
	strbuf_release(&sb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_empty_and_grows),
		cmocka_unit_test(bytes_may_be_zero),
		cmocka_unit_test(the_ceiling_holds),
		cmocka_unit_test(the_ceiling_cuts_no_character),
		cmocka_unit_test(a_ceiling_of_nothing),
		cmocka_unit_test(take_hands_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
