/* Values as people type them, with units: for filters and settings. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compat.h"
#include "base/grid.h"

struct unit {
	const char *name;
	double factor;
};

static const struct unit second_units[] = { { "us", 1e-6 }, { "ms", 1e-3 }, { "s", 1 },
	{ "sec", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 }, { "w", 604800 },
	{ "y", 31557600 }, { NULL, 0 } };
static const struct unit byte_units[] = { { "b", 1 }, { "k", 0x1p10 }, { "kb", 0x1p10 },
	{ "m", 0x1p20 }, { "mb", 0x1p20 }, { "g", 0x1p30 }, { "gb", 0x1p30 }, { "t", 0x1p40 },
	{ "tb", 0x1p40 }, { "p", 0x1p50 }, { "pb", 0x1p50 }, { "kib", 0x1p10 }, { "mib", 0x1p20 },
	{ "gib", 0x1p30 }, { "tib", 0x1p40 }, { NULL, 0 } };
static const struct unit count_units[] = { { "k", 1e3 }, { "m", 1e6 }, { "g", 1e9 }, { "t", 1e12 },
	{ "%", 1 }, { "/s", 1 }, { NULL, 0 } };

static const struct unit *
units_of(enum column_kind kind)
{
	if (kind == COL_SECONDS || kind == COL_MS)
		return second_units;
	return kind == COL_BYTES ? byte_units : count_units;
}

/* "12", "1.5", ".5": strtod would ask the locale for the point and take "0x1p3". */
static double
read_decimal(const char *s, const char **end)
{
	double v = 0, scale = 1;

	for (; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (*s - '0');
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++) {
			v = v * 10 + (*s - '0');
			scale *= 10;
		}
	*end = s;
	return v / scale;
}

/* "12", "1.5", "10s", "1h30m": a sum of numbers with units. Folded text. */
static bool
read_units(const char *s, enum column_kind kind, double *value)
{
	const struct unit *u;
	double v, sum = 0;
	const char *end;
	size_t n;
	int sign = *s == '-' ? -1 : 1, parts = 0;

	s += *s == '-' || *s == '+';
	do {
		n = *s == '.';
		if (s[n] < '0' || s[n] > '9')
			return false;
		v = read_decimal(s, &end);
		n = strcspn(end, "0123456789.");
		if (!n) {
			if (*end || parts)
				return false;
			/* A bare number is in the unit of the column's values. */
			*value = sign * v;
			return true;
		}
		for (u = units_of(kind); u->name; u++)
			if (strlen(u->name) == n && strncmp(u->name, end, n) == 0)
				break;
		if (!u->name)
			return false;
		sum += v * u->factor * (kind == COL_MS ? 1000 : 1);
		s = end + n;
		parts++;
	} while (*s);
	*value = sign * sum;
	return true;
}

static bool
read_int(const char *s, int64_t *value)
{
	bool is_negative = *s == '-';
	int64_t v = 0;

	s += is_negative;
	if (!*s || s[strspn(s, "0123456789")])
		return false;
	for (; *s; s++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    (is_negative ? __builtin_sub_overflow(v, *s - '0', &v) :
		                   __builtin_add_overflow(v, *s - '0', &v)))
			return false;
	*value = v;
	return true;
}

static bool
read_lsn(const char *s, int64_t *value)
{
	size_t high = strspn(s, "0123456789abcdef"), low;

	if (!high || high > 8 || s[high] != '/')
		return false;
	low = strspn(s + high + 1, "0123456789abcdef");
	if (!low || low > 8 || s[high + 1 + low])
		return false;
	*value = (int64_t)(strtoull(s, NULL, 16) << 32 | strtoull(s + high + 1, NULL, 16));
	return true;
}

static bool
read_bool(const char *s, int64_t *value)
{
	static const char *const words[] = { "no", "yes", "false", "true", "f", "t", "off", "on",
		"n", "y", "0", "1" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(s, words[i]) == 0) {
			*value = i & 1;
			return true;
		}
	}
	return false;
}

bool
grid_value_read(const char *word, enum column_kind kind, struct cell *value)
{
	struct wall when;
	int64_t i;
	double v;

	if (kind == COL_BOOL && read_bool(word, &i))
		*value = cell_int(i);
	else if (kind == COL_LSN && read_lsn(word, &i))
		*value = cell_int(i);
	else if (kind == COL_TIME && wall_parse(word, &when))
		*value = cell_time(when.us);
	else if (read_int(word, &i))
		*value = cell_int(i);
	else if (read_units(word, kind, &v))
		*value = cell_float(v);
	else
		return false;
	return true;
}
