/* The index that a condition could use besides a plain B-tree. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "advice/text_expr.h"
#include "advice/text_priv.h"

static const double RARE_SHARE = 0.2; /* rows that a partial index may have */
static const double NARROW = 0.1;     /* rows of a range that an index is for */

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

/* Constants are not in pg_stat_statements: what stood in the place of the first parameter of an
 * expression, where only one thing fits the rows that came back. */
struct guess {
	const char *text; /* of the whole expression */
	const char *what, *word;
};

/* A key of documents: doc ->> $1, doc #>> $1. */
static struct guess
guess_key(struct texts *t, const struct expr *e, const struct cat_column *col, double seen)
{
	struct arena *arena = &t->list->arena;
	bool is_path = strcmp(e->name, "#>>") == 0;
	struct guess g = { .what = "key" };

	if ((!is_path && strcmp(e->name, "->>") != 0) || e->nkids != 2 ||
	    expr_bare(e->kids[0])->kind != EXPR_COLUMN || expr_bare(e->kids[1])->kind != EXPR_PARAM)
		return g;
	g.word = text_json_key(arena, col, seen > 0 ? seen : 1e-4, is_path);
	if (g.word)
		g.text = arena_printf(
		    arena, "(%s %s '%s')", advice_ident(arena, col->name), e->name, g.word);
	return g;
}

/* A unit of time: date_trunc($1, column). */
static struct guess
guess_unit(struct texts *t, const struct expr *e, const struct cat_column *col, double seen)
{
	struct arena *arena = &t->list->arena;
	struct guess g = { .what = "unit" };

	if (strcmp(e->name, "date_trunc") != 0 || e->nkids != 2 ||
	    expr_bare(e->kids[0])->kind != EXPR_PARAM || e->kids[1]->kind != EXPR_COLUMN ||
	    strcmp(col->type, "timestamp without time zone") != 0)
		return g;
	g.word = text_time_unit(col, seen);
	if (g.word)
		g.text = arena_printf(
		    arena, "date_trunc('%s', %s)", g.word, advice_ident(arena, col->name));
	return g;
}

/* What is around it: casts that are no casts of texts to text. */
static const char *
with_cast(struct arena *arena, const struct expr *e, const char *text)
{
	return e->kind == EXPR_CAST && text_is_cast(e->name) ?
	    arena_printf(arena, "(%s)::%s", text, e->name) :
	    text;
}

/* The text of what is compared, as an index has it; NULL: it cannot have it. */
static const char *
compared_text(struct texts *t, const struct need *need, const struct cond *c,
    const struct cat_column *col, double seen, struct guess *g)
{
	const struct expr *bare = expr_bare(c->left);
	const char *text = text_expr(&t->list->arena, need, c->left);

	if (text || (bare->kind != EXPR_OP && bare->kind != EXPR_FUNC))
		return text;
	*g = bare->kind == EXPR_OP ? guess_key(t, bare, col, seen) : guess_unit(t, bare, col, seen);
	return g->text ? with_cast(&t->list->arena, c->left, g->text) : NULL;
}

/* A B-tree on what is compared. */
static bool
propose_expression(struct texts *t, const struct need *need, const struct cond *c, double seen,
    struct proposal *out)
{
	struct arena *arena = &t->list->arena;
	const struct cat_column *col = text_expr_column(need, c->left);
	const struct expr *bare = expr_bare(c->left);
	struct guess g = { 0 };
	const char *text = col ? compared_text(t, need, c, col, seen, &g) : NULL;
	bool is_call;

	if (!text)
		return false;
	/* Anything but a function call needs parentheses of its own. */
	is_call = *text != '(' && !strstr(text, "::");
	*out = propose(need, NULL, is_call ? text : arena_printf(arena, "(%s)", text), text, col);
	out->share =
	    g.text || bare->kind != EXPR_FUNC ? 0.005 : column_eq_share(col, need->table->rows);
	out->size = need->table->rows * (20 + fmin(col->width > 0 ? col->width : 8, 60));
	if (g.text) {
		out->confidence = ADVICE_HEURISTIC;
		out->caveat = arena_printf(arena,
		    "pg_stat_statements does not keep the %s; '%s' is the one that fits the rows that came back: check it",
		    g.what, g.word);
	}
	return true;
}

/* A range of an expression: the planner knows nothing of it, so the rows that came back must say
 * that it is narrow. */
static bool
propose_expression_range(struct texts *t, const struct need *need, const struct cond *c,
    double seen, struct proposal *out)
{
	return !c->column && c->right && seen > 0 && seen <= NARROW &&
	    propose_expression(t, need, c, seen, out);
}

/* The words of a text: to_tsvector($1, body), whose configuration is a constant that is not kept.
 */
static bool
propose_words(struct texts *t, const struct need *need, const struct cond *c, struct proposal *out)
{
	struct arena *arena = &t->list->arena;
	const struct cat_column *col = text_expr_column(need, c->left);
	const struct expr *e = expr_bare(c->left);
	const char *text = text_expr(arena, need, c->left), *body = NULL;

	if (!text && e->kind == EXPR_FUNC && strcmp(e->name, "to_tsvector") == 0 && e->nkids == 2 &&
	    expr_bare(e->kids[0])->kind == EXPR_PARAM)
		body = text_expr(arena, need, e->kids[1]);
	if (body)
		text = arena_printf(arena, "to_tsvector('%s', %s)", t->text_config, body);
	if (!text || !col)
		return false;
	*out = propose(need, "gin", text, text, col);
	out->share = 0.005;
	out->size = need->table->pages * 8192 * 0.3;
	if (body) {
		out->confidence = ADVICE_HEURISTIC;
		out->caveat = arena_printf(arena,
		    "pg_stat_statements does not keep the configuration; '%s' is a guess: take the one that the statement names",
		    t->text_config);
	}
	return true;
}

static bool
propose_gin(struct texts *t, const struct need *need, const struct cond *c, struct proposal *out)
{
	struct arena *arena = &t->list->arena;
	const struct cat_column *col = c->column ? catalog_column(need->table, c->column) : NULL;
	const char *ident, *method = "gin";

	if (!col)
		return strcmp(c->opname, "@@") == 0 && propose_words(t, need, c, out);
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

/* The beginning of an expression, lower(name) LIKE $1. Where both sides are turned to upper case it
 * is an ORM's search without regard to case, mostly of something in the middle (Django's
 * icontains): trigrams serve its beginnings too. */
static bool
propose_pattern(struct texts *t, const struct need *need, const struct cond *c, double seen,
    struct proposal *out)
{
	const struct expr *e = expr_bare(c->left);
	bool is_search = !c->is_plain && e->kind == EXPR_FUNC && strcmp(e->name, "upper") == 0;

	if (is_search)
		return propose_trigrams(t, need, c, out);
	if (e->kind != EXPR_FUNC || !propose_expression(t, need, c, seen, out))
		return false;
	if (!out->col->c_collation)
		out->ix.keys[0] =
		    arena_printf(&t->list->arena, "%s text_pattern_ops", out->ix.keys[0]);
	return true;
}

/* The value that nearly all rows have, where a condition asks for the others. Its own value is not
 * known: that no more rows came back than the others are must say so. */
static const char *
usual_value(const struct cat_column *col, const struct cond *c, double seen)
{
	double others = col->nmcv ? 1 - col->null_frac - col->freqs[0] : 0;

	if (c->op != COND_OTHER || strcmp(c->opname, "<>") != 0 || !c->right || !c->is_plain ||
	    c->is_join || col->ndistinct < 2 || others <= 0 || others > RARE_SHARE)
		return NULL;
	if (c->constant)
		return strcmp(c->constant, col->mcv[0]) == 0 ? col->mcv[0] : NULL;
	return seen > 0 && seen <= 1.5 * others ? col->mcv[0] : NULL;
}

/* Is the condition the same whatever the parameters, and true for few rows? */
static double
constant_share(const struct need *need, const struct cond *c, double seen)
{
	const struct cat_column *col = c->column ? catalog_column(need->table, c->column) : NULL;

	if (!col || !col->has_stats || c->or_group || c->is_join)
		return 1;
	if (usual_value(col, c, seen))
		return fmax(1 - col->null_frac - col->freqs[0], 0);
	if (c->param)
		return 1;
	if (c->op == COND_IS_NULL)
		return col->null_frac;
	if (c->op == COND_NOT_NULL)
		return 1 - col->null_frac;
	if (c->op != COND_EQ || strcmp(col->type, "boolean") != 0 || !c->constant)
		return 1;
	for (int i = 0; i < col->nmcv; i++) {
		if (*col->mcv[i] == *c->constant)
			return col->freqs[i];
	}
	return col->nmcv ? 0.001 : 1;
}

static const char *
predicate_text(struct arena *arena, const struct cond *c, const struct cat_column *col, double seen)
{
	const char *ident = advice_ident(arena, c->column);

	if (c->op == COND_IS_NULL)
		return arena_printf(arena, "%s IS NULL", ident);
	if (c->op == COND_NOT_NULL)
		return arena_printf(arena, "%s IS NOT NULL", ident);
	if (usual_value(col, c, seen))
		return arena_printf(
		    arena, "%s <> %s", ident, text_literal(arena, usual_value(col, c, seen)));
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
bool
text_propose_partial(struct texts *t, const struct need *need, const struct cond *c, double seen,
    struct proposal *out)
{
	struct arena *arena = &t->list->arena;
	double share = constant_share(need, c, seen);
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
	out->ix.predicate = predicate_text(arena, c, out->col, seen);
	if (c->param)
		out->caveat = arena_printf(arena,
		    "pg_stat_statements does not keep the value; %s is the one that nearly all rows have: check that it is the one left out",
		    text_literal(arena, usual_value(out->col, c, seen)));
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

bool
text_propose(struct texts *t, const struct statement *s, const struct need *need,
    const struct cond *c, double seen, struct proposal *out)
{
	if (c->or_group || c->is_join)
		return false;
	switch (c->op) {
	case COND_ILIKE:
	case COND_REGEX:
		return propose_trigrams(t, need, c, out);
	case COND_LIKE:
		if (!c->column)
			return propose_pattern(t, need, c, seen, out);
		return is_infix(need, c, s) && propose_trigrams(t, need, c, out);
	case COND_CONTAINS:
		return propose_gin(t, need, c, out);
	case COND_EQ:
	case COND_IN:
		if (c->column)
			return text_propose_partial(t, need, c, seen, out);
		return c->right && propose_expression(t, need, c, seen, out);
	case COND_LT:
	case COND_GT:
		return propose_expression_range(t, need, c, seen, out);
	case COND_IS_NULL:
	case COND_NOT_NULL:
	case COND_OTHER:
		return c->column && text_propose_partial(t, need, c, seen, out);
	default:
		return false;
	}
}
