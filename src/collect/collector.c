/*
 * The thread: requests in, poll, targets, snapshots out. One mutex guards what crosses: the queue
 * of requests, the newest snapshots, the outcomes. It is held for a few assignments only.
 */
#include "config.h"

#include "collect/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "collect/target.h"

enum request_kind {
	REQ_SHOW,
	REQ_REFRESH,
	REQ_NOW,
	REQ_RECONNECT,
	REQ_RUN,
	REQ_CANCEL,
	REQ_POST,
	REQ_WANT
};

struct request {
	enum request_kind kind;
	int target; /* -1: all */
	int ms;
	int nprobes;
	enum probe_id probes[PROBE_COUNT];
	char *password;
	struct run *run;
	struct sample *sample;
	uint64_t ticket;
};

enum { REQUESTS_MAX = 64, OUTCOMES_MAX = 64, STOP_MS = 80 };

struct collector {
	pthread_t thread;
	atomic_int refs; /* the UI's and the thread's */
	int wake_in[2];  /* a byte for each batch of requests */
	int done[2]; /* a byte when the thread has left its loop, another when it has cleaned up */
	int wake_fd; /* the UI's */
	int ntargets;
	struct target **targets; /* collector thread only */
	struct pollfd *fds;
	struct cloud *cloud; /* collector thread only; NULL: no target is in it */

	pthread_mutex_t mutex; /* what follows */
	bool is_stopping;
	bool is_told; /* a byte is in wake_fd that the UI has not answered by a look */
	struct request requests[REQUESTS_MAX];
	int first_request, nrequests;
	const struct snapshot **snapshots;
	struct run_outcome outcomes[OUTCOMES_MAX];
	int first_outcome, noutcomes;
	uint64_t last_ticket;
};

/* ---- collector thread */

/* Mutex held: does the UI need a byte? */
static bool
must_tell(struct collector *c)
{
	bool must = !c->is_told;
	c->is_told = true;
	return must;
}

static void
tell(struct collector *c)
{
	if (c->wake_fd >= 0 && write(c->wake_fd, "", 1) < 0 && errno != EAGAIN)
		log_warn("collector", "wake: %s", strerror(errno));
}

static void
post_outcome(void *arg, const struct run_outcome *outcome)
{
	struct collector *c = arg;
	struct rowset *lost = NULL;
	pthread_mutex_lock(&c->mutex);
	if (c->noutcomes == OUTCOMES_MAX) { /* nobody takes them */
		lost = c->outcomes[c->first_outcome].rows;
		c->first_outcome = (c->first_outcome + 1) % OUTCOMES_MAX;
		c->noutcomes--;
	}
	c->outcomes[(c->first_outcome + c->noutcomes++) % OUTCOMES_MAX] = *outcome;
	bool must = must_tell(c);
	pthread_mutex_unlock(&c->mutex);
	rowset_unref(lost);
	if (must)
		tell(c);
}

static void
publish(struct collector *c, int i)
{
	struct target *t = c->targets[i];
	const struct snapshot *fresh = feed_seal(t->feed);
	t->is_dirty = false;
	pthread_mutex_lock(&c->mutex);
	const struct snapshot *old = c->snapshots[i];
	c->snapshots[i] = fresh;
	bool must = must_tell(c);
	pthread_mutex_unlock(&c->mutex);
	snapshot_unref(old);
	if (must)
		tell(c);
}

static void
free_request(struct request *r)
{
	if (r->password)
		explicit_bzero(r->password, strlen(r->password));
	free(r->password);
	sample_unref(r->sample);
}

static bool
is_cloud_wanted(const struct target *t)
{
	for (int p = 0; p < PROBE_COUNT; p++)
		if (t->slots[p].is_shown && cloud_answers((enum probe_id)p))
			return true;
	return !t->cloud.is_when_shown;
}

/* Ask AWS for a target that turned out to be there. */
static void
join_cloud(struct collector *c, int i)
{
	struct target *t = c->targets[i];
	enum probe_id shown[PROBE_COUNT];
	int n = 0;

	for (int p = 0; p < PROBE_COUNT; p++)
		if (t->slots[p].is_shown)
			shown[n++] = (enum probe_id)p;
	if (!t->wants_cloud || t->in_cloud || !is_cloud_wanted(t))
		return;
	if (!c->cloud)
		c->cloud = cloud_new(c->wake_in[1]);
	t->in_cloud = true;
	cloud_add(c->cloud, i, t->name, &t->cloud, t->cloud_host);
	cloud_show(c->cloud, i, shown, n);
}

/* What AWS has answered. */
static void
take_cloud(struct collector *c)
{
	struct sample *s;
	int i;

	while (c->cloud && cloud_take(c->cloud, &i, &s)) {
		struct target *t = c->targets[i];

		s->server_at = feed_server_clock(t->feed, s->at);
		feed_apply(t->feed, s);
		t->is_dirty = true;
	}
}

static void
obey(struct collector *c, int i, struct request *r)
{
	struct target *t = c->targets[i];

	switch (r->kind) {
	case REQ_SHOW:
		target_show(t, r->probes, r->nprobes);
		if (t->in_cloud)
			cloud_show(c->cloud, i, r->probes, r->nprobes);
		break;
	case REQ_REFRESH:
		if (r->ms >= 100)
			t->refresh_ms = r->ms;
		t->next_tick = mono_now();
		break;
	case REQ_NOW:
		target_hurry(t);
		if (t->in_cloud)
			cloud_hurry(c->cloud, i);
		break;
	case REQ_RECONNECT:
		target_reconnect(t, r->password);
		break;
	case REQ_RUN:
		action_queue(t, r->run);
		break;
	case REQ_CANCEL:
		action_cancel(t, r->ticket);
		break;
	case REQ_WANT:
		for (int p = 0; p < r->nprobes; p++)
			t->slots[r->probes[p]].is_next = true;
		break;
	case REQ_POST:
		r->sample->server_at = feed_server_clock(t->feed, r->sample->at);
		feed_apply(t->feed, sample_ref(r->sample));
		t->is_dirty = true;
		break;
	}
}

/* False: it is time to stop. */
static bool
take_requests(struct collector *c)
{
	struct request batch[REQUESTS_MAX];
	int n = 0;
	pthread_mutex_lock(&c->mutex);
	bool is_stopping = c->is_stopping;
	c->is_told |= is_stopping; /* from now on the UI's descriptor is not ours to write to */
	for (; c->nrequests > 0; c->nrequests--) {
		batch[n++] = c->requests[c->first_request];
		c->first_request = (c->first_request + 1) % REQUESTS_MAX;
	}
	pthread_mutex_unlock(&c->mutex);
	for (int i = 0; i < n; i++) {
		for (int t = 0; t < c->ntargets; t++)
			if (batch[i].target == t || batch[i].target < 0)
				obey(c, t, &batch[i]);
		free_request(&batch[i]);
	}
	return !is_stopping;
}

static void
drain(int fd)
{
	char buf[64];
	while (read(fd, buf, sizeof(buf)) == (ssize_t)sizeof(buf))
		;
}

/* Milliseconds until `at`, rounded up: waking a little early would mean waking twice. */
static int
timeout_ms(struct mono at, struct mono now)
{
	if (!at.us)
		return -1;
	int64_t us = at.us - now.us;
	if (us <= 0)
		return 0;
	return us > 60000000 ? 60000 : (int)((us + 999) / 1000);
}

/* The last one out frees it. */
static void
collector_unref(struct collector *c)
{
	if (atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	for (; c->noutcomes > 0; c->noutcomes--) {
		rowset_unref(c->outcomes[c->first_outcome].rows);
		c->first_outcome = (c->first_outcome + 1) % OUTCOMES_MAX;
	}
	for (; c->nrequests > 0; c->nrequests--) {
		free_request(&c->requests[c->first_request]);
		c->first_request = (c->first_request + 1) % REQUESTS_MAX;
	}
	for (int i = 0; i < c->ntargets; i++)
		snapshot_unref(c->snapshots[i]);
	pthread_mutex_destroy(&c->mutex);
	close(c->wake_in[0]);
	close(c->wake_in[1]);
	close(c->done[0]);
	close(c->done[1]);
	free(c->targets);
	free(c->snapshots);
	free(c->fds);
	free(c);
}

static void
say_done(struct collector *c)
{
	if (write(c->done[1], "", 1) < 0)
		log_warn("collector", "done: %s", strerror(errno));
}

static void *
collector_main(void *arg)
{
	struct collector *c = arg;
	while (take_requests(c)) {
		struct mono now = mono_now(), wake = { 0 };
		int n = 0;
		c->fds[n++] = (struct pollfd){ .fd = c->wake_in[0], .events = POLLIN };
		take_cloud(c);
		for (int i = 0; i < c->ntargets; i++) {
			wake_at(&wake, target_run(c->targets[i], now));
			join_cloud(c, i);
			if (c->targets[i]->is_dirty)
				publish(c, i);
			n += target_fds(c->targets[i], c->fds + n);
		}
		int ready = poll(c->fds, (nfds_t)n, timeout_ms(wake, mono_now()));
		if (ready <= 0)
			continue;
		if (c->fds[0].revents)
			drain(c->wake_in[0]);
		for (int i = 0; i < c->ntargets; i++) {
			target_ready(c->targets[i], c->fds + 1 + i * TARGET_FDS, TARGET_FDS);
			if (c->targets[i]->is_dirty)
				publish(c, i);
		}
	}
	say_done(c);
	cloud_free(c->cloud);
	for (int i = 0; i < c->ntargets; i++)
		target_free(c->targets[i]);
	say_done(c);
	collector_unref(c);
	return NULL;
}

/* ---- UI thread */

static bool
make_pipe(int fds[2])
{
	return pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0;
}

static const struct snapshot *
first_snapshot(const char *name)
{
	struct feed *f = feed_new(name);
	const struct snapshot *s = feed_seal(f);
	feed_free(f);
	return s;
}

struct collector *
collector_start(const struct target_conf *targets, int n, int wake_fd)
{
	struct collector *c = xcalloc(1, sizeof(*c));
	c->wake_fd = wake_fd;
	c->ntargets = n;
	c->targets = xcalloc((size_t)n + 1, sizeof(struct target *));
	c->snapshots = xcalloc((size_t)n + 1, sizeof(struct snapshot *));
	c->fds = xcalloc((size_t)n * TARGET_FDS + 1, sizeof(struct pollfd));
	atomic_init(&c->refs, 2);
	if (!make_pipe(c->wake_in) || !make_pipe(c->done))
		fatal("pipe: %s", strerror(errno));
	pthread_mutex_init(&c->mutex, NULL);
	for (int i = 0; i < n; i++) {
		c->targets[i] = target_new(&targets[i], n == 1);
		c->targets[i]->post = post_outcome;
		c->targets[i]->post_arg = c;
		c->snapshots[i] = first_snapshot(targets[i].name);
	}
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&c->thread, NULL, collector_main, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		fatal("cannot start the collector's thread: %s", strerror(failed));
	return c;
}

static void
poke(struct collector *c)
{
	/* A full pipe holds a wake-up already. */
	if (write(c->wake_in[1], "", 1) < 0 && errno != EAGAIN)
		log_warn("collector", "poke: %s", strerror(errno));
}

/* Take a byte of the thread's; false: none came in time. */
static bool
wait_done(struct collector *c, int ms)
{
	struct pollfd pfd = { .fd = c->done[0], .events = POLLIN };
	char byte;
	int n;
	while ((n = poll(&pfd, 1, ms)) < 0 && errno == EINTR)
		;
	return n > 0 && read(c->done[0], &byte, 1) == 1;
}

void
collector_stop(struct collector *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->mutex);
	c->is_stopping = true;
	pthread_mutex_unlock(&c->mutex);
	poke(c);
	/* The loop never blocks, and behind it no hook is called any more. Closing hundreds of
	 * sessions takes longer than a user who quits should wait: the thread does that alone. */
	if (wait_done(c, -1) && wait_done(c, STOP_MS))
		pthread_join(c->thread, NULL);
	else
		pthread_detach(c->thread);
	collector_unref(c);
}

int
collector_count(const struct collector *c)
{
	return c->ntargets;
}

const struct snapshot *
collector_snapshot(struct collector *c, int i)
{
	pthread_mutex_lock(&c->mutex);
	c->is_told = false;
	const struct snapshot *s = snapshot_ref(c->snapshots[i]);
	pthread_mutex_unlock(&c->mutex);
	return s;
}

const struct snapshot *
collector_peek(struct collector *c, int i)
{
	pthread_mutex_lock(&c->mutex);
	const struct snapshot *s = snapshot_ref(c->snapshots[i]);
	pthread_mutex_unlock(&c->mutex);
	return s;
}

static bool
send_request(struct collector *c, const struct request *r)
{
	pthread_mutex_lock(&c->mutex);
	bool ok = c->nrequests < REQUESTS_MAX && r->target < c->ntargets;
	if (ok)
		c->requests[(c->first_request + c->nrequests++) % REQUESTS_MAX] = *r;
	pthread_mutex_unlock(&c->mutex);
	if (ok)
		poke(c);
	return ok;
}

bool
collector_show(struct collector *c, int target, const enum probe_id *probes, int n)
{
	struct request r = { .kind = REQ_SHOW, .target = target };
	for (int i = 0; i < n && r.nprobes < PROBE_COUNT; i++)
		r.probes[r.nprobes++] = probes[i];
	return send_request(c, &r);
}

bool
collector_want(struct collector *c, int target, const enum probe_id *probes, int n)
{
	struct request r = { .kind = REQ_WANT, .target = target };

	for (int i = 0; i < n && r.nprobes < PROBE_COUNT; i++)
		r.probes[r.nprobes++] = probes[i];
	return send_request(c, &r);
}

bool
collector_refresh_ms(struct collector *c, int target, int ms)
{
	return send_request(
	    c, &(struct request){ .kind = REQ_REFRESH, .target = target, .ms = ms });
}

bool
collector_now(struct collector *c, int target)
{
	return send_request(c, &(struct request){ .kind = REQ_NOW, .target = target });
}

bool
collector_reconnect(struct collector *c, int target, const char *password)
{
	struct request r = { .kind = REQ_RECONNECT, .target = target };
	if (password)
		r.password = xstrdup(password);
	if (send_request(c, &r))
		return true;
	free_request(&r);
	return false;
}

static bool
post(struct collector *c, int target, struct sample *sample)
{
	struct request r = { .kind = REQ_POST, .target = target, .sample = sample };

	sample->at = mono_now();
	if (send_request(c, &r))
		return true;
	free_request(&r);
	return false;
}

bool
collector_post(struct collector *c, int target, enum probe_id probe, struct rowset *rows)
{
	return post(c, target, sample_new(probe, SAMPLE_OK, rows));
}

bool
collector_post_failed(struct collector *c, int target, enum probe_id probe, const struct error *why)
{
	struct sample *s = sample_new(probe, SAMPLE_FAILED, NULL);

	snprintf(s->what, sizeof(s->what), "%s", why->what);
	snprintf(s->hint, sizeof(s->hint), "%s", why->hint);
	return post(c, target, s);
}

static void
free_unsent(struct run *run)
{
	for (int i = 0; i < run->nparams; i++)
		free(run->params[i]);
	free(run);
}

uint64_t
collector_run(struct collector *c, int target, const struct run_request *req)
{
	const struct pg_query *q = pg_query_by_name(req->query);
	if (!q || q->nparams != req->nparams)
		fatal("no query %s with %d parameters", req->query, req->nparams);
	struct run *run = xcalloc(1, sizeof(*run));
	run->kind = req->kind;
	run->query = q;
	run->nparams = req->nparams;
	run->timeout_ms = req->timeout_ms > 0 ? req->timeout_ms : q->timeout_ms;
	run->queued = mono_now();
	for (int i = 0; i < req->nparams; i++)
		run->params[i] = req->params[i] ? xstrdup(req->params[i]) : NULL;
	pthread_mutex_lock(&c->mutex);
	uint64_t ticket = run->ticket = ++c->last_ticket;
	pthread_mutex_unlock(&c->mutex);
	if (send_request(c, &(struct request){ .kind = REQ_RUN, .target = target, .run = run }))
		return ticket;
	free_unsent(run);
	return 0;
}

bool
collector_outcome(struct collector *c, struct run_outcome *outcome)
{
	pthread_mutex_lock(&c->mutex);
	c->is_told = false;
	bool is_there = c->noutcomes > 0;
	if (is_there) {
		*outcome = c->outcomes[c->first_outcome];
		c->first_outcome = (c->first_outcome + 1) % OUTCOMES_MAX;
		c->noutcomes--;
	}
	pthread_mutex_unlock(&c->mutex);
	return is_there;
}

void
collector_cancel(struct collector *c, uint64_t ticket)
{
	send_request(c, &(struct request){ .kind = REQ_CANCEL, .target = -1, .ticket = ticket });
}
