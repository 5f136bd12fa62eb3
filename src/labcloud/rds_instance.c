/* Instances: describe, modify, reboot. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "labcloud/act.h"
#include "labcloud/parameter.h"
#include "labcloud/rds.h"

struct instance *
rds_instance(struct call *c, const char *parameter)
{
	const char *given = call_need(c, parameter);
	struct instance *i = given ? world_instance(c->world, arn_name(given)) : NULL;

	if (given && !i)
		call_fail(
		    c, 404, "DBInstanceNotFound", "DBInstance %s not found.", arn_name(given));
	return i;
}

bool
rds_available(struct call *c, const struct instance *i)
{
	return strcmp(i->status, "available") == 0 ||
	    strcmp(i->status, "storage-optimization") == 0 ||
	    call_fail(c, 400, "InvalidDBInstanceState",
	        "Database instance: %s is not in available state.", i->id);
}

/* ---- describe */

static void
write_pending(struct writer *w, const struct instance *i)
{
	const struct instance_spec *now = &i->spec, *then = &i->pending;

	w_open(w, "PendingModifiedValues");
	if (i->has_pending) {
		if (strcmp(now->class, then->class) != 0)
			w_text(w, "DBInstanceClass", then->class);
		if (now->storage_gb != then->storage_gb)
			w_int(w, "AllocatedStorage", then->storage_gb);
		if (now->iops != then->iops)
			w_int(w, "Iops", then->iops);
		if (now->throughput != then->throughput)
			w_int(w, "StorageThroughput", then->throughput);
		if (strcmp(now->storage_type, then->storage_type) != 0)
			w_text(w, "StorageType", then->storage_type);
		if (now->retention_days != then->retention_days)
			w_int(w, "BackupRetentionPeriod", then->retention_days);
		if (now->is_multi_az != then->is_multi_az)
			w_bool(w, "MultiAZ", then->is_multi_az);
	}
	w_close(w);
}

void
rds_write_subnet_group(struct call *c)
{
	struct writer *w = &c->w;
	const char *region = c->world->options.region;

	w_text(w, "DBSubnetGroupName", "lab");
	w_text(w, "DBSubnetGroupDescription", "the lab's two zones");
	w_text(w, "VpcId", VPC_ID);
	w_text(w, "SubnetGroupStatus", "Complete");
	w_list(w, "Subnets", "Subnet");
	for (char zone = 'a'; zone <= 'b'; zone++) {
		w_open(w, NULL);
		w_text(w, "SubnetIdentifier", vpc_subnet(zone));
		w_open(w, "SubnetAvailabilityZone");
		w_text(w, "Name", arena_printf(&c->request->arena, "%s%c", region, zone));
		w_close(w);
		w_text(w, "SubnetStatus", "Active");
		w_close(w);
	}
	w_close(w);
	w_text(w, "DBSubnetGroupArn", call_arn(c, "subgrp", "lab"));
}

static void
write_groups(struct call *c, const struct instance *i)
{
	struct writer *w = &c->w;

	w_list(w, "DBParameterGroups", "DBParameterGroup");
	w_open(w, NULL);
	w_text(w, "DBParameterGroupName", i->spec.parameter_group);
	w_text(w, "ParameterApplyStatus", parameter_status(c->world, i));
	w_close(w);
	w_close(w);
	w_list(w, "VpcSecurityGroups", "VpcSecurityGroupMembership");
	w_open(w, NULL);
	w_text(w, "VpcSecurityGroupId", VPC_GROUP);
	w_text(w, "Status", "active");
	w_close(w);
	w_close(w);
	w_open(w, "DBSubnetGroup");
	rds_write_subnet_group(c);
	w_close(w);
	w_list(w, "OptionGroupMemberships", "OptionGroupMembership");
	w_close(w);
}

static void
write_storage(struct writer *w, const struct instance_spec *s)
{
	w_int(w, "AllocatedStorage", s->storage_gb);
	w_int(w, "MaxAllocatedStorage", s->max_storage_gb);
	w_text(w, "StorageType", s->storage_type);
	w_int(w, "Iops", s->iops);
	w_int(w, "StorageThroughput", s->throughput);
	w_bool(w, "StorageEncrypted", false);
}

static void
write_zones(struct call *c, const struct instance *i)
{
	/* The primary's zone goes with the server that is it. */
	bool is_first = strcmp(i->told, "standby") != 0;
	const char *region = c->world->options.region;

	w_bool(&c->w, "MultiAZ", i->spec.is_multi_az);
	w_text(&c->w, "AvailabilityZone",
	    arena_printf(&c->request->arena, "%s%c", region, is_first ? 'a' : 'b'));
	if (i->spec.is_multi_az)
		w_text(&c->w, "SecondaryAvailabilityZone",
		    arena_printf(&c->request->arena, "%s%c", region, is_first ? 'b' : 'a'));
}

static void
write_replication(struct call *c, const struct instance *i)
{
	struct writer *w = &c->w;

	w_list(w, "ReadReplicaDBInstanceIdentifiers", "ReadReplicaDBInstanceIdentifier");
	for (int k = 0; k < c->world->ninstances; k++)
		if (strcmp(c->world->instances[k].source, i->id) == 0)
			w_text(w, NULL, c->world->instances[k].id);
	w_close(w);
	if (!*i->source)
		return;
	w_text(w, "ReadReplicaSourceDBInstanceIdentifier", i->source);
	w_list(w, "StatusInfos", "DBInstanceStatusInfo");
	w_open(w, NULL);
	w_text(w, "StatusType", "read replication");
	w_text(w, "Status", "replicating");
	w_bool(w, "Normal", true);
	w_close(w);
	w_close(w);
}

void
rds_write_instance(struct call *c, const struct instance *i)
{
	struct writer *w = &c->w;
	const struct instance_spec *s = &i->spec;
	char window[16];

	w_text(w, "DBInstanceIdentifier", i->id);
	w_text(w, "DbiResourceId", i->resource_id);
	w_text(w, "DBInstanceArn", call_arn(c, "db", i->id));
	w_text(w, "DBInstanceClass", s->class);
	w_text(w, "Engine", i->engine);
	w_text(w, "EngineVersion", c->world->options.version);
	w_text(w, "DBInstanceStatus", i->status);
	w_text(w, "MasterUsername", "lab");
	w_text(w, "DBName", "shop");
	if (i->port) {
		w_open(w, "Endpoint");
		w_text(w, "Address", i->address);
		w_int(w, "Port", i->port);
		w_text(w, "HostedZoneId", "ZLABLABLABLAB");
		w_close(w);
	}
	w_time(w, "InstanceCreateTime", i->created);
	if (s->retention_days && i->data[0])
		w_time(w, "LatestRestorableTime", c->world->archived);
	write_zones(c, i);
	write_storage(w, s);
	write_groups(c, i);
	write_pending(w, i);
	w_text(w, "PreferredBackupWindow", world_backup_window(i->created, window, sizeof(window)));
	w_text(w, "PreferredMaintenanceWindow", "sun:03:00-sun:03:30");
	w_int(w, "BackupRetentionPeriod", s->retention_days);
	w_bool(w, "AutoMinorVersionUpgrade", false);
	w_bool(w, "PubliclyAccessible", false);
	w_bool(w, "DeletionProtection", s->is_protected);
	w_bool(w, "IAMDatabaseAuthenticationEnabled", false);
	w_text(w, "CACertificateIdentifier", "rds-ca-rsa2048-g1");
	w_int(w, "MonitoringInterval", s->monitoring_s);
	w_bool(w, "PerformanceInsightsEnabled", s->has_insights);
	if (s->has_insights)
		w_int(w, "PerformanceInsightsRetentionPeriod", s->insights_days);
	w_open(w, "MasterUserSecret");
	w_text(w, "SecretArn",
	    arena_printf(&c->request->arena, "arn:aws:secretsmanager:%s:%s:secret:rds!db-%s",
	        c->world->options.region, c->world->options.account, i->id));
	w_text(w, "SecretStatus", "active");
	w_close(w);
	tags_list(c, &i->tags);
	if (*i->cluster)
		w_text(w, "DBClusterIdentifier", i->cluster);
	write_replication(c, i);
}

/* Does it pass every filter of the call? */
static bool
passes(const struct call *c, const struct instance *i)
{
	for (int f = 1; f <= 10; f++) {
		const char *name = form_getf(&c->form, "Filters.Filter.%d.Name", f), *value;
		bool is_met = false;

		if (!name)
			return true;
		for (int v = 1;
		     (value = form_getf(&c->form, "Filters.Filter.%d.Values.Value.%d", f, v)); v++)
			is_met |= strcmp(name, "engine") == 0 ?
			    strcmp(value, i->engine) == 0 :
			    strcmp(name, "dbi-resource-id") == 0 ?
			    strcmp(value, i->resource_id) == 0 :
			    strcmp(name, "db-instance-id") == 0 ?
			    strcasecmp(arn_name(value), i->id) == 0 :
			    strcmp(name, "db-cluster-id") == 0 ?
			    strcasecmp(arn_name(value), i->cluster) == 0 :
			    false;
		if (!is_met)
			return false;
	}
	return true;
}

static void
describe_instances(struct call *c)
{
	const struct instance *found[MAX_INSTANCES];
	int n = 0, from, to;

	if (form_get(&c->form, "DBInstanceIdentifier")) {
		found[n++] = rds_instance(c, "DBInstanceIdentifier");
		if (!found[0])
			return;
	} else {
		for (int i = 0; i < c->world->ninstances; i++)
			if (passes(c, &c->world->instances[i]))
				found[n++] = &c->world->instances[i];
	}
	if (!call_page(c, n, &from, &to))
		return;
	w_list(&c->w, "DBInstances", "DBInstance");
	for (int i = from; i < to; i++) {
		w_open(&c->w, NULL);
		rds_write_instance(c, found[i]);
		w_close(&c->w);
	}
	w_close(&c->w);
}

void
rds_answer_instance(struct call *c, const struct instance *i)
{
	w_open(&c->w, "DBInstance");
	rds_write_instance(c, i);
	w_close(&c->w);
}

/* ---- modify */

static bool
read_texts(struct call *c, struct instance_spec *s)
{
	const struct {
		const char *name;
		char *to;
		size_t size;
	} texts[] = {
		{ "DBInstanceClass", s->class, sizeof(s->class) },
		{ "StorageType", s->storage_type, sizeof(s->storage_type) },
		{ "DBParameterGroupName", s->parameter_group, sizeof(s->parameter_group) },
		{ "MonitoringRoleArn", s->monitoring_role, sizeof(s->monitoring_role) },
	};

	for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
		const char *value = form_get(&c->form, texts[t].name);

		if (value && (!*value || strlen(value) >= texts[t].size))
			return call_fail(c, 400, "InvalidParameterValue", "Invalid value for %s.",
			    texts[t].name);
		if (value)
			snprintf(texts[t].to, texts[t].size, "%s", value);
	}
	if (strncmp(s->class, "db.", 3) != 0)
		return call_fail(
		    c, 400, "InvalidParameterValue", "Invalid DB Instance class: %s", s->class);
	return true;
}

static bool
read_spec(struct call *c, const struct instance *i, struct instance_spec *s)
{
	int days = s->insights_days;

	*s = i->has_pending ? i->pending : i->spec;
	s->has_insights = call_bool(c, "EnablePerformanceInsights", s->has_insights);
	s->is_multi_az = call_bool(c, "MultiAZ", s->is_multi_az);
	s->is_protected = call_bool(c, "DeletionProtection", s->is_protected);
	if (!read_texts(c, s) || !call_int(c, "AllocatedStorage", 5, 65536, &s->storage_gb) ||
	    !call_int(c, "MaxAllocatedStorage", 5, 65536, &s->max_storage_gb) ||
	    !call_int(c, "Iops", 1000, 256000, &s->iops) ||
	    !call_int(c, "StorageThroughput", 125, 4000, &s->throughput) ||
	    !call_int(c, "BackupRetentionPeriod", 0, 35, &s->retention_days) ||
	    !call_int(c, "MonitoringInterval", 0, 60, &s->monitoring_s) ||
	    !call_int(c, "PerformanceInsightsRetentionPeriod", 7, 731, &days))
		return false;
	if (days && days != 7 && days != 731 && days % 31 != 0)
		return call_fail(c, 400, "InvalidParameterValue",
		    "Invalid Performance Insights retention period: %d", days);
	if (days)
		s->insights_days = days;
	if (s->storage_gb < i->spec.storage_gb)
		return call_fail(c, 400, "InvalidParameterCombination",
		    "Invalid storage size: %d. The new storage size must be at least %d.",
		    s->storage_gb, i->spec.storage_gb);
	if (s->is_multi_az && !i->standby_port)
		return call_fail(c, 400, "InsufficientDBInstanceCapacity",
		    "The lab has no second server for %s.", i->id);
	return true;
}

static void
modify_instance(struct call *c)
{
	struct instance *i = rds_instance(c, "DBInstanceIdentifier");
	const struct durations *d = &c->world->durations;
	struct instance_spec spec = { 0 };

	if (!i || !rds_available(c, i) || !read_spec(c, i, &spec))
		return;
	bool grows = spec.storage_gb != i->spec.storage_gb,
	     scales = strcmp(spec.class, i->spec.class) != 0;

	if (grows && strcmp(i->status, "storage-optimization") == 0) {
		call_fail(c, 400, "InvalidParameterCombination",
		    "You can't currently modify the storage of this DB instance because the previous storage change is being optimized.");
		return;
	}
	/* These take effect at once, whatever is asked. */
	i->spec.is_protected = spec.is_protected;
	i->spec.has_insights = spec.has_insights;
	i->spec.insights_days = spec.insights_days;
	i->spec.max_storage_gb = spec.max_storage_gb;
	i->pending = spec;
	i->has_pending = memcmp(&i->spec, &i->pending, sizeof(spec)) != 0;
	if (i->has_pending && call_bool(c, "ApplyImmediately", false)) {
		struct phase phases[MAX_PHASES] = {
			{ "modifying", d->modify_ms, NULL, NULL },
		};
		int n = 1;

		if (scales)
			phases[n++] = (struct phase){ "rebooting", d->reboot_ms,
				"DB instance restarted", "availability" };
		if (grows) {
			phases[0].message = "Finished applying modification to allocated storage";
			phases[n++] =
			    (struct phase){ "storage-optimization", d->optimize_ms, NULL, NULL };
		} else {
			phases[0].message = scales ?
			    "Finished applying modification to DB instance class" :
			    "Finished updating DB instance";
		}
		phases[0].category = "configuration change";
		world_event(c->world, "db-instance", i->id, "configuration change",
		    scales    ? "Applying modification to database instance class" :
		        grows ? "Applying modification to allocated storage" :
		                "Applying modification to DB instance");
		instance_go(i, phases, n);
	}
	rds_answer_instance(c, i);
}

/* ---- reboot */

static void
reboot_done(struct world *w, const char *id, const struct act_answer *answer)
{
	struct instance *i = world_instance(w, id);

	if (!i)
		return;
	i->act = answer->is_done ? ACT_DONE : ACT_FAILED;
	if (answer->is_done)
		parameter_rebooted(w, i);
	snprintf(i->failure, sizeof(i->failure), "The restart has failed: %s", answer->what);
}

static void
reboot_instance(struct call *c)
{
	struct instance *i = rds_instance(c, "DBInstanceIdentifier");
	const struct phase rebooting = { "rebooting", c->world->durations.reboot_ms,
		"DB instance restarted", "availability" };
	struct error err;

	if (!i || !rds_available(c, i))
		return;
	if (call_bool(c, "ForceFailover", false)) {
		if (!i->spec.is_multi_az)
			call_fail(c, 400, "InvalidParameterCombination",
			    "Cannot force failover since the instance is not configured for Multi-AZ");
		else
			rds_fail_over_instance(c, i);
		return;
	}
	if (!act_restart(c->world, i, reboot_done, &err)) {
		call_fail(c, 500, "InternalFailure", "%s", err.what);
		return;
	}
	i->act = ACT_RUNNING;
	instance_go(i, &rebooting, 1);
	rds_answer_instance(c, i);
}

const struct action rds_instance_actions[] = {
	{ "rds", "DescribeDBInstances", describe_instances, RDS_NAMESPACE },
	{ "rds", "ModifyDBInstance", modify_instance, RDS_NAMESPACE },
	{ "rds", "RebootDBInstance", reboot_instance, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
