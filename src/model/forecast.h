/*
 * The forecast of a size that grows: where it will be in 7 to 365 days, with bands, and when it
 * will be full. Method: research notes 2.4 (trailing robust slopes, slope-change errors, block
 * bootstrap), see forecast.c. Pure: the same input gives the same output, on any machine.
 */
#ifndef PGMEDIC_MODEL_FORECAST_H
#define PGMEDIC_MODEL_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/strbuf.h"

enum { FORECAST_HORIZONS = 5 };
extern const int forecast_days[FORECAST_HORIZONS]; /* 7 30 90 180 365 */

struct forecast_point {
	int64_t at_us; /* since 1970 UTC */
	double bytes;
};

/* RDS storage autoscaling (or any that grows by itself): simulated on each path. */
struct forecast_autoscale {
	double max_bytes;   /* MaxAllocatedStorage; 0: none */
	double free_share;  /* grows when free is less than this share: 0.10 */
	double cooldown_s;  /* 6 h */
	double least_bytes; /* adds at least: 10 GiB */
	double share;       /* or this share of what is allocated: 0.10 */
};

struct forecast_request {
	const struct forecast_point *points; /* by time; need not be regular */
	int n;
	double capacity_bytes;                      /* 0: unknown */
	const struct forecast_autoscale *autoscale; /* NULL: none */
	/* Rebuilt from statistics rather than seen: bands are widened, confidence is low. */
	int nrebuilt; /* the first nrebuilt points */
};

struct forecast_quantiles {
	int days;
	double p2_5, p10, p50, p90, p97_5; /* bytes; NAN where refused */
};

enum forecast_confidence { CONFIDENCE_NONE, CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };
extern const char *const forecast_confidence_names[]; /* "none", "low", … */

enum forecast_regime {
	REGIME_UNKNOWN,
	REGIME_FLAT,
	REGIME_STEADY,
	REGIME_CHANGED,
	REGIME_SHRINKING
};
extern const char
    *const forecast_regime_names[]; /* "unknown", "flat", "steady", "changed", "shrinking" */

struct forecast_step {
	int64_t at_us;
	double bytes;      /* signed */
	bool is_recurring; /* kept in the model */
	double every_days; /* of recurring ones */
};

struct forecast {
	struct forecast_point last;
	double rate_bytes_per_day; /* the trend, steps left out */
	double span_days;          /* of the history */
	struct forecast_quantiles horizons[FORECAST_HORIZONS];
	int nhorizons; /* those that the data can carry; the others are NAN */
	/* Daily band for the chart, from the day after the last point: */
	struct forecast_quantiles *band;
	int nband;
	bool has_full;
	double full_p10, full_p50, full_p90; /* days from the last point until full; INFINITY: not
	                                        within what can be said */
	double probability[3];               /* full within 7, 30, 90 days; NAN unknown */
	double cap_exhausted_p50;            /* autoscaling at its maximum and full; as full_p50 */
	int grow_events_p50;                 /* autoscaling events within 90 days */
	struct forecast_step *steps;
	int nsteps;
	enum forecast_regime regime;
	int64_t regime_since_us; /* REGIME_CHANGED */
	enum forecast_confidence confidence;
	char refused[200]; /* why no date (or nothing at all) is named; "" */
};

/* Everything in the arena. Never fails: what cannot be said is in `refused`. */
void forecast_make(const struct forecast_request *req, struct arena *arena, struct forecast *out);

/*
 * The forecast as a sentence without a full stop: "full in 41 to 63 days, most likely on
 * 2027-01-12: grows 8.1G a day". capacity_bytes as in the request.
 */
void forecast_say(const struct forecast *f, double capacity_bytes, struct strbuf *out);

/* The forecast as one JSON object, and parts of it; capacity as in the request. */
void forecast_json(struct strbuf *out, const struct forecast *f, double capacity, int npoints);
void forecast_json_horizons(struct strbuf *out, const struct forecast *f);
void forecast_json_full(struct strbuf *out, const struct forecast *f, double capacity);
void forecast_json_steps(struct strbuf *out, const struct forecast *f);

#endif
