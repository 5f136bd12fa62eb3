/* Planning the workload as it is now: generic plans, what they need, value sets and their costs. */
#ifndef PGMEDIC_ADVICE_EXPLAINING_H
#define PGMEDIC_ADVICE_EXPLAINING_H

#include "advice/oracle.h"

/* Generic plans of all statements. False when a limit was reached; what is explained by then
 * counts. */
bool explain_workload(struct oracle *o);
/* Needs, value sets, costs and candidates. */
bool explain_values(struct oracle *o, const struct catalog *cat);

#endif
