/* Tests of base/json.c. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/json.h"

static void
writes(const char *in, size_t len, const char *out)
{
	struct strbuf sb = STRBUF_INIT(4096);

	json_str(&sb, in, len);
	assert_string_equal(sb.buf, out);
	strbuf_release(&sb);
}

#define WRITES(in, out) writes(in, sizeof(in) - 1, out)

static void
strings_are_valid_and_harmless(void **state)
{
	(void)state;
	WRITES("", "\"\"");
	WRITES("a\"b\\c/", "\"a\\\"b\\\\c/\"");
	WRITES("\n\r\t\b", "\"\\n\\r\\t\\u0008\"");
	WRITES("a\0b", "\"a\\u0000b\"");
	WRITES("\x1b[2J\x7f", "\"\\u001b[2J\\u007f\"");
	WRITES("\xc2\x9b", "\"\\u009b\"");
	WRITES("\xe2\x80\xae\xe2\x80\xa8", "\"\\u202e\\u2028\"");
	WRITES("\xf3\xa0\x81\x81", "\"\\udb40\\udc41\"");
	WRITES("\xff\xc3", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	WRITES("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	WRITES("\xc3\xa4\xf0\x9f\x90\x98", "\"\xc3\xa4\xf0\x9f\x90\x98\"");
	WRITES("\xef\xbf\xbd", "\"\xef\xbf\xbd\"");
}

static void
shows(struct cell c, const char *out)
{
	struct strbuf sb = STRBUF_INIT(4096);

	json_cell(&sb, &c);
	assert_string_equal(sb.buf, out);
	strbuf_release(&sb);
}

static void
cells_keep_their_type(void **state)
{
	static const int64_t list[] = { 1, INT64_MIN };

	(void)state;
	shows(cell_null(WHY_DENIED), "null");
	shows(cell_bool(true), "true");
	shows(cell_int(INT64_MAX), "9223372036854775807");
	shows(cell_int(INT64_MIN), "-9223372036854775808");
	shows(cell_int(INT64_C(9007199254740993)), "9007199254740993");
	shows(cell_float(0.1), "0.1");
	shows(cell_float(2.0 / 3), "0.6666666666666666");
	shows(cell_float(0.1 + 0.2), "0.30000000000000004");
	shows(cell_float(1.0 / 3), "0.3333333333333333");
	shows(cell_float(12345), "12345");
	shows(cell_float(-0.0), "0");
	shows(cell_float(NAN), "null");
	shows(cell_float(INFINITY), "null");
	shows(cell_float(1e300), "1e+300");
	shows(cell_time(1), "\"1970-01-01T00:00:00.000001Z\"");
	shows(
	    (struct cell){ .ints = list, .len = 2, .type = CELL_INTS }, "[1,-9223372036854775808]");
	shows((struct cell){ .ints = NULL, .len = 0, .type = CELL_INTS }, "[]");
}

static void
numbers_read_back_the_same(void **state)
{
	struct strbuf sb = STRBUF_INIT(100);
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		double v;

		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		memcpy(&v, &seed, sizeof(v));
		if (!isfinite(v))
			continue;
		strbuf_clear(&sb);
		json_num(&sb, v);
		assert_true(strtod(sb.buf, NULL) == v);
	}
	strbuf_release(&sb);
}

static void
keys_have_commas(void **state)
{
	struct strbuf sb = STRBUF_INIT(100);
	bool first = true;

	(void)state;
	json_key(&sb, &first, "a");
	json_int(&sb, 1);
	json_key(&sb, &first, "b\"");
	json_int(&sb, 2);
	assert_string_equal(sb.buf, "\"a\":1,\"b\\\"\":2");
	strbuf_release(&sb);
}

static void
reads_documents(void **state)
{
	static const char text[] = " {\"a\": [1, 2.5, \"x\"], \"b\": null} \n";
	struct error err;
	struct json *root = json_parse(text, strlen(text), &err);
	const struct json *a;
	double v = 0;

	(void)state;
	assert_non_null(root);
	a = json_get(root, "a");
	assert_int_equal(json_len(a), 3);
	assert_true(json_number(json_at(a, 1), &v));
	assert_true(v == 2.5);
	assert_string_equal(json_text(json_at(a, 2)), "x");
	assert_null(json_text(json_at(a, 0)));
	assert_null(json_at(a, 3));
	assert_null(json_get(root, "A"));
	assert_null(json_get(NULL, "a"));
	assert_null(json_get(a, "a"));
	assert_false(json_number(json_get(root, "b"), &v));
	assert_false(json_number(NULL, &v));
	assert_string_equal(json_name(json_child(root)), "a");
	assert_string_equal(json_name(json_next(json_child(root))), "b");
	assert_null(json_next(json_next(json_child(root))));
	assert_int_equal(json_len(NULL), 0);
	json_free(root);
	json_free(NULL);
}

static void
refuses(const char *text, size_t len, enum err_code code)
{
	struct error err;

	if (json_parse(text, len, &err))
		fail_msg("took %.*s", (int)len, text);
	assert_int_equal(err.code, code);
}

static void
refuses_what_is_no_json(void **state)
{
	static const char *const texts[] = { "", " ", "{", "[1,]", "{\"a\"}", "nul", "[1] x",
		"\"abc", "{}}", "[\"\\ud800\"]" };
	char deep[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		refuses(texts[i], strlen(texts[i]), ERR_FORMAT);
	memset(deep, '[', 65);
	memset(deep + 65, ']', 65);
	refuses(deep, 130, ERR_FORMAT);
	memset(deep, '[', 400);
	refuses(deep, 400, ERR_FORMAT);
	refuses("", (size_t)65 << 20, ERR_MEMORY);
}

static void
sixty_four_levels_are_read(void **state)
{
	struct error err;
	struct json *root;
	char deep[128];

	(void)state;
	memset(deep, '[', 64);
	memset(deep + 64, ']', 64);
	root = json_parse(deep, 128, &err);
	assert_non_null(root);
	json_free(root);
	/* Brackets in strings are no levels. */
	memcpy(deep, "[\"\\\"", 4);
	memset(deep + 4, '[', 122);
	memcpy(deep + 126, "\"]", 2);
	root = json_parse(deep, 128, &err);
	assert_non_null(root);
	json_free(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_valid_and_harmless),
		cmocka_unit_test(cells_keep_their_type),
		cmocka_unit_test(numbers_read_back_the_same),
		cmocka_unit_test(keys_have_commas),
		cmocka_unit_test(reads_documents),
		cmocka_unit_test(refuses_what_is_no_json),
		cmocka_unit_test(sixty_four_levels_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
