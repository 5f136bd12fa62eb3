/*
 * restore drop NAME of RDS: an instance that a restore has made is deleted, or of Aurora a cluster
 * with its instances, without a last snapshot. Told by their tags; what is protected, a replica or
 * what somebody else has made stays.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/fmt.h"
#include "ops/local.h"
#include "ops/rds_make.h"

static bool
not_ours(const char *id, struct error *err)
{
	error_set(err, ERR_REFUSED, "%s is not what a restore has made", id);
	return error_hint(err, "%s does not carry the tag of a restore.", id);
}

/* What was added as a replica and promoted is somebody's primary. */
static bool
is_marked(const char *mark)
{
	return *mark && strncmp(mark, RDS_REPLICA_MARK, strlen(RDS_REPLICA_MARK)) != 0;
}

static bool
is_kept(const char *id, struct error *err)
{
	error_set(err, ERR_REFUSED, "%s is protected against deletion", id);
	return error_hint(err, "Somebody wanted it kept.");
}

/* ------------------------------------------------------------------ an instance */

static bool
may_go(struct op *op, const struct rds_instance *i, struct error *err)
{
	if (strcasecmp(i->id, op_fact(op, "source")) == 0)
		return error_set(err, ERR_REFUSED, "%s is the target itself", i->id);
	if (*i->source) {
		error_set(err, ERR_REFUSED, "%s is not what a restore has made", i->id);
		return error_hint(err, "It is a replica: replica drop %s.", i->id);
	}
	if (!is_marked(i->mark))
		return not_ours(i->id, err);
	if (*i->cluster) {
		error_set(err, ERR_REFUSED, "%s is of the cluster %s", i->id, i->cluster);
		return error_hint(err,
		    "restore drop %s removes it whole, for a target with its source as cluster.",
		    i->cluster);
	}
	return !i->is_protected || is_kept(i->id, err);
}

static bool
plan_instance(struct op *op, struct aws *aws, const char *name, struct error *err)
{
	struct rds_instance i;
	char size[32];

	if (!rds_instance_get(op, aws, name, &i, err) || !may_go(op, &i, err))
		return false;
	doc_pair(&op->doc, "goes", ROLE_WARN, "%s, %s, %s, %s", i.id, i.instance_class,
	    fmt_bytes(size, sizeof(size), (double)((int64_t)i.storage_gb << 30)), i.status);
	op_identity(op, "goes", "%s %s %s", i.id, i.resource_id, i.mark);
	op_add_step(op, "delete", "high", "delete the instance",
	    "DeleteDBInstance without a last snapshot; it cannot be taken back");
	op_add_step(op, "wait", "none", "wait until it is gone", "%s", "DescribeDBInstances");
	op->question = arena_printf(&op->arena, "drop the restored instance %s?", i.id);
	return op_fact_set(op, err, "name", "%s", i.id) &&
	    op_fact_set(op, err, "dropped_mark", "%s", i.mark);
}

/* ------------------------------------------------------------------ a cluster */

/* As the fact "members" has it: what was confirmed, and nothing that came since. */
static const char *
member_entry(struct op *op, const struct rds_instance *i)
{
	return arena_printf(&op->arena, " %s=%s ", i->id, i->resource_id);
}

static bool
plan_members(struct op *op, struct aws *aws, const struct rds_cluster *c, struct error *err)
{
	const char *members = "";

	for (int k = 0; k < c->nmembers; k++) {
		struct rds_instance i;

		if (!rds_instance_get(op, aws, c->members[k].id, &i, err))
			return false;
		if (i.is_protected)
			return is_kept(i.id, err);
		doc_pair(&op->doc, "with it", ROLE_WARN, "%s, %s, %s%s", i.id, i.instance_class,
		    i.status, is_marked(i.mark) ? "" : ", added to it since");
		op_identity(op, "member", "%s %s", i.id, i.resource_id);
		members = arena_printf(&op->arena, "%s%s", members, member_entry(op, &i));
	}
	return op_fact_set(op, err, "members", "%s", members);
}

static bool
plan_cluster(struct op *op, struct aws *aws, const char *name, struct error *err)
{
	struct rds_cluster c;

	if (!rds_cluster_get(op, aws, name, &c, err))
		return false;
	if (strcasecmp(c.id, op_fact(op, "source")) == 0)
		return error_set(err, ERR_REFUSED, "%s is the target itself", c.id);
	if (!is_marked(c.mark))
		return not_ours(c.id, err);
	if (c.is_protected)
		return is_kept(c.id, err);
	doc_pair(&op->doc, "goes", ROLE_WARN, "cluster %s, %s, %s", c.id, c.engine, c.status);
	op_identity(op, "goes", "%s %s %s", c.id, c.resource_id, c.mark);
	if (!plan_members(op, aws, &c, err))
		return false;
	op_add_step(
	    op, "members", "high", "delete its instances", "DeleteDBInstance of %d", c.nmembers);
	op_add_step(op, "cluster", "high", "delete the cluster",
	    "DeleteDBCluster without a last snapshot; it cannot be taken back");
	op_add_step(
	    op, "cluster-wait", "none", "wait until it is gone", "%s", "DescribeDBClusters");
	op->question = arena_printf(&op->arena, "drop the restored cluster %s?", c.id);
	return op_fact_set(op, err, "name", "%s", c.id) &&
	    op_fact_set(op, err, "dropped_mark", "%s", c.mark);
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *name;

	return restore_drop_words(op, &name, err) && rds_look(op, aws, err) &&
	    (*op->target->cluster ? plan_cluster(op, aws, name, err) :
	                            plan_instance(op, aws, name, err));
}

static bool
drop_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

/* ------------------------------------------------------------------ the run, of an instance */

static enum op_seen
delete_look(struct op *op, struct aws *aws, struct error *err)
{
	return rds_is_gone(op, aws, op_fact(op, "name"), err);
}

static enum op_seen
delete_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, delete_look, err);
}

static bool
delete_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *name = op_fact(op, "name");
	struct rds_instance i;

	if (!rds_same(op, aws, err) || !rds_instance_get(op, aws, name, &i, err))
		return false;
	if (strcmp(i.mark, op_fact(op, "dropped_mark")) != 0)
		return error_set(err, ERR_CHANGED, "%s is another one than was planned for", name);
	return strcmp(i.status, "deleting") == 0 || rds_instance_delete(op, aws, name, false, err);
}

static bool
delete_run(struct op *op, struct error *err)
{
	return rds_with(op, delete_with, err);
}

static bool
wait_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_wait_gone(op, aws, &rds_noun_instance, op_fact(op, "name"), err);
}

static bool
wait_run(struct op *op, struct error *err)
{
	return rds_with(op, wait_with, err);
}

/* ------------------------------------------------------------------ the run, of a cluster */

/* False with *is_gone: it is not there any more, or going. */
static bool
same_cluster(
    struct op *op, struct aws *aws, struct rds_cluster *c, bool *is_gone, struct error *err)
{
	const char *name = op_fact(op, "name");

	*is_gone = false;
	if (!rds_cluster_get(op, aws, name, c, err)) {
		*is_gone = err->code == ERR_NOT_FOUND;
		return false;
	}
	if (strcmp(c->mark, op_fact(op, "dropped_mark")) != 0)
		return error_set(err, ERR_CHANGED, "%s is another one than was planned for", name);
	*is_gone = strcmp(c->status, "deleting") == 0;
	return !*is_gone && (!c->is_protected || is_kept(c->id, err));
}

/* One that was added since is somebody's. */
static bool
is_planned(struct op *op, struct aws *aws, const char *name, struct error *err)
{
	struct rds_instance i;

	if (!rds_instance_get(op, aws, name, &i, err))
		return false;
	if (i.is_protected)
		return is_kept(i.id, err);
	if (strstr(op_fact(op, "members"), member_entry(op, &i)))
		return true;
	error_set(err, ERR_CHANGED, "%s was added to the cluster since", i.id);
	return error_hint(err, "Give the command again, and look at it again.");
}

/* Each is told to once: what is going already is left to go. */
static bool
members_with(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_cluster c;
	bool is_gone;

	if (!rds_same(op, aws, err))
		return false;
	if (!same_cluster(op, aws, &c, &is_gone, err)) {
		if (is_gone)
			*err = (struct error){ 0 };
		return is_gone;
	}
	for (int i = 0; i < c.nmembers; i++) {
		enum op_seen gone = rds_is_gone(op, aws, c.members[i].id, err);

		if (gone == OP_UNSURE ||
		    (gone == OP_NOT_SEEN &&
		        (!is_planned(op, aws, c.members[i].id, err) ||
		            !rds_instance_delete(op, aws, c.members[i].id, true, err))))
			return false;
	}
	return true;
}

static bool
members_run(struct op *op, struct error *err)
{
	return rds_with(op, members_with, err);
}

static bool
cluster_with(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_cluster c;
	bool is_gone;

	if (same_cluster(op, aws, &c, &is_gone, err))
		return rds_cluster_delete(op, aws, c.id, err);
	if (is_gone)
		*err = (struct error){ 0 };
	return is_gone;
}

static bool
cluster_run(struct op *op, struct error *err)
{
	return rds_with(op, cluster_with, err);
}

/* A cluster may be gone before its instances are, which are billed. */
static bool
cluster_wait_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *m = op_fact(op, "members") ? op_fact(op, "members") : "";

	while (*(m += strspn(m, " "))) {
		const char *name = arena_strndup(&op->arena, m, strcspn(m, "="));

		if (!rds_wait_gone(op, aws, &rds_noun_instance, name, err))
			return false;
		m += strcspn(m, " ");
	}
	return rds_wait_gone(op, aws, &rds_noun_cluster, op_fact(op, "name"), err);
}

static bool
cluster_wait_run(struct op *op, struct error *err)
{
	return rds_with(op, cluster_wait_with, err);
}

static const struct op_step_def drop_steps[] = {
	{ "delete", delete_seen, delete_run },
	{ "wait", NULL, wait_run },
	{ "members", NULL, members_run },
	{ "cluster", NULL, cluster_run },
	{ "cluster-wait", NULL, cluster_wait_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_restore_drop = { drop_plan, drop_steps, restore_drop_result };
