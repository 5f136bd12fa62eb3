#include "config.h"

#include "advice/dropping.h"

#include <stdlib.h>

struct dropping {
	struct rowset *tables, *indexes, *fkeys;
	struct sizing *sizing;
	double promoted_age_s;
};

struct dropping *
dropping_open(struct whatif *w, const struct rowset *tables, const struct rowset *columns,
    const struct rowset *indexes, struct error *err)
{
	struct error ignored = { 0 };
	struct rowset *fkeys = whatif_query(w, "advice_fkeys", NULL, 0, err), *extended, *promoted;
	struct dropping *d;

	if (!fkeys)
		return NULL;
	/* sizes are less exact without them, no more */
	extended = whatif_query(w, "advice_extended", NULL, 0, &ignored);
	d = xcalloc(1, sizeof(*d));
	d->tables = rowset_ref(tables);
	d->indexes = rowset_ref(indexes);
	d->fkeys = fkeys;
	d->sizing = sizing_new(tables, columns, extended);
	rowset_unref(extended);
	promoted = whatif_query(w, "advice_promoted", NULL, 0, &ignored);
	d->promoted_age_s =
	    promoted && promoted->nrows ? cell_num(rowset_get(promoted, 0, "age_s"), -1) : -1;
	rowset_unref(promoted);
	return d;
}

void
dropping_close(struct dropping *d)
{
	if (!d)
		return;
	rowset_unref(d->tables);
	rowset_unref(d->indexes);
	rowset_unref(d->fkeys);
	sizing_free(d->sizing);
	free(d);
}

void
dropping_advise(const struct dropping *d, const struct advice_request *req,
    const struct catalog *cat, struct advice_list *list, struct drop_outcome *out)
{
	const struct drop_input in = {
		.cat = cat,
		.tables = d->tables,
		.indexes = d->indexes,
		.fkeys = d->fkeys,
		.sizing = d->sizing,
		.standby_scans = req->standby_scans,
		.promoted_age_s = d->promoted_age_s,
		.nstandbys_unseen = req->nstandbys_unseen,
		.unused_days = req->unused_days == 0 ? DROP_UNUSED_DAYS :
		    req->unused_days < 0             ? 0 :
		                                       req->unused_days,
	};

	drop_advise(&in, list, out);
}
