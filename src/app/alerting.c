/*
 * The main thread compares each snapshot's findings with what it last told, and queues what
 * changed; the thread writes it down, in the order it came, and tells --exec only what is news to
 * the file: of several consoles that see the same alert one runs its command. A finding that has no
 * data ends nothing: it is told as cleared when it was seen to be well.
 */
#include "config.h"

#include "app/alerting.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/alert_hook.h"
#include "base/hmap.h"
#include "base/json.h"
#include "base/log.h"
#include "model/rules.h"
#include "store/alerts.h"

enum { NEWS_MAX = 512, LOOK_S = 10, REMEMBER_S = 20, STOP_MS = 500 };

enum news_kind { NEWS_RAISED, NEWS_CLEARED, NEWS_MUTE, NEWS_REMEMBER };
struct news {
	enum news_kind kind;
	int target;
	enum rule_id rule;
	enum severity severity;
	struct wall at;
	double value;
	char *what, *evidence, *json;
	bool is_muted;
	struct rowset *memory;
};

/* What was last told of a rule. */
enum told { TOLD_NOTHING = -1 };
struct subject {
	char *name;
	const struct target *target;
	/* main thread */
	uint64_t seq;
	int told[RULE_COUNT]; /* enum severity, TOLD_NOTHING */
	struct rowset *memory;
	struct mono remembered_at;
	/* the thread's */
	bool has_recalled;
	uint64_t mutes_hash, backups_hash;
	bool is_past_stale;
};

struct alerting {
	pthread_t thread;
	struct collector *collector;
	int n;
	struct subject *subjects;
	struct alert_hook *hook; /* NULL: none */
	struct alerts *store;    /* the thread's */
	struct mono retry_at;

	pthread_mutex_t mutex; /* what follows */
	pthread_cond_t wake;
	struct news news[NEWS_MAX];
	int first, nnews;
	bool is_stopping, is_done;
	pthread_cond_t done;
};

/* A moment of the monotonic clock, for waiting. */
static struct timespec
in_ms(int ms)
{
	int64_t us = mono_now().us + ms * INT64_C(1000);

	return (struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
}

static void
init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

/* ---- thresholds */

struct rowset *
alerting_limits(const struct settings *settings, const char *target)
{
	struct rowset *rs = rules_rowset();
	char section[300];

	snprintf(section, sizeof(section), "target %s", target);
	for (int id = 0; id < RULE_COUNT; id++) {
		const char *found = NULL;
		bool is_own = false;
		struct rule_limits limits;
		struct error err;
		for (int i = 0; i < settings->conf.n; i++) {
			const struct conf_entry *e = &settings->conf.entries[i];
			bool own = strcmp(e->section, section) == 0;
			if ((own || (strcmp(e->section, "alerts") == 0 && !is_own)) &&
			    strncmp(e->key, "alert.", 6) == 0 &&
			    strcmp(e->key + 6, rules[id].id) == 0) {
				found = e->value;
				is_own = own;
			}
		}
		if (found && rule_limits_read((enum rule_id)id, found, &limits, &err))
			rules_rowset_add(rs, (enum rule_id)id, &limits);
	}
	return rs;
}

/* ---- words */

static void
json_text_member(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	json_str(out, value, strlen(value));
}

/* The alert as the command of --exec gets it. */
static char *
alert_json(const char *target, const char *event, const struct finding *f, struct wall at)
{
	const struct rule *rule = &rules[f->id];
	struct strbuf out = STRBUF_INIT(64 * 1024);
	bool first = true;
	char when[40], *text;

	strbuf_addc(&out, '{');
	json_text_member(&out, &first, "event", event);
	json_text_member(&out, &first, "target", target);
	json_text_member(&out, &first, "id", rule->id);
	json_text_member(&out, &first, "title", rule->title);
	json_text_member(&out, &first, "severity", severity_names[f->severity]);
	json_text_member(&out, &first, "at", wall_rfc3339(at, when, sizeof(when)));
	json_key(&out, &first, "since");
	if (f->since.us)
		json_str(&out, when, strlen(wall_rfc3339(f->since, when, sizeof(when))));
	else
		strbuf_adds(&out, "null");
	json_key(&out, &first, "value");
	json_num(&out, f->value);
	json_key(&out, &first, "threshold");
	json_num(&out, f->threshold);
	json_text_member(&out, &first, "what", f->what);
	json_text_member(&out, &first, "evidence", f->evidence);
	json_key(&out, &first, "because");
	if (f->because == RULE_COUNT)
		strbuf_adds(&out, "null");
	else
		json_str(&out, rules[f->because].id, strlen(rules[f->because].id));
	json_text_member(&out, &first, "pane", rule->pane);
	json_text_member(&out, &first, "runbook", rule->runbook);
	strbuf_adds(&out, "}\n");
	text = xstrdup(out.buf);
	strbuf_release(&out);
	return text;
}

/* ---- the thread */

static void
free_news(struct news *n)
{
	free(n->what);
	free(n->evidence);
	free(n->json);
	rowset_unref(n->memory);
}

static bool
open_store(struct alerting *a)
{
	struct error err = { 0 };

	if (a->store || (a->retry_at.us && mono_now().us < a->retry_at.us))
		return a->store != NULL;
	a->store = alerts_open(&err);
	if (!a->store) {
		a->retry_at.us = mono_now().us + 60 * INT64_C(1000000);
		log_warn("alerts", "%s", err.what);
	}
	return a->store != NULL;
}

static void
tell_hook(struct alerting *a, const struct news *n, const char *event)
{
	if (a->hook && !n->is_muted)
		alert_hook_run(a->hook,
		    &(struct alert_call){ .event = event,
		        .target = a->subjects[n->target].name,
		        .rule = rules[n->rule].id,
		        .severity = severity_names[n->severity],
		        .json = n->json });
}

/* Without the file every change is news. */
static void
write_change(struct alerting *a, const struct news *n)
{
	struct subject *s = &a->subjects[n->target];
	struct alert_row row = { .target = s->name,
		.rule = rules[n->rule].id,
		.severity = severity_names[n->severity],
		.at = n->at,
		.value = n->value,
		.what = n->what,
		.evidence = n->evidence };
	struct error err = { 0 };
	bool is_news = n->kind == NEWS_RAISED || n->severity > SEVERITY_NONE;
	bool ok = !open_store(a) ||
	    (n->kind == NEWS_RAISED ? alerts_raise(a->store, &row, &is_news, &err) :
	                              alerts_clear(a->store, &row, &is_news, &err));

	if (!ok)
		log_warn("alerts", "%s", err.what);
	if (!is_news)
		return;
	s->is_past_stale = true;
	tell_hook(a, n, n->kind == NEWS_RAISED ? "raised" : "cleared");
}

static void
take_news(struct alerting *a, const struct news *n)
{
	struct subject *s = &a->subjects[n->target];
	struct error err = { 0 };
	bool ok = true;

	switch (n->kind) {
	case NEWS_RAISED:
	case NEWS_CLEARED:
		write_change(a, n);
		return;
	case NEWS_MUTE:
		ok = !open_store(a) ||
		    alerts_mute(a->store, s->name, rules[n->rule].id, n->at, n->what, &err);
		break;
	case NEWS_REMEMBER:
		ok = !open_store(a) || !s->has_recalled ||
		    alerts_remember(a->store, s->name, n->memory, &err);
		break;
	}
	if (!ok)
		log_warn("alerts", "%s", err.what);
}

static uint64_t
hash_rows(const struct rowset *rs)
{
	uint64_t h = 1;

	for (int i = 0; i < rs->nrows; i++)
		for (int c = 0; c < rs->ncols; c++) {
			const struct cell *cell = rowset_cell(rs, i, c);
			h = cell->type == CELL_TEXT ? hash_bytes(h, cell->s, cell->len) :
			                              hash_u64(h, (uint64_t)cell->i);
		}
	return h;
}

/* A full queue is no harm: it is posted at the next look. Once the main thread is leaving there may
 * be no collector any more. */
static bool
post(struct alerting *a, int target, enum probe_id probe, struct rowset *rs)
{
	bool is_posted = false;

	pthread_mutex_lock(&a->mutex);
	if (!a->is_stopping)
		is_posted = collector_post(a->collector, target, probe, rs);
	else
		rowset_unref(rs);
	pthread_mutex_unlock(&a->mutex);
	return is_posted;
}

static void
look_at_backups(struct alerting *a, int i)
{
	struct subject *s = &a->subjects[i];
	struct rowset *rs = alerting_backups(s->target);
	uint64_t h = rs ? hash_rows(rs) : 0;

	if (h == s->backups_hash)
		rowset_unref(rs);
	else if (post(a, i, PROBE_BACKUPS, rs))
		s->backups_hash = h;
}

static void
look_at_store(struct alerting *a, int i)
{
	struct subject *s = &a->subjects[i];
	struct error err = { 0 };
	struct rowset *rs;

	if (!open_store(a))
		return;
	if (!s->has_recalled) {
		rs = alerts_recall(a->store, s->name, rules_memory_rowset(), &err);
		s->has_recalled = true;
		s->is_past_stale = true;
		if (rs && !post(a, i, PROBE_ALERT_STATE, rs))
			log_warn("alerts", "%s: what was known of it is not taken up", s->name);
	}
	rs = alerts_mutes(a->store, s->name, wall_now(), &err);
	if (rs && hash_rows(rs) != s->mutes_hash) {
		uint64_t h = hash_rows(rs);
		if (post(a, i, PROBE_ALERT_MUTES, rs))
			s->mutes_hash = h;
	} else {
		rowset_unref(rs);
	}
	if (!s->is_past_stale)
		return;
	rs = alerts_past(a->store, s->name, ALERTS_PAST, &err);
	s->is_past_stale = !rs || !post(a, i, PROBE_ALERT_HISTORY, rs);
	if (*err.what)
		log_warn("alerts", "%s", err.what);
}

static void *
alerting_main(void *arg)
{
	struct alerting *a = arg;
	bool is_stopping = false;

	while (!is_stopping) {
		struct timespec until;

		for (int i = 0; i < a->n; i++) {
			look_at_backups(a, i);
			look_at_store(a, i);
		}
		until = in_ms(LOOK_S * 1000);
		pthread_mutex_lock(&a->mutex);
		while (a->nnews == 0 && !a->is_stopping &&
		    pthread_cond_timedwait(&a->wake, &a->mutex, &until) != ETIMEDOUT)
			continue;
		while (a->nnews > 0) {
			struct news n = a->news[a->first];
			a->first = (a->first + 1) % NEWS_MAX;
			a->nnews--;
			pthread_mutex_unlock(&a->mutex);
			take_news(a, &n);
			free_news(&n);
			pthread_mutex_lock(&a->mutex);
		}
		is_stopping = a->is_stopping;
		pthread_mutex_unlock(&a->mutex);
	}
	alerts_close(a->store);
	pthread_mutex_lock(&a->mutex);
	a->is_done = true;
	pthread_cond_signal(&a->done);
	pthread_mutex_unlock(&a->mutex);
	return NULL;
}

/* ---- the main thread */

/* Takes what the news hold. The oldest goes when nobody takes them. */
static void
add_news(struct alerting *a, const struct news *n)
{
	struct news lost = { .memory = NULL };

	pthread_mutex_lock(&a->mutex);
	if (a->nnews == NEWS_MAX) {
		lost = a->news[a->first];
		a->first = (a->first + 1) % NEWS_MAX;
		a->nnews--;
	}
	a->news[(a->first + a->nnews++) % NEWS_MAX] = *n;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->mutex);
	free_news(&lost);
}

static void
tell(struct alerting *a, int target, enum news_kind kind, const struct finding *f, struct wall at,
    enum severity severity)
{
	const char *event = kind == NEWS_RAISED ? "raised" : "cleared";
	struct finding told = *f;

	told.severity = severity;
	add_news(a,
	    &(struct news){ .kind = kind,
	        .target = target,
	        .rule = f->id,
	        .severity = severity,
	        .at = kind == NEWS_RAISED && f->since.us ? f->since : at,
	        .value = f->value,
	        .what = xstrdup(f->what),
	        .evidence = xstrdup(f->evidence),
	        .json = alert_json(a->subjects[target].name, event, &told, at),
	        .is_muted = f->muted_until.us != 0 });
}

/* True: it has become critical. */
static bool
see_finding(struct alerting *a, int target, const struct finding *f, struct wall at)
{
	int *last = &a->subjects[target].told[f->id];
	bool rings;

	if (f->state == FINDING_NO_DATA)
		return false;
	if (f->state != FINDING_FIRING) {
		/* At first sight, too: it may have been open when the last console ended. */
		if (*last != SEVERITY_NONE)
			tell(a, target, NEWS_CLEARED, f, at,
			    *last > 0 ? (enum severity) * last : SEVERITY_NONE);
		*last = SEVERITY_NONE;
		return false;
	}
	if ((int)f->severity == *last)
		return false;
	rings = f->severity == SEVERITY_CRITICAL && !f->muted_until.us;
	tell(a, target, NEWS_RAISED, f, at, f->severity);
	*last = (int)f->severity;
	return rings;
}

static bool
see(struct alerting *a, int target, const struct snapshot *s)
{
	struct subject *subject = &a->subjects[target];
	struct mono now = mono_now();
	bool rings = false;

	if (s->seq == subject->seq || s->nfindings == 0 || !s->taken_at.us)
		return false;
	subject->seq = s->seq;
	for (int i = 0; i < s->nfindings; i++)
		rings |= see_finding(a, target, &s->findings[i], s->judged_at);
	rowset_unref(subject->memory);
	subject->memory = s->alert_memory ? rowset_ref(s->alert_memory) : NULL;
	if (subject->memory && now.us - subject->remembered_at.us > REMEMBER_S * 1000000) {
		subject->remembered_at = now;
		add_news(a,
		    &(struct news){ .kind = NEWS_REMEMBER,
		        .target = target,
		        .memory = rowset_ref(subject->memory) });
	}
	return rings;
}

bool
alerting_look(struct alerting *a)
{
	bool rings = false;

	for (int i = 0; a && i < a->n; i++) {
		const struct snapshot *s = collector_peek(a->collector, i);
		rings |= see(a, i, s);
		snapshot_unref(s);
	}
	return rings;
}

void
alerting_mute(
    struct alerting *a, int target, const char *rule, struct wall until, const char *reason)
{
	add_news(a,
	    &(struct news){ .kind = NEWS_MUTE,
	        .target = target,
	        .rule = rule_by_id(rule),
	        .at = until,
	        .what = xstrdup(reason) });
}

struct alerting *
alerting_start(struct collector *c, const struct targets *targets, const struct settings *settings,
    const char *exec, struct error *err)
{
	struct alerting *a = xcalloc(1, sizeof(*a));

	a->collector = c;
	a->n = targets->n;
	if (exec) {
		a->hook = alert_hook_start(exec, err);
		if (!a->hook) {
			free(a);
			return NULL;
		}
	}
	a->subjects = xcalloc((size_t)targets->n, sizeof(*a->subjects));
	pthread_mutex_init(&a->mutex, NULL);
	init_cond(&a->wake);
	init_cond(&a->done);
	for (int i = 0; i < a->n; i++) {
		a->subjects[i].name = xstrdup(targets->items[i].name);
		a->subjects[i].target = &targets->items[i];
		for (int k = 0; k < RULE_COUNT; k++)
			a->subjects[i].told[k] = TOLD_NOTHING;
		if (!collector_post(
		        c, i, PROBE_ALERT_RULES, alerting_limits(settings, targets->items[i].name)))
			log_warn("alerts", "%s: its thresholds are not taken up",
			    targets->items[i].name);
	}
	if (pthread_create(&a->thread, NULL, alerting_main, a) != 0)
		fatal("cannot start a thread");
	return a;
}

void
alerting_stop(struct alerting *a)
{
	struct timespec until = in_ms(STOP_MS);
	bool is_done;

	if (!a)
		return;
	for (int i = 0; i < a->n; i++)
		if (a->subjects[i].memory)
			add_news(a,
			    &(struct news){ .kind = NEWS_REMEMBER,
			        .target = i,
			        .memory = rowset_ref(a->subjects[i].memory) });
	pthread_mutex_lock(&a->mutex);
	a->is_stopping = true;
	pthread_cond_signal(&a->wake);
	while (!a->is_done && pthread_cond_timedwait(&a->done, &a->mutex, &until) != ETIMEDOUT)
		;
	is_done = a->is_done;
	pthread_mutex_unlock(&a->mutex);
	/* A disk that hangs holds the thread, not us; then what it uses is left to it. */
	if (!is_done) {
		pthread_detach(a->thread);
		return;
	}
	pthread_join(a->thread, NULL);
	alert_hook_stop(a->hook);
	for (int i = 0; i < a->n; i++) {
		rowset_unref(a->subjects[i].memory);
		free(a->subjects[i].name);
	}
	free(a->subjects);
	pthread_cond_destroy(&a->wake);
	pthread_cond_destroy(&a->done);
	pthread_mutex_destroy(&a->mutex);
	free(a);
}
