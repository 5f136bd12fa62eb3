/*
 * Parameter groups: "lab", and "default.postgresN", which cannot be changed; for clusters the same
 * once more, as "lab" and "default.aurora-postgresqlN", which set the same server. The lab's server
 * is what knows the parameters, and what is changed in "lab" is set there by pgmedic's own `set`,
 * one after the other, since one job acts on a target.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/rowset.h"
#include "pg/sync.h"

#include "labcloud/act.h"
#include "labcloud/parameter.h"
#include "labcloud/rds.h"

enum { MAX_CHANGES = 200, QUERY_MS = 3000, MOST_PARAMETERS = 20, AGAIN_MS = 300 };

enum change_state {
	CHANGE_DEFERRED, /* until the next restart */
	CHANGE_WAITS,
	CHANGE_RUNS,
	CHANGE_DONE,
	CHANGE_FAILED
};

struct change {
	char name[64], value[512];
	bool is_reset;   /* to the default */
	bool is_pending; /* done, and the server waits for a restart */
	struct mono not_before;
	enum change_state state;
};

struct parameters {
	struct change items[MAX_CHANGES];
	int n;
};

static struct parameters *
parameters(struct world *w)
{
	if (!w->parameters)
		w->parameters = xcalloc(1, sizeof(*w->parameters));
	return w->parameters;
}

/* ---- doing it */

static void
change_done(struct world *w, const char *id, const struct act_answer *answer)
{
	const char *state = json_text(json_get(answer->result, "state"));

	for (int i = 0; i < parameters(w)->n; i++) {
		struct change *c = &w->parameters->items[i];

		if (strcmp(c->name, id) != 0 || c->state != CHANGE_RUNS)
			continue;
		/* A snapshot may be under way, and one job acts on a target; and what is so already
		 * is no failure. */
		if (!answer->is_done && strstr(answer->what, "job ")) {
			c->state = CHANGE_WAITS;
			c->not_before.us = mono_now().us + AGAIN_MS * 1000;
			continue;
		}
		c->state = answer->is_done || strstr(answer->what, "already") ? CHANGE_DONE :
		                                                                CHANGE_FAILED;
		c->is_pending = state && strcmp(state, "pending_restart") == 0;
		if (c->state == CHANGE_FAILED)
			world_event(w, "db-parameter-group", "lab", "configuration change",
			    "%s could not be set: %.200s", c->name, answer->what);
	}
}

/* As a word of the prompt's language. */
static void
quote(struct strbuf *out, const char *text)
{
	strbuf_addc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *text);
	}
	strbuf_addc(out, '"');
}

void
parameter_tick(struct world *w)
{
	struct parameters *p = parameters(w);
	struct change *next = NULL;
	struct strbuf line = STRBUF_INIT(2048);
	struct error err;

	for (int i = 0; i < p->n; i++) {
		if (p->items[i].state == CHANGE_RUNS)
			return;
		if (!next && p->items[i].state == CHANGE_WAITS &&
		    mono_now().us >= p->items[i].not_before.us)
			next = &p->items[i];
	}
	if (!next)
		return;
	strbuf_addf(&line, "set %s ", next->name);
	if (next->is_reset)
		strbuf_adds(&line, "DEFAULT");
	else
		quote(&line, next->value);
	next->state = act_start(w, "lab", next->name, change_done, &err, "%s", line.buf) ?
	    CHANGE_RUNS :
	    CHANGE_FAILED;
	strbuf_release(&line);
}

static bool
has_group(const struct instance *i)
{
	return strcmp(i->spec.parameter_group, "lab") == 0 && strcmp(i->data, "primary") == 0;
}

const char *
parameter_status(const struct world *w, const struct instance *i)
{
	const char *status = "in-sync";

	if (!w->parameters || !has_group(i))
		return status;
	for (int k = 0; k < w->parameters->n; k++) {
		const struct change *c = &w->parameters->items[k];

		if (c->state == CHANGE_WAITS || c->state == CHANGE_RUNS)
			return "applying";
		if (c->state == CHANGE_DEFERRED || c->is_pending)
			status = "pending-reboot";
	}
	return status;
}

void
parameter_rebooted(struct world *w, const struct instance *i)
{
	for (int k = 0; has_group(i) && k < parameters(w)->n; k++) {
		struct change *c = &w->parameters->items[k];

		c->is_pending = false;
		if (c->state == CHANGE_DEFERRED)
			c->state = CHANGE_WAITS;
	}
}

/* ---- describing */

static struct rowset *
ask_server(struct call *c)
{
	struct error err = { 0 };
	char conninfo[700];
	struct rowset *rows = NULL;
	struct pg_sync *pg;

	snprintf(conninfo, sizeof(conninfo), "host='%s/socket' port=%d user=lab dbname=shop",
	    c->world->options.directory, c->world->options.primary_port);
	pg = pg_sync_open(conninfo, NULL, &err);
	if (pg)
		rows = pg_sync_run(pg, "lab_parameters", NULL, 0, QUERY_MS, &err);
	pg_sync_close(pg);
	if (!rows)
		call_fail(c, 500, "InternalFailure", "The lab's server: %s", err.what);
	return rows;
}

static const char *
text(struct call *c, const struct rowset *rows, int row, const char *column)
{
	const struct cell *cell = rowset_get(rows, row, column);

	return cell->type == CELL_TEXT ? arena_strndup(&c->request->arena, cell->s, cell->len) : "";
}

/* What RDS keeps for itself. */
static bool
is_kept(const char *name)
{
	static const char *const names[] = { "archive_command", "archive_mode", "config_file",
		"data_directory", "external_pid_file", "fsync", "full_page_writes", "hba_file",
		"ident_file", "listen_addresses", "logging_collector", "port", "primary_conninfo",
		"primary_slot_name", "restore_command", "ssl_cert_file", "ssl_key_file",
		"unix_socket_directories", "wal_level", NULL };

	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static const char *
data_type(const char *vartype)
{
	return strcmp(vartype, "bool") == 0 ? "boolean" :
	    strcmp(vartype, "integer") == 0 ? "integer" :
	    strcmp(vartype, "real") == 0    ? "float" :
	                                      "string";
}

static const char *
allowed(struct call *c, const struct rowset *rows, int row)
{
	const char *type = text(c, rows, row, "vartype");

	if (strcmp(type, "bool") == 0)
		return "0,1";
	if (strcmp(type, "enum") == 0)
		return text(c, rows, row, "enumvals");
	if (strcmp(type, "string") == 0)
		return NULL;
	return arena_printf(&c->request->arena, "%s-%s", text(c, rows, row, "min_val"),
	    text(c, rows, row, "max_val"));
}

static const struct change *
set_in_group(const struct world *w, const char *name)
{
	for (int i = 0; w->parameters && i < w->parameters->n; i++)
		if (strcmp(w->parameters->items[i].name, name) == 0 &&
		    !w->parameters->items[i].is_reset)
			return &w->parameters->items[i];
	return NULL;
}

static bool
of_cluster(const struct call *c)
{
	return strstr(c->action, "DBCluster") != NULL;
}

/* The parameter of a call, and the member of an answer, that name a group. */
static const char *
group_key(const struct call *c)
{
	return of_cluster(c) ? "DBClusterParameterGroupName" : "DBParameterGroupName";
}

static const char *
default_group(struct call *c)
{
	return arena_printf(&c->request->arena, "default.%spostgres%s%.*s",
	    of_cluster(c) ? "aurora-" : "", of_cluster(c) ? "ql" : "",
	    (int)strcspn(c->world->options.version, "."), c->world->options.version);
}

/* The name of a group that is there, as it is written; NULL and failed. */
static const char *
group_of(struct call *c)
{
	const char *given = call_need(c, group_key(c));
	const char *other = default_group(c);

	if (!given)
		return NULL;
	if (strcasecmp(given, "lab") == 0)
		return "lab";
	if (strcasecmp(given, other) == 0)
		return other;
	call_fail(c, 404, "DBParameterGroupNotFound", "%s not found: %s",
	    of_cluster(c) ? "DBClusterParameterGroup" : "DBParameterGroup", given);
	return NULL;
}

static void
write_parameter(struct call *c, const struct rowset *rows, int row, bool is_own)
{
	const char *name = text(c, rows, row, "name"), *unit = text(c, rows, row, "unit");
	const char *type = text(c, rows, row, "vartype"), *boot = text(c, rows, row, "boot_val");
	const struct change *set = is_own ? set_in_group(c->world, name) : NULL;
	const char *value = set       ? set->value :
	    strcmp(type, "bool") == 0 ? (strcmp(boot, "on") == 0 ? "1" : "0") :
	                                boot;
	bool is_static = strcmp(text(c, rows, row, "context"), "postmaster") == 0;
	struct writer *w = &c->w;

	w_open(w, NULL);
	w_text(w, "ParameterName", name);
	w_text(w, "ParameterValue", *value ? value : NULL);
	w_text(w, "Description",
	    arena_printf(&c->request->arena, "%s%s%s%s", *unit ? "(" : "", unit, *unit ? ") " : "",
	        text(c, rows, row, "about")));
	w_text(w, "Source", set ? "user" : is_kept(name) ? "system" : "engine-default");
	w_text(w, "ApplyType", is_static ? "static" : "dynamic");
	w_text(w, "DataType", data_type(type));
	w_text(w, "AllowedValues", allowed(c, rows, row));
	w_bool(w, "IsModifiable", !is_kept(name));
	w_text(w, "ApplyMethod",
	    is_static || (set && set->state == CHANGE_DEFERRED) ? "pending-reboot" : "immediate");
	w_close(w);
}

static bool
is_wanted(struct call *c, const struct rowset *rows, int row, bool is_own)
{
	const char *source = form_get(&c->form, "Source"), *name = text(c, rows, row, "name");
	bool is_user = is_own && set_in_group(c->world, name);

	return !source ||
	    strcmp(source,
	        is_user           ? "user" :
	            is_kept(name) ? "system" :
	                            "engine-default") == 0;
}

static void
describe_parameters(struct call *c)
{
	const char *group = group_of(c);
	struct rowset *rows = group ? ask_server(c) : NULL;
	int n = 0, at = 0, from, to;
	bool is_own = group && strcmp(group, "lab") == 0;

	if (!rows)
		return;
	for (int i = 0; i < rows->nrows; i++)
		n += is_wanted(c, rows, i, is_own);
	if (call_page(c, n, &from, &to)) {
		w_list(&c->w, "Parameters", "Parameter");
		for (int i = 0; i < rows->nrows; i++) {
			if (!is_wanted(c, rows, i, is_own))
				continue;
			if (at >= from && at < to)
				write_parameter(c, rows, i, is_own);
			at++;
		}
		w_close(&c->w);
	}
	rowset_unref(rows);
}

static void
describe_groups(struct call *c)
{
	const char *groups[] = { "lab", default_group(c) };
	const char *wanted = form_get(&c->form, group_key(c)) ? group_of(c) : "";
	int from, to;

	if (!wanted || !call_page(c, *wanted ? 1 : 2, &from, &to))
		return;
	w_list(&c->w, of_cluster(c) ? "DBClusterParameterGroups" : "DBParameterGroups",
	    of_cluster(c) ? "DBClusterParameterGroup" : "DBParameterGroup");
	for (int i = 0; i < 2; i++) {
		if (*wanted && strcmp(groups[i], wanted) != 0)
			continue;
		w_open(&c->w, NULL);
		w_text(&c->w, group_key(c), groups[i]);
		w_text(&c->w, "DBParameterGroupFamily", groups[1] + strlen("default."));
		w_text(&c->w, "Description",
		    i ? "Default parameter group" : "Parameters of the lab's server");
		w_text(&c->w, of_cluster(c) ? "DBClusterParameterGroupArn" : "DBParameterGroupArn",
		    call_arn(c, of_cluster(c) ? "cluster-pg" : "pg", groups[i]));
		w_close(&c->w);
	}
	w_close(&c->w);
}

/* ---- changing */

static int
row_of(const struct rowset *rows, const char *name)
{
	for (int i = 0; i < rows->nrows; i++)
		if (cell_is(rowset_get(rows, i, "name"), name))
			return i;
	return -1;
}

/* A value as RDS takes it: a number has no unit, truth is 0 or 1. */
static bool
check_value(struct call *c, const struct rowset *rows, int row, const char *name, const char *value)
{
	const char *type = data_type(text(c, rows, row, "vartype"));
	bool is_number = strcmp(type, "integer") == 0 || strcmp(type, "float") == 0;
	const char *range = allowed(c, rows, row);
	char *end;
	double n = strtod(value, &end);
	bool ok = true;

	if (is_number)
		ok = *value && !*end && n >= strtod(text(c, rows, row, "min_val"), NULL) &&
		    n <= strtod(text(c, rows, row, "max_val"), NULL);
	else if (range) {
		const char *at = strcasestr(range, value);

		ok = *value && at && (at == range || at[-1] == ',') &&
		    strchr(",", at[strlen(value)]) != NULL;
	}
	return ok ||
	    call_fail(c, 400, "InvalidParameterValue",
	        "Invalid parameter value: %s for: %s allowed values are: %s", value, name,
	        range ? range : "any");
}

static bool
check_parameter(struct call *c, const struct rowset *rows, const char *name, const char *value,
    const char *method)
{
	int row = row_of(rows, name);

	if (row < 0)
		return call_fail(c, 400, "InvalidParameterValue",
		    "Could not find parameter with name: %s", name);
	if (is_kept(name))
		return call_fail(
		    c, 400, "InvalidParameterValue", "The parameter %s cannot be modified.", name);
	if (strcmp(method, "immediate") == 0 &&
	    strcmp(text(c, rows, row, "context"), "postmaster") == 0)
		return call_fail(c, 400, "InvalidParameterCombination",
		    "cannot use immediate apply method for static parameter");
	return !value || check_value(c, rows, row, name, value);
}

static bool
keep_change(struct call *c, const char *name, const char *value, bool is_static, const char *method)
{
	struct parameters *p = parameters(c->world);
	int i = 0;

	while (i < p->n && strcmp(p->items[i].name, name) != 0)
		i++;
	if (i == MAX_CHANGES || strlen(name) >= sizeof(p->items[0].name) ||
	    (value && strlen(value) >= sizeof(p->items[0].value)))
		return call_fail(c, 400, "InvalidParameterValue", "The lab keeps no more of this.");
	p->items[i] = (struct change){ .is_reset = !value,
		.state = is_static || strcmp(method, "immediate") == 0 ? CHANGE_WAITS :
		                                                         CHANGE_DEFERRED };
	snprintf(p->items[i].name, sizeof(p->items[i].name), "%s", name);
	snprintf(p->items[i].value, sizeof(p->items[i].value), "%s", value ? value : "");
	if (i == p->n)
		p->n++;
	return true;
}

/* Twice over the list: nothing is changed where one cannot be. */
static bool
read_changes(struct call *c, const struct rowset *rows, bool is_reset, bool does)
{
	for (int i = 1;; i++) {
		const char *name = form_getf(&c->form, "Parameters.Parameter.%d.ParameterName", i);
		const char *value =
		    form_getf(&c->form, "Parameters.Parameter.%d.ParameterValue", i);
		const char *method = form_getf(&c->form, "Parameters.Parameter.%d.ApplyMethod", i);
		int row;

		if (!name)
			return i > 1 ||
			    call_fail(c, 400, "MissingParameter",
			        "The request must contain the parameter Parameters.");
		if (i > MOST_PARAMETERS)
			return call_fail(c, 400, "InvalidParameterValue",
			    "At most %d parameters can be modified in a request.", MOST_PARAMETERS);
		method = method ? method : "pending-reboot";
		if (!is_reset && !value)
			return call_fail(c, 400, "InvalidParameterValue",
			    "The parameter ParameterValue must be provided.");
		if (!check_parameter(c, rows, name, is_reset ? NULL : value, method))
			return false;
		row = row_of(rows, name);
		if (does &&
		    !keep_change(c, name, is_reset ? NULL : value,
		        strcmp(text(c, rows, row, "context"), "postmaster") == 0, method))
			return false;
	}
}

static bool
reset_all(struct world *w)
{
	struct parameters *p = parameters(w);

	for (int i = 0; i < p->n; i++)
		if (!p->items[i].is_reset) {
			p->items[i].is_reset = true;
			p->items[i].state = CHANGE_WAITS;
		}
	return true;
}

static void
change_group(struct call *c, bool is_reset)
{
	bool is_all = is_reset &&
	    call_bool(c, "ResetAllParameters", !form_has(&c->form, "Parameters.Parameter"));
	const char *group = group_of(c);
	struct rowset *rows = NULL;

	if (group && strcmp(group, "lab") != 0)
		call_fail(c, 400, "InvalidParameterValue",
		    "The parameter group %s is a default one and cannot be modified.", group);
	else if (group)
		rows = ask_server(c);
	if (rows &&
	    (is_all ? reset_all(c->world) :
	              read_changes(c, rows, is_reset, false) &&
	                read_changes(c, rows, is_reset, true))) {
		world_event(c->world, "db-parameter-group", "lab", "configuration change",
		    "Updated parameters of the group");
		parameter_tick(c->world);
		w_text(&c->w, group_key(c), group);
	}
	rowset_unref(rows);
}

static void
modify_group(struct call *c)
{
	change_group(c, false);
}

static void
reset_group(struct call *c)
{
	change_group(c, true);
}

const struct action rds_parameter_actions[] = {
	{ "rds", "DescribeDBParameterGroups", describe_groups, RDS_NAMESPACE },
	{ "rds", "DescribeDBParameters", describe_parameters, RDS_NAMESPACE },
	{ "rds", "ModifyDBParameterGroup", modify_group, RDS_NAMESPACE },
	{ "rds", "ResetDBParameterGroup", reset_group, RDS_NAMESPACE },
	{ "rds", "DescribeDBClusterParameterGroups", describe_groups, RDS_NAMESPACE },
	{ "rds", "DescribeDBClusterParameters", describe_parameters, RDS_NAMESPACE },
	{ "rds", "ModifyDBClusterParameterGroup", modify_group, RDS_NAMESPACE },
	{ "rds", "ResetDBClusterParameterGroup", reset_group, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
