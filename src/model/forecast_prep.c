/*
 * From points to a regular series. A bucket is a day, or for a shorter history the longest of a few
 * lengths that gives at least 14 of them. Buckets end at the last point, so that the newest one is
 * whole, and take the last value within. Up to three empty buckets carry the value forward; a
 * longer gap is crossed in a straight line, since an outage of the sampling is not a step.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "model/forecast_priv.h"

/* Older history than this says little of the next year, and costs time. */
enum { MAX_BUCKETS = 2048, MIN_BUCKETS = 14, CARRY_BUCKETS = 3 };

static int
compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void
fc_sort(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), compare_doubles);
}

/* The k-th smallest of n (Hoare); reorders them. */
static double
select_kth(double *v, int n, int k)
{
	int lo = 0, hi = n - 1;

	while (lo < hi) {
		const double pivot = v[lo + (hi - lo) / 2];
		int i = lo, j = hi;

		while (i <= j) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i <= j) {
				const double t = v[i];

				v[i++] = v[j];
				v[j--] = t;
			}
		}
		if (k <= j)
			hi = j;
		else if (k >= i)
			lo = i;
		else
			break;
	}
	return v[k];
}

double
fc_median(double *v, int n)
{
	double high, low;

	if (n == 0)
		return NAN;
	high = select_kth(v, n, n / 2);
	if (n % 2)
		return high;
	/* What lies before the place is not greater. */
	low = v[0];
	for (int i = 1; i < n / 2; i++)
		low = v[i] > low ? v[i] : low;
	return low + (high - low) / 2;
}

double
fc_sorted_quantile(const double *v, int n, double p)
{
	const double at = p * (n - 1);
	const int i = (int)at;

	if (n == 0)
		return NAN;
	if (i >= n - 1)
		return v[n - 1];
	return v[i] + (v[i + 1] - v[i]) * (at - i);
}

double
fc_span_days(const struct forecast_request *req)
{
	if (req->n < 2)
		return 0;
	return (double)(req->points[req->n - 1].at_us - req->points[0].at_us) / 86400e6;
}

static int64_t
bucket_us(int64_t span_us)
{
	static const int seconds[] = { 86400, 21600, 3600, 900, 300, 60, 10, 1 };

	for (size_t i = 0; i < ARRAY_LEN(seconds); i++)
		if (span_us >= (int64_t)seconds[i] * 1000000 * (MIN_BUCKETS - 1))
			return (int64_t)seconds[i] * 1000000;
	return 1000000;
}

/* Puts the last value of each bucket in place and says which have one. */
static void
fill_buckets(const struct forecast_request *req, int64_t len, int n, double *level, bool *seen)
{
	const int64_t last = req->points[req->n - 1].at_us;

	for (int i = 0; i < req->n; i++) {
		const int64_t back = (last - req->points[i].at_us) / len;

		if (back < n) {
			level[n - 1 - back] = req->points[i].bytes;
			seen[n - 1 - back] = true;
		}
	}
}

static void
fill_gap(double *level, int from, int to)
{
	const bool carry = to - from - 1 <= CARRY_BUCKETS;

	for (int i = from + 1; i < to; i++)
		level[i] = carry ?
		    level[from] :
		    level[from] + (level[to] - level[from]) * (i - from) / (to - from);
}

void
fc_prepare(const struct forecast_request *req, struct arena *arena, struct fc_series *s)
{
	const int64_t span = req->n ? req->points[req->n - 1].at_us - req->points[0].at_us : 0;
	const int64_t len = bucket_us(span);
	const int n = span / len + 1 > MAX_BUCKETS ? MAX_BUCKETS : (int)(span / len + 1);
	double *level = arena_zalloc(arena, (size_t)n, sizeof(*level));
	bool *seen = arena_zalloc(arena, (size_t)n, sizeof(*seen));
	int first = n, from;

	*s = (struct fc_series){ .bucket_s = (double)len / 1e6, .level = level };
	if (req->n == 0)
		return;
	s->last_us = req->points[req->n - 1].at_us;
	if (req->nrebuilt > 0 && span > 0)
		s->rebuilt = (double)(req->points[req->nrebuilt - 1].at_us - req->points[0].at_us) /
		    (double)span;
	fill_buckets(req, len, n, level, seen);
	for (from = 0; from < n && !seen[from]; from++)
		continue;
	first = from;
	for (int i = from + 1; i < n; i++) {
		if (!seen[i]) {
			s->nfilled++;
			continue;
		}
		fill_gap(level, from, i);
		from = i;
	}
	s->n = n - first;
	s->level = level + first;
	s->clean = arena_alloc(arena, sizeof(double) * (size_t)s->n);
	memcpy(s->clean, s->level, sizeof(double) * (size_t)s->n);
	s->scratch = arena_alloc(arena, sizeof(double) * (size_t)(s->n + FC_SCRATCH));
}
