/* Kinds of growth that databases show, made from a seed: days values of bytes. */
#ifndef PGMEDIC_BENCH_FORECAST_GROWTH_H
#define PGMEDIC_BENCH_FORECAST_GROWTH_H

#include <math.h>
#include <stdint.h>

enum growth {
	GROWTH_LINEAR,
	GROWTH_WEEKLY,
	GROWTH_MONTH_END,
	GROWTH_ACCELERATING,
	GROWTH_CHANGED,
	GROWTH_BULK_LOAD,
	GROWTH_VACUUM_FULL,
	GROWTH_PARTITIONS,
	GROWTH_FLAT_THEN,
	GROWTH_EXPONENTIAL,
	GROWTH_DECLINE,
	GROWTH_EVENTS,
	GROWTHS,
};

static const char *const growth_names[GROWTHS] = { "linear", "weekly", "month-end", "accelerating",
	"changed", "bulk-load", "vacuum-full", "partitions", "flat-then", "exponential", "decline",
	"events" };

static inline double
growth_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (double)(*x >> 11) / 9007199254740992.0;
}

/* Mean 0, deviation 1, near enough to normal. */
static inline double
growth_noise(uint64_t *x)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += growth_random(x);
	return sum;
}

/* What a day adds. at: the day of what happens once. */
static inline double
growth_of_day(enum growth kind, int day, int at, double rate, double size, uint64_t *x)
{
	const double noise = rate * (1 + 0.3 * growth_noise(x));

	switch (kind) {
	case GROWTH_WEEKLY:
		return day % 7 < 5 ? 1.4 * noise : 0.1 * noise;
	case GROWTH_MONTH_END:
		return day % 30 == 29 ? noise - 24 * rate : noise;
	case GROWTH_ACCELERATING:
		return noise * (0.3 + day / 300.0);
	case GROWTH_CHANGED:
		return day < at ? noise : 3 * noise;
	case GROWTH_BULK_LOAD:
		return day == at ? noise + 0.4 * size : noise;
	case GROWTH_VACUUM_FULL:
		return day == at ? noise - 0.3 * size : noise;
	case GROWTH_PARTITIONS:
		return day > 90 && day % 7 == 0 ? noise - 6.5 * rate : noise;
	case GROWTH_FLAT_THEN:
		return day < at ? 0.02 * noise : noise;
	case GROWTH_EXPONENTIAL:
		return size * 0.004 * noise / rate;
	case GROWTH_DECLINE:
		return -0.2 * noise;
	case GROWTH_EVENTS: /* a day of 12 steps, with bursts */
		return noise * (1 + 0.8 * sin(day * 6.283185307 / 12)) *
		    exp(0.5 * growth_noise(x)) * (growth_random(x) < 0.01 ? 6 : 1);
	case GROWTH_LINEAR:
	case GROWTHS:
		break;
	}
	return noise;
}

static inline void
growth_make(enum growth kind, int seed, double *y, int n)
{
	uint64_t x = 0x9e3779b97f4a7c15u * (uint64_t)(seed * GROWTHS + (int)kind + 1);
	double size = 1e11 * (1 + growth_random(&x)), rate = size * 0.002;
	int at;

	for (int i = 0; i < 20; i++)
		growth_random(&x);
	at = n / 3 + (int)(growth_random(&x) * n / 3);
	for (int day = 0; day < n; day++) {
		size = fmax(0, size + growth_of_day(kind, day, at, rate, size, &x));
		y[day] = floor(size);
	}
}

#endif
