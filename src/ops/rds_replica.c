/*
 * replica add NAME [--region R] [--class C] [--kms KEY], replica drop NAME: read replicas of an
 * instance, also in another region, and readers of a cluster. What is dropped is looked at again
 * right before: only what is a replica of the target still, and the same one that was shown.
 */
#include "config.h"

#include "ops/rds_replica.h"

#include <string.h>
#include <strings.h>

#include "ops/gates.h"
#include "ops/op_result.h"
#include "ops/rds_ha.h"
#include "ops/rds_make.h"

enum { NAME_MAX_LEN = 63 };

/* ------------------------------------------------------------------ finding one */

/* "arn:aws:rds:REGION:ACCOUNT:db:NAME", or a name. */
static const char *
name_of(const char *text)
{
	const char *colon = strrchr(text, ':');

	return colon ? colon + 1 : text;
}

static const char *
region_of(struct op *op, const char *text)
{
	for (int i = 0; i < 3; i++) {
		text = strchr(text, ':');
		if (!text)
			return "";
		text++;
	}
	return arena_strndup(&op->arena, text, strcspn(text, ":"));
}

bool
rds_replica_of(const struct rds_instance *source, const struct rds_instance *replica)
{
	return *replica->source &&
	    (strcmp(replica->source, source->id) == 0 ||
	        strcmp(replica->source, source->arn) == 0 ||
	        strcmp(name_of(replica->source), source->id) == 0);
}

static bool
no_replica(const struct rds_instance *source, const char *name, struct error *err)
{
	error_set(err, ERR_REFUSED, "%s is no read replica of %s", name, source->id);
	if (source->nreplicas)
		return error_hint(err, "It has %s%s%s.", name_of(source->replicas[0]),
		    source->nreplicas > 1 ? ", " : "",
		    source->nreplicas > 1 ? name_of(source->replicas[1]) : "");
	return error_hint(err, "It has none; `replica add NAME` makes one.");
}

bool
rds_replica_find(struct op *op, struct aws *aws, const struct rds_instance *source,
    const char *name, const char **region, struct rds_instance *out, struct error *err)
{
	struct aws *there;
	bool ok;

	*region = NULL;
	for (int i = 0; i < source->nreplicas; i++)
		if (strcasecmp(name_of(source->replicas[i]), name) == 0)
			*region = region_of(op, source->replicas[i]);
	if (!*region)
		return no_replica(source, name, err);
	if (!**region || strcmp(*region, aws_region(aws)) == 0) {
		*region = "";
		ok = rds_instance_get(op, aws, name, out, err);
	} else {
		there = rds_open_in(op, *region, err);
		ok = there && rds_instance_get(op, there, name, out, err);
		aws_close(there);
	}
	return ok && (rds_replica_of(source, out) || no_replica(source, name, err));
}

/* ------------------------------------------------------------------ add */

struct options {
	const char *name, *region, *class, *kms;
};

static bool
read_options(struct op *op, struct options *o, struct error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	const struct words *w = op->words;
	bool ok = w->n >= 3 && w->n % 2 == 1;

	*o = (struct options){ w->n >= 3 ? w->w[2].text : "", "", "", "" };
	for (int i = 3; i + 1 < w->n; i += 2) {
		const char *value = w->w[i + 1].text;

		if (strcmp(w->w[i].text, "--region") == 0 &&
		    strspn(value, letters) == strlen(value))
			o->region = value;
		else if (strcmp(w->w[i].text, "--class") == 0)
			o->class = value;
		else if (strcmp(w->w[i].text, "--kms") == 0)
			o->kms = value;
		else
			ok = false;
	}
	if (ok)
		return rds_name_ok(o->name, NAME_MAX_LEN, err);
	error_set(err, ERR_USAGE, "replica add does not understand this");
	return error_hint(err, "Of RDS: replica add NAME [--region R] [--class C] [--kms KEY].");
}

static bool
new_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_must_be_new(op, aws, &rds_noun_instance, op_fact(op, "name"), err);
}

static bool
keep_options(
    struct op *op, const struct options *o, const struct rds_instance *like, struct error *err)
{
	bool is_far = *o->region != 0;

	return op_fact_set(op, err, "name", "%s", o->name) &&
	    op_fact_set(op, err, "region", "%s", o->region) &&
	    op_fact_set(op, err, "class", "%s", *o->class ? o->class : like->instance_class) &&
	    /* A copy in another region is encrypted by a key of that region. */
	    op_fact_set(op, err, "kms", "%s",
	        *o->kms                          ? o->kms :
	            is_far && like->is_encrypted ? "alias/aws/rds" :
	                                           "") &&
	    op_fact_set(op, err, "groups", "%s",
	        is_far ? "" : rds_groups_text(op, like->groups, like->ngroups)) &&
	    op_fact_set(op, err, "public", "%s", like->is_public ? "true" : "false") &&
	    op_fact_set(op, err, "engine", "%s", like->engine) &&
	    op_fact_set(op, err, "arn", "%s", like->arn) && rds_mark_set(op, err) &&
	    /* Once promoted it is no copy that `restore drop` may remove. */
	    op_fact_set(op, err, "mark", RDS_REPLICA_MARK "%s", op_fact(op, "mark")) &&
	    rds_with_in(op, o->region, new_with, err);
}

static void
add_steps(struct op *op, const struct options *o, const char *source, const char *how)
{
	doc_pair(&op->doc, "new instance", ROLE_NORMAL,
	    "%s, %s%s%s, billed from the moment it is there", o->name, op_fact(op, "class"),
	    *o->region ? ", in " : "", o->region);
	op_add_step(op, "create", "low", "make the replica", "%s; %s", how,
	    op_fact(op, "cluster") ? "it shares the cluster's storage" :
	                             "its source is backed up for it");
	op_add_step(op, "wait", "none", "wait until it is available", "%s",
	    "minutes to hours; looks every 5 s");
	op->question = arena_printf(&op->arena, "make %s a replica of %s?", o->name, source);
}

static bool
plan_add(struct op *op, struct aws *aws, struct error *err)
{
	struct gates g = { .op = op, .err = err };
	struct rds_instance i;
	struct rds_cluster c;
	struct options o;
	const char *writer;

	if (!read_options(op, &o, err) || !rds_look(op, aws, err))
		return false;
	if (*op->target->cluster) {
		if (*o.region) {
			error_set(
			    err, ERR_UNSUPPORTED, "a cluster has its readers in its own region");
			return error_hint(err, "In another one it is a global database's matter.");
		}
		if (!rds_cluster_get(op, aws, op_fact(op, "source"), &c, err))
			return false;
		writer = rds_writer(&c);
		gate(&g, "state", strcmp(c.status, "available") == 0, "%s", c.status);
		gate(&g, "writer", writer != NULL, "%s", writer ? writer : "none");
		if (g.red || !rds_instance_get(op, aws, writer, &i, err) ||
		    !op_fact_set(op, err, "cluster", "%s", c.id) || !keep_options(op, &o, &i, err))
			return false;
		add_steps(op, &o, c.id, "CreateDBInstance in the cluster");
		return true;
	}
	if (!rds_instance_get(op, aws, op_fact(op, "source"), &i, err))
		return false;
	gate(&g, "state", rds_state_of(i.status) == RDS_READY, "%s", i.status);
	gate(&g, "retention", i.retention_days > 0, "%s",
	    i.retention_days > 0 ? "kept: a replica can be made" :
	                           "retention is 0 days: RDS makes no replica");
	if (g.red || !keep_options(op, &o, &i, err))
		return false;
	add_steps(op, &o, i.id, "CreateDBInstanceReadReplica");
	return true;
}

static enum op_seen
create_look(struct op *op, struct aws *aws, struct error *err)
{
	return rds_look_for(op, aws, &rds_noun_instance, op_fact(op, "name"), err);
}

static enum op_seen
create_seen(struct op *op, struct error *err)
{
	return rds_seen_with_in(op, op_fact(op, "region"), create_look, err);
}

static bool
create_with(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_params ps = { .op = op };
	const char *cluster = op_fact(op, "cluster"), *name = op_fact(op, "name"),
	           *region = op_fact(op, "region");
	struct aws_call call = { .service = AWS_RDS,
		.op = cluster ? "CreateDBInstance" : "CreateDBInstanceReadReplica",
		.params = ps.p,
		.changes = true };
	int64_t id;

	rds_param(&ps, "DBInstanceIdentifier", name);
	if (cluster) {
		rds_param(&ps, "DBClusterIdentifier", cluster);
		rds_param(&ps, "Engine", op_fact(op, "engine"));
	} else {
		rds_param(
		    &ps, "SourceDBInstanceIdentifier", op_fact(op, *region ? "arn" : "source"));
		rds_param(&ps, "KmsKeyId", op_fact(op, "kms"));
		rds_param_groups(&ps, op_fact(op, "groups"));
	}
	rds_param(&ps, "DBInstanceClass", op_fact(op, "class"));
	rds_param(&ps, "PubliclyAccessible", op_fact(op, "public"));
	rds_param_mark(&ps);
	return rds_instance_leave(op, name, region, &id, err) &&
	    rds_make(op, aws, &rds_noun_instance, name, &call, id, err);
}

static bool
create_run(struct op *op, struct error *err)
{
	return rds_with(op, rds_same, err) &&
	    rds_with_in(op, op_fact(op, "region"), create_with, err);
}

static bool
add_wait_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *name = op_fact(op, "name"),
	           *hint =
	               arena_printf(&op->arena, "`job undo %lld` removes it.", (long long)op->job);
	struct rds_instance i;

	return rds_wait_ready(op, aws, &rds_noun_instance, name, hint, err) &&
	    rds_instance_get(op, aws, name, &i, err) &&
	    op_fact_set(op, err, "endpoint", "%s:%d", i.host, i.port) &&
	    op_fact_set(op, err, "replication", "%s", i.replication) &&
	    op_settle_kind(op, "rds_instance", err);
}

static bool
wait_run(struct op *op, struct error *err)
{
	return rds_with_in(op, op_fact(op, "region"), add_wait_with, err);
}

/* ------------------------------------------------------------------ drop */

/* In the region of the replica: is it that one still, and a replica? */
static bool
check_same(struct op *op, struct aws *aws, struct error *err)
{
	const char *name = op_fact(op, "name"), *cluster = op_fact(op, "cluster");
	struct rds_instance i;
	struct rds_cluster c;
	const char *writer;

	if (!rds_instance_get(op, aws, name, &i, err))
		return false;
	if (strcmp(i.resource_id, op_fact(op, "replica_resource")) != 0 ||
	    (cluster ? strcmp(i.cluster, cluster) != 0 :
	               strcmp(i.source, op_fact(op, "replica_source")) != 0)) {
		error_set(err, ERR_CHANGED, "%s is no replica of %s any more", name,
		    op_fact(op, "source"));
		return error_hint(err, "Nothing was deleted.");
	}
	if (!cluster)
		return true;
	if (!rds_cluster_get(op, aws, cluster, &c, err))
		return false;
	writer = rds_writer(&c);
	return (writer && strcasecmp(writer, name) != 0) ||
	    error_set(err, ERR_CHANGED, "%s is the writer of %s now", name, cluster);
}

static bool
plan_drop_member(struct op *op, struct aws *aws, const char *name, struct gates *g)
{
	struct rds_cluster c;
	struct rds_instance i;
	bool is_member = false, is_writer = false;

	if (!rds_cluster_get(op, aws, op_fact(op, "source"), &c, g->err))
		return false;
	for (int m = 0; m < c.nmembers; m++)
		if (strcasecmp(c.members[m].id, name) == 0) {
			is_member = true;
			is_writer = c.members[m].is_writer;
		}
	if (!is_member)
		return error_set(g->err, ERR_REFUSED, "%s is no member of %s", name, c.id);
	gate(g, "member", !is_writer, "%s", is_writer ? "the writer" : "a reader");
	gate_warn(g, "readers left", c.nmembers > 2, "%d%s", c.nmembers - 2,
	    c.nmembers > 2 ? "" : ": a failover would have nowhere to go");
	if (!rds_instance_get(op, aws, name, &i, g->err))
		return false;
	gate(g, "protection", !i.is_protected, "deletion protection is %s",
	    i.is_protected ? "on" : "off");
	op_identity(op, "replica", "%s", i.resource_id);
	return op_fact_set(op, g->err, "name", "%s", i.id) &&
	    op_fact_set(op, g->err, "cluster", "%s", c.id) &&
	    op_fact_set(op, g->err, "region", "%s", "") &&
	    op_fact_set(op, g->err, "replica_resource", "%s", i.resource_id);
}

static bool
plan_drop_replica(struct op *op, struct aws *aws, const char *name, struct gates *g)
{
	struct rds_instance source, i;
	const char *region;

	if (!rds_instance_get(op, aws, op_fact(op, "source"), &source, g->err) ||
	    !rds_replica_find(op, aws, &source, name, &region, &i, g->err))
		return false;
	doc_pair(&op->doc, "replica", ROLE_NORMAL, "%s of %s, %s%s%s, %s", i.id, source.id,
	    i.instance_class, *region ? ", in " : "", region, i.status);
	gate(g, "protection", !i.is_protected, "deletion protection is %s",
	    i.is_protected ? "on" : "off");
	gate(g, "replicas of its own", i.nreplicas == 0, "%d", i.nreplicas);
	op_identity(op, "replica", "%s %s", i.resource_id, i.source);
	return op_fact_set(op, g->err, "name", "%s", i.id) &&
	    op_fact_set(op, g->err, "region", "%s", region) &&
	    op_fact_set(op, g->err, "replica_resource", "%s", i.resource_id) &&
	    op_fact_set(op, g->err, "replica_source", "%s", i.source);
}

static bool
plan_drop(struct op *op, struct aws *aws, struct error *err)
{
	struct gates g = { .op = op, .err = err };
	const char *name = op->words->n == 3 ? op->words->w[2].text : NULL;

	if (!name) {
		error_set(err, ERR_USAGE, "replica drop needs one name");
		return error_hint(err, "Usage: %s", op->kind->usage);
	}
	op->confirm = OP_DESTROYS;
	if (!rds_name_ok(name, NAME_MAX_LEN, err) || !rds_look(op, aws, err) ||
	    !op_fact_set(op, err, "name", "%s", name) ||
	    !(*op->target->cluster ? plan_drop_member(op, aws, name, &g) :
	                             plan_drop_replica(op, aws, name, &g)) ||
	    g.red)
		return false;
	op_add_step(op, "delete", "high", "delete the replica",
	    "%s, without a final snapshot: its data is its source's", name);
	op_add_step(op, "gone", "none", "wait until it is gone", "%s", "looks every 5 s");
	op->question =
	    arena_printf(&op->arena, "delete %s, a replica of %s?", name, op_fact(op, "source"));
	return true;
}

static bool
delete_with(struct op *op, struct aws *aws, struct error *err)
{
	return check_same(op, aws, err) &&
	    rds_instance_delete(op, aws, op_fact(op, "name"), op_fact(op, "cluster") != NULL, err);
}

static bool
delete_run(struct op *op, struct error *err)
{
	return rds_with_in(op, op_fact(op, "region"), delete_with, err);
}

static enum op_seen
delete_look(struct op *op, struct aws *aws, struct error *err)
{
	return rds_is_gone(op, aws, op_fact(op, "name"), err);
}

static enum op_seen
delete_seen(struct op *op, struct error *err)
{
	return rds_seen_with_in(op, op_fact(op, "region"), delete_look, err);
}

static bool
gone_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_wait_gone(op, aws, &rds_noun_instance, op_fact(op, "name"), err);
}

static bool
gone_run(struct op *op, struct error *err)
{
	return rds_with_in(op, op_fact(op, "region"), gone_with, err) &&
	    op_fact_set(op, err, "dropped", "yes");
}

/* ------------------------------------------------------------------ both */

static bool
plan(struct op *op, struct error *err)
{
	const char *what = op->words->n > 1 ? op->words->w[1].text : "";

	if (strcmp(what, "add") == 0)
		return rds_with(op, plan_add, err);
	if (strcmp(what, "drop") == 0)
		return rds_with(op, plan_drop, err);
	error_set(err, ERR_USAGE, "replica add or replica drop?");
	return error_hint(err, "Usage: %s", op->kind->usage);
}

static bool
result(struct op *op, struct error *err)
{
	const char *region = op_fact(op, "region");
	bool first = true;

	(void)err;
	op_result_text(op, &first, "replica", op_fact(op, "name"));
	op_result_text(op, &first, "source", op_fact(op, "source"));
	op_result_text(op, &first, "region", region && *region ? region : NULL);
	op_result_text(op, &first, "endpoint", op_fact(op, "endpoint"));
	op_result_text(op, &first, "replication", op_fact(op, "replication"));
	op_result_bool(op, &first, "dropped", op_fact(op, "dropped") != NULL);
	return true;
}

static const struct op_step_def steps[] = {
	{ "create", create_seen, create_run },
	{ "wait", NULL, wait_run },
	{ "delete", delete_seen, delete_run },
	{ "gone", NULL, gone_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_replica = { plan, steps, result };
