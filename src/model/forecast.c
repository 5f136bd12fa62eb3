/*
 * The forecast of a size, put together: buckets (forecast_prep.c), steps (forecast_steps.c), the
 * fan of growth (forecast_trend.c), answers (forecast_fan.c) and the regime (forecast_regime.c).
 * What a history cannot carry is refused with the reason: fewer than 7 points, and horizons beyond
 * a multiple of the history.
 */
#include "config.h"

#include "model/forecast.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/forecast_priv.h"

const char *const forecast_confidence_names[] = { "none", "low", "medium", "high" };
const char *const forecast_regime_names[] = { "unknown", "flat", "steady", "changed", "shrinking" };

enum { MIN_POINTS = 7 };
static const double most_days = 365, days_per_day = 4;

/* Points whose values can be reckoned with, by time; the last of equal times. */
static int
usable_points(const struct forecast_request *req, struct forecast_point *to, int *nrebuilt)
{
	int n = 0;

	*nrebuilt = 0;
	for (int i = 0; i < req->n; i++) {
		const struct forecast_point *p = &req->points[i];

		if (!isfinite(p->bytes) || p->bytes < 0)
			continue;
		if (n && p->at_us < to[n - 1].at_us)
			continue;
		if (n && p->at_us == to[n - 1].at_us)
			n--;
		to[n++] = *p;
		if (i < req->nrebuilt)
			*nrebuilt = n;
	}
	return n;
}

static void
clear(struct forecast *out)
{
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < FORECAST_HORIZONS; i++)
		out->horizons[i] =
		    (struct forecast_quantiles){ forecast_days[i], NAN, NAN, NAN, NAN, NAN };
	out->rate_bytes_per_day = NAN;
	out->full_p10 = out->full_p50 = out->full_p90 = INFINITY;
	for (int i = 0; i < 3; i++)
		out->probability[i] = NAN;
	out->cap_exhausted_p50 = INFINITY;
}

/* Full already needs no trend. */
static void
answer_full_now(const struct forecast_request *req, struct forecast *out)
{
	out->has_full = req->capacity_bytes > 0;
	if (!out->has_full || out->last.bytes < req->capacity_bytes)
		return;
	out->full_p10 = out->full_p50 = out->full_p90 = 0;
	for (int i = 0; i < 3; i++)
		out->probability[i] = 1;
}

static enum forecast_confidence
judge(const struct forecast_request *req, const struct fc_series *s, const struct forecast *out)
{
	if (out->nhorizons == 0)
		return CONFIDENCE_NONE;
	if (out->span_days < 60 || req->nrebuilt * 2 > req->n || s->nfilled * 2 > s->n)
		return CONFIDENCE_LOW;
	if (out->span_days < 180 || out->regime == REGIME_CHANGED || req->nrebuilt)
		return CONFIDENCE_MEDIUM;
	return CONFIDENCE_HIGH;
}

/* "400 days", "36 hours", "10 minutes" */
static const char *
span_text(double days, char buf[static 32])
{
	if (days >= 2)
		snprintf(buf, 32, "%.0f days", days);
	else if (days * 24 >= 2)
		snprintf(buf, 32, "%.0f hours", days * 24);
	else
		snprintf(buf, 32, "%.0f minutes", days * 1440);
	return buf;
}

static void
say_refused(const struct forecast_request *req, double max_days, struct forecast *out)
{
	char span[32];

	span_text(out->span_days, span);
	if (out->nhorizons == 0)
		snprintf(out->refused, sizeof(out->refused),
		    "%s of history carry no forecast of a week: at least 42 hours are needed",
		    span);
	else if (req->capacity_bytes > 0 && !isfinite(out->full_p50))
		snprintf(out->refused, sizeof(out->refused),
		    "not expected to be full within %d days, and %s of history carry no later date",
		    (int)max_days, span);
	else if (out->nhorizons < FORECAST_HORIZONS)
		snprintf(out->refused, sizeof(out->refused),
		    "%s of history carry no forecast beyond %d days", span, (int)max_days);
}

void
forecast_make(const struct forecast_request *given, struct arena *arena, struct forecast *out)
{
	struct forecast_request req = *given;
	struct forecast_point *points =
	    arena_alloc(arena, sizeof(*points) * ((size_t)(given->n > 0 ? given->n : 0) + 1));
	struct fc_series s;
	struct fc_fan fan;
	double max_days;

	clear(out);
	req.points = points;
	req.n = usable_points(given, points, &req.nrebuilt);
	if (req.n)
		out->last = points[req.n - 1];
	out->span_days = fc_span_days(&req);
	answer_full_now(&req, out);
	if (req.n < 2) {
		snprintf(out->refused, sizeof(out->refused),
		    req.n ? "one point shows no growth" : "there are no points");
		return;
	}
	fc_prepare(&req, arena, &s);
	if (req.n < MIN_POINTS || s.n < MIN_POINTS) {
		out->rate_bytes_per_day =
		    (out->last.bytes - points[0].bytes) / fmax(out->span_days, 1.0 / 86400);
		snprintf(out->refused, sizeof(out->refused),
		    "%d points are too few for a forecast: at least %d are needed", req.n,
		    MIN_POINTS);
		return;
	}
	fc_find_steps(&s, arena, out);
	max_days = fmin(most_days, days_per_day * out->span_days);
	fc_make_fan(&s, arena, max_days, &fan);
	out->rate_bytes_per_day = fc_fan_rate(&fan);
	if (max_days >= forecast_days[0])
		fc_answer(&req, &fan, max_days, arena, out);
	fc_find_regime(&s, arena, out);
	out->confidence = judge(&req, &s, out);
	say_refused(&req, max_days, out);
}
