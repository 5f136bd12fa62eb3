/*
 * Instances and clusters of an account: one paged call each for all targets. A target finds its own
 * by the configured name, by its endpoint, or by the cluster that it belongs to; its rows are that
 * instance first, then the others of its cluster, its source and its replicas.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/rowset.h"
#include "collect/cloud_priv.h"
#include "model/rds_class.h"

/* clang-format off */
/* Taken from the instance as they are: column, type, path, factor. */
#define FACTS(X)                                                                   \
	X("id", TEXT, "DBInstanceIdentifier", 1)                                   \
	X("resource_id", TEXT, "DbiResourceId", 1)                                 \
	X("arn", TEXT, "DBInstanceArn", 1)                                         \
	X("status", TEXT, "DBInstanceStatus", 1)                                   \
	X("class", TEXT, "DBInstanceClass", 1)                                     \
	X("engine", TEXT, "Engine", 1)                                             \
	X("version", TEXT, "EngineVersion", 1)                                     \
	X("address", TEXT, "Endpoint/Address", 1)                                  \
	X("port", INT, "Endpoint/Port", 1)                                         \
	X("zone", TEXT, "AvailabilityZone", 1)                                     \
	X("secondary_zone", TEXT, "SecondaryAvailabilityZone", 1)                  \
	X("multi_az", BOOL, "MultiAZ", 1)                                          \
	X("cluster", TEXT, "DBClusterIdentifier", 1)                               \
	X("promotion_tier", INT, "PromotionTier", 1)                               \
	X("source", TEXT, "ReadReplicaSourceDBInstanceIdentifier", 1)              \
	X("storage_bytes", INT, "AllocatedStorage", 1073741824)                    \
	X("storage_max_bytes", INT, "MaxAllocatedStorage", 1073741824)             \
	X("storage_type", TEXT, "StorageType", 1)                                  \
	X("iops", INT, "Iops", 1)                                                  \
	X("throughput_bytes_per_s", INT, "StorageThroughput", 1048576)             \
	X("storage_status", TEXT, "StorageOperationStatus", 1)                     \
	X("encrypted", BOOL, "StorageEncrypted", 1)                                \
	X("retention_days", INT, "BackupRetentionPeriod", 1)                       \
	X("backup_window", TEXT, "PreferredBackupWindow", 1)                       \
	X("maintenance_window", TEXT, "PreferredMaintenanceWindow", 1)             \
	X("restorable_to", TIME, "LatestRestorableTime", 1)                        \
	X("created", TIME, "InstanceCreateTime", 1)                                \
	X("restart_at", TIME, "AutomaticRestartTime", 1)                           \
	X("parameter_group", TEXT, "DBParameterGroups/DBParameterGroup/DBParameterGroupName", 1) \
	X("parameter_state", TEXT, "DBParameterGroups/DBParameterGroup/ParameterApplyStatus", 1) \
	X("public", BOOL, "PubliclyAccessible", 1)                                 \
	X("iam_login", BOOL, "IAMDatabaseAuthenticationEnabled", 1)                \
	X("protected", BOOL, "DeletionProtection", 1)                              \
	X("minor_upgrades", BOOL, "AutoMinorVersionUpgrade", 1)                    \
	X("ca", TEXT, "CACertificateIdentifier", 1)                                \
	X("certificate_until", TIME, "CertificateDetails/ValidTill", 1)            \
	X("insights", BOOL, "PerformanceInsightsEnabled", 1)                       \
	X("insights_days", INT, "PerformanceInsightsRetentionPeriod", 1)           \
	X("insights_mode", TEXT, "DatabaseInsightsMode", 1)                        \
	X("monitoring_s", INT, "MonitoringInterval", 1)                            \
	X("subnet_group", TEXT, "DBSubnetGroup/DBSubnetGroupName", 1)              \
	X("vpc", TEXT, "DBSubnetGroup/VpcId", 1)                                   \
	X("secret_arn", TEXT, "MasterUserSecret/SecretArn", 1)                     \
	X("percent", INT, "PercentProgress", 1)

static const struct {
	const char *name;
	enum cell_type type;
	const char *path;
	int64_t factor;
} facts[] = {
#define X(name, type, path, factor) { name, CELL_##type, path, factor },
	FACTS(X)
#undef X
};

/* What is found otherwise, behind those. */
#define MADE(X)                         \
	X(ROLE, "role", TEXT)           \
	X(VCPUS, "vcpus", INT)          \
	X(MEMORY, "memory_bytes", INT)  \
	X(REPLICAS, "replicas", TEXT)   \
	X(GROUPS, "security_groups", TEXT) \
	X(PENDING, "pending", TEXT)     \
	X(CLUSTER_STATUS, "cluster_status", TEXT) \
	X(CLUSTER_RESTORABLE, "cluster_restorable_to", TIME) \
	X(CLUSTER_ENDPOINT, "cluster_endpoint", TEXT) \
	X(READER_ENDPOINT, "reader_endpoint", TEXT) \
	X(ACU_MIN, "acu_min", FLOAT)    \
	X(ACU_MAX, "acu_max", FLOAT)    \
	X(GLOBAL, "global_cluster", TEXT) \
	X(REGION, "region", TEXT)       \
	X(ACCOUNT, "account", TEXT)     \
	X(CUSTOM, "custom_endpoint", TEXT)
/* clang-format on */

enum { NFACTS = (int)ARRAY_LEN(facts) };
enum made {
#define X(sym, name, type) MADE_##sym,
	MADE(X)
#undef X
	    MADE_COUNT
};
static const struct {
	const char *name;
	enum cell_type type;
} made[MADE_COUNT] = {
#define X(sym, name, type) [MADE_##sym] = { name, CELL_##type },
	MADE(X)
#undef X
};

/* ---- listings */

void
cloud_each(const struct cloud_listing *l, const char *items,
    bool (*f)(const struct xml *x, void *arg), void *arg)
{
	for (int i = 0; i < l->n; i++) {
		const struct xml *x = xml_get(l->pages[i].xml, items);

		for (x = x ? x->child : NULL; x; x = x->next)
			if (!f(x, arg))
				return;
	}
}

struct search {
	const char *path, *value;
	const struct xml *found;
};

static bool
is_it(const struct xml *x, void *arg)
{
	struct search *s = arg;

	if (strcasecmp(xml_text(x, s->path), s->value) == 0)
		s->found = x;
	return !s->found;
}

static const struct xml *
find(const struct cloud_listing *l, const char *items, const char *path, const char *value)
{
	struct search s = { .path = path, .value = value };

	if (*value)
		cloud_each(l, items, is_it, &s);
	return s.found;
}

static const struct xml *
instance(const struct cloud_account *a, const char *path, const char *value)
{
	return find(&a->instances, "DBInstances", path, value);
}

static const struct xml *
cluster(const struct cloud_account *a, const char *id)
{
	return find(&a->clusters, "DBClusters", "DBClusterIdentifier", id);
}

/* The member of a cluster that is this instance; NULL: none, or not known. */
static const struct xml *
cluster_member(const struct cloud_account *a, const char *cluster_id, const char *id)
{
	const struct xml *x = xml_get(cluster(a, cluster_id), "DBClusterMembers");

	for (x = x ? x->child : NULL; x; x = x->next)
		if (strcasecmp(xml_text(x, "DBInstanceIdentifier"), id) == 0)
			return x;
	return NULL;
}

/* The writer of a cluster, by its description; else any of its instances. */
static const struct xml *
writer(const struct cloud_account *a, const char *cluster_id)
{
	const struct xml *x = xml_get(cluster(a, cluster_id), "DBClusterMembers");

	for (x = x ? x->child : NULL; x; x = x->next)
		if (xml_true(x, "IsClusterWriter"))
			return instance(
			    a, "DBInstanceIdentifier", xml_text(x, "DBInstanceIdentifier"));
	return instance(a, "DBClusterIdentifier", cluster_id);
}

/* The first label of an endpoint's name, when it is of that kind (".cluster-"); false: it is not.
 */
static bool
label_of(const char *host, const char *kind, char *label, size_t size)
{
	size_t len = strcspn(host, ".");

	if (!cloud_is_endpoint(host) || len >= size || (strstr(host, ".cluster-") && !kind) ||
	    strstr(host, ".proxy-") || (kind && !strstr(host, kind)))
		return false;
	memcpy(label, host, len);
	label[len] = '\0';
	return true;
}

const struct xml *
cloud_instance_of(const struct cloud_member *m)
{
	const struct cloud_account *a = m->account;
	const struct xml *x;
	char label[64];

	if (*m->instance)
		return instance(a, "DBInstanceIdentifier", m->instance);
	if (*m->cluster)
		return writer(a, m->cluster);
	x = instance(a, "Endpoint/Address", m->host);
	if (!x && label_of(m->host, NULL, label, sizeof(label)))
		x = instance(a, "DBInstanceIdentifier", label);
	if (!x && label_of(m->host, ".cluster-", label, sizeof(label)))
		x = writer(a, label);
	return x;
}

bool
cloud_is_writer(const struct cloud_member *m)
{
	return xml_true(cluster_member(m->account, m->cluster_id, m->id), "IsClusterWriter");
}

/* ---- rows */

static struct cell
cell_of(
    struct rowset *rows, const struct xml *x, enum cell_type type, const char *path, int64_t factor)
{
	const char *text = xml_text(x, path);
	struct wall t;
	double number;
	char *end;

	if (!*text)
		return cell_null(WHY_NONE);
	switch (type) {
	case CELL_BOOL:
		return cell_bool(xml_true(x, path));
	case CELL_INT:
		return cell_int(xml_int(x, path, 0) * factor);
	case CELL_FLOAT:
		number = strtod(text, &end);
		return end == text ? cell_null(WHY_NONE) : cell_float(number);
	case CELL_TIME:
		return wall_parse(text, &t) ? cell_time(t.us) : cell_null(WHY_NONE);
	default:
		return cell_text(arena_strdup(&rows->arena, text));
	}
}

/* Texts of a list, "a, b"; of a struct with values: "name=value". path: within each; "" itself. */
static struct cell
list_of(struct rowset *rows, const struct xml *x, const char *list, const char *path, bool is_named)
{
	struct strbuf out = STRBUF_INIT(4096);
	struct cell c = cell_null(WHY_NONE);

	x = xml_get(x, list);
	for (x = x ? x->child : NULL; x; x = x->next) {
		const char *text = *path ? xml_text(x, path) : x->text;

		if (!is_named && !*text)
			continue;
		strbuf_addf(&out, "%s%s%s%s", out.len ? ", " : "", is_named ? x->name : "",
		    is_named && *text ? "=" : "", text);
	}
	if (out.len)
		c = cell_text(arena_strdup(&rows->arena, out.buf));
	strbuf_release(&out);
	return c;
}

static const char *
role_of(const struct cloud_account *a, const struct xml *x)
{
	const char *in = xml_text(x, "DBClusterIdentifier");
	const struct xml *seat =
	    *in ? cluster_member(a, in, xml_text(x, "DBInstanceIdentifier")) : NULL;

	if (seat)
		return xml_true(seat, "IsClusterWriter") ? "writer" : "reader";
	if (*in)
		return "member";
	return *xml_text(x, "ReadReplicaSourceDBInstanceIdentifier") ? "replica" : "primary";
}

/* "arn:aws:rds:eu-west-1:123456789012:db:x": the account. */
static const char *
account_in(struct arena *arena, const char *arn)
{
	for (int i = 0; i < 4 && arn; i++) {
		arn = strchr(arn, ':');
		arn = arn ? arn + 1 : NULL;
	}
	return arn ? arena_strndup(arena, arn, strcspn(arn, ":")) : "";
}

static void
make_cells(const struct cloud_account *a, struct rowset *rows, const struct xml *x, struct cell *c)
{
	struct rds_class class = rds_class_of(xml_text(x, "DBInstanceClass"));
	const struct xml *in = cluster(a, xml_text(x, "DBClusterIdentifier"));
	const char *custom = a->aws ? aws_custom_endpoint(a->aws, AWS_RDS) : "";

	c[MADE_ROLE] = cell_text(role_of(a, x));
	if (class.vcpus)
		c[MADE_VCPUS] = cell_int(class.vcpus);
	if (class.memory_bytes)
		c[MADE_MEMORY] = cell_int(class.memory_bytes);
	c[MADE_REPLICAS] = list_of(rows, x, "ReadReplicaDBInstanceIdentifiers", "", false);
	c[MADE_GROUPS] = list_of(rows, x, "VpcSecurityGroups", "VpcSecurityGroupId", false);
	c[MADE_PENDING] = list_of(rows, x, "PendingModifiedValues", "", true);
	c[MADE_CLUSTER_STATUS] = cell_of(rows, in, CELL_TEXT, "Status", 1);
	c[MADE_CLUSTER_RESTORABLE] = cell_of(rows, in, CELL_TIME, "LatestRestorableTime", 1);
	c[MADE_CLUSTER_ENDPOINT] = cell_of(rows, in, CELL_TEXT, "Endpoint", 1);
	c[MADE_READER_ENDPOINT] = cell_of(rows, in, CELL_TEXT, "ReaderEndpoint", 1);
	c[MADE_ACU_MIN] =
	    cell_of(rows, in, CELL_FLOAT, "ServerlessV2ScalingConfiguration/MinCapacity", 1);
	c[MADE_ACU_MAX] =
	    cell_of(rows, in, CELL_FLOAT, "ServerlessV2ScalingConfiguration/MaxCapacity", 1);
	c[MADE_GLOBAL] = cell_of(rows, in, CELL_TEXT, "GlobalClusterIdentifier", 1);
	c[MADE_REGION] =
	    cell_text(arena_strdup(&rows->arena, a->aws ? aws_region(a->aws) : a->region));
	c[MADE_ACCOUNT] = cell_text(account_in(&rows->arena, xml_text(x, "DBInstanceArn")));
	if (*custom)
		c[MADE_CUSTOM] = cell_text(arena_strdup(&rows->arena, custom));
}

struct filling {
	const struct cloud_account *a;
	const struct xml *own;
	struct rowset *rows;
};

static void
add_row(struct filling *f, const struct xml *x)
{
	struct cell *c = rowset_add(f->rows);

	for (int i = 0; i < NFACTS; i++)
		c[i] = cell_of(f->rows, x, facts[i].type, facts[i].path, facts[i].factor);
	make_cells(f->a, f->rows, x, c + NFACTS);
}

/* Is it of the same cluster, its source or its replica? */
static bool
add_related(const struct xml *x, void *arg)
{
	struct filling *f = arg;
	const char *id = xml_text(x, "DBInstanceIdentifier"),
	           *source = xml_text(x, "ReadReplicaSourceDBInstanceIdentifier"),
	           *in = xml_text(x, "DBClusterIdentifier"),
	           *own = xml_text(f->own, "DBInstanceIdentifier");

	if (x != f->own &&
	    ((*in && strcmp(in, xml_text(f->own, "DBClusterIdentifier")) == 0) ||
	        strcmp(source, own) == 0 ||
	        strcmp(id, xml_text(f->own, "ReadReplicaSourceDBInstanceIdentifier")) == 0))
		add_row(f, x);
	return true;
}

static struct rowset *
rows_of(const struct cloud_account *a, const struct xml *own)
{
	const char *names[NFACTS + MADE_COUNT];
	uint8_t types[NFACTS + MADE_COUNT];
	struct filling f = { .a = a, .own = own };

	for (int i = 0; i < NFACTS; i++) {
		names[i] = facts[i].name;
		types[i] = (uint8_t)facts[i].type;
	}
	for (int i = 0; i < MADE_COUNT; i++) {
		names[NFACTS + i] = made[i].name;
		types[NFACTS + i] = (uint8_t)made[i].type;
	}
	f.rows = rowset_new(NFACTS + MADE_COUNT, names, types);
	add_row(&f, own);
	cloud_each(&a->instances, "DBInstances", add_related, &f);
	return f.rows;
}

/* ---- members */

static void
not_found(const struct cloud_member *m, struct error *err)
{
	const struct cloud_account *a = m->account;
	const struct xml *any =
	    a->instances.n ? xml_get(a->instances.pages[0].xml, "DBInstances/DBInstance") : NULL;
	struct arena arena = { 0 };
	const char *account = account_in(&arena, xml_text(any, "DBInstanceArn"));
	char label[64], region[64];
	const char *id = *m->instance ? m->instance :
	    *m->cluster               ? m->cluster :
	    label_of(m->host, NULL, label, sizeof(label)) ||
	        label_of(m->host, ".cluster-", label, sizeof(label)) ?
	                  label :
	                  "";

	if (!*id) {
		error_set(err, ERR_UNSUPPORTED, "which instance of RDS this is, is not known");
		error_hint(err, "Set instance = NAME in [target %s].", m->name);
	} else {
		error_set(err, ERR_NOT_FOUND, "there is no %s %s in %s%s%s",
		    *m->cluster && !*m->instance ? "cluster" : "instance", id, aws_region(a->aws),
		    *account ? ", account " : "", account);
		if (endpoint_region(m->host, region, sizeof(region)) &&
		    strcmp(region, aws_region(a->aws)) != 0)
			error_hint(err, "Its endpoint is of region %s.", region);
		else
			error_hint(err, "Identity: %s. Is it in another region or account?",
			    aws_source(a->aws));
	}
	arena_release(&arena);
}

static void
tell(struct cloud_member *m)
{
	const struct xml *x = cloud_instance_of(m);
	struct error err = { .code = ERR_OK };

	if (!x) {
		m->id[0] = m->cluster_id[0] = m->resource_id[0] = '\0';
		not_found(m, &err);
		cloud_post_failed(m, PROBE_CLOUD, &err);
		return;
	}
	snprintf(m->id, sizeof(m->id), "%s", xml_text(x, "DBInstanceIdentifier"));
	snprintf(m->cluster_id, sizeof(m->cluster_id), "%s", xml_text(x, "DBClusterIdentifier"));
	snprintf(m->resource_id, sizeof(m->resource_id), "%s", xml_text(x, "DbiResourceId"));
	cloud_post(m, PROBE_CLOUD, rows_of(m->account, x));
}

static bool
has_clusters(struct cloud_account *a)
{
	for (struct cloud_member *m = cloud_members(a); m; m = m->next)
		if (*m->cluster || strstr(m->host, ".cluster-") ||
		    *xml_text(cloud_instance_of(m), "DBClusterIdentifier"))
			return true;
	return false;
}

bool
cloud_instances_run(struct cloud_account *a, struct cloud_member *m, struct error *err)
{
	if (!cloud_list(a, "DescribeDBInstances", NULL, &a->instances, err))
		return false;
	/* A cluster's writer is told by its description, which comes next. */
	for (m = cloud_members(a); m; m = m->next)
		if (a->clusters.is_known || a->turns[CLOUD_CLUSTERS].failures || !has_clusters(a))
			tell(m);
	return true;
}

bool
cloud_clusters_run(struct cloud_account *a, struct cloud_member *m, struct error *err)
{
	if (!has_clusters(a))
		return true;
	if (!cloud_list(a, "DescribeDBClusters", NULL, &a->clusters, err))
		return false;
	for (m = cloud_members(a); m; m = m->next)
		tell(m);
	return true;
}
