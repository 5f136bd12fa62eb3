/* All operations, in the order users see them. */
#include "config.h"

#include "ops/local.h"
#include "ops/op.h"

static const struct op_kind snapshot = {
	.verb = "snapshot",
	.usage = "snapshot [NAME] [full|diff|incr]",
	.help = "make a backup now: a snapshot of RDS, or one by pgBackRest",
	.confirm = OP_WRITES,
	.local = &local_snapshot,
};

const struct op_kind *const op_kinds[] = { &snapshot, NULL };

const struct op_leftover_def op_leftover_defs[] = {
	{ NULL, NULL },
};
