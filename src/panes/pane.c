/* What all panes share: finding them and their columns, and saying why a probe has no answer. */
#include "config.h"

#include "panes/pane.h"

#include <stdio.h>
#include <string.h>

const struct pane *
pane_by_name(const char *name)
{
	const struct pane *found = NULL;
	size_t len = strlen(name);

	if (!len)
		return NULL;
	for (int i = 0; panes[i]; i++) {
		if (strncmp(panes[i]->name, name, len) != 0)
			continue;
		if (!panes[i]->name[len])
			return panes[i];
		if (found)
			return NULL;
		found = panes[i];
	}
	return found;
}

int
pane_column(const struct pane *p, const char *name)
{
	for (int i = 0; i < p->ncolumns; i++)
		if (strcmp(p->columns[i].name, name) == 0)
			return i;
	return -1;
}

int
pane_probes(const struct pane *p, const int *cols, int ncols, enum probe_id *out)
{
	int n = 0;

	for (int i = 0; i < p->nprobes && n < PROBE_COUNT; i++)
		out[n++] = p->probes[i];
	for (int i = 0; i < p->nneeds; i++) {
		bool is_needed = !cols;
		for (int k = 0; k < ncols && !is_needed; k++)
			is_needed = cols[k] == p->needs[i].column;
		for (int k = 0; k < n; k++)
			is_needed = is_needed && out[k] != p->needs[i].probe;
		if (is_needed && n < PROBE_COUNT)
			out[n++] = p->needs[i].probe;
	}
	return n;
}

static bool
has_note(const struct grid *grid, const char *code, const char *what)
{
	for (int i = 0; i < grid->nnotes; i++)
		if (strcmp(grid->notes[i].code, code) == 0 &&
		    strcmp(grid->notes[i].what, what) == 0)
			return true;
	return false;
}

/* Before the first answer of all there is one reason for every probe. */
static void
note_unasked(const struct pane_ctx *ctx, struct grid *grid, enum probe_id probe)
{
	const struct snapshot *snap = ctx->snap;
	const char *nothing = "nothing was read from this server yet";

	if (snap->taken_at.us) {
		grid_notef(grid, "no_data", "", "%s: not read yet", probe_infos[probe].text);
		return;
	}
	if (!has_note(grid, "no_data", nothing))
		grid_note(grid, "no_data", nothing, snap->link_what);
}

/* The last answer was none: say so, and how old what is shown instead is. */
static void
note_failed(const struct pane_ctx *ctx, struct grid *grid, enum probe_id probe)
{
	const struct sample *cur = ctx->snap->cur[probe], *good = ctx->snap->good[probe];
	const char *text = probe_infos[probe].text;
	const char *what = cur->what[0]  ? cur->what :
	    cur->state == SAMPLE_TIMEOUT ? "no answer in time" :
	                                   "the server answered with an error";

	if (!good) {
		grid_notef(grid, "no_data", cur->hint, "%s: %s", text, what);
		return;
	}
	grid_notef(grid, "stale", cur->hint, "%s: %s; shown as of %.0f s ago", text, what,
	    (double)mono_since_ms(ctx->now, good->at) / 1000);
}

const struct rowset *
pane_rows(const struct pane_ctx *ctx, struct grid *grid, enum probe_id probe)
{
	const struct sample *cur = ctx->snap->cur[probe], *good = ctx->snap->good[probe];
	const char *text = probe_infos[probe].text;

	if (!cur || cur->state == SAMPLE_NONE) {
		note_unasked(ctx, grid, probe);
		return good ? good->rows : NULL;
	}
	switch (cur->state) {
	case SAMPLE_NONE:
	case SAMPLE_OK:
		break;
	case SAMPLE_DENIED:
		grid_notef(grid, "denied", cur->hint, "%s: %s", text,
		    cur->what[0] ? cur->what : "not allowed");
		return NULL;
	case SAMPLE_UNSUPPORTED:
		grid_notef(grid, "unsupported", cur->hint, "%s: %s", text,
		    cur->what[0] ? cur->what : "this server does not have it");
		return NULL;
	case SAMPLE_FAILED:
	case SAMPLE_TIMEOUT:
		note_failed(ctx, grid, probe);
		break;
	}
	return good ? good->rows : NULL;
}

struct cell
pane_rate(const struct cell *cur, const struct cell *prev, double seconds)
{
	double delta;

	if (cell_is_null(cur))
		return *cur;
	if (cell_is_null(prev) || !(seconds > 0) || !cell_is_number(cur) || !cell_is_number(prev))
		return cell_null(WHY_NODATA);
	/* Integers are subtracted as such: past 2^53 a double would lose small deltas. */
	delta = cur->type == CELL_INT && prev->type == CELL_INT ?
	    (double)(cur->i - prev->i) :
	    cell_num(cur, 0) - cell_num(prev, 0);
	return delta < 0 ? cell_null(WHY_NODATA) : cell_float(delta / seconds);
}
