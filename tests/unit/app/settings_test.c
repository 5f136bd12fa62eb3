/* Configuration: what is right counts, what is wrong is told with its line and skipped. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/settings.h"
#include "app/targets.h"

static char path[600];

static void
write_conf(const char *text)
{
	const char *tmp = getenv("TMPDIR");
	FILE *f;

	snprintf(path, sizeof(path), "%s/conf.%ld", tmp ? tmp : "/tmp", (long)getpid());
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static bool
has_problem(const struct settings *s, int line, const char *part)
{
	char at[16];

	snprintf(at, sizeof(at), ":%d: ", line);
	for (int i = 0; i < s->nproblems; i++)
		if (strstr(s->problems[i], at) && strstr(s->problems[i], part))
			return true;
	return false;
}

static void
defaults(void **state)
{
	struct settings s;

	(void)state;
	settings_read(&s, "/nonexistent/pgmedic.conf");
	assert_string_equal(settings_get(&s, "pane"), "overview");
	assert_int_equal(settings_ms(&s, "refresh"), 1000);
	assert_true(settings_bool(&s, "mouse"));
	assert_int_equal(settings_bytes(&s, "rewind"), 16 << 20);
	assert_string_equal(settings_get(&s, "no such"), "");
	settings_release(&s);
}

static void
broken_lines_are_skipped(void **state)
{
	struct settings s;

	(void)state;
	write_conf("[console]\n"
	           "theme = light\n"
	           "thme = x\n"
	           "refresh = soon\n"
	           "pane = lokcs\n"
	           "columns.activity = pid,usr\n"
	           "mouse = maybe\n"
	           "[consol]\n"
	           "a = b\n"
	           "[target prod]\n"
	           "conninfo = host=db1\n"
	           "colour = red\n"
	           "color = pink\n"
	           "rewind = 1\n");
	settings_read(&s, path);
	assert_string_equal(settings_get(&s, "theme"), "light");
	assert_int_equal(settings_ms(&s, "refresh"), 1000);
	assert_true(has_problem(&s, 3, "theme"));
	assert_true(has_problem(&s, 4, "soon"));
	assert_true(has_problem(&s, 5, "locks"));
	assert_true(has_problem(&s, 6, "user"));
	assert_true(has_problem(&s, 7, "maybe"));
	assert_true(has_problem(&s, 9, "console"));
	assert_true(has_problem(&s, 12, "color"));
	assert_true(has_problem(&s, 13, "pink"));
	assert_true(has_problem(&s, 14, "rewind"));
	settings_release(&s);
	unlink(path);
}

static void
values(void **state)
{
	struct settings s;
	struct error err = { 0 };
	int64_t bytes;
	bool b;
	int ms;

	(void)state;
	assert_true(settings_parse_seconds("2s", &ms) && ms == 2000);
	assert_true(settings_parse_seconds("250ms", &ms) && ms == 250);
	assert_false(settings_parse_seconds("0.1", &ms));
	assert_false(settings_parse_seconds("nan", &ms));
	assert_true(settings_parse_bytes("16MB", &bytes) && bytes == 16 << 20);
	assert_false(settings_parse_bytes("-1", &bytes));
	assert_true(settings_parse_bool("OFF", &b) && !b);
	settings_read(&s, "/nonexistent/pgmedic.conf");
	assert_true(settings_set(&s, "refresh", "5", &err));
	assert_int_equal(settings_ms(&s, "refresh"), 5000);
	assert_true(settings_set(&s, "refresh", "6", &err));
	assert_int_equal(settings_ms(&s, "refresh"), 6000);
	assert_false(settings_set(&s, "refres", "6", &err));
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.hint, "refresh"));
	settings_release(&s);
}

/* ------------------------------------------------------------------ targets */

static const char *const pg_names[] = { "PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE",
	"PGSERVICE" };

static int
clean_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pg_names); i++)
		unsetenv(pg_names[i]);
	return 0;
}

static void
conninfo_words(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	assert_string_equal(conninfo_with(&arena, "", "host", "db 1"), "host='db 1'");
	assert_string_equal(
	    conninfo_with(&arena, "host=a", "host", "it's\\x"), "host=a host='it\\'s\\\\x'");
	assert_string_equal(
	    conninfo_with(&arena, "postgresql://u@h/d", "port", "1"), "postgresql://u@h/d?port=1");
	assert_string_equal(conninfo_with(&arena, "postgresql://h?sslmode=require", "user", "a&b"),
	    "postgresql://h?sslmode=require&user=a%26b");
	assert_string_equal(conninfo_with(&arena, "host=a", "port", ""), "host=a");
	arena_release(&arena);
}

static void
target_words(void **state)
{
	const char *words[] = { "prod", "postgresql://u:secret@db2:5433/shop?sslmode=require",
		"service=east", "host=h port=1" };
	struct options opt = { .limit = -1, .user = "dba" };
	struct settings s;
	struct targets t;
	struct error err = { 0 };

	(void)state;
	write_conf("[target prod]\nconninfo = host=db1\nprotected = yes\ncolor = red\nrefresh = 5\n"
	           "[target ro]\nconninfo = host=db3\nread_only = on\n");
	settings_read(&s, path);
	assert_int_equal(s.nproblems, 0);
	assert_true(targets_resolve(&t, &opt, &s, words, 4, &err));
	assert_int_equal(t.n, 4);
	assert_string_equal(t.items[0].name, "prod");
	assert_string_equal(t.items[0].conninfo, "host=db1 user='dba'");
	assert_true(t.items[0].is_protected);
	assert_string_equal(t.items[0].color, "red");
	assert_int_equal(t.items[0].refresh_ms, 5000);
	assert_string_equal(t.items[1].name, "db2:5433/shop");
	assert_null(strstr(t.items[1].name, "secret"));
	assert_string_equal(t.items[2].name, "east");
	assert_string_equal(t.items[3].name, "h:1");
	assert_int_equal(targets_find(&t, "pr"), 0);
	assert_int_equal(targets_find(&t, "nothing"), -1);
	targets_release(&t);

	/* Without words: the sections, in the file's order. */
	opt.user = NULL;
	opt.read_only = true;
	assert_true(targets_resolve(&t, &opt, &s, NULL, 0, &err));
	assert_int_equal(t.n, 2);
	assert_string_equal(t.items[0].read_only_why, "--read-only");
	assert_non_null(strstr(t.items[1].read_only_why, "[target ro]"));
	targets_release(&t);

	/* -h names a server: then the sections stay out. */
	opt.host = "db9";
	assert_true(targets_resolve(&t, &opt, &s, NULL, 0, &err));
	assert_int_equal(t.n, 1);
	assert_string_equal(t.items[0].name, "db9");
	targets_release(&t);
	settings_release(&s);
	unlink(path);
}

/* A slip of the pen must not open what was meant to be guarded. */
static void
unreadable_guards_hold(void **state)
{
	struct options opt = { .limit = -1 };
	struct settings s;
	struct targets t;
	struct error err = { 0 };

	(void)state;
	write_conf("[target prod]\nconninfo = host=db1\nprotected = yse\nread_only = treu\n");
	settings_read(&s, path);
	assert_int_equal(s.nproblems, 2);
	assert_true(targets_resolve(&t, &opt, &s, NULL, 0, &err));
	assert_true(t.items[0].is_protected);
	assert_true(t.items[0].is_read_only);
	targets_release(&t);
	settings_release(&s);
	unlink(path);
}

static void
unknown_target(void **state)
{
	const char *words[] = { "shwo" };
	struct options opt = { .limit = -1 };
	struct settings s;
	struct targets t;
	struct error err = { 0 };

	(void)state;
	settings_read(&s, "/nonexistent/pgmedic.conf");
	assert_false(targets_resolve(&t, &opt, &s, words, 1, &err));
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.hint, "show"));
	targets_release(&t);
	settings_release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(broken_lines_are_skipped),
		cmocka_unit_test(values),
		cmocka_unit_test(conninfo_words),
		cmocka_unit_test(target_words),
		cmocka_unit_test(unreadable_guards_hold),
		cmocka_unit_test(unknown_target),
	};

	return cmocka_run_group_tests_name("app/settings", tests, clean_environment, NULL);
}
