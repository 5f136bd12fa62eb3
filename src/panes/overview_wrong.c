/* The first thing that the overview says: what is wrong, in order of harm; or that nothing was
 * found, and how much could not be judged. */
#include "config.h"

#include "panes/overview_wrong.h"

#include <string.h>

#include "base/utf8.h"
#include "panes/alerts.h"
#include "tui/draw.h"

enum { MAX_HEAD = 12 };

/* For text and JSON; the screen draws it above the table. */
void
overview_wrong_facts(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct snapshot *s = ctx->snap;
	struct strbuf out = STRBUF_INIT(8000);

	if (s->nfindings == 0)
		return;
	for (int i = 0; i < s->nfindings && s->findings[i].state == FINDING_FIRING; i++)
		strbuf_addf(&out, "%s%s %s: %s", i ? " | " : "",
		    severity_names[s->findings[i].severity], rules[s->findings[i].id].id,
		    finding_line(&grid->arena, &s->findings[i], true));
	if (out.len == 0)
		strbuf_adds(&out, finding_none(&grid->arena, s));
	grid_fact(grid, "what_is_wrong", COL_TEXT,
	    cell_text(arena_strndup(&grid->arena, out.buf, out.len)));
	finding_facts(s, grid);
	strbuf_release(&out);
}

static int
count_firing(const struct snapshot *s)
{
	int n = 0;

	while (n < s->nfindings && s->findings[n].state == FINDING_FIRING)
		n++;
	return n;
}

int
overview_head_rows(const struct pane_ctx *ctx, int width, int height)
{
	int firing = count_firing(ctx->snap), most = height / 3;

	if (width < 40 || height < 10 || ctx->snap->nfindings == 0)
		return 0;
	if (most > MAX_HEAD)
		most = MAX_HEAD;
	return firing == 0 ? 1 : firing < most ? firing : most;
}

static void
draw_finding(struct draw *d, int row, const struct finding *f, struct arena *arena)
{
	enum role role = f->muted_until.us ? ROLE_DIM : severity_role(f->severity);
	static const char *const words[] = { "", "INFO", "WARN", "CRIT" };
	struct strbuf clean = STRBUF_INIT(2000);
	/* What it stands below is its cause; the line need not name it again. */
	const char *line = finding_line(arena, f, f->depth == 0);
	int x = draw_text(d, row, 0, role, words[f->severity]) + 1 + 2 * f->depth;

	if (f->depth)
		draw_text(d, row, x - 2, ROLE_DIM, utf8_enabled ? "└" : "`");
	utf8_clean(&clean, line, strlen(line), true);
	draw_text(d, row, x, f->depth ? ROLE_DIM : ROLE_NORMAL, clean.buf);
	strbuf_release(&clean);
}

void
overview_head(const struct pane_ctx *ctx, const struct grid *grid, struct draw *draw)
{
	const struct snapshot *s = ctx->snap;
	int firing = count_firing(s), n = firing < draw->rows ? firing : draw->rows;
	struct arena arena = { 0 };

	(void)grid;
	if (firing == 0)
		draw_text(draw, 0, 0, ROLE_DIM, finding_none(&arena, s));
	if (n < firing)
		n--;
	for (int i = 0; i < n; i++)
		draw_finding(draw, i, &s->findings[i], &arena);
	if (n < firing)
		draw_printf(
		    draw, n, 0, ROLE_HINT, "and %d more in the alerts pane (a)", firing - n);
	arena_release(&arena);
}
