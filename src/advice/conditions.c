/* From plan nodes to what each relation needs. */
#include "config.h"

#include "advice/conditions.h"

#include <ctype.h>
#include <string.h>

struct builder {
	struct arena *arena;
	struct needs *needs;
	const struct catalog *cat;
};

/* "events_12" of parent "events": partitions are named after the parent's alias. */
static bool
is_numbered(const char *name, const char *base)
{
	size_t n = strlen(base);

	if (strncmp(name, base, n) != 0)
		return false;
	if (name[n] == '\0')
		return true;
	if (name[n] != '_' || !isdigit((unsigned char)name[n + 1]))
		return false;
	for (name += n + 1; isdigit((unsigned char)*name); name++)
		;
	return *name == '\0';
}

int
needs_of_alias(const struct needs *needs, const char *alias)
{
	if (!*alias)
		return needs->n == 1 ? 0 : -1;
	for (int i = 0; i < needs->n; i++) {
		if (strcmp(needs->rels[i].alias, alias) == 0)
			return i;
	}
	for (int i = 0; i < needs->n; i++) {
		const struct need *need = &needs->rels[i];

		if (need->table->nparts && is_numbered(alias, need->alias))
			return i;
	}
	return -1;
}

int
needs_of_node(const struct needs *needs, const struct plan_node *node)
{
	for (; node; node = node->kids && node->nkids == 1 ? node->kids[0] : NULL) {
		if (node->relation && node->alias)
			return needs_of_alias(needs, node->alias);
	}
	return -1;
}

/* The alias without the number that a partition has behind it. */
static const char *
base_alias(struct arena *arena, const char *alias)
{
	size_t n = strlen(alias);

	while (n > 0 && isdigit((unsigned char)alias[n - 1]))
		n--;
	return n > 1 && alias[n] && alias[n - 1] == '_' ? arena_strndup(arena, alias, n - 1) :
	                                                  alias;
}

static bool
is_under_append(const struct plan_node *node)
{
	for (node = node->parent; node; node = node->parent) {
		if (plan_is(node, "Append") || plan_is(node, "Merge Append"))
			return true;
	}
	return false;
}

static void
add_relation(struct builder *b, const struct plan_node *node)
{
	struct cat_table *t = catalog_find(b->cat, node->schema, node->relation);
	struct needs *needs = b->needs;
	const char *alias = node->alias ? node->alias : node->relation;
	struct need *need = NULL;
	int i;

	if (!t)
		return;
	if (t->root != t && is_under_append(node))
		alias = base_alias(b->arena, alias);
	for (i = 0; i < needs->n && strcmp(needs->rels[i].alias, alias) != 0; i++)
		;
	if (i == NEED_MAX)
		return;
	need = &needs->rels[i];
	if (i == needs->n) {
		*need = (struct need){ .table = t->root, .alias = alias };
		needs->n++;
	}
	need->scan_cost += node->total;
	need->scan_rows += node->rows;
	if (!need->scan || node->total > need->scan->total)
		need->scan = node;
}

/* ---- columns ---- */

static void
add_column(struct builder *b, struct need *need, const char *name)
{
	if (strcmp(name, "*") == 0) {
		need->reads_all = true;
		return;
	}
	if (!catalog_column(need->table, name)) {
		need->reads_all |= strcmp(name, "ctid") == 0;
		return;
	}
	for (int i = 0; i < need->ncolumns; i++) {
		if (strcmp(need->columns[i], name) == 0)
			return;
	}
	if (need->ncolumns == need->ccap) {
		int cap = need->ccap ? need->ccap * 2 : 8;
		const char **more = arena_alloc(b->arena, sizeof(*more) * (size_t)cap);

		if (need->ncolumns)
			memcpy(more, need->columns, sizeof(*more) * (size_t)need->ncolumns);
		need->columns = more;
		need->ccap = cap;
	}
	need->columns[need->ncolumns++] = name;
}

static void
note_column(void *arg, const struct expr *e)
{
	struct builder *b = arg;
	int rel;

	if (e->kind != EXPR_COLUMN)
		return;
	rel = needs_of_alias(b->needs, e->alias);
	if (rel >= 0)
		add_column(b, &b->needs->rels[rel], e->name);
}

static void
note_columns(struct builder *b, const struct plan_texts *texts)
{
	for (int i = 0; i < texts->n; i++)
		expr_walk(expr_read(b->arena, texts->texts[i]), note_column, b);
}

/* ---- conditions ---- */

struct found {
	const struct needs *needs;
	int rel;        /* of the columns seen: -1 none yet, -2 several */
	int param;      /* first parameter */
	bool is_opaque; /* has something whose columns are not known */
};

static void
note_found(void *arg, const struct expr *e)
{
	struct found *f = arg;
	int rel;

	if (e->kind == EXPR_PARAM && !f->param)
		f->param = e->param;
	if (e->kind != EXPR_COLUMN || !*e->alias)
		return;
	rel = needs_of_alias(f->needs, e->alias);
	if (rel < 0)
		f->is_opaque = true;
	else if (f->rel == -1)
		f->rel = rel;
	else if (f->rel != rel)
		f->rel = -2;
}

static struct found
look(const struct needs *needs, const struct expr *e)
{
	struct found f = { .needs = needs, .rel = -1 };

	expr_walk(e, note_found, &f);
	return f;
}

static const struct {
	const char *name;
	enum cond_op op;
	const char *swapped; /* the same with its sides exchanged; NULL: has none */
} operators[] = {
	{ "=", COND_EQ, "=" },
	{ "IS NOT DISTINCT FROM", COND_EQ, "IS NOT DISTINCT FROM" },
	{ "<", COND_LT, ">" },
	{ "<=", COND_LT, ">=" },
	{ ">", COND_GT, "<" },
	{ ">=", COND_GT, "<=" },
	{ "~~", COND_LIKE, NULL },
	{ "^@", COND_LIKE, NULL },
	{ "~~*", COND_ILIKE, NULL },
	{ "~", COND_REGEX, NULL },
	{ "~*", COND_REGEX, NULL },
	{ "@>", COND_CONTAINS, "<@" },
	{ "<@", COND_CONTAINS, "@>" },
	{ "&&", COND_CONTAINS, "&&" },
	{ "?", COND_CONTAINS, NULL },
	{ "?|", COND_CONTAINS, NULL },
	{ "?&", COND_CONTAINS, NULL },
	{ "@@", COND_CONTAINS, "@@" },
	{ "@?", COND_CONTAINS, NULL },
};

static int
operator_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		if (strcmp(operators[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

static struct cond *
new_cond(struct builder *b, struct need *need, enum cond_op op, const struct expr *left)
{
	const struct expr *bare = expr_bare(left);
	struct cond *c;

	if (need->nconds == need->cap) {
		int cap = need->cap ? need->cap * 2 : 8;
		struct cond *more = arena_alloc(b->arena, sizeof(*more) * (size_t)cap);

		if (need->nconds)
			memcpy(more, need->conds, sizeof(*more) * (size_t)need->nconds);
		need->conds = more;
		need->cap = cap;
	}
	c = &need->conds[need->nconds++];
	*c = (struct cond){ .op = op, .left = left, .other_rel = -1, .opname = "" };
	if (bare->kind == EXPR_COLUMN && *bare->alias && catalog_column(need->table, bare->name))
		c->column = bare->name;
	return c;
}

static bool
same_text(const struct expr *a, const struct expr *b)
{
	if (!a || !b)
		return a == b;
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Partitions repeat what their parent is asked for. */
static void
drop_repeated(struct need *need)
{
	const struct cond *c = &need->conds[need->nconds - 1];

	for (int i = 0; i < need->nconds - 1; i++) {
		const struct cond *o = &need->conds[i];

		if (o->op == c->op && strcmp(o->opname, c->opname) == 0 &&
		    (c->column ? o->column && strcmp(o->column, c->column) == 0 :
		                 !o->column && same_text(o->left, c->left)) &&
		    same_text(o->right, c->right) && !o->or_group) {
			need->nconds--;
			return;
		}
	}
}

/* A cast of a column is the column only where it is no conversion: text of varchar and the like. */
static bool
is_binary_cast(const struct need *need, const struct expr *e)
{
	const struct expr *bare = expr_bare(e);
	const struct cat_column *col;

	if (e == bare)
		return true;
	if (bare->kind != EXPR_COLUMN)
		return false;
	col = catalog_column(need->table, bare->name);
	if (!col)
		return false;
	for (; e->kind == EXPR_CAST; e = e->kids[0]) {
		bool is_text = strncmp(col->type, "character varying", 17) == 0 ||
		    strcmp(col->type, "text") == 0 || strncmp(col->type, "varchar", 7) == 0;

		if (strcmp(e->name, "collate") == 0)
			return false;
		if (strcmp(e->name, col->type) != 0 &&
		    !(is_text &&
		        (strcmp(e->name, "text") == 0 ||
		            strncmp(e->name, "character varying", 17) == 0)))
			return false;
	}
	return true;
}

static void
set_right(struct builder *b, struct cond *c, const struct expr *right, struct found *f, int rel)
{
	const struct expr *bare = expr_bare(right);

	c->right = right;
	c->param = f->param;
	c->is_plain = bare->kind == EXPR_PARAM || bare->kind == EXPR_CONST;
	c->constant = bare->kind == EXPR_CONST ? bare->value : NULL;
	c->is_join = f->rel != -1 && f->rel != rel;
	if (c->is_join && bare->kind == EXPR_COLUMN) {
		c->other_rel = needs_of_alias(b->needs, bare->alias);
		c->other_column = bare->name;
	}
}

static void
note_inner(void *arg, const struct expr *e)
{
	struct cond *c = arg;

	if (e->kind == EXPR_COLUMN && *e->alias)
		c->inner = e->name;
}

/* left op right, when left belongs to one relation and right does not. */
static void
add_comparison(struct builder *b, const struct expr *left, const struct expr *right,
    const char *name, enum cond_op op)
{
	struct found l = look(b->needs, left), r = look(b->needs, right);
	struct need *need;
	struct cond *c;

	if (l.rel < 0 || l.is_opaque || r.rel == l.rel || (r.rel == -2 && l.rel == -2))
		return;
	need = &b->needs->rels[l.rel];
	c = new_cond(b, need, op, left);
	c->opname = name;
	if (c->column && !is_binary_cast(need, left))
		c->column = NULL;
	if (!c->column)
		expr_walk(left, note_inner, c);
	set_right(b, c, right, &r, l.rel);
	c->is_join |= r.is_opaque && r.rel == -1 && !c->is_plain && !c->param;
	drop_repeated(need);
}

static void
add_operator(struct builder *b, const struct expr *e)
{
	int op = operator_of(e->name);

	if (e->nkids != 2)
		return;
	if (op < 0) {
		add_comparison(b, e->kids[0], e->kids[1], e->name, COND_OTHER);
		return;
	}
	add_comparison(b, e->kids[0], e->kids[1], e->name, operators[op].op);
	if (operators[op].swapped) {
		int swapped = operator_of(operators[op].swapped);

		add_comparison(
		    b, e->kids[1], e->kids[0], operators[op].swapped, operators[swapped].op);
	}
}

static void
add_any(struct builder *b, const struct expr *e)
{
	int op = operator_of(e->name);
	enum cond_op kind = COND_OTHER;
	struct found f;

	if (e->nkids != 2)
		return;
	if (op >= 0 && operators[op].op == COND_EQ) {
		/* $1 = ANY (t.tags) asks for an element: GIN on the array */
		f = look(b->needs, e->kids[1]);
		if (f.rel >= 0 && look(b->needs, e->kids[0]).rel == -1) {
			add_comparison(b, e->kids[1], e->kids[0], "= ANY", COND_OTHER);
			return;
		}
		kind = COND_IN;
	}
	add_comparison(b, e->kids[0], e->kids[1], e->name, kind);
}

/* A test of one side alone: IS NULL, a boolean column, NOT of one. */
static void
add_test(struct builder *b, const struct expr *e, enum cond_op op, const char *constant)
{
	struct found f = look(b->needs, e);
	struct cond *c;

	if (f.rel < 0 || f.is_opaque)
		return;
	c = new_cond(b, &b->needs->rels[f.rel], op, e);
	c->constant = constant;
	c->is_plain = true;
	c->param = f.param;
	drop_repeated(&b->needs->rels[f.rel]);
}

static void add_condition(struct builder *b, const struct expr *e);

static void
add_or(struct builder *b, const struct expr *e)
{
	int group = ++b->needs->or_groups;

	for (int i = 0; i < e->nkids; i++) {
		int before[NEED_MAX];

		for (int r = 0; r < b->needs->n; r++)
			before[r] = b->needs->rels[r].nconds;
		add_condition(b, e->kids[i]);
		for (int r = 0; r < b->needs->n; r++) {
			for (int k = before[r]; k < b->needs->rels[r].nconds; k++) {
				b->needs->rels[r].conds[k].or_group = group;
				b->needs->rels[r].conds[k].or_arm = i;
			}
		}
	}
}

static void
add_is(struct builder *b, const struct expr *e)
{
	if (strcmp(e->name, "IS NULL") == 0)
		add_test(b, e->kids[0], COND_IS_NULL, NULL);
	else if (strcmp(e->name, "IS NOT NULL") == 0)
		add_test(b, e->kids[0], COND_NOT_NULL, NULL);
	else if (strcmp(e->name, "IS TRUE") == 0)
		add_test(b, e->kids[0], COND_EQ, "t");
	else if (strcmp(e->name, "IS FALSE") == 0)
		add_test(b, e->kids[0], COND_EQ, "f");
	else
		add_test(b, e->kids[0], COND_OTHER, NULL);
}

static void
add_condition(struct builder *b, const struct expr *e)
{
	switch (e->kind) {
	case EXPR_AND:
		for (int i = 0; i < e->nkids; i++)
			add_condition(b, e->kids[i]);
		break;
	case EXPR_OR:
		add_or(b, e);
		break;
	case EXPR_OP:
		add_operator(b, e);
		break;
	case EXPR_ANY:
		add_any(b, e);
		break;
	case EXPR_IS:
		if (e->nkids)
			add_is(b, e);
		break;
	case EXPR_NOT:
		if (e->nkids && expr_bare(e->kids[0])->kind == EXPR_COLUMN)
			add_test(b, e->kids[0], COND_EQ, "f");
		break;
	case EXPR_COLUMN:
		add_test(b, e, COND_EQ, "t");
		break;
	default:
		add_test(b, e, COND_OTHER, NULL);
		break;
	}
}

static void
read_clauses(struct builder *b, const struct plan_node *node)
{
	static const enum plan_clause wanted[] = { PLAN_FILTER, PLAN_INDEX_COND, PLAN_HASH_COND,
		PLAN_MERGE_COND, PLAN_JOIN_FILTER };

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		const char *text = node->clauses[wanted[i]];

		if (!text)
			continue;
		/* Filters above a scan are of groups and outer joins: only columns count. */
		if (wanted[i] != PLAN_FILTER || plan_is_scan(node))
			add_condition(b, expr_read(b->arena, text));
		expr_walk(expr_read(b->arena, text), note_column, b);
	}
}

/* ---- order ---- */

bool
plan_has_limit_above(const struct plan_node *node)
{
	static const char *const passing[] = { "Result", "Gather Merge", "LockRows", "Unique",
		"Subquery Scan", "Incremental Sort", "ProjectSet" };

	for (node = node->parent; node; node = node->parent) {
		bool passes = false;

		if (plan_is(node, "Limit"))
			return true;
		for (size_t i = 0; i < ARRAY_LEN(passing); i++)
			passes |= plan_is(node, passing[i]);
		if (!passes)
			return false;
	}
	return false;
}

static void
read_sort(struct builder *b, const struct plan_node *node)
{
	struct sort_key *keys = arena_alloc(b->arena, sizeof(*keys) * (size_t)node->sort_key.n);
	struct need *need;
	int rel = -1, n;

	for (n = 0; n < node->sort_key.n; n++) {
		struct expr_sort sort = expr_read_sort(b->arena, node->sort_key.texts[n]);
		int of;

		if (sort.expr->kind != EXPR_COLUMN)
			break;
		of = needs_of_alias(b->needs, sort.expr->alias);
		if (of < 0 || (rel >= 0 && of != rel) ||
		    !catalog_column(b->needs->rels[of].table, sort.expr->name))
			break;
		rel = of;
		keys[n] = (struct sort_key){ sort.expr->name, sort.is_desc, sort.nulls_first };
	}
	if (rel < 0)
		return;
	need = &b->needs->rels[rel];
	/* A sort whose later keys are not ours can still be done incrementally. */
	if (need->nsort && !(plan_has_limit_above(node) && !need->has_limit))
		return;
	need->sort = keys;
	need->nsort = n;
	need->sort_node = node;
	need->has_limit = plan_has_limit_above(node);
}

/* Rows that come in an index's order until a limit: a filter may throw most of them away. */
static void
read_index_order(struct builder *b, const struct plan_node *node)
{
	int rel = needs_of_node(b->needs, node);
	struct need *need = rel >= 0 ? &b->needs->rels[rel] : NULL;
	const struct cat_index *ix = NULL;
	const struct cat_column *col;
	struct sort_key *keys;

	if (!need || need->nsort || !node->index || !node->clauses[PLAN_FILTER] ||
	    node->clauses[PLAN_INDEX_COND] || !plan_has_limit_above(node))
		return;
	for (int i = 0; i < need->table->nindexes && !ix; i++) {
		if (strcmp(need->table->indexes[i].name, node->index) == 0)
			ix = &need->table->indexes[i];
	}
	if (!ix || !ix->nkeys || ix->predicate)
		return;
	keys = arena_alloc(b->arena, sizeof(*keys) * (size_t)ix->nkeys);
	for (int i = 0; i < ix->nkeys; i++) {
		bool desc = ix->desc[i] != node->is_backward;

		col = catalog_attnum(need->table, ix->keys[i]);
		if (!col)
			return;
		keys[i] = (struct sort_key){ col->name, desc, desc };
	}
	need->sort = keys;
	need->nsort = ix->nkeys;
	need->sort_node = node;
	need->has_limit = true;
}

/* min(t.c), max(t.c) without groups and with nothing else beside: the end of an index. */
static void
read_minmax(struct builder *b, const struct plan_node *node)
{
	const char *column = NULL;
	int rel = -1;

	for (int i = 0; i < node->output.n; i++) {
		const struct expr *e = expr_bare(expr_read(b->arena, node->output.texts[i]));
		const struct expr *arg = e->kind == EXPR_FUNC && e->nkids == 1 ? e->kids[0] : NULL;

		if (!arg || arg->kind != EXPR_COLUMN ||
		    (strcmp(e->name, "min") != 0 && strcmp(e->name, "max") != 0) ||
		    (column && strcmp(column, arg->name) != 0))
			return;
		column = arg->name;
		rel = needs_of_alias(b->needs, arg->alias);
	}
	if (rel >= 0 && catalog_column(b->needs->rels[rel].table, column))
		b->needs->rels[rel].minmax = column;
}

/* A scan passes on whole rows where that is cheaper: what it puts out counts only at the top. */
static bool
output_counts(const struct plan_node *node)
{
	return !plan_is_scan(node) || !node->parent || plan_is(node->parent, "ModifyTable");
}

struct needs *
needs_read(struct arena *arena, const struct plan *plan, const struct catalog *cat)
{
	struct needs *needs = arena_zalloc(arena, 1, sizeof(*needs));
	struct builder b = { arena, needs, cat };

	needs->plan = plan;
	for (int i = 0; i < plan->nnodes; i++) {
		if (plan_is_scan(plan->nodes[i]))
			add_relation(&b, plan->nodes[i]);
	}
	for (int i = 0; i < plan->nnodes; i++) {
		const struct plan_node *node = plan->nodes[i];

		read_clauses(&b, node);
		if (node->sort_key.n && !plan_is(node, "Merge Append"))
			read_sort(&b, node);
		if (plan_is_scan(node))
			read_index_order(&b, node);
		if (plan_is(node, "Aggregate") && !node->group_key.n)
			read_minmax(&b, node);
		note_columns(&b, &node->sort_key);
		note_columns(&b, &node->group_key);
		if (output_counts(node))
			note_columns(&b, &node->output);
	}
	return needs;
}
