/*
 * snapshot drop NAME [--last]: pgBackRest removes a backup and all that builds upon it. What goes
 * is what its own dry run says; what must not go unasked is decided here.
 */
#include "config.h"

#include <string.h>

#include "base/fmt.h"
#include "base/json.h"
#include "ops/dump.h"
#include "ops/kept.h"
#include "ops/local.h"
#include "ops/local_expire.h"
#include "ops/op_result.h"

enum { EXPIRE_MS = 3600 * 1000, MAX_OUTPUT = 1 << 20 };

struct drop {
	const struct pgbackrest_backup **goes;
	int n;
	int64_t bytes; /* in the repository */
};

static bool
read_words(struct op *op, const char **name, struct error *err)
{
	*name = NULL;
	for (int i = 2; i < op->words->n; i++) {
		const char *w = op->words->w[i].text;

		if (strcmp(w, "--last") == 0)
			continue;
		if (*name || *w == '-') {
			error_set(err, ERR_USAGE, "snapshot drop does not know '%s'", w);
			return error_hint(err, "Usage: %s", op->kind->usage);
		}
		*name = w;
	}
	if (*name && strcmp(*name, "latest") != 0)
		return true;
	error_set(err, ERR_USAGE, "snapshot drop needs the name of a snapshot");
	return error_hint(err, "`snapshots` lists them.");
}

static bool
expire(struct op *op, const char *label, bool is_dry, struct strbuf *out, struct error *err)
{
	const char *args[] = { "expire", arena_printf(&op->arena, "--set=%s", label),
		is_dry ? "--dry-run" : NULL, NULL };

	return pgbackrest_run(op, args, EXPIRE_MS, out, err);
}

static bool
goes(const struct drop *d, const char *label)
{
	for (int i = 0; i < d->n; i++)
		if (strcmp(d->goes[i]->label, label) == 0)
			return true;
	return false;
}

static bool
is_named_in(const char *labels, const char *label)
{
	size_t len = strlen(label);

	for (const char *at = labels; (at = strstr(at, label)); at += len)
		if ((at == labels || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

/* "expire adhoc backup A", "expire adhoc backup set A, B": what pgBackRest would take. */
static bool
ask_pgbackrest(struct op *op, const struct pgbackrest_info *info,
    const struct pgbackrest_backup *which, struct drop *d, struct error *err)
{
	static const char key[] = "expire adhoc backup ", set[] = "set ";
	struct strbuf out = STRBUF_INIT(MAX_OUTPUT);
	bool ok = expire(op, which->label, true, &out, err);
	const char *at = ok ? strstr(out.buf, key) : NULL;

	d->goes = arena_zalloc(&op->arena, (size_t)info->n + 1, sizeof(struct pgbackrest_backup *));
	at = at ? at + sizeof(key) - 1 : NULL;
	if (at && strncmp(at, set, sizeof(set) - 1) == 0)
		at += sizeof(set) - 1;
	while (at && *at && *at != '\n') {
		size_t len = strcspn(at, ", \n");

		for (int i = 0; i < info->n && d->n < info->n; i++)
			if (strlen(info->backups[i].label) == len &&
			    strncmp(info->backups[i].label, at, len) == 0) {
				d->goes[d->n++] = &info->backups[i];
				d->bytes += info->backups[i].repo_size;
			}
		at += len;
		at += strspn(at, ", ");
	}
	if (!ok && strstr(out.buf, "cannot be expired until another full")) {
		error_set(err, ERR_REFUSED, "%s is the only full snapshot", which->label);
		error_hint(err, "Make another one first: snapshot full.");
	} else if (ok && !goes(d, which->label)) {
		ok = error_set(err, ERR_PROGRAM, "pgbackrest does not say what it would remove");
	}
	strbuf_release(&out);
	return ok;
}

/* Of what stays: is there a good full one, and one that was verified? */
static bool
leaves_enough(struct op *op, const struct pgbackrest_info *info, const struct drop *d,
    const struct kept *k, struct error *err)
{
	bool full = false, verified = false, takes_verified = false;

	for (int i = 0; i < info->n; i++) {
		const struct pgbackrest_backup *b = &info->backups[i];
		bool is_verified = kept_verified(k, b->label, b->verified).us != 0;

		if (goes(d, b->label)) {
			takes_verified = takes_verified || is_verified;
			continue;
		}
		full = full || (strcmp(b->type, "full") == 0 && !b->has_error);
		verified = verified || is_verified;
	}
	return kept_leaves(op, full, verified || !takes_verified, "snapshot full", err);
}

static bool
show(struct op *op, const struct drop *d, const struct kept *k, struct error *err)
{
	struct strbuf labels = STRBUF_INIT(64 << 10);
	char age[32], size[32], total[32];
	bool ok;

	for (int i = 0; i < d->n; i++) {
		const struct pgbackrest_backup *b = d->goes[i];

		doc_pair(&op->doc, i ? "" : "goes", ROLE_WARN,
		    "%s  %s, %s old, %s in the repository%s%s%s", b->label, b->type,
		    fmt_span(age, sizeof(age), (double)(wall_now().us - b->stop.us) / 1e6),
		    fmt_bytes(size, sizeof(size), (double)b->repo_size), *b->name ? ", " : "",
		    b->name, kept_verified(k, b->label, b->verified).us ? ", VERIFIED" : "");
		strbuf_addf(&labels, "%s%s", i ? " " : "", b->label);
	}
	op_identity(op, "goes", "%s", labels.buf);
	op_add_step(op, "expire", "high", "remove it from the repository",
	    "%d snapshot%s, %s; it cannot be taken back", d->n, d->n == 1 ? "" : "s",
	    fmt_bytes(total, sizeof(total), (double)d->bytes));
	op_add_step(
	    op, "judge", "none", "look whether all the others are there", "%s", "pgbackrest info");
	ok = op_fact_set(op, err, "goes", "%s", labels.buf) &&
	    op_fact_set(op, err, "bytes", "%lld", (long long)d->bytes);
	strbuf_release(&labels);
	return ok;
}

static bool
plan_with(struct op *op, const struct pgbackrest_info *info, const char *name, struct error *err)
{
	const struct pgbackrest_backup *b = pgbackrest_find(info, name);
	struct drop d = { 0 };
	struct kept k;

	if (!b) {
		error_set(err, ERR_NOT_FOUND, "there is no snapshot '%s'", name);
		return error_hint(err, "`snapshots` lists them.");
	}
	if (info->is_running) {
		error_set(err, ERR_STATE, "a backup of %s is being made", info->stanza);
		return error_hint(err, "It may build upon this one: wait for it.");
	}
	op_identity(op, "stanza", "%s %s", info->stanza, info->system_identifier);
	op->question = arena_printf(&op->arena, "drop %s?", b->label);
	return kept_read(op, &k, err) && ask_pgbackrest(op, info, b, &d, err) &&
	    show(op, &d, &k, err) && leaves_enough(op, info, &d, &k, err) &&
	    op_fact_set(op, err, "label", "%s", b->label) &&
	    op_fact_set(op, err, "stay", "%d", info->n - d.n);
}

static bool
drop_plan(struct op *op, struct error *err)
{
	struct pgbackrest_info info = { 0 };
	struct error none = { 0 };
	const char *name;
	bool ok = read_words(op, &name, err);

	if (ok && dump_drop_plan(op, name, &none))
		return true;
	ok = ok && pgbackrest_info(op, &info, err) && plan_with(op, &info, name, err);

	pgbackrest_info_release(&info);
	return ok;
}

/* Those of the plan that are there, and how many others are. */
static bool
count(struct op *op, int *there, int *others, struct error *err)
{
	struct pgbackrest_info info = { 0 };
	bool ok = pgbackrest_info(op, &info, err);

	*there = *others = 0;
	for (int i = 0; ok && i < info.n; i++)
		if (is_named_in(op_fact(op, "goes"), info.backups[i].label))
			++*there;
		else
			++*others;
	pgbackrest_info_release(&info);
	return ok;
}

static enum op_seen
expire_seen(struct op *op, struct error *err)
{
	int there, others;

	if (!count(op, &there, &others, err))
		return OP_UNSURE;
	return there ? OP_NOT_SEEN : OP_SEEN;
}

/* pgBackRest takes what builds upon it, also what was made since the plan: looked at again. */
static bool
is_as_planned(struct op *op, struct error *err)
{
	struct pgbackrest_info info = { 0 };
	const char *label = op_fact(op, "label");
	struct drop d = { 0 };
	bool ok = pgbackrest_info(op, &info, err);
	const struct pgbackrest_backup *b = ok ? pgbackrest_find(&info, label) : NULL;

	if (ok && !b)
		ok = error_set(err, ERR_CHANGED, "%s is not there any more", label);
	ok = ok && ask_pgbackrest(op, &info, b, &d, err);
	for (int i = 0; ok && i < d.n; i++)
		if (!is_named_in(op_fact(op, "goes"), d.goes[i]->label))
			ok = error_set(err, ERR_CHANGED, "%s was made since, and builds upon %s",
			    d.goes[i]->label, label);
	pgbackrest_info_release(&info);
	return ok;
}

static bool
expire_run(struct op *op, struct error *err)
{
	return is_as_planned(op, err) && expire_leave(op, op_fact(op, "goes"), err) &&
	    expire(op, op_fact(op, "label"), false, NULL, err);
}

static bool
judge_run(struct op *op, struct error *err)
{
	int there, others;

	if (!count(op, &there, &others, err))
		return false;
	if (there) {
		error_set(err, ERR_STATE,
		    "pgbackrest reports success, but %d of them %s still listed", there,
		    there == 1 ? "is" : "are");
		return error_hint(err, "Look at its log and repository.");
	}
	if (!expire_sweep(op, op_fact(op, "goes"), err))
		return false;
	if (others >= op_fact_int(op, "stay", 0))
		return true;
	error_set(err, ERR_STATE, "%d snapshots are left, %lld were to stay", others,
	    (long long)op_fact_int(op, "stay", 0));
	return error_hint(err, "pgBackRest's own retention may have removed some: see its log.");
}

static bool
drop_result(struct op *op, struct error *err)
{
	bool first = true;
	const char *label = op_fact(op, "goes");

	(void)err;
	op_result_text(op, &first, "snapshot", op_fact(op, "label"));
	json_key(&op->result, &first, "dropped");
	strbuf_addc(&op->result, '[');
	while (*label) {
		size_t len = strcspn(label, " ");

		json_str(&op->result, label, len);
		label += len;
		label += strspn(label, " ");
		if (*label)
			strbuf_addc(&op->result, ',');
	}
	strbuf_addc(&op->result, ']');
	op_result_int(op, &first, "freed_bytes", op_fact_int(op, "bytes", 0));
	return true;
}

static const struct op_step_def drop_steps[] = {
	{ "expire", expire_seen, expire_run },
	{ "judge", NULL, judge_run },
	{ "remove", NULL, dump_drop_run },
	{ NULL, NULL, NULL },
};

const struct op_impl local_snapshot_drop = { drop_plan, drop_steps, drop_result };
