/* What Performance Insights adds to the pane of waits. */
#ifndef PGMEDIC_PANES_WAITS_INSIGHTS_H
#define PGMEDIC_PANES_WAITS_INSIGHTS_H

#include "model/waits_past.h"
#include "panes/pane.h"

/* Of the machine, or of the class that RDS says it is; 0 unknown. */
int waits_cpus(const struct snapshot *snap);
/* What it added, or why it did not where it should have. ticks: sampled by ourselves. */
void waits_note_past(
    const struct pane_ctx *ctx, struct grid *grid, const struct waits_past *past, int ticks);
/* Into the chart at `left`: up to which column the load is from there. */
void waits_draw_past(struct draw *draw, int left, int height, int columns);

#endif
