/* Operations of servers whose machine this is: shared by the files of ops/local_*.c. */
#ifndef PGMEDIC_OPS_LOCAL_H
#define PGMEDIC_OPS_LOCAL_H

#include "ops/op.h"

extern const struct op_impl local_snapshot, local_restore, local_point, local_verify,
    local_snapshots, local_snapshot_drop, local_retention, local_restore_drop;
/* Shared with RDS. */
bool restore_drop_words(struct op *op, const char **name, struct error *err) MUST_CHECK;
bool restore_drop_result(struct op *op, struct error *err) MUST_CHECK;
extern const struct op_impl local_pool;
extern const struct op_impl local_switchover, local_failover, local_promote, local_drill;

#endif
