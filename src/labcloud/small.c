/* Services of which one or two calls are used: secrets, the autoscaling of a cluster. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

#include "labcloud/call.h"

/* The password of the lab's superuser, as RDS keeps a master user's. */
static void
get_secret_value(struct call *c)
{
	const char *id = call_need(c, "SecretId"), *at = id ? strstr(id, "rds!db-") : NULL;
	const struct instance *i = at ? world_instance(c->world, at + 7) : NULL;
	struct strbuf text = STRBUF_INIT(4096);
	bool first = true;

	if (!i) {
		if (id)
			call_fail(c, 400, "ResourceNotFoundException",
			    "Secrets Manager can't find the specified secret.");
		return;
	}
	strbuf_addc(&text, '{');
	json_key(&text, &first, "username");
	json_str(&text, "lab", 3);
	json_key(&text, &first, "password");
	json_str(&text, c->world->options.password, strlen(c->world->options.password));
	strbuf_addc(&text, '}');
	w_text(&c->w, "ARN",
	    arena_printf(&c->request->arena, "arn:aws:secretsmanager:%s:%s:secret:rds!db-%s",
	        c->world->options.region, c->world->options.account, i->id));
	w_text(&c->w, "Name", arena_printf(&c->request->arena, "rds!db-%s", i->id));
	w_text(&c->w, "VersionId", "00000000-1ab0-4000-8000-000000000001");
	w_text(&c->w, "SecretString", text.buf);
	w_list(&c->w, "VersionStages", "member");
	w_text(&c->w, NULL, "AWSCURRENT");
	w_close(&c->w);
	w_time(&c->w, "CreatedDate", i->created);
	strbuf_release(&text);
}

/* The lab has no Aurora cluster, and only those scale: the lists are empty, as they are for an
 * account without one. */
static void
empty_list(struct call *c, const char *name)
{
	const char *namespace = call_need(c, "ServiceNamespace");

	if (!namespace)
		return;
	if (strcmp(namespace, "rds") != 0) {
		call_fail(
		    c, 400, "ValidationException", "Unsupported service namespace %s", namespace);
		return;
	}
	w_list(&c->w, name, "member");
	w_close(&c->w);
}

static void
describe_scalable_targets(struct call *c)
{
	empty_list(c, "ScalableTargets");
}

static void
describe_scaling_policies(struct call *c)
{
	empty_list(c, "ScalingPolicies");
}

static void
describe_scaling_activities(struct call *c)
{
	empty_list(c, "ScalingActivities");
}

const struct action small_actions[] = {
	{ "secretsmanager", "GetSecretValue", get_secret_value, NULL },
	{ "application-autoscaling", "DescribeScalableTargets", describe_scalable_targets, NULL },
	{ "application-autoscaling", "DescribeScalingPolicies", describe_scaling_policies, NULL },
	{ "application-autoscaling", "DescribeScalingActivities", describe_scaling_activities,
	    NULL },
	{ NULL, NULL, NULL, NULL },
};
