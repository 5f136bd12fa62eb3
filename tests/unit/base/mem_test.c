/* Tests of base/mem.c. */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static void
arena_is_aligned_and_apart(void **state)
{
	struct arena a = { 0 };
	unsigned char *p[200];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		p[i] = arena_alloc(&a, i * 7);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)i, i * 7);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t j = 0; j < i * 7; j++)
			assert_int_equal(p[i][j], i);
	arena_release(&a);
	assert_null(a.head);
	assert_int_equal(a.bytes, 0);
}

static void
big_requests_do_not_waste_the_block(void **state)
{
	struct arena a = { 0 };
	char *small, *big, *next;

	(void)state;
	small = arena_alloc(&a, 16);
	big = arena_alloc(&a, 1000000);
	memset(big, 1, 1000000);
	next = arena_alloc(&a, 16);
	assert_ptr_equal(next, small + 16);
	arena_release(&a);
}

static void
reset_reuses_a_block(void **state)
{
	struct arena a = { 0 };
	void *first;

	(void)state;
	for (int i = 0; i < 1000; i++)
		arena_alloc(&a, 100);
	assert_true(a.bytes >= 100000);
	arena_reset(&a);
	assert_int_equal(a.bytes, 0);
	first = arena_alloc(&a, 32);
	arena_reset(&a);
	assert_ptr_equal(arena_alloc(&a, 32), first);
	arena_release(&a);
	arena_release(&a);
	arena_reset(&a);
}

static void
zalloc_clears_reused_memory(void **state)
{
	struct arena a = { 0 };
	unsigned char *p;

	(void)state;
	memset(arena_alloc(&a, 512), 0xff, 512);
	arena_reset(&a);
	p = arena_zalloc(&a, 128, 4);
	for (int i = 0; i < 512; i++)
		assert_int_equal(p[i], 0);
	arena_release(&a);
}

static void
printf_of_any_length(void **state)
{
	struct arena a = { 0 };
	char *s;

	(void)state;
	assert_string_equal(arena_printf(&a, "%d-%s", 5, "x"), "5-x");
	s = arena_printf(&a, "%*d", 255, 1);
	assert_int_equal(strlen(s), 255);
	s = arena_printf(&a, "%*d", 256, 1);
	assert_int_equal(strlen(s), 256);
	s = arena_printf(&a, "%*d", 70000, 1);
	assert_int_equal(strlen(s), 70000);
	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(&a, NULL, 0), "");
	arena_release(&a);
}

static void
grow_keeps_elements(void **state)
{
	int *items = NULL, n = 0, cap = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		GROW(items, n, cap);
		items[n++] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
	free(items);
}

static void
strings_are_copied(void **state)
{
	char *s = xstrndup("hello", 4), *f = xasprintf("%s%d", "n", 5);

	(void)state;
	assert_string_equal(s, "hell");
	assert_string_equal(f, "n5");
	free(s);
	free(f);
	s = xstrdup("");
	assert_string_equal(s, "");
	free(s);
}

static void
overflow_ends_the_program(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		fclose(stderr);
		signal(SIGABRT, SIG_DFL);
		xrealloc(NULL, SIZE_MAX / 2, 4);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_is_aligned_and_apart),
		cmocka_unit_test(big_requests_do_not_waste_the_block),
		cmocka_unit_test(reset_reuses_a_block),
		cmocka_unit_test(zalloc_clears_reused_memory),
		cmocka_unit_test(printf_of_any_length),
		cmocka_unit_test(grow_keeps_elements),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(overflow_ends_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
