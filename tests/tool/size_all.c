/*
 * size_all CONNINFO: each plain-column B-tree of the database, its pages and what the size model
 * makes of the statistics: index, pages, estimated pages, ratio, by the widest ratio last. For
 * tests.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "advice/sizing.h"
#include "pg/whatif.h"

static bool
estimate(const struct sizing *s, const struct rowset *rs, int i, struct size_estimate *e)
{
	const struct cell *keys = rowset_get(rs, i, "keys");
	struct sizing_index ix = {
		.relid = (uint32_t)cell_i64(rowset_get(rs, i, "relid"), 0),
		.attnums = keys->ints,
		.nattnums = keys->len,
		.is_unique = cell_i64(rowset_get(rs, i, "is_unique"), 0) != 0,
		.no_dedup = cell_i64(rowset_get(rs, i, "equal_image"), 0) == 0,
		.fillfactor = (int)cell_i64(rowset_get(rs, i, "fillfactor"), 0),
		.rows = -1,
	};

	ix.ninclude = (int)keys->len - (int)cell_i64(rowset_get(rs, i, "nkeys"), 0);
	return keys->type == CELL_INTS && cell_is(rowset_get(rs, i, "method"), "btree") &&
	    cell_is(rowset_get(rs, i, "kind"), "i") && cell_is_null(rowset_get(rs, i, "pred")) &&
	    cell_is_null(rowset_get(rs, i, "exprs")) && sizing_estimate(s, &ix, e);
}

int
main(int argc, char **argv)
{
	static const char *const names[] = { "advice_tables", "advice_columns", "advice_extended",
		"advice_indexes" };
	struct whatif_conf conf = { .conninfo = argc > 1 ? argv[1] : "", .no_hypopg = true };
	struct rowset *rs[4] = { NULL };
	struct error err = { 0 };
	struct whatif *w = whatif_open(&conf, &err);
	struct sizing *s;

	for (int i = 0; i < 4; i++) {
		rs[i] = w ? whatif_query(w, names[i], NULL, 0, &err) : NULL;
		if (!rs[i]) {
			error_report(&err);
			return 1;
		}
	}
	s = sizing_new(rs[0], rs[1], rs[2]);
	for (int i = 0; i < rs[3]->nrows; i++) {
		const struct cell *name = rowset_get(rs[3], i, "index");
		double pages = cell_num(rowset_get(rs[3], i, "pages"), 0);
		struct size_estimate e;

		if (estimate(s, rs[3], i, &e))
			printf("%.*s\t%.0f\t%.0f\t%.3f\n", (int)name->len, name->s, pages, e.pages,
			    e.pages / pages);
	}
	sizing_free(s);
	for (int i = 0; i < 4; i++)
		rowset_unref(rs[i]);
	whatif_close(w);
	return 0;
}
