/*
 * One refresh: everything due goes out in one burst, the fast probes as one group (one transaction,
 * one snapshot of the sessions), each other probe in a group of its own, so that its failure or
 * timeout costs nobody else. The answers come back in one round trip. A probe that fails in the
 * fast group makes the server skip those behind it: they are asked again at once, without it.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/cell.h"
#include "base/log.h"
#include "collect/target.h"

enum { TAG_HELPER = -1, TAG_FEATURES = -2, TAG_FACTS = -3, REASKS_MAX = 6, QUERY_LEN = 256 };

/* How long a probe rests that is denied or not supported: a GRANT or an extension may come. */
static const int64_t rest_us = 60 * INT64_C(1000000);

bool
refresh_is_flying(const struct target *t)
{
	return t->flight.n > 0;
}

void
refresh_reset(struct target *t)
{
	memset(&t->flight, 0, sizeof(t->flight));
	for (int i = 0; i < PROBE_COUNT; i++)
		if (probe_plans[i].scope != SCOPE_CONSOLE)
			t->slots[i].is_flying = false;
}

static enum sample_state
state_of(const struct error *e)
{
	switch (e->code) {
	case ERR_DENIED:
		return SAMPLE_DENIED;
	case ERR_UNSUPPORTED:
		return SAMPLE_UNSUPPORTED;
	case ERR_TIMEOUT:
		return SAMPLE_TIMEOUT;
	default:
		return SAMPLE_FAILED;
	}
}

struct sample *
refresh_failed(const struct target *t, enum probe_id probe, const struct error *e)
{
	struct sample *s = sample_new(probe, state_of(e), NULL);
	s->at = mono_now();
	s->server_at = feed_server_clock(t->feed, s->at);
	snprintf(s->what, sizeof(s->what), "%s", e->what);
	snprintf(s->hint, sizeof(s->hint), "%s", e->hint);
	return s;
}

static void
apply_failed(struct target *t, enum probe_id probe, const struct error *e, struct mono now)
{
	struct probe_slot *slot = &t->slots[probe];
	struct sample *s = refresh_failed(t, probe, e);
	/* Without the first three there is nothing to show: they are never given up for long. */
	bool rests =
	    (s->state == SAMPLE_DENIED || s->state == SAMPLE_UNSUPPORTED) && probe > PROBE_DBSUM;
	schedule_answered(probe, slot, now, (int64_t)t->refresh_ms * 1000, 0, false);
	if (rests)
		slot->due.us = now.us + rest_us;
	feed_apply(t->feed, s);
	t->is_dirty = true;
	/* Names and texts are looked up for what that probe would have brought. */
	enum probe_id names = probe == PROBE_STATEMENTS ? PROBE_STATEMENT_TEXTS :
	    probe == PROBE_LOCKS                        ? PROBE_LOCK_NAMES :
	                                                  probe;
	if (names != probe && t->slots[names].is_shown && !feed_last(t->feed, names))
		feed_apply(t->feed, refresh_failed(t, names, e));
	if (probe == PROBE_LOG_SOURCE)
		logs_no_source(t, e, now);
}

/* Parameters of the probe's query; texts live in buf or in the target. */
static int
probe_params(struct target *t, enum probe_id probe, const char **params, char *buf, size_t size)
{
	switch (probe) {
	case PROBE_ACTIVITY:
		snprintf(buf, size, "%d", t->query_len > 0 ? t->query_len : QUERY_LEN);
		params[0] = buf;
		return 1;
	case PROBE_LOCK_NAMES:
		params[0] = t->unseen.relations_param ? t->unseen.relations_param : "{}";
		return 1;
	case PROBE_STATEMENT_TEXTS:
		params[0] = t->unseen.texts_param ? t->unseen.texts_param : "{}";
		return 1;
	case PROBE_LOGS:
		log_tail_params(t->log, params);
		return 3;
	default:
		return 0;
	}
}

static bool
ask_helper(
    struct target *t, const char *name, int timeout_ms, const char *work_mem, struct error *err)
{
	char timeout[16];
	snprintf(timeout, sizeof(timeout), "%d", timeout_ms);
	const char *params[] = { timeout, work_mem ? work_mem : "" };
	t->flight.statements++;
	return pg_conn_ask(
	    t->main.conn, t->main.catalog, pg_query_by_name(name), TAG_HELPER, params, 2, err);
}

/* The query of a probe if this server can answer it; else its sample says why not and NULL comes.
 */
static const struct pg_query *
probe_query(struct target *t, enum probe_id probe, struct mono now)
{
	struct error why;
	const struct pg_query *q = pg_query_by_name(probe_infos[probe].name);
	if (q && pg_catalog_supports(t->main.catalog, q, &why))
		return q;
	if (!q)
		error_set(&why, ERR_UNSUPPORTED, "this version of pgmedic has no query for it");
	apply_failed(t, probe, &why, now);
	return NULL;
}

static bool
ask_probe(struct target *t, enum probe_id probe, const struct pg_query *q, struct error *err)
{
	const char *params[3];
	char buf[16];
	int n = probe_params(t, probe, params, buf, sizeof(buf));
	if (n != q->nparams)
		return error_set(
		    err, ERR_PROTOCOL, "query %s takes %d parameters", q->name, q->nparams);
	t->slots[probe].is_flying = true;
	t->slots[probe].is_wanted = t->slots[probe].is_next = false;
	t->flight.statements++;
	return pg_conn_ask(t->main.conn, t->main.catalog, q, (int)probe, params, n, err);
}

static bool
end_group(struct target *t, enum probe_scope scope, enum probe_id probe, struct error *err)
{
	struct flight *f = &t->flight;
	f->groups[(f->first + f->n++) % FLIGHT_MAX] =
	    (struct flight_group){ .scope = scope, .probe = probe };
	return pg_conn_sync(t->main.conn, err);
}

/* Somebody waits for a lock, or did when it was last asked: then the lock table has something to
 * tell. */
static bool
are_locks_due(const struct target *t, struct mono now)
{
	const struct sample *last = feed_last(t->feed, PROBE_LOCKS);
	if (feed_waiting(t->feed) > 0)
		return t->slots[PROBE_LOCKS].is_shown || !last ||
		    mono_since_ms(now, last->at) > 5000;
	if (!t->slots[PROBE_LOCKS].is_shown)
		return false;
	return !last || t->slots[PROBE_LOCKS].answers < 2 ||
	    (last->rows && last->rows->nrows > 0) || mono_since_ms(now, last->at) > 5000;
}

static bool
is_due(const struct target *t, enum probe_id probe, bool is_tick, struct mono now)
{
	const struct probe_slot *slot = &t->slots[probe];
	if (!is_tick)
		return slot->is_wanted && !slot->is_flying;
	if (probe == PROBE_LOCKS && !slot->is_wanted)
		return !slot->is_flying && now.us >= slot->due.us - t->refresh_ms * 1000 / 2 &&
		    are_locks_due(t, now);
	return schedule_is_due(probe, slot, now);
}

static bool
send_fast(struct target *t, bool is_tick, struct mono now, struct error *err)
{
	bool is_begun = false;
	for (int p = 0; p < PROBE_COUNT; p++) {
		enum probe_id probe = (enum probe_id)p;
		if (probe_plans[p].scope != SCOPE_FAST || !is_due(t, probe, is_tick, now))
			continue;
		const struct pg_query *q = probe_query(t, probe, now);
		if (!q)
			continue;
		if (!is_begun && t->main.is_pooled &&
		    !ask_helper(t, "local", SESSION_TIMEOUT_MS, NULL, err))
			return false;
		is_begun = true;
		if (!ask_probe(t, probe, q, err))
			return false;
	}
	return !is_begun || end_group(t, SCOPE_FAST, PROBE_SERVER, err);
}

static bool
send_single(struct target *t, enum probe_id probe, const struct pg_query *q, struct error *err)
{
	const struct probe_plan *plan = &probe_plans[probe];
	int timeout_ms =
	    q->timeout_ms < MAX_PROBE_TIMEOUT_MS ? q->timeout_ms : MAX_PROBE_TIMEOUT_MS;
	if (t->main.is_pooled) {
		if (!ask_helper(t, "local", timeout_ms, plan->work_mem, err))
			return false;
	} else if (plan->work_mem || timeout_ms > SESSION_TIMEOUT_MS) {
		if (!ask_helper(t, "limits", timeout_ms, plan->work_mem, err))
			return false;
	}
	return ask_probe(t, probe, q, err) && end_group(t, SCOPE_SINGLE, probe, err);
}

/*
 * The server sends 8 kB at a time, and waking for each piece of a large answer costs more than
 * reading it. Its time is known from the last ones: sleep through most of it, then halve what is
 * left. Never longer than 50 ms at once.
 */
static void
hold(struct target *t, struct mono now)
{
	double waited_ms = (double)(now.us - t->flight.sent.us) / 1000;
	double left_ms = t->usual_ms - waited_ms;
	t->hold_until = (struct mono){ 0 };
	if (t->usual_bytes < 16000 || t->flight.n == 0 || t->flight.is_fast_done)
		return;
	double ms = waited_ms < 0.1 ? 0.7 * left_ms : left_ms > 2 ? left_ms / 2 : 1;
	if (ms >= 1)
		t->hold_until.us = now.us + (int64_t)((ms < 50 ? ms : 50) * 1000);
}

static bool
is_troubled(const struct target *t, enum probe_id probe)
{
	const struct sample *last = feed_last(t->feed, probe);
	return t->slots[probe].is_shown && last && probe_plans[probe].scope <= SCOPE_SINGLE &&
	    (last->state == SAMPLE_DENIED || last->state == SAMPLE_UNSUPPORTED);
}

/* While something shown is denied or not supported: has a GRANT or an extension come? */
static bool
send_facts(struct target *t, struct mono now, struct error *err)
{
	bool is_any = false;
	for (int p = 0; p < PROBE_COUNT; p++)
		is_any |= is_troubled(t, (enum probe_id)p);
	if (!is_any || now.us - t->facts_at.us < rest_us)
		return true;
	t->facts_at = now;
	t->flight.statements += 2;
	struct flight *f = &t->flight;
	f->groups[(f->first + f->n++) % FLIGHT_MAX] =
	    (struct flight_group){ .scope = SCOPE_LOCAL, .probe = PROBE_SERVER };
	return session_ask_again(&t->main, TAG_FEATURES, TAG_FACTS, err);
}

static void
learn(struct target *t, const struct pg_answer *a, struct mono now)
{
	if (!session_learn(&t->main, a))
		return;
	feed_server(t->feed, &t->main.info);
	for (int p = 0; p < PROBE_COUNT; p++)
		if (is_troubled(t, (enum probe_id)p))
			t->slots[p].due = now;
}

bool
refresh_send(struct target *t, struct mono now, bool is_tick, struct error *err)
{
	struct flight *f = &t->flight;
	if (is_tick || f->reasks == 0) {
		memset(f, 0, sizeof(*f));
		f->is_refresh = is_tick;
	}
	bool is_corked = false;
	if (!send_fast(t, is_tick, now, err))
		return false;
	for (int p = 0; p < PROBE_COUNT; p++) {
		enum probe_id probe = (enum probe_id)p;
		if (probe_plans[p].scope != SCOPE_SINGLE || !is_due(t, probe, is_tick, now) ||
		    !logs_due(t, probe, now))
			continue;
		const struct pg_query *q = probe_query(t, probe, now);
		if (!q)
			continue;
		if (!is_corked)
			pg_conn_cork(t->main.conn);
		is_corked = true;
		if (!send_single(t, probe, q, err))
			return false;
	}
	if (is_tick && !send_facts(t, now, err))
		return false;
	if (f->n == 0)
		return true;
	f->sent = f->group_end = f->published = mono_now();
	f->round_trips++;
	hold(t, f->sent);
	return pg_conn_flush(t->main.conn, err);
}

/* The server's clock when it answered: the probe's own `now`, else by the last PROBE_SERVER. */
static struct wall
server_clock(const struct target *t, const struct rowset *rows, struct mono at)
{
	int col = rowset_col(rows, "now");
	if (col >= 0 && rows->nrows > 0 && rowset_cell(rows, 0, col)->type == CELL_TIME)
		return (struct wall){ rowset_cell(rows, 0, col)->i };
	return feed_server_clock(t->feed, at);
}

/* What we do ourselves is no load: the figure travels with the sample, into recordings too. */
static void
set_own_xacts(struct target *t, struct rowset *rows)
{
	int col = rowset_col(rows, "own_xacts");
	if (col >= 0 && rows->nrows > 0)
		rows->cells[col] = cell_int(t->own_xacts);
}

static void
apply_rows(struct target *t, enum probe_id probe, struct rowset *rows, struct mono now)
{
	struct flight *f = &t->flight;
	if (probe == PROBE_LOGS) {
		struct rowset *entries = logs_answer(t, rows);
		rowset_unref(rows);
		if (!entries)
			return;
		rows = entries;
	}
	struct sample *s = sample_new(probe, SAMPLE_OK, rows);
	s->at = now;
	s->elapsed_us = now.us - f->sent.us;
	s->server_at = server_clock(t, rows, now);
	/* Groups are answered one after the other; only the first one's time holds the network's as
	 * well. */
	bool is_first = f->group_end.us == f->sent.us;
	int64_t cost_us = now.us - f->group_end.us - (is_first ? (int64_t)(t->rtt_ms * 1000) : 0);
	if (probe_plans[probe].scope == SCOPE_FAST)
		cost_us = 0; /* counted for the whole group, see end_fast() */
	/* Counted from the sending, so that periods do not drift by the time answers take. */
	schedule_answered(
	    probe, &t->slots[probe], f->sent, (int64_t)t->refresh_ms * 1000, cost_us, true);
	if (probe == PROBE_DBSUM)
		set_own_xacts(t, rows);
	unseen_look(t, s);
	feed_apply(t->feed, s);
	if (probe == PROBE_LOG_SOURCE)
		logs_source(t, s, now);
}

/* Bytes that the server cannot convert: from now on they are taken as they are stored. */
static bool
is_encoding_trouble(const struct error *e)
{
	return strcmp(e->sqlstate, "22021") == 0 || strcmp(e->sqlstate, "22P05") == 0;
}

static void
take_error(struct target *t, struct pg_answer *a, struct mono now)
{
	if (a->tag < TAG_HELPER)
		return;
	struct flight *f = &t->flight;
	const struct flight_group *group = &f->groups[f->first];
	enum probe_id probe = a->tag == TAG_HELPER ? group->probe : (enum probe_id)a->tag;
	if (a->ask_again && f->reasks < REASKS_MAX) {
		t->slots[probe].is_flying = false;
		t->slots[probe].is_wanted = true;
		return;
	}
	log_warn("refresh", "%s: %s: %s", t->name, probe_infos[probe].name, a->error.what);
	if (is_encoding_trouble(&a->error) && !t->raw_text) {
		t->raw_text = true;
		t->main.raw_text = false; /* target.c dials again */
	}
	if (a->error.code == ERR_LOST)
		return;
	apply_failed(t, probe, &a->error, now);
	/* The catalog promised otherwise, so it has changed: look again, and soon. */
	if (a->error.code == ERR_UNSUPPORTED) {
		t->facts_at = (struct mono){ 0 };
		t->slots[probe].due.us = now.us + t->slots[probe].backoff * INT64_C(2000000);
	}
}

static void
take_answer(struct target *t, struct pg_answer *a, struct mono now)
{
	t->flight.bytes += a->bytes;
	switch (a->state) {
	case PG_ROWS:
		if (a->tag < TAG_HELPER)
			learn(t, a, now);
		if (a->tag <= TAG_HELPER)
			rowset_unref(a->rows);
		else
			apply_rows(t, (enum probe_id)a->tag, a->rows, now);
		break;
	case PG_ERROR:
		take_error(t, a, now);
		break;
	case PG_SKIPPED:
		if (a->tag >= 0) {
			struct probe_slot *slot = &t->slots[a->tag];
			/* Behind a failed helper of its own group the failure was told already. */
			if (slot->is_flying)
				slot->is_wanted = true;
			slot->is_flying = false;
		}
		break;
	}
}

static void
end_fast(struct target *t, struct mono now)
{
	struct flight *f = &t->flight;
	double ms = (double)(now.us - f->sent.us) / 1000;
	if (ms < t->rtt_ms)
		t->rtt_ms = ms;
	t->usual_ms = t->usual_ms > 0 ? 0.8 * t->usual_ms + 0.2 * ms : ms;
	if (f->is_refresh && !f->is_fast_done)
		t->backoff = schedule_backoff(
		    t->backoff, (int64_t)((ms - t->rtt_ms) * 1000), (int64_t)t->refresh_ms * 1000);
	f->is_fast_done = true;
	if (t->slots[PROBE_OS].is_shown) {
		struct sample *s = os_sample(t->feed);
		if (s)
			feed_apply(t->feed, s);
	}
	if (schedule_is_due(PROBE_HOST, &t->slots[PROBE_HOST], now)) {
		feed_apply(t->feed, host_sample(t->feed));
		schedule_answered(
		    PROBE_HOST, &t->slots[PROBE_HOST], now, (int64_t)t->refresh_ms * 1000, 0, true);
	}
	if (schedule_is_due(PROBE_CAPACITY, &t->slots[PROBE_CAPACITY], now)) {
		feed_apply(t->feed, capacity_sample(t->feed, &t->capacity));
		schedule_answered(PROBE_CAPACITY, &t->slots[PROBE_CAPACITY], now,
		    (int64_t)t->refresh_ms * 1000, 0, true);
	}
	feed_link(t->feed, LINK_UP, "", "", now, (struct mono){ 0 });
}

static void
end_burst(struct target *t, struct mono now)
{
	const struct flight *f = &t->flight;
	if (!f->is_refresh)
		return;
	int64_t cpu_us = os_cpu_us();
	struct self_cost cost = {
		.server_ms = (double)(now.us - f->sent.us) / 1000 - t->rtt_ms,
		.rtt_ms = t->rtt_ms,
		.round_trips = f->round_trips,
		.statements = f->statements,
		.bytes = f->bytes,
		.cpu_ms = t->cpu_us ? (double)(cpu_us - t->cpu_us) / 1000 : 0,
		.interval_ms = t->refresh_ms,
		.backoff = t->backoff > 0 ? t->backoff : 1,
	};
	t->cpu_us = cpu_us;
	t->usual_bytes = f->bytes;
	feed_cost(t->feed, &cost);
}

static void
end_of_group(struct target *t, struct mono now)
{
	struct flight *f = &t->flight;
	if (f->n == 0)
		return;
	enum probe_scope scope = f->groups[f->first].scope;
	t->own_xacts++;
	f->first = (f->first + 1) % FLIGHT_MAX;
	f->n--;
	if (scope == SCOPE_FAST)
		end_fast(t, now);
	f->group_end = now;
	/* The fast answers are shown at once; slow ones behind them all together, or as they come
	 * when that takes long. */
	if (scope == SCOPE_FAST || f->n == 0 || mono_since_ms(now, f->published) > 100) {
		t->is_dirty = true;
		f->published = now;
	}
	if (f->n == 0)
		end_burst(t, now);
}

static bool
has_wanted(const struct target *t)
{
	for (int i = 0; i < PROBE_COUNT; i++)
		if (t->slots[i].is_wanted && !t->slots[i].is_flying &&
		    (probe_plans[i].scope == SCOPE_FAST || probe_plans[i].scope == SCOPE_SINGLE))
			return true;
	return false;
}

bool
refresh_input(struct target *t, struct error *err)
{
	struct pg_answer a;
	struct error last_words = { .code = ERR_OK };
	bool is_alive = pg_conn_input(t->main.conn, err);
	struct mono now = mono_now();
	for (enum pg_got got; (got = pg_conn_next(t->main.conn, &a)) != PG_WAIT;) {
		if (got == PG_GROUP_END) {
			end_of_group(t, now);
			continue;
		}
		if (a.state == PG_ERROR && a.error.code == ERR_LOST && *a.error.sqlstate)
			last_words = a.error;
		take_answer(t, &a, now);
	}
	if (!is_alive) {
		if (last_words.code != ERR_OK)
			*err = last_words;
		return false;
	}
	hold(t, now);
	if (t->flight.n > 0 || !has_wanted(t))
		return true;
	/* Skipped probes, and look-ups of ids seen for the first time. */
	if (t->flight.reasks++ >= REASKS_MAX) {
		for (int i = 0; i < PROBE_COUNT; i++)
			t->slots[i].is_wanted = false;
		return true;
	}
	return refresh_send(t, now, false, err);
}
