/*
 * The history: figures and sizes of each target over time, in the state folder's history.db
 * (SQLite, WAL mode), written by consoles and recorders at once. Minutes are kept for two weeks,
 * hours for a year, sizes by day for three years. What history_add() has accepted survives a kill 2
 * s later. A handle belongs to one thread; never the UI's.
 */
#ifndef PGMEDIC_STORE_HISTORY_H
#define PGMEDIC_STORE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/rowset.h"

struct history;

/* Opens, makes, migrates. ERR_STATE where it cannot; a damaged file is moved aside and said in *err
 * with a handle on a new one. */
struct history *history_open(struct error *err) MUST_CHECK;
void history_close(struct history *h); /* NULL is fine */

/* One minute of one target. Names as metric_infos[].name, or size components and relations, see
 * `object`. */
struct history_value {
	const char *metric; /* "tps", "connections", … */
	double min, avg, max;
	int n; /* ticks behind it */
};
struct history_size {
	const char *object; /* "total", "database:NAME", "table:DB.SCHEMA.NAME", "wal", "temp",
	                       "log", "capacity" … */
	double bytes;
};
struct history_row {
	const char *target;
	int64_t system_identifier; /* 0 unknown */
	struct wall at;
	const struct history_value *values;
	int nvalues;
	const struct history_size *sizes; /* when they were measured anew */
	int nsizes;
};
bool history_add(struct history *h, const struct history_row *row, struct error *err) MUST_CHECK;

/* Buckets of a metric between two moments, at most `buckets`: rowset time time, min float, avg
 * float, max float, n int; gaps are missing rows. */
struct rowset *history_metric(struct history *h, const char *target, const char *metric,
    struct wall from, struct wall to, int buckets, struct error *err) MUST_CHECK;
/* Sizes over time, oldest first: rowset time time, object text, bytes int. object NULL: all
 * objects; since 0: all. At most one row a day and object where the span is over 60 days, an hour
 * where it is over 2 days. */
struct rowset *history_sizes(struct history *h, const char *target, const char *object,
    struct wall since, struct error *err) MUST_CHECK;

/* time,VALUE… CSV with a header of metric or object names (or time,bytes: "total"); counts rows. */
bool history_import(struct history *h, const char *target, const char *path, int64_t *rows,
    int64_t *skipped, struct error *err) MUST_CHECK;
/* Thin and bound the file; cheap when nothing is due. */
bool history_thin(struct history *h, struct wall now, struct error *err) MUST_CHECK;

#endif
