/* Live and past behind one face: while somebody looks back, the collector goes on collecting and
 * recording. */
#include "config.h"

#include "app/source_time.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct time_source {
	struct collector *live; /* NULL: only a recording */
	struct recorder *past;
	struct replay *replay; /* NULL while live */
	struct error failed;   /* what stopped the replay */
	char label[120];
};

/* ---- reading a place in time */

static bool
read_clock(const char *where, struct wall at, struct wall *t)
{
	int h, m, s = 0, n = 0;
	const int64_t day = 86400 * 1000000LL;

	if (sscanf(where, "%2d:%2d%n", &h, &m, &n) != 2 ||
	    (where[n] && sscanf(where + n, ":%2d%n", &s, &n) != 1))
		return false;
	if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59)
		return false;
	t->us = at.us - at.us % day + ((h * 60 + m) * 60 + s) * 1000000LL;
	return true;
}

/* "-5m", "+30s", "+1.5h"; without a unit seconds. */
static bool
read_offset(const char *where, int64_t *us)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 } };
	char *end;
	double v = strtod(where, &end);

	if ((*where != '-' && *where != '+') || end == where || v < -1e7 || v > 1e7)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strcmp(end, units[i].unit) == 0) {
			*us = (int64_t)(v * units[i].seconds * 1e6);
			return true;
		}
	}
	return false;
}

bool
time_read(const char *where, struct wall first, struct wall last, struct wall at, struct wall *t,
    struct error *err)
{
	int64_t offset;

	if (strcmp(where, "start") == 0) {
		*t = first;
		return true;
	}
	if (strcmp(where, "end") == 0) {
		*t = last;
		return true;
	}
	if (read_offset(where, &offset)) {
		t->us = at.us + offset;
		return true;
	}
	if (isdigit((unsigned char)*where) && strlen(where) <= 8 && strchr(where, ':') &&
	    read_clock(where, at, t))
		return true;
	if (strlen(where) > 8 && wall_parse(where, t))
		return true;
	error_set(err, ERR_USAGE, "\"%s\" is no place in time", where);
	return error_hint(err, "Write -5m, +30s, 07:31, 2026-11-21T07:31:00Z, start, end or live.");
}

/* ---- making */

struct time_source *
time_source_replay(struct replay *replay)
{
	struct time_source *t = xcalloc(1, sizeof(*t));
	t->replay = replay;
	replay_pause(replay, false);
	return t;
}

struct time_source *
time_source_live(struct collector *c, struct recorder *past)
{
	struct time_source *t = xcalloc(1, sizeof(*t));
	t->live = c;
	t->past = past;
	return t;
}

void
time_source_free(struct time_source *t)
{
	if (!t)
		return;
	replay_free(t->replay);
	free(t);
}

/* ---- what the console asks */

static int
time_count(void *self)
{
	struct time_source *t = self;
	return t->live ? collector_count(t->live) : replay_targets(t->replay);
}

static const struct snapshot *
time_snapshot(void *self, int i)
{
	struct time_source *t = self;

	if (t->replay && i < replay_targets(t->replay))
		return replay_snapshot(t->replay, i);
	return collector_snapshot(t->live, i);
}

static bool
time_show(void *self, int target, const enum probe_id *probes, int n)
{
	struct time_source *t = self;
	return !t->live || collector_show(t->live, target, probes, n);
}

static bool
time_refresh_ms(void *self, int target, int ms)
{
	struct time_source *t = self;
	return !t->live || collector_refresh_ms(t->live, target, ms);
}

static bool
time_now(void *self, int target)
{
	struct time_source *t = self;
	return !t->live || collector_now(t->live, target);
}

static bool
time_reconnect(void *self, int target, const char *password)
{
	struct time_source *t = self;
	return !t->live || collector_reconnect(t->live, target, password);
}

static bool
time_outcome(void *self, struct run_outcome *outcome)
{
	struct time_source *t = self;
	return t->live && collector_outcome(t->live, outcome);
}

static int
time_due_ms(void *self)
{
	struct time_source *t = self;
	return t->replay ? replay_due_ms(t->replay, mono_now()) : -1;
}

static void
time_tick(void *self)
{
	struct time_source *t = self;

	if (t->replay && replay_tick(t->replay, mono_now(), &t->failed) &&
	    t->failed.code == ERR_OK && t->live && replay_at_end(t->replay))
		replay_pause(t->replay, true);
}

static bool
time_step(void *self, int n)
{
	struct time_source *t = self;
	struct error err;

	return t->replay && replay_step(t->replay, n, &err);
}

static const char *
time_label(void *self)
{
	struct time_source *t = self;
	struct wall first, last, at;
	char when[32];

	if (!t->replay)
		return "";
	replay_span(t->replay, &first, &last, &at);
	wall_rfc3339((struct wall){ at.us - at.us % 1000000 }, when, sizeof(when));
	if (t->failed.code != ERR_OK)
		snprintf(t->label, sizeof(t->label), "REPLAY %s: %.60s", when, t->failed.what);
	else
		snprintf(t->label, sizeof(t->label), "%s %s%s%s", t->live ? "PAST" : "REPLAY", when,
		    replay_damaged(t->replay) ? " damaged" : "",
		    replay_at_end(t->replay)        ? " end" :
		        replay_is_paused(t->replay) ? " paused" :
		                                      "");
	return t->label;
}

/* Back in time: from now on the replay of what is in memory is shown. */
static bool
enter_past(struct time_source *t, struct error *err)
{
	struct recfile *copy;
	struct wall first, last, at;

	if (t->replay)
		return true;
	copy = t->past ? recorder_copy(t->past, err) : NULL;
	if (!copy) {
		if (!t->past) {
			error_set(err, ERR_STATE, "the past is not kept");
			error_hint(err, "Set rewind = 16MB (or more) in the [console] section.");
		}
		return false;
	}
	t->replay = replay_new(copy, err);
	if (!t->replay)
		return false;
	replay_span(t->replay, &first, &last, &at);
	return replay_seek(t->replay, last, err);
}

static bool
time_seek(void *self, const char *where, struct error *err)
{
	struct time_source *t = self;
	struct wall first, last, at, goal;

	if (strcmp(where, "live") == 0) {
		if (!t->live)
			return error_set(
			    err, ERR_STATE, "this is a recording: there is no present to go to");
		replay_free(t->replay);
		t->replay = NULL;
		return true;
	}
	if (!enter_past(t, err))
		return false;
	replay_span(t->replay, &first, &last, &at);
	if (!time_read(where, first, last, at, &goal, err))
		return false;
	if (goal.us > last.us && t->live)
		return time_seek(t, "live", err);
	t->failed.code = ERR_OK;
	if (t->live)
		replay_pause(t->replay, true);
	return replay_seek(t->replay, goal, err);
}

static bool
time_move(void *self, int n, struct error *err)
{
	struct time_source *t = self;

	if (!t->replay && n > 0)
		return error_set(err, ERR_STATE, "this is the present");
	if (!enter_past(t, err))
		return false;
	replay_pause(t->replay, true);
	if (replay_step(t->replay, n, err))
		return true;
	if (n > 0 && t->live)
		return time_seek(t, "live", err);
	return false;
}

static bool
time_speed(void *self, double factor, struct error *err)
{
	struct time_source *t = self;

	if (!t->replay)
		return error_set(err, ERR_STATE, "the present goes at its own speed");
	replay_set_speed(t->replay, factor);
	return true;
}

static bool
time_pause(void *self, bool paused)
{
	struct time_source *t = self;

	if (!t->replay)
		return false;
	replay_pause(t->replay, paused);
	return true;
}

static bool
time_is_past(void *self)
{
	struct time_source *t = self;
	return t->replay != NULL;
}

static bool
time_save(void *self, const char *path, struct error *err)
{
	struct time_source *t = self;
	struct recfile *copy;
	bool ok;

	if (!t->past) {
		error_set(err, ERR_STATE, "nothing of the past is kept in memory");
		return error_hint(
		    err, "Set rewind in the [console] section, or use pgmedic record FILE.");
	}
	copy = recorder_copy(t->past, err);
	if (!copy)
		return false;
	ok = recfile_save(copy, path, err);
	recfile_close(copy);
	return ok;
}

static const struct source_ops ops = {
	.name = "time",
	.count = time_count,
	.snapshot = time_snapshot,
	.show = time_show,
	.refresh_ms = time_refresh_ms,
	.now = time_now,
	.reconnect = time_reconnect,
	.outcome = time_outcome,
	.due_ms = time_due_ms,
	.tick = time_tick,
	.step = time_step,
	.label = time_label,
	.seek = time_seek,
	.move = time_move,
	.speed = time_speed,
	.pause = time_pause,
	.is_past = time_is_past,
	.save = time_save,
};

struct source
time_source_ops(struct time_source *t)
{
	return (struct source){ .ops = &ops, .self = t };
}
