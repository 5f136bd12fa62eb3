/*
 * The driver of acts in the console. Nothing here waits: queries are tickets of the collector,
 * pauses are times to be woken at, children are pipes, the journal is written by a thread, while
 * the act stands still: what is not written down must not begin.
 */
#include "config.h"

#include "app/acting.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/actwrite.h"
#include "app/child.h"
#include "app/op_target.h"
#include "base/clock.h"
#include "base/strbuf.h"

enum { MAX_CHILD_OUTPUT = 32 << 20, ASK_MS = 60000 };

struct acting {
	struct collector *collector;
	enum acting_state state;
	int index;
	const struct target *target;
	char *title;

	struct act *act;
	struct actlog log;
	bool is_writing; /* the journal, with `write` */
	struct actwrite write;
	bool is_given_up;       /* meanwhile */
	int64_t job;            /* of ACTWRITE_JOB */
	bool has_job;           /* was handed to a process of its own */
	struct act_query query; /* waits for `due`, or is out as `ticket` */
	bool is_queued;
	struct mono due;
	uint64_t ticket;

	struct op_planned *op; /* an operation rather than an act */
	struct mono asked;     /* when its plan was shown */

	pid_t child;
	int fd;
	struct strbuf output;
	struct doc child_doc;
	char *child_line;
	bool child_failed;
	bool is_refused; /* with what was looked at in child_doc */
};

struct acting *
acting_new(struct collector *c)
{
	struct acting *a = xcalloc(1, sizeof(*a));

	a->collector = c;
	a->fd = -1;
	strbuf_init(&a->output, MAX_CHILD_OUTPUT);
	return a;
}

/* Its job has begun, or could not. */
static void
take_op_job(struct acting *a, const struct actwrite *w)
{
	free(a->child_line);
	a->child_failed = w->job == 0;
	if (w->job)
		a->child_line = xasprintf("job %lld is under way: %s; `job %lld` shows its steps",
		    (long long)w->job, a->title, (long long)w->job);
	else
		a->child_line =
		    xasprintf("%s%s%s", w->error.what, *w->error.hint ? ". " : "", w->error.hint);
	/* A list is in what was planned already, and is what was asked for. */
	if (!w->job || *a->op->expects)
		doc_reset(&a->child_doc);
	a->state = ACTING_DONE;
}

static void
free_op(struct acting *a)
{
	if (!a->op)
		return;
	arena_release(&a->op->arena);
	free(a->op);
	a->op = NULL;
}

/* The write has ended; without it the act does not begin. */
static void
take_write(struct acting *a)
{
	struct actwrite *w = &a->write;

	actwrite_end(w);
	a->is_writing = false;
	switch (w->kind) {
	case ACTWRITE_BEGIN:
		a->log = w->log;
		if (!w->ok)
			act_failed(a->act, &w->error);
		else if (a->is_given_up)
			act_abort(a->act);
		break;
	case ACTWRITE_END:
		a->log = w->log;
		break;
	case ACTWRITE_JOB:
		act_detached(a->act, w->job, w->job ? NULL : &w->error);
		a->job = w->job;
		break;
	case ACTWRITE_OP:
		a->job = w->job;
		take_op_job(a, w);
		break;
	}
}

void
acting_clear(struct acting *a)
{
	if (a->is_writing)
		take_write(a);
	if (a->ticket)
		collector_cancel(a->collector, a->ticket);
	if (a->child > 0) {
		kill(a->child, SIGTERM);
		while (waitpid(a->child, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	if (a->fd >= 0)
		close(a->fd);
	if (a->act && act_stage(a->act) == ACT_FINISHED)
		actlog_end(&a->log, a->act);
	act_free(a->act);
	free_op(a);
	free(a->title);
	free(a->child_line);
	doc_release(&a->child_doc);
	strbuf_clear(&a->output);
	*a = (struct acting){ .collector = a->collector, .fd = -1, .output = a->output };
}

void
acting_free(struct acting *a)
{
	if (!a)
		return;
	if (a->is_writing)
		take_write(a);
	if (a->act && a->state == ACTING_RUNNING && act_stage(a->act) == ACT_RUNNING) {
		struct error err = { 0 };

		error_set(&err, ERR_STATE, "the console ended before the outcome was seen");
		act_failed(a->act, &err);
	}
	acting_clear(a);
	strbuf_release(&a->output);
	free(a);
}

static void
start_write(struct acting *a, enum actwrite_kind kind)
{
	a->write = (struct actwrite){ .kind = kind,
		.log = a->log,
		.act = a->act,
		.target = a->target,
		.op = a->op,
		.snap = collector_snapshot(a->collector, a->index) };
	a->is_writing = true;
	a->state = ACTING_RUNNING;
	actwrite_start(&a->write);
}

/* After anything that moved the act: queue its next query, or see where it stands. */
static void
advance(struct acting *a)
{
	if (act_stage(a->act) == ACT_DETACHED && !a->has_job) {
		a->has_job = true;
		start_write(a, ACTWRITE_JOB);
		return;
	}
	switch (act_stage(a->act)) {
	case ACT_LOOKING:
		a->state = ACTING_LOOKING;
		break;
	case ACT_PLANNED:
		a->state = ACTING_ASKING;
		return;
	case ACT_RUNNING:
		a->state = ACTING_RUNNING;
		break;
	case ACT_DETACHED:
	case ACT_FINISHED:
		if (a->log.journal) {
			start_write(a, ACTWRITE_END);
			return;
		}
		a->state = ACTING_DONE;
		return;
	}
	a->is_queued = act_next(a->act, &a->query);
	a->due.us = mono_now().us + (int64_t)a->query.delay_ms * 1000;
	acting_step(a);
}

bool
acting_begin(
    struct acting *a, int index, const struct target *target, struct act *act, struct error *err)
{
	if (a->state != ACTING_NONE) {
		act_free(act);
		error_set(err, ERR_STATE, "%s is still under way", a->title);
		return error_hint(err, "Wait for its end, or give it up with Ctrl-C.");
	}
	a->act = act;
	a->index = index;
	a->target = target;
	a->title = xstrdup(act_line(act));
	a->state = ACTING_LOOKING;
	advance(a);
	return true;
}

/* The queue of the collector may be full for a moment: then it is tried again. */
static void
send_query(struct acting *a)
{
	struct run_request req = {
		.kind = a->query.is_act ? RUN_ACT : RUN_LOOK,
		.query = a->query.query,
		.nparams = a->query.nparams,
		.timeout_ms = a->query.timeout_ms,
	};

	memcpy(req.params, a->query.params, sizeof(req.params));
	a->ticket = collector_run(a->collector, a->index, &req);
	if (a->ticket)
		a->is_queued = false;
	else
		a->due.us = mono_now().us + 20000;
}

bool
acting_outcome(struct acting *a, struct run_outcome *outcome)
{
	if (!a->ticket || outcome->ticket != a->ticket)
		return false;
	a->ticket = 0;
	act_answer(
	    a->act, outcome->is_ok ? outcome->rows : NULL, outcome->is_ok ? NULL : &outcome->error);
	rowset_unref(outcome->rows);
	outcome->rows = NULL;
	advance(a);
	return true;
}

static bool
answer_op(struct acting *a, const char *typed, struct error *err)
{
	if (mono_since_ms(mono_now(), a->asked) > ASK_MS) {
		error_set(err, ERR_CHANGED, "the plan is older than a minute");
		error_hint(err, "Give the command again, and look at it again.");
	} else if (strcmp(typed, a->op->expects) != 0) {
		error_set(err, ERR_NOT_CONFIRMED, "%s was not confirmed", a->title);
		error_hint(err, "It wants: %s", a->op->expects);
	} else {
		a->op->plan.confirmed_how = arena_printf(&a->op->arena, "typed %s", a->op->expects);
		start_write(a, ACTWRITE_OP);
		return true;
	}
	free(a->child_line);
	a->child_line = xasprintf("%s. %s", err->what, err->hint);
	a->child_failed = true;
	doc_reset(&a->child_doc);
	a->state = ACTING_DONE;
	return false;
}

bool
acting_answer(struct acting *a, const char *typed, struct error *err)
{
	if (a->state != ACTING_ASKING)
		return error_set(err, ERR_STATE, "nothing is asked");
	if (a->op)
		return answer_op(a, typed, err);
	if (!act_confirm(a->act, typed, err)) {
		advance(a);
		return false;
	}
	if (act_stage(a->act) == ACT_DETACHED)
		advance(a);
	else
		start_write(a, ACTWRITE_BEGIN);
	return true;
}

void
acting_abort(struct acting *a)
{
	if (a->child > 0) {
		a->child_failed = true;
		free(a->child_line);
		a->child_line = xasprintf("%s was given up", a->title);
		kill(a->child, SIGTERM);
		return;
	}
	if (a->op && a->state == ACTING_ASKING) {
		a->child_failed = true;
		free(a->child_line);
		a->child_line = xasprintf("%s was not confirmed", a->title);
		doc_reset(&a->child_doc);
		a->state = ACTING_DONE;
		return;
	}
	if (!a->act || a->state == ACTING_DONE)
		return;
	if (a->is_writing) {
		a->is_given_up = true;
		return;
	}
	if (a->ticket)
		collector_cancel(a->collector, a->ticket);
	a->ticket = 0;
	a->is_queued = false;
	act_abort(a->act);
	advance(a);
}

/* ------------------------------------------------------------------ children */

bool
acting_child(struct acting *a, int index, const struct target *target,
    const struct settings *settings, const char *line, struct error *err)
{
	struct strbuf request = STRBUF_INIT(1 << 20);
	bool first = true, ok;

	if (a->state != ACTING_NONE)
		return error_set(err, ERR_STATE, "%s is still under way", a->title);
	strbuf_addc(&request, '{');
	child_member(&request, &first, "name", target->name);
	child_member(&request, &first, "conninfo", target->conninfo);
	child_member(&request, &first, "password", target->password);
	child_member(&request, &first, "line", line);
	child_member(&request, &first, "config", settings->path);
	strbuf_addc(&request, '}');
	ok = child_start(&request, &a->child, &a->fd, err);
	strbuf_release(&request);
	if (!ok)
		return false;
	a->index = index;
	a->target = target;
	a->title = xstrdup(line);
	a->state = ACTING_RUNNING;
	return true;
}

bool
acting_op(struct acting *a, int index, const struct target *target, const struct settings *settings,
    const char *line, struct error *err)
{
	struct strbuf request = STRBUF_INIT(1 << 20);
	bool ok;

	if (a->state != ACTING_NONE)
		return error_set(err, ERR_STATE, "%s is still under way", a->title);
	a->op = xcalloc(1, sizeof(*a->op));
	a->op->target = op_target_of(&a->op->arena, settings, target, err);
	ok = a->op->target != NULL;
	if (ok) {
		op_plan_request(&request, a->op->target, line);
		ok = child_start(&request, &a->child, &a->fd, err);
	}
	strbuf_release(&request);
	if (!ok) {
		free_op(a);
		return false;
	}
	a->index = index;
	a->target = target;
	a->title = xstrdup(line);
	a->state = ACTING_LOOKING;
	return true;
}

/* The child has printed the plan. */
static void
take_plan(struct acting *a)
{
	struct error err = { 0 };

	if (op_planned_read(
	        a->op, a->op->target, a->output.buf, a->output.len, &a->child_doc, &err)) {
		a->asked = mono_now();
		a->state = ACTING_ASKING;
		/* What changes nothing is not asked for. */
		if (!*a->op->expects && !answer_op(a, "", &err))
			a->state = ACTING_DONE;
		return;
	}
	a->child_failed = true;
	a->is_refused = a->child_doc.n > 0;
	free(a->child_line);
	a->child_line = xasprintf("%s%s%s", err.what, *err.hint ? ". " : "", err.hint);
	a->state = ACTING_DONE;
}

/* The first line of what went wrong, without the program's name. */
static void
child_error(struct acting *a)
{
	const char *s = a->output.buf;

	if (strncmp(s, "pgmedic: ", 9) == 0)
		s += 9;
	if (!a->child_line)
		a->child_line =
		    *s ? xstrndup(s, strcspn(s, "\n")) : xasprintf("%s failed", a->title);
}

static void
end_child(struct acting *a)
{
	int status = 0;

	while (waitpid(a->child, &status, 0) < 0 && errno == EINTR)
		continue;
	a->child = 0;
	close(a->fd);
	a->fd = -1;
	if (a->op && !a->child_failed) {
		take_plan(a);
		return;
	}
	a->child_failed |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	if (a->child_failed)
		child_error(a);
	doc_text(
	    &a->child_doc, a->child_failed ? ROLE_CRIT : ROLE_NORMAL, a->output.buf, a->output.len);
	a->state = ACTING_DONE;
}

static void
read_child(struct acting *a)
{
	char buf[16384];
	ssize_t n;

	while ((n = read(a->fd, buf, sizeof(buf))) > 0)
		strbuf_add(&a->output, buf, (size_t)n);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		end_child(a);
}

static bool
has_written(const struct acting *a)
{
	struct pollfd pfd = { .fd = actwrite_fd(&a->write), .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}

void
acting_step(struct acting *a)
{
	if (a->fd >= 0)
		read_child(a);
	if (a->is_writing && has_written(a)) {
		take_write(a);
		if (a->act)
			advance(a);
		return;
	}
	if (a->is_queued && mono_now().us >= a->due.us)
		send_query(a);
}

int
acting_fd(const struct acting *a)
{
	return a->is_writing ? actwrite_fd(&a->write) : a->fd;
}

int
acting_timeout_ms(const struct acting *a)
{
	int64_t left;

	if (!a->is_queued)
		return -1;
	left = (a->due.us - mono_now().us + 999) / 1000;
	return left > 0 ? (int)left : 0;
}

/* ------------------------------------------------------------------ what to show */

enum acting_state
acting_state(const struct acting *a)
{
	return a->state;
}

const char *
acting_title(const struct acting *a)
{
	return a->title ? a->title : "";
}

const struct doc *
acting_doc(const struct acting *a)
{
	if (!a->act)
		return &a->child_doc;
	return a->state == ACTING_DONE ? act_result_doc(a->act) : act_doc(a->act);
}

const char *
acting_question(const struct acting *a)
{
	if (a->op)
		return a->op->question ? a->op->question : "";
	return a->act ? act_question(a->act) : "";
}

const char *
acting_expects(const struct acting *a)
{
	if (a->op)
		return a->op->expects ? a->op->expects : "";
	return a->act ? act_expects(a->act) : "";
}

/* What it refused or failed with, and the hint. */
static const char *
error_line(struct acting *a, const struct error *error)
{
	free(a->child_line);
	a->child_line = xasprintf("%s%s%s", error->what, *error->hint ? ". " : "", error->hint);
	return a->child_line;
}

const char *
acting_line(struct acting *a, enum role *role)
{
	const struct error *error;
	const char *line;

	if (!a->act) {
		*role = a->op && a->job ? ROLE_OK : ROLE_CRIT;
		return a->child_line ? a->child_line : "";
	}
	switch (act_result(a->act, &line, &error)) {
	case ACT_DONE:
	case ACT_STARTED:
		*role = ROLE_OK;
		break;
	case ACT_PARTLY:
	case ACT_ENDING:
		*role = ROLE_WARN;
		break;
	case ACT_FAILED:
	case ACT_REFUSED:
		*role = ROLE_CRIT;
		break;
	}
	return error ? error_line(a, error) : line;
}

int64_t
acting_job(const struct acting *a)
{
	return a->job;
}

bool
acting_is_long(const struct acting *a)
{
	const struct error *error;
	const char *line;

	if (a->op)
		return a->child_failed ? a->is_refused : !*a->op->expects;
	if (!a->act)
		return !a->child_failed || a->child_doc.n > 2;
	(void)act_result(a->act, &line, &error);
	/* An error with its hint fits into the line. */
	return act_result_doc(a->act)->n > (error ? 2 : 1);
}
