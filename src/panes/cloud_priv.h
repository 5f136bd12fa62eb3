/* Inside of the cloud pane: its columns and its head. */
#ifndef PGMEDIC_PANES_CLOUD_PRIV_H
#define PGMEDIC_PANES_CLOUD_PRIV_H

#include "panes/pane.h"

enum {
	CLOUD_C_KIND,
	CLOUD_C_NAME,
	CLOUD_C_NOW,
	CLOUD_C_RANGE,
	CLOUD_C_TREND,
	CLOUD_C_VALUE,
	CLOUD_C_UNIT,
	CLOUD_C_MIN,
	CLOUD_C_AVG,
	CLOUD_C_MAX,
	CLOUD_C_TIME,
	CLOUD_C_STATE,
	CLOUD_C_SOURCE,
	CLOUD_C_TEXT,
	CLOUD_C_COUNT
};

enum { CLOUD_WINDOW_S = 3 * 3600 };

/* Seconds that are looked back over. */
int cloud_window(const struct pane_ctx *ctx);

/* A row of a kind. */
struct cell *cloud_row(struct grid *g, const char *kind, const struct cell *name);
/* Figures as they come, then processes, the busiest first; rows may be NULL. */
void cloud_os_rows(struct grid *g, const struct rowset *rows);

int cloud_head_rows(const struct pane_ctx *ctx, int width, int height);
void cloud_head(const struct pane_ctx *ctx, const struct grid *grid, struct draw *draw);

#endif
