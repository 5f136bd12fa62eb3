/*
 * How each thing grows, and when the whole is full. Sizes that were seen count first; where the
 * history is young the past is rebuilt (storage_past.c) and put before it.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/storage.h"
#include "model/storage_past.h"

static const double day_us = 86400e6;
static const double least_carried = 0.5, /* of the bytes, for a forecast from a rebuilt past */
    least_span = 0.25,                   /* days between two sizes that give a rate */
    young = 60,                          /* days of history below which the rebuilt past helps */
    small = 0.01,                        /* of the total: not worth a forecast of its own */
    foreign = 0.5; /* change since the history's last size that is another thing */

enum { REBUILT_DAYS = 365, ITEM_DAYS = 180 };

struct trend {
	const struct snapshot *snap;
	struct arena *arena;
	struct storage *s;
	struct storage_outlook *out;
	int64_t now_us;
	struct forecast_point **points; /* of each item, from the history */
	int *n, *cap;
};

/* Something that holds the tables whose past is rebuilt. */
struct rebuilt {
	const struct storage_outlook *out;
	double bytes; /* now */
};

/* ------------------------------------------------------------------ history */

static void
add_point(struct trend *t, int item, int64_t at_us, double bytes)
{
	if (t->n[item] == t->cap[item]) {
		struct forecast_point *grown;

		t->cap[item] = t->cap[item] ? 2 * t->cap[item] : 64;
		grown = arena_alloc(t->arena, (size_t)t->cap[item] * sizeof(*grown));
		if (t->n[item])
			memcpy(grown, t->points[item], (size_t)t->n[item] * sizeof(*grown));
		t->points[item] = grown;
	}
	t->points[item][t->n[item]++] = (struct forecast_point){ at_us, bytes };
}

/* Rows of the history, by item: objects mostly come in the same order each time, so the search
 * begins behind the last hit. */
static void
read_history(struct trend *t)
{
	const struct rowset *rs = snapshot_rows(t->snap, PROBE_SIZE_HISTORY);
	int time = rs ? rowset_col(rs, "time") : -1, object = rs ? rowset_col(rs, "object") : -1,
	    bytes = rs ? rowset_col(rs, "bytes") : -1, next = 0;

	if (time < 0 || object < 0 || bytes < 0)
		return;
	for (int i = 0; i < rs->nrows; i++) {
		const struct cell *name = rowset_cell(rs, i, object);

		for (int k = 0; k < t->s->n; k++) {
			int item = (next + k) % t->s->n;

			if (!t->s->items[item].object || !cell_is(name, t->s->items[item].object))
				continue;
			add_point(t, item, rowset_cell(rs, i, time)->i,
			    cell_num(rowset_cell(rs, i, bytes), NAN));
			next = item + 1;
			break;
		}
	}
}

/*
 * The size of now, behind those of the history. One that differs by more than half within two days
 * is not the same thing (another server, an imported file): then the history stands alone.
 */
static bool
add_now(struct trend *t, int item)
{
	double bytes = t->s->items[item].bytes;
	const struct forecast_point *last = t->n[item] ? &t->points[item][t->n[item] - 1] : NULL;

	if (isnan(bytes) || (last && t->s->at.us <= last->at_us))
		return false;
	if (last && (double)(t->s->at.us - last->at_us) < 2 * day_us &&
	    fabs(bytes - last->bytes) > foreign * fmax(last->bytes, bytes))
		return false;
	add_point(t, item, t->s->at.us, bytes);
	return true;
}

/* ------------------------------------------------------------------ items */

static void
take_forecast(struct storage_item *item, const struct forecast *f, enum storage_known known)
{
	item->rate = f->rate_bytes_per_day;
	item->known = known;
	for (int i = 0; i < FORECAST_HORIZONS; i++) {
		if (f->horizons[i].days == 30)
			item->in_30 = f->horizons[i].p50;
		else if (f->horizons[i].days == 90)
			item->in_90 = f->horizons[i].p50;
	}
}

/* What is small gets no paths: its growth over the last month, going on. */
static void
take_slope(struct storage_item *item, const struct forecast_point *p, int n)
{
	int first = n - 1;
	double days;

	while (first > 0 && (double)(p[n - 1].at_us - p[first - 1].at_us) <= 30 * day_us)
		first--;
	if (first == n - 1)
		first--;
	days = (double)(p[n - 1].at_us - p[first].at_us) / day_us;
	if (!(days > 0))
		return;
	item->rate = (p[n - 1].bytes - p[first].bytes) / days;
	item->in_30 = fmax(0, p[n - 1].bytes + 30 * item->rate);
	item->in_90 = fmax(0, p[n - 1].bytes + 90 * item->rate);
	item->known = KNOWN_HISTORY;
}

/* From sizes of the history; false when they are too few. */
static bool
trend_by_history(struct trend *t, int item)
{
	const struct forecast_point *p = t->points[item];
	int n = t->n[item];
	double span = n > 1 ? (double)(p[n - 1].at_us - p[0].at_us) / day_us : 0;
	struct forecast f;

	if (span < least_span)
		return false;
	if (p[n - 1].bytes < small * t->s->items[0].bytes) {
		take_slope(&t->s->items[item], p, n);
		return true;
	}
	/* Half a year tells a part as much as three do, in less time. */
	while (n > 1 && (double)(p[n - 1].at_us - p[0].at_us) > ITEM_DAYS * day_us) {
		p++;
		n--;
	}
	forecast_make(&(struct forecast_request){ .points = p, .n = n }, t->arena, &f);
	if (isnan(f.rate_bytes_per_day))
		f.rate_bytes_per_day = (p[n - 1].bytes - p[0].bytes) / span;
	take_forecast(&t->s->items[item], &f, KNOWN_HISTORY);
	return true;
}

/* Points of a rebuilt curve, a day apart, or closer where it is short. */
static int
sample_past(struct trend *t, int64_t begin_us, double (*bytes)(const void *, int64_t, int64_t),
    const void *of, struct forecast_point **points)
{
	double span = fmin(REBUILT_DAYS * day_us, (double)(t->now_us - begin_us)), step = day_us;
	int n;

	while (span / step < 14 && step > 3600e6)
		step /= 2;
	n = (int)(span / step);
	*points = arena_alloc(t->arena, (size_t)(n + 2) * sizeof(**points));
	for (int i = 0; i < n; i++) {
		int64_t at = t->now_us - (int64_t)((n - i) * step);

		(*points)[i] = (struct forecast_point){ at, bytes(of, at, t->now_us) };
	}
	return n;
}

static double
bytes_of_past(const void *of, int64_t at_us, int64_t now_us)
{
	return storage_past_bytes(of, at_us, now_us);
}

static bool
trend_by_past(struct trend *t, struct storage_item *item)
{
	const struct storage_past *past = NULL;
	struct forecast_point *points;
	struct forecast f;
	int n;

	for (int i = 0; i < t->out->npast; i++)
		if (strcmp(t->out->past[i].name, item->name) == 0)
			past = &t->out->past[i];
	if (!past || (!past->arrivals.n && !past->is_counted))
		return false;
	item->known = past->arrivals.n ? KNOWN_REBUILT : KNOWN_COUNTED;
	item->rate = past->rate;
	if (!past->arrivals.n) {
		item->in_30 = item->bytes + 30 * past->rate;
		item->in_90 = item->bytes + 90 * past->rate;
		return true;
	}
	n = sample_past(t, past->arrivals.points[0].at_us, bytes_of_past, past, &points);
	points[n++] = (struct forecast_point){ t->now_us, past->bytes };
	forecast_make(
	    &(struct forecast_request){ .points = points, .n = n, .nrebuilt = n }, t->arena, &f);
	if (isnan(f.rate_bytes_per_day))
		f.rate_bytes_per_day = past->rate;
	take_forecast(item, &f, KNOWN_REBUILT);
	return true;
}

/* What is not known to grow stays as it is. */
static double
bytes_of_rebuilt(const void *of, int64_t at_us, int64_t now_us)
{
	const struct rebuilt *r = of;
	double bytes = r->bytes;

	for (int i = 0; i < r->out->npast; i++)
		bytes -=
		    r->out->past[i].bytes - storage_past_bytes(&r->out->past[i], at_us, now_us);
	return fmax(0, bytes);
}

static bool
database_by_past(struct trend *t, struct storage_item *item)
{
	const struct rebuilt all = { t->out, item->bytes };
	int64_t begin = storage_past_begin(t->out, t->now_us);
	struct forecast_point *points;
	struct forecast f;
	int n;

	if (strcmp(item->name, t->snap->server.database) != 0 ||
	    !(t->out->carried_own >= least_carried) || t->now_us - begin < (int64_t)day_us)
		return false;
	n = sample_past(t, begin, bytes_of_rebuilt, &all, &points);
	points[n++] = (struct forecast_point){ t->now_us, item->bytes };
	forecast_make(
	    &(struct forecast_request){ .points = points, .n = n, .nrebuilt = n }, t->arena, &f);
	if (isnan(f.rate_bytes_per_day))
		return false;
	take_forecast(item, &f, KNOWN_REBUILT);
	return true;
}

/* Between the last two answers; a minute is the least, or a checkpoint would be sold as growth. */
static void
trend_measured(struct trend *t, struct storage_item *item, enum probe_id probe,
    const char *key_column, const char *column)
{
	const struct rowset *cur, *prev;
	double seconds, before = NAN;

	if (!snapshot_pair(t->snap, probe, &cur, &prev, &seconds) || seconds < 60)
		return;
	for (int i = 0; i < prev->nrows; i++)
		if (!key_column || cell_is(rowset_get(prev, i, key_column), item->name))
			before = cell_num(rowset_get(prev, i, column), NAN);
	if (isnan(before) || isnan(item->bytes))
		return;
	item->rate = (item->bytes - before) / seconds * 86400;
	item->known = KNOWN_MEASURED;
}

static void
trend_item(struct trend *t, int i)
{
	struct storage_item *item = &t->s->items[i];

	if (!item->object || isnan(item->bytes))
		return;
	(void)add_now(t, i);
	if (trend_by_history(t, i))
		return;
	switch (item->kind) {
	case STORAGE_TABLE:
		(void)trend_by_past(t, item);
		break;
	case STORAGE_DATABASE:
		if (!database_by_past(t, item))
			trend_measured(t, item, PROBE_SIZES, "datname", "size_bytes");
		break;
	case STORAGE_WAL:
		trend_measured(t, item, PROBE_STORAGE_WAL, NULL, "bytes");
		break;
	case STORAGE_TEMP:
		trend_measured(t, item, PROBE_STORAGE_TEMP, NULL, "bytes");
		break;
	case STORAGE_LOG:
		trend_measured(t, item, PROBE_STORAGE_LOG, NULL, "bytes");
		break;
	default:
		break;
	}
}

/* ------------------------------------------------------------------ total */

static void
request_full(const struct trend *t, double last, struct forecast_request *req,
    struct forecast_autoscale *autoscale)
{
	const struct storage_room *room = &t->s->room;

	/* Full when what is free now is used up, whatever else lies on the disk. */
	t->out->capacity = last + room->free;
	req->capacity_bytes = isnan(t->out->capacity) ? 0 : t->out->capacity;
	if (!room->is_autoscaling || !(room->max > 0) || !(req->capacity_bytes > 0))
		return;
	/* The rule of RDS: below 10 % free it adds 10 GiB or 10 %, at most each 6 hours. */
	*autoscale = (struct forecast_autoscale){ .max_bytes = room->max,
		.free_share = 0.10,
		.cooldown_s = 6 * 3600,
		.least_bytes = 10 * 0x1p30,
		.share = 0.10 };
	req->autoscale = autoscale;
}

/* Put the rebuilt past before a young history, shifted so that they join. */
static void
prepend_past(struct trend *t)
{
	struct forecast_point *past, *history = t->points[0];
	int n = t->n[0], k, kept = 0;
	int64_t begin = storage_past_begin(t->out, t->now_us);
	double shift;
	const struct rebuilt all = { t->out, t->s->items[0].bytes };

	if (!(t->out->carried >= least_carried) || t->now_us - begin < (int64_t)day_us)
		return;
	if (n > 1 && (double)(history[n - 1].at_us - history[0].at_us) > young * day_us)
		return;
	k = sample_past(t, begin, bytes_of_rebuilt, &all, &past);
	shift = n ? history[0].bytes - bytes_of_rebuilt(&all, history[0].at_us, t->now_us) : 0;
	for (int i = 0; i < k; i++) {
		past[i].bytes = fmax(0, past[i].bytes + shift);
		if (n == 0 || past[i].at_us < history[0].at_us)
			past[kept++] = past[i];
	}
	t->points[0] = arena_alloc(t->arena, (size_t)(kept + n) * sizeof(*past));
	memcpy(t->points[0], past, (size_t)kept * sizeof(*past));
	if (n)
		memcpy(t->points[0] + kept, history, (size_t)n * sizeof(*past));
	t->n[0] = kept + n;
	t->out->nrebuilt = kept;
}

/* Without a past there is a better reason than "too few points". */
static void
say_unknown(const struct trend *t)
{
	struct storage_outlook *o = t->out;
	const double hours = o->total.span_days * 24;

	if (!o->total.refused[0] || o->total.nhorizons > 0)
		return;
	if (t->s->is_waiting)
		snprintf(o->total.refused, sizeof(o->total.refused), "the sizes are being read");
	else if (isnan(t->s->items[0].bytes))
		snprintf(o->total.refused, sizeof(o->total.refused),
		    "the size of the databases is not known to this role");
	else if (o->nrebuilt == 0 && o->total.span_days >= 1)
		return;
	else if (o->nrebuilt == 0 && o->total.span_days * 1440 >= 1)
		snprintf(o->total.refused, sizeof(o->total.refused),
		    "the history of the sizes has %.*f %s only, and there is nothing to rebuild an older one from",
		    hours < 2 ? 0 : 1, hours < 2 ? hours * 60 : hours,
		    hours >= 2           ? "hours" :
		        hours * 60 < 1.5 ? "minute" :
		                           "minutes");
	else if (o->npast == 0 || isnan(o->carried))
		snprintf(o->total.refused, sizeof(o->total.refused),
		    "there is no history of the sizes yet, and nothing to rebuild one from");
	else if (o->carried < least_carried)
		snprintf(o->total.refused, sizeof(o->total.refused),
		    "there is no history of the sizes yet, and only %.0f %% of the bytes tell when they came",
		    100 * o->carried);
}

static void
trend_total(struct trend *t)
{
	struct forecast_request req = { 0 };
	struct forecast_autoscale autoscale;
	struct storage_item *total = &t->s->items[0];
	struct storage_outlook *o = t->out;

	if (!isnan(total->bytes)) {
		(void)add_now(t, 0);
		if (o->npast)
			prepend_past(t);
	}
	o->points = req.points = t->points[0];
	o->n = req.n = t->n[0];
	req.nrebuilt = o->nrebuilt;
	o->known = o->n == 0       ? KNOWN_NOT :
	    o->nrebuilt * 2 > o->n ? KNOWN_REBUILT :
	    o->n > 1               ? KNOWN_HISTORY :
	                             KNOWN_NOT;
	request_full(t, o->n ? req.points[o->n - 1].bytes : NAN, &req, &autoscale);
	forecast_make(&req, t->arena, &o->total);
	/* Minutes say nothing of days; that is not the same as no growth. */
	if (o->n > 0 && o->total.span_days < least_span)
		o->total.rate_bytes_per_day = NAN;
	say_unknown(t);
	if (!isnan(o->total.rate_bytes_per_day))
		take_forecast(total, &o->total, o->known);
}

void
storage_trends(const struct snapshot *snap, struct storage *s, struct arena *arena,
    struct storage_outlook *out)
{
	struct trend t = { .snap = snap,
		.arena = arena,
		.s = s,
		.out = out,
		.now_us = snap->taken_at.us,
		.points = arena_zalloc(arena, (size_t)s->n, sizeof(*t.points)),
		.n = arena_zalloc(arena, (size_t)s->n, sizeof(*t.n)),
		.cap = arena_zalloc(arena, (size_t)s->n, sizeof(*t.cap)) };

	*out = (struct storage_outlook){ .capacity = NAN, .carried = NAN, .carried_own = NAN };
	storage_past(snap, s, arena, out);
	read_history(&t);
	for (int i = 1; i < s->n; i++)
		trend_item(&t, i);
	trend_total(&t);
}
