#include "config.h"

#include "app/op_again.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/actlog.h"
#include "app/child.h"
#include "base/log.h"

bool
op_again_words(const struct words *words, int64_t *id, enum op_job_mode *mode)
{
	char *end;

	if (words->n != 3 || strcmp(words->w[0].text, "job") != 0)
		return false;
	if (strcmp(words->w[1].text, "resume") == 0)
		*mode = OP_JOB_RESUME;
	else if (strcmp(words->w[1].text, "undo") == 0)
		*mode = OP_JOB_UNDO;
	else
		return false;
	*id = strtoll(words->w[2].text, &end, 10);
	return *id > 0 && !*end;
}

/* The journal keeps names without secrets. */
static bool
is_of(const struct journal_act *act, const struct op_target *target)
{
	struct strbuf name = STRBUF_INIT(64 << 10);
	bool is_it;

	redact(&name, target->name);
	is_it = strcmp(act->target, name.buf) == 0;
	strbuf_release(&name);
	return is_it;
}

static bool
check(const struct journal_act *act, const struct op_target *target, enum op_job_mode mode,
    struct error *err)
{
	long long id = (long long)act->id;

	if (!is_of(act, target)) {
		error_set(err, ERR_REFUSED, "job %lld is of %s, not of %s", id, act->target,
		    target->name);
		return error_hint(err, "Give that target.");
	}
	if (target->read_only_why) {
		error_set(
		    err, ERR_REFUSED, "job %lld stays as it is: %s is read-only", id, target->name);
		return error_hint(err, "Because of %s.", target->read_only_why);
	}
	if (journal_lock_held(act->id) || !act->finished_at.us) {
		error_set(err, ERR_STATE, "job %lld is under way", id);
		return error_hint(err, "`job %lld` shows it, `job cancel %lld` stops it.", id, id);
	}
	if (act->state == JOURNAL_DONE && mode == OP_JOB_RESUME)
		return error_set(err, ERR_STATE, "job %lld is done", id);
	return true;
}

static bool
describe(struct op_again *a, struct arena *arena, struct journal *j, struct error *err)
{
	struct job_leftover *left;
	struct job_step_row *steps;
	const char *undo;
	int n, nsteps, done = 0;

	if (!jobs_leftovers(j, a->id, arena, &left, &n, err) ||
	    !jobs_steps(j, a->id, arena, &steps, &nsteps, err))
		return false;
	doc_pair(&a->doc, "job", ROLE_NORMAL, "%lld: %s, %s", (long long)a->id, a->line, a->state);
	for (int i = 0; i < nsteps; i++) {
		static const char *const names[] = { "was under way: looked for first",
			"is done: not done again", "failed: tried again" };

		doc_pair(&a->doc, i ? "" : "steps", ROLE_NORMAL, "%s %s", steps[i].name,
		    a->mode == OP_JOB_UNDO && steps[i].state == JOB_STEP_DONE ?
		        "is done" :
		        names[steps[i].state]);
		done += steps[i].state == JOB_STEP_DONE;
	}
	for (int i = 0; i < n; i++)
		doc_pair(&a->doc, i ? "" : "left behind", ROLE_WARN, "%s", left[i].what);
	undo = a->mode == OP_JOB_UNDO && !n ? jobs_fact(j, a->id, "undo", arena, err) : NULL;
	if (undo && *undo)
		doc_pair(&a->doc, "takes back", ROLE_NORMAL, "%s", undo);
	if (a->mode == OP_JOB_RESUME)
		a->question = arena_printf(
		    arena, "go on with job %lld after %d steps?", (long long)a->id, done);
	else if (n)
		a->question = arena_printf(arena, "take back %d thing%s that job %lld left?", n,
		    n == 1 ? "" : "s", (long long)a->id);
	else if (undo && *undo)
		a->question = arena_printf(arena, "take back what job %lld did?", (long long)a->id);
	else
		a->question =
		    arena_printf(arena, "close job %lld? It left nothing.", (long long)a->id);
	return true;
}

bool
op_again_plan(struct op_again *a, struct arena *arena, const struct op_target *target, int64_t id,
    enum op_job_mode mode, struct error *err)
{
	struct journal *j = journal_open(err);
	struct journal_act act;
	struct job_row row;
	bool ok;

	*a = (struct op_again){ .id = id, .mode = mode, .state = "failed", .steps = "[]" };
	if (j)
		jobs_mark_lost(j);
	ok = j && journal_get(j, id, arena, &act, err) && jobs_get(j, id, arena, &row, err) &&
	    check(&act, target, mode, err);
	if (ok) {
		a->line = act.command;
		a->hash = row.plan_hash;
		a->kind = row.kind;
		a->steps = *row.plan ? row.plan : "[]";
		a->state = journal_state_names[act.state];
		a->expects = target->is_protected ? target->name : "y";
		ok = describe(a, arena, j, err);
	}
	journal_close(j);
	return ok;
}

void
op_again_write(struct strbuf *out, const struct op_again *a)
{
	struct strbuf text = STRBUF_INIT(1 << 20);
	char number[32];
	bool first = true;

	for (int i = 0; i < a->doc.n; i++)
		strbuf_addf(&text, "%s\n", a->doc.lines[i].text);
	snprintf(number, sizeof(number), "%lld", (long long)a->id);
	strbuf_addc(out, '{');
	child_member(out, &first, "again", number);
	child_member(out, &first, "undo", a->mode == OP_JOB_UNDO ? "true" : NULL);
	child_member(out, &first, "line", a->line);
	child_member(out, &first, "hash", a->hash);
	child_member(out, &first, "kind", a->kind);
	child_member(out, &first, "steps", a->steps);
	child_member(out, &first, "text", text.buf);
	child_doc(out, &first, &a->doc);
	child_member(out, &first, "question", a->question);
	child_member(out, &first, "expects", a->expects);
	strbuf_addc(out, '}');
	strbuf_release(&text);
}
