/*
 * Settings: those that wait for a restart first, then those that were changed, then the others,
 * each by name. Values are shown with the unit that SHOW would choose, and as the catalog has them
 * in a column of their own.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "panes/pane.h"
#include "panes/sessions.h"
#include "panes/setting_value.h"

enum {
	C_NAME,
	C_VALUE,
	C_DEFAULT,
	C_SOURCE,
	C_PENDING,
	C_CONTEXT,
	C_DESC,
	C_SETTING,
	C_UNIT,
	C_BOOT_VAL,
	C_RESET_VAL,
	C_CHANGED,
	C_CATEGORY,
	C_VARTYPE,
	C_MIN,
	C_MAX,
	C_ENUMVALS,
	C_FILE,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_NAME] = { "name", "NAME", COL_TEXT, 22, COL_KEY | COL_FIXED, "name of the setting" },
	[C_VALUE] = { "value", "VALUE", COL_TEXT, 10, 0, "value as SHOW gives it" },
	[C_DEFAULT] = { "default", "DEFAULT", COL_TEXT, 10, 0,
	    "built-in default, in the same unit" },
	[C_SOURCE] = { "source", "SOURCE", COL_TEXT, 8, 0, "where the value comes from" },
	[C_PENDING] = { "pending_restart", "RESTART", COL_BOOL, 7, 0,
	    "changed in a file, and the server must restart for it" },
	[C_CONTEXT] = { "context", "CONTEXT", COL_TEXT, 7, COL_HIDDEN,
	    "who can change it when: internal, postmaster (restart), sighup (reload), superuser-backend, backend, superuser, user" },
	[C_DESC] = { "short_desc", "WHAT IT IS", COL_QUERY, 16, 0, "what it is" },
	[C_SETTING] = { "setting", "SETTING", COL_TEXT, 8, COL_HIDDEN,
	    "value in `unit`, as pg_settings has it" },
	[C_UNIT] = { "unit", "UNIT", COL_TEXT, 4, COL_HIDDEN, "unit of setting and boot_val" },
	[C_BOOT_VAL] = { "boot_val", "BOOT", COL_TEXT, 8, COL_HIDDEN,
	    "built-in default in `unit`" },
	[C_RESET_VAL] = { "reset_val", "RESET", COL_TEXT, 8, COL_HIDDEN,
	    "value that RESET would give in this session" },
	[C_CHANGED] = { "is_changed", "CHANGED", COL_BOOL, 7, COL_HIDDEN,
	    "set by somebody, and not to the default" },
	[C_CATEGORY] = { "category", "CATEGORY", COL_TEXT, 0, COL_HIDDEN,
	    "chapter of the documentation" },
	[C_VARTYPE] = { "vartype", "TYPE", COL_TEXT, 6, COL_HIDDEN,
	    "bool, enum, integer, real or string" },
	[C_MIN] = { "min_val", "MIN", COL_TEXT, 6, COL_HIDDEN, "least value" },
	[C_MAX] = { "max_val", "MAX", COL_TEXT, 6, COL_HIDDEN, "greatest value" },
	[C_ENUMVALS] = { "enumvals", "VALUES", COL_TEXT, 0, COL_HIDDEN, "values of an enum" },
	[C_FILE] = { "sourcefile", "FILE", COL_TEXT, 0, COL_HIDDEN,
	    "file:line that sets it, where the role may know" },
};

static const enum probe_id probes[] = { PROBE_SETTINGS };

static const struct {
	int column;
	const char *sql;
} copies[] = {
	{ C_NAME, "name" },
	{ C_SOURCE, "source" },
	{ C_PENDING, "pending_restart" },
	{ C_CONTEXT, "context" },
	{ C_DESC, "short_desc" },
	{ C_SETTING, "setting" },
	{ C_UNIT, "unit" },
	{ C_BOOT_VAL, "boot_val" },
	{ C_RESET_VAL, "reset_val" },
	{ C_CATEGORY, "category" },
	{ C_VARTYPE, "vartype" },
	{ C_MIN, "min_val" },
	{ C_MAX, "max_val" },
	{ C_ENUMVALS, "enumvals" },
};

/* File modes: their value comes in octal, their default as a plain number. */
static bool
is_octal(const struct rowset *rs, int row, long *mode)
{
	const struct cell *value = rowset_get(rs, row, "setting");
	const struct cell *boot = rowset_get(rs, row, "boot_val");
	char text[16], *end;

	if (value->type != CELL_TEXT || value->len < 2 || *value->s != '0' ||
	    boot->type != CELL_TEXT || boot->len == 0 || boot->len >= sizeof(text) ||
	    *boot->s == '0' || !cell_is(rowset_get(rs, row, "vartype"), "integer"))
		return false;
	memcpy(text, boot->s, boot->len);
	text[boot->len] = '\0';
	*mode = strtol(text, &end, 10);
	return *end == '\0' && *mode > 0;
}

static struct cell
boot_value(struct arena *arena, const struct rowset *rs, int row)
{
	long mode;

	return is_octal(rs, row, &mode) ? cell_text(arena_printf(arena, "%04lo", mode)) :
	                                  *rowset_get(rs, row, "boot_val");
}

/* Set by somebody to something else than the default. `override` is what the server computes for
 * itself (data_directory, …), `client` what this connection brought along. */
static bool
is_changed(const struct rowset *rs, int row, const struct cell *boot)
{
	const struct cell *source = rowset_get(rs, row, "source");

	return !cell_is(source, "default") && !cell_is(source, "override") &&
	    !cell_is(source, "client") && !cell_equal(rowset_get(rs, row, "setting"), boot);
}

static struct cell
human(struct arena *arena, const struct rowset *rs, int row, const struct cell *value)
{
	const struct cell *unit = rowset_get(rs, row, "unit");
	char buf[48];

	if (value->type != CELL_TEXT || unit->type != CELL_TEXT ||
	    !setting_value(value, unit, buf, sizeof(buf)))
		return *value;
	return cell_text(arena_strdup(arena, buf));
}

static void
fill_row(struct grid *grid, const struct rowset *rs, int row, const struct cell *boot, bool changed)
{
	const struct cell *file = rowset_get(rs, row, "sourcefile");
	struct cell *c = grid_add(grid)->cells;

	for (size_t i = 0; i < ARRAY_LEN(copies); i++)
		c[copies[i].column] = *rowset_get(rs, row, copies[i].sql);
	c[C_VALUE] = human(&grid->arena, rs, row, rowset_get(rs, row, "setting"));
	c[C_DEFAULT] = human(&grid->arena, rs, row, boot);
	c[C_CHANGED] = cell_bool(changed);
	if (file->type == CELL_TEXT)
		c[C_FILE] = cell_text(arena_printf(&grid->arena, "%.*s:%lld", (int)file->len,
		    file->s, (long long)cell_i64(rowset_get(rs, row, "sourceline"), 0)));
	else if (cell_is(&c[C_SOURCE], "configuration file"))
		c[C_FILE] = cell_null(WHY_DENIED);
	if (changed)
		c[C_NAME].role = c[C_VALUE].role = ROLE_STRONG;
	if (cell_i64(&c[C_PENDING], 0))
		c[C_NAME].role = c[C_VALUE].role = c[C_PENDING].role = ROLE_WARN;
}

static int
rank(const struct rowset *rs, int row, bool changed)
{
	if (cell_i64(rowset_get(rs, row, "pending_restart"), 0))
		return 0;
	return changed ? 1 : 2;
}

static void
settings_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct rowset *rs = pane_rows(ctx, grid, PROBE_SETTINGS);
	const struct server_info *server = &ctx->snap->server;
	int n[3] = { 0 };

	if (!rs)
		return;
	/* the server sends them by name */
	for (int want = 0; want < 3; want++) {
		for (int i = 0; i < rs->nrows; i++) {
			struct cell boot = boot_value(&grid->arena, rs, i);
			bool changed = is_changed(rs, i, &boot);
			if (rank(rs, i, changed) != want)
				continue;
			fill_row(grid, rs, i, &boot, changed);
			n[want]++;
		}
	}
	grid_fact(grid, "settings", COL_COUNT, cell_int(rs->nrows));
	grid_fact(grid, "changed", COL_COUNT, cell_int(n[1]));
	grid_fact(grid, "pending_restart", COL_COUNT, cell_int(n[0]));
	if (n[0] > 0)
		grid_notef(grid, "info", "Restart the server when it suits.",
		    "%d settings wait for a restart", n[0]);
	if (!server->is_superuser && !server->has_monitor)
		grid_note(grid, "denied",
		    "some settings and all file names are hidden from this role",
		    sessions_grant(ctx->snap, "pg_read_all_settings", &grid->arena));
}

const struct pane pane_settings = {
	.name = "settings",
	.title = "Settings",
	.help =
	    "Settings: those that wait for a restart first, then those that were changed, then the rest; / searches names, values and descriptions.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.is_steady = true,
	.fill = settings_fill,
};
