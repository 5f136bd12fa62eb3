#include "config.h"

#include "app/act_sync.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/actlog.h"
#include "app/job_index.h"
#include "app/op_job.h"
#include "base/log.h"
#include "base/utf8.h"
#include "pg/job.h"
#include "pg/sync.h"

enum {
	JOB_PATIENCE_MS = 60000,
	WAIT_POLL_MS = 100,
	DDL_LOCK_MS = 10000,
	MAX_JOB_OUTPUT = 16 << 10
};

struct sync_run {
	struct run_ctx *ctx;
	struct act *act;
	struct pg_sync *pg;
	struct pg_peer peer;
	int64_t system_identifier;
	int64_t job;
	bool is_dry, is_waited;
	struct journal_act ended; /* of a job that was waited for */
	struct arena arena;
};

static void
pause_ms(int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* Run the queries of the present stage until it is over. */
static void
drive(struct sync_run *r)
{
	struct act_query q;

	while (act_next(r->act, &q)) {
		struct error err = { 0 };
		struct rowset *rows;

		if (q.delay_ms)
			pause_ms(q.delay_ms);
		rows = pg_sync_run(r->pg, q.query, q.params, q.nparams, q.timeout_ms, &err);
		act_answer(r->act, rows, rows ? NULL : &err);
		rowset_unref(rows);
	}
}

static void
print_doc(struct strbuf *out, const struct doc *doc)
{
	for (int i = 0; i < doc->n; i++)
		strbuf_addf(out, "%s\n", doc->lines[i].text);
}

bool
act_sync_ask(const char *question, char *answer, size_t size)
{
	FILE *tty = isatty(STDIN_FILENO) ? fopen("/dev/tty", "r+") : NULL;
	struct strbuf clean = STRBUF_INIT(8192);
	bool ok;

	if (!tty)
		return false;
	/* It may hold a name that the server sent. */
	utf8_clean(&clean, question, strlen(question), false);
	fputs(clean.buf, tty);
	fflush(tty);
	strbuf_release(&clean);
	ok = fgets(answer, (int)size, tty) != NULL;
	fclose(tty);
	if (!ok)
		*answer = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	return true;
}

static bool
confirm(struct sync_run *r, struct error *err)
{
	const struct options *opt = r->ctx->opt;
	char answer[256];

	if (opt->yes)
		return act_confirm_yes(r->act, err);
	if (!opt->json) {
		struct strbuf plan = STRBUF_INIT(1 << 20);

		print_doc(&plan, act_doc(r->act));
		fwrite(plan.buf, 1, plan.len, stdout);
		fflush(stdout);
		strbuf_release(&plan);
		if (act_sync_ask(act_question(r->act), answer, sizeof(answer)))
			return act_confirm(r->act, answer, err);
	}
	error_set(err, ERR_NOT_CONFIRMED, "%s was not confirmed: there is no terminal to ask on",
	    act_line(r->act));
	error_hint(err, "Add --yes to confirm, or --dry-run to see the plan only.");
	act_abort(r->act);
	return false;
}

static struct act_server
server_of(const struct sync_run *r)
{
	return (struct act_server){
		.host = r->peer.host,
		.port = r->peer.port,
		.database = r->peer.database,
		.role = r->peer.user,
		.system_identifier = r->system_identifier,
	};
}

/* Wait for the end of a job: its row is finished, or its process is gone. */
static void
wait_job(struct sync_run *r, struct journal *j)
{
	struct error err = { 0 };

	for (;;) {
		arena_reset(&r->arena);
		if (!journal_get(j, r->job, &r->arena, &r->ended, &err))
			return;
		if (r->ended.finished_at.us) {
			r->is_waited = true;
			return;
		}
		jobs_mark_lost(j);
		pause_ms(WAIT_POLL_MS);
	}
}

static void
detach(struct sync_run *r)
{
	struct error err = { 0 };
	struct act_server server = server_of(r);

	r->job = job_start(r->act, r->ctx->target, &server, &err);
	act_detached(r->act, r->job, r->job ? NULL : &err);
	if (r->job && r->ctx->opt->wait) {
		struct journal *j = journal_open(&err);

		if (j)
			wait_job(r, j);
		journal_close(j);
	}
}

static void
run_confirmed(struct sync_run *r)
{
	struct act_server server = server_of(r);
	struct actlog log = { .lock_fd = -1 };
	struct error err = { 0 };

	if (act_stage(r->act) == ACT_DETACHED) {
		detach(r);
		return;
	}
	if (!actlog_begin(&log, r->act, r->ctx->target, &server, &err)) {
		act_failed(r->act, &err);
		return;
	}
	drive(r);
	r->job = log.id;
	actlog_end(&log, r->act);
}

/* The four words of the contract, and "planned" of a dry run. */
static const char *
state_name(const struct sync_run *r)
{
	const struct error *error;
	const char *line;

	if (r->is_dry)
		return "planned";
	if (r->is_waited)
		return r->ended.state == JOURNAL_DONE ? "done" : "failed";
	switch (act_result(r->act, &line, &error)) {
	case ACT_DONE:
		return "done";
	case ACT_ENDING:
	case ACT_STARTED:
		return "running";
	case ACT_REFUSED:
		return "refused";
	case ACT_PARTLY:
	case ACT_FAILED:
		return "failed";
	}
	return "failed";
}

void
act_sync_error_member(struct strbuf *out, const struct error *error)
{
	bool first = true;

	strbuf_adds(out, ",\"error\":");
	if (!error) {
		strbuf_adds(out, "null");
		return;
	}
	strbuf_addc(out, '{');
	json_key(out, &first, "code");
	json_str(out, error_name(error->code), strlen(error_name(error->code)));
	json_key(out, &first, "what");
	json_str(out, error->what, strlen(error->what));
	json_key(out, &first, "hint");
	json_str(out, error->hint, strlen(error->hint));
	strbuf_addc(out, '}');
}

static void
steps_member(struct strbuf *out, const struct act *act)
{
	int n;
	const struct act_step *steps = act_steps(act, &n);

	strbuf_adds(out, ",\"plan\":[");
	for (int i = 0; i < n; i++) {
		bool first = true;

		strbuf_adds(out, i ? ",{" : "{");
		json_key(out, &first, "step");
		json_str(out, steps[i].step, strlen(steps[i].step));
		json_key(out, &first, "effect");
		json_str(out, steps[i].effect, strlen(steps[i].effect));
		json_key(out, &first, "risk");
		json_str(out, steps[i].risk, strlen(steps[i].risk));
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

void
act_sync_error_json(struct strbuf *out, const struct error *err)
{
	strbuf_addf(out, "{\"job\":null,\"state\":\"%s\",\"plan\":[],\"result\":null",
	    err->code == ERR_REFUSED || err->code == ERR_NOT_CONFIRMED || err->code == ERR_CHANGED ?
	        "refused" :
	        "failed");
	act_sync_error_member(out, err);
	strbuf_addc(out, '}');
}

static const char *
result_text(const struct sync_run *r, const struct error **error)
{
	const char *line;

	act_result(r->act, &line, error);
	return r->is_waited ? r->ended.detail : line;
}

static void
print_json(struct sync_run *r)
{
	struct strbuf *out = r->ctx->out;
	const struct error *error = NULL;
	const char *text = r->is_dry ? "" : result_text(r, &error);
	struct error job_error = { 0 };

	if (r->is_waited && r->ended.state != JOURNAL_DONE) {
		error_set(&job_error, ERR_QUERY, "%.200s", text);
		error = &job_error;
	}
	if (r->job)
		strbuf_addf(out, "{\"job\":%lld", (long long)r->job);
	else
		strbuf_adds(out, "{\"job\":null");
	strbuf_addf(out, ",\"state\":\"%s\"", state_name(r));
	steps_member(out, r->act);
	strbuf_adds(out, ",\"result\":");
	if (*text)
		json_str(out, text, strlen(text));
	else
		strbuf_adds(out, "null");
	act_sync_error_member(out, error);
	strbuf_adds(out, "}\n");
}

static void
print_text(struct sync_run *r)
{
	struct strbuf *out = r->ctx->out;
	const struct error *error = NULL;
	const char *text;

	if (r->is_dry || r->ctx->opt->yes)
		print_doc(out, act_doc(r->act));
	if (r->is_dry)
		return;
	text = result_text(r, &error);
	if (error)
		error_report(error);
	else if (r->is_waited)
		strbuf_addf(out, "%s: %s\n", journal_state_names[r->ended.state], text);
	else {
		if (act_result_doc(r->act)->n > 1)
			print_doc(out, act_result_doc(r->act));
		strbuf_addf(out, "%s\n", text);
	}
}

static int
exit_status(const struct sync_run *r)
{
	const char *state = state_name(r);
	const struct error *error = NULL;

	if (strcmp(state, "done") == 0 || strcmp(state, "running") == 0 ||
	    strcmp(state, "planned") == 0)
		return EXIT_DONE;
	(void)result_text(r, &error);
	return error ? options_exit_status(error) : EXIT_FAILED;
}

/* Identity of the server for the journal; not knowing it is no reason to refuse. */
static void
learn_server(struct sync_run *r)
{
	struct error ignored = { 0 };
	struct rowset *rows;

	pg_sync_peer(r->pg, &r->peer);
	rows = pg_sync_run(r->pg, "look_system", NULL, 0, 2000, &ignored);
	if (rows && rows->nrows == 1)
		r->system_identifier = cell_i64(rowset_get(rows, 0, "system_identifier"), 0);
	rowset_unref(rows);
}

bool
act_sync(struct run_ctx *ctx, struct act *act, struct error *err)
{
	struct sync_run r = { .ctx = ctx, .act = act, .is_dry = ctx->opt->dry_run };
	bool ok;

	r.pg = pg_sync_open(ctx->target->conninfo, ctx->target->password, err);
	ok = r.pg != NULL;
	if (!ok)
		error_prefix(err, "cannot reach %s", ctx->target->name);
	if (ok) {
		struct error refused = { 0 };

		learn_server(&r);
		drive(&r);
		if (act_stage(act) == ACT_FINISHED)
			r.is_dry = false; /* refused while planning */
		else if (!r.is_dry && confirm(&r, &refused))
			run_confirmed(&r);
		if (ctx->opt->json)
			print_json(&r);
		else if (*refused.what)
			error_report(&refused);
		else
			print_text(&r);
		ctx->exit_status = exit_status(&r);
	}
	pg_sync_close(r.pg);
	arena_release(&r.arena);
	act_free(act);
	return ok;
}

/* ------------------------------------------------------------------ the job side */

/* What became of the statement, in words for the journal. A vacuum that may not do it warns and
 * skips: that is a failure. */
static enum journal_state
job_outcome(bool ok, int warnings, const struct error *err, const struct strbuf *output,
    struct strbuf *detail)
{
	if (!ok) {
		strbuf_adds(detail, err->what);
		if (*err->hint)
			strbuf_addf(detail, "\nHINT: %s", err->hint);
	} else if (warnings) {
		strbuf_addf(
		    detail, "the server gave %d warning%s", warnings, warnings == 1 ? "" : "s");
	} else {
		strbuf_adds(detail, "done");
	}
	if (output->len)
		strbuf_addf(detail, "\n%s", output->buf);
	return !ok ? JOURNAL_FAILED : warnings ? JOURNAL_PARTLY : JOURNAL_DONE;
}

static void
run_statement(struct journal *j, int64_t id, const struct json *request)
{
	struct strbuf output = STRBUF_INIT(MAX_JOB_OUTPUT),
	              detail = STRBUF_INIT(MAX_JOB_OUTPUT + 1024);
	const char *statement = json_text(json_get(request, "statement"));
	const char *conninfo = json_text(json_get(request, "conninfo"));
	struct error err = { 0 }, log_err = { 0 };
	/* REINDEX CONCURRENTLY waits for old transactions as for locks; a timeout would leave an
	 * invalid index. */
	int lock_ms = statement && strncmp(statement, "REINDEX", 7) == 0 ? 0 : DDL_LOCK_MS;
	enum journal_state state;
	int warnings = 0;
	bool ok = statement &&
	    job_statement(conninfo ? conninfo : "", json_text(json_get(request, "password")),
	        json_text(json_get(request, "database")), statement, lock_ms, &output, &warnings,
	        &err);

	state = job_outcome(ok, warnings, &err, &output, &detail);
	if (!journal_update(j, id, state, detail.buf, 0, &log_err))
		log_error("job", "%lld: %s", (long long)id, log_err.what);
	strbuf_release(&output);
	strbuf_release(&detail);
}

int
act_sync_job(int64_t id, const struct json *request)
{
	struct error err = { 0 };
	struct journal *j;
	int lock, null;

	/* Fork, so that whoever started us can go on; the session has no terminal. */
	switch (fork()) {
	case -1:
		return EXIT_FAILED;
	case 0:
		break;
	default:
		_exit(EXIT_DONE);
	}
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (chdir("/") != 0)
		log_warn("job", "cannot leave the folder");
	j = journal_open(&err);
	lock = journal_lock_inherit(id, JOB_LOCK_FD);
	if (j && lock < 0)
		lock = journal_lock_take(id, &err);
	if (j)
		journal_patience(j, JOB_PATIENCE_MS);
	if (!j || lock < 0 || !journal_update(j, id, JOURNAL_RUNNING, "", (int)getpid(), &err)) {
		log_error("job", "%lld: %s", (long long)id, err.what);
		journal_close(j);
		return EXIT_FAILED;
	}
	if (json_get(request, "op"))
		op_job_run(j, id, request);
	else if (json_get(request, "kind"))
		index_job(j, id, request);
	else
		run_statement(j, id, request);
	journal_lock_drop(id, lock);
	journal_close(j);
	return EXIT_DONE;
}
