#include "config.h"

#include "ops/rds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "pg/login.h"

static const struct rds_noun instances = { "CreateDBSnapshot", "DescribeDBSnapshots", "DBSnapshots",
	"DBSnapshotIdentifier", "DBInstanceIdentifier", "DBSnapshotArn" };
static const struct rds_noun clusters = { "CreateDBClusterSnapshot", "DescribeDBClusterSnapshots",
	"DBClusterSnapshots", "DBClusterSnapshotIdentifier", "DBClusterIdentifier",
	"DBClusterSnapshotArn" };

const struct rds_noun *
rds_noun_of(const struct op *op)
{
	return *op->target->cluster ? &clusters : &instances;
}

/* The host in a conninfo that is an endpoint of RDS: "" none. */
static const char *
endpoint_host(struct op *op)
{
	char host[PG_RDS_HOST_MAX];

	if (!op->target->conninfo || !pg_rds_host_in(op->target->conninfo, host, sizeof(host)))
		return "";
	return arena_strdup(&op->arena, host);
}

struct aws *
rds_open_in(struct op *op, const char *region, struct error *err)
{
	const struct op_target *t = op->target;
	struct aws_config config = { .profile = t->profile,
		.credentials_file = t->credentials_file,
		.region = region && *region ? region : t->region,
		.host = endpoint_host(op),
		.endpoint_url = t->endpoint_url,
		.stop = op->stop };
	struct aws *aws = aws_open(&config, err);

	if (aws && !*aws_region(aws)) {
		aws_close(aws);
		error_set(err, ERR_CONFIG, "the region of %s is not known", t->name);
		error_hint(err, "Set region in [target %s], or AWS_REGION.", t->name);
		return NULL;
	}
	return aws;
}

struct aws *
rds_open(struct op *op, struct error *err)
{
	return rds_open_in(op, op->target->region, err);
}

const char *
rds_source_id(struct op *op, struct error *err)
{
	const struct op_target *t = op->target;
	const char *host = endpoint_host(op);

	if (*t->cluster)
		return t->cluster;
	if (*t->instance)
		return t->instance;
	if (*host && !strstr(host, ".cluster-") && !strstr(host, ".proxy-"))
		return arena_strndup(&op->arena, host, strcspn(host, "."));
	error_set(err, ERR_CONFIG, "the instance of %s is not known", t->name);
	error_hint(err, "Set instance or cluster in [target %s].", t->name);
	return NULL;
}

static const char *
keep(struct op *op, const struct xml *node, const char *path)
{
	return arena_strdup(&op->arena, xml_text(node, path));
}

static struct wall
time_of(const struct xml *node, const char *path)
{
	struct wall t;

	if (!wall_parse(xml_text(node, path), &t))
		t.us = 0;
	return t;
}

static const char *
tag_of(struct op *op, const struct xml *node, const char *key)
{
	const struct xml *list = xml_get(node, "TagList");

	for (const struct xml *tag = list ? list->child : NULL; tag; tag = tag->next)
		if (strcmp(xml_text(tag, "Key"), key) == 0)
			return keep(op, tag, "Value");
	return "";
}

/* The texts of a list's members, at most `max`. */
static int
texts_of(struct op *op, const struct xml *list, const char *path, const char **out, int max)
{
	int n = 0;

	for (const struct xml *x = list ? list->child : NULL; x && n < max; x = x->next)
		out[n++] = path ? keep(op, x, path) : arena_strdup(&op->arena, x->text);
	return n;
}

static const char *
names_of(struct op *op, const struct xml *node)
{
	struct strbuf sb = STRBUF_INIT(1024);
	const char *names;

	for (const struct xml *x = node ? node->child : NULL; x; x = x->next)
		strbuf_addf(&sb, "%s%s", sb.len ? ", " : "", x->name);
	names = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return names;
}

static void
read_instance(struct op *op, const struct xml *x, struct rds_instance *out)
{
	*out = (struct rds_instance){
		.id = keep(op, x, "DBInstanceIdentifier"),
		.resource_id = keep(op, x, "DbiResourceId"),
		.arn = keep(op, x, "DBInstanceArn"),
		.status = keep(op, x, "DBInstanceStatus"),
		.instance_class = keep(op, x, "DBInstanceClass"),
		.engine = keep(op, x, "Engine"),
		.version = keep(op, x, "EngineVersion"),
		.cluster = keep(op, x, "DBClusterIdentifier"),
		.host = keep(op, x, "Endpoint/Address"),
		.zone = keep(op, x, "AvailabilityZone"),
		.other_zone = keep(op, x, "SecondaryAvailabilityZone"),
		.backup_window = keep(op, x, "PreferredBackupWindow"),
		.kms_key = keep(op, x, "KmsKeyId"),
		.source = keep(op, x, "ReadReplicaSourceDBInstanceIdentifier"),
		.replication = keep(op, x, "StatusInfos/DBInstanceStatusInfo/Status"),
		.pending = names_of(op, xml_get(x, "PendingModifiedValues")),
		.waits_for_reboot =
		    strcmp(xml_text(x, "DBParameterGroups/DBParameterGroup/ParameterApplyStatus"),
		        "pending-reboot") == 0,
		.is_protected = xml_true(x, "DeletionProtection"),
		.subnet_group = keep(op, x, "DBSubnetGroup/DBSubnetGroupName"),
		.parameter_group =
		    keep(op, x, "DBParameterGroups/DBParameterGroup/DBParameterGroupName"),
		.storage_type = keep(op, x, "StorageType"),
		.mark = tag_of(op, x, RDS_MARK),
		.port = (int)xml_int(x, "Endpoint/Port", 5432),
		.storage_gb = (int)xml_int(x, "AllocatedStorage", 0),
		.retention_days = (int)xml_int(x, "BackupRetentionPeriod", 0),
		.is_multi_az = xml_true(x, "MultiAZ"),
		.is_public = xml_true(x, "PubliclyAccessible"),
		.is_encrypted = xml_true(x, "StorageEncrypted"),
		.latest_restorable = time_of(x, "LatestRestorableTime"),
	};
	out->ngroups = texts_of(
	    op, xml_get(x, "VpcSecurityGroups"), "VpcSecurityGroupId", out->groups, RDS_GROUPS);
	out->nreplicas = texts_of(
	    op, xml_get(x, "ReadReplicaDBInstanceIdentifiers"), NULL, out->replicas, RDS_REPLICAS);
}

bool
rds_instance_get(
    struct op *op, struct aws *aws, const char *id, struct rds_instance *out, struct error *err)
{
	struct aws_param params[] = { { "DBInstanceIdentifier", id }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "DescribeDBInstances", .params = params
	};
	struct aws_answer answer;
	const struct xml *x;
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	x = xml_get(answer.xml, "DBInstances/DBInstance");
	if (ok && !x) {
		ok = error_set(
		    err, ERR_NOT_FOUND, "there is no instance %s in %s", id, aws_region(aws));
		error_hint(err, "Is it in another region or account?");
	}
	if (ok)
		read_instance(op, x, out);
	aws_answer_release(&answer);
	return ok;
}

static void
read_cluster(struct op *op, const struct xml *x, struct rds_cluster *out)
{
	const struct xml *members = xml_get(x, "DBClusterMembers");

	*out = (struct rds_cluster){
		.id = keep(op, x, "DBClusterIdentifier"),
		.resource_id = keep(op, x, "DbClusterResourceId"),
		.arn = keep(op, x, "DBClusterArn"),
		.status = keep(op, x, "Status"),
		.engine = keep(op, x, "Engine"),
		.version = keep(op, x, "EngineVersion"),
		.mark = tag_of(op, x, RDS_MARK),
		.host = keep(op, x, "Endpoint"),
		.reader_host = keep(op, x, "ReaderEndpoint"),
		.subnet_group = keep(op, x, "DBSubnetGroup"),
		.parameter_group = keep(op, x, "DBClusterParameterGroup"),
		.backup_window = keep(op, x, "PreferredBackupWindow"),
		.least_acu = keep(op, x, "ServerlessV2ScalingConfiguration/MinCapacity"),
		.most_acu = keep(op, x, "ServerlessV2ScalingConfiguration/MaxCapacity"),
		.port = (int)xml_int(x, "Port", 5432),
		.retention_days = (int)xml_int(x, "BackupRetentionPeriod", 0),
		.is_protected = xml_true(x, "DeletionProtection"),
		.earliest_restorable = time_of(x, "EarliestRestorableTime"),
		.latest_restorable = time_of(x, "LatestRestorableTime"),
	};
	out->ngroups = texts_of(
	    op, xml_get(x, "VpcSecurityGroups"), "VpcSecurityGroupId", out->groups, RDS_GROUPS);
	for (members = members ? members->child : NULL; members && out->nmembers < RDS_MEMBERS;
	     members = members->next)
		out->members[out->nmembers++] = (struct rds_member){
			.id = keep(op, members, "DBInstanceIdentifier"),
			.is_writer = xml_true(members, "IsClusterWriter"),
			.tier = (int)xml_int(members, "PromotionTier", 1),
		};
}

bool
rds_cluster_get(
    struct op *op, struct aws *aws, const char *id, struct rds_cluster *out, struct error *err)
{
	struct aws_param params[] = { { "DBClusterIdentifier", id }, { NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS, .op = "DescribeDBClusters", .params = params };
	struct aws_answer answer;
	const struct xml *x;
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	x = xml_get(answer.xml, "DBClusters/DBCluster");
	if (ok && !x) {
		ok = error_set(
		    err, ERR_NOT_FOUND, "there is no cluster %s in %s", id, aws_region(aws));
		error_hint(err, "Is it in another region or account?");
	}
	if (ok)
		read_cluster(op, x, out);
	aws_answer_release(&answer);
	return ok;
}

const char *
rds_writer(const struct rds_cluster *c)
{
	for (int i = 0; i < c->nmembers; i++)
		if (c->members[i].is_writer)
			return c->members[i].id;
	return NULL;
}

/* ------------------------------------------------------------------ snapshots */

struct listing {
	struct op *op;
	const char *source;
	struct rds_snapshot *items;
	int n, cap;
};

static bool
take_page(const struct aws_answer *answer, void *arg, struct error *err)
{
	struct listing *l = arg;
	const struct rds_noun *noun = rds_noun_of(l->op);
	const struct xml *x = xml_get(answer->xml, noun->items);

	(void)err;
	for (x = x ? x->child : NULL; x; x = x->next) {
		struct op *op = l->op;

		GROW(l->items, l->n, l->cap);
		l->items[l->n++] = (struct rds_snapshot){
			.id = keep(op, x, noun->id),
			.arn = keep(op, x, noun->arn),
			.source = keep(op, x, noun->source),
			.status = keep(op, x, "Status"),
			.type = keep(op, x, "SnapshotType"),
			.engine = keep(op, x, "Engine"),
			.mark = tag_of(op, x, RDS_MARK),
			.policy = tag_of(op, x, RDS_POLICY),
			.verified = tag_of(op, x, RDS_VERIFIED),
			.size_gb = xml_int(x, "AllocatedStorage", 0),
			.percent = (int)xml_int(x, "PercentProgress", -1),
			/* A cluster's snapshots have the second of these names. */
			.is_encrypted = xml_true(x, "Encrypted") || xml_true(x, "StorageEncrypted"),
			.created = time_of(x, "SnapshotCreateTime"),
		};
	}
	return true;
}

static int
by_time(const void *a, const void *b)
{
	const struct rds_snapshot *x = a, *y = b;
	/* What is being made has no time yet, and is the newest. */
	int64_t s = x->created.us ? x->created.us : INT64_MAX;
	int64_t t = y->created.us ? y->created.us : INT64_MAX;

	return s < t ? -1 : s > t ? 1 : strcmp(x->id, y->id);
}

static bool
list(struct op *op, struct aws *aws, const char *id, const char *source,
    struct rds_snapshot **items, int *n, struct error *err)
{
	const struct rds_noun *noun = rds_noun_of(op);
	struct aws_param params[] = { { noun->id, id }, { noun->source, source }, { NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS, .op = noun->list, .params = params };
	struct listing l = { .op = op };
	bool ok = aws_pages(aws, &call, take_page, &l, err);

	if (l.n)
		qsort(l.items, (size_t)l.n, sizeof(*l.items), by_time);
	*n = l.n;
	*items = arena_alloc(&op->arena, ((size_t)l.n + 1) * sizeof(*l.items));
	if (l.n)
		memcpy(*items, l.items, (size_t)l.n * sizeof(*l.items));
	free(l.items);
	return ok;
}

bool
rds_snapshot_list(struct op *op, struct aws *aws, const char *source, struct rds_snapshot **items,
    int *n, struct error *err)
{
	return list(op, aws, NULL, source, items, n, err);
}

bool
rds_snapshot_latest(struct op *op, struct aws *aws, struct rds_snapshot *out, struct error *err)
{
	const char *source = op_fact(op, "source");
	struct rds_snapshot *items;
	int n;

	if (!rds_snapshot_list(op, aws, source, &items, &n, err))
		return false;
	while (n > 0 && rds_state_of(items[n - 1].status) != RDS_READY)
		n--;
	if (n > 0) {
		*out = items[n - 1];
		return true;
	}
	error_set(err, ERR_NOT_FOUND, "%s has no snapshot that can be restored", source);
	return error_hint(err, "`snapshot` makes one.");
}

bool
rds_snapshot_get(
    struct op *op, struct aws *aws, const char *id, struct rds_snapshot *out, struct error *err)
{
	struct rds_snapshot *items;
	int n;

	if (!list(op, aws, id, NULL, &items, &n, err))
		return false;
	if (!n) {
		error_set(err, ERR_NOT_FOUND, "there is no snapshot %s in %s", id, aws_region(aws));
		return error_hint(err, "`snapshots` lists them.");
	}
	*out = items[0];
	return true;
}

/* ------------------------------------------------------------------ plans */

static bool
identity_of(struct op *op, struct aws *aws, const char **id, const char **resource,
    const char **status, struct error *err)
{
	struct rds_instance instance;
	struct rds_cluster cluster;

	*id = rds_source_id(op, err);
	if (!*id)
		return false;
	if (*op->target->cluster) {
		if (!rds_cluster_get(op, aws, *id, &cluster, err))
			return false;
		*resource = cluster.resource_id;
		*status = cluster.status;
		return true;
	}
	if (!rds_instance_get(op, aws, *id, &instance, err))
		return false;
	*resource = instance.resource_id;
	*status = instance.status;
	return true;
}

bool
rds_look(struct op *op, struct aws *aws, struct error *err)
{
	const char *id, *resource, *status, *arn, *account;
	const char *custom = aws_custom_endpoint(aws, AWS_RDS);

	if (*custom)
		doc_pair(&op->doc, "endpoint", ROLE_WARN, "custom: %s", custom);
	if (!identity_of(op, aws, &id, &resource, &status, err) ||
	    !aws_identity(aws, &op->arena, &arn, &account, err))
		return false;
	doc_pair(&op->doc, *op->target->cluster ? "cluster" : "instance", ROLE_NORMAL,
	    "%s in %s, account %s, %s", id, aws_region(aws), account, status);
	doc_pair(&op->doc, "as", ROLE_NORMAL, "%s (%s)", arn, aws_source(aws));
	if (*aws_warnings(aws))
		doc_pair(&op->doc, "note", ROLE_WARN, "%s", aws_warnings(aws));
	op_identity(op, "account", "%s", account);
	op_identity(op, "region", "%s", aws_region(aws));
	op_identity(op, "resource", "%s %s", id, resource);
	op_identity(op, "status", "%s", status);
	return op_fact_set(op, err, "source", "%s", id) &&
	    op_fact_set(op, err, "resource", "%s", resource) &&
	    op_fact_set(op, err, "source_status", "%s", status);
}

bool
rds_has_backups(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_instance i;

	if (*op->target->cluster)
		return true;
	if (!rds_instance_get(op, aws, op_fact(op, "source"), &i, err))
		return false;
	if (!*i.cluster)
		return true;
	error_set(err, ERR_REFUSED, "%s is of the cluster %s, whose backups are its own", i.id,
	    i.cluster);
	return error_hint(
	    err, "Set cluster = %s in [target %s], without instance.", i.cluster, op->target->name);
}

bool
rds_same(struct op *op, struct aws *aws, struct error *err)
{
	const char *id, *resource, *status, *planned = op_fact(op, "resource");

	if (!identity_of(op, aws, &id, &resource, &status, err))
		return false;
	if (planned && strcmp(planned, resource) == 0)
		return true;
	error_set(err, ERR_CHANGED, "%s is another one than was planned for", id);
	return error_hint(err, "It was %s and is %s: give the command again.",
	    planned ? planned : "unknown", resource);
}

bool
rds_name_ok(const char *name, size_t max, struct error *err)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

	if (n && n <= max && !name[n] && (name[0] | 32) >= 'a' && (name[0] | 32) <= 'z' &&
	    name[n - 1] != '-' && !strstr(name, "--"))
		return true;
	error_set(err, ERR_USAGE, "'%s' is no name for RDS", name);
	return error_hint(
	    err, "Letters, digits and single hyphens, a letter first, at most %zu.", max);
}

bool
rds_mark_set(struct op *op, struct error *err)
{
	unsigned long long v = 0;

	if (getrandom(&v, sizeof(v), 0) != (ssize_t)sizeof(v))
		return error_set(err, ERR_STATE, "the system has no random numbers");
	return op_fact_set(op, err, "mark", "%016llx", v);
}

enum rds_state
rds_state_of(const char *status)
{
	static const char *const ready[] = { "available", "storage-optimization", "backing-up",
		NULL };
	static const char *const bad[] = { "failed", "deleted", "deleting", "restore-error",
		"storage-full", "incompatible-", "insufficient-capacity", "inaccessible-encryption",
		NULL };

	for (int i = 0; ready[i]; i++)
		if (strcmp(status, ready[i]) == 0)
			return RDS_READY;
	for (int i = 0; bad[i]; i++)
		if (strncmp(status, bad[i], strlen(bad[i])) == 0)
			return RDS_BAD;
	return RDS_BUSY;
}

bool
rds_can_change(const char *status)
{
	return strcmp(status, "available") == 0 || strcmp(status, "storage-optimization") == 0;
}
