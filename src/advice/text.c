/*
 * What a condition could use besides a plain B-tree: `lower(x) = …` an index on the expression,
 * documents and arrays GIN, patterns in the middle of texts trigrams, `x IS NULL` and flags that
 * few rows have a partial index.
 */
#include "config.h"

#include "advice/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "advice/model.h"
#include "advice/text_priv.h"
#include "advice/writecost.h"

enum { MAX_PROPOSALS = 64 };

/* As in the search: of the workload, and what a statement must fall to; MARGIN: of what it falls to
 * with a chosen B-tree, since this is a model beside the planner. */
static const double MIN_SAVING = 0.002, MAX_RATIO = 0.55, MARGIN = 0.3;

/* ---- what it saves ---- */

/* Share of the table that a call brought back, where that can be seen; 0: it cannot. */
static double
seen_share(const struct statement *s, const struct need *need)
{
	const struct plan_node *root = s->plans[0]->root;

	while (root->nkids == 1 &&
	    (plan_is(root, "Sort") || plan_is(root, "Gather") || plan_is(root, "Gather Merge")))
		root = root->kids[0];
	if (s->needs->n != 1 || !plan_is_scan(root) || s->calls <= 0)
		return 0;
	return fmin(1, fmax(s->rows / s->calls, 1) / fmax(need->table->rows, 1));
}

static double
ratio_of(const struct statement *s, int rel, const struct proposal *p, double seen)
{
	const struct need *need = &s->needs->rels[rel];
	double before = 0, saved = 0;

	for (int v = 0; v < s->nsets; v++) {
		struct model_index ix = { .table = need->table, .height = 2, .quals = 2 };
		double cost, rows;

		before += s->sets[v].weight * s->base[v];
		if (!s->plans[v] || !model_scan(s->needs, s->plans[v], rel, &cost, &rows))
			continue;
		ix.share = p->share > 0 ? p->share : rows / fmax(need->table->rows, 1);
		if (seen > 0 && p->part >= 1)
			ix.share = seen;
		ix.share = fmin(ix.share, 1);
		ix.pages = p->size / 8192 / p->part;
		ix.is_gin = p->ix.method != NULL;
		cost -= model_index_scan(&ix) + (ix.is_gin ? 20 : 0);
		saved += s->sets[v].weight * fmax(cost, 0);
	}
	return before > 0 ? fmax(1 - saved / before, 1e-4) : 1;
}

/* ---- gathering ---- */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_proposal(const struct proposal *a, const struct proposal *b)
{
	if (a->ix.table != b->ix.table || a->ix.nkeys != b->ix.nkeys ||
	    !same_text(a->ix.method, b->ix.method) || !same_text(a->ix.predicate, b->ix.predicate))
		return false;
	for (int i = 0; i < a->ix.nkeys; i++) {
		if (strcmp(a->ix.keys[i], b->ix.keys[i]) != 0)
			return false;
	}
	return true;
}

/* An expression index, or one of this kind on this column, is there already. */
static bool
is_there(const struct proposal *p)
{
	const struct cat_table *t = p->ix.table;

	for (int i = 0; i < t->nindexes; i++) {
		const struct cat_index *ix = &t->indexes[i];

		if (!ix->is_valid)
			continue;
		if (p->ix.predicate && ix->predicate && strstr(ix->predicate, p->col->name))
			return true;
		if (p->ix.method && strcmp(p->ix.method, ix->method) == 0 &&
		    ix->keys[0] == p->col->attnum &&
		    (!strstr(p->ix.keys[0], "trgm") ||
		        (ix->opclasses && strstr(ix->opclasses, "trgm"))))
			return true;
		if (!p->ix.method && !p->ix.predicate && ix->keys[0] == 0 && ix->exprs &&
		    strstr(ix->exprs, p->ix.names[0]))
			return true;
	}
	return false;
}

static void
keep(struct texts *t, const struct proposal *p, struct statement *s, double ratio)
{
	struct proposal *at = NULL;

	for (int i = 0; i < t->n && !at; i++) {
		if (same_proposal(&t->items[i], p))
			at = &t->items[i];
	}
	if (!at && t->n == MAX_PROPOSALS)
		return;
	if (!at) {
		at = &t->items[t->n++];
		*at = *p;
	}
	for (int i = 0; i < at->n; i++) {
		if (at->of[i] == s)
			return;
	}
	at->of[at->n] = s;
	at->ratio[at->n++] = ratio;
}

/* Chosen B-trees that only served statements which have something better now. */
static void
release_chosen(struct texts *t)
{
	struct search *sr = t->sr;

	for (int k = 0; k < sr->oracle->cands->n; k++) {
		bool is_needed = false;

		if (!cand_has(&sr->chosen, k))
			continue;
		for (int i = 0; i < sr->oracle->wl->n && !is_needed; i++)
			is_needed = cand_has(&sr->oracle->wl->items[i].chosen, k);
		if (!is_needed)
			cand_cut(&sr->chosen, k);
	}
}

/* The best that any condition of a statement could use. */
static void
look_at(struct texts *t, struct statement *s)
{
	struct proposal best = { 0 };
	double now = s->before > 0 ? fmin(s->after / s->before, 1) : 1;
	double best_ratio = MAX_RATIO;

	for (int r = 0; r < s->needs->n; r++) {
		const struct need *need = &s->needs->rels[r];
		double seen = seen_share(s, need);

		for (int i = 0; i < need->nconds; i++) {
			struct proposal p;
			double ratio, most;

			if (!text_propose(t, s, need, &need->conds[i], seen, &p) || is_there(&p))
				continue;
			ratio = ratio_of(s, r, &p, seen);
			/* How many rows a partial index has is counted, not guessed. */
			most = now > MAX_RATIO && p.ix.predicate ? MAX_RATIO : MARGIN * now;
			if (ratio >= fmin(best_ratio, most))
				continue;
			best_ratio = ratio;
			best = p;
		}
	}
	/* What takes the place of a chosen one costs no more than that. */
	if (best.ix.table &&
	    s->weight * (now - best_ratio) >= (now < MAX_RATIO ? MIN_SAVING / 4 : MIN_SAVING))
		keep(t, &best, s, best_ratio);
}

static double
writes_of(const struct texts *t, const struct proposal *p)
{
	const struct cat_column *keys[] = { p->col };
	/* GIN keeps an entry for each element, if in bulk. */
	double writes =
	    writecost_share(t->sr->oracle->wl, p->ix.table, keys, 1, p->ix.method ? 6 : 3);

	return writes * fmax(p->part, 0.05);
}

static void
emit(struct texts *t, struct proposal *p)
{
	double saving = 0, writes = writes_of(t, p);
	struct advice_item *it;
	int heaviest = 0;

	for (int i = 0; i < p->n; i++) {
		saving += p->of[i]->weight * (1 - p->ratio[i]);
		heaviest = p->of[i]->weight > p->of[heaviest]->weight ? i : heaviest;
	}
	if (saving - writes < MIN_SAVING)
		return;
	p->ix.size_bytes = p->size;
	it = report_create(t->list, t->cat, ADVICE_MISSING, &p->ix);
	it->confidence = p->confidence;
	it->saving_pct = it->score = 100 * (saving - writes);
	it->reason = arena_printf(&t->list->arena,
	    "%d statement%s of %.1f %% of the workload would use it; the heaviest falls to about %.2g %% of its cost",
	    p->n, p->n == 1 ? "" : "s", 100 * saving, 100 * p->ratio[heaviest]);
	if (p->caveat)
		advice_item_caveat(t->list, it, "%s", p->caveat);
	if (p->ix.predicate)
		advice_item_caveat(
		    t->list, it, "serves only statements that say %s themselves", p->ix.predicate);
	advice_item_caveat(t->list, it, "modelled: HypoPG is not asked about indexes of this kind");
	advice_item_key(t->list, it);
	for (int i = 0; i < p->n; i++) {
		memset(&p->of[i]->chosen, 0, sizeof(p->of[i]->chosen));
		report_helped(t->list, it, p->of[i], p->ratio[i], NULL);
	}
}

/* ---- partial instead of chosen ---- */

/* The constant condition that all users of a chosen candidate share and one of its keys is of. */
static bool
partial_of(struct texts *t, int cand, struct proposal *out)
{
	const struct search *sr = t->sr;
	const struct cand *c = &sr->oracle->cands->items[cand];
	bool any = false;

	for (int i = 0; i < sr->oracle->wl->n; i++) {
		struct statement *s = &sr->oracle->wl->items[i];
		struct proposal p = { 0 };
		bool found = false;

		if (!cand_has(&s->chosen, cand))
			continue;
		for (int r = 0; r < s->needs->n && !found; r++) {
			const struct need *need = &s->needs->rels[r];

			for (int k = 0; k < need->nconds && !found; k++) {
				found = need->table == c->table && need->conds[k].column &&
				    strcmp(need->conds[k].column, c->keys[0]->name) == 0 &&
				    text_propose_partial(t, need, &need->conds[k], 0, &p);
			}
		}
		if (!found || (any && !same_proposal(&p, out)))
			return false;
		if (!any)
			*out = p;
		any = true;
		out->of[out->n] = s;
		out->ratio[out->n++] = s->before > 0 ? s->after / s->before : 1;
	}
	return any && out->size < c->size_bytes / 2;
}

static void
replace_chosen(struct texts *t)
{
	struct search *sr = t->sr;

	for (int i = 0; i < sr->oracle->cands->n; i++) {
		struct proposal p = { 0 };

		if (!cand_has(&sr->chosen, i) || !partial_of(t, i, &p) || t->n == MAX_PROPOSALS)
			continue;
		cand_cut(&sr->chosen, i);
		t->items[t->n++] = p;
	}
}

void
text_advise(struct advice_list *list, const struct catalog *cat, struct search *sr,
    const struct text_setup *setup)
{
	struct texts t = { .list = list,
		.cat = cat,
		.sr = sr,
		.has_trgm = setup->has_trgm,
		.text_config = setup->text_config };
	struct workload *wl = sr->oracle->wl;

	t.items = arena_zalloc(&list->arena, MAX_PROPOSALS, sizeof(*t.items));
	replace_chosen(&t);
	for (int i = 0; i < wl->n; i++) {
		struct statement *s = &wl->items[i];

		if (!s->is_explained || s->is_rare || s->is_served || !s->needs || !s->nsets ||
		    !s->plans[0] || s->blocks < 12 * s->calls)
			continue;
		look_at(&t, s);
	}
	for (int i = 0; i < t.n; i++)
		emit(&t, &t.items[i]);
	release_chosen(&t);
}
