#include "config.h"

#include "app/forecast_csv.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"

enum { MAX_FIELDS = 64, MAX_FIELD = 80 };
static const double most_bytes = 9.2e18;

struct field {
	const char *s;
	size_t len;
};

struct reader {
	struct csv_points *out;
	int line;
	char separator; /* 0: not seen yet */
	bool has_header, is_sorted;
	int time_column, bytes_column, ncolumns;
};

static struct field
trim(const char *s, size_t len)
{
	while (len && isspace((unsigned char)*s))
		s++, len--;
	while (len && isspace((unsigned char)s[len - 1]))
		len--;
	if (len >= 2 && s[0] == '"' && s[len - 1] == '"')
		return trim(s + 1, len - 2);
	return (struct field){ s, len };
}

static char
find_separator(const char *s, size_t len)
{
	static const char known[] = ",;\t";

	for (const char *c = known; *c; c++)
		if (memchr(s, *c, len))
			return *c;
	return 0;
}

static int
split(const struct reader *r, const char *s, size_t len, struct field *fields)
{
	int n = 0;

	for (;;) {
		const char *end = memchr(s, r->separator, len);
		const size_t size = end ? (size_t)(end - s) : len;

		if (n < MAX_FIELDS)
			fields[n] = trim(s, size);
		n++;
		if (!end)
			return n < MAX_FIELDS ? n : MAX_FIELDS;
		s = end + 1;
		len -= size + 1;
	}
}

static bool
is_name(struct field f, const char *const *names)
{
	for (; *names; names++)
		if (strlen(*names) == f.len && strncasecmp(*names, f.s, f.len) == 0)
			return true;
	return false;
}

/* The columns a header names; false when it names only one of the two. */
static bool
read_header(struct reader *r, const struct field *fields, int n, struct error *err)
{
	static const char *const times[] = { "time", "timestamp", "ts", "date", "datetime", "at",
		NULL };
	static const char *const sizes[] = { "bytes", "size", "size_bytes", "value", NULL };
	int time = -1, bytes = -1;

	for (int i = 0; i < n; i++) {
		if (time < 0 && is_name(fields[i], times))
			time = i;
		else if (bytes < 0 && is_name(fields[i], sizes))
			bytes = i;
	}
	r->has_header = true;
	r->ncolumns = n;
	if (time >= 0 && bytes >= 0) {
		r->time_column = time;
		r->bytes_column = bytes;
	} else if (n != 2) {
		error_set(err, ERR_FORMAT, "line %d: the header names no columns time and bytes",
		    r->line);
		return error_hint(err, "Give the two columns the names time and bytes.");
	}
	return true;
}

/* A copy that ends with NUL; what is too long is no time and no number. */
static const char *
copy_field(struct field f, char *buf)
{
	if (f.len == 0 || f.len >= MAX_FIELD || memchr(f.s, '\0', f.len))
		return NULL;
	memcpy(buf, f.s, f.len);
	buf[f.len] = '\0';
	return buf;
}

/* Epoch by its magnitude: until the year 5138 seconds have at most 11 digits. */
static bool
parse_epoch(const char *s, int64_t *us)
{
	char *end;
	const double v = strtod(s, &end);

	if (*end || !isfinite(v) || v < 0 || !isdigit((unsigned char)*s))
		return false;
	if (v < 1e11)
		*us = llround(v * 1e6);
	else if (v < 1e14)
		*us = llround(v * 1e3);
	else if (v < 1e17)
		*us = llround(v);
	else
		return false;
	return true;
}

static bool
parse_time(struct field f, int64_t *us)
{
	char buf[MAX_FIELD];
	const char *s = copy_field(f, buf);
	struct wall t;

	if (!s)
		return false;
	if (strspn(s, "0123456789.eE+") == f.len)
		return parse_epoch(s, us);
	if (!wall_parse(s, &t))
		return false;
	*us = t.us;
	return true;
}

static bool
parse_size(const struct reader *r, struct field f, double *bytes, struct error *err)
{
	char buf[MAX_FIELD], *end = NULL;
	const char *s = copy_field(f, buf);
	const int shown = f.len > 40 ? 40 : (int)f.len;

	*bytes = s ? strtod(s, &end) : 0;
	if (!s || end == s || *end || strpbrk(s, "xX"))
		return error_set(err, ERR_FORMAT, "line %d: '%.*s' is not a number of bytes",
		    r->line, shown, f.s);
	if (isnan(*bytes) || isinf(*bytes))
		return error_set(
		    err, ERR_FORMAT, "line %d: %.*s is not a size", r->line, shown, f.s);
	if (*bytes < 0)
		return error_set(err, ERR_FORMAT, "line %d: a size cannot be negative: %.*s",
		    r->line, shown, f.s);
	if (*bytes > most_bytes)
		return error_set(err, ERR_FORMAT, "line %d: %.*s bytes is more than any disk",
		    r->line, shown, f.s);
	return true;
}

static bool
add_point(struct reader *r, const struct field *fields, int n, struct error *err)
{
	struct csv_points *out = r->out;
	struct forecast_point p;

	if (n <= r->time_column || n <= r->bytes_column || (n != 2 && n != r->ncolumns)) {
		error_set(err, ERR_FORMAT, "line %d: %d %s instead of %d", r->line, n,
		    n == 1 ? "field" : "fields", r->ncolumns);
		return error_hint(err, "Each line is time,bytes.");
	}
	if (!parse_time(fields[r->time_column], &p.at_us)) {
		const struct field f = fields[r->time_column];

		error_set(err, ERR_FORMAT, "line %d: '%.*s' is not a time", r->line,
		    f.len > 40 ? 40 : (int)f.len, f.s);
		return error_hint(
		    err, "Write times as 2026-11-21T07:30:00Z, or as seconds since 1970.");
	}
	if (!parse_size(r, fields[r->bytes_column], &p.bytes, err))
		return false;
	if (out->n == INT_MAX / 2)
		return error_set(err, ERR_MEMORY, "line %d: too many points", r->line);
	if (out->n && p.at_us <= out->items[out->n - 1].at_us)
		r->is_sorted = false;
	GROW(out->items, out->n, out->cap);
	out->items[out->n++] = p;
	return true;
}

static bool
read_line(struct reader *r, const char *s, size_t len, struct error *err)
{
	const struct field whole = trim(s, len);
	struct field fields[MAX_FIELDS];
	int n;

	if (whole.len == 0 || *whole.s == '#')
		return true;
	if (!r->separator)
		r->separator = find_separator(s, len);
	if (!r->separator) {
		error_set(err, ERR_FORMAT, "line %d: one field instead of 2", r->line);
		return error_hint(err, "Each line is time,bytes.");
	}
	n = split(r, s, len, fields);
	if (r->out->n == 0 && !r->has_header && fields[0].len &&
	    !isdigit((unsigned char)*fields[0].s) && !strchr("@+-.", *fields[0].s))
		return read_header(r, fields, n, err);
	return add_point(r, fields, n, err);
}

static int
compare_points(const void *a, const void *b)
{
	const struct forecast_point *x = a, *y = b;

	return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

/* A merge sort keeps lines of one time in their order. */
static void
sort_points(struct csv_points *out)
{
	struct forecast_point *from = out->items;
	struct forecast_point *to = xcalloc((size_t)out->n, sizeof(*to));

	for (int width = 1; width < out->n; width *= 2) {
		struct forecast_point *t;

		for (int lo = 0; lo < out->n; lo += 2 * width) {
			const int mid = lo + width < out->n ? lo + width : out->n;
			const int hi = out->n - mid < width ? out->n : mid + width;
			int i = lo, j = mid;

			for (int k = lo; k < hi; k++)
				to[k] = i < mid &&
				        (j >= hi || compare_points(&from[i], &from[j]) <= 0) ?
				    from[i++] :
				    from[j++];
		}
		t = from;
		from = to;
		to = t;
	}
	free(to);
	out->items = from;
	out->cap = out->n;
}

static void
drop_same_times(struct csv_points *out)
{
	int n = 0;

	for (int i = 0; i < out->n; i++) {
		if (n && out->items[n - 1].at_us == out->items[i].at_us)
			n--;
		out->items[n++] = out->items[i];
	}
	out->n = n;
}

bool
csv_points_parse(struct csv_points *out, const char *text, size_t len, struct error *err)
{
	struct reader r = { .out = out, .is_sorted = true, .bytes_column = 1, .ncolumns = 2 };
	size_t at = 0;

	*out = (struct csv_points){ 0 };
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (at < len) {
		const char *end = memchr(text + at, '\n', len - at);
		const size_t size = end ? (size_t)(end - (text + at)) : len - at;

		r.line++;
		if (!read_line(&r, text + at, size, err))
			return false;
		at += size + 1;
	}
	if (!r.is_sorted) {
		sort_points(out);
		drop_same_times(out);
	}
	return true;
}

void
csv_points_release(struct csv_points *out)
{
	free(out->items);
	*out = (struct csv_points){ 0 };
}

bool
csv_parse_bytes(const char *text, double *bytes)
{
	static const char units[] = "KMGTPE";
	const char *unit;
	char *end;
	double v = strtod(text, &end);

	if (end == text || !isfinite(v) || v < 0 || strpbrk(text, "xX"))
		return false;
	end += strspn(end, " ");
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit) {
		for (; unit >= units; unit--)
			v *= 1024;
		end++;
		if (*end == 'i')
			end++;
	}
	if (*end && strcasecmp(end, "B") != 0)
		return false;
	*bytes = v;
	return v <= most_bytes;
}
