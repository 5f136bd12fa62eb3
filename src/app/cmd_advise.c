/* advise: make index advice, in the console in the background. */
#include "config.h"

#include <string.h>

#include "app/advise.h"
#include "app/advising.h"
#include "app/commands.h"
#include "app/show.h"

/* Without a screen: make it, and print the pane. */
static bool
advise_here(struct run_ctx *ctx, struct error *err)
{
	const struct pane *pane = pane_by_name("advice");
	struct sampler *s = sampler_open(ctx->target, err);
	const struct snapshot *snap = NULL;
	struct pane_opts opts = { 0 };
	struct grid g = { 0 };

	if (s && advise_into(s, ctx->target, ctx->settings, err))
		snap = sampler_wait(s, pane, err);
	if (snap) {
		grid_init(&g, pane->columns, pane->ncolumns);
		sampler_fill(s, pane, &opts, &g);
		show_grid(ctx->out, ctx->opt->json ? SHOW_JSON : SHOW_TEXT, pane, snap, &g,
		    mono_now(), 0);
		grid_release(&g);
	}
	sampler_close(s);
	return snap != NULL;
}

static bool
run_advise(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	bool stops = words->n > 1 && strcmp(words->w[1].text, "stop") == 0;
	struct advising *a;

	if (words->n > 1 && !stops) {
		error_set(err, ERR_USAGE, "advise cannot '%s'", words->w[1].text);
		return error_hint(err, "Usage: advise [stop]");
	}
	if (!ctx->screen && stops)
		return error_set(err, ERR_STATE, "there is no adviser to stop without a screen");
	if (!ctx->screen)
		return advise_here(ctx, err);
	a = ctx->screen->advising(ctx->console);
	if (!a) {
		error_set(err, ERR_STATE, "no advice is made in the past or of a recording");
		return error_hint(err, "The recorded advice is shown; `seek live` goes back.");
	}
	if (stops)
		return advising_stop(a) || error_set(err, ERR_STATE, "the adviser is not at work");
	if (!advising_start(a, ctx->targets, ctx->screen->target(ctx->console), err))
		return false;
	ctx->screen->say(ctx->console, ROLE_INFO,
	    "planning the statements of pg_stat_statements; nothing is run; :advise stop ends it");
	return true;
}

const struct command cmd_advise = {
	.name = "advise",
	.usage = "advise [stop]",
	.help = "make index advice: in the background on the screen, else printed",
	.args = { ARG_WORD, ARG_NONE, ARG_NONE, ARG_NONE },
	.max_args = 1,
	.run = run_advise,
};
