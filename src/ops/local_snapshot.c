/*
 * snapshot [NAME] [full|diff|incr] [daily|weekly|monthly]: a backup by pgBackRest, with its verdict
 * made here. A job's backup carries the job's id as an annotation, so that it is found again and
 * never made twice.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "model/retention.h"
#include "ops/local.h"
#include "ops/op_result.h"
#include "ops/op_server.h"
#include "ops/pgbackrest.h"

enum {
	CHECK_MS = 120000,
	BACKUP_MS = 24 * 3600 * 1000,
	SEEN_MS = 1000,
	FULL_DAYS = 7, /* an older full backup is not built upon, unless asked */
	MAX_OUTPUT = 16 << 20,
};

static bool
is_type(const char *word)
{
	return strcmp(word, "full") == 0 || strcmp(word, "diff") == 0 || strcmp(word, "incr") == 0;
}

/* NAME is a word of its own in file names and annotations. */
static bool
is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return n > 0 && n <= 63 && !s[n] && s[0] != '-' && s[0] != '.';
}

static bool
read_words(
    struct op *op, const char **name, const char **type, const char **policy, struct error *err)
{
	*name = *type = *policy = NULL;
	for (int i = 1; i < op->words->n; i++) {
		const char *w = op->words->w[i].text;

		if (!*type && is_type(w)) {
			*type = w;
		} else if (!*policy && retention_class_of(w) != RETENTION_OTHER) {
			*policy = w;
		} else if (!*name && is_name(w)) {
			*name = w;
		} else {
			error_set(err, ERR_USAGE, "'%s' is no name for a snapshot", w);
			return error_hint(
			    err, "Usage: %s; letters, digits, '_', '.', '-'.", op->kind->usage);
		}
	}
	return true;
}

/* Full where there is none, or none of the last week. */
static const char *
usual_type(const struct pgbackrest_info *info)
{
	for (int i = 0; i < info->n; i++)
		if (strcmp(info->backups[i].type, "full") == 0 && !info->backups[i].has_error &&
		    wall_now().us - info->backups[i].stop.us < (int64_t)FULL_DAYS * 86400 * 1000000)
			return "incr";
	return "full";
}

static bool
check_stanza(const struct op *op, const struct pgbackrest_info *info,
    const struct op_server *server, const char *name, struct error *err)
{
	char own[32];

	snprintf(own, sizeof(own), "%lld", (long long)server->system_identifier);
	if (*info->system_identifier && strcmp(info->system_identifier, own) != 0) {
		error_set(err, ERR_REFUSED,
		    "the stanza %s is of another cluster (system %s, not %s)", info->stanza,
		    info->system_identifier, own);
		return error_hint(err, "Check pgbackrest_stanza of [target %s].", op->target->name);
	}
	if (info->is_running) {
		error_set(err, ERR_STATE, "a backup of %s is being made", info->stanza);
		return error_hint(err, "Wait for it: `snapshots` shows when it is there.");
	}
	if (strcmp(server->archive_mode, "off") == 0) {
		error_set(err, ERR_REFUSED, "%s does not archive its WAL (archive_mode is off)",
		    op->target->name);
		return error_hint(err, "Without it a backup cannot be restored consistently.");
	}
	if (name && pgbackrest_find(info, name)) {
		error_set(err, ERR_REFUSED, "there is a snapshot '%s' already", name);
		return error_hint(err, "Choose another name; `snapshots` lists them.");
	}
	return true;
}

static bool
snapshot_plan(struct op *op, struct error *err)
{
	struct op_server server;
	struct pgbackrest_info info = { 0 };
	const char *name, *type, *policy, *version;
	char size[32];
	bool ok = read_words(op, &name, &type, &policy, err) &&
	    pgbackrest_version(op, &version, err) &&
	    op_server_look(op, op->target, "server", &server, err) &&
	    pgbackrest_info(op, &info, err) && check_stanza(op, &info, &server, name, err);
	const struct pgbackrest_backup *last = info.n ? &info.backups[info.n - 1] : NULL;

	if (ok) {
		if (!type)
			type = policy && strcmp(policy, "daily") != 0 ? "full" : usual_type(&info);
		fmt_bytes(size, sizeof(size), last ? (double)last->size : NAN);
		doc_pair(&op->doc, "snapshot", ROLE_NORMAL,
		    "%s of %s with pgBackRest %s, stanza %s", type, op->target->name, version,
		    info.stanza);
		if (last)
			doc_pair(&op->doc, "last", ROLE_NORMAL, "%s (%s, database %s)", last->label,
			    last->type, size);
		op_add_step(op, "check", "none", "check that WAL reaches the repository",
		    "switches to a new WAL segment");
		op_add_step(op, "backup", "low", "make the backup", "%s; reads the whole data %s",
		    type, "directory, and its checksums where they are on");
		op_add_step(op, "judge", "none", "judge it",
		    "label, page errors, and whether its last WAL segment is there");
		op->question =
		    arena_printf(&op->arena, "make a %s snapshot of %s?", type, op->target->name);
		ok = op_fact_set(op, err, "type", "%s", type) &&
		    op_fact_set(op, err, "policy", "%s", policy ? policy : "") &&
		    op_fact_set(op, err, "name", "%s", name ? name : "");
	}
	pgbackrest_info_release(&info);
	return ok;
}

static bool
check_run(struct op *op, struct error *err)
{
	static const char *const args[] = { "check", NULL };

	return pgbackrest_run(op, args, CHECK_MS, NULL, err);
}

/* The backup of this job. */
static const struct pgbackrest_backup *
own_backup(struct op *op, const struct pgbackrest_info *info)
{
	char id[32];

	snprintf(id, sizeof(id), "%lld", (long long)op->job);
	for (int i = info->n - 1; i >= 0; i--)
		if (strcmp(info->backups[i].job, id) == 0)
			return &info->backups[i];
	return NULL;
}

/* pgBackRest outlives the job that started it: whether its backup comes is known when it has ended.
 */
static enum op_seen
backup_seen(struct op *op, struct error *err)
{
	struct pgbackrest_info info;
	enum op_seen seen = OP_UNSURE;

	for (;;) {
		bool is_told = pgbackrest_info(op, &info, err);

		if (is_told && own_backup(op, &info))
			seen = OP_SEEN;
		else if (is_told && !info.is_running)
			seen = OP_NOT_SEEN;
		pgbackrest_info_release(&info);
		if (!is_told || seen != OP_UNSURE)
			return seen;
		op_progress(op, -1, "a backup is being made, perhaps this one: it is waited for");
		if (!op_wait_ms(op, SEEN_MS, err))
			return OP_UNSURE;
	}
}

static bool
backup_run(struct op *op, struct error *err)
{
	const char *name = op_fact(op, "name"), *policy = op_fact(op, "policy");
	const char *args[] = { "backup", arena_printf(&op->arena, "--type=%s", op_fact(op, "type")),
		arena_printf(&op->arena, "--annotation=job=%lld", (long long)op->job), NULL, NULL,
		NULL };
	struct strbuf out = STRBUF_INIT(MAX_OUTPUT);
	const char *warning;
	int n = 3;
	bool ok;

	if (name && *name)
		args[n++] = arena_printf(&op->arena, "--annotation=name=%s", name);
	if (policy && *policy)
		args[n++] = arena_printf(&op->arena, "--annotation=policy=%s", policy);
	ok = pgbackrest_run(op, args, BACKUP_MS, &out, err);
	if (ok) {
		warning = pgbackrest_warning(&op->arena, out.buf);
		ok = op_fact_set(op, err, "warning", "%s", warning ? warning : "");
	}
	strbuf_release(&out);
	return ok;
}

/* Segment names of one timeline compare as text. */
static bool
wal_is_there(const struct pgbackrest_info *info, const char *segment)
{
	return *info->wal_max && strcmp(segment, info->wal_max) <= 0 &&
	    strcmp(segment, info->wal_min) >= 0;
}

static bool
judge(struct op *op, const struct pgbackrest_info *info, struct error *err)
{
	const struct pgbackrest_backup *b = own_backup(op, info);
	const char *warning = op_fact(op, "warning");

	if (!b) {
		error_set(
		    err, ERR_STATE, "pgbackrest reports success, but the backup is not listed");
		return error_hint(err, "Look at its log and repository.");
	}
	if (!op_fact_set(op, err, "label", "%s", b->label) ||
	    !op_fact_set(op, err, "kind", "%s", b->type) ||
	    !op_fact_set(op, err, "size_bytes", "%lld", (long long)b->size) ||
	    !op_fact_set(op, err, "started_at", "%lld", (long long)b->start.us) ||
	    !op_fact_set(op, err, "finished_at", "%lld", (long long)b->stop.us))
		return false;
	if (b->has_error) {
		error_set(err, ERR_STATE, "the snapshot %s holds corrupt pages", b->label);
		return error_hint(err,
		    "%s. It is kept, but do not rely on it: see runbook corruption.",
		    warning && *warning ? warning :
		                          "pgBackRest found page checksums that are wrong");
	}
	if (!wal_is_there(info, b->wal_stop)) {
		error_set(err, ERR_STATE, "the snapshot %s lacks its last WAL segment %s", b->label,
		    b->wal_stop);
		return error_hint(err, "It cannot be restored until the archiver delivers it.");
	}
	if (warning && *warning) {
		error_set(err, ERR_STATE, "pgbackrest warned: %s", warning);
		return error_hint(
		    err, "The snapshot %s is there; it is not called good.", b->label);
	}
	return true;
}

static bool
judge_run(struct op *op, struct error *err)
{
	struct pgbackrest_info info;
	bool ok = pgbackrest_info(op, &info, err) && judge(op, &info, err);

	pgbackrest_info_release(&info);
	return ok;
}

static const struct op_step_def snapshot_steps[] = {
	{ "check", NULL, check_run },
	{ "backup", backup_seen, backup_run },
	{ "judge", NULL, judge_run },
	{ NULL, NULL, NULL },
};

const struct op_impl local_snapshot = { snapshot_plan, snapshot_steps, op_result_snapshot };
