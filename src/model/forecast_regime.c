/*
 * Is the growth of today the growth of before? The cumulated sum of the deviations from the mean
 * (CUSUM) of the increments bends where the rate changed. Whether the bend is more than chance is
 * asked of shuffled weeks of the same increments: more than 99 of 100 of them must bend less. The
 * shuffles come from xorshift with a fixed seed: the same series, the same answer.
 */
#include "config.h"

#include <math.h>
#include <stdint.h>

#include "model/forecast_priv.h"

enum { BLOCK = 7, SHUFFLES = 200, MOST_BLOCKS = 52, MIN_BLOCKS = 8, RECENT_BLOCKS = 10 };

static uint64_t
next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* The largest bend of the cumulated sum, and after how many blocks. */
static double
bend(const double *v, int n, int *at)
{
	double mean = 0, sum = 0, most = 0;

	for (int i = 0; i < n; i++)
		mean += v[i] / n;
	*at = 0;
	for (int i = 0; i < n - 1; i++) {
		sum += v[i] - mean;
		if (fabs(sum) > most) {
			most = fabs(sum);
			*at = i + 1;
		}
	}
	return most;
}

static bool
is_more_than_chance(const double *v, int n, double found)
{
	double copy[MOST_BLOCKS];
	uint64_t x = 0x9e3779b97f4a7c15u;
	int above = 0, at;

	for (int i = 0; i < n; i++)
		copy[i] = v[i];
	for (int k = 0; k < SHUFFLES; k++) {
		for (int i = n - 1; i > 0; i--) {
			const int j = (int)(next_random(&x) % (uint64_t)(i + 1));
			const double t = copy[i];

			copy[i] = copy[j];
			copy[j] = t;
		}
		above += bend(copy, n, &at) >= found;
	}
	return above * 100 < SHUFFLES;
}

static double
mean_of(const double *v, int from, int to)
{
	double sum = 0;

	for (int i = from; i < to; i++)
		sum += v[i];
	return to > from ? sum / (to - from) : 0;
}

/* Has the rate changed within the last ten weeks, to less than half or more than twice? */
static bool
has_changed(const struct fc_series *s, int64_t *since_us)
{
	double weeks[MOST_BLOCKS], before, after;
	int n = (s->n - 1) / BLOCK, at;

	if (n > MOST_BLOCKS)
		n = MOST_BLOCKS;
	if (n < MIN_BLOCKS)
		return false;
	for (int i = 0; i < n; i++) {
		const int end = s->n - 1 - (n - 1 - i) * BLOCK;

		weeks[i] = s->clean[end] - s->clean[end - BLOCK];
	}
	if (!is_more_than_chance(weeks, n, bend(weeks, n, &at)))
		return false;
	before = mean_of(weeks, 0, at);
	after = mean_of(weeks, at, n);
	if (n - at > RECENT_BLOCKS || n - at < 2)
		return false;
	if (fabs(after - before) < 0.5 * fmax(fabs(before), fabs(after)))
		return false;
	*since_us = s->last_us - (int64_t)((n - at) * BLOCK * s->bucket_s * 1e6);
	return true;
}

void
fc_find_regime(const struct fc_series *s, struct arena *arena, struct forecast *out)
{
	const struct forecast_quantiles *q = out->nhorizons > 1 ? &out->horizons[1] : out->horizons;
	double growth;

	(void)arena;
	out->regime = REGIME_UNKNOWN;
	if (out->nhorizons == 0)
		return;
	growth = q->p50 - out->last.bytes;
	if (has_changed(s, &out->regime_since_us))
		out->regime = REGIME_CHANGED;
	else if (q->p10 <= out->last.bytes && q->p90 >= out->last.bytes &&
	    fabs(growth) <= fmax(0.25 * (q->p90 - q->p10), 0.001 * out->last.bytes))
		out->regime = REGIME_FLAT;
	else if (growth < 0)
		out->regime = REGIME_SHRINKING;
	else
		out->regime = REGIME_STEADY;
}
