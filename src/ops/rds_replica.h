/* Read replicas of an instance. */
#ifndef PGMEDIC_OPS_RDS_REPLICA_H
#define PGMEDIC_OPS_RDS_REPLICA_H

#include "ops/rds.h"

bool rds_replica_of(const struct rds_instance *source, const struct rds_instance *replica);
/* One of the source's replicas; *region "": in the source's own. ERR_REFUSED: it is none. */
bool rds_replica_find(struct op *op, struct aws *aws, const struct rds_instance *source,
    const char *name, const char **region, struct rds_instance *out, struct error *err) MUST_CHECK;

#endif
