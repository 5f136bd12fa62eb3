/* Charts of figures over time: the history pane, opened where one stands. */
#include "config.h"

#include <string.h>

#include "app/cmd_screen.h"
#include "app/console.h"
#include "base/lexer.h"
#include "model/spans.h"
#include "panes/history.h"

/* The figure that the row under the cursor is about; -1: none. */
static int
metric_of_row(const struct view *v)
{
	const struct grid_row *row = view_row(v);
	int col = pane_column(v->pane, "metric");
	char name[64];

	if (!row || col < 0 || row->cells[col].type != CELL_TEXT ||
	    row->cells[col].len >= sizeof(name))
		return -1;
	memcpy(name, row->cells[col].s, row->cells[col].len);
	name[row->cells[col].len] = '\0';
	return history_metric_by_name(name);
}

static bool
no_metric(const char *word, struct error *err)
{
	const char *names[METRIC_COUNT + 1] = { NULL };
	const char *near;

	for (int i = 0; i < METRIC_COUNT; i++)
		names[i] = metric_infos[i].name;
	near = nearest_name(word, names);
	error_set(err, ERR_USAGE, "\"%s\" is neither a figure nor a span of time", word);
	return near ? error_hint(err, "The nearest is \"%s\".", near) :
	              error_hint(err, "Spans are 5m, 1h, 6h, 1d, 7d, 30d, 90d, 1y.");
}

struct asked {
	int metric; /* -1: as it is */
	int span_s; /* 0: as it is */
	int step;   /* 1 longer, -1 shorter */
};

static bool
read_words(const struct words *words, struct asked *asked, struct error *err)
{
	for (int i = 1; i < words->n; i++) {
		const char *word = words->w[i].text;
		int metric = history_metric_by_name(word);

		if (strcmp(word, "longer") == 0)
			asked->step = 1;
		else if (strcmp(word, "shorter") == 0)
			asked->step = -1;
		else if (metric >= 0)
			asked->metric = metric;
		else if (!span_read(word, &asked->span_s))
			return no_metric(word, err);
	}
	return true;
}

static bool
chart_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const struct view *from = console_view(ctx->console);
	struct asked asked = { .metric = -1 };
	struct view *v;

	if (!read_words(words, &asked, err))
		return false;
	if (asked.metric < 0 && strcmp(from->pane->name, "overview") == 0) {
		asked.metric = metric_of_row(from);
		if (asked.metric < 0 && words->n < 2)
			return error_set(err, ERR_NOT_FOUND, "this figure is not kept over time");
	}
	if (!console_pane(ctx->console, "history", err))
		return false;
	v = console_view(ctx->console);
	if (asked.metric >= 0)
		v->opts.mode = asked.metric;
	if (asked.span_s)
		v->opts.window_s = asked.span_s;
	if (asked.step)
		v->opts.window_s = span_step(history_shown_span(&v->opts), asked.step > 0);
	view_stale(v);
	console_redraw(ctx->console);
	return true;
}

const struct command cmd_chart = {
	.name = "chart",
	.usage = "chart [METRIC] [5m|15m|1h|6h|1d|7d|30d|90d|1y | longer | shorter]",
	.help = "a figure over time; without METRIC that of the row under the cursor",
	.args = { ARG_METRIC, ARG_SPAN },
	.min_args = 0,
	.max_args = 2,
	.needs_screen = true,
	.run = chart_run,
};
