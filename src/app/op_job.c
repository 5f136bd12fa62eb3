#include "config.h"

#include "app/op_job.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/actlog.h"
#include "app/child.h"
#include "app/op_target.h"
#include "base/log.h"
#include "ops/approval.h"
#include "ops/local_lock.h"
#include "ops/op_server.h"

enum { MAX_REQUEST = 60000, MAX_ERROR = 4096 };

static const char *const mode_names[] = {
	[OP_JOB_RUN] = "run",
	[OP_JOB_RESUME] = "resume",
	[OP_JOB_UNDO] = "undo",
};

/* ------------------------------------------------------------------ starting */

static bool
spawn(const struct op_target *target, int64_t id, const char *line, const char *hash,
    enum op_job_mode mode, int lock, struct error *err)
{
	struct strbuf request = STRBUF_INIT(MAX_REQUEST);
	bool first = true, ok;

	strbuf_addc(&request, '{');
	child_member(&request, &first, "op", line);
	child_member(&request, &first, "mode", mode_names[mode]);
	child_member(&request, &first, "hash", hash);
	json_key(&request, &first, "target");
	op_target_write(&request, target);
	strbuf_addc(&request, '}');
	ok = !request.cut ? job_spawn(id, lock, request.buf, request.len, err) :
	                    error_set(err, ERR_MEMORY, "the command is too long");
	explicit_bzero(request.buf, request.len);
	strbuf_release(&request);
	return ok;
}

static void
error_json(struct strbuf *out, const struct error *err)
{
	bool first = true;

	strbuf_addc(out, '{');
	child_member(out, &first, "code", error_name(err->code));
	child_member(out, &first, "what", err->what);
	child_member(out, &first, "hint", err->hint);
	strbuf_addc(out, '}');
}

/* It has no process: said in the journal, too. */
static void
not_begun(struct journal *j, int64_t id, const struct error *why)
{
	struct error err = { 0 };
	struct strbuf text = STRBUF_INIT(MAX_ERROR);

	error_json(&text, why);
	if (!jobs_end(j, id, "", text.buf, &err) ||
	    !journal_update(j, id, JOURNAL_FAILED, why->what, 0, &err))
		log_error("journal", "job %lld: %s", (long long)id, err.what);
	strbuf_release(&text);
}

/* The two-person rule: how it was confirmed, and by whom it was approved. NULL: it was not. */
static const char *
approved_how(const struct op_target *target, const struct op_job_plan *plan, struct arena *arena,
    struct error *err)
{
	struct approval_plan ask = {
		.hash = plan->hash, .target = target->name, .line = plan->line, .text = plan->text
	};
	const char *by;

	if (plan->only_looks || strcmp(target->approve, "two") != 0)
		return plan->confirmed_how;
	if (!approval_given(target->approvals, &ask, arena, &by, err))
		return NULL;
	return arena_printf(arena, "%s, approved by %s", plan->confirmed_how, by);
}

int64_t
op_job_start(const struct op_target *target, const struct op_job_plan *plan, struct error *err)
{
	struct arena arena = { 0 };
	const char *how = approved_how(target, plan, &arena, err);
	struct journal *j = how ? journal_open(err) : NULL;
	struct journal_act row = {
		.os_user = actlog_os_user(),
		.target = target->name,
		.host = plan->host,
		.port = plan->port,
		.database = plan->database,
		.role = plan->role,
		.system_identifier = plan->system_identifier,
		.command = plan->line,
		.plan = plan->text,
		.risk = plan->risk,
		.confirmed_how = how,
		.state = JOURNAL_PLANNED,
	};
	struct job_row job = { .kind = plan->kind, .plan_hash = plan->hash, .plan = plan->steps };
	int lock = j ? jobs_begin(j, &row, &job, err) : -1;
	bool ok = lock >= 0;

	if (ok) {
		ok = spawn(target, row.id, plan->line, plan->hash, OP_JOB_RUN, lock, err);
		if (!ok)
			not_begun(j, row.id, err);
		job_lock_handed(row.id, lock, ok);
		if (how != plan->confirmed_how)
			approval_used(target->approvals, plan->hash);
	}
	journal_close(j);
	arena_release(&arena);
	return ok ? row.id : 0;
}

bool
op_job_again(const struct op_target *target, int64_t id, const char *line, enum op_job_mode mode,
    struct error *err)
{
	struct journal *j = journal_open(err);
	int lock = j ? journal_lock_take(id, err) : -1;
	bool ok = lock >= 0 && jobs_again(j, id, mode_names[mode], err);

	if (ok) {
		ok = spawn(target, id, line, NULL, mode, lock, err);
		if (!ok)
			not_begun(j, id, err);
	}
	job_lock_handed(id, lock, ok);
	journal_close(j);
	return ok;
}

/* ------------------------------------------------------------------ the job's process */

static volatile sig_atomic_t stopped;

static void
on_signal(int sig)
{
	stopped = sig;
}

static void
watch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGHUP, &sa, NULL);
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGXFSZ, &sa, NULL); /* a limit on files is as a disk that is full */
}

/* How it ended: the result first, since a reader goes by the state. */
static void
end(struct journal *j, struct op *op, enum op_job_mode mode, bool ok, const struct error *err)
{
	struct strbuf error = STRBUF_INIT(MAX_ERROR), detail = STRBUF_INIT(MAX_ERROR);
	struct error log_err = { 0 };
	enum journal_state state = JOURNAL_DONE;

	if (!ok) {
		error_json(&error, err);
		strbuf_addf(&detail, "%s%s%s", err->what, *err->hint ? "\nHINT: " : "", err->hint);
		state = err->code == ERR_REFUSED || err->code == ERR_CHANGED ? JOURNAL_REFUSED :
		                                                               JOURNAL_FAILED;
	} else if (mode == OP_JOB_UNDO) {
		/* What it left is taken back: it is not done for that. */
		state = JOURNAL_PARTLY;
		strbuf_adds(&detail, "taken back");
	} else {
		strbuf_adds(&detail, "done");
	}
	if (!jobs_end(
	        j, op->job, ok && mode != OP_JOB_UNDO ? op->result.buf : "", error.buf, &log_err) ||
	    !journal_update(j, op->job, state, detail.buf, 0, &log_err))
		log_error("job", "%lld: %s", (long long)op->job, log_err.what);
	strbuf_release(&error);
	strbuf_release(&detail);
}

static enum op_job_mode
mode_of(const struct json *request)
{
	const char *s = json_text(json_get(request, "mode"));

	for (size_t i = 0; s && i < ARRAY_LEN(mode_names); i++)
		if (strcmp(mode_names[i], s) == 0)
			return (enum op_job_mode)i;
	return OP_JOB_RUN;
}

/* The target, and the cluster behind it, which may have other names. A cluster that is another one
 * than was planned for is not touched. */
static bool
lease(struct journal *j, struct op *op, enum op_job_mode mode, struct error *err)
{
	struct arena arena = { 0 };
	struct journal_act act;
	char name[64];
	bool ok = journal_get(j, op->job, &arena, &act, err) &&
	    jobs_lease(j, op->target->name, op->job, err);

	if (ok && act.system_identifier) {
		snprintf(name, sizeof(name), "system %lld", (long long)act.system_identifier);
		ok = jobs_lease(j, name, op->job, err);
	}
	ok = ok && local_lock(op, err);
	if (ok && mode != OP_JOB_RUN)
		ok = op_same_cluster(op, act.system_identifier, err);
	arena_release(&arena);
	return ok;
}

/* The hash to plan by; NULL where the plan is kept already. A job that was killed before its plan
 * was kept has done nothing: it begins with what was confirmed. */
static bool
begun_hash(
    struct journal *j, struct op *op, enum op_job_mode mode, const char **hash, struct error *err)
{
	struct job_row row;

	if (mode == OP_JOB_RUN)
		return true;
	*hash = NULL;
	if (jobs_fact(j, op->job, "steps", &op->arena, err))
		return true;
	if (*err->what || !jobs_get(j, op->job, &op->arena, &row, err))
		return false;
	*hash = row.plan_hash;
	return true;
}

void
op_job_run(struct journal *j, int64_t id, const struct json *request)
{
	struct arena arena = { 0 };
	const char *line = json_text(json_get(request, "op"));
	const char *hash = json_text(json_get(request, "hash"));
	enum op_job_mode mode = mode_of(request);
	struct error err = { 0 };
	struct words words;
	struct op op;
	bool ok;

	watch_signals();
	ok = lex_line(&arena, line, false, &words, &err);
	if (!ok)
		words.n = 0;
	op_init(&op, op_target_read(&arena, json_get(request, "target")), &words, line);
	op.journal = j;
	op.job = id;
	op.stop = &stopped;
	ok = ok && lease(j, &op, mode, &err);
	if (ok && mode == OP_JOB_UNDO)
		ok = op_undo(&op, &err);
	else if (ok)
		ok = begun_hash(j, &op, mode, &hash, &err) && op_run(&op, hash, &err);
	end(j, &op, mode, ok, &err);
	op_release(&op);
	arena_release(&arena);
}
