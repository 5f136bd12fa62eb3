/*
 * point NAME: a restore point whose LSN, timeline and time are kept, since neither pgBackRest nor
 * the server finds the way back by a name alone.
 */
#include "config.h"

#include <string.h>

#include "base/fmt.h"
#include "base/rowset.h"
#include "ops/local.h"
#include "ops/local_copy.h"
#include "ops/local_source.h"
#include "ops/op_result.h"

static bool
is_new(struct op *op, const char *name, struct error *err)
{
	struct journal *j = journal_open(err);
	struct error ignored = { 0 };
	struct job_point known;
	bool is_known = j && jobs_point(j, op->target->name, name, &op->arena, &known, &ignored);

	journal_close(j);
	if (!j)
		return false;
	if (!is_known)
		return true;
	error_set(err, ERR_REFUSED, "there is a restore point '%s' already", name);
	return error_hint(err, "Choose another name.");
}

static bool
point_plan(struct op *op, struct error *err)
{
	const char *name = op->words->n == 2 ? op->words->w[1].text : "";
	struct pgbackrest_info info = { 0 };
	struct local_source source;
	bool ok;

	if (!copy_is_name(name)) {
		error_set(err, ERR_USAGE, "a restore point needs a name");
		return error_hint(
		    err, "Usage: %s; letters, digits, '_', '.', '-'.", op->kind->usage);
	}
	ok = is_new(op, name, err) && local_source_look(op, &source, err) &&
	    pgbackrest_info(op, &info, err) && local_source_same(op, &source, &info, err);
	if (ok && (!source.is_there || source.is_standby)) {
		ok = error_set(err, source.is_there ? ERR_REFUSED : ERR_CONNECT, "%s %s%s",
		    op->target->name,
		    source.is_there ? "is a standby" : "cannot be reached: ", source.why_not);
		error_hint(err, "A restore point is made on the primary.");
	}
	if (ok) {
		const char *label = info.n ? info.backups[info.n - 1].label : "";

		doc_pair(
		    &op->doc, "restore point", ROLE_NORMAL, "%s of %s", name, op->target->name);
		if (!*label)
			doc_pair(&op->doc, "WARNING", ROLE_WARN, "%s",
			    "there is no snapshot to restore to it from");
		local_source_doc(op, &source);
		op_add_step(op, "point", "low", "create the restore point",
		    "pg_create_restore_point('%s'), one empty transaction and a new WAL segment",
		    name);
		op_add_step(op, "archive", "low", "have its WAL archived", "%s",
		    "waits until the repository has it");
		op->question = arena_printf(
		    &op->arena, "create restore point %s on %s?", name, op->target->name);
		ok = op_fact_set(op, err, "name", "%s", name) &&
		    op_fact_set(op, err, "label", "%s", label);
	}
	pgbackrest_info_release(&info);
	return ok;
}

/* Made twice it would only be in WAL twice: the kept LSN is of one of them. */
static enum op_seen
point_seen(struct op *op, struct error *err)
{
	struct job_point known;

	if (jobs_point(op->journal, op->target->name, op_fact(op, "name"), &op->arena, &known, err))
		return OP_SEEN;
	return err->code == ERR_NOT_FOUND ? OP_NOT_SEEN : OP_UNSURE;
}

static bool
point_run(struct op *op, struct error *err)
{
	const char *name = op_fact(op, "name");
	struct pg_sync *pg = op_connect(op, op->target, err);
	struct rowset *rows = pg ? pg_sync_run(pg, "op_point", &name, 1, 5000, err) : NULL;
	bool ok = rows && rows->nrows == 1;

	if (ok) {
		const struct cell *tl = rowset_get(rows, 0, "timeline");
		struct job_point p = {
			.name = name,
			.lsn = cell_i64(rowset_get(rows, 0, "lsn"), 0),
			.at.us = cell_i64(rowset_get(rows, 0, "at"), 0),
			.timeline =
			    tl->type == CELL_TEXT ? arena_strndup(&op->arena, tl->s, tl->len) : "",
			.label = op_fact(op, "label"),
		};

		/* A restore point alone is not on disk yet: a server that dies now has lost it, and
		 * writes something else at its LSN. Same session: it dies with the server. */
		ok = local_source_switch(op, pg, err) &&
		    jobs_point_set(op->journal, op->target->name, &p, err);
	}
	if (rows)
		rowset_unref(rows);
	pg_sync_close(pg);
	return ok;
}

static bool
point_result(struct op *op, struct error *err)
{
	struct job_point p;
	bool first = true;
	char lsn[32];

	if (!jobs_point(op->journal, op->target->name, op_fact(op, "name"), &op->arena, &p, err))
		return false;
	op_result_text(op, &first, "point", p.name);
	op_result_text(op, &first, "lsn", fmt_lsn(lsn, sizeof(lsn), p.lsn));
	op_result_text(op, &first, "timeline", p.timeline);
	op_result_time(op, &first, "at", p.at);
	return true;
}

static const struct op_step_def point_steps[] = {
	{ "point", point_seen, point_run },
	{ "archive", NULL, local_source_archive },
	{ NULL, NULL, NULL },
};

const struct op_impl local_point = { point_plan, point_steps, point_result };
