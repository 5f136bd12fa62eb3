/* Between conditions.c (relations, columns, orders) and comparisons.c (conditions). */
#ifndef PGMEDIC_ADVICE_CONDITIONS_PRIV_H
#define PGMEDIC_ADVICE_CONDITIONS_PRIV_H

#include "advice/conditions.h"

struct need_builder {
	struct arena *arena;
	struct needs *needs;
	const struct catalog *cat;
};

/* Adds what an expression that must hold asks of each relation, to those that are there already. */
void conditions_add(struct need_builder *b, const struct expr *e);

#endif
