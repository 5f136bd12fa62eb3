/*
 * create index, drop index: always concurrently, by a job that watches the build, cleans up after a
 * failure and measures what came of it. Names go to the server, which looks them up, quotes them
 * and puts the statement together; expressions and conditions pass the parser of index_ddl.c.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "ops/act_priv.h"
#include "ops/index_ddl.h"

struct subject {
	struct index_ddl ddl;      /* create */
	const char *schema, *name; /* drop */
	const char *raw;
	double size_bytes, build_s; /* as the advice has it; NAN unknown */
};

/* ------------------------------------------------------------------ words */

/* What follows the verb, as it was typed, without --force. */
static const char *
rest_of(struct act *a, const struct words *words)
{
	static const char force[] = " --force";
	const char *rest = words->n > 1 ? words->w[1].text : "";
	size_t n = strlen(rest);

	while (n && (rest[n - 1] == ' ' || rest[n - 1] == ';'))
		n--;
	if (n > sizeof(force) - 1 &&
	    memcmp(rest + n - (sizeof(force) - 1), force, sizeof(force) - 1) == 0) {
		n -= sizeof(force) - 1;
		a->force = true;
	}
	return arena_strndup(&a->arena, rest, n);
}

/* Column i as advice names it: the keys, then what is included; NULL behind the last. */
static const char *
column_at(const struct index_ddl *ddl, int i)
{
	if (i < ddl->nkeys)
		return ddl->keys[i].column ? ddl->keys[i].column : ddl->keys[i].expr;
	i -= ddl->nkeys;
	return i < ddl->ninclude ? ddl->include[i] : NULL;
}

static bool
same_columns(const struct cell *columns, const struct index_ddl *ddl)
{
	struct json_list list;
	struct strbuf item = STRBUF_INIT(1 << 16);
	bool same = columns->type == CELL_TEXT;

	if (!same)
		return false;
	list = (struct json_list){ columns->s, columns->s + columns->len, 0 };
	while (same && json_list_next(&list, &item)) {
		const char *column = column_at(ddl, list.n - 1);

		same = column && strcmp(item.buf, column) == 0;
	}
	same = same && !column_at(ddl, list.n);
	strbuf_release(&item);
	return same;
}

/* What the advice knows of this index: size, time, whom it helps. */
static void
take_advice(struct act *a, struct subject *s)
{
	const struct rowset *rs = a->advice;

	s->size_bytes = s->build_s = NAN;
	for (int i = 0; rs && i < rs->nrows; i++) {
		const struct cell *schema = rowset_get(rs, i, "schema");

		if (!cell_is(rowset_get(rs, i, "action"), "create") ||
		    !cell_is(rowset_get(rs, i, "table"), s->ddl.table) ||
		    (s->ddl.schema && !cell_is(schema, s->ddl.schema)) ||
		    !same_columns(rowset_get(rs, i, "columns"), &s->ddl))
			continue;
		s->size_bytes = cell_num(rowset_get(rs, i, "size_bytes"), NAN);
		s->build_s = cell_num(rowset_get(rs, i, "build_s"), NAN);
		a->job.queryids = act_text(a, rs, i, "statements");
		return;
	}
}

static bool
parse_create(struct act *a, const struct words *words, struct error *err)
{
	struct subject *s = arena_zalloc(&a->arena, 1, sizeof(*s));

	a->data = s;
	if (!index_ddl_parse(&a->arena, rest_of(a, words), &s->ddl, err))
		return false;
	take_advice(a, s);
	return true;
}

static bool
parse_drop(struct act *a, const struct words *words, struct error *err)
{
	struct subject *s = arena_zalloc(&a->arena, 1, sizeof(*s));
	const char *rest = rest_of(a, words);

	a->data = s;
	if (strncasecmp(rest, "index ", 6) != 0) {
		error_set(err, ERR_USAGE, "only an index can be dropped here");
		return error_hint(err, "Usage: %s", a->ops->info.usage);
	}
	rest += 6 + strspn(rest + 6, " ");
	if (strncasecmp(rest, "concurrently ", 13) == 0)
		rest += 13;
	s->raw = rest;
	if (!index_ddl_name(&a->arena, rest, &s->schema, &s->name)) {
		error_set(err, ERR_USAGE, "'%s' is not the name of one index", rest);
		return error_hint(err, "Usage: %s", a->ops->info.usage);
	}
	return true;
}

/* ------------------------------------------------------------------ queries */

static bool
next_create(struct act *a, struct act_query *q)
{
	const struct index_ddl *d = &((struct subject *)a->data)->ddl;
	const char *columns[INDEX_DDL_KEYS], *exprs[INDEX_DDL_KEYS], *suffixes[INDEX_DDL_KEYS];

	for (int i = 0; i < d->nkeys; i++) {
		columns[i] = d->keys[i].column ? d->keys[i].column : "";
		exprs[i] = d->keys[i].expr ? d->keys[i].expr : "";
		suffixes[i] = d->keys[i].suffix;
	}
	q->query = "look_create_index";
	q->params[0] = d->schema;
	q->params[1] = d->table;
	q->params[2] = d->name;
	q->params[3] = d->method;
	q->params[4] = d->is_unique ? "true" : "false";
	q->params[5] = act_texts_literal(a, columns, d->nkeys);
	q->params[6] = act_texts_literal(a, exprs, d->nkeys);
	q->params[7] = act_texts_literal(a, suffixes, d->nkeys);
	q->params[8] = act_texts_literal(a, d->include, d->ninclude);
	q->params[9] = d->with;
	q->params[10] = d->where;
	q->nparams = 11;
	q->timeout_ms = 5000;
	return true;
}

static bool
next_drop(struct act *a, struct act_query *q)
{
	const struct subject *s = a->data;

	q->query = "look_drop_index";
	q->params[0] = s->schema;
	q->params[1] = s->name;
	q->nparams = 3;
	q->timeout_ms = 5000;
	return true;
}

/* False, and refused: there is not exactly one. */
static bool
is_one(struct act *a, const struct rowset *rows, const char *what, const char *raw)
{
	struct strbuf names = STRBUF_INIT(400);

	if (rows->nrows == 1)
		return true;
	for (int i = 0; i < rows->nrows; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", act_text(a, rows, i, "name"));
	if (rows->nrows == 0)
		act_refuse(a, ERR_NOT_FOUND,
		    "Acts work in the database that is connected to; give SCHEMA.NAME.",
		    "there is no %s %s", what, raw);
	else
		act_refuse(a, ERR_USAGE, arena_printf(&a->arena, "It could be %s.", names.buf),
		    "the name %s is ambiguous", raw);
	strbuf_release(&names);
	return false;
}

static double
number(const struct rowset *rows, const char *column, double none)
{
	return cell_num(rowset_get(rows, 0, column), none);
}

static bool
is_true(const struct rowset *rows, const char *column)
{
	return cell_i64(rowset_get(rows, 0, column), 0) != 0;
}

/* Transactions that a concurrent build or drop will wait for. */
static void
plan_waits(struct act *a, const struct rowset *rows)
{
	int64_t n = cell_i64(rowset_get(rows, 0, "old_xacts"), 0);
	int64_t lockers = cell_i64(rowset_get(rows, 0, "lockers"), 0);
	const char *oldest = act_text(a, rows, 0, "oldest");
	char span[32];

	if (n > 0)
		doc_add(&a->doc, ROLE_WARN,
		    "it will wait for %lld transaction%s that %s open now, the oldest for %s%s%s",
		    (long long)n, n == 1 ? "" : "s", n == 1 ? "is" : "are",
		    fmt_span(span, sizeof(span), number(rows, "oldest_s", 0)), oldest ? ": " : "",
		    oldest ? oldest : "");
	if (lockers > 0)
		doc_add(&a->doc, ROLE_WARN,
		    "%lld session%s hold%s or want%s a lock on the table now", (long long)lockers,
		    lockers == 1 ? "" : "s", lockers == 1 ? "s" : "", lockers == 1 ? "s" : "");
}

/* ------------------------------------------------------------------ create */

/* False, and refused: the server would refuse it, or it must not be. */
static bool
may_create(struct act *a, const struct rowset *rows)
{
	const struct subject *s = a->data;
	const char *missing = act_text(a, rows, 0, "missing");

	if (is_true(rows, "is_standby"))
		act_refuse(a, ERR_REFUSED, "Create it on the primary: it comes here by itself.",
		    "this server is a standby");
	else if (missing)
		act_refuse(a, ERR_NOT_FOUND, "", "%s has no column %s", s->ddl.raw_table, missing);
	else if (is_true(rows, "is_taken"))
		act_refuse(a, ERR_STATE, "Give it another name.", "there is a relation %s already",
		    act_text(a, rows, 0, "index"));
	else if (!is_true(rows, "is_owner"))
		act_refuse(a, ERR_DENIED, "GRANT the owning role, or ask its owner.",
		    "this role does not own %s", act_text(a, rows, 0, "name"));
	else if (!is_true(rows, "may_create"))
		act_refuse(a, ERR_DENIED, "GRANT CREATE ON SCHEMA … TO the role.",
		    "this role may not create in the schema of %s", act_text(a, rows, 0, "name"));
	else
		return true;
	return false;
}

/*
 * Size where the advice has none: a leaf entry is an index tuple header of 8 bytes and a line
 * pointer of 4 beside the aligned columns, pages are filled to 90 %. That values which are often
 * there are stored once is not in this figure.
 */
static double
size_of(const struct subject *s, const struct rowset *rows)
{
	double width = number(rows, "width", 8), tuples = number(rows, "tuples", -1);

	if (!isnan(s->size_bytes) && s->size_bytes > 0)
		return s->size_bytes;
	if (!(tuples > 0))
		return NAN;
	return tuples * (12 + 8 * ceil(width / 8)) / 0.9 + 16384;
}

/* Two reads of the table at 200 MB/s and a sort of a million rows a second: an order of magnitude.
 */
static double
build_time_of(const struct subject *s, const struct rowset *rows)
{
	if (!isnan(s->build_s))
		return s->build_s;
	return 2 * number(rows, "bytes", 0) / 200e6 + fmax(0, number(rows, "tuples", 0)) / 1e6;
}

static void
plan_room(struct act *a, const struct subject *s, const struct rowset *rows)
{
	const char *folder = act_text(a, rows, 0, "data_directory");
	double size = size_of(s, rows);
	int64_t room =
	    a->free_bytes && folder && is_true(rows, "is_local") ? a->free_bytes(folder) : -1;
	char b[32], f[32], t[32];

	if (!isnan(size))
		doc_pair(&a->doc, "size", ROLE_NORMAL,
		    "about %s, and as much once more while it sorts",
		    fmt_bytes(b, sizeof(b), size));
	doc_pair(&a->doc, "build time", ROLE_NORMAL, "about %s on an idle server",
	    fmt_span(t, sizeof(t), build_time_of(s, rows)));
	if (room >= 0)
		doc_pair(&a->doc, "free on disk",
		    !isnan(size) && (double)room < 2.5 * size ? ROLE_CRIT : ROLE_NORMAL, "%s",
		    fmt_bytes(f, sizeof(f), (double)room));
	else
		doc_pair(&a->doc, "free on disk", ROLE_DIM, "not known from here");
}

static void
plan_steps(struct act *a, const struct rowset *rows)
{
	int parts = (int)cell_i64(rowset_get(rows, 0, "parts"), 0);
	const char *index = act_text(a, rows, 0, "index");

	if (a->job.has_parts) {
		act_add_step(a, "create index on only the parents",
		    "an invalid index without content; a short SHARE lock on each parent",
		    "medium");
		act_add_step(a,
		    arena_printf(&a->arena, "create index concurrently on %d partitions", parts),
		    "one after the other; reads and writes go on", "medium");
		act_add_step(
		    a, "attach each to its parent", "the last one makes the index valid", "low");
	} else {
		act_add_step(a, arena_printf(&a->arena, "create index concurrently %s", index),
		    "SHARE UPDATE EXCLUSIVE lock: reads and writes go on, DDL and vacuum of the table wait; reads the table twice, waits for older transactions",
		    "medium");
	}
	act_add_step(a, "verify",
	    "on a failure the invalid index is dropped again; afterwards the statements it helps are measured",
	    "none");
}

static void
plan_create(struct act *a, const struct rowset *rows)
{
	const struct subject *s = a->data;
	const char *name = act_text(a, rows, 0, "name"), *index = act_text(a, rows, 0, "index");
	const char *same = act_text(a, rows, 0, "same");
	char b[32], n[32];

	a->statement = act_text(a, rows, 0, "statement");
	a->job.kind = "create index";
	a->job.schema = act_text(a, rows, 0, "schema");
	a->job.name = act_text(a, rows, 0, "index_name");
	a->job.table = s->ddl.table;
	a->job.relid =
	    arena_printf(&a->arena, "%lld", (long long)cell_i64(rowset_get(rows, 0, "oid"), 0));
	a->job.tail = act_text(a, rows, 0, "tail");
	a->job.is_unique = s->ddl.is_unique;
	a->job.has_parts = strcmp(act_text(a, rows, 0, "kind"), "p") == 0;
	/* That of a partitioned table cannot be dropped concurrently, so drop refuses it. */
	a->job.undo = a->job.has_parts ?
	    arena_printf(&a->arena, "DROP INDEX %s (locks the table and its partitions)", index) :
	    arena_printf(&a->arena, "drop index %s", index);
	doc_add(&a->doc, ROLE_TITLE, "create index %s of %s", index, a->target);
	doc_pair(&a->doc, "table", ROLE_NORMAL, "%s: %s, %s rows", name,
	    fmt_bytes(b, sizeof(b), number(rows, "bytes", 0)),
	    fmt_count(n, sizeof(n), fmax(0, number(rows, "tuples", 0))));
	doc_pair(&a->doc, "statement", ROLE_STRONG, "%s", a->statement);
	plan_room(a, s, rows);
	plan_steps(a, rows);
	for (int i = 0; i < a->nsteps; i++)
		doc_pair(&a->doc, i ? "" : "effect", ROLE_NORMAL, "%s: %s", a->steps[i].step,
		    a->steps[i].effect);
	doc_pair(&a->doc, "undo", ROLE_NORMAL, "%s", a->job.undo);
	doc_pair(&a->doc, "runs as", ROLE_NORMAL,
	    "a job of its own: closing this program does not end it (see jobs)");
	if (same)
		doc_add(&a->doc, ROLE_WARN, "there is an index with these columns: %s", same);
	if (s->ddl.is_unique)
		doc_add(&a->doc, ROLE_WARN,
		    "UNIQUE: it fails where values are twice in the table, and refuses them from then on");
	if (cell_i64(rowset_get(rows, 0, "building_pid"), 0))
		doc_add(&a->doc, ROLE_WARN, "session %lld builds an index on this table already",
		    (long long)cell_i64(rowset_get(rows, 0, "building_pid"), 0));
	plan_waits(a, rows);
	act_planned(a, arena_printf(&a->arena, "create index %s?", index), "y");
}

static void
answer_create(struct act *a, const struct rowset *rows, const struct error *error)
{
	const struct subject *s = a->data;

	if (!rows)
		act_fail(a, ACT_FAILED, error);
	else if (is_one(a, rows, "table", s->ddl.raw_table) && may_create(a, rows))
		plan_create(a, rows);
}

/* ------------------------------------------------------------------ drop */

static bool
may_drop(struct act *a, const struct rowset *rows)
{
	const char *name = act_text(a, rows, 0, "name");
	const char *refused = act_text(a, rows, 0, "refused");
	const char *careful = act_text(a, rows, 0, "careful");

	if (is_true(rows, "is_standby"))
		act_refuse(a, ERR_REFUSED, "Drop it on the primary.", "this server is a standby");
	else if (refused)
		act_refuse(a, ERR_REFUSED, "", "%s is not dropped: %s", name, refused);
	else if (!is_true(rows, "is_owner"))
		act_refuse(a, ERR_DENIED, "GRANT the owning role, or ask its owner.",
		    "this role does not own %s", name);
	else if (careful && !a->force)
		act_refuse(a, ERR_REFUSED, "--force drops it nevertheless.",
		    "%s is not dropped: %s", name, careful);
	else
		return true;
	return false;
}

static void
plan_scans(struct act *a, const struct rowset *rows)
{
	int64_t last = cell_i64(rowset_get(rows, 0, "last_scan"), 0);
	int64_t reset = cell_i64(rowset_get(rows, 0, "stats_reset"), 0);
	int64_t scans = cell_i64(rowset_get(rows, 0, "scans"), 0);
	int64_t standbys = cell_i64(rowset_get(rows, 0, "standbys"), 0);
	char since[40], at[40];

	doc_pair(&a->doc, "scans", scans ? ROLE_WARN : ROLE_NORMAL, "%lld since %s%s%s",
	    (long long)scans,
	    reset ? wall_rfc3339((struct wall){ reset }, since, sizeof(since)) :
	            "the statistics began",
	    last ? ", the last " : "",
	    last ? wall_rfc3339((struct wall){ last }, at, sizeof(at)) : "");
	if (standbys > 0)
		doc_add(&a->doc, ROLE_WARN,
		    "%lld server%s stream from here: what reads this index there is not counted here",
		    (long long)standbys, standbys == 1 ? "" : "s");
}

static void
plan_drop(struct act *a, const struct rowset *rows)
{
	const char *name = act_text(a, rows, 0, "name");
	const char *careful = act_text(a, rows, 0, "careful");
	bool is_unique = is_true(rows, "is_unique");
	char b[32];

	a->statement = act_text(a, rows, 0, "statement");
	a->job.kind = "drop index";
	a->job.schema = act_text(a, rows, 0, "schema");
	a->job.name = act_text(a, rows, 0, "index_name");
	a->job.relid =
	    arena_printf(&a->arena, "%lld", (long long)cell_i64(rowset_get(rows, 0, "oid"), 0));
	a->job.undo = act_text(a, rows, 0, "definition");
	a->job.force = a->force;
	doc_add(&a->doc, ROLE_TITLE, "drop index %s of %s", name, a->target);
	doc_pair(&a->doc, "index", ROLE_NORMAL, "%s%s%s, %s, on %s",
	    is_true(rows, "is_valid") ? "" : "invalid, ", is_unique ? "unique" : "plain",
	    is_true(rows, "is_clustered") ? ", clustered on" : "",
	    fmt_bytes(b, sizeof(b), number(rows, "bytes", 0)), act_text(a, rows, 0, "table"));
	plan_scans(a, rows);
	doc_pair(&a->doc, "statement", ROLE_STRONG, "%s", a->statement);
	act_add_step(a, arena_printf(&a->arena, "drop index concurrently %s", name),
	    "reads and writes go on; waits for the transactions that may use it; cannot be rolled back, only built again",
	    is_unique || careful ? "high" : "medium");
	doc_pair(&a->doc, "effect", ROLE_NORMAL, "%s", a->steps[0].effect);
	doc_pair(&a->doc, "undo", ROLE_NORMAL, "%s", a->job.undo ? a->job.undo : "-");
	doc_pair(&a->doc, "runs as", ROLE_NORMAL,
	    "a job of its own, which checks all this once more before it drops (see jobs)");
	if (careful)
		doc_add(&a->doc, ROLE_CRIT, "%s", careful);
	plan_waits(a, rows);
	act_planned(
	    a, arena_printf(&a->arena, "drop index %s?", name), is_unique || careful ? name : "y");
}

static void
answer_drop(struct act *a, const struct rowset *rows, const struct error *error)
{
	const struct subject *s = a->data;

	if (!rows)
		act_fail(a, ACT_FAILED, error);
	else if (is_one(a, rows, "index", s->raw) && may_drop(a, rows))
		plan_drop(a, rows);
}

static const char *
drop_takes(const struct act *a, struct arena *arena)
{
	return arena_printf(arena, "index %s %s.%s of %s\n", a->job.relid ? a->job.relid : "",
	    a->job.schema ? a->job.schema : "", a->job.name ? a->job.name : "",
	    a->job.table ? a->job.table : "");
}

const struct act_ops act_create = {
	.info = { "create",
	    "create [unique] index [NAME] on TABLE [using METHOD] (COLUMN, ...) [include (COLUMN, ...)] [where CONDITION]",
	    "build an index, always concurrently, as a job" },
	.parse = parse_create,
	.next = next_create,
	.answer = answer_create,
};

const struct act_ops act_drop = {
	.info = { "drop", "drop index NAME [--force]",
	    "drop an index, always concurrently, as a job" },
	.parse = parse_drop,
	.next = next_drop,
	.answer = answer_drop,
	.takes = drop_takes,
};
