/*
 * proxy create, proxy drop: RDS Proxy in front of the target. A proxy without a registered target
 * has no backend, and one whose secret does not fit is "available" all the same: it is done when
 * its target is. Until then `job undo` removes it. What it needs beside (a role, a secret, subnets)
 * is of the target's section, of the line, or of the instance.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ops/op_result.h"
#include "ops/rds_alarm.h"
#include "ops/rds_modify.h"

enum { NAME_MAX_LEN = 60, MAX_SUBNETS = 16, MAX_LIST = 2048, TARGETS_MS = 1200000 };

/* ------------------------------------------------------------------ a proxy */

struct proxy {
	const char *name, *arn, *status, *endpoint, *role;
};

static const char *
keep(struct op *op, const struct xml *x, const char *path)
{
	return arena_strdup(&op->arena, xml_text(x, path));
}

static bool
proxy_get(struct op *op, struct aws *aws, const char *name, struct proxy *p, struct error *err)
{
	struct aws_param params[] = { { "DBProxyName", name }, { NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS, .op = "DescribeDBProxies", .params = params };
	struct aws_answer answer;
	const struct xml *x;
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	x = xml_get(answer.xml, "DBProxies/member");
	*p = (struct proxy){ .name = name };
	if (ok && x)
		*p = (struct proxy){ keep(op, x, "DBProxyName"), keep(op, x, "DBProxyArn"),
			keep(op, x, "Status"), keep(op, x, "Endpoint"), keep(op, x, "RoleArn") };
	if ((ok && !x) || strstr(answer.code, "DBProxyNotFound")) {
		ok = error_set(
		    err, ERR_NOT_FOUND, "there is no proxy %s in %s", name, aws_region(aws));
		error_hint(err, "aws rds describe-db-proxies lists them.");
	}
	aws_answer_release(&answer);
	return ok;
}

/* DescribeDBProxies does not tell tags. */
static const char *
mark_of(struct op *op, struct aws *aws, const char *arn)
{
	struct aws_param params[] = { { "ResourceName", arn }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "ListTagsForResource", .params = params
	};
	struct aws_answer answer;
	struct error ignored = { 0 };
	const char *mark = "";
	const struct xml *tag;

	aws_answer_init(&answer);
	if (aws_do(aws, &call, &answer, &ignored)) {
		tag = xml_get(answer.xml, "TagList");
		for (tag = tag ? tag->child : NULL; tag; tag = tag->next)
			if (strcmp(xml_text(tag, "Key"), RDS_MARK) == 0)
				mark = keep(op, tag, "Value");
	}
	aws_answer_release(&answer);
	return mark;
}

static bool
get_found(
    struct op *op, struct aws *aws, const char *name, struct rds_found *out, struct error *err)
{
	struct proxy p;

	if (!proxy_get(op, aws, name, &p, err))
		return false;
	*out = (struct rds_found){ p.status, mark_of(op, aws, p.arn), rds_state_of(p.status), -1 };
	if (strcmp(p.status, "insufficient-resource-limits") == 0 ||
	    strcmp(p.status, "suspended") == 0)
		out->state = RDS_BAD;
	return true;
}

static const struct rds_noun_def noun_proxy = { "proxy", get_found };

/* State and reason of its targets: "AVAILABLE", or of the worst. "" there are none. */
static bool
targets_of(struct op *op, struct aws *aws, const char *name, const char **state,
    const char **reason, struct error *err)
{
	struct aws_param params[] = { { "DBProxyName", name }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "DescribeDBProxyTargets", .params = params
	};
	struct aws_answer answer;
	const struct xml *t;
	bool ok;

	*state = *reason = "";
	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	t = xml_get(answer.xml, "Targets");
	for (t = t ? t->child : NULL; t; t = t->next) {
		const char *one = xml_text(t, "TargetHealth/State");

		/* The cluster itself is listed, too, and has no health. */
		if (!*one || (**state && strcmp(one, "AVAILABLE") == 0))
			continue;
		*state = keep(op, t, "TargetHealth/State");
		*reason = keep(op, t, "TargetHealth/Reason");
	}
	aws_answer_release(&answer);
	return ok;
}

/* ------------------------------------------------------------------ create: plan */

struct needs {
	const char *name, *role, *secret, *subnets, *groups; /* lists: by commas */
	bool has_tls;
};

/* What the instance has: its subnets, its groups, the secret that RDS keeps of its master. */
static bool
from_instance(struct op *op, struct aws *aws, const char *id, struct needs *n, struct error *err)
{
	struct aws_param params[] = { { "DBInstanceIdentifier", id }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "DescribeDBInstances", .params = params
	};
	struct strbuf subnets = STRBUF_INIT(MAX_LIST), groups = STRBUF_INIT(MAX_LIST);
	struct aws_answer answer;
	const struct xml *x, *i;
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	i = xml_get(answer.xml, "DBInstances/DBInstance");
	x = xml_get(i, "DBSubnetGroup/Subnets");
	for (x = x ? x->child : NULL; x; x = x->next)
		strbuf_addf(
		    &subnets, "%s%s", subnets.len ? "," : "", xml_text(x, "SubnetIdentifier"));
	x = xml_get(i, "VpcSecurityGroups");
	for (x = x ? x->child : NULL; x; x = x->next)
		strbuf_addf(
		    &groups, "%s%s", groups.len ? "," : "", xml_text(x, "VpcSecurityGroupId"));
	if (!*n->subnets)
		n->subnets = arena_strndup(&op->arena, subnets.buf, subnets.len);
	n->groups = arena_strndup(&op->arena, groups.buf, groups.len);
	if (!*n->secret)
		n->secret = keep(op, i, "MasterUserSecret/SecretArn");
	strbuf_release(&subnets);
	strbuf_release(&groups);
	aws_answer_release(&answer);
	return ok;
}

static bool
read_words(const struct op *op, struct needs *n, struct error *err)
{
	const struct words *w = op->words;
	bool ok = w->n > 2;

	*n = (struct needs){ .name = ok ? w->w[2].text : "",
		.role = op->target->proxy_role,
		.secret = op->target->proxy_secret,
		.subnets = "",
		.groups = "" };
	for (int i = 3; ok && i < w->n; i++) {
		const char *word = w->w[i].text, *value = i + 1 < w->n ? w->w[i + 1].text : "";

		if (strcmp(word, "tls") == 0) {
			n->has_tls = true;
			continue;
		}
		if (strcmp(word, "role") == 0)
			n->role = value;
		else if (strcmp(word, "secret") == 0)
			n->secret = value;
		else if (strcmp(word, "subnets") == 0)
			n->subnets = value;
		else
			ok = false;
		ok = ok && *value;
		i++;
	}
	if (ok)
		return rds_name_ok(n->name, NAME_MAX_LEN, err);
	error_set(err, ERR_USAGE, "proxy does not know this");
	return error_hint(err, "Usage: %s", op->kind->usage);
}

static bool
has_all(const struct op *op, const struct needs *n, struct error *err)
{
	const char *what = !*n->role ? "role" : !*n->secret ? "secret" : NULL;

	if (what) {
		error_set(err, ERR_CONFIG, "the proxy needs a %s", what);
		return error_hint(err,
		    "proxy_%s = ARN in [target %s], or `proxy create %s %s ARN`: %s", what,
		    op->target->name, n->name, what,
		    *n->role ? "what is logged in with." : "it reads the secret.");
	}
	if (!strstr(n->secret, ":secret:") || !strstr(n->role, ":role/")) {
		error_set(err, ERR_USAGE, "%s is no ARN of a %s",
		    strstr(n->role, ":role/") ? n->secret : n->role,
		    strstr(n->role, ":role/") ? "secret" : "role");
		return error_hint(err,
		    "As arn:aws:iam::ACCOUNT:role/NAME, arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME.");
	}
	if (!strchr(n->subnets, ',')) {
		error_set(err, ERR_CONFIG, "the proxy needs subnets of two zones");
		return error_hint(err, "proxy create %s subnets subnet-A,subnet-B", n->name);
	}
	return true;
}

/* In two facts: what follows "secret:" is taken for one by whatever writes the journal. */
static bool
keep_secret(struct op *op, const char *arn, struct error *err)
{
	const char *name = strstr(arn, ":secret:");

	return op_fact_set(op, err, "login_of", "%.*s", (int)(name - arn), arn) &&
	    op_fact_set(op, err, "login_name", "%s", name + strlen(":secret:"));
}

static bool
plan_create(struct op *op, struct aws *aws, struct error *err)
{
	const char *source, *id;
	struct needs n;
	struct rds_cluster cluster;

	if (!read_words(op, &n, err) || !rds_look(op, aws, err))
		return false;
	source = op_fact(op, "source");
	id = *op->target->instance ? op->target->instance : source;
	if (*op->target->cluster && !*op->target->instance) {
		if (!rds_cluster_get(op, aws, source, &cluster, err))
			return false;
		id = rds_writer(&cluster);
	}
	if ((id && !from_instance(op, aws, id, &n, err)) || !has_all(op, &n, err) ||
	    !rds_must_be_new(op, aws, &noun_proxy, n.name, err))
		return false;
	doc_pair(&op->doc, "proxy", ROLE_NORMAL, "%s in front of %s", n.name, source);
	doc_pair(&op->doc, "role", ROLE_NORMAL, "%s", n.role);
	doc_pair(&op->doc, "logs in by", ROLE_NORMAL, "%s", n.secret);
	doc_pair(&op->doc, "subnets", ROLE_NORMAL, "%s; security groups %s", n.subnets,
	    *n.groups ? n.groups : "of the VPC");
	doc_pair(&op->doc, "TLS", ROLE_NORMAL, "%s",
	    n.has_tls ? "demanded of clients" : "not demanded of clients (`tls` does)");
	doc_pair(&op->doc, "cost", ROLE_WARN, "%s", "billed by the hour for each vCPU behind it");
	op_add_step(op, "create", "low", "make the proxy", "CreateDBProxy; nothing uses it yet");
	op_add_step(op, "available", "none", "wait until it is available", "%s", "minutes");
	op_add_step(
	    op, "register", "low", "register its target", "RegisterDBProxyTargets of %s", source);
	op_add_step(op, "targets", "none", "wait until its target is", "%s",
	    "by the health of the target: role, secret and network fit");
	op->question = arena_printf(&op->arena, "make the proxy %s for %s?", n.name, source);
	return rds_mark_set(op, err) && op_fact_set(op, err, "name", "%s", n.name) &&
	    op_fact_set(op, err, "role", "%s", n.role) && keep_secret(op, n.secret, err) &&
	    op_fact_set(op, err, "subnets", "%s", n.subnets) &&
	    op_fact_set(op, err, "groups", "%s", n.groups) &&
	    op_fact_set(op, err, "tls", "%s", n.has_tls ? "true" : "false");
}

/* ------------------------------------------------------------------ drop: plan */

static bool
plan_drop(struct op *op, struct aws *aws, struct error *err)
{
	const char *name = op->words->n == 3 ? op->words->w[2].text : "", *state, *reason;
	struct error why = { 0 };
	struct proxy p;

	if (!*name) {
		error_set(err, ERR_USAGE, "proxy drop takes a name");
		return error_hint(err, "Usage: %s", op->kind->usage);
	}
	if (!rds_look(op, aws, err) || !proxy_get(op, aws, name, &p, err))
		return false;
	op->confirm = OP_DESTROYS;
	doc_pair(&op->doc, "proxy", ROLE_NORMAL, "%s, %s, %s", p.name, p.status, p.endpoint);
	if (targets_of(op, aws, name, &state, &reason, &why) && *state)
		doc_pair(&op->doc, "its target", ROLE_NORMAL, "%s", state);
	doc_pair(&op->doc, "LOST", ROLE_CRIT, "%s",
	    "all connections through it, and its endpoint: clients must be elsewhere by then");
	op_add_step(op, "delete", "high", "delete the proxy", "DeleteDBProxy of %s", p.name);
	op_add_step(op, "gone", "none", "wait until it is gone", "%s", "minutes");
	op_identity(op, "proxy", "%s %s", p.name, p.arn);
	op->question = arena_printf(&op->arena, "delete the proxy %s?", p.name);
	return op_fact_set(op, err, "name", "%s", p.name) &&
	    op_fact_set(op, err, "arn", "%s", p.arn) &&
	    op_fact_set(op, err, "endpoint", "%s", p.endpoint);
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *verb = op->words->n > 1 ? op->words->w[1].text : "";

	if (strcmp(verb, "create") == 0)
		return plan_create(op, aws, err);
	if (strcmp(verb, "drop") == 0)
		return plan_drop(op, aws, err);
	error_set(err, ERR_USAGE, "proxy does not know this");
	return error_hint(err, "Usage: %s", op->kind->usage);
}

static bool
proxy_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

/* ------------------------------------------------------------------ create: run */

static enum op_seen
create_seen_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_look_for(op, aws, &noun_proxy, op_fact(op, "name"), err);
}

static enum op_seen
create_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, create_seen_with, err);
}

/* A list by commas as NAME.member.1 …; returns how many parameters there are then. */
static int
add_list(struct op *op, struct aws_param *p, int n, const char *name, const char *list)
{
	for (int i = 1; *list && i <= MAX_SUBNETS; i++) {
		size_t len = strcspn(list, ",");

		p[n++] = (struct aws_param){ arena_printf(&op->arena, "%s.member.%d", name, i),
			arena_strndup(&op->arena, list, len) };
		list += len + (list[len] == ',');
	}
	return n;
}

static bool
create_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *name = op_fact(op, "name");
	struct aws_param params[10 + 2 * MAX_SUBNETS] = { { "DBProxyName", name },
		{ "EngineFamily", "POSTGRESQL" }, { "RoleArn", op_fact(op, "role") },
		{ "Auth.member.1.AuthScheme", "SECRETS" },
		{ "Auth.member.1.SecretArn",
		    arena_printf(&op->arena, "%s:secret:%s", op_fact(op, "login_of"),
		        op_fact(op, "login_name")) },
		{ "Auth.member.1.IAMAuth", "DISABLED" }, { "RequireTLS", op_fact(op, "tls") },
		{ "Tags.Tag.1.Key", RDS_MARK }, { "Tags.Tag.1.Value", op_fact(op, "mark") } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "CreateDBProxy", .params = params, .changes = true
	};
	int n = 9;
	int64_t id;

	n = add_list(op, params, n, "VpcSubnetIds", op_fact(op, "subnets"));
	n = add_list(op, params, n, "VpcSecurityGroupIds", op_fact(op, "groups"));
	params[n] = (struct aws_param){ NULL, NULL };
	return rds_same(op, aws, err) &&
	    op_leave(op, "rds_proxy", "{}", &id, err, "the proxy %s, which is billed", name) &&
	    rds_make(op, aws, &noun_proxy, name, &call, id, err);
}

static bool
create_run(struct op *op, struct error *err)
{
	return rds_with(op, create_with, err);
}

static bool
available_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_wait_ready(op, aws, &noun_proxy, op_fact(op, "name"),
	    "Subnets, security groups and limits of the account are what it needs; `job undo` removes it.",
	    err);
}

static bool
available_run(struct op *op, struct error *err)
{
	return rds_with(op, available_with, err);
}

/* ------------------------------------------------------------------ its target */

static bool
is_registered(struct op *op, struct aws *aws, bool *is, struct error *err)
{
	struct aws_param params[] = { { "DBProxyName", op_fact(op, "name") }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "DescribeDBProxyTargets", .params = params
	};
	struct aws_answer answer;
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	*is = xml_count(answer.xml, "Targets") > 0;
	aws_answer_release(&answer);
	return ok;
}

static enum op_seen
register_seen_with(struct op *op, struct aws *aws, struct error *err)
{
	bool is;

	return !is_registered(op, aws, &is, err) ? OP_UNSURE : is ? OP_SEEN : OP_NOT_SEEN;
}

static enum op_seen
register_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, register_seen_with, err);
}

static bool
register_with(struct op *op, struct aws *aws, struct error *err)
{
	bool is_cluster = *op->target->cluster != 0, is = false, ok;
	struct aws_param params[] = { { "DBProxyName", op_fact(op, "name") },
		{ "TargetGroupName", "default" },
		{ is_cluster ? "DBClusterIdentifiers.member.1" : "DBInstanceIdentifiers.member.1",
		    op_fact(op, "source") },
		{ NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS,
		.op = "RegisterDBProxyTargets",
		.params = params,
		.changes = true };
	struct aws_answer answer;

	aws_answer_init(&answer);
	ok = rds_same(op, aws, err) && aws_do(aws, &call, &answer, err);
	if (!ok && answer.is_uncertain) {
		struct error other = { 0 };

		ok =
		    op_wait_ms(op, rds_poll_ms(), err) && is_registered(op, aws, &is, &other) && is;
	}
	aws_answer_release(&answer);
	return ok;
}

static bool
register_run(struct op *op, struct error *err)
{
	return rds_with(op, register_with, err);
}

static const char *
reason_hint(const char *reason)
{
	static const struct {
		const char *reason, *hint;
	} hints[] = {
		{ "AUTH_FAILURE",
		    "The secret's user and password do not fit, or the role may not read it." },
		{ "UNREACHABLE", "Its security groups or subnets do not reach the instance." },
		{ "CONNECTION_FAILED", "The instance refuses its connections." },
		{ "PENDING_PROXY_CAPACITY", "AWS has no capacity for it at the moment." },
	};

	for (size_t i = 0; i < ARRAY_LEN(hints); i++)
		if (strcmp(hints[i].reason, reason) == 0)
			return hints[i].hint;
	return "The proxy's log says why; `job undo` removes it.";
}

static bool
targets_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *name = op_fact(op, "name"), *state, *reason;
	struct mono start = mono_now();
	struct proxy p;

	for (;;) {
		if (!targets_of(op, aws, name, &state, &reason, err))
			return error_prefix(err, "while waiting");
		if (strcmp(state, "AVAILABLE") == 0)
			break;
		if (strcmp(reason, "AUTH_FAILURE") == 0 ||
		    mono_since_ms(mono_now(), start) > TARGETS_MS) {
			error_set(err, ERR_STATE, "the proxy's target is %s%s%s",
			    *state ? state : "not there", *reason ? ": " : "", reason);
			return error_hint(err, "%s", reason_hint(reason));
		}
		op_progress(op, -1, "target %s %s", *state ? state : "not there yet", reason);
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
	return proxy_get(op, aws, name, &p, err) &&
	    op_fact_set(op, err, "endpoint", "%s", p.endpoint) &&
	    op_fact_set(op, err, "state", "%s", p.status) &&
	    op_fact_set(op, err, "target_health", "%s", state) &&
	    op_settle_kind(op, "rds_proxy", err);
}

static bool
targets_run(struct op *op, struct error *err)
{
	return rds_with(op, targets_with, err);
}

/* ------------------------------------------------------------------ drop: run */

static bool
send_delete(struct op *op, struct aws *aws, const char *name, struct error *err)
{
	struct aws_param params[] = { { "DBProxyName", name }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "DeleteDBProxy", .params = params, .changes = true
	};
	struct aws_answer answer;
	struct rds_found f;
	struct error other = { 0 };
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err) || strstr(answer.code, "DBProxyNotFound");
	if (!ok && answer.is_uncertain && op_wait_ms(op, rds_poll_ms(), err))
		ok = noun_proxy.get(op, aws, name, &f, &other) ? strcmp(f.status, "deleting") == 0 :
		                                                 other.code == ERR_NOT_FOUND;
	aws_answer_release(&answer);
	return ok;
}

/* Another one of that name may have been made since. */
static enum op_seen
delete_seen_with(struct op *op, struct aws *aws, struct error *err)
{
	struct proxy p;

	if (!proxy_get(op, aws, op_fact(op, "name"), &p, err))
		return err->code == ERR_NOT_FOUND ? OP_SEEN : OP_UNSURE;
	return strcmp(p.status, "deleting") == 0 || strcmp(p.arn, op_fact(op, "arn")) != 0 ?
	    OP_SEEN :
	    OP_NOT_SEEN;
}

static enum op_seen
delete_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, delete_seen_with, err);
}

static bool
delete_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_same(op, aws, err) && send_delete(op, aws, op_fact(op, "name"), err);
}

static bool
delete_run(struct op *op, struct error *err)
{
	return rds_with(op, delete_with, err);
}

static bool
gone_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_wait_gone(op, aws, &noun_proxy, op_fact(op, "name"), err) &&
	    op_fact_set(op, err, "state", "deleted");
}

static bool
gone_run(struct op *op, struct error *err)
{
	return rds_with(op, gone_with, err);
}

/* ------------------------------------------------------------------ result, undo */

static bool
proxy_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(op, &first, "proxy", op_fact(op, "name"));
	op_result_text(op, &first, "endpoint", op_fact(op, "endpoint"));
	op_result_text(op, &first, "state", op_fact(op, "state"));
	op_result_text(op, &first, "target_health", op_fact(op, "target_health"));
	return true;
}

static bool
undo_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *name = op_fact(op, "name");
	enum op_seen seen = rds_look_for(op, aws, &noun_proxy, name, err);

	return seen == OP_NOT_SEEN || (seen == OP_SEEN && send_delete(op, aws, name, err));
}

bool
rds_proxy_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	(void)left;
	return rds_with(op, undo_with, err);
}

static const struct op_step_def proxy_steps[] = {
	{ "create", create_seen, create_run },
	{ "available", NULL, available_run },
	{ "register", register_seen, register_run },
	{ "targets", NULL, targets_run },
	{ "delete", delete_seen, delete_run },
	{ "gone", NULL, gone_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_proxy = { proxy_plan, proxy_steps, proxy_result };
