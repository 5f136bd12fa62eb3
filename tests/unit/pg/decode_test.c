/* Binary answers into rowsets; answers that do not fit are errors, whatever their bytes. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pg/decode.h"

struct value {
	const char *name;
	Oid type;
	int len; /* -1: NULL */
	const char *bytes;
};

/* One row of the values. */
static PGresult *
result_of(const struct value *v, int n, int format)
{
	PGresAttDesc attrs[16];
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	memset(attrs, 0, sizeof(attrs));
	for (int i = 0; i < n; i++) {
		attrs[i].name = (char *)(uintptr_t)v[i].name;
		attrs[i].typid = v[i].type;
		attrs[i].format = format;
	}
	assert_true(PQsetResultAttrs(r, n, attrs));
	for (int i = 0; i < n; i++)
		assert_true(PQsetvalue(
		    r, 0, i, (char *)(uintptr_t)(v[i].len < 0 ? NULL : v[i].bytes), v[i].len));
	return r;
}

static struct rowset *
decode(const struct value *v, int n, const uint8_t *types, struct error *err)
{
	const char *names[16];
	for (int i = 0; i < n; i++)
		names[i] = v[i].name;
	struct pg_query q = { .name = "test", .ncols = n, .col_names = names, .col_types = types };
	PGresult *r = result_of(v, n, 1);
	struct rowset *rs = decode_rows(r, &q, err);
	PQclear(r);
	return rs;
}

static void
test_types(void **state)
{
	(void)state;
	struct error err = { .code = ERR_OK };
	const struct value v[] = {
		{ "b", 16, 1, "\1" },
		{ "i2", 21, 2, "\xff\xfe" },
		{ "i4", 23, 4, "\xff\xff\xff\xfd" },
		{ "oid", 26, 4, "\xff\xff\xff\xfd" },
		{ "i8", 20, 8, "\0\0\0\1\0\0\0\2" },
		{ "lsn", 3220, 8, "\0\0\0\1\0\0\0\2" },
		{ "f8", 701, 8, "\x3f\xf8\0\0\0\0\0\0" },
		{ "t", 25, 3, "a\0b" },
		{ "raw", 17, 2, "\xff\x01" },
		{ "at", 1184, 8, "\0\0\0\0\0\x0f\x42\x40" },
		{ "none", 25, -1, NULL },
		{ "ever", 1184, 8, "\x7f\xff\xff\xff\xff\xff\xff\xff" },
	};
	const uint8_t types[] = { CELL_BOOL, CELL_INT, CELL_INT, CELL_INT, CELL_INT, CELL_INT,
		CELL_FLOAT, CELL_TEXT, CELL_TEXT, CELL_TIME, CELL_TEXT, CELL_TIME };
	struct rowset *rs = decode(v, (int)ARRAY_LEN(v), types, &err);
	assert_non_null(rs);
	const struct cell *c = rowset_row(rs, 0);
	assert_int_equal(c[0].i, 1);
	assert_int_equal(c[1].i, -2);
	assert_int_equal(c[2].i, -3);
	assert_int_equal(c[3].i, 4294967293);
	assert_int_equal(c[4].i, 4294967298);
	assert_int_equal(c[5].i, 4294967298);
	assert_true(c[6].f == 1.5);
	assert_int_equal(c[7].len, 3);
	assert_memory_equal(c[7].s, "a\0b", 3);
	assert_int_equal(c[8].len, 2);
	assert_int_equal(c[9].type, CELL_TIME);
	assert_int_equal(c[9].i, INT64_C(946684801000000));
	assert_int_equal(c[10].type, CELL_NULL);
	assert_int_equal(c[11].type, CELL_NULL);
	rowset_unref(rs);
}

static void
test_lists(void **state)
{
	(void)state;
	struct error err = { .code = ERR_OK };
	const uint8_t types[] = { CELL_INTS, CELL_INTS };
	const struct value v[] = {
		{ "a", 1007, 40,
		    "\0\0\0\1\0\0\0\1\0\0\0\x17\0\0\0\3\0\0\0\1\0\0\0\4\0\0\0\7\xff\xff\xff\xff\0\0\0\4\0\0\0\x09" },
		{ "empty", 1007, 12, "\0\0\0\0\0\0\0\0\0\0\0\x17" },
	};
	struct rowset *rs = decode(v, 2, types, &err);
	assert_non_null(rs);
	const struct cell *c = rowset_row(rs, 0);
	assert_int_equal(c[0].len, 2);
	assert_int_equal(c[0].ints[0], 7);
	assert_int_equal(c[0].ints[1], 9);
	assert_int_equal(c[1].type, CELL_INTS);
	assert_int_equal(c[1].len, 0);
	rowset_unref(rs);
	/* Cut anywhere, or with a length that lies: an error, never a read behind the end. */
	for (int len = 0; len < 40; len++) {
		char *copy = malloc(len ? (size_t)len : 1);
		memcpy(copy, v[0].bytes, (size_t)len);
		struct value cut = { "a", 1007, len, copy };
		rs = decode(&cut, 1, types, &err);
		assert_null(rs);
		assert_int_equal(err.code, ERR_PROTOCOL);
		free(copy);
	}
	struct value liar = { "a", 1007, 20, "\0\0\0\1\0\0\0\0\0\0\0\x17\x7f\xff\xff\xff\0\0\0\1" };
	assert_null(decode(&liar, 1, types, &err));
}

static void
expect_misfit(const struct value *v, int n, const uint8_t *types, const char *part)
{
	struct error err = { .code = ERR_OK };
	assert_null(decode(v, n, types, &err));
	assert_int_equal(err.code, ERR_PROTOCOL);
	assert_non_null(strstr(err.what, part));
}

static void
test_misfits(void **state)
{
	(void)state;
	struct error err;
	const uint8_t as_int[] = { CELL_INT }, as_text[] = { CELL_TEXT }, as_time[] = { CELL_TIME };
	expect_misfit(&(struct value){ "x", 1700, 2, "\0\0" }, 1, as_int, "came as type 1700");
	expect_misfit(&(struct value){ "x", 25, 1, "1" }, 1, as_int, "column x");
	expect_misfit(&(struct value){ "x", 20, 4, "\0\0\0\1" }, 1, as_int, "damaged");
	expect_misfit(
	    &(struct value){ "x", 1114, 8, "\0\0\0\0\0\0\0\1" }, 1, as_time, "came as type");
	expect_misfit(&(struct value){ "x", 3802, 3, "\2{}" }, 1, as_text, "damaged");

	struct value one = { "y", 23, 4, "\0\0\0\1" };
	const char *const names[] = { "x", "z" };
	const uint8_t types[] = { CELL_INT, CELL_INT };
	PGresult *r = result_of(&one, 1, 1);
	struct pg_query other = {
		.name = "test", .ncols = 1, .col_names = names, .col_types = types
	};
	assert_null(decode_rows(r, &other, &err));
	assert_non_null(strstr(err.what, "not x"));
	struct pg_query more = {
		.name = "test", .ncols = 2, .col_names = names, .col_types = types
	};
	assert_null(decode_rows(r, &more, &err));
	assert_non_null(strstr(err.what, "1 columns came, 2 were expected"));
	PQclear(r);
}

static void
test_text_answers(void **state)
{
	(void)state;
	struct error err = { .code = ERR_OK };
	const struct value v[] = {
		{ "database", 25, 2, "42" }, /* a name, whatever it looks like */
		{ "cl_active", 25, 2, "17" },
		{ "pool_mode", 25, 7, "session" },
		{ "maxwait_us", 25, -1, NULL },
		{ "weird", 25, 20, "12345678901234567890" },
	};
	PGresult *r = result_of(v, (int)ARRAY_LEN(v), 0);
	struct rowset *rs = decode_text(r, &err);
	assert_non_null(rs);
	assert_true(cell_is(rowset_get(rs, 0, "database"), "42"));
	assert_int_equal(rowset_get(rs, 0, "cl_active")->i, 17);
	assert_int_equal(rowset_get(rs, 0, "cl_active")->type, CELL_INT);
	assert_true(cell_is(rowset_get(rs, 0, "pool_mode"), "session"));
	assert_int_equal(rowset_get(rs, 0, "maxwait_us")->type, CELL_NULL);
	assert_int_equal(rowset_get(rs, 0, "weird")->type, CELL_TEXT);
	rowset_unref(rs);
	PQclear(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_misfits),
		cmocka_unit_test(test_text_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
