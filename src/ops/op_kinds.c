/* All operations, in the order users see them. */
#include "config.h"

#include "ops/local.h"
#include "ops/local_pooler.h"
#include "ops/op.h"

static const struct op_kind snapshot = {
	.verb = "snapshot",
	.usage = "snapshot [NAME] [full|diff|incr]",
	.help = "make a backup now: a snapshot of RDS, or one by pgBackRest",
	.confirm = OP_WRITES,
	.local = &local_snapshot,
};

static const struct op_kind pool = {
	.verb = "pool",
	.usage = "pool pause|resume|reconnect|kill [DATABASE]",
	.help = "hold, let go, or cut the clients of PgBouncer",
	.confirm = OP_WRITES,
	.local = &local_pool,
	.rds = &local_pool,
};

const struct op_kind *const op_kinds[] = { &snapshot, &pool, NULL };

const struct op_leftover_def op_leftover_defs[] = {
	{ "pooler", pooler_undo },
	{ NULL, NULL },
};
