/*
 * Load from before the sampling began, as Performance Insights tells it: the same classes and
 * events, put before what was sampled. It knows the load by what is waited for, so it joins where
 * that is what load is grouped and restricted by. Pure.
 */
#ifndef PGMEDIC_MODEL_WAITS_PAST_H
#define PGMEDIC_MODEL_WAITS_PAST_H

#include "model/snapshot.h"
#include "model/waits.h"

struct waits_past_row {
	double at, seconds; /* seconds since 1970; how long it lasted */
	enum wait_class class;
	const char *event; /* "" on CPU, and of a slice without load */
	double aas;
};

struct waits_past {
	const struct waits_past_row
	    *rows; /* by time, within the window and before the first tick */
	int n;
	double seconds; /* of the window that they tell of */
	double newest;  /* end of the window */
	double until;   /* where sampling begins; newest: there is none */
};

/* In the arena. n 0: it knows nothing, or may not join. */
void waits_past_read(struct waits_past *past, struct arena *arena, const struct snapshot *snap,
    enum waits_by by, double window_s, const struct waits_only *only);
/* Into the groups of the same window. */
void waits_past_join(struct waits *w, struct arena *arena, const struct waits_past *past);
/* Into the columns of waits_chart() that were not sampled, each `width` seconds. Returns how many
 * columns there are before the sampled ones; 0: nothing joined. */
int waits_past_chart(const struct waits_past *past, int width, int ncols, float *out);

#endif
