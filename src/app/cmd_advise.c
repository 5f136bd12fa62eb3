/* advise: make index advice, in the console in the background. */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "app/advise.h"
#include "app/advising.h"
#include "app/commands.h"
#include "app/show.h"
#include "base/lexer.h"
#include "pg/sqltext.h"

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

/* Move behind a word, whatever its case; false: another one stands there. */
static bool
take(const char **at, const char *word)
{
	size_t n = strlen(word);

	*at += strspn(*at, " ");
	if (strncasecmp(*at, word, n) != 0 || (*at)[n] != ' ')
		return false;
	*at += n + strspn(*at + n, " ");
	return true;
}

/* The command line that does what a line of DDL says; NULL: there is none. */
static const char *
command_of(struct arena *arena, const char *ddl)
{
	const char *unique, *what;

	if (take(&ddl, "create")) {
		unique = take(&ddl, "unique") ? "unique " : "";
		if (!take(&ddl, "index"))
			return NULL;
		(void)take(&ddl, "concurrently");
		return arena_printf(arena, "create %sindex %s", unique, ddl);
	}
	if (take(&ddl, "drop")) {
		if (!take(&ddl, "index"))
			return NULL;
		(void)take(&ddl, "concurrently");
		return arena_printf(arena, "drop index %s", ddl);
	}
	if (!take(&ddl, "reindex"))
		return NULL;
	what = take(&ddl, "table") ? "table" : "index";
	(void)take(&ddl, "index");
	(void)take(&ddl, "concurrently");
	/* Words of that command are unquoted before the name is read. */
	return arena_printf(arena, "reindex %s %s", what, lex_quote(arena, ddl));
}

/* Of several statements the first that there is a command for. Names may hold anything: a ';' or
 * the end of a line within quotes ends nothing. */
static const char *
line_of_ddl(struct arena *arena, const char *ddl)
{
	const char *start = ddl, *line = NULL;
	struct sql_token t;

	do {
		t = sql_next(&ddl);
		if (t.kind != SQL_END && !sql_is_symbol(&t, ';'))
			continue;
		start += strspn(start, " \n");
		line = command_of(arena, arena_strndup(arena, start, (size_t)(t.s - start)));
		start = ddl;
	} while (!line && t.kind != SQL_END && t.kind != SQL_BROKEN);
	return line;
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
