/*
 * backup retention of pgBackRest: each backup that goes is expired by its label, newest first, so
 * that none goes with one that it builds upon unasked; then the WAL that only they needed. What
 * pgBackRest expires by its own settings is said.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "ops/local.h"
#include "ops/local_expire.h"
#include "ops/local_tools.h"
#include "ops/retention.h"

enum { EXPIRE_MS = 3600 * 1000, DAY_S = 86400 };

/* Good full ones of the continuous days, and the one before: recovery begins at that one. */
static int
fulls_with_wal(const struct pgbackrest_info *info, const struct retention *r)
{
	int64_t since = wall_now().us - (int64_t)r->continuous * DAY_S * 1000000;
	int n = 0;

	/* Bad ones are counted by pgBackRest, too; the one to begin from has to be good. */
	for (int i = info->n - 1; i >= 0; i--) {
		if (strcmp(info->backups[i].type, "full") != 0)
			continue;
		n++;
		if (!info->backups[i].has_error && info->backups[i].stop.us <= since)
			break;
	}
	return n ? n : 1;
}

/* "repo1-retention-full=2" in its file: the repository is made smaller at each backup, whatever is
 * said here. */
static bool
own_setting(struct op *op, const char *key, const char **value)
{
	struct error ignored = { 0 };
	const char *path = op->target->pgbackrest_config;
	const char *text = path && *path ? local_read(op, path, &ignored) : NULL;
	size_t len = strlen(key);

	for (const char *at = text; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
		const char *v = at + strspn(at, " \t");

		if (strncmp(v, key, len) != 0)
			continue;
		v += len;
		v += strspn(v, " \t");
		if (*v != '=')
			continue;
		v += 1 + strspn(v + 1, " \t");
		*value = arena_strndup(&op->arena, v, strcspn(v, " \t\r\n"));
		return true;
	}
	return false;
}

static void
say_own_settings(struct op *op, const struct pgbackrest_info *info)
{
	static const char *const keys[] = { "repo1-retention-full", "repo1-retention-diff",
		"repo1-retention-archive" };
	const char *value;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (own_setting(op, keys[i], &value) && strtol(value, NULL, 10) <= info->n + 1)
			doc_pair(&op->doc, "pgbackrest", ROLE_WARN,
			    "%s = %s in its file: it expires by that itself, at each backup",
			    keys[i], value);
}

static bool
plan_with(struct op *op, const struct pgbackrest_info *info, struct error *err)
{
	struct retention_item *items;
	struct kept k;
	int fulls;

	if (!retention_words(op, &k, err))
		return false;
	if (info->is_running && !retention_only_shows(op)) {
		error_set(err, ERR_STATE, "a backup of %s is being made", info->stanza);
		return error_hint(err, "Wait for it: `snapshots` shows when it is there.");
	}
	items = kept_local(op, &k, info);
	op_identity(op, "stanza", "%s %s", info->stanza, info->system_identifier);
	say_own_settings(op, info);
	if (!retention_show(op, &k, items, info->n, err))
		return false;
	retention_add_set(op);
	if (retention_only_shows(op))
		return true;
	fulls = fulls_with_wal(info, &k.retention);
	if (retention_ngoes(op))
		op_add_step(op, "expire", "high", "remove what is not kept",
		    "%d snapshots; it cannot be taken back", retention_ngoes(op));
	if (k.retention.continuous)
		op_add_step(op, "archive", "medium", "remove WAL that nothing needs",
		    "recovery to any moment since the last %d full snapshots; older ones keep theirs",
		    fulls);
	op_add_step(
	    op, "judge", "none", "look whether all the others are there", "%s", "pgbackrest info");
	op->question = arena_printf(
	    &op->arena, "drop %d snapshots of %s?", retention_ngoes(op), op->target->name);
	return op_fact_set(op, err, "fulls", "%d", fulls);
}

static bool
retention_plan(struct op *op, struct error *err)
{
	struct pgbackrest_info info = { 0 };
	bool ok = pgbackrest_info(op, &info, err) && plan_with(op, &info, err);

	pgbackrest_info_release(&info);
	return ok;
}

static bool
builds_upon(const struct pgbackrest_backup *b, const char *label)
{
	for (int i = 0; i < b->nreferences; i++)
		if (strcmp(b->references[i], label) == 0)
			return true;
	return strcmp(b->prior, label) == 0;
}

/* One that was made since the plan may build upon it. */
static bool
is_free(struct op *op, const struct pgbackrest_info *info, const char *label, struct error *err)
{
	for (int i = 0; i < info->n; i++) {
		const struct pgbackrest_backup *b = &info->backups[i];

		if (retention_goes(op, b->label) || !builds_upon(b, label))
			continue;
		error_set(
		    err, ERR_CHANGED, "%s was made since, and builds upon %s", b->label, label);
		return error_hint(err, "Nothing more is removed: give the command again.");
	}
	return true;
}

/* The newest that is still there; NULL: none. */
static const char *
next(struct op *op, const struct pgbackrest_info *info)
{
	for (int i = info->n - 1; i >= 0; i--)
		if (retention_goes(op, info->backups[i].label))
			return arena_strdup(&op->arena, info->backups[i].label);
	return NULL;
}

static bool
expire_run(struct op *op, struct error *err)
{
	int all = retention_ngoes(op);

	for (int done = 0; done <= all; done++) {
		struct pgbackrest_info info = { 0 };
		bool ok = !op_stopped(op, err) && pgbackrest_info(op, &info, err);
		const char *label = ok ? next(op, &info) : NULL;
		const char *args[] = { "expire",
			arena_printf(&op->arena, "--set=%s", label ? label : ""), NULL };

		ok = ok &&
		    (!label ||
		        (is_free(op, &info, label, err) &&
		            expire_leave(op, op_fact(op, "goes"), err)));
		pgbackrest_info_release(&info);
		if (!ok || !label)
			return ok;
		op_progress(op, 100.0 * done / all, "%s", label);
		if (!pgbackrest_run(op, args, EXPIRE_MS, NULL, err))
			return error_prefix(err, "%s", label);
	}
	return error_set(err, ERR_STATE, "pgbackrest reports success, but does not remove");
}

static bool
archive_run(struct op *op, struct error *err)
{
	/* By this one rule only: what it expires by itself is not this command's. */
	const char *args[] = { "expire", "--repo1-retention-full-type=count",
		"--repo1-retention-full=9999999", "--repo1-retention-diff=9999999",
		"--repo1-retention-archive-type=full",
		arena_printf(&op->arena, "--repo1-retention-archive=%s", op_fact(op, "fulls")),
		NULL };

	return pgbackrest_run(op, args, EXPIRE_MS, NULL, err);
}

static bool
judge_run(struct op *op, struct error *err)
{
	struct pgbackrest_info info = { 0 };
	bool ok = pgbackrest_info(op, &info, err);
	int64_t wanted = op_fact_int(op, "stay", 0);
	const char *left = ok ? next(op, &info) : NULL;

	if (ok && left)
		ok = error_set(err, ERR_STATE, "%s is still listed", left);
	ok = ok && expire_sweep(op, op_fact(op, "goes"), err);
	if (ok && info.n < wanted) {
		ok = error_set(err, ERR_STATE, "%d snapshots are left, %lld were to stay", info.n,
		    (long long)wanted);
		error_hint(err, "pgBackRest's own retention may have removed some: see its log.");
	}
	pgbackrest_info_release(&info);
	return ok;
}

static const struct op_step_def retention_steps[] = {
	{ "show", NULL, retention_show_run },
	{ "set", NULL, retention_set_run },
	{ "expire", NULL, expire_run },
	{ "archive", NULL, archive_run },
	{ "judge", NULL, judge_run },
	{ NULL, NULL, NULL },
};

const struct op_impl local_retention = { retention_plan, retention_steps, retention_result };
