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
	double rebuilt;      /* share of the time that was rebuilt rather than seen */
	double *scratch;     /* of n + FC_SCRATCH elements, for medians */
};

/* Probability levels at which the fan is kept; 7 is the median. */
enum { FC_LEVELS = 15, FC_MEDIAN = 7, FC_SIDE = 7 };
extern const double fc_levels[FC_LEVELS];

/* Growth after `days` days: its quantiles in bytes, rising. */
struct fc_knot {
	double days;
	double q[FC_LEVELS];
};

/* A cycle in the growth; period 0: none. */
struct fc_season {
	int period;     /* buckets */
	double *offset; /* by buckets since the last one, modulo period: above the straight line */
};

/* The fan over time: growth is read between the knots; the first knot is at 0. */
enum { FC_KNOTS = 9 };
struct fc_fan {
	int n;
	struct fc_knot knots[FC_KNOTS];
	struct fc_season season;
	double buckets_a_day;
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

/* ---- forecast_season.c */

/* The cycle of the growth of level (s->n values). */
void fc_find_season(
    const struct fc_series *s, const double *level, struct arena *arena, struct fc_season *season);
/* What the cycle adds so many buckets after the last one. */
double fc_season_at(const struct fc_season *season, double buckets);
/* level without the cycle; the last value stays. */
void fc_take_season_out(const struct fc_season *season, int n, const double *level, double *out);

/* ---- forecast_trend.c */

/* The first n buckets of a series. */
struct fc_past {
	const double *y;
	int n;
	double *scratch;
};

/* What a series shows of how far it strays from the middle, in bytes over the horizon. */
enum {
	FC_HIGH_CHANGE, /* the 90 % quantile of changes over the horizon, above the middle */
	FC_LOW_CHANGE,  /* the 10 % quantile, below it */
	FC_MOST_CHANGE, /* the greatest, above it */
	FC_LEAST_CHANGE,
	FC_MOVED,      /* the mean size of the growth of a bucket, times the horizon */
	FC_MOVED_ROOT, /* times the root of the horizon */
	FC_LARGEST,    /* growth of a bucket */
	FC_GROWTH,     /* the middle itself */
	FC_LEVEL,      /* the size, times a share that rises with the horizon */
	FC_MEASURES,
};
struct fc_measures {
	double m[FC_MEASURES];
};

/* Growth over h buckets at the median. */
double fc_middle(const struct fc_past *p, double h);
/* Growth over h buckets where the rate has clearly changed (forecast_bend.c). */
bool fc_bent_growth(const struct fc_past *p, double h, double *growth);
/* clean is without single steps; the rare ones count for the ends of the band. */
void fc_measure(const struct fc_past *clean, const struct fc_past *raw, double h, double middle,
    struct fc_measures *out);
/* The cycle of a series whose steps have been found, and the series without it. */
void fc_take_apart(const struct fc_series *s, struct arena *arena, struct fc_season *season,
    struct fc_past *clean, struct fc_past *raw);

/* The fan of a series whose steps have been found; up to max_days. */
void fc_make_fan(
    const struct fc_series *s, struct arena *arena, double max_days, struct fc_fan *fan);

/* ---- forecast_prior.c: shares of the measures, from the middle outwards */

extern const double fc_above[FC_SIDE][2][FC_MEASURES], fc_below[FC_SIDE][2][FC_MEASURES];

/* ---- forecast_fan.c */

/* Growth after `days` at probability level p (0 to 1). */
double fc_fan_at(const struct fc_fan *fan, double days, double p);
/* Growth per day at the median, over the next month where the fan reaches so far. */
double fc_fan_rate(const struct fc_fan *fan);
/* Fills the horizons, the band, when it is full, and autoscaling. */
void fc_answer(const struct forecast_request *req, const struct fc_fan *fan, double max_days,
    struct arena *arena, struct forecast *out);

/* ---- forecast_regime.c */

void fc_find_regime(const struct fc_series *s, struct arena *arena, struct forecast *out);

#endif
