/* The classical methods that the forecast is measured against: daily values in, one forecast out.
 */
#ifndef PGMEDIC_BENCH_FORECAST_BASELINES_H
#define PGMEDIC_BENCH_FORECAST_BASELINES_H

#include <math.h>
#include <stdlib.h>

enum baseline {
	BASE_NAIVE,
	BASE_DRIFT,
	BASE_DRIFT_90,
	BASE_LINEAR_7,
	BASE_LINEAR_30,
	BASE_LINEAR_90,
	BASE_THEIL_SEN,
	BASE_HOLT,
	BASE_DAMPED,
	BASELINES,
};

static const char *const baseline_names[BASELINES] = { "naive", "drift, all", "drift 90 d",
	"predict_linear 7 d", "predict_linear 30 d", "predict_linear 90 d", "Theil-Sen 90 d",
	"Holt", "damped Holt" };

static inline double
base_drift(const double *y, int n, int w)
{
	if (w > n - 1)
		w = n - 1;
	return w > 0 ? (y[n - 1] - y[n - 1 - w]) / w : 0;
}

/* Prometheus: least squares over the last w days, read at h days after the last. */
static inline double
base_linear(const double *y, int n, int w, int h)
{
	double sx = 0, sy = 0, sxx = 0, sxy = 0, slope;
	const int k = w + 1 > n ? n : w + 1;

	for (int i = 0; i < k; i++) {
		const double x = -i, v = y[n - 1 - i] - y[n - 1];

		sx += x;
		sy += v;
		sxx += x * x;
		sxy += x * v;
	}
	slope = k > 1 ? (k * sxy - sx * sy) / (k * sxx - sx * sx) : 0;
	return y[n - 1] + (sy - slope * sx) / k + slope * h;
}

static inline int
base_compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline double
base_theil_sen(const double *y, int n, int w)
{
	static double v[91 * 90 / 2];
	int k = 0;

	if (w > n - 1)
		w = n - 1;
	for (int i = 0; i <= w; i++)
		for (int j = i + 1; j <= w; j++)
			v[k++] = (y[n - 1 - i] - y[n - 1 - j]) / (j - i);
	qsort(v, (size_t)k, sizeof(*v), base_compare);
	return k ? v[k / 2] : 0;
}

/* Holt's linear smoothing; damping 1 is none. Parameters by the smallest one-day error. */
static inline double
base_holt(const double *y, int n, int h, double damping)
{
	static const double alphas[] = { 0.2, 0.5, 0.8, 1 }, betas[] = { 0.01, 0.05, 0.1, 0.3 };
	double best = INFINITY, answer = y[n - 1];

	for (int a = 0; a < 4; a++) {
		for (int b = 0; b < 4; b++) {
			double level = y[0], trend = 0, sum = 0, ahead = 0, f = 1;

			for (int i = 1; i < n; i++) {
				const double at = level + damping * trend;
				const double next = at + alphas[a] * (y[i] - at);

				sum += (y[i] - at) * (y[i] - at);
				trend =
				    betas[b] * (next - level) + (1 - betas[b]) * damping * trend;
				level = next;
			}
			for (int i = 0; i < h; i++)
				ahead += f *= damping;
			if (sum < best) {
				best = sum;
				answer = level + trend * ahead;
			}
		}
	}
	return answer;
}

static inline double
base_forecast(enum baseline m, const double *y, int n, int h)
{
	switch (m) {
	case BASE_NAIVE:
		return y[n - 1];
	case BASE_DRIFT:
		return y[n - 1] + h * base_drift(y, n, n);
	case BASE_DRIFT_90:
		return y[n - 1] + h * base_drift(y, n, 90);
	case BASE_LINEAR_7:
		return base_linear(y, n, 7, h);
	case BASE_LINEAR_30:
		return base_linear(y, n, 30, h);
	case BASE_LINEAR_90:
		return base_linear(y, n, 90, h);
	case BASE_THEIL_SEN:
		return y[n - 1] + h * base_theil_sen(y, n, 90);
	case BASE_HOLT:
		return base_holt(y, n, h, 1);
	case BASE_DAMPED:
		return base_holt(y, n, h, 0.98);
	case BASELINES:
		break;
	}
	return NAN;
}

#endif
