/* Named queries and their texts for one catalog. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pg/query.h"

static const struct pg_query *
query(const char *name)
{
	const struct pg_query *q = pg_query_by_name(name);
	assert_non_null(q);
	return q;
}

/* The catalog in which all conditions hold that contain `part`, or do not contain it. */
static struct pg_catalog *
catalog(const char *part, bool is_with, const char *schema)
{
	int64_t ords[512];
	int n, used = 0;
	const char *const *conds = pg_conditions(&n);
	for (int i = 0; i < n; i++)
		if ((strstr(conds[i], part) != NULL) == is_with)
			ords[used++] = i + 1;
	return pg_catalog_new(ords, (size_t)used, schema);
}

static void
test_table(void **state)
{
	(void)state;
	int n = 0;
	for (const struct pg_query *q = pg_queries; q->name; q++, n++) {
		assert_ptr_equal(pg_query_by_name(q->name), q);
		assert_int_equal(pg_query_index(q), n);
		assert_true(q->timeout_ms > 0);
	}
	assert_int_equal(pg_query_count(), n);
	assert_null(pg_query_by_name("nosuch"));
	assert_null(pg_query_by_name(""));
}

static void
test_conditions(void **state)
{
	(void)state;
	int n;
	const char *const *conds = pg_conditions(&n);
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		assert_true(conds[i][0] != '!' && conds[i][0] != '\0');
		if (i > 0)
			assert_true(strcmp(conds[i - 1], conds[i]) < 0);
	}
	const char *array = pg_conditions_array();
	assert_int_equal(array[0], '{');
	assert_int_equal(array[strlen(array) - 1], '}');
}

static void
test_texts_in_every_catalog(void **state)
{
	(void)state;
	struct pg_catalog *all = catalog("", true, "ext"), *none = catalog("", false, NULL);
	for (const struct pg_query *q = pg_queries; q->name; q++) {
		const char *with = pg_catalog_text(all, q), *without = pg_catalog_text(none, q);
		assert_null(strstr(with, "/*if"));
		assert_null(strstr(with, "/*else"));
		assert_null(strstr(with, "@pgss@"));
		assert_null(strstr(without, "/*if"));
		assert_null(strstr(without, "/*else"));
		assert_ptr_equal(pg_catalog_text(all, q), with);
	}
	pg_catalog_free(all);
	pg_catalog_free(none);
}

static void
test_choice(void **state)
{
	(void)state;
	struct pg_catalog *old = catalog("query_id", false, NULL), *new = catalog("", true, NULL);
	assert_non_null(strstr(pg_catalog_text(new, query("activity")), "s.query_id"));
	assert_null(strstr(pg_catalog_text(old, query("activity")), "s.query_id"));
	assert_non_null(
	    strstr(pg_catalog_text(old, query("activity")), "NULL::pg_catalog.int8 AS query_id"));
	/* A negated condition: everything holds in `new`, so this is Aurora. */
	assert_null(strstr(pg_catalog_text(new, query("server")), "pg_current_wal_insert_lsn"));
	pg_catalog_free(old);
	pg_catalog_free(new);
	struct pg_catalog *plain = catalog("aurora", false, NULL);
	assert_non_null(
	    strstr(pg_catalog_text(plain, query("server")), "pg_current_wal_insert_lsn"));
	assert_true(pg_catalog_has(plain, "!aurora_version()"));
	assert_false(pg_catalog_has(plain, "aurora_version()"));
	assert_false(pg_catalog_has(plain, "nobody.asked"));
	assert_true(pg_catalog_has(plain, "!nobody.asked"));
	pg_catalog_free(plain);
}

static void
test_schema_is_quoted(void **state)
{
	(void)state;
	struct pg_catalog *cat = catalog("", true, "my \"odd\" schema");
	assert_non_null(strstr(pg_catalog_text(cat, query("statements")),
	    "\"my \"\"odd\"\" schema\".pg_stat_statements("));
	pg_catalog_free(cat);
}

static void
test_requirements(void **state)
{
	(void)state;
	struct error err = { .code = ERR_OK };
	struct pg_catalog *with = catalog("", true, "public"),
	                  *without = catalog("pg_stat_statements()", false, NULL);
	assert_true(pg_catalog_supports(with, query("statements"), &err));
	assert_false(pg_catalog_supports(without, query("statements"), &err));
	assert_int_equal(err.code, ERR_UNSUPPORTED);
	assert_non_null(strstr(err.what, "pg_stat_statements"));
	assert_string_equal(err.hint, "CREATE EXTENSION pg_stat_statements");
	assert_true(pg_catalog_supports(without, query("server"), &err));
	pg_catalog_free(with);
	pg_catalog_free(without);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_texts_in_every_catalog),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_schema_is_quoted),
		cmocka_unit_test(test_requirements),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
