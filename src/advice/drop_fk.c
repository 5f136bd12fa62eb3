/*
 * Foreign keys whose referencing columns no index serves. Each deleted row of the referenced table,
 * and each change of its key, reads the whole referencing table. Harm: deletes times pages.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "advice/drop_priv.h"
#include "advice/report.h"
#include "base/fmt.h"

/* Pages read for nothing since the statistics began, below which it does not matter. */
static const double min_harm = 2000;
enum { MIN_PAGES = 16 };

static bool
is_served(const struct drop *d, const struct drop_fkey *fk)
{
	for (int i = 0; i < fk->table->nindexes; i++) {
		const struct drop_index *ix = &d->indexes[fk->table->first + i];

		if (!ix->is_dropped && drop_serves(ix, fk))
			return true;
	}
	return false;
}

/* Events that look children up. Updates of the referenced table count where the key is declared to
 * change with it; others hardly ever touch the key. */
static double
lookups(const struct drop_fkey *fk)
{
	bool cascades = strchr("cnd", fk->on_update) != NULL && fk->on_update != '\0';

	return fk->ref->del + (cascades ? fk->ref->upd : 0);
}

static void
add_missing(struct drop *d, const struct drop_fkey *fk, double events)
{
	const struct cat_table *table = catalog_table(d->in->cat, fk->table->relid);
	struct report_index ix = { .table = table };
	struct size_estimate size;
	struct sizing_index asked = {
		.relid = fk->table->relid,
		.attnums = fk->keys,
		.nattnums = (size_t)fk->nkeys,
		.rows = fk->table->rows,
	};
	struct advice_item *item;
	char n[32];

	if (!table || fk->nkeys > CAND_MAX_KEYS)
		return;
	for (int i = 0; i < fk->nkeys; i++) {
		const struct cat_column *c = catalog_attnum(table, (int)fk->keys[i]);

		if (!c)
			return;
		ix.keys[i] = advice_ident(&d->list->arena, c->name);
		ix.names[i] = c->name;
	}
	ix.nkeys = ix.nall = fk->nkeys;
	ix.size_bytes = sizing_estimate(d->in->sizing, &asked, &size) ?
	    size.bytes :
	    fk->table->rows * 24 * fk->nkeys;
	item = report_create(d->list, d->in->cat, ADVICE_FK, &ix);
	if (!item)
		return;
	item->confidence = ADVICE_HEURISTIC;
	item->parent = arena_strdup(&d->list->arena, fk->ref_table);
	item->score = fmin(50, 5 * log10(1 + events * fk->table->pages / 1000));
	item->reason = arena_printf(&d->list->arena,
	    "foreign key %s to %s: %s deleted or re-keyed rows there each read all of %s", fk->name,
	    advice_qualified(&d->list->arena, fk->ref_schema, fk->ref_table),
	    fmt_count(n, sizeof(n), events), fk->table->name);
}

void
drop_foreign_keys(struct drop *d)
{
	for (int i = 0; i < d->nfkeys; i++) {
		const struct drop_fkey *fk = &d->fkeys[i];
		double events = lookups(fk);

		if (fk->table->pages < MIN_PAGES || events * fk->table->pages < min_harm ||
		    is_served(d, fk))
			continue;
		add_missing(d, fk, events);
	}
}
