#include "config.h"

#include "ops/rds_group.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct rds_group_noun of_instances = { "DBParameterGroupName", "DescribeDBParameters",
	"ModifyDBParameterGroup", "ResetDBParameterGroup", "DBInstances" };
static const struct rds_group_noun of_clusters = { "DBClusterParameterGroupName",
	"DescribeDBClusterParameters", "ModifyDBClusterParameterGroup",
	"ResetDBClusterParameterGroup", "DBClusters" };

static const char *
keep(struct op *op, const struct xml *x, const char *path)
{
	return arena_strdup(&op->arena, xml_text(x, path));
}

/* ------------------------------------------------------------------ the group */

/* The status of the cluster's group is said for each member: the worst counts. */
static const char *
status_of_members(struct op *op, const struct xml *cluster)
{
	const struct xml *m = xml_get(cluster, "DBClusterMembers");
	const char *status = "";

	for (m = m ? m->child : NULL; m; m = m->next) {
		const char *one = xml_text(m, "DBClusterParameterGroupStatus");

		if (!*status || strcmp(one, "in-sync") != 0)
			status = keep(op, m, "DBClusterParameterGroupStatus");
	}
	return status;
}

bool
rds_group_of(struct op *op, struct aws *aws, struct rds_group *g, struct error *err)
{
	bool is_cluster = *op->target->cluster != 0;
	const char *id = rds_source_id(op, err);
	struct aws_param params[] = {
		{ is_cluster ? "DBClusterIdentifier" : "DBInstanceIdentifier", id }, { NULL, NULL }
	};
	struct aws_call call = { .service = AWS_RDS,
		.op = is_cluster ? "DescribeDBClusters" : "DescribeDBInstances",
		.params = params };
	struct aws_answer answer;
	const struct xml *x;
	bool ok;

	if (!id)
		return false;
	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	x = xml_get(answer.xml, is_cluster ? "DBClusters/DBCluster" : "DBInstances/DBInstance");
	*g = (struct rds_group){ .noun = is_cluster ? &of_clusters : &of_instances };
	if (is_cluster) {
		g->name = keep(op, x, "DBClusterParameterGroup");
		g->status = status_of_members(op, x);
	} else {
		x = xml_get(x, "DBParameterGroups/DBParameterGroup");
		g->name = keep(op, x, "DBParameterGroupName");
		g->status = keep(op, x, "ParameterApplyStatus");
	}
	aws_answer_release(&answer);
	if (ok && !*g->name)
		ok = error_set(err, ERR_STATE, "%s names no parameter group", id);
	return ok;
}

struct users {
	struct op *op;
	struct rds_group *g;
	const char *self;
};

static bool
take_users(const struct aws_answer *answer, void *arg, struct error *err)
{
	struct users *u = arg;
	bool is_cluster = u->g->noun == &of_clusters;
	const struct xml *x = xml_get(answer->xml, u->g->noun->list);

	(void)err;
	for (x = x ? x->child : NULL; x && u->g->nusers < GROUP_USERS; x = x->next) {
		const char *id =
		    xml_text(x, is_cluster ? "DBClusterIdentifier" : "DBInstanceIdentifier");
		const char *name = xml_text(x,
		    is_cluster ? "DBClusterParameterGroup" :
		                 "DBParameterGroups/DBParameterGroup/DBParameterGroupName");

		if (strcmp(name, u->g->name) == 0 && strcasecmp(id, u->self) != 0)
			u->g->users[u->g->nusers++] = arena_strdup(&u->op->arena, id);
	}
	return true;
}

bool
rds_group_users(struct op *op, struct aws *aws, struct rds_group *g, struct error *err)
{
	struct aws_call call = { .service = AWS_RDS,
		.op = g->noun == &of_clusters ? "DescribeDBClusters" : "DescribeDBInstances" };
	struct users u = { op, g, rds_source_id(op, err) };

	return u.self && aws_pages(aws, &call, take_users, &u, err);
}

/* ------------------------------------------------------------------ its parameters */

struct search {
	struct op *op;
	const char *name;
	struct rds_parameter *out;
};

static bool
take_parameters(const struct aws_answer *answer, void *arg, struct error *err)
{
	struct search *s = arg;
	const struct xml *x = xml_get(answer->xml, "Parameters");

	(void)err;
	for (x = x ? x->child : NULL; x; x = x->next) {
		const char *source = xml_text(x, "Source");

		s->out->is_whole |=
		    strcmp(source, "engine-default") == 0 || strcmp(source, "system") == 0;
		if (strcasecmp(xml_text(x, "ParameterName"), s->name) != 0)
			continue;
		s->out->is_there = true;
		s->out->is_modifiable =
		    !*xml_text(x, "IsModifiable") || xml_true(x, "IsModifiable");
		s->out->name = keep(s->op, x, "ParameterName");
		s->out->value = keep(s->op, x, "ParameterValue");
		s->out->source = keep(s->op, x, "Source");
		s->out->apply_type = keep(s->op, x, "ApplyType");
		s->out->data_type = keep(s->op, x, "DataType");
		s->out->allowed = keep(s->op, x, "AllowedValues");
		s->out->about = keep(s->op, x, "Description");
	}
	return true;
}

bool
rds_parameter_get(struct op *op, struct aws *aws, const struct rds_group *g, const char *name,
    struct rds_parameter *out, struct error *err)
{
	struct aws_param params[] = { { g->noun->group, g->name }, { NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS, .op = g->noun->describe, .params = params };
	struct search s = { op, name, out };

	*out = (struct rds_parameter){ .is_modifiable = true,
		.name = name,
		.value = "",
		.source = "",
		.apply_type = "",
		.data_type = "",
		.allowed = "",
		.about = "" };
	return aws_pages(aws, &call, take_parameters, &s, err);
}

/* One of a list: "a", "1-100", "-1-2147483647". */
static bool
is_in_part(const char *part, size_t len, const char *value)
{
	char text[128], *dash, *end;
	double n, low, high;

	if (len >= sizeof(text))
		return true;
	memcpy(text, part, len);
	text[len] = 0;
	if (strcasecmp(text, value) == 0)
		return true;
	dash = strchr(text + 1, '-');
	n = strtod(value, &end);
	if (!dash || end == value || *end)
		return false;
	*dash = 0;
	low = strtod(text, NULL);
	high = strtod(dash + 1, NULL);
	return n >= low && n <= high;
}

bool
rds_allowed(const char *allowed, const char *value)
{
	if (!*allowed || strchr(value, '{') || strchr(value, '('))
		return true;
	while (*allowed) {
		size_t len = strcspn(allowed, ",");

		if (is_in_part(allowed, len, value))
			return true;
		allowed += len;
		allowed += strspn(allowed, ", ");
	}
	return false;
}
