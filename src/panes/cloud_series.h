/* CloudWatch's metrics of a snapshot: their units, and their points over time. Pure. */
#ifndef PGMEDIC_PANES_CLOUD_SERIES_H
#define PGMEDIC_PANES_CLOUD_SERIES_H

#include "base/grid.h"
#include "model/snapshot.h"
#include "panes/chart.h"

struct cloud_unit {
	enum column_kind kind; /* how the value is written */
	const char *unit;      /* in JSON: "pct", "bytes", "s" … */
	const char *per;       /* behind the value on the screen: "/s" or "" */
	double factor;         /* to base units */
};
struct cloud_unit cloud_unit_of(const char *metric);
/* By its own name, as "bytes_per_s"; one that is not known counts. */
struct cloud_unit cloud_unit_named(const char *unit);

struct cloud_series {
	struct chart_point *points; /* in base units, by time; a point that is none in each gap */
	int n;
	double last, min, max, sum;
	int known; /* points that are values */
	int64_t last_us;
	int step_s; /* usual distance of points */
};

/* The metric's points since a moment (seconds), in the arena. n 0: there are none. */
void cloud_series_read(struct cloud_series *out, struct arena *arena, const struct snapshot *snap,
    const char *metric, double since);
/* Names of all metrics that have points, in the order of CloudWatch's answer; in the arena. */
const char *const *cloud_metric_names(struct arena *arena, const struct snapshot *snap, int *n);
/* The end of the time axis (seconds): that of the last answer. 0: none. */
double cloud_now(const struct snapshot *snap);
/* The points as `width` characters, a dot where there are none. In the arena. */
const char *cloud_spark(
    struct arena *arena, const struct cloud_series *s, double from, double to, int width);
/* The value as text, with its unit; "-" for none. In the arena. */
const char *cloud_value(struct arena *arena, const struct cloud_unit *unit, double value);

#endif
