/* The texts that are compiled in equal the files they came from, whatever bytes are in them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/builtin.h"

static void
texts_equal_files(void **state)
{
	const char *source = getenv("PGMEDIC_SOURCE");
	(void)state;
	if (!source)
		skip();
	for (const struct builtin_file *file = builtin_files; file->name; file++) {
		char path[4096], *text = malloc(1 << 20);
		const char *folder = strncmp(file->name, "guide/", 6) == 0 ? "src/" : "";
		assert_non_null(text);
		snprintf(path, sizeof(path), "%s/%s%s", source, folder, file->name);
		FILE *in = fopen(path, "r");
		if (!in)
			fail_msg("cannot open %s", path);
		size_t len = fread(text, 1, (1 << 20) - 1, in);
		fclose(in);
		text[len] = '\0';
		assert_string_equal(file->text, text);
		free(text);
	}
}

static void
names_are_sorted_and_found(void **state)
{
	(void)state;
	for (const struct builtin_file *file = builtin_files; file->name; file++) {
		assert_ptr_equal(builtin_file(file->name), file->text);
		if (file[1].name)
			assert_true(strcmp(file->name, file[1].name) < 0);
	}
	assert_null(builtin_file("keymaps/no-such.keys"));
	assert_null(builtin_file(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_equal_files),
		cmocka_unit_test(names_are_sorted_and_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
