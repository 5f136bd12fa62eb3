/* The whole story of one session, for the detail views of activity and locks. */
#ifndef PGMEDIC_PANES_ACTIVITY_DETAIL_H
#define PGMEDIC_PANES_ACTIVITY_DETAIL_H

#include "base/doc.h"
#include "panes/pane.h"

/* What the machine says of its process; cells of the pane's row, or NULL. */
struct session_figures {
	const struct cell *cpu_pct, *rss_bytes, *read_bps, *write_bps;
};

/*
 * session_detail - identity, state, transaction, locks, load of its statement, text
 *
 * ctx            of a pane whose cache is a sessions_cache; ctx->look, when there, is an answer of
 * look_activity pid            of the session; backend_start tells it from a later one of the same
 * pid, 0: unknown figures        or NULL
 */
void session_detail(const struct pane_ctx *ctx, int64_t pid, int64_t backend_start,
    const struct session_figures *figures, struct doc *doc);

/* Parameters of look_activity; -1 where the session has no identity to ask by. */
int session_look(
    int64_t pid, const struct cell *backend_start, struct arena *arena, const char **params);

#endif
