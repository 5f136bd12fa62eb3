/* What all acts share: the table of verbs, plan, confirmation, result. The verbs are in act_*.c
 * beside. */
#include "config.h"

#include "ops/act.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ops/act_priv.h"

static const struct act_ops *const all[] = {
	&act_cancel,
	&act_terminate,
	&act_vacuum,
	&act_analyze,
	&act_reindex,
	&act_create,
	&act_drop,
	&act_checkpoint,
	&act_reset,
};

bool
act_is_verb(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strcmp(all[i]->info.name, word) == 0)
			return true;
	return false;
}

static void
copy_sessions(struct act *a, const struct act_env *env)
{
	int *own = arena_zalloc(&a->arena, (size_t)env->nown + 1, sizeof(*own));

	if (env->nown)
		memcpy(own, env->own_pids, (size_t)env->nown * sizeof(*own));
	a->own_pids = own;
	a->nown = env->nown;
	a->sessions = arena_zalloc(&a->arena, (size_t)env->nsessions + 1, sizeof(*a->sessions));
	if (env->nsessions)
		memcpy(a->sessions, env->sessions, (size_t)env->nsessions * sizeof(*a->sessions));
	a->nsessions = env->nsessions;
}

struct act *
act_new(const struct words *words, const char *line, const struct act_env *env, struct error *err)
{
	const struct act_ops *ops = NULL;
	struct act *a;

	for (size_t i = 0; i < ARRAY_LEN(all) && words->n; i++)
		if (strcmp(all[i]->info.name, words->w[0].text) == 0)
			ops = all[i];
	if (!ops) {
		error_set(err, ERR_USAGE, "'%s' is no act", words->n ? words->w[0].text : "");
		return NULL;
	}
	if (env->read_only_why) {
		error_set(err, ERR_REFUSED, "%s is refused: %s is read-only", ops->info.name,
		    env->target);
		error_hint(err, "Because of %s.", env->read_only_why);
		return NULL;
	}
	a = xcalloc(1, sizeof(*a));
	a->ops = ops;
	a->line = arena_strdup(&a->arena, line);
	a->target = arena_strdup(&a->arena, env->target);
	a->selection = env->selection ? arena_strdup(&a->arena, env->selection) : NULL;
	a->is_protected = env->is_protected;
	a->force = env->force;
	a->confirmed_how = "";
	copy_sessions(a, env);
	a->advice = env->advice;
	a->free_bytes = env->free_bytes;
	if (!ops->parse(a, words, err)) {
		act_free(a);
		return NULL;
	}
	a->advice = NULL;
	return a;
}

void
act_free(struct act *a)
{
	if (!a)
		return;
	doc_release(&a->doc);
	doc_release(&a->result_doc);
	free(a->steps);
	arena_release(&a->arena);
	free(a);
}

enum act_stage
act_stage(const struct act *a)
{
	return a->stage;
}

bool
act_next(struct act *a, struct act_query *q)
{
	if (a->stage != ACT_LOOKING && a->stage != ACT_RUNNING)
		return false;
	memset(q, 0, sizeof(*q));
	q->timeout_ms = 3000;
	return a->ops->next(a, q);
}

void
act_answer(struct act *a, const struct rowset *rows, const struct error *error)
{
	a->ops->answer(a, rows, error);
}

const struct doc *
act_doc(const struct act *a)
{
	return &a->doc;
}

const struct act_step *
act_steps(const struct act *a, int *n)
{
	*n = a->nsteps;
	return a->steps;
}

const char *
act_line(const struct act *a)
{
	return a->line;
}

const char *
act_worst_risk(const struct act *a)
{
	static const char *const risks[] = { "none", "low", "medium", "high" };
	size_t worst = 0;

	for (int i = 0; i < a->nsteps; i++)
		for (size_t r = worst + 1; r < ARRAY_LEN(risks); r++)
			if (strcmp(a->steps[i].risk, risks[r]) == 0)
				worst = r;
	return risks[worst];
}

const char *
act_question(const struct act *a)
{
	return a->question ? a->question : "";
}

const char *
act_expects(const struct act *a)
{
	return a->expects ? a->expects : "";
}

static void
confirmed(struct act *a, const char *how)
{
	a->confirmed_how = arena_strdup(&a->arena, how);
	a->stage = a->statement ? ACT_DETACHED : ACT_RUNNING;
	a->phase = 0;
}

bool
act_confirm(struct act *a, const char *typed, struct error *err)
{
	if (strcmp(typed, a->expects) != 0) {
		error_set(err, ERR_NOT_CONFIRMED, "%s was not confirmed", a->ops->info.name);
		error_hint(err, "It asked for '%s'.", a->expects);
		act_fail(a, ACT_REFUSED, err);
		return false;
	}
	confirmed(a, a->is_protected ? "typed the target's name" : "typed at the question");
	return true;
}

bool
act_confirm_yes(struct act *a, struct error *err)
{
	if (a->is_protected) {
		error_set(err, ERR_NOT_CONFIRMED, "%s is protected: --yes does not confirm there",
		    a->target);
		error_hint(err, "Type the target's name at the question, from a terminal.");
		act_fail(a, ACT_REFUSED, err);
		return false;
	}
	confirmed(a, "--yes");
	return true;
}

void
act_abort(struct act *a)
{
	struct error err = { 0 };

	if (a->stage == ACT_RUNNING) {
		/* The server may have done it: this must not read as if nothing had happened. */
		error_set(
		    &err, ERR_STATE, "%s was left before its outcome was seen", a->ops->info.name);
		error_hint(&err, "It may have been done: look at the activity pane.");
		act_fail(a, ACT_FAILED, &err);
	} else if (a->stage != ACT_FINISHED) {
		act_refuse(a, ERR_NOT_CONFIRMED, "", "%s was given up", a->ops->info.name);
	}
}

void
act_failed(struct act *a, const struct error *error)
{
	bool refused = error->code == ERR_JOURNAL || error->code == ERR_REFUSED ||
	    error->code == ERR_NOT_CONFIRMED;

	act_fail(a, refused ? ACT_REFUSED : ACT_FAILED, error);
}

const char *
act_confirmed_how(const struct act *a)
{
	return a->confirmed_how;
}

const char *
act_takes(const struct act *a, struct arena *arena)
{
	return a->ops->takes ? a->ops->takes(a, arena) : NULL;
}

enum act_state
act_result(const struct act *a, const char **line, const struct error **error)
{
	*line = a->result_line ? a->result_line : "";
	*error = a->has_error ? &a->error : NULL;
	return a->state;
}

const struct doc *
act_result_doc(const struct act *a)
{
	return &a->result_doc;
}

const char *
act_statement(const struct act *a)
{
	return a->statement;
}

const struct act_job *
act_job(const struct act *a)
{
	return a->job.kind ? &a->job : NULL;
}

void
act_detached(struct act *a, int64_t job, const struct error *error)
{
	if (error)
		act_failed(a, error);
	else
		act_finish(
		    a, ACT_STARTED, "job %lld has started: %s (see jobs)", (long long)job, a->line);
}

void
act_add_step(struct act *a, const char *step, const char *effect, const char *risk)
{
	GROW(a->steps, a->nsteps, a->cap_steps);
	a->steps[a->nsteps++] = (struct act_step){
		.step = arena_strdup(&a->arena, step),
		.effect = arena_strdup(&a->arena, effect),
		.risk = risk,
	};
}

void
act_planned(struct act *a, const char *question, const char *expects)
{
	a->stage = ACT_PLANNED;
	a->expects = arena_strdup(&a->arena, a->is_protected ? a->target : expects);
	if (a->is_protected)
		a->question = arena_printf(&a->arena,
		    "%s is protected. %s Type its name, %s: ", a->target, question, a->target);
	else if (strcmp(expects, "y") == 0)
		a->question = arena_printf(&a->arena, "%s (y/n) ", question);
	else
		a->question = arena_printf(&a->arena, "%s Type %s to confirm: ", question, expects);
}

void
act_finish(struct act *a, enum act_state state, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT(4096);
	va_list ap;

	va_start(ap, fmt);
	strbuf_addv(&sb, fmt, ap);
	va_end(ap);
	a->stage = ACT_FINISHED;
	a->state = state;
	a->result_line = arena_strdup(&a->arena, sb.buf);
	strbuf_release(&sb);
}

void
act_fail(struct act *a, enum act_state state, const struct error *error)
{
	a->error = *error;
	a->has_error = true;
	act_finish(a, state, "%s", error->what);
	doc_add(&a->result_doc, ROLE_CRIT, "%s", error->what);
	if (*error->hint)
		doc_add(&a->result_doc, ROLE_HINT, "HINT: %s", error->hint);
}

void
act_refuse(struct act *a, enum err_code code, const char *hint, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT(1024);
	struct error err = { 0 };
	va_list ap;

	va_start(ap, fmt);
	strbuf_addv(&sb, fmt, ap);
	va_end(ap);
	error_set(&err, code, "%s", sb.buf);
	if (*hint)
		error_hint(&err, "%s", hint);
	strbuf_release(&sb);
	act_fail(a, ACT_REFUSED, &err);
}

const char *
act_text(struct act *a, const struct rowset *rows, int row, const char *column)
{
	const struct cell *c = rowset_get(rows, row, column);

	return c->type == CELL_TEXT ? arena_strndup(&a->arena, c->s, c->len) : NULL;
}

const char *
act_ints_literal(struct act *a, const int64_t *v, int n)
{
	struct strbuf sb = STRBUF_INIT(1 << 20);
	const char *s;

	strbuf_addc(&sb, '{');
	for (int i = 0; i < n; i++)
		strbuf_addf(&sb, "%s%lld", i ? "," : "", (long long)v[i]);
	strbuf_addc(&sb, '}');
	s = arena_strdup(&a->arena, sb.buf);
	strbuf_release(&sb);
	return s;
}

const char *
act_times_literal(struct act *a, const int64_t *v, int n)
{
	struct strbuf sb = STRBUF_INIT(1 << 20);
	char buf[40];
	const char *s;

	strbuf_addc(&sb, '{');
	for (int i = 0; i < n; i++) {
		if (i)
			strbuf_addc(&sb, ',');
		if (v[i])
			strbuf_addf(
			    &sb, "\"%s\"", wall_rfc3339((struct wall){ v[i] }, buf, sizeof(buf)));
		else
			strbuf_adds(&sb, "NULL");
	}
	strbuf_addc(&sb, '}');
	s = arena_strdup(&a->arena, sb.buf);
	strbuf_release(&sb);
	return s;
}

const char *
act_texts_literal(struct act *a, const char *const *v, int n)
{
	struct strbuf sb = STRBUF_INIT(1 << 20);
	const char *s;

	strbuf_addc(&sb, '{');
	for (int i = 0; i < n; i++) {
		strbuf_adds(&sb, i ? ",\"" : "\"");
		for (s = v[i]; *s; s++) {
			if (*s == '"' || *s == '\\')
				strbuf_addc(&sb, '\\');
			strbuf_addc(&sb, *s);
		}
		strbuf_addc(&sb, '"');
	}
	strbuf_addc(&sb, '}');
	s = arena_strdup(&a->arena, sb.buf);
	strbuf_release(&sb);
	return s;
}
