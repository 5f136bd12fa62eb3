/* Operations: each verb of ops/op_kinds.c is a command; their jobs are seen, stopped, taken up
 * again and taken back by `job`. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "app/actlog.h"
#include "app/cmd_journal.h"
#include "app/commands.h"
#include "app/op_sync.h"
#include "app/run.h"
#include "base/fmt.h"
#include "store/jobs.h"

static bool
run_op(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct acting *acting;

	if (!ctx->screen)
		return op_sync(ctx, words, err);
	acting = ctx->screen->acting(ctx->console);
	if (!acting) {
		error_set(err, ERR_STATE, "nothing can be done in the past");
		return error_hint(err, "`seek live` goes back to the present.");
	}
	return acting_op(
	    acting, ctx->screen->target(ctx->console), ctx->target, ctx->settings, ctx->line, err);
}

/* ------------------------------------------------------------------ jobs */

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
		if (act.finished_at.us)
			strbuf_addf(
			    out, "%-12s %s\n", "outcome", *row.result ? row.result : act.detail);
		for (int i = 0; i < nleft; i++)
			strbuf_addf(out, "%-12s %s\n", i ? "" : "left behind", left[i].what);
		if (nleft && act.finished_at.us)
			strbuf_addf(out, "%-12s job undo %lld\n", "take back", (long long)id);
		if (act.state == JOURNAL_LOST || act.state == JOURNAL_FAILED)
			strbuf_addf(out, "%-12s job resume %lld\n", "go on", (long long)id);
	}
	arena_release(&arena);
	return ok;
}

static bool
ask_to_stop(struct journal *j, int64_t id, struct strbuf *out, struct error *err)
{
	if (!jobs_cancel(j, id, err))
		return false;
	strbuf_addf(
	    out, "job %lld is asked to stop; it ends before its next step\n", (long long)id);
	return true;
}

static bool
run_job(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const char *what = words->n > 2 ? words->w[1].text : "show";
	int64_t id;

	if (!read_id(words->w[words->n - 1].text, &id, err))
		return false;
	if (strcmp(what, "resume") == 0 || strcmp(what, "undo") == 0)
		return op_sync_again(ctx, id, strcmp(what, "undo") == 0, err);
	if (strcmp(what, "show") != 0 && strcmp(what, "cancel") != 0) {
		error_set(err, ERR_USAGE, "job cannot '%s'", what);
		return error_hint(err, "Usage: job [cancel|resume|undo] ID");
	}
	return journal_show(ctx, id, strcmp(what, "show") == 0 ? read_job : ask_to_stop, err);
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

#define OP(id, word, use, text)                                     \
	const struct command cmd_##id = {                           \
		.name = word,                                       \
		.usage = use,                                       \
		.help = text,                                       \
		.risk = RISK_ACTS,                                  \
		.args = { ARG_WORD, ARG_WORD, ARG_WORD, ARG_WORD }, \
		.min_args = 0,                                      \
		.max_args = -1,                                     \
		.run = run_op,                                      \
	}

OP(snapshot, "snapshot", "snapshot [NAME] [full|diff|incr]",
    "make a backup now: a snapshot of RDS, or one by pgBackRest");

OP(pool, "pool", "pool pause|resume|reconnect|kill [DATABASE]",
    "hold, let go, or cut the clients of PgBouncer");
