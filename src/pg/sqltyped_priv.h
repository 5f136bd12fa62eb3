/* Between sqltyped.c, sqlguess.c and sqlgroup.c. */
#ifndef PGMEDIC_PG_SQLTYPED_PRIV_H
#define PGMEDIC_PG_SQLTYPED_PRIV_H

#include "pg/sqltyped.h"

enum { MAX_LADDER = 10 };

struct sql_typed {
	struct arena *arena;
	const char *statement; /* before repairs */
	const char *text;      /* without casts */
	struct sql_token *tok;
	int ntok;
	int nparams;
	const char **types; /* [nparams + 1] cast in force, by parameter */
	bool *skip;         /* [nparams + 1] tried in vain for the present complaint */
	bool unified;
	int nnames; /* of variables that became parameters */
	/* the present complaint, and what is being tried for it */
	char sqlstate[6];
	size_t place;
	int *slots, nslots; /* parameters; [nparams] */
	const char *ladder[MAX_LADDER];
	int nladder, step;
};

/* What a complaint is about: which parameters to cast (slots) and to what, in order (ladder); no
 * slots: the nearest. `i` is the token at its position. */
void sql_guess(struct sql_typed *t, const struct sql_complaint *c, int i);
/* The text with items of GROUP BY, ORDER BY and DISTINCT ON written as they stand elsewhere; NULL
 * when nothing changes. Pure. */
const char *sql_unify(struct arena *arena, const char *text);

#endif
