/*
 * Answers read off the fan. Each probability level is one course the size may take; the day of full
 * is the day on which a course first meets the capacity, and the probability of full is the share
 * of the courses that have met it. Storage that grows by itself is simulated on each course.
 */
#include "config.h"

#include <math.h>

#include "base/compat.h"
#include "model/forecast_priv.h"

const int forecast_days[FORECAST_HORIZONS] = { 7, 30, 90, 180, 365 };
static const int within_days[] = { 7, 30, 90 };

/* Courses that are followed: probability 0.0025, 0.0075, … */
enum { COURSES = 200 };

static double
knot_at(const struct fc_knot *k, double p)
{
	int i = 0;

	if (p <= fc_levels[0])
		return k->q[0];
	if (p >= fc_levels[FC_LEVELS - 1])
		return k->q[FC_LEVELS - 1];
	while (fc_levels[i + 1] < p)
		i++;
	return k->q[i] +
	    (k->q[i + 1] - k->q[i]) * (p - fc_levels[i]) / (fc_levels[i + 1] - fc_levels[i]);
}

double
fc_fan_at(const struct fc_fan *fan, double days, double p)
{
	const struct fc_knot *a, *b;
	double share;
	int i = 0;

	while (i + 2 < fan->n && fan->knots[i + 1].days < days)
		i++;
	a = &fan->knots[i];
	b = &fan->knots[i + 1];
	share = fmin(1, (days - a->days) / (b->days - a->days));
	return knot_at(a, p) + (knot_at(b, p) - knot_at(a, p)) * share +
	    fc_season_at(&fan->season, days * fan->buckets_a_day);
}

double
fc_fan_rate(const struct fc_fan *fan)
{
	int i = 1;

	while (i + 1 < fan->n && fan->knots[i].days < 30)
		i++;
	return fan->knots[i].q[FC_MEDIAN] / fan->knots[i].days;
}

static struct forecast_quantiles
quantiles_at(const struct fc_fan *fan, double last, int days)
{
	static const double levels[] = { 0.025, 0.1, 0.5, 0.9, 0.975 };
	double q[ARRAY_LEN(levels)], least = 0;

	/* Reckoning between knots may put equal levels out of order by their last bits. */
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		q[i] = least = fmax(least, last + fc_fan_at(fan, days, levels[i]));
	return (struct forecast_quantiles){ days, q[0], q[1], q[2], q[3], q[4] };
}

/* The first day on which the course has grown by `room`; INFINITY: not until max_days. */
static double
first_passage(const struct fc_fan *fan, double p, double room, double max_days)
{
	double before = 0, from = 0;

	if (room <= 0)
		return 0;
	for (double day = 1; day <= max_days; day++) {
		const double growth = fc_fan_at(fan, day, p);

		if (growth >= room)
			return from + (room - before) / (growth - before);
		before = growth;
		from = day;
	}
	return INFINITY;
}

static void
answer_full(const struct forecast_request *req, const struct fc_fan *fan, double max_days,
    struct forecast *out)
{
	const double room = req->capacity_bytes - out->last.bytes;
	double passed[COURSES];

	out->has_full = true;
	for (int i = 0; i < COURSES; i++)
		passed[i] = first_passage(fan, (i + 0.5) / COURSES, room, max_days);
	for (size_t k = 0; k < ARRAY_LEN(within_days); k++) {
		int n = 0;

		for (int i = 0; i < COURSES; i++)
			n += passed[i] <= within_days[k];
		out->probability[k] =
		    within_days[k] <= max_days || room <= 0 ? (double)n / COURSES : NAN;
	}
	fc_sort(passed, COURSES);
	/* Days sorted from the fastest course to the slowest. */
	out->full_p10 = passed[COURSES / 10];
	out->full_p50 = passed[COURSES / 2];
	out->full_p90 = passed[COURSES * 9 / 10];
}

/* Follows one course hour by hour; the days until storage is at its maximum and full. */
static double
simulate(const struct forecast_request *req, const struct fc_fan *fan, double p, double last,
    double max_days, int *events)
{
	const struct forecast_autoscale *a = req->autoscale;
	const double most = a->max_bytes > 0 ? a->max_bytes : INFINITY;
	double allocated = req->capacity_bytes, grown_at = -INFINITY;

	for (double hour = 1; hour <= max_days * 24; hour++) {
		const double size = last + fc_fan_at(fan, hour / 24, p);
		const double free_bytes = allocated - size;

		if (free_bytes < a->free_share * allocated && allocated < most &&
		    (hour - grown_at) * 3600 >= a->cooldown_s) {
			allocated =
			    fmin(most, allocated + fmax(a->least_bytes, a->share * allocated));
			grown_at = hour;
			*events += hour <= 90 * 24;
		}
		if (size >= allocated)
			return hour / 24;
	}
	return INFINITY;
}

static void
answer_autoscale(const struct forecast_request *req, const struct fc_fan *fan, double max_days,
    struct forecast *out)
{
	out->cap_exhausted_p50 =
	    simulate(req, fan, 0.5, out->last.bytes, max_days, &out->grow_events_p50);
}

void
fc_answer(const struct forecast_request *req, const struct fc_fan *fan, double max_days,
    struct arena *arena, struct forecast *out)
{
	for (int i = 0; i < FORECAST_HORIZONS && forecast_days[i] <= max_days; i++)
		out->horizons[out->nhorizons++] =
		    quantiles_at(fan, out->last.bytes, forecast_days[i]);
	out->nband = (int)max_days;
	out->band = arena_zalloc(arena, (size_t)out->nband + 1, sizeof(*out->band));
	for (int i = 0; i < out->nband; i++)
		out->band[i] = quantiles_at(fan, out->last.bytes, i + 1);
	if (req->capacity_bytes > 0) {
		answer_full(req, fan, max_days, out);
		if (req->autoscale)
			answer_autoscale(req, fan, max_days, out);
	}
}
