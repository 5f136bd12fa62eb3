/* What the alerts pane and the overview share: findings in words. */
#ifndef PGMEDIC_PANES_ALERTS_H
#define PGMEDIC_PANES_ALERTS_H

#include "model/rules.h"
#include "panes/pane.h"

/* A finding in one line: figure, cause, evidence; or why it is not known. In the arena. */
const char *finding_line(struct arena *arena, const struct finding *f, bool with_cause);
/* "nothing found by 31 rules; 4 without data" */
const char *finding_none(struct arena *arena, const struct snapshot *s);
/* Counts by severity and the names of rules that are pending or without data, for the summary. */
void finding_facts(const struct snapshot *s, struct grid *g);
enum role severity_role(enum severity severity);

#endif
