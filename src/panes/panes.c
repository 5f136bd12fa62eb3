/* The panes, in the order of their numbers on the screen. */
#include "config.h"

#include <stddef.h>

#include "panes/pane.h"

extern const struct pane pane_overview, pane_activity, pane_waits, pane_locks, pane_statements,
    pane_replication, pane_tables, pane_indexes, pane_maintenance, pane_databases, pane_settings,
    pane_pools, pane_history, pane_advice, pane_alerts, pane_storage, pane_logs, pane_cloud;

const struct pane *const panes[] = {
	&pane_overview,
	&pane_activity,
	&pane_waits,
	&pane_locks,
	&pane_statements,
	&pane_replication,
	&pane_tables,
	&pane_indexes,
	&pane_maintenance,
	&pane_databases,
	&pane_settings,
	&pane_pools,
	&pane_advice,
	&pane_history,
	&pane_storage,
	&pane_cloud,
	&pane_alerts,
	&pane_logs,
	NULL,
};
