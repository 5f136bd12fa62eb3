/*
 * A recording played again: the same feed, fed from blocks. It has a position in time, plays at any
 * speed, pauses, steps by refreshes and seeks. No thread of its own: replay_tick() moves it. One
 * thread at a time.
 */
#ifndef PGMEDIC_COLLECT_REPLAY_H
#define PGMEDIC_COLLECT_REPLAY_H

#include "base/clock.h"
#include "base/error.h"
#include "collect/recfile.h"
#include "model/snapshot.h"

struct replay;

/* Takes the file; stands on its first refresh, paused. */
struct replay *replay_new(struct recfile *take, struct error *err) MUST_CHECK;
void replay_free(struct replay *r);

int replay_targets(const struct replay *r);
const char *replay_target_name(const struct replay *r, int i);
/* With a reference; never NULL. */
const struct snapshot *replay_snapshot(struct replay *r, int i);

/* First and last moment of the recording, and where it stands (the recording machine's clock). */
void replay_span(const struct replay *r, struct wall *first, struct wall *last, struct wall *at);
bool replay_is_paused(const struct replay *r);
bool replay_at_end(const struct replay *r);
double replay_speed(const struct replay *r);
void replay_pause(struct replay *r, bool paused);
/* 0.1 to 1000 times real time. */
void replay_set_speed(struct replay *r, double speed);

/* Forward or back by n refreshes; false when an end is reached before. */
bool replay_step(struct replay *r, int n, struct error *err);
/* To the last refresh at or before t (the first one when t is before it). */
bool replay_seek(struct replay *r, struct wall t, struct error *err);

/* Milliseconds until the next refresh is due, -1 while paused or at the end. */
int replay_due_ms(const struct replay *r, struct mono now);
/* Play what is due; true when something changed. *err is set, and it pauses, when a block cannot be
 * read. */
bool replay_tick(struct replay *r, struct mono now, struct error *err);

/* Bytes of the file that could not be read. */
int64_t replay_damaged(const struct replay *r);

#endif
