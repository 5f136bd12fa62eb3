/* advise: make index advice, in the console in the background. */
#include "config.h"

#include <string.h>

#include "app/advise.h"
#include "app/advising.h"
#include "app/commands.h"
#include "app/show.h"
#include "base/lexer.h"

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

/* ------------------------------------------------------------------ apply */

static const struct {
	const char *ddl, *command;
	bool is_name; /* the rest is one name, which the words of the command line quote */
} verbs[] = {
	{ "CREATE INDEX CONCURRENTLY ", "create index ", false },
	{ "CREATE UNIQUE INDEX CONCURRENTLY ", "create unique index ", false },
	{ "CREATE INDEX ", "create index ", false },
	{ "DROP INDEX CONCURRENTLY ", "drop index ", false },
	{ "DROP INDEX ", "drop index ", false },
	{ "REINDEX INDEX CONCURRENTLY ", "reindex index ", true },
	{ "REINDEX TABLE CONCURRENTLY ", "reindex table ", true },
};

/* The command line of the first line of a DDL that there is a command for; NULL: none. */
static const char *
line_of_ddl(struct arena *arena, const char *ddl)
{
	while (*ddl) {
		size_t len = strcspn(ddl, "\n");
		const char *line = arena_strndup(arena, ddl, len - (len && ddl[len - 1] == ';'));

		for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
			const char *rest = line + strlen(verbs[i].ddl);

			if (strncmp(line, verbs[i].ddl, strlen(verbs[i].ddl)) != 0)
				continue;
			return arena_printf(arena, "%s%s", verbs[i].command,
			    verbs[i].is_name ? lex_quote(arena, rest) : rest);
		}
		ddl += len + (ddl[len] == '\n');
	}
	return NULL;
}

/* The DDL of the advice under the cursor, in the arena. */
static const char *
ddl_at_cursor(struct run_ctx *ctx, struct arena *arena, struct error *err)
{
	const struct pane *pane = ctx->screen->pane(ctx->console);
	struct grid g = { 0 };
	const char *ddl = NULL;
	bool any = false;
	uint64_t key = ctx->screen->cursor(ctx->console, &any);

	if (strcmp(pane->name, "advice") != 0) {
		error_set(err, ERR_STATE, "there is no advice in the pane %s", pane->name);
		error_hint(err, "Go to advice, to the row that is meant.");
		return NULL;
	}
	grid_init(&g, pane->columns, pane->ncolumns);
	ctx->screen->fill(ctx->console, &g);
	for (int i = 0; any && i < g.nrows; i++) {
		const struct cell *c = &g.rows[i].cells[grid_col(&g, "ddl")];

		if (g.rows[i].key == key && c->type == CELL_TEXT)
			ddl = arena_strndup(arena, c->s, c->len);
	}
	grid_release(&g);
	if (!ddl)
		error_set(err, ERR_NOT_FOUND, "there is no advice under the cursor");
	return ddl;
}

static bool
run_apply(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct arena arena = { 0 };
	const char *ddl = ddl_at_cursor(ctx, &arena, err), *line;
	bool ok = false;

	(void)words;
	if (ddl) {
		line = line_of_ddl(&arena, ddl);
		if (line) {
			ok = run_line(ctx, line, err);
		} else {
			error_set(err, ERR_STATE, "there is no command for this advice");
			error_hint(err, "y copies it; ! opens psql.");
		}
	}
	arena_release(&arena);
	return ok;
}

const struct command cmd_apply = {
	.name = "apply",
	.usage = "apply",
	.help = "do what the advice under the cursor says: create, drop or rebuild an index (asks)",
	.risk = RISK_ACTS,
	.needs_screen = true,
	.run = run_apply,
};
