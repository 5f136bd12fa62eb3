/*
 * A cycle in the growth: the week of a business, the day of an hourly series. It is the lag at
 * which the growth of the buckets resembles itself most (autocorrelation), clearly more than at
 * some shorter lag, since growth that merely changes slowly resembles itself at every short lag.
 * The cycle is taken out before slopes are measured, so that they do not depend on the hour at
 * which the history happens to begin and end, and put back where the forecast is read.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "model/forecast_priv.h"

/* Of the newest growth; the longest cycle; how often it must have been seen. */
enum { MOST_GROWTH = 800, MOST_PERIOD = 200, MIN_CYCLES = 4, MIN_BUCKETS = 28 };
static const double least_rise = 0.25, near_best = 0.93;

/* The growth of the newest n buckets around its mean, extremes drawn in. */
static void
tame_growth(const struct fc_series *s, const double *level, int n, double *v)
{
	double low, high, mean = 0;

	for (int i = 0; i < n; i++)
		v[i] = s->scratch[i] = level[s->n - n + i] - level[s->n - n + i - 1];
	fc_sort(s->scratch, n);
	low = fc_sorted_quantile(s->scratch, n, 0.03);
	high = fc_sorted_quantile(s->scratch, n, 0.97);
	for (int i = 0; i < n; i++) {
		v[i] = fmin(fmax(v[i], low), high);
		mean += v[i] / n;
	}
	for (int i = 0; i < n; i++)
		v[i] -= mean;
}

static double
likeness(const double *v, int n, int lag)
{
	double sum = 0, square = 0;

	for (int i = lag; i < n; i++)
		sum += v[i] * v[i - lag];
	for (int i = 0; i < n; i++)
		square += v[i] * v[i];
	return square > 0 ? sum / square * n / (n - lag) : 0;
}

/* The period, or 0; its likeness. */
static int
find_period(const double *v, int n, double *like)
{
	const int most = n / MIN_CYCLES < MOST_PERIOD ? n / MIN_CYCLES : MOST_PERIOD;
	/* By chance alone, the best of many lags reaches about 3 / sqrt(n). */
	const double least = 0.2 + 3 / sqrt(n);
	double r[MOST_PERIOD + 2], lowest = 1, best = 0;
	int found = 0;

	for (int lag = 1; lag <= most + 1; lag++)
		r[lag] = likeness(v, n, lag);
	for (int lag = 2; lag <= most; lag++) {
		lowest = fmin(lowest, r[lag - 1]);
		if (r[lag] < least || r[lag] < lowest + least_rise || r[lag] < r[lag - 1] ||
		    r[lag] < r[lag + 1])
			continue;
		/* The shortest of about equals: twice a week is no cycle of its own. */
		if (r[lag] * near_best > best) {
			best = r[lag];
			found = lag;
		}
	}
	*like = best;
	return found;
}

void
fc_find_season(
    const struct fc_series *s, const double *level, struct arena *arena, struct fc_season *season)
{
	const int n = s->n - 1 < MOST_GROWTH ? s->n - 1 : MOST_GROWTH;
	double *v, like, at = 0, mean = 0;

	memset(season, 0, sizeof(*season));
	if (n < MIN_BUCKETS)
		return;
	v = arena_alloc(arena, sizeof(*v) * (size_t)n);
	tame_growth(s, level, n, v);
	season->period = find_period(v, n, &like);
	if (season->period == 0)
		return;
	season->offset = arena_zalloc(arena, (size_t)season->period, sizeof(double));
	for (int phase = 0; phase < season->period; phase++) {
		double sum = 0;
		int k = 0;

		/* Phase 0 is that of the last bucket. */
		for (int i = n - 1 - (season->period - phase) % season->period; i >= 0;
		     i -= season->period, k++)
			sum += v[i];
		season->offset[phase] = like * sum / k;
		mean += season->offset[phase] / season->period;
	}
	/* Growth by phase becomes what is above or below the straight line, 0 at the last bucket.
	 */
	for (int i = 1; i <= season->period; i++) {
		at += season->offset[i % season->period] - mean;
		season->offset[i % season->period] = at;
	}
	season->offset[0] = 0;
}

double
fc_season_at(const struct fc_season *season, double buckets)
{
	return season->period ? season->offset[(long)floor(buckets + 0.5) % season->period] : 0;
}

void
fc_take_season_out(const struct fc_season *season, int n, const double *level, double *out)
{
	for (int i = 0; i < n; i++)
		out[i] = level[i] -
		    (season->period ?
		            season->offset[(season->period - (n - 1 - i) % season->period) %
		                season->period] :
		            0);
}
