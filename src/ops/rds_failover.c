/*
 * failover of a Multi-AZ instance (a reboot with failover), failover [MEMBER] of a cluster, and
 * switchover MEMBER of a cluster, which is the same call with a named member. A Multi-AZ instance
 * has no switchover: its standby cannot be asked to take over in order.
 */
#include "config.h"

#include <string.h>

#include "ops/local_pooler.h"
#include "ops/op_result.h"
#include "ops/rds_ha.h"
#include "ops/rds_make.h"

static bool
send_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_ha_send(op, aws, "there", op_fact(op, "member"), err);
}

static enum op_seen
seen_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_ha_seen(op, aws, "there", err);
}

static bool
wait_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_ha_wait(op, aws, "there", op_fact(op, "member"), err);
}

/* Refused, unknown or not over in time: clients must not wait for it. */
static bool
let_go(struct op *op, struct error *err)
{
	struct error more = { 0 };

	if (op_fact(op, "pooler") && !pooler_resume(op, "", &more))
		error_hint(err, "And PgBouncer is still paused: %.150s", more.what);
	return false;
}

static bool
send_run(struct op *op, struct error *err)
{
	return rds_with(op, send_with, err) || let_go(op, err);
}

static enum op_seen
send_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, seen_with, err);
}

static bool
wait_run(struct op *op, struct error *err)
{
	return rds_with(op, wait_with, err) || let_go(op, err);
}

static const struct op_step_def steps[] = {
	{ "pause", NULL, pooler_pause_step },
	{ "failover", send_seen, send_run },
	{ "wait", NULL, wait_run },
	{ "resume", NULL, pooler_resume_step },
	{ NULL, NULL, NULL },
};

/* ------------------------------------------------------------------ plans */

/* [MEMBER] [nopause] */
static bool
read_words(struct op *op, const char **member, bool *nopause, struct error *err)
{
	*member = "";
	*nopause = false;
	for (int i = 1; i < op->words->n; i++) {
		const char *w = op->words->w[i].text;

		if (strcmp(w, "nopause") == 0) {
			*nopause = true;
		} else if (!**member && strcmp(w, "fenced") != 0 && strcmp(w, "rejoin") != 0) {
			*member = w;
		} else {
			error_set(err, ERR_USAGE, "%s does not know '%s'", op->kind->verb, w);
			return error_hint(err, "Of RDS: %s [MEMBER] [nopause].", op->kind->verb);
		}
	}
	return true;
}

static void
add_steps(struct op *op, const char *member, bool has_pooler)
{
	bool is_cluster = rds_ha_is_cluster(op);

	if (has_pooler)
		op_add_step(op, "pause", "medium", "pause PgBouncer",
		    "transactions end first, clients wait");
	op_add_step(op, "failover", "high",
	    is_cluster ? "fail the cluster over" : "reboot with failover", "%s%s%s; %s",
	    is_cluster ? "FailoverDBCluster" : "RebootDBInstance, ForceFailover",
	    *member ? " to " : "", member,
	    is_cluster ? "connections are cut, usually less than 30 s" :
	                 "connections are cut, usually one or two minutes");
	op_add_step(op, "wait", "none", "wait until it has happened", "%s",
	    is_cluster ? "another writer, and the endpoint leads to it" :
	                 "events, zone, and another server behind the endpoint");
	if (has_pooler)
		op_add_step(op, "resume", "low", "resume PgBouncer",
		    "its connections are made anew by the endpoint's name");
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	bool is_switchover = strcmp(op->kind->verb, "switchover") == 0, nopause;
	const char *member;

	if (!read_words(op, &member, &nopause, err) || !rds_ha_gates(op, aws, member, false, err))
		return false;
	if (!rds_ha_is_cluster(op) && (is_switchover || *member)) {
		error_set(err, ERR_UNSUPPORTED,
		    is_switchover ? "RDS has no switchover of a Multi-AZ instance" :
		                    "an instance has no members");
		return error_hint(err,
		    "`failover` reboots it with failover: its standby takes over, nothing that was committed is lost.");
	}
	if (is_switchover && !*member) {
		error_set(err, ERR_USAGE, "which member is to be the writer?");
		return error_hint(err, "Of a cluster: switchover MEMBER [nopause].");
	}
	add_steps(op, member, pooler_is_there(op) && !nopause);
	op->question = *member ?
	    arena_printf(&op->arena, "make %s the writer of %s?", member, rds_ha_name(op)) :
	    arena_printf(&op->arena, "fail over %s?", rds_ha_name(op));
	return true;
}

static bool
plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

static bool
result(struct op *op, struct error *err)
{
	int64_t sent = op_fact_int(op, "there.sent_us", 0),
	        done = op_fact_int(op, "there.done_us", 0);
	bool first = true, is_cluster = rds_ha_is_cluster(op);

	(void)err;
	op_result_text(op, &first, is_cluster ? "cluster" : "instance",
	    op_fact(op, is_cluster ? "cluster" : "instance"));
	op_result_text(op, &first, is_cluster ? "writer_before" : "zone_before",
	    rds_ha_fact(op, "there", "before"));
	op_result_text(op, &first, is_cluster ? "writer_after" : "zone_after",
	    rds_ha_fact(op, "there", "after"));
	op_result_text(op, &first, "event", rds_ha_fact(op, "there", "text"));
	op_result_num(op, &first, "seconds", (double)(done - sent) / 1e6);
	if (op_fact(op, "notes"))
		op_result_text(op, &first, "notes", op_fact(op, "notes"));
	return true;
}

const struct op_impl rds_failover = { plan, steps, result };
