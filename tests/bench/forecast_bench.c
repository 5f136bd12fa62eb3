/*
 * The forecast against classical methods on real series, rolling origins: at each origin only what
 * was known then is given.
 *
 *   forecast_bench [--step DAYS] [--most ORIGINS] [--each] [--part dev|held] [--synthetic]
 * [FILE.csv...]
 *
 * Without files, the series of forecast/series.txt: those held out, or the part that is named. A
 * file is one series, `time,bytes` by day, its class in the name (PART-CLASS-NAME.csv). Fails when
 * the held-out series are forecast worse than with some room below what was measured.
 *
 * Scaled error: the mean of |error| over the mean of |change over the horizon|, per series; a class
 * is the mean of its series, so that long series do not outweigh short ones.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/forecast_csv.h"
#include "base/compat.h"
#include "model/forecast.h"

#include "bench/forecast/baselines.h"
#include "bench/forecast/growth.h"
#include "bench/forecast/series.h"

enum { OURS = BASELINES, METHODS, HORIZONS = 3, FIRST_ORIGIN = 120, MAX_CLASSES = 16 };
enum { HEADROOMS = 4, SHORTS = 3, SYNTHETIC_DAYS = 540, SYNTHETIC_SEEDS = 8 };

static const int horizons[HORIZONS] = { 7, 30, 90 };
static const int horizon_index[HORIZONS] = { 0, 1, 2 };
static const double headrooms[HEADROOMS] = { 0.5, 1, 2, 4 };
static const int short_days[SHORTS] = { 14, 21, 30 };

/* Sums over the origins of one series, or means over the series of a class. */
struct score {
	double error[METHODS][HORIZONS], ape[METHODS][HORIZONS];
	double change[HORIZONS], in80[HORIZONS], in95[HORIZONS], above[HORIZONS], width[HORIZONS];
	double n[HORIZONS];
	double nfull, full_in80, full_error[2]; /* ours, predict_linear 30 d */
	double nevents, nquiet, miss[2], false_alarm[2], brier[2];
	double nshort[SHORTS], short_in95[SHORTS], short_in80[SHORTS], short_refused[SHORTS];
	double nseries, ms, calls, steps;
};

struct class_score {
	char name[32];
	struct score mean;
};

static struct class_score classes[MAX_CLASSES];
static int nclasses;
static int step_days = 30, most_origins = 40;
static bool show_each;
static const char *part = "held";
static double full_errors[2][100000];
static int nfull_errors;

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

struct run {
	const char *name;
	const struct forecast_point *points;
	const double *y;
	int n;
	struct arena arena;
	struct score *score;
};

static void
ask(struct run *r, int from, int to, double capacity, struct forecast *f)
{
	const struct forecast_request req = {
		.points = r->points + from, .n = to - from, .capacity_bytes = capacity
	};

	arena_reset(&r->arena);
	forecast_make(&req, &r->arena, f);
}

static void
score_points(struct run *r, int n, const struct forecast *f)
{
	struct score *s = r->score;

	for (int k = 0; k < HORIZONS; k++) {
		const int h = horizons[k];
		const struct forecast_quantiles *q = &f->horizons[horizon_index[k]];
		const double truth = n - 1 + h < r->n ? r->y[n - 1 + h] : NAN;

		if (isnan(truth))
			continue;
		for (int m = 0; m < METHODS; m++) {
			const double v = m == OURS ? (isnan(q->p50) ? r->y[n - 1] : q->p50) :
			                             base_forecast((enum baseline)m, r->y, n, h);

			s->error[m][k] += fabs(v - truth);
			s->ape[m][k] += fabs(v - truth) / fmax(truth, 1);
		}
		s->change[k] += fabs(truth - r->y[n - 1]);
		s->in80[k] += truth >= floor(q->p10) && truth <= ceil(q->p90);
		s->in95[k] += truth >= floor(q->p2_5) && truth <= ceil(q->p97_5);
		s->above[k] += truth > q->p50;
		s->width[k] += q->p90 - q->p10;
		s->n[k]++;
	}
}

/* When is it full, where the truth is 45 days: capacity is what will be reached then. */
static void
score_full(struct run *r, int n)
{
	const int h = 45;
	struct forecast f;
	double capacity, slope, linear;
	int truth = 1;

	if (n - 1 + h >= r->n || r->y[n - 1 + h] <= r->y[n - 1])
		return;
	capacity = r->y[n - 1 + h];
	while (r->y[n - 1 + truth] < capacity)
		truth++;
	ask(r, 0, n, capacity, &f);
	slope = base_linear(r->y, n, 30, 1) - base_linear(r->y, n, 30, 0);
	linear = slope > 0 ? (capacity - base_linear(r->y, n, 30, 0)) / slope : 1e9;
	r->score->nfull++;
	r->score->full_in80 += f.full_p10 <= truth + 1 && f.full_p90 >= truth - 1;
	full_errors[0][nfull_errors] = fabs(fmin(f.full_p50, 1e9) - truth) / truth;
	full_errors[1][nfull_errors++] = fabs(linear - truth) / truth;
}

/* Will it be full within 30 days, with some room: more than half probable is an alarm. */
static void
score_alarms(struct run *r, int n)
{
	const double usual = r->score->change[1] / r->score->n[1];

	if (n - 1 + 30 >= r->n || usual <= 0)
		return;
	for (int k = 0; k < HEADROOMS; k++) {
		const double capacity = r->y[n - 1] + headrooms[k] * usual;
		struct forecast f;
		bool is_full = false;
		double p[2];

		for (int i = 1; i <= 30; i++)
			is_full |= r->y[n - 1 + i] >= capacity;
		ask(r, 0, n, capacity, &f);
		p[0] = f.probability[1];
		p[1] = base_linear(r->y, n, 30, 30) >= capacity;
		r->score->nevents += is_full;
		r->score->nquiet += !is_full;
		for (int i = 0; i < 2; i++) {
			r->score->miss[i] += is_full && p[i] <= 0.5;
			r->score->false_alarm[i] += !is_full && p[i] > 0.5;
			r->score->brier[i] += (p[i] - is_full) * (p[i] - is_full);
		}
	}
}

static void
score_short(struct run *r, int n)
{
	for (int k = 0; k < SHORTS; k++) {
		const double truth = n - 1 + 30 < r->n ? r->y[n - 1 + 30] : NAN;
		const struct forecast_quantiles *q;
		struct forecast f;

		if (isnan(truth))
			continue;
		ask(r, n - short_days[k] - 1, n, 0, &f);
		q = &f.horizons[1];
		r->score->nshort[k]++;
		if (isnan(q->p50)) {
			r->score->short_refused[k]++;
			continue;
		}
		r->score->short_in80[k] += truth >= floor(q->p10) && truth <= ceil(q->p90);
		r->score->short_in95[k] += truth >= floor(q->p2_5) && truth <= ceil(q->p97_5);
	}
}

static void
run_series(struct run *r)
{
	int step = step_days;

	while ((r->n - FIRST_ORIGIN) / step > most_origins)
		step += step_days;
	for (int n = FIRST_ORIGIN; n < r->n; n += step) {
		struct forecast f;
		double begin = cpu_ms();

		ask(r, 0, n, 0, &f);
		r->score->ms += cpu_ms() - begin;
		r->score->calls++;
		r->score->steps += f.nsteps;
		score_points(r, n, &f);
		score_short(r, n);
		score_full(r, n);
		if (r->score->n[1] > 3)
			score_alarms(r, n);
	}
}

static double
ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

static void
add_to_class(struct score *c, const struct score *s)
{
	c->nseries++;
	for (int k = 0; k < HORIZONS; k++) {
		if (s->n[k] == 0 || s->change[k] <= 0)
			continue;
		for (int m = 0; m < METHODS; m++) {
			c->error[m][k] += ratio(s->error[m][k], s->change[k]);
			c->ape[m][k] += ratio(s->ape[m][k], s->n[k]);
		}
		c->in80[k] += s->in80[k] / s->n[k];
		c->in95[k] += s->in95[k] / s->n[k];
		c->above[k] += s->above[k] / s->n[k];
		c->width[k] += ratio(s->width[k], s->change[k]);
		c->n[k]++;
	}
	for (int k = 0; k < SHORTS; k++) {
		c->nshort[k] += s->nshort[k];
		c->short_in80[k] += s->short_in80[k];
		c->short_in95[k] += s->short_in95[k];
		c->short_refused[k] += s->short_refused[k];
	}
	for (int i = 0; i < 2; i++) {
		c->miss[i] += s->miss[i];
		c->false_alarm[i] += s->false_alarm[i];
		c->brier[i] += s->brier[i];
	}
	c->nevents += s->nevents;
	c->nquiet += s->nquiet;
	c->nfull += s->nfull;
	c->full_in80 += s->full_in80;
	c->ms += s->ms;
	c->calls += s->calls;
	c->steps += s->steps;
}

static struct score *
class_of(const char *name)
{
	for (int i = 0; i < nclasses; i++)
		if (strcmp(classes[i].name, name) == 0)
			return &classes[i].mean;
	snprintf(classes[nclasses].name, sizeof(classes->name), "%s", name);
	return &classes[nclasses++].mean;
}

static bool
load(const char *path, struct csv_points *points)
{
	struct strbuf text = STRBUF_INIT(1 << 28);
	struct error err = { 0 };
	FILE *in = fopen(path, "re");
	char buf[65536];
	size_t n;
	bool ok;

	if (!in) {
		fprintf(stderr, "cannot read %s\n", path);
		return false;
	}
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		strbuf_add(&text, buf, n);
	fclose(in);
	ok = csv_points_parse(points, text.buf, text.len, &err);
	if (!ok)
		error_report(&err);
	strbuf_release(&text);
	return ok;
}

static void
show_series(const char *name, const struct score *s)
{
	printf("%-36s", name);
	for (int k = 1; k < HORIZONS; k++)
		printf(" %2d d: pgmedic %.3f Theil-Sen %.3f drift %.3f, holds %.2f %.2f;",
		    horizons[k], ratio(s->error[OURS][k], s->change[k]),
		    ratio(s->error[BASE_THEIL_SEN][k], s->change[k]),
		    ratio(s->error[BASE_DRIFT][k], s->change[k]), ratio(s->in80[k], s->n[k]),
		    ratio(s->in95[k], s->n[k]));
	printf("\n");
}

static void
run_points(const char *name, const char *class_name, const struct forecast_point *points, int n)
{
	struct score score = { 0 };
	struct run r = { .name = name, .score = &score, .points = points, .n = n };
	double *y = xcalloc((size_t)n + 1, sizeof(*y));

	for (int i = 0; i < n; i++)
		y[i] = points[i].bytes;
	r.y = y;
	run_series(&r);
	add_to_class(class_of(class_name), &score);
	add_to_class(class_of("all"), &score);
	if (show_each)
		show_series(name, &score);
	free(y);
	arena_release(&r.arena);
}

static void
run_named(const char *name, const struct forecast_point *points, int n)
{
	char class_name[32];

	if (sscanf(name, "%*[^-]-%31[^-]", class_name) != 1)
		snprintf(class_name, sizeof(class_name), "series");
	run_points(name, class_name, points, n);
}

static bool
run_file(const char *path)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct csv_points points = { 0 };

	if (!load(path, &points))
		return false;
	run_named(base, points.items, points.n);
	csv_points_release(&points);
	return true;
}

static void
run_packed(const struct packed_series *s)
{
	if (strncmp(s->name, part, strlen(part)) == 0)
		run_named(s->name, s->points, s->n);
}

static bool
run_series_file(void)
{
	const char *source = getenv("PGMEDIC_SOURCE");
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/bench/forecast/series.txt", source ? source : ".");
	if (packed_read(path, run_packed))
		return true;
	fprintf(stderr, "cannot read %s (PGMEDIC_SOURCE names the source)\n", path);
	return false;
}

static void
run_synthetic(void)
{
	static struct forecast_point points[SYNTHETIC_DAYS];
	static double y[SYNTHETIC_DAYS];

	for (int kind = 0; kind < GROWTHS; kind++) {
		for (int seed = 0; seed < SYNTHETIC_SEEDS; seed++) {
			growth_make((enum growth)kind, seed, y, SYNTHETIC_DAYS);
			for (int i = 0; i < SYNTHETIC_DAYS; i++)
				points[i] =
				    (struct forecast_point){ .at_us = (int64_t)i * 86400 * 1000000,
					    .bytes = y[i] };
			run_points(growth_names[kind], growth_names[kind], points, SYNTHETIC_DAYS);
		}
	}
}

static void
print_methods(const struct score *c)
{
	double best[HORIZONS] = { INFINITY, INFINITY, INFINITY };

	printf("  %-20s %23s   %23s\n", "", "scaled error 7/30/90", "MAPE % 7/30/90");
	for (int m = 0; m < METHODS; m++) {
		printf("  %-20s", m == OURS ? "pgmedic" : baseline_names[m]);
		for (int k = 0; k < HORIZONS; k++) {
			const double e = ratio(c->error[m][k], c->n[k]);

			if (m != OURS && e < best[k])
				best[k] = e;
			printf(" %7.3f", e);
		}
		printf("  ");
		for (int k = 0; k < HORIZONS; k++)
			printf(" %7.2f", 100 * ratio(c->ape[m][k], c->n[k]));
		printf("\n");
	}
	printf("  of the best %.3f %.3f %.3f; of predict_linear 30 d %.3f %.3f %.3f\n",
	    ratio(c->error[OURS][0], c->n[0]) / best[0],
	    ratio(c->error[OURS][1], c->n[1]) / best[1],
	    ratio(c->error[OURS][2], c->n[2]) / best[2],
	    ratio(c->error[OURS][0], c->error[BASE_LINEAR_30][0]),
	    ratio(c->error[OURS][1], c->error[BASE_LINEAR_30][1]),
	    ratio(c->error[OURS][2], c->error[BASE_LINEAR_30][2]));
}

static void
print_class(const struct class_score *k)
{
	const struct score *c = &k->mean;

	printf("%s: %.0f series, %.0f origins, %.2f ms each, %.1f steps\n", k->name, c->nseries,
	    c->calls, ratio(c->ms, c->calls), ratio(c->steps, c->calls));
	print_methods(c);
	for (int i = 0; i < HORIZONS; i++)
		printf("  %2d d: 80 %% band holds %4.1f %%, 95 %% band %4.1f %%, above the median "
		       "%4.1f %%, width of 80 %% %.2f changes\n",
		    horizons[i], 100 * ratio(c->in80[i], c->n[i]), 100 * ratio(c->in95[i], c->n[i]),
		    100 * ratio(c->above[i], c->n[i]), ratio(c->width[i], c->n[i]));
	for (int i = 0; i < SHORTS; i++)
		printf("  %2d d of history, 30 d: 80 %% band holds %4.1f %%, 95 %% band %4.1f %%, "
		       "refused %4.1f %%\n",
		    short_days[i],
		    100 * ratio(c->short_in80[i], c->nshort[i] - c->short_refused[i]),
		    100 * ratio(c->short_in95[i], c->nshort[i] - c->short_refused[i]),
		    100 * ratio(c->short_refused[i], c->nshort[i]));
	printf(
	    "  full at 45 d: 80 %% interval holds %.1f %%\n", 100 * ratio(c->full_in80, c->nfull));
	printf("  alarms, full within 30 d: miss %.2f false %.2f Brier %.3f; predict_linear 30 d: "
	       "%.2f %.2f %.3f\n",
	    ratio(c->miss[0], c->nevents), ratio(c->false_alarm[0], c->nquiet),
	    ratio(c->brier[0], c->nevents + c->nquiet), ratio(c->miss[1], c->nevents),
	    ratio(c->false_alarm[1], c->nquiet), ratio(c->brier[1], c->nevents + c->nquiet));
}

static bool
within(const char *what, double value, double low, double high)
{
	const bool ok = value >= low && value <= high;

	if (!ok)
		printf("FAILED: %s is %.3f, not %.3f to %.3f\n", what, value, low, high);
	return ok;
}

/* Room below what was measured, so that only a real loss fails. */
static bool
is_good(const struct score *c)
{
	double best[HORIZONS];
	bool ok = true;

	for (int k = 1; k < HORIZONS; k++) {
		best[k] = INFINITY;
		for (int m = 0; m < OURS; m++)
			best[k] = fmin(best[k], c->error[m][k]);
		ok &= within("the scaled error, of the best", c->error[OURS][k] / best[k], 0, 1);
		ok &= within("the 80 % band", ratio(c->in80[k], c->n[k]), 0.75, 0.88);
		ok &= within("the 95 % band", ratio(c->in95[k], c->n[k]), 0.90, 0.98);
	}
	for (int i = 0; i < SHORTS; i++)
		ok &= within("the 95 % band of short histories",
		    ratio(c->short_in95[i], c->nshort[i] - c->short_refused[i]), 0.85, 1);
	return ok;
}

static int
read_options(int argc, char **argv, bool *is_synthetic)
{
	int i = 1;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--step") == 0 && i + 1 < argc)
			step_days = (int)strtol(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--most") == 0 && i + 1 < argc)
			most_origins = (int)strtol(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--part") == 0 && i + 1 < argc)
			part = argv[++i];
		else if (strcmp(argv[i], "--each") == 0)
			show_each = true;
		else if (strcmp(argv[i], "--synthetic") == 0)
			*is_synthetic = true;
	}
	return i;
}

int
main(int argc, char **argv)
{
	bool is_synthetic = false, is_checked = false;
	int i = read_options(argc, argv, &is_synthetic);

	if (is_synthetic) {
		run_synthetic();
	} else if (i == argc) {
		is_checked = strcmp(part, "held") == 0;
		if (!run_series_file())
			return 1;
	}
	for (; i < argc; i++)
		if (!run_file(argv[i]))
			return 1;
	for (int k = 0; k < nclasses; k++)
		print_class(&classes[k]);
	if (nfull_errors) {
		qsort(full_errors[0], (size_t)nfull_errors, sizeof(double), base_compare);
		qsort(full_errors[1], (size_t)nfull_errors, sizeof(double), base_compare);
		printf("day of full, truth 45 d: median error %.2f, predict_linear 30 d %.2f\n",
		    full_errors[0][nfull_errors / 2], full_errors[1][nfull_errors / 2]);
	}
	return is_checked && !is_good(class_of("all"));
}
