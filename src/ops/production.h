/*
 * Is a target fit for production: what survives the loss of a machine, a mistake, an intruder, and
 * whether that has ever been tried. For RDS by what AWS says, for a server of one's own by what
 * corresponds; the last verification and drill by the journal. It waits; for `pgmedic doctor`.
 */
#ifndef PGMEDIC_OPS_PRODUCTION_H
#define PGMEDIC_OPS_PRODUCTION_H

#include "base/checks.h"
#include "ops/op.h"
#include "pg/sync.h"

/* pg: a session, NULL where there is none; then what only it can tell is unknown. */
void production_checks(const struct op_target *target, struct pg_sync *pg, struct checks *out);

#endif
