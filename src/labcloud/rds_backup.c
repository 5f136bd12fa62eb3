/* Automated backups in another region: remembered, not made. They are pending for as long as a
 * snapshot takes. */
#include "config.h"

#include <string.h>

#include "labcloud/rds.h"

static void
write_backup(struct call *c, const struct instance *i)
{
	struct writer *w = &c->w;
	bool is_there = mono_since_ms(mono_now(), i->replicated) >= c->world->durations.snapshot_ms;

	w_text(w, "DBInstanceArn", call_arn(c, "db", i->id));
	w_text(w, "DbiResourceId", i->resource_id);
	w_text(w, "Region", c->world->options.region);
	w_text(w, "DBInstanceIdentifier", i->id);
	w_text(w, "Status", is_there ? "replicating" : "pending");
	w_text(w, "Engine", i->engine);
	w_text(w, "EngineVersion", c->world->options.version);
	w_int(w, "AllocatedStorage", i->spec.storage_gb);
	w_int(w, "BackupRetentionPeriod", i->replicated_days);
	w_bool(w, "Encrypted", false);
	w_text(w, "DBInstanceAutomatedBackupsArn", call_arn(c, "auto-backup", i->resource_id));
}

static void
start_replication(struct call *c)
{
	struct instance *i = rds_instance(c, "SourceDBInstanceArn");
	int days = 7;

	if (!i || !call_int(c, "BackupRetentionPeriod", 1, 35, &days))
		return;
	if (!i->spec.retention_days || i->replicated.us) {
		call_fail(c, 400, "InvalidDBInstanceState",
		    "The automated backups of %s cannot be replicated: they are off, or are replicated already.",
		    i->id);
		return;
	}
	i->replicated = mono_now();
	i->replicated_days = days;
	world_event(
	    c->world, "db-instance", i->id, "backup", "Started replication of automated backups");
	w_open(&c->w, "DBInstanceAutomatedBackup");
	write_backup(c, i);
	w_close(&c->w);
}

/* In AWS they are kept for their days; the lab has made none. */
static void
stop_replication(struct call *c)
{
	struct instance *i = rds_instance(c, "SourceDBInstanceArn");

	if (!i)
		return;
	if (!i->replicated.us) {
		call_fail(c, 400, "InvalidDBInstanceState",
		    "The automated backups of %s are not replicated.", i->id);
		return;
	}
	w_open(&c->w, "DBInstanceAutomatedBackup");
	write_backup(c, i);
	w_close(&c->w);
	i->replicated = (struct mono){ 0 };
	world_event(
	    c->world, "db-instance", i->id, "backup", "Stopped replication of automated backups");
}

static bool
is_meant(const struct call *c, const struct instance *i)
{
	const char *resource = form_get(&c->form, "DbiResourceId"),
	           *id = form_get(&c->form, "DBInstanceIdentifier");

	return i->replicated.us && (!resource || strcmp(resource, i->resource_id) == 0) &&
	    (!id || strcmp(id, i->id) == 0);
}

static void
describe_backups(struct call *c)
{
	const struct instance *found[MAX_INSTANCES];
	int n = 0, from, to;

	for (int i = 0; i < c->world->ninstances; i++)
		if (is_meant(c, &c->world->instances[i]))
			found[n++] = &c->world->instances[i];
	if (!n && form_get(&c->form, "DbiResourceId")) {
		call_fail(c, 404, "DBInstanceAutomatedBackupNotFound",
		    "Automated backup for DB instance %s not found.",
		    form_get(&c->form, "DbiResourceId"));
		return;
	}
	if (!call_page(c, n, &from, &to))
		return;
	w_list(&c->w, "DBInstanceAutomatedBackups", "DBInstanceAutomatedBackup");
	for (int i = from; i < to; i++) {
		w_open(&c->w, NULL);
		write_backup(c, found[i]);
		w_close(&c->w);
	}
	w_close(&c->w);
}

const struct action rds_backup_actions[] = {
	{ "rds", "StartDBInstanceAutomatedBackupsReplication", start_replication, RDS_NAMESPACE },
	{ "rds", "StopDBInstanceAutomatedBackupsReplication", stop_replication, RDS_NAMESPACE },
	{ "rds", "DescribeDBInstanceAutomatedBackups", describe_backups, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
