/*
 * From samples to snapshots: cur, good and prev of each probe, names, events. Figures of a tick are
 * in metrics.c.
 *
 * Counters belong to one life of one server. When the server restarts, or another one answers, the
 * answers before are kept to be shown but never paired with later ones for a rate.
 */
#include "config.h"

#include "collect/feed.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "base/log.h"
#include "collect/metrics.h"
#include "model/load.h"
#include "model/rules.h"

enum {
	EVENTS_MAX = 64,
	TEXTS_MAX = 16,
	TEXT_BYTES_MAX = 16 << 20,
	LOG_BYTES_MAX = 8 << 20,
	LOG_ROWS_MAX = 5000
};

/* Clocks are adjusted in small steps all the time; this is more than that. */
static const int64_t clock_jump_us = 2000000;

struct feed {
	char target[64];
	uint64_t seq;
	struct server_info server;
	bool has_server;
	enum link_state link;
	char link_what[256], link_hint[256];
	enum link_state link_since_state; /* the state that link_since belongs to */
	struct mono link_since, link_retry_at;
	bool was_up;
	struct wall taken_at;
	struct mono taken_mono;
	struct self_cost cost;
	const struct sample *cur[PROBE_COUNT], *good[PROBE_COUNT], *prev[PROBE_COUNT];
	bool is_other_life[PROBE_COUNT]; /* good[] is from before a restart: no pair with what comes
	                                  */
	const struct sample *texts[TEXTS_MAX];
	int ntexts;
	const struct sample *logs[TEXTS_MAX];
	int nlogs;
	struct series series;
	struct hmap names; /* see load_key_*() */
	struct metrics metrics;
	struct rules *rules;
	bool is_tick_due;
	struct event events[EVENTS_MAX];
	int nevents;
	struct feed_hook hook;
	struct mono replay_now; /* 0 live */
};

struct feed *
feed_new(const char *target)
{
	struct feed *f = xcalloc(1, sizeof(*f));
	snprintf(f->target, sizeof(f->target), "%s", target);
	f->link = LINK_CONNECTING;
	f->link_since = mono_now();
	metrics_init(&f->metrics);
	f->rules = rules_new();
	return f;
}

void
feed_free(struct feed *f)
{
	if (!f)
		return;
	for (int i = 0; i < PROBE_COUNT; i++) {
		sample_unref(f->cur[i]);
		sample_unref(f->good[i]);
		sample_unref(f->prev[i]);
	}
	for (int i = 0; i < f->ntexts; i++)
		sample_unref(f->texts[i]);
	for (int i = 0; i < f->nlogs; i++)
		sample_unref(f->logs[i]);
	series_release(&f->series);
	hmap_release(&f->names);
	rules_free(f->rules);
	free(f);
}

void
feed_set_hook(struct feed *f, const struct feed_hook *hook)
{
	f->hook = hook ? *hook : (struct feed_hook){ .arg = NULL };
}

const struct server_info *
feed_server_info(const struct feed *f)
{
	return &f->server;
}

void
feed_action_pid(struct feed *f, int pid)
{
	if (f->server.action_pid == pid)
		return;
	f->server.action_pid = pid;
	if (f->has_server && f->hook.server)
		f->hook.server(f->hook.arg, &f->server);
}

enum link_state
feed_link_state(const struct feed *f)
{
	return f->link;
}

const struct sample *
feed_good(const struct feed *f, enum probe_id probe)
{
	return f->good[probe];
}

const struct sample *
feed_last(const struct feed *f, enum probe_id probe)
{
	return f->cur[probe];
}

int
feed_waiting(const struct feed *f)
{
	float waiting = f->metrics.value[METRIC_WAITING];
	return isnan(waiting) ? 0 : (int)waiting;
}

const struct rules *
feed_rules(const struct feed *f)
{
	return f->rules;
}

struct wall
feed_server_clock(const struct feed *f, struct mono at)
{
	if (!f->taken_at.us)
		return wall_now();
	return (struct wall){ f->taken_at.us + (at.us - f->taken_mono.us) };
}

void
feed_replaying(struct feed *f, struct mono now)
{
	f->replay_now = now;
}

void
feed_event(struct feed *f, const char *code, const char *fmt, ...)
{
	if (f->nevents == EVENTS_MAX) {
		memmove(f->events, f->events + 1, (EVENTS_MAX - 1) * sizeof(f->events[0]));
		f->nevents--;
	}
	struct event *e = &f->events[f->nevents++];
	e->at = feed_server_clock(f, f->replay_now.us ? f->replay_now : mono_now());
	e->code = code;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->what, sizeof(e->what), fmt, ap);
	va_end(ap);
	log_info("feed", "%s: %s: %s", f->target, code, e->what);
}

/* Another life of the server, or another server: nothing before it pairs with anything after it. */
static void
begin_life(struct feed *f)
{
	for (int i = 0; i < PROBE_COUNT; i++) {
		sample_unref(f->prev[i]);
		f->prev[i] = NULL;
		f->is_other_life[i] = f->good[i] != NULL;
	}
	metrics_begin_life(&f->metrics);
	rules_begin_life(f->rules);
}

void
feed_server(struct feed *f, const struct server_info *server)
{
	struct server_info old = f->server;
	bool had = f->has_server;
	f->server = *server;
	/* Live it is told by feed_action_pid(), which a recording holds as news of the server. */
	if (!f->replay_now.us)
		f->server.action_pid = old.action_pid;
	f->has_server = true;
	/* Known from the probe rather than from the login. */
	if (had && old.start_us && !server->start_us) {
		f->server.start_us = old.start_us;
		f->server.is_standby = old.is_standby;
		f->server.timeline = server->timeline ? server->timeline : old.timeline;
	}
	if (had && old.system_identifier && server->system_identifier &&
	    old.system_identifier != server->system_identifier) {
		feed_event(f, "failover",
		    "another cluster answers: its system identifier is %lld, not %lld",
		    (long long)server->system_identifier, (long long)old.system_identifier);
		begin_life(f);
	} else if (had &&
	    (strcmp(old.host, server->host) != 0 || strcmp(old.port, server->port) != 0)) {
		feed_event(
		    f, "failover", "now connected to %s port %s", server->host, server->port);
		begin_life(f);
	}
	if (f->hook.server)
		f->hook.server(f->hook.arg, &f->server);
}

void
feed_link(struct feed *f, enum link_state state, const char *what, const char *hint,
    struct mono since, struct mono retry_at)
{
	/* A recording has no link of its own: LINK_REPLAY is where it was up. */
	bool is_up = state == LINK_UP || state == LINK_REPLAY;
	bool is_same = f->link == state && strcmp(f->link_what, what) == 0;
	if (state == LINK_DOWN && f->link != LINK_DOWN && f->was_up)
		feed_event(f, "lost", "%s", what);
	if (is_up && f->link == LINK_DOWN && f->was_up)
		feed_event(
		    f, "reconnected", "after %.1f s", (double)(since.us - f->link_since.us) / 1e6);
	if (is_up)
		f->was_up = true;
	f->link = state;
	snprintf(f->link_what, sizeof(f->link_what), "%s", what);
	snprintf(f->link_hint, sizeof(f->link_hint), "%s", hint);
	if (since.us && !(is_up && f->link_since_state == state))
		f->link_since = since;
	f->link_since_state = state;
	f->link_retry_at = retry_at;
	if (!is_same && f->hook.link)
		f->hook.link(f->hook.arg, state, what, hint);
}

void
feed_cost(struct feed *f, const struct self_cost *cost)
{
	f->cost = *cost;
	if (f->hook.cost)
		f->hook.cost(f->hook.arg, cost);
}

static void
see_role(struct feed *f, bool is_standby, int32_t timeline)
{
	struct server_info *s = &f->server;
	if (s->start_us && s->is_standby && !is_standby)
		feed_event(f, "promoted", "the standby became a primary");
	else if (s->start_us && !s->is_standby && is_standby)
		feed_event(f, "failover", "the server is a standby now");
	else if (s->timeline && timeline && timeline != s->timeline)
		feed_event(f, "failover", "timeline %d instead of %d", timeline, s->timeline);
	s->is_standby = is_standby;
	if (timeline)
		s->timeline = timeline;
}

static void
see_server(struct feed *f, const struct sample *s)
{
	if (s->rows->nrows < 1)
		return;
	int64_t start = cell_i64(rowset_get(s->rows, 0, "start_time"), 0);
	bool is_restart = f->server.start_us && start && llabs(start - f->server.start_us) > 1000;
	if (is_restart) {
		feed_event(f, "restart", "the server started %.0f s ago",
		    (double)(s->server_at.us - start) / 1e6);
		begin_life(f);
	}
	int64_t drift =
	    f->taken_at.us ? s->server_at.us - f->taken_at.us - (s->at.us - f->taken_mono.us) : 0;
	if (!is_restart && llabs(drift) > clock_jump_us && s->elapsed_us < clock_jump_us / 2) {
		feed_event(
		    f, "clock_jump", "the server's clock moved by %+.1f s", (double)drift / 1e6);
		begin_life(f);
	}
	see_role(f, cell_i64(rowset_get(s->rows, 0, "is_standby"), 0) != 0,
	    (int32_t)cell_i64(rowset_get(s->rows, 0, "timeline"), 0));
	if (start)
		f->server.start_us = start;
	/* Behind a pooler each transaction has its process; this one serves the whole group,
	 * activity too. */
	if (f->server.is_pooled)
		f->server.own_pid = (int)cell_i64(rowset_get(s->rows, 0, "pid"), 0);
	f->taken_at = s->server_at;
	f->taken_mono = s->at;
}

/* A counter that went down, or a newer reset time. */
static void
see_reset(struct feed *f, const struct sample *s, const struct sample *before, const char *counter,
    const char *reset, const char *what)
{
	if (!before || s->rows->nrows < 1 || before->rows->nrows < 1)
		return;
	int64_t at = cell_i64(rowset_get(s->rows, 0, reset), 0);
	int64_t old_at = cell_i64(rowset_get(before->rows, 0, reset), 0);
	int64_t n = cell_i64(rowset_get(s->rows, 0, counter), 0);
	int64_t old_n = cell_i64(rowset_get(before->rows, 0, counter), 0);
	if ((at && at > old_at) || n < old_n)
		feed_event(f, "stats_reset", "%s were reset", what);
}

static void
see_statements_info(struct feed *f, const struct sample *s, const struct sample *before)
{
	see_reset(f, s, before, "dealloc", "stats_reset", "the counters of pg_stat_statements");
	if (!before || s->rows->nrows < 1 || before->rows->nrows < 1)
		return;
	int64_t n = cell_i64(rowset_get(s->rows, 0, "dealloc"), 0);
	int64_t old = cell_i64(rowset_get(before->rows, 0, "dealloc"), 0);
	if (n > old)
		feed_event(f, "pgss_dealloc",
		    "pg_stat_statements threw out its least executed statements; raise pg_stat_statements.max");
}

static void
see_settings(struct feed *f, const struct sample *s, const struct sample *before)
{
	int name = rowset_col(s->rows, "name"), setting = rowset_col(s->rows, "setting");
	if (!before || name < 0 || setting < 0)
		return;
	struct hmap old = { .n = 0 };
	for (int i = 0; i < before->rows->nrows; i++) {
		const struct cell *n = rowset_cell(before->rows, i, name);
		hmap_put(&old, hash_bytes(0, n->s, n->len), (uint64_t)i);
	}
	int changed = 0;
	char first[96] = "";
	for (int i = 0; i < s->rows->nrows; i++) {
		const struct cell *n = rowset_cell(s->rows, i, name);
		uint64_t row;
		if (!hmap_get(&old, hash_bytes(0, n->s, n->len), &row) ||
		    cell_equal(rowset_cell(s->rows, i, setting),
		        rowset_cell(before->rows, (int)row, setting)))
			continue;
		if (!changed++)
			snprintf(first, sizeof(first), "%.*s", (int)n->len, n->s);
	}
	hmap_release(&old);
	if (changed == 1)
		feed_event(f, "settings_changed", "setting %s changed", first);
	else if (changed > 1)
		feed_event(
		    f, "settings_changed", "%d settings changed: %s and others", changed, first);
}

static void
see_names(struct feed *f, const struct sample *s)
{
	int kind = rowset_col(s->rows, "kind"), oid = rowset_col(s->rows, "oid"),
	    name = rowset_col(s->rows, "name");
	hmap_clear(&f->names);
	for (int i = 0; i < s->rows->nrows; i++) {
		const struct cell *n = rowset_cell(s->rows, i, name);
		int64_t id = cell_i64(rowset_cell(s->rows, i, oid), 0);
		if (n->type != CELL_TEXT)
			continue;
		bool is_role = cell_is(rowset_cell(s->rows, i, kind), "role");
		hmap_put(&f->names, is_role ? load_key_role(id) : load_key_database(id),
		    series_intern(&f->series, n->s, n->len));
	}
}

static void
copy_row(struct rowset *rs, const struct rowset *from, int row)
{
	struct cell *cells = rowset_add(rs);

	for (int col = 0; col < rs->ncols; col++) {
		cells[col] = *rowset_cell(from, row, col);
		if (cells[col].type == CELL_TEXT)
			cells[col].s = arena_strndup(&rs->arena, cells[col].s, cells[col].len);
		if (cells[col].type == CELL_INTS) {
			size_t size = cells[col].len * sizeof(int64_t);
			int64_t *ints = arena_alloc(&rs->arena, size + 1);
			if (size)
				memcpy(ints, cells[col].ints, size);
			cells[col].ints = ints;
		}
	}
}

/* One rowset of several, oldest first, up to the ceilings; newest are kept. */
static struct sample *
merge(const struct sample *const *samples, int n, size_t max_bytes, int max_rows)
{
	const struct rowset *last = samples[n - 1]->rows;
	struct rowset *rs = rowset_new(last->ncols, last->names, last->types);
	int first = n, rows = 0;
	for (size_t bytes = 0; first > 0 && bytes < max_bytes && rows < max_rows; first--) {
		bytes += samples[first - 1]->rows->arena.bytes;
		rows += samples[first - 1]->rows->nrows;
	}
	for (int i = first; i < n; i++) {
		const struct rowset *from = samples[i]->rows;
		int skip = rows > max_rows ? rows - max_rows : 0;
		if (skip > from->nrows)
			skip = from->nrows;
		rows -= skip;
		for (int row = skip; from->ncols == rs->ncols && row < from->nrows; row++)
			copy_row(rs, from, row);
	}
	struct sample *merged = sample_new(samples[n - 1]->probe, SAMPLE_OK, rs);
	merged->server_at = samples[n - 1]->server_at;
	merged->at = samples[n - 1]->at;
	return merged;
}

/* Add to the answers that are kept side by side; many small ones become one. */
static void
keep(const struct sample **list, int *n, const struct sample *s, size_t max_bytes, int max_rows)
{
	if (s->rows->nrows == 0)
		return;
	if (*n == TEXTS_MAX) {
		struct sample *merged = merge(list, *n, max_bytes, max_rows);
		for (int i = 0; i < *n; i++)
			sample_unref(list[i]);
		list[0] = merged;
		*n = 1;
	}
	list[(*n)++] = sample_ref(s);
}

static void
see_good(struct feed *f, const struct sample *s, const struct sample *before)
{
	switch (s->probe) {
	case PROBE_SERVER:
		see_server(f, s);
		break;
	case PROBE_ACTIVITY:
		f->is_tick_due = true;
		break;
	case PROBE_DBSUM:
		see_reset(f, s, before, "commits", "stats_reset", "the counters of a database");
		break;
	case PROBE_STATEMENTS_INFO:
		see_statements_info(f, s, before);
		break;
	case PROBE_SETTINGS:
		see_settings(f, s, before);
		break;
	case PROBE_NAMES:
		see_names(f, s);
		break;
	case PROBE_STATEMENT_TEXTS:
		keep(f->texts, &f->ntexts, s, TEXT_BYTES_MAX, INT_MAX);
		break;
	case PROBE_LOGS:
		keep(f->logs, &f->nlogs, s, LOG_BYTES_MAX, LOG_ROWS_MAX);
		break;
	default:
		break;
	}
}

void
feed_apply(struct feed *f, struct sample *s)
{
	enum probe_id p = s->probe;
	if (f->hook.sample)
		f->hook.sample(f->hook.arg, s);
	if (s->state == SAMPLE_OK) {
		see_good(f, s, f->is_other_life[p] ? NULL : f->good[p]);
		/* A restart seen in this very sample has cut the past off by now. */
		const struct sample *before = f->is_other_life[p] ? NULL : f->good[p];
		metrics_take(&f->metrics, s, before, &f->server);
		sample_unref(f->prev[p]);
		f->prev[p] = sample_ref(before);
		sample_unref(f->good[p]);
		f->good[p] = sample_ref(s);
		f->is_other_life[p] = false;
		rules_take(f->rules, s, f->good, &f->server);
	}
	sample_unref(f->cur[p]);
	f->cur[p] = s;
}

static void
add_tick(struct feed *f)
{
	const struct sample *a = f->good[PROBE_ACTIVITY];
	struct load *loads = xmalloc(LOAD_MAX * sizeof(*loads));
	int own[] = { f->server.own_pid, f->server.action_pid };
	struct tick t = { .at = a->server_at, .mono = a->at };
	t.nloads = load_sample(&f->series, a->rows, &f->names, own, (int)ARRAY_LEN(own), loads);
	t.loads = loads;
	if (f->series.n > 0)
		t.seconds =
		    (float)(t.mono.us - series_tick(&f->series, f->series.n - 1)->mono.us) / 1e6F;
	metrics_tick(&f->metrics, &t);
	series_add(&f->series, &t);
	free(loads);
}

struct snapshot *
feed_seal(struct feed *f)
{
	if (f->is_tick_due)
		add_tick(f);
	f->is_tick_due = false;
	struct snapshot *s = snapshot_new();
	s->seq = ++f->seq;
	memcpy(s->target, f->target, sizeof(s->target));
	s->server = f->server;
	s->link = f->link;
	memcpy(s->link_what, f->link_what, sizeof(s->link_what));
	memcpy(s->link_hint, f->link_hint, sizeof(s->link_hint));
	s->link_since = f->link_since;
	s->link_retry_at = f->link_retry_at;
	s->taken_at = f->taken_at;
	s->taken_mono = f->taken_mono;
	s->replay_now = f->replay_now;
	s->cost = f->cost;
	for (int i = 0; i < PROBE_COUNT; i++) {
		s->cur[i] = sample_ref(f->cur[i]);
		s->good[i] = sample_ref(f->good[i]);
		s->prev[i] = sample_ref(f->prev[i]);
	}
	for (int i = 0; i < f->ntexts; i++)
		s->texts[i] = sample_ref(f->texts[i]);
	s->ntexts = f->ntexts;
	for (int i = 0; i < f->nlogs; i++)
		s->logs[i] = sample_ref(f->logs[i]);
	s->nlogs = f->nlogs;
	s->series = series_share(&f->series);
	if (f->nevents > 0) {
		struct event *events = arena_alloc(&s->arena, (size_t)f->nevents * sizeof(*events));
		memcpy(events, f->events, (size_t)f->nevents * sizeof(*events));
		s->events = events;
		s->nevents = f->nevents;
	}
	struct mono now = f->replay_now.us ? f->replay_now : mono_now();
	rules_judge(f->rules, s, feed_server_clock(f, now), now);
	if (f->hook.seal)
		f->hook.seal(f->hook.arg, s);
	return s;
}

struct sample *
sample_new(enum probe_id probe, enum sample_state state, struct rowset *rows)
{
	struct sample *s = xcalloc(1, sizeof(*s));
	atomic_init(&s->refs, 1);
	s->probe = probe;
	s->state = state;
	s->rows = rows ? rows : rowset_new(0, NULL, NULL);
	return s;
}
