/* Why statements got no advice, and the rows that tell of each statement. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "advice/report.h"

/* The widest scan that a statement makes. */
static const struct need *
largest_need(const struct statement *s)
{
	const struct need *best = NULL;

	for (int r = 0; s->needs && r < s->needs->n; r++) {
		if (!best || s->needs->rels[r].scan_cost > best->scan_cost)
			best = &s->needs->rels[r];
	}
	return best;
}

static const char *
cand_name(struct arena *arena, const struct cand *c)
{
	const char *s = arena_printf(arena, "%s (", c->table->name);

	for (int i = 0; i < c->nkeys; i++)
		s = arena_printf(arena, "%s%s%s", s, i ? ", " : "", c->keys[i]->name);
	return arena_printf(arena, "%s)", s);
}

/* The candidate that would have done most for it. */
static int
best_candidate(const struct search *sr, int statement, double *ratio)
{
	int best = -1;

	*ratio = 1;
	for (int i = 0; i < sr->oracle->cands->n; i++) {
		struct cand_set one = { 0 };
		double r;

		cand_put(&one, i);
		r = search_ratio(sr->oracle, statement, one);
		if (r < *ratio) {
			*ratio = r;
			best = i;
		}
	}
	return best;
}

static const char *
why_rejected(const struct search *sr, int i)
{
	struct statement *s = &sr->oracle->wl->items[i];
	struct arena *arena = &sr->oracle->wl->arena;
	const struct need *need = largest_need(s);
	double ratio;
	int best;

	if (s->is_rare)
		return arena_printf(
		    arena, "it ran %.0f times: too seldom to keep an index for it", s->calls);
	if (s->is_served)
		return arena_printf(arena,
		    "it reads %.0f pages a call, far less than its plan without values: an index serves it already",
		    s->blocks / fmax(s->calls, 1));
	if (!need)
		return "it reads no table of this database";
	if (cand_empty(&s->mine))
		return need->nconds || need->nsort ?
		    "an index that could serve it is there, or none could" :
		    "it wants whole tables: no index makes that less";
	best = best_candidate(sr, i, &ratio);
	if (best >= 0) {
		const struct cand *c = &sr->oracle->cands->items[best];

		s->wanted = cand_name(arena, c);
		s->before = statement_before(s);
		s->after = s->before * ratio;
		if (c->table->pages < 128)
			return "the table is small: it is read faster than an index";
		if (ratio > 0.55)
			return arena_printf(arena,
			    "it would still cost %.0f %%: most of what it reads is wanted",
			    ratio * 100);
		if (sr->writes[best] > s->weight * (1 - ratio))
			return "keeping the index up would cost more than it saves";
		return arena_printf(arena, "it would save %.2g %% of the workload: too little",
		    100 * s->weight * (1 - ratio));
	}
	return need->table->pages < 128 ?
	    "the table is small: it is read faster than an index" :
	    "the planner would use none of the indexes that were tried";
}

void
report_reasons(const struct search *sr)
{
	for (int i = 0; i < sr->oracle->wl->n; i++) {
		struct statement *s = &sr->oracle->wl->items[i];

		if (s->is_explained && cand_empty(&s->chosen) && !(s->after < s->before))
			s->rejected = why_rejected(sr, i);
	}
}

/* ---- rows ---- */

/* Bytes of a statement that are shown beside what is advised for it. */
enum { MAX_BEGINNING = 400 };

enum {
	S_KEY,
	S_QUERYID,
	S_WEIGHT,
	S_BEFORE,
	S_AFTER,
	S_LOW,
	S_HIGH,
	S_VERDICT,
	S_CANDIDATE,
	S_WHY,
	S_PLAN_ROWS,
	S_QUERY,
	S_COUNT
};

static const char *const names[S_COUNT] = { "advice_key", "queryid", "weight_pct", "before_cost",
	"after_cost", "low", "high", "verdict", "candidate", "why", "plan_rows", "query" };
static const uint8_t types[S_COUNT] = { CELL_TEXT, CELL_INT, CELL_FLOAT, CELL_FLOAT, CELL_FLOAT,
	CELL_FLOAT, CELL_FLOAT, CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_FLOAT, CELL_TEXT };

static struct cell
text(struct rowset *rs, const char *s)
{
	return s ? cell_text(arena_strdup(&rs->arena, s)) : cell_null(WHY_NONE);
}

/* Rows that the planner expects of a call, over the values it was planned for. */
static struct cell
plan_rows(const struct statement *s)
{
	double sum = 0;
	int n = 0;

	for (int i = 0; i < s->nsets; i++) {
		if (!s->plans[i])
			continue;
		sum += s->plans[i]->root->rows;
		n++;
	}
	return n ? cell_float(sum / n) : cell_null(WHY_NODATA);
}

/* The beginning of a statement, no character cut. */
static struct cell
beginning(struct rowset *rs, const char *s)
{
	size_t len = strlen(s);

	if (len > MAX_BEGINNING) {
		len = MAX_BEGINNING;
		while (len && ((unsigned char)s[len] & 0xc0) == 0x80)
			len--;
	}
	return len ? cell_text(arena_strndup(&rs->arena, s, len)) : cell_null(WHY_NONE);
}

static struct cell *
add_row(struct rowset *rs, const struct statement *s)
{
	struct cell *c = rowset_add(rs);

	c[S_QUERYID] = cell_int(s->queryid);
	c[S_WEIGHT] = cell_float(s->weight * 100);
	if (s->is_explained && s->before > 0) {
		c[S_BEFORE] = cell_float(s->before);
		c[S_AFTER] = cell_float(s->after);
	}
	c[S_CANDIDATE] = text(rs, s->wanted);
	c[S_QUERY] = beginning(rs, s->text);
	c[S_PLAN_ROWS] = s->is_explained ? plan_rows(s) : cell_null(WHY_NONE);
	return c;
}

static bool
helps(const struct advice_item *it, const struct statement *s)
{
	for (int i = 0; i < it->nstatements; i++) {
		if (it->statements[i] == s->queryid)
			return true;
	}
	return false;
}

struct rowset *
report_statements(struct advice_list *list, const struct workload *wl)
{
	struct rowset *rs = rowset_new(S_COUNT, names, types);

	for (int i = 0; i < wl->n; i++) {
		const struct statement *s = &wl->items[i];
		bool helped = false;
		struct cell *c;

		for (int k = 0; k < list->n; k++) {
			struct advice_item *it = &list->items[k];

			if (it->action != ADVICE_CREATE || !helps(it, s))
				continue;
			advice_item_key(list, it);
			c = add_row(rs, s);
			c[S_KEY] = text(rs, it->key);
			c[S_LOW] = cell_float(s->low);
			c[S_HIGH] = cell_float(s->high);
			c[S_VERDICT] = text(rs, "helps");
			helped = true;
		}
		if (helped)
			continue;
		c = add_row(rs, s);
		c[S_VERDICT] = text(rs, s->why_not ? "not explainable" : "rejected");
		c[S_WHY] = text(rs, s->why_not ? s->why_not : s->rejected);
	}
	return rs;
}
