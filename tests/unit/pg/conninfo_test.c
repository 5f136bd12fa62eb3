/* What a child process gets of a connection string. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "pg/conninfo.h"

static const char *
variable(const struct conninfo_env *env, const char *name)
{
	for (int i = 0; i < env->n; i++)
		if (strcmp(env->names[i], name) == 0)
			return env->values[i];
	return "";
}

/* The rest becomes an argument, which everybody on the machine can read. */
static void
secrets_stay_out_of_the_rest(void **state)
{
	struct arena arena = { 0 };
	struct conninfo_env env;
	struct error err = { 0 };

	(void)state;
	assert_true(conninfo_to_env(&arena,
	    "host=db1 password=first sslpassword=second keepalives_idle=7", NULL, &env, &err));
	assert_string_equal(variable(&env, "PGHOST"), "db1");
	assert_string_equal(variable(&env, "PGPASSWORD"), "");
	assert_string_equal(env.passfile, "*:*:*:*:first\n");
	assert_null(strstr(env.rest, "first"));
	assert_null(strstr(env.rest, "second"));
	assert_non_null(strstr(env.rest, "keepalives_idle='7'"));
	arena_release(&arena);
}

/* Nor is a password in an environment, which other programs of the user can read. */
static void
a_password_is_for_a_file(void **state)
{
	struct arena arena = { 0 };
	struct conninfo_env env;
	struct error err = { 0 };

	(void)state;
	assert_true(conninfo_to_env(&arena, "host=db1", "a:b\\c", &env, &err));
	assert_string_equal(env.passfile, "*:*:*:*:a\\:b\\\\c\n");
	assert_true(conninfo_to_env(&arena, "host=db1", NULL, &env, &err));
	assert_null(env.passfile);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_stay_out_of_the_rest),
		cmocka_unit_test(a_password_is_for_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
