/*
 * vacuum, analyze, reindex: long work on one table or index, run by a job process of its own. The
 * look resolves the name and lets the server quote the statement; no part of it is made from what
 * was typed but words of a fixed list.
 */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/lexer.h"
#include "ops/act_priv.h"

struct option {
	const char *word, *effect, *risk;
};

static const struct option vacuum_options[] = {
	{ "full",
	    "rewrites the table under an ACCESS EXCLUSIVE lock: nobody can read or write it until it is done; needs as much free disk space as the table",
	    "high" },
	{ "freeze", "freezes every row: reads and writes more, moves wraparound away", "low" },
	{ "analyze", "also refreshes the planner's statistics", "low" },
	{ "skip_locked", "does nothing when the table is locked", "none" },
	{ "no_index_cleanup", "leaves dead index entries: fast way out of wraparound", "low" },
	{ "no_truncate",
	    "does not cut the empty end of the file (which would need an exclusive lock)", "none" },
	{ NULL, NULL, NULL },
};

struct table {
	const char *schema, *name, *raw; /* schema NULL: any */
	const char *kind;                /* reindex: "table", "index", NULL */
	const char *options[8];
	int noptions;
};

static const char *
verb_of(const struct act *a)
{
	return a->ops->info.name;
}

/* Fold an identifier as SQL does: "Quoted ""name""" as it is, otherwise lower case. Returns what
 * follows it. */
static const char *
fold_part(struct act *a, const char *s, const char **part)
{
	char *out = arena_alloc(&a->arena, strlen(s) + 1);
	size_t n = 0;

	if (*s == '"') {
		for (s++; *s && (*s != '"' || s[1] == '"'); s++) {
			s += *s == '"';
			out[n++] = *s;
		}
		s += *s == '"';
	} else {
		for (; *s && *s != '.'; s++)
			out[n++] = (char)(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s);
	}
	out[n] = '\0';
	*part = out;
	return s;
}

static void
fold_name(struct act *a, struct table *t)
{
	const char *rest = fold_part(a, t->raw, &t->name);

	if (*rest == '.') {
		t->schema = t->name;
		(void)fold_part(a, rest + 1, &t->name);
	}
}

static const struct option *
option_by_word(const char *word)
{
	for (const struct option *o = vacuum_options; o->word; o++)
		if (strcasecmp(o->word, word) == 0)
			return o;
	return NULL;
}

static bool
parse_word(struct act *a, struct table *t, const char *word, bool is_last, struct error *err)
{
	const char *names[ARRAY_LEN(vacuum_options)];
	int n = 0;

	if (a->ops == &act_vacuum && !is_last) {
		const struct option *o = option_by_word(word);

		for (const struct option *p = vacuum_options; p->word; p++)
			names[n++] = p->word;
		names[n] = NULL;
		if (!o) {
			error_set(err, ERR_USAGE, "vacuum has no option '%s'", word);
			if (nearest_name(word, names))
				return error_hint(
				    err, "The nearest is %s.", nearest_name(word, names));
			return error_hint(err, "Usage: %s", a->ops->info.usage);
		}
		if (t->noptions < (int)ARRAY_LEN(t->options))
			t->options[t->noptions++] = o->word;
		return true;
	}
	if (a->ops == &act_reindex && !t->kind && !is_last &&
	    (strcasecmp(word, "table") == 0 || strcasecmp(word, "index") == 0)) {
		t->kind = strcasecmp(word, "table") == 0 ? "table" : "index";
		return true;
	}
	if (t->raw) {
		error_set(err, ERR_USAGE, "%s takes one name; '%s' is too much", verb_of(a), word);
		return error_hint(err, "Usage: %s", a->ops->info.usage);
	}
	t->raw = arena_strdup(&a->arena, word);
	return true;
}

static bool
parse(struct act *a, const struct words *words, struct error *err)
{
	struct table *t = arena_zalloc(&a->arena, 1, sizeof(*t));
	int n = words->n;

	a->data = t;
	/* Never without it: a plain REINDEX would lock everybody out. */
	if (a->ops == &act_reindex && n > 2 &&
	    strcasecmp(words->w[n - 1].text, "concurrently") == 0)
		n--;
	for (int i = 1; i < n; i++)
		if (!parse_word(a, t, words->w[i].text, i == n - 1, err))
			return false;
	if (!t->raw || !*t->raw) {
		error_set(err, ERR_USAGE, "%s needs the name of a %s", verb_of(a),
		    a->ops == &act_reindex ? "table or index" : "table");
		return error_hint(err, "Usage: %s", a->ops->info.usage);
	}
	fold_name(a, t);
	return true;
}

static bool
next(struct act *a, struct act_query *q)
{
	struct table *t = a->data;
	struct strbuf options = STRBUF_INIT(256);

	strbuf_addc(&options, '{');
	for (int i = 0; i < t->noptions; i++)
		strbuf_addf(&options, "%s%s", i ? "," : "", t->options[i]);
	strbuf_addc(&options, '}');
	q->query = "look_relation";
	q->params[0] = verb_of(a);
	q->params[1] = t->schema;
	q->params[2] = t->name;
	q->params[3] = t->raw;
	q->params[4] = arena_strdup(&a->arena, options.buf);
	q->params[5] = t->kind;
	q->nparams = 6;
	strbuf_release(&options);
	return true;
}

static void
not_one(struct act *a, const struct rowset *rows)
{
	const struct table *t = a->data;
	struct strbuf names = STRBUF_INIT(200);

	if (rows->nrows == 0) {
		act_refuse(a, ERR_NOT_FOUND,
		    "Acts work in the database that is connected to; give SCHEMA.NAME.",
		    "there is no %s %s",
		    a->ops == &act_reindex ? (t->kind ? t->kind : "table or index") : "table",
		    t->raw);
		return;
	}
	for (int i = 0; i < rows->nrows; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", act_text(a, rows, i, "name"));
	act_refuse(a, ERR_USAGE, arena_printf(&a->arena, "It could be %s.", names.buf),
	    "the name %s is ambiguous", t->raw);
	strbuf_release(&names);
}

static const char *
reindex_effect(void)
{
	return "builds new indexes beside the old ones and swaps them; reads and writes go on; waits for every transaction "
	       "that is open now, needs the disk space of the indexes once more; an abort leaves an invalid index *_ccnew to drop";
}

static const char *
lock_effect(const struct act *a)
{
	const struct table *t = a->data;

	if (a->ops == &act_analyze)
		return "reads a sample of the rows; blocks neither reads nor writes";
	for (int i = 0; i < t->noptions; i++)
		if (strcmp(t->options[i], "full") == 0)
			return "writes the table and its indexes anew, without the dead rows";
	return "reads the table and its indexes, removes dead rows; blocks neither reads nor writes, but DDL and other vacuums";
}

static void
add_steps(struct act *a, const char *name)
{
	const struct table *t = a->data;
	const char *step = arena_printf(&a->arena, "%s %s", verb_of(a), name);

	if (a->ops == &act_reindex)
		act_add_step(a, step, reindex_effect(), "medium");
	else
		act_add_step(a, step, lock_effect(a), "low");
	for (int i = 0; i < t->noptions; i++) {
		const struct option *o = option_by_word(t->options[i]);

		act_add_step(a, o->word, o->effect, o->risk);
	}
}

static void
pair_time(struct act *a, const struct rowset *rows, const char *column, const char *label)
{
	char buf[40];
	int64_t at = cell_i64(rowset_get(rows, 0, column), 0);

	doc_pair(&a->doc, label, ROLE_NORMAL, "%s",
	    at ? wall_rfc3339((struct wall){ at }, buf, sizeof(buf)) : "never");
}

static void
make_plan(struct act *a, const struct rowset *rows)
{
	const char *name = act_text(a, rows, 0, "name");
	struct doc *d = &a->doc;
	char b[32], n[32], dead[32];
	int64_t busy = cell_i64(rowset_get(rows, 0, "busy_pid"), 0);
	int64_t lockers = cell_i64(rowset_get(rows, 0, "lockers"), 0);

	a->statement = act_text(a, rows, 0, "statement");
	doc_add(d, ROLE_TITLE, "%s %s of %s", verb_of(a), name, a->target);
	doc_pair(d, "size", ROLE_NORMAL, "%s, %s rows%s%s",
	    fmt_bytes(b, sizeof(b), cell_num(rowset_get(rows, 0, "bytes"), 0)),
	    fmt_count(n, sizeof(n), cell_num(rowset_get(rows, 0, "tuples"), 0)),
	    cell_is_null(rowset_get(rows, 0, "dead")) ? "" : ", dead rows ",
	    cell_is_null(rowset_get(rows, 0, "dead")) ?
	        "" :
	        fmt_count(dead, sizeof(dead), cell_num(rowset_get(rows, 0, "dead"), 0)));
	if (a->ops != &act_reindex) {
		pair_time(a, rows, "last_vacuum", "last vacuum");
		pair_time(a, rows, "last_analyze", "last analyze");
	} else if (!cell_i64(rowset_get(rows, 0, "is_valid"), 1)) {
		doc_add(d, ROLE_WARN, "the index is invalid now");
	}
	add_steps(a, name);
	for (int i = 0; i < a->nsteps; i++)
		doc_pair(d, i ? "" : "effect", ROLE_NORMAL, "%s: %s", a->steps[i].step,
		    a->steps[i].effect);
	doc_pair(d, "statement", ROLE_STRONG, "%s", a->statement);
	doc_pair(d, "runs as", ROLE_NORMAL,
	    "a job of its own: closing this program does not end it (see jobs)");
	if (lockers)
		doc_add(d, ROLE_WARN, "%lld sessions hold or want a lock on it now",
		    (long long)lockers);
	if (busy)
		doc_add(d, ROLE_WARN, "session %lld vacuums it already", (long long)busy);
	if (!cell_i64(rowset_get(rows, 0, "is_owner"), 1))
		doc_add(
		    d, ROLE_WARN, "this role does not own it: the server may refuse or skip it");
	act_planned(a, arena_printf(&a->arena, "%s %s?", verb_of(a), name),
	    strcmp(act_worst_risk(a), "high") == 0 ? name : "y");
}

static void
answer(struct act *a, const struct rowset *rows, const struct error *error)
{
	if (!rows)
		act_fail(a, ACT_FAILED, error);
	else if (rows->nrows != 1)
		not_one(a, rows);
	else
		make_plan(a, rows);
}

const struct act_ops act_vacuum = {
	.info = { "vacuum",
	    "vacuum [full] [freeze] [analyze] [skip_locked] [no_index_cleanup] [no_truncate] TABLE",
	    "remove dead rows of a table, as a job" },
	.parse = parse,
	.next = next,
	.answer = answer,
};

const struct act_ops act_analyze = {
	.info = { "analyze", "analyze TABLE",
	    "refresh the planner's statistics of a table, as a job" },
	.parse = parse,
	.next = next,
	.answer = answer,
};

const struct act_ops act_reindex = {
	.info = { "reindex", "reindex [index|table] NAME [concurrently]",
	    "rebuild an index or all indexes of a table, always concurrently, as a job" },
	.parse = parse,
	.next = next,
	.answer = answer,
};
