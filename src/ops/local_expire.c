#include "config.h"

#include "ops/local_expire.h"

#include <string.h>

#include "base/json.h"
#include "ops/pgbackrest.h"

enum { EXPIRE_MS = 3600 * 1000, LIST_MS = 60000, MAX_TEXT = 128 << 10, MAX_LIST = 16 << 20 };

bool
expire_leave(struct op *op, const char *labels, struct error *err)
{
	struct strbuf args = STRBUF_INIT(MAX_TEXT);
	bool first = true, ok;
	int64_t id;

	strbuf_addc(&args, '{');
	json_key(&args, &first, "labels");
	json_str(&args, labels, strlen(labels));
	strbuf_addc(&args, '}');
	ok = op_leave(op, "expiring", args.buf, &id, err,
	    "the repository still has files of snapshots that are being dropped: %s", labels);
	strbuf_release(&args);
	return ok;
}

static bool
is_listed(const struct pgbackrest_info *info, const char *label)
{
	for (int i = 0; i < info->n; i++)
		if (strcmp(info->backups[i].label, label) == 0)
			return true;
	return false;
}

/* Is there a folder of one of them that is not listed? *label: its name, else NULL. */
static bool
find_files(struct op *op, const char *labels, const char **label, struct error *err)
{
	struct pgbackrest_info info = { 0 };
	struct strbuf out = STRBUF_INIT(MAX_LIST);
	bool ok = pgbackrest_info(op, &info, err);

	*label = NULL;
	if (ok) {
		const char *args[] = { "repo-ls", "--output=json",
			arena_printf(&op->arena, "backup/%s", info.stanza), NULL };

		ok = pgbackrest_run(op, args, LIST_MS, &out, err);
	}
	while (ok && !*label && *labels) {
		size_t len = strcspn(labels, " ");
		const char *name = arena_strndup(&op->arena, labels, len);

		if (!is_listed(&info, name) &&
		    strstr(out.buf, arena_printf(&op->arena, "\"%s\"", name)))
			*label = name;
		labels += len + (labels[len] == ' ');
	}
	strbuf_release(&out);
	pgbackrest_info_release(&info);
	return ok;
}

/* Any expire removes what is not listed; by these rules nothing else. */
static bool
sweep(struct op *op, struct error *err)
{
	const char *args[] = { "expire", "--repo=1", "--repo1-retention-full-type=count",
		"--repo1-retention-full=9999999", "--repo1-retention-diff=9999999",
		"--repo1-retention-archive-type=full", "--repo1-retention-archive=9999999", NULL };

	return pgbackrest_run(op, args, EXPIRE_MS, NULL, err);
}

static bool
remove_files(struct op *op, const char *labels, struct error *err)
{
	const char *label;

	if (!find_files(op, labels, &label, err))
		return false;
	if (!label)
		return true;
	if (!sweep(op, err) || !find_files(op, labels, &label, err))
		return false;
	if (!label)
		return true;
	error_set(err, ERR_STATE, "pgbackrest reports success, but files of %s are there", label);
	return error_hint(err, "Look at its log and repository.");
}

bool
expire_sweep(struct op *op, const char *labels, struct error *err)
{
	return remove_files(op, labels, err) && op_settle_kind(op, "expiring", err);
}

bool
expire_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct json *args = json_parse(left->args, strlen(left->args), err);
	const char *labels = json_text(json_get(args, "labels"));
	bool ok = args && remove_files(op, labels ? labels : "", err);

	json_free(args);
	return ok;
}
