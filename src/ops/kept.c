#include "config.h"

#include "ops/kept.h"

#include <string.h>

#include "ops/check.h"

bool
kept_read(struct op *op, struct kept *out, struct error *err)
{
	struct journal *j = op->journal ? op->journal : journal_open(err);
	const char *text;
	bool ok = j &&
	    jobs_verified(j, op->target->name, &op->arena, &out->verified, &out->nverified, err);

	out->retention = (struct retention){ 0 };
	out->has_retention = false;
	text = ok ? jobs_setting(j, op->target->name, "retention", &op->arena, err) : NULL;
	ok = text != NULL;
	if (ok && *text) {
		ok = retention_parse(text, &out->retention, err) ||
		    error_prefix(err, "the retention that is kept");
		out->has_retention = ok;
	}
	if (j && j != op->journal)
		journal_close(j);
	return ok;
}

struct wall
kept_verified(const struct kept *k, const char *id, const char *mark)
{
	return kept_verified_since(k, id, mark, (struct wall){ 0 });
}

/* "2026-11-22T00:30:00Z", or "failed " and when. */
static struct wall
mark_time(const char *mark, bool *passed)
{
	struct wall at;

	*passed = strncmp(mark, CHECK_FAILED, strlen(CHECK_FAILED)) != 0;
	if (!wall_parse(*passed ? mark : mark + strlen(CHECK_FAILED), &at))
		at.us = 0;
	return at;
}

struct wall
kept_verified_since(const struct kept *k, const char *id, const char *mark, struct wall made)
{
	bool passed;
	struct wall at = mark_time(mark, &passed);

	for (int i = 0; i < k->nverified; i++) {
		const struct job_verified *v = &k->verified[i];

		if (strcmp(v->snapshot, id) == 0 && v->at.us >= made.us && v->at.us > at.us) {
			at = v->at;
			passed = v->passed;
		}
	}
	return passed ? at : (struct wall){ 0 };
}

/* What it builds upon: files are in the references, the chain is by `prior`. */
static const char *const *
uses_of(struct op *op, const struct pgbackrest_backup *b, int *n)
{
	const char **uses = arena_zalloc(&op->arena, (size_t)b->nreferences + 1, sizeof(*uses));

	for (*n = 0; *n < b->nreferences; ++*n)
		uses[*n] = b->references[*n];
	if (*b->prior)
		uses[(*n)++] = b->prior;
	return uses;
}

struct retention_item *
kept_local(struct op *op, const struct kept *k, const struct pgbackrest_info *info)
{
	struct retention_item *items =
	    arena_zalloc(&op->arena, (size_t)info->n + 1, sizeof(*items));

	for (int i = 0; i < info->n; i++) {
		const struct pgbackrest_backup *b = &info->backups[i];
		int nuses;
		const char *const *uses = uses_of(op, b, &nuses);

		items[i] = (struct retention_item){
			.id = b->label,
			.policy = b->policy,
			.uses = uses,
			.nuses = nuses,
			.at = b->stop,
			.is_full = strcmp(b->type, "full") == 0,
			.is_bad = b->has_error,
			.is_verified = kept_verified(k, b->label, b->verified).us != 0,
			.is_left_alone = *b->name && !*b->policy,
			.why = "",
		};
	}
	if (k->has_retention)
		retention_judge(items, info->n, &k->retention, wall_now());
	return items;
}

struct retention_item *
kept_rds(struct op *op, const struct kept *k, const struct rds_snapshot *items, int n,
    int automated_days)
{
	struct retention_item *out = arena_zalloc(&op->arena, (size_t)n + 1, sizeof(*out));

	for (int i = 0; i < n; i++) {
		const struct rds_snapshot *s = &items[i];

		out[i] = (struct retention_item){
			.id = s->id,
			.policy = s->policy,
			.at = s->created,
			.is_full = true,
			.is_bad = rds_state_of(s->status) != RDS_READY,
			.is_verified =
			    kept_verified_since(k, s->id, s->verified, s->created).us != 0,
			.is_left_alone = strcmp(s->type, "manual") != 0 ||
			    retention_class_of(s->policy) == RETENTION_OTHER,
			.why = "",
		};
	}
	if (k->has_retention)
		retention_judge(out, n, &k->retention, wall_now());
	for (int i = 0; i < n; i++) {
		if (strcmp(items[i].type, "automated") == 0 && items[i].created.us)
			out[i].expires.us =
			    items[i].created.us + (int64_t)automated_days * 86400 * 1000000;
		/* What is being made, copied or deleted is left to end. */
		if (out[i].is_bad && strcmp(items[i].status, "failed") != 0)
			out[i].is_dropped = false;
	}
	return out;
}

const char *
kept_expires(struct op *op, const struct retention_item *item)
{
	char at[40];

	if (!item->expires.us)
		return "";
	return arena_printf(&op->arena, ", expires %.10s%s%s",
	    wall_rfc3339(item->expires, at, sizeof(at)), *item->why ? ", kept: " : "", item->why);
}

bool
op_has_word(const struct op *op, const char *word)
{
	for (int i = 1; i < op->words->n; i++)
		if (strcmp(op->words->w[i].text, word) == 0)
			return true;
	return false;
}

bool
kept_leaves(struct op *op, bool has_good, bool has_verified, const char *again, struct error *err)
{
	if (has_good && has_verified)
		return true;
	doc_pair(&op->doc, "left", ROLE_WARN, "%s",
	    has_good ? "no snapshot that was verified" : "no snapshot that can be restored");
	if (op_has_word(op, "--last"))
		return true;
	error_set(err, ERR_REFUSED, "nothing that %s would be left",
	    has_good ? "was verified" : "can be restored");
	return has_good ? error_hint(err, "Verify another one first, or say --last.") :
	                  error_hint(err, "Make another one first: %s. Or say --last.", again);
}
