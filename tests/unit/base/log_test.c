/* Tests of base/log.c. */
#include "config.h"

#include <pthread.h>
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

#include "base/log.h"

static char path[] = "/tmp/pgmedic-log-XXXXXX";
static char text[1 << 20];

static int
setup(void **state)
{
	(void)state;
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	setenv("PGMEDIC_NOW", "2026-11-21T07:27:12Z", 1);
	if (!mkdtemp(path))
		return -1;
	return 0;
}

static const char *
file(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s/log", path);
	return name;
}

static int
teardown(void **state)
{
	(void)state;
	log_close();
	unlink(file());
	rmdir(path);
	return 0;
}

static const char *
contents(void)
{
	FILE *f = fopen(file(), "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

static void
lines_are_whole_clean_and_redacted(void **state)
{
	struct error err;
	struct stat st;

	(void)state;
	assert_true(log_open(file(), LOG_INFO, &err));
	log_info("pg", "connected\nwith \x1b password=secret");
	log_debug("pg", "not wanted");
	log_error("pg", "bad");
	log_close();
	log_error("pg", "after the end");
	assert_int_equal(strncmp(contents(), "2026-11-21T07:27:12Z INFO ", 26), 0);
	assert_non_null(strstr(text, " pg: connected with \xef\xbf\xbd password=***\n"));
	assert_non_null(strstr(text, " pg: bad\n"));
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "wanted"));
	assert_null(strstr(text, "after"));
	assert_int_equal(stat(file(), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
debug_costs_a_branch_when_off(void **state)
{
	struct error err;
	int evaluated = 0;

	(void)state;
	assert_true(log_open(file(), LOG_INFO, &err));
	assert_false(log_debug_on);
	log_debug("x", "%d", ++evaluated);
	assert_int_equal(evaluated, 0);
	assert_true(log_open(file(), LOG_DEBUG, &err));
	log_debug("x", "%d", ++evaluated);
	assert_int_equal(evaluated, 1);
	assert_true(log_open(NULL, LOG_DEBUG, &err));
	assert_false(log_debug_on);
}

static void
long_lines_end(void **state)
{
	static char big[100000];
	struct error err;

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	assert_true(log_open(file(), LOG_INFO, &err));
	log_info("x", "%s", big);
	log_info("x", "next");
	log_close();
	assert_true(strlen(contents()) < 20000);
	assert_non_null(strstr(text, "a\n2026"));
}

static void *
write_many(void *arg)
{
	for (int i = 0; i < 200; i++)
		log_info("thread", "%s line %d end", (const char *)arg, i);
	return NULL;
}

static void
threads_do_not_mix(void **state)
{
	static char first[] = "first", second[] = "second";
	pthread_t a, b;
	struct error err;
	int lines = 0;

	(void)state;
	assert_true(log_open(file(), LOG_INFO, &err));
	pthread_create(&a, NULL, write_many, first);
	pthread_create(&b, NULL, write_many, second);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	log_close();
	for (const char *p = contents(); *p; p = strchr(p, '\n') + 1) {
		assert_int_equal(strncmp(p, "2026-11-21T07:27:12Z INFO ", 26), 0);
		assert_int_equal(strncmp(strchr(p, '\n') - 4, " end", 4), 0);
		lines++;
	}
	assert_int_equal(lines, 400);
}

static void
a_bad_path_is_an_error(void **state)
{
	struct error err;

	(void)state;
	assert_false(log_open("/nonexistent/log", LOG_INFO, &err));
	assert_int_equal(err.code, ERR_FILE);
	assert_non_null(strstr(err.what, "/nonexistent/log"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    lines_are_whole_clean_and_redacted, setup, teardown),
		cmocka_unit_test_setup_teardown(debug_costs_a_branch_when_off, setup, teardown),
		cmocka_unit_test_setup_teardown(long_lines_end, setup, teardown),
		cmocka_unit_test_setup_teardown(threads_do_not_mix, setup, teardown),
		cmocka_unit_test(a_bad_path_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
