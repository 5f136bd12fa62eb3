/* Tests of base/doc.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/doc.h"

static void
breaks_and_cleans_lines(void **state)
{
	struct doc d = { 0 };

	(void)state;
	doc_add(&d, ROLE_WARN, "one %d\ntwo\x1b", 1);
	doc_text(&d, ROLE_NORMAL, "a\n\nb\n", 5);
	doc_add(&d, ROLE_DIM, "%s", "");
	assert_int_equal(d.n, 6);
	assert_string_equal(d.lines[0].text, "one 1");
	assert_int_equal(d.lines[0].role, ROLE_WARN);
	assert_string_equal(d.lines[1].text, "two\xef\xbf\xbd");
	assert_string_equal(d.lines[2].text, "a");
	assert_string_equal(d.lines[3].text, "");
	assert_string_equal(d.lines[4].text, "b");
	assert_string_equal(d.lines[5].text, "");
	doc_reset(&d);
	assert_int_equal(d.n, 0);
	doc_add(&d, ROLE_OK, "again");
	assert_string_equal(d.lines[0].text, "again");
	doc_release(&d);
	doc_release(&d);
}

static void
pairs_align(void **state)
{
	struct doc d = { 0 };

	(void)state;
	doc_pair(&d, "state", ROLE_NORMAL, "%s", "idle");
	doc_pair(&d,
	    "gr\xc3\xb6\xc3\x9f"
	    "e",
	    ROLE_CRIT, "%d\nmore", 5);
	doc_pair(&d, "a label that is longer than the column", ROLE_NORMAL, "v");
	assert_string_equal(d.lines[0].text, "state                 idle");
	assert_int_equal(d.lines[0].label_len, 22);
	assert_string_equal(d.lines[1].text,
	    "gr\xc3\xb6\xc3\x9f"
	    "e                 5");
	assert_int_equal(d.lines[1].label_len, 24);
	assert_string_equal(d.lines[2].text, "                      more");
	assert_int_equal(d.lines[2].label_len, 0);
	assert_int_equal(d.lines[2].role, ROLE_CRIT);
	assert_string_equal(d.lines[3].text, "a label that is longer than the column v");
	doc_release(&d);
}

static void
long_server_text_is_kept(void **state)
{
	static char text[300000];
	struct doc d = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	text[150000] = '\n';
	doc_text(&d, ROLE_NORMAL, text, sizeof(text));
	assert_int_equal(d.n, 2);
	assert_int_equal(strlen(d.lines[0].text), 150000);
	assert_int_equal(strlen(d.lines[1].text), 149999);
	doc_release(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(breaks_and_cleans_lines),
		cmocka_unit_test(pairs_align),
		cmocka_unit_test(long_server_text_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
