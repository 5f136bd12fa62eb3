/*
 * The feed of one target: samples and link states in, snapshots out. The collector feeds it live, a
 * replay from a recording; what is derived (ticks, events) is derived here, so both show the same.
 * One thread at a time.
 */
#ifndef PGMEDIC_COLLECT_FEED_H
#define PGMEDIC_COLLECT_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "model/rules.h"
#include "model/snapshot.h"

struct feed;

/* A recorder: told of all that goes in, in order. Called in the feed's thread; NULL members are
 * skipped. */
struct feed_hook {
	void *arg;
	void (*sample)(void *arg, const struct sample *s);
	void (*server)(void *arg, const struct server_info *server);
	void (*link)(void *arg, enum link_state state, const char *what, const char *hint);
	void (*cost)(void *arg, const struct self_cost *cost);
	void (*seal)(void *arg, const struct snapshot *s);
};

struct feed *feed_new(const char *target);
void feed_free(struct feed *f);
/* NULL: none. The hook is copied. */
void feed_set_hook(struct feed *f, const struct feed_hook *hook);

/*
 * What is known of the server. A new system identifier or start time is an event, and no rate spans
 * it. Within a session PROBE_SERVER samples keep is_standby, timeline and start_us current.
 */
void feed_server(struct feed *f, const struct server_info *server);
const struct server_info *feed_server_info(const struct feed *f);
/* The server process of the warm session, 0 for none: not load, not a client. */
void feed_action_pid(struct feed *f, int pid);
/* since: when the state began, 0: it goes on; retry_at: of LINK_DOWN. Coming back and being lost
 * are events. */
void feed_link(struct feed *f, enum link_state state, const char *what, const char *hint,
    struct mono since, struct mono retry_at);
enum link_state feed_link_state(const struct feed *f);
/* One answer; takes the reference. */
void feed_apply(struct feed *f, struct sample *take);
void feed_cost(struct feed *f, const struct self_cost *cost);
/* Note an event of the feeder's own; code must be a constant. */
void feed_event(struct feed *f, const char *code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* What is fed now was recorded at this moment of the recorder's monotonic clock: ages and events
 * count from it. */
void feed_replaying(struct feed *f, struct mono now);

/* Last good answer of a probe, or NULL; borrowed. */
const struct sample *feed_good(const struct feed *f, enum probe_id probe);
/* Last answer, good or not. */
const struct sample *feed_last(const struct feed *f, enum probe_id probe);
/* The alert rules in force, and what they know. */
const struct rules *feed_rules(const struct feed *f);
/* Sessions that waited for a heavyweight lock in the last activity sample. */
int feed_waiting(const struct feed *f);
/* The server's clock at a moment of ours, from the last PROBE_SERVER answer; the local clock before
 * that. */
struct wall feed_server_clock(const struct feed *f, struct mono at);

/* Make a tick if activity came since the last one, and the snapshot of all there is; one reference
 * for the caller. */
struct snapshot *feed_seal(struct feed *f);

/* A new sample with one reference; takes rows, NULL for none. */
struct sample *sample_new(enum probe_id probe, enum sample_state state, struct rowset *rows);

#endif
