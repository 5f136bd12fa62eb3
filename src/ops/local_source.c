#include "config.h"

#include "ops/local_source.h"

#include <stdio.h>
#include <string.h>

#include "base/rowset.h"
#include "ops/local_window.h"

enum { ARRIVE_S = 90, POLL_MS = 500, LIST_MS = 60000, MAX_LIST = 16 << 20 };

static bool
read_source(struct op *op, struct pg_sync *pg, struct local_source *out, struct error *err)
{
	struct rowset *rows = pg_sync_run(pg, "op_source", NULL, 0, 3000, err);

	if (!rows)
		return false;
	if (rows->nrows == 1) {
		out->segment_size = cell_i64(rowset_get(rows, 0, "segment_size"), 0);
		out->lsn = cell_i64(rowset_get(rows, 0, "lsn"), 0);
		out->now.us = cell_i64(rowset_get(rows, 0, "now"), 0);
		out->superuser = op_text(op, rows, 0, "superuser");
		out->database = op_text(op, rows, 0, "database");
		out->archived_wal = op_text(op, rows, 0, "archived_wal");
		out->archived_at.us = cell_i64(rowset_get(rows, 0, "archived_at"), 0);
		out->failed_wal = op_text(op, rows, 0, "failed_wal");
		out->failed_at.us = cell_i64(rowset_get(rows, 0, "failed_at"), 0);
		/* By recency: the counter alone also has failures that are long over. */
		out->is_failing = out->failed_at.us > out->archived_at.us;
	}
	rowset_unref(rows);
	return true;
}

bool
local_source_look(struct op *op, struct local_source *out, struct error *err)
{
	struct error why = { 0 };
	struct op_server server;
	struct pg_sync *pg = op_connect(op, op->target, &why);
	bool ok;

	*out = (struct local_source){
		.why_not = "", .superuser = "", .database = "", .archived_wal = "", .failed_wal = ""
	};
	if (!pg) {
		out->why_not = arena_strdup(&op->arena, why.what);
		op_identity(op, "source", "gone");
		return true;
	}
	ok = op_server_read(op, pg, &server, err) && read_source(op, pg, out, err);
	if (ok) {
		pg_sync_peer(pg, &op->peer);
		op->system_identifier = server.system_identifier;
		out->is_there = true;
		out->is_standby = server.is_standby;
		out->system_identifier = server.system_identifier;
		op_identity(op, "source", "%lld %s %s", (long long)server.system_identifier,
		    server.is_standby ? "standby" : "primary", server.timeline);
	}
	pg_sync_close(pg);
	return ok;
}

bool
local_source_same(struct op *op, const struct local_source *source,
    const struct pgbackrest_info *info, struct error *err)
{
	char own[32];

	snprintf(own, sizeof(own), "%lld", (long long)source->system_identifier);
	if (!source->is_there || !*info->system_identifier ||
	    strcmp(info->system_identifier, own) == 0)
		return true;
	error_set(err, ERR_REFUSED, "the stanza %s is of another cluster (system %s, not %s)",
	    info->stanza, info->system_identifier, own);
	return error_hint(err, "Check pgbackrest_stanza of [target %s].", op->target->name);
}

void
local_source_doc(struct op *op, const struct local_source *source)
{
	char at[40];

	if (!source->is_there)
		doc_pair(&op->doc, "source", ROLE_WARN, "%s: only what is archived is there",
		    source->why_not);
	if (source->is_failing)
		doc_pair(&op->doc, "archiver", ROLE_WARN,
		    "fails since %s at WAL segment %s: nothing later can be recovered",
		    wall_rfc3339(source->failed_at, at, sizeof(at)), source->failed_wal);
}

/* ------------------------------------------------------------------ handing over WAL */

/* Is a segment in the repository? Only its folder is listed. */
static bool
has_arrived(struct op *op, const char *wal, bool *is_there, struct error *err)
{
	struct pgbackrest_info info;
	struct strbuf out = STRBUF_INIT(MAX_LIST);
	bool ok = pgbackrest_info(op, &info, err);

	*is_there = false;
	if (ok && *info.wal_id && *info.wal_max) {
		const char *args[] = { "repo-ls", "--output=json",
			arena_printf(&op->arena, "--filter=^%s", wal),
			arena_printf(
			    &op->arena, "archive/%s/%s/%.16s", info.stanza, info.wal_id, wal),
			NULL };

		ok = pgbackrest_run(op, args, LIST_MS, &out, err);
		*is_there = ok && strstr(out.buf, wal) != NULL;
	}
	strbuf_release(&out);
	pgbackrest_info_release(&info);
	return ok;
}

bool
local_source_switch(struct op *op, struct pg_sync *pg, struct error *err)
{
	struct rowset *commit = pg_sync_run(pg, "op_commit", NULL, 0, 5000, err);
	struct rowset *rows = commit ? pg_sync_run(pg, "op_switch_wal", NULL, 0, 5000, err) : NULL;
	bool ok = rows && rows->nrows == 1 &&
	    op_fact_set(op, err, "archive.wal", "%s", op_text(op, rows, 0, "wal"));

	if (commit)
		rowset_unref(commit);
	if (rows)
		rowset_unref(rows);
	return ok;
}

static bool
switch_wal(struct op *op, struct error *err)
{
	struct pg_sync *pg = op_connect(op, op->target, err);
	bool ok = pg && local_source_switch(op, pg, err);

	pg_sync_close(pg);
	return ok;
}

bool
local_source_archive(struct op *op, struct error *err)
{
	struct local_source now;
	bool is_there = false;

	if (!op_fact(op, "archive.wal") && !switch_wal(op, err))
		return false;
	for (int waited = 0; waited < ARRIVE_S * 1000; waited += POLL_MS) {
		if (!has_arrived(op, op_fact(op, "archive.wal"), &is_there, err))
			return false;
		if (is_there)
			return true;
		op_progress(op, -1, "waits for WAL segment %s", op_fact(op, "archive.wal"));
		if (!op_wait_ms(op, POLL_MS, err))
			return false;
	}
	if (!local_source_look(op, &now, err))
		return false;
	error_set(err, ERR_STATE, "WAL segment %s has not come to the repository in %d s",
	    op_fact(op, "archive.wal"), ARRIVE_S);
	return error_hint(err,
	    now.is_failing ? "Archiving fails: see archive_command and the log." :
	                     "Archiving is slow, or somewhere else.");
}

bool
local_point_find(struct op *op, const char *name, struct job_point *out, struct error *err)
{
	struct journal *own = op->journal ? NULL : journal_open(err);
	struct journal *j = op->journal ? op->journal : own;
	bool ok = j && jobs_point(j, op->target->name, name, &op->arena, out, err);

	journal_close(own);
	if (!ok && err->code == ERR_NOT_FOUND)
		error_hint(err, "`point NAME` makes one; those of others are not known by LSN.");
	return ok;
}
