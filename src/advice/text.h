/*
 * Indexes that HypoPG is not asked about: on expressions, partial ones, GIN for documents, arrays
 * and patterns. Their saving is modelled from the plan as it is.
 */
#ifndef PGMEDIC_ADVICE_TEXT_H
#define PGMEDIC_ADVICE_TEXT_H

#include "advice/item.h"
#include "advice/search.h"

/* What is in the database besides its tables. */
struct text_setup {
	bool has_trgm;
	const char *text_config; /* default configuration of text search */
};

/*
 * Adds items for statements that the chosen B-trees (settled) do not help enough, and puts partial
 * indexes in the place of chosen ones of which few rows are ever wanted.
 */
void text_advise(struct advice_list *list, const struct catalog *cat, struct search *sr,
    const struct text_setup *setup);

#endif
