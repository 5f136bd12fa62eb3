/* Planning the workload as it is now: generic plans, what they need, value sets and their costs. */
#ifndef PGMEDIC_ADVICE_EXPLAINING_H
#define PGMEDIC_ADVICE_EXPLAINING_H

#include "advice/oracle.h"

/* Generic plans of all statements. False when a limit was reached; what is explained by then
 * counts. */
bool explain_workload(struct oracle *o);
/* Needs, value sets, costs and candidates, when the catalogue has the columns of all tables in the
 * plans. */
bool explain_values(struct oracle *o, const struct catalog *cat);
/* Oids of the tables in the plans, of their roots and largest partitions, as an array's text. */
const char *explain_tables(const struct oracle *o, struct catalog *cat, struct arena *arena);

#endif
