/*
 * Where snapshots come from: the collector (live) or a recording (replay). The console knows only
 * this. UI thread.
 */
#ifndef PGMEDIC_APP_SOURCE_H
#define PGMEDIC_APP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/collector.h"

struct source_ops {
	const char *name; /* "live", "replay" */
	int (*count)(void *self);
	/* The newest snapshot of target i, with a reference; never NULL. */
	const struct snapshot *(*snapshot)(void *self, int i);
	/* As collector_show, _refresh_ms, _now, _reconnect. A replay may ignore them. */
	bool (*show)(void *self, int target, const enum probe_id *probes, int n);
	bool (*refresh_ms)(void *self, int target, int ms);
	bool (*now)(void *self, int target);
	bool (*reconnect)(void *self, int target, const char *password);
	/* As collector_outcome. NULL: this source has no server to ask. */
	bool (*outcome)(void *self, struct run_outcome *outcome);
	/* Milliseconds until the source wants tick() to be called, -1 never; NULL with a thread of
	 * its own. */
	int (*due_ms)(void *self);
	void (*tick)(void *self);
	/* Scripts (`:wait sample N`): make the next sample appear now; false when there is none.
	 * NULL: it comes by itself. */
	bool (*step)(void *self, int n);
	/* "REPLAY 07:31:02Z 2x": for the title line; NULL or "" shows nothing. */
	const char *(*label)(void *self);
	/*
	 * Moving in time; all NULL where the source cannot. where: a moment, or what moments[]
	 * names in source_time.h. is_past: the snapshots are not of now, so nothing may be done to
	 * what they show.
	 */
	bool (*seek)(void *self, const char *where, struct error *err);
	bool (*move)(void *self, int refreshes, struct error *err);
	bool (*speed)(void *self, double factor, struct error *err);
	bool (*pause)(
	    void *self, bool paused); /* false: it cannot, the console holds its snapshot instead */
	bool (*is_past)(void *self);
	/* Write what is kept of the past as a new recording. */
	bool (*save)(void *self, const char *path, struct error *err);
};

struct source {
	const struct source_ops *ops;
	void *self;
};

/* The collector as a source. The caller keeps the collector. */
struct source source_live(struct collector *c);

#endif
