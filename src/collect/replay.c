/*
 * Playing: position = index of the next block. Seeking back starts again from a block that holds
 * everything, far enough before the goal that the history on the screen (15 minutes) is there too.
 */
#include "config.h"

#include "collect/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collect/feed.h"
#include "collect/recevent.h"
#include "collect/recorder.h"

enum { MAX_TARGETS = 1000, FEED_AT_ONCE = 5000 };
static const int64_t history_us = 900 * 1000000LL;

struct rep_target {
	char name[64];
	struct feed *feed;
	const struct snapshot *snap;
};

struct replay {
	struct recfile *file;
	struct strbuf raw;
	struct rep_target targets[MAX_TARGETS];
	int ntargets;
	int next; /* block to read next */
	struct wall at;
	bool is_paused;
	double speed;
	struct mono base_mono; /* at this moment of ours … */
	struct wall base_wall; /* … the position was this */
};

static struct rep_target *
target_of(struct replay *r, int number)
{
	if (number < 0 || number >= MAX_TARGETS)
		return NULL;
	while (r->ntargets <= number) {
		struct rep_target *t = &r->targets[r->ntargets++];
		t->feed = feed_new(t->name[0] ? t->name : "recording");
	}
	return &r->targets[number];
}

/* Forget what was played; the names of targets stay. */
static void
start_over(struct replay *r)
{
	for (int i = 0; i < r->ntargets; i++) {
		struct rep_target *t = &r->targets[i];
		feed_free(t->feed);
		t->feed = feed_new(t->name[0] ? t->name : "recording");
	}
}

static void
publish(struct rep_target *t, struct mono now)
{
	struct snapshot *s;

	feed_replaying(t->feed, now);
	s = feed_seal(t->feed);
	snapshot_unref(t->snap);
	t->snap = s;
}

static void
take_event(struct replay *r, struct rec_event *ev, bool is_state)
{
	struct rep_target *t = target_of(r, ev->target);

	if (!t) {
		sample_unref(ev->sample);
		return;
	}
	feed_replaying(t->feed, ev->mono);
	switch (ev->kind) {
	case REC_TARGET:
		if (strcmp(t->name, ev->name) != 0) {
			memcpy(t->name, ev->name, sizeof(t->name));
			feed_free(t->feed);
			t->feed = feed_new(t->name);
		}
		break;
	case REC_SERVER:
		feed_server(t->feed, &ev->server);
		break;
	case REC_LINK:
		/* Down since the first failure, with the newest reason, as in target.c. */
		feed_link(t->feed, ev->link == LINK_UP ? LINK_REPLAY : ev->link, ev->what, ev->hint,
		    ev->link == LINK_DOWN && feed_link_state(t->feed) == LINK_DOWN ?
		        (struct mono){ 0 } :
		        ev->mono,
		    (struct mono){ 0 });
		break;
	case REC_SAMPLE:
		feed_apply(t->feed, ev->sample);
		break;
	case REC_SEAL:
		feed_cost(t->feed, &ev->cost);
		if (!is_state)
			publish(t, ev->mono);
		break;
	}
}

/* Read a block into the feeds. */
static bool
play_block(struct replay *r, int i, bool is_state, struct error *err)
{
	struct rec_reader in;
	struct rec_event ev;
	int got;

	if (!recfile_read(r->file, i, &r->raw, err))
		return false;
	in = (struct rec_reader){ (const unsigned char *)r->raw.buf,
		(const unsigned char *)r->raw.buf + r->raw.len };
	while ((got = rec_get(&in, &ev, err)) == 1)
		take_event(r, &ev, is_state);
	return got == 0;
}

/* Play block `next` and go on. Blocks that only repeat what is known are passed over, but where a
 * run begins. */
static bool
play_next(struct replay *r, struct error *err)
{
	const struct recblock *b = recfile_block(r->file, r->next);
	bool ok = true;

	if (b->flags & RECFILE_START)
		start_over(r);
	if (!(b->flags & RECFILE_KEY) || b->flags & RECFILE_START)
		ok = play_block(r, r->next, (b->flags & RECFILE_KEY) != 0, err);
	r->at = b->at;
	r->next++;
	return ok;
}

static bool
is_refresh(const struct replay *r, int i)
{
	return !(recfile_block(r->file, i)->flags & RECFILE_KEY);
}

/* Last refresh at or before t; the first one when there is none. */
static int
block_before(const struct replay *r, struct wall t)
{
	int found = -1;

	for (int i = 0; i < recfile_count(r->file); i++) {
		if (!is_refresh(r, i))
			continue;
		if (found >= 0 && recfile_block(r->file, i)->at.us > t.us)
			break;
		found = i;
	}
	return found;
}

/* Where to start so that block `goal` has its history: a block with everything, or the beginning.
 */
static int
start_for(const struct replay *r, int goal)
{
	int64_t from = recfile_block(r->file, goal)->at.us - history_us;
	int start = 0;

	for (int i = 0; i < goal; i++)
		if (recfile_block(r->file, i)->flags & RECFILE_KEY &&
		    (i == 0 || recfile_block(r->file, i)->at.us <= from))
			start = i;
	return start;
}

static void
rebase(struct replay *r)
{
	r->base_mono = mono_now();
	r->base_wall = r->at;
}

/* Stand on block `goal`. */
static bool
go_to(struct replay *r, int goal, struct error *err)
{
	if (goal < r->next - 1 || r->next == 0 || goal - r->next > FEED_AT_ONCE) {
		int start = start_for(r, goal);
		start_over(r);
		if (!is_refresh(r, start) && !play_block(r, start, true, err))
			return false;
		r->next = is_refresh(r, start) ? start : start + 1;
	}
	while (r->next <= goal)
		if (!play_next(r, err))
			return false;
	rebase(r);
	return true;
}

struct replay *
replay_new(struct recfile *file, struct error *err)
{
	struct replay *r = xcalloc(1, sizeof(*r));
	int first;

	r->file = file;
	r->speed = 1;
	r->is_paused = true;
	strbuf_init(&r->raw, RECFILE_MAX_RAW);
	first = block_before(r, (struct wall){ INT64_MIN });
	if (first < 0) {
		error_set(err, ERR_FORMAT, "the recording holds no complete refresh");
		replay_free(r);
		return NULL;
	}
	if (!go_to(r, first, err)) {
		replay_free(r);
		return NULL;
	}
	for (int i = 0; i < r->ntargets; i++)
		if (!r->targets[i].snap)
			publish(&r->targets[i], mono_now());
	return r;
}

void
replay_free(struct replay *r)
{
	if (!r)
		return;
	for (int i = 0; i < r->ntargets; i++) {
		feed_free(r->targets[i].feed);
		snapshot_unref(r->targets[i].snap);
	}
	strbuf_release(&r->raw);
	recfile_close(r->file);
	free(r);
}

int
replay_targets(const struct replay *r)
{
	return r->ntargets;
}

const char *
replay_target_name(const struct replay *r, int i)
{
	return r->targets[i].name;
}

const struct snapshot *
replay_snapshot(struct replay *r, int i)
{
	return snapshot_ref(r->targets[i].snap);
}

void
replay_span(const struct replay *r, struct wall *first, struct wall *last, struct wall *at)
{
	*first = recfile_block(r->file, 0)->at;
	*last = recfile_block(r->file, recfile_count(r->file) - 1)->at;
	*at = r->at;
}

bool
replay_is_paused(const struct replay *r)
{
	return r->is_paused;
}

bool
replay_at_end(const struct replay *r)
{
	return r->next >= recfile_count(r->file);
}

double
replay_speed(const struct replay *r)
{
	return r->speed;
}

void
replay_pause(struct replay *r, bool paused)
{
	r->is_paused = paused;
	rebase(r);
}

void
replay_set_speed(struct replay *r, double speed)
{
	r->speed = speed < 0.1 ? 0.1 : speed > 1000 ? 1000 : speed;
	rebase(r);
}

bool
replay_step(struct replay *r, int n, struct error *err)
{
	int goal = r->next - 1;

	while (n > 0 && goal + 1 < recfile_count(r->file))
		n -= is_refresh(r, ++goal);
	while (n < 0 && goal > 0)
		n += is_refresh(r, --goal);
	while (goal > 0 && !is_refresh(r, goal))
		goal--;
	if (!is_refresh(r, goal))
		goal = block_before(r, (struct wall){ INT64_MIN });
	if (!go_to(r, goal, err))
		return false;
	return n == 0 ||
	    error_set(err, ERR_STATE, "the recording %s here", n > 0 ? "ends" : "begins");
}

bool
replay_seek(struct replay *r, struct wall t, struct error *err)
{
	return go_to(r, block_before(r, t), err);
}

/* When block `next` is due, by the clock of the recording. */
static int64_t
due_us(const struct replay *r, struct mono now)
{
	double behind =
	    (double)(recfile_block(r->file, r->next)->at.us - r->base_wall.us) / r->speed;
	/* a gap between two runs of the recorder is not waited for */
	if (behind > 10e6)
		behind = 1e6;
	return r->base_mono.us + (int64_t)behind - now.us;
}

int
replay_due_ms(const struct replay *r, struct mono now)
{
	int64_t us;

	if (r->is_paused || replay_at_end(r))
		return -1;
	us = due_us(r, now);
	return us <= 0 ? 0 : (int)((us + 999) / 1000);
}

bool
replay_tick(struct replay *r, struct mono now, struct error *err)
{
	bool changed = false;
	struct mono start = mono_now();

	error_set(err, ERR_OK, "%s", "");
	while (!r->is_paused && !replay_at_end(r) && due_us(r, now) <= 0) {
		int64_t gap = recfile_block(r->file, r->next)->at.us - r->at.us;
		if (!play_next(r, err)) {
			r->is_paused = true;
			return true;
		}
		changed = true;
		if (gap > 10000000)
			rebase(r);
		/* never longer than a frame: keys must answer at 1000x too */
		if (mono_now().us - start.us > 20000)
			break;
	}
	if (replay_at_end(r) && !r->is_paused) {
		r->is_paused = true;
		changed = true;
	}
	return changed;
}

int64_t
replay_damaged(const struct replay *r)
{
	return recfile_damaged(r->file) + recfile_torn(r->file);
}
