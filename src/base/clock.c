/* Clocks, and times as text. Dates by the proleptic Gregorian calendar in UTC, so that no time zone
 * database or locale is involved (the day count is Howard Hinnant's days_from_civil). */
#include "config.h"

#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define US_PER_S   INT64_C(1000000)
#define S_PER_DAY  INT64_C(86400)
#define US_PER_DAY (S_PER_DAY * US_PER_S)
/* The years that RFC 3339 can write: 0000 to 9999. */
#define MIN_EPOCH INT64_C(-62167219200)
#define MAX_EPOCH INT64_C(253402300799)

struct mono
mono_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct mono){ (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000 };
}

struct wall
wall_now(void)
{
	const char *frozen = getenv("PGMEDIC_NOW");
	struct timespec ts;
	struct wall t;

	if (frozen && *frozen && wall_parse(frozen, &t))
		return t;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct wall){ (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000 };
}

static int64_t
div_floor(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = div_floor(y, 400);
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
civil_from_days(int64_t days, int64_t *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = div_floor(days, 146097);
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

/* PostgreSQL's infinite timestamps arrive as the ends of the range. */
static const char *
infinite(struct wall t)
{
	if (t.us == INT64_MAX)
		return "infinity";
	return t.us == INT64_MIN ? "-infinity" : NULL;
}

/* Two digits; printf would be most of the cost of a column of times. */
static void
put_two(char *s, int v)
{
	s[0] = (char)('0' + v / 10);
	s[1] = (char)('0' + v % 10);
}

/* "07:27:12" of the second of a day. */
static void
put_clock(char s[8], int second)
{
	put_two(s, second / 3600);
	s[2] = ':';
	put_two(s + 3, second / 60 % 60);
	s[5] = ':';
	put_two(s + 6, second % 60);
}

const char *
wall_rfc3339(struct wall t, char *buf, size_t size)
{
	int64_t days, us, year;
	int month, day, frac;
	char tail[16] = "", clock[9] = "";

	if (infinite(t)) {
		snprintf(buf, size, "%s", infinite(t));
		return buf;
	}
	days = div_floor(t.us, US_PER_DAY);
	us = t.us - days * US_PER_DAY;
	frac = (int)(us % US_PER_S);
	put_clock(clock, (int)(us / US_PER_S));
	civil_from_days(days, &year, &month, &day);
	if (frac)
		snprintf(tail, sizeof(tail), ".%06d", frac);
	snprintf(buf, size, "%04lld-%02d-%02dT%s%sZ", (long long)year, month, day, clock, tail);
	return buf;
}

const char *
wall_hms(struct wall t, char *buf, size_t size)
{
	char text[10] = "";
	int64_t days, us;

	if (infinite(t)) {
		snprintf(buf, size, "%s", infinite(t));
		return buf;
	}
	days = div_floor(t.us, US_PER_DAY);
	us = t.us - days * US_PER_DAY;
	put_clock(text, (int)(us / US_PER_S));
	text[8] = 'Z';
	if (size)
		memcpy(buf, text, size < sizeof(text) ? size : sizeof(text));
	if (size && size < sizeof(text))
		buf[size - 1] = '\0';
	return buf;
}

/* Exactly n digits at *p; moves on. */
static bool
digits(const char **p, int n, int *value)
{
	*value = 0;
	while (n-- > 0) {
		if (!isdigit((unsigned char)**p))
			return false;
		*value = *value * 10 + (*(*p)++ - '0');
	}
	return true;
}

/* ".123": what is finer than a microsecond is dropped. */
static bool
fraction(const char **p, int *us)
{
	int unit = 100000;

	*us = 0;
	if (**p != '.')
		return true;
	(*p)++;
	if (!isdigit((unsigned char)**p))
		return false;
	while (isdigit((unsigned char)**p)) {
		*us += (*(*p)++ - '0') * unit;
		unit /= 10;
	}
	return true;
}

static bool
epoch_parse(const char *p, struct wall *t)
{
	bool is_negative = *p == '-';
	int64_t s = 0;
	int us;

	p += is_negative;
	if (!isdigit((unsigned char)*p))
		return false;
	while (isdigit((unsigned char)*p)) {
		s = s * 10 + (*p++ - '0');
		if (s > MAX_EPOCH)
			return false;
	}
	if (!fraction(&p, &us) || *p)
		return false;
	if (is_negative && s > -MIN_EPOCH)
		return false;
	t->us = s * US_PER_S + us;
	if (is_negative)
		t->us = -t->us;
	return true;
}

/* "", "Z", "+01:00", "-0330", "+01" */
static bool
offset_parse(const char *p, int *seconds)
{
	int sign, h, m = 0;

	*seconds = 0;
	if (*p == 'Z' || *p == 'z')
		return p[1] == '\0';
	if (!*p)
		return true;
	if (*p != '+' && *p != '-')
		return false;
	sign = *p++ == '-' ? -1 : 1;
	if (!digits(&p, 2, &h) || h > 23)
		return false;
	if (*p == ':')
		p++;
	if (*p && (!digits(&p, 2, &m) || m > 59))
		return false;
	*seconds = sign * (h * 3600 + m * 60);
	return *p == '\0';
}

/* "07:27", "07:27:12", "07:27:12.5"; a leap second is the next minute's first. */
static bool
time_parse(const char **p, int64_t *us)
{
	int h, m, s = 0, frac = 0;

	if (!digits(p, 2, &h) || *(*p)++ != ':' || !digits(p, 2, &m) || h > 23 || m > 59)
		return false;
	if (**p == ':') {
		(*p)++;
		if (!digits(p, 2, &s) || s > 60 || !fraction(p, &frac))
			return false;
	}
	*us = (int64_t)(h * 3600 + m * 60 + s) * US_PER_S + frac;
	return true;
}

bool
wall_parse(const char *s, struct wall *t)
{
	static const char month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const char *p = s;
	int y, m, d, offset = 0;
	int64_t us = 0;

	if (*s == '@')
		return epoch_parse(s + 1, t);
	if (!digits(&p, 4, &y) || *p != '-')
		return epoch_parse(s, t);
	p++;
	if (!digits(&p, 2, &m) || *p++ != '-' || !digits(&p, 2, &d))
		return false;
	if (m < 1 || m > 12 || d < 1 || d > month_days[m - 1])
		return false;
	if (m == 2 && d == 29 && (y % 4 || (y % 100 == 0 && y % 400)))
		return false;
	if (*p == 'T' || *p == 't' || *p == ' ') {
		p++;
		if (!time_parse(&p, &us) || !offset_parse(p, &offset))
			return false;
	} else if (*p && strcmp(p, "Z") != 0) {
		return false;
	}
	us += days_from_civil(y, m, d) * US_PER_DAY - (int64_t)offset * US_PER_S;
	if (us < MIN_EPOCH * US_PER_S || us >= (MAX_EPOCH + 1) * US_PER_S)
		return false;
	t->us = us;
	return true;
}
