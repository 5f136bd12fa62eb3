/*
 * The packed series: "series PART-CLASS-NAME DAY FIRST UNIT", then what was added, one word per day
 * that added anything: [DAYS:]UNITS, DAYS since the word before (1 where left out). # begins a
 * remark.
 */
#ifndef PGMEDIC_BENCH_FORECAST_SERIES_H
#define PGMEDIC_BENCH_FORECAST_SERIES_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/forecast.h"

struct packed_series {
	char name[64];
	struct forecast_point *points;
	int n, cap;
	long day;
	double bytes, unit;
};

static inline void
packed_add(struct packed_series *s)
{
	GROW(s->points, s->n, s->cap);
	s->points[s->n++] = (struct forecast_point){ .at_us = (int64_t)s->day++ * 86400 * 1000000,
		.bytes = s->bytes };
}

static inline void
packed_words(struct packed_series *s, char *line)
{
	char *save = NULL;

	for (char *w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		char *colon = strchr(w, ':');
		long days = colon ? strtol(w, NULL, 10) : 1;

		for (; days > 1; days--)
			packed_add(s);
		s->bytes += s->unit * strtod(colon ? colon + 1 : w, NULL);
		packed_add(s);
	}
}

/* Calls use() for each series; false when the file cannot be read. */
static inline bool
packed_read(const char *path, void (*use)(const struct packed_series *s))
{
	struct packed_series s = { .n = 0 };
	FILE *in = fopen(path, "re");
	char line[512];

	if (!in)
		return false;
	while (fgets(line, sizeof(line), in)) {
		if (*line == '#')
			continue;
		if (strncmp(line, "series ", 7) != 0) {
			packed_words(&s, line);
			continue;
		}
		if (s.n)
			use(&s);
		s.n = 0;
		if (sscanf(line, "series %63s %ld %lf %lf", s.name, &s.day, &s.bytes, &s.unit) !=
		    4) {
			fclose(in);
			return false;
		}
		packed_add(&s);
	}
	if (s.n)
		use(&s);
	free(s.points);
	fclose(in);
	return true;
}

#endif
