/*
 * verify [SNAPSHOT|latest]: a backup counts as good only once it has been restored, started and
 * read. Neither pgBackRest's exit status nor its own verify see a corrupt page or a segment that is
 * missing, and a row count may come from an index alone. Where WAL goes that far, the copy is
 * recovered to a moment at which the rows of the source were counted.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fmt.h"
#include "ops/check.h"
#include "ops/local.h"
#include "ops/local_copy.h"
#include "ops/local_source.h"
#include "ops/local_tools.h"
#include "ops/local_window.h"

enum { ANNOTATE_MS = 60000, MAX_COUNTS = 60000, PAGES_MS = 12 * 3600 * 1000 };

/* ------------------------------------------------------------------ the plan */

struct look {
	struct pgbackrest_info info;
	struct wal_archive wal;
	struct local_source source;
	const struct pgbackrest_backup *backup;
	struct wal_reach reach;
	bool to_source; /* recover to the source's present, and compare rows */
};

static bool
find_backup(struct op *op, struct look *l, struct error *err)
{
	const char *name = op->words->n > 1 ? op->words->w[1].text : "latest";

	if (op->words->n > 2) {
		error_set(err, ERR_USAGE, "verify does not understand '%s'", op->words->w[2].text);
		return error_hint(err, "Usage: %s", op->kind->usage);
	}
	l->backup = pgbackrest_find(&l->info, name);
	if (l->backup)
		return true;
	error_set(err, ERR_NOT_FOUND, "there is no snapshot '%s'", name);
	return error_hint(err, "`snapshot` makes one.");
}

/* What the repository and the source say already. */
static bool
first_checks(struct op *op, struct look *l, struct error *err)
{
	const char *missing = *l->reach.missing ? l->reach.missing : l->backup->wal_stop;
	bool has_wal = l->reach.is_whole && !*l->reach.missing;
	char at[40];

	return check_set(op, err, "backup", !l->backup->has_error, "%s",
	           l->backup->has_error ? "pgBackRest found corrupt pages when it made it" :
	                                  "no page error when it was made") &&
	    check_set(op, err, "wal", has_wal, has_wal ? "%s%s" : "WAL segment %s is missing%s",
	        has_wal ? "no gap since it" : missing,
	        has_wal || l->reach.is_whole ? "" : ", which the snapshot itself needs") &&
	    (!l->source.is_there ||
	        check_set(op, err, "archiving", !l->source.is_failing,
	            l->source.is_failing ? "fails since %s at %s" : "last %s: %s",
	            wall_rfc3339(l->source.is_failing ? l->source.failed_at : l->source.archived_at,
	                at, sizeof(at)),
	            l->source.is_failing ? l->source.failed_wal : l->source.archived_wal));
}

/* What would be lost with the machine now, in seconds: since the last WAL that is safe; nothing
 * where nothing was written since, however long ago that is. */
static bool
keep_rpo(struct op *op, const struct look *l, struct error *err)
{
	int64_t safe_us = l->reach.last ? l->reach.last->at.us : l->backup->stop.us;
	double s = (double)(wall_now().us - safe_us) / 1e6;

	if (l->source.is_there && !l->source.is_standby && !l->reach.is_left &&
	    wal_has_all(&l->wal, &l->reach, l->source.lsn))
		s = 0;
	return op_fact_set(op, err, "rpo_s", "%.3f", s > 0 ? s : 0);
}

static void
add_steps(struct op *op, const struct look *l)
{
	if (l->to_source) {
		op_add_step(op, "count", "low", "count the rows of the source",
		    "tables of up to 256 MB in one database; reads them");
		op_add_step(op, "archive", "low", "have the source hand over its WAL",
		    "one empty transaction and a new WAL segment");
	}
	op_add_step(op, "restore", "low", "restore to scratch", "%s", op_fact(op, "copy.dir"));
	op_add_step(op, "configure", "none", "give it a configuration of its own", "%s",
	    "no TCP, no archiving, no preloaded library, no logical worker");
	op_add_step(op, "start", "low", "start it and recover", "%s",
	    l->to_source ? "to the counted moment" : "to the end of the snapshot");
	op_add_step(op, "check", "none", "look into it", "%s",
	    "pg_amcheck of all databases, rows, critical queries");
	op_add_step(op, "checksums", "none", "stop it and read every page", "pg_checksums");
	op_add_step(op, "clean", "none", "remove it", "%s", op_fact(op, "copy.dir"));
	op_add_step(op, "mark", "none", "write the verdict down", "%s",
	    "in the journal, and on the snapshot when it passed");
}

static bool
look(struct op *op, struct look *l, struct error *err)
{
	if (!local_source_look(op, &l->source, err) || !pgbackrest_info(op, &l->info, err) ||
	    !local_source_same(op, &l->source, &l->info, err) || !find_backup(op, l, err) ||
	    !wal_archive_read(op, &l->info, l->source.segment_size, &l->wal, err))
		return false;
	wal_reach_of(op, &l->wal, l->backup, &l->reach);
	l->to_source = l->source.is_there && !l->source.is_standby && !l->source.is_failing &&
	    l->reach.is_whole && !*l->reach.missing && !l->reach.is_left;
	return !l->reach.is_left || op_fact_set(op, err, "target.timeline", "current");
}

static bool
verify_plan(struct op *op, struct error *err)
{
	struct look l = { .backup = NULL };
	const char *version;
	char at[40];
	bool ok = pgbackrest_version(op, &version, err) && look(op, &l, err) &&
	    copy_plan(op, arena_printf(&op->arena, "verify-%s", l.backup->label), l.info.pg_major,
	        l.backup->size, err) &&
	    copy_plan_login(op, l.source.superuser, l.source.database, err) &&
	    first_checks(op, &l, err) && keep_rpo(op, &l, err) &&
	    op_fact_set(op, err, "label", "%s", l.backup->label) &&
	    op_fact_set(op, err, "pgbackrest", "%s", version);

	if (ok) {
		op_identity(op, "label", "%s", l.backup->label);
		doc_pair(&op->doc, "verify", ROLE_NORMAL, "%s of %s, %s", l.backup->label,
		    op->target->name, wall_rfc3339(l.backup->stop, at, sizeof(at)));
		wal_window_doc(op, &op->doc, &l.wal, &l.info);
		local_source_doc(op, &l.source);
		add_steps(op, &l);
		op->question = arena_printf(&op->arena, "verify %s?", l.backup->label);
	}
	pgbackrest_info_release(&l.info);
	return ok;
}

/* ------------------------------------------------------------------ the run */

static bool
count_run(struct op *op, struct error *err)
{
	struct pg_sync *pg = op_connect(op, op->target, err);
	struct strbuf counts = STRBUF_INIT(MAX_COUNTS);
	int64_t lsn = 0;
	char text[32];
	bool ok = pg && check_count(pg, &counts, &lsn, err);

	pg_sync_close(pg);
	/* A source that cannot be read is itself what we look for. */
	if (!ok && err->code == ERR_QUERY)
		ok = check_set(
		    op, err, "rows", false, "the source cannot be counted: %s", err->what);
	/* Nothing to count: the end of the snapshot will do. */
	if (ok && lsn)
		ok = op_fact_set(op, err, "count.lsn", "%s", fmt_lsn(text, sizeof(text), lsn));
	ok = ok && op_fact_set(op, err, "counts", "%s", counts.buf);
	strbuf_release(&counts);
	return ok;
}

/* What says something of the snapshot: a program that could not do with it, a server that ended of
 * itself; not one that somebody killed (the words of proc_status_text()), nor a full disk, nor
 * anything of ours. */
static bool
is_verdict(const struct error *err)
{
	return (err->code == ERR_PROGRAM || err->code == ERR_NOT_FOUND) &&
	    !strstr(err->what, "killed by signal") && !strstr(err->what, "No space left on device");
}

/* A copy that cannot be made is a verdict, unless we were stopped. */
static bool
verdict(struct op *op, bool ok, struct error *err)
{
	struct error stopped = { 0 };

	if (ok || op_stopped(op, &stopped) || !is_verdict(err))
		return ok;
	return check_set(op, err, "restore", false, "%s", err->what);
}

static bool
is_broken(struct op *op)
{
	return !check_passed(op, "restore");
}

static bool
restore_run(struct op *op, struct error *err)
{
	const char *lsn = op_fact(op, "count.lsn");
	const char *args[5] = { lsn ? "--type=lsn" : "--type=immediate",
		"--target-action=promote" };

	if (lsn) {
		args[2] = arena_printf(&op->arena, "--target=%s", lsn);
		args[3] = "--target-exclusive";
	}
	return op_fact_set(op, err, "begun_us", "%lld", (long long)wall_now().us) &&
	    verdict(op, copy_restore(op, op_fact(op, "label"), args, err), err);
}

static bool
configure_run(struct op *op, struct error *err)
{
	return is_broken(op) || verdict(op, copy_configure(op, true, err), err);
}

static bool
start_run(struct op *op, struct error *err)
{
	int64_t begun = op_fact_int(op, "begun_us", 0);

	if (is_broken(op))
		return true;
	if (!copy_start(op, err))
		return verdict(op, false, err);
	return check_set(op, err, "restore", true, "restored, recovered to %s, answers",
	           op_fact(op, "recovered.lsn")) &&
	    op_fact_set(op, err, "rto_s", "%.3f", (double)(wall_now().us - begun) / 1e6);
}

/* A server that was killed meanwhile makes each check fail: that is no verdict. This may also be
 * another day, and the machine was started anew. */
static bool
check_run(struct op *op, struct error *err)
{
	const struct client_at at = { .conninfo = copy_conninfo(op),
		.name = "pgmedic verify",
		.major = (int)op_fact_int(op, "copy.major", 0) };

	if (is_broken(op))
		return true;
	if (!copy_start(op, err))
		return verdict(op, false, err);
	return check_amcheck(op, &at, err) && check_rows(op, &at, err) &&
	    check_queries(op, &at, err) && verdict(op, copy_still_runs(op, err), err);
}

/* Of the copy that was stopped. */
static bool
check_checksums(struct op *op, struct error *err)
{
	const char *argv[] = { copy_program(op, "pg_checksums"), "--check", "-D", copy_data(op),
		NULL };
	struct strbuf out = STRBUF_INIT(1 << 20);
	int status = -1;
	bool ok = true;

	if (argv[0] && local_run(op, argv, NULL, PAGES_MS, &out, &status, err))
		ok = check_set(op, err, "checksums", true, "every page");
	else if (argv[0] && !strstr(out.buf, "not enabled"))
		ok = status > 0 && WIFEXITED(status) &&
		    check_set(
		        op, err, "checksums", false, "%.*s", (int)strcspn(out.buf, "\n"), out.buf);
	strbuf_release(&out);
	return ok;
}

/* One that was killed has to be stopped in order first. */
static bool
checksums_run(struct op *op, struct error *err)
{
	bool is_shut_down;

	if (is_broken(op))
		return true;
	if (!copy_stop(op, err) || !copy_is_shut_down(op, &is_shut_down, err))
		return verdict(op, false, err);
	if (!is_shut_down && (!copy_start(op, err) || !copy_stop(op, err)))
		return verdict(op, false, err);
	return check_checksums(op, err);
}

/* annotate came with 2.41. */
static bool
can_annotate(const char *version)
{
	char *end;
	long major = strtol(version ? version : "", &end, 10);
	long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;

	return major > 2 || (major == 2 && minor >= 41);
}

static bool
mark_run(struct op *op, struct error *err)
{
	const char *label = op_fact(op, "label");
	struct job_verified v;
	const char *args[] = { "annotate", arena_printf(&op->arena, "--set=%s", label),
		arena_printf(&op->arena, "--annotation=verified=%s", check_mark(op)), NULL };

	if (can_annotate(op_fact(op, "pgbackrest")) &&
	    !pgbackrest_run(op, args, ANNOTATE_MS, NULL, err))
		return false;
	return check_keep(op, label, &v, err);
}

static const struct op_step_def verify_steps[] = {
	{ "count", NULL, count_run },
	{ "archive", NULL, local_source_archive },
	{ "restore", NULL, restore_run },
	{ "configure", NULL, configure_run },
	{ "start", NULL, start_run },
	{ "check", NULL, check_run },
	{ "checksums", NULL, checksums_run },
	{ "clean", NULL, copy_remove },
	{ "mark", NULL, mark_run },
	{ NULL, NULL, NULL },
};

const struct op_impl local_verify = { verify_plan, verify_steps, check_result };
