#include "config.h"

#include "model/waits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"

const char *const waits_by_names[WAITS_BY_COUNT] = {
	[WAITS_EVENT] = "event",
	[WAITS_STATEMENT] = "statement",
	[WAITS_USER] = "user",
	[WAITS_APPLICATION] = "application",
	[WAITS_CLIENT] = "client",
	[WAITS_DATABASE] = "database",
	[WAITS_CLASS] = "class",
};

/* The text a load has in a dimension; 0 where that is not a text. */
static uint32_t
text_of(const struct load *load, enum waits_by by)
{
	switch (by) {
	case WAITS_EVENT:
		return load->event;
	case WAITS_USER:
		return load->user;
	case WAITS_APPLICATION:
		return load->application;
	case WAITS_CLIENT:
		return load->client;
	case WAITS_DATABASE:
		return load->database;
	case WAITS_STATEMENT:
	case WAITS_CLASS:
	case WAITS_BY_COUNT:
		break;
	}
	return 0;
}

static bool
is_only(const struct series *series, const struct waits_only *only, const struct load *load)
{
	if (!only || !only->is_set)
		return true;
	if (only->by == WAITS_STATEMENT)
		return load->query_id == only->query_id;
	if (only->by == WAITS_CLASS)
		return strcmp(wait_class_infos[load->wait_class].name, only->text) == 0;
	return strcmp(series_text(series, text_of(load, only->by)), only->text) == 0;
}

/* The first tick of all has no tick before it: it stands for a second. */
static double
tick_seconds(const struct tick *t)
{
	if (!(t->seconds > 0))
		return 1;
	return t->seconds < WAITS_MAX_SECONDS ? t->seconds : WAITS_MAX_SECONDS;
}

/* ------------------------------------------------------------------ groups */

struct part { /* the load of a group in one event */
	int group;
	uint8_t class;
	uint32_t event;
	double sum;
};

struct grouping {
	struct waits *w;
	struct arena *arena;
	const struct series *series;
	enum waits_by by;
	struct hmap groups, parts;
	struct part *part;
	int nparts, cap_parts, cap_groups;
};

static uint64_t
group_key(const struct grouping *g, const struct load *load)
{
	if (g->by == WAITS_STATEMENT)
		return (uint64_t)load->query_id;
	if (g->by == WAITS_CLASS)
		return load->wait_class;
	if (g->by == WAITS_EVENT)
		return (uint64_t)load->event << 8 | load->wait_class;
	return text_of(load, g->by);
}

static int
group_of(struct grouping *g, const struct load *load)
{
	uint64_t key = group_key(g, load), at;

	if (hmap_get(&g->groups, key, &at))
		return (int)at;
	hmap_put(&g->groups, key, (uint64_t)g->w->n);
	GROW(g->w->groups, g->w->n, g->cap_groups);
	g->w->groups[g->w->n] = (struct waits_group){
		.class = load->wait_class,
		.event = "",
		.name = series_text(g->series, text_of(load, g->by)),
		.query_id = g->by == WAITS_STATEMENT ? load->query_id : 0,
	};
	return g->w->n++;
}

static struct part *
part_of(struct grouping *g, int group, const struct load *load)
{
	uint64_t key = hash_u64((uint64_t)group, (uint64_t)load->event << 8 | load->wait_class), at;

	if (hmap_get(&g->parts, key, &at))
		return &g->part[at];
	hmap_put(&g->parts, key, (uint64_t)g->nparts);
	GROW(g->part, g->nparts, g->cap_parts);
	g->part[g->nparts] = (struct part){ group, load->wait_class, load->event, 0 };
	return &g->part[g->nparts++];
}

static void
add_load(struct grouping *g, const struct load *load, double seconds)
{
	int group = group_of(g, load);
	double sum = load->count * seconds;

	g->w->groups[group].aas += sum;
	g->w->groups[group].by_class[load->wait_class] += sum;
	g->w->aas += sum;
	g->w->by_class[load->wait_class] += sum;
	part_of(g, group, load)->sum += sum;
}

/* The largest part names the class and event of its group. */
static void
name_groups(struct grouping *g)
{
	double *most = arena_zalloc(g->arena, (size_t)g->w->n + 1, sizeof(*most));

	for (int i = 0; i < g->nparts; i++) {
		const struct part *p = &g->part[i];
		if (p->sum <= most[p->group])
			continue;
		most[p->group] = p->sum;
		g->w->groups[p->group].class = p->class;
		g->w->groups[p->group].event = series_text(g->series, p->event);
	}
}

static int
by_aas(const void *a, const void *b)
{
	const struct waits_group *x = a, *y = b;

	if (x->aas != y->aas)
		return x->aas > y->aas ? -1 : 1;
	if (x->class != y->class)
		return (int)x->class - (int)y->class;
	int r = strcmp(x->name, y->name);
	return r ? r : strcmp(x->event, y->event);
}

static void
average(struct waits *w)
{
	for (int i = 0; i < w->n; i++) {
		w->groups[i].aas /= w->seconds;
		for (int c = 0; c < WAIT_CLASS_COUNT; c++)
			w->groups[i].by_class[c] /= w->seconds;
	}
	w->aas /= w->seconds;
	for (int c = 0; c < WAIT_CLASS_COUNT; c++)
		w->by_class[c] /= w->seconds;
}

void
waits_build(struct waits *w, struct arena *arena, const struct series *series, enum waits_by by,
    double window_s, const struct waits_only *only)
{
	struct grouping g = { .w = w, .arena = arena, .series = series, .by = by };
	struct waits_group *groups;

	memset(w, 0, sizeof(*w));
	for (int i = series_since(series, window_s); i < series->n; i++) {
		const struct tick *t = series_tick(series, i);
		double seconds = tick_seconds(t);

		w->seconds += seconds;
		w->ticks++;
		for (int k = 0; k < t->nloads; k++)
			if (is_only(series, only, &t->loads[k]))
				add_load(&g, &t->loads[k], seconds);
	}
	if (w->n) {
		name_groups(&g);
		average(w);
		qsort(w->groups, (size_t)w->n, sizeof(*w->groups), by_aas);
		groups = w->groups;
		w->groups = arena_alloc(arena, (size_t)w->n * sizeof(*groups));
		memcpy(w->groups, groups, (size_t)w->n * sizeof(*groups));
		free(groups);
	}
	free(g.part);
	hmap_release(&g.groups);
	hmap_release(&g.parts);
}

/* ------------------------------------------------------------------ chart */

int
waits_chart(const struct series *series, double window_s, const struct waits_only *only, int ncols,
    float *out)
{
	int width = (int)ceil(window_s / (ncols > 0 ? ncols : 1));
	int64_t slice, newest;
	double seconds = 0;
	int at = -1;

	if (width < 1)
		width = 1;
	for (int i = 0; i < ncols * WAIT_CLASS_COUNT; i++)
		out[i] = NAN;
	if (!series->n || ncols < 1)
		return width;
	slice = (int64_t)width * 1000000;
	newest = series_tick(series, series->n - 1)->at.us / slice;
	for (int i = series_since(series, (double)width * ncols); i < series->n; i++) {
		const struct tick *t = series_tick(series, i);
		int64_t col = ncols - 1 - (newest - t->at.us / slice);
		double s = tick_seconds(t);
		float *v;

		if (col < 0 || col >= ncols)
			continue; /* a clock that was set back */
		v = out + col * WAIT_CLASS_COUNT;
		/* Running means: what was averaged over `seconds` so far gives way to the new. */
		if (at != (int)col || isnan(v[0])) {
			at = (int)col;
			seconds = 0;
			memset(v, 0, WAIT_CLASS_COUNT * sizeof(*v));
		}
		for (int c = 0; c < WAIT_CLASS_COUNT; c++)
			v[c] = (float)(v[c] * seconds / (seconds + s));
		seconds += s;
		for (int k = 0; k < t->nloads; k++)
			if (is_only(series, only, &t->loads[k]))
				v[t->loads[k].wait_class] +=
				    (float)(t->loads[k].count * s / seconds);
	}
	return width;
}
