/*
 * The fan: growth at the median and around it, for a few horizons.
 *
 * The middle is an order statistic of nine simple estimates, since a combination of simple methods
 * beats each of them: trailing drifts, Theil-Sen, medians of what the series moved over the same
 * horizon before, and winsorised means of its weeks. Growth of stored data is skewed: many small
 * days and a few large ones; hence the fourth of the nine by size, a little below their middle.
 *
 * The band is a weighted sum of what the series shows of itself: how far past changes over the same
 * horizon lie from the middle, how large its days are, its growth. The weights were fitted
 * (quantile regression) on the development series of the benchmark and hold for other series there.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/compat.h"
#include "model/forecast_priv.h"

const double fc_levels[FC_LEVELS] = { 0.005, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8,
	0.9, 0.95, 0.975, 0.995 };

static const double knot_days[] = { 1, 3, 7, 14, 30, 90, 180, 365 };

enum { YEAR = 365, WEEK = 7, ESTIMATES = 9, ENOUGH_CHANGES = 60 };
/* How much farther out than the level before it a level lies at least, outside of the middle 80 %:
 * shares of different measures may cross. About half of what they do where growth is normal. */
static const double least_farther[FC_SIDE] = { 0, 0, 0, 0, 1.14, 1.1, 1.15 };

/* Growth per bucket over the last w buckets. */
static double
drift(const struct fc_past *p, int w)
{
	if (w > p->n - 1)
		w = p->n - 1;
	return (p->y[p->n - 1] - p->y[p->n - 1 - w]) / w;
}

/* The median of the slopes of pairs within the last w (Sen 1968), at most 32 points of them. */
static double
theil_sen(const struct fc_past *p, int w)
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

/* What the series moved over m buckets, ending within the last w, into scratch; how many. */
static int
changes(const struct fc_past *p, int m, int w)
{
	int k = 0;

	for (int i = p->n - 1; i >= m && i > p->n - 1 - w; i--)
		p->scratch[k++] = p->y[i] - p->y[i - m];
	return k;
}

/* The horizon over which the past can be asked: h, or a third of a history that is too short. */
static int
asked_horizon(const struct fc_past *p, double h)
{
	const int most = p->n / 3 > 1 ? p->n / 3 : 1;

	return h < most ? (int)h : most;
}

/* The median of what it moved over h before. */
static double
usual_change(const struct fc_past *p, double h, int w)
{
	const int m = asked_horizon(p, h);
	const int k = changes(p, m, w);

	return k ? fc_median(p->scratch, k) * h / m : 0;
}

/* The mean of the weeks within the last w, the eighth at each end drawn in; per bucket. */
static double
tame_mean(const struct fc_past *p, int w)
{
	double sum = 0;
	int k = 0, tail;

	for (int i = p->n - 1; i >= WEEK && i > p->n - 1 - w; i -= WEEK)
		p->scratch[k++] = p->y[i] - p->y[i - WEEK];
	if (k < 4)
		return drift(p, w);
	fc_sort(p->scratch, k);
	tail = k / 8;
	for (int i = 0; i < k; i++) {
		const int j = i < tail ? tail : (i >= k - tail ? k - 1 - tail : i);

		sum += p->scratch[j];
	}
	return sum / k / WEEK;
}

static double
combine(const struct fc_past *p, double h)
{
	double v[ESTIMATES] = {
		h * drift(p, 28),
		h * drift(p, 112),
		h * drift(p, 224),
		h * theil_sen(p, 84),
		usual_change(p, h, 180),
		usual_change(p, h, YEAR),
		usual_change(p, h, p->n),
		h * tame_mean(p, 112),
		h * tame_mean(p, YEAR),
	};

	fc_sort(v, ESTIMATES);
	/* Towards nothing from both sides. */
	if (v[ESTIMATES / 2] < 0)
		return 0.6 * v[5] + 0.4 * v[4];
	return 0.6 * v[3] + 0.4 * v[4];
}

/*
 * Towards what is usual. Not beyond a share of the past changes that rises from half of them for
 * the next days to nine tenths for a month: bursts end. And the more the past changes differ from
 * each other, against the middle, the less is carried on: a tenth is left out at four times it.
 */
static double
draw_in(const struct fc_past *p, double h, double middle)
{
	const int m = asked_horizon(p, h);
	const int k = changes(p, m, YEAR);
	const double share = 0.5 + 0.4 * fmin(1, h / 30), scale = h / m;
	double *v = p->scratch, apart;

	fc_sort(v, k);
	if (k >= ENOUGH_CHANGES) {
		middle = fmin(middle, fmax(0, scale * fc_sorted_quantile(v, k, share)));
		middle = fmax(middle, fmin(0, scale * fc_sorted_quantile(v, k, 1 - share)));
	}
	apart = scale * (fc_sorted_quantile(v, k, 0.9) - fc_sorted_quantile(v, k, 0.1));
	if (!(apart > fabs(middle)) || middle == 0)
		return middle;
	return middle * (1 - 0.1 * fmin(1, (apart / fabs(middle) - 1) / 3));
}

double
fc_middle(const struct fc_past *p, double h)
{
	double bent;

	if (fc_bent_growth(p, h, &bent))
		return bent;
	return draw_in(p, h, combine(p, h));
}

void
fc_measure(const struct fc_past *clean, const struct fc_past *raw, double h, double middle,
    struct fc_measures *out)
{
	const int m = asked_horizon(raw, h);
	const double scale = h / m;
	double *v = raw->scratch, sum = 0, most = 0;
	int k = changes(clean, m, YEAR);

	fc_sort(v, k);
	out->m[FC_HIGH_CHANGE] = fmax(0, scale * fc_sorted_quantile(v, k, 0.9) - middle);
	out->m[FC_LOW_CHANGE] = fmax(0, middle - scale * fc_sorted_quantile(v, k, 0.1));
	k = changes(raw, m, YEAR);
	fc_sort(v, k);
	out->m[FC_MOST_CHANGE] = fmax(0, scale * v[k - 1] - middle);
	out->m[FC_LEAST_CHANGE] = fmax(0, middle - scale * v[0]);
	k = changes(raw, 1, YEAR);
	for (int i = 0; i < k; i++) {
		sum += fabs(v[i]);
		most = fmax(most, fabs(v[i]));
	}
	out->m[FC_MOVED] = h * sum / k;
	out->m[FC_MOVED_ROOT] = sqrt(h) * sum / k;
	out->m[FC_LARGEST] = most;
	out->m[FC_GROWTH] = fabs(middle);
	out->m[FC_LEVEL] = raw->y[raw->n - 1] * h / (h + 300);
}

/* How far from the middle a level lies. */
static double
reach(const double share[2][FC_MEASURES], const struct fc_measures *ms, double h, int n)
{
	const double shortness = fmin(2, sqrt(h / n));
	double sum = 0;

	for (int i = 0; i < FC_MEASURES; i++)
		sum += (share[0][i] + shortness * share[1][i]) * ms->m[i];
	/* What was not seen yet counts for more in a year. */
	return sum * (1 + 0.3 * fmin(h, YEAR) / YEAR);
}

static void
make_knot(const struct fc_past *clean, const struct fc_past *raw, double h, double widen,
    struct fc_knot *knot)
{
	const double middle = fc_middle(clean, h);
	double above = 0, below = 0;
	struct fc_measures ms;

	fc_measure(clean, raw, h, middle, &ms);
	knot->q[FC_MEDIAN] = middle;
	for (int i = 0; i < FC_SIDE; i++) {
		above = fmax(
		    above * fmax(1, least_farther[i]), widen * reach(fc_above[i], &ms, h, raw->n));
		below = fmax(
		    below * fmax(1, least_farther[i]), widen * reach(fc_below[i], &ms, h, raw->n));
		knot->q[FC_MEDIAN + 1 + i] = middle + above;
		knot->q[FC_MEDIAN - 1 - i] = middle - below;
	}
	/* No size is below nothing. */
	for (int i = 0; i < FC_LEVELS; i++)
		knot->q[i] = fmax(knot->q[i], -raw->y[raw->n - 1]);
}

void
fc_take_apart(const struct fc_series *s, struct arena *arena, struct fc_season *season,
    struct fc_past *clean, struct fc_past *raw)
{
	double *y = arena_alloc(arena, 2 * sizeof(*y) * (size_t)s->n);

	fc_find_season(s, s->clean, arena, season);
	fc_take_season_out(season, s->n, s->clean, y);
	fc_take_season_out(season, s->n, s->level, y + s->n);
	*clean = (struct fc_past){ .y = y, .n = s->n, .scratch = s->scratch };
	*raw = (struct fc_past){ .y = y + s->n, .n = s->n, .scratch = s->scratch };
}

void
fc_make_fan(const struct fc_series *s, struct arena *arena, double max_days, struct fc_fan *fan)
{
	/* What is rebuilt is smoother than what was. */
	const double widen = 1 + 0.5 * s->rebuilt;
	struct fc_past clean, raw;

	memset(fan, 0, sizeof(*fan));
	fc_take_apart(s, arena, &fan->season, &clean, &raw);
	fan->buckets_a_day = 86400 / s->bucket_s;
	fan->n = 1;
	for (size_t i = 0; i < ARRAY_LEN(knot_days); i++) {
		struct fc_knot *knot = &fan->knots[fan->n++];

		knot->days = knot_days[i];
		make_knot(&clean, &raw, knot_days[i] * fan->buckets_a_day, widen, knot);
		if (knot_days[i] >= max_days)
			break;
	}
}
