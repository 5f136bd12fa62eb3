/* Following a log file of this machine: where it begins, what is left out, and what happens to
 * files. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cell.h"
#include "base/error.h"
#include "collect/log_tail.h"

static char dir[] = "/tmp/log_tail.XXXXXX";
static char path[64];
static int written;

static void
append(const char *file, int lines, const char *text)
{
	FILE *f = fopen(file, "a");

	assert_non_null(f);
	for (int i = 0; i < lines; i++)
		fprintf(
		    f, "2026-11-21 17:57:25.798 UTC [42] LOG:  line %07d %s\n", written++, text);
	fclose(f);
}

static struct log_tail *
begin(void)
{
	struct error why;
	struct log_tail *l = log_tail_new(path);

	assert_int_equal(log_tail_no_source(l, &why), LOG_FILE);
	return l;
}

static struct rowset *
look(struct log_tail *l)
{
	struct rowset *rows = NULL;
	struct error err;

	assert_true(log_tail_read(l, &rows, &err));
	return rows;
}

static int
count(const struct rowset *rows, const char *kind)
{
	int n = 0;

	for (int i = 0; i < rows->nrows; i++)
		n += cell_is(rowset_get(rows, i, "kind"), kind);
	return n;
}

/* The number in the message of a row. */
static int
line_of(const struct rowset *rows, int row)
{
	const struct cell *c = rowset_get(rows, row, "message");
	char buf[64];

	assert_int_equal(c->type, CELL_TEXT);
	snprintf(buf, sizeof(buf), "%.*s", (int)c->len, c->s);
	assert_int_equal(strncmp(buf, "line ", 5), 0);
	return atoi(buf + 5);
}

static int
set_up(void **state)
{
	(void)state;
	written = 0;
	snprintf(path, sizeof(path), "%s/server.log", dir);
	unlink(path);
	return 0;
}

/* The end of a large file, without a half of a line; then what is added, once. */
static void
follows(void **state)
{
	struct log_tail *l;
	struct rowset *rows;

	(void)state;
	append(path, 20000, "x");
	l = begin();
	rows = look(l);
	assert_in_range(rows->nrows, 3000, 6000);
	assert_int_equal(line_of(rows, rows->nrows - 1), 19999);
	assert_int_equal(line_of(rows, 0), 20000 - rows->nrows);
	rowset_unref(rows);
	append(path, 3, "y");
	rows = look(l);
	assert_int_equal(rows->nrows, 2); /* the last one may be going on */
	assert_int_equal(line_of(rows, 0), 20000);
	rowset_unref(rows);
	rows = look(l);
	assert_int_equal(rows->nrows, 1);
	assert_int_equal(line_of(rows, 0), 20002);
	rowset_unref(rows);
	rows = look(l);
	assert_int_equal(rows->nrows, 0);
	rowset_unref(rows);
	log_tail_free(l);
}

/* What is written faster than it is read is left out, and a row says so. */
static void
leaves_out(void **state)
{
	struct log_tail *l;
	struct rowset *rows;

	(void)state;
	append(path, 1, "x");
	l = begin();
	rowset_unref(look(l));
	append(path, 60000, "x");
	rows = look(l);
	assert_int_equal(count(rows, "gap"), 1);
	assert_true(rows->nrows < 6000);
	assert_int_equal(line_of(rows, rows->nrows - 1), 59999);
	rowset_unref(rows);
	log_tail_free(l);
}

static void
truncated_and_replaced(void **state)
{
	struct log_tail *l;
	struct rowset *rows;
	char old[80];

	(void)state;
	append(path, 10, "x");
	l = begin();
	rowset_unref(look(l));
	assert_int_equal(truncate(path, 0), 0);
	append(path, 2, "x");
	rows = look(l);
	assert_int_equal(count(rows, "gap"), 1);
	assert_int_equal(line_of(rows, 1), 10);
	rowset_unref(rows);
	/* moved away, written to once more, and another one in its place */
	snprintf(old, sizeof(old), "%s.1", path);
	assert_int_equal(rename(path, old), 0);
	append(old, 1, "x");
	rows = look(l);
	assert_int_equal(count(rows, "gap"), 0);
	rowset_unref(rows);
	append(path, 2, "x");
	rows = look(l);
	assert_int_equal(line_of(rows, rows->nrows - 1), 13);
	rowset_unref(rows);
	rows = look(l);
	assert_int_equal(rows->nrows, 1);
	assert_int_equal(line_of(rows, 0), 14);
	rowset_unref(rows);
	unlink(old);
	unlink(path);
	rows = look(l); /* gone: nothing, until it is there again */
	assert_int_equal(rows->nrows, 0);
	rowset_unref(rows);
	append(path, 1, "x");
	rowset_unref(look(l));
	rows = look(l);
	assert_int_equal(line_of(rows, 0), 15);
	rowset_unref(rows);
	log_tail_free(l);
}

static void
takes_secrets_out(void **state)
{
	struct log_tail *l;
	struct rowset *rows;
	const struct cell *c;

	(void)state;
	append(path, 1, "duration");
	append(path, 1, "CREATE ROLE a PASSWORD 'hunter2'; postgresql://u:hunter3@h/d");
	l = begin();
	rows = look(l);
	c = rowset_get(rows, 1, "message");
	assert_null(memmem(c->s, c->len, "hunter", 6));
	assert_non_null(memmem(c->s, c->len, "PASSWORD '***'", 14));
	rowset_unref(rows);
	log_tail_free(l);
}

/* No regular file, and none that may hang. */
static void
refuses(void **state)
{
	struct error why;
	struct log_tail *l;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	l = log_tail_new(path);
	assert_int_equal(log_tail_no_source(l, &why), LOG_AWAY);
	log_tail_free(l);
	unlink(path);
	l = log_tail_new(path);
	assert_int_equal(log_tail_no_source(l, &why), LOG_AWAY);
	assert_int_equal(why.code, ERR_NOT_FOUND);
	log_tail_free(l);
}

/* Asked for in the same flight that told of another format: there is no file any more. */
static void
drops_late_answers(void **state)
{
	static const char *const names[] = { "now", "part" };
	static const uint8_t types[] = { CELL_TIME, CELL_TEXT };
	struct log_tail *l = log_tail_new(NULL);
	struct rowset *answer = rowset_new(2, names, types), *rows;
	struct cell *c = rowset_add(answer);

	(void)state;
	c[0] = cell_time(1);
	c[1] = cell_text("2026-11-21 17:57:25.798 UTC [42] LOG:  late\n");
	rows = log_tail_answer(l, answer);
	assert_non_null(rows);
	assert_int_equal(rows->nrows, 0);
	rowset_unref(rows);
	rowset_unref(answer);
	log_tail_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(follows, set_up),
		cmocka_unit_test_setup(leaves_out, set_up),
		cmocka_unit_test_setup(truncated_and_replaced, set_up),
		cmocka_unit_test_setup(takes_secrets_out, set_up),
		cmocka_unit_test_setup(refuses, set_up),
		cmocka_unit_test(drops_late_answers),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return failed;
}
