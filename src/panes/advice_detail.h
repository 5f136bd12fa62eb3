/* The whole story of one piece of advice. Pure. */
#ifndef PGMEDIC_PANES_ADVICE_DETAIL_H
#define PGMEDIC_PANES_ADVICE_DETAIL_H

#include "base/doc.h"
#include "model/snapshot.h"

/* What there is to say of a row of PROBE_ADVICE: command, figures, each statement with its cost
 * before and after, caveats, and what was tried for the same table and rejected, and why. */
void advice_detail(
    const struct snapshot *snap, const struct rowset *advice, int row, struct doc *doc);
/* The advice that helps a statement, one line each; says nothing when there is none. */
void advice_for_statement(const struct snapshot *snap, int64_t query_id, struct doc *doc);
/* What was measured after an act of PROBE_ADVICE_EFFECT, one line for row i. False: it is too young
 * to say. In the arena. */
const char *advice_effect_line(const struct rowset *effect, int row, struct arena *arena);

#endif
