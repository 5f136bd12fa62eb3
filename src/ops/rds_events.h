/* Events of RDS. They have no number: what is newer than a moment of AWS's own clock is known by
 * its time, and what it means by its text, loosely. */
#ifndef PGMEDIC_OPS_RDS_EVENTS_H
#define PGMEDIC_OPS_RDS_EVENTS_H

#include "ops/rds.h"

struct rds_events {
	int64_t newest_us;   /* 0: none at all */
	int64_t failover_us; /* the newest that is about a failover; 0: none */
	bool is_begun;       /* a failover is said to have begun, or anything after that */
	bool is_done, has_failed, is_abandoned;
	const char *text; /* of the newest about a failover; "" none */
};

/* Of an instance or a cluster, newer than `after_us`, of the last `minutes`. Where events may not
 * be read there are none. */
bool rds_events_read(struct op *op, struct aws *aws, bool is_cluster, const char *id,
    int64_t after_us, int minutes, struct rds_events *out, struct error *err) MUST_CHECK;

#endif
