/*
 * Commands that read the journal: jobs, journal. On a screen a thread reads it, so that a disk that
 * hangs costs a moment and not the keys.
 */
#include "config.h"

#include "app/cmd_journal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "app/actlog.h"
#include "app/cmd_job.h"
#include "app/commands.h"
#include "app/run.h"
#include "base/json.h"
#include "store/chain.h"
#include "store/jobs.h"

enum { LISTED = 200, PATIENCE_MS = 500, MAX_TEXT = 16 << 20 };

/* Without its last brace. */
static void
act_json(struct strbuf *out, const struct journal_act *a)
{
	const struct {
		const char *key, *value;
	} texts[] = {
		{ "os_user", a->os_user },
		{ "target", a->target },
		{ "host", a->host },
		{ "port", a->port },
		{ "database", a->database },
		{ "role", a->role },
		{ "command", a->command },
		{ "plan", a->plan },
		{ "risk", a->risk },
		{ "confirmed", a->confirmed_how },
		{ "state", journal_state_names[a->state] },
		{ "detail", a->detail },
	};
	bool first = true;
	char buf[40];

	strbuf_addc(out, '{');
	json_key(out, &first, "id");
	json_int(out, a->id);
	json_key(out, &first, "started_at");
	strbuf_addf(out, "\"%s\"", wall_rfc3339(a->started_at, buf, sizeof(buf)));
	json_key(out, &first, "finished_at");
	if (a->finished_at.us)
		strbuf_addf(out, "\"%s\"", wall_rfc3339(a->finished_at, buf, sizeof(buf)));
	else
		strbuf_adds(out, "null");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		json_key(out, &first, texts[i].key);
		json_str(out, texts[i].value, strlen(texts[i].value));
	}
	json_key(out, &first, "system_identifier");
	if (a->system_identifier)
		json_int(out, a->system_identifier);
	else
		strbuf_adds(out, "null");
}

/* The widest user and target of a list, within what a line of 80 columns can spare. */
struct widths {
	int user, target;
};
enum { USER_MOST = 10, TARGET_MOST = 16 };

static struct widths
widths_of(const struct journal_act *acts, int n)
{
	struct widths w = { 0, 0 };

	for (int i = 0; i < n; i++) {
		int user = (int)strnlen(acts[i].os_user, USER_MOST);
		int target = (int)strnlen(acts[i].target, TARGET_MOST);

		w.user = user > w.user ? user : w.user;
		w.target = target > w.target ? target : w.target;
	}
	return w;
}

/* Beneath it what came of it, where that is more than the state says. */
static void
act_text_line(struct strbuf *out, const struct journal_act *a, struct widths w)
{
	const char *state = journal_state_names[a->state];
	size_t len = strcspn(a->detail, "\n");
	struct wall at = { a->started_at.us - a->started_at.us % 1000000 };
	char buf[40];

	strbuf_addf(out, "%5lld  %s  %-8s  %-*.*s  %-*.*s  %s", (long long)a->id,
	    wall_rfc3339(at, buf, sizeof(buf)), state, w.user, w.user, a->os_user, w.target,
	    w.target, a->target, a->command);
	if (len && (len != strlen(state) || strncmp(a->detail, state, len) != 0))
		strbuf_addf(out, "\n       %.*s", (int)len, a->detail);
	strbuf_addc(out, '\n');
}

static void
add_job_json(struct strbuf *out, struct journal *j, const struct journal_act *a)
{
	struct arena arena = { 0 };
	struct error ignored = { 0 };
	struct job_leftover *left;
	struct job_row row;
	bool first = false;
	int n;

	json_key(out, &first, "progress");
	if (!a->finished_at.us && jobs_get(j, a->id, &arena, &row, &ignored))
		json_str(out, row.progress, strlen(row.progress));
	else
		strbuf_adds(out, "\"\"");
	if (jobs_leftovers(j, a->id, &arena, &left, &n, &ignored))
		job_leftovers_member(out, &first, left, n);
	arena_release(&arena);
}

/* Where it stands; for one that has ended, why it is listed, and the commands for it. */
static void
add_what_to_do(struct strbuf *out, struct journal *j, const struct journal_act *a)
{
	struct arena arena = { 0 };
	struct error ignored = { 0 };
	struct job_leftover *left;
	struct job_row row;
	long long id = (long long)a->id;
	int n;

	if (!jobs_get(j, a->id, &arena, &row, &ignored) ||
	    !jobs_leftovers(j, a->id, &arena, &left, &n, &ignored))
		n = -1;
	if (n >= 0 && !a->finished_at.us && *row.progress)
		strbuf_addf(out, "       %s\n", row.progress);
	for (int i = 0; n > 0 && i < n; i++)
		strbuf_addf(out, "       %s: %s\n", a->finished_at.us ? "left behind" : "for now",
		    left[i].what);
	if (n >= 0 && !a->finished_at.us)
		strbuf_addf(out, "       job cancel %lld stops it\n", id);
	else if (n >= 0 && a->state != JOURNAL_DONE && a->state != JOURNAL_PARTLY)
		strbuf_addf(
		    out, "       job resume %lld goes on, job undo %lld takes back\n", id, id);
	else if (n > 0)
		strbuf_addf(out, "       job undo %lld takes back\n", id);
	arena_release(&arena);
}

/* What is read, and what came of it. */
struct reading {
	bool is_json, open_only;
	int64_t id; /* of one act; 0: a list */
	/* Another way to read it; NULL: as above. */
	bool (*read)(struct journal *j, int64_t id, struct strbuf *out, struct error *err);
	struct strbuf out;
	struct error error;
	bool ok;
};

static void
read_list(struct reading *r, struct journal *j)
{
	struct arena arena = { 0 };
	struct journal_act *acts = NULL;
	struct widths w;
	int n = 0;

	jobs_mark_lost(j);
	r->ok = r->open_only ? jobs_list(j, &arena, &acts, &n, &r->error) :
	                       journal_list(j, LISTED, false, &arena, &acts, &n, &r->error);
	w = widths_of(acts, r->ok ? n : 0);
	if (r->ok && r->is_json)
		strbuf_addc(&r->out, '[');
	for (int i = 0; r->ok && i < n; i++) {
		if (r->is_json) {
			strbuf_adds(&r->out, i ? ",\n" : "");
			act_json(&r->out, &acts[i]);
			if (r->open_only)
				add_job_json(&r->out, j, &acts[i]);
			strbuf_addc(&r->out, '}');
		} else {
			act_text_line(&r->out, &acts[i], w);
			if (r->open_only)
				add_what_to_do(&r->out, j, &acts[i]);
		}
	}
	if (r->ok && r->is_json)
		strbuf_adds(&r->out, "]\n");
	else if (r->ok && n == 0)
		strbuf_adds(&r->out,
		    r->open_only ? "no job is running, none is lost, nothing is left behind\n" :
		                   "the journal is empty\n");
	arena_release(&arena);
}

static void
read_act(struct reading *r, struct journal *j)
{
	struct arena arena = { 0 };
	struct journal_act a;

	r->ok = journal_get(j, r->id, &arena, &a, &r->error);
	if (r->ok && r->is_json) {
		act_json(&r->out, &a);
		strbuf_addc(&r->out, '}');
	} else if (r->ok) {
		act_text_line(&r->out, &a, widths_of(&a, 1));
		strbuf_addf(
		    &r->out, "\n%s\nconfirmed: %s\n\n%s\n", a.plan, a.confirmed_how, a.detail);
	}
	arena_release(&arena);
}

static void
read_journal(struct reading *r)
{
	struct journal *j = journal_open(&r->error);

	if (j && r->read)
		r->ok = r->read(j, r->id, &r->out, &r->error);
	else if (j && r->id)
		read_act(r, j);
	else if (j)
		read_list(r, j);
	journal_close(j);
}

/* ------------------------------------------------------------------ on a screen */

struct waiting {
	struct reading reading;
	atomic_int refs; /* the reader's and the waiter's */
	pthread_mutex_t mutex;
	pthread_cond_t done;
	bool is_done;
};

static void
waiting_unref(struct waiting *w)
{
	if (atomic_fetch_sub(&w->refs, 1) != 1)
		return;
	strbuf_release(&w->reading.out);
	pthread_mutex_destroy(&w->mutex);
	pthread_cond_destroy(&w->done);
	free(w);
}

static void *
reader_main(void *arg)
{
	struct waiting *w = arg;

	read_journal(&w->reading);
	pthread_mutex_lock(&w->mutex);
	w->is_done = true;
	pthread_cond_signal(&w->done);
	pthread_mutex_unlock(&w->mutex);
	waiting_unref(w);
	return NULL;
}

static struct waiting *
start_reader(const struct reading *what)
{
	struct waiting *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t attr;
	sigset_t all, before;
	pthread_t thread;
	int failed;

	w->reading = *what;
	atomic_init(&w->refs, 2);
	pthread_mutex_init(&w->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->done, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&thread, NULL, reader_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		fatal("cannot start a thread for the journal: %s", strerror(failed));
	pthread_detach(thread);
	return w;
}

/* Reads it in a thread, and waits a moment; a disk that takes longer is left alone. */
static void
read_aside(struct reading *r)
{
	int64_t us = mono_now().us + PATIENCE_MS * INT64_C(1000);
	struct timespec at = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
	struct waiting *w = start_reader(r);

	pthread_mutex_lock(&w->mutex);
	while (!w->is_done && pthread_cond_timedwait(&w->done, &w->mutex, &at) != ETIMEDOUT)
		;
	if (w->is_done) {
		*r = w->reading;
		strbuf_init(&w->reading.out, MAX_TEXT);
	} else {
		error_set(&r->error, ERR_JOURNAL, "the journal's disk does not answer");
		error_hint(&r->error, "Ask again; what is written there waits, too.");
	}
	pthread_mutex_unlock(&w->mutex);
	waiting_unref(w);
}

static bool
run_reading(struct run_ctx *ctx, struct reading *r, struct error *err)
{
	if (ctx->screen)
		read_aside(r);
	else
		read_journal(r);
	strbuf_add(ctx->out, r->out.buf, r->out.len);
	strbuf_release(&r->out);
	if (!r->ok)
		*err = r->error;
	return r->ok;
}

static bool
show(struct run_ctx *ctx, bool open_only, int64_t id, struct error *err)
{
	struct reading r = { .is_json = ctx->opt->json && !ctx->screen,
		.open_only = open_only,
		.id = id,
		.out = STRBUF_INIT(MAX_TEXT) };

	return run_reading(ctx, &r, err);
}

bool
journal_show(struct run_ctx *ctx, int64_t id,
    bool (*read)(struct journal *j, int64_t id, struct strbuf *out, struct error *err),
    struct error *err)
{
	struct reading r = { .id = id, .read = read, .out = STRBUF_INIT(MAX_TEXT) };

	return run_reading(ctx, &r, err);
}

/* Is every line of journal.jsonl as it was written, and none taken out? */
static bool
read_chain(struct journal *j, int64_t id, struct strbuf *out, struct error *err)
{
	struct chain_report r;
	struct chain_tip tip;

	(void)id;
	if (!journal_tip(j, &tip, err) || !chain_verify(NULL, &tip, &r, err))
		return false;
	if (r.broken) {
		error_set(err, ERR_JOURNAL, "line %lld of journal.jsonl is not to be trusted: %s",
		    (long long)r.broken, r.why);
		return error_hint(err,
		    "What comes before it is as it was written; compare with a copy of the file.");
	}
	strbuf_addf(out, "%lld lines, each as it was written", (long long)r.lines);
	if (r.torn)
		strbuf_addf(out, "; %lld cut by a crash", (long long)r.torn);
	strbuf_addf(out, "%s%s\n", r.lines ? "; the last is " : "", r.last);
	return true;
}

static bool
run_journal(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const char *word = words->n > 1 ? words->w[1].text : NULL;

	if (!word)
		return show(ctx, false, 0, err);
	if (strcmp(word, "verify") == 0)
		return journal_show(ctx, 0, read_chain, err);
	if (!*word || word[strspn(word, "0123456789")] || strtoll(word, NULL, 10) == 0) {
		error_set(err, ERR_USAGE, "'%s' is not the number of an act", word);
		return error_hint(err, "Usage: journal [NUMBER|verify]");
	}
	return show(ctx, false, strtoll(word, NULL, 10), err);
}

static bool
run_jobs(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	return show(ctx, true, 0, err);
}

const struct command cmd_journal = {
	.name = "journal",
	.usage = "journal [NUMBER|verify]",
	.help = "what was done, newest first; one act in full; or check its chained lines",
	.args = { ARG_WORD, ARG_NONE, ARG_NONE, ARG_NONE },
	.max_args = 1,
	.run = run_journal,
};

const struct command cmd_jobs = {
	.name = "jobs",
	.usage = "jobs",
	.help = "jobs that are under way, lost, or have left something behind",
	.run = run_jobs,
};
