/*
 * The collector for a command without a screen: one target, until a pane has what it needs. Main
 * thread.
 */
#ifndef PGMEDIC_APP_SAMPLER_H
#define PGMEDIC_APP_SAMPLER_H

#include "app/targets.h"
#include "base/error.h"
#include "base/grid.h"
#include "base/rowset.h"
#include "model/snapshot.h"
#include "panes/pane.h"

struct sampler;

struct sampler *sampler_open(const struct target *target, struct error *err) MUST_CHECK;
void sampler_close(struct sampler *s); /* NULL is fine */
/*
 * Wait until every probe of the pane has answered, twice where it shows rates, with texts where it
 * shows them. The snapshot is borrowed until the next call. NULL and *err when the target cannot be
 * reached.
 */
const struct snapshot *sampler_wait(
    struct sampler *s, const struct pane *pane, struct error *err) MUST_CHECK;
/* The answer of a probe that is not the server's (SCOPE_POSTED); takes the rows. It is in the
 * snapshot of the next sampler_wait(). */
void sampler_post(struct sampler *s, enum probe_id probe, struct rowset *rows);
/* What was posted and nothing of the server: for when sampler_wait() has failed. The snapshot is
 * the sampler's. */
const struct snapshot *sampler_posted(struct sampler *s);
/* After sampler_wait() failed: what the cloud tells without the server. */
const struct snapshot *sampler_cloud(struct sampler *s, const struct pane *pane);
/* Fill an initialised grid from that snapshot, sealed, in the pane's order. */
void sampler_fill(
    struct sampler *s, const struct pane *pane, const struct pane_opts *opts, struct grid *grid);

#endif
