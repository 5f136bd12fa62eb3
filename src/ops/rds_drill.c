/*
 * drill failover of RDS: a reboot with failover of a Multi-AZ instance, or a failover of a cluster,
 * while a probe writes by the endpoint's name, and back to the zone or the writer of before. The
 * probe, what is measured, and the report are those of drills on servers of this machine.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "ops/gates.h"
#include "ops/local_drill.h"
#include "ops/local_probe.h"
#include "ops/rds_ha.h"
#include "ops/rds_make.h"

enum { GOAL_INSTANCE_S = 120, GOAL_CLUSTER_S = 60 };

/* ------------------------------------------------------------------ steps */

static bool
table_run(struct op *op, struct error *err)
{
	return drill_table_make(op, op->target, err);
}

/* Zones of an instance are alike; the members of a cluster need not be. */
static bool
leave_writer(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_cluster c;
	const char *writer;
	int64_t id;

	if (!rds_ha_is_cluster(op) || op_fact_int(op, "stays", 0))
		return true;
	if (!rds_cluster_get(op, aws, op_fact(op, "cluster"), &c, err))
		return false;
	writer = rds_writer(&c);
	return !writer ||
	    op_leave(op, "rds_writer",
	        arena_printf(&op->arena, "{\"cluster\":\"%s\",\"member\":\"%s\"}", c.id, writer),
	        &id, err, "the writer of the cluster %s, which was %s", c.id, writer);
}

static bool
send_with(struct op *op, struct aws *aws, struct error *err)
{
	return leave_writer(op, aws, err) && rds_ha_send(op, aws, "there", "", err);
}

static bool
fault_run(struct op *op, struct error *err)
{
	struct rds_sql sql;

	if (!rds_sql_look(op, op->target->conninfo, &sql) || sql.is_standby)
		return error_set(err, ERR_STATE, "%s does not take writes", op->target->name);
	return probe_start(op, err) &&
	    op_fact_set(op, err, "fault_lsn", "%lld", (long long)sql.lsn) &&
	    op_fact_now(op, err, "fault_us") && rds_with(op, send_with, err);
}

static enum op_seen
fault_look(struct op *op, struct aws *aws, struct error *err)
{
	return rds_ha_seen(op, aws, "there", err);
}

static enum op_seen
fault_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, fault_look, err);
}

static bool
wait_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_ha_wait(op, aws, "there", "", err);
}

static bool
wait_run(struct op *op, struct error *err)
{
	return probe_start(op, err) && rds_with(op, wait_with, err) &&
	    op_fact_set(op, err, "promoted_us", "%s", rds_ha_fact(op, "there", "done_us"));
}

static bool
measure_run(struct op *op, struct error *err)
{
	const struct drill_site site = { .target = op->target, .name = op->target->name };
	struct rds_sql sql;

	return probe_start(op, err) && drill_measure_at(op, &site, err) &&
	    (rds_sql_look(op, op->target->conninfo, &sql) ||
	        error_set(err, ERR_CONNECT, "%s cannot be reached", op->target->name)) &&
	    op_fact_set(op, err, "there.timeline_after", "%lld", (long long)sql.timeline);
}

/* ------------------------------------------------------------------ and back */

/* The writer of before; of an instance there is only the other zone. */
static const char *
back_member(struct op *op)
{
	const char *before = rds_ha_fact(op, "there", "before");

	return rds_ha_is_cluster(op) && before ? before : "";
}

static bool
back_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_ha_send(op, aws, "back", back_member(op), err);
}

static bool
back_run(struct op *op, struct error *err)
{
	return probe_start(op, err) && rds_with(op, back_with, err);
}

static enum op_seen
back_look(struct op *op, struct aws *aws, struct error *err)
{
	return rds_ha_seen(op, aws, "back", err);
}

static enum op_seen
back_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, back_look, err);
}

static bool
back_wait_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_ha_wait(op, aws, "back", back_member(op), err);
}

static bool
back_wait_run(struct op *op, struct error *err)
{
	struct error why = { 0 };

	if (!probe_start(op, err))
		return false;
	if (rds_with(op, back_wait_with, &why))
		return op_fact_set(op, err, "restored", "1") &&
		    op_fact_now(op, err, "restored_us") && op_settle_kind(op, "rds_writer", err);
	/* RDS may not want another one so soon: what was measured stands, and is said to be so;
	 * `job undo` goes back. */
	if (why.code == ERR_REFUSED)
		return op_fact_set(op, err, "restored", "0") &&
		    op_fact_set(op, err, "back.text", "%s", why.what);
	*err = why;
	return false;
}

static bool
fail_over_to(struct aws *aws, const char *cluster, const char *member, struct error *err)
{
	struct aws_param params[] = { { "DBClusterIdentifier", cluster },
		{ "TargetDBInstanceIdentifier", member }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "FailoverDBCluster", .params = params, .changes = true
	};
	struct aws_answer answer;
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	/* What had no answer is seen, or not, by the writer. */
	if (!ok && answer.is_uncertain) {
		*err = (struct error){ 0 };
		ok = true;
	}
	aws_answer_release(&answer);
	return ok;
}

/* Sent once, when the cluster is at rest with another writer. */
static bool
writer_back(
    struct op *op, struct aws *aws, const char *cluster, const char *member, struct error *err)
{
	struct mono begin = mono_now();
	bool was_sent = false;
	struct rds_cluster c;

	for (;;) {
		const char *writer;
		bool is_ready;

		if (!rds_cluster_get(op, aws, cluster, &c, err))
			return err->code == ERR_NOT_FOUND;
		writer = rds_writer(&c);
		is_ready = strcmp(c.status, "available") == 0;
		if (is_ready && writer && strcasecmp(writer, member) == 0)
			return true;
		if (is_ready && !was_sent && !fail_over_to(aws, cluster, member, err))
			return false;
		was_sent |= is_ready;
		if (mono_since_ms(mono_now(), begin) > 5 * (int64_t)rds_sign_ms())
			return error_set(err, ERR_TIMEOUT, "the writer of %s is %s still, not %s",
			    cluster, writer ? writer : "none", member);
		op_progress(op, -1, "%s; its writer is %s", c.status, writer ? writer : "none");
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
}

bool
rds_writer_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct json *o = json_parse(left->args, strlen(left->args), err);
	const char *cluster = json_text(json_get(o, "cluster")),
	           *member = json_text(json_get(o, "member"));
	struct aws *aws = cluster && member ? rds_open(op, err) : NULL;
	bool ok = aws && writer_back(op, aws, cluster, member, err);

	aws_close(aws);
	json_free(o);
	return ok;
}

static bool
verify_run(struct op *op, struct error *err)
{
	struct rds_sql sql;

	return (rds_sql_look(op, op->target->conninfo, &sql) && !sql.is_standby) ||
	    error_set(err, ERR_STATE, "%s does not take writes", op->target->name);
}

static const struct op_step_def steps[] = {
	{ "table", NULL, table_run },
	{ "baseline", NULL, drill_baseline_step },
	{ "failover", fault_seen, fault_run },
	{ "wait", NULL, wait_run },
	{ "measure", NULL, measure_run },
	{ "back", back_seen, back_run },
	{ "back-wait", NULL, back_wait_run },
	{ "verify", NULL, verify_run },
	{ "drop", NULL, drill_drop_step },
	{ "report", NULL, drill_report },
	{ NULL, NULL, NULL },
};

/* ------------------------------------------------------------------ the plan */

/* drill failover [--kind multi-az|aurora] [--stay] */
static bool
read_words(struct op *op, const char **kind, bool *stays, struct error *err)
{
	const struct word *w = op->words->w;
	int n = op->words->n;
	bool ok = n >= 2 && strcmp(w[1].text, "failover") == 0;

	*kind = "";
	*stays = false;
	for (int i = 2; i < n && ok; i++) {
		if (strcmp(w[i].text, "--stay") == 0)
			*stays = true;
		else if (strcmp(w[i].text, "--kind") == 0 && i + 1 < n)
			*kind = w[++i].text;
		else
			ok = false;
	}
	if (ok && (!**kind || strcmp(*kind, "multi-az") == 0 || strcmp(*kind, "aurora") == 0))
		return true;
	error_set(err, ERR_USAGE, "drill does not know this of RDS");
	return error_hint(err, "Of RDS: drill failover [--kind multi-az|aurora] [--stay].");
}

/* The probe needs a server that answers, by a name that follows the writer. */
static bool
check_endpoint(struct op *op, struct error *err)
{
	struct gates g = { .op = op, .err = err };
	bool is_there = op_fact_int(op, "started_us", 0) != 0;

	gate(&g, "endpoint", is_there && rds_ha_endpoint_moves(op), "%s",
	    !is_there ?
	        "no server that takes writes answers there: a drill writes" :
	        rds_ha_endpoint_moves(op) ?
	        "leads to who takes writes" :
	        "conninfo names one member, which stays where it is: it has to be the cluster's");
	return g.red == 0;
}

static void
add_steps(struct op *op, bool is_cluster, bool stays)
{
	op_add_step(op, "table", "low", "make a table for the probe", "pgmedic.heartbeat");
	op_add_step(op, "baseline", "none", "measure before", "a write every 100 ms for %d s",
	    DRILL_BASELINE_MS / 1000);
	op_add_step(op, "failover", "high",
	    is_cluster ? "fail the cluster over" : "reboot with failover", "%s",
	    is_cluster ? "FailoverDBCluster" : "RebootDBInstance, ForceFailover");
	op_add_step(op, "wait", "none", "wait until it has happened", "%s",
	    "events, zone or writer, and another server behind the endpoint");
	op_add_step(op, "measure", "none", "measure", "outage and lost rows");
	if (!stays) {
		op_add_step(op, "back", "high", "go back", "%s",
		    is_cluster ? "FailoverDBCluster to the writer of before" :
		                 "the same again, to the zone of before: a second outage");
		op_add_step(op, "back-wait", "none", "wait until it is back", "%s", "");
	}
	op_add_step(op, "verify", "none", "verify", "the endpoint takes writes");
	op_add_step(op, "drop", "low", "drop the table of the probe", "%s", "");
	op_add_step(op, "report", "none", "write the report", "Markdown and JSON");
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *wanted, *kind;
	bool stays, is_cluster;
	int goal;

	if (!read_words(op, &wanted, &stays, err) || !rds_ha_gates(op, aws, "", true, err) ||
	    !check_endpoint(op, err))
		return false;
	is_cluster = rds_ha_is_cluster(op);
	kind = is_cluster ? "aurora" : "multi-az";
	if (*wanted && strcmp(wanted, kind) != 0) {
		error_set(err, ERR_USAGE, "%s is for a drill of kind %s", rds_ha_name(op), kind);
		return error_hint(err, "drill failover --kind %s", kind);
	}
	goal = is_cluster ? GOAL_CLUSTER_S : GOAL_INSTANCE_S;
	doc_pair(&op->doc, "hypothesis", ROLE_NORMAL,
	    "writes are back in less than %d s, no acknowledged row is lost", goal);
	add_steps(op, is_cluster, stays);
	op->question = arena_printf(&op->arena, "drill a failover of %s?", rds_ha_name(op));
	return op_fact_set(op, err, "kind", "%s", kind) &&
	    op_fact_set(op, err, "first", "%s", op->target->name) &&
	    op_fact_set(op, err, "stays", "%d", stays) &&
	    op_fact_set(op, err, "goal_s", "%d", goal);
}

static bool
plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

const struct op_impl rds_drill = { plan, steps, drill_result };
