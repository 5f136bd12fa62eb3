#include "config.h"

#include "model/waits_past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/load.h"

/* "CPU" is a type of its own there. */
static enum wait_class
class_of(const struct cell *type)
{
	return cell_is(type, wait_class_infos[WAIT_CPU].name) ? WAIT_CPU : wait_class_of(type);
}

static bool
is_only(const struct waits_only *only, const struct waits_past_row *r)
{
	if (!only || !only->is_set)
		return true;
	if (only->by == WAITS_CLASS)
		return strcmp(wait_class_infos[r->class].name, only->text) == 0;
	return strcmp(r->event, only->text) == 0;
}

static bool
may_join(enum waits_by by, const struct waits_only *only)
{
	return (by == WAITS_EVENT || by == WAITS_CLASS) &&
	    (!only || !only->is_set || only->by == WAITS_EVENT || only->by == WAITS_CLASS);
}

/* Where the window ends, and where in it the sampling begins. */
static void
find_times(struct waits_past *past, const struct snapshot *snap, double window_s)
{
	const struct series *series = &snap->series;
	const struct sample *s = snap->good[PROBE_CLOUD_LOAD];

	if (series->n) {
		const struct tick *first = series_tick(series, series_since(series, window_s));

		past->newest = (double)series_tick(series, series->n - 1)->at.us / 1e6;
		past->until = (double)first->at.us / 1e6;
		return;
	}
	past->newest = past->until = s ? (double)s->server_at.us / 1e6 : 0;
}

struct reading {
	struct waits_past *past;
	struct waits_past_row *rows;
	const struct waits_only *only;
	double from, last; /* last: the slice that was counted last */
};

static void
take(struct reading *g, const struct rowset *rs, struct arena *arena, double until)
{
	for (int i = 0; rs && i < rs->nrows; i++) {
		const struct cell *event = rowset_get(rs, i, "event");
		struct waits_past_row r = { .at = (double)cell_i64(rowset_get(rs, i, "time"), 0) /
			    1e6,
			.seconds = cell_num(rowset_get(rs, i, "seconds"), 0),
			.class = class_of(rowset_get(rs, i, "type")),
			.aas = cell_num(rowset_get(rs, i, "aas"), 0),
			.event = "" };
		double end = fmin(r.at + r.seconds, until);

		if (r.class == WAIT_CPU)
			r.event = wait_class_infos[WAIT_CPU].name;
		else if (event->type == CELL_TEXT)
			r.event = arena_strndup(arena, event->s, event->len);
		r.at = fmax(r.at, g->from);
		r.seconds = end - r.at;
		if (r.seconds <= 0)
			continue;
		if (r.at > g->last)
			g->past->seconds += r.seconds;
		g->last = fmax(g->last, r.at);
		if (!is_only(g->only, &r))
			r.aas = 0; /* the slice is known all the same */
		g->rows[g->past->n++] = r;
	}
}

void
waits_past_read(struct waits_past *past, struct arena *arena, const struct snapshot *snap,
    enum waits_by by, double window_s, const struct waits_only *only)
{
	const struct rowset *hours = snapshot_rows(snap, PROBE_CLOUD_LOAD_PAST),
	                    *minutes = snapshot_rows(snap, PROBE_CLOUD_LOAD);
	struct reading g = { .past = past, .only = only };
	int most = (hours ? hours->nrows : 0) + (minutes ? minutes->nrows : 0);
	double fine;

	memset(past, 0, sizeof(*past));
	if (!most || !may_join(by, only))
		return;
	find_times(past, snap, window_s);
	g.from = past->newest - window_s;
	g.rows = arena_alloc(arena, (size_t)most * sizeof(*g.rows));
	past->rows = g.rows;
	/* The finer slices where there are any. */
	fine = minutes && minutes->nrows ?
	    (double)cell_i64(rowset_get(minutes, 0, "time"), 0) / 1e6 :
	    past->until;
	take(&g, hours, arena, fmin(fine, past->until));
	take(&g, minutes, arena, past->until);
}

/* ---- groups */

static struct waits_group *
group_of(struct waits *w, const struct waits_past_row *r)
{
	for (int i = 0; i < w->n; i++)
		if (w->groups[i].class == r->class &&
		    (r->class == WAIT_CPU || strcmp(w->groups[i].event, r->event) == 0))
			return &w->groups[i];
	w->groups[w->n] = (struct waits_group){ .class = r->class, .event = r->event, .name = "" };
	return &w->groups[w->n++];
}

static int
by_aas(const void *a, const void *b)
{
	const struct waits_group *x = a, *y = b;

	return x->aas > y->aas ? -1 : x->aas < y->aas ? 1 : (int)x->class - (int)y->class;
}

/* Both parts count by their seconds. */
void
waits_past_join(struct waits *w, struct arena *arena, const struct waits_past *past)
{
	double all = w->seconds + past->seconds, share = all > 0 ? w->seconds / all : 0;
	struct waits_group *groups;

	if (!past->n || !(all > 0))
		return;
	groups = arena_alloc(arena, (size_t)(w->n + past->n) * sizeof(*groups));
	if (w->n)
		memcpy(groups, w->groups, (size_t)w->n * sizeof(*groups));
	w->groups = groups;
	w->aas *= share;
	for (int c = 0; c < WAIT_CLASS_COUNT; c++)
		w->by_class[c] *= share;
	for (int i = 0; i < w->n; i++) {
		groups[i].aas *= share;
		for (int c = 0; c < WAIT_CLASS_COUNT; c++)
			groups[i].by_class[c] *= share;
	}
	for (int i = 0; i < past->n; i++) {
		const struct waits_past_row *r = &past->rows[i];
		double aas = r->aas * r->seconds / all;
		struct waits_group *g;

		if (!(aas > 0))
			continue;
		g = group_of(w, r);
		g->aas += aas;
		g->by_class[r->class] += aas;
		w->aas += aas;
		w->by_class[r->class] += aas;
	}
	w->seconds = all;
	qsort(groups, (size_t)w->n, sizeof(*groups), by_aas);
}

/* ---- chart */

int
waits_past_chart(const struct waits_past *past, int width, int ncols, float *out)
{
	int64_t newest = (int64_t)past->newest / width;
	int first = 0;

	while (first < ncols && isnan(out[first * WAIT_CLASS_COUNT]))
		first++;
	for (int i = 0; i < past->n; i++) {
		const struct waits_past_row *r = &past->rows[i];

		/* The columns whose middle it covers. */
		for (int64_t slice = (int64_t)r->at / width;
		     (double)slice * width <= r->at + r->seconds; slice++) {
			double middle = ((double)slice + 0.5) * width;
			int64_t col = ncols - 1 - (newest - slice);
			float *v = out + col * WAIT_CLASS_COUNT;

			if (middle < r->at || middle >= r->at + r->seconds || col < 0 ||
			    col >= first)
				continue;
			if (isnan(v[0]))
				memset(v, 0, WAIT_CLASS_COUNT * sizeof(*v));
			v[r->class] += (float)r->aas;
		}
	}
	return past->n ? first : 0;
}
