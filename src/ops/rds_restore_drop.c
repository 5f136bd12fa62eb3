/* restore drop NAME of RDS: an instance that a restore has made is deleted, without a last
 * snapshot. Told by its tag; what is protected, a replica or a member of a cluster stays. */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/fmt.h"
#include "ops/local.h"
#include "ops/rds_make.h"

static bool
may_go(struct op *op, const struct rds_instance *i, struct error *err)
{
	if (strcasecmp(i->id, op_fact(op, "source")) == 0)
		return error_set(err, ERR_REFUSED, "%s is the target itself", i->id);
	/* What was added as a replica and promoted is somebody's primary. */
	if (!*i->mark || *i->source ||
	    strncmp(i->mark, RDS_REPLICA_MARK, strlen(RDS_REPLICA_MARK)) == 0) {
		error_set(err, ERR_REFUSED, "%s is not what a restore has made", i->id);
		return error_hint(err,
		    *i->source ? "It is a replica: replica drop %s." :
		                 "%s does not carry the tag of a restore.",
		    i->id);
	}
	if (*i->cluster) {
		error_set(err, ERR_REFUSED, "%s is of the cluster %s", i->id, i->cluster);
		return error_hint(
		    err, "A restored cluster is removed with all its members, by hand.");
	}
	if (i->is_protected) {
		error_set(err, ERR_REFUSED, "%s is protected against deletion", i->id);
		return error_hint(err, "Somebody wanted it kept.");
	}
	return true;
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_instance i;
	const char *name;
	char size[32];

	if (!restore_drop_words(op, &name, err) || !rds_look(op, aws, err) ||
	    !rds_instance_get(op, aws, name, &i, err) || !may_go(op, &i, err))
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

static bool
drop_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

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

static const struct op_step_def drop_steps[] = {
	{ "delete", delete_seen, delete_run },
	{ "wait", NULL, wait_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_restore_drop = { drop_plan, drop_steps, restore_drop_result };
