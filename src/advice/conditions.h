/*
 * What a plan asks of each table: the conditions, joins, sort orders and columns that an index
 * could serve, found in the expressions that the server has deparsed (research 1.6). Views, search
 * paths and rewrites are resolved by the plan itself.
 */
#ifndef PGMEDIC_ADVICE_CONDITIONS_H
#define PGMEDIC_ADVICE_CONDITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "advice/catalog.h"
#include "advice/expr.h"
#include "advice/plan.h"

enum cond_op {
	COND_EQ, /* also IS NOT DISTINCT FROM, boolean columns */
	COND_IN, /* = ANY */
	COND_LT, /* < <= */
	COND_GT, /* > >= */
	COND_LIKE,
	COND_ILIKE,
	COND_REGEX,
	COND_IS_NULL,
	COND_NOT_NULL,
	COND_CONTAINS, /* @> <@ && ? ?| ?& @@ @? : what GIN serves */
	COND_OTHER,    /* != and what no index serves */
};

struct cond {
	enum cond_op op;
	const char *opname;
	const char *column;       /* the plain column, or NULL: left is an expression */
	const char *inner;        /* the one column in that expression, or NULL */
	const struct expr *left;  /* the indexed side */
	const struct expr *right; /* NULL for IS NULL and booleans */
	int param;                /* $n on the right, 0 none */
	const char *constant;     /* literal on the right, or NULL */
	bool is_plain;            /* the parameter or literal itself, not a function of it */
	bool is_join;             /* the right side has columns of other relations */
	int other_rel;            /* of a join between two plain columns, else -1 */
	const char *other_column;
	int or_group; /* > 0: an arm of that OR */
	int or_arm;
};

struct sort_key {
	const char *column;
	bool is_desc, nulls_first;
};

struct need {
	struct cat_table *table; /* the root of a partitioned one */
	const char *alias;
	const struct plan_node *scan; /* the costliest of its scans */
	double scan_cost, scan_rows;  /* sums over partitions, one execution each */
	struct cond *conds;
	int nconds, cap;
	const char **columns; /* all that the statement reads of it */
	int ncolumns, ccap;
	bool reads_all;
	struct sort_key *sort;
	int nsort;
	const struct plan_node *sort_node;
	bool has_limit; /* only the first rows of the sort are wanted */
	const char *minmax;
};

enum { NEED_MAX = 64 };
struct needs {
	struct need rels[NEED_MAX];
	int n;
	int or_groups;
	const struct plan *plan;
};

/* Everything goes into the arena. Relations that the catalogue does not have are left out. */
struct needs *needs_read(struct arena *arena, const struct plan *plan, const struct catalog *cat);
/* Is the row count limited above a node, with only sorting between? */
bool plan_has_limit_above(const struct plan_node *node);
/* The relation that a scan node belongs to, -1 none. */
int needs_of_node(const struct needs *needs, const struct plan_node *node);
int needs_of_alias(const struct needs *needs, const char *alias);

#endif
