/*
 * Values to plan a statement with. A generic plan hides what skew and ranges do (research 1.5), so
 * each statement is also costed with values that its columns really have: the most common, a
 * middling and a rare one, wide ranges and recent ones. What the statement returned per call says
 * which of them it is usually asked with.
 */
#ifndef PGMEDIC_ADVICE_VALUES_H
#define PGMEDIC_ADVICE_VALUES_H

#include "advice/conditions.h"

enum value_kind { VALUE_GENERIC, VALUE_COMMON, VALUE_TYPICAL, VALUE_RARE, VALUE_KINDS };

struct value_set {
	enum value_kind kind;
	const char **values; /* one per parameter; NULL: generic */
	double weight;       /* shares of a statement's sets sum to 1 */
};

/*
 * Up to VALUE_KINDS sets (the generic one first) for the parameters of a statement, whose text
 * tells which of them are limits. Sets that would be the same are given once. Never a NULL value:
 * without a sensible one there is the generic set alone. Returns how many.
 */
int values_choose(struct arena *arena, const struct needs *needs, const char *text, int nparams,
    const char *const *types, struct value_set *sets);
/* Do values decide whether an index can be used at all (LIKE): then the generic plan tells nothing.
 */
bool values_decide(const struct needs *needs);
/*
 * Weights from what is seen: rows[i] that set i's plan expects, rows per call that came. is_free:
 * the row count says nothing (an aggregate, a limit that is reached).
 */
void values_weigh(struct value_set *sets, int n, const double *rows, double seen, bool is_free);
const char *value_kind_name(enum value_kind kind);

#endif
