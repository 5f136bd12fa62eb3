/*
 * autoscaling: what grows by itself. The storage of an instance, by MaxAllocatedStorage and the
 * events; the readers of an Aurora cluster, by Application Auto Scaling. `replicas` sets the
 * latter: a scalable target and a policy on the CPU of the readers, both of which are overwritten
 * by asking again.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "base/json.h"
#include "ops/op_result.h"
#include "ops/rds_alarm.h"
#include "ops/rds_modify.h"

enum {
	MAX_BODY = 8192,
	KEPT_MINUTES = 14 * 24 * 60, /* events of RDS */
	ACTIVITIES = 5,
	MOST_READERS = 15,
	USUAL_CPU = 70,
	IN_S = 300, /* cooldowns */
	OUT_S = 60
};
#define DIMENSION "rds:cluster:ReadReplicaCount"

/* The cluster of the target, "" none. */
static bool
cluster_of(struct op *op, struct aws *aws, const char **cluster, struct error *err)
{
	struct rds_instance i;

	*cluster = op->target->cluster;
	if (**cluster)
		return true;
	if (!rds_instance_get(op, aws, op_fact(op, "source"), &i, err))
		return false;
	*cluster = strncmp(i.engine, "aurora", 6) == 0 ? i.cluster : "";
	return true;
}

static void
text_member(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	if (value && *value)
		json_str(out, value, strlen(value));
	else
		strbuf_adds(out, "null");
}

static void
number_member(struct strbuf *out, bool *first, const char *key, int64_t value)
{
	json_key(out, first, key);
	json_int(out, value);
}

static const char *
taken(struct op *op, struct strbuf *sb)
{
	const char *text = arena_strndup(&op->arena, sb->buf, sb->len);

	strbuf_release(sb);
	return text;
}

/* ------------------------------------------------------------------ storage */

struct last {
	struct op *op;
	struct wall at;
	const char *message;
};

/* Events carry texts, which differ: "Applying autoscaling-initiated modification to allocated
 * storage". */
static bool
take_events(const struct aws_answer *answer, void *arg, struct error *err)
{
	struct last *last = arg;
	const struct xml *x = xml_get(answer->xml, "Events");

	(void)err;
	for (x = x ? x->child : NULL; x; x = x->next) {
		const char *message = xml_text(x, "Message");
		struct wall at;

		if (!strstr(message, "autoscaling") && !strstr(message, "allocated storage"))
			continue;
		if (!wall_parse(xml_text(x, "Date"), &at) || at.us < last->at.us)
			continue;
		last->at = at;
		last->message = arena_strdup(&last->op->arena, message);
	}
	return true;
}

static bool
last_growth(struct op *op, struct aws *aws, const char *id, struct last *last, struct error *err)
{
	char minutes[16];
	struct aws_param params[] = { { "SourceType", "db-instance" }, { "SourceIdentifier", id },
		{ "Duration", minutes }, { NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS, .op = "DescribeEvents", .params = params };

	snprintf(minutes, sizeof(minutes), "%d", KEPT_MINUTES);
	*last = (struct last){ .op = op };
	return aws_pages(aws, &call, take_events, last, err);
}

static bool
look_storage(struct op *op, struct aws *aws, const char *id, struct error *err)
{
	struct strbuf out = STRBUF_INIT(MAX_BODY);
	struct error why = { 0 };
	struct rds_spec s;
	struct last last;
	char at[40];
	bool first = true, is_on;

	if (!rds_spec_get(op, aws, id, &s, err))
		return false;
	if (s.is_aurora)
		return true;
	if (!last_growth(op, aws, s.id, &last, &why))
		doc_pair(&op->doc, "events", ROLE_WARN, "not known: %s", why.what);
	is_on = s.now.max_storage_gb > s.now.storage_gb;
	doc_pair(&op->doc, "storage", is_on ? ROLE_NORMAL : ROLE_WARN, "%d GiB, %s",
	    s.now.storage_gb,
	    is_on ? arena_printf(&op->arena, "grows by itself up to %d GiB", s.now.max_storage_gb) :
	            "does not grow by itself: `storage max SIZE`");
	wall_rfc3339(last.at, at, sizeof(at));
	if (last.message)
		doc_pair(&op->doc, "last activity", ROLE_NORMAL, "%s: %s", at, last.message);
	else
		doc_pair(&op->doc, "last activity", ROLE_DIM, "%s", "none in 14 days");
	strbuf_addc(&out, '{');
	text_member(&out, &first, "instance", s.id);
	number_member(&out, &first, "allocated_gb", s.now.storage_gb);
	number_member(&out, &first, "max_gb", is_on ? s.now.max_storage_gb : s.now.storage_gb);
	text_member(&out, &first, "state", is_on ? "on" : "off");
	text_member(&out, &first, "last_at", last.message ? at : NULL);
	text_member(&out, &first, "last_activity", last.message);
	strbuf_addc(&out, '}');
	return op_fact_set(op, err, "storage", "%s", taken(op, &out));
}

/* ------------------------------------------------------------------ replicas */

static const char *
resource_of(struct op *op, const char *cluster)
{
	return arena_printf(&op->arena, "cluster:%s", cluster);
}

/* {"ServiceNamespace":"rds", KEY: VALUE, …}, in the arena. */
static const char *
ask_body(struct op *op, const char *cluster, bool is_list, const char *more)
{
	struct strbuf body = STRBUF_INIT(MAX_BODY);
	const char *resource = resource_of(op, cluster);

	strbuf_addf(&body,
	    "{\"ServiceNamespace\":\"rds\",\"ScalableDimension\":\"" DIMENSION "\",\"%s\":%s",
	    is_list ? "ResourceIds" : "ResourceId", is_list ? "[" : "");
	json_str(&body, resource, strlen(resource));
	strbuf_addf(&body, "%s%s}", is_list ? "]" : "", more);
	return taken(op, &body);
}

static bool
ask(struct aws *aws, const char *name, const char *body, struct aws_answer *answer, bool changes,
    struct error *err)
{
	struct aws_call call = {
		.service = AWS_AUTOSCALING, .op = name, .json = body, .changes = changes
	};

	return aws_do(aws, &call, answer, err);
}

static double
number_of(const struct json *object, const char *key, double other)
{
	double n;

	return aws_number(json_get(object, key), &n) ? n : other;
}

struct limits {
	bool is_there;
	int min, max;
};

static bool
look_limits(
    struct op *op, struct aws *aws, const char *cluster, struct limits *l, struct error *err)
{
	struct aws_answer answer;
	const struct json *t;
	bool ok;

	*l = (struct limits){ 0 };
	aws_answer_init(&answer);
	ok = ask(
	    aws, "DescribeScalableTargets", ask_body(op, cluster, true, ""), &answer, false, err);
	t = json_child(json_get(answer.json, "ScalableTargets"));
	if (ok && t)
		*l = (struct limits){ true, (int)number_of(t, "MinCapacity", 0),
			(int)number_of(t, "MaxCapacity", 0) };
	aws_answer_release(&answer);
	return ok;
}

/* What cannot be read is said, and the rest shown. */
static void
look_policies(struct op *op, struct aws *aws, const char *cluster, struct strbuf *out, bool *first)
{
	struct aws_answer answer;
	struct error why = { 0 };
	bool is_first = true;

	aws_answer_init(&answer);
	if (!ask(aws, "DescribeScalingPolicies", ask_body(op, cluster, false, ""), &answer, false,
	        &why))
		doc_pair(&op->doc, "policies", ROLE_WARN, "not known: %s", why.what);
	json_key(out, first, "policies");
	strbuf_addc(out, '[');
	for (const struct json *p = json_child(json_get(answer.json, "ScalingPolicies")); p;
	     p = json_next(p)) {
		const struct json *c = json_get(p, "TargetTrackingScalingPolicyConfiguration");
		const char *name = json_text(json_get(p, "PolicyName"));
		const char *metric = json_text(
		    json_get(json_get(c, "PredefinedMetricSpecification"), "PredefinedMetricType"));
		bool one = true;

		doc_pair(&op->doc, is_first ? "policies" : "", ROLE_NORMAL, "%s: %s at %g",
		    name ? name : "", metric ? metric : "a metric of its own",
		    number_of(c, "TargetValue", 0));
		strbuf_adds(out, is_first ? "{" : ",{");
		is_first = false;
		text_member(out, &one, "name", name);
		text_member(out, &one, "metric", metric);
		json_key(out, &one, "target");
		json_num(out, number_of(c, "TargetValue", 0));
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
	aws_answer_release(&answer);
}

static void
look_activities(
    struct op *op, struct aws *aws, const char *cluster, struct strbuf *out, bool *first)
{
	const char *more = arena_printf(&op->arena, ",\"MaxResults\":%d", ACTIVITIES);
	struct aws_answer answer;
	struct error why = { 0 };
	bool is_first = true;
	char at[40];

	aws_answer_init(&answer);
	if (!ask(aws, "DescribeScalingActivities", ask_body(op, cluster, false, more), &answer,
	        false, &why))
		doc_pair(&op->doc, "activities", ROLE_WARN, "not known: %s", why.what);
	json_key(out, first, "activities");
	strbuf_addc(out, '[');
	for (const struct json *a = json_child(json_get(answer.json, "ScalingActivities")); a;
	     a = json_next(a)) {
		const char *text = json_text(json_get(a, "Description"));
		const char *code = json_text(json_get(a, "StatusCode"));
		struct wall start = { 0 };
		bool one = true;

		if (!aws_time(json_get(a, "StartTime"), &start))
			start.us = 0;
		wall_rfc3339(start, at, sizeof(at));
		doc_pair(&op->doc, is_first ? "activities" : "", ROLE_NORMAL, "%s: %s (%s)", at,
		    text ? text : "", code ? code : "");
		strbuf_adds(out, is_first ? "{" : ",{");
		is_first = false;
		text_member(out, &one, "at", start.us ? at : NULL);
		text_member(out, &one, "description", text);
		text_member(out, &one, "state", code);
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
	aws_answer_release(&answer);
}

static bool
look_replicas(struct op *op, struct aws *aws, const char *cluster, struct error *err)
{
	struct strbuf out = STRBUF_INIT(64 << 10);
	struct limits l;
	bool first = true;

	if (!look_limits(op, aws, cluster, &l, err))
		return false;
	if (l.is_there)
		doc_pair(&op->doc, "readers", ROLE_NORMAL,
		    "from %d to %d, added and removed by load", l.min, l.max);
	else
		doc_pair(&op->doc, "readers", ROLE_NORMAL, "%s",
		    "are not added by load: `autoscaling replicas MIN MAX`");
	strbuf_addc(&out, '{');
	text_member(&out, &first, "cluster", cluster);
	text_member(&out, &first, "state", l.is_there ? "on" : "off");
	if (l.is_there) {
		number_member(&out, &first, "min", l.min);
		number_member(&out, &first, "max", l.max);
		look_policies(op, aws, cluster, &out, &first);
		look_activities(op, aws, cluster, &out, &first);
	}
	strbuf_addc(&out, '}');
	return op_fact_set(op, err, "replicas", "%s", taken(op, &out));
}

static bool
plan_look(struct op *op, struct aws *aws, const char *cluster, struct error *err)
{
	const char *id = *op->target->instance ? op->target->instance :
	    *op->target->cluster               ? "" :
	                                         op_fact(op, "source");

	if (*id && !look_storage(op, aws, id, err))
		return false;
	if (*cluster ? !look_replicas(op, aws, cluster, err) : false)
		return false;
	if (!*cluster)
		doc_pair(&op->doc, "readers", ROLE_DIM, "%s",
		    "replicas of an instance are not added by load; those of an Aurora cluster can be");
	op_add_step(op, "look", "none", "tell what grows by itself", "%s", "only looks");
	return true;
}

/* ------------------------------------------------------------------ replicas MIN MAX */

static bool
plan_off(struct op *op, struct aws *aws, const char *cluster, struct error *err)
{
	struct limits l;

	if (!look_limits(op, aws, cluster, &l, err))
		return false;
	if (!l.is_there) {
		error_set(err, ERR_REFUSED, "the readers of %s are not scaled", cluster);
		return error_hint(err, "There is nothing to do.");
	}
	doc_pair(&op->doc, "readers", ROLE_NORMAL, "from %d to %d now; those that are there stay",
	    l.min, l.max);
	op_add_step(op, "deregister", "medium", "end it", "%s",
	    "DeregisterScalableTarget, with its policies");
	op->question = arena_printf(&op->arena, "end the scaling of the readers of %s?", cluster);
	return op_fact_set(op, err, "state", "off");
}

static bool
plan_on(struct op *op, struct aws *aws, const char *cluster, int min, int max, int cpu,
    struct error *err)
{
	struct limits l;

	if (!look_limits(op, aws, cluster, &l, err))
		return false;
	if (l.is_there)
		doc_pair(&op->doc, "OVERWRITES", ROLE_WARN, "from %d to %d", l.min, l.max);
	doc_pair(&op->doc, "readers", ROLE_NORMAL, "from %d to %d, at %d %% CPU of the readers",
	    min, max, cpu);
	doc_pair(
	    &op->doc, "cost", ROLE_WARN, "each reader is billed as an instance: up to %d", max);
	op_add_step(op, "register", "medium", "set the limits",
	    "RegisterScalableTarget of %s; fewer than %d are filled up at once", cluster, min);
	op_add_step(op, "policy", "low", "set the policy",
	    "PutScalingPolicy; not again for %d s after adding, %d s after removing one", OUT_S,
	    IN_S);
	op->question =
	    arena_printf(&op->arena, "scale the readers of %s from %d to %d?", cluster, min, max);
	return op_fact_set(op, err, "state", "on") && op_fact_set(op, err, "min", "%d", min) &&
	    op_fact_set(op, err, "max", "%d", max) && op_fact_set(op, err, "cpu", "%d", cpu);
}

static bool
plan_replicas(struct op *op, struct aws *aws, const char *cluster, struct error *err)
{
	const struct words *w = op->words;
	bool is_off = w->n == 3 && strcmp(w->w[2].text, "off") == 0;
	int min = w->n > 3 ? (strcmp(w->w[2].text, "0") == 0 ? 0 : rds_number(w->w[2].text)) : 0;
	int max = w->n > 3 ? rds_number(w->w[3].text) : 0;
	int cpu = w->n == 6 && strcmp(w->w[4].text, "cpu") == 0 ? rds_number(w->w[5].text) :
	    w->n == 4                                           ? USUAL_CPU :
	                                                          0;

	if (!is_off && (!max || min > max || max > MOST_READERS || cpu < 1 || cpu > 99)) {
		error_set(
		    err, ERR_USAGE, "autoscaling replicas takes the least and the most of them");
		return error_hint(err, "Usage: %s; at most %d.", op->kind->usage, MOST_READERS);
	}
	if (!*cluster) {
		error_set(err, ERR_UNSUPPORTED, "%s is no Aurora cluster", op->target->name);
		return error_hint(
		    err, "Replicas of an instance are not added by load: replica add.");
	}
	op->confirm = OP_WRITES;
	return op_fact_set(op, err, "cluster", "%s", cluster) &&
	    (is_off ? plan_off(op, aws, cluster, err) :
	              plan_on(op, aws, cluster, min, max, cpu, err));
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *cluster;

	if (op->words->n > 1 && strcmp(op->words->w[1].text, "replicas") != 0) {
		error_set(err, ERR_USAGE, "'%s' is not known", op->words->w[1].text);
		return error_hint(err, "Usage: %s", op->kind->usage);
	}
	if (!rds_look(op, aws, err) || !cluster_of(op, aws, &cluster, err))
		return false;
	return op->words->n > 1 ? plan_replicas(op, aws, cluster, err) :
	                          plan_look(op, aws, cluster, err);
}

static bool
autoscaling_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

/* ------------------------------------------------------------------ run */

static bool
look_run(struct op *op, struct error *err)
{
	return rds_with(op, rds_same, err);
}

static bool
send(struct op *op, struct aws *aws, const char *name, const char *more, struct error *err)
{
	struct aws_answer answer;
	bool ok;

	if (!rds_same(op, aws, err))
		return false;
	aws_answer_init(&answer);
	/* Asked for twice it is the same. */
	ok = ask(aws, name, ask_body(op, op_fact(op, "cluster"), false, more), &answer, false,
	         err) ||
	    (strncmp(name, "Deregister", 10) == 0 &&
	        strcmp(answer.code, "ObjectNotFoundException") == 0);
	aws_answer_release(&answer);
	return ok;
}

static bool
register_with(struct op *op, struct aws *aws, struct error *err)
{
	return send(op, aws, "RegisterScalableTarget",
	    arena_printf(&op->arena, ",\"MinCapacity\":%s,\"MaxCapacity\":%s", op_fact(op, "min"),
	        op_fact(op, "max")),
	    err);
}

static bool
policy_with(struct op *op, struct aws *aws, struct error *err)
{
	return send(op, aws, "PutScalingPolicy",
	    arena_printf(&op->arena,
	        ",\"PolicyName\":\"pgmedic-cpu\",\"PolicyType\":\"TargetTrackingScaling\","
	        "\"TargetTrackingScalingPolicyConfiguration\":{\"TargetValue\":%s,"
	        "\"PredefinedMetricSpecification\":{\"PredefinedMetricType\":"
	        "\"RDSReaderAverageCPUUtilization\"},\"ScaleInCooldown\":%d,\"ScaleOutCooldown\":%d}",
	        op_fact(op, "cpu"), IN_S, OUT_S),
	    err);
}

static bool
deregister_with(struct op *op, struct aws *aws, struct error *err)
{
	return send(op, aws, "DeregisterScalableTarget", "", err);
}

static bool
register_run(struct op *op, struct error *err)
{
	return rds_with(op, register_with, err);
}

static bool
policy_run(struct op *op, struct error *err)
{
	return rds_with(op, policy_with, err);
}

static bool
deregister_run(struct op *op, struct error *err)
{
	return rds_with(op, deregister_with, err);
}

static void
raw_member(struct op *op, bool *first, const char *key)
{
	const char *value = op_fact(op, key);

	json_key(&op->result, first, key);
	strbuf_adds(&op->result, value && *value ? value : "null");
}

static bool
autoscaling_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	if (!op_fact(op, "state")) {
		raw_member(op, &first, "storage");
		raw_member(op, &first, "replicas");
		return true;
	}
	op_result_text(op, &first, "cluster", op_fact(op, "cluster"));
	op_result_text(op, &first, "state", op_fact(op, "state"));
	raw_member(op, &first, "min");
	raw_member(op, &first, "max");
	raw_member(op, &first, "cpu");
	return true;
}

static const struct op_step_def autoscaling_steps[] = {
	{ "look", NULL, look_run },
	{ "register", NULL, register_run },
	{ "policy", NULL, policy_run },
	{ "deregister", NULL, deregister_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_autoscaling = { autoscaling_plan, autoscaling_steps, autoscaling_result };
