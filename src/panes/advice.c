/*
 * Index advice as it was last made: what to create, drop and rebuild, best first. The advice is
 * posted by a process of its own (`:advise`); this pane starts nothing. What the acts of earlier
 * advice have changed is told in notes and, in full, in the fact `measured`.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/json.h"
#include "panes/advice_detail.h"
#include "panes/lookup.h"
#include "panes/pane.h"

enum {
	C_ACTION,
	C_OBJECT,
	C_KIND,
	C_SAVING,
	C_SIZE,
	C_CONFIDENCE,
	C_REASON,
	C_SCHEMA,
	C_TABLE,
	C_COLUMNS,
	C_METHOD,
	C_DDL,
	C_STATEMENTS,
	C_CAVEATS,
	C_INDEX,
	C_RANK,
	C_BUILD_S,
	C_LOCK,
	C_KEY,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_ACTION] = { "action", "ACTION", COL_TEXT, 7, COL_FIXED, "create, drop or reindex" },
	[C_OBJECT] = { "object", "OBJECT", COL_TEXT, 27, COL_NOJSON,
	    "table and columns of a new index, name of an existing one" },
	[C_KIND] = { "kind", "KIND", COL_TEXT, 9, 0,
	    "missing, fk, unused, duplicate, redundant, invalid, bloat" },
	[C_SAVING] = { "saving_pct", "SAVE%", COL_PCT, 5, 0,
	    "expected saving, of the work (time and buffers) of all statements of this database" },
	[C_SIZE] = { "size_bytes", "SIZE", COL_BYTES, 6, 0,
	    "of the index: to be made, or given back" },
	[C_CONFIDENCE] = { "confidence", "CONF", COL_TEXT, 9, 0,
	    "what-if: the planner was asked with HypoPG; modelled: from the plans and statistics; heuristic: a rule" },
	[C_REASON] = { "reason", "REASON", COL_QUERY, 16, 0, "why, in a sentence" },
	[C_SCHEMA] = { "schema", "SCHEMA", COL_TEXT, 8, COL_HIDDEN, "schema of the table" },
	[C_TABLE] = { "table", "TABLE", COL_TEXT, 12, COL_HIDDEN, "table" },
	[C_COLUMNS] = { "columns", "COLUMNS", COL_TEXTS, 16, COL_HIDDEN,
	    "columns or expressions of the index, in order" },
	[C_METHOD] = { "method", "METHOD", COL_TEXT, 6, COL_HIDDEN, "access method" },
	[C_DDL] = { "ddl", "DDL", COL_QUERY, 20, COL_HIDDEN, "the command" },
	[C_STATEMENTS] = { "statements", "STATEMENTS", COL_TEXTS, 12, COL_HIDDEN,
	    "query ids of the statements that it helps" },
	[C_CAVEATS] = { "caveats", "CAVEATS", COL_TEXTS, 12, COL_HIDDEN,
	    "what to know before doing it" },
	[C_INDEX] = { "index", "INDEX", COL_TEXT, 12, COL_HIDDEN,
	    "name of the existing index that it is about" },
	[C_RANK] = { "rank", "RANK", COL_INT, 4, COL_HIDDEN, "best first" },
	[C_BUILD_S] = { "build_s", "BUILD", COL_SECONDS, 6, COL_HIDDEN,
	    "expected time to build it" },
	[C_LOCK] = { "lock", "LOCK", COL_TEXT, 10, COL_HIDDEN, "lock that the command takes" },
	[C_KEY] = { "key", "KEY", COL_TEXT, 10, COL_HIDDEN | COL_KEY,
	    "stays the same from run to run" },
};

static const enum probe_id probes[] = { PROBE_ADVICE, PROBE_ADVICE_STATEMENTS, PROBE_ADVICE_SUMMARY,
	PROBE_ADVICE_EFFECT, PROBE_PROGRESS };
/* Texts for the detail. */
static const struct pane_need needs[] = { { C_STATEMENTS, PROBE_STATEMENTS },
	{ C_STATEMENTS, PROBE_STATEMENT_TEXTS } };

static struct cell
object_of(struct grid *grid, const struct rowset *rs, int row)
{
	const struct cell *index = rowset_get(rs, row, "index");
	const struct cell *table = rowset_get(rs, row, "table");
	struct strbuf sb = STRBUF_INIT(4096);
	struct cell c;

	if (!cell_is_null(index))
		return *index;
	grid_cell_text(&sb, COL_TEXT, table);
	strbuf_adds(&sb, " (");
	grid_cell_text(&sb, COL_TEXTS, rowset_get(rs, row, "columns"));
	strbuf_addc(&sb, ')');
	c = cell_textn(arena_strndup(&grid->arena, sb.buf, sb.len), sb.len);
	strbuf_release(&sb);
	return c;
}

static void
fill_row(struct grid *grid, const struct rowset *rs, int row)
{
	struct grid_row *r = grid_add(grid);

	r->aux = (uint32_t)row;
	for (int i = 0; i < C_COUNT; i++)
		if (i != C_OBJECT)
			r->cells[i] = *rowset_get(rs, row, columns[i].name);
	r->cells[C_OBJECT] = object_of(grid, rs, row);
	if (cell_is(&r->cells[C_KIND], "invalid"))
		r->role = ROLE_CRIT;
	else if (cell_is(&r->cells[C_CONFIDENCE], "heuristic"))
		r->cells[C_CONFIDENCE].role = ROLE_DIM;
}

/* ------------------------------------------------------------------ summary and notes */

static const char *
text(struct grid *grid, const struct rowset *rs, const char *column)
{
	const struct cell *c = rowset_get(rs, 0, column);

	return c->type == CELL_TEXT ? arena_strndup(&grid->arena, c->s, c->len) : "";
}

static const struct {
	const char *stopped, *what;
} stops[] = {
	{ "budget", "the number of EXPLAINs allowed was spent" },
	{ "time", "the time allowed was spent" },
	{ "load", "the server became busy" },
	{ "cancelled", "it was stopped" },
};

static void
note_stopped(struct grid *grid, const struct rowset *rs)
{
	const char *stopped = text(grid, rs, "stopped");

	for (size_t i = 0; i < ARRAY_LEN(stops); i++)
		if (strcmp(stopped, stops[i].stopped) == 0)
			grid_notef(grid, "info", ":advise goes through them again.",
			    "the advice is not complete: %s after %lld of %lld statements",
			    stops[i].what, (long long)cell_i64(rowset_get(rs, 0, "explained"), 0),
			    (long long)cell_i64(rowset_get(rs, 0, "statements"), 0));
}

static void
note_hypopg(struct grid *grid, const struct rowset *rs)
{
	const char *hypopg = text(grid, rs, "hypopg"), *hint = text(grid, rs, "hypopg_hint");

	if (strcmp(hypopg, "absent") == 0)
		grid_note(grid, "info",
		    "hypopg is not in this database: savings are modelled, not asked of the planner",
		    *hint ? hint : "CREATE EXTENSION hypopg");
	else if (strcmp(hypopg, "denied") == 0)
		grid_note(grid, "denied", "this role may not use hypopg: savings are modelled",
		    *hint ? hint : "GRANT USAGE on its schema and EXECUTE on its functions.");
	else if (strcmp(hypopg, "refused") == 0)
		grid_note(grid, "info", "hypopg is not used here: savings are modelled", hint);
}

static void
note_young(struct grid *grid, const struct rowset *rs)
{
	double age = cell_num(rowset_get(rs, 0, "stats_age_s"), NAN);
	char span[32];

	if (!isnan(age) && age < 86400)
		grid_notef(grid, "info",
		    "What runs once a week or a month has not been seen: wait before dropping.",
		    "the statistics are young: they count since %s",
		    fmt_span(span, sizeof(span), age));
}

static void
note_unused(struct grid *grid, const struct rowset *rs)
{
	const char *why = text(grid, rs, "no_unused");

	if (why && *why)
		grid_note(grid, "info", why, text(grid, rs, "no_unused_hint"));
}

static void
note_not_explained(struct grid *grid, const struct rowset *rs)
{
	const struct cell *c = rowset_get(rs, 0, "not_explained");
	struct json_list list;
	struct strbuf item = STRBUF_INIT(1 << 16);
	struct error err = { 0 };
	struct json *first = NULL;

	if (c->type != CELL_TEXT)
		goto out;
	list = (struct json_list){ c->s, c->s + c->len, 0 };
	while (json_list_next(&list, &item))
		if (list.n == 1)
			first = json_parse(item.buf, item.len, &err);
	if (list.n > 0)
		grid_notef(grid, "info",
		    "All of them: pgmedic show advice --json, summary.not_explained.",
		    "%d statement%s could not be planned%s%s", list.n, list.n == 1 ? "" : "s",
		    json_text(json_get(first, "why")) ? ": " : "",
		    json_text(json_get(first, "why")) ? json_text(json_get(first, "why")) : "");
	json_free(first);
out:
	strbuf_release(&item);
}

static void
summary(struct grid *grid, const struct rowset *rs)
{
	static const struct {
		const char *name;
		enum column_kind kind;
	} facts[] = { { "explains", COL_COUNT }, { "elapsed_ms", COL_MS }, { "first_ms", COL_MS },
		{ "statements", COL_COUNT }, { "explained", COL_COUNT }, { "is_final", COL_BOOL },
		{ "hypopg", COL_TEXT }, { "stopped", COL_TEXT }, { "stats_age_s", COL_SECONDS },
		{ "not_explained", COL_JSON } };

	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		grid_fact(grid, facts[i].name, facts[i].kind, *rowset_get(rs, 0, facts[i].name));
	if (!cell_i64(rowset_get(rs, 0, "is_final"), 1))
		grid_notef(grid, "info", ":advise stop ends it; what is found so far is kept.",
		    "still looking: %lld of %lld statements planned",
		    (long long)cell_i64(rowset_get(rs, 0, "explained"), 0),
		    (long long)cell_i64(rowset_get(rs, 0, "statements"), 0));
	note_stopped(grid, rs);
	note_hypopg(grid, rs);
	note_young(grid, rs);
	note_unused(grid, rs);
	note_not_explained(grid, rs);
}

/* Indexes that are being built or dropped now, and whom they wait for. */
static void
note_builds(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct rowset *rs = snapshot_rows(ctx->snap, PROBE_PROGRESS);

	for (int i = 0; rs && i < rs->nrows; i++) {
		const struct cell *command = rowset_get(rs, i, "command");
		const struct cell *name = rowset_get(rs, i, "relation");
		const struct cell *phase = rowset_get(rs, i, "phase");
		const struct cell *detail = rowset_get(rs, i, "detail");
		double total = cell_num(rowset_get(rs, i, "total"), 0);
		double done = cell_num(rowset_get(rs, i, "done"), 0);

		if (command->type != CELL_TEXT || !memmem(command->s, command->len, "INDEX", 5))
			continue;
		grid_notef(grid, "progress",
		    detail->type == CELL_TEXT ? "What it waits for is in the locks pane." : "",
		    "%.*s on %.*s: %.*s%s%s%.*s", (int)command->len, command->s,
		    name->type == CELL_TEXT ? (int)name->len : 1,
		    name->type == CELL_TEXT ? name->s : "?",
		    phase->type == CELL_TEXT ? (int)phase->len : 0,
		    phase->type == CELL_TEXT ? phase->s : "",
		    total > 0 ? arena_printf(&grid->arena, " %.0f %%", 100 * done / total) : "",
		    detail->type == CELL_TEXT ? ", " : "",
		    detail->type == CELL_TEXT ? (int)detail->len : 0,
		    detail->type == CELL_TEXT ? detail->s : "");
	}
}

static void
measured(struct grid *grid, const struct rowset *rs)
{
	struct strbuf json = STRBUF_INIT(1 << 20);
	int noted = 0;

	strbuf_addc(&json, '[');
	for (int i = 0; i < rs->nrows; i++) {
		const struct cell *index = rowset_get(rs, i, "index");
		const char *line = advice_effect_line(rs, i, &grid->arena);
		bool first = true;

		strbuf_adds(&json, i ? ",{" : "{");
		for (int c = 0; c < rs->ncols; c++) {
			json_key(&json, &first, rs->names[c]);
			json_cell(&json, rowset_cell(rs, i, c));
		}
		strbuf_addc(&json, '}');
		if (line && noted++ < 3)
			grid_notef(grid, "measured", "", "since %.*s: %s",
			    index->type == CELL_TEXT ? (int)index->len : 1,
			    index->type == CELL_TEXT ? index->s : "?", line);
	}
	strbuf_addc(&json, ']');
	grid_fact(grid, "measured", COL_JSON, cell_textn(json.buf, json.len));
	strbuf_release(&json);
}

static void
advice_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct rowset *rs = snapshot_rows(ctx->snap, PROBE_ADVICE);
	const struct rowset *sum = snapshot_rows(ctx->snap, PROBE_ADVICE_SUMMARY);
	const struct rowset *effect = snapshot_rows(ctx->snap, PROBE_ADVICE_EFFECT);

	grid_fact(grid, "database", COL_TEXT, cell_text(ctx->snap->server.database));
	note_builds(ctx, grid);
	if (!rs && !sum) {
		grid_note(grid, "no_data", "no advice was made yet",
		    ":advise makes it: statements of pg_stat_statements are planned, none is run.");
		return;
	}
	for (int i = 0; rs && i < rs->nrows; i++)
		fill_row(grid, rs, i);
	if (sum && sum->nrows > 0)
		summary(grid, sum);
	if (effect && effect->nrows > 0)
		measured(grid, effect);
	if (rs && rs->nrows == 0 && sum && sum->nrows > 0 &&
	    cell_i64(rowset_get(sum, 0, "is_final"), 0))
		grid_note(grid, "info", "there is nothing to advise", "");
}

static void
advice_pane_detail(const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc)
{
	const struct rowset *rs = snapshot_rows(ctx->snap, PROBE_ADVICE);

	if (rs && (int)grid->rows[row].aux < rs->nrows)
		advice_detail(ctx->snap, rs, (int)grid->rows[row].aux, doc);
}

const struct pane pane_advice = {
	.name = "advice",
	.title = "Advice",
	.help =
	    "Index advice for the connected database: what to create, drop and rebuild, with the evidence. Opening the pane makes it once; :advise makes it anew.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.needs = needs,
	.nneeds = ARRAY_LEN(needs),
	.is_steady = true,
	.fill = advice_fill,
	.detail = advice_pane_detail,
};
