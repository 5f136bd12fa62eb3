/* RDS and Aurora: what AWS says of the instance, its alarms and proxies. Reading calls only. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cloud/aws.h"
#include "ops/production_priv.h"
#include "ops/rds.h"

enum { CALL_MS = 8000, GOOD_DAYS = 7, CERTIFICATE_DAYS = 60, ALARM_PAGES = 20 };

struct rds_look {
	struct production *p;
	struct aws *aws;
	const char *id, *cluster; /* cluster "" none */
	const struct xml *db, *c; /* DBInstance, DBCluster (NULL none) */
};

static void
unknown(struct production *p, const char *area, const struct error *err)
{
	check_add(p->checks, area, CHECK_UNKNOWN, "%s", err->what);
	check_remedy(p->checks, "%s", err->hint);
}

/* ------------------------------------------------------------------ the instance */

static void
check_ha(struct rds_look *r)
{
	struct production *p = r->p;
	int members = r->c ? xml_count(r->c, "DBClusterMembers") : 0;

	if (r->c)
		check_add(p->checks, "multi_az", members > 1 ? CHECK_OK : CHECK_FAIL,
		    members > 1 ? "the cluster has %d members" :
		                  "the cluster has %d member, no other takes over",
		    members);
	else
		check_add(p->checks, "multi_az", xml_true(r->db, "MultiAZ") ? CHECK_OK : CHECK_FAIL,
		    xml_true(r->db, "MultiAZ") ?
		        "a standby in another zone takes over" :
		        "no standby: when the zone is lost, so is the service");
	check_evidence(p->checks, "%s%s%s", xml_text(r->db, "AvailabilityZone"),
	    *xml_text(r->db, "SecondaryAvailabilityZone") ? " and " : "",
	    xml_text(r->db, "SecondaryAvailabilityZone"));
	if (p->checks->items[p->checks->n - 1].state == CHECK_FAIL)
		check_remedy(p->checks, "%s",
		    r->c ? "Add a reader: it is promoted when the writer fails." :
		           arena_printf(p->arena,
		               "aws rds modify-db-instance --db-instance-identifier %s --multi-az",
		               r->id));
}

static void
check_encryption(struct rds_look *r)
{
	bool on = xml_true(r->db, "StorageEncrypted");

	check_add(r->p->checks, "encryption", on ? CHECK_OK : CHECK_FAIL, "storage is %sencrypted",
	    on ? "" : "not ");
	if (on && *xml_text(r->db, "KmsKeyId"))
		check_evidence(r->p->checks, "%s", xml_text(r->db, "KmsKeyId"));
	if (!on)
		check_remedy(r->p->checks,
		    "Only a copy can be: `snapshot copy` with a KMS key, then restore the copy.");
}

static void
check_retention(struct rds_look *r)
{
	int days = (int)xml_int(r->c ? r->c : r->db, "BackupRetentionPeriod", 0);

	check_add(r->p->checks, "retention",
	    days == 0            ? CHECK_FAIL :
	        days < GOOD_DAYS ? CHECK_WARN :
	                           CHECK_OK,
	    days ? "any moment of the last %d days can be restored" :
	           "automated backups are off (%d days)",
	    days);
	check_evidence(
	    r->p->checks, "window %s", xml_text(r->c ? r->c : r->db, "PreferredBackupWindow"));
	if (days < GOOD_DAYS)
		check_remedy(r->p->checks, "`backup retention continuous %d`", GOOD_DAYS);
}

static void
check_insights(struct rds_look *r)
{
	bool on = xml_true(r->db, "PerformanceInsightsEnabled");

	check_add(r->p->checks, "insights", on ? CHECK_OK : CHECK_WARN,
	    "Performance Insights is %s",
	    on ? "on" : "off: the load before an incident is not kept");
	if (on && *xml_text(r->db, "PerformanceInsightsRetentionPeriod"))
		check_evidence(r->p->checks, "kept %s days",
		    xml_text(r->db, "PerformanceInsightsRetentionPeriod"));
	if (!on)
		check_remedy(r->p->checks, "`insights on`");
}

static void
check_public(struct rds_look *r)
{
	bool is_public = xml_true(r->db, "PubliclyAccessible");

	check_add(r->p->checks, "public_access", is_public ? CHECK_FAIL : CHECK_OK,
	    is_public ? "it has a public address" : "it is reached from inside its network only");
	if (is_public)
		check_remedy(r->p->checks,
		    "aws rds modify-db-instance --db-instance-identifier %s --no-publicly-accessible",
		    r->id);
}

static void
check_replicas(struct rds_look *r)
{
	int n = r->c ? xml_count(r->c, "DBClusterMembers") - 1 :
	               xml_count(r->db, "ReadReplicaDBInstanceIdentifiers");

	check_add(r->p->checks, "replicas", n > 0 ? CHECK_OK : CHECK_WARN,
	    n == 1 ? "%d replica takes reads" : "%d replicas take reads", n > 0 ? n : 0);
	if (n <= 0)
		check_remedy(r->p->checks, "`replica add NAME`, where reads are many.");
}

static void
check_protection(struct rds_look *r)
{
	bool on = xml_true(r->c ? r->c : r->db, "DeletionProtection");

	check_add(r->p->checks, "protection", on ? CHECK_OK : CHECK_WARN,
	    "deletion protection is %s", on ? "on" : "off");
	if (!on)
		check_remedy(r->p->checks, "aws rds modify-db-%s --deletion-protection",
		    r->c ? "cluster" : "instance");
}

static void
check_certificate(struct rds_look *r)
{
	struct wall until;
	double days;

	if (!wall_parse(xml_text(r->db, "CertificateDetails/ValidTill"), &until))
		return;
	days = (double)(until.us - wall_now().us) / 86400e6;
	check_add(r->p->checks, "certificate",
	    days < 0                    ? CHECK_FAIL :
	        days < CERTIFICATE_DAYS ? CHECK_WARN :
	                                  CHECK_OK,
	    "its certificate is valid until %.10s",
	    xml_text(r->db, "CertificateDetails/ValidTill"));
	check_evidence(r->p->checks, "%s", xml_text(r->db, "CACertificateIdentifier"));
	if (days < CERTIFICATE_DAYS)
		check_remedy(r->p->checks,
		    "aws rds modify-db-instance --ca-certificate-identifier with a newer one.");
}

/* ------------------------------------------------------------------ force_ssl */

struct parameter {
	const char *name;
	char value[16];
};

static bool
find_parameter(const struct aws_answer *answer, void *arg, struct error *err)
{
	struct parameter *want = arg;
	const struct xml *x = xml_get(answer->xml, "Parameters");

	(void)err;
	for (x = x ? x->child : NULL; x; x = x->next)
		if (strcmp(xml_text(x, "ParameterName"), want->name) == 0)
			snprintf(
			    want->value, sizeof(want->value), "%s", xml_text(x, "ParameterValue"));
	return true;
}

static void
check_force_ssl(struct rds_look *r)
{
	const char *told = production_text(r->p, "force_ssl");
	const char *group =
	    xml_text(r->db, "DBParameterGroups/DBParameterGroup/DBParameterGroupName");
	struct parameter want = { .name = "rds.force_ssl" };
	struct aws_param params[] = { { "DBParameterGroupName", group }, { NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS,
		.op = "DescribeDBParameters",
		.params = params,
		.timeout_ms = CALL_MS };
	struct error err = { 0 };
	bool on;

	if (!*told && !aws_pages(r->aws, &call, find_parameter, &want, &err)) {
		unknown(r->p, "force_ssl", &err);
		return;
	}
	if (!*told)
		told = want.value;
	/* From 15 on that is the default. */
	if (!*told)
		told = strtol(xml_text(r->db, "EngineVersion"), NULL, 10) >= 15 ? "1" : "0";
	on = strcmp(told, "1") == 0 || strcmp(told, "on") == 0;
	check_add(r->p->checks, "force_ssl", on ? CHECK_OK : CHECK_FAIL, "TLS is %s",
	    on ? "forced" : "not forced: clients may cross the network in the clear");
	check_evidence(r->p->checks, "rds.force_ssl = %s, group %s", told, group);
	if (!on)
		check_remedy(r->p->checks, "`set rds.force_ssl 1`");
}

/* ------------------------------------------------------------------ alarms */

static const char *const wanted[] = { "CPUUtilization", "FreeStorageSpace", "DatabaseConnections" };

struct alarms {
	const struct rds_look *look;
	bool has[ARRAY_LEN(wanted)];
	int n, ringing;
};

static bool
is_ours(const struct rds_look *r, const struct json *alarm)
{
	const struct json *d = json_child(json_get(alarm, "Dimensions"));

	for (; d; d = json_next(d)) {
		const char *value = json_text(json_get(d, "Value"));

		if (value &&
		    (strcmp(value, r->id) == 0 || (*r->cluster && strcmp(value, r->cluster) == 0)))
			return true;
	}
	return false;
}

static bool
take_alarms(const struct aws_answer *answer, void *arg, struct error *err)
{
	struct alarms *a = arg;

	(void)err;
	for (const struct json *x = json_child(json_get(answer->json, "MetricAlarms")); x;
	     x = json_next(x)) {
		const char *metric = json_text(json_get(x, "MetricName"));
		const char *state = json_text(json_get(x, "StateValue"));

		if (!is_ours(a->look, x))
			continue;
		a->n++;
		a->ringing += state && strcmp(state, "ALARM") == 0;
		for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
			a->has[i] |= metric && strcmp(metric, wanted[i]) == 0;
	}
	return true;
}

static void
check_alarms(struct rds_look *r)
{
	struct alarms a = { .look = r };
	struct aws_call call = { .service = AWS_CLOUDWATCH,
		.op = "DescribeAlarms",
		.json = "{\"MaxRecords\":100}",
		.timeout_ms = CALL_MS };
	struct strbuf missing = STRBUF_INIT(256);
	struct error err = { 0 };
	bool more = false;

	if (!aws_json_pages(r->aws, &call, ALARM_PAGES, &more, take_alarms, &a, &err)) {
		unknown(r->p, "alarms", &err);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		/* Aurora's storage grows by itself. */
		if (!a.has[i] && !(r->c && i == 1))
			strbuf_addf(&missing, "%s%s", missing.len ? ", " : "", wanted[i]);
	check_add(r->p->checks, "alarms",
	    !a.n            ? CHECK_FAIL :
	        missing.len ? CHECK_WARN :
	                      CHECK_OK,
	    a.n ? "%d alarms of CloudWatch, %d of them ringing" : "no alarm of CloudWatch", a.n,
	    a.ringing);
	if (missing.len) {
		check_evidence(r->p->checks, "none on %s", missing.buf);
		check_remedy(
		    r->p->checks, "`alarm put sns ARN`, with the topic that wakes somebody.");
	}
	strbuf_release(&missing);
}

/* ------------------------------------------------------------------ proxies */

/* The proxy that leads to the instance or cluster, in the arena; "" none, NULL not known. */
static const char *
proxy_of(struct rds_look *r)
{
	struct aws_call call = {
		.service = AWS_RDS, .op = "DescribeDBProxies", .timeout_ms = CALL_MS
	};
	struct aws_answer all, targets;
	struct error err = { 0 };
	const char *found = "";
	int asked = 0;

	aws_answer_init(&all);
	aws_answer_init(&targets);
	if (!aws_do(r->aws, &call, &all, &err))
		found = NULL;
	for (const struct xml *x = xml_get(all.xml, "DBProxies/member");
	     x && found && !*found && asked++ < 20; x = x->next) {
		struct aws_param params[] = { { "DBProxyName", xml_text(x, "DBProxyName") },
			{ NULL, NULL } };
		struct aws_call ask = { .service = AWS_RDS,
			.op = "DescribeDBProxyTargets",
			.params = params,
			.timeout_ms = CALL_MS };
		const struct xml *t;

		if (!aws_do(r->aws, &ask, &targets, &err))
			continue;
		for (t = xml_get(targets.xml, "Targets/member"); t; t = t->next)
			if (strcmp(xml_text(t, "RdsResourceId"), r->id) == 0 ||
			    (*r->cluster &&
			        strcmp(xml_text(t, "TrackedClusterId"), r->cluster) == 0) ||
			    (*r->cluster && strcmp(xml_text(t, "RdsResourceId"), r->cluster) == 0))
				found = arena_strdup(r->p->arena, xml_text(x, "DBProxyName"));
	}
	aws_answer_release(&targets);
	aws_answer_release(&all);
	return found;
}

/* ------------------------------------------------------------------ all of it */

static const char *
writer_of(const struct xml *cluster)
{
	const struct xml *m = xml_get(cluster, "DBClusterMembers");
	const char *id = "";

	for (m = m ? m->child : NULL; m; m = m->next)
		if (!*id || xml_true(m, "IsClusterWriter"))
			id = xml_text(m, "DBInstanceIdentifier");
	return id;
}

static bool
describe(struct rds_look *r, const char *op, const char *name, const char *id,
    struct aws_answer *answer, struct error *err)
{
	struct aws_param params[] = { { name, id }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = op, .params = params, .timeout_ms = CALL_MS
	};

	return aws_do(r->aws, &call, answer, err);
}

static void
check_all(struct rds_look *r)
{
	check_ha(r);
	check_encryption(r);
	check_retention(r);
	check_insights(r);
	check_alarms(r);
	check_public(r);
	check_force_ssl(r);
	production_pooling(r->p, proxy_of(r));
	check_replicas(r);
	check_protection(r);
	check_certificate(r);
}

void
production_rds(struct production *p)
{
	struct rds_look r = { .p = p, .cluster = "" };
	struct aws_answer instance, cluster;
	struct error err = { 0 };
	bool ok;

	aws_answer_init(&instance);
	aws_answer_init(&cluster);
	r.aws = rds_open(&p->op, &err);
	r.id = r.aws ? rds_source_id(&p->op, &err) : NULL;
	ok = r.id != NULL;
	if (ok && *p->target->cluster) {
		r.cluster = r.id;
		ok =
		    describe(&r, "DescribeDBClusters", "DBClusterIdentifier", r.id, &cluster, &err);
		r.c = xml_get(cluster.xml, "DBClusters/DBCluster");
		r.id = writer_of(r.c);
	}
	ok = ok &&
	    describe(&r, "DescribeDBInstances", "DBInstanceIdentifier", r.id, &instance, &err);
	r.db = xml_get(instance.xml, "DBInstances/DBInstance");
	if (r.db)
		check_all(&r);
	else
		unknown(p, "instance", &err);
	aws_answer_release(&instance);
	aws_answer_release(&cluster);
	aws_close(r.aws);
}
