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

/* A new instance like `source`, not yet counted; NULL and failed. */
static struct instance *
fresh(struct call *c, const char *parameter, const struct instance *source)
{
	const char *given = call_need(c, parameter);
	struct instance *i = &c->world->instances[c->world->ninstances];

	if (!given)
		return NULL;
	if (c->world->ninstances == MAX_INSTANCES) {
		call_fail(c, 400, "InstanceQuotaExceeded", "The lab has room for %d instances.",
		    MAX_INSTANCES);
		return NULL;
	}
	*i = (struct instance){ .created = wall_now(), .spec = source->spec };
	i->spec.is_multi_az = i->spec.is_protected = i->spec.has_insights = false;
	if (form_get(&c->form, "Tags.Tag.1.Key") && form_get(&c->form, "Tags.Tag.1.Value")) {
		snprintf(
		    i->tag_key, sizeof(i->tag_key), "%s", form_get(&c->form, "Tags.Tag.1.Key"));
		snprintf(i->tag_value, sizeof(i->tag_value), "%s",
		    form_get(&c->form, "Tags.Tag.1.Value"));
	}
	if (!identifier(given, i->id)) {
		call_fail(
		    c, 400, "InvalidParameterValue", "Invalid DB instance identifier: %s", given);
		return NULL;
	}
	if (world_instance(c->world, i->id)) {
		call_fail(c, 400, "DBInstanceAlreadyExists", "DB Instance already exists");
		return NULL;
	}
	snprintf(i->resource_id, sizeof(i->resource_id), "db-LABRESTORE%08llX",
	    (unsigned long long)c->world->requests);
	return i;
}

static void
begin(struct call *c, struct instance *i, const char *line)
{
	const int ms = c->world->durations.snapshot_ms;
	const struct phase phases[] = { { "creating", ms, "DB instance created", "creation" },
		{ "backing-up", ms / 4, "Finished DB Instance backup", "backup" } };
	struct error err;

	if (!act_start(c->world, "lab", i->id, restore_done, &err, "%s", line)) {
		call_fail(c, 500, "InternalFailure", "%s", err.what);
		return;
	}
	i->act = ACT_RUNNING;
	instance_go(i, phases, 2);
	c->world->ninstances++;
	w_open(&c->w, "DBInstance");
	rds_write_instance(c, i);
	w_close(&c->w);
}

static void
restore_snapshot(struct call *c)
{
	const char *given = call_need(c, "DBSnapshotIdentifier");
	const struct snapshot *s = given ? world_snapshot(c->world, arn_name(given)) : NULL;
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
	i = fresh(c, "DBInstanceIdentifier", &c->world->instances[0]);
	if (i)
		begin(c, i, arena_printf(&c->request->arena, "restore %s to %s", s->label, i->id));
}

static void
restore_time(struct call *c)
{
	const struct instance *source = rds_instance(c, "SourceDBInstanceIdentifier");
	const char *when = form_get(&c->form, "RestoreTime");
	struct wall at = { 0 };
	struct instance *i;
	char text[32];

	if (!source)
		return;
	if (!when && call_bool(c, "UseLatestRestorableTime", false)) {
		call_fail(c, 501, "NotImplemented",
		    "The lab's cloud restores to a RestoreTime, and not to the latest one.");
		return;
	}
	if (!when || !wall_parse(when, &at)) {
		call_fail(c, 400, "InvalidParameterCombination",
		    "Either UseLatestRestorableTime or RestoreTime must be given.");
		return;
	}
	if (strcmp(source->data, "primary") != 0 || at.us > wall_now().us ||
	    at.us < source->created.us) {
		call_fail(c, 400, "InvalidParameterValue",
		    "The specified instance cannot be restored to a time earlier than it was created or later than now.");
		return;
	}
	i = fresh(c, "TargetDBInstanceIdentifier", source);
	if (i)
		begin(c, i,
		    arena_printf(&c->request->arena, "restore --at %s to %s",
		        wall_rfc3339(at, text, sizeof(text)), i->id));
}

const struct action rds_restore_actions[] = {
	{ "rds", "RestoreDBInstanceFromDBSnapshot", restore_snapshot, RDS_NAMESPACE },
	{ "rds", "RestoreDBInstanceToPointInTime", restore_time, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
