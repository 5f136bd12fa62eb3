/* Tests of base/lexer.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/lexer.h"

static struct arena arena;

static int
forget(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

/* Words joined by '|'. */
static const char *
split(const char *line, bool with_comments, struct words *words)
{
	struct error err;
	char *all = arena_strdup(&arena, "");

	if (!lex_line(&arena, line, with_comments, words, &err))
		return arena_printf(&arena, "ERROR %s", err.what);
	for (int i = 0; i < words->n; i++)
		all = arena_printf(&arena, "%s%s%s", all, i ? "|" : "", words->w[i].text);
	return all;
}

static void
splits_and_unquotes(void **state)
{
	static const char *const cases[][2] = { { "", "" }, { " \t ", "" }, { "a", "a" },
		{ "  a  bc\td ", "a|bc|d" }, { "a 'b c' d", "a|b c|d" }, { "a'b c'd", "ab cd" },
		{ "'it''s'", "its" }, { "\"say \\\"x\\\" \\\\ \\n\"", "say \"x\" \\ \\n" },
		{ "'\\'", "\\" }, { "a\\ b", "a b" }, { "\\'a\\\"", "'a\"" }, { "a\\", "a\\" },
		{ "''", "" }, { "'' \"\"", "|" }, { "#a b", "#a|b" }, { "a\nb\rc", "a|b|c" } };
	struct words words;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(split(cases[i][0], false, &words), cases[i][1]);
}

static void
knows_places(void **state)
{
	struct words words;

	(void)state;
	split("ab  'c d' e", false, &words);
	assert_int_equal(words.n, 3);
	assert_int_equal(words.w[1].at, 4);
	assert_int_equal(words.w[1].end, 9);
	assert_true(words.w[1].is_quoted);
	assert_false(words.w[2].is_quoted);
	assert_int_equal(words.w[2].at, 10);
	assert_int_equal(words.w[2].end, 11);
	assert_null(words.comment);
}

static void
comments_when_asked(void **state)
{
	struct words words;

	(void)state;
	assert_string_equal(
	    split("bind a#b '#c' \\#d #  note's text", true, &words), "bind|a#b|#c|#d");
	assert_string_equal(words.comment, "note's text");
	assert_string_equal(split("#", true, &words), "");
	assert_string_equal(words.comment, "");
}

static void
open_quotes_are_named(void **state)
{
	struct words words;

	(void)state;
	assert_string_equal(
	    split("a 'b c", false, &words), "ERROR quote ' at column 3 is not closed");
	assert_string_equal(
	    split("x\"\\\"", false, &words), "ERROR quote \" at column 2 is not closed");
}

static void
comes_back(const char *word)
{
	const char *quoted = lex_quote(&arena, word);
	struct words words;
	struct error err;

	assert_true(lex_line(&arena, quoted, true, &words, &err));
	assert_int_equal(words.n, 1);
	assert_string_equal(words.w[0].text, word);
	assert_null(words.comment);
}

/* All words of up to four of the bytes that matter, then one of every byte. */
static void
quoting_comes_back(void **state)
{
	static const char bytes[] = "a '\"\\#\t\n$";
	size_t n = sizeof(bytes) - 1;
	char word[5];

	(void)state;
	for (size_t i = 0; i < n * n * n * n; i++) {
		word[0] = bytes[i % n];
		word[1] = bytes[i / n % n];
		word[2] = bytes[i / n / n % n];
		word[3] = bytes[i / n / n / n];
		for (size_t len = 0; len <= 4; len++) {
			char cut[5] = "";

			memcpy(cut, word, len);
			comes_back(cut);
		}
		arena_reset(&arena);
	}
	for (int c = 1; c < 256; c++) {
		word[0] = (char)c;
		word[1] = '\0';
		comes_back(word);
	}
	assert_string_equal(lex_quote(&arena, "plain_word-1.2/x"), "plain_word-1.2/x");
	assert_string_equal(lex_quote(&arena, "two words"), "'two words'");
	assert_string_equal(lex_quote(&arena, ""), "''");
	assert_string_equal(lex_quote(&arena, "it's"), "\"it's\"");
}

static void
nearest_names(void **state)
{
	static const char *const names[] = { "activity", "locks", "waits", "statements",
		"replication", "sort", "set", NULL };

	(void)state;
	assert_string_equal(nearest_name("locsk", names), "locks");
	assert_string_equal(nearest_name("lokcs", names), "locks");
	assert_string_equal(nearest_name("LOCKS", names), "locks");
	assert_string_equal(nearest_name("act", names), "activity");
	assert_string_equal(nearest_name("repl", names), "replication");
	assert_string_equal(nearest_name("statments", names), "statements");
	assert_string_equal(nearest_name("replicaiton", names), "replication");
	assert_string_equal(nearest_name("sett", names), "set");
	assert_string_equal(nearest_name("s", names), "statements");
	assert_null(nearest_name("xyzzy", names));
	assert_null(nearest_name("q", names));
	assert_null(nearest_name("", names));
	assert_null(nearest_name(
	    "a word that is much longer than any name that we would ever compare with", names));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(splits_and_unquotes, forget),
		cmocka_unit_test_teardown(knows_places, forget),
		cmocka_unit_test_teardown(comments_when_asked, forget),
		cmocka_unit_test_teardown(open_quotes_are_named, forget),
		cmocka_unit_test_teardown(quoting_comes_back, forget),
		cmocka_unit_test(nearest_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
