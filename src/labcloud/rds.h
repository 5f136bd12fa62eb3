/* What the parts of the rds service share. */
#ifndef PGMEDIC_LABCLOUD_RDS_H
#define PGMEDIC_LABCLOUD_RDS_H

#include "labcloud/call.h"

#define RDS_NAMESPACE "http://rds.amazonaws.com/doc/2014-10-31/"

/* The instance that a parameter names; NULL and failed when there is none. */
struct instance *rds_instance(struct call *c, const char *parameter);
/* The same for a cluster. */
struct instance *rds_cluster(struct call *c, const char *parameter);
void rds_write_cluster(struct call *c, const struct instance *cluster);
/* Tags that were given with a call. */
void rds_take_tag(struct call *c, struct instance *i);
/* A new instance or cluster like `source`, not yet counted; NULL and failed. */
struct instance *rds_fresh(struct call *c, const char *parameter, const struct instance *source);
/* Count it, restored by a command line of pgmedic; answers. */
void rds_restore_begin(struct call *c, struct instance *i, const char *line);
void rds_answer_instance(struct call *c, const struct instance *i);
/* Failovers: of an instance, and of a cluster to a member, NULL any. */
void rds_fail_over_instance(struct call *c, struct instance *i);
/* It is available, else failed. */
bool rds_available(struct call *c, const struct instance *i) MUST_CHECK;
void rds_write_instance(struct call *c, const struct instance *i);

#endif
