/*
 * promote REPLICA: a read replica becomes an instance of its own, for good. REPLICA is one of the
 * target's, or the target itself. It restarts, so that its promotion is seen by its source being
 * gone from it, and by its server taking writes.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ops/gates.h"
#include "ops/op_result.h"
#include "ops/rds_ha.h"
#include "ops/rds_make.h"
#include "ops/rds_replica.h"
#include "pg/conninfo.h"

enum {
	MAX_LAG_S = 10,
	LIMIT_MS = 60 * 60000,
	CALM_MS = 60000 /* for a sign, when RDS has answered: "modifying" comes in seconds */
};

/* ------------------------------------------------------------------ the plan */

static void
check_lag(struct gates *g, const struct rds_instance *i)
{
	struct op *op = g->op;
	struct error ignored = { 0 };
	const char *conninfo = *op->target->conninfo && *i->host ?
	    conninfo_at(&op->arena, op->target->conninfo, i->host, i->port, &ignored) :
	    NULL;
	struct rds_sql sql;
	char text[32];

	if (!conninfo || !rds_sql_look(op, conninfo, &sql)) {
		gate_warn(g, "lag", false, "not known: %s cannot be reached by SQL", i->id);
		return;
	}
	fmt_span(text, sizeof(text), sql.lag_s);
	gate_warn(g, "lag", sql.lag_s < MAX_LAG_S, "%s: what is not there yet stays behind", text);
}

static bool
check(struct op *op, const struct rds_instance *i, const char *region, const char *source,
    int retention_days, struct error *err)
{
	struct gates g = { .op = op, .err = err };

	doc_pair(&op->doc, "replica", ROLE_NORMAL, "%s of %s, %s%s%s", i->id, source,
	    i->instance_class, *region ? ", in " : "", region);
	gate(&g, "state", rds_can_change(i->status), "%s", i->status);
	if (*i->replication)
		gate_warn(&g, "replication", strcmp(i->replication, "replicating") == 0, "%s",
		    i->replication);
	check_lag(&g, i);
	op_identity(op, "replica", "%s %s", i->resource_id, i->source);
	return g.red == 0 && op_fact_set(op, err, "name", "%s", i->id) &&
	    op_fact_set(op, err, "region", "%s", region) &&
	    op_fact_set(op, err, "replica_source", "%s", i->source) &&
	    op_fact_set(op, err, "replica_resource", "%s", i->resource_id) &&
	    /* RDS would set it to one day. */
	    op_fact_set(op, err, "retention", "%d",
	        i->retention_days > 0 ? i->retention_days : retention_days);
}

static bool
find(struct op *op, struct aws *aws, const char *name, struct error *err)
{
	struct rds_instance own, replica;
	const char *region = "";

	if (*op->target->cluster) {
		error_set(err, ERR_UNSUPPORTED, "a reader of a cluster cannot stand alone");
		return error_hint(err, "`failover %s` makes it the writer.", name);
	}
	if (!rds_instance_get(op, aws, op_fact(op, "source"), &own, err))
		return false;
	if (strcasecmp(own.id, name) != 0)
		return rds_replica_find(op, aws, &own, name, &region, &replica, err) &&
		    check(op, &replica, region, own.id, own.retention_days, err);
	if (!*own.source) {
		error_set(err, ERR_REFUSED, "%s is no replica", name);
		return error_hint(err, "It is an instance of its own already.");
	}
	return check(op, &own, "", own.source, 1, err);
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *name = op->words->n == 2 ? op->words->w[1].text : NULL;

	if (!name) {
		error_set(err, ERR_USAGE, "promote needs the name of a replica");
		return error_hint(err, "Usage: %s", op->kind->usage);
	}
	if (!rds_look(op, aws, err) || !find(op, aws, name, err))
		return false;
	op_add_step(op, "promote", "high", "promote it",
	    "for good: %s never follows its source again; it restarts; backups kept %s days", name,
	    op_fact(op, "retention"));
	op_add_step(op, "wait", "none", "wait until it stands alone", "%s",
	    "no source, available, takes writes");
	op->question = arena_printf(
	    &op->arena, "promote %s, which cannot be taken back?", op_fact(op, "name"));
	return true;
}

static bool
plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

/* ------------------------------------------------------------------ the run */

/* Has it been taken? A replica that is available, and has its source, has not begun. */
static bool
is_begun(const struct rds_instance *i)
{
	/* Backing up begins by itself. */
	return !*i->source || (!rds_can_change(i->status) && strcmp(i->status, "backing-up") != 0);
}

static enum op_seen
seen_with(struct op *op, struct aws *aws, struct error *err)
{
	int64_t sent = op_fact_int(op, "sent_us", 0);
	struct rds_instance i;

	if (!sent)
		return OP_NOT_SEEN;
	for (;;) {
		if (!rds_instance_get(op, aws, op_fact(op, "name"), &i, err))
			return OP_UNSURE;
		if (is_begun(&i))
			return OP_SEEN;
		if (wall_now().us - sent > (int64_t)rds_sign_ms() * 1000)
			return OP_NOT_SEEN;
		op_progress(op, -1, "may have been sent; looking what became of it");
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return OP_UNSURE;
	}
}

static enum op_seen
promote_seen(struct op *op, struct error *err)
{
	return rds_seen_with_in(op, op_fact(op, "region"), seen_with, err);
}

static bool
is_same(struct op *op, const struct rds_instance *i, struct error *err)
{
	if (strcmp(i->resource_id, op_fact(op, "replica_resource")) == 0 &&
	    strcmp(i->source, op_fact(op, "replica_source")) == 0)
		return true;
	error_set(err, ERR_CHANGED, "%s is another replica than was planned for", i->id);
	return error_hint(err, "Nothing was promoted.");
}

static bool
promote_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *name = op_fact(op, "name");
	struct aws_param params[] = { { "DBInstanceIdentifier", name },
		{ "BackupRetentionPeriod", op_fact(op, "retention") }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "PromoteReadReplica", .params = params, .changes = true
	};
	struct aws_answer answer;
	struct rds_instance i;
	struct error lost = { 0 };
	bool ok;

	if (!rds_instance_get(op, aws, name, &i, err) || !is_same(op, &i, err) ||
	    !op_fact_now(op, err, "sent_us"))
		return false;
	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, &lost);
	if (!ok && answer.is_uncertain) {
		ok = seen_with(op, aws, err) == OP_SEEN;
		if (!ok && !*err->what) {
			*err = lost;
			error_hint(err, "Sent, no answer, and %s is a replica still.", name);
		}
	} else if (!ok) {
		*err = lost;
		if (!op_fact_set(op, &lost, "sent_us", "%s", ""))
			error_hint(err, "And the journal failed: %.150s", lost.what);
	}
	aws_answer_release(&answer);
	return ok;
}

static bool
promote_run(struct op *op, struct error *err)
{
	return rds_with_in(op, op_fact(op, "region"), promote_with, err);
}

/* By its server, where that can be asked. */
static bool
takes_writes(struct op *op, const struct rds_instance *i)
{
	struct error ignored = { 0 };
	const char *conninfo = *op->target->conninfo ?
	    conninfo_at(&op->arena, op->target->conninfo, i->host, i->port, &ignored) :
	    NULL;
	struct rds_sql sql;

	return !conninfo || !rds_sql_look(op, conninfo, &sql) || !sql.is_standby;
}

static bool
wait_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *name = op_fact(op, "name");
	struct mono begin = mono_now();
	struct rds_instance i;
	bool was_taken = false;

	for (;;) {
		int64_t past = mono_since_ms(mono_now(), begin);

		if (!rds_instance_get(op, aws, name, &i, err))
			return error_prefix(err, "while waiting");
		was_taken |= is_begun(&i);
		if (!*i.source && rds_state_of(i.status) == RDS_READY && takes_writes(op, &i))
			break;
		if (rds_state_of(i.status) == RDS_BAD)
			return error_set(err, ERR_STATE, "%s is %s", name, i.status);
		if (!was_taken && past > (rds_sign_ms() < CALM_MS ? rds_sign_ms() : CALM_MS)) {
			error_set(err, ERR_TIMEOUT,
			    "nothing shows that %s is promoted: RDS took the call, then %s, a replica still",
			    name, i.status);
			return error_hint(err,
			    "It may come late: look at its events before you give it again; `job resume %lld` looks once more.",
			    (long long)op->job);
		}
		if (past > LIMIT_MS)
			return error_set(err, ERR_TIMEOUT, "%s is %s and %s", name, i.status,
			    *i.source ? "still a replica" : "does not take writes");
		op_progress(op, -1, "%s%s", i.status, *i.source ? ", still a replica" : "");
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
	return op_fact_set(op, err, "endpoint", "%s:%d", i.host, i.port);
}

static bool
wait_run(struct op *op, struct error *err)
{
	return rds_with_in(op, op_fact(op, "region"), wait_with, err);
}

static bool
result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(op, &first, "primary", op_fact(op, "name"));
	op_result_text(op, &first, "endpoint", op_fact(op, "endpoint"));
	op_result_text(op, &first, "was_replica_of", op_fact(op, "replica_source"));
	return true;
}

static const struct op_step_def steps[] = {
	{ "promote", promote_seen, promote_run },
	{ "wait", NULL, wait_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_promote = { plan, steps, result };
