#include "config.h"

#include "advice/drop.h"

#include <math.h>
#include <string.h>

#include "advice/drop_priv.h"
#include "base/fmt.h"
#include "base/strbuf.h"

enum {
	DAY_S = 86400,
	/* A monthly report is seen once in that time: for indexes that were scanned once. */
	LONG_DAYS = 35,
	/* Writes from which the number of blocks fetched says whether the index was there. */
	TELLING_WRITES = 1000,
	MIN_BLOAT_BYTES = 3 << 20,
};
static const double min_bloat_ratio = 2;

const char *
drop_name(struct drop *d, const struct drop_index *ix)
{
	return advice_qualified(&d->list->arena, ix->schema, ix->name);
}

struct advice_item *
drop_item(struct drop *d, struct drop_index *ix, enum advice_kind kind)
{
	struct advice_item *item =
	    advice_list_add(d->list, ADVICE_DROP, kind, ix->schema, ix->table->name);
	struct arena *arena = &d->list->arena;
	double writes = ix->table->ins + ix->table->upd - ix->table->hot_upd;

	item->confidence = ADVICE_HEURISTIC;
	item->index = ix->name;
	item->method = ix->method;
	item->size_bytes = (int64_t)(ix->pages * ix->table->block_size);
	item->score = ix->pages + writes / 1000;
	for (int i = 0; i < ix->nkeys; i++)
		advice_item_column(d->list, item, ix->parts[i], strlen(ix->parts[i]));
	if (ix->constraint) {
		item->ddl = arena_printf(arena, "ALTER TABLE %s DROP CONSTRAINT %s",
		    advice_qualified(arena, ix->schema, ix->table->name),
		    advice_ident(arena, ix->constraint));
		item->lock =
		    "ACCESS EXCLUSIVE, for a moment; waits for all transactions on the table";
	} else if (ix->kind == 'I') {
		item->ddl = arena_printf(arena, "DROP INDEX %s", drop_name(d, ix));
		item->lock = "ACCESS EXCLUSIVE on the table and all its partitions, for a moment";
	} else {
		item->ddl = arena_printf(arena, "DROP INDEX CONCURRENTLY %s", drop_name(d, ix));
		item->lock = "SHARE UPDATE EXCLUSIVE; waits for older transactions";
	}
	ix->is_dropped = true;
	return item;
}

/* ------------------------------------------------------------------ invalid ones */

/* pg_toast_…_ccnew, orders_pkey_ccnew1 */
static bool
has_suffix(const char *name, const char *suffix)
{
	const char *at = strstr(name, suffix), *next;

	while (at && (next = strstr(at + 1, suffix)))
		at = next;
	if (!at)
		return false;
	at += strlen(suffix);
	return at[strspn(at, "0123456789")] == '\0';
}

static void
add_invalid(struct drop *d, struct drop_index *ix)
{
	struct advice_item *item;
	bool is_new = has_suffix(ix->name, "_ccnew"), is_old = has_suffix(ix->name, "_ccold");

	if (ix->is_valid || ix->building || ix->parent || ix->kind == 'I' || ix->is_extension)
		return;
	item = drop_item(d, ix, ADVICE_INVALID);
	if (is_new)
		item->reason =
		    "the unfinished copy of a REINDEX CONCURRENTLY that failed; rows are still written to it";
	else if (is_old)
		item->reason = "the old copy that a REINDEX CONCURRENTLY did not drop at its end";
	else
		item->reason =
		    "left over by a CREATE INDEX CONCURRENTLY that failed: never read, but written to";
	if (ix->constraint || ix->is_replident) {
		item->action = ADVICE_REINDEX;
		item->ddl = arena_printf(
		    &d->list->arena, "REINDEX INDEX CONCURRENTLY %s", drop_name(d, ix));
		item->lock = "SHARE UPDATE EXCLUSIVE; waits for older transactions";
		item->reason = "not valid, though a constraint or the replica identity rests on it";
		ix->is_dropped = false;
	} else if (!is_new && !is_old) {
		advice_item_caveat(
		    d->list, item, "where it is wanted, REINDEX INDEX CONCURRENTLY completes it");
	}
	item->score += 1e6; /* no benefit at all, and costs each write */
}

/* ------------------------------------------------------------------ unused ones */

/* Does the predicate leave out only rows that the key leaves out: "(parent_id IS NOT NULL)" of one
 * of its columns, and nothing beside? */
static bool
only_skips_nulls(const struct drop_index *ix, const struct drop_fkey *fk)
{
	for (int i = 0; i < fk->nkeys; i++) {
		size_t len = strlen(ix->parts[i]);

		if (*ix->pred == '(' && strncmp(ix->pred + 1, ix->parts[i], len) == 0 &&
		    strcmp(ix->pred + 1 + len, " IS NOT NULL)") == 0)
			return true;
	}
	return false;
}

/* The first columns of the index are those of the key, in any order. */
static bool
leads_with(const struct drop_index *ix, const struct drop_fkey *fk)
{
	if (!ix->is_valid || ix->nkeys < fk->nkeys ||
	    (strcmp(ix->method, "btree") != 0 && strcmp(ix->method, "hash") != 0))
		return false;
	/* look-ups say "column = value": all that IS NOT NULL leaves out is what they never ask for
	 */
	if (ix->pred && !only_skips_nulls(ix, fk))
		return false;
	for (int k = 0; k < fk->nkeys; k++) {
		bool found = false;

		for (int i = 0; i < fk->nkeys; i++)
			found |= ix->keys[i] == fk->keys[k];
		if (!found)
			return false;
	}
	return true;
}

bool
drop_serves(const struct drop_index *ix, const struct drop_fkey *fk)
{
	return ix->relid == fk->table->relid && leads_with(ix, fk);
}

/* A foreign key that is looked up, and that nothing else would serve. */
static const struct drop_fkey *
only_support_of(const struct drop *d, const struct drop_index *ix)
{
	for (int f = 0; f < d->nfkeys; f++) {
		const struct drop_fkey *fk = &d->fkeys[f];
		bool is_part = ix->table->root && ix->table->root == fk->table->relid;
		bool has_other = false;

		/* an update of a referenced key is looked up as well; nobody counts which column */
		if ((!is_part && ix->relid != fk->table->relid) || !leads_with(ix, fk) ||
		    (fk->ref->del <= 0 && fk->ref->upd <= 0))
			continue;
		for (int i = 0; i < ix->table->nindexes && !has_other; i++) {
			const struct drop_index *other = &d->indexes[ix->table->first + i];

			has_other = other != ix && !other->is_dropped && leads_with(other, fk);
		}
		if (!has_other)
			return fk;
	}
	return NULL;
}

/* Inserts and updates go through each index of their table: one that was fetched much less often
 * was not there for long. */
static bool
is_new(const struct drop *d, const struct drop_index *ix)
{
	double writes = ix->table->ins + ix->table->upd - ix->table->hot_upd;

	if (ix->made_age_s >= 0 && ix->made_age_s < d->in->unused_days * DAY_S)
		return true;
	return !ix->pred && strcmp(ix->method, "btree") == 0 && writes >= TELLING_WRITES &&
	    ix->fetched < writes / 2 && d->in->unused_days > 0;
}

/* Scanned by nobody, or by nobody for long. */
static bool
is_idle(const struct drop *d, const struct drop_index *ix)
{
	double days = fmax(LONG_DAYS, 5 * d->in->unused_days);

	if (ix->standby_scans > 0)
		return false;
	return ix->scans <= 0 || ix->last_scan_age_s >= days * DAY_S;
}

/* Nobody may be called unused: the counters are young, or not all are known. */
static bool
refuse_unused(struct drop *d)
{
	struct arena *arena = &d->list->arena;
	double age = d->ntables ? d->tables[0].stats_age_s : -1;
	double since = d->in->promoted_age_s;
	char have[32], want[32];

	if (d->is_standby) {
		d->out->no_unused =
		    "no index is called unused: this is a standby, and what its primary reads is not counted here";
		d->out->no_unused_hint = "Ask its primary, with the standbys as targets.";
		return true;
	}
	if (d->in->nstandbys_unseen < 0) {
		d->out->no_unused =
		    "no index is called unused: it is not known whether standbys read them";
		d->out->no_unused_hint = "The server did not answer; ask again.";
		return true;
	}
	if (d->in->nstandbys_unseen > 0) {
		d->out->no_unused = arena_printf(arena,
		    "no index is called unused: %d standby%s not among the targets may read them",
		    d->in->nstandbys_unseen,
		    d->in->nstandbys_unseen == 1 ? " that is" : "s that are");
		d->out->no_unused_hint = "Configure the standbys as targets of the same system.";
		return true;
	}
	if (d->in->unused_days <= 0 ||
	    (age >= d->in->unused_days * DAY_S &&
	        (since < 0 || since >= d->in->unused_days * DAY_S)))
		return false;
	fmt_span(want, sizeof(want), d->in->unused_days * DAY_S);
	if (since >= 0 && since < age)
		d->out->no_unused = arena_printf(arena,
		    "no index is called unused: this server was a standby until %s ago, which is not %s",
		    fmt_span(have, sizeof(have), since), want);
	else if (age < 0)
		d->out->no_unused =
		    "no index is called unused: nobody knows since when scans are counted";
	else
		d->out->no_unused = arena_printf(arena,
		    "no index is called unused: scans are counted for %s only, not for %s",
		    fmt_span(have, sizeof(have), age), want);
	d->out->no_unused_hint = "Ask again later, or set advice_unused_days.";
	return true;
}

static void
add_unused(struct drop *d, struct drop_index *ix)
{
	struct advice_item *item = drop_item(d, ix, ADVICE_UNUSED);
	struct arena *arena = &d->list->arena;
	char age[32];

	if (ix->scans > 0)
		item->reason = arena_printf(
		    arena, "not scanned for %s", fmt_span(age, sizeof(age), ix->last_scan_age_s));
	else
		item->reason = arena_printf(arena, "not scanned once in %s%s",
		    fmt_span(age, sizeof(age), fmax(ix->table->stats_age_s, 0)),
		    ix->standby_age_s >= 0 ? ", on standbys neither" : "");
	if (ix->standby_age_s >= 0 && ix->standby_age_s < d->in->unused_days * DAY_S)
		advice_item_caveat(d->list, item, "a standby has counted scans for %s only",
		    fmt_span(age, sizeof(age), ix->standby_age_s));
	if (ix->made_age_s < 0)
		advice_item_caveat(d->list, item,
		    "the server does not tell when it was made: be sure that it is older");
	advice_item_caveat(d->list, item,
	    "yearly and quarterly jobs may need it: keep its definition to make it again");
	for (int i = 0; i < ix->nkeys; i++)
		if (ix->keys[i] == 0) {
			advice_item_caveat(
			    d->list, item, "the planner uses the statistics of its expression");
			break;
		}
}

static void
find_unused(struct drop *d)
{
	bool refused = refuse_unused(d);

	for (int i = 0; i < d->nindexes; i++) {
		struct drop_index *ix = &d->indexes[i];
		if (ix->is_dropped || !ix->is_valid || ix->building || !is_idle(d, ix))
			continue;
		if (drop_is_bound(ix) || ix->is_unique || ix->constraint ||
		    only_support_of(d, ix)) {
			d->out->held_back += ix->parent == 0;
			continue;
		}
		if (refused || is_new(d, ix) || ix->table->rows == 0)
			continue;
		add_unused(d, ix);
	}
}

/* ------------------------------------------------------------------ bloated ones */

/* Rows and pages are as of the same vacuum or analyze, so that it does not matter how long ago. */
static void
add_bloated(struct drop *d, struct drop_index *ix)
{
	struct sizing_index asked = {
		.relid = ix->relid,
		.attnums = ix->keys,
		.nattnums = (size_t)ix->ncolumns,
		.ninclude = ix->ncolumns - ix->nkeys,
		.is_unique = ix->is_unique,
		.no_dedup = !ix->equal_image,
		.fillfactor = ix->fillfactor,
		.rows = -1,
	};
	const struct drop_table *t = ix->table;
	struct size_estimate fresh;
	struct advice_item *item;
	char now[32], then[32];
	double spare;

	if (ix->is_dropped || !ix->is_valid || ix->building || ix->kind != 'i' || ix->pred ||
	    ix->is_extension || strcmp(ix->method, "btree") != 0 || !t->is_analyzed || t->rows < 0)
		return;
	if (!sizing_estimate(d->in->sizing, &asked, &fresh))
		return;
	spare = (ix->pages - fresh.pages) * t->block_size;
	if (ix->pages < min_bloat_ratio * fresh.pages || spare < MIN_BLOAT_BYTES)
		return;
	item = advice_list_add(d->list, ADVICE_REINDEX, ADVICE_BLOAT, ix->schema, t->name);
	item->confidence = ADVICE_MODELLED;
	item->index = ix->name;
	for (int i = 0; i < ix->nkeys; i++)
		advice_item_column(d->list, item, ix->parts[i], strlen(ix->parts[i]));
	item->ddl =
	    arena_printf(&d->list->arena, "REINDEX INDEX CONCURRENTLY %s", drop_name(d, ix));
	item->lock = "SHARE UPDATE EXCLUSIVE; waits for older transactions three times";
	item->size_bytes = (int64_t)spare;
	item->score = spare / (1 << 20);
	item->reason = arena_printf(&d->list->arena, "%s, where its rows need about %s: %.1f times",
	    fmt_bytes(now, sizeof(now), ix->pages * t->block_size),
	    fmt_bytes(then, sizeof(then), fresh.bytes), ix->pages / fresh.pages);
	advice_item_caveat(d->list, item, "needs the room of a second copy while it runs");
	/* No reason to say nothing: the counters of what a session changed arrive up to a second
	 * after it vacuumed and analyzed. */
	if (t->mod_since_analyze > 0.3 * t->rows + 1000)
		advice_item_caveat(d->list, item,
		    "much was changed since the last ANALYZE: run it, and look again");
	advice_item_caveat(d->list, item,
	    "the size is modelled from statistics; pgstatindex() measures it, reading all of it");
}

void
drop_advise(const struct drop_input *in, struct advice_list *list, struct drop_outcome *out)
{
	struct drop d = { .in = in, .list = list, .out = out };

	memset(out, 0, sizeof(*out));
	drop_read(&d);
	for (int i = 0; i < d.nindexes; i++)
		add_invalid(&d, &d.indexes[i]);
	/* unused before covered: a long index that nobody reads is no reason to drop a short one */
	find_unused(&d);
	drop_covered(&d);
	for (int i = 0; i < d.nindexes; i++)
		add_bloated(&d, &d.indexes[i]);
	drop_foreign_keys(&d);
	hmap_release(&d.by_oid);
}
