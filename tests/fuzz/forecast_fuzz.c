/* CSV of any bytes is read or refused, naming the line; what is read is forecast in order. */
#include "config.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/forecast_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct forecast *f)
{
	for (int i = 0; i < f->nhorizons; i++) {
		const struct forecast_quantiles *q = &f->horizons[i];

		if (!(q->p2_5 >= 0 && q->p2_5 <= q->p10 && q->p10 <= q->p50 && q->p50 <= q->p90 &&
		        q->p90 <= q->p97_5 && isfinite(q->p97_5)))
			abort();
	}
	if (!(f->full_p10 <= f->full_p50 && f->full_p50 <= f->full_p90))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csv_points points;
	struct arena arena = { 0 };
	struct error err;
	struct forecast f;

	if (!csv_points_parse(&points, (const char *)data, size, &err)) {
		if (strncmp(err.what, "line ", 5) != 0)
			abort();
	} else {
		const struct forecast_request req = {
			.points = points.items, .n = points.n, .capacity_bytes = 1e9
		};

		for (int i = 1; i < points.n; i++)
			if (points.items[i].at_us <= points.items[i - 1].at_us)
				abort();
		forecast_make(&req, &arena, &f);
		check(&f);
	}
	csv_points_release(&points);
	arena_release(&arena);
	return 0;
}
