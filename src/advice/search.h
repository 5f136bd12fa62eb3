/*
 * Which of the candidates to make: adds or widens the one with the best net benefit, again and
 * again, until nothing is worth its writes (after Extend, ICDE 2019).
 */
#ifndef PGMEDIC_ADVICE_SEARCH_H
#define PGMEDIC_ADVICE_SEARCH_H

#include "advice/oracle.h"

struct search {
	struct oracle *oracle;
	struct cand_set chosen;
	double saving[CAND_MAX]; /* share of the workload's weight, of each that is chosen */
	double writes[CAND_MAX]; /* share that keeping it up costs, of each candidate */
};

/* One question per statement and value set, all its candidates at once: those that no plan uses
 * are out. False when a limit was reached. */
bool search_first(struct search *sr);
/* What the first pass suggests, while there is no time for more. */
void search_guess(struct search *sr);
bool search_run(struct search *sr);
/* Fills before, after, low, high and chosen of each statement for the chosen set. */
void search_settle(struct search *sr);
/* Expected cost of a statement with a set, as a share of what it costs now. */
double search_ratio(const struct oracle *o, int statement, struct cand_set with);

#endif
