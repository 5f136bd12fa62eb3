/* The whole story of one statement, for the detail view of the statements pane. Pure. */
#ifndef PGMEDIC_PANES_STATEMENTS_DETAIL_H
#define PGMEDIC_PANES_STATEMENTS_DETAIL_H

#include "base/cell.h"
#include "base/doc.h"
#include "model/snapshot.h"

/*
 * Counters since the reset beside those of the interval, the load it made within the series, its
 * text.
 *
 * look       answer of look_statement, or NULL
 * row        of the last good answer of PROBE_STATEMENTS
 * user, database, query_id, text: cells of the pane's row
 */
void statements_detail(const struct snapshot *snap, const struct rowset *look, int row,
    const struct cell *user, const struct cell *database, const struct cell *query_id,
    const struct cell *text, struct doc *doc);

#endif
