/*
 * Steps: bulk loads, VACUUM FULL, partitions dropped. A step is a change within one bucket that
 * lies far out of what is usual: more than 8 median absolute deviations from the median, and more
 * than 0.4 % of the size. Steps of like size at like distances recur (a month's partition dropped)
 * and stay in the model; the others are taken out of the trend and shown.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/forecast_priv.h"

enum { MIN_RECURRING = 3 };
static const double step_mads = 8, step_share = 0.004;
/* A history with more single steps than one in so many buckets grows in steps: they are its trend.
 */
static const double days_per_single = 120;
/* Of their sizes and of their distances, from the median. */
static const double like_size = 0.35, like_distance = 0.2;

struct step {
	int at; /* the bucket at whose end it shows */
	double bytes;
	int every; /* buckets; 0: does not recur */
};

static int
find_candidates(const struct fc_series *s, struct step *steps)
{
	double middle, mad;
	int n = 0;

	for (int i = 1; i < s->n; i++)
		s->scratch[i - 1] = s->level[i] - s->level[i - 1];
	middle = fc_median(s->scratch, s->n - 1);
	for (int i = 1; i < s->n; i++)
		s->scratch[i - 1] = fabs(s->level[i] - s->level[i - 1] - middle);
	mad = fc_median(s->scratch, s->n - 1);
	for (int i = 1; i < s->n; i++) {
		const double d = s->level[i] - s->level[i - 1] - middle;
		const double size = fmax(fabs(s->level[i]), fabs(s->level[i - 1]));

		if (fabs(d) > step_mads * mad && fabs(d) > step_share * size)
			steps[n++] = (struct step){ .at = i, .bytes = d };
	}
	return n;
}

/* Is the run of steps of one sign at near-constant distances and of like size? */
static void
mark_recurring(struct fc_series *s, struct step *steps, int n, int sign)
{
	double size, distance, ngood = 0;
	int k = 0, last = -1, first = -1;

	for (int i = 0; i < n; i++)
		if (steps[i].bytes * sign > 0)
			s->scratch[k++] = fabs(steps[i].bytes);
	if (k < MIN_RECURRING)
		return;
	size = fc_median(s->scratch, k);
	k = 0;
	for (int i = 0; i < n; i++) {
		if (steps[i].bytes * sign <= 0 ||
		    fabs(fabs(steps[i].bytes) - size) > like_size * size)
			continue;
		if (last >= 0)
			s->scratch[k++] = steps[i].at - last;
		else
			first = steps[i].at;
		last = steps[i].at;
	}
	if (k + 1 < MIN_RECURRING)
		return;
	distance = fc_median(s->scratch, k);
	for (int i = 0; i < k; i++)
		ngood += fabs(s->scratch[i] - distance) <= fmax(like_distance * distance, 1.0);
	/* It still goes on: the last one is not longer ago than two distances. */
	if (distance < 2 || ngood < 0.75 * k || s->n - last > 2 * distance + 1 || first < 0)
		return;
	for (int i = 0; i < n; i++)
		if (steps[i].bytes * sign > 0 &&
		    fabs(fabs(steps[i].bytes) - size) <= like_size * size)
			steps[i].every = (int)(distance + 0.5);
}

/* How large a single step must be to stay out of the trend; INFINITY where they are too many. */
static double
least_single(const struct fc_series *s, const struct step *steps, int n)
{
	const double most = fmax(2, s->n / days_per_single);
	int k = 0;

	for (int i = 0; i < n; i++)
		k += !steps[i].every;
	return k <= most ? 0 : INFINITY;
}

static void
take_out(struct fc_series *s, const struct step *steps, int n, double least)
{
	double shift = 0;
	int i = s->n - 1;

	/* From the end backwards, so that the clean series meets the level of today. */
	for (int k = n - 1; k >= 0; k--) {
		if (steps[k].every || fabs(steps[k].bytes) < least)
			continue;
		for (; i >= steps[k].at; i--)
			s->clean[i] = s->level[i] + shift;
		shift += steps[k].bytes;
	}
	for (; i >= 0; i--)
		s->clean[i] = s->level[i] + shift;
}

void
fc_find_steps(struct fc_series *s, struct arena *arena, struct forecast *out)
{
	struct step *steps;
	double least;
	int n;

	if (s->n < 8)
		return;
	steps = arena_alloc(arena, sizeof(*steps) * (size_t)s->n);
	n = find_candidates(s, steps);
	mark_recurring(s, steps, n, 1);
	mark_recurring(s, steps, n, -1);
	least = least_single(s, steps, n);
	take_out(s, steps, n, least);
	out->steps = arena_zalloc(arena, (size_t)n + 1, sizeof(*out->steps));
	for (int k = 0; k < n; k++) {
		if (!steps[k].every && fabs(steps[k].bytes) < least)
			continue;
		out->steps[out->nsteps++] = (struct forecast_step){
			.at_us =
			    s->last_us - (int64_t)((s->n - 1 - steps[k].at) * s->bucket_s * 1e6),
			.bytes = steps[k].bytes,
			.is_recurring = steps[k].every > 0,
			.every_days = steps[k].every * s->bucket_s / 86400,
		};
	}
}
