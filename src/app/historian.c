#include "config.h"

#include "app/historian.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/gather.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	FIRST_MS = 10000,    /* after the start */
	PERIOD_S = 60,       /* then at each full minute */
	RETRY_MS = 30000,    /* after a failure */
	CHART_MS = 30000,    /* a chart that is looked at is read again */
	WANTED_MS = 5000,    /* it is looked at when it was asked for within this time */
	SIZES_POST_S = 300,  /* a short history of sizes is posted again */
	LONG_POST_S = 21600, /* and a long one, which a few more rows do not change */
	LONG_ROWS = 1000,
	IDLE_MS = 3600000, /* nothing is kept */
	STOP_MS = 300,
	BEHIND_MS = 100,
	SAY_MS = 30000,
	MANY_TARGETS = 20,  /* beyond, sizes of tables and databases are not posted */
	TOP_DATABASES = 20, /* of which sizes are posted */
	TOP_TABLES = 30,
	TOP_STATEMENTS = 40, /* of each minute: those of the hour are among them */
};

struct want {
	char metric[64];
	int span_s;
	struct mono at; /* 0: never */
};

struct subject {
	char *name;
	struct want want; /* mutex */
	/* what follows is the thread's own */
	struct gather gather;
	struct want posted;
	struct mono sizes_posted_at;
	int64_t sizes_period_ms;
	struct mono asked_at[PROBE_COUNT];
	int64_t system_identifier;
	bool is_told; /* that something is posted, good or not */
};

struct historian {
	pthread_t thread;
	atomic_int refs; /* the main thread's and its own */
	int n;
	struct subject *subjects;

	/* the thread's own */
	struct history *history; /* NULL: not open */
	int64_t limit;
	bool was_on;
	struct error trouble; /* why it is not, or what failed last; ERR_OK: all is well */
	struct mono retry_at;
	struct mono said_at; /* when something was said instead of a chart */
	bool is_behind;      /* the collector's queue was full: again soon */

	pthread_mutex_t mutex; /* what follows, and the wants */
	pthread_cond_t wake, done;
	struct collector *collector; /* NULL once the main thread has gone on */
	bool is_stopping, is_done, has_news;
	bool is_on; /* as the settings say, and how large the file may become */
	int64_t set_limit;
};

/* ------------------------------------------------------------------ the thread */

/* Hands rows to the collector unless the main thread has gone on. Takes rows; NULL: the trouble.
 * False: its queue is full. */
static bool
post(struct historian *h, int target, enum probe_id probe, struct rowset *rows,
    const struct error *why)
{
	bool ok = true;

	pthread_mutex_lock(&h->mutex);
	if (!h->collector)
		rowset_unref(rows);
	else if (rows)
		ok = collector_post(h->collector, target, probe, rows);
	else
		ok = collector_post_failed(h->collector, target, probe, why);
	pthread_mutex_unlock(&h->mutex);
	h->is_behind |= !ok;
	return ok;
}

static const struct snapshot *
peek(struct historian *h, int target)
{
	const struct snapshot *snap = NULL;

	pthread_mutex_lock(&h->mutex);
	if (h->collector)
		snap = collector_peek(h->collector, target);
	pthread_mutex_unlock(&h->mutex);
	return snap;
}

static void
close_history(struct historian *h)
{
	history_close(h->history);
	h->history = NULL;
}

/* Said once in the log, and where a pane looks for the history. */
static void
fail(struct historian *h, const struct error *err)
{
	if (strcmp(h->trouble.what, err->what) != 0)
		log_warn("history", "%s", err->what);
	h->trouble = *err;
	if (h->trouble.code == ERR_OK)
		h->trouble.code = ERR_STATE;
	h->retry_at.us = mono_now().us + RETRY_MS * INT64_C(1000);
	if (h->history && history_is_damaged(h->history)) {
		close_history(h);
		h->retry_at = mono_now();
	}
	for (int i = 0; i < h->n; i++) {
		(void)post(h, i, PROBE_HISTORY, NULL, &h->trouble);
		if (!h->subjects[i].is_told)
			h->subjects[i].is_told = post(h, i, PROBE_SIZE_HISTORY, NULL, &h->trouble);
		h->subjects[i].posted = (struct want){ .at = mono_now() };
	}
}

/* What is no failure but must be known: the old file was damaged. Charts come a little later. */
static void
say(struct historian *h, const struct error *err)
{
	log_warn("history", "%s. %s", err->what, err->hint);
	for (int i = 0; i < h->n; i++)
		(void)post(h, i, PROBE_HISTORY, NULL, err);
	h->said_at = mono_now();
}

static bool
is_ready(struct historian *h)
{
	struct error err = { 0 };

	if (h->trouble.code != ERR_OK && mono_now().us < h->retry_at.us)
		return false;
	if (!h->history) {
		h->history = history_open(&err);
		if (!h->history) {
			fail(h, &err);
			return false;
		}
		history_limit(h->history, h->limit);
		if (*err.what)
			say(h, &err);
	}
	return true;
}

static void
succeed(struct historian *h)
{
	if (h->trouble.code == ERR_OK)
		return;
	log_info("history", "it is written again");
	h->trouble = (struct error){ 0 };
	for (int i = 0; i < h->n; i++)
		h->subjects[i].posted = (struct want){ 0 };
}

/* Asks for what nobody looks at, so that the history has it. */
static void
ask(struct historian *h, int target, const struct snapshot *snap)
{
	enum probe_id probes[PROBE_COUNT];
	int n = historian_due(snap, h->subjects[target].asked_at, probes);

	pthread_mutex_lock(&h->mutex);
	if (n > 0 && h->collector)
		(void)collector_want(h->collector, target, probes, n);
	pthread_mutex_unlock(&h->mutex);
}

/*
 * Thins by the earlier of our clock and the servers', so that a clock that jumped ahead takes
 * nothing away; a file that is too large does not wait for the clocks to agree.
 */
static bool
thin(struct historian *h, int64_t servers_us, struct error *err)
{
	struct wall now = wall_now();

	if (history_bytes(h->history) <= h->limit && servers_us < now.us)
		now.us = servers_us;
	return now.us == 0 || history_thin(h->history, now, err);
}

/* Writes the gathered minutes of a target; what was written is forgotten. */
static bool
write_rows(struct historian *h, struct subject *s, const struct snapshot *snap, struct error *err)
{
	struct history_value values[METRIC_COUNT];
	struct history_statement statements[TOP_STATEMENTS];
	struct arena arena = { 0 };
	struct history_row row = { .target = s->name,
		.system_identifier = snap->server.system_identifier,
		.values = values,
		.statements = statements };
	struct history_size *sizes;
	bool ok = true;

	row.nsizes = gather_sizes(&s->gather, snap, &arena, &sizes);
	row.sizes = sizes;
	row.nstatements = gather_statements(&s->gather, snap, statements, TOP_STATEMENTS);
	while (ok && s->gather.n > 0) {
		const struct gathered *g = &s->gather.rows[0];
		bool is_last = s->gather.n == 1;
		struct history_row one = row;

		/* Sizes are of the end. */
		one.nsizes = is_last ? row.nsizes : 0;
		one.nstatements = is_last ? row.nstatements : 0;
		one.at.us = g->minute * 1000000;
		one.nvalues = gather_values(g, values);
		one.wal_lsn = g->wal_lsn;
		ok = history_add(h->history, &one, err);
		if (ok)
			gather_forget(&s->gather, 1);
	}
	if (!ok) /* the sizes are taken once more */
		s->gather.measured = (struct mono){ 0 };
	arena_release(&arena);
	return ok;
}

/* A name that leads to another server than the history thought: what was posted was not its. */
static void
see_server(struct subject *s, const struct snapshot *snap)
{
	int64_t id = snap->server.system_identifier;

	if (!id || id == s->system_identifier)
		return;
	s->system_identifier = id;
	s->posted = (struct want){ 0 };
	s->sizes_posted_at = (struct mono){ 0 };
}

static void
write_all(struct historian *h)
{
	bool is_up = is_ready(h), ok = is_up;
	struct error err = { 0 };
	int64_t servers_us = 0, one_us;

	for (int i = 0; i < h->n; i++) {
		struct subject *s = &h->subjects[i];
		const struct snapshot *snap = peek(h, i);

		if (!snap)
			break;
		gather_ticks(&s->gather, snap, historian_shift_us(snap));
		one_us = historian_server_us(snap);
		servers_us = one_us > servers_us ? one_us : servers_us;
		ask(h, i, snap);
		if (ok)
			ok = write_rows(h, s, snap, &err);
		if (ok)
			see_server(s, snap);
		snapshot_unref(snap);
	}
	if (ok)
		ok = thin(h, servers_us, &err);
	if (ok)
		succeed(h);
	else if (is_up)
		fail(h, &err);
}

static bool
same_want(const struct want *a, const struct want *b)
{
	return a->span_s == b->span_s && strcmp(a->metric, b->metric) == 0;
}

/* Posts the chart that is looked at, when it is another one or an old one. */
static void
answer_chart(struct historian *h, int target)
{
	struct subject *s = &h->subjects[target];
	struct mono now = mono_now();
	const struct snapshot *snap;
	struct error err = { 0 };
	struct rowset *rows;
	struct want want;
	struct wall end;

	pthread_mutex_lock(&h->mutex);
	want = s->want;
	pthread_mutex_unlock(&h->mutex);
	if (!want.at.us || mono_since_ms(now, want.at) > WANTED_MS ||
	    (h->said_at.us && mono_since_ms(now, h->said_at) < SAY_MS) ||
	    (s->posted.at.us && same_want(&want, &s->posted) &&
	        mono_since_ms(now, s->posted.at) < CHART_MS))
		return;
	snap = peek(h, target);
	if (!snap)
		return;
	end = snap->taken_at.us ? snap->taken_at : wall_now();
	snapshot_unref(snap);
	rows = historian_chart(h->history, s->name, want.metric, want.span_s, end, &err);
	if (!rows) {
		fail(h, &err);
		return;
	}
	if (!post(h, target, PROBE_HISTORY, rows, NULL))
		return;
	s->posted = want;
	s->posted.at = now;
}

static void
answer_sizes(struct historian *h, int target)
{
	struct subject *s = &h->subjects[target];
	struct mono now = mono_now();
	struct error err = { 0 };
	struct rowset *rows;
	int nrows;

	if (s->sizes_posted_at.us && mono_since_ms(now, s->sizes_posted_at) < s->sizes_period_ms)
		return;
	rows = historian_sizes(h->history, s->name, h->n > MANY_TARGETS ? 0 : TOP_DATABASES,
	    h->n > MANY_TARGETS ? 0 : TOP_TABLES, &err);
	if (!rows) {
		fail(h, &err);
		return;
	}
	nrows = rows->nrows;
	if (!post(h, target, PROBE_SIZE_HISTORY, rows, NULL))
		return;
	s->sizes_posted_at = now;
	s->sizes_period_ms = (nrows < LONG_ROWS ? SIZES_POST_S : LONG_POST_S) * INT64_C(1000);
	s->is_told = true;
}

static void
answer(struct historian *h)
{
	h->is_behind = false;
	for (int i = 0; i < h->n && !h->is_behind; i++) {
		if (!is_ready(h))
			return;
		answer_sizes(h, i);
		if (h->history)
			answer_chart(h, i);
	}
}

/* Until a full minute of the wall clock, so that a row is one minute. */
static int64_t
next_write_us(void)
{
	const int64_t minute_us = PERIOD_S * INT64_C(1000000);
	int64_t left = minute_us - wall_now().us % minute_us;

	return mono_now().us + left + 500000;
}

/* False: stopping. */
static bool
wait_until(struct historian *h, int64_t us)
{
	struct timespec at = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
	bool is_stopping;

	pthread_mutex_lock(&h->mutex);
	while (!h->is_stopping && !h->has_news &&
	    pthread_cond_timedwait(&h->wake, &h->mutex, &at) != ETIMEDOUT)
		;
	h->has_news = false;
	is_stopping = h->is_stopping;
	pthread_mutex_unlock(&h->mutex);
	return !is_stopping;
}

static void
historian_unref(struct historian *h)
{
	if (atomic_fetch_sub(&h->refs, 1) != 1)
		return;
	for (int i = 0; i < h->n; i++) {
		gather_release(&h->subjects[i].gather);
		free(h->subjects[i].name);
	}
	free(h->subjects);
	pthread_mutex_destroy(&h->mutex);
	pthread_cond_destroy(&h->wake);
	pthread_cond_destroy(&h->done);
	free(h);
}

/* Does as the settings say now; false: nothing is kept, and what is seen meanwhile never will. */
static bool
is_on(struct historian *h)
{
	bool was_on = h->was_on;
	int64_t limit;

	pthread_mutex_lock(&h->mutex);
	h->was_on = h->is_on;
	limit = h->set_limit;
	pthread_mutex_unlock(&h->mutex);
	if (limit != h->limit && h->history)
		history_limit(h->history, limit);
	h->limit = limit;
	if (!h->was_on)
		close_history(h);
	for (int i = 0; i < h->n && h->was_on && !was_on; i++) {
		gather_release(&h->subjects[i].gather);
		h->subjects[i].gather.newest = mono_now();
	}
	return h->was_on;
}

static void *
historian_main(void *arg)
{
	struct historian *h = arg;
	int64_t due = mono_now().us + FIRST_MS * INT64_C(1000), until;

	do {
		until = mono_now().us + IDLE_MS * INT64_C(1000);
		if (!is_on(h))
			continue;
		if (mono_now().us >= due) {
			write_all(h);
			due = next_write_us();
		}
		answer(h);
		until = h->is_behind ? mono_now().us + BEHIND_MS * INT64_C(1000) : due;
	} while (wait_until(h, until));
	if (is_on(h))
		write_all(h);
	close_history(h);
	pthread_mutex_lock(&h->mutex);
	h->is_done = true;
	pthread_cond_signal(&h->done);
	pthread_mutex_unlock(&h->mutex);
	historian_unref(h);
	return NULL;
}

/* ------------------------------------------------------------------ main thread */

static void
init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

struct historian *
historian_start(struct collector *c, const struct targets *targets, const struct settings *settings)
{
	struct historian *h;
	sigset_t all, before;
	int failed;

	h = xcalloc(1, sizeof(*h));
	h->collector = c;
	h->n = targets->n;
	h->is_on = settings_bool(settings, "history");
	h->was_on = h->is_on;
	h->set_limit = settings_bytes(settings, "history_size");
	h->limit = h->set_limit;
	h->subjects = xcalloc((size_t)h->n + 1, sizeof(*h->subjects));
	for (int i = 0; i < h->n; i++)
		h->subjects[i].name = xstrdup(targets->items[i].name);
	atomic_init(&h->refs, 2);
	pthread_mutex_init(&h->mutex, NULL);
	init_cond(&h->wake);
	init_cond(&h->done);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&h->thread, NULL, historian_main, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		fatal("cannot start the historian's thread: %s", strerror(failed));
	return h;
}

void
historian_stop(struct historian *h)
{
	int64_t us = mono_now().us + STOP_MS * INT64_C(1000);
	struct timespec at = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
	bool is_done;

	if (!h)
		return;
	pthread_mutex_lock(&h->mutex);
	h->is_stopping = true;
	pthread_cond_signal(&h->wake);
	while (!h->is_done && pthread_cond_timedwait(&h->done, &h->mutex, &at) != ETIMEDOUT)
		;
	is_done = h->is_done;
	h->collector = NULL;
	pthread_mutex_unlock(&h->mutex);
	/* A disk that does not answer is not waited for; what is committed is safe. */
	if (is_done)
		pthread_join(h->thread, NULL);
	else
		pthread_detach(h->thread);
	historian_unref(h);
}

void
historian_set(struct historian *h, const struct settings *settings)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->mutex);
	h->is_on = settings_bool(settings, "history");
	h->set_limit = settings_bytes(settings, "history_size");
	h->has_news = true;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->mutex);
}

void
historian_want(struct historian *h, int target, const char *metric, int span_s)
{
	struct want *want;
	struct mono now = mono_now();

	if (!h || target < 0 || target >= h->n)
		return;
	want = &h->subjects[target].want;
	pthread_mutex_lock(&h->mutex);
	if (!want->at.us || want->span_s != span_s || strcmp(want->metric, metric) != 0 ||
	    mono_since_ms(now, want->at) > WANTED_MS / 2) {
		h->has_news = true;
		pthread_cond_signal(&h->wake);
		snprintf(want->metric, sizeof(want->metric), "%s", metric);
		want->span_s = span_s;
		want->at = now;
	}
	pthread_mutex_unlock(&h->mutex);
}
