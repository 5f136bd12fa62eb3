/*
 * Numbers as a DBA reads them. A screen formats some ten thousand of these a second while a filter
 * is typed, so digits are made here and not by printf, which also keeps the locale out.
 */
#include "config.h"

#include "base/fmt.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SMALL = 48 }; /* room for any text made here */

/* A text being built; at never passes SMALL by the lengths of what is put. */
struct text {
	char s[SMALL];
	size_t at;
};

static const char *
finish(struct text *t, char *buf, size_t size)
{
	size_t n = t->at < size ? t->at : size - 1;

	memcpy(buf, t->s, n);
	buf[n] = '\0';
	return buf;
}

static void
put_str(struct text *t, const char *s)
{
	while (*s && t->at < SMALL)
		t->s[t->at++] = *s++;
}

/* At least `least` digits, with leading zeros. */
static void
put_uint(struct text *t, uint64_t v, int least)
{
	char digits[20];
	int n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v || n < least);
	while (n)
		t->s[t->at++] = digits[--n];
}

/* v >= 0 and below 1e15, rounded to so many decimals. */
static void
put_fixed(struct text *t, double v, int decimals)
{
	static const uint32_t powers[] = { 1, 10, 100, 1000, 10000, 100000 };
	uint64_t scaled = (uint64_t)llround(v * powers[decimals]);

	put_uint(t, scaled / powers[decimals], 1);
	if (decimals) {
		t->s[t->at++] = '.';
		put_uint(t, scaled % powers[decimals], decimals);
	}
}

/* The sign, and what is no number; true: done. *v becomes its absolute value. */
static bool
put_sign(struct text *t, double *v)
{
	if (isnan(*v)) {
		put_str(t, "-");
		return true;
	}
	if (*v < 0) {
		put_str(t, "-");
		*v = -*v;
	}
	if (isinf(*v)) {
		put_str(t, "inf");
		return true;
	}
	return false;
}

/* "0" without a sign: what rounds to nothing is not negative. */
static bool
is_zero(double v, double half)
{
	return v > -half && v < half;
}

/* Scaled by base until it shows less than base, with one decimal below 100. */
static void
put_scaled(struct text *t, double v, double base, const char *units)
{
	int unit = -1;

	/* Half below the base already rounds to it. */
	if (v < base - 0.5) {
		put_fixed(t, v, 0);
		return;
	}
	while (v >= base - 0.5 && units[unit + 1]) {
		v /= base;
		unit++;
	}
	if (v >= base - 0.5) {
		put_str(t, "huge");
		return;
	}
	put_fixed(t, v, v < 99.95 ? 1 : 0);
	t->s[t->at++] = units[unit];
}

const char *
fmt_bytes(char *buf, size_t size, double bytes)
{
	struct text t = { .at = 0 };

	if (is_zero(bytes, 0.5))
		put_str(&t, "0");
	else if (!put_sign(&t, &bytes))
		put_scaled(&t, bytes, 1024, "KMGTPEZY");
	return finish(&t, buf, size);
}

const char *
fmt_count(char *buf, size_t size, double n)
{
	struct text t = { .at = 0 };

	if (is_zero(n, 0.5))
		put_str(&t, "0");
	else if (!put_sign(&t, &n))
		put_scaled(&t, n, 1000, "kMGTPEZY");
	return finish(&t, buf, size);
}

const char *
fmt_rate(char *buf, size_t size, double n)
{
	struct text t = { .at = 0 };

	if (is_zero(n, 0.005)) {
		put_str(&t, n == 0 ? "0" : "0.00");
	} else if (!put_sign(&t, &n)) {
		if (n < 99.95)
			put_fixed(&t, n, n < 9.995 ? 2 : 1);
		else
			put_scaled(&t, n, 1000, "kMGTPEZY");
	}
	return finish(&t, buf, size);
}

/* Two units, "12h34m", the second with two digits. */
static void
put_two(struct text *t, uint64_t big, char big_unit, uint64_t small, char small_unit)
{
	put_uint(t, big, 1);
	t->s[t->at++] = big_unit;
	put_uint(t, small, 2);
	t->s[t->at++] = small_unit;
}

/* A minute and more, in whole seconds. A sign takes the column of the seconds. */
static void
put_long(struct text *t, double v)
{
	uint64_t s = v < 9e15 ? (uint64_t)v : (uint64_t)9e15;
	uint64_t days = s / 86400;
	bool is_negative = t->at > 0;

	if (s < 3600) {
		put_uint(t, s / 60, 1);
		t->s[t->at++] = ':';
		put_uint(t, s % 60, 2);
	} else if (s < 36000 && !is_negative) {
		put_uint(t, s / 3600, 1);
		t->s[t->at++] = ':';
		put_uint(t, s / 60 % 60, 2);
		t->s[t->at++] = ':';
		put_uint(t, s % 60, 2);
	} else if (days < 1) {
		put_two(t, s / 3600, 'h', s / 60 % 60, 'm');
	} else if (days < 100) {
		put_two(t, days, 'd', s / 3600 % 24, 'h');
	} else if (days < (is_negative ? 100000 : 1000000)) {
		put_uint(t, days, 1);
		t->s[t->at++] = 'd';
	} else if (days < 36525000) {
		put_uint(t, (uint64_t)((double)days / 365.25), 1);
		t->s[t->at++] = 'y';
	} else {
		put_str(t, "huge");
	}
}

const char *
fmt_seconds(char *buf, size_t size, double s)
{
	struct text t = { .at = 0 };

	if (is_zero(s, 0.0005)) {
		put_str(&t, s == 0 ? "0" : "0.000");
	} else if (!put_sign(&t, &s)) {
		if (s < 0.9995)
			put_fixed(&t, s, 3);
		else if (s < 9.995)
			put_fixed(&t, s, 2);
		else if (s < 59.95)
			put_fixed(&t, s, 1);
		else
			put_long(&t, s < 60 ? 60 : s);
	}
	return finish(&t, buf, size);
}

const char *
fmt_span(char *buf, size_t size, double s)
{
	size_t n = strlen(fmt_seconds(buf, size, s));

	if (n && !strpbrk(buf, ":hdy") && n + 2 < size)
		memcpy(buf + n, " s", 3);
	return buf;
}

const char *
fmt_ms(char *buf, size_t size, double ms)
{
	struct text t = { .at = 0 };

	if (is_zero(ms, 0.005)) {
		put_str(&t, ms == 0 ? "0" : "0.00");
	} else if (!put_sign(&t, &ms)) {
		if (ms < 9.995) {
			put_fixed(&t, ms, 2);
		} else if (ms < 99.95) {
			put_fixed(&t, ms, 1);
		} else if (ms < 999.5) {
			put_fixed(&t, ms, 0);
		} else if (ms < 59950) {
			put_fixed(&t, ms / 1000, 1);
			put_str(&t, "s");
		} else {
			put_long(&t, ms < 60000 ? 60 : ms / 1000);
		}
	}
	return finish(&t, buf, size);
}

const char *
fmt_pct(char *buf, size_t size, double pct)
{
	struct text t = { .at = 0 };

	if (is_zero(pct, 0.05)) {
		put_str(&t, "0.0");
	} else if (!put_sign(&t, &pct)) {
		if (pct < 99.95)
			put_fixed(&t, pct, 1);
		else if (pct < 999999.5)
			put_fixed(&t, pct, 0);
		else
			put_str(&t, "huge");
	}
	return finish(&t, buf, size);
}

/* From 1e15 on: "1.2e+18", without the locale. */
static void
put_exponent(struct text *t, double v)
{
	int exponent = (int)floor(log10(v));
	double digits = v / pow(10, exponent);

	if (digits >= 9.95) {
		digits = 1;
		exponent++;
	} else if (digits < 1) {
		digits = 1;
	}
	put_fixed(t, digits, 1);
	put_str(t, "e+");
	put_uint(t, (uint64_t)exponent, 2);
}

const char *
fmt_float(char *buf, size_t size, double v)
{
	struct text t = { .at = 0 };

	if (is_zero(v, 0.000005)) {
		put_str(&t, v == 0 ? "0" : "0.00000");
	} else if (!put_sign(&t, &v)) {
		if (v < 0.001)
			put_fixed(&t, v, t.at ? 4 : 5);
		else if (v < 0.9995)
			put_fixed(&t, v, 3);
		else if (v < 99.995)
			put_fixed(&t, v, 2);
		else if (v < 9999.95)
			put_fixed(&t, v, 1);
		else if (v < 1e15)
			put_fixed(&t, v, 0);
		else
			put_exponent(&t, v);
	}
	return finish(&t, buf, size);
}

const char *
fmt_int(char *buf, size_t size, int64_t v)
{
	struct text t = { .at = 0 };

	if (v < 0)
		put_str(&t, "-");
	put_uint(&t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 1);
	return finish(&t, buf, size);
}

static void
put_hex(struct text *t, uint32_t v)
{
	int shift = 28;

	while (shift > 0 && !(v >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		t->s[t->at++] = "0123456789ABCDEF"[v >> shift & 15];
}

const char *
fmt_lsn(char *buf, size_t size, int64_t lsn)
{
	struct text t = { .at = 0 };

	put_hex(&t, (uint32_t)((uint64_t)lsn >> 32));
	put_str(&t, "/");
	put_hex(&t, (uint32_t)lsn);
	return finish(&t, buf, size);
}
