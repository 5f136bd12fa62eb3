/* Reading EXPLAIN's JSON into nodes. */
#include "config.h"

#include "advice/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

struct reader {
	struct arena *arena;
	struct plan *plan;
	int cap;
	struct error *err;
};

static const char *const clause_names[PLAN_CLAUSE_COUNT] = {
	[PLAN_FILTER] = "Filter",
	[PLAN_INDEX_COND] = "Index Cond",
	[PLAN_RECHECK] = "Recheck Cond",
	[PLAN_HASH_COND] = "Hash Cond",
	[PLAN_MERGE_COND] = "Merge Cond",
	[PLAN_JOIN_FILTER] = "Join Filter",
	[PLAN_TID_COND] = "TID Cond",
	[PLAN_ORDER_BY] = "Order By",
};

static const char *
text_of(struct reader *r, const struct json *node, const char *key)
{
	const char *s = json_text(json_get(node, key));

	return s ? arena_strdup(r->arena, s) : NULL;
}

static double
number_of(const struct json *node, const char *key)
{
	double v = 0;

	if (!json_number(json_get(node, key), &v) || !(v >= 0))
		return 0;
	return v < 1e18 ? v : 1e18;
}

static struct plan_texts
texts_of(struct reader *r, const struct json *node, const char *key)
{
	const struct json *list = json_get(node, key);
	struct plan_texts out = { 0 };

	out.texts = arena_alloc(r->arena, sizeof(*out.texts) * (size_t)(json_len(list) + 1));
	for (const struct json *it = json_child(list); it; it = json_next(it)) {
		if (json_text(it))
			out.texts[out.n++] = arena_strdup(r->arena, json_text(it));
	}
	return out;
}

static void
add_node(struct reader *r, struct plan_node *node)
{
	struct plan *plan = r->plan;

	if (plan->nnodes == r->cap) {
		int cap = r->cap ? r->cap * 2 : 32;
		struct plan_node **more = arena_alloc(r->arena, sizeof(*more) * (size_t)cap);

		if (plan->nnodes)
			memcpy(more, plan->nodes, sizeof(*more) * (size_t)plan->nnodes);
		plan->nodes = more;
		r->cap = cap;
	}
	plan->nodes[plan->nnodes++] = node;
}

static void
read_fields(struct reader *r, const struct json *json, struct plan_node *node)
{
	node->schema = text_of(r, json, "Schema");
	node->relation = text_of(r, json, "Relation Name");
	node->alias = text_of(r, json, "Alias");
	node->index = text_of(r, json, "Index Name");
	node->operation = text_of(r, json, "Operation");
	node->strategy = text_of(r, json, "Strategy");
	node->join_type = text_of(r, json, "Join Type");
	node->subplan = text_of(r, json, "Subplan Name");
	node->startup = number_of(json, "Startup Cost");
	node->total = number_of(json, "Total Cost");
	node->rows = number_of(json, "Plan Rows");
	node->width =
	    (int)(number_of(json, "Plan Width") < 1e9 ? number_of(json, "Plan Width") : 1e9);
	for (int i = 0; i < PLAN_CLAUSE_COUNT; i++)
		node->clauses[i] = text_of(r, json, clause_names[i]);
	node->sort_key = texts_of(r, json, "Sort Key");
	node->presorted = texts_of(r, json, "Presorted Key");
	node->group_key = texts_of(r, json, "Group Key");
	node->output = texts_of(r, json, "Output");
}

static struct plan_node *
read_node(struct reader *r, const struct json *json, struct plan_node *parent, int depth)
{
	const struct json *kids = json_get(json, "Plans");
	struct plan_node *node = arena_zalloc(r->arena, 1, sizeof(*node));
	const char *direction = json_text(json_get(json, "Scan Direction"));

	node->type = text_of(r, json, "Node Type");
	if (!node->type) {
		error_set(r->err, ERR_FORMAT, "a plan node without a type");
		return NULL;
	}
	if (depth > PLAN_MAX_DEPTH || r->plan->nnodes >= PLAN_MAX_NODES) {
		error_set(r->err, ERR_FORMAT, "the plan is too large");
		return NULL;
	}
	node->parent = parent;
	node->workers = (int)fmin(number_of(json, "Workers Planned"), 1024);
	read_fields(r, json, node);
	node->is_backward = direction && strcmp(direction, "Backward") == 0;
	add_node(r, node);
	node->kids =
	    arena_alloc(r->arena, sizeof(struct plan_node *) * (size_t)(json_len(kids) + 1));
	for (const struct json *it = json_child(kids); it; it = json_next(it)) {
		struct plan_node *kid = read_node(r, it, node, depth + 1);

		if (!kid)
			return NULL;
		node->kids[node->nkids++] = kid;
	}
	return node;
}

struct plan *
plan_read(struct arena *arena, const char *json, size_t len, struct error *err)
{
	struct json *doc = json_parse(json, len, err);
	struct reader r = { .arena = arena, .err = err };
	const struct json *top;

	if (!doc)
		return NULL;
	top = json_get(json_at(doc, 0), "Plan");
	r.plan = arena_zalloc(arena, 1, sizeof(*r.plan));
	if (top)
		r.plan->root = read_node(&r, top, NULL, 0);
	else
		error_set(err, ERR_FORMAT, "no plan in the answer to EXPLAIN");
	json_free(doc);
	return r.plan->root ? r.plan : NULL;
}

bool
plan_is(const struct plan_node *node, const char *type)
{
	return strcmp(node->type, type) == 0;
}

bool
plan_is_scan(const struct plan_node *node)
{
	return node->relation && !node->operation &&
	    (plan_is(node, "Seq Scan") || plan_is(node, "Index Scan") ||
	        plan_is(node, "Index Only Scan") || plan_is(node, "Bitmap Heap Scan") ||
	        plan_is(node, "Sample Scan"));
}

double
plan_all_rows(const struct plan_node *node)
{
	for (const struct plan_node *up = node->parent; up; up = up->parent) {
		/* The leader helps less, the more workers it has to serve (costsize.c). */
		if (up->workers > 0)
			return node->rows * (up->workers + fmax(0, 1 - 0.3 * up->workers));
	}
	return node->rows;
}
