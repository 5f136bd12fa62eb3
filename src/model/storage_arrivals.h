/*
 * The past of a table without a history of it: when the rows that are there came, from the
 * statistics of a date or time column or from the bounds of its partitions. Pure.
 */
#ifndef PGMEDIC_MODEL_STORAGE_ARRIVALS_H
#define PGMEDIC_MODEL_STORAGE_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/rowset.h"
#include "model/forecast.h"

/* One date or time column with its statistics, as PROBE_STORAGE_ARRIVALS has it. */
struct arrival_column {
	const char *name;
	bool is_date, is_readable, is_not_null, is_default_now;
	double null_share, correlation; /* correlation NAN: unknown */
	const int64_t *bounds;          /* of equally many rows each; us since 1970 */
	int nbounds;
	const int64_t *values; /* most common ones, */
	const int64_t *ppb;    /* and their share of all rows, in 1e-9 */
	int nvalues;
};

/* What else is known of its table; NAN: unknown. */
struct arrival_table {
	double rows, bytes;      /* at the last vacuum or analyze */
	double live;             /* now */
	double ins, upd, del;    /* since the statistics were reset */
	double changed;          /* since the last analyze */
	double key_min, key_max; /* of a serial primary key */
	int64_t analyzed_us;     /* 0: unknown */
	int64_t now_us;
};

struct arrival_point {
	int64_t at_us;
	double share; /* of the rows there are now that were there at this moment: 0 .. 1 */
};

struct arrivals {
	const char *column;           /* NULL: by partitions */
	struct arrival_point *points; /* by time; NULL when refused */
	int n;
	enum forecast_confidence confidence; /* NONE: refused, LOW: with a doubt, MEDIUM: none */
	char why[160];                       /* the reason for NONE and LOW */
	char hint[120];                      /* what mends it; "" */
};

/*
 * arrivals_of_column - the arrival curve of one column, or the reason why it is none.
 *
 * Bounds of the histogram cut the rows into equal parts, most common values are added as steps.
 * Refused: values ahead of now, columns that are no arrival by name and order, or that updates
 * change; deleted rows (the survivors tell nothing of growth); statistics older than a tenth of the
 * rows; placeholders. Measured: the worst error of the curve is 0.8 to 1.2 % of the rows (research
 * notes 2.2 (a), tests/db/storage_test.sh).
 */
void arrivals_of_column(const struct arrival_column *column, const struct arrival_table *table,
    struct arena *arena, struct arrivals *out);

/* How much speaks for a column being the time of arrival; the best of a table is taken. */
int arrivals_score(const struct arrival_column *column);

/* Share of the rows that were there at a moment. */
double arrivals_share(const struct arrivals *a, int64_t at_us);

/* A range partition by time. */
struct arrival_partition {
	int64_t from_us, to_us; /* INT64_MIN, INT64_MAX: open */
	double bytes;
};
/*
 * arrivals_of_partitions - the same from at least three partitions, each of which came evenly in
 * its time. Refused when the oldest one is as large as the others: then those before it may have
 * been dropped, and what stays is no growth.
 */
void arrivals_of_partitions(struct arrival_partition *partitions, int n, int64_t now_us,
    struct arena *arena, struct arrivals *out);

/* Reads "FOR VALUES FROM ('…') TO ('…')" of dates and times; false: another kind of bound. */
bool arrivals_bound(const char *text, size_t len, int64_t *from_us, int64_t *to_us);

#endif
