/* What the parts of the forecast share. Everything is in the arena of the request. */
#ifndef PGMEDIC_MODEL_FORECAST_PRIV_H
#define PGMEDIC_MODEL_FORECAST_PRIV_H

#include "model/forecast.h"

enum { FC_SCRATCH = 1024 };

/* Buckets of one length that end at the last point, oldest first. */
struct fc_series {
	int n;
	double bucket_s;
	int64_t last_us;
	const double *level; /* bytes at the end of each bucket */
	double *clean;       /* the same without steps that do not recur */
	int nfilled;         /* buckets without a point of their own */
	double *scratch;     /* of n + FC_SCRATCH elements, for medians */
};

/* Probability levels at which the fan is kept; 7 is the median. */
enum { FC_LEVELS = 15, FC_MEDIAN = 7 };
extern const double fc_levels[FC_LEVELS];

/* Growth after `days` days: its quantiles in bytes, rising. */
struct fc_knot {
	double days;
	double q[FC_LEVELS];
};

/* The fan over time: growth is read between the knots; the first knot is at 0. */
enum { FC_KNOTS = 9 };
struct fc_fan {
	int n;
	struct fc_knot knots[FC_KNOTS];
};

/* ---- forecast_prep.c */

/* Days between the first and the last point. */
double fc_span_days(const struct forecast_request *req);
/* Buckets of a day, or shorter ones when there are less than 14 days. */
void fc_prepare(const struct forecast_request *req, struct arena *arena, struct fc_series *s);
/* The middle of n values, which are reordered; NAN when n is 0. */
double fc_median(double *v, int n);
/* The value below which the share p of n sorted values lies, between neighbours. */
double fc_sorted_quantile(const double *v, int n, double p);
void fc_sort(double *v, int n);

/* ---- forecast_steps.c */

/* Finds steps, marks those that recur, and fills s->clean. */
void fc_find_steps(struct fc_series *s, struct arena *arena, struct forecast *out);

/* ---- forecast_trend.c */

/* The fan of a series whose steps have been found; up to max_days. */
void fc_make_fan(
    const struct fc_series *s, struct arena *arena, double max_days, struct fc_fan *fan);
/* Growth per day, steps left out. */
double fc_rate(const struct fc_series *s);

/* ---- forecast_fan.c */

/* Growth after `days` at probability level p (0 to 1). */
double fc_fan_at(const struct fc_fan *fan, double days, double p);
/* Fills the horizons, the band, when it is full, and autoscaling. */
void fc_answer(const struct forecast_request *req, const struct fc_fan *fan, double max_days,
    struct arena *arena, struct forecast *out);

/* ---- forecast_regime.c */

void fc_find_regime(const struct fc_series *s, struct arena *arena, struct forecast *out);

#endif
