/* Tests of base/json_scan.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/json.h"

static void
copies(const char *text, const char *copy)
{
	struct strbuf out = STRBUF_INIT(1 << 20);
	bool ok = json_copy(&out, text, strlen(text));

	if (ok != (copy != NULL) || strcmp(out.buf, copy ? copy : "") != 0)
		fail_msg("%s became %s, not %s", text, ok ? out.buf : "nothing", copy);
	strbuf_release(&out);
}

static void
what_is_json_is_copied_compactly(void **state)
{
	(void)state;
	copies(" [ 1 , 2.50e+1, -9223372036854775807 ] ", "[1,2.50e+1,-9223372036854775807]");
	copies("{\"a\": [true, false, null], \"b\": {}}", "{\"a\":[true,false,null],\"b\":{}}");
	copies("\"x\\u0041\\n\\/\\\"\"", "\"xA\\n/\\\"\"");
	copies("\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"");
	copies("[]", "[]");
	copies("0", "0");
}

static void
a_terminal_is_not_moved_by_it(void **state)
{
	(void)state;
	copies("[\"\\u001b[2J\"]", "[\"\\u001b[2J\"]");
	copies("[\"\xc2\x9b\"]", "[\"\\u009b\"]");
	copies("[\"\x1b\"]", NULL);
}

static void
what_is_none_is_refused(void **state)
{
	static const char *const bad[] = { "", "[", "]", "[1,]", "[,1]", "{\"a\"}", "{1:2}", "01",
		"1.", ".5", "-", "1e", "nul", "truex", "\"a", "\"\\x\"", "\"\\u12g4\"",
		"\"\\ud83d\\u0041\"", "[1] 2", "'a'", "NaN" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		copies(bad[i], NULL);
}

static void
nesting_has_an_end(void **state)
{
	char deep[300];

	(void)state;
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	deep[200] = '\0';
	copies(deep, NULL);
	copies("[[[[1]]]]", "[[[[1]]]]");
}

static void
lists_are_read_element_by_element(void **state)
{
	static const char text[] = "[\"a, b\", 9007199254740993, {\"why\": \"x\"}, null]";
	static const char *const items[] = { "a, b", "9007199254740993", "{\"why\":\"x\"}",
		"null" };
	struct json_list list = { text, text + sizeof(text) - 1, 0 };
	struct strbuf item = STRBUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		assert_true(json_list_next(&list, &item));
		assert_string_equal(item.buf, items[i]);
	}
	assert_false(json_list_next(&list, &item));
	assert_false(json_list_next(&list, &item));
	list = (struct json_list){ "[]", "[]" + 2, 0 };
	assert_false(json_list_next(&list, &item));
	list = (struct json_list){ "no", "no" + 2, 0 };
	assert_false(json_list_next(&list, &item));
	strbuf_release(&item);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_json_is_copied_compactly),
		cmocka_unit_test(a_terminal_is_not_moved_by_it),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(lists_are_read_element_by_element),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
