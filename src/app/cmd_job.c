/* Jobs: one in full, stopped, taken up again, taken back; and the list of those to look after. */
#include "config.h"

#include "app/cmd_job.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "app/actlog.h"
#include "app/cmd_journal.h"
#include "app/cmd_op.h"
#include "app/commands.h"
#include "app/op_sync.h"
#include "app/result_text.h"
#include "base/fmt.h"
#include "base/json.h"
#include "store/jobs.h"

/* A person's words and the contract's differ in one: what is confirmed is running. */
const char *
job_state_name(enum journal_state state)
{
	return state == JOURNAL_PLANNED ? "running" :
	    state == JOURNAL_PARTLY     ? "done" :
	                                  journal_state_names[state];
}

static bool
read_id(const char *text, int64_t *id, struct error *err)
{
	char *end;

	*id = strtoll(text, &end, 10);
	if (end != text && !*end && *id > 0)
		return true;
	error_set(err, ERR_USAGE, "'%s' is no number of a job", text);
	return error_hint(err, "`jobs` and `journal` show them.");
}

static const char *
step_text(const struct job_step_row *s, char *buf, size_t size)
{
	static const char *const names[] = { "under way", "done", "failed" };
	char span[32];

	if (s->ended_at.us)
		snprintf(buf, size, "%s after %s", names[s->state],
		    fmt_span(span, sizeof(span), (double)(s->ended_at.us - s->began_at.us) / 1e6));
	else
		snprintf(buf, size, "%s", names[s->state]);
	return buf;
}

/* Names of all steps that the plan has, as facts keep them; the rest is what happened. */
static void
add_steps(struct strbuf *out, const char *names, const struct job_step_row *rows, int n)
{
	bool first = true;

	while (names && *names) {
		size_t len = strcspn(names, " ");
		const char *text = "not yet";
		char buf[96];
		const struct job_step_row *row = NULL;

		for (int i = 0; i < n; i++)
			if (strlen(rows[i].name) == len && strncmp(rows[i].name, names, len) == 0)
				row = &rows[i];
		if (row)
			text = step_text(row, buf, sizeof(buf));
		strbuf_addf(out, "%-12s %-16.*s %s%s%s\n", first ? "steps" : "", (int)len, names,
		    text, row && *row->detail ? ": " : "", row ? row->detail : "");
		first = false;
		names += len + (names[len] == ' ');
	}
}

static bool
read_job(struct journal *j, int64_t id, struct strbuf *out, struct error *err)
{
	struct arena arena = { 0 };
	struct journal_act act;
	struct job_row row;
	struct job_step_row *steps;
	struct job_leftover *left;
	int n, nleft;
	char at[40];
	bool ok;

	jobs_mark_lost(j);
	ok = journal_get(j, id, &arena, &act, err) && jobs_get(j, id, &arena, &row, err) &&
	    jobs_steps(j, id, &arena, &steps, &n, err) &&
	    jobs_leftovers(j, id, &arena, &left, &nleft, err);

	if (ok) {
		strbuf_addf(
		    out, "%-12s %lld: %s on %s\n", "job", (long long)id, act.command, act.target);
		strbuf_addf(out, "%-12s %s%s\n", "state", journal_state_names[act.state],
		    row.is_cancelled && !act.finished_at.us ? ", asked to stop" : "");
		strbuf_addf(out, "%-12s %s by %s, %s\n", "begun",
		    wall_rfc3339(act.started_at, at, sizeof(at)), act.os_user, act.confirmed_how);
		if (act.finished_at.us)
			strbuf_addf(out, "%-12s %s\n", "ended",
			    wall_rfc3339(act.finished_at, at, sizeof(at)));
		else if (*row.progress)
			strbuf_addf(out, "%-12s %s\n", "now", row.progress);
		add_steps(out, jobs_fact(j, id, "steps", &arena, err), steps, n);
		if (act.finished_at.us && *row.result) {
			strbuf_adds(out, "outcome\n");
			result_text(out, row.result, 18, false);
		} else if (act.finished_at.us) {
			strbuf_addf(out, "%-12s %s\n", "outcome", act.detail);
		}
		for (int i = 0; i < nleft; i++)
			strbuf_addf(out, "%-12s %s\n", i ? "" : "left behind", left[i].what);
		if (act.finished_at.us && (nleft || act.state == JOURNAL_LOST))
			strbuf_addf(out, "%-12s job undo %lld\n", "take back", (long long)id);
		if (act.state == JOURNAL_LOST || act.state == JOURNAL_FAILED)
			strbuf_addf(out, "%-12s job resume %lld\n", "go on", (long long)id);
	}
	arena_release(&arena);
	return ok;
}

static void
text_member(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	json_str(out, value, strlen(value));
}

static void
time_member(struct strbuf *out, bool *first, const char *key, struct wall at)
{
	char buf[40];

	json_key(out, first, key);
	if (at.us)
		strbuf_addf(out, "\"%s\"", wall_rfc3339(at, buf, sizeof(buf)));
	else
		strbuf_adds(out, "null");
}

static void
raw_member(struct strbuf *out, bool *first, const char *key, const char *json, const char *none)
{
	json_key(out, first, key);
	strbuf_adds(out, *json ? json : none);
}

static void
steps_member(struct strbuf *out, bool *first, const struct job_step_row *steps, int n)
{
	static const char *const names[] = { "doing", "done", "failed" };

	json_key(out, first, "steps");
	for (int i = 0; i < n; i++) {
		bool one = true;

		strbuf_adds(out, i ? ",{" : "[{");
		text_member(out, &one, "step", steps[i].name);
		text_member(out, &one, "state", names[steps[i].state]);
		time_member(out, &one, "began_at", steps[i].began_at);
		time_member(out, &one, "ended_at", steps[i].ended_at);
		text_member(out, &one, "detail", steps[i].detail);
		strbuf_addc(out, '}');
	}
	strbuf_adds(out, n ? "]" : "[]");
}

void
job_leftovers_member(struct strbuf *out, bool *first, const struct job_leftover *left, int n)
{
	json_key(out, first, "leftovers");
	for (int i = 0; i < n; i++) {
		bool one = true;

		strbuf_adds(out, i ? ",{" : "[{");
		text_member(out, &one, "kind", left[i].kind);
		text_member(out, &one, "what", left[i].what);
		time_member(out, &one, "at", left[i].at);
		strbuf_addc(out, '}');
	}
	strbuf_adds(out, n ? "]" : "[]");
}

/* The object of the contract, with what is known beside it. */
static bool
read_job_json(struct journal *j, int64_t id, struct strbuf *out, struct error *err)
{
	struct arena arena = { 0 };
	struct journal_act act;
	struct job_row row;
	struct job_step_row *steps;
	struct job_leftover *left;
	int n, nleft;
	bool ok, first = true;

	jobs_mark_lost(j);
	ok = journal_get(j, id, &arena, &act, err) && jobs_get(j, id, &arena, &row, err) &&
	    jobs_steps(j, id, &arena, &steps, &n, err) &&
	    jobs_leftovers(j, id, &arena, &left, &nleft, err);
	if (ok) {
		strbuf_addc(out, '{');
		json_key(out, &first, "job");
		json_int(out, id);
		text_member(out, &first, "state", job_state_name(act.state));
		text_member(out, &first, "command", act.command);
		text_member(out, &first, "target", act.target);
		text_member(out, &first, "confirmed", act.confirmed_how);
		time_member(out, &first, "started_at", act.started_at);
		time_member(out, &first, "finished_at", act.finished_at);
		text_member(out, &first, "progress", act.finished_at.us ? "" : row.progress);
		raw_member(out, &first, "plan", row.plan, "[]");
		text_member(out, &first, "plan_hash", row.plan_hash);
		steps_member(out, &first, steps, n);
		job_leftovers_member(out, &first, left, nleft);
		raw_member(out, &first, "result", row.result, "null");
		raw_member(out, &first, "error", row.error, "null");
		strbuf_adds(out, "}\n");
	}
	arena_release(&arena);
	return ok;
}

static bool
ask_to_stop(struct journal *j, int64_t id, struct strbuf *out, struct error *err)
{
	struct arena arena = { 0 };
	struct journal_act act;
	bool ok;

	jobs_mark_lost(j);
	ok = jobs_cancel(j, id, err) && journal_get(j, id, &arena, &act, err);
	/* Its lock is held, so the number is its process's and nobody else's. */
	if (ok && act.state == JOURNAL_RUNNING && act.pid > 1 && journal_lock_held(id))
		(void)kill(act.pid, SIGTERM);
	if (ok)
		strbuf_addf(out, "job %lld is asked to stop; `job %lld` shows when it has\n",
		    (long long)id, (long long)id);
	arena_release(&arena);
	return ok;
}

static bool
ask_to_stop_json(struct journal *j, int64_t id, struct strbuf *out, struct error *err)
{
	struct strbuf said = STRBUF_INIT(1024);
	bool ok = ask_to_stop(j, id, &said, err) && read_job_json(j, id, out, err);

	strbuf_release(&said);
	return ok;
}

static bool
run_job(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const char *what = words->n > 2 ? words->w[1].text : "show";
	bool is_json = ctx->opt->json && !ctx->screen;
	int64_t id;

	if (!read_id(words->w[words->n - 1].text, &id, err))
		return false;
	if (strcmp(what, "resume") == 0 || strcmp(what, "undo") == 0)
		return ctx->screen ?
		    cmd_op_run(ctx, words, err) :
		    op_sync_again(ctx, id, *what == 'u' ? OP_JOB_UNDO : OP_JOB_RESUME, err);
	if (strcmp(what, "cancel") == 0)
		return journal_show(ctx, id, is_json ? ask_to_stop_json : ask_to_stop, err);
	if (strcmp(what, "show") == 0)
		return journal_show(ctx, id, is_json ? read_job_json : read_job, err);
	error_set(err, ERR_USAGE, "job cannot '%s'", what);
	return error_hint(err, "Usage: job [cancel|resume|undo] ID");
}

const struct command cmd_job = {
	.name = "job",
	.usage = "job [cancel|resume|undo] ID",
	.help = "one job in full; stop it, go on with it, take back what it left",
	.risk = RISK_ACTS,
	.args = { ARG_WORD, ARG_NUMBER, ARG_NONE, ARG_NONE },
	.min_args = 1,
	.max_args = 2,
	.run = run_job,
};
