/* The command line: a contract. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/options.h"
#include "base/mem.h"

enum { MAX_WORDS = 32 };

/* Parse "pgmedic " and words separated by '|'. The words must live as long as the options: they
 * leak into one arena. */
static bool
parse(struct arena *arena, const char *line, struct options *opt, struct error *err)
{
	char *argv[MAX_WORDS + 1];
	int argc = 0;

	argv[argc++] = arena_strdup(arena, "pgmedic");
	while (*line && argc < MAX_WORDS) {
		size_t n = strcspn(line, "|");

		argv[argc++] = arena_strndup(arena, line, n);
		line += n + (line[n] == '|');
	}
	argv[argc] = NULL;
	memset(err, 0, sizeof(*err));
	return options_parse(opt, argc, argv, err);
}

static void
console_words(void **state)
{
	struct arena arena = { 0 };
	struct options opt;
	struct error err;

	(void)state;
	assert_true(parse(&arena,
	    "-h|db1|-p5433|-Uapp|-d|shop|--pane=locks|--refresh|0.5|prod|service=x", &opt, &err));
	assert_int_equal(opt.verb, VERB_CONSOLE);
	assert_string_equal(opt.host, "db1");
	assert_string_equal(opt.port, "5433");
	assert_string_equal(opt.user, "app");
	assert_string_equal(opt.database, "shop");
	assert_string_equal(opt.pane, "locks");
	assert_int_equal(opt.refresh_ms, 500);
	assert_int_equal(opt.nargs, 2);
	assert_string_equal(opt.args[0], "prod");
	options_release(&opt);
	arena_release(&arena);
}

static void
subcommands(void **state)
{
	struct arena arena = { 0 };
	struct options opt;
	struct error err;

	(void)state;
	assert_true(parse(&arena, "show|activity|--json|--limit=5|prod", &opt, &err));
	assert_int_equal(opt.verb, VERB_SHOW);
	assert_true(opt.json);
	assert_int_equal(opt.limit, 5);
	assert_int_equal(opt.nargs, 2);
	options_release(&opt);
	assert_true(parse(&arena, "--json|run|cancel 1|--yes", &opt, &err));
	assert_int_equal(opt.verb, VERB_RUN);
	assert_true(opt.yes);
	options_release(&opt);
	/* the lab reads its own options */
	assert_true(parse(&arena, "lab|status|--json", &opt, &err));
	assert_int_equal(opt.verb, VERB_LAB);
	assert_int_equal(opt.nargs, 2);
	options_release(&opt);
	/* help wins over what is missing */
	assert_true(parse(&arena, "show|--help", &opt, &err));
	assert_int_equal(opt.verb, VERB_HELP);
	assert_string_equal(opt.args[0], "show");
	options_release(&opt);
	assert_true(parse(&arena, "--version|nonsense", &opt, &err));
	assert_int_equal(opt.verb, VERB_VERSION);
	options_release(&opt);
	/* behind "--" a subcommand's name is a target */
	assert_true(parse(&arena, "--|show", &opt, &err));
	assert_int_equal(opt.verb, VERB_CONSOLE);
	assert_string_equal(opt.args[0], "show");
	options_release(&opt);
	arena_release(&arena);
}

static void
mistakes(void **state)
{
	static const struct {
		const char *line, *what, *hint;
	} cases[] = {
		{ "--thme|x", "--thme", "--theme" },
		{ "-Z", "-Z", "" },
		{ "--refresh|0", "--refresh", "0.25" },
		{ "--refresh|fast", "--refresh", "" },
		{ "--theme", "--theme", "" },
		{ "-p|70000", "70000", "" },
		{ "show", "show needs", "show PANE" },
		{ "show|a|b|c", "c", "" },
		{ "show|a|--limit|x", "--limit", "" },
		{ "show|a|--json|--csv", "--csv", "" },
		{ "show|a|--at|2026-01-01", "--replay", "" },
		{ "show|a|--yes", "--yes", "" },
		{ "--json", "--json", "" },
		{ "run", "run needs", "" },
		{ "--read-only=1", "--read-only", "" },
	};
	struct arena arena = { 0 };
	struct options opt;
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_false(parse(&arena, cases[i].line, &opt, &err));
		assert_int_equal(err.code, ERR_USAGE);
		assert_int_equal(options_exit_status(&err), EXIT_USAGE);
		assert_non_null(strstr(err.what, cases[i].what));
		assert_non_null(strstr(err.hint, cases[i].hint));
		options_release(&opt);
	}
	arena_release(&arena);
}

static void
statuses(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_set(&err, ERR_CONNECT, "x");
	assert_int_equal(options_exit_status(&err), EXIT_UNREACHABLE);
	error_set(&err, ERR_AUTH, "x");
	assert_int_equal(options_exit_status(&err), EXIT_UNREACHABLE);
	error_set(&err, ERR_REFUSED, "x");
	assert_int_equal(options_exit_status(&err), EXIT_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_words),
		cmocka_unit_test(subcommands),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(statuses),
	};

	return cmocka_run_group_tests_name("app/options", tests, NULL, NULL);
}
