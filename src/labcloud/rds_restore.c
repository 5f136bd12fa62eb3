/* Restores: each is pgmedic's own, beside the source, and the new instance is the server it starts.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#include "labcloud/act.h"
#include "labcloud/rds.h"

/* NAME=value in the query of a URI; "" none. */
static const char *
uri_value(struct arena *arena, const char *uri, const char *name)
{
	const char *mark = strchr(uri, '?');
	struct form form = { .arena = arena };
	const char *value = NULL;

	if (mark) {
		form_read(&form, mark + 1, strlen(mark + 1));
		value = form_get(&form, name);
	}
	form_release(&form);
	return value ? value : "";
}

static void
restore_done(struct world *w, const char *id, const struct act_answer *answer)
{
	struct instance *i = world_instance(w, id);
	const char *uri = answer->result ? json_text(json_get(answer->result, "uri")) : NULL;
	struct arena arena = { 0 };

	if (!i)
		return;
	i->act = answer->is_done && uri ? ACT_DONE : ACT_FAILED;
	snprintf(i->failure, sizeof(i->failure), "The restore has failed: %s", answer->what);
	if (i->act == ACT_DONE) {
		snprintf(i->address, sizeof(i->address), "%s", uri_value(&arena, uri, "host"));
		i->port = (int)strtol(uri_value(&arena, uri, "port"), NULL, 10);
	}
	arena_release(&arena);
}

struct instance *
rds_fresh(struct call *c, const char *parameter, const struct instance *source)
{
	struct world *w = c->world;
	bool is_cluster = source->is_cluster && strstr(parameter, "Cluster");
	const char *given = call_need(c, parameter),
	           *what = is_cluster ? "DBCluster" : "DBInstance";
	struct instance *i = is_cluster ? &w->clusters[w->nclusters] : &w->instances[w->ninstances];

	if (!given)
		return NULL;
	if (is_cluster ? w->nclusters == MAX_CLUSTERS : w->ninstances == MAX_INSTANCES) {
		call_fail(c, 400,
		    is_cluster ? "DBClusterQuotaExceededFault" : "InstanceQuotaExceeded",
		    "The lab has room for no more.");
		return NULL;
	}
	*i = (struct instance){ .created = wall_now(),
		.spec = source->spec,
		.engine = source->engine,
		.is_cluster = is_cluster };
	i->spec.is_multi_az = i->spec.is_protected = i->spec.has_insights = false;
	if (!tags_take(c, &i->tags))
		return NULL;
	if (!identifier(given, i->id)) {
		call_fail(
		    c, 400, "InvalidParameterValue", "Invalid %s identifier: %s", what, given);
		return NULL;
	}
	if (is_cluster ? world_cluster(w, i->id) : world_instance(w, i->id)) {
		call_fail(c, 400,
		    is_cluster ? "DBClusterAlreadyExistsFault" : "DBInstanceAlreadyExists",
		    "%s already exists", is_cluster ? "DB Cluster" : "DB Instance");
		return NULL;
	}
	snprintf(i->resource_id, sizeof(i->resource_id), "%s-LABRESTORE%08llX",
	    is_cluster ? "cluster" : "db", (unsigned long long)w->requests);
	return i;
}

/* By pgmedic from its label or "--at TIME", or from the folder of a snapshot. */
static bool
begin(struct call *c, struct instance *i, const char *from, struct error *err)
{
	if (strncmp(from, "snapshots/", 10) == 0)
		return rds_folder_restore(c, i, from, err);
	snprintf(i->home, sizeof(i->home), "restores/%s", i->id);
	return act_start(c->world, world_target(c->world), i->id, restore_done, err,
	    "restore %s to %s", from, i->id);
}

void
rds_restore_begin(struct call *c, struct instance *i, const char *from)
{
	const int ms = c->world->durations.snapshot_ms;
	const struct phase phases[] = { { "creating", ms, "DB instance created", "creation" },
		{ "backing-up", ms / 4, "Finished DB Instance backup", "backup" } };
	struct error err;

	if (!begin(c, i, from, &err)) {
		call_fail(c, 500, "InternalFailure", "%s", err.what);
		return;
	}
	i->act = ACT_RUNNING;
	instance_go(i, phases, 2);
	c->world->ninstances++;
	rds_answer_instance(c, i);
}

static void
restore_snapshot(struct call *c)
{
	const char *given = call_need(c, "DBSnapshotIdentifier");
	const struct snapshot *s = given ? world_snapshot(c->world, false, arn_name(given)) : NULL;
	struct instance *i;

	if (!given)
		return;
	if (!s) {
		call_fail(
		    c, 404, "DBSnapshotNotFound", "DBSnapshot %s not found.", arn_name(given));
		return;
	}
	if (strcmp(s->status, "available") != 0) {
		call_fail(c, 400, "InvalidDBSnapshotState",
		    "The snapshot %s is not in the available state.", s->id);
		return;
	}
	i = rds_fresh(c, "DBInstanceIdentifier", &c->world->instances[0]);
	if (i)
		rds_restore_begin(c, i, *s->home ? s->home : s->label);
}

const char *
rds_moment(struct call *c, const struct instance *source, const char *parameter)
{
	bool is_latest = call_bool(c, "UseLatestRestorableTime", false);
	const char *when = form_get(&c->form, parameter);
	struct wall at = { 0 };
	char text[32];

	if ((when != NULL) == is_latest || (when && !wall_parse(when, &at))) {
		call_fail(c, 400, "InvalidParameterCombination",
		    "Either UseLatestRestorableTime or %s must be given.", parameter);
		return NULL;
	}
	if (is_latest)
		at = c->world->archived;
	if (!source->data[0] || at.us > wall_now().us || at.us < source->created.us) {
		call_fail(c, 400, "InvalidParameterValue",
		    "%s cannot be restored to a time earlier than it was created or later than now.",
		    source->id);
		return NULL;
	}
	return arena_printf(&c->request->arena, "--at %s", wall_rfc3339(at, text, sizeof(text)));
}

static void
restore_time(struct call *c)
{
	const struct instance *source = rds_instance(c, "SourceDBInstanceIdentifier");
	const char *moment = source ? rds_moment(c, source, "RestoreTime") : NULL;
	struct instance *i = moment ? rds_fresh(c, "TargetDBInstanceIdentifier", source) : NULL;

	if (i)
		rds_restore_begin(c, i, moment);
}

const struct action rds_restore_actions[] = {
	{ "rds", "RestoreDBInstanceFromDBSnapshot", restore_snapshot, RDS_NAMESPACE },
	{ "rds", "RestoreDBInstanceToPointInTime", restore_time, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
