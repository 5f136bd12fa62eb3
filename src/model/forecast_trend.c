/*
 * The fan: growth at the median and around it, for a few horizons.
 *
 * The middle is a combination of robust slopes over trailing windows; how wrong that was at past
 * origins of this series gives the band, mixed with what is usual for other series when there are
 * few independent origins.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/compat.h"
#include "model/forecast_priv.h"

const double fc_levels[FC_LEVELS] = { 0.005, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8,
	0.9, 0.95, 0.975, 0.995 };

/* Errors in units of the scale, at fc_levels, of series on which this was developed. */
static const double usual[FC_LEVELS] = { -4.5, -2.6, -1.9, -1.3, -0.75, -0.4, -0.17, 0, 0.17, 0.42,
	0.85, 1.7, 2.7, 4.0, 7.5 };

static const double knot_days[] = { 1, 3, 7, 14, 30, 90, 180, 365 };
static const int windows[] = { 14, 28, 56, 112, 224 };

enum { MAX_ORIGINS = 64, MIN_REPLAY = 8 };

/* The first n values of a series. */
struct past {
	const double *y;
	int n;
	double *scratch;
};

static double
drift(const struct past *p, int w)
{
	if (w > p->n - 1)
		w = p->n - 1;
	return (p->y[p->n - 1] - p->y[p->n - 1 - w]) / w;
}

/* The median of the slopes of pairs within the last w (Sen 1968), at most 32 points of them. */
static double
theil_sen(const struct past *p, int w)
{
	int step, k = 0;

	if (w > p->n - 1)
		w = p->n - 1;
	step = w / 32 + 1;
	for (int i = 0; i <= w; i += step)
		for (int j = i + step; j <= w; j += step)
			p->scratch[k++] = (p->y[p->n - 1 - i] - p->y[p->n - 1 - j]) / (j - i);
	return fc_median(p->scratch, k);
}

static double
slope(const struct past *p)
{
	double v[ARRAY_LEN(windows) + 3];
	int k = 0;

	for (size_t i = 0; i < ARRAY_LEN(windows); i++)
		if (windows[i] < p->n - 1 || i == 0)
			v[k++] = drift(p, windows[i]);
	v[k++] = drift(p, p->n);
	v[k++] = theil_sen(p, 28);
	if (p->n > 29)
		v[k++] = theil_sen(p, 84);
	return fc_median(v, k);
}

/* The mean deviation of what the series moved over m buckets from its median. */
static double
movement(const struct fc_series *s, int m)
{
	double middle, sum = 0;
	int k = 0;

	for (int i = m; i < s->n; i++)
		s->scratch[k++] = s->level[i] - s->level[i - m];
	middle = fc_median(s->scratch, k);
	for (int i = m; i < s->n; i++)
		sum += fabs(s->level[i] - s->level[i - m] - middle);
	return k ? sum / k : 0;
}

/* The errors of the middle at past origins of this series, for h buckets; how many. */
static int
replay(const struct fc_series *s, const double *slopes, const int *origins, int norigins, int h,
    double *errors)
{
	int k = 0;

	for (int i = 0; i < norigins; i++)
		if (origins[i] + h < s->n)
			errors[k++] =
			    s->level[origins[i] + h] - s->level[origins[i]] - slopes[i] * h;
	return k;
}

static void
make_knot(const struct fc_series *s, const double *slopes, const int *origins, int norigins,
    double now, double days, struct fc_knot *knot)
{
	const double h = days * 86400 / s->bucket_s;
	const double m = fmin(h, fmax(1, floor(s->n / 3.0)));
	const double scale = movement(s, (int)m) * pow(h / m, 0.9);
	double errors[MAX_ORIGINS];
	int k = h < s->n ? replay(s, slopes, origins, norigins, (int)h, errors) : 0;
	/* Origins nearer to each other than the horizon tell the same. */
	const double independent = k ? fmin(k, s->n / h) : 0;
	const double own = independent / (independent + 12);

	fc_sort(errors, k);
	knot->days = days;
	for (int i = 0; i < FC_LEVELS; i++) {
		double off = usual[i] * scale;

		if (k >= MIN_REPLAY)
			off = own * fc_sorted_quantile(errors, k, fc_levels[i]) + (1 - own) * off;
		knot->q[i] = now * h + (i == FC_MEDIAN ? 0 : off);
	}
	/* Not below nothing, and in order. */
	for (int i = 0; i < FC_LEVELS; i++)
		knot->q[i] = fmax(knot->q[i], -s->level[s->n - 1]);
	for (int i = FC_MEDIAN + 1; i < FC_LEVELS; i++)
		knot->q[i] = fmax(knot->q[i], knot->q[i - 1]);
	for (int i = FC_MEDIAN - 1; i >= 0; i--)
		knot->q[i] = fmin(knot->q[i], knot->q[i + 1]);
}

void
fc_make_fan(const struct fc_series *s, struct arena *arena, double max_days, struct fc_fan *fan)
{
	struct past past = { .y = s->clean, .n = s->n, .scratch = s->scratch };
	double slopes[MAX_ORIGINS], now;
	int origins[MAX_ORIGINS], n = 0;

	(void)arena;
	now = slope(&past);
	for (int i = 0; i < MAX_ORIGINS; i++) {
		past.n = 14 + (int)((double)(s->n - 14) * i / MAX_ORIGINS) + 1;
		if (past.n >= s->n || (n && past.n - 1 == origins[n - 1]))
			continue;
		origins[n] = past.n - 1;
		slopes[n++] = slope(&past);
	}
	memset(fan, 0, sizeof(*fan));
	fan->n = 1;
	for (size_t i = 0; i < ARRAY_LEN(knot_days) && (i == 0 || knot_days[i - 1] < max_days); i++)
		make_knot(s, slopes, origins, n, now, knot_days[i], &fan->knots[fan->n++]);
}

double
fc_rate(const struct fc_series *s)
{
	const struct past past = { .y = s->clean, .n = s->n, .scratch = s->scratch };

	return slope(&past) * 86400 / s->bucket_s;
}
