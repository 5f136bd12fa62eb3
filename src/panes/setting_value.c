/* The value of a setting with the unit that the server's SHOW chooses. */
#include "config.h"

#include "panes/setting_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"

struct unit {
	const char *name;
	double size;
};

/* Largest first. */
static const struct unit memory[] = { { "TB", 1099511627776.0 }, { "GB", 1073741824.0 },
	{ "MB", 1048576.0 }, { "kB", 1024.0 }, { "B", 1.0 } };
static const struct unit spans[] = { { "d", 86400e6 }, { "h", 3600e6 }, { "min", 60e6 },
	{ "s", 1e6 }, { "ms", 1e3 }, { "us", 1.0 } };

/* A unit of pg_settings may carry a number: "8kB". */
static bool
find(const struct unit *units, size_t n, const char *text, double *size)
{
	char *name;
	double factor = strtod(text, &name);

	if (name == text)
		factor = 1;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(units[i].name, name) != 0)
			continue;
		*size = factor * units[i].size;
		return true;
	}
	return false;
}

static bool
convert(const struct unit *units, size_t n, double value, char *buf, size_t size)
{
	for (size_t i = 0; i < n; i++) {
		double v = value / units[i].size;
		/* the server takes a fraction of the least unit for a whole, too */
		if (v >= 1 && fabs(v - nearbyint(v)) < 1e-9 * v) {
			snprintf(buf, size, "%.0f%s", v, units[i].name);
			return true;
		}
	}
	snprintf(buf, size, "%.15g%s", value / units[n - 1].size, units[n - 1].name);
	return true;
}

bool
setting_value(const struct cell *value, const struct cell *unit, char *buf, size_t size)
{
	char text[40], name[16], *end;
	double v, scale;

	if (value->len == 0 || value->len >= sizeof(text) || unit->len == 0 ||
	    unit->len >= sizeof(name))
		return false;
	memcpy(text, value->s, value->len);
	text[value->len] = '\0';
	memcpy(name, unit->s, unit->len);
	name[unit->len] = '\0';
	v = strtod(text, &end);
	if (*end != '\0' || !(v > 0))
		return false;
	if (find(memory, ARRAY_LEN(memory), name, &scale))
		return convert(memory, ARRAY_LEN(memory), v * scale, buf, size);
	if (find(spans, ARRAY_LEN(spans), name, &scale))
		return convert(spans, ARRAY_LEN(spans), v * scale, buf, size);
	return false;
}
