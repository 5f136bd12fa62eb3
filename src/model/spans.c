#include "config.h"

#include "model/spans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"

const struct span spans[] = {
	{ "5m", 300 },
	{ "15m", 900 },
	{ "1h", 3600 },
	{ "6h", 6 * 3600 },
	{ "1d", 86400 },
	{ "7d", 7 * 86400 },
	{ "30d", 30 * 86400 },
	{ "90d", 90 * 86400 },
	{ "1y", 365 * 86400 },
	{ NULL, 0 },
};

static const struct {
	const char *unit;
	int seconds;
} units[] = {
	{ "s", 1 },
	{ "m", 60 },
	{ "min", 60 },
	{ "h", 3600 },
	{ "d", 86400 },
	{ "w", 7 * 86400 },
	{ "y", 365 * 86400 },
};

bool
span_read(const char *text, int *seconds)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text)
		return false;
	for (size_t i = 0; *end && i < ARRAY_LEN(units); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		v *= units[i].seconds;
		end += strlen(end);
	}
	if (*end || !(v >= SPAN_MIN_S && v <= SPAN_MAX_S))
		return false;
	*seconds = (int)v;
	return true;
}

const char *
span_text(int seconds, char *buf, size_t size)
{
	static const struct {
		char unit;
		int seconds;
	} whole[] = { { 'y', 365 * 86400 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 },
		{ 's', 1 } };
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(whole) && (!seconds || seconds % whole[i].seconds))
		i++;
	snprintf(buf, size, "%d%c", seconds / whole[i].seconds, whole[i].unit);
	return buf;
}

int
span_step(int seconds, bool longer)
{
	int best = seconds;

	for (const struct span *s = spans; s->name; s++) {
		if (longer && s->seconds > seconds)
			return s->seconds;
		if (!longer && s->seconds < seconds)
			best = s->seconds;
	}
	return best;
}

int
span_bucket_s(int seconds)
{
	/* They divide hours and days, so that marks are round; the history has them too. */
	static const int widths[] = { 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600,
		43200 };

	for (size_t i = 0; i < ARRAY_LEN(widths); i++)
		if (seconds / widths[i] <= (seconds <= 3600 ? 120 : 370))
			return widths[i];
	return 86400;
}
