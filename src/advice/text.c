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
#include "advice/report.h"
#include "advice/text_expr.h"
#include "advice/writecost.h"

enum { MAX_PROPOSALS = 64 };

/* As in the search: of the workload, and what a statement must fall to; MARGIN: of what it falls to
 * with a chosen B-tree, since this is a model beside the planner. */
static const double MIN_SAVING = 0.002, MAX_RATIO = 0.55, MARGIN = 0.3;
static const double RARE_SHARE = 0.2; /* rows that a partial index may have */

struct proposal {
	struct report_index ix;
	const struct cat_column *col; /* its statistics and writes */
	double share;                 /* of rows that a scan of it finds */
	double part;                  /* of rows that are in it */
	double size;
	enum advice_confidence confidence;
	const char *caveat;
	struct statement *of[WORKLOAD_MAX];
	double ratio[WORKLOAD_MAX];
	int n;
};

struct texts {
	struct advice_list *list;
	const struct catalog *cat;
	struct search *sr;
	bool has_trgm;
	struct proposal *items;
	int n;
};

/* ---- what a condition could use ---- */

static struct proposal
propose(const struct need *need, const char *method, const char *key, const char *name,
    const struct cat_column *col)
{
	struct proposal p = { .col = col, .part = 1, .confidence = ADVICE_MODELLED };

	p.ix.table = need->table;
	p.ix.method = method;
	p.ix.keys[0] = key;
	p.ix.names[0] = name;
	p.ix.nkeys = p.ix.nall = 1;
	return p;
}

/* A B-tree on what is compared. */
static bool
propose_expression(struct texts *t, const struct need *need, const struct cond *c, double seen,
    struct proposal *out)
{
	struct arena *arena = &t->list->arena;
	const struct cat_column *col = text_expr_column(need, c->left);
	const struct expr *bare = expr_bare(c->left);
	const char *text = text_expr(arena, need, c->left), *key = NULL;
	bool is_call, is_path = bare->kind == EXPR_OP && strcmp(bare->name, "#>>") == 0;

	if (!col)
		return false;
	/* The key is a constant, and constants are not in pg_stat_statements. */
	if (!text && (is_path || (bare->kind == EXPR_OP && strcmp(bare->name, "->>") == 0)) &&
	    expr_bare(bare->kids[0])->kind == EXPR_COLUMN &&
	    expr_bare(bare->kids[1])->kind == EXPR_PARAM) {
		key = text_json_key(arena, col, seen > 0 ? seen : 1e-4, is_path);
		if (key)
			text = arena_printf(
			    arena, "(%s %s '%s')", advice_ident(arena, col->name), bare->name, key);
	}
	if (!text)
		return false;
	/* Anything but a function call needs parentheses of its own. */
	is_call = *text != '(' && !strstr(text, "::");
	*out = propose(need, NULL, is_call ? text : arena_printf(arena, "(%s)", text), text, col);
	out->share =
	    key || bare->kind != EXPR_FUNC ? 0.005 : column_eq_share(col, need->table->rows);
	out->size = need->table->rows * (20 + fmin(col->width > 0 ? col->width : 8, 60));
	if (key) {
		out->confidence = ADVICE_HEURISTIC;
		out->caveat = arena_printf(arena,
		    "pg_stat_statements does not keep the key; '%s' is the one whose values fit the rows that came back: check it",
		    key);
	}
	return true;
}

static bool
propose_gin(struct texts *t, const struct need *need, const struct cond *c, struct proposal *out)
{
	struct arena *arena = &t->list->arena;
	const struct cat_column *col = c->column ? catalog_column(need->table, c->column) : NULL;
	const char *ident, *method = "gin";

	if (!col) {
		const char *text = text_expr(arena, need, c->left);

		if (!text || strcmp(c->opname, "@@") != 0)
			return false;
		*out = propose(need, "gin", text, text, text_expr_column(need, c->left));
		out->size = need->table->pages * 8192 * 0.3;
		return out->col != NULL;
	}
	ident = advice_ident(arena, col->name);
	if (strcmp(col->type, "jsonb") == 0) {
		/* Smaller and faster, but it knows only containment and paths. */
		if (strcmp(c->opname, "@>") == 0 || strcmp(c->opname, "@?") == 0 ||
		    strcmp(c->opname, "@@") == 0)
			ident = arena_printf(arena, "%s jsonb_path_ops", ident);
	} else if (strstr(col->type, "range")) {
		method = "gist";
	} else if (!strchr(col->type, '[') && strcmp(col->type, "tsvector") != 0) {
		return false;
	}
	*out = propose(need, method, ident, col->name, col);
	out->size = need->table->rows * (8 + (col->width > 0 ? col->width : 32) * 0.5);
	return true;
}

static bool
propose_trigrams(
    struct texts *t, const struct need *need, const struct cond *c, struct proposal *out)
{
	struct arena *arena = &t->list->arena;
	const struct cat_column *col = text_expr_column(need, c->left);
	const char *text = text_expr(arena, need, c->left);

	if (!col || !text)
		return false;
	*out = propose(need, "gin",
	    arena_printf(arena, "%s gin_trgm_ops",
	        *text == '(' || c->column ? text : arena_printf(arena, "(%s)", text)),
	    text, col);
	out->size = need->table->rows * (6 + (col->width > 0 ? col->width : 16) * 2.0);
	if (!t->has_trgm)
		out->caveat = "needs CREATE EXTENSION pg_trgm first";
	return true;
}

/* Is the condition the same whatever the parameters, and true for few rows? */
static double
constant_share(const struct need *need, const struct cond *c)
{
	const struct cat_column *col = c->column ? catalog_column(need->table, c->column) : NULL;

	if (!col || !col->has_stats || c->param || c->or_group || c->is_join)
		return 1;
	if (c->op == COND_IS_NULL)
		return col->null_frac;
	if (c->op != COND_EQ || strcmp(col->type, "boolean") != 0 || !c->constant)
		return 1;
	for (int i = 0; i < col->nmcv; i++) {
		if (*col->mcv[i] == *c->constant)
			return col->freqs[i];
	}
	return col->nmcv ? 0.001 : 1;
}

static const char *
predicate_text(struct arena *arena, const struct cond *c)
{
	const char *ident = advice_ident(arena, c->column);

	if (c->op == COND_IS_NULL)
		return arena_printf(arena, "%s IS NULL", ident);
	return *c->constant == 't' ? ident : arena_printf(arena, "NOT %s", ident);
}

static void
add_key(struct arena *arena, struct proposal *p, const char *column, bool desc)
{
	const char *ident = advice_ident(arena, column);

	for (int i = 0; i < p->ix.nkeys; i++) {
		if (strcmp(p->ix.names[i], column) == 0)
			return;
	}
	if (p->ix.nkeys >= 3)
		return;
	p->ix.names[p->ix.nkeys] = column;
	p->ix.keys[p->ix.nkeys++] = desc ? arena_printf(arena, "%s DESC", ident) : ident;
	p->ix.nall = p->ix.nkeys;
}

/* Only the rows that are ever asked for, by what else is searched or sorted. */
static bool
propose_partial(
    struct texts *t, const struct need *need, const struct cond *c, struct proposal *out)
{
	struct arena *arena = &t->list->arena;
	double share = constant_share(need, c);
	bool mixed = false;

	if (share > RARE_SHARE || need->table->kind == 'p')
		return false;
	*out = propose(need, NULL, NULL, NULL, catalog_column(need->table, c->column));
	out->ix.nkeys = out->ix.nall = 0;
	for (int i = 0; i < need->nconds; i++) {
		const struct cond *o = &need->conds[i];

		if (o != c && o->column && !o->or_group && (o->op == COND_EQ || o->op == COND_IN) &&
		    (o->param || o->is_join) &&
		    catalog_is_sortable(catalog_column(need->table, o->column)))
			add_key(arena, out, o->column, false);
	}
	for (int i = 0; i < need->nsort; i++)
		mixed |= need->sort[i].is_desc != need->sort[0].is_desc;
	for (int i = 0; i < need->nsort; i++)
		add_key(arena, out, need->sort[i].column, mixed && need->sort[i].is_desc);
	for (int i = 0; i < need->nconds; i++) {
		const struct cond *o = &need->conds[i];

		if (o->column && (o->op == COND_LT || o->op == COND_GT) && !o->or_group &&
		    catalog_is_sortable(catalog_column(need->table, o->column)))
			add_key(arena, out, o->column, false);
	}
	if (!out->ix.nkeys)
		add_key(arena, out, c->column, false);
	out->ix.predicate = predicate_text(arena, c);
	out->share = out->part = fmax(share, 1 / fmax(need->table->rows, 1));
	out->size = 16384 + need->table->rows * share * 28;
	return true;
}

/* Was an index that can serve the beginning of a text there, and did the statement read the table
 * all the same? Then what it looks for is in the middle. */
static bool
is_infix(const struct need *need, const struct cond *c, const struct statement *s)
{
	const struct cat_column *col = c->column ? catalog_column(need->table, c->column) : NULL;

	for (int i = 0; i < need->table->nindexes && col; i++) {
		const struct cat_index *ix = &need->table->indexes[i];

		if (ix->keys[0] == col->attnum && ix->is_valid &&
		    (col->c_collation || (ix->opclasses && strstr(ix->opclasses, "pattern_ops"))) &&
		    s->blocks / fmax(s->calls, 1) > need->table->pages / 2)
			return true;
	}
	return false;
}

static bool
propose_for(struct texts *t, const struct statement *s, const struct need *need,
    const struct cond *c, double seen, struct proposal *out)
{
	if (c->or_group || c->is_join)
		return false;
	switch (c->op) {
	case COND_ILIKE:
	case COND_REGEX:
		return propose_trigrams(t, need, c, out);
	case COND_LIKE:
		return is_infix(need, c, s) && propose_trigrams(t, need, c, out);
	case COND_CONTAINS:
		return propose_gin(t, need, c, out);
	case COND_EQ:
	case COND_IN:
		if (c->column)
			return propose_partial(t, need, c, out);
		return c->right && propose_expression(t, need, c, seen, out);
	case COND_IS_NULL:
		return c->column && propose_partial(t, need, c, out);
	default:
		return false;
	}
}

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
	double best_ratio = fmin(MAX_RATIO, MARGIN * now);

	for (int r = 0; r < s->needs->n; r++) {
		const struct need *need = &s->needs->rels[r];
		double seen = seen_share(s, need);

		for (int i = 0; i < need->nconds; i++) {
			struct proposal p;
			double ratio;

			if (!propose_for(t, s, need, &need->conds[i], seen, &p) || is_there(&p))
				continue;
			ratio = ratio_of(s, r, &p, seen);
			if (ratio >= best_ratio)
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
				    propose_partial(t, need, &need->conds[k], &p);
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
text_advise(struct advice_list *list, const struct catalog *cat, struct search *sr, bool has_trgm)
{
	struct texts t = { .list = list, .cat = cat, .sr = sr, .has_trgm = has_trgm };
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
