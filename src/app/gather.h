/*
 * Ticks gathered into minutes, and answers into sizes and statement deltas: what the historian
 * writes down of a target. Pure but for the arena; one thread at a time.
 */
#ifndef PGMEDIC_APP_GATHER_H
#define PGMEDIC_APP_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hmap.h"
#include "model/snapshot.h"
#include "store/history.h"

struct gathered_figure {
	double min, sum, max;
	int n;
};
/* A minute of a target, or a part of it that is not written yet. */
struct gathered {
	int64_t minute; /* seconds since 1970, server clock */
	struct gathered_figure figures[METRIC_COUNT];
	int64_t wal_lsn;
};

enum { GATHER_MINUTES = 180 }; /* kept while the history cannot be written */

struct gather {
	struct gathered *rows; /* by minute, oldest first */
	int n, cap;
	int64_t dropped;        /* minutes that were never written */
	struct mono newest;     /* tick gathered last */
	struct mono measured;   /* answer whose sizes were taken last */
	struct hmap statements; /* key → index of counters */
	struct gathered_counters *counters;
	int ncounters, cap_counters;
	struct mono statements_at;
	int64_t statements_life; /* start of the server they belong to */
};

void gather_release(struct gather *g);

/*
 * Takes the ticks of a snapshot that were not gathered yet, and its WAL position. shift_us: added
 * to the server's clock, 0 unless that is far off.
 */
void gather_ticks(struct gather *g, const struct snapshot *snap, int64_t shift_us);
/* The values of a gathered minute; out holds METRIC_COUNT. Returns how many. */
int gather_values(const struct gathered *row, struct history_value *out);
/* The oldest n rows are written: forget them. */
void gather_forget(struct gather *g, int n);

/* Sizes as storage_objects() names them, when they were measured anew, every few minutes at most.
 * In the arena; returns how many. */
int gather_sizes(
    struct gather *g, const struct snapshot *snap, struct arena *arena, struct history_size **out);

/*
 * What the top statements did since the last call, most time first, at most `max`. Nothing the
 * first time and without pg_stat_statements. A statement whose counters went down was evicted or
 * reset and has done what they say now.
 */
int gather_statements(
    struct gather *g, const struct snapshot *snap, struct history_statement *out, int max);

#endif
