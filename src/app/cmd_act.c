/* Commands that change a server: words to act, sessions of the screen to pids. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "app/act_sync.h"
#include "app/acting.h"
#include "app/commands.h"
#include "app/run.h"
#include "app/sampler.h"
#include "base/lexer.h"
#include "panes/pane.h"

struct chosen {
	struct arena arena;
	struct act_session *items;
	int n, cap;
	const char *selection; /* NULL: the words are pids */
	int own[2];
	int nown;
};

static void
chosen_release(struct chosen *c)
{
	free(c->items);
	arena_release(&c->arena);
}

/* The sessions of a grid's rows that are wanted; false: the grid has no pids. */
static bool
take_rows(struct chosen *c, const struct grid *g,
    bool (*want)(void *arg, const struct grid_row *row), void *arg)
{
	int pid = grid_col(g, "pid"), start = grid_col(g, "backend_start");

	if (pid < 0)
		return false;
	for (int i = 0; i < g->nrows; i++) {
		const struct grid_row *row = &g->rows[i];
		int64_t value = cell_i64(&row->cells[pid], 0);
		bool twice = false;

		if (value <= 0 || (want && !want(arg, row)))
			continue;
		/* A session may stand in several places of the lock tree. */
		for (int k = 0; k < c->n && !twice; k++)
			twice = c->items[k].pid == value;
		if (twice)
			continue;
		GROW(c->items, c->n, c->cap);
		c->items[c->n++] = (struct act_session){
			.pid = (int)value,
			.backend_start = start >= 0 ? cell_i64(&row->cells[start], 0) : 0,
		};
	}
	return true;
}

static bool
want_tagged(void *arg, const struct grid_row *row)
{
	struct run_ctx *ctx = arg;

	return ctx->screen->is_tagged(ctx->console, row->key);
}

static bool
want_cursor(void *arg, const struct grid_row *row)
{
	return row->key == *(uint64_t *)arg;
}

/* Fill a grid with what the screen shows, or without a screen with all sessions. */
static bool
fill_sessions(struct run_ctx *ctx, struct grid *g, struct sampler **sampler, struct error *err)
{
	const struct pane *activity = pane_by_name("activity");
	const struct snapshot *snap;
	struct pane_opts opts = { .show_idle = true };

	if (ctx->screen) {
		const struct pane *p = ctx->screen->pane(ctx->console);

		grid_init(g, p->columns, p->ncolumns);
		ctx->screen->fill(ctx->console, g);
		return true;
	}
	grid_init(g, activity->columns, activity->ncolumns);
	*sampler = sampler_open(ctx->target, err);
	snap = *sampler ? sampler_wait(*sampler, activity, err) : NULL;
	if (!snap)
		return false;
	sampler_fill(*sampler, activity, &opts, g);
	return true;
}

struct match {
	const struct grid *grid;
	struct grid_filter *filter;
};

static bool
want_match(void *arg, const struct grid_row *row)
{
	const struct match *m = arg;

	return grid_filter_match(m->filter, m->grid, row);
}

/*
 * The filter is the rest of the line as it was typed: it has quotes of its own. Rows are matched
 * one by one: grid_filter() would keep the parents of a tree, too, which nobody has asked for.
 */
static bool
choose_where(struct run_ctx *ctx, const struct words *words, struct chosen *c, const struct grid *g,
    bool *has_pids, struct error *err)
{
	struct match m = { .grid = g };
	struct strbuf sb = STRBUF_INIT(4096);

	strbuf_adds(&sb, ctx->line + words->w[2].at);
	if (sb.len > 8 && strcmp(sb.buf + sb.len - 8, " --force") == 0)
		sb.buf[sb.len -= 8] = '\0';
	m.filter = grid_filter_new(g->cols, g->ncols, sb.buf, err);
	c->selection = arena_printf(&c->arena, "where %s", sb.buf);
	strbuf_release(&sb);
	if (!m.filter)
		return false;
	*has_pids = take_rows(c, g, want_match, &m);
	grid_filter_free(m.filter);
	return true;
}

static bool
no_pids(const struct run_ctx *ctx, struct error *err)
{
	error_set(err, ERR_STATE, "the pane %s has no sessions to act on",
	    ctx->screen->pane(ctx->console)->name);
	return error_hint(err, "Go to activity or locks, or give the pid.");
}

/* The tagged rows; without tags the row under the cursor, but never that because tagged ones have
 * gone. */
static bool
choose_rows(
    struct run_ctx *ctx, struct chosen *c, const struct grid *g, bool is_bare, struct error *err)
{
	int tags = ctx->screen->tags(ctx->console), found = 0;
	bool any = false;
	uint64_t key = ctx->screen->cursor(ctx->console, &any);

	for (int i = 0; i < g->nrows; i++)
		found += ctx->screen->is_tagged(ctx->console, g->rows[i].key);
	if (is_bare && tags == 0 && any) {
		c->selection = "under the cursor";
		return take_rows(c, g, want_cursor, &key) || no_pids(ctx, err);
	}
	if (!take_rows(c, g, want_tagged, ctx))
		return no_pids(ctx, err);
	c->selection = "tagged";
	if (found == 0 && tags > 0) {
		error_set(err, ERR_NOT_FOUND, "nothing that is tagged is in this view any more");
		return error_hint(err, "`untag` lets the row under the cursor be meant again.");
	}
	if (found < tags)
		c->selection = arena_printf(&c->arena,
		    "tagged (%d of %d are not in this view any more)", tags - found, tags);
	return true;
}

/* "tagged", "where FILTER", nothing (what is tagged, else the row under the cursor), or pids as
 * words. */
static bool
choose(struct run_ctx *ctx, const struct words *words, struct chosen *c, struct error *err)
{
	const char *how = words->n > 1 ? words->w[1].text : "";
	bool is_where = strcmp(how, "where") == 0, is_tagged = strcmp(how, "tagged") == 0;
	bool is_bare = words->n == 1 || strcmp(how, "--force") == 0;
	struct sampler *sampler = NULL;
	struct grid g = { 0 };
	bool ok = true;

	if (!is_where && !is_tagged && !is_bare)
		return true;
	if (!ctx->screen && !is_where) {
		error_set(err, ERR_USAGE,
		    is_tagged ? "there is nothing tagged without a screen" : "no session is meant");
		return error_hint(err, "Give pids, or: %s where FILTER", words->w[0].text);
	}
	if (is_where && words->n < 3)
		return error_set(err, ERR_USAGE, "where needs a filter");
	ok = fill_sessions(ctx, &g, &sampler, err);
	if (ok && is_where) {
		bool has_pids = false;

		ok = choose_where(ctx, words, c, &g, &has_pids, err) &&
		    (has_pids || no_pids(ctx, err));
	} else if (ok) {
		ok = choose_rows(ctx, c, &g, is_bare, err);
	}
	grid_release(&g);
	sampler_close(sampler);
	return ok;
}

static bool
has_force(const struct words *words)
{
	for (int i = 1; i < words->n; i++)
		if (strcmp(words->w[i].text, "--force") == 0)
			return true;
	return false;
}

static void
own_sessions(struct run_ctx *ctx, struct chosen *c)
{
	const struct snapshot *snap = ctx->screen ? ctx->screen->snapshot(ctx->console) : NULL;

	if (!snap)
		return;
	c->own[c->nown++] = snap->server.own_pid;
	c->own[c->nown++] = snap->server.action_pid;
}

static bool
begin(struct run_ctx *ctx, struct act *act, struct error *err)
{
	struct acting *acting;

	if (!ctx->screen)
		return act_sync(ctx, act, err);
	acting = ctx->screen->acting(ctx->console);
	if (!acting) {
		act_free(act);
		error_set(err, ERR_STATE, "nothing can be done in the past");
		return error_hint(err, "`seek live` goes back to the present.");
	}
	return acting_begin(acting, ctx->screen->target(ctx->console), ctx->target, act, err);
}

/* Room on the disk of a folder of this machine, for who is no superuser; -1: not to be seen. */
static int64_t
free_bytes(const char *folder)
{
	struct statvfs fs;

	if (*folder != '/' || statvfs(folder, &fs) != 0)
		return -1;
	return (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
}

static bool
run_act(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct chosen c = { 0 };
	bool is_signal =
	    strcmp(words->w[0].text, "cancel") == 0 || strcmp(words->w[0].text, "terminate") == 0;
	struct act *act = NULL;
	bool ok;

	/* Refuse before anything is looked up. */
	if (ctx->target->read_only_why) {
		error_set(err, ERR_REFUSED, "%s is refused: %s is read-only", words->w[0].text,
		    ctx->target->name);
		return error_hint(err, "Because of %s.", ctx->target->read_only_why);
	}
	own_sessions(ctx, &c);
	ok = !is_signal || choose(ctx, words, &c, err);
	if (ok) {
		struct act_env env = {
			.target = ctx->target->name,
			.read_only_why = ctx->target->read_only_why,
			.is_protected = ctx->target->is_protected,
			.force = ctx->opt->force || has_force(words),
			.own_pids = c.own,
			.nown = c.nown,
			.sessions = c.items,
			.nsessions = c.n,
			.selection = c.selection,
			.free_bytes = free_bytes,
		};

		if (ctx->screen)
			env.advice =
			    snapshot_rows(ctx->screen->snapshot(ctx->console), PROBE_ADVICE);
		act = act_new(words, ctx->line, &env, err);
		ok = act != NULL;
	}
	chosen_release(&c);
	return ok && begin(ctx, act, err);
}

#define ACT(id, word, use, text, kind, least)       \
	const struct command cmd_##id = {           \
		.name = word,                       \
		.usage = use,                       \
		.help = text,                       \
		.risk = RISK_ACTS,                  \
		.args = { kind, kind, kind, kind }, \
		.min_args = least,                  \
		.max_args = -1,                     \
		.run = run_act,                     \
	}

/* What follows the verb has quotes of its own. */
#define ACT_TEXT(id, word, use, text, kind)         \
	const struct command cmd_##id = {           \
		.name = word,                       \
		.usage = use,                       \
		.help = text,                       \
		.risk = RISK_ACTS,                  \
		.args = { kind, kind, kind, kind }, \
		.min_args = 1,                      \
		.max_args = 1,                      \
		.rest_is_text = true,               \
		.run = run_act,                     \
	}

ACT(cancel, "cancel", "cancel [PID ... | tagged | where FILTER] [--force]",
    "cancel the running query of sessions; the connection stays", ARG_PID, 0);
ACT(terminate, "terminate", "terminate [PID ... | tagged | where FILTER] [--force]",
    "close sessions; their transactions are rolled back", ARG_PID, 0);
ACT(vacuum, "vacuum",
    "vacuum [full] [freeze] [analyze] [skip_locked] [no_index_cleanup] [no_truncate] TABLE",
    "remove dead rows of a table, as a job", ARG_TABLE, 1);
ACT(analyze, "analyze", "analyze TABLE", "refresh the planner's statistics of a table, as a job",
    ARG_TABLE, 1);
ACT(reindex, "reindex", "reindex [index|table] NAME [concurrently]",
    "rebuild an index or all indexes of a table, always concurrently, as a job", ARG_INDEX, 1);
ACT_TEXT(create, "create",
    "create [unique] index [NAME] on TABLE [using METHOD] (COLUMN, ...) [include (COLUMN, ...)] [where CONDITION]",
    "build an index, always concurrently, as a job", ARG_TABLE);
ACT_TEXT(drop, "drop", "drop index NAME [--force]",
    "drop an index, always concurrently, as a job; prints what builds it again", ARG_INDEX);
ACT(checkpoint, "checkpoint", "checkpoint", "order a checkpoint now, as a job", ARG_NONE, 0);
ACT(reset, "reset", "reset statements", "throw the counters of pg_stat_statements away", ARG_OPTION,
    1);
