/* RDS and Aurora for operations: the instance of a target, snapshots, waiting. Shared by
 * ops/rds_*.c. */
#ifndef PGMEDIC_OPS_RDS_H
#define PGMEDIC_OPS_RDS_H

#include <stdbool.h>

#include "base/clock.h"
#include "cloud/aws.h"
#include "ops/op.h"

extern const struct op_impl rds_snapshot, rds_snapshots, rds_snapshot_drop, rds_snapshot_copy,
    rds_retention, rds_replicate, rds_restore_drop, rds_restore, rds_verify, rds_check;

/* Leftover "rds_instance": one that a job makes, in a region ("" the target's own). Undo removes
 * it, if the job made it. */
bool rds_instance_leave(
    struct op *op, const char *name, const char *region, int64_t *id, struct error *err) MUST_CHECK;
bool rds_instance_undo(struct op *op, const struct job_leftover *left, struct error *err);
/* Leftover "rds_snapshot": the same of a snapshot, until it is available. */
bool rds_snapshot_leave(
    struct op *op, const char *name, const char *region, int64_t *id, struct error *err) MUST_CHECK;
bool rds_snapshot_undo(struct op *op, const struct job_leftover *left, struct error *err);
/* Delete a snapshot: the call's name. */
const char *rds_snapshot_delete_call(const struct op *op);
/* Leftover "rds_cluster": the same. */
bool rds_cluster_undo(struct op *op, const struct job_leftover *left, struct error *err);

enum {
	RDS_GROUPS = 8,
	RDS_MEMBERS = 16,
	RDS_REPLICAS = 16,
	RDS_POLL_MS = 5000,
	RDS_SIGN_MS = 180000,
	RDS_WAIT_MS = 6 * 3600 * 1000
};
#define RDS_REPLICA_MARK "replica-"         /* how its value begins for what `replica add` made */
#define RDS_MARK         "pgmedic-job"      /* the tag by which what a job made is found again */
#define RDS_VERIFIED     "pgmedic-verified" /* the verdict of `verify`: check_mark() */
#define RDS_POLICY       "pgmedic-policy"   /* the tag that says what a snapshot is: "daily" … */

/* DescribeDBInstances; strings in the operation's arena, "" where there is nothing. */
struct rds_instance {
	const char *id, *resource_id, *arn, *status, *instance_class, *engine, *version, *cluster;
	const char *host, *zone, *subnet_group, *parameter_group, *storage_type, *mark;
	const char *groups[RDS_GROUPS]; /* VPC security groups */
	const char *other_zone, *backup_window, *kms_key;
	const char *source; /* of a read replica: the name or ARN of what it follows */
	const char *replicas[RDS_REPLICAS], *replication; /* names, or ARNs in other regions */
	const char *pending; /* names of what a later modification changes, "" nothing */
	int ngroups, nreplicas, port, storage_gb, retention_days;
	bool is_multi_az, is_public, is_encrypted, is_protected, waits_for_reboot;
	struct wall latest_restorable; /* 0: none */
};

/* A snapshot of an instance or of a cluster. */
struct rds_snapshot {
	const char *id, *arn, *source, *status, *type, *engine, *mark, *policy, *verified;
	int64_t size_gb;
	int percent;
	bool is_encrypted;
	struct wall created;
};

/* DescribeDBClusters: of Aurora, or a Multi-AZ DB cluster. */
struct rds_cluster {
	const char *id, *resource_id, *arn, *status, *engine, *version, *mark;
	const char *host, *reader_host, *subnet_group, *parameter_group, *backup_window;
	const char *least_acu, *most_acu; /* of Aurora Serverless v2 */
	const char *groups[RDS_GROUPS];
	struct rds_member {
		const char *id;
		bool is_writer;
		int tier;
	} members[RDS_MEMBERS];
	int ngroups, nmembers, port, retention_days;
	bool is_protected;
	struct wall earliest_restorable, latest_restorable;
};

/* What differs between those of instances and those of clusters. */
struct rds_noun {
	const char *create, *list, *items; /* operations, and the path of the list */
	const char *id, *source, *arn;     /* names of parameters and members */
};
const struct rds_noun *rds_noun_of(const struct op *op);

/* A session for the target, and what is odd about it in the plan (a custom endpoint, warnings). */
struct aws *rds_open(struct op *op, struct error *err);
/* The target's instance or cluster, as configured or by its endpoint's name; NULL with *err. */
const char *rds_source_id(struct op *op, struct error *err);
/* False with ERR_NOT_FOUND: none. */
bool rds_instance_get(struct op *op, struct aws *aws, const char *id, struct rds_instance *out,
    struct error *err) MUST_CHECK;
bool rds_cluster_get(struct op *op, struct aws *aws, const char *id, struct rds_cluster *out,
    struct error *err) MUST_CHECK;
/* Its writer; NULL: none at the moment. */
const char *rds_writer(const struct rds_cluster *c);
bool rds_snapshot_get(struct op *op, struct aws *aws, const char *id, struct rds_snapshot *out,
    struct error *err) MUST_CHECK;
/* All snapshots of one source, newest last, in the operation's arena. */
bool rds_snapshot_list(struct op *op, struct aws *aws, const char *source,
    struct rds_snapshot **items, int *n, struct error *err) MUST_CHECK;
/* The newest of the source that can be restored; ERR_NOT_FOUND: none. */
bool rds_snapshot_latest(
    struct op *op, struct aws *aws, struct rds_snapshot *out, struct error *err) MUST_CHECK;
/* Until the snapshot of fact "name" is available. Facts label, kind, size_bytes, created_at,
 * finished_at. */
bool rds_snapshot_wait(struct op *op, struct aws *aws, struct error *err) MUST_CHECK;
/* Another region that can be copied to? ERR_USAGE, ERR_REFUSED. */
bool rds_region_in_reach(const char *from, const char *to, struct error *err) MUST_CHECK;
/* Partitions of governments want the call signed for the region that is read from, too. */
bool rds_wants_presigned(const struct aws *from, const struct aws *to);
bool rds_presign(struct op *op, struct aws *from, const struct aws_call *copy, struct strbuf *url,
    struct error *err) MUST_CHECK;
/* How many days automated backups of fact "source" reach back; 0: they are off. */
bool rds_retention_days(struct op *op, struct aws *aws, int *days, struct error *err) MUST_CHECK;
/* A session as rds_open() makes it, for another region; "" or NULL: the target's own. */
struct aws *rds_open_in(struct op *op, const char *region, struct error *err);
/* What the identity of a plan says: resource, status. Also in the plan's text. */
bool rds_look(struct op *op, struct aws *aws, struct error *err) MUST_CHECK;
/* Backups are of clusters, not of their members: ERR_REFUSED for the instance of fact "source". */
bool rds_has_backups(struct op *op, struct aws *aws, struct error *err) MUST_CHECK;
/* Is it still the one that was planned for? ERR_CHANGED. */
bool rds_same(struct op *op, struct aws *aws, struct error *err) MUST_CHECK;
/* A name for something new: letters, digits, single hyphens, a letter first; at most `max`. */
bool rds_name_ok(const char *name, size_t max, struct error *err) MUST_CHECK;
/* Fact "mark": what will be the tag's value; decided in the plan. */
bool rds_mark_set(struct op *op, struct error *err) MUST_CHECK;

enum rds_state { RDS_READY, RDS_BUSY, RDS_BAD };
/* Of an instance or a snapshot; states that are not known are busy. */
enum rds_state rds_state_of(const char *status);
/* Would RDS take a change of an instance, or a cluster, in that state? */
bool rds_can_change(const char *status);

#endif
