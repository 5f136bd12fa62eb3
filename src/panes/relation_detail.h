/* Details of tables and indexes: what was asked of the server for one of them, then every column.
 * Pure. */
#ifndef PGMEDIC_PANES_RELATION_DETAIL_H
#define PGMEDIC_PANES_RELATION_DETAIL_H

#include "base/doc.h"
#include "panes/pane.h"

/*
 * look_params of a pane whose look query has one parameter, an oid: asked once, not every few
 * seconds, as sizes look at files. col: the grid's column of the oid.
 */
int relation_look(const struct pane_ctx *ctx, const struct grid *grid, int row, int col,
    struct arena *arena, const char **params);
/* The answer of look_table or look_index, when there is one. */
void relation_looked(const struct rowset *look, struct doc *doc);
/* Every column in full. */
void relation_columns(const struct grid *grid, int row, struct doc *doc);

#endif
