/*
 * set PARAM VALUE|DEFAULT on RDS: the parameter group of the instance or cluster. It belongs to all
 * that have it, so that the plan names them. Groups called default.* cannot be changed, and none is
 * made on the way: another group takes a reboot. Values are numbers in the parameter's unit there;
 * the unit is known from the server, or else from the description, which begins with it: "(kB) Sets
 * the …".
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ops/op_result.h"
#include "ops/op_server.h"
#include "ops/rds_group.h"
#include "ops/set.h"

enum { APPLY_MS = 180000, MAX_NAMES = 1024, LOOKS = 12 };

/* What the server says, where it can be reached. */
struct live {
	bool is_known;
	struct set_looked l;
};

static void
look_live(struct op *op, const char *name, struct live *live)
{
	struct error why = { 0 };
	struct pg_sync *pg = *op->target->conninfo ? op_connect(op, op->target, &why) : NULL;

	live->is_known = pg && set_look(op, pg, name, NULL, NULL, &live->l, &why);
	pg_sync_close(pg);
}

/* What is known of it from the group alone. */
static void
from_group(struct op *op, const struct rds_parameter *p, struct parameter *out)
{
	const char *end = *p->about == '(' ? strchr(p->about, ')') : NULL;
	bool is_number = strcmp(p->data_type, "integer") == 0 || strcmp(p->data_type, "float") == 0;

	*out = (struct parameter){ .name = p->name,
		.vartype = strcmp(p->data_type, "boolean") == 0 ? "bool" :
		    strcmp(p->data_type, "integer") == 0        ? "integer" :
		    is_number                                   ? "real" :
		                                                  "string",
		.unit = is_number && end && end - p->about < 8 ?
		    arena_strndup(&op->arena, p->about + 1, (size_t)(end - p->about - 1)) :
		    "",
		.context = strcmp(p->apply_type, "static") == 0 ? "postmaster" : "user",
		.min = "",
		.max = "",
		.enums = "" };
}

/* As the group wants it: numbers without a unit, truth as 1 and 0. NULL with *err: no value. */
static const char *
group_value(struct op *op, const struct parameter *p, const struct rds_parameter *in_group,
    const char *value, struct error *err)
{
	bool is_formula = strchr(value, '{') || strchr(value, '(');
	double n;

	if (is_formula)
		return value;
	if (strcmp(p->vartype, "enum") != 0 && strcmp(p->vartype, "string") != 0 &&
	    !parameter_check(p, value, err))
		return NULL;
	if ((strcmp(p->vartype, "integer") == 0 || strcmp(p->vartype, "real") == 0) &&
	    parameter_number(p, value, &n))
		value = arena_printf(&op->arena, "%.15g", n);
	if (strcmp(p->vartype, "bool") == 0)
		value = parameter_same(p, value, "on") ? "1" : "0";
	if (rds_allowed(in_group->allowed, value))
		return value;
	error_set(err, ERR_USAGE, "%s cannot be %s", p->name, value);
	error_hint(err, "Allowed: %.200s.", in_group->allowed);
	return NULL;
}

/* ------------------------------------------------------------------ plan */

static bool
must_be_own(struct op *op, struct aws *aws, const struct rds_group *g, struct error *err)
{
	struct rds_instance i;
	struct rds_cluster c;
	const char *family = "FAMILY";

	if (strncmp(g->name, "default.", 8) != 0)
		return true;
	if (*op->target->cluster && rds_cluster_get(op, aws, op_fact(op, "source"), &c, err))
		family = arena_printf(
		    &op->arena, "%s%.*s", c.engine, (int)strcspn(c.version, "."), c.version);
	if (!*op->target->cluster && rds_instance_get(op, aws, op_fact(op, "source"), &i, err))
		family = arena_printf(
		    &op->arena, "%s%.*s", i.engine, (int)strcspn(i.version, "."), i.version);
	error_set(
	    err, ERR_REFUSED, "the parameter group %s is AWS's own and cannot be changed", g->name);
	return error_hint(err,
	    "Make one: aws rds create-db%s-parameter-group --db%s-parameter-group-name NAME --db-parameter-group-family %s "
	    "--description NAME; then modify-db-%s to use it, and a reboot.",
	    *op->target->cluster ? "-cluster" : "", *op->target->cluster ? "-cluster" : "", family,
	    *op->target->cluster ? "cluster" : "instance");
}

static bool
must_be_there(struct op *op, const struct rds_group *g, const struct rds_parameter *p,
    const struct live *live, struct error *err)
{
	if (p->is_there && !p->is_modifiable) {
		error_set(err, ERR_REFUSED, "%s cannot be changed on RDS", p->name);
		return error_hint(err, "AWS keeps it for itself (IsModifiable is false).");
	}
	if (p->is_there)
		return true;
	if (p->is_whole) {
		error_set(err, ERR_NOT_FOUND, "%s has no parameter %s", g->name, p->name);
		return error_hint(err, "aws rds describe-db-parameters lists them.");
	}
	doc_pair(&op->doc, "not checked", ROLE_WARN, "%s",
	    live->is_known ? "the group does not list its defaults: by the server only" :
	                     "the group does not list its defaults, and the server is not reached");
	return true;
}

static const char *
names_of(struct op *op, const struct rds_group *g)
{
	struct strbuf sb = STRBUF_INIT(MAX_NAMES);
	const char *text;

	for (int i = 0; i < g->nusers; i++)
		strbuf_addf(&sb, "%s%s", i ? ", " : "", g->users[i]);
	text = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}

static void
describe(struct op *op, const struct rds_group *g, const struct rds_parameter *p,
    const struct parameter *type, const struct live *live, const char *value, bool is_static)
{
	char buf[64], then[64];
	const char *now = live->is_known ? live->l.setting : p->value, *risk;

	doc_pair(&op->doc, "parameter", ROLE_NORMAL, "%s%s%s", p->name, *p->about ? ": " : "",
	    *p->about          ? p->about :
	        live->is_known ? live->l.about :
	                         "");
	doc_pair(&op->doc, "group", ROLE_NORMAL, "%s", g->name);
	if (g->nusers)
		doc_pair(&op->doc, "WARNING", ROLE_WARN,
		    "it changes for all that have this group: %s, too", names_of(op, g));
	doc_pair(&op->doc, "now", ROLE_NORMAL, "%s (in the group %s)",
	    *now ? parameter_show(type, now, buf, sizeof(buf)) : "unknown",
	    *p->value ? p->value : "not set");
	doc_pair(&op->doc, "then", ROLE_NORMAL, "%s",
	    value ? parameter_show(type, value, then, sizeof(then)) : "the engine's default");
	doc_pair(&op->doc, "takes effect", ROLE_NORMAL, "%s",
	    is_static ? "only when the instance is rebooted, which this does not do" :
	                "within minutes, without a reboot");
	if (live->is_known && *live->l.overrides)
		doc_pair(
		    &op->doc, "not for", ROLE_WARN, "%s: they have their own", live->l.overrides);
	risk = set_warn(op, type, now, value ? value : "", is_static ? "medium" : "low");
	op_add_step(op, "modify", risk, "change the group", "%s of %s, %s",
	    value ? g->noun->modify : g->noun->reset, g->name,
	    is_static ? "pending-reboot" : "immediate");
	op_add_step(op, "apply", "none", "wait until it is applied", "%s",
	    live->is_known ? "by ParameterApplyStatus, and by pg_settings" :
	                     "by ParameterApplyStatus");
	doc_pair(&op->doc, "undo", ROLE_NORMAL, "job undo: %s",
	    strcmp(p->source, "user") == 0 ? p->value : "the engine's default");
}

static bool
keep(struct op *op, const struct rds_group *g, const struct rds_parameter *p, const char *value,
    const char *now, bool is_static, struct error *err)
{
	return op_fact_set(op, err, "group", "%s", g->name) &&
	    op_fact_set(op, err, "name", "%s", p->name) &&
	    op_fact_set(op, err, "value", "%s", value ? value : "") &&
	    op_fact_set(op, err, "is_default", "%d", value == NULL) &&
	    op_fact_set(op, err, "is_static", "%d", is_static) &&
	    op_fact_set(op, err, "from", "%s", now) &&
	    op_fact_set(op, err, "back", "%s", strcmp(p->source, "user") == 0 ? p->value : "") &&
	    op_fact_set(op, err, "users", "%s", names_of(op, g));
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *name, *value, *now;
	struct rds_group g;
	struct rds_parameter p;
	struct parameter type;
	struct live live;
	char buf[64];
	bool is_static;

	if (!set_words(op, &name, &value, err) || !rds_look(op, aws, err) ||
	    !rds_group_of(op, aws, &g, err) || !must_be_own(op, aws, &g, err) ||
	    !rds_parameter_get(op, aws, &g, name, &p, err))
		return false;
	look_live(op, name, &live);
	if (!must_be_there(op, &g, &p, &live, err) || !rds_group_users(op, aws, &g, err))
		return false;
	from_group(op, &p, &type);
	if (live.is_known)
		type = live.l.p;
	is_static = strcmp(p.apply_type, "static") == 0 ||
	    (!*p.apply_type && (!live.is_known || strcmp(type.context, "postmaster") == 0));
	if (value && !(value = group_value(op, &type, &p, value, err)))
		return false;
	if (value ? strcmp(value, p.value) == 0 && strcmp(p.source, "user") == 0 :
	            p.is_whole && strcmp(p.source, "user") != 0) {
		error_set(err, ERR_REFUSED, "%s is that already in %s", name, g.name);
		return error_hint(err, "There is nothing to do.");
	}
	describe(op, &g, &p, &type, &live, value, is_static);
	op_identity(op, "group", "%s %s=%s", g.name, p.name, p.value);
	op->question =
	    arena_printf(&op->arena, "set %s to %s in %s%s?", p.name, value ? value : "its default",
	        g.name, g.nusers ? arena_printf(&op->arena, ", for %d more too", g.nusers) : "");
	now = live.is_known ? live.l.setting : p.value;
	return keep(
	    op, &g, &p, value, parameter_show(&type, now, buf, sizeof(buf)), is_static, err);
}

static bool
set_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

/* ------------------------------------------------------------------ run */

/* In the group as it is wanted? value "": the default. */
static bool
is_in_group(struct op *op, struct aws *aws, const char *value, bool *is, struct error *err)
{
	struct rds_group g;
	struct rds_parameter p;

	if (!rds_group_of(op, aws, &g, err))
		return false;
	g.name = op_fact(op, "group");
	if (!rds_parameter_get(op, aws, &g, op_fact(op, "name"), &p, err))
		return false;
	*is = *value ? strcmp(p.value, value) == 0 : strcmp(p.source, "user") != 0;
	return true;
}

static enum op_seen
modify_seen_with(struct op *op, struct aws *aws, struct error *err)
{
	bool is;

	if (!is_in_group(op, aws, op_fact(op, "value"), &is, err))
		return OP_UNSURE;
	return is ? OP_SEEN : OP_NOT_SEEN;
}

static enum op_seen
modify_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, modify_seen_with, err);
}

/* value "": back to the default. */
static bool
send(struct op *op, struct aws *aws, const char *value, struct error *err)
{
	struct rds_group g;
	struct aws_answer answer;
	bool ok, is = false, is_static = op_fact_int(op, "is_static", 0) != 0;

	if (!rds_group_of(op, aws, &g, err))
		return false;
	struct aws_param params[] = { { g.noun->group, op_fact(op, "group") },
		{ "ResetAllParameters", *value ? NULL : "false" },
		{ "Parameters.Parameter.1.ParameterName", op_fact(op, "name") },
		{ "Parameters.Parameter.1.ParameterValue", *value ? value : NULL },
		{ "Parameters.Parameter.1.ApplyMethod",
		    is_static ? "pending-reboot" : "immediate" },
		{ NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS,
		.op = *value ? g.noun->modify : g.noun->reset,
		.params = params,
		.changes = true };

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	for (int i = 0; !ok && answer.is_uncertain && i < LOOKS; i++) {
		struct error other = { 0 };

		op_progress(op, -1, "sent, no answer; looking at %s", op_fact(op, "group"));
		ok = is_in_group(op, aws, value, &is, &other) && is;
		if (!ok && !op_wait_ms(op, rds_poll_ms(), err))
			break;
	}
	aws_answer_release(&answer);
	return ok;
}

/* The target may have another group by now. */
static bool
same_group(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_group g;

	if (!rds_same(op, aws, err) || !rds_group_of(op, aws, &g, err))
		return false;
	if (strcmp(g.name, op_fact(op, "group")) == 0)
		return true;
	return error_set(
	    err, ERR_CHANGED, "%s has the parameter group %s now", op->target->name, g.name);
}

static bool
modify_with(struct op *op, struct aws *aws, struct error *err)
{
	return same_group(op, aws, err) && op_fact_now(op, err, "sent_at") &&
	    send(op, aws, op_fact(op, "value"), err);
}

static bool
modify_run(struct op *op, struct error *err)
{
	return rds_with(op, modify_with, err);
}

/* Does the server have it? 1, 0; -1: it cannot be asked. */
static int
is_live(struct op *op, struct live *live)
{
	const char *value = op_fact(op, "value");

	look_live(op, op_fact(op, "name"), live);
	if (!live->is_known)
		return -1;
	return live->l.is_pending || !*value || strchr(value, '{') || strchr(value, '(') ||
	    parameter_same(&live->l.p, live->l.setting, value);
}

static bool
keep_state(
    struct op *op, const struct rds_group *g, const struct live *live, int known, struct error *err)
{
	/* The status of the group is that of all its parameters: it does not tell about one that
	 * the server knows. */
	bool waits = op_fact_int(op, "is_static", 0) || (known > 0 && live->l.is_pending);
	bool is_applied = known > 0 || (known < 0 && strcmp(g->status, "in-sync") == 0);
	char buf[64];

	return op_fact_set(op, err, "state", "%s",
	           waits          ? "pending_restart" :
	               is_applied ? "applied" :
	                            "accepted") &&
	    op_fact_set(op, err, "in_effect", "%s",
	        live->is_known ? parameter_show(&live->l.p, live->l.setting, buf, sizeof(buf)) :
	                         "") &&
	    op_fact_set(op, err, "overridden_by", "%s", live->is_known ? live->l.overrides : "") &&
	    op_fact_set(op, err, "undo", "%s in %s: %s", op_fact(op, "name"), op_fact(op, "group"),
	        *op_fact(op, "back") ? op_fact(op, "back") : "the engine's default") &&
	    op_fact_set(op, err, "undo_kind", "rds_parameter");
}

/* The status begins to move some time after the call, so that the server's word counts where it can
 * be had. */
static bool
apply_with(struct op *op, struct aws *aws, struct error *err)
{
	struct mono start = mono_now();
	bool is_static = op_fact_int(op, "is_static", 0) != 0, is_in;
	struct rds_group g;
	struct live live = { 0 };
	int known = 0;

	for (;;) {
		if (!rds_group_of(op, aws, &g, err) ||
		    !is_in_group(op, aws, op_fact(op, "value"), &is_in, err))
			return error_prefix(err, "while waiting");
		known = is_static ? 1 : is_live(op, &live);
		if (is_in && strcmp(g.status, "applying") != 0 && known)
			break;
		if (mono_since_ms(mono_now(), start) > APPLY_MS)
			break;
		op_progress(op, -1, "%s", *g.status ? g.status : "applying");
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
	if (!is_in)
		return error_set(err, ERR_STATE, "%s does not have %s as it was set", g.name,
		    op_fact(op, "name"));
	if (is_static)
		look_live(op, op_fact(op, "name"), &live);
	return keep_state(op, &g, &live, known, err);
}

static bool
apply_run(struct op *op, struct error *err)
{
	return rds_with(op, apply_with, err);
}

static const char *
or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static bool
set_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(op, &first, "parameter", op_fact(op, "name"));
	op_result_text(op, &first, "from", or_null(op_fact(op, "from")));
	op_result_text(op, &first, "to", or_null(op_fact(op, "value")));
	op_result_text(op, &first, "in_effect", or_null(op_fact(op, "in_effect")));
	op_result_text(op, &first, "state", op_fact(op, "state"));
	op_result_text(
	    op, &first, "context", op_fact_int(op, "is_static", 0) ? "static" : "dynamic");
	op_result_text(op, &first, "overridden_by", or_null(op_fact(op, "overridden_by")));
	op_result_text(op, &first, "group", op_fact(op, "group"));
	op_result_text(op, &first, "others", or_null(op_fact(op, "users")));
	return true;
}

/* ------------------------------------------------------------------ set back */

static bool
undo_with(struct op *op, struct aws *aws, struct error *err)
{
	bool is = false;

	if (!same_group(op, aws, err) || !is_in_group(op, aws, op_fact(op, "value"), &is, err))
		return false;
	if (is)
		return send(op, aws, op_fact(op, "back"), err);
	error_set(err, ERR_CHANGED, "%s has been set to something else since", op_fact(op, "name"));
	return error_hint(err, "It was left as it is.");
}

bool
rds_set_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	(void)left;
	return rds_with(op, undo_with, err) && op_fact_set(op, err, "undo", "%s", "");
}

static const struct op_step_def set_steps[] = {
	{ "modify", modify_seen, modify_run },
	{ "apply", NULL, apply_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_set = { set_plan, set_steps, set_result };
