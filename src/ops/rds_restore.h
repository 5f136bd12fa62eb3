/* A new instance, or a new cluster with one, from a snapshot or a moment, beside the source:
 * `restore`, and the scratch of `verify`. */
#ifndef PGMEDIC_OPS_RDS_RESTORE_H
#define PGMEDIC_OPS_RDS_RESTORE_H

#include "ops/rds_make.h"

enum { RDS_RESTORE_NAME_MAX = 63 };

/* Steps "cluster" and "cluster-wait" (of a cluster), "create" and "wait", and the facts that they
 * need. Either snapshot or at is NULL. rds_look() comes before. */
bool rds_restore_plan_new(struct op *op, struct aws *aws, const char *snapshot, const char *at,
    const char *name, struct error *err) MUST_CHECK;

/* The steps but "wait". What they make is a leftover until it is settled: kinds "rds_instance" and
 * "rds_cluster". */
enum op_seen rds_restore_cluster_seen(struct op *op, struct error *err);
bool rds_restore_cluster_run(struct op *op, struct error *err);
bool rds_restore_cluster_wait_run(struct op *op, struct error *err);
enum op_seen rds_restore_create_seen(struct op *op, struct error *err);
bool rds_restore_create_run(struct op *op, struct error *err);
/* Wait until the new instance can be reached: what it is then. */
bool rds_restore_wait(
    struct op *op, struct aws *aws, struct rds_instance *i, struct error *err) MUST_CHECK;

#endif
