/* What is wrong, above the overview's table and in its summary. */
#ifndef PGMEDIC_PANES_OVERVIEW_WRONG_H
#define PGMEDIC_PANES_OVERVIEW_WRONG_H

#include "panes/pane.h"

/* For text and JSON: all findings in one fact, counts and names in others. */
void overview_wrong_facts(const struct pane_ctx *ctx, struct grid *grid);
/* For the screen, as a pane's head. */
int overview_head_rows(const struct pane_ctx *ctx, int width, int height);
void overview_head(const struct pane_ctx *ctx, const struct grid *grid, struct draw *draw);

#endif
