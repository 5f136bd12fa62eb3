/* Replicas: each is a standby of its own made by pg_basebackup; promoted by pg_ctl. Instances of
 * restored clusters; and what is deleted is stopped and its folder removed. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "labcloud/act.h"
#include "labcloud/rds.h"

static void
done(struct world *w, const char *id, const struct act_answer *answer)
{
	struct instance *i = world_instance(w, id);

	if (!i)
		return;
	i->act = answer->is_done ? ACT_DONE : ACT_FAILED;
	snprintf(i->failure, sizeof(i->failure), "It has failed: %s", answer->what);
}

static const char *
program(struct call *c, const char *name)
{
	return act_program(c->world, &c->request->arena, name);
}

static const char *
data_of(struct call *c, const struct instance *i)
{
	return arena_printf(&c->request->arena, "%s/%s/data", c->world->options.directory, i->home);
}

/* Its address is set, and what makes it is begun. */
static bool
make_standby(struct world *w, struct arena *a, struct instance *i, struct error *err)
{
	const struct phase creating = { "creating", w->durations.snapshot_ms, "DB instance created",
		"creation" };
	const char *dir = w->options.directory;
	const char *data = arena_printf(a, "%s/restores/%s/data", dir, i->id);

	i->port = act_free_port();
	snprintf(i->address, sizeof(i->address), "127.0.0.1");
	snprintf(i->home, sizeof(i->home), "restores/%s", i->id);
	const char *folder[] = { "/bin/mkdir", "-m", "700", arena_printf(a, "%s/%s", dir, i->home),
		NULL };
	const char *copy[] = { act_program(w, a, "pg_basebackup"), "-d",
		arena_printf(a, "host='%s/socket' port=%d user=lab", dir, world_port(w, w->writer)),
		"-D", data, "-R", "-X", "stream", "-c", "fast", NULL };
	const char *start[] = { act_program(w, a, "pg_ctl"), "start", "-D", data, "-w", "-l",
		arena_printf(a, "%s/%s/log", dir, i->home), "-o",
		arena_printf(a, "-p %d -c archive_mode=off -c cluster_name=%s", i->port, i->id),
		NULL };
	const char *const *programs[] = { folder, copy, start };

	if (!act_programs(w, i->id, done, 3, programs, err))
		return false;
	i->act = ACT_RUNNING;
	instance_go(i, &creating, 1);
	return true;
}

bool
rds_reader_begin(struct world *w, struct instance *cluster, const char *id, struct error *err)
{
	struct instance *i = &w->instances[w->ninstances];
	struct arena arena = { 0 };
	bool ok;

	if (!cluster->data[0])
		return error_set(err, ERR_LAB, "The lab adds readers to its own pair only.");
	if (w->ninstances == MAX_INSTANCES)
		return error_set(
		    err, ERR_LAB, "InstanceQuotaExceeded: the lab has room for no more.");
	*i = (struct instance){
		.created = wall_now(), .spec = cluster->spec, .engine = cluster->engine
	};
	i->spec.is_multi_az = i->spec.is_protected = i->spec.has_insights = false;
	snprintf(i->id, sizeof(i->id), "%s", id);
	snprintf(i->cluster, sizeof(i->cluster), "%s", cluster->id);
	snprintf(i->resource_id, sizeof(i->resource_id), "db-LABREADER%08llX",
	    (unsigned long long)w->requests);
	ok = make_standby(w, &arena, i, err);
	w->ninstances += ok;
	arena_release(&arena);
	return ok;
}

static void
create_replica(struct call *c)
{
	struct instance *source = rds_instance(c, "SourceDBInstanceIdentifier");
	const char *class = form_get(&c->form, "DBInstanceClass");
	struct instance *i;
	struct error err;

	if (!source)
		return;
	if (!source->spec.retention_days || !source->data[0]) {
		call_fail(c, 400, "InvalidDBInstanceState",
		    "Automated backups are not enabled for this database instance. To enable automated backups, use "
		    "ModifyDBInstance to set the backup retention period to a non-zero value.");
		return;
	}
	i = rds_available(c, source) ? rds_fresh(c, "DBInstanceIdentifier", source) : NULL;
	if (!i)
		return;
	if (class)
		snprintf(i->spec.class, sizeof(i->spec.class), "%s", class);
	i->spec.retention_days = 0;
	snprintf(i->source, sizeof(i->source), "%s", source->id);
	snprintf(i->next_source, sizeof(i->next_source), "%s", source->id);
	if (!make_standby(c->world, &c->request->arena, i, &err)) {
		call_fail(c, 500, "InternalFailure", "%s", err.what);
		return;
	}
	c->world->ninstances++;
	rds_answer_instance(c, i);
}

static void
promote_replica(struct call *c)
{
	struct instance *i = rds_instance(c, "DBInstanceIdentifier");
	const struct durations *d = &c->world->durations;
	const struct phase phases[] = { { "modifying", d->modify_ms, NULL, NULL },
		{ "rebooting", d->reboot_ms, "DB instance restarted", "availability" },
		{ "backing-up", d->reboot_ms, "Finished DB Instance backup", "backup" } };
	struct error err;
	int days = 1;

	if (!i || !rds_available(c, i) || !call_int(c, "BackupRetentionPeriod", 0, 35, &days))
		return;
	if (!*i->source) {
		call_fail(c, 400, "InvalidDBInstanceState", "DB Instance %s is not a read replica.",
		    i->id);
		return;
	}
	const char *promote[] = { program(c, "pg_ctl"), "promote", "-D", data_of(c, i), "-w",
		NULL };
	const char *const *programs[] = { promote };

	if (!act_programs(c->world, i->id, done, 1, programs, &err)) {
		call_fail(c, 500, "InternalFailure", "%s", err.what);
		return;
	}
	i->act = ACT_RUNNING;
	i->spec.retention_days = days;
	i->next_source[0] = 0;
	instance_go(i, phases, 3);
	rds_answer_instance(c, i);
}

/* Another reader of the lab's pair. */
static void
create_reader(struct call *c, struct instance *cluster)
{
	const char *class = form_get(&c->form, "DBInstanceClass");
	struct instance *i = rds_fresh(c, "DBInstanceIdentifier", cluster);
	struct tags tags;
	struct error err;
	char id[ID_SIZE];

	if (!i)
		return;
	tags = i->tags;
	memcpy(id, i->id, sizeof(id));
	if (!rds_reader_begin(c->world, cluster, id, &err)) {
		call_fail(c, 500, "InternalFailure", "%s", err.what);
		return;
	}
	i->tags = tags;
	if (class)
		snprintf(i->spec.class, sizeof(i->spec.class), "%s", class);
	rds_answer_instance(c, i);
}

/* An instance in a restored cluster: the first is the restore, as the storage is there already. */
static void
create_instance(struct call *c)
{
	const char *cluster_id = form_get(&c->form, "DBClusterIdentifier");
	struct instance *cluster = cluster_id ? rds_cluster(c, "DBClusterIdentifier") : NULL, *i;

	if (!cluster_id) {
		call_fail(c, 501, "NotImplemented",
		    "The lab's cloud makes instances in its clusters only.");
		return;
	}
	if (!cluster)
		return;
	if (cluster->data[0]) {
		create_reader(c, cluster);
		return;
	}
	for (int k = 0; k < c->world->ninstances; k++)
		if (strcmp(c->world->instances[k].cluster, cluster->id) == 0) {
			call_fail(c, 400, "InsufficientDBInstanceCapacity",
			    "The lab's clusters have no room for another instance.");
			return;
		}
	i = rds_fresh(c, "DBInstanceIdentifier", cluster);
	if (!i)
		return;
	snprintf(i->cluster, sizeof(i->cluster), "%s", cluster->id);
	rds_restore_begin(c, i, cluster->label);
}

/* The instance has gone, and its data is the snapshot. */
static void
last_done(struct world *w, const char *id, const struct act_answer *answer)
{
	for (int k = 0; k < w->nsnapshots; k++) {
		struct snapshot *s = &w->snapshots[k];

		if (s->act == ACT_RUNNING && !s->is_cluster && strcmp(s->instance, id) == 0)
			s->act = answer->is_done ? ACT_DONE : ACT_FAILED;
	}
	done(w, id, answer);
}

static bool
stop_with_last(struct call *c, const struct instance *i, struct error *err)
{
	struct snapshot *s = rds_snapshot_fresh(c, "FinalDBSnapshotIdentifier", false);

	if (!s)
		return true;
	snprintf(s->instance, sizeof(s->instance), "%s", i->id);
	snprintf(s->resource_id, sizeof(s->resource_id), "%s", i->resource_id);
	s->storage_gb = i->spec.storage_gb;
	s->act = ACT_RUNNING;
	if (!rds_folder_last(c, i, s, data_of(c, i), last_done, err))
		return false;
	c->world->nsnapshots++;
	return true;
}

static bool
stop_and_remove(struct call *c, const struct instance *i, struct error *err)
{
	const char *stop[] = { program(c, "pg_ctl"), "stop", "-D", data_of(c, i), "-m", "fast",
		"-w", NULL };
	const char *remove[] = { "/bin/rm", "-rf", "--one-file-system", "--",
		arena_printf(&c->request->arena, "%s/%s", c->world->options.directory, i->home),
		NULL };
	const char *const *programs[] = { stop, remove };

	return act_programs(c->world, i->id, done, 2, programs, err);
}

/* What becomes of its data has to be said; of a cluster's instances it is the cluster's. */
static bool
says_of_data(struct call *c, const struct instance *i)
{
	bool has_last = form_get(&c->form, "FinalDBSnapshotIdentifier") != NULL;
	bool skips = call_bool(c, "SkipFinalSnapshot", false);

	if (has_last && *i->cluster)
		return call_fail(c, 400, "InvalidParameterCombination",
		    "FinalDBSnapshotIdentifier can not be specified when deleting a cluster instance");
	if (has_last && skips)
		return call_fail(c, 400, "InvalidParameterCombination",
		    "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is true.");
	return has_last || skips ||
	    call_fail(c, 400, "InvalidParameterCombination",
	        "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.");
}

static void
delete_instance(struct call *c)
{
	struct instance *i = rds_instance(c, "DBInstanceIdentifier");
	const struct phase deleting = { "deleting", c->world->durations.delete_ms,
		"DB instance deleted", "deletion" };
	struct error err;

	if (!i)
		return;
	if (!i->home[0] || i->spec.is_protected) {
		call_fail(c, 400, "InvalidParameterCombination",
		    "Cannot delete protected DB Instance, please disable deletion protection and try again.");
		return;
	}
	if (!says_of_data(c, i))
		return;
	if (strcmp(i->status, "deleting") == 0 || i->act == ACT_RUNNING) {
		call_fail(c, 400, "InvalidDBInstanceState",
		    "Instance %s is already being deleted, or not yet made.", i->id);
		return;
	}
	if (!(form_get(&c->form, "FinalDBSnapshotIdentifier") ? stop_with_last(c, i, &err) :
	                                                        stop_and_remove(c, i, &err))) {
		call_fail(c, 500, "InternalFailure", "%s", err.what);
		return;
	}
	if (c->code)
		return;
	i->act = ACT_RUNNING;
	instance_go(i, &deleting, 1);
	rds_answer_instance(c, i);
}

const struct action rds_replica_actions[] = {
	{ "rds", "CreateDBInstanceReadReplica", create_replica, RDS_NAMESPACE },
	{ "rds", "PromoteReadReplica", promote_replica, RDS_NAMESPACE },
	{ "rds", "CreateDBInstance", create_instance, RDS_NAMESPACE },
	{ "rds", "DeleteDBInstance", delete_instance, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
