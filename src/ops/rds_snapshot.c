/*
 * snapshot [NAME] of RDS and Aurora, and `snapshots`. What a job makes carries its mark as a tag,
 * so that it is found again by name and known by the mark, and never made twice.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/json.h"
#include "ops/dump.h"
#include "ops/kept.h"
#include "ops/op_result.h"
#include "ops/rds_make.h"

enum { NAME_MAX_LEN = 255, LIST_MAX = 500 };

static const char *
usual_name(struct op *op, const char *source)
{
	char at[40];
	struct wall now = wall_now();
	int ms = (int)(now.us / 1000 % 1000);
	const char *s = wall_rfc3339((struct wall){ now.us / 1000000 * 1000000 }, at, sizeof(at));

	/* Two may be begun within a second. */
	return arena_printf(&op->arena, "pgmedic-%s-%.4s%.2s%.2s-%.2s%.2s%.2s-%03d", source, s,
	    s + 5, s + 8, s + 11, s + 14, s + 17, ms);
}

static bool
read_words(struct op *op, const char **name, const char **policy, struct error *err)
{
	*name = *policy = NULL;
	for (int i = 1; i < op->words->n; i++) {
		const char *w = op->words->w[i].text;

		if (!*policy && retention_class_of(w) != RETENTION_OTHER) {
			*policy = w;
		} else if (!*name) {
			*name = w;
		} else {
			error_set(err, ERR_USAGE, "'%s' is too much", w);
			return error_hint(err, "Of RDS: snapshot [NAME] [daily|weekly|monthly].");
		}
	}
	return true;
}

/* Of a Multi-AZ instance the standby is copied, of a cluster its storage. */
static bool
pauses(struct op *op, struct aws *aws)
{
	struct rds_instance i;
	struct error ignored = { 0 };

	return !*op->target->cluster &&
	    rds_instance_get(op, aws, op_fact(op, "source"), &i, &ignored) && !i.is_multi_az;
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *name, *policy, *source;

	if (!read_words(op, &name, &policy, err))
		return false;
	if (!rds_look(op, aws, err) || !rds_has_backups(op, aws, err))
		return false;
	source = op_fact(op, "source");
	if (name &&
	    (!rds_name_ok(name, NAME_MAX_LEN, err) ||
	        !rds_must_be_new(op, aws, &rds_noun_snapshot, name, err)))
		return false;
	if (rds_state_of(op_fact(op, "source_status")) != RDS_READY) {
		error_set(err, ERR_STATE, "%s is %s: no snapshot can be made", source,
		    op_fact(op, "source_status"));
		return error_hint(err, "Wait until it is available.");
	}
	doc_pair(&op->doc, "snapshot", ROLE_NORMAL, "%s of %s",
	    name ? name : "named by the time it is made", source);
	op_add_step(op, "create", "low", "make the snapshot", "%s%s", rds_noun_of(op)->create,
	    pauses(op, aws) ? "; a single-AZ instance pauses its I/O for a moment" : "");
	op_add_step(op, "wait", "none", "wait until it is available", "%s",
	    "looks every 5 s; no longer than 6 h");
	op->question = arena_printf(&op->arena, "make a snapshot of %s?", source);
	return rds_mark_set(op, err) &&
	    op_fact_set(op, err, "policy", "%s", policy ? policy : "") &&
	    op_fact_set(op, err, "name", "%s", name ? name : usual_name(op, source));
}

static bool
snapshot_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

static enum op_seen
create_look(struct op *op, struct aws *aws, struct error *err)
{
	return rds_look_for(op, aws, &rds_noun_snapshot, op_fact(op, "name"), err);
}

static enum op_seen
create_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, create_look, err);
}

static bool
create_with(struct op *op, struct aws *aws, struct error *err)
{
	const struct rds_noun *noun = rds_noun_of(op);
	const char *name = op_fact(op, "name"), *policy = op_fact(op, "policy");
	bool has_policy = policy && *policy;
	struct aws_param params[] = { { noun->id, name }, { noun->source, op_fact(op, "source") },
		{ "Tags.Tag.1.Key", RDS_MARK }, { "Tags.Tag.1.Value", op_fact(op, "mark") },
		{ "Tags.Tag.2.Key", has_policy ? RDS_POLICY : NULL },
		{ "Tags.Tag.2.Value", has_policy ? policy : NULL }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = noun->create, .params = params, .changes = true
	};

	int64_t id;

	return rds_same(op, aws, err) &&
	    op_fact_set(op, err, "started_at", "%lld", (long long)wall_now().us) &&
	    rds_snapshot_leave(op, name, "", &id, err) &&
	    rds_make(op, aws, &rds_noun_snapshot, name, &call, id, err);
}

static bool
create_run(struct op *op, struct error *err)
{
	return rds_with(op, create_with, err);
}

bool
rds_snapshot_wait(struct op *op, struct aws *aws, struct error *err)
{
	const char *name = op_fact(op, "name");
	struct rds_snapshot s;

	return rds_wait_ready(op, aws, &rds_noun_snapshot, name,
	           "It is no backup; see the events of RDS.", err) &&
	    rds_snapshot_get(op, aws, name, &s, err) &&
	    op_fact_set(op, err, "kind", "%s", *s.type ? s.type : "manual") &&
	    op_fact_set(op, err, "label", "%s", s.id) &&
	    op_fact_set(op, err, "size_bytes", "%lld", (long long)s.size_gb << 30) &&
	    op_fact_set(op, err, "created_at", "%lld", (long long)s.created.us) &&
	    op_fact_set(op, err, "finished_at", "%lld", (long long)wall_now().us) &&
	    op_settle_kind(op, "rds_snapshot", err);
}

static bool
wait_run(struct op *op, struct error *err)
{
	return rds_with(op, rds_snapshot_wait, err);
}

static const struct op_step_def snapshot_steps[] = {
	{ "create", create_seen, create_run },
	{ "wait", NULL, wait_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_snapshot = { snapshot_plan, snapshot_steps, op_result_snapshot };

/* ------------------------------------------------------------------ snapshots */

static void
list_line(struct op *op, const struct kept *k, const struct rds_snapshot *s,
    const struct retention_item *item)
{
	struct wall verified = kept_verified_since(k, s->id, s->verified, s->created);
	char age[32], size[32], at[40];

	fmt_bytes(size, sizeof(size), (double)(s->size_gb << 30));
	if (s->created.us)
		fmt_span(age, sizeof(age), (double)(wall_now().us - s->created.us) / 1e6);
	else
		snprintf(age, sizeof(age), "now");
	doc_pair(&op->doc, age, ROLE_NORMAL, "%s  %s  %s  %s%s%s%s%.10s%s", s->id, s->type, size,
	    s->status, *s->policy ? ", " : "", s->policy, verified.us ? ", verified " : "",
	    verified.us ? wall_rfc3339(verified, at, sizeof(at)) : "", kept_expires(op, item));
}

static bool
list_judged(struct op *op, struct aws *aws, struct rds_snapshot **items,
    struct retention_item **judged, int *n, struct kept *k, struct error *err)
{
	int days;

	if (!rds_snapshot_list(op, aws, op_fact(op, "source"), items, n, err) ||
	    !rds_retention_days(op, aws, &days, err) || !kept_read(op, k, err))
		return false;
	*judged = kept_rds(op, k, *items, *n, days);
	return true;
}

static bool
list_with(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_snapshot *items;
	struct retention_item *judged;
	struct kept k;
	int n;

	if (op->words->n > 1)
		return error_set(err, ERR_USAGE, "'%s' is too much", op->words->w[1].text);
	if (!rds_look(op, aws, err) || !list_judged(op, aws, &items, &judged, &n, &k, err))
		return false;
	for (int i = n > LIST_MAX ? n - LIST_MAX : 0; i < n; i++)
		list_line(op, &k, &items[i], &judged[i]);
	dump_list_doc(op);
	if (!n)
		doc_add(&op->doc, ROLE_NORMAL, "%s has no snapshots", op_fact(op, "source"));
	op_add_step(op, "list", "none", "list the snapshots", "%s", "only looks");
	return true;
}

static bool
snapshots_plan(struct op *op, struct error *err)
{
	return rds_with(op, list_with, err);
}

static bool
list_run(struct op *op, struct error *err)
{
	return rds_with(op, rds_same, err);
}

static bool
snapshots_result(struct op *op, struct error *err)
{
	struct aws *aws = rds_open(op, err);
	struct rds_snapshot *items = NULL;
	struct retention_item *judged = NULL;
	struct kept k;
	int n = 0;
	bool first = true, ok = aws && list_judged(op, aws, &items, &judged, &n, &k, err);

	json_key(&op->result, &first, "snapshots");
	strbuf_addc(&op->result, '[');
	for (int i = n > LIST_MAX ? n - LIST_MAX : 0; ok && i < n; i++) {
		bool member = true;

		strbuf_adds(&op->result, op->result.buf[op->result.len - 1] == '[' ? "{" : ",{");
		op_result_text(op, &member, "snapshot", items[i].id);
		op_result_text(op, &member, "kind", items[i].type);
		op_result_text(op, &member, "state", items[i].status);
		op_result_int(op, &member, "size_bytes", items[i].size_gb << 30);
		op_result_time(op, &member, "finished_at", items[i].created);
		op_result_text(op, &member, "policy", *items[i].policy ? items[i].policy : NULL);
		op_result_time(op, &member, "verified_at",
		    kept_verified_since(&k, items[i].id, items[i].verified, items[i].created));
		op_result_time(op, &member, "expires_at", judged[i].expires);
		strbuf_addc(&op->result, '}');
	}
	if (ok)
		dump_list_result(op, op->result.buf[op->result.len - 1] == '[');
	strbuf_addc(&op->result, ']');
	aws_close(aws);
	return ok;
}

static const struct op_step_def snapshots_steps[] = {
	{ "list", NULL, list_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_snapshots = { snapshots_plan, snapshots_steps, snapshots_result };
