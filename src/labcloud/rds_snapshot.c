/* Snapshots: each is a pgBackRest backup; a copy is another name of one. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

#include "labcloud/act.h"
#include "labcloud/rds.h"

/* The calls about clusters are those about instances with other names. */
static bool
of_cluster(const struct call *c)
{
	return strstr(c->action, "Cluster") != NULL;
}

static const char *
snapshot_key(const struct call *c)
{
	return of_cluster(c) ? "DBClusterSnapshotIdentifier" : "DBSnapshotIdentifier";
}

static const char *
source_key(const struct call *c)
{
	return of_cluster(c) ? "DBClusterIdentifier" : "DBInstanceIdentifier";
}

static struct snapshot *
find(struct call *c, const char *parameter)
{
	const char *given = call_need(c, parameter);
	struct snapshot *s =
	    given ? world_snapshot(c->world, of_cluster(c), arn_name(given)) : NULL;

	if (given && !s)
		call_fail(c, 404,
		    of_cluster(c) ? "DBClusterSnapshotNotFoundFault" : "DBSnapshotNotFound",
		    "%s %s not found.", of_cluster(c) ? "DBClusterSnapshot" : "DBSnapshot",
		    arn_name(given));
	return s;
}

static void
write_snapshot(struct call *c, const struct snapshot *s)
{
	struct writer *w = &c->w;
	bool is_ready = strcmp(s->status, "available") == 0;
	int64_t passed = mono_since_ms(mono_now(), s->begin);
	int percent = is_ready || !s->duration_ms ? 100 : (int)(passed * 100 / s->duration_ms);

	w_text(w, s->is_cluster ? "DBClusterSnapshotIdentifier" : "DBSnapshotIdentifier", s->id);
	w_text(w, s->is_cluster ? "DBClusterIdentifier" : "DBInstanceIdentifier", s->instance);
	w_text(w, s->is_cluster ? "DBClusterSnapshotArn" : "DBSnapshotArn",
	    call_arn(c, s->is_cluster ? "cluster-snapshot" : "snapshot", s->id));
	w_text(w, s->is_cluster ? "DbClusterResourceId" : "DbiResourceId", s->resource_id);
	w_text(w, "Status", s->status);
	/* What is not done yet is not called done. */
	w_int(w, "PercentProgress", is_ready ? 100 : percent > 99 ? 99 : percent);
	if (*s->source)
		w_text(w,
		    s->is_cluster ? "SourceDBClusterSnapshotArn" : "SourceDBSnapshotIdentifier",
		    s->source);
	w_time(w, "SnapshotCreateTime", s->created);
	w_time(w, "OriginalSnapshotCreateTime", s->created);
	w_time(w, "SnapshotDatabaseTime", s->created);
	w_text(w, "SnapshotType", "manual");
	w_text(w, "Engine", s->is_cluster ? "aurora-postgresql" : "postgres");
	w_text(w, "EngineVersion", c->world->options.version);
	w_int(w, "AllocatedStorage", s->storage_gb);
	w_text(w, "StorageType", "gp3");
	w_int(w, "Port", c->world->options.primary_port);
	w_text(w, "AvailabilityZone",
	    arena_printf(&c->request->arena, "%sa", c->world->options.region));
	w_text(w, "MasterUsername", "lab");
	w_bool(w, "Encrypted", false);
	if (*s->label || s->tags.n) {
		w_list(w, "TagList", "Tag");
		if (*s->label) {
			w_open(w, NULL);
			w_text(w, "Key", "pgbackrest");
			w_text(w, "Value", s->label);
			w_close(w);
		}
		tags_write(c, &s->tags);
		w_close(w);
	}
}

static void
answer_snapshot(struct call *c, const struct snapshot *s)
{
	w_open(&c->w, s->is_cluster ? "DBClusterSnapshot" : "DBSnapshot");
	write_snapshot(c, s);
	w_close(&c->w);
}

static bool
passes(const struct call *c, const struct snapshot *s)
{
	const char *instance = form_get(&c->form, source_key(c)),
	           *id = form_get(&c->form, snapshot_key(c)),
	           *type = form_get(&c->form, "SnapshotType"),
	           *resource = form_get(&c->form, "DbiResourceId");

	return s->is_cluster == of_cluster(c) &&
	    (!instance || strcasecmp(arn_name(instance), s->instance) == 0) &&
	    (!id || strcasecmp(arn_name(id), s->id) == 0) &&
	    (!type || strcmp(type, "manual") == 0) &&
	    (!resource || strcmp(resource, s->resource_id) == 0);
}

static void
describe_snapshots(struct call *c)
{
	const struct snapshot *found[MAX_SNAPSHOTS];
	int n = 0, from, to;

	if (form_get(&c->form, snapshot_key(c)) && !find(c, snapshot_key(c)))
		return;
	for (int i = 0; i < c->world->nsnapshots; i++)
		if (passes(c, &c->world->snapshots[i]))
			found[n++] = &c->world->snapshots[i];
	if (!call_page(c, n, &from, &to))
		return;
	w_list(&c->w, of_cluster(c) ? "DBClusterSnapshots" : "DBSnapshots",
	    of_cluster(c) ? "DBClusterSnapshot" : "DBSnapshot");
	for (int i = from; i < to; i++) {
		w_open(&c->w, NULL);
		write_snapshot(c, found[i]);
		w_close(&c->w);
	}
	w_close(&c->w);
}

struct snapshot *
rds_snapshot_fresh(struct call *c, const char *parameter, bool is_cluster)
{
	const char *given = call_need(c, parameter);
	struct snapshot *s = &c->world->snapshots[c->world->nsnapshots];

	if (!given)
		return NULL;
	if (c->world->nsnapshots == MAX_SNAPSHOTS) {
		call_fail(c, 400, "SnapshotQuotaExceeded",
		    "You have exceeded the maximum number of snapshots.");
		return NULL;
	}
	*s = (struct snapshot){ .begin = mono_now(),
		.created = wall_now(),
		.status = "creating",
		.is_cluster = is_cluster };
	s->created.us -= s->created.us % 1000;
	if (!tags_take(c, &s->tags))
		return NULL;
	if (!identifier(given, s->id)) {
		call_fail(c, 400, "InvalidParameterValue",
		    "The parameter %s is not a valid identifier. Identifiers must begin with a letter; must contain only "
		    "ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.",
		    parameter);
		return NULL;
	}
	if (world_snapshot(c->world, s->is_cluster, s->id)) {
		call_fail(c, 400,
		    s->is_cluster ? "DBClusterSnapshotAlreadyExistsFault" :
		                    "DBSnapshotAlreadyExists",
		    "Cannot create the snapshot because a snapshot with the identifier %s already exists.",
		    s->id);
		return NULL;
	}
	s->duration_ms = c->world->durations.snapshot_ms;
	return s;
}

static void
backup_done(struct world *w, struct snapshot *s, const struct act_answer *answer)
{
	const char *label = answer->result ? json_text(json_get(answer->result, "snapshot")) : NULL;
	struct instance *i = !s ? NULL :
	    s->is_cluster       ? world_cluster(w, s->instance) :
	                          world_instance(w, s->instance);

	if (i && i->act == ACT_RUNNING && strcmp(i->status, "backing-up") == 0) {
		i->act = answer->is_done ? ACT_DONE : ACT_FAILED;
		snprintf(i->failure, sizeof(i->failure), "The backup has failed: %s", answer->what);
	}
	if (!s)
		return;
	snprintf(s->label, sizeof(s->label), "%s", label ? label : "");
	s->act = answer->is_done ? ACT_DONE : ACT_FAILED;
	if (!answer->is_done)
		world_event(w, s->is_cluster ? "db-cluster-snapshot" : "db-snapshot", s->id,
		    "failure", "Manual snapshot failed: %s", answer->what);
}

static void
snapshot_done(struct world *w, const char *id, const struct act_answer *answer)
{
	backup_done(w, world_snapshot(w, false, id), answer);
}

static void
cluster_snapshot_done(struct world *w, const char *id, const struct act_answer *answer)
{
	backup_done(w, world_snapshot(w, true, id), answer);
}

/* By pgmedic, or where the server is not of the lab's pair, as a folder. */
static bool
begin(struct call *c, const struct instance *i, struct snapshot *s, struct error *err)
{
	act_finish *finish = i->is_cluster ? cluster_snapshot_done : snapshot_done;

	return i->data[0] ?
	    act_start(c->world, world_target(c->world), s->id, finish, err, "snapshot %s", s->id) :
	    rds_folder_snapshot(c, i, s, finish, err);
}

static void
create_snapshot(struct call *c)
{
	struct snapshot *s = rds_snapshot_fresh(c, snapshot_key(c), of_cluster(c));
	struct instance *i = !s ? NULL :
	    of_cluster(c)       ? rds_cluster(c, "DBClusterIdentifier") :
	                          rds_instance(c, "DBInstanceIdentifier");
	const char *type = of_cluster(c) ? "db-cluster" : "db-instance";
	struct error err;

	if (!i)
		return;
	if (strcmp(i->status, "available") != 0 && strcmp(i->status, "storage-optimization") != 0) {
		call_fail(c, 400,
		    i->is_cluster ? "InvalidDBClusterStateFault" : "InvalidDBInstanceState",
		    "Cannot create a snapshot because the database instance %s is not currently in the available state.",
		    i->id);
		return;
	}
	if (!begin(c, i, s, &err)) {
		call_fail(c, err.code == ERR_STATE ? 400 : 500,
		    err.code == ERR_STATE ? "InvalidDBClusterStateFault" : "InternalFailure", "%s",
		    err.what);
		return;
	}
	snprintf(s->instance, sizeof(s->instance), "%s", i->id);
	snprintf(s->resource_id, sizeof(s->resource_id), "%s", i->resource_id);
	s->storage_gb = i->spec.storage_gb;
	s->act = i->act = ACT_RUNNING;
	const struct phase backing_up = { "backing-up", s->duration_ms / 2,
		"Finished DB Instance backup", "backup" };

	instance_go(i, &backing_up, 1);
	world_event(c->world, i->is_cluster ? "db-cluster-snapshot" : "db-snapshot", s->id,
	    "creation", "%s",
	    i->is_cluster ? "Creating manual cluster snapshot" : "Creating manual snapshot");
	world_event(c->world, type, i->id, "backup", "Backing up DB instance");
	c->world->nsnapshots++;
	answer_snapshot(c, s);
}

static void
copy_snapshot(struct call *c)
{
	bool is_cluster = of_cluster(c);
	const char *type = is_cluster ? "cluster-snapshot" : "snapshot";
	const struct snapshot *source = find(
	    c, is_cluster ? "SourceDBClusterSnapshotIdentifier" : "SourceDBSnapshotIdentifier");
	struct snapshot *s = source ?
	    rds_snapshot_fresh(c,
	        is_cluster ? "TargetDBClusterSnapshotIdentifier" : "TargetDBSnapshotIdentifier",
	        is_cluster) :
	    NULL;

	if (!s)
		return;
	if (strcmp(source->status, "available") != 0) {
		call_fail(c, 400,
		    is_cluster ? "InvalidDBClusterSnapshotStateFault" : "InvalidDBSnapshotState",
		    "Cannot copy the snapshot because it is not in the available state.");
		return;
	}
	snprintf(s->instance, sizeof(s->instance), "%s", source->instance);
	snprintf(s->resource_id, sizeof(s->resource_id), "%s", source->resource_id);
	snprintf(s->label, sizeof(s->label), "%s", source->label);
	snprintf(s->home, sizeof(s->home), "%s", source->home);
	snprintf(s->source, sizeof(s->source), "%s", call_arn(c, type, source->id));
	s->storage_gb = source->storage_gb;
	if (!s->tags.n && call_bool(c, "CopyTags", false))
		s->tags = source->tags;
	world_event(c->world, is_cluster ? "db-cluster-snapshot" : "db-snapshot", s->id,
	    "notification", "Started copy of snapshot %s", source->id);
	c->world->nsnapshots++;
	answer_snapshot(c, s);
}

static void
delete_snapshot(struct call *c)
{
	struct snapshot *s = find(c, snapshot_key(c));
	struct error err;

	if (!s)
		return;
	if (strcmp(s->status, "available") != 0 && strcmp(s->status, "failed") != 0) {
		call_fail(c, 400,
		    s->is_cluster ? "InvalidDBClusterSnapshotStateFault" : "InvalidDBSnapshotState",
		    "Cannot delete the snapshot because it is not in the available or failed state.");
		return;
	}
	if (!rds_folder_delete(c, s, &err)) {
		call_fail(c, 500, "InternalFailure", "%s", err.what);
		return;
	}
	s->status = "deleting";
	s->begin = mono_now();
	s->duration_ms = c->world->durations.delete_ms;
	answer_snapshot(c, s);
}

const struct action rds_snapshot_actions[] = {
	{ "rds", "DescribeDBSnapshots", describe_snapshots, RDS_NAMESPACE },
	{ "rds", "CreateDBSnapshot", create_snapshot, RDS_NAMESPACE },
	{ "rds", "CopyDBSnapshot", copy_snapshot, RDS_NAMESPACE },
	{ "rds", "DeleteDBSnapshot", delete_snapshot, RDS_NAMESPACE },
	{ "rds", "DescribeDBClusterSnapshots", describe_snapshots, RDS_NAMESPACE },
	{ "rds", "CreateDBClusterSnapshot", create_snapshot, RDS_NAMESPACE },
	{ "rds", "CopyDBClusterSnapshot", copy_snapshot, RDS_NAMESPACE },
	{ "rds", "DeleteDBClusterSnapshot", delete_snapshot, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
