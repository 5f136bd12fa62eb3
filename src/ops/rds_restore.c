/*
 * restore SNAPSHOT to NAME, restore --at TIME|latest to NAME: a new instance, or a new cluster with
 * one instance, beside the source, never over it. RDS gives what is new the default security and
 * parameter groups, so those of the source are carried over. Until it is available, it is a
 * leftover that `job undo` removes.
 */
#include "config.h"

#include "ops/rds_restore.h"

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "base/json.h"
#include "ops/op_result.h"

#define DAY_US ((int64_t)86400 * 1000000)

/* A time may be of several words: all up to "to". */
static const char *
time_words(struct op *op, int *i)
{
	struct strbuf sb = STRBUF_INIT(256);
	const char *time;

	while (*i + 1 < op->words->n && strcmp(op->words->w[*i + 1].text, "to") != 0)
		strbuf_addf(&sb, "%s%s", sb.len ? " " : "", op->words->w[++*i].text);
	time = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return time;
}

static bool
read_words(
    struct op *op, const char **snapshot, const char **at, const char **name, struct error *err)
{
	const struct words *w = op->words;

	*snapshot = *at = *name = NULL;
	for (int i = 1; i < w->n; i++) {
		const char *text = w->w[i].text;

		if (strcmp(text, "--at") == 0 && i + 1 < w->n && !*at)
			*at = time_words(op, &i);
		else if (strcmp(text, "to") == 0 && i + 1 < w->n && !*name)
			*name = w->w[++i].text;
		else if (!*snapshot && text[0] != '-')
			*snapshot = text;
		else
			*name = *at = *snapshot = "";
	}
	if (*name && **name && !*snapshot != !*at)
		return rds_name_ok(*name, RDS_RESTORE_NAME_MAX, err);
	error_set(err, ERR_USAGE, "restore needs what is restored, and to what name");
	return error_hint(
	    err, "Of RDS: restore SNAPSHOT to NAME, or restore --at TIME|latest to NAME.");
}

/* What can be recovered: of an instance, or of a cluster. */
struct window {
	const char *id;
	int retention_days;
	struct wall earliest, latest; /* 0: none */
};

/* Within what can be recovered: said in the plan, and checked before anything is asked of AWS. */
static bool
check_time(struct op *op, const struct window *w, const char *at, struct error *err)
{
	struct wall t;
	char from[40], to[40], text[40];

	if (!w->retention_days || !w->latest.us) {
		error_set(err, ERR_STATE, "%s keeps no automated backups", w->id);
		return error_hint(err, "Its retention is 0 days: there is no time to go back to.");
	}
	wall_rfc3339((struct wall){ w->earliest.us / 1000000 * 1000000 }, from, sizeof(from));
	wall_rfc3339(w->latest, to, sizeof(to));
	doc_pair(&op->doc, "recoverable", ROLE_NORMAL, "from about %s (%d days) to %s", from,
	    w->retention_days, to);
	if (strcmp(at, "latest") == 0)
		return op_fact_set(op, err, "at", "latest") &&
		    op_fact_set(op, err, "recovered_to", "%lld", (long long)w->latest.us);
	if (!wall_parse(at, &t)) {
		error_set(err, ERR_USAGE, "'%s' is no time", at);
		return error_hint(err, "As 2026-11-21T15:00:00Z, with the zone that is meant.");
	}
	if (t.us > w->latest.us || t.us < w->earliest.us) {
		error_set(err, ERR_REFUSED, "%s cannot be recovered to %s", w->id, at);
		return error_hint(err, "Only from about %s to %s.", from, to);
	}
	t.us -= t.us % 1000000; /* RDS takes whole seconds */
	return op_fact_set(op, err, "at", "%s", wall_rfc3339(t, text, sizeof(text))) &&
	    op_fact_set(op, err, "recovered_to", "%lld", (long long)t.us);
}

static struct wall
days_ago(int days)
{
	return (struct wall){ wall_now().us - days * DAY_US };
}

static bool
check_snapshot(struct op *op, struct aws *aws, const char *name, struct error *err)
{
	struct rds_snapshot s;
	char age[32];

	if (!rds_snapshot_get(op, aws, name, &s, err))
		return false;
	if (rds_state_of(s.status) != RDS_READY) {
		error_set(err, ERR_STATE, "the snapshot %s is %s", name, s.status);
		return error_hint(err, "Wait until it is available.");
	}
	fmt_span(age, sizeof(age), (double)(wall_now().us - s.created.us) / 1e6);
	doc_pair(&op->doc, "snapshot", ROLE_NORMAL, "%s of %s, %s old, %lld GiB, %s", s.id,
	    s.source, age, (long long)s.size_gb, s.type);
	op_identity(op, "snapshot", "%s %lld", s.id, (long long)s.created.us);
	return op_fact_set(op, err, "snapshot", "%s", s.id) &&
	    op_fact_set(op, err, "recovered_to", "%lld", (long long)s.created.us);
}

/* What the new instance takes over, as facts, so that a resumed job asks for the same. */
static bool
carry_over(struct op *op, const struct rds_instance *source, struct error *err)
{
	const char *groups = rds_groups_text(op, source->groups, source->ngroups);

	doc_pair(&op->doc, "as the source", ROLE_NORMAL, "class %s, security groups %s%s%s%s%s",
	    source->instance_class, *groups ? groups : "none",
	    *source->subnet_group ? ", subnet group " : "", source->subnet_group,
	    *source->parameter_group ? ", parameter group " : "", source->parameter_group);
	return op_fact_set(op, err, "class", "%s", source->instance_class) &&
	    op_fact_set(op, err, "groups", "%s", groups) &&
	    op_fact_set(op, err, "subnet_group", "%s", source->subnet_group) &&
	    op_fact_set(op, err, "parameter_group", "%s",
	        strncmp(source->parameter_group, "default.", 8) == 0 ? "" :
	                                                               source->parameter_group) &&
	    op_fact_set(op, err, "public", "%s", source->is_public ? "true" : "false");
}

static bool
plan_instance(struct op *op, struct aws *aws, const char *snapshot, const char *at,
    const char *name, struct error *err)
{
	struct rds_instance source;
	struct window w;

	if (!rds_instance_get(op, aws, op_fact(op, "source"), &source, err) ||
	    !rds_must_be_new(op, aws, &rds_noun_instance, name, err))
		return false;
	w = (struct window){ source.id, source.retention_days, days_ago(source.retention_days),
		source.latest_restorable };
	if (!(at ? check_time(op, &w, at, err) : check_snapshot(op, aws, snapshot, err)) ||
	    !carry_over(op, &source, err))
		return false;
	doc_pair(
	    &op->doc, "new instance", ROLE_NORMAL, "%s, billed from the moment it is there", name);
	op_add_step(op, "create", "low", "make the new instance", "%s; %s is not touched",
	    at ? "RestoreDBInstanceToPointInTime" : "RestoreDBInstanceFromDBSnapshot", source.id);
	op_add_step(op, "wait", "none", "wait until it is available", "%s",
	    "minutes to hours; looks every 5 s");
	op->question = arena_printf(&op->arena, "restore %s to the new instance %s?",
	    snapshot ? snapshot : source.id, name);
	return op_fact_set(op, err, "name", "%s", name);
}

/* A cluster is restored without instances: it is its storage, and the first one is made after. */
static bool
plan_cluster(struct op *op, struct aws *aws, const char *snapshot, const char *at, const char *name,
    struct error *err)
{
	const char *member = arena_printf(&op->arena, "%s-1", name), *writer;
	struct rds_cluster source;
	struct rds_instance like;
	struct window w;

	if (!rds_name_ok(member, RDS_RESTORE_NAME_MAX, err) ||
	    !rds_cluster_get(op, aws, op_fact(op, "source"), &source, err) ||
	    !rds_must_be_new(op, aws, &rds_noun_cluster, name, err) ||
	    !rds_must_be_new(op, aws, &rds_noun_instance, member, err))
		return false;
	writer = rds_writer(&source);
	if (!writer)
		return error_set(
		    err, ERR_STATE, "%s has no writer: its class is not known", source.id);
	w = (struct window){ source.id, source.retention_days,
		source.earliest_restorable.us ? source.earliest_restorable :
		                                days_ago(source.retention_days),
		source.latest_restorable };
	if (!rds_instance_get(op, aws, writer, &like, err) ||
	    !(at ? check_time(op, &w, at, err) : check_snapshot(op, aws, snapshot, err)) ||
	    !carry_over(op, &like, err) ||
	    !op_fact_set(
	        op, err, "groups", "%s", rds_groups_text(op, source.groups, source.ngroups)) ||
	    !op_fact_set(op, err, "subnet_group", "%s", source.subnet_group) ||
	    !op_fact_set(op, err, "cluster_group", "%s",
	        strncmp(source.parameter_group, "default.", 8) == 0 ? "" :
	                                                              source.parameter_group) ||
	    !op_fact_set(op, err, "engine", "%s", source.engine) ||
	    !op_fact_set(op, err, "least_acu", "%s", source.least_acu) ||
	    !op_fact_set(op, err, "most_acu", "%s", source.most_acu))
		return false;
	doc_pair(&op->doc, "new cluster", ROLE_NORMAL,
	    "%s with the instance %s, billed from the moment they are there", name, member);
	op_add_step(op, "cluster", "low", "make the new cluster", "%s; %s is not touched",
	    at ? "RestoreDBClusterToPointInTime" : "RestoreDBClusterFromSnapshot", source.id);
	op_add_step(op, "cluster-wait", "none", "wait until it is available", "%s",
	    "it has no instance yet");
	op_add_step(op, "create", "low", "make its instance", "CreateDBInstance %s", member);
	op_add_step(op, "wait", "none", "wait until it is available", "%s",
	    "minutes to hours; looks every 5 s");
	op->question = arena_printf(
	    &op->arena, "restore %s to the new cluster %s?", snapshot ? snapshot : source.id, name);
	return op_fact_set(op, err, "new_cluster", "%s", name) &&
	    op_fact_set(op, err, "name", "%s", member);
}

bool
rds_restore_plan_new(struct op *op, struct aws *aws, const char *snapshot, const char *at,
    const char *name, struct error *err)
{
	return rds_has_backups(op, aws, err) &&
	    (*op->target->cluster ? plan_cluster(op, aws, snapshot, at, name, err) :
	                            plan_instance(op, aws, snapshot, at, name, err)) &&
	    rds_mark_set(op, err);
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *snapshot, *at, *name;

	struct rds_snapshot latest;

	if (!read_words(op, &snapshot, &at, &name, err) || !rds_look(op, aws, err))
		return false;
	if (snapshot && strcmp(snapshot, "latest") == 0) {
		if (!rds_snapshot_latest(op, aws, &latest, err))
			return false;
		snapshot = latest.id;
	}
	return rds_restore_plan_new(op, aws, snapshot, at, name, err);
}

static bool
restore_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

static enum op_seen
create_look(struct op *op, struct aws *aws, struct error *err)
{
	return rds_look_for(op, aws, &rds_noun_instance, op_fact(op, "name"), err);
}

enum op_seen
rds_restore_create_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, create_look, err);
}

static const char *
fact_or_null(struct op *op, const char *name)
{
	const char *s = op_fact(op, name);

	return s && *s ? s : NULL;
}

/* What is restored. */
static void
fill_source(struct rds_params *ps, bool is_cluster)
{
	struct op *op = ps->op;
	const char *at = fact_or_null(op, "at");
	bool is_latest = at && strcmp(at, "latest") == 0;

	if (at) {
		rds_param(ps,
		    is_cluster ? "SourceDBClusterIdentifier" : "SourceDBInstanceIdentifier",
		    op_fact(op, "source"));
		rds_param(ps,
		    is_latest      ? "UseLatestRestorableTime" :
		        is_cluster ? "RestoreToTime" :
		                     "RestoreTime",
		    is_latest ? "true" : at);
	} else {
		rds_param(ps, is_cluster ? "SnapshotIdentifier" : "DBSnapshotIdentifier",
		    op_fact(op, "snapshot"));
	}
}

/* Parameters of either call of an instance. */
static void
fill(struct rds_params *ps)
{
	struct op *op = ps->op;

	rds_param(ps,
	    fact_or_null(op, "at") ? "TargetDBInstanceIdentifier" : "DBInstanceIdentifier",
	    op_fact(op, "name"));
	fill_source(ps, false);
	rds_param(ps, "DBInstanceClass", op_fact(op, "class"));
	rds_param(ps, "DBSubnetGroupName", op_fact(op, "subnet_group"));
	rds_param(ps, "DBParameterGroupName", op_fact(op, "parameter_group"));
	rds_param(ps, "PubliclyAccessible", op_fact(op, "public"));
	rds_param_mark(ps);
	rds_param_groups(ps, op_fact(op, "groups"));
}

/* Of the first instance of a cluster, whose network is the cluster's. */
static void
fill_member(struct rds_params *ps)
{
	struct op *op = ps->op;

	rds_param(ps, "DBInstanceIdentifier", op_fact(op, "name"));
	rds_param(ps, "DBClusterIdentifier", op_fact(op, "new_cluster"));
	rds_param(ps, "Engine", op_fact(op, "engine"));
	rds_param(ps, "DBInstanceClass", op_fact(op, "class"));
	rds_param(ps, "DBParameterGroupName", op_fact(op, "parameter_group"));
	rds_param(ps, "PubliclyAccessible", op_fact(op, "public"));
	rds_param_mark(ps);
}

static bool
create_with(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_params ps = { .op = op };
	bool is_member = op_fact(op, "new_cluster") != NULL;
	struct aws_call call = { .service = AWS_RDS,
		.params = ps.p,
		.changes = true,
		.op = is_member            ? "CreateDBInstance" :
		    fact_or_null(op, "at") ? "RestoreDBInstanceToPointInTime" :
		                             "RestoreDBInstanceFromDBSnapshot" };
	const char *name = op_fact(op, "name");
	int64_t id;

	if (!rds_same(op, aws, err) || !rds_instance_leave(op, name, "", &id, err))
		return false;
	if (is_member)
		fill_member(&ps);
	else
		fill(&ps);
	return rds_make(op, aws, &rds_noun_instance, name, &call, id, err);
}

/* ------------------------------------------------------------------ a cluster's storage */

static enum op_seen
cluster_look(struct op *op, struct aws *aws, struct error *err)
{
	return rds_look_for(op, aws, &rds_noun_cluster, op_fact(op, "new_cluster"), err);
}

enum op_seen
rds_restore_cluster_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, cluster_look, err);
}

static bool
cluster_with(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_params ps = { .op = op };
	const char *name = op_fact(op, "new_cluster");
	struct aws_call call = { .service = AWS_RDS,
		.params = ps.p,
		.changes = true,
		.op = fact_or_null(op, "at") ? "RestoreDBClusterToPointInTime" :
		                               "RestoreDBClusterFromSnapshot" };
	int64_t id;

	rds_param(&ps, "DBClusterIdentifier", name);
	fill_source(&ps, true);
	/* To a moment it is the source's engine. */
	rds_param(&ps, "Engine", fact_or_null(op, "at") ? NULL : op_fact(op, "engine"));
	rds_param(&ps, "DBSubnetGroupName", op_fact(op, "subnet_group"));
	rds_param(&ps, "DBClusterParameterGroupName", op_fact(op, "cluster_group"));
	/* Without it no instance of the class db.serverless can be made in it. */
	rds_param(&ps, "ServerlessV2ScalingConfiguration.MinCapacity", op_fact(op, "least_acu"));
	rds_param(&ps, "ServerlessV2ScalingConfiguration.MaxCapacity", op_fact(op, "most_acu"));
	rds_param_mark(&ps);
	rds_param_groups(&ps, op_fact(op, "groups"));
	return rds_same(op, aws, err) &&
	    op_leave(op, "rds_cluster", arena_printf(&op->arena, "{\"name\":\"%s\"}", name), &id,
	        err, "the cluster %s, which is billed", name) &&
	    rds_make(op, aws, &rds_noun_cluster, name, &call, id, err);
}

bool
rds_restore_cluster_run(struct op *op, struct error *err)
{
	return rds_with(op, cluster_with, err);
}

static bool
cluster_wait_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_wait_ready(op, aws, &rds_noun_cluster, op_fact(op, "new_cluster"),
	    arena_printf(&op->arena, "`job undo %lld` removes it.", (long long)op->job), err);
}

bool
rds_restore_cluster_wait_run(struct op *op, struct error *err)
{
	return rds_with(op, cluster_wait_with, err);
}

/* ------------------------------------------------------------------ the instance */

bool
rds_restore_create_run(struct op *op, struct error *err)
{
	return rds_with(op, create_with, err);
}

bool
rds_restore_wait(struct op *op, struct aws *aws, struct rds_instance *i, struct error *err)
{
	const char *name = op_fact(op, "name"),
	           *hint =
	               arena_printf(&op->arena, "`job undo %lld` removes it.", (long long)op->job);

	return rds_wait_ready(op, aws, &rds_noun_instance, name, hint, err) &&
	    rds_instance_get(op, aws, name, i, err);
}

static bool
wait_with(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_instance i;

	return rds_restore_wait(op, aws, &i, err) &&
	    op_fact_set(op, err, "endpoint", "%s:%d", i.host, i.port) &&
	    op_settle_kind(op, "rds_instance", err) && op_settle_kind(op, "rds_cluster", err);
}

static bool
wait_run(struct op *op, struct error *err)
{
	return rds_with(op, wait_with, err);
}

static bool
restore_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(
	    op, &first, "name", op_fact(op, op_fact(op, "new_cluster") ? "new_cluster" : "name"));
	op_result_text(op, &first, "endpoint", op_fact(op, "endpoint"));
	op_result_text(op, &first, "data_directory", NULL);
	op_result_time(
	    op, &first, "recovered_to", (struct wall){ op_fact_int(op, "recovered_to", 0) });
	return true;
}

static const struct op_step_def restore_steps[] = {
	{ "cluster", rds_restore_cluster_seen, rds_restore_cluster_run },
	{ "cluster-wait", NULL, rds_restore_cluster_wait_run },
	{ "create", rds_restore_create_seen, rds_restore_create_run },
	{ "wait", NULL, wait_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_restore = { restore_plan, restore_steps, restore_result };
