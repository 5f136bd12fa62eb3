/*
 * Indexes that can go, that should be rebuilt, and foreign keys that no index serves: what the
 * catalog and the counters alone can say, with the guards of the notes 1.8. A wrong DROP is far
 * worse than a missed one, so each rule asks for its evidence first. Pure.
 *
 * Jointly safe: of what is advised, all may be done. An index is called redundant only beside one
 * that stays, and a foreign key that is looked up keeps one that serves it.
 */
#ifndef PGMEDIC_ADVICE_DROP_H
#define PGMEDIC_ADVICE_DROP_H

#include "advice/catalog.h"
#include "advice/item.h"
#include "advice/sizing.h"

/* Days without a scan before an index is called unused: advice_unused_days. */
#define DROP_UNUSED_DAYS 7

struct drop_input {
	const struct catalog *cat; /* for names and sizes of what is made */
	/* answers to the queries advice_tables, advice_indexes, advice_fkeys */
	const struct rowset *tables, *indexes, *fkeys;
	const struct sizing *sizing;
	/* As in struct advice_request: columns schema, index, scans, stats_age_s, standby. NULL: no
	 * standby is a target. */
	const struct rowset *standby_scans;
	int nstandbys_unseen;  /* -1: not known */
	double promoted_age_s; /* since it was made a primary; < 0: it was never a standby */
	double unused_days;    /* statistics younger than that call nothing unused */
};

struct drop_outcome {
	/* Why no index is called unused, or NULL; in the list's arena. */
	const char *no_unused, *no_unused_hint;
	int held_back; /* never scanned, but needed: unique, foreign keys, replica identity … */
};

/* Adds its items to the list. */
void drop_advise(const struct drop_input *in, struct advice_list *list, struct drop_outcome *out);

#endif
