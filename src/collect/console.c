/*
 * PgBouncer's admin console: a connection of its own, simple protocol, one command at a time,
 * answers as text by column name. It serves no query and its answers are small, so it needs no
 * pipeline.
 */
#include "config.h"

#include <stdio.h>

#include "base/log.h"
#include "collect/target.h"

enum { ANSWER_TIMEOUT_MS = 5000, RETRY_MS = 3000 };

static void
console_fail(struct target *t, const struct error *why)
{
	struct console *c = &t->console;
	struct mono now = mono_now();
	c->why = *why;
	session_end(&c->session);
	c->is_asking = false;
	c->retry_at.us = now.us + RETRY_MS * 1000;
	for (int p = 0; p < PROBE_COUNT; p++) {
		struct probe_slot *slot = &t->slots[p];
		if (probe_plans[p].scope != SCOPE_CONSOLE ||
		    !(slot->is_flying || slot->is_shown || slot->is_wanted))
			continue;
		schedule_answered(
		    (enum probe_id)p, slot, now, (int64_t)t->refresh_ms * 1000, 0, false);
		feed_apply(t->feed, refresh_failed(t, (enum probe_id)p, why));
		slot->due = c->retry_at;
		t->is_dirty = true;
	}
}

static int
next_probe(const struct target *t, struct mono now)
{
	for (int p = 0; p < PROBE_COUNT; p++)
		if (probe_plans[p].scope == SCOPE_CONSOLE &&
		    schedule_is_due((enum probe_id)p, &t->slots[p], now))
			return p;
	return -1;
}

/* When one is due again. */
static void
wake_for_probes(const struct target *t, struct mono *wake)
{
	for (int p = 0; p < PROBE_COUNT; p++) {
		const struct probe_slot *slot = &t->slots[p];
		int period = slot->is_shown ? probe_plans[p].shown_ms : probe_plans[p].hidden_ms;
		if (probe_plans[p].scope == SCOPE_CONSOLE &&
		    (period != NEVER || slot->rule_ms > 0) && slot->due.us)
			wake_at(wake, slot->due);
	}
}

static void
no_console(struct target *t)
{
	static const struct error why = {
		.code = ERR_UNSUPPORTED,
		.what = "no PgBouncer is configured for this target",
		.hint =
		    "Set pgbouncer = 'host=… port=6432 dbname=pgbouncer user=…' in its [target] section.",
	};
	for (int p = 0; p < PROBE_COUNT; p++) {
		if (probe_plans[p].scope != SCOPE_CONSOLE || !t->slots[p].is_shown ||
		    feed_last(t->feed, (enum probe_id)p))
			continue;
		feed_apply(t->feed, refresh_failed(t, (enum probe_id)p, &why));
		t->is_dirty = true;
	}
}

static void
console_ask(struct target *t, struct mono now)
{
	struct console *c = &t->console;
	struct error err;
	int probe = next_probe(t, now);
	if (probe < 0)
		return;
	c->probe = (enum probe_id)probe;
	c->is_asking = true;
	c->sent = now;
	t->slots[probe].is_flying = true;
	if (!pg_conn_console(c->session.conn, probe_plans[probe].command, probe, &err) ||
	    !pg_conn_flush(c->session.conn, &err))
		console_fail(t, &err);
}

void
console_run(struct target *t, struct mono now, struct mono *wake)
{
	struct console *c = &t->console;
	if (!t->pgbouncer) {
		no_console(t);
		return;
	}
	switch (c->session.state) {
	case SESSION_NONE:
		if (now.us < c->retry_at.us) {
			wake_at(wake, c->retry_at);
		} else if (next_probe(t, now) >= 0) {
			session_start(&c->session,
			    &(struct pg_dial_conf){ .conninfo = t->pgbouncer, .is_console = true });
		} else {
			wake_for_probes(t, wake);
		}
		break;
	case SESSION_READY:
		if (c->is_asking && mono_since_ms(now, c->sent) > ANSWER_TIMEOUT_MS) {
			struct error err;
			error_set(&err, ERR_TIMEOUT, "PgBouncer does not answer");
			console_fail(t, &err);
		} else if (c->is_asking) {
			wake_at(
			    wake, (struct mono){ c->sent.us + (ANSWER_TIMEOUT_MS + 10) * 1000 });
		} else {
			console_ask(t, now);
			if (!c->is_asking)
				wake_for_probes(t, wake);
		}
		break;
	case SESSION_DIALING:
	case SESSION_SETUP:
		break;
	}
}

static void
console_answer(struct target *t, struct pg_answer *a)
{
	struct console *c = &t->console;
	struct mono now = mono_now();
	enum probe_id probe = (enum probe_id)a->tag;
	struct sample *s = a->state == PG_ROWS ? sample_new(probe, SAMPLE_OK, a->rows) :
	                                         refresh_failed(t, probe, &a->error);
	s->at = now;
	s->server_at = feed_server_clock(t->feed, now);
	s->elapsed_us = now.us - c->sent.us;
	schedule_answered(probe, &t->slots[probe], now, (int64_t)t->refresh_ms * 1000,
	    s->elapsed_us, a->state == PG_ROWS);
	feed_apply(t->feed, s);
}

void
console_ready(struct target *t)
{
	struct console *c = &t->console;
	struct error err = { .code = ERR_OK };
	if (c->session.state == SESSION_DIALING) {
		if (!session_step(&c->session, &err))
			console_fail(t, &err);
		else
			console_run(t, mono_now(), &(struct mono){ 0 });
		return;
	}
	struct pg_answer a;
	bool is_alive = pg_conn_input(c->session.conn, &err);
	while (pg_conn_next(c->session.conn, &a) == PG_ANSWER)
		console_answer(t, &a);
	if (!is_alive) {
		console_fail(t, &err);
	} else if (c->is_asking && pg_conn_pending(c->session.conn) == 0) {
		c->is_asking = false;
		console_ask(t, mono_now());
		t->is_dirty |= !c->is_asking; /* all that was due is there */
	}
}
