/*
 * backup retention of RDS and Aurora: how many days automated backups reach back (they are the
 * daily and the continuous ones, 35 days at most), and the manual snapshots whose tag says daily,
 * weekly or monthly. Manual ones without that tag are left alone.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "ops/rds_make.h"
#include "ops/retention.h"

enum { MOST_DAYS = 35 };

bool
rds_retention_days(struct op *op, struct aws *aws, int *days, struct error *err)
{
	struct rds_instance instance;
	struct rds_cluster cluster;

	if (*op->target->cluster) {
		if (!rds_cluster_get(op, aws, op_fact(op, "source"), &cluster, err))
			return false;
		*days = cluster.retention_days;
		return true;
	}
	if (!rds_instance_get(op, aws, op_fact(op, "source"), &instance, err))
		return false;
	*days = instance.retention_days;
	return true;
}

static int
days_wanted(const struct retention *r)
{
	int days = r->continuous > r->daily ? r->continuous : r->daily;

	return days > MOST_DAYS ? MOST_DAYS : days;
}

static void
plan_period(struct op *op, const struct kept *k, int now, int wanted)
{
	if (!k->has_retention || now == wanted)
		return;
	if (k->retention.daily > MOST_DAYS)
		doc_pair(&op->doc, "", ROLE_WARN, "RDS keeps them %d days at most", MOST_DAYS);
	op_add_step(op, "period", now && wanted > now ? "low" : "medium",
	    "change how far automated backups reach back", "%d to %d days%s", now, wanted,
	    now == 0         ? ": the instance may stop for a moment" :
	        wanted < now ? ": older ones go" :
	                       "");
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	struct retention_item *judged;
	struct rds_snapshot *items;
	struct kept k;
	int n, now, wanted;

	if (!retention_words(op, &k, err) || !rds_look(op, aws, err) ||
	    !rds_snapshot_list(op, aws, op_fact(op, "source"), &items, &n, err) ||
	    !rds_retention_days(op, aws, &now, err))
		return false;
	judged = kept_rds(op, &k, items, n, now);
	wanted = k.has_retention ? days_wanted(&k.retention) : now;
	if (!retention_show(op, &k, judged, n, err))
		return false;
	retention_add_set(op);
	doc_pair(&op->doc, "automated backups", now ? ROLE_NORMAL : ROLE_WARN,
	    now ? "reach %d days back" : "are off (%d days)", now);
	if (retention_only_shows(op))
		return true;
	plan_period(op, &k, now, wanted);
	if (retention_ngoes(op)) {
		op_add_step(op, "delete", "high", "delete what is not kept",
		    "%d snapshots; it cannot be taken back", retention_ngoes(op));
		op_add_step(
		    op, "gone", "none", "wait until they are gone", "%s", rds_noun_of(op)->list);
	}
	op->question = arena_printf(
	    &op->arena, "drop %d snapshots of %s?", retention_ngoes(op), op->target->name);
	return op_fact_set(op, err, "days", "%d", wanted) &&
	    op_fact_set(op, err, "planned_us", "%lld", (long long)wall_now().us);
}

static bool
retention_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

static enum op_seen
period_look(struct op *op, struct aws *aws, struct error *err)
{
	int now;

	if (!rds_retention_days(op, aws, &now, err))
		return OP_UNSURE;
	return now == op_fact_int(op, "days", -1) ? OP_SEEN : OP_NOT_SEEN;
}

static enum op_seen
period_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, period_look, err);
}

/* It may be repeated: it says how it is to be, not what is to be changed. */
static bool
period_with(struct op *op, struct aws *aws, struct error *err)
{
	bool is_cluster = *op->target->cluster;
	struct aws_param params[] = { { is_cluster ? "DBClusterIdentifier" : "DBInstanceIdentifier",
		                          op_fact(op, "source") },
		{ "BackupRetentionPeriod", op_fact(op, "days") }, { "ApplyImmediately", "true" },
		{ NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS,
		.op = is_cluster ? "ModifyDBCluster" : "ModifyDBInstance",
		.params = params,
		.changes = true };
	struct mono start = mono_now();
	struct aws_answer answer;
	bool ok = rds_same(op, aws, err);

	aws_answer_init(&answer);
	ok = ok && (aws_do(aws, &call, &answer, err) || answer.is_uncertain);
	aws_answer_release(&answer);
	while (ok) {
		enum op_seen seen = period_look(op, aws, err);

		if (seen != OP_NOT_SEEN)
			return seen == OP_SEEN;
		if (mono_since_ms(mono_now(), start) > RDS_WAIT_MS)
			return error_set(err, ERR_TIMEOUT, "the days of %s are not changed yet",
			    op_fact(op, "source"));
		ok = op_wait_ms(op, rds_poll_ms(), err);
	}
	return false;
}

static bool
period_run(struct op *op, struct error *err)
{
	return rds_with(op, period_with, err);
}

/* Manual, of the plan, and not made anew under its name since. */
static bool
is_to_go(struct op *op, const struct rds_snapshot *s)
{
	return strcmp(s->type, "manual") == 0 && retention_goes(op, s->id) &&
	    s->created.us < op_fact_int(op, "planned_us", 0);
}

static bool
delete_one(struct op *op, struct aws *aws, const struct rds_snapshot *s, struct error *err)
{
	struct aws_param params[] = { { rds_noun_of(op)->id, s->id }, { NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS,
		.op = *op->target->cluster ? "DeleteDBClusterSnapshot" : "DeleteDBSnapshot",
		.params = params,
		.changes = true };
	struct aws_answer answer;
	struct error why = { 0 };
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, &why);
	/* Whether it has gone after all is for the next step to see. */
	if (!ok && !answer.is_uncertain && why.code != ERR_NOT_FOUND)
		*err = why;
	else
		ok = true;
	aws_answer_release(&answer);
	return ok;
}

static bool
delete_with(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_snapshot *items;
	int n;
	bool ok = rds_same(op, aws, err) &&
	    rds_snapshot_list(op, aws, op_fact(op, "source"), &items, &n, err);

	for (int i = 0; ok && i < n; i++) {
		if (!is_to_go(op, &items[i]) || strcmp(items[i].status, "deleting") == 0)
			continue;
		op_progress(op, 100.0 * i / n, "%s", items[i].id);
		ok = !op_stopped(op, err) && delete_one(op, aws, &items[i], err);
	}
	return ok;
}

static bool
delete_run(struct op *op, struct error *err)
{
	return rds_with(op, delete_with, err);
}

static bool
gone_with(struct op *op, struct aws *aws, struct error *err)
{
	struct mono start = mono_now();
	struct rds_snapshot *items;
	const char *left;
	int n;

	do {
		if (!rds_snapshot_list(op, aws, op_fact(op, "source"), &items, &n, err))
			return false;
		left = NULL;
		for (int i = 0; i < n; i++)
			if (is_to_go(op, &items[i]))
				left = items[i].id;
		if (!left)
			return true;
		op_progress(op, -1, "%s", left);
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	} while (mono_since_ms(mono_now(), start) < RDS_WAIT_MS);
	return error_set(err, ERR_TIMEOUT, "the snapshot %s is still there", left);
}

static bool
gone_run(struct op *op, struct error *err)
{
	return rds_with(op, gone_with, err);
}

static const struct op_step_def retention_steps[] = {
	{ "show", NULL, retention_show_run },
	{ "set", NULL, retention_set_run },
	{ "period", period_seen, period_run },
	{ "delete", NULL, delete_run },
	{ "gone", NULL, gone_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_retention = { retention_plan, retention_steps, retention_result };
