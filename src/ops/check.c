#include "config.h"

#include "ops/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/rowset.h"
#include "ops/local_tools.h"
#include "ops/op_result.h"

enum { CHECK_MS = 12 * 3600 * 1000, COUNT_MS = 120000, MAX_COUNTS = 60000, MAX_DETAIL = 400 };

/* In the order of the result. */
static const char *const names[] = { "backup", "wal", "archiving", "restore", "connect", "amcheck",
	"rows", "queries", "checksums" };

bool
check_set(struct op *op, struct error *err, const char *name, bool passed, const char *fmt, ...)
{
	struct strbuf detail = STRBUF_INIT(MAX_DETAIL);
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	strbuf_addv(&detail, fmt, ap);
	va_end(ap);
	ok = op_fact_set(op, err, arena_printf(&op->arena, "check.%s", name), "%s %s",
	    passed ? "passed" : "failed", detail.buf);
	strbuf_release(&detail);
	return ok;
}

static const char *
fact_of(struct op *op, const char *name)
{
	return op_fact(op, arena_printf(&op->arena, "check.%s", name));
}

bool
check_passed(struct op *op, const char *name)
{
	const char *s = fact_of(op, name);

	return !s || strncmp(s, "passed", 6) == 0;
}

bool
check_all_passed(struct op *op)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!check_passed(op, names[i]))
			return false;
	return true;
}

const char *
check_mark(struct op *op)
{
	char at[40];

	return arena_printf(&op->arena, "%s%s", check_all_passed(op) ? "" : CHECK_FAILED,
	    wall_rfc3339(wall_now(), at, sizeof(at)));
}

static void
check_json(struct op *op, struct strbuf *out)
{
	bool is_first = true;

	strbuf_addc(out, '[');
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *s = fact_of(op, names[i]);
		bool first = true;

		if (!s)
			continue;
		strbuf_adds(out, is_first ? "{" : ",{");
		is_first = false;
		json_key(out, &first, "name");
		json_str(out, names[i], strlen(names[i]));
		json_key(out, &first, "passed");
		strbuf_adds(out, check_passed(op, names[i]) ? "true" : "false");
		json_key(out, &first, "detail");
		json_str(out, s + 7, strlen(s + 7));
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

/* The first line of a program's output. */
static const char *
first_line(struct op *op, const char *text)
{
	return arena_strndup(&op->arena, text, strcspn(text, "\n"));
}

/* A program that was killed says nothing of what it looked at. */
static bool
has_judged(int status)
{
	return status > 0 && WIFEXITED(status);
}

/* What this role may not, or this server does not have, says nothing of the copy. */
static bool
is_out_of_reach(const char *text)
{
	static const char *const signs[] = { "permission denied", "must be superuser",
		"is not available", "could not open extension control file" };

	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (strstr(text, signs[i]))
			return true;
	return false;
}

/* The report of pg_amcheck on a relation, with its first reason, that is no matter of what is out
 * of reach; NULL: there is none. Its lines that go on are indented. */
static const char *
corruption(struct op *op, const char *text)
{
	while (*text) {
		const char *head = text, *why, *block;
		size_t len = strcspn(text, "\n");

		text += len + (text[len] == '\n');
		if (strncmp(head, "heap table \"", 12) != 0 &&
		    strncmp(head, "btree index \"", 13) != 0)
			continue;
		why = text;
		while (*text == ' ' || *text == '\t')
			text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
		block = arena_strndup(&op->arena, head, (size_t)(text - head));
		if (!is_out_of_reach(block))
			return arena_printf(&op->arena, "%.*s %.*s", (int)len, head,
			    (int)strcspn(why + strspn(why, " \t"), "\n"), why + strspn(why, " \t"));
	}
	return NULL;
}

bool
check_note(struct op *op, struct error *err, const char *fmt, ...)
{
	const char *before = op_fact(op, "notes");
	struct strbuf text = STRBUF_INIT(MAX_DETAIL);
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	strbuf_addv(&text, fmt, ap);
	va_end(ap);
	ok = op_fact_set(
	    op, err, "notes", "%s%s%s", before ? before : "", before ? "; " : "", text.buf);
	strbuf_release(&text);
	return ok;
}

bool
check_amcheck(struct op *op, const struct client_at *at, struct error *err)
{
	/* A managed server has a database of its maker that nobody may enter. */
	const char *argv[] = { client_program(op, at, "pg_amcheck"), "--all", "--install-missing",
		"--exclude-database=rdsadmin", "-j", "2", "--no-password", NULL };
	struct strbuf out = STRBUF_INIT(1 << 20);
	const char *found;
	int status = -1;
	bool ok;

	if (!argv[0])
		return check_note(
		    op, err, "amcheck: pg_amcheck (PostgreSQL 14) is not on this machine");
	if (client_run(op, at, argv, "--maintenance-db", NULL, CHECK_MS, &out, &status, err))
		ok = check_set(op, err, "amcheck", true, "tables and B-trees of all databases");
	else if (has_judged(status) && (found = corruption(op, out.buf)))
		ok = check_set(op, err, "amcheck", false, "%s", found);
	else if (has_judged(status) && is_out_of_reach(out.buf))
		ok = check_note(op, err, "amcheck: %s", first_line(op, out.buf));
	else
		ok = has_judged(status) &&
		    check_set(op, err, "amcheck", false, "%s", first_line(op, out.buf));
	strbuf_release(&out);
	return ok;
}

/* ------------------------------------------------------------------ rows */

bool
check_count(struct pg_sync *pg, struct strbuf *counts, int64_t *lsn, struct error *err)
{
	struct rowset *rows = pg_sync_run(pg, "op_counts", NULL, 0, COUNT_MS, err);

	if (!rows)
		return false;
	for (int i = 0; i < rows->nrows; i++) {
		const struct cell *name = rowset_get(rows, i, "name");

		*lsn = cell_i64(rowset_get(rows, i, "lsn"), 0);
		strbuf_addf(counts, "%.*s %lld\n", (int)name->len, name->s,
		    (long long)cell_i64(rowset_get(rows, i, "n"), -1));
	}
	rowset_unref(rows);
	return true;
}

/* The first line of `want` that `got` has not. */
static const char *
first_other(struct op *op, const char *want, const char *got)
{
	while (*want) {
		size_t len = strcspn(want, "\n");
		const char *line = arena_printf(&op->arena, "\n%.*s\n", (int)len, want);

		if (!strstr(got, line))
			return arena_strndup(&op->arena, want, len);
		want += len + (want[len] == '\n');
	}
	return NULL;
}

bool
check_rows(struct op *op, const struct client_at *at, struct error *err)
{
	const char *want = op_fact(op, "counts"), *other;
	struct strbuf got = STRBUF_INIT(MAX_COUNTS + 1);
	struct pg_sync *pg;
	int64_t lsn = 0;
	int n = 0;
	bool ok;

	if (!want || !*want || !op_fact(op, "count.lsn"))
		return true;
	strbuf_addc(&got, '\n');
	pg = pg_sync_open(at->conninfo, at->password, err);
	ok = pg && check_count(pg, &got, &lsn, err);
	pg_sync_close(pg);
	for (const char *p = want; *p; p++)
		n += *p == '\n';
	if (!ok) {
		ok = check_set(op, err, "rows", false, "cannot be counted: %s", err->what);
	} else {
		other = first_other(op, want, got.buf);
		ok = other ?
		    check_set(op, err, "rows", false, "the source had %s at %s, the copy has not",
		        other, op_fact(op, "count.lsn")) :
		    check_set(op, err, "rows", true, "%d tables as on the source at %s", n,
		        op_fact(op, "count.lsn"));
	}
	strbuf_release(&got);
	return ok;
}

/* ------------------------------------------------------------------ critical queries */

/* A statement of the file: "-- name: X" and "-- expect: Y" before it are about it. */
struct critical {
	const char *name, *expect, *sql; /* expect NULL: anything but an error and "f" */
};

static const char *
after(struct op *op, const char *line, size_t len, const char *key)
{
	size_t n = strlen(key);

	if (len < n || strncmp(line, key, n) != 0)
		return NULL;
	line += n;
	len -= n;
	while (len && *line == ' ') {
		line++;
		len--;
	}
	return arena_strndup(&op->arena, line, len);
}

/* Does any line but a comment end with ';'? Where none does, each line is a statement. */
static bool
has_ends(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n"), used = len;

		while (used && strchr(" \t\r", text[used - 1]))
			used--;
		if (used && text[used - 1] == ';' && strncmp(text, "--", 2) != 0)
			return true;
		text += len + (text[len] == '\n');
	}
	return false;
}

/* The next one, up to a line that ends with ';', or the next line. False at the end of the file. */
static bool
next_critical(struct op *op, const char **at, bool by_line, struct critical *c)
{
	struct strbuf sql = STRBUF_INIT(1 << 20);
	bool is_whole = false;

	*c = (struct critical){ .name = NULL };
	while (**at && !is_whole) {
		size_t len = strcspn(*at, "\n"), used = len;
		const char *name = after(op, *at, len, "-- name:");
		const char *expect = after(op, *at, len, "-- expect:");

		while (used && strchr(" \t\r", (*at)[used - 1]))
			used--;
		if (name)
			c->name = name;
		else if (expect)
			c->expect = expect;
		else if (used && strncmp(*at, "--", 2) != 0)
			strbuf_addf(&sql, "%.*s\n", (int)used, *at);
		is_whole = used && sql.len && (by_line || (*at)[used - 1] == ';') &&
		    strncmp(*at, "--", 2) != 0;
		*at += len + ((*at)[len] == '\n');
	}
	c->sql = arena_strndup(&op->arena, sql.buf, sql.len);
	if (!c->name)
		c->name = first_line(op, c->sql);
	strbuf_release(&sql);
	return *c->sql != '\0';
}

/* NULL: as it should be; else what was wrong. */
static const char *
try_critical(struct op *op, const struct client_at *at, const char *psql, const struct critical *c)
{
	const char *argv[] = { psql, "-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-f",
		"-", NULL };
	struct strbuf out = STRBUF_INIT(1 << 20);
	struct error err = { 0 };
	const char *why = NULL;

	if (!client_run(op, at, argv, "--dbname", c->sql, CHECK_MS, &out, NULL, &err))
		why = *out.buf ? first_line(op, out.buf) : arena_strdup(&op->arena, err.what);
	while (out.len && out.buf[out.len - 1] == '\n')
		out.buf[--out.len] = '\0';
	if (!why && c->expect ? strcmp(out.buf, c->expect) != 0 : strcmp(out.buf, "f") == 0)
		why = arena_printf(&op->arena, "answers %.60s", first_line(op, out.buf));
	strbuf_release(&out);
	return why;
}

bool
check_queries(struct op *op, const struct client_at *at, struct error *err)
{
	const char *path = op->target->critical_queries;
	const char *psql = client_program(op, at, "psql"), *text;
	struct critical c;
	bool by_line;
	int n = 0;

	if (!path || !*path)
		return true;
	text = local_read(op, path, err);
	if (!text || !psql)
		return check_set(op, err, "queries", false, "%s",
		    text ? "psql is not on this machine" : err->what);
	by_line = !has_ends(text);
	while (next_critical(op, &text, by_line, &c)) {
		const char *why = try_critical(op, at, psql, &c);
		struct error stopped = { 0 };

		if (op_stopped(op, &stopped)) {
			*err = stopped;
			return false;
		}
		if (why)
			return check_set(op, err, "queries", false, "%s: %s", c.name, why);
		n++;
	}
	return check_set(op, err, "queries", n > 0, "%d of %s", n, path);
}

/* ------------------------------------------------------------------ the result */

bool
check_keep(struct op *op, const char *snapshot, struct job_verified *v, struct error *err)
{
	*v = (struct job_verified){
		.snapshot = snapshot,
		.at = wall_now(),
		.passed = check_all_passed(op),
		.rto_s = op_fact_num(op, "rto_s", NAN),
		.rpo_s = op_fact_num(op, "rpo_s", NAN),
	};
	return jobs_verified_set(op->journal, op->target->name, v, err);
}

bool
check_result(struct op *op, struct error *err)
{
	const char *notes = op_fact(op, "notes");
	bool first = true;

	(void)err;
	op_result_text(op, &first, "snapshot", op_fact(op, "label"));
	json_key(&op->result, &first, "checks");
	check_json(op, &op->result);
	op_result_bool(op, &first, "passed", check_all_passed(op));
	op_result_num(op, &first, "rto_s", op_fact_num(op, "rto_s", NAN));
	op_result_num(op, &first, "rpo_s", op_fact_num(op, "rpo_s", NAN));
	if (notes)
		op_result_text(op, &first, "notes", notes);
	return true;
}
