/*
 * Has the growth itself changed? The combination of trailing estimates follows a new rate slowly,
 * which is right for growth that comes in bursts and wrong for growth as regular as that of a
 * business. So the growth of the last half year, week by week, is described in three ways: one
 * rate; one rate until some week and another since; a rate that rises or falls evenly. The second
 * and third are believed only when they explain most of what the first leaves and the weeks then
 * lie close to them. Growth that was there nearly every week and has stopped altogether is one more
 * thing that is believed: after three weeks of nothing, nothing more is expected.
 */
#include "config.h"

#include <math.h>

#include "model/forecast_priv.h"

enum { WEEK = 7, MOST_WEEKS = 26, MIN_WEEKS = 8, MIN_SIDE = 3 };
/* Of the squares that one rate leaves; of the mean growth of a week since. */
static const double most_left = 0.35, most_scatter = 0.3;
/* A rate that rises is carried on for half as long as it was seen to rise. */
static const double carry_on = 0.5;
/* Of the mean growth of a week: less is none, more is growth; and the share of the weeks with some.
 */
static const double none = 0.02, some = 0.1, busy_share = 0.8;

struct fit {
	double left; /* sum of squares */
	double now, per_week;
	int since; /* weeks it has lasted */
};

static double
squares_around_mean(const double *v, int from, int to, double *mean)
{
	double sum = 0, squares = 0;

	for (int i = from; i < to; i++)
		sum += v[i];
	*mean = sum / (to - from);
	for (int i = from; i < to; i++)
		squares += (v[i] - *mean) * (v[i] - *mean);
	return squares;
}

static struct fit
fit_line(const double *v, int n)
{
	const double middle = (n - 1) / 2.0;
	double mean, sxy = 0, sxx = 0, left = squares_around_mean(v, 0, n, &mean);

	for (int i = 0; i < n; i++) {
		sxy += (i - middle) * (v[i] - mean);
		sxx += (i - middle) * (i - middle);
	}
	left -= sxy * sxy / sxx;
	return (struct fit){ left, mean + sxy / sxx * (n - 0.5 - middle), sxy / sxx, n };
}

static struct fit
fit_change(const double *v, int n)
{
	struct fit best = { INFINITY, 0, 0, 0 };

	for (int at = MIN_SIDE; at <= n - MIN_SIDE; at++) {
		double before, after;
		const double left =
		    squares_around_mean(v, 0, at, &before) + squares_around_mean(v, at, n, &after);

		if (left < best.left)
			best = (struct fit){ left, after, 0, n - at };
	}
	return best;
}

/* Growth over h buckets along the fit. */
static double
growth_along(const struct fit *f, double h)
{
	const double weeks = h / WEEK, bent = fmin(weeks, f->since * carry_on);

	return f->now * weeks + f->per_week * (bent * bent / 2 + (weeks - bent) * bent);
}

/* Nothing for some weeks, after growth nearly every week. */
static bool
has_stopped(const double *v, int n, double mean)
{
	int quiet = 0, busy = 0;

	while (quiet < n && fabs(v[n - 1 - quiet]) <= none * fabs(mean))
		quiet++;
	for (int i = 0; i < n - quiet; i++)
		busy += fabs(v[i]) > some * fabs(mean);
	return quiet >= MIN_SIDE && n - quiet > MIN_SIDE && busy >= busy_share * (n - quiet);
}

bool
fc_bent_growth(const struct fc_past *p, double h, double *growth)
{
	double v[MOST_WEEKS], mean, all;
	struct fit change, line, best;
	int n = (p->n - 1) / WEEK;

	if (n > MOST_WEEKS)
		n = MOST_WEEKS;
	if (n < MIN_WEEKS)
		return false;
	for (int i = 0; i < n; i++) {
		const int end = p->n - 1 - (n - 1 - i) * WEEK;

		v[i] = p->y[end] - p->y[end - WEEK];
	}
	change = fit_change(v, n);
	line = fit_line(v, n);
	best = line.left < change.left ? line : change;
	all = squares_around_mean(v, 0, n, &mean);
	if (has_stopped(v, n, mean)) {
		*growth = 0;
		return true;
	}
	if (!(best.left < most_left * all) || sqrt(best.left / n) > most_scatter * fabs(best.now))
		return false;
	*growth = growth_along(&best, h);
	return true;
}
