/* Tests of tui/theme.c. */
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
#include "tui/theme.h"

static struct theme theme;
static struct doc problems;

static void
parse(const char *text)
{
	doc_reset(&problems);
	theme_parse(&theme, text, "t.theme", &problems);
}

static void
colours(void **state)
{
	(void)state;
	parse("role warn yellow default bold\n"
	      "  role crit #FF8000 17 underline reverse   # a comment\n"
	      "#role dim red red\n"
	      "role ok bright-green 255 # another\n"
	      "role info gray default\n");
	assert_int_equal(problems.n, 0);
	assert_int_equal(theme.styles[ROLE_WARN].fg, 3);
	assert_int_equal(theme.styles[ROLE_WARN].bg, COLOR_DEFAULT);
	assert_int_equal(theme.styles[ROLE_WARN].attrs, STYLE_BOLD);
	assert_int_equal(theme.styles[ROLE_CRIT].fg, COLOR_IS_RGB | 0xff8000);
	assert_int_equal(theme.styles[ROLE_CRIT].bg, 17);
	assert_int_equal(theme.styles[ROLE_CRIT].attrs, STYLE_UNDERLINE | STYLE_REVERSE);
	assert_int_equal(theme.styles[ROLE_DIM].fg, COLOR_DEFAULT);
	assert_int_equal(theme.styles[ROLE_OK].fg, 10);
	assert_int_equal(theme.styles[ROLE_OK].bg, 255);
	assert_int_equal(theme.styles[ROLE_INFO].fg, 8);
}

static void
monochrome_attributes(void **state)
{
	(void)state;
	/* Both colours default: the same look without colours; else mono- attributes alone. */
	parse("role cursor default default reverse\n"
	      "role warn yellow default bold mono-underline\n"
	      "role cursor black cyan\n");
	assert_int_equal(theme.styles[ROLE_CURSOR].mono, STYLE_REVERSE);
	assert_int_equal(theme.styles[ROLE_CURSOR].attrs, 0);
	assert_int_equal(theme.styles[ROLE_WARN].mono, STYLE_UNDERLINE);
	assert_int_equal(theme.styles[ROLE_WARN].attrs, STYLE_BOLD);
}

static void
bad_lines_are_named_and_skipped(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "role wran red default",
		    "t.theme:1: unknown role \"wran\"; the nearest is \"warn\"" },
		{ "role warn yelow default",
		    "t.theme:1: unknown colour \"yelow\"; the nearest is \"yellow\"" },
		{ "role warn red 256", "t.theme:1: unknown colour \"256\"" },
		{ "role warn #12345g default", "t.theme:1: role needs a name and two colours" },
		{ "role warn red default blod",
		    "t.theme:1: unknown attribute \"blod\"; the nearest is \"bold\"" },
		{ "rle warn red default",
		    "t.theme:1: unknown word \"rle\"; the nearest is \"role\"" },
		{ "role warn", "t.theme:1: role needs a name and two colours" },
		{ "inherit", "t.theme:1: inherit needs the name of a theme" },
		{ "inherit nowhere", "t.theme:1: there is no theme \"nowhere\"" },
		{ "role 'warn", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[200];
		snprintf(text, sizeof(text), "%s\nrole ok green default\n", cases[i].text);
		parse(text);
		assert_int_equal(problems.n, 1);
		if (cases[i].said)
			assert_string_equal(problems.lines[0].text, cases[i].said);
		assert_int_equal(theme.styles[ROLE_OK].fg, 2);
	}
}

static void
every_built_in_theme_is_whole(void **state)
{
	struct arena arena = { 0 };
	const char *const *names = datafile_names(&arena, "themes", ".theme");
	int n = 0;

	(void)state;
	for (; names[n]; n++) {
		struct error err = { 0 };
		doc_reset(&problems);
		assert_true(theme_load(&theme, names[n], &problems, &err));
		assert_int_equal(problems.n, 0);
		assert_string_equal(theme.name, names[n]);
		/* Where the cursor is, and what is critical, must be seen without colours too. */
		assert_int_not_equal(theme.styles[ROLE_CURSOR].mono, 0);
		assert_int_not_equal(theme.styles[ROLE_CRIT].mono, 0);
		assert_int_not_equal(theme.styles[ROLE_STALE].mono, 0);
	}
	assert_true(n >= 7);
	struct error err = { 0 };
	assert_false(theme_load(&theme, "drak", &problems, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_non_null(strstr(err.hint, "dark"));
	arena_release(&arena);
}

static void
fewer_colours(void **state)
{
	bool bold;

	(void)state;
	assert_int_equal(
	    theme_color(COLOR_IS_RGB | 0xff0000, 1 << 24, &bold), COLOR_IS_RGB | 0xff0000);
	assert_int_equal(theme_color(COLOR_IS_RGB | 0xff0000, 256, &bold), 196);
	assert_int_equal(theme_color(COLOR_IS_RGB | 0x808080, 256, &bold), 244);
	assert_int_equal(theme_color(COLOR_IS_RGB | 0xff0000, 16, &bold), 9);
	assert_int_equal(theme_color(COLOR_IS_RGB | 0xff0000, 8, &bold), 1);
	assert_true(bold);
	assert_int_equal(theme_color(208, 16, &bold), 3);
	assert_int_equal(theme_color(12, 8, &bold), 4);
	assert_true(bold);
	assert_int_equal(theme_color(4, 8, &bold), 4);
	assert_false(bold);
	assert_int_equal(theme_color(4, 0, &bold), COLOR_DEFAULT);
	assert_int_equal(theme_color(COLOR_DEFAULT, 256, &bold), COLOR_DEFAULT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(colours),
		cmocka_unit_test(monochrome_attributes),
		cmocka_unit_test(bad_lines_are_named_and_skipped),
		cmocka_unit_test(every_built_in_theme_is_whole),
		cmocka_unit_test(fewer_colours),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	doc_release(&problems);
	return failed;
}
