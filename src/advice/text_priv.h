/* Proposals of indexes that are no plain B-trees, shared between the parts of text.c. */
#ifndef PGMEDIC_ADVICE_TEXT_PRIV_H
#define PGMEDIC_ADVICE_TEXT_PRIV_H

#include "advice/report.h"
#include "advice/search.h"

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
	const char *text_config; /* of text search */
	struct proposal *items;
	int n;
};

/* What the condition could use, or false. seen: share of the table that a call brings back; 0: not
 * known. */
bool text_propose(struct texts *t, const struct statement *s, const struct need *need,
    const struct cond *c, double seen, struct proposal *out);
/* Only the rows of a condition that few rows meet, by what else is searched or sorted. */
bool text_propose_partial(struct texts *t, const struct need *need, const struct cond *c,
    double seen, struct proposal *out);

#endif
