/*
 * Database load from the sampled past: average active sessions (AAS) by what they wait for, who
 * they are and what they run.
 *
 * A tick of the series says who was busy at one moment, and stands for the seconds since the tick
 * before it. The AAS of a group is the sum of its sessions, each for its seconds, over the seconds
 * of the window; a session that is busy all the time counts 1. A sample a second sees an event of
 * 100 ms with a probability of a tenth, and its share is right on average: the error of a share p
 * over n samples is about sqrt(p(1-p)/n).
 *
 * After an outage a tick would stand for minutes of which nothing is known, so it counts for at
 * most WAITS_MAX_SECONDS. Pure.
 */
#ifndef PGMEDIC_MODEL_WAITS_H
#define PGMEDIC_MODEL_WAITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "model/series.h"

enum { WAITS_MAX_SECONDS = 10 };

/* What load is grouped or restricted by. */
enum waits_by {
	WAITS_EVENT,
	WAITS_STATEMENT,
	WAITS_USER,
	WAITS_APPLICATION,
	WAITS_CLIENT,
	WAITS_DATABASE,
	WAITS_CLASS,
	WAITS_BY_COUNT
};
extern const char *const waits_by_names[WAITS_BY_COUNT]; /* "event", "statement", … */

/* Only load that is this: a text of the dimension ("IO" of WAITS_CLASS), or a query id. */
struct waits_only {
	bool is_set;
	enum waits_by by;
	const char *text;
	int64_t query_id;
};

struct waits_group {
	enum wait_class class; /* of WAITS_EVENT; else the class it spends most in */
	const char *event;     /* of WAITS_EVENT; else the event it spends most in; "" none */
	const char *name;      /* user, application, …; "" unknown */
	int64_t query_id;
	double aas;
	double by_class[WAIT_CLASS_COUNT]; /* AAS */
};

struct waits {
	struct waits_group *groups; /* most load first */
	int n;
	double aas; /* of all groups */
	double by_class[WAIT_CLASS_COUNT];
	double seconds; /* looked at */
	int ticks;
};

/*
 * waits_build - groups of the last window_s seconds
 *
 * series    not empty, or the result is
 * window_s  from the newest tick back
 * only      restriction, or NULL
 *
 * In the arena, with texts of the series.
 */
void waits_build(struct waits *w, struct arena *arena, const struct series *series,
    enum waits_by by, double window_s, const struct waits_only *only);

/*
 * waits_chart - AAS by class over time
 *
 * out  ncols * WAIT_CLASS_COUNT values, column by column, oldest first; NAN where nothing was
 *      sampled. A column is a fixed slice of the server's time, so a chart moves once per slice.
 *
 * Returns the seconds of a column.
 */
int waits_chart(const struct series *series, double window_s, const struct waits_only *only,
    int ncols, float *out);

#endif
