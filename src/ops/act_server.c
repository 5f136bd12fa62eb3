/* checkpoint and reset statements: one statement on the whole server. */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "ops/act_priv.h"

static bool
no_more_words(struct act *a, const struct words *words, int n, struct error *err)
{
	if (words->n <= n)
		return true;
	error_set(
	    err, ERR_USAGE, "%s takes no further word: %s", a->ops->info.name, words->w[n].text);
	return error_hint(err, "Usage: %s", a->ops->info.usage);
}

static bool
parse_checkpoint(struct act *a, const struct words *words, struct error *err)
{
	return no_more_words(a, words, 1, err);
}

static bool
next_checkpoint(struct act *a, struct act_query *q)
{
	(void)a;
	q->query = "look_checkpoint";
	return true;
}

static void
answer_checkpoint(struct act *a, const struct rowset *rows, const struct error *error)
{
	char b[32], t[40];
	bool is_standby;
	int64_t last;

	if (!rows || rows->nrows != 1) {
		struct error none = { 0 };

		error_set(
		    &none, ERR_PROTOCOL, "the server did not say when it last made a checkpoint");
		act_fail(a, ACT_FAILED, error ? error : &none);
		return;
	}
	if (!cell_i64(rowset_get(rows, 0, "may"), 0)) {
		act_refuse(a, ERR_DENIED,
		    "GRANT pg_checkpoint TO the role (15 and newer); before, only a superuser may.",
		    "checkpoint is refused: this role may not order one");
		return;
	}
	is_standby = cell_i64(rowset_get(rows, 0, "is_standby"), 0) != 0;
	last = cell_i64(rowset_get(rows, 0, "last_at"), 0);
	a->statement = act_text(a, rows, 0, "statement");
	doc_add(&a->doc, ROLE_TITLE, "checkpoint of %s", a->target);
	doc_pair(&a->doc, "last checkpoint", ROLE_NORMAL, "%s",
	    last ? wall_rfc3339((struct wall){ last }, t, sizeof(t)) : "-");
	if (is_standby)
		doc_pair(&a->doc, "role", ROLE_NORMAL,
		    "standby: this is a restartpoint, possible up to the primary's last checkpoint");
	else
		doc_pair(&a->doc, "WAL since then", ROLE_NORMAL, "%s",
		    fmt_bytes(b, sizeof(b), cell_num(rowset_get(rows, 0, "wal_bytes"), 0)));
	doc_pair(&a->doc, "effect", ROLE_NORMAL,
	    "writes every changed page of shared_buffers (%s) at full speed: a burst of writes; commits go on",
	    act_text(a, rows, 0, "shared_buffers"));
	doc_pair(&a->doc, "runs as", ROLE_NORMAL, "a job of its own (see jobs)");
	act_add_step(a, "checkpoint", "writes all changed pages at full speed", "medium");
	act_planned(a, "checkpoint now?", "y");
}

static bool
parse_reset(struct act *a, const struct words *words, struct error *err)
{
	if (words->n < 2 || strcmp(words->w[1].text, "statements") != 0) {
		error_set(err, ERR_USAGE,
		    words->n < 2 ? "reset needs to know what" : "reset cannot reset '%s'",
		    words->n < 2 ? "" : words->w[1].text);
		return error_hint(err, "Usage: %s", a->ops->info.usage);
	}
	return no_more_words(a, words, 2, err);
}

static bool
next_reset(struct act *a, struct act_query *q)
{
	q->query = a->stage == ACT_LOOKING ? "look_reset" : "act_reset_statements";
	q->is_act = a->stage != ACT_LOOKING;
	q->timeout_ms = q->is_act ? 10000 : 3000;
	return true;
}

static void
plan_reset(struct act *a, const struct rowset *rows)
{
	char calls[32];

	if (!cell_i64(rowset_get(rows, 0, "may"), 0)) {
		act_refuse(a, ERR_DENIED,
		    "GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO the role.",
		    "reset is refused: this role may not execute pg_stat_statements_reset");
		return;
	}
	doc_add(&a->doc, ROLE_TITLE, "reset statements of %s", a->target);
	doc_pair(&a->doc, "entries", ROLE_NORMAL, "%lld",
	    (long long)cell_i64(rowset_get(rows, 0, "entries"), 0));
	doc_pair(&a->doc, "calls counted", ROLE_NORMAL, "%s",
	    fmt_count(calls, sizeof(calls), cell_num(rowset_get(rows, 0, "calls"), 0)));
	doc_pair(&a->doc, "effect", ROLE_WARN,
	    "the totals of all databases and users are thrown away, also for every other tool that reads them; cannot be undone");
	act_add_step(a, "reset pg_stat_statements",
	    "throws all its counters away; cannot be undone", "medium");
	act_planned(a, "throw the counters of pg_stat_statements away?", "y");
}

static void
answer_reset(struct act *a, const struct rowset *rows, const struct error *error)
{
	if (!rows) {
		struct error err = *error;

		if (strcmp(err.sqlstate, "42501") == 0 && !*err.hint)
			error_hint(&err,
			    "GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO the role.");
		act_fail(a, ACT_FAILED, &err);
	} else if (a->stage == ACT_LOOKING) {
		plan_reset(a, rows);
	} else {
		act_finish(a, ACT_DONE, "the counters of pg_stat_statements start from zero");
		doc_add(
		    &a->result_doc, ROLE_OK, "the counters of pg_stat_statements start from zero");
	}
}

static const char *
reset_takes(const struct act *a, struct arena *arena)
{
	(void)a;
	return arena_strdup(arena, "the counters of pg_stat_statements\n");
}

const struct act_ops act_checkpoint = {
	.info = { "checkpoint", "checkpoint", "order a checkpoint now, as a job" },
	.parse = parse_checkpoint,
	.next = next_checkpoint,
	.answer = answer_checkpoint,
};

const struct act_ops act_reset = {
	.info = { "reset", "reset statements", "throw the counters of pg_stat_statements away" },
	.parse = parse_reset,
	.next = next_reset,
	.answer = answer_reset,
	.takes = reset_takes,
};
