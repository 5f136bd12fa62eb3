/* The server that is copied: it may be gone, then the repository alone has to do. */
#ifndef PGMEDIC_OPS_LOCAL_SOURCE_H
#define PGMEDIC_OPS_LOCAL_SOURCE_H

#include <stdbool.h>

#include "ops/op.h"
#include "ops/op_server.h"
#include "ops/pgbackrest.h"

struct local_source {
	bool is_there, is_standby;
	const char *why_not; /* it cannot be reached; "" */
	int64_t system_identifier, segment_size, lsn;
	struct wall now, archived_at;
	const char *archived_wal; /* "" none yet */
	const char *superuser, *database;
	bool is_failing; /* archiving has failed since it last did not */
	const char *failed_wal;
	struct wall failed_at;
};

/* Look; a server that cannot be reached is no failure (why_not), one that refuses to tell is. */
bool local_source_look(struct op *op, struct local_source *out, struct error *err) MUST_CHECK;
/* Is the stanza of that server? ERR_REFUSED when it is another cluster's. */
bool local_source_same(struct op *op, const struct local_source *source,
    const struct pgbackrest_info *info, struct error *err) MUST_CHECK;
/* What is wrong with it, for a plan. */
void local_source_doc(struct op *op, const struct local_source *source);
/* One commit and a new WAL segment: what this session has done before it is on disk then. Fact
 * archive.wal. */
bool local_source_switch(struct op *op, struct pg_sync *pg, struct error *err) MUST_CHECK;
/* A step: that, where it was not done yet; then wait until the repository has the segment. */
bool local_source_archive(struct op *op, struct error *err) MUST_CHECK;
/* A restore point by its name. ERR_NOT_FOUND. */
bool local_point_find(
    struct op *op, const char *name, struct job_point *out, struct error *err) MUST_CHECK;

#endif
