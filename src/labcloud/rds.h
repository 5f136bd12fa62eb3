/* What the parts of the rds service share. */
#ifndef PGMEDIC_LABCLOUD_RDS_H
#define PGMEDIC_LABCLOUD_RDS_H

#include "labcloud/act.h"
#include "labcloud/call.h"

#define RDS_NAMESPACE "http://rds.amazonaws.com/doc/2014-10-31/"

/* The instance that a parameter names; NULL and failed when there is none. */
struct instance *rds_instance(struct call *c, const char *parameter);
/* The same for a cluster. */
struct instance *rds_cluster(struct call *c, const char *parameter);
void rds_write_cluster(struct call *c, const struct instance *cluster);
/* The tags of a proxy, by its ARN; NULL: there is none. */
struct tags *rds_proxy_tags(struct call *c, const char *arn);
/* A new instance or cluster like `source`, not yet counted; NULL and failed. */
struct instance *rds_fresh(struct call *c, const char *parameter, const struct instance *source);
/* Count it, restored from a backup's label, "--at TIME", or a snapshot's home; answers. */
void rds_restore_begin(struct call *c, struct instance *i, const char *from);
/* A new snapshot, not yet counted, by the name that a parameter gives; NULL and failed. */
struct snapshot *rds_snapshot_fresh(struct call *c, const char *parameter, bool is_cluster);
/* Snapshots that are a folder of the lab, below "snapshots/": one of a server that is not of its
 * pair; what is restored from one; its deletion; and the last of an instance that goes. */
bool rds_folder_snapshot(struct call *c, const struct instance *source, struct snapshot *s,
    act_finish *finish, struct error *err) MUST_CHECK;
bool rds_folder_restore(
    struct call *c, struct instance *i, const char *snapshot, struct error *err) MUST_CHECK;
bool rds_folder_delete(struct call *c, const struct snapshot *s, struct error *err) MUST_CHECK;
bool rds_folder_last(struct call *c, const struct instance *i, struct snapshot *s, const char *data,
    act_finish *finish, struct error *err) MUST_CHECK;
/* "--at TIME", by that parameter or UseLatestRestorableTime; NULL and failed. */
const char *rds_moment(struct call *c, const struct instance *source, const char *parameter);
/* Members of the lab's one DBSubnetGroup. */
void rds_write_subnet_group(struct call *c);
void rds_answer_instance(struct call *c, const struct instance *i);
/* Begin a reader of the lab's pair, a standby with a server of its own. */
bool rds_reader_begin(
    struct world *w, struct instance *cluster, const char *id, struct error *err) MUST_CHECK;
/* Failovers: of an instance, and of a cluster to a member, NULL any. */
void rds_fail_over_instance(struct call *c, struct instance *i);
/* It is available, else failed. */
bool rds_available(struct call *c, const struct instance *i) MUST_CHECK;
void rds_write_instance(struct call *c, const struct instance *i);

#endif
