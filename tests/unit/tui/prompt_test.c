/* Tests of tui/prompt.c: editing key by key, history, completion. No terminal takes part. */
#include "config.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/utf8.h"
#include "tui/key.h"
#include "tui/prompt.h"

static char path[64];

static void
complete(void *ctx, const char *line, int point, int *start,
    void (*add)(void *arg, const char *text), void *arg)
{
	static const char *const words[] = { "sort", "save", "save-view", "theme" };

	(void)ctx;
	*start = point;
	while (*start > 0 && line[*start - 1] != ' ')
		--*start;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strncmp(words[i], line + *start, (size_t)(point - *start)) == 0)
			add(arg, words[i]);
}

static void
setup_prompt(void)
{
	prompt_setup(path, (struct prompt_completer){ complete, NULL });
}

/* Presses keys written as in keymaps; the last result. */
static enum prompt_result
press(const char *keys, const char **line)
{
	enum prompt_result result = PROMPT_EDITING;
	while (*keys) {
		uint32_t key;
		size_t n = key_parse(keys, &key);
		assert_true(n > 0);
		result = prompt_key(key, line);
		keys += n;
	}
	return result;
}

static void
type(const char *keys)
{
	const char *line;
	assert_int_equal(press(keys, &line), PROMPT_EDITING);
}

static void
lines_are_edited(void **state)
{
	const char *line;

	(void)state;
	setup_prompt();
	prompt_open(PROMPT_COMMAND, ":", "");
	type("sort<Space>pid");
	assert_string_equal(prompt_text(), "sort pid");
	type("<C-a>x<Delete><C-e><C-w>age<Left><Left><Backspace>p");
	assert_string_equal(prompt_text(), "xort pge");
	type("<Home><C-k>filter<Space>grün<M-b><M-d>");
	assert_string_equal(prompt_text(), "filter ");
	assert_int_equal(press("a<Enter>", &line), PROMPT_ACCEPTED);
	assert_string_equal(line, "filter a");
	assert_false(prompt_is_open());
}

static void
ways_out(void **state)
{
	const char *line;
	static const char *const keys[] = { "<Esc>", "<C-c>", "<C-g>", "<Backspace>", "<C-d>" };

	(void)state;
	setup_prompt();
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		prompt_open(PROMPT_COMMAND, ":", "");
		assert_int_equal(press(keys[i], &line), PROMPT_CANCELLED);
		assert_false(prompt_is_open());
	}
	/* With text, Backspace and Ctrl-D edit. */
	prompt_open(PROMPT_COMMAND, ":", "ab");
	type("<Backspace><C-a><C-d>");
	assert_string_equal(prompt_text(), "");
	prompt_close();
}

static void
history_outlives_the_program(void **state)
{
	const char *line;
	char text[200] = "";

	(void)state;
	setup_prompt();
	prompt_open(PROMPT_COMMAND, ":", "");
	press("first<Space>one<Enter>", &line);
	prompt_open(PROMPT_COMMAND, ":", "");
	press("second<Enter>", &line);
	prompt_open(PROMPT_COMMAND, ":", "");
	press("second<Enter>", &line);
	/* What holds a password stays in memory. */
	prompt_open(PROMPT_COMMAND, ":", "");
	press("diagnose<Space>connect<Space>postgres://me:planted@h/db<Enter>", &line);
	prompt_open(PROMPT_COMMAND, ":", "");
	type("<Up>");
	assert_string_equal(prompt_text(), "diagnose connect postgres://me:planted@h/db");
	prompt_close();
	/* Answers and filters are not commands. */
	prompt_open(PROMPT_ANSWER, "? ", "");
	press("secret<Enter>", &line);
	prompt_open(PROMPT_FILTER, "/", "");
	press("needle<Enter>", &line);
	prompt_teardown();
	setup_prompt();
	prompt_open(PROMPT_COMMAND, ":", "");
	type("<Up>");
	assert_string_equal(prompt_text(), "second");
	type("<Up>");
	assert_string_equal(prompt_text(), "first one");
	prompt_close();
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	assert_non_null(strstr(text, "first one\nsecond\n"));
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "planted"));
	assert_null(strstr(text, "needle"));
	assert_null(strstr(text, "second\nsecond"));
}

static void
search_backwards(void **state)
{
	const char *line;

	(void)state;
	setup_prompt();
	prompt_open(PROMPT_COMMAND, ":", "");
	press("alpha<Space>1<Enter>", &line);
	prompt_open(PROMPT_COMMAND, ":", "");
	press("beta<Space>2<Enter>", &line);
	prompt_open(PROMPT_COMMAND, ":", "");
	type("<C-r>alp");
	assert_string_equal(prompt_text(), "alpha 1");
	assert_int_equal(press("<Enter>", &line), PROMPT_ACCEPTED);
	assert_string_equal(line, "alpha 1");
}

static void
words_are_completed(void **state)
{
	(void)state;
	setup_prompt();
	prompt_open(PROMPT_COMMAND, ":", "");
	type("th<Tab>");
	assert_string_equal(prompt_text(), "theme ");
	type("<C-u>sa<Tab>");
	assert_string_equal(prompt_text(), "save");
	assert_true(prompt_extra_rows(80, 10) > 0);
	type("-");
	assert_int_equal(prompt_extra_rows(80, 10), 0);
	type("<Tab>");
	assert_string_equal(prompt_text(), "save-view ");
	type("zz<Tab>");
	assert_string_equal(prompt_text(), "save-view zz");
	prompt_close();
}

static void
pastes_are_one_line(void **state)
{
	static const char paste[] = "select 1;\n drop\ttable\x1b[31m x";

	(void)state;
	setup_prompt();
	prompt_open(PROMPT_COMMAND, ":", "a");
	prompt_paste(paste, sizeof(paste) - 1);
	assert_null(strchr(prompt_text(), '\n'));
	assert_null(strchr(prompt_text(), '\x1b'));
	assert_non_null(strstr(prompt_text(), "aselect 1; drop table"));
	prompt_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_edited),
		cmocka_unit_test(ways_out),
		cmocka_unit_test(history_outlives_the_program),
		cmocka_unit_test(search_backwards),
		cmocka_unit_test(words_are_completed),
		cmocka_unit_test(pastes_are_one_line),
	};
	if (!setlocale(LC_ALL, "C.UTF-8"))
		return 77;
	utf8_enabled = true;
	unsetenv("INPUTRC");
	snprintf(path, sizeof(path), "/tmp/prompt-%ld.history", (long)getpid());
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	prompt_teardown();
	unlink(path);
	return failed;
}
