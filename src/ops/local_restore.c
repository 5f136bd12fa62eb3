/*
 * restore SNAPSHOT | --at TIME | --lsn LSN | --point NAME to NAME: side by side, never over the
 * source. pgBackRest picks no backup for a name, and the server gives up where no commit follows
 * the target: so which backup, and whether WAL goes that far, is found out here, before anything is
 * done.
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "ops/local.h"
#include "ops/local_copy.h"
#include "ops/local_source.h"
#include "ops/local_window.h"
#include "ops/op_result.h"
#include "ops/op_time.h"

enum aim { AIM_SNAPSHOT, AIM_TIME, AIM_LSN, AIM_POINT };

struct request {
	enum aim aim;
	const char *what; /* as it was typed */
	const char *name; /* of the copy */
	bool is_before;   /* --before: stop before what is at the target */
	struct wall at;
	int64_t lsn;
	struct job_point point;
};

static bool
usage(struct op *op, const char *word, struct error *err)
{
	error_set(err, ERR_USAGE, word ? "restore does not understand '%s'" : "restore lacks %s",
	    word ? word : "a snapshot and `to NAME`");
	return error_hint(err, "Usage: %s", op->kind->usage);
}

static bool
read_lsn(const char *text, int64_t *lsn)
{
	unsigned high, low;
	int end = 0;

	if (sscanf(text, "%8X/%8X%n", &high, &low, &end) != 2 || text[end])
		return false;
	*lsn = (int64_t)((uint64_t)high << 32 | low);
	return true;
}

/* Words of the target up to "to"; a time may be several. */
static const char *
join_until_to(struct op *op, int *i)
{
	struct strbuf sb = STRBUF_INIT(256);
	const char *text;

	while (*i < op->words->n && strcmp(op->words->w[*i].text, "to") != 0 &&
	    strcmp(op->words->w[*i].text, "--before") != 0) {
		strbuf_addf(&sb, "%s%s", sb.len ? " " : "", op->words->w[*i].text);
		(*i)++;
	}
	text = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}

static bool
read_target(struct op *op, struct request *r, struct error *err)
{
	if (!*r->what)
		return usage(op, NULL, err);
	if (r->aim == AIM_TIME)
		return op_time_read(r->what, &r->at, err);
	if (r->aim != AIM_LSN || read_lsn(r->what, &r->lsn))
		return true;
	error_set(err, ERR_USAGE, "'%s' is no LSN", r->what);
	return error_hint(err, "As pg_current_wal_lsn() writes it: 16/B374D848.");
}

static bool
read_words(struct op *op, struct request *r, struct error *err)
{
	static const struct {
		const char *word;
		enum aim aim;
	} options[] = { { "--at", AIM_TIME }, { "--lsn", AIM_LSN }, { "--point", AIM_POINT } };
	int i = 1;

	*r = (struct request){ .aim = AIM_SNAPSHOT, .what = "" };
	for (size_t k = 0; i < op->words->n && k < ARRAY_LEN(options); k++)
		if (strcmp(op->words->w[i].text, options[k].word) == 0)
			r->aim = options[k].aim;
	i += r->aim != AIM_SNAPSHOT;
	r->what = join_until_to(op, &i);
	if (i < op->words->n && strcmp(op->words->w[i].text, "--before") == 0) {
		if (r->aim != AIM_TIME)
			return usage(op, "--before", err);
		r->is_before = true;
		i++;
	}
	if (i + 2 != op->words->n || strcmp(op->words->w[i].text, "to") != 0)
		return usage(op, i < op->words->n ? op->words->w[i].text : NULL, err);
	r->name = op->words->w[i + 1].text;
	if (!copy_is_name(r->name)) {
		error_set(err, ERR_USAGE, "'%s' is no name for a copy", r->name);
		return error_hint(err, "Letters, digits, '_', '.', '-'.");
	}
	return read_target(op, r, err);
}

/* ------------------------------------------------------------------ which backup */

struct choice {
	const struct pgbackrest_info *info;
	struct wal_archive *wal;
	const struct local_source *source;
	const struct pgbackrest_backup *backup;
	bool archives_first; /* the source has to hand over its WAL before */
	bool is_left;        /* the snapshot is on a timeline that was left */
	uint32_t timeline;   /* to follow; 0: the newest */
};

static bool
refuse_window(struct op *op, const struct choice *c, struct error *err, const char *why)
{
	error_set(err, ERR_REFUSED, "%s", why);
	return error_hint(err, "Recoverable: %s.", wal_window_text(op, c->wal, c->info));
}

static bool
choose_snapshot(struct op *op, const struct request *r, struct choice *c, struct error *err)
{
	struct wal_reach reach;

	c->backup = pgbackrest_find(c->info, r->what);
	if (!c->backup) {
		error_set(err, ERR_NOT_FOUND, "there is no snapshot '%s'", r->what);
		return error_hint(err, "`snapshots` lists them.");
	}
	wal_reach_of(op, c->wal, c->backup, &reach);
	c->is_left = reach.is_left;
	if (reach.is_whole)
		return true;
	error_set(err, ERR_REFUSED, "the snapshot %s lacks WAL segment %s", c->backup->label,
	    *reach.missing ? reach.missing : c->backup->wal_stop);
	return error_hint(err, "Without it the copy is not consistent. Another snapshot?");
}

/* May WAL that is not in the repository yet be fetched from the source? */
static bool
can_archive(const struct choice *c)
{
	return c->source->is_there && !c->source->is_standby && !c->source->is_failing;
}

/* How far the backup must reach: a segment's number; -1: to the end of all that is archived. */
static bool
reaches(struct op *op, struct choice *c, const struct pgbackrest_backup *b, int64_t number)
{
	struct wal_reach reach;

	wal_reach_of(op, c->wal, b, &reach);
	return reach.is_whole && !reach.is_left &&
	    (!*reach.missing || (number >= 0 && reach.last->number >= number));
}

static bool
choose_lsn(struct op *op, int64_t lsn, struct choice *c, struct error *err)
{
	int64_t number = lsn / c->wal->segment_size, last = -1;
	bool has_earlier = false;
	uint32_t timeline;

	if (c->source->is_there && !c->timeline && lsn > c->source->lsn)
		return refuse_window(op, c, err, "that LSN has not been written yet");
	(void)(*c->info->wal_max && wal_parse_name(c->wal, c->info->wal_max, &timeline, &last));
	c->archives_first = number >= last && !c->timeline && can_archive(c);
	if (number > last && !c->archives_first)
		return refuse_window(op, c, err, "that LSN is not in the repository");
	for (int i = c->info->n - 1; i >= 0; i--) {
		const struct pgbackrest_backup *b = &c->info->backups[i];
		int64_t stop;

		if (!read_lsn(b->lsn_stop, &stop) || stop > lsn)
			continue;
		has_earlier = true;
		c->backup = b;
		if (reaches(op, c, b, number > last ? -1 : number))
			return true;
	}
	return refuse_window(op, c, err,
	    has_earlier ? "WAL is missing between the snapshot and that LSN" :
	                  "that LSN is before the end of the first snapshot");
}

static bool
is_on_line(struct op *op, const struct choice *c, const struct pgbackrest_backup *b)
{
	struct wal_reach reach;

	wal_reach_of(op, c->wal, b, &reach);
	return !reach.is_left;
}

/* The newest that had ended by `end` and from which WAL leads to `at`. */
static bool
choose_ended(struct op *op, struct wall end, struct wall at, struct choice *c, bool *has_earlier)
{
	for (int i = c->info->n - 1; i >= 0; i--) {
		const struct pgbackrest_backup *b = &c->info->backups[i];

		if (b->stop.us > end.us)
			continue;
		*has_earlier = true;
		c->backup = b;
		if (is_on_line(op, c, b) &&
		    (wal_covers_time(op, c->wal, b, at) ||
		        (c->archives_first && reaches(op, c, b, -1))))
			return true;
	}
	return false;
}

static bool
choose_time(struct op *op, struct wall at, struct choice *c, struct error *err)
{
	bool has_earlier = false;
	struct wall now = wall_now();

	if (at.us > now.us)
		return refuse_window(op, c, err, "that time has not come yet");
	c->archives_first = can_archive(c);
	/* pgBackRest cuts a second's fraction: what has surely ended before is preferred. */
	if (choose_ended(op, (struct wall){ at.us - 999999 }, at, c, &has_earlier) ||
	    choose_ended(op, at, at, c, &has_earlier))
		return true;
	if (!has_earlier)
		return refuse_window(
		    op, c, err, "that time is before the end of the first snapshot");
	if (c->source->is_failing)
		return refuse_window(op, c, err,
		    arena_printf(&op->arena,
		        "WAL of that time is not in the repository: archiving fails (%s)",
		        c->source->failed_wal));
	return refuse_window(op, c, err,
	    "that time is later than the last archived commit, or WAL before it is missing");
}

/* A point of a timeline that has been left since is still there, on that. */
static bool
follow_point(struct op *op, const struct job_point *point, struct choice *c, struct error *err)
{
	uint32_t timeline = (uint32_t)strtoul(point->timeline, NULL, 16);

	if (!timeline || wal_is_in_line(c->wal, timeline, point->lsn))
		return true;
	c->timeline = timeline;
	return wal_archive_follow(op, c->info, c->wal, timeline, err);
}

static bool
choose(struct op *op, struct request *r, struct choice *c, struct error *err)
{
	if (c->info->n == 0) {
		error_set(err, ERR_NOT_FOUND, "%s has no snapshot yet", op->target->name);
		return error_hint(err, "`snapshot` makes one.");
	}
	switch (r->aim) {
	case AIM_SNAPSHOT:
		return choose_snapshot(op, r, c, err);
	case AIM_TIME:
		return choose_time(op, r->at, c, err);
	case AIM_POINT:
		if (!local_point_find(op, r->what, &r->point, err))
			return false;
		r->lsn = r->point.lsn;
		return follow_point(op, &r->point, c, err) && choose_lsn(op, r->lsn, c, err);
	case AIM_LSN:
		break;
	}
	return choose_lsn(op, r->lsn, c, err);
}

/* ------------------------------------------------------------------ the plan */

/* The recovery target as options of pgbackrest, kept as facts. */
static bool
keep_target(struct op *op, const struct request *r, struct error *err)
{
	char lsn[32], at[40];

	if (r->aim == AIM_SNAPSHOT)
		return op_fact_set(op, err, "target.type", "immediate");
	if (r->aim == AIM_TIME) {
		wall_rfc3339(r->at, at, sizeof(at));
		if (!op_fact_set(op, err, "target.us", "%lld", (long long)r->at.us))
			return false;
		/* pgBackRest reads "YYYY-MM-DD HH:MM:SS.ffffff+00". */
		at[10] = ' ';
		at[strlen(at) - 1] = '\0';
		return op_fact_set(op, err, "target.type", "time") &&
		    op_fact_set(op, err, "target.is_before", "%d", r->is_before) &&
		    op_fact_set(op, err, "target", "%s+00", at);
	}
	/* Everything that was written before it, nothing that begins there. */
	return op_fact_set(op, err, "target.type", "lsn") &&
	    op_fact_set(op, err, "target.is_before", "1") &&
	    op_fact_set(op, err, "target", "%s", fmt_lsn(lsn, sizeof(lsn), r->lsn));
}

/* Which way recovery goes where a failover has made two; by itself it follows the newest. */
static bool
keep_timeline(struct op *op, const struct choice *c, struct error *err)
{
	if (c->timeline)
		return op_fact_set(op, err, "target.timeline", "%u", c->timeline);
	return !c->is_left || op_fact_set(op, err, "target.timeline", "current");
}

static const char *
aim_text(struct op *op, const struct request *r)
{
	char at[40], lsn[32];

	switch (r->aim) {
	case AIM_TIME:
		return arena_printf(&op->arena, "%s %s (given as %s)",
		    r->is_before ? "just before" : "up to and with",
		    wall_rfc3339(r->at, at, sizeof(at)), r->what);
	case AIM_LSN:
		return arena_printf(&op->arena, "all before LSN %s", r->what);
	case AIM_POINT:
		return arena_printf(&op->arena, "restore point %s, LSN %s, of %s", r->what,
		    fmt_lsn(lsn, sizeof(lsn), r->point.lsn),
		    wall_rfc3339(r->point.at, at, sizeof(at)));
	case AIM_SNAPSHOT:
		break;
	}
	return "the end of the snapshot";
}

static void
add_doc(struct op *op, const struct request *r, const struct choice *c)
{
	const struct pgbackrest_backup *b = c->backup;
	char at[40], size[32];

	doc_pair(&op->doc, "restore", ROLE_NORMAL, "%s of %s, %s", b->label, op->target->name,
	    wall_rfc3339(b->stop, at, sizeof(at)));
	doc_pair(&op->doc, "as it was at", ROLE_NORMAL, "%s", aim_text(op, r));
	doc_pair(&op->doc, "to", ROLE_NORMAL, "%s, %s", op_fact(op, "copy.dir"),
	    fmt_bytes(size, sizeof(size), (double)b->size));
	wal_window_doc(op, &op->doc, c->wal, c->info);
	if (b->has_error)
		doc_pair(&op->doc, "WARNING", ROLE_CRIT,
		    "pgBackRest found corrupt pages when it made this snapshot");
	local_source_doc(op, c->source);
}

static void
add_steps(struct op *op, const struct request *r, const struct choice *c)
{
	if (c->archives_first)
		op_add_step(op, "archive", "low", "have the source hand over its WAL",
		    "one empty transaction and a new WAL segment on %s, then waits for it",
		    op->target->name);
	op_add_step(op, "restore", c->backup->has_error ? "medium" : "low",
	    "restore into a new folder", "%s from %s", op_fact(op, "copy.dir"), c->backup->label);
	op_add_step(op, "configure", "none", "give it a configuration of its own", "%s",
	    "no TCP, no archiving, no preloaded library, no logical worker");
	op_add_step(op, "start", "low", "start it and recover", "%s", aim_text(op, r));
	op_add_step(op, "judge", "none", "judge it", "%s",
	    "out of recovery, where it stopped, and that it answers");
}

static bool
restore_plan(struct op *op, struct error *err)
{
	struct pgbackrest_info info = { 0 };
	struct wal_archive wal;
	struct local_source source;
	struct request r;
	struct choice c = { .info = &info, .wal = &wal, .source = &source };
	bool ok = read_words(op, &r, err) && local_source_look(op, &source, err) &&
	    pgbackrest_info(op, &info, err) && local_source_same(op, &source, &info, err) &&
	    wal_archive_read(op, &info, source.segment_size, &wal, err) &&
	    choose(op, &r, &c, err) && copy_plan(op, r.name, info.pg_major, c.backup->size, err) &&
	    copy_plan_login(op, source.superuser, source.database, err) &&
	    keep_target(op, &r, err) && keep_timeline(op, &c, err) &&
	    op_fact_set(op, err, "name", "%s", r.name) &&
	    op_fact_set(op, err, "label", "%s", c.backup->label) &&
	    op_fact_set(op, err, "label.stop", "%lld", (long long)c.backup->stop.us);

	if (ok) {
		op_identity(op, "label", "%s", c.backup->label);
		add_doc(op, &r, &c);
		add_steps(op, &r, &c);
		op->question =
		    arena_printf(&op->arena, "restore %s to %s?", c.backup->label, r.name);
	}
	pgbackrest_info_release(&info);
	return ok;
}

/* ------------------------------------------------------------------ the run */

static bool
restore_run(struct op *op, struct error *err)
{
	const char *args[6] = { arena_printf(&op->arena, "--type=%s", op_fact(op, "target.type")),
		"--target-action=promote" };
	int n = 2;

	if (op_fact(op, "target"))
		args[n++] = arena_printf(&op->arena, "--target=%s", op_fact(op, "target"));
	if (op_fact_int(op, "target.is_before", 0))
		args[n++] = "--target-exclusive";
	args[n] = NULL;
	return copy_restore(op, op_fact(op, "label"), args, err);
}

static bool
configure_run(struct op *op, struct error *err)
{
	return copy_configure(op, false, err);
}

static bool
judge_run(struct op *op, struct error *err)
{
	const char *proof = op_fact(op, "recovered.proof");

	/* A recovery that ran out of WAL before its target does not come here; one that was not
	 * asked to stop has no proof. */
	if (op_fact(op, "target") && (!proof || !*proof)) {
		error_set(
		    err, ERR_STATE, "the copy runs, but its log does not say where it stopped");
		return error_hint(err, "Look at it before you rely on it: %s.", copy_uri(op));
	}
	return op_settle_kind(op, "server", err) && op_settle_kind(op, "directory", err);
}

static bool
restore_result(struct op *op, struct error *err)
{
	struct wall at = { op_fact_int(op, "recovered.at", 0) };
	const char *proof = op_fact(op, "recovered.proof");
	bool first = true;

	(void)err;
	if (!at.us)
		at.us = op_fact_int(op, "label.stop", 0);
	/* Of a time the state is that of then, however long before it the last commit was. */
	if (op_fact_int(op, "target.us", 0) && !op_fact_int(op, "target.is_before", 0))
		at.us = op_fact_int(op, "target.us", 0);
	op_result_text(op, &first, "name", op_fact(op, "name"));
	op_result_text(op, &first, "uri", copy_uri(op));
	op_result_text(op, &first, "data_directory", copy_data(op));
	op_result_time(op, &first, "recovered_to", at);
	op_result_text(op, &first, "recovered_lsn", op_fact(op, "recovered.lsn"));
	op_result_text(op, &first, "snapshot", op_fact(op, "label"));
	op_result_text(op, &first, "proof", proof && *proof ? proof : NULL);
	return true;
}

static const struct op_step_def restore_steps[] = {
	{ "archive", NULL, local_source_archive },
	{ "restore", NULL, restore_run },
	{ "configure", NULL, configure_run },
	{ "start", NULL, copy_start },
	{ "judge", NULL, judge_run },
	{ NULL, NULL, NULL },
};

const struct op_impl local_restore = { restore_plan, restore_steps, restore_result };
