/* From plan nodes to what each relation needs. */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "advice/conditions_priv.h"

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
add_relation(struct need_builder *b, const struct plan_node *node)
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
add_column(struct need_builder *b, struct need *need, const char *name)
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
	struct need_builder *b = arg;
	int rel;

	if (e->kind != EXPR_COLUMN)
		return;
	rel = needs_of_alias(b->needs, e->alias);
	if (rel >= 0)
		add_column(b, &b->needs->rels[rel], e->name);
}

static void
note_columns(struct need_builder *b, const struct plan_texts *texts)
{
	for (int i = 0; i < texts->n; i++)
		expr_walk(expr_read(b->arena, texts->texts[i]), note_column, b);
}

static void
read_clauses(struct need_builder *b, const struct plan_node *node)
{
	static const enum plan_clause wanted[] = { PLAN_FILTER, PLAN_INDEX_COND, PLAN_HASH_COND,
		PLAN_MERGE_COND, PLAN_JOIN_FILTER };

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		const char *text = node->clauses[wanted[i]];

		if (!text)
			continue;
		/* Filters above a scan are of groups and outer joins: only columns count. */
		if (wanted[i] != PLAN_FILTER || plan_is_scan(node))
			conditions_add(b, expr_read(b->arena, text));
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
read_sort(struct need_builder *b, const struct plan_node *node)
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
read_index_order(struct need_builder *b, const struct plan_node *node)
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
read_minmax(struct need_builder *b, const struct plan_node *node)
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
	struct need_builder b = { arena, needs, cat };

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
