/* snapshot drop NAME [--last] of RDS and Aurora: a manual snapshot is deleted. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ops/dump.h"
#include "ops/kept.h"
#include "ops/rds_make.h"

const char *
rds_snapshot_delete_call(const struct op *op)
{
	return *op->target->cluster ? "DeleteDBClusterSnapshot" : "DeleteDBSnapshot";
}

static bool
read_words(struct op *op, const char **name, struct error *err)
{
	*name = NULL;
	for (int i = 2; i < op->words->n; i++) {
		const char *w = op->words->w[i].text;

		if (strcmp(w, "--last") == 0)
			continue;
		if (*name || *w == '-') {
			error_set(err, ERR_USAGE, "snapshot drop does not know '%s'", w);
			return error_hint(err, "Usage: %s", op->kind->usage);
		}
		*name = w;
	}
	if (*name)
		return true;
	error_set(err, ERR_USAGE, "snapshot drop needs the name of a snapshot");
	return error_hint(err, "`snapshots` lists them.");
}

/* RDS itself looks after all but manual ones. */
static bool
may_go(struct op *op, const struct rds_snapshot *s, struct error *err)
{
	if (strcmp(s->source, op_fact(op, "source")) != 0) {
		error_set(err, ERR_REFUSED, "%s is of %s, not of %s", s->id, s->source,
		    op_fact(op, "source"));
		return error_hint(err, "Give the command for that target.");
	}
	if (strcmp(s->type, "manual") != 0) {
		error_set(
		    err, ERR_REFUSED, "%s is %s: only manual ones are dropped", s->id, s->type);
		return error_hint(err,
		    "Automated ones go when their days are over: `backup retention` shows how many.");
	}
	if (strcmp(s->status, "available") == 0 || strcmp(s->status, "failed") == 0)
		return true;
	error_set(err, ERR_STATE, "the snapshot %s is %s", s->id, s->status);
	return error_hint(err, "Wait until it is available.");
}

static bool
leaves_enough(struct op *op, const struct rds_snapshot *items, int n, const struct rds_snapshot *s,
    const struct kept *k, struct error *err)
{
	bool any = strcmp(s->status, "failed") == 0, verified = false;
	bool takes_verified = kept_verified_since(k, s->id, s->verified, s->created).us != 0;

	for (int i = 0; i < n; i++) {
		if (strcmp(items[i].id, s->id) == 0 || rds_state_of(items[i].status) != RDS_READY)
			continue;
		any = true;
		verified = verified ||
		    kept_verified_since(k, items[i].id, items[i].verified, items[i].created).us;
	}
	return kept_leaves(op, any, verified || !takes_verified, "snapshot", err);
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_snapshot s, *items;
	const char *name;
	char age[32], size[32];
	struct kept k;
	int n;

	if (!read_words(op, &name, err) || !rds_look(op, aws, err))
		return false;
	if (!rds_snapshot_get(op, aws, name, &s, err))
		return err->code == ERR_NOT_FOUND && dump_drop_plan(op, name, err);
	if (!may_go(op, &s, err) ||
	    !rds_snapshot_list(op, aws, op_fact(op, "source"), &items, &n, err) ||
	    !kept_read(op, &k, err))
		return false;
	doc_pair(&op->doc, "goes", ROLE_WARN, "%s  %s, %s old, %s%s", s.id, s.type,
	    fmt_span(age, sizeof(age), (double)(wall_now().us - s.created.us) / 1e6),
	    fmt_bytes(size, sizeof(size), (double)(s.size_gb << 30)),
	    kept_verified_since(&k, s.id, s.verified, s.created).us ? ", VERIFIED" : "");
	if (!leaves_enough(op, items, n, &s, &k, err))
		return false;
	op_identity(op, "goes", "%s %lld", s.id, (long long)s.created.us);
	op_add_step(op, "delete", "high", "delete it", "%s; it cannot be taken back",
	    rds_snapshot_delete_call(op));
	op_add_step(op, "wait", "none", "wait until it is gone", "%s", rds_noun_of(op)->list);
	op->question = arena_printf(&op->arena, "drop %s?", s.id);
	return op_fact_set(op, err, "name", "%s", s.id) &&
	    op_fact_set(op, err, "label", "%s", s.id) &&
	    op_fact_set(op, err, "bytes", "%lld", (long long)s.size_gb << 30) &&
	    op_fact_set(op, err, "created", "%lld", (long long)s.created.us);
}

static bool
drop_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

/* SEEN: it is gone, or going. One of the same name that was made since is another one. */
static enum op_seen
look(struct op *op, struct aws *aws, struct error *err)
{
	struct error why = { 0 };
	struct rds_snapshot s;

	if (!rds_snapshot_get(op, aws, op_fact(op, "name"), &s, &why)) {
		if (why.code == ERR_NOT_FOUND)
			return OP_SEEN;
		*err = why;
		return OP_UNSURE;
	}
	if (strcmp(s.status, "deleting") == 0)
		return OP_SEEN;
	if (s.created.us == op_fact_int(op, "created", 0))
		return OP_NOT_SEEN;
	error_set(err, ERR_CHANGED, "the snapshot %s is another one now", s.id);
	error_hint(err, "It was made after the plan: nothing is deleted.");
	return OP_UNSURE;
}

static enum op_seen
delete_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, look, err);
}

static bool
delete_with(struct op *op, struct aws *aws, struct error *err)
{
	struct aws_param params[] = { { rds_noun_of(op)->id, op_fact(op, "name") },
		{ NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS,
		.op = rds_snapshot_delete_call(op),
		.params = params,
		.changes = true };
	struct aws_answer answer;
	struct error lost = { 0 };
	bool ok = rds_same(op, aws, err);
	enum op_seen seen = ok ? look(op, aws, err) : OP_UNSURE;

	if (seen != OP_NOT_SEEN)
		return seen == OP_SEEN;
	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, &lost);
	/* Sent without an answer, or sent twice: the world tells. */
	for (int i = 0; !ok && (answer.is_uncertain || answer.attempts > 1) && i < 6; i++) {
		seen = look(op, aws, err);
		ok = seen == OP_SEEN;
		if (!ok && !op_wait_ms(op, rds_poll_ms(), err))
			break;
	}
	if (!ok)
		*err = lost;
	aws_answer_release(&answer);
	return ok;
}

static bool
delete_run(struct op *op, struct error *err)
{
	return rds_with(op, delete_with, err);
}

static bool
wait_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_wait_gone(op, aws, &rds_noun_snapshot, op_fact(op, "name"), err);
}

static bool
wait_run(struct op *op, struct error *err)
{
	return rds_with(op, wait_with, err);
}

static const struct op_step_def drop_steps[] = {
	{ "delete", delete_seen, delete_run },
	{ "wait", NULL, wait_run },
	{ "remove", NULL, dump_drop_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_snapshot_drop = { drop_plan, drop_steps, dump_drop_result };
