/*
 * What an index would save, by arithmetic on the plan as it is: for databases without HypoPG, and
 * for kinds of index that HypoPG is not trusted with.
 */
#ifndef PGMEDIC_ADVICE_MODEL_H
#define PGMEDIC_ADVICE_MODEL_H

#include "advice/oracle.h"

/* Cost of a statement's plan for one of its value sets with those candidates. */
struct oracle_answer model_cost(
    const struct cands *cands, const struct statement *s, int set, const struct cand_set *with);

struct model_index {
	const struct cat_table *table;
	double pages, height; /* of the index */
	double share;         /* of the table's rows that the index finds */
	double correlation;   /* of its first key with the table's order */
	bool is_only, is_gin; /* all columns in it; bitmap only */
	double quals;         /* conditions evaluated for each row */
};
/* Cost of one scan of it, in the planner's units with its defaults. */
double model_index_scan(const struct model_index *ix);
/* The costliest scan of a relation in a plan, with cost and rows of all its scans; NULL: none. */
const struct plan_node *model_scan(
    const struct needs *needs, const struct plan *plan, int rel, double *cost, double *rows);
/* Share of rows that a condition selects, for the values of a set. */
double model_share(const struct cat_table *t, const struct cond *c, const struct value_set *set);

/* Of the rows that an index's keys find, the share that the conditions on other columns leave. */
double model_filter_share(
    const struct need *need, const struct cand *cand, const struct value_set *set);

#endif
