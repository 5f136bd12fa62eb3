/* Rows of the cloud pane from Enhanced Monitoring: figures of the machine, and its processes. */
#include "config.h"

#include <math.h>

#include "panes/cloud_priv.h"
#include "panes/cloud_series.h"

/* A figure, or a process: its CPU, and what it has of memory. */
static void
add_os(struct grid *g, const struct rowset *rows, int r)
{
	const struct cell *kind = rowset_get(rows, r, "kind"), *name = rowset_get(rows, r, "name"),
	                  *unit = rowset_get(rows, r, "unit"), *pid = rowset_get(rows, r, "pid");
	bool is_process = cell_is(kind, "process");
	struct cloud_unit its = cloud_unit_named(unit->type == CELL_TEXT ? unit->s : "");
	double value = cell_num(rowset_get(rows, r, "value"), NAN),
	       rss = cell_num(rowset_get(rows, r, "rss_bytes"), NAN),
	       share = cell_num(rowset_get(rows, r, "memory_pct"), NAN);
	struct cell *c = cloud_row(g, is_process ? "process" : "os", name);

	c[CLOUD_C_NOW] = cell_text(cloud_value(&g->arena, &its, value));
	c[CLOUD_C_VALUE] = isnan(value) ? cell_null(WHY_NODATA) : cell_float(value);
	c[CLOUD_C_UNIT] = cell_text(its.unit);
	c[CLOUD_C_TIME] = *rowset_get(rows, r, "time");
	if (!is_process)
		return;
	its = cloud_unit_named("bytes");
	if (!isnan(rss))
		c[CLOUD_C_RANGE] = cell_text(cloud_value(&g->arena, &its, rss));
	c[CLOUD_C_TREND] = c[CLOUD_C_TEXT] = cell_text(isnan(share) ?
	        arena_printf(&g->arena, "pid %lld", (long long)cell_i64(pid, 0)) :
	        arena_printf(
	            &g->arena, "pid %lld, %.1f%% of memory", (long long)cell_i64(pid, 0), share));
}

/* The process that follows one in CPU, the first for -1; of equal ones as they come. -1: none. */
static int
next_process(const struct rowset *rows, int before)
{
	double most = before < 0 ? INFINITY : cell_num(rowset_get(rows, before, "value"), 0);
	int best = -1;

	for (int r = 0; r < rows->nrows; r++) {
		double v = cell_num(rowset_get(rows, r, "value"), 0);

		if (!cell_is(rowset_get(rows, r, "kind"), "process") || v > most ||
		    (v == most && r <= before))
			continue;
		if (best < 0 || v > cell_num(rowset_get(rows, best, "value"), 0))
			best = r;
	}
	return best;
}

void
cloud_os_rows(struct grid *g, const struct rowset *rows)
{
	for (int r = 0; rows && r < rows->nrows; r++)
		if (!cell_is(rowset_get(rows, r, "kind"), "process"))
			add_os(g, rows, r);
	for (int r = rows ? next_process(rows, -1) : -1; r >= 0; r = next_process(rows, r))
		add_os(g, rows, r);
}
