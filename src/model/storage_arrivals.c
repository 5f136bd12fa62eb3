/*
 * Arrival curves from statistics.
 *
 * A histogram of n bounds holds 1/(n-1) of its rows between two neighbours, so the bounds of a
 * created_at column are the arrival curve of the rows that are left, to within a bound's share and
 * the error of ANALYZE's sample (30,000 rows: about 0.6 %). Most common values are not in the
 * histogram; they are steps of known height.
 *
 * What the curve cannot tell is what was deleted: a table that keeps 30 days looks like one that
 * began 30 days ago. So every sign of deletion refuses it: the counter of deleted rows, and a
 * serial key whose range is wider than the rows. And a column that is not the time of arrival
 * (updated, due, born) would give a curve of something else: names, defaults, physical order and
 * the counter of updates decide.
 */
#include "config.h"

#include "model/storage_arrivals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/fmt.h"

static const int64_t day_us = INT64_C(86400) * 1000000;
static const int64_t oldest_us = INT64_C(631152000) * 1000000; /* 1990: before it: placeholders */

enum {
	MIN_BOUNDS = 11,   /* fewer tell the shape too coarsely */
	STEP_SHARE = 20,   /* percent of the rows at one moment that are worth telling */
	LOADED_SHARE = 50, /* and that make the curve one of the load, not of arrival */
};
static const double deleted_share = 0.03, stale_share = 0.10, updated_share = 0.05,
                    rewritten_share = 0.20, gap_share = 0.10, null_share = 0.05, ahead_share = 0.01,
                    ordered = 0.9;

/* ------------------------------------------------------------------ names */

static bool
has_part(const char *name, const char *const *parts)
{
	for (; *parts; parts++)
		if (strcasestr(name, *parts))
			return true;
	return false;
}

static bool
is_update_name(const char *name)
{
	static const char *const parts[] = { "updat", "modif", "chang", "touch", "last", "seen",
		"sync", "refresh", "access", "visit", "login", "edit", NULL };

	return has_part(name, parts);
}

static bool
is_other_name(const char *name)
{
	static const char *const parts[] = { "expir", "due", "start", "end", "begin", "valid",
		"birth", "born", "dob", "sched", "deliver", "ship", "paid", "publi", "delet",
		"cancel", "finish", "complet", "process", "until", "next", "effective", "closed",
		"resolv", "sent", "approv", "confirm", "verif", "archiv", "hire", "depart", "arriv",
		NULL };

	return has_part(name, parts);
}

static bool
is_arrival_name(const char *name)
{
	static const char *const parts[] = { "creat", "insert", "added", "occur", "event", "log",
		"record", "receiv", "order", "regist", "sign", "post", "ingest", "load", "import",
		"captur", "measur", "observ", "tracked", "happen", "ctime", "crdate", NULL };

	return has_part(name, parts);
}

/* Names that say nothing but that it is a time. */
static bool
is_plain_name(const char *name)
{
	static const char *const names[] = { "ts", "t", "at", "time", "date", "day", "timestamp",
		"datetime", "when", "dt", "tstamp", "stamp", "d", "moment", NULL };

	for (int i = 0; names[i]; i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

int
arrivals_score(const struct arrival_column *c)
{
	int score = 0;

	if (!c->is_readable)
		score -= 1;
	if (is_update_name(c->name))
		score -= 8;
	else if (is_other_name(c->name))
		score -= 5;
	else if (is_arrival_name(c->name))
		score += 4;
	else if (is_plain_name(c->name))
		score += 2;
	score += c->is_default_now ? 3 : 0;
	score += c->is_not_null ? 1 : 0;
	score += c->correlation > ordered ? 2 : 0;
	return score;
}

/* ------------------------------------------------------------------ guards */

static bool PRINTF_LIKE(3, 4) refuse(struct arrivals *out, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out->why, sizeof(out->why), fmt, ap);
	va_end(ap);
	snprintf(out->hint, sizeof(out->hint), "%s", hint);
	out->confidence = CONFIDENCE_NONE;
	return false;
}

static void PRINTF_LIKE(2, 3) doubt(struct arrivals *out, const char *fmt, ...)
{
	va_list ap;

	out->confidence = CONFIDENCE_LOW;
	if (out->why[0])
		return;
	va_start(ap, fmt);
	vsnprintf(out->why, sizeof(out->why), fmt, ap);
	va_end(ap);
}

/* A share of the rows there were at the last analyze; 0 when unknown. */
static double
share_of(double n, const struct arrival_table *t)
{
	return isnan(n) || !(t->rows > 0) ? 0 : n / t->rows;
}

static bool
check_column(const struct arrival_column *c, const struct arrival_table *t, struct arrivals *out)
{
	bool is_likely = is_arrival_name(c->name) || c->is_default_now;

	if (!c->is_readable)
		return refuse(out, "GRANT pg_read_all_data (from 14 on), or SELECT on the table.",
		    "the statistics of %s are hidden from this role", c->name);
	if (c->nbounds == 0 && c->nvalues == 0)
		return refuse(out, "ANALYZE the table.", "%s has no statistics", c->name);
	if (is_update_name(c->name))
		return refuse(
		    out, "", "%s is the time of the last change, not of arrival", c->name);
	if (is_other_name(c->name) && !c->is_default_now)
		return refuse(out, "", "%s is not the time of arrival by its name", c->name);
	if (c->null_share > null_share)
		return refuse(
		    out, "", "%s is NULL in %.0f %% of the rows", c->name, 100 * c->null_share);
	if (!is_likely && !is_plain_name(c->name) && !(fabs(c->correlation) >= ordered))
		return refuse(out, "", "rows do not lie in the order of %s", c->name);
	if (!is_arrival_name(c->name) &&
	    share_of(t->upd, t) > (is_likely ? rewritten_share : updated_share))
		return refuse(out, "", "rows are updated, which may have changed %s", c->name);
	if (!(fabs(c->correlation) >= 0.5))
		doubt(out, "rows do not lie in the order of %s", c->name);
	return true;
}

/* Rows that were deleted are missing from the curve. */
static bool
check_deleted(const struct arrival_table *t, struct arrivals *out)
{
	double keys = t->key_max - t->key_min + 1;
	bool is_whole = t->ins >= 0.97 * t->rows; /* all its rows came under the counters' eyes */

	if (share_of(t->del, t) > deleted_share)
		return refuse(out, "",
		    "%.0f %% of its rows were deleted: what is left does not tell how it grew",
		    100 * t->del / (t->rows + t->del));
	if (is_whole && !isnan(t->del))
		return true;
	if (keys > 1 && (t->rows < (1 - gap_share) * keys || t->key_min - 1 > gap_share * keys))
		return refuse(
		    out, "", "its keys have gaps: rows were deleted before the counters began");
	if (!(keys > 1))
		doubt(out, "whether rows were deleted before the statistics were reset is unknown");
	return true;
}

/* Rows that came after the last analyze are missing from the histogram. */
static bool
check_stale(const struct arrival_table *t, struct arrivals *out)
{
	double grown = isnan(t->live) ? 0 : fabs(share_of(t->live - t->rows, t));
	double changed = share_of(t->changed, t);

	if (grown > stale_share || (changed > stale_share && grown > deleted_share))
		return refuse(out, "ANALYZE the table.",
		    "its statistics are stale: %.0f %% of the rows changed since",
		    100 * fmax(grown, changed));
	if (t->analyzed_us == 0)
		doubt(out, "when it was analyzed is unknown");
	return true;
}

/* ------------------------------------------------------------------ the curve */

struct mass {
	int64_t at_us;
	double share;
};

static int
by_time(const void *a, const void *b)
{
	int64_t x = ((const struct mass *)a)->at_us, y = ((const struct mass *)b)->at_us;

	return x < y ? -1 : x > y;
}

static bool
is_sane(int64_t us, int64_t now_us)
{
	return us >= oldest_us && us <= now_us + day_us;
}

/* Share of the rows that lie ahead of now, and before 1990. */
static void
count_odd(const struct arrival_column *c, int64_t now_us, double histogram, double *ahead,
    double *placeholder)
{
	*ahead = *placeholder = 0;
	for (int i = 0; i < c->nvalues; i++) {
		double share = (double)c->ppb[i] / 1e9;

		*ahead += c->values[i] > now_us + day_us ? share : 0;
		*placeholder += c->values[i] < oldest_us ? share : 0;
	}
	for (int i = 0; i < c->nbounds; i++) {
		double share = histogram / c->nbounds;

		*ahead += c->bounds[i] > now_us + day_us ? share : 0;
		*placeholder += c->bounds[i] < oldest_us ? share : 0;
	}
}

/* The share of the histogram's rows that came up to a moment. */
static double
histogram_share(const int64_t *bounds, int n, int64_t at_us)
{
	int low = 0, high = n - 1;

	if (n < 2 || at_us < bounds[0])
		return 0;
	if (at_us >= bounds[n - 1])
		return 1;
	while (high - low > 1) {
		int mid = (low + high) / 2;

		if (bounds[mid] <= at_us)
			low = mid;
		else
			high = mid;
	}
	return (low + (double)(at_us - bounds[low]) / (double)(bounds[high] - bounds[low])) /
	    (n - 1);
}

/* Knots of the curve: every bound and every common value, in order. */
static void
make_curve(const struct arrival_column *c, const struct arrival_table *t, double histogram,
    struct arena *arena, struct arrivals *out)
{
	/* A date stands for its whole day. */
	int64_t width = c->is_date ? day_us : 0;
	struct mass *masses = arena_alloc(arena, (size_t)(c->nvalues + 1) * sizeof(*masses));
	int nmasses = 0, mass = 0;
	double total = histogram, common = 0;

	for (int i = 0; i < c->nvalues; i++)
		if (is_sane(c->values[i], t->now_us)) {
			masses[nmasses++] = (struct mass){ c->values[i], (double)c->ppb[i] / 1e9 };
			total += masses[nmasses - 1].share;
		}
	qsort(masses, (size_t)nmasses, sizeof(*masses), by_time);
	out->points =
	    arena_alloc(arena, (size_t)(c->nbounds + 2 * c->nvalues + 2) * sizeof(*out->points));
	/* Merge the two sorted lists; a mass makes a knot before and after it. */
	for (int i = 0; i < c->nbounds || mass < nmasses;) {
		bool is_mass =
		    mass < nmasses && (i >= c->nbounds || masses[mass].at_us <= c->bounds[i]);
		int64_t at = is_mass ? masses[mass].at_us : c->bounds[i];

		if (is_sane(at, t->now_us)) {
			double share = histogram * histogram_share(c->bounds, c->nbounds, at);

			if (is_mass)
				out->points[out->n++] =
				    (struct arrival_point){ at, (share + common) / total };
			common += is_mass ? masses[mass].share : 0;
			out->points[out->n++] =
			    (struct arrival_point){ at + width, (share + common) / total };
		}
		if (is_mass)
			mass++;
		else
			i++;
	}
	for (int i = 0; i < out->n; i++)
		if (out->points[i].at_us > t->now_us)
			out->points[i].at_us = t->now_us;
}

/* One moment that holds much of the table: told; as the first and long before the rest: unknown. */
static bool
check_steps(const struct arrival_column *c, const struct arrival_table *t, struct arrivals *out)
{
	char when[40];

	for (int i = 0; i < c->nvalues; i++) {
		double percent = (double)c->ppb[i] / 1e7;
		int64_t first = c->nbounds ? c->bounds[0] : INT64_MAX,
		        last = c->nbounds ? c->bounds[c->nbounds - 1] : INT64_MIN;
		bool is_first = c->values[i] < first;

		for (int k = 0; k < c->nvalues; k++)
			is_first = is_first && c->values[k] >= c->values[i];
		if (is_first && percent > 100 * null_share && first != INT64_MAX &&
		    first - c->values[i] > 2 * (last - first))
			return refuse(out, "", "%.0f %% of the rows carry a placeholder in %s",
			    percent, c->name);
		if (percent >= LOADED_SHARE && !(is_first && first != INT64_MAX))
			return refuse(out, "",
			    "%.0f %% of its rows carry one moment: loaded or filled in at once",
			    percent);
		if (percent >= STEP_SHARE && is_sane(c->values[i], t->now_us))
			doubt(out, "%.0f %% of its rows came at one moment, %.10s", percent,
			    wall_rfc3339((struct wall){ c->values[i] }, when, sizeof(when)));
	}
	return true;
}

void
arrivals_of_column(const struct arrival_column *c, const struct arrival_table *t,
    struct arena *arena, struct arrivals *out)
{
	double common = 0, histogram, ahead, placeholder;

	*out = (struct arrivals){ .column = c->name, .confidence = CONFIDENCE_MEDIUM };
	if (!check_column(c, t, out) || !check_deleted(t, out) || !check_stale(t, out))
		return;
	for (int i = 0; i < c->nvalues; i++)
		common += (double)c->ppb[i] / 1e9;
	histogram = c->nbounds >= 2 ? fmax(0, 1 - c->null_share - common) : 0;
	count_odd(c, t->now_us, histogram, &ahead, &placeholder);
	if (ahead > ahead_share)
		(void)refuse(
		    out, "", "%s lies ahead of now in %.0f %% of the rows", c->name, 100 * ahead);
	else if (placeholder > null_share)
		(void)refuse(out, "", "%.0f %% of the rows carry a placeholder in %s",
		    100 * placeholder, c->name);
	else if (histogram > 0.5 && c->nbounds < MIN_BOUNDS)
		(void)refuse(out, "Raise its statistics target and ANALYZE.",
		    "the histogram of %s has only %d bounds", c->name, c->nbounds);
	else if (check_steps(c, t, out))
		make_curve(c, t, histogram, arena, out);
	if (out->confidence != CONFIDENCE_NONE && out->n < 2)
		(void)refuse(out, "", "all rows carry the same %s", c->name);
	if (out->confidence == CONFIDENCE_NONE) {
		out->points = NULL;
		out->n = 0;
	}
}

double
arrivals_share(const struct arrivals *a, int64_t at_us)
{
	int low = 0, high = a->n - 1;

	if (a->n == 0 || at_us < a->points[0].at_us)
		return 0;
	if (at_us >= a->points[high].at_us)
		return a->points[high].share;
	while (high - low > 1) {
		int mid = (low + high) / 2;

		if (a->points[mid].at_us <= at_us)
			low = mid;
		else
			high = mid;
	}
	const struct arrival_point *l = &a->points[low], *h = &a->points[high];
	return h->at_us > l->at_us ? l->share +
	        (h->share - l->share) * (double)(at_us - l->at_us) / (double)(h->at_us - l->at_us) :
	                             h->share;
}

/* ------------------------------------------------------------------ partitions */

static int
by_from(const void *a, const void *b)
{
	int64_t x = ((const struct arrival_partition *)a)->from_us,
	        y = ((const struct arrival_partition *)b)->from_us;

	return x < y ? -1 : x > y;
}

static int
by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Median bytes a day of the partitions whose time is over, but for the first one. */
static double
median_rate(const struct arrival_partition *p, int n, int64_t now_us, struct arena *arena)
{
	double *rates = arena_alloc(arena, (size_t)(n + 1) * sizeof(*rates));
	int k = 0;

	for (int i = 1; i < n; i++)
		if (p[i].to_us <= now_us && p[i].to_us > p[i].from_us)
			rates[k++] =
			    p[i].bytes * (double)day_us / (double)(p[i].to_us - p[i].from_us);
	qsort(rates, (size_t)k, sizeof(*rates), by_number);
	return k ? rates[k / 2] : NAN;
}

void
arrivals_of_partitions(
    struct arrival_partition *p, int n, int64_t now_us, struct arena *arena, struct arrivals *out)
{
	double total = 0, sum = 0, usual, first;
	int kept = 0;

	*out = (struct arrivals){ .confidence = CONFIDENCE_MEDIUM };
	qsort(p, (size_t)n, sizeof(*p), by_from);
	for (int i = 0; i < n; i++)
		if (p[i].from_us < now_us && p[i].to_us != INT64_MAX)
			p[kept++] = p[i];
	n = kept;
	if (n < 3) {
		(void)refuse(out, "", "it has only %d partitions with data", n);
		return;
	}
	usual = median_rate(p, n, now_us, arena);
	if (p[0].from_us == INT64_MIN) {
		p[0].from_us = p[0].to_us - (p[1].to_us - p[1].from_us);
	} else {
		first = p[0].bytes * (double)day_us / (double)(p[0].to_us - p[0].from_us);
		if (first > 0.5 * usual) {
			(void)refuse(out, "A history of a few days will tell.",
			    "older partitions may have been dropped: what came is known, what it grew is not");
			return;
		}
	}
	for (int i = 0; i < n; i++)
		total += p[i].bytes;
	out->points = arena_alloc(arena, (size_t)(2 * n) * sizeof(*out->points));
	for (int i = 0; i < n && total > 0; i++) {
		int64_t to = p[i].to_us < now_us ? p[i].to_us : now_us;

		out->points[out->n++] = (struct arrival_point){ p[i].from_us, sum / total };
		sum += p[i].bytes;
		out->points[out->n++] = (struct arrival_point){ to, sum / total };
	}
}

/* One value of a bound: 'a time' in quotes, MINVALUE or MAXVALUE. */
static bool
read_value(const char *text, const char *end, int64_t *us)
{
	char buf[64];
	struct wall at;
	const char *quote;

	if (strncmp(text, "MINVALUE", 8) == 0 || strncmp(text, "MAXVALUE", 8) == 0) {
		*us = text[1] == 'I' ? INT64_MIN : INT64_MAX;
		return true;
	}
	if (*text != '\'')
		return false;
	text++;
	quote = memchr(text, '\'', (size_t)(end - text));
	if (!quote || quote - text >= (int)sizeof(buf))
		return false;
	memcpy(buf, text, (size_t)(quote - text));
	buf[quote - text] = '\0';
	if (!wall_parse(buf, &at))
		return false;
	*us = at.us;
	return true;
}

bool
arrivals_bound(const char *text, size_t len, int64_t *from_us, int64_t *to_us)
{
	static const char head[] = "FOR VALUES FROM (", middle[] = ") TO (";
	const char *end = text + len, *to;

	if (len <= sizeof(head) || memcmp(text, head, sizeof(head) - 1) != 0)
		return false;
	text += sizeof(head) - 1;
	to = memmem(text, (size_t)(end - text), middle, sizeof(middle) - 1);
	if (!to)
		return false;
	return read_value(text, end, from_us) && read_value(to + sizeof(middle) - 1, end, to_us) &&
	    *from_us < *to_us;
}
