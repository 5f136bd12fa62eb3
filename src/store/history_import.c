/*
 * CSV into the history: a column of moments and columns of figures or sizes. Read whole, ordered by
 * time, and written bucket by bucket: minutes where those are kept, else hours. The file may be
 * gigabytes of somebody's monitoring, so its size is bounded.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lexer.h"
#include "store/history_priv.h"

enum {
	MAX_COLUMNS = 64,
	MAX_VALUES = 50 * 1000 * 1000,
	MAX_LINE = 1 << 16, /* bytes; a longer one is no line of figures */
	BATCH_LINES = 2000, /* in one transaction */
	FUTURE_S = DAY,     /* a clock may be wrong by this */
};

struct import {
	struct history *h;
	const char *const *metrics;
	struct arena arena;
	struct {
		const char *name; /* of the metric, or of the object */
		bool is_metric;
		int64_t id;
	} columns[MAX_COLUMNS];
	int ncolumns;
	const char *separator;
	int64_t *times; /* seconds, per line */
	double *values; /* ncolumns per line; NAN: none */
	int *order;
	int n, cap;
	int64_t now, target, skipped;
	struct error *err; /* the first line that was skipped */
};

/* ------------------------------------------------------------------ lines */

/* Takes the next field of a line apart in place; false at the end. */
static bool
next_field(const char *separator, char **line, char **field)
{
	char *p = *line, *to;

	if (!p)
		return false;
	p += strspn(p, *separator == '\t' ? " " : " \t");
	if (*p == '"') {
		*field = to = ++p;
		while (*p && (*p != '"' || p[1] == '"')) {
			p += *p == '"';
			*to++ = *p++;
		}
		p += *p == '"';
		p += strcspn(p, separator);
	} else {
		*field = p;
		p += strcspn(p, separator);
		for (to = p; to > *field && strchr(" \t\r\n", to[-1]); to--)
			;
	}
	*line = *p ? p + 1 : NULL;
	*to = '\0';
	return true;
}

/* Epoch seconds may be milliseconds or microseconds as well. */
static bool
read_time(const char *text, int64_t *seconds)
{
	char *end;
	double v = strtod(text, &end);
	struct wall t;

	if (end != text && !*end && fabs(v) < 1e17 && !strpbrk(text, "xX")) {
		v = fabs(v) >= 1e14 ? v / 1e6 : fabs(v) >= 1e11 ? v / 1e3 : v;
		*seconds = (int64_t)floor(v);
		return true;
	}
	if (!*text || !wall_parse(text, &t))
		return false;
	*seconds = t.us / 1000000;
	return true;
}

static void
skip(struct import *im, int line, const char *what, const char *text)
{
	if (im->skipped++ == 0)
		error_set(im->err, ERR_FORMAT, "line %d: %s: %.60s", line, what, text);
}

static void
read_line(struct import *im, int number, char *line)
{
	double values[MAX_COLUMNS];
	char *field, *end;
	int64_t t;
	int n = 0;

	if (!next_field(im->separator, &line, &field) || (!*field && !line))
		return; /* an empty line */
	if (!read_time(field, &t)) {
		skip(im, number, "no time", field);
		return;
	}
	if (t < im->now - KEEP_SIZES || t > im->now + FUTURE_S) {
		skip(im, number, "older than three years, or in the future", field);
		return;
	}
	while (n < im->ncolumns && next_field(im->separator, &line, &field)) {
		values[n] = *field ? strtod(field, &end) : NAN;
		/* No size is negative; growth may be. */
		if (*field &&
		    (*end || !isfinite(values[n]) || strpbrk(field, "xX") ||
		        (values[n] < 0 && !im->columns[n].is_metric))) {
			skip(im, number, "no number", field);
			return;
		}
		n++;
	}
	for (; n < im->ncolumns; n++)
		values[n] = NAN;
	if (im->n == im->cap) {
		im->cap = im->cap ? im->cap * 2 : 1024;
		im->times = xrealloc(im->times, (size_t)im->cap, sizeof(*im->times));
		im->values = xrealloc(
		    im->values, (size_t)im->cap * (size_t)im->ncolumns, sizeof(*im->values));
	}
	im->times[im->n] = t;
	memcpy(im->values + (size_t)im->n++ * (size_t)im->ncolumns, values,
	    (size_t)im->ncolumns * sizeof(*values));
}

/* Words that are no metric are objects when they look like one. */
static bool
is_object(const char *name)
{
	static const char *const plain[] = { "total", "tables", "indexes", "toast", "wal", "slots",
		"temp", "log", "logs", "free", "capacity", "other" };

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (strcmp(plain[i], name) == 0)
			return true;
	return strchr(name, ':') != NULL;
}

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcasecmp(*names, name) == 0)
			return true;
	return false;
}

/* The names that `pgmedic forecast` takes too. */
static bool
read_header(struct import *im, char *line, struct error *err)
{
	static const char *const times[] = { "time", "timestamp", "ts", "date", "datetime", "at",
		NULL };
	static const char *const totals[] = { "bytes", "size", "size_bytes", "value", NULL };
	char *field;

	if (!next_field(im->separator, &line, &field) || !is_one_of(field, times)) {
		error_set(err, ERR_FORMAT, "the first line is no header that begins with \"time\"");
		return error_hint(
		    err, "Write time,bytes or time and names of figures, such as time,tps,active.");
	}
	while (next_field(im->separator, &line, &field)) {
		const char *name = is_one_of(field, totals) ? "total" : field, *near;
		bool is_metric = false;

		for (int i = 0; im->metrics[i]; i++)
			is_metric = is_metric || strcmp(im->metrics[i], name) == 0;
		if (im->ncolumns == MAX_COLUMNS)
			return error_set(
			    err, ERR_FORMAT, "more than %d columns of values", MAX_COLUMNS);
		if (!is_metric && !is_object(name)) {
			near = nearest_name(name, im->metrics);
			error_set(err, ERR_FORMAT, "\"%s\" is neither a figure nor a size", name);
			return near ? error_hint(err, "The nearest is %s.", near) :
			              error_hint(err,
			                  "Sizes are total, wal, temp, log, capacity, "
			                  "database:NAME, table:DB.SCHEMA.NAME.");
		}
		im->columns[im->ncolumns].is_metric = is_metric;
		im->columns[im->ncolumns++].name = arena_strdup(&im->arena, name);
	}
	return im->ncolumns > 0 ||
	    error_set(err, ERR_FORMAT, "the header names no column but the time");
}

/* The header; a file without one is moments and sizes. */
static bool
read_first(struct import *im, char *line, struct error *err)
{
	struct arena arena = { 0 };
	char *copy, *first;
	int64_t t;
	bool is_line;

	if (strncmp(line, "\xef\xbb\xbf", 3) == 0)
		line += 3;
	im->separator = strchr(line, ',') ? "," : strchr(line, ';') ? ";" : "\t";
	copy = arena_strdup(&arena, line);
	is_line = next_field(im->separator, &copy, &first) && read_time(first, &t) && copy &&
	    !strpbrk(copy, im->separator);
	arena_release(&arena);
	if (!is_line)
		return read_header(im, line, err);
	im->columns[im->ncolumns++].name = "total";
	read_line(im, 1, line);
	return true;
}

/* The next line without its end into line, of MAX_LINE bytes; false at the end of the file. What is
 * too long, or holds a NUL, is read over: *is_bad. */
static bool
next_line(FILE *f, char *line, bool *is_bad)
{
	size_t n = 0;
	int c;

	*is_bad = false;
	while ((c = getc_unlocked(f)) != EOF && c != '\n') {
		*is_bad = *is_bad || c == '\0' || n + 1 == MAX_LINE;
		if (!*is_bad)
			line[n++] = (char)c;
	}
	line[n] = '\0';
	return c != EOF || n > 0 || *is_bad;
}

static bool
read_file(struct import *im, const char *path, struct error *err)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *line = xmalloc(MAX_LINE);
	int number = 1;
	bool ok, is_bad;

	if (!f) {
		free(line);
		return error_set(err, ERR_FILE, "cannot open %s: %s", path, strerror(errno));
	}
	if (!next_line(f, line, &is_bad))
		ok = error_set(err, ERR_FORMAT, "%s is empty", path);
	else if (is_bad)
		ok = error_set(err, ERR_FORMAT, "line 1 of %s is no text", path);
	else
		ok = read_first(im, line, err);
	while (ok && next_line(f, line, &is_bad)) {
		number++;
		if (is_bad)
			skip(im, number, "no text", line);
		else
			read_line(im, number, line);
		if ((int64_t)im->n * im->ncolumns >= MAX_VALUES)
			ok = error_set(
			    err, ERR_MEMORY, "%s has more than %d values", path, MAX_VALUES);
	}
	if (ok && ferror(f))
		ok = error_set(err, ERR_FILE, "cannot read %s: %s", path, strerror(errno));
	free(line);
	if (f != stdin)
		fclose(f);
	return ok;
}

/* ------------------------------------------------------------------ writing */

static int
step_of(const struct import *im, int64_t t)
{
	return t < bucket_of(im->now - KEEP_MINUTES, HOUR) ? HOUR : MINUTE;
}

static double
value_at(const struct import *im, int place, int column)
{
	return im->values[(size_t)im->order[place] * (size_t)im->ncolumns + (size_t)column];
}

/* The figures of lines [from, to), which are of one bucket, in place of what is there. */
static bool
put_figures(struct import *im, int from, int to, struct error *err)
{
	int64_t time = im->times[im->order[from]];
	int step = step_of(im, time);
	struct figures f;
	bool any = false;

	if (!figures_get(im->h, im->target, step, bucket_of(time, step), &f, err))
		return false;
	for (int c = 0; c < im->ncolumns; c++) {
		bool is_first = true;

		for (int i = from; i < to && im->columns[c].is_metric; i++) {
			float v = (float)value_at(im, i, c);

			if (isnan(v) || isinf(v))
				continue;
			if (is_first)
				figures_remove(&f, (int)im->columns[c].id);
			is_first = false;
			any = true;
			figures_add(&f, (struct figure){ (int)im->columns[c].id, 1, v, v, v });
		}
	}
	return !any || figures_put(im->h, im->target, step, bucket_of(time, step), &f, err);
}

static bool
put_sizes(struct import *im, int place, struct error *err)
{
	for (int c = 0; c < im->ncolumns; c++) {
		double bytes = value_at(im, place, c);
		sqlite3_stmt *st;

		if (im->columns[c].is_metric || isnan(bytes) || bytes > 0x1p62)
			continue;
		st = history_sql(im->h, SQL_SIZE_PUT, err);
		if (!st)
			return false;
		sqlite3_bind_int64(st, 1, im->target);
		sqlite3_bind_int64(st, 2, im->columns[c].id);
		sqlite3_bind_int64(st, 3, im->times[im->order[place]]);
		sqlite3_bind_int64(st, 4, (int64_t)bytes);
		if (!history_run(im->h, st, err))
			return false;
	}
	return true;
}

/* In each transaction anew: another program may have forgotten the target or dropped the names. */
static bool
find_ids(struct import *im, const char *target, struct error *err)
{
	im->target =
	    history_target_id(im->h, target, 0, im->times[im->order[im->n - 1]], false, err);
	if (!im->target)
		return false;
	for (int c = 0; c < im->ncolumns; c++) {
		im->columns[c].id = im->columns[c].is_metric ?
		    history_metric_id(im->h, im->columns[c].name, true, err) :
		    history_object_id(im->h, im->columns[c].name, err);
		if (!im->columns[c].id)
			return false;
	}
	return true;
}

/* Lines from `*from` on, as many whole buckets as make a transaction. */
static bool
write_batch(struct import *im, int *from, struct error *err)
{
	int start = *from, at = start;
	bool ok = true;

	while (ok && at < im->n && at - start < BATCH_LINES) {
		int64_t t = im->times[im->order[at]];
		int step = step_of(im, t), end = at;

		for (; end < im->n && ok; end++) {
			int64_t next = im->times[im->order[end]];

			if (step_of(im, next) != step ||
			    bucket_of(next, step) != bucket_of(t, step))
				break;
			ok = put_sizes(im, end, err);
		}
		ok = ok && put_figures(im, at, end, err);
		at = end;
	}
	*from = at;
	return ok;
}

static bool
write_all(struct import *im, const char *target, struct error *err)
{
	bool ok = true;
	int at = 0;

	while (ok && at < im->n) {
		ok = history_begin(im->h, err);
		if (ok)
			ok = history_end(
			    im->h, find_ids(im, target, err) && write_batch(im, &at, err), err);
	}
	return ok;
}

static int
by_time(const void *a, const void *b, void *arg)
{
	const struct import *im = arg;
	int x = *(const int *)a, y = *(const int *)b;

	if (im->times[x] != im->times[y])
		return im->times[x] < im->times[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

bool
history_import(struct history *h, const char *target, const char *path, const char *const *metrics,
    int64_t *rows, int64_t *skipped, struct error *err)
{
	struct error first = { 0 };
	struct import im = {
		.h = h, .metrics = metrics, .now = wall_now().us / 1000000, .err = &first
	};
	bool ok = read_file(&im, path, err);

	if (ok && im.n > 0) {
		im.order = xcalloc((size_t)im.n, sizeof(*im.order));
		for (int i = 0; i < im.n; i++)
			im.order[i] = i;
		qsort_r(im.order, (size_t)im.n, sizeof(*im.order), by_time, &im);
		ok = write_all(&im, target, err);
	}
	*rows = ok ? im.n : 0;
	*skipped = im.skipped;
	if (ok)
		*err = first;
	free(im.order);
	free(im.times);
	free(im.values);
	arena_release(&im.arena);
	return ok;
}
