#include "config.h"

#include "app/op_sync.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/act_sync.h"
#include "app/actlog.h"
#include "app/op_again.h"
#include "app/op_job.h"
#include "app/op_target.h"
#include "app/result_text.h"
#include "base/json.h"

enum { POLL_MS = 100, MAX_TEXT = 1 << 20 };

struct sync_op {
	struct run_ctx *ctx;
	struct arena arena;
	const struct op_target *target;
	struct op op;
	int64_t job;                /* 0: none was started */
	const char *state;          /* of the contract */
	const char *steps, *result; /* JSON; "" none */
	const char *error_json;     /* of the job; "" none */
	struct error error;
	bool has_error;
};

static void
say_error(struct sync_op *s, const char *state, const struct error *err)
{
	s->state = state;
	s->error = *err;
	s->has_error = true;
}

/* ------------------------------------------------------------------ plan and confirmation */

static const char *
plan_text(struct sync_op *s)
{
	struct strbuf sb = STRBUF_INIT(MAX_TEXT);
	const char *text;

	for (int i = 0; i < s->op.doc.n; i++)
		strbuf_addf(&sb, "%s\n", s->op.doc.lines[i].text);
	text = arena_strndup(&s->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}

/* Its answer is waited for, since there is nothing else to see. */
static bool
only_looks(const struct sync_op *s)
{
	return s->op.kind && s->op.confirm == OP_LOOKS;
}

/* What was typed is what confirms? */
static const char *
confirm(struct sync_op *s, struct error *err)
{
	const struct options *opt = s->ctx->opt;
	const char *expects = op_expects(&s->op);
	char answer[256];

	if (!*expects)
		return "not asked";
	if (opt->plan && strcmp(opt->plan, s->op.hash) == 0)
		return "--plan";
	if (opt->plan) {
		error_set(err, ERR_CHANGED, "the plan is not the one of --plan any more");
		error_hint(err, "See --dry-run --json for the present one.");
		return NULL;
	}
	if (opt->yes && !s->target->is_protected)
		return "--yes";
	if (!opt->json && !opt->yes) {
		fputs(plan_text(s), stdout);
		fflush(stdout);
		if (act_sync_ask(arena_printf(&s->arena, "%s Type %s to confirm: ",
		                     s->op.question ? s->op.question : s->op.line, expects),
		        answer, sizeof(answer)) &&
		    strcmp(answer, expects) == 0)
			return arena_printf(&s->arena, "typed %s", expects);
	}
	error_set(err, ERR_NOT_CONFIRMED, "%s was not confirmed", s->op.line);
	if (!s->target->is_protected)
		error_hint(err, "Add --yes to confirm, or --dry-run to see the plan only.");
	else
		error_hint(err,
		    "It is protected: type its name on a terminal, or give --plan HASH of --dry-run --json.");
	return NULL;
}

/* ------------------------------------------------------------------ the job */

static void
read_end(struct sync_op *s, struct journal *j, const struct journal_act *act)
{
	struct job_row row = { 0 };
	struct error err = { 0 };

	if (!jobs_get(j, s->job, &s->arena, &row, &err)) {
		say_error(s, "failed", &err);
		return;
	}
	s->result = row.result;
	s->error_json = row.error;
	switch (act->state) {
	case JOURNAL_DONE:
	case JOURNAL_PARTLY:
		s->state = "done";
		break;
	case JOURNAL_REFUSED:
		s->state = "refused";
		break;
	case JOURNAL_LOST:
		s->state = "lost";
		error_set(&err, ERR_STATE, "the process of job %lld has ended without a word",
		    (long long)s->job);
		error_hint(&err, "`job resume %lld` goes on, `job undo %lld` takes back.",
		    (long long)s->job, (long long)s->job);
		say_error(s, "lost", &err);
		break;
	default:
		s->state = "failed";
	}
}

static void
wait_end(struct sync_op *s)
{
	struct error err = { 0 };
	struct journal *j = journal_open(&err);

	while (j) {
		struct arena arena = { 0 };
		struct journal_act act;
		bool ok = journal_get(j, s->job, &arena, &act, &err),
		     over = ok && act.finished_at.us;

		if (over)
			read_end(s, j, &act);
		arena_release(&arena);
		if (over || !ok)
			break;
		jobs_mark_lost(j);
		nanosleep(&(struct timespec){ 0, POLL_MS * 1000000L }, NULL);
	}
	if (*err.what)
		say_error(s, "running", &err);
	journal_close(j);
}

static void
start(struct sync_op *s, const char *confirmed_how)
{
	struct op_job_plan plan = {
		.line = s->op.line,
		.hash = s->op.hash,
		.kind = op_kind_name(s->op.kind, &s->arena),
		.risk = op_worst_risk(&s->op),
		.text = plan_text(s),
		.steps = s->steps,
		.confirmed_how = confirmed_how,
		.only_looks = only_looks(s),
		.host = s->op.peer.host,
		.port = s->op.peer.port,
		.database = s->op.peer.database,
		.role = s->op.peer.user,
		.system_identifier = s->op.system_identifier,
	};
	struct error err = { 0 };

	s->job = op_job_start(s->target, &plan, &err);
	if (!s->job) {
		say_error(s, err.code == ERR_REFUSED ? "refused" : "failed", &err);
		return;
	}
	s->state = "running";
	if (s->ctx->opt->wait || only_looks(s))
		wait_end(s);
}

/* ------------------------------------------------------------------ the answer */

static void
print_json(struct sync_op *s)
{
	struct strbuf *out = s->ctx->out;
	bool first = true;

	strbuf_addc(out, '{');
	json_key(out, &first, "job");
	if (s->job)
		json_int(out, s->job);
	else
		strbuf_adds(out, "null");
	json_key(out, &first, "state");
	json_str(out, s->state, strlen(s->state));
	json_key(out, &first, "plan");
	strbuf_adds(out, *s->steps ? s->steps : "[]");
	json_key(out, &first, "plan_hash");
	json_str(out, s->op.hash, strlen(s->op.hash));
	json_key(out, &first, "result");
	strbuf_adds(out, *s->result ? s->result : "null");
	if (*s->error_json) {
		json_key(out, &first, "error");
		strbuf_adds(out, s->error_json);
	} else {
		act_sync_error_member(out, s->has_error ? &s->error : NULL);
	}
	strbuf_adds(out, "}\n");
}

/* A result as lines "name  value". */
static void
print_result(struct sync_op *s)
{
	if (only_looks(s))
		strbuf_adds(s->ctx->out, plan_text(s)); /* lists are there already */
	result_text(s->ctx->out, s->result, only_looks(s) ? 42 : 18, only_looks(s));
}

static void
error_of_json(struct sync_op *s)
{
	struct error ignored = { 0 };
	struct json *root = json_parse(s->error_json, strlen(s->error_json), &ignored);
	const char *what = json_text(json_get(root, "what"));
	const char *hint = json_text(json_get(root, "hint"));

	error_set(&s->error, ERR_STATE, "%s", what ? what : "the job failed");
	if (hint && *hint)
		error_hint(&s->error, "%s", hint);
	s->has_error = true;
	json_free(root);
}

static void
print_text(struct sync_op *s)
{
	struct strbuf *out = s->ctx->out;

	if (*s->error_json && !s->has_error)
		error_of_json(s);
	if (strcmp(s->state, "planned") == 0)
		strbuf_adds(out, plan_text(s));
	else if (s->has_error) {
		/* a gate that is red: all of them, in their table */
		if (!s->job && s->error.code == ERR_REFUSED && !only_looks(s))
			strbuf_adds(out, plan_text(s));
		error_report(&s->error);
	} else if (strcmp(s->state, "running") == 0)
		strbuf_addf(out, "job %lld is under way: see `jobs`, or wait with --wait\n",
		    (long long)s->job);
	else if (*s->result)
		print_result(s);
	else
		strbuf_addf(out, "%s\n", s->state);
}

/* Done, with a verdict that is not good: `verify`, a drill. */
static bool
has_failed_verdict(const struct sync_op *s)
{
	struct error ignored = { 0 };
	struct json *root = json_parse(s->result, strlen(s->result), &ignored);
	const struct json *passed = json_get(root, "passed");
	bool failed = passed && !json_true(passed);

	json_free(root);
	return failed;
}

static void
answer(struct sync_op *s)
{
	bool is_well = strcmp(s->state, "planned") == 0 || strcmp(s->state, "running") == 0 ||
	    strcmp(s->state, "done") == 0;

	if (s->ctx->opt->json)
		print_json(s);
	else
		print_text(s);
	s->ctx->exit_status = is_well ? (has_failed_verdict(s) ? EXIT_FAILED : EXIT_DONE) :
	    s->has_error              ? options_exit_status(&s->error) :
	                                EXIT_FAILED;
}

bool
op_sync(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct sync_op s = {
		.ctx = ctx, .state = "refused", .steps = "", .result = "", .error_json = ""
	};
	struct strbuf steps = STRBUF_INIT(MAX_TEXT);
	const char *how;

	s.target = op_target_of(&s.arena, ctx->settings, ctx->target, err);
	if (!s.target) {
		arena_release(&s.arena);
		return false;
	}
	op_init(&s.op, s.target, words, ctx->line);
	if (!op_plan(&s.op, err)) {
		say_error(&s,
		    err->code == ERR_REFUSED || err->code == ERR_CHANGED ? "refused" : "failed",
		    err);
	} else {
		op_steps_json(&s.op, &steps);
		s.steps = steps.buf;
		how = ctx->opt->dry_run ? NULL : confirm(&s, err);
		if (ctx->opt->dry_run)
			s.state = "planned";
		else if (how)
			start(&s, how);
		else
			say_error(&s, "refused", err);
	}
	answer(&s);
	op_release(&s.op);
	strbuf_release(&steps);
	arena_release(&s.arena);
	return true;
}

/* The target of a job: the one that was named, or else the configured one of that name. */
static const struct target *
target_of_job(struct run_ctx *ctx, struct targets *found, int64_t id)
{
	struct error ignored = { 0 };
	struct arena arena = { 0 };
	struct journal *j = journal_open(&ignored);
	const struct target *t = ctx->target;
	struct journal_act act;

	if (ctx->opt->nargs < 2 && j && journal_get(j, id, &arena, &act, &ignored) &&
	    strcmp(act.target, t->name) != 0 &&
	    targets_resolve(found, ctx->opt, ctx->settings, &act.target, 1, &ignored))
		t = &found->items[0];
	journal_close(j);
	arena_release(&arena);
	return t;
}

static const char *
confirm_again(struct sync_op *s, const struct op_again *a, struct error *err)
{
	const struct options *opt = s->ctx->opt;
	char answer[256];

	if ((opt->yes && !s->target->is_protected) ||
	    (opt->plan && strcmp(opt->plan, a->hash) == 0))
		return "confirmed";
	if (!opt->json && !opt->yes) {
		for (int i = 0; i < a->doc.n; i++)
			puts(a->doc.lines[i].text);
		fflush(stdout);
		if (act_sync_ask(
		        arena_printf(&s->arena, "%s Type %s to confirm: ", a->question, a->expects),
		        answer, sizeof(answer)) &&
		    strcmp(answer, a->expects) == 0)
			return "typed";
	}
	error_set(err, ERR_NOT_CONFIRMED, "it was not confirmed");
	error_hint(err,
	    s->target->is_protected ? "Type its name on a terminal, or give --plan %s." :
	                              "Add --yes to confirm, or --plan %s.",
	    a->hash);
	return NULL;
}

/* As planned; says itself what went wrong. */
static void
begin_again(struct sync_op *s, const struct op_again *a)
{
	struct error err = { 0 };

	if (s->ctx->opt->dry_run) {
		s->state = "planned";
	} else if (!confirm_again(s, a, &err)) {
		say_error(s, "refused", &err);
	} else if (!op_job_again(s->target, a->id, a->line, a->mode, &err)) {
		say_error(s, "failed", &err);
	} else {
		s->state = "running";
		if (s->ctx->opt->wait)
			wait_end(s);
	}
}

bool
op_sync_again(struct run_ctx *ctx, int64_t id, enum op_job_mode mode, struct error *err)
{
	struct sync_op s = { .ctx = ctx,
		.job = id,
		.state = "refused",
		.steps = "[]",
		.result = "",
		.error_json = "" };
	struct targets found = { 0 };
	struct op_again again = { 0 };

	s.target = op_target_of(&s.arena, ctx->settings, target_of_job(ctx, &found, id), err);
	if (s.target && op_again_plan(&again, &s.arena, s.target, id, mode, err)) {
		s.steps = again.steps;
		s.op.doc = again.doc;
		memcpy(s.op.hash, again.hash, strnlen(again.hash, sizeof(s.op.hash) - 1));
		begin_again(&s, &again);
	} else {
		if (err->code == ERR_NOT_FOUND)
			s.job = 0;
		say_error(&s, "refused", err);
	}
	answer(&s);
	doc_release(&again.doc);
	targets_release(&found);
	arena_release(&s.arena);
	return true;
}
