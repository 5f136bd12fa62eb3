/* Clusters: of the lab's pair, which fails over, and restored ones, which get their instances one
 * by one. And the failover of an instance, which is the same for the servers. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "labcloud/act.h"
#include "labcloud/parameter.h"
#include "labcloud/rds.h"

struct instance *
rds_cluster(struct call *c, const char *parameter)
{
	const char *given = call_need(c, parameter);
	struct instance *i = given ? world_cluster(c->world, arn_name(given)) : NULL;

	if (given && !i)
		call_fail(
		    c, 404, "DBClusterNotFoundFault", "DBCluster %s not found.", arn_name(given));
	return i;
}

/* The lab's pair says by itself who writes; of a restored one it is the first. */
static bool
is_writer(const struct world *w, const struct instance *cluster, const struct instance *member)
{
	if (cluster->data[0])
		return strcmp(member->data, w->writer) == 0;
	for (int i = 0; i < w->ninstances; i++)
		if (strcmp(w->instances[i].cluster, cluster->id) == 0)
			return &w->instances[i] == member;
	return false;
}

static void
write_members(struct call *c, const struct instance *cluster)
{
	struct writer *w = &c->w;

	w_list(w, "DBClusterMembers", "DBClusterMember");
	for (int i = 0; i < c->world->ninstances; i++) {
		const struct instance *m = &c->world->instances[i];

		if (strcmp(m->cluster, cluster->id) != 0)
			continue;
		w_open(w, NULL);
		w_text(w, "DBInstanceIdentifier", m->id);
		w_bool(w, "IsClusterWriter", is_writer(c->world, cluster, m));
		w_text(w, "DBClusterParameterGroupStatus", parameter_status(c->world, m));
		w_int(w, "PromotionTier", 1);
		w_close(w);
	}
	w_close(w);
}

static void
write_endpoints(struct call *c, const struct instance *cluster)
{
	struct writer *w = &c->w;
	const char *address = cluster->data[0] ? "127.0.0.1" : NULL;
	int port = cluster->port;

	for (int i = 0; i < c->world->ninstances && !address; i++) {
		const struct instance *m = &c->world->instances[i];

		if (strcmp(m->cluster, cluster->id) == 0 && m->port) {
			address = m->address;
			port = m->port;
		}
	}
	if (address) {
		w_text(w, "Endpoint", address);
		w_text(w, "ReaderEndpoint", cluster->data[0] ? "127.0.0.2" : address);
		w_int(w, "Port", port);
	}
}

void
rds_write_cluster(struct call *c, const struct instance *i)
{
	struct writer *w = &c->w;
	char window[16];

	w_text(w, "DBClusterIdentifier", i->id);
	w_text(w, "DbClusterResourceId", i->resource_id);
	w_text(w, "DBClusterArn", call_arn(c, "cluster", i->id));
	w_text(w, "Status", i->status);
	w_text(w, "Engine", i->engine);
	w_text(w, "EngineVersion", c->world->options.version);
	w_text(w, "EngineMode", "provisioned");
	w_text(w, "MasterUsername", "lab");
	w_text(w, "DatabaseName", "shop");
	write_endpoints(c, i);
	w_bool(w, "MultiAZ", i->data[0] != 0);
	w_time(w, "ClusterCreateTime", i->created);
	if (i->spec.retention_days && i->data[0]) {
		w_time(w, "EarliestRestorableTime", i->created);
		w_time(w, "LatestRestorableTime", c->world->archived);
	}
	w_int(w, "BackupRetentionPeriod", i->spec.retention_days);
	w_text(w, "PreferredBackupWindow", world_backup_window(i->created, window, sizeof(window)));
	w_text(w, "PreferredMaintenanceWindow", "sun:03:00-sun:03:30");
	w_text(w, "DBClusterParameterGroup", "lab");
	w_text(w, "DBSubnetGroup", "lab");
	w_list(w, "VpcSecurityGroups", "VpcSecurityGroupMembership");
	w_open(w, NULL);
	w_text(w, "VpcSecurityGroupId", VPC_GROUP);
	w_text(w, "Status", "active");
	w_close(w);
	w_close(w);
	w_bool(w, "StorageEncrypted", false);
	w_bool(w, "DeletionProtection", i->spec.is_protected);
	w_bool(w, "IAMDatabaseAuthenticationEnabled", false);
	tags_list(c, &i->tags);
	write_members(c, i);
}

static void
answer_cluster(struct call *c, const struct instance *i)
{
	w_open(&c->w, "DBCluster");
	rds_write_cluster(c, i);
	w_close(&c->w);
}

static void
describe_clusters(struct call *c)
{
	const struct instance *one = NULL;
	int from, to;

	if (form_get(&c->form, "DBClusterIdentifier")) {
		one = rds_cluster(c, "DBClusterIdentifier");
		if (!one)
			return;
	}
	if (!call_page(c, one ? 1 : c->world->nclusters, &from, &to))
		return;
	w_list(&c->w, "DBClusters", "DBCluster");
	for (int i = from; i < to; i++) {
		w_open(&c->w, NULL);
		rds_write_cluster(c, one ? one : &c->world->clusters[i]);
		w_close(&c->w);
	}
	w_close(&c->w);
}

/* ---- failover */

static void
failover_done(struct world *w, struct instance *i, const struct act_answer *answer)
{
	if (answer->is_done)
		world_failed_over(w);
	if (!i)
		return;
	i->act = answer->is_done ? ACT_DONE : ACT_FAILED;
	snprintf(i->failure, sizeof(i->failure), "The failover has failed: %s", answer->what);
}

static void
instance_failed_over(struct world *w, const char *id, const struct act_answer *answer)
{
	failover_done(w, world_instance(w, id), answer);
}

static void
cluster_failed_over(struct world *w, const char *id, const struct act_answer *answer)
{
	failover_done(w, world_cluster(w, id), answer);
}

static bool
begin(struct call *c, struct instance *i, act_finish *finish)
{
	struct error err;

	if (!act_start(c->world, world_target(c->world), i->id, finish, &err, "switchover nopause"))
		return call_fail(c, 500, "InternalFailure", "%s", err.what);
	i->act = ACT_RUNNING;
	return true;
}

void
rds_fail_over_instance(struct call *c, struct instance *i)
{
	const int ms = c->world->durations.reboot_ms;
	const struct phase rebooting = { "rebooting", ms, "Multi-AZ instance failover completed",
		"failover" };

	if (!begin(c, i, instance_failed_over))
		return;
	world_event(
	    c->world, "db-instance", i->id, "failover", "Multi-AZ instance failover started");
	instance_go(i, &rebooting, 1);
	rds_answer_instance(c, i);
}

/* A member that is to be the writer; NULL and failed: there is none. */
static const struct instance *
candidate(struct call *c, const struct instance *cluster)
{
	const char *given = form_get(&c->form, "TargetDBInstanceIdentifier");
	const struct instance *named = given ? rds_instance(c, "TargetDBInstanceIdentifier") : NULL;

	if (given && !named)
		return NULL;
	for (int i = 0; i < c->world->ninstances; i++) {
		const struct instance *m = &c->world->instances[i];

		if (strcmp(m->cluster, cluster->id) == 0 && !is_writer(c->world, cluster, m) &&
		    m->data[0] && (!named || named == m))
			return m;
	}
	call_fail(c, 400, "InvalidDBClusterStateFault",
	    named ? "The DB instance %s cannot be the target of a failover of %s" :
	            "There is no replica to fail over to: %s%s",
	    named ? named->id : cluster->id, named ? cluster->id : "");
	return NULL;
}

static void
fail_over_cluster(struct call *c)
{
	struct instance *i = rds_cluster(c, "DBClusterIdentifier");
	const struct instance *to;

	if (!i)
		return;
	if (strcmp(i->status, "available") != 0 || !i->data[0]) {
		call_fail(c, 400, "InvalidDBClusterStateFault",
		    "The DB cluster %s is not in a state that allows a failover.", i->id);
		return;
	}
	to = candidate(c, i);
	if (!to || !begin(c, i, cluster_failed_over))
		return;
	world_event(c->world, "db-cluster", i->id, "failover",
	    "Started cross AZ failover to DB instance: %s", to->id);
	const struct phase failing = { "failing-over", c->world->durations.reboot_ms,
		strcmp(to->data, "standby") == 0 ? "Completed failover to DB instance: aurora-2" :
		                                   "Completed failover to DB instance: aurora-1",
		"failover" };

	instance_go(i, &failing, 1);
	answer_cluster(c, i);
}

/* ---- restores: the cluster is there at once, and has no instance */

static void
restore(struct call *c, const char *parameter, const char *label)
{
	const struct phase creating = { "creating", c->world->durations.modify_ms,
		"DB cluster created", "creation" };
	struct instance *i = rds_fresh(c, parameter, &c->world->clusters[0]);

	if (!i)
		return;
	snprintf(i->label, sizeof(i->label), "%s", label);
	instance_go(i, &creating, 1);
	c->world->nclusters++;
	answer_cluster(c, i);
}

static void
restore_cluster_snapshot(struct call *c)
{
	const char *given = call_need(c, "SnapshotIdentifier"),
	           *engine = given ? call_need(c, "Engine") : NULL;
	const struct snapshot *s = engine ? world_snapshot(c->world, true, arn_name(given)) : NULL;

	if (!engine)
		return;
	if (!s || !c->world->nclusters)
		call_fail(c, 404, "DBClusterSnapshotNotFoundFault",
		    "DBClusterSnapshot %s not found.", arn_name(given));
	else if (strcmp(s->status, "available") != 0)
		call_fail(c, 400, "InvalidDBClusterSnapshotStateFault",
		    "The snapshot %s is not in the available state.", s->id);
	else
		restore(c, "DBClusterIdentifier", *s->home ? s->home : s->label);
}

static void
restore_cluster_time(struct call *c)
{
	const struct instance *source = rds_cluster(c, "SourceDBClusterIdentifier");
	const char *moment = source ? rds_moment(c, source, "RestoreToTime") : NULL;

	if (moment)
		restore(c, "DBClusterIdentifier", moment);
}

/* What is set is so at once, for the members too. */
static void
modify_cluster(struct call *c)
{
	struct instance *i = rds_cluster(c, "DBClusterIdentifier");
	int days = i ? i->spec.retention_days : 0;

	if (!i || !call_int(c, "BackupRetentionPeriod", 1, 35, &days))
		return;
	if (strcmp(i->status, "available") != 0) {
		call_fail(c, 400, "InvalidDBClusterStateFault",
		    "DB Cluster %s is not in available state.", i->id);
		return;
	}
	i->spec.retention_days = days;
	i->spec.is_protected = call_bool(c, "DeletionProtection", i->spec.is_protected);
	for (int k = 0; k < c->world->ninstances; k++)
		if (strcmp(c->world->instances[k].cluster, i->id) == 0)
			c->world->instances[k].spec.retention_days = days;
	world_event(
	    c->world, "db-cluster", i->id, "configuration change", "Finished updating DB cluster");
	answer_cluster(c, i);
}

static void
delete_cluster(struct call *c)
{
	struct instance *i = rds_cluster(c, "DBClusterIdentifier");
	const struct phase deleting = { "deleting", c->world->durations.delete_ms,
		"DB cluster deleted", "deletion" };

	if (!i)
		return;
	for (int k = 0; k < c->world->ninstances; k++)
		if (strcmp(c->world->instances[k].cluster, i->id) == 0 &&
		    strcmp(c->world->instances[k].status, "deleting") != 0) {
			call_fail(c, 400, "InvalidDBClusterStateFault",
			    "Cluster cannot be deleted, it still contains DB instances in non-deleting state.");
			return;
		}
	if (i->spec.is_protected || i->data[0]) {
		call_fail(c, 400, "InvalidParameterCombination",
		    "Cannot delete protected Cluster, please disable deletion protection and try again.");
		return;
	}
	if (!call_bool(c, "SkipFinalSnapshot", false)) {
		call_fail(c, 501, "NotImplemented",
		    "The lab's cloud deletes without a final snapshot only.");
		return;
	}
	instance_go(i, &deleting, 1);
	answer_cluster(c, i);
}

const struct action rds_cluster_actions[] = {
	{ "rds", "DescribeDBClusters", describe_clusters, RDS_NAMESPACE },
	{ "rds", "ModifyDBCluster", modify_cluster, RDS_NAMESPACE },
	{ "rds", "FailoverDBCluster", fail_over_cluster, RDS_NAMESPACE },
	{ "rds", "RestoreDBClusterFromSnapshot", restore_cluster_snapshot, RDS_NAMESPACE },
	{ "rds", "RestoreDBClusterToPointInTime", restore_cluster_time, RDS_NAMESPACE },
	{ "rds", "DeleteDBCluster", delete_cluster, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
