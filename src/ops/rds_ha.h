/*
 * Failovers of RDS: a reboot with failover of a Multi-AZ instance, FailoverDBCluster of Aurora and
 * of Multi-AZ DB clusters. That the API has taken the call says nothing: it is judged by events, by
 * the zone or the writer, and by the server itself where it can be reached. A call is sent once.
 * Facts:
 *
 *   cluster, instance   what fails over; one of them is ""
 *   member              the one that is to be the writer, "" any
 *   started_us          of the postmaster behind the endpoint when this was planned; none: unknown
 *   WAY.x               of one of the two ways, "there" and "back": mark (newest event), sent_us,
 *                       before, after (zone or writer), text (of the last event), done_us
 */
#ifndef PGMEDIC_OPS_RDS_HA_H
#define PGMEDIC_OPS_RDS_HA_H

#include "ops/rds.h"

extern const struct op_impl rds_failover, rds_promote, rds_replica, rds_drill;

/* What the plan looks at. member: "" any. is_strict: what only warns otherwise is red. ERR_REFUSED
 * names the first gate that is red. */
bool rds_ha_gates(struct op *op, struct aws *aws, const char *member, bool is_strict,
    struct error *err) MUST_CHECK;
bool rds_ha_is_cluster(struct op *op);
/* Does the target's conninfo name what leads to the writer? An instance of a cluster stays itself.
 */
bool rds_ha_endpoint_moves(struct op *op);
/* "the cluster x", "the instance x": what the facts say. */
const char *rds_ha_name(struct op *op);
const char *rds_ha_fact(struct op *op, const char *way, const char *name);
/* Send it, once; member as above. */
bool rds_ha_send(struct op *op, struct aws *aws, const char *way, const char *member,
    struct error *err) MUST_CHECK;
enum op_seen rds_ha_seen(struct op *op, struct aws *aws, const char *way, struct error *err);
/* Until it has happened. */
bool rds_ha_wait(struct op *op, struct aws *aws, const char *way, const char *member,
    struct error *err) MUST_CHECK;

/* Leftover "rds_writer": a drill has not come back to the writer of before. Undo fails over to it.
 */
bool rds_writer_undo(struct op *op, const struct job_leftover *left, struct error *err);

/* What the server behind the target's conninfo says; false: it cannot be reached. */
struct rds_sql {
	bool is_standby;
	int64_t started_us, timeline, lsn; /* 0: not known */
	double lag_s;                      /* NAN: not known */
};
bool rds_sql_look(struct op *op, const char *conninfo, struct rds_sql *out) MUST_CHECK;

#endif
