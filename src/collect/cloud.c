/*
 * The threads that ask AWS. Each account and region has one, with one session: calls wait, so an
 * account whose credentials hang, or which is throttled, holds up nobody else, and never the
 * collector. Within an account the kinds of requests take turns; each service has a bucket of
 * tokens, since the limits are the account's, not ours. What fails is tried again ever later; the
 * last good answer stays in the feed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "collect/cloud_priv.h"

enum {
	TIMEOUT_MS = 15000,     /* of one attempt */
	AGAIN_MS = 15000,       /* after a failure, at least */
	AGAIN_MOST_MS = 600000, /* ... and at most */
	THROTTLED_MS = 60000,   /* after being throttled, at least */
	MAX_POSTED = 4096,      /* that nobody took */
	MAX_PAGES = 100,
	COST_MS = 5000,     /* between two tellings while there is no pause */
	LOOK_US = 60000000, /* the longest sleep */
	STOP_MS = 60,       /* how long the threads are waited for at the end */
};

/* Requests a second of a service, and how many at once: well below of what accounts are known to
 * be allowed. */
static const struct {
	double per_s, burst;
} paces[AWS_SERVICES] = {
	[AWS_RDS] = { 0.8, 4 },
	[AWS_STS] = { 1, 2 },
	[AWS_EC2] = { 1, 4 },
	[AWS_CLOUDWATCH] = { 2, 6 },
	[AWS_PI] = { 2, 6 },
	[AWS_LOGS] = { 2, 6 },
	[AWS_SECRETS] = { 1, 2 },
	[AWS_AUTOSCALING] = { 1, 2 },
	[AWS_SSO] = { 1, 1 },
};

/* In the order in which they are asked for at the start. */
const struct cloud_kind cloud_kinds[CLOUD_KINDS] = {
	[CLOUD_INSTANCES] = { "instances", PROBE_CLOUD, 30000, .run = cloud_instances_run },
	[CLOUD_CLUSTERS] = { "clusters", PROBE_COUNT, 60000, .run = cloud_clusters_run },
	[CLOUD_METRICS] = { "metrics", PROBE_CLOUD_METRICS, 60000, .run = cloud_metrics_run },
	[CLOUD_EVENTS] = { "events", PROBE_CLOUD_EVENTS, 60000, .run = cloud_events_run },
	[CLOUD_ALARMS] = { "alarms", PROBE_CLOUD_ALARMS, 60000, .run = cloud_alarms_run },
	[CLOUD_LOAD] = { "load", PROBE_CLOUD_LOAD, 15000, .is_each = true, .is_when_shown = true,
	    .run = cloud_load_run },
	[CLOUD_LOGS] = { "logs", PROBE_LOGS, 10000, .is_each = true, .is_when_shown = true,
	    .run = cloud_logs_run },
	[CLOUD_OS] = { "os", PROBE_CLOUD_OS, 15000, .is_each = true, .is_when_shown = true,
	    .run = cloud_os_run },
};

struct posted {
	struct posted *next;
	int target;
	struct sample *sample;
};

struct cloud {
	atomic_int refs; /* the collector's, and one for each thread */
	volatile sig_atomic_t stop;
	int wake_fd;                    /* our own copy */
	struct cloud_account *accounts; /* the collector's thread */

	pthread_mutex_t mutex; /* what follows, and the lists of members */
	struct posted *first, *last;
	int nposted;
};

/* ---- both sides */

static void
member_free(struct cloud_member *m)
{
	cloud_metrics_release(m->metrics);
	cloud_load_release(m->load);
	cloud_logs_release(m->logs);
	free(m->name);
	free(m->instance);
	free(m->cluster);
	free(m->host);
	free(m);
}

static void
account_free(struct cloud_account *a)
{
	while (a->members) {
		struct cloud_member *m = a->members;

		a->members = m->next;
		member_free(m);
	}
	aws_close(a->aws);
	cloud_listing_release(&a->instances);
	cloud_listing_release(&a->clusters);
	cloud_events_release(a->events);
	pthread_cond_destroy(&a->wake);
	free(a->profile);
	free(a->credentials_file);
	free(a->region);
	free(a->endpoint_url);
	free(a->host);
	free(a);
}

static void
cloud_unref(struct cloud *c)
{
	if (atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	while (c->accounts) {
		struct cloud_account *a = c->accounts;

		c->accounts = a->next;
		account_free(a);
	}
	while (c->first) {
		struct posted *p = c->first;

		c->first = p->next;
		sample_unref(p->sample);
		free(p);
	}
	pthread_mutex_destroy(&c->mutex);
	close(c->wake_fd);
	free(c);
}

/* ---- threads of the accounts */

bool
cloud_is_stopping(const struct cloud_account *a)
{
	return stop_asked(&a->cloud->stop);
}

int64_t
cloud_clock(const struct cloud_account *a)
{
	return wall_now().us / 1000000 + (a->aws ? aws_clock_behind_s(a->aws) : 0);
}

static void
post(struct cloud_member *m, struct sample *s)
{
	struct cloud *c = m->account->cloud;
	struct posted *p = xcalloc(1, sizeof(*p));
	bool is_first;

	s->at = mono_now();
	*p = (struct posted){ .target = m->target, .sample = s };
	pthread_mutex_lock(&c->mutex);
	if (c->nposted == MAX_POSTED) {
		struct posted *oldest = c->first;

		c->first = oldest->next;
		c->nposted--;
		sample_unref(oldest->sample);
		free(oldest);
	}
	is_first = !c->first;
	if (is_first)
		c->first = p;
	else
		c->last->next = p;
	c->last = p;
	c->nposted++;
	pthread_mutex_unlock(&c->mutex);
	if (is_first && write(c->wake_fd, "", 1) < 0 && errno != EAGAIN)
		log_debug("cloud", "wake: %s", strerror(errno));
}

void
cloud_post(struct cloud_member *m, enum probe_id probe, struct rowset *rows)
{
	post(m, sample_new(probe, SAMPLE_OK, rows));
}

void
cloud_post_failed(struct cloud_member *m, enum probe_id probe, const struct error *why)
{
	enum sample_state state = why->code == ERR_DENIED ? SAMPLE_DENIED :
	    why->code == ERR_UNSUPPORTED                  ? SAMPLE_UNSUPPORTED :
	    why->code == ERR_TIMEOUT                      ? SAMPLE_TIMEOUT :
	                                                    SAMPLE_FAILED;
	struct sample *s = sample_new(probe, state, NULL);

	snprintf(s->what, sizeof(s->what), "%s", why->what);
	snprintf(s->hint, sizeof(s->hint), "%s", why->hint);
	post(m, s);
}

/* Members are only ever put in front, so what follows one stays as it is. */
struct cloud_member *
cloud_members(struct cloud_account *a)
{
	pthread_mutex_lock(&a->cloud->mutex);
	struct cloud_member *first = a->members;
	pthread_mutex_unlock(&a->cloud->mutex);
	return first;
}

static void
rest(const struct cloud_account *a, int64_t ms)
{
	struct mono start = mono_now();

	while (!cloud_is_stopping(a) && mono_since_ms(mono_now(), start) < ms)
		(void)poll(NULL, 0, 50);
}

/* Before each attempt: wait for a token of the service, and count. */
static void
take_token(void *arg, enum aws_service service)
{
	struct cloud_account *a = arg;
	double per_s = paces[service].per_s, burst = paces[service].burst, tokens = burst;
	struct mono now = mono_now();

	if (a->buckets[service].at.us)
		tokens = a->buckets[service].tokens +
		    (double)(now.us - a->buckets[service].at.us) / 1e6 * per_s;
	a->buckets[service].at = now;
	a->buckets[service].tokens = (tokens > burst ? burst : tokens) - 1;
	a->calls[service]++;
	if (a->buckets[service].tokens < 0)
		rest(a, (int64_t)(-a->buckets[service].tokens / per_s * 1000) + 1);
}

static bool
open_session(struct cloud_account *a, struct error *err)
{
	struct aws_config config = { .profile = a->profile,
		.credentials_file = a->credentials_file,
		.region = a->region,
		.host = a->host,
		.endpoint_url = a->endpoint_url,
		.stop = &a->cloud->stop,
		.pace = take_token,
		.arg = a };

	if (a->aws)
		return true;
	a->aws = aws_open(&config, err);
	if (!a->aws)
		return false;
	if (*aws_region(a->aws))
		return true;
	aws_close(a->aws);
	a->aws = NULL;
	error_set(err, ERR_CONFIG, "the region is not known");
	return error_hint(err, "Set region in the [target] section, or AWS_REGION.");
}

bool
cloud_do(struct cloud_account *a, const struct aws_call *call, struct aws_answer *answer,
    struct error *err)
{
	struct aws_call timed = *call;

	timed.timeout_ms = timed.timeout_ms ? timed.timeout_ms : TIMEOUT_MS;
	return open_session(a, err) && aws_do(a->aws, &timed, answer, err);
}

bool
cloud_json_pages(struct cloud_account *a, const struct aws_call *call, int most, bool *more,
    bool (*f)(const struct aws_answer *answer, void *arg, struct error *err), void *arg,
    struct error *err)
{
	struct aws_call timed = *call;

	timed.timeout_ms = timed.timeout_ms ? timed.timeout_ms : TIMEOUT_MS;
	return open_session(a, err) && aws_json_pages(a->aws, &timed, most, more, f, arg, err);
}

void
cloud_listing_release(struct cloud_listing *l)
{
	for (int i = 0; i < l->n; i++)
		aws_answer_release(&l->pages[i]);
	free(l->pages);
	*l = (struct cloud_listing){ .n = 0 };
}

bool
cloud_list(struct cloud_account *a, const char *op, const struct aws_param *params,
    struct cloud_listing *out, struct error *err)
{
	struct cloud_listing fresh = { .n = 0 };
	const char *marker = NULL;

	for (int i = 0; i < MAX_PAGES; i++) {
		struct aws_param all[8] = { { NULL, NULL } };
		struct aws_call call = { .service = AWS_RDS, .op = op, .params = all };
		int n = 0;

		for (; params && params[n].name && n < 6; n++)
			all[n] = params[n];
		all[n] = (struct aws_param){ marker ? "Marker" : NULL, marker };
		GROW(fresh.pages, fresh.n, fresh.cap);
		aws_answer_init(&fresh.pages[fresh.n++]);
		if (!cloud_do(a, &call, &fresh.pages[fresh.n - 1], err)) {
			cloud_listing_release(&fresh);
			return false;
		}
		const char *next = xml_text(fresh.pages[fresh.n - 1].xml, "Marker");

		/* One that leads to itself has no end. */
		if (!*next || (marker && strcmp(next, marker) == 0))
			break;
		marker = next;
	}
	cloud_listing_release(out);
	*out = fresh;
	out->at = wall_now();
	out->is_known = true;
	return true;
}

static int64_t
period_us(const struct cloud_account *a, const struct cloud_kind *kind)
{
	return (int64_t)kind->period_ms * a->period_ms / CLOUD_PERIOD_MS * 1000;
}

/* When the turn is next: after a failure ever later, and later still where the account is
 * throttled. */
static void
schedule(struct cloud_account *a, const struct cloud_kind *kind, struct cloud_turn *turn, bool ok,
    const struct error *err)
{
	int64_t us = period_us(a, kind), least = (int64_t)AGAIN_MS * 1000;

	turn->failures = ok ? 0 : turn->failures + 1;
	if (!ok) {
		if (strstr(err->what, "throttled")) {
			a->throttled++;
			least = (int64_t)THROTTLED_MS * 1000;
		}
		least = least * a->period_ms / CLOUD_PERIOD_MS;
		us = us > least ? us : least;
		for (int i = 1; i < turn->failures && us < (int64_t)AGAIN_MOST_MS * 1000; i++)
			us *= 2;
	}
	turn->due.us = mono_now().us + us;
}

static void
run_turn(struct cloud_account *a, const struct cloud_kind *kind, struct cloud_member *m,
    struct cloud_turn *turn)
{
	struct error err = { .code = ERR_OK };
	bool ok = kind->run(a, m, &err);

	if (cloud_is_stopping(a))
		return;
	schedule(a, kind, turn, ok, &err);
	snprintf(a->trouble, sizeof(a->trouble), "%s", ok ? "" : err.what);
	if (!ok) {
		log_warn("cloud", "%s: %s: %s", a->region, kind->name, err.what);
		if (kind->is_each)
			cloud_post_failed(m, kind->probe, &err);
		else if (kind->probe != PROBE_COUNT)
			for (struct cloud_member *i = cloud_members(a); i; i = i->next)
				cloud_post_failed(i, kind->probe, &err);
	}
	a->is_cost_old = true;
}

static bool
is_wanted(const struct cloud_kind *kind, const struct cloud_member *m)
{
	/* What others are found by is always asked. */
	if (kind->probe == PROBE_CLOUD || kind->probe == PROBE_COUNT)
		return true;
	return (!kind->is_when_shown && !m->is_lazy) || atomic_load(&m->is_shown[kind->probe]);
}

/* The turn that is due first; the earlier kind where two are at once, as at the start. */
static struct cloud_turn *
next_turn(struct cloud_account *a, const struct cloud_kind **kind, struct cloud_member **member)
{
	struct cloud_turn *best = NULL;

	for (int k = 0; k < CLOUD_KINDS; k++) {
		const struct cloud_kind *its = &cloud_kinds[k];

		for (struct cloud_member *m = cloud_members(a); m; m = m->next) {
			struct cloud_turn *turn = its->is_each ? &m->turns[k] : &a->turns[k];

			if (!is_wanted(its, m) || (best && best->due.us <= turn->due.us))
				continue;
			best = turn;
			*kind = its;
			*member = its->is_each ? m : NULL;
		}
	}
	return best;
}

/* What somebody asked for with a key is due, once the pause after a failure is. */
static void
take_hurries(struct cloud_account *a)
{
	struct mono now = mono_now();

	for (struct cloud_member *m = cloud_members(a); m; m = m->next) {
		if (!atomic_exchange(&m->is_hurried, false))
			continue;
		for (int k = 0; k < CLOUD_KINDS; k++) {
			struct cloud_turn *turn =
			    cloud_kinds[k].is_each ? &m->turns[k] : &a->turns[k];

			if (k != CLOUD_METRICS && !turn->failures && is_wanted(&cloud_kinds[k], m))
				turn->due = now;
		}
	}
}

static void
wait_until(struct cloud_account *a, struct mono due)
{
	struct mono now = mono_now();
	int64_t us = due.us && due.us < now.us + LOOK_US ? due.us : now.us + LOOK_US;
	struct timespec at = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	pthread_mutex_lock(&a->cloud->mutex);
	if (!cloud_is_stopping(a) && !a->is_awoken)
		pthread_cond_timedwait(&a->wake, &a->cloud->mutex, &at);
	a->is_awoken = false;
	pthread_mutex_unlock(&a->cloud->mutex);
}

static void
tell_cost(struct cloud_account *a)
{
	a->is_cost_old = false;
	a->cost_at = mono_now();
	cloud_cost_post(a);
}

static void *
account_main(void *arg)
{
	struct cloud_account *a = arg;
	struct cloud *c = a->cloud;

	a->started = a->cost_at = mono_now();
	while (!cloud_is_stopping(a)) {
		const struct cloud_kind *kind = NULL;
		struct cloud_member *m = NULL;

		take_hurries(a);
		struct cloud_turn *turn = next_turn(a, &kind, &m);

		if (turn && turn->due.us <= mono_now().us) {
			run_turn(a, kind, m, turn);
			/* Without a pause the cost is told in between. */
			if (mono_since_ms(mono_now(), a->cost_at) > COST_MS)
				tell_cost(a);
			continue;
		}
		if (a->is_cost_old)
			tell_cost(a);
		wait_until(a, turn ? turn->due : (struct mono){ 0 });
	}
	cloud_unref(c);
	return NULL;
}

/* ---- collector's thread */

bool
cloud_is_endpoint(const char *host)
{
	char region[64];

	return host && endpoint_region(host, region, sizeof(region));
}

bool
cloud_answers(enum probe_id probe)
{
	return probe == PROBE_LOGS || (probe >= PROBE_CLOUD && probe <= PROBE_CLOUD_COST);
}

struct cloud *
cloud_new(int wake_fd)
{
	struct cloud *c = xcalloc(1, sizeof(*c));

	atomic_init(&c->refs, 1);
	pthread_mutex_init(&c->mutex, NULL);
	c->wake_fd = fcntl(wake_fd, F_DUPFD_CLOEXEC, 0);
	if (c->wake_fd < 0)
		fatal("cannot copy a descriptor: %s", strerror(errno));
	return c;
}

static char *
text(const char *s)
{
	return xstrdup(s ? s : "");
}

/* The account of these words, its thread started when it is new; NULL: no thread to be had. */
static struct cloud_account *
account_of(struct cloud *c, const struct cloud_conf *conf, const char *host)
{
	char region[64] = "";
	struct cloud_account *a;
	pthread_condattr_t attr;

	if (conf->region && *conf->region)
		snprintf(region, sizeof(region), "%s", conf->region);
	else if (!endpoint_region(host, region, sizeof(region)))
		region[0] = '\0';
	for (a = c->accounts; a; a = a->next)
		if (strcmp(a->region, region) == 0 &&
		    strcmp(a->profile, conf->profile ? conf->profile : "") == 0 &&
		    strcmp(a->credentials_file,
		        conf->credentials_file ? conf->credentials_file : "") == 0 &&
		    strcmp(a->endpoint_url, conf->endpoint_url ? conf->endpoint_url : "") == 0)
			return a;
	a = xcalloc(1, sizeof(*a));
	a->cloud = c;
	a->region = text(region);
	a->profile = text(conf->profile);
	a->credentials_file = text(conf->credentials_file);
	a->endpoint_url = text(conf->endpoint_url);
	a->host = text(host);
	a->period_ms = conf->period_ms > 0 ? conf->period_ms : CLOUD_PERIOD_MS;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->wake, &attr);
	pthread_condattr_destroy(&attr);
	a->next = c->accounts;
	c->accounts = a;
	return a;
}

/* Signals stay with the screen's thread: ours inherits that from the collector's. */
static void
start(struct cloud_account *a)
{
	pthread_t thread;
	int failed;

	atomic_fetch_add(&a->cloud->refs, 1);
	failed = pthread_create(&thread, NULL, account_main, a);
	if (failed)
		fatal("cannot start a thread for the cloud: %s", strerror(failed));
	pthread_detach(thread);
}

void
cloud_add(
    struct cloud *c, int target, const char *name, const struct cloud_conf *conf, const char *host)
{
	struct cloud_account *a = account_of(c, conf, host);
	struct cloud_member *m = xcalloc(1, sizeof(*m));
	bool is_first = !a->members;

	m->account = a;
	m->target = target;
	m->name = text(name);
	m->instance = text(conf->instance);
	m->cluster = text(conf->cluster);
	m->is_lazy = conf->is_when_shown;
	/* Until it is found, or where it may not be looked for, it is taken at its name. */
	snprintf(m->id, sizeof(m->id), "%s", m->instance);
	m->host = text(host);
	atomic_store(&m->is_hurried, !is_first);
	pthread_mutex_lock(&c->mutex);
	m->next = a->members;
	a->members = m;
	a->is_awoken = true;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&c->mutex);
	if (is_first)
		start(a);
}

static struct cloud_member *
member_of(struct cloud *c, int target)
{
	for (struct cloud_account *a = c->accounts; a; a = a->next)
		for (struct cloud_member *m = a->members; m; m = m->next)
			if (m->target == target)
				return m;
	return NULL;
}

static void
wake_up(struct cloud *c, struct cloud_account *a)
{
	pthread_mutex_lock(&c->mutex);
	a->is_awoken = true;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&c->mutex);
}

void
cloud_show(struct cloud *c, int target, const enum probe_id *probes, int n)
{
	struct cloud_member *m = member_of(c, target);
	bool is_shown[PROBE_COUNT] = { false };

	if (!m)
		return;
	for (int i = 0; i < n; i++)
		is_shown[probes[i]] = true;
	for (int p = 0; p < PROBE_COUNT; p++)
		atomic_store(&m->is_shown[p], is_shown[p]);
	wake_up(c, m->account);
}

void
cloud_hurry(struct cloud *c, int target)
{
	struct cloud_member *m = member_of(c, target);

	if (!m)
		return;
	atomic_store(&m->is_hurried, true);
	wake_up(c, m->account);
}

bool
cloud_take(struct cloud *c, int *target, struct sample **s)
{
	pthread_mutex_lock(&c->mutex);
	struct posted *p = c->first;

	if (p) {
		c->first = p->next;
		c->nposted--;
	}
	pthread_mutex_unlock(&c->mutex);
	if (!p)
		return false;
	*target = p->target;
	*s = p->sample;
	free(p);
	return true;
}

void
cloud_free(struct cloud *c)
{
	struct mono begin = mono_now();

	if (!c)
		return;
	__atomic_store_n(&c->stop, 1, __ATOMIC_RELAXED);
	for (struct cloud_account *a = c->accounts; a; a = a->next)
		wake_up(c, a);
	while (atomic_load(&c->refs) > 1 && mono_since_ms(mono_now(), begin) < STOP_MS)
		(void)poll(NULL, 0, 5);
	cloud_unref(c);
}
