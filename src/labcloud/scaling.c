/*
 * application-autoscaling: targets, policies and activities. The least number of readers is really
 * made: where a cluster has fewer, one after the other is added, a standby of its own. Policies are
 * kept and told; what they would do by the load is not done: it is the load of one machine.
 */
#include "config.h"

#include "labcloud/scaling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labcloud/rds.h"

enum { MAX_POLICIES = 8, MAX_ACTIVITIES = 20, AGAIN_S = 60 };
#define READERS "rds:cluster:ReadReplicaCount"

struct policy {
	char name[256], metric[64];
	double value;
	int in_s, out_s;
	bool keeps; /* does not scale in */
	struct wall created;
};

struct activity {
	char resource[ID_SIZE + 16], instance[ID_SIZE], message[300];
	int number, wanted;
	const char *state;
	struct wall begin, end;
};

struct scalable {
	char resource[ID_SIZE + 16]; /* "cluster:aurora" */
	int min, max;
	struct wall created;
	struct mono failed; /* 0: the last reader came to be */
	struct policy policies[MAX_POLICIES];
	int npolicies;
};

struct scaling {
	struct scalable targets[MAX_CLUSTERS];
	int ntargets;
	struct activity activities[MAX_ACTIVITIES]; /* a ring */
	int nactivities;                            /* ever */
};

static struct scaling *
scaling(struct world *w)
{
	if (!w->scaling)
		w->scaling = xcalloc(1, sizeof(*w->scaling));
	return w->scaling;
}

/* ---- doing it */

static int
readers_of(const struct world *w, const char *cluster)
{
	int n = 0;

	for (int i = 0; i < w->ninstances; i++)
		n += strcmp(w->instances[i].cluster, cluster) == 0 &&
		    strcmp(w->instances[i].status, "deleting") != 0 &&
		    strcmp(w->instances[i].status, "restore-error") != 0;
	return n - 1;
}

static struct activity *
under_way(struct scaling *s, const char *resource)
{
	for (int i = 0; i < MAX_ACTIVITIES; i++)
		if (s->activities[i].state && strcmp(s->activities[i].state, "InProgress") == 0 &&
		    strcmp(s->activities[i].resource, resource) == 0)
			return &s->activities[i];
	return NULL;
}

static void
end_activity(struct scalable *t, struct activity *a, const char *state, const char *message)
{
	a->state = state;
	a->end = wall_now();
	snprintf(a->message, sizeof(a->message), "%s", message);
	if (strcmp(state, "Failed") == 0)
		t->failed = mono_now();
}

static void
watch(struct world *w, struct scalable *t, struct activity *a)
{
	const struct instance *i = world_instance(w, a->instance);

	if (!i)
		end_activity(t, a, "Failed", "The instance was deleted.");
	else if (strcmp(i->status, "restore-error") == 0)
		end_activity(t, a, "Failed", i->failure);
	else if (strcmp(i->status, "available") == 0)
		end_activity(t, a, "Successful", "Successfully set the number of readers.");
}

static void
add_reader(struct world *w, struct scaling *s, struct scalable *t, struct instance *cluster)
{
	struct activity *a = &s->activities[s->nactivities++ % MAX_ACTIVITIES];
	struct error err = { 0 };

	*a = (struct activity){ .number = s->nactivities,
		.wanted = readers_of(w, cluster->id) + 1,
		.state = "InProgress",
		.begin = wall_now() };
	snprintf(a->resource, sizeof(a->resource), "%s", t->resource);
	snprintf(a->instance, sizeof(a->instance),
	    "application-autoscaling-00000000-1ab0-4000-8000-%012x", (unsigned)s->nactivities);
	if (!rds_reader_begin(w, cluster, a->instance, &err))
		end_activity(t, a, "Failed", err.what);
}

void
scaling_tick(struct world *w)
{
	struct scaling *s = scaling(w);

	for (int i = 0; i < s->ntargets; i++) {
		struct scalable *t = &s->targets[i];
		struct instance *cluster = world_cluster(w, strchr(t->resource, ':') + 1);
		struct activity *a = under_way(s, t->resource);

		if (a)
			watch(w, t, a);
		else if (cluster && readers_of(w, cluster->id) < t->min &&
		    (!t->failed.us || mono_since_ms(mono_now(), t->failed) > AGAIN_S * 1000))
			add_reader(w, s, t, cluster);
	}
}

/* ---- what is asked for */

/* Service and dimension are those of readers; failed when they are not. */
static bool
is_readers(struct call *c, bool needs_dimension)
{
	const char *service = call_need(c, "ServiceNamespace"),
	           *dimension = form_get(&c->form, "ScalableDimension");

	if (!service)
		return false;
	if (strcmp(service, "rds") != 0)
		return call_fail(
		    c, 400, "ValidationException", "Unsupported service namespace %s", service);
	if (needs_dimension && !call_need(c, "ScalableDimension"))
		return false;
	return !dimension || strcmp(dimension, READERS) == 0 ||
	    call_fail(c, 400, "ValidationException",
	        "Unsupported service namespace, resource type or scalable dimension");
}

static struct scalable *
find(struct scaling *s, const char *resource)
{
	for (int i = 0; resource && i < s->ntargets; i++)
		if (strcmp(s->targets[i].resource, resource) == 0)
			return &s->targets[i];
	return NULL;
}

/* The target that a call names; NULL and failed. */
static struct scalable *
target_of(struct call *c)
{
	const char *resource = is_readers(c, true) ? call_need(c, "ResourceId") : NULL;
	struct scalable *t = find(scaling(c->world), resource);

	if (resource && !t)
		call_fail(c, 400, "ObjectNotFoundException",
		    "No scalable target found for service namespace: rds, resource ID: %s, scalable dimension: " READERS,
		    resource);
	return t;
}

static const char *
arn(struct call *c, const char *type, const char *rest)
{
	return arena_printf(&c->request->arena, "arn:aws:%s:%s:%s:%s",
	    strcmp(type, "target") == 0 ? "application-autoscaling" : "autoscaling",
	    c->world->options.region, c->world->options.account, rest);
}

static const char *
target_arn(struct call *c, const struct scalable *t)
{
	unsigned at = (unsigned)(t - scaling(c->world)->targets);

	return arn(c, "target",
	    arena_printf(&c->request->arena, "scalable-target/0ec51ab0000000000000%08x", at));
}

/* ---- targets */

static void
register_target(struct call *c)
{
	struct scaling *s = scaling(c->world);
	const char *resource = is_readers(c, true) ? call_need(c, "ResourceId") : NULL;
	struct scalable *t = find(s, resource);
	int min = t ? t->min : -1, max = t ? t->max : -1;

	if (!resource || !call_int(c, "MinCapacity", 0, 15, &min) ||
	    !call_int(c, "MaxCapacity", 0, 15, &max))
		return;
	if (min < 0 || max < min) {
		call_fail(c, 400, "ValidationException",
		    "MinCapacity and MaxCapacity must be given, the first not above the second");
		return;
	}
	if (strncmp(resource, "cluster:", 8) != 0 || !world_cluster(c->world, resource + 8)) {
		call_fail(c, 400, "ValidationException", "DB cluster does not exist: %s", resource);
		return;
	}
	if (!t) {
		if (s->ntargets == MAX_CLUSTERS) {
			call_fail(
			    c, 400, "LimitExceededException", "The lab has room for no more.");
			return;
		}
		t = &s->targets[s->ntargets++];
		*t = (struct scalable){ .created = wall_now() };
		snprintf(t->resource, sizeof(t->resource), "%s", resource);
	}
	t->min = min;
	t->max = max;
	t->failed.us = 0;
	w_text(&c->w, "ScalableTargetARN", target_arn(c, t));
}

static void
deregister_target(struct call *c)
{
	struct scaling *s = scaling(c->world);
	struct scalable *t = target_of(c);

	if (!t)
		return;
	for (int i = 0; i < MAX_ACTIVITIES; i++)
		if (s->activities[i].state && strcmp(s->activities[i].state, "InProgress") == 0 &&
		    strcmp(s->activities[i].resource, t->resource) == 0)
			end_activity(
			    t, &s->activities[i], "Overridden", "The target was deregistered.");
	*t = s->targets[--s->ntargets];
}

static bool
is_named(struct call *c, const char *list, const char *value)
{
	const char *given = form_getf(&c->form, "%s.member.1", list);

	if (!given)
		return true;
	for (int n = 1; given; given = form_getf(&c->form, "%s.member.%d", list, ++n))
		if (strcmp(given, value) == 0)
			return true;
	return false;
}

static void
describe_targets(struct call *c)
{
	const struct scaling *s = scaling(c->world);

	if (!is_readers(c, false))
		return;
	w_list(&c->w, "ScalableTargets", "member");
	for (int i = 0; i < s->ntargets; i++) {
		const struct scalable *t = &s->targets[i];

		if (!is_named(c, "ResourceIds", t->resource))
			continue;
		w_open(&c->w, NULL);
		w_text(&c->w, "ServiceNamespace", "rds");
		w_text(&c->w, "ResourceId", t->resource);
		w_text(&c->w, "ScalableDimension", READERS);
		w_int(&c->w, "MinCapacity", t->min);
		w_int(&c->w, "MaxCapacity", t->max);
		w_text(&c->w, "RoleARN",
		    arena_printf(&c->request->arena,
		        "arn:aws:iam::%s:role/aws-service-role/rds.application-autoscaling.amazonaws.com/"
		        "AWSServiceRoleForApplicationAutoScaling_RDSCluster",
		        c->world->options.account));
		w_time(&c->w, "CreationTime", t->created);
		w_text(&c->w, "ScalableTargetARN", target_arn(c, t));
		w_close(&c->w);
	}
	w_close(&c->w);
}

/* ---- policies */

static double
number(const struct call *c, const char *name, double other)
{
	const char *text = form_getf(&c->form, "TargetTrackingScalingPolicyConfiguration.%s", name);

	return text ? strtod(text, NULL) : other;
}

static bool
read_policy(struct call *c, struct policy *p)
{
	const char *name = call_need(c, "PolicyName"), *type = form_get(&c->form, "PolicyType"),
	           *metric = form_get(&c->form,
	               "TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification."
	               "PredefinedMetricType"),
	           *keeps = form_get(
	               &c->form, "TargetTrackingScalingPolicyConfiguration.DisableScaleIn");

	if (!name)
		return false;
	if (!type || strcmp(type, "TargetTrackingScaling") != 0 || !metric || strlen(name) > 255 ||
	    (strcmp(metric, "RDSReaderAverageCPUUtilization") != 0 &&
	        strcmp(metric, "RDSReaderAverageDatabaseConnections") != 0))
		return call_fail(c, 400, "ValidationException",
		    "The lab takes policies of target tracking with a predefined metric of RDS.");
	*p = (struct policy){ .value = number(c, "TargetValue", 0),
		.in_s = (int)number(c, "ScaleInCooldown", 300),
		.out_s = (int)number(c, "ScaleOutCooldown", 300),
		.keeps = keeps && strcmp(keeps, "true") == 0,
		.created = wall_now() };
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->metric, sizeof(p->metric), "%s", metric);
	return p->value > 0 ||
	    call_fail(c, 400, "ValidationException", "The TargetValue must be above zero.");
}

static const char *
policy_arn(struct call *c, const struct scalable *t, const struct policy *p)
{
	return arn(c, "policy",
	    arena_printf(&c->request->arena,
	        "scalingPolicy:00000000-1ab0-4000-8000-000000000000:resource/rds/%s:policyName/%s",
	        t->resource, p->name));
}

static void
put_policy(struct call *c)
{
	struct scalable *t = target_of(c);
	struct policy given;
	int i = 0;

	if (!t || !read_policy(c, &given))
		return;
	while (i < t->npolicies && strcmp(t->policies[i].name, given.name) != 0)
		i++;
	if (i == MAX_POLICIES) {
		call_fail(c, 400, "LimitExceededException", "The lab has room for no more.");
		return;
	}
	if (i < t->npolicies)
		given.created = t->policies[i].created;
	else
		t->npolicies++;
	t->policies[i] = given;
	w_text(&c->w, "PolicyARN", policy_arn(c, t, &given));
	w_list(&c->w, "Alarms", "member");
	w_close(&c->w);
}

static void
write_policy(struct call *c, const struct scalable *t, const struct policy *p)
{
	struct writer *w = &c->w;

	w_open(w, NULL);
	w_text(w, "PolicyARN", policy_arn(c, t, p));
	w_text(w, "PolicyName", p->name);
	w_text(w, "ServiceNamespace", "rds");
	w_text(w, "ResourceId", t->resource);
	w_text(w, "ScalableDimension", READERS);
	w_text(w, "PolicyType", "TargetTrackingScaling");
	w_open(w, "TargetTrackingScalingPolicyConfiguration");
	w_num(w, "TargetValue", p->value);
	w_open(w, "PredefinedMetricSpecification");
	w_text(w, "PredefinedMetricType", p->metric);
	w_close(w);
	w_int(w, "ScaleOutCooldown", p->out_s);
	w_int(w, "ScaleInCooldown", p->in_s);
	w_bool(w, "DisableScaleIn", p->keeps);
	w_close(w);
	w_list(w, "Alarms", "member");
	w_close(w);
	w_time(w, "CreationTime", p->created);
	w_close(w);
}

/* Is it the resource that is asked for, where one is? */
static bool
is_meant(const struct call *c, const char *resource)
{
	const char *wanted = form_get(&c->form, "ResourceId");

	return !wanted || strcmp(wanted, resource) == 0;
}

static void
describe_policies(struct call *c)
{
	const struct scaling *s = scaling(c->world);

	if (!is_readers(c, false))
		return;
	w_list(&c->w, "ScalingPolicies", "member");
	for (int i = 0; i < s->ntargets; i++)
		for (int p = 0; p < s->targets[i].npolicies; p++)
			if (is_meant(c, s->targets[i].resource) &&
			    is_named(c, "PolicyNames", s->targets[i].policies[p].name))
				write_policy(c, &s->targets[i], &s->targets[i].policies[p]);
	w_close(&c->w);
}

/* ---- activities */

static void
write_activity(struct call *c, const struct activity *a)
{
	struct arena *arena = &c->request->arena;

	w_open(&c->w, NULL);
	w_text(&c->w, "ActivityId",
	    arena_printf(arena, "00000000-1ab0-4000-8000-%012x", (unsigned)a->number));
	w_text(&c->w, "ServiceNamespace", "rds");
	w_text(&c->w, "ResourceId", a->resource);
	w_text(&c->w, "ScalableDimension", READERS);
	w_text(&c->w, "Description",
	    arena_printf(arena, "Setting the number of readers to %d.", a->wanted));
	w_text(&c->w, "Cause",
	    arena_printf(arena, "the least number of readers is above %d", a->wanted - 1));
	w_time(&c->w, "StartTime", a->begin);
	w_time(&c->w, "EndTime", a->end);
	w_text(&c->w, "StatusCode", a->state);
	w_text(&c->w, "StatusMessage", *a->message ? a->message : NULL);
	w_close(&c->w);
}

/* The newest first. */
static void
describe_activities(struct call *c)
{
	const struct scaling *s = scaling(c->world);
	int most = 50;

	if (!is_readers(c, false) || !call_int(c, "MaxResults", 1, 50, &most))
		return;
	w_list(&c->w, "ScalingActivities", "member");
	for (int n = s->nactivities; n > 0 && n > s->nactivities - MAX_ACTIVITIES; n--) {
		const struct activity *a = &s->activities[(n - 1) % MAX_ACTIVITIES];

		if (is_meant(c, a->resource) && most-- > 0)
			write_activity(c, a);
	}
	w_close(&c->w);
}

const struct action scaling_actions[] = {
	{ "application-autoscaling", "RegisterScalableTarget", register_target, NULL },
	{ "application-autoscaling", "DeregisterScalableTarget", deregister_target, NULL },
	{ "application-autoscaling", "DescribeScalableTargets", describe_targets, NULL },
	{ "application-autoscaling", "PutScalingPolicy", put_policy, NULL },
	{ "application-autoscaling", "DescribeScalingPolicies", describe_policies, NULL },
	{ "application-autoscaling", "DescribeScalingActivities", describe_activities, NULL },
	{ NULL, NULL, NULL, NULL },
};
