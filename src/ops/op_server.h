/* The server of a target, as an operation sees it. */
#ifndef PGMEDIC_OPS_OP_SERVER_H
#define PGMEDIC_OPS_OP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rowset.h"
#include "ops/op.h"
#include "pg/sync.h"

struct op_server {
	int64_t system_identifier;
	int version_num;
	const char *version;
	bool is_standby;
	const char *timeline; /* eight hexadecimal digits; "" of a standby */
	int64_t lsn;
	struct wall started_at;
	const char *data_directory; /* "" where the role may not see it */
	const char *archive_mode;
	bool has_checksums;
};

/* Connect to a target's server; ERR_CONNECT … says which. */
struct pg_sync *op_connect(struct op *op, const struct op_target *target, struct error *err);
/* Is it still the cluster it was? Where it cannot be reached that is for the steps to see. */
bool op_same_cluster(struct op *op, int64_t system_identifier, struct error *err) MUST_CHECK;
/* A text of an answer, in the operation's arena; "" where it is null. */
const char *op_text(struct op *op, const struct rowset *rows, int row, const char *column);
/* Ask who it is; strings in the operation's arena. */
bool op_server_read(
    struct op *op, struct pg_sync *pg, struct op_server *out, struct error *err) MUST_CHECK;
/* Both, and the identity of the plan: system identifier, role, timeline, under a prefix. */
bool op_server_look(struct op *op, const struct op_target *target, const char *prefix,
    struct op_server *out, struct error *err) MUST_CHECK;

#endif
