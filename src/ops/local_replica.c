/* What adding a replica and dropping one share, and what a job of them has left behind. */
#include "config.h"

#include "ops/local_replica.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/rowset.h"
#include "ops/local_copy.h"
#include "ops/op_result.h"
#include "ops/op_server.h"
#include "ops/patroni.h"
#include "pg/conninfo.h"

enum { TOOL_MS = 30000, GONE_MS = 30000, POLL_MS = 200 };

bool
replica_is_free(struct op *op, const char *data, struct error *err)
{
	if (!*op->target->patroni_url && !(*data && patroni_runs(op, data, 0)))
		return true;
	error_set(err, ERR_REFUSED, "the cluster of %s is run by Patroni", op->target->name);
	return error_hint(err,
	    "A Patroni that starts with the same scope makes its own replica; patronictl reinit makes "
	    "one anew, patronictl list shows them.");
}

bool
replica_node(struct op *op, const char *data, const char *conninfo, struct op_target *target,
    struct node *out, struct error *err)
{
	*target = *op->target;
	target->name = op_fact(op, "name");
	target->data_directory = data;
	target->conninfo = conninfo;
	return node_open(out, op, target, err);
}

/* By its control file, which a promotion changes before anybody can write. */
bool
replica_is_standby(struct node *n, int64_t system_identifier, struct error *err)
{
	struct node_control c;
	struct stat st;

	if (!node_control(n, &c, err))
		return false;
	if ((int64_t)c.system_identifier != system_identifier)
		return error_set(err, ERR_REFUSED, "%s is no copy of %s: another cluster", n->name,
		    n->op->target->name);
	if ((strcmp(c.state, "in archive recovery") == 0 ||
	        strcmp(c.state, "shut down in recovery") == 0) &&
	    lstat(arena_printf(&n->op->arena, "%s/standby.signal", n->data), &st) == 0)
		return true;
	error_set(err, ERR_REFUSED, "%s is no standby: %s", n->name, c.state);
	return error_hint(err,
	    "It was promoted, or never one; what it has been written is nowhere else. Stop and remove "
	    "%s by hand.",
	    n->data);
}

bool
replica_slot_drop(struct op *op, const char *slot, struct error *err)
{
	const char *drop[] = { slot }, *look[] = { slot, "" };
	struct mono begin = mono_now();
	struct pg_sync *pg = op_connect(op, op->target, err);
	bool is_gone = false;

	while (pg && !is_gone) {
		struct rowset *dropped = pg_sync_run(pg, "op_slot_drop", drop, 1, TOOL_MS, err);
		struct rowset *left =
		    dropped ? pg_sync_run(pg, "op_replica_gone", look, 2, TOOL_MS, err) : NULL;

		is_gone = left && !cell_i64(rowset_get(left, 0, "has_slot"), 1);
		rowset_unref(dropped);
		if (!left)
			break;
		rowset_unref(left);
		if (is_gone)
			break;
		if (mono_since_ms(mono_now(), begin) > GONE_MS) {
			error_set(
			    err, ERR_STATE, "slot %s of %s is in use", slot, op->target->name);
			break;
		}
		if (!op_wait_ms(op, POLL_MS, err))
			break;
	}
	pg_sync_close(pg);
	return is_gone;
}

/* ------------------------------------------------------------------ leftovers */

bool
replica_undo_slot(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct json *args = json_parse(left->args, strlen(left->args), err);
	const char *slot = json_text(json_get(args, "slot"));
	bool ok = slot ?
	    replica_slot_drop(op, slot, err) :
	    error_set(err, ERR_JOURNAL, "leftover %lld names no slot", (long long)left->id);

	json_free(args);
	return ok;
}

/* It goes on: its slot is made again where that had been dropped, which may be too late for it. */
bool
replica_undo_down(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct json *args = json_parse(left->args, strlen(left->args), err);
	const char *data = json_text(json_get(args, "data")),
	           *slot = json_text(json_get(args, "slot"));
	const char *params[] = { slot };
	struct op_target target;
	struct node n, primary;
	struct rowset *rows = NULL;
	bool ok = data && slot &&
	    replica_node(op, arena_strdup(&op->arena, data), CONNINFO_NONE, &target, &n, err) &&
	    replica_is_standby(&n, op_fact_int(op, "system", 0), err);

	node_by_sql(&primary, op, op->target);
	if (ok && *slot) {
		rows = node_ask(&primary, "op_slot_make", params, 1, TOOL_MS, err);
		ok = rows != NULL;
	}
	rowset_unref(rows);
	json_free(args);
	return ok && node_start(&n, err);
}

/* ------------------------------------------------------------------ both */

static bool
plan(struct op *op, struct error *err)
{
	const char *what = op->words->n > 1 ? op->words->w[1].text : "";

	if (strcmp(what, "add") == 0)
		return replica_add_plan(op, err);
	if (strcmp(what, "drop") == 0)
		return replica_drop_plan(op, err);
	error_set(err, ERR_USAGE, "replica add or replica drop?");
	return error_hint(err, "Usage: %s", op->kind->usage);
}

static bool
result(struct op *op, struct error *err)
{
	bool is_drop = op_fact(op, "system") != NULL, first = true;

	(void)err;
	op_result_text(op, &first, "name", op_fact(op, "name"));
	op_result_text(op, &first, "source", op->target->name);
	op_result_text(op, &first, "uri",
	    is_drop ? NULL : copy_uri_at(op, op_fact(op, "host"), (int)op_fact_int(op, "port", 0)));
	op_result_text(op, &first, "data_directory", is_drop ? op_fact(op, "data") : copy_data(op));
	op_result_text(op, &first, "slot", op_fact(op, "slot"));
	op_result_num(op, &first, "lag_bytes", op_fact_num(op, "lag_bytes", NAN));
	op_result_num(op, &first, "lag_s", op_fact_num(op, "lag_s", NAN));
	op_result_bool(op, &first, "dropped", is_drop);
	op_result_bool(op, &first, "removed", is_drop && op_fact(op, "copy.dir"));
	return true;
}

static const struct op_step_def steps[] = {
	{ "slot", NULL, replica_begin_run },
	{ "copy", NULL, replica_copy_run },
	{ "configure", NULL, replica_configure_run },
	{ "start", NULL, replica_start_run },
	{ "stream", NULL, replica_stream_run },
	{ "stop", NULL, replica_stop_run },
	{ "unslot", NULL, replica_unslot_run },
	{ "remove", NULL, replica_remove_run },
	{ NULL, NULL, NULL },
};

const struct op_impl local_replica = { plan, steps, result };
