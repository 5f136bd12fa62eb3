/* What the history pane and those who open it agree on. */
#ifndef PGMEDIC_PANES_HISTORY_H
#define PGMEDIC_PANES_HISTORY_H

#include "panes/pane.h"

/* The metric of a name, its own or that of its row in the overview; -1: there is none. */
int history_metric_by_name(const char *name);
/* What a view of the pane shows. */
const char *history_shown_metric(const struct pane_opts *opts);
int history_shown_span(const struct pane_opts *opts);

#endif
