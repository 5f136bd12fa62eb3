/* Tests of base/utf8.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/utf8.h"

#define BAD "\xef\xbf\xbd"

static void
cleans(const char *in, size_t len, bool one_line, const char *out)
{
	struct strbuf sb = STRBUF_INIT(4096);

	utf8_clean(&sb, in, len, one_line);
	if (strcmp(sb.buf, out) != 0)
		fail_msg("\"%s\", not \"%s\"", sb.buf, out);
	strbuf_release(&sb);
}

#define ONE(in, out)  cleans(in, sizeof(in) - 1, true, out)
#define MANY(in, out) cleans(in, sizeof(in) - 1, false, out)

static void
decodes_strictly(void **state)
{
	static const struct {
		const char *s;
		size_t used;
		uint32_t cp;
	} cases[] = { { "a", 1, 'a' }, { "\xc3\xa4", 2, 0xe4 }, { "\xe2\x82\xac", 3, 0x20ac },
		{ "\xf0\x9f\x90\x98", 4, 0x1f418 }, { "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
		{ "\xc0\x80", 1, 0xfffd }, { "\xc1\xbf", 1, 0xfffd }, { "\xe0\x80\x80", 1, 0xfffd },
		{ "\xe0\x9f\xbf", 1, 0xfffd }, { "\xf0\x80\x80\x80", 1, 0xfffd },
		{ "\xed\xa0\x80", 1, 0xfffd }, { "\xed\xbf\xbf", 1, 0xfffd },
		{ "\xf4\x90\x80\x80", 1, 0xfffd }, { "\xf5\x80\x80\x80", 1, 0xfffd },
		{ "\xff", 1, 0xfffd }, { "\x80", 1, 0xfffd }, { "\xe2\x82", 1, 0xfffd },
		{ "\xc3(", 1, 0xfffd }, { "\xf0\x9f\x90", 1, 0xfffd }, { BAD, 3, 0xfffd } };
	uint32_t cp;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(utf8_decode(cases[i].s, strlen(cases[i].s), &cp), cases[i].used);
		assert_int_equal(cp, cases[i].cp);
	}
}

static void
every_code_point_comes_back(void **state)
{
	char buf[4];
	uint32_t cp;
	size_t n;

	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++) {
		n = utf8_encode(c, buf);
		assert_int_equal(utf8_decode(buf, n, &cp), n);
		assert_int_equal(cp, c >= 0xd800 && c <= 0xdfff ? 0xfffd : c);
	}
	assert_int_equal(utf8_encode(0x110000, buf), 3);
}

static void
widths(void **state)
{
	(void)state;
	assert_int_equal(utf8_cp_width('a'), 1);
	assert_int_equal(utf8_cp_width(0xe4), 1);
	assert_int_equal(utf8_cp_width(0x301), 0);
	assert_int_equal(utf8_cp_width(0x4e2d), 2);
	assert_int_equal(utf8_cp_width(0xac00), 2);
	assert_int_equal(utf8_cp_width(0x1f418), 2);
	assert_int_equal(utf8_cp_width(0xff21), 2);
	assert_int_equal(utf8_cp_width(0x200b), 0);
	assert_int_equal(utf8_cp_width(0x7f), -1);
	assert_int_equal(utf8_cp_width(0x9b), -1);
	assert_int_equal(utf8_cp_width('\n'), -1);
	assert_int_equal(utf8_width("a\xe4\xb8\xad"
	                            "e\xcc\x81",
	                     7),
	    4);
	assert_int_equal(utf8_width("", 0), 0);
}

static void
fits_whole_characters(void **state)
{
	const char *s = "a\xe4\xb8\xad"
	                "e\xcc\x81x";
	int used;

	(void)state;
	assert_int_equal(utf8_fit(s, strlen(s), 0, &used), 0);
	assert_int_equal(used, 0);
	assert_int_equal(utf8_fit(s, strlen(s), 2, &used), 1);
	assert_int_equal(used, 1);
	assert_int_equal(utf8_fit(s, strlen(s), 3, &used), 4);
	/* A mark stays with its letter. */
	assert_int_equal(utf8_fit(s, strlen(s), 4, &used), 7);
	assert_int_equal(used, 4);
	assert_int_equal(utf8_fit(s, strlen(s), 99, NULL), 8);
}

static void
controls_never_pass(void **state)
{
	(void)state;
	ONE("a\x1b[2Jb", "a" BAD "[2Jb");
	ONE("a\x07\x08"
	    "b",
	    "a" BAD BAD "b");
	ONE("\x7f", BAD);
	ONE("a\0b", "a" BAD "b");
	/* C1 as UTF-8 and as a bare byte: CSI both */
	ONE("\xc2\x9b"
	    "31m",
	    BAD "31m");
	ONE("\x9b"
	    "31m",
	    BAD "31m");
	MANY("a\x1b]0;title\x07", "a" BAD "]0;title" BAD);
}

static void
invisible_and_turning_characters_are_shown(void **state)
{
	(void)state;
	ONE("a\xe2\x80\xae"
	    "b",
	    "a" BAD "b"); /* RLO */
	ONE("a\xe2\x81\xa6"
	    "b",
	    "a" BAD "b"); /* LRI */
	ONE("a\xd8\x9c"
	    "b",
	    "a" BAD "b"); /* ALM */
	ONE("a\xe2\x80\x8b"
	    "b",
	    "a" BAD "b"); /* zero-width space */
	ONE("a\xe2\x80\xa8"
	    "b",
	    "a" BAD "b"); /* line separator */
	ONE("a\xef\xbb\xbf"
	    "b",
	    "a" BAD "b"); /* byte order mark */
	ONE("a\xc2\xad"
	    "b",
	    "a" BAD "b"); /* soft hyphen */
	ONE("a\xf3\xa0\x81\x81"
	    "b",
	    "a" BAD "b"); /* tag A */
	ONE("a\xef\xb8\x8f"
	    "b",
	    "a" BAD "b"); /* variation selector */
	ONE("a\xed\xa0\x80"
	    "b",
	    "a" BAD BAD BAD "b"); /* surrogate */
	ONE("a\xef\xbf\xbf"
	    "b",
	    "a" BAD "b"); /* non-character */
}

static void
invalid_bytes_stand_alone(void **state)
{
	(void)state;
	ONE("caf\xe9 au lait", "caf" BAD " au lait");
	ONE("\xe2\x82", BAD BAD);
	ONE("\xc3\xa4\xff\xc3\xb6", "\xc3\xa4" BAD "\xc3\xb6");
	ONE("\xf0\x9f\x90", BAD BAD BAD);
}

static void
marks_are_limited(void **state)
{
	(void)state;
	ONE("e\xcc\x81", "e\xcc\x81");
	ONE("\xcc\x81"
	    "e",
	    BAD "e");
	ONE("e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
	    "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81" BAD BAD);
	/* Not onto a blank: it would show on the column's border. */
	ONE("a \xcc\x81", "a " BAD);
}

static void
white_space(void **state)
{
	(void)state;
	ONE("  select\n\t *  from\r\nt ", "select * from t");
	ONE(" \n ", "");
	MANY("a\nb\r\nc", "a\nb\nc");
	MANY("a\rb", "a" BAD "b");
	MANY("a\tb\n\tc", "a       b\n        c");
	MANY("  a  ", "  a  ");
}

static void
ascii_only(void **state)
{
	(void)state;
	utf8_enabled = false;
	ONE("\xc3\xa4\x1b\xff\xe4\xb8\xad"
	    "a",
	    "????a");
	utf8_enabled = true;
}

static void
clean_is_what_clean_leaves(void **state)
{
	static const char *const texts[] = { "a\nb\tc", "\xc3\xa4\xe4\xb8\xad", "" };
	static const char *const dirty[] = { "\x1b", "\r", "\xc2\x85", "\xff", "\xe2\x80\xae",
		"a\x7f" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_true(utf8_is_clean(texts[i], strlen(texts[i])));
	for (size_t i = 0; i < ARRAY_LEN(dirty); i++)
		assert_false(utf8_is_clean(dirty[i], strlen(dirty[i])));
	assert_false(utf8_is_clean("a\0b", 3));
}

/* All pairs of bytes and a third: whatever goes in, clean text comes out, and cleaning it again
 * changes nothing. */
static void
cleaning_is_complete(void **state)
{
	struct strbuf once = STRBUF_INIT(100), twice = STRBUF_INIT(100);
	static const char thirds[] = "a\x80\xbf\x9b\xae\xff \n";
	char in[3];

	(void)state;
	for (int i = 0; i < 65536; i++) {
		in[0] = (char)(i >> 8);
		in[1] = (char)i;
		for (size_t t = 0; t < sizeof(thirds) - 1; t++) {
			in[2] = thirds[t];
			for (int one_line = 0; one_line < 2; one_line++) {
				strbuf_clear(&once);
				strbuf_clear(&twice);
				utf8_clean(&once, in, 3, one_line);
				assert_true(utf8_is_clean(once.buf, once.len));
				utf8_clean(&twice, once.buf, once.len, one_line);
				assert_string_equal(once.buf, twice.buf);
			}
		}
	}
	strbuf_release(&once);
	strbuf_release(&twice);
}

static bool
finds(const char *s, const char *needle)
{
	return utf8_find_fold(s, strlen(s), needle, strlen(needle));
}

static void
case_blind(void **state)
{
	(void)state;
	assert_true(finds("SELECT * FROM t", "from"));
	assert_true(finds("aab", "ab"));
	assert_true(finds("x", ""));
	assert_false(finds("", "x"));
	assert_false(finds("fro", "from"));
	assert_true(finds("GR\xc3\x9c\xc3\x9f"
	                  "E",
	    "gr\xc3\xbc\xc3\x9f"
	    "e"));
	assert_true(finds("\xd0\x9c\xd0\x98\xd0\xa0", "\xd0\xbc\xd0\xb8\xd1\x80"));
	assert_true(finds("\xce\x91\xce\xa9", "\xce\xb1\xcf\x89"));
	assert_true(finds("a\xff", "\xff"));
	assert_false(finds("a\xfe", "\xff"));
	assert_true(utf8_equal_fold("ABC", 3, "abc", 3));
	assert_false(utf8_equal_fold("ABCD", 4, "abc", 3));
	assert_false(utf8_equal_fold("AB", 2, "abc", 3));
	assert_int_equal(utf8_cp_fold(0xd7), 0xd7);
	assert_int_equal(utf8_cp_fold(0x160), 0x161);
	assert_int_equal(utf8_cp_fold(0x161), 0x161);
	assert_int_equal(utf8_cp_fold(0x17d), 0x17e);
	assert_int_equal(utf8_cp_fold(0x401), 0x451);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_strictly),
		cmocka_unit_test(every_code_point_comes_back),
		cmocka_unit_test(widths),
		cmocka_unit_test(fits_whole_characters),
		cmocka_unit_test(controls_never_pass),
		cmocka_unit_test(invisible_and_turning_characters_are_shown),
		cmocka_unit_test(invalid_bytes_stand_alone),
		cmocka_unit_test(marks_are_limited),
		cmocka_unit_test(white_space),
		cmocka_unit_test(ascii_only),
		cmocka_unit_test(clean_is_what_clean_leaves),
		cmocka_unit_test(cleaning_is_complete),
		cmocka_unit_test(case_blind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
