/*
 * A plan as EXPLAIN (VERBOSE, FORMAT JSON) tells it: a tree of nodes with the conditions that the
 * server has deparsed. Whatever is in the text, it is read or refused.
 */
#ifndef PGMEDIC_ADVICE_PLAN_H
#define PGMEDIC_ADVICE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/mem.h"

/* Where an expression stands in a node. */
enum plan_clause {
	PLAN_FILTER,
	PLAN_INDEX_COND,
	PLAN_RECHECK,
	PLAN_HASH_COND,
	PLAN_MERGE_COND,
	PLAN_JOIN_FILTER,
	PLAN_TID_COND,
	PLAN_ORDER_BY, /* of an index that gives distances */
	PLAN_CLAUSE_COUNT,
};

struct plan_texts {
	const char **texts;
	int n;
};

struct plan_node {
	const char *type; /* "Seq Scan", …; never NULL */
	const char *schema, *relation, *alias;
	const char *index;     /* name, also of hypothetical ones */
	const char *operation; /* of ModifyTable */
	const char *strategy, *join_type, *subplan;
	double startup, total, rows;
	int width, workers; /* planned, of Gather */
	bool is_backward;
	const char *clauses[PLAN_CLAUSE_COUNT];
	struct plan_texts sort_key, presorted, group_key, output;
	struct plan_node *parent;
	struct plan_node **kids;
	int nkids;
};

struct plan {
	struct plan_node *root;
	struct plan_node **nodes; /* all of them, a parent before its children */
	int nnodes;
};

enum { PLAN_MAX_NODES = 4096, PLAN_MAX_DEPTH = 60 };

/* Everything goes into the arena. NULL and *err (FORMAT) when it is no plan. */
struct plan *plan_read(struct arena *arena, const char *json, size_t len, struct error *err);
bool plan_is(const struct plan_node *node, const char *type);
/* Rows over all workers, when the node's own are those of one of them. */
double plan_all_rows(const struct plan_node *node);
/* Seq Scan, any index scan, bitmap heap scan: it reads the rows of a table. */
bool plan_is_scan(const struct plan_node *node);

#endif
