#include "config.h"

#include "ops/op_server.h"

#include <string.h>

#include "base/rowset.h"

struct pg_sync *
op_connect(struct op *op, const struct op_target *target, struct error *err)
{
	struct pg_sync *pg = pg_sync_open(target->conninfo, target->password, err);

	(void)op;
	if (!pg)
		error_prefix(err, "cannot reach %s", target->name);
	return pg;
}

const char *
op_text(struct op *op, const struct rowset *rows, int row, const char *column)
{
	const struct cell *c = rowset_get(rows, row, column);

	return c->type == CELL_TEXT ? arena_strndup(&op->arena, c->s, c->len) : "";
}

bool
op_server_read(struct op *op, struct pg_sync *pg, struct op_server *out, struct error *err)
{
	struct rowset *rows = pg_sync_run(pg, "op_server", NULL, 0, 3000, err);

	if (!rows)
		return false;
	if (rows->nrows != 1) {
		rowset_unref(rows);
		return error_set(err, ERR_PROTOCOL, "the server does not say who it is");
	}
	*out = (struct op_server){
		.system_identifier = cell_i64(rowset_get(rows, 0, "system_identifier"), 0),
		.version_num = (int)cell_i64(rowset_get(rows, 0, "version_num"), 0),
		.version = op_text(op, rows, 0, "version"),
		.is_standby = cell_i64(rowset_get(rows, 0, "is_standby"), 0) != 0,
		.timeline = op_text(op, rows, 0, "timeline"),
		.lsn = cell_i64(rowset_get(rows, 0, "lsn"), 0),
		.started_at.us = cell_i64(rowset_get(rows, 0, "started_at"), 0),
		.data_directory = op_text(op, rows, 0, "data_directory"),
		.archive_mode = op_text(op, rows, 0, "archive_mode"),
		.has_checksums = strcmp(op_text(op, rows, 0, "checksums"), "on") == 0,
	};
	rowset_unref(rows);
	return true;
}

bool
op_server_look(struct op *op, const struct op_target *target, const char *prefix,
    struct op_server *out, struct error *err)
{
	struct pg_sync *pg = op_connect(op, target, err);
	bool ok = pg && op_server_read(op, pg, out, err);

	if (ok && target == op->target) {
		pg_sync_peer(pg, &op->peer);
		op->system_identifier = out->system_identifier;
	}
	pg_sync_close(pg);
	if (!ok)
		return false;
	op_identity(op, arena_printf(&op->arena, "%s.system", prefix), "%lld",
	    (long long)out->system_identifier);
	op_identity(op, arena_printf(&op->arena, "%s.role", prefix), "%s",
	    out->is_standby ? "standby" : "primary");
	op_identity(op, arena_printf(&op->arena, "%s.timeline", prefix), "%s", out->timeline);
	return true;
}

bool
op_same_cluster(struct op *op, int64_t system_identifier, struct error *err)
{
	struct error unreachable = { 0 };
	struct pg_sync *pg;
	struct op_server now;
	bool is_known;

	if (!system_identifier || !*op->target->conninfo)
		return true;
	pg = op_connect(op, op->target, &unreachable);
	is_known = pg && op_server_read(op, pg, &now, &unreachable);
	pg_sync_close(pg);
	if (!is_known || now.system_identifier == system_identifier)
		return true;
	error_set(err, ERR_CHANGED, "%s is another cluster now (system %lld, not %lld)",
	    op->target->name, (long long)now.system_identifier, (long long)system_identifier);
	return error_hint(
	    err, "Nothing was done: check the conninfo of [target %s].", op->target->name);
}
