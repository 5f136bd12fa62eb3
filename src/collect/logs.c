/*
 * PROBE_LOGS: what came into the server's log. Read here where the file is on this machine, which
 * costs the server nothing and goes on while it is down; else asked of the server.
 */
#include "config.h"

#include "base/log.h"
#include "collect/target.h"

static void
answered(struct target *t, struct mono now, bool ok)
{
	schedule_answered(
	    PROBE_LOGS, &t->slots[PROBE_LOGS], now, (int64_t)t->refresh_ms * 1000, 0, ok);
	t->is_dirty = true;
}

static void
fail(struct target *t, const struct error *why, struct mono now)
{
	answered(t, now, false);
	feed_apply(t->feed, refresh_failed(t, PROBE_LOGS, why));
}

static void
read_file(struct target *t, struct mono now)
{
	struct rowset *rows;
	struct error why;
	struct sample *s;

	if (!log_tail_read(t->log, &rows, &why)) {
		fail(t, &why, now);
		return;
	}
	s = sample_new(PROBE_LOGS, SAMPLE_OK, rows);
	s->at = now;
	s->server_at = feed_server_clock(t->feed, now);
	answered(t, now, true);
	feed_apply(t->feed, s);
}

static void
follow(struct target *t, enum log_via via, const struct error *why, struct mono now)
{
	struct probe_slot *slot = &t->slots[PROBE_LOGS];
	const struct sample *last = feed_last(t->feed, PROBE_LOGS);
	bool is_first = !last || last->state != SAMPLE_OK;

	if (!slot->is_shown)
		return;
	if (via == LOG_AWAY)
		fail(t, why, now);
	else if (is_first && via == LOG_FILE)
		read_file(t, now);
	else if (is_first && !slot->is_flying)
		slot->is_wanted = true;
}

void
logs_source(struct target *t, const struct sample *s, struct mono now)
{
	struct error why = { .code = ERR_OK };

	if (t->wants_cloud)
		return; /* it comes from there, see cloud_logs.c */
	follow(t, log_tail_source(t->log, s, feed_server_info(t->feed), &why), &why, now);
}

void
logs_no_source(struct target *t, const struct error *why, struct mono now)
{
	struct error because = *why;
	bool is_final = why->code == ERR_DENIED || why->code == ERR_UNSUPPORTED;

	/* What was known a moment ago still holds when the server only fails to say it again. */
	if (t->wants_cloud || (!is_final && log_tail_via(t->log) != LOG_UNKNOWN))
		return;
	follow(t, log_tail_no_source(t->log, &because), &because, now);
}

bool
logs_due(struct target *t, enum probe_id probe, struct mono now)
{
	enum log_via via = log_tail_via(t->log);

	if (probe != PROBE_LOGS && probe != PROBE_LOG_SOURCE)
		return true;
	if (!t->wants_cloud && (probe == PROBE_LOG_SOURCE || via == LOG_SQL))
		return true;
	t->slots[probe].is_wanted = t->slots[probe].is_next = false;
	if (!t->wants_cloud && via == LOG_FILE)
		read_file(t, now);
	return false;
}

struct rowset *
logs_answer(struct target *t, const struct rowset *answer)
{
	struct rowset *rows = log_tail_answer(t->log, answer);

	if (!rows) {
		t->slots[PROBE_LOGS].is_flying = false;
		t->slots[PROBE_LOGS].is_wanted = true;
	}
	return rows;
}

void
logs_run(struct target *t, struct mono now, struct mono *wake)
{
	struct probe_slot *slot = &t->slots[PROBE_LOGS];
	struct error why;

	if (!slot->is_shown)
		return;
	/* A server that was never reached said nothing of its log; what the target names is there.
	 */
	if (log_tail_via(t->log) == LOG_UNKNOWN && log_tail_is_named(t->log) &&
	    feed_link_state(t->feed) == LINK_DOWN)
		follow(t, log_tail_no_source(t->log, &why), &why, now);
	if (log_tail_via(t->log) != LOG_FILE)
		return;
	if (schedule_is_due(PROBE_LOGS, slot, now) && now.us >= slot->due.us)
		read_file(t, now);
	wake_at(wake, slot->due);
}
