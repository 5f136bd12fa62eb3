/* What takes few words: secrets, and all that the lab does not have. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

#include "labcloud/rds.h"

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

/* What the lab does not have: lists that are empty as in an account without, and one that is asked
 * for by name is not found. */
static const struct {
	const char *action, *list, *member, *parameter, *fault, *what;
} absent[] = {
	{ "DescribeGlobalClusters", "GlobalClusters", "GlobalClusterMember",
	    "GlobalClusterIdentifier", "GlobalClusterNotFoundFault", "GlobalCluster" },
	{ "DescribePendingMaintenanceActions", "PendingMaintenanceActions",
	    "ResourcePendingMaintenanceActions", "", "", "" },
};

static void
describe_absent(struct call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
		const char *id = form_get(&c->form, absent[i].parameter);

		if (strcmp(absent[i].action, c->action) != 0)
			continue;
		if (id) {
			call_fail(c, 404, absent[i].fault, "%s %s not found.", absent[i].what, id);
			return;
		}
		w_list(&c->w, absent[i].list, absent[i].member);
		w_close(&c->w);
	}
}

/* Enhanced Monitoring is off, so its log group is not there. */
static void
no_log_group(struct call *c)
{
	call_fail(c, 400, "ResourceNotFoundException", "The specified log group does not exist.");
}

static void
describe_subnet_groups(struct call *c)
{
	const char *name = form_get(&c->form, "DBSubnetGroupName");

	if (name && strcasecmp(name, "lab") != 0) {
		call_fail(c, 404, "DBSubnetGroupNotFoundFault",
		    "DB subnet group '%s' does not exist.", name);
		return;
	}
	w_list(&c->w, "DBSubnetGroups", "DBSubnetGroup");
	w_open(&c->w, NULL);
	rds_write_subnet_group(c);
	w_close(&c->w);
	w_close(&c->w);
}

const struct action small_actions[] = {
	{ "rds", "DescribeDBSubnetGroups", describe_subnet_groups, RDS_NAMESPACE },
	{ "rds", "DescribeGlobalClusters", describe_absent, RDS_NAMESPACE },
	{ "rds", "DescribePendingMaintenanceActions", describe_absent, RDS_NAMESPACE },
	{ "logs", "GetLogEvents", no_log_group, NULL },
	{ "logs", "FilterLogEvents", no_log_group, NULL },
	{ "logs", "DescribeLogStreams", no_log_group, NULL },
	{ "secretsmanager", "GetSecretValue", get_secret_value, NULL },
	{ NULL, NULL, NULL, NULL },
};
