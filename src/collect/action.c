/*
 * The warm second session: never busy with polling, so that a cancel works while the poller hangs,
 * and open before the server is full. It is read-only like the other; a confirmed act opens it for
 * the one statement and closes it again, all in one burst. A look runs in a read-only transaction
 * that is rolled back.
 */
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "collect/target.h"

enum run_tag { TAG_AROUND, TAG_RUN };
enum { RETRY_MS = 2000, CONNECT_MS = 6000, GRACE_MS = 3000, WARM_UP_MS = 500 };

static void
run_free(struct run *r)
{
	for (int i = 0; i < r->nparams; i++)
		free(r->params[i]);
	rowset_unref(r->rows);
	free(r);
}

/* Hand the first request back to the UI. */
static void
finish(struct target *t)
{
	struct action *a = &t->action;
	struct run *r = a->queue;
	struct mono now = mono_now();
	struct run_outcome outcome = {
		.ticket = r->ticket,
		.is_ok = r->rows && r->error.code == ERR_OK,
		.error = r->error,
		.elapsed_us = r->sent.us ? now.us - r->sent.us : 0,
	};
	if (outcome.is_ok) {
		outcome.rows = r->rows;
		r->rows = NULL;
	} else if (outcome.error.code == ERR_OK) {
		error_set(
		    &outcome.error, ERR_LOST, "the connection was lost before the answer came");
	}
	a->queue = r->next;
	a->is_running = false;
	t->own_xacts += r->sent.us ? 2 : 0;
	run_free(r);
	t->post(t->post_arg, &outcome);
}

static void
drop_session(struct target *t, const struct error *why)
{
	struct action *a = &t->action;
	bool was_running = a->is_running;
	a->why = *why;
	a->is_left_open = false;
	session_end(&a->session);
	feed_action_pid(t->feed, 0);
	a->retry_at.us = mono_now().us + RETRY_MS * 1000;
	if (!was_running)
		return;
	struct run *r = a->queue;
	if (!r->is_answered) {
		r->error = *why;
		if (r->kind == RUN_ACT)
			error_hint(&r->error,
			    "It is not known whether the statement was carried out; look before trying again.");
	}
	finish(t);
}

void
action_end(struct target *t)
{
	static const struct error why = { .code = ERR_LOST, .what = "the connection was closed" };
	struct action *a = &t->action;
	session_end(&a->session);
	feed_action_pid(t->feed, 0);
	while (a->queue) {
		if (!a->queue->is_answered)
			a->queue->error = why;
		finish(t);
	}
}

void
action_queue(struct target *t, struct run *take)
{
	struct run **end = &t->action.queue;
	while (*end)
		end = &(*end)->next;
	*end = take;
	if (t->action.session.state == SESSION_NONE)
		t->action.retry_at = (struct mono){ 0 };
}

void
action_cancel(struct target *t, uint64_t ticket)
{
	struct action *a = &t->action;
	struct run *r = a->queue;
	while (r && r->ticket != ticket)
		r = r->next;
	if (!r)
		return;
	r->is_cancelled = true;
	if (r == a->queue && a->is_running)
		pg_conn_cancel(a->session.conn);
}

static bool
around(struct action *a, const char *name, const char *const *params, int n, struct error *err)
{
	return pg_conn_ask(a->session.conn, a->session.catalog, pg_query_by_name(name), TAG_AROUND,
	    params, n, err);
}

static bool
ask_run(struct action *a, const struct run *r, struct error *err)
{
	const char *params[16];
	for (int i = 0; i < r->nparams; i++)
		params[i] = r->params[i];
	return pg_conn_ask(
	    a->session.conn, a->session.catalog, r->query, TAG_RUN, params, r->nparams, err);
}

static bool
send_look(struct action *a, const struct run *r, struct error *err)
{
	char timeout[16];
	snprintf(timeout, sizeof(timeout), "%d", r->timeout_ms);
	const char *limits[] = { timeout, "" };
	struct pg_conn *c = a->session.conn;
	/* The rollback has a group of its own: it runs also when the look failed. */
	return around(a, "begin_read_only", NULL, 0, err) && around(a, "local", limits, 2, err) &&
	    ask_run(a, r, err) && pg_conn_sync(c, err) && around(a, "rollback", NULL, 0, err) &&
	    pg_conn_sync(c, err);
}

static bool
send_act(struct action *a, const struct run *r, struct error *err)
{
	char timeout[16], usual[16], pid[16];
	struct pg_conn *c = a->session.conn;
	/* Behind a pooler the session was never made read-only. */
	if (a->session.is_pooled)
		return ask_run(a, r, err) && pg_conn_sync(c, err);
	snprintf(timeout, sizeof(timeout), "%d", r->timeout_ms);
	snprintf(usual, sizeof(usual), "%d", SESSION_TIMEOUT_MS);
	snprintf(pid, sizeof(pid), "%d", a->session.info.own_pid);
	const char *open[] = { "off", timeout, pid }, *close[] = { "on", usual, pid };
	return around(a, "writable", open, 3, err) && pg_conn_sync(c, err) && ask_run(a, r, err) &&
	    pg_conn_sync(c, err) && around(a, "writable", close, 3, err) && pg_conn_sync(c, err);
}

/* Somebody has cancelled the first request, which was not sent yet: it never will be. */
static bool
is_given_up(struct target *t)
{
	struct run *r = t->action.queue;
	if (!r->is_cancelled)
		return false;
	error_set(&r->error, ERR_TIMEOUT, "given up before it was sent");
	finish(t);
	return true;
}

static void
send_run(struct target *t, struct mono now)
{
	struct action *a = &t->action;
	struct run *r = a->queue;
	struct error err;
	if (is_given_up(t))
		return;
	if (!pg_catalog_supports(a->session.catalog, r->query, &r->error)) {
		finish(t);
		return;
	}
	r->sent = now;
	a->is_running = true;
	pg_conn_cork(a->session.conn);
	bool ok = r->kind == RUN_ACT ? send_act(a, r, &err) : send_look(a, r, &err);
	if (!ok || !pg_conn_flush(a->session.conn, &err))
		drop_session(t, &err);
}

/* Requests that wait for a session: given up in time, with the reason why there is none. */
static void
expire(struct target *t, struct mono now, struct mono *wake)
{
	struct action *a = &t->action;
	struct run *r = a->queue;
	if (!r || (!a->is_running && is_given_up(t)))
		return;
	int64_t limit_ms = a->is_running ? r->timeout_ms + GRACE_MS : CONNECT_MS;
	struct mono since = a->is_running ? r->sent : r->queued;
	bool is_over = mono_since_ms(now, since) >= limit_ms;
	if (!is_over) {
		wake_at(wake, (struct mono){ since.us + limit_ms * 1000 });
		return;
	}
	if (a->is_running) {
		struct error why;
		error_set(&why, ERR_TIMEOUT, "no answer from the server within %lld s",
		    (long long)limit_ms / 1000);
		pg_conn_cancel(a->session.conn);
		drop_session(t, &why);
		return;
	}
	if (a->why.code != ERR_OK)
		r->error = a->why;
	else
		error_set(
		    &r->error, ERR_TIMEOUT, "no connection for it within %d s", CONNECT_MS / 1000);
	finish(t);
}

void
action_run(struct target *t, struct mono now, struct mono *wake)
{
	struct action *a = &t->action;
	expire(t, now, wake);
	if (a->session.state == SESSION_NONE) {
		/* The first one lets the first screen be drawn; a request does not wait. */
		bool is_wanted = a->queue || (a->is_kept && feed_link_state(t->feed) == LINK_UP);
		if (!is_wanted)
			return;
		if (!a->queue && !a->retry_at.us)
			a->retry_at.us = now.us + WARM_UP_MS * 1000;
		if (now.us < a->retry_at.us) {
			wake_at(wake, a->retry_at);
			return;
		}
		session_start(&a->session,
		    &(struct pg_dial_conf){ .conninfo = t->conninfo,
		        .password = t->password,
		        .raw_text = t->raw_text });
	}
	if (a->session.state == SESSION_SETUP) {
		action_ready(t); /* it may be too late for it */
		wake_at(wake, (struct mono){ now.us + 1000000 });
	}
	while (a->session.state == SESSION_READY && a->queue && !a->is_running)
		send_run(t, now);
}

static void
take_answer(struct action *a, struct pg_answer *answer)
{
	struct run *r = a->queue;
	/* What fails behind the statement itself does not undo it, but a session that was not
	 * closed again stays writable. */
	if (answer->state == PG_ERROR && a->is_running && r->is_answered)
		a->is_left_open |= r->kind == RUN_ACT;
	else if (answer->state == PG_ERROR && a->is_running && r->error.code == ERR_OK)
		r->error = answer->error;
	if (answer->tag != TAG_RUN || !a->is_running) {
		rowset_unref(answer->rows);
		return;
	}
	r->is_answered = answer->state != PG_SKIPPED;
	if (answer->state == PG_ROWS) {
		r->rows = answer->rows;
		r->error = (struct error){ .code = ERR_OK };
	}
}

void
action_ready(struct target *t)
{
	struct action *a = &t->action;
	struct error err = { .code = ERR_OK };
	if (a->session.state != SESSION_READY) {
		if (!session_step(&a->session, &err)) {
			drop_session(t, &err);
		} else if (a->session.state == SESSION_READY) {
			a->why = (struct error){ .code = ERR_OK };
			feed_action_pid(t->feed, a->session.info.own_pid);
			action_run(t, mono_now(), &(struct mono){ 0 });
		}
		return;
	}
	struct pg_answer answer;
	bool is_alive = pg_conn_input(a->session.conn, &err);
	for (enum pg_got got; (got = pg_conn_next(a->session.conn, &answer)) != PG_WAIT;)
		if (got == PG_ANSWER)
			take_answer(a, &answer);
	if (!is_alive)
		drop_session(t, &err);
	else if (a->is_running && pg_conn_pending(a->session.conn) == 0)
		finish(t);
	if (a->is_left_open && !a->is_running) {
		error_set(&err, ERR_LOST, "the session could not be made read-only again");
		drop_session(t, &err);
	}
	while (a->session.state == SESSION_READY && a->queue && !a->is_running)
		send_run(t, mono_now());
}
