/* Tests of tui/key.c and tui/keymap.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "tui/datafile.h"
#include "tui/keymap.h"

static bool
is_pane(const char *name)
{
	return strcmp(name, "activity") == 0 || strcmp(name, "locks") == 0;
}

static const char *
near_pane(const char *name)
{
	return *name == 'a' ? "activity" : NULL;
}

static struct keymap map = { .is_pane = is_pane, .near_pane = near_pane };
static struct doc problems;

static void
parse(const char *text)
{
	keymap_release(&map);
	doc_reset(&problems);
	keymap_parse(&map, text, "k.keys", &problems);
}

/* What keys mean in a pane: the command, "?" for the beginning of a sequence, "-" for nothing. */
static const char *
means(const char *pane, const char *keys)
{
	uint32_t list[8];
	int n = 0;
	const struct binding *b;

	for (const char *p = keys; *p && n < 8; n++)
		p += key_parse(p, &list[n]);
	switch (keymap_find(&map, pane, true, list, n, &b)) {
	case KEYMAP_NO:
		return "-";
	case KEYMAP_PREFIX:
		return "?";
	case KEYMAP_YES:
		return b->command;
	}
	return "";
}

static void
keys_have_names(void **state)
{
	static const struct {
		const char *text;
		uint32_t key;
		const char *name;
	} cases[] = {
		{ "a", 'a', "a" },
		{ "A", 'A', "A" },
		{ "<Enter>", TK_ENTER, "<Enter>" },
		{ "<CR>", TK_ENTER, "<Enter>" },
		{ "<esc>", TK_ESC, "<Esc>" },
		{ "<C-a>", 'a' | TK_CTRL, "<C-a>" },
		{ "<C-A>", 'a' | TK_CTRL, "<C-a>" },
		{ "<M-x>", 'x' | TK_ALT, "<M-x>" },
		{ "<S-Tab>", TK_TAB | TK_SHIFT, "<S-Tab>" },
		{ "<S-a>", 'A', "A" },
		{ "<F1>", TK_F0 + 1, "<F1>" },
		{ "<F12>", TK_F0 + 12, "<F12>" },
		{ "<Space>", ' ', "<Space>" },
		{ "<lt>", '<', "<lt>" },
		{ "<Hash>", '#', "<Hash>" },
		{ ">", '>', ">" },
		{ "<M-->", '-' | TK_ALT, "<M-->" },
		{ "ä", 0xe4, "ä" },
		{ "<WheelUp>", TK_WHEEL_UP, "<WheelUp>" },
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t key;
		assert_int_equal(key_parse(cases[i].text, &key), strlen(cases[i].text));
		assert_int_equal(key, cases[i].key);
		assert_string_equal(key_text(key, buf, sizeof(buf)), cases[i].name);
	}
	uint32_t key;
	assert_int_equal(key_parse("<Entr>", &key), 0);
	assert_string_equal(key_nearest("<Entr>"), "Enter");
	assert_int_equal(key_parse("<F99>", &key), 0);
	assert_int_equal(key_parse("\x01", &key), 0);
	assert_int_equal(key_parse("", &key), 0);
}

static void
panes_before_any(void **state)
{
	(void)state;
	parse("bind any x toggle expanded  # the row\n"
	      "bind activity x cancel 1\n"
	      "bind any <C-x>   filter 'a  b' \"c d\"\n"
	      "bind any \" help\n"
	      "bind view x back\n"
	      "unbind locks x\n");
	assert_int_equal(problems.n, 0);
	assert_string_equal(means("activity", "x"), "cancel 1");
	assert_string_equal(means("tables", "x"), "toggle expanded");
	assert_string_equal(means("locks", "x"), "-");
	assert_string_equal(means("view", "x"), "back");
	assert_string_equal(means("tables", "<C-x>"), "filter 'a  b' \"c d\"");
	assert_string_equal(means("tables", "\""), "help");
	assert_string_equal(map.bindings[0].help, "the row");
	assert_false(keymap_is_live(&map, &map.bindings[0], "activity"));
	assert_true(keymap_is_live(&map, &map.bindings[0], "tables"));
}

static void
sequences(void **state)
{
	(void)state;
	parse("bind any g cursor top\n"
	      "bind any ZZ quit\n"
	      "bind any <C-x><C-c> quit\n"
	      "unbind any g\n"
	      "bind any gg cursor bottom\n");
	assert_string_equal(means("x", "g"), "?");
	assert_string_equal(means("x", "gg"), "cursor bottom");
	assert_string_equal(means("x", "ga"), "-");
	assert_string_equal(means("x", "Z"), "?");
	assert_string_equal(means("x", "ZZ"), "quit");
	assert_string_equal(means("x", "<C-x><C-c>"), "quit");
	char buf[96];
	assert_string_equal(binding_keys(&map.bindings[2], buf, sizeof(buf)), "<C-x><C-c>");
}

static void
bad_lines_are_named_and_skipped(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "bnd any x quit", "k.keys:1: unknown word \"bnd\": The nearest is \"bind\"." },
		{ "bind activty x quit",
		    "k.keys:1: unknown pane \"activty\": The nearest is \"activity\"." },
		{ "bind any <Entr> quit",
		    "k.keys:1: unknown key \"<Entr>\": The nearest is \"<Enter>\"." },
		{ "bind any x", "k.keys:1: no command for key \"x\"" },
		{ "bind any x # only a comment", "k.keys:1: no command for key \"x\"" },
		{ "bind any", "k.keys:1: bind needs a pane (or any), a key and a command" },
		{ "bind any abcd quit", "k.keys:1: more than 3 keys in \"abcd\"" },
		{ "unbind any x quit", "k.keys:1: what is \"quit\" after the key" },
		{ "bind any x say 'open", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[200];
		snprintf(text, sizeof(text), "%s\nbind any y yank\n", cases[i].text);
		parse(text);
		assert_int_equal(problems.n, 1);
		if (cases[i].said)
			assert_string_equal(problems.lines[0].text, cases[i].said);
		assert_string_equal(means("locks", "y"), "yank");
	}
}

static void
built_in_keymaps(void **state)
{
	static const char *const acting[] = { "cancel", "terminate", "vacuum", "analyze", "reindex",
		"checkpoint", "reset" };
	struct arena arena = { 0 };
	const char *const *names = datafile_names(&arena, "keymaps", ".keys");
	int n = 0;

	(void)state;
	for (; names[n]; n++) {
		struct keymap built_in = { 0 };
		struct error err = { 0 };
		doc_reset(&problems);
		assert_true(keymap_load(&built_in, names[n], &problems, &err));
		assert_int_equal(problems.n, 0);
		for (int i = 0; i < built_in.n; i++) {
			const struct binding *b = &built_in.bindings[i];
			if (!b->command)
				continue;
			assert_true(*b->help != '\0');
			/* Lower-case keys, control keys and named keys never act. */
			for (size_t a = 0; a < ARRAY_LEN(acting); a++)
				if (strncmp(b->command, acting[a], strlen(acting[a])) == 0)
					assert_true(b->nkeys == 1 && b->keys[0] >= 'A' &&
					    b->keys[0] <= 'Z');
		}
		keymap_release(&built_in);
	}
	assert_true(n >= 4);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_have_names),
		cmocka_unit_test(panes_before_any),
		cmocka_unit_test(sequences),
		cmocka_unit_test(bad_lines_are_named_and_skipped),
		cmocka_unit_test(built_in_keymaps),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	keymap_release(&map);
	doc_release(&problems);
	return failed;
}
