#include "config.h"

#include "panes/waits_insights.h"

#include "base/fmt.h"
#include "base/utf8.h"
#include "tui/draw.h"

int
waits_cpus(const struct snapshot *snap)
{
	const struct rowset *cloud = snapshot_rows(snap, PROBE_CLOUD);

	if (snap->server.cpus || !cloud || !cloud->nrows)
		return snap->server.cpus;
	return (int)cell_i64(rowset_get(cloud, 0, "vcpus"), 0);
}

void
waits_note_past(
    const struct pane_ctx *ctx, struct grid *grid, const struct waits_past *past, int ticks)
{
	const struct sample *s = ctx->snap->cur[PROBE_CLOUD_LOAD];
	char span[32];

	if (past->n)
		grid_notef(grid, "insights", "", "%s of this is from Performance Insights%s",
		    fmt_span(span, sizeof(span), past->seconds),
		    past->until < past->newest ? ", from before the first sample" : "");
	else if (s && s->state != SAMPLE_OK && (s->state != SAMPLE_UNSUPPORTED || !ticks))
		grid_notef(grid, "no_insights", s->hint, "%s", s->what);
}

void
waits_draw_past(struct draw *d, int left, int height, int columns)
{
	static const char name[] = "Performance Insights";

	for (int row = 1; row <= height && left + columns < d->cols; row++)
		draw_text(d, row, left + columns, ROLE_DIM, utf8_enabled ? "┊" : "|");
	draw_text(d, 1, left + 1, ROLE_DIM,
	    columns > (int)sizeof(name) + 1 ? name :
	        columns > 3                 ? "PI" :
	                                      "");
}
