/*
 * Counters of named things (tables, indexes, databases) in two samples of one probe, for values,
 * deltas and rates.
 *
 * The queries send zero as NULL and -1 for what the server does not count. A thing that was not in
 * the sample before came into being since, so all that it counted belongs to the interval. A
 * counter that went down was reset: no rate, and `was_reset` is set. Pure; one thread at a time.
 */
#ifndef PGMEDIC_PANES_COUNTERS_H
#define PGMEDIC_PANES_COUNTERS_H

#include <stdbool.h>

#include "base/grid.h"
#include "model/snapshot.h"

/* Least LIMIT of the queries: a sample with so many rows may be cut. */
enum { COUNTERS_CUT = 50000 };

struct counters {
	const struct rowset *cur, *prev; /* borrowed; prev NULL: no interval */
	double seconds;                  /* 0 without an interval */
	int *prev_row;
	struct wall now; /* server clock of the current sample */
	bool was_reset;
};

/* False when the probe has no good answer. key: name of the column that identifies a row. */
bool counters_init(struct counters *k, struct arena *arena, const struct snapshot *snap,
    enum probe_id probe, const char *key);
/* The counter as it stands: 0 for NULL, unsupported for -1 and where the column is missing (col
 * -1). */
struct cell counters_value(const struct counters *k, int row, int col);
/* What it gained in the interval; false without one, after a reset, or where it is not counted. */
bool counters_delta(struct counters *k, int row, int col, double *delta);
/* The same per second, as a cell. */
struct cell counters_rate(struct counters *k, int row, int col);
/* The sum of several counters per second; NULL when one of them has none. */
struct cell counters_rate_sum(struct counters *k, int row, const int *cols, int n);
/* The time in a column: NULL when never, unsupported for 1970. */
struct cell counters_time(const struct counters *k, int row, int col);
/* Seconds from the latest of n such times to the sample; NULL when never. */
struct cell counters_age(const struct counters *k, int row, const int *cols, int n);
/* 100 * part / whole; NULL when whole is 0 or either is unknown. */
struct cell counters_pct(const struct cell *part, const struct cell *whole);
/* The facts and notes that every pane of counters owes: interval_s; no rates yet; counters were
 * reset. */
void counters_notes(const struct counters *k, struct grid *grid, const char *what);

#endif
