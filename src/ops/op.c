#include "config.h"

#include "ops/op.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "pg/login.h"

enum { MAX_RESULT = 1 << 20, BEAT_MS = 1000, SLICE_MS = 100 };

const struct op_kind *
op_kind_of(const struct words *words)
{
	const struct op_kind *found = NULL;

	if (words->n == 0)
		return NULL;
	for (int i = 0; op_kinds[i]; i++) {
		const struct op_kind *k = op_kinds[i];

		if (strcmp(k->verb, words->w[0].text) != 0)
			continue;
		if (k->sub && words->n > 1 && strcmp(k->sub, words->w[1].text) == 0)
			return k;
		if (!k->sub)
			found = k;
	}
	return found;
}

const char *
op_kind_name(const struct op_kind *kind, struct arena *arena)
{
	return kind->sub ? arena_printf(arena, "%s %s", kind->verb, kind->sub) : kind->verb;
}

static bool
is_set(const char *s)
{
	return s && *s;
}

enum op_provider
op_provider_of(const struct op_target *t)
{
	char host[PG_RDS_HOST_MAX];

	if (is_set(t->provider))
		return strcmp(t->provider, "rds") == 0 ? PROVIDER_RDS :
		    strcmp(t->provider, "local") == 0  ? PROVIDER_LOCAL :
		                                         PROVIDER_NONE;
	if (is_set(t->instance) || is_set(t->cluster) ||
	    pg_rds_host_in(t->conninfo, host, sizeof(host)))
		return PROVIDER_RDS;
	if (is_set(t->data_directory) || is_set(t->pgbackrest_stanza) || is_set(t->patroni_url) ||
	    is_set(t->pgbouncer))
		return PROVIDER_LOCAL;
	return PROVIDER_NONE;
}

void
op_init(struct op *op, const struct op_target *target, const struct words *words, const char *line)
{
	*op = (struct op){
		.target = target,
		.words = words,
		.line = line,
		.kind = op_kind_of(words),
		.identity = STRBUF_INIT(64 << 10),
		.result = STRBUF_INIT(MAX_RESULT),
		.step = "",
	};
	if (!op->kind)
		return;
	switch (op_provider_of(target)) {
	case PROVIDER_LOCAL:
		op->impl = is_set(target->patroni_url) && op->kind->patroni ? op->kind->patroni :
		                                                              op->kind->local;
		break;
	case PROVIDER_RDS:
		op->impl = op->kind->rds;
		break;
	case PROVIDER_NONE:
		op->impl = op->kind->sql;
		break;
	}
}

void
op_release(struct op *op)
{
	free(op->steps);
	free(op->settled);
	free(op->facts);
	doc_release(&op->doc);
	strbuf_release(&op->identity);
	strbuf_release(&op->result);
	arena_release(&op->arena);
}

/* ------------------------------------------------------------------ the plan */

void
op_add_step(struct op *op, const char *name, const char *risk, const char *step,
    const char *effect_fmt, ...)
{
	struct strbuf effect = STRBUF_INIT(4096);
	va_list ap;

	va_start(ap, effect_fmt);
	strbuf_addv(&effect, effect_fmt, ap);
	va_end(ap);
	GROW(op->steps, op->nsteps, op->cap_steps);
	op->steps[op->nsteps++] = (struct op_step){
		.name = name,
		.step = arena_strdup(&op->arena, step),
		.effect = arena_strdup(&op->arena, effect.buf),
		.risk = risk,
	};
	strbuf_release(&effect);
}

void
op_identity(struct op *op, const char *name, const char *fmt, ...)
{
	va_list ap;

	strbuf_addf(&op->identity, "%s=", name);
	va_start(ap, fmt);
	strbuf_addv(&op->identity, fmt, ap);
	va_end(ap);
	strbuf_addc(&op->identity, '\n');
}

static void
seal(struct op *op)
{
	struct strbuf all = STRBUF_INIT(256 << 10);

	strbuf_addf(&all, "%s\n%s\n%s", op->line, op->target->name, op->identity.buf);
	for (int i = 0; i < op->nsteps; i++)
		strbuf_addf(&all, "step %s\n", op->steps[i].name);
	digest_sha256_hex(all.buf, all.len, op->hash);
	strbuf_release(&all);
}

/* The steps, below what the kind has said. */
static void
add_steps_text(struct op *op)
{
	for (int i = 0; i < op->nsteps; i++) {
		const struct op_step *s = &op->steps[i];

		doc_pair(&op->doc, i == 0 ? "steps" : "", ROLE_NORMAL, "%d. %s%s%s%s", i + 1,
		    s->step, *s->effect ? ": " : "", s->effect,
		    strcmp(s->risk, "none") == 0 ? "" : arena_printf(&op->arena, " [%s]", s->risk));
	}
}

static bool
may_act(struct op *op, struct error *err)
{
	if (op->confirm == OP_LOOKS || !op->target->read_only_why)
		return true;
	error_set(err, ERR_REFUSED, "%s is refused: %s is read-only",
	    op_kind_name(op->kind, &op->arena), op->target->name);
	return error_hint(err, "Because of %s.", op->target->read_only_why);
}

bool
op_plan(struct op *op, struct error *err)
{
	if (!op->kind)
		return error_set(err, ERR_USAGE, "there is no operation '%s'", op->line);
	op->confirm = op->kind->looks_alone && op->words->n == (op->kind->sub ? 2 : 1) ?
	    OP_LOOKS :
	    op->kind->confirm;
	if (!may_act(op, err))
		return false;
	if (!op->impl) {
		error_set(err, ERR_UNSUPPORTED, "%s is not possible for %s",
		    op_kind_name(op->kind, &op->arena), op->target->name);
		return error_hint(err, "%s",
		    op_provider_of(op->target) == PROVIDER_NONE ?
		        "Its [target] section says neither provider = local nor provider = rds." :
		        op->kind->instead ? op->kind->instead :
		                            "Its provider does not have it.");
	}
	/* What only looks may turn out to act, by its words. */
	if (!op->impl->plan(op, err) || !may_act(op, err))
		return false;
	if (op->confirm == OP_WRITES && op->target->is_protected)
		op->confirm = OP_DESTROYS;
	add_steps_text(op);
	seal(op);
	return true;
}

const char *
op_expects(const struct op *op)
{
	return op->confirm == OP_LOOKS ? "" : op->confirm == OP_WRITES ? "y" : op->target->name;
}

const char *
op_worst_risk(const struct op *op)
{
	static const char *const risks[] = { "none", "low", "medium", "high" };
	size_t worst = 0;

	for (int i = 0; i < op->nsteps; i++)
		for (size_t r = worst + 1; r < ARRAY_LEN(risks); r++)
			if (strcmp(op->steps[i].risk, risks[r]) == 0)
				worst = r;
	return risks[worst];
}

static void
member(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	json_str(out, value, strlen(value));
}

void
op_steps_json(const struct op *op, struct strbuf *out)
{
	strbuf_addc(out, '[');
	for (int i = 0; i < op->nsteps; i++) {
		bool first = true;

		strbuf_adds(out, i ? ",{" : "{");
		member(out, &first, "step", op->steps[i].step);
		member(out, &first, "effect", op->steps[i].effect);
		member(out, &first, "risk", op->steps[i].risk);
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

/* ------------------------------------------------------------------ facts */

static struct job_fact *
planned_fact(struct op *op, const char *name)
{
	for (int i = 0; i < op->nfacts; i++)
		if (strcmp(op->facts[i].name, name) == 0)
			return &op->facts[i];
	return NULL;
}

static void
remember(struct op *op, const char *name, const char *value)
{
	struct job_fact *known = planned_fact(op, name);

	if (!known) {
		GROW(op->facts, op->nfacts, op->cap_facts);
		known = &op->facts[op->nfacts++];
		known->name = arena_strdup(&op->arena, name);
	}
	known->value = arena_strdup(&op->arena, value);
}

bool
op_fact_set(struct op *op, struct error *err, const char *name, const char *fmt, ...)
{
	struct strbuf value = STRBUF_INIT(64 << 10);
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	strbuf_addv(&value, fmt, ap);
	va_end(ap);
	ok = !op->journal || jobs_fact_set(op->journal, op->job, name, value.buf, err);
	remember(op, name, value.buf);
	strbuf_release(&value);
	return ok;
}

const char *
op_fact(struct op *op, const char *name)
{
	const struct job_fact *f = planned_fact(op, name);

	return f ? f->value : NULL;
}

bool
op_fact_now(struct op *op, struct error *err, const char *name)
{
	return op_fact_set(op, err, name, "%lld", (long long)wall_now().us);
}

int64_t
op_fact_int(struct op *op, const char *name, int64_t other)
{
	const char *s = op_fact(op, name);
	char *end;
	long long v;

	if (!s || !*s)
		return other;
	v = strtoll(s, &end, 10);
	return *end ? other : v;
}

double
op_fact_num(struct op *op, const char *name, double other)
{
	const char *s = op_fact(op, name);
	char *end;
	double v;

	if (!s || !*s)
		return other;
	v = strtod(s, &end);
	return *end || !isfinite(v) ? other : v;
}

/* ------------------------------------------------------------------ while it runs */

void
op_progress(struct op *op, double pct, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT(1024);
	va_list ap;

	if (!op->journal)
		return;
	if (*op->step)
		strbuf_addf(&sb, "%s: ", op->step);
	va_start(ap, fmt);
	strbuf_addv(&sb, fmt, ap);
	va_end(ap);
	if (pct >= 0)
		strbuf_addf(&sb, " (%.0f %%)", fmin(pct, 100));
	jobs_beat(op->journal, op->job, sb.buf);
	strbuf_release(&sb);
}

bool
op_stopped(struct op *op, struct error *err)
{
	bool is_cancelled = op->journal && jobs_is_cancelled(op->journal, op->job);
	int sig = op->stop ? (int)*op->stop : 0;
	const char *by;

	if (!sig && !is_cancelled)
		return false;
	by = is_cancelled  ? "`job cancel`" :
	    sig == SIGTERM ? "SIGTERM" :
	    sig == SIGINT  ? "SIGINT" :
	                     "a signal";
	error_set(err, ERR_STATE, "stopped by %s%s%s", by, *op->step ? " in step " : "", op->step);
	error_hint(err, "`job resume %lld` goes on, `job undo %lld` takes back what is left.",
	    (long long)op->job, (long long)op->job);
	return true;
}

bool
op_wait_ms(struct op *op, int ms, struct error *err)
{
	for (int past = 0; past < ms; past += SLICE_MS) {
		int slice = ms - past < SLICE_MS ? ms - past : SLICE_MS;

		if ((op->stop && *op->stop) || (past % BEAT_MS == 0 && op_stopped(op, err)))
			return !op_stopped(op, err);
		nanosleep(&(struct timespec){ 0, (long)slice * 1000000 }, NULL);
	}
	return true;
}

/* What this job has written down already; 0: nothing. */
static int64_t
known_leftover(struct op *op, const char *kind, const char *args)
{
	struct job_leftover *items;
	struct error ignored = { 0 };
	int n;

	if (!jobs_leftovers(op->journal, op->job, &op->arena, &items, &n, &ignored))
		return 0;
	for (int i = 0; i < n; i++)
		if (strcmp(items[i].kind, kind) == 0 && strcmp(items[i].args, args) == 0)
			return items[i].id;
	return 0;
}

/* Made again by the step that has taken it back. */
static void
unsettle(struct op *op, int64_t id)
{
	for (int i = op->nsettled - 1; i >= 0; i--)
		if (op->settled[i] == id)
			op->settled[i] = op->settled[--op->nsettled];
}

bool
op_leave(struct op *op, const char *kind, const char *args, int64_t *id, struct error *err,
    const char *what_fmt, ...)
{
	struct strbuf what = STRBUF_INIT(4096);
	va_list ap;
	bool ok;

	*id = known_leftover(op, kind, args);
	if (*id) {
		unsettle(op, *id);
		return true;
	}
	va_start(ap, what_fmt);
	strbuf_addv(&what, what_fmt, ap);
	va_end(ap);
	ok = jobs_leave(op->journal, op->job, kind, what.buf, args, id, err);
	strbuf_release(&what);
	return ok;
}

bool
op_settle(struct op *op, int64_t id, struct error *err)
{
	if (!*op->step)
		return jobs_settle(op->journal, id, err);
	unsettle(op, id);
	GROW(op->settled, op->nsettled, op->cap_settled);
	op->settled[op->nsettled++] = id;
	return true;
}

bool
op_settle_kind(struct op *op, const char *kind, struct error *err)
{
	struct job_leftover *items;
	int n;
	bool ok = jobs_leftovers(op->journal, op->job, &op->arena, &items, &n, err);

	for (int i = 0; i < n && ok; i++)
		if (strcmp(items[i].kind, kind) == 0)
			ok = op_settle(op, items[i].id, err);
	return ok;
}

/* The step under way has ended; with it goes what it has settled. */
static bool
end_step(struct op *op, enum job_step_state state, const char *detail, struct error *err)
{
	bool ok = jobs_step_end(
	    op->journal, op->job, op->step, state, detail, op->settled, op->nsettled, err);

	op->nsettled = 0;
	op->step = "";
	return ok;
}

static const struct op_step_def *
step_def(const struct op *op, const char *name)
{
	for (const struct op_step_def *d = op->impl->steps; d->name; d++)
		if (strcmp(d->name, name) == 0)
			return d;
	fatal("the operation %s has no step %s", op->kind->verb, name);
}

static const struct job_step_row *
known_step(const struct job_step_row *rows, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static bool
run_step(struct op *op, const char *name, bool was_begun, struct error *err)
{
	const struct op_step_def *def = step_def(op, name);
	enum op_seen seen = OP_NOT_SEEN;
	struct error log_err = { 0 };

	op->step = name;
	if (was_begun && def->seen)
		seen = def->seen(op, err);
	if (seen == OP_UNSURE)
		return error_prefix(err, "cannot tell whether '%s' has happened", name);
	if (seen == OP_SEEN)
		return end_step(op, JOB_STEP_DONE, "found done", err);
	if (op_stopped(op, err) || !jobs_step(op->journal, op->job, name, JOB_STEP_DOING, "", err))
		return false;
	op_progress(op, -1, "begins");
	if (def->run(op, err))
		return end_step(op, JOB_STEP_DONE, "", err);
	/* What failed because it was stopped says that, rather than how its program took it. */
	if (op->stop && *op->stop && op_stopped(op, err))
		log_info("job", "%lld: stopped in %s", (long long)op->job, name);
	if (!end_step(op, JOB_STEP_FAILED, err->what, &log_err))
		error_hint(err, "And the journal failed: %s", log_err.what);
	return false;
}

static bool
keep_plan(struct op *op, struct error *err)
{
	struct strbuf names = STRBUF_INIT(16 << 10);
	bool ok = true;

	for (int i = 0; i < op->nsteps; i++)
		strbuf_addf(&names, "%s%s", i ? " " : "", op->steps[i].name);
	remember(op, "steps", names.buf);
	strbuf_release(&names);
	for (int i = 0; i < op->nfacts && ok; i++)
		ok =
		    jobs_fact_set(op->journal, op->job, op->facts[i].name, op->facts[i].value, err);
	return ok;
}

/* The plan of a job that was begun: its steps and facts, as they were kept. */
static bool
recall_plan(struct op *op, struct error *err)
{
	struct job_fact *facts;
	const char *names;
	int n;

	if (!jobs_facts(op->journal, op->job, &op->arena, &facts, &n, err))
		return false;
	for (int i = 0; i < n; i++)
		remember(op, facts[i].name, facts[i].value);
	names = op_fact(op, "steps");
	if (!names) {
		error_set(err, ERR_STATE, "job %lld did not get as far as its first step",
		    (long long)op->job);
		return error_hint(err, "Nothing was done: give the command again.");
	}
	while (*names) {
		size_t len = strcspn(names, " ");

		op_add_step(op, arena_strndup(&op->arena, names, len), "none", "", "%s", "");
		names += len + (names[len] == ' ');
	}
	return true;
}

static bool
finish_result(struct op *op, struct error *err)
{
	strbuf_clear(&op->result);
	strbuf_addc(&op->result, '{');
	if (op->impl->result && !op->impl->result(op, err))
		return false;
	strbuf_addc(&op->result, '}');
	return !op->result.cut || error_set(err, ERR_MEMORY, "the result is too long");
}

bool
op_run(struct op *op, const char *plan_hash, struct error *err)
{
	struct job_step_row *rows = NULL;
	int n = 0;

	if (!op->impl)
		return error_set(err, ERR_UNSUPPORTED, "%s has no provider that knows '%s'",
		    op->target->name, op->line);
	if (plan_hash) {
		struct journal *journal = op->journal;
		bool ok;

		/* Looking again is not to be written down. */
		op->journal = NULL;
		ok = op_plan(op, err);
		op->journal = journal;
		if (!ok)
			return error_prefix(err, "the plan does not hold any more");
		if (strcmp(op->hash, plan_hash) != 0) {
			error_set(err, ERR_CHANGED, "%s is not as it was when this was planned",
			    op->target->name);
			return error_hint(err, "Look again: give the command once more.");
		}
		if (!keep_plan(op, err))
			return false;
	} else if (!recall_plan(op, err) ||
	    !jobs_steps(op->journal, op->job, &op->arena, &rows, &n, err)) {
		return false;
	}
	for (int i = 0; i < op->nsteps; i++) {
		const struct job_step_row *known = known_step(rows, n, op->steps[i].name);

		if (known && known->state == JOB_STEP_DONE)
			continue;
		if (!run_step(op, op->steps[i].name, known != NULL, err))
			return false;
	}
	return finish_result(op, err);
}

/* What it has done, where it left nothing that stood for that. */
static bool
take_back(struct op *op, int nleft, struct error *err)
{
	const char *undo = op_fact(op, "undo"), *kind = op_fact(op, "undo_kind");
	struct job_leftover done = { .job = op->job, .kind = kind, .what = undo, .args = "{}" };

	if (nleft || !undo || !*undo || !kind)
		return true;
	for (const struct op_leftover_def *def = op_leftover_defs; def->kind; def++)
		if (strcmp(def->kind, kind) == 0)
			return def->undo(op, &done, err);
	return error_set(err, ERR_UNSUPPORTED, "this pgmedic cannot take back a '%s'", kind);
}

bool
op_undo(struct op *op, struct error *err)
{
	struct job_leftover *items;
	struct job_fact *facts;
	bool ok = true;
	int n, nfacts;

	if (!jobs_leftovers(op->journal, op->job, &op->arena, &items, &n, err) ||
	    !jobs_facts(op->journal, op->job, &op->arena, &facts, &nfacts, err))
		return false;
	for (int i = 0; i < nfacts; i++)
		remember(op, facts[i].name, facts[i].value);
	for (int i = 0; i < n; i++) {
		const struct op_leftover_def *def = op_leftover_defs;
		struct error one = { 0 };

		while (def->kind && strcmp(def->kind, items[i].kind) != 0)
			def++;
		if (!def->kind)
			error_set(&one, ERR_UNSUPPORTED, "this pgmedic cannot take back a '%s'",
			    items[i].kind);
		if (def->kind && def->undo(op, &items[i], &one) &&
		    jobs_settle(op->journal, items[i].id, &one))
			continue;
		if (ok)
			*err = one;
		ok = false;
	}
	return ok && take_back(op, n, err);
}
