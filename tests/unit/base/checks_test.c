#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/checks.h"

static void
test_text(void **state)
{
	struct checks c = { .n = 0 };
	struct strbuf out = STRBUF_INIT(4096);

	(void)state;
	check_add(&c, "dns", CHECK_OK, "%s is %d", "it", 7);
	check_evidence(&c, "first");
	check_evidence(&c, "second\x1b[2J");
	check_add(&c, "tcp", CHECK_FAIL, "aaaa bbbb cccc dddd eeee ffff gggg");
	check_remedy(&c, "one");
	check_remedy(&c, "two");
	checks_text(&out, &c, 0);
	assert_string_equal(out.buf,
	    "ok      dns             it is 7\n"
	    "                        first\n"
	    "                        second\xef\xbf\xbd[2J\n"
	    "fail    tcp             aaaa bbbb cccc dddd eeee ffff gggg\n"
	    "                        HINT: two\n");
	strbuf_clear(&out);
	c.n = 2;
	checks_text(&out, &c, 48);
	assert_non_null(
	    strstr(out.buf, "aaaa bbbb cccc dddd eeee\n                        ffff gggg\n"));
	strbuf_release(&out);
	checks_release(&c);
}

static void
test_long_words(void **state)
{
	struct checks c = { .n = 0 };
	struct strbuf out = STRBUF_INIT(4096);

	(void)state;
	check_add(&c, "a", CHECK_WARN, "0123456789012345678901234567890123456789 b");
	checks_text(&out, &c, 50);
	assert_string_equal(out.buf,
	    "warn    a               01234567890123456789012345\n"
	    "                        67890123456789 b\n");
	strbuf_clear(&out);
	check_add(&c, "b", CHECK_UNKNOWN, "%s", "");
	checks_json(&out, &c, "check");
	assert_string_equal(out.buf,
	    "[{\"check\":\"a\",\"state\":\"warn\",\"what\":\"0123456789012345678901234567890123456789 "
	    "b\",\"evidence\":\"\",\"remedy\":\"\"},{\"check\":\"b\",\"state\":\"unknown\",\"what\":\"\","
	    "\"evidence\":\"\",\"remedy\":\"\"}]");
	strbuf_release(&out);
	checks_release(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_long_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
