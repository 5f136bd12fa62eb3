/* Foreign keys among the advice. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "advice/report.h"

/* Are the columns of a, in any order, the first ones of b? */
static bool
begins_with(const struct advice_item *b, const struct advice_item *a)
{
	if (a->ncolumns > b->ncolumns || strcmp(b->method, "btree") != 0 ||
	    strcmp(a->schema, b->schema) != 0 || strcmp(a->table, b->table) != 0)
		return false;
	for (int i = 0; i < a->ncolumns; i++) {
		bool found = false;

		for (int k = 0; k < a->ncolumns; k++)
			found |= strcmp(a->columns[i], b->columns[k]) == 0;
		if (!found)
			return false;
	}
	return true;
}

static bool
is_served(struct advice_list *list, const struct advice_item *fk)
{
	for (int i = 0; i < list->n; i++) {
		struct advice_item *it = &list->items[i];

		if (it->action != ADVICE_CREATE || it->kind != ADVICE_MISSING ||
		    strstr(it->ddl, " WHERE ") || !begins_with(it, fk))
			continue;
		advice_item_caveat(list, it, "also serves the foreign key to %s", fk->parent);
		return true;
	}
	return false;
}

/* A call that removes n rows of the parent reads the child n times. */
static void
credit(struct advice_list *list, struct advice_item *fk, const struct cat_table *child,
    struct workload *wl)
{
	double saving = 0;

	for (int i = 0; i < wl->n; i++) {
		struct statement *s = &wl->items[i];
		struct change change;
		double each, part;

		if (s->is_rare || !change_read(&wl->arena, s->text, &change) ||
		    change.command == 'i' || strcmp(change.table, fk->parent) != 0)
			continue;
		each = child->pages * fmax(1, s->rows / fmax(s->calls, 1));
		if (s->blocks < 0.3 * each * s->calls)
			continue;
		part = fmin(0.99, each * s->calls / fmax(s->blocks, 1));
		saving += s->weight * part;
		report_helped(list, fk, s, 1 - part,
		    arena_printf(&wl->arena, "%s (%s)", fk->table, fk->columns[0]));
	}
	if (saving <= 0)
		return;
	fk->saving_pct = 100 * saving;
	fk->score = fmax(fk->score, fk->saving_pct);
}

void
report_foreign_keys(struct advice_list *list, const struct catalog *cat, struct workload *wl)
{
	int n = 0;

	for (int i = 0; i < list->n; i++) {
		struct advice_item *it = &list->items[i];
		const struct cat_table *child;

		if (it->kind == ADVICE_FK && it->action == ADVICE_CREATE && it->parent) {
			if (is_served(list, it))
				continue;
			child = catalog_find(cat, it->schema, it->table);
			if (child)
				credit(list, it, child, wl);
		}
		list->items[n++] = *it;
	}
	list->n = n;
}
