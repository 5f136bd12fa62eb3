/* Tests of base/conf.c. */
#include "config.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf.h"

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/pgmedic-conf-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int
drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *
in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
is_entry(
    const struct conf *c, int i, const char *section, const char *key, const char *value, int line)
{
	assert_true(i < c->n);
	assert_string_equal(c->entries[i].section, section);
	assert_string_equal(c->entries[i].key, key);
	assert_string_equal(c->entries[i].value, value);
	assert_int_equal(c->entries[i].line, line);
}

static void
reads_sections_and_lines(void **state)
{
	struct error err;
	struct conf c;

	(void)state;
	put("a.conf",
	    "\xef\xbb\xbftop = 1\n# comment\n; comment\n\n[console]\n  refresh = 2 ; seconds\n"
	    "\ttheme: nord\r\n[target prod]\nuri=postgresql://a:b@c/d?x=y;z\nempty =\n");
	assert_true(conf_read(&c, in_dir("a.conf"), &err));
	assert_int_equal(c.n, 5);
	is_entry(&c, 0, "", "top", "1", 1);
	is_entry(&c, 1, "console", "refresh", "2", 6);
	is_entry(&c, 2, "console", "theme", "nord", 7);
	is_entry(&c, 3, "target prod", "uri", "postgresql://a:b@c/d?x=y;z", 9);
	is_entry(&c, 4, "target prod", "empty", "", 10);
	assert_int_equal(c.nbad, 0);
	conf_release(&c);
	conf_release(&c);
}

static void
finds_all_bad_lines(void **state)
{
	struct error err;
	struct conf c;

	(void)state;
	put("b.conf", "what is this\n[ok]\na=1\n[open\n= no key\nb=2\nlast");
	assert_true(conf_read(&c, in_dir("b.conf"), &err));
	assert_int_equal(c.n, 2);
	is_entry(&c, 1, "ok", "b", "2", 6);
	assert_int_equal(c.nbad, 4);
	assert_int_equal(c.bad_lines[0], 1);
	assert_int_equal(c.bad_lines[1], 4);
	assert_int_equal(c.bad_lines[2], 5);
	assert_int_equal(c.bad_lines[3], 7);
	assert_int_equal(c.bad_lines[4], 0);
	conf_release(&c);
}

static void
long_values_are_whole(void **state)
{
	char text[4000], value[1001];
	struct error err;
	struct conf c;

	(void)state;
	memset(value, 'v', 1000);
	value[1000] = '\0';
	snprintf(text, sizeof(text), "[s]\nlong = %s ; comment\nnext=1\n%s\n[%.60s]\n", value,
	    value, value);
	put("c.conf", text);
	assert_true(conf_read(&c, in_dir("c.conf"), &err));
	assert_int_equal(c.n, 2);
	is_entry(&c, 0, "s", "long", value, 2);
	is_entry(&c, 1, "s", "next", "1", 3);
	assert_int_equal(c.nbad, 2);
	assert_int_equal(c.bad_lines[0], 4);
	assert_int_equal(c.bad_lines[1], 5);
	conf_release(&c);
}

static void
missing_is_empty_unreadable_is_an_error(void **state)
{
	struct error err;
	struct conf c;

	(void)state;
	assert_true(conf_read(&c, in_dir("none"), &err));
	assert_int_equal(c.n, 0);
	conf_release(&c);
	assert_false(conf_read(&c, dir, &err));
	assert_int_equal(err.code, ERR_FILE);
	conf_release(&c);
}

static void
paths_follow_xdg(void **state)
{
	struct arena a = { 0 };

	(void)state;
	setenv("HOME", "/home/x", 1);
	unsetenv("XDG_CONFIG_HOME");
	assert_string_equal(path_config(&a, NULL), "/home/x/.config/pgmedic");
	assert_string_equal(
	    path_config(&a, "pgmedic.conf"), "/home/x/.config/pgmedic/pgmedic.conf");
	setenv("XDG_CONFIG_HOME", "/etc/xdg", 1);
	assert_string_equal(path_config(&a, "a/b"), "/etc/xdg/pgmedic/a/b");
	/* The specification: relative values are ignored. */
	setenv("XDG_CONFIG_HOME", "relative", 1);
	assert_string_equal(path_config(&a, NULL), "/home/x/.config/pgmedic");
	arena_release(&a);
}

static void
state_folders_are_private(void **state)
{
	struct arena a = { 0 };
	struct stat st;
	char expected[256];

	(void)state;
	setenv("XDG_STATE_HOME", dir, 1);
	snprintf(expected, sizeof(expected), "%s/pgmedic/recordings/today", dir);
	assert_string_equal(path_state(&a, "recordings/today"), expected);
	assert_int_equal(stat(in_dir("pgmedic/recordings"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(expected, &st), -1);
	arena_release(&a);
}

static void
data_is_looked_for_in_order(void **state)
{
	struct arena a = { 0 };
	struct error err;
	char expected[256];

	(void)state;
	setenv("XDG_CONFIG_HOME", dir, 1);
	unsetenv("PGMEDIC_DATADIR");
	assert_null(path_data(&a, "themes/no-such.theme"));
	assert_true(path_make(in_dir("share/themes"), &err));
	put("share/themes/x.theme", "");
	snprintf(expected, sizeof(expected), "%s", in_dir("share"));
	setenv("PGMEDIC_DATADIR", expected, 1);
	snprintf(expected, sizeof(expected), "%s", in_dir("share/themes/x.theme"));
	assert_string_equal(path_data(&a, "themes/x.theme"), expected);
	assert_true(path_make(in_dir("pgmedic/themes"), &err));
	put("pgmedic/themes/x.theme", "");
	snprintf(expected, sizeof(expected), "%s", in_dir("pgmedic/themes/x.theme"));
	assert_string_equal(path_data(&a, "themes/x.theme"), expected);
	unsetenv("PGMEDIC_DATADIR");
	arena_release(&a);
}

static void
folders_are_made_or_refused(void **state)
{
	struct error err;

	(void)state;
	assert_true(path_make(in_dir("a//b/c/"), &err));
	assert_true(path_make(in_dir("a/b/c"), &err));
	put("file", "");
	assert_false(path_make(in_dir("file/x"), &err));
	assert_int_equal(err.code, ERR_FILE);
	assert_false(path_make(in_dir("file"), &err));
	assert_false(path_make("", &err));
	assert_true(path_make("/", &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_sections_and_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_all_bad_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(long_values_are_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    missing_is_empty_unreadable_is_an_error, setup, teardown),
		cmocka_unit_test(paths_follow_xdg),
		cmocka_unit_test_setup_teardown(state_folders_are_private, setup, teardown),
		cmocka_unit_test_setup_teardown(data_is_looked_for_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(folders_are_made_or_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
