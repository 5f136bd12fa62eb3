/* Tests of base/doc.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/doc.h"
#include "base/strbuf.h"

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

static void
goes_to_another_process_and_back(void **state)
{
	struct doc d = { 0 }, back = { 0 }, copy = { 0 };
	struct strbuf packed = STRBUF_INIT(1000);

	(void)state;
	doc_pair(&d, "lag", ROLE_CRIT, "RED: 16M\nmore");
	doc_add(&d, ROLE_NORMAL, "%s", "");
	doc_add(&d, ROLE_HINT, "3 4 of it");
	doc_pack(&d, &packed);
	doc_unpack(&back, packed.buf);
	doc_append(&copy, &back);
	assert_int_equal(copy.n, d.n);
	for (int i = 0; i < d.n; i++) {
		assert_string_equal(copy.lines[i].text, d.lines[i].text);
		assert_int_equal(copy.lines[i].role, d.lines[i].role);
		assert_int_equal(copy.lines[i].label_len, d.lines[i].label_len);
	}
	strbuf_release(&packed);
	doc_release(&d);
	doc_release(&back);
	doc_release(&copy);
}

static void
what_was_not_packed_is_text(void **state)
{
	static const char *const lines[] = { "words", "999 0 x", "-1 0 x", "0 5 x", "0 -1 x", "1 1",
		"0 2 \x1b[2Jx" };
	struct doc d = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		doc_unpack(&d, lines[i]);
		assert_int_equal(d.n, (int)i + 1);
		assert_null(strchr(d.lines[i].text, '\x1b'));
		assert_true(d.lines[i].label_len <= (int)strlen(d.lines[i].text));
	}
	assert_string_equal(d.lines[3].text, "0 5 x");
	doc_release(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(breaks_and_cleans_lines),
		cmocka_unit_test(pairs_align),
		cmocka_unit_test(long_server_text_is_kept),
		cmocka_unit_test(goes_to_another_process_and_back),
		cmocka_unit_test(what_was_not_packed_is_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
