/*
 * verify [SNAPSHOT|latest] of RDS and Aurora: a snapshot counts as good only once it has been
 * restored and read. The scratch is an instance beside the source (for Aurora a cluster with one),
 * a leftover from before it is asked for until it is gone again.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "ops/check.h"
#include "ops/gates.h"
#include "ops/rds_restore.h"
#include "ops/rds_verify_look.h"
#include "pg/conninfo.h"

/* ------------------------------------------------------------------ the plan */

static bool
find(struct op *op, struct aws *aws, struct rds_snapshot *out, struct error *err)
{
	const char *name = op->words->n > 1 ? op->words->w[1].text : "latest";

	if (op->words->n > 2) {
		error_set(err, ERR_USAGE, "verify does not understand '%s'", op->words->w[2].text);
		return error_hint(err, "Usage: %s", op->kind->usage);
	}
	return strcmp(name, "latest") == 0 ? rds_snapshot_latest(op, aws, out, err) :
	                                     rds_snapshot_get(op, aws, name, out, err);
}

/* "verify-rds-lab-2026-11-21-03-04": as RDS allows it, and the same in each plan. */
static const char *
scratch_name(struct op *op, const char *id)
{
	char *name = arena_printf(&op->arena, "verify-%.54s", id), *to = name;

	for (const char *from = name; *from; from++) {
		bool is_plain =
		    (*from >= '0' && *from <= '9') || ((*from | 32) >= 'a' && (*from | 32) <= 'z');

		if (is_plain)
			*to++ = *from;
		else if (to[-1] != '-')
			*to++ = '-';
	}
	while (to[-1] == '-')
		to--;
	*to = '\0';
	return name;
}

/*
 * What is restored is read as the source is. Where that cannot be, there is still to be learnt
 * whether RDS restores it, and how long that takes; it does not count as verified, which is said
 * before it is paid for.
 */
static void
check_connection(struct op *op, struct error *err)
{
	const char *conninfo = op->target->conninfo;
	struct gates g = { .op = op, .err = err };
	struct error why = { 0 };
	struct pg_sync *pg;
	bool answers;

	if (!*conninfo || conninfo_is_none(conninfo)) {
		gate_warn(&g, "connection", false,
		    "[target %s] has no conninfo: what is restored cannot be read, and does not count as verified",
		    op->target->name);
		return;
	}
	pg = pg_sync_open(conninfo, op->target->password, &why);
	pg_sync_close(pg);
	/* With an SQLSTATE it is the server that says no: it has no more slots, it starts up. */
	answers = pg || (*why.sqlstate && why.code != ERR_AUTH);
	gate_warn(&g, "connection", answers, "%s%s",
	    answers ?
	        "the source answers from here" :
	        "the source does not answer from here; if its copy does not, it does not count as verified (`diagnose connect` walks the way): ",
	    answers ? "" : why.what);
}

/* What would be lost with the instance now, in seconds: since the last moment that RDS can go back
 * to; without automated backups, since the snapshot. */
static bool
keep_rpo(struct op *op, struct aws *aws, const struct rds_snapshot *s, struct error *err)
{
	struct wall safe = s->created;
	double lost;

	if (*op->target->cluster) {
		struct rds_cluster c;

		if (!rds_cluster_get(op, aws, op_fact(op, "source"), &c, err))
			return false;
		safe = c.latest_restorable.us > safe.us ? c.latest_restorable : safe;
	} else {
		struct rds_instance i;

		if (!rds_instance_get(op, aws, op_fact(op, "source"), &i, err))
			return false;
		if (i.retention_days && i.latest_restorable.us > safe.us)
			safe = i.latest_restorable;
	}
	lost = (double)(wall_now().us - safe.us) / 1e6;
	return op_fact_set(op, err, "rpo_s", "%.3f", lost > 0 ? lost : 0);
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *path = op->target->critical_queries;
	struct rds_snapshot s;
	const char *name;

	if (!rds_look(op, aws, err) || !rds_has_backups(op, aws, err) || !find(op, aws, &s, err))
		return false;
	if (strcmp(s.source, op_fact(op, "source")) != 0) {
		error_set(err, ERR_REFUSED, "%s is of %s, not of %s", s.id, s.source,
		    op_fact(op, "source"));
		return error_hint(err, "Give the command for that target.");
	}
	name = scratch_name(op, s.id);
	if (!rds_restore_plan_new(op, aws, s.id, NULL, name, err) || !keep_rpo(op, aws, &s, err))
		return false;
	check_connection(op, err);
	op_add_step(op, "connect", "none", "connect to it", "%s",
	    "as the target is connected to, at its own endpoint");
	op_add_step(op, "check", "low", "look into it", "%s",
	    path && *path ? "pg_amcheck, rows of the source from before it, critical queries" :
	                    "pg_amcheck, rows of the source from before it");
	op_add_step(op, "clean", "low", "delete it", "%s",
	    "DeleteDBInstance of the scratch, without a last snapshot");
	op_add_step(op, "mark", "none", "write the verdict down", "%s",
	    "in the journal, and as a tag of the snapshot");
	op->question = arena_printf(&op->arena, "verify %s?", s.id);
	return check_set(op, err, "backup", true, "%s, %s, %lld GiB", s.status, s.type,
	           (long long)s.size_gb) &&
	    op_fact_set(op, err, "label", "%s", s.id) && op_fact_set(op, err, "arn", "%s", s.arn);
}

static bool
verify_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

/* ------------------------------------------------------------------ the scratch */

static bool
is_broken(struct op *op)
{
	return !check_passed(op, "restore") || !check_passed(op, "connect");
}

static bool
begin(struct op *op, struct error *err)
{
	return op_fact(op, "begun_us") ||
	    (op_fact_set(op, err, "begun_us", "%lld", (long long)wall_now().us) &&
	        op_fact_set(op, err, "begun_pid", "%d", (int)getpid()));
}

/* It was made, and RDS has given it up: that is a verdict. All else is not. */
static bool
verdict(struct op *op, const struct rds_noun_def *noun, const char *fact, struct error *err)
{
	struct aws *aws = rds_open(op, err);
	struct error ignored = { 0 };
	struct rds_found f;
	bool is_bad = aws && noun->get(op, aws, op_fact(op, fact), &f, &ignored) &&
	    f.state == RDS_BAD && strcmp(f.status, "deleting") != 0;

	aws_close(aws);
	return is_bad &&
	    check_set(op, err, "restore", false, "the restored %s is %s", noun->noun, f.status);
}

static bool
cluster_run(struct op *op, struct error *err)
{
	return begin(op, err) && rds_restore_cluster_run(op, err);
}

static bool
cluster_wait_run(struct op *op, struct error *err)
{
	return rds_restore_cluster_wait_run(op, err) ||
	    verdict(op, &rds_noun_cluster, "new_cluster", err);
}

static bool
create_run(struct op *op, struct error *err)
{
	return is_broken(op) || (begin(op, err) && rds_restore_create_run(op, err));
}

static enum op_seen
create_seen(struct op *op, struct error *err)
{
	return is_broken(op) ? OP_SEEN : rds_restore_create_seen(op, err);
}

static bool
wait_with(struct op *op, struct aws *aws, struct error *err)
{
	double s = (double)(wall_now().us - op_fact_int(op, "begun_us", 0)) / 1e6;
	struct rds_instance i;
	char took[32];

	if (is_broken(op))
		return true;
	if (!rds_restore_wait(op, aws, &i, err))
		return verdict(op, &rds_noun_instance, "name", err);
	s = (double)(wall_now().us - op_fact_int(op, "begun_us", 0)) / 1e6;
	return op_fact_set(op, err, "endpoint.host", "%s", i.host) &&
	    op_fact_set(op, err, "endpoint.port", "%d", i.port) &&
	    check_set(
	        op, err, "restore", true, "available after %s", fmt_span(took, sizeof(took), s));
}

static bool
wait_run(struct op *op, struct error *err)
{
	return rds_with(op, wait_with, err);
}

static bool
connect_run(struct op *op, struct error *err)
{
	return is_broken(op) || rds_verify_connect(op, err);
}

static bool
check_run(struct op *op, struct error *err)
{
	struct client_at at;

	if (is_broken(op))
		return true;
	/* Rows first: the others use transactions. */
	return rds_verify_at(op, &at, err) && rds_verify_rows(op, &at, err) &&
	    check_amcheck(op, &at, err) && check_queries(op, &at, err) &&
	    rds_verify_pages(op, &at, err);
}

/* ------------------------------------------------------------------ the end */

/* Delete what is left of one kind, and wait until it is gone: what is going is billed, too, and
 * its name is taken. */
static bool
remove_kind(struct op *op, struct aws *aws, const char *kind, const struct rds_noun_def *noun,
    const char *name, bool (*undo)(struct op *, const struct job_leftover *, struct error *),
    struct error *err)
{
	struct job_leftover *left;
	int n;

	if (!name)
		return true;
	if (!jobs_leftovers(op->journal, op->job, &op->arena, &left, &n, err))
		return false;
	for (int i = 0; i < n; i++)
		if (strcmp(left[i].kind, kind) == 0 && !undo(op, &left[i], err))
			return false;
	return rds_wait_gone(op, aws, noun, name, err) && op_settle_kind(op, kind, err);
}

static bool
clean_with(struct op *op, struct aws *aws, struct error *err)
{
	return remove_kind(op, aws, "rds_instance", &rds_noun_instance, op_fact(op, "name"),
	           rds_instance_undo, err) &&
	    remove_kind(op, aws, "rds_cluster", &rds_noun_cluster, op_fact(op, "new_cluster"),
	        rds_cluster_undo, err);
}

static bool
clean_run(struct op *op, struct error *err)
{
	return rds_with(op, clean_with, err);
}

/* Without the right to, the journal still knows. */
static bool
tag_with(struct op *op, struct aws *aws, struct error *err)
{
	struct aws_param params[] = { { "ResourceName", op_fact(op, "arn") },
		{ "Tags.Tag.1.Key", RDS_VERIFIED }, { "Tags.Tag.1.Value", check_mark(op) },
		{ NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "AddTagsToResource", .params = params, .changes = true
	};
	struct aws_answer answer;
	struct error why = { 0 };
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, &why) ||
	    check_note(op, err, "the snapshot's tag: %s", why.what);
	aws_answer_release(&answer);
	return ok;
}

static bool
mark_run(struct op *op, struct error *err)
{
	struct job_verified v;

	/* What was not read takes no earlier verdict away: a password, a route or room may be
	 * missing. */
	if (!check_passed(op, "connect"))
		return true;
	return rds_with(op, tag_with, err) && check_keep(op, op_fact(op, "label"), &v, err);
}

static const struct op_step_def verify_steps[] = {
	{ "cluster", rds_restore_cluster_seen, cluster_run },
	{ "cluster-wait", NULL, cluster_wait_run },
	{ "create", create_seen, create_run },
	{ "wait", NULL, wait_run },
	{ "connect", NULL, connect_run },
	{ "check", NULL, check_run },
	{ "clean", NULL, clean_run },
	{ "mark", NULL, mark_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_verify = { verify_plan, verify_steps, check_result };
