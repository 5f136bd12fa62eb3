/*
 * The link of one target: dialing, retries, lateness, the second try when a server does not answer,
 * and the beat of the refreshes. Beats are absolute, so the interval does not grow by the time an
 * answer takes; a beat that finds the last burst unanswered is left out, never queued.
 */
#include "config.h"

#include "collect/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "pg/conninfo.h"

enum {
	RETRY_FIRST_MS = 250,
	RETRY_EAGER_MS = 800, /* the target on the screen is back within a refresh of its return */
	RETRY_MAX_MS = 5000,
	RETRY_LOGIN_MS = 30000, /* refused logins: nobody is to be locked out by us */
	LATE_LEAST_MS = 600,
	LATE_MOST_MS = 1500,
	SPARE_AFTER_MS = 10000,
	SPARE_PAUSE_MS = 2000,
	DIAL_MS = 90000,
	ALIGN_US = 50000, /* several targets beat in step */
	COALESCE_US =
	    8000, /* beats nearer than this go out together: one wake-up for many targets */
};

static const char *
copy(const char *s)
{
	return xstrdup(s ? s : "");
}

static void
free_cloud(struct target *t)
{
	free((char *)t->cloud.provider);
	free((char *)t->cloud.instance);
	free((char *)t->cloud.cluster);
	free((char *)t->cloud.region);
	free((char *)t->cloud.profile);
	free((char *)t->cloud.credentials_file);
	free((char *)t->cloud.endpoint_url);
	free(t->cloud_host);
}

/* The host that a conninfo leads to when it is an endpoint of RDS; "" else. */
static char *
endpoint_of(const char *conninfo)
{
	struct arena arena = { 0 };
	struct conninfo_env env = { .n = 0 };
	struct error ignored;
	char *host = NULL;

	if (conninfo_to_env(&arena, conninfo, NULL, &env, &ignored))
		for (int i = 0; i < env.n && !host; i++)
			if (strcmp(env.names[i], "PGHOST") == 0 && cloud_is_endpoint(env.values[i]))
				host = xstrdup(env.values[i]);
	arena_release(&arena);
	return host ? host : xstrdup("");
}

/* Is it in the cloud? Its keys say so, or its endpoint's name; else its server will. */
static void
know_cloud(struct target *t, const struct cloud_conf *conf)
{
	t->cloud = (struct cloud_conf){ .provider = copy(conf->provider),
		.instance = copy(conf->instance),
		.cluster = copy(conf->cluster),
		.region = copy(conf->region),
		.profile = copy(conf->profile),
		.credentials_file = copy(conf->credentials_file),
		.endpoint_url = copy(conf->endpoint_url),
		.is_when_shown = conf->is_when_shown,
		.period_ms = conf->period_ms };
	t->cloud_host = endpoint_of(t->conninfo);
	t->wants_cloud = strcmp(t->cloud.provider, "rds") == 0 ||
	    (!*t->cloud.provider && (*t->cloud_host || *t->cloud.instance || *t->cloud.cluster));
	t->has_no_sql = conninfo_is_none(t->conninfo);
	if (t->has_no_sql)
		feed_link(t->feed, LINK_DOWN, "this target has no SQL connection",
		    "Set conninfo in its [target] section.", mono_now(), (struct mono){ 0 });
}

/* Why there is nothing of the cloud to see. */
static void
no_cloud(struct target *t)
{
	static const struct error why = {
		.code = ERR_UNSUPPORTED,
		.what = "nothing says that this target is on RDS",
		.hint = "Set provider = rds and instance = NAME in its [target] section.",
	};

	if (t->wants_cloud ||
	    (t->main.state != SESSION_READY && feed_link_state(t->feed) != LINK_DOWN))
		return;
	for (int p = 0; p < PROBE_COUNT; p++) {
		if (probe_plans[p].scope != SCOPE_CLOUD || !t->slots[p].is_shown ||
		    feed_last(t->feed, (enum probe_id)p))
			continue;
		feed_apply(t->feed, refresh_failed(t, (enum probe_id)p, &why));
		t->is_dirty = true;
	}
}

struct target *
target_new(const struct target_conf *conf, bool is_alone)
{
	struct target *t = xcalloc(1, sizeof(*t));
	t->name = xstrdup(conf->name);
	t->conninfo = xstrdup(conf->conninfo ? conf->conninfo : "");
	t->password = conf->password ? xstrdup(conf->password) : NULL;
	t->pgbouncer = conf->pgbouncer && *conf->pgbouncer ? xstrdup(conf->pgbouncer) : NULL;
	t->refresh_ms = conf->refresh_ms > 0 ? conf->refresh_ms : 1000;
	t->query_len = conf->query_len;
	t->capacity = conf->capacity;
	t->is_alone = is_alone;
	t->action.is_kept = !conf->no_action;
	t->log = log_tail_new(conf->log_file);
	t->feed = feed_new(conf->name);
	feed_set_hook(t->feed, conf->hook);
	know_cloud(t, &conf->cloud);
	for (int i = 0; i < PROBE_COUNT; i++)
		t->slots[i].backoff = 1;
	for (int i = 0; i < conf->nfirst; i++)
		t->slots[conf->first_probes[i]].is_shown = true;
	t->backoff = 1;
	t->is_dirty = true;
	return t;
}

static void
free_password(struct target *t)
{
	if (t->password)
		explicit_bzero(t->password, strlen(t->password));
	free(t->password);
	t->password = NULL;
}

void
target_free(struct target *t)
{
	action_end(t);
	session_end(&t->main);
	session_end(&t->spare);
	session_end(&t->console.session);
	unseen_release(&t->unseen);
	log_tail_free(t->log);
	feed_free(t->feed);
	free_password(t);
	free_cloud(t);
	free(t->name);
	free(t->conninfo);
	free(t->pgbouncer);
	free(t);
}

static void
dial(struct target *t, struct session *s)
{
	session_start(s,
	    &(struct pg_dial_conf){
	        .conninfo = t->conninfo, .password = t->password, .raw_text = t->raw_text });
}

/* Milliseconds to the next try; a fifth of it is chance, so that a fleet does not come back in
 * step. */
static int
retry_ms(const struct target *t, const struct error *why)
{
	bool is_eager = t->is_alone;
	for (int i = 0; i < PROBE_COUNT; i++)
		is_eager |= t->slots[i].is_shown;
	int most = is_eager ? RETRY_EAGER_MS : RETRY_MAX_MS;
	if (why->code == ERR_AUTH)
		most = RETRY_LOGIN_MS;
	int ms = RETRY_FIRST_MS;
	for (int i = 0; i < t->attempts && ms < most; i++)
		ms *= 2;
	if (ms > most)
		ms = most;
	return ms - ms / 5 + (int)(random() % (ms / 5 + 1));
}

static void
go_down(struct target *t, const struct error *why)
{
	struct mono now = mono_now(), since = now;
	session_end(&t->main);
	refresh_reset(t);
	if (t->spare.state != SESSION_NONE) {
		/* The second try goes on as the first. */
		t->main = t->spare;
		t->spare = (struct session){ .state = SESSION_NONE };
	} else {
		t->retry_at.us = now.us + (int64_t)retry_ms(t, why) * 1000;
		t->attempts++;
	}
	/* Down since the first failure, with the newest reason. */
	enum link_state state = feed_link_state(t->feed);
	if (state == LINK_DOWN)
		since = (struct mono){ 0 };
	feed_link(t->feed, LINK_DOWN, why->what, why->hint, since, t->retry_at);
	t->is_dirty = true;
	log_info("target", "%s: down: %s", t->name, why->what);
}

/* The alert rules look at their probes whatever is shown. Of a primary there is no receiver. */
static void
use_rule_periods(struct target *t)
{
	int ms[PROBE_COUNT];

	t->rules_version = rules_version(feed_rules(t->feed));
	rules_periods(feed_rules(t->feed), ms);
	if (!feed_server_info(t->feed)->is_standby)
		ms[PROBE_RECEIVER] = 0;
	for (int i = 0; i < PROBE_COUNT; i++) {
		struct probe_slot *slot = &t->slots[i];
		if (ms[i] && ms[i] < slot->rule_ms)
			slot->due = (struct mono){ 0 };
		slot->rule_ms = ms[i];
	}
}

static void
begin(struct target *t)
{
	struct mono now = mono_now();
	t->attempts = 0;
	refresh_reset(t);
	feed_server(t->feed, &t->main.info);
	if (!*t->cloud.provider && (t->main.info.is_rds || t->main.info.is_aurora))
		t->wants_cloud = true;
	hmap_clear(&t->unseen.names);
	hmap_clear(&t->unseen.relations); /* the answer may have been lost */
	for (int i = 0; i < PROBE_COUNT; i++) {
		struct probe_slot *slot = &t->slots[i];
		if (probe_plans[i].scope == SCOPE_CONSOLE)
			continue;
		/* Nothing of the new session is known: ask all that is shown. */
		*slot = (struct probe_slot){ .is_shown = slot->is_shown, .backoff = 1 };
	}
	use_rule_periods(t);
	t->backoff = 1;
	t->rtt_ms = t->main.rtt_ms;
	t->facts_at = now;
	t->usual_ms = 0;
	t->hold_until = (struct mono){ 0 };
	t->next_tick = now;
	t->is_dirty = true;
}

/* How long an answer may take before the screen says that it is late. */
static int64_t
late_ms(const struct target *t)
{
	double ms = 2 * t->usual_ms;
	if (ms < LATE_LEAST_MS)
		ms = LATE_LEAST_MS;
	if (ms > LATE_MOST_MS)
		ms = LATE_MOST_MS;
	return (int64_t)ms;
}

static void
check_late(struct target *t, struct mono now, struct mono *wake)
{
	const struct flight *f = &t->flight;
	int64_t waited_ms = mono_since_ms(now, f->sent);
	/* Slow probes behind the fast ones have their own timeouts on the server. */
	int64_t limit_ms =
	    f->is_fast_done || !f->is_refresh ? MAX_PROBE_TIMEOUT_MS + late_ms(t) : late_ms(t);
	if (feed_link_state(t->feed) == LINK_UP) {
		if (waited_ms < limit_ms) {
			wake_at(wake, (struct mono){ f->sent.us + limit_ms * 1000 });
			return;
		}
		feed_link(t->feed, LINK_LATE, "no answer from the server",
		    "It may be frozen, overloaded, or the network is away.", f->sent,
		    (struct mono){ 0 });
		t->is_dirty = true;
	}
	if (t->spare.state != SESSION_NONE)
		return;
	struct mono at = { f->sent.us + (int64_t)SPARE_AFTER_MS * 1000 };
	if (at.us < t->spare_at.us)
		at = t->spare_at;
	if (now.us < at.us) {
		wake_at(wake, at);
		return;
	}
	t->spare_at.us = now.us + SPARE_PAUSE_MS * 1000;
	dial(t, &t->spare);
}

static void
beat(struct target *t, struct mono now)
{
	struct error err;
	int64_t interval_us = (int64_t)t->refresh_ms * 1000 * (t->backoff > 0 ? t->backoff : 1);
	bool is_tick = now.us + COALESCE_US >= t->next_tick.us || t->is_full_hurry;
	if (is_tick) {
		t->next_tick.us += interval_us;
		if (t->next_tick.us <= now.us + interval_us / 4)
			t->next_tick.us = now.us + interval_us;
		if (!t->is_alone)
			t->next_tick.us -= t->next_tick.us % ALIGN_US;
	}
	if (t->rules_version != rules_version(feed_rules(t->feed)))
		use_rule_periods(t);
	t->flight.reasks = 0;
	t->is_hurried = t->is_full_hurry = false;
	if (!refresh_send(t, now, is_tick, &err))
		go_down(t, &err);
}

static void
main_ready(struct target *t)
{
	struct error err = { .code = ERR_OK };
	if (t->main.state != SESSION_READY) {
		if (!session_step(&t->main, &err))
			go_down(t, &err);
		else if (t->main.state == SESSION_READY)
			begin(t);
		return;
	}
	bool had_raw_text = t->raw_text;
	if (!refresh_input(t, &err)) {
		go_down(t, &err);
		return;
	}
	if (t->raw_text && !had_raw_text) {
		session_end(&t->main);
		dial(t, &t->main);
		refresh_reset(t);
		return;
	}
	/* It answered after all. */
	if (t->spare.state != SESSION_NONE && feed_link_state(t->feed) == LINK_UP)
		session_end(&t->spare);
}

static void
run_main(struct target *t, struct mono now, struct mono *wake)
{
	struct error err;
	switch (t->main.state) {
	case SESSION_NONE:
		if (now.us >= t->retry_at.us)
			dial(t, &t->main);
		else
			wake_at(wake, t->retry_at);
		break;
	case SESSION_SETUP:
		main_ready(t); /* it may be too late for it, or the rest has come since poll() */
		if (t->main.state == SESSION_SETUP)
			wake_at(wake, (struct mono){ now.us + 1000000 });
		else if (t->main.state == SESSION_READY)
			wake_at(wake, now);
		break;
	case SESSION_READY:
		if (now.us >= t->hold_until.us)
			t->hold_until = (struct mono){ 0 };
		if (refresh_is_flying(t)) {
			check_late(t, now, wake);
		} else {
			if (t->is_hurried || now.us + COALESCE_US >= t->next_tick.us)
				beat(t, now);
			if (refresh_is_flying(t))
				check_late(t, now, wake);
			else
				wake_at(wake, t->next_tick);
		}
		break;
	case SESSION_DIALING:
		/* libpq keeps to its timeouts, name services do not. */
		if (mono_since_ms(now, t->main.since) < DIAL_MS) {
			wake_at(wake, (struct mono){ t->main.since.us + (int64_t)DIAL_MS * 1000 });
			break;
		}
		error_set(&err, ERR_CONNECT, "no connection within %d s", DIAL_MS / 1000);
		error_hint(&err, "The look-up of its name may hang: try an address.");
		go_down(t, &err);
		break;
	}
}

static void
spare_ready(struct target *t)
{
	struct error err = { .code = ERR_OK };
	if (!session_step(&t->spare, &err)) {
		t->spare_at.us = mono_now().us + SPARE_PAUSE_MS * 1000;
		return;
	}
	if (t->spare.state != SESSION_READY)
		return;
	session_end(&t->main);
	t->main = t->spare;
	t->spare = (struct session){ .state = SESSION_NONE };
	feed_event(t->feed, "reconnected", "the old connection did not answer");
	begin(t);
}

/* Without a descriptor or a thread to spare a dial is over before it can be polled for. */
static void
take_dials(struct target *t)
{
	if (session_has_dialed(&t->main))
		main_ready(t);
	if (session_has_dialed(&t->spare))
		spare_ready(t);
	if (session_has_dialed(&t->action.session))
		action_ready(t);
	if (session_has_dialed(&t->console.session))
		console_ready(t);
}

struct mono
target_run(struct target *t, struct mono now)
{
	struct mono wake = { 0 };
	take_dials(t);
	if (!t->has_no_sql)
		run_main(t, now, &wake);
	wake_at(&wake, t->hold_until);
	if (t->main.state != SESSION_READY)
		logs_run(t, now, &wake);
	if (t->spare.state == SESSION_SETUP) {
		spare_ready(t); /* it may be too late for it */
		wake_at(&wake, (struct mono){ now.us + 1000000 });
	}
	action_run(t, now, &wake);
	console_run(t, now, &wake);
	no_cloud(t);
	/* What has just failed is tried again when its time has come. */
	if (t->main.state == SESSION_NONE)
		wake_at(&wake, t->retry_at);
	if (t->action.session.state == SESSION_NONE && now.us < t->action.retry_at.us)
		wake_at(&wake, t->action.retry_at);
	if (t->console.session.state == SESSION_NONE && now.us < t->console.retry_at.us)
		wake_at(&wake, t->console.retry_at);
	if (session_has_dialed(&t->main) || session_has_dialed(&t->spare) ||
	    session_has_dialed(&t->action.session) || session_has_dialed(&t->console.session))
		wake_at(&wake, now);
	return wake;
}

static int
add_fd(const struct session *s, struct pollfd *fds, int n)
{
	short events;
	int fd = session_fd(s, &events);
	fds[n] = (struct pollfd){ .fd = fd, .events = events };
	return n + 1;
}

int
target_fds(const struct target *t, struct pollfd *fds)
{
	int n = add_fd(&t->main, fds, 0);
	if (t->hold_until.us && refresh_is_flying(t))
		fds[0].events &= ~POLLIN;
	n = add_fd(&t->spare, fds, n);
	n = add_fd(&t->action.session, fds, n);
	return add_fd(&t->console.session, fds, n);
}

void
target_ready(struct target *t, const struct pollfd *fds, int n)
{
	/* Sessions may have changed since poll(): what was polled for is compared with what there
	 * is. */
	short events;
	if (n > 0 && fds[0].revents && fds[0].fd == session_fd(&t->main, &events) && fds[0].fd >= 0)
		main_ready(t);
	if (n > 1 && fds[1].revents && fds[1].fd == session_fd(&t->spare, &events) &&
	    fds[1].fd >= 0)
		spare_ready(t);
	if (n > 2 && fds[2].revents && fds[2].fd == session_fd(&t->action.session, &events) &&
	    fds[2].fd >= 0)
		action_ready(t);
	if (n > 3 && fds[3].revents && fds[3].fd == session_fd(&t->console.session, &events) &&
	    fds[3].fd >= 0)
		console_ready(t);
}

void
target_show(struct target *t, const enum probe_id *probes, int n)
{
	bool is_shown[PROBE_COUNT] = { false };
	for (int i = 0; i < n; i++)
		is_shown[probes[i]] = true;
	struct mono now = mono_now();
	for (int i = 0; i < PROBE_COUNT; i++) {
		struct probe_slot *slot = &t->slots[i];
		if (is_shown[i] && !slot->is_shown) {
			const struct sample *last = feed_last(t->feed, (enum probe_id)i);
			slot->answers = 0;
			/* An answer of just now will do. */
			if (probe_plans[i].shown_ms != NEVER &&
			    probe_plans[i].scope != SCOPE_LOCAL &&
			    (!last || mono_since_ms(now, last->at) > t->refresh_ms / 2)) {
				slot->is_wanted = true;
				t->is_hurried = true;
			} else if (last && now.us + t->refresh_ms * INT64_C(1000) < slot->due.us) {
				/* Asked for the alert rules only, up to now: that was the first. */
				slot->due.us = now.us + t->refresh_ms * INT64_C(1000);
				slot->answers = 1;
			}
		}
		slot->is_shown = is_shown[i];
		if (!is_shown[i])
			slot->is_wanted = false;
	}
}

void
target_hurry(struct target *t)
{
	struct mono now = mono_now();
	for (int i = 0; i < PROBE_COUNT; i++)
		if (t->slots[i].is_shown && probe_plans[i].shown_ms != NEVER)
			t->slots[i].due = now;
	t->is_hurried = t->is_full_hurry = true;
	if (t->main.state == SESSION_NONE)
		t->retry_at = now;
}

void
target_reconnect(struct target *t, const char *password)
{
	if (password) {
		free_password(t);
		t->password = xstrdup(password);
	}
	action_end(t);
	session_end(&t->main);
	session_end(&t->spare);
	session_end(&t->console.session);
	refresh_reset(t);
	t->retry_at = t->action.retry_at = t->console.retry_at = mono_now();
	t->attempts = 0;
}
