/*
 * Each new row version makes an entry in each index; one that was HOT made none, and makes one in
 * all of them once an updated column joins a key. An entry costs a descent (the pages of the
 * height, nearly always cached) and its WAL.
 */
#include "config.h"

#include "advice/writecost.h"

#include <math.h>
#include <string.h>

/* One entry: descent, insertion, WAL. 5 to 15 us measured for cached B-trees on common hardware. */
static const double ENTRY_MS = 0.01;

double
writecost_hot_loss(const struct workload *wl, const struct cat_table *t,
    const struct cat_column *const *keys, int nkeys)
{
	double all = 0, hit = 0;

	for (int i = 0; i < wl->nchanges; i++) {
		const struct change *ch = &wl->changes[i];
		bool changes = false;

		if (ch->command != 'u' || strcmp(ch->table, t->name) != 0)
			continue;
		for (int c = 0; c < ch->ncolumns; c++) {
			for (int k = 0; k < nkeys; k++)
				changes |= strcmp(ch->columns[c], keys[k]->name) == 0;
		}
		all += ch->rows;
		hit += changes ? ch->rows : 0;
	}
	return all > 0 ? hit / all : 0;
}

/* Rows that the workload's statements changed. Changes by triggers and functions are not among
 * them: then the table's counters tell, less what was once loaded. */
static void
count_changes(const struct workload *wl, const struct cat_table *t, double *ins, double *upd)
{
	double scale = 1;

	*ins = *upd = 0;
	for (int i = 0; i < wl->nchanges; i++) {
		const struct change *ch = &wl->changes[i];

		if (strcmp(ch->table, t->name) != 0)
			continue;
		*ins += ch->command == 'i' ? ch->rows : 0;
		*upd += ch->command == 'u' ? ch->rows : 0;
	}
	if (*ins + *upd > 0)
		return;
	/* Both counters rarely begin at the same time. */
	if (t->stats_age_s > 0 && wl->age_s > 0)
		scale = fmin(wl->age_s / t->stats_age_s, 1);
	*ins = fmax(0, t->ins - t->rows) * scale;
	*upd = t->upd * scale;
}

double
writecost_share(const struct workload *wl, const struct cat_table *t,
    const struct cat_column *const *keys, int nkeys, double height)
{
	double loss = writecost_hot_loss(wl, t, keys, nkeys);
	double hot = t->upd > 0 ? fmin(t->hot_upd / t->upd, 1) : 0.5;
	double ins, upd, entries, share = 0;

	count_changes(wl, t, &ins, &upd);
	entries = ins + upd * (1 - hot) + upd * hot * loss * (1 + t->nindexes);
	if (wl->total_ms > 0)
		share += entries * ENTRY_MS / wl->total_ms;
	if (wl->total_blocks > 0)
		share += entries * (height + 0.5) / wl->total_blocks;
	return share / 2;
}
