/* Commands that write a local file: save, export, report. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/run.h"
#include "app/sampler.h"
#include "app/show.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "pg/sqltext.h"

enum { MAX_FILE = 1 << 30 };

/* "~/x" is in the home folder. */
static const char *
expand_home(struct arena *arena, const char *path)
{
	const char *home = getenv("HOME");

	return path[0] == '~' && path[1] == '/' && home ?
	    arena_printf(arena, "%s%s", home, path + 1) :
	    path;
}

/* A new file: nothing is ever overwritten. Only for its owner, since statements may hold secrets.
 */
static bool
write_new(const char *path, const struct strbuf *text, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t at = 0;

	if (fd < 0) {
		error_set(err, ERR_FILE, "cannot write %s: %s", path, strerror(errno));
		return errno == EEXIST ?
		    error_hint(err, "Choose another name; files are never overwritten.") :
		    false;
	}
	while (at < text->len) {
		ssize_t n = write(fd, text->buf + at, text->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	if (at < text->len || fsync(fd) != 0 || close(fd) != 0)
		return error_set(err, ERR_FILE, "cannot write %s: %s", path, strerror(errno));
	return true;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* By a word, else by the file's name. */
static bool
find_format(const char *path, const char *word, enum show_format *format, struct error *err)
{
	const char *name = word      ? word :
	    ends_with(path, ".json") ? "json" :
	    ends_with(path, ".csv")  ? "csv" :
	                               "text";

	if (strcmp(name, "json") == 0)
		*format = SHOW_JSON;
	else if (strcmp(name, "csv") == 0)
		*format = SHOW_CSV;
	else if (strcmp(name, "text") == 0)
		*format = SHOW_TEXT;
	else {
		error_set(err, ERR_USAGE, "there is no format '%s'", name);
		return error_hint(err, "It is text, json or csv.");
	}
	return true;
}

/* save: the rows the filter leaves, columns as shown at first. export: all of them. */
static bool
write_pane(struct run_ctx *ctx, const struct words *words, bool is_export, struct error *err)
{
	const struct pane *pane = ctx->screen->pane(ctx->console);
	const struct snapshot *snap = ctx->screen->snapshot(ctx->console);
	const char *text = is_export ? "" : ctx->screen->filter(ctx->console);
	struct arena arena = { 0 };
	const char *path = expand_home(&arena, words->w[1].text);
	struct strbuf out = STRBUF_INIT(MAX_FILE);
	struct column cols[128];
	struct grid g = { 0 }, chosen = { 0 };
	struct grid_filter *filter;
	enum show_format format = SHOW_TEXT;
	bool ok;

	grid_init(&g, pane->columns, pane->ncolumns);
	ctx->screen->fill(ctx->console, &g);
	filter = grid_filter_new(g.cols, g.ncols, text, err);
	if (filter && *text)
		grid_filter(&g, filter);
	ok = filter && find_format(path, words->n > 2 ? words->w[2].text : NULL, &format, err) &&
	    show_project(&chosen, &g, cols, 128, is_export ? "all" : "", err);
	if (ok) {
		show_grid(&out, format, pane, snap, &chosen, mono_now(), 0);
		ok = write_new(path, &out, err);
	}
	if (ok)
		strbuf_addf(ctx->out, "%d rows of %s written to %s", g.nrows, pane->name, path);
	grid_filter_free(filter);
	grid_release(&chosen);
	grid_release(&g);
	strbuf_release(&out);
	arena_release(&arena);
	return ok;
}

static bool
run_save(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	return write_pane(ctx, words, false, err);
}

static bool
run_export(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	return write_pane(ctx, words, true, err);
}

/* ------------------------------------------------------------------ the report */

/* Text for a Markdown table cell: clean, on one line, nothing that Markdown would read. */
static void
add_cell(struct strbuf *out, const char *s, size_t len)
{
	struct strbuf clean = STRBUF_INIT(8192);

	utf8_clean(&clean, s, len, true);
	for (size_t i = 0; i < clean.len; i++) {
		if (strchr("|`<>*_[]\\", clean.buf[i]))
			strbuf_addc(out, '\\');
		strbuf_addc(out, clean.buf[i]);
	}
	strbuf_release(&clean);
}

static void
add_value(struct strbuf *out, enum column_kind kind, const struct cell *c)
{
	struct strbuf text = STRBUF_INIT(1 << 20);
	struct arena arena = { 0 };

	if (kind == COL_QUERY && c->type == CELL_TEXT) {
		const char *redacted = sql_redact(&arena, c->s, c->len);

		add_cell(out, redacted, strlen(redacted));
	} else {
		grid_cell_text(&text, kind, c);
		add_cell(out, text.buf, text.len);
	}
	strbuf_release(&text);
	arena_release(&arena);
}

static void
report_table(struct strbuf *out, const struct grid *g)
{
	for (int c = 0; c < g->ncols; c++)
		if (!(g->cols[c].flags & COL_HIDDEN))
			strbuf_addf(out, "| %s ", g->cols[c].title);
	strbuf_adds(out, "|\n");
	for (int c = 0; c < g->ncols; c++)
		if (!(g->cols[c].flags & COL_HIDDEN))
			strbuf_adds(out, "|---");
	strbuf_adds(out, "|\n");
	for (int r = 0; r < g->nrows && r < 200; r++) {
		for (int c = 0; c < g->ncols; c++) {
			if (g->cols[c].flags & COL_HIDDEN)
				continue;
			strbuf_adds(out, "| ");
			/* The place in a tree, where the pane draws it. */
			for (int d = 0; g->is_tree && c == 0 && d < g->rows[r].depth; d++)
				strbuf_adds(out, "&nbsp;&nbsp;");
			add_value(out, g->cols[c].kind, &g->rows[r].cells[c]);
			strbuf_addc(out, ' ');
		}
		strbuf_adds(out, "|\n");
	}
	if (g->nrows > 200)
		strbuf_addf(out, "\n… and %d rows more\n", g->nrows - 200);
}

static void
report_pane(struct strbuf *out, const struct pane *pane, const struct grid *g)
{
	strbuf_addf(out, "\n## %s\n\n", pane->title);
	for (int i = 0; i < g->nfacts; i++) {
		strbuf_addf(out, "- %s: ", g->facts[i].name);
		add_value(out, g->facts[i].kind, &g->facts[i].value);
		strbuf_addc(out, '\n');
	}
	if (g->nfacts)
		strbuf_addc(out, '\n');
	if (g->nrows)
		report_table(out, g);
	for (int i = 0; i < g->nnotes; i++) {
		strbuf_adds(out, "\n> ");
		add_cell(out, g->notes[i].what, strlen(g->notes[i].what));
		if (*g->notes[i].hint) {
			strbuf_adds(out, " ");
			add_cell(out, g->notes[i].hint, strlen(g->notes[i].hint));
		}
		strbuf_addc(out, '\n');
	}
}

static void
report_head(struct strbuf *out, const struct snapshot *snap)
{
	const struct server_info *s = &snap->server;
	char buf[40];

	strbuf_adds(out, "# ");
	add_cell(out, snap->target, strlen(snap->target));
	strbuf_addf(out, "\n\n- taken at: %s\n",
	    snap->taken_at.us ? wall_rfc3339(snap->taken_at, buf, sizeof(buf)) : "nothing yet");
	strbuf_addf(out, "- server: PostgreSQL %s, %s\n", *s->version ? s->version : "?",
	    s->is_standby ? "standby" : "primary");
	if (snap->link == LINK_DOWN || snap->link == LINK_LATE) {
		strbuf_adds(out, "- connection: ");
		add_cell(out, snap->link_what, strlen(snap->link_what));
		strbuf_addc(out, '\n');
	}
	for (int i = 0; i < snap->nevents; i++) {
		strbuf_addf(out, "- %s: ", wall_rfc3339(snap->events[i].at, buf, sizeof(buf)));
		add_cell(out, snap->events[i].what, strlen(snap->events[i].what));
		strbuf_addc(out, '\n');
	}
	strbuf_adds(out, "- literals in statements are replaced by ?\n");
}

static void
report_screen(struct run_ctx *ctx, struct strbuf *out)
{
	const struct pane *pane = ctx->screen->pane(ctx->console);
	const char *text = ctx->screen->filter(ctx->console);
	struct error err = { 0 };
	struct grid g = { 0 };
	struct grid_filter *filter;

	report_head(out, ctx->screen->snapshot(ctx->console));
	grid_init(&g, pane->columns, pane->ncolumns);
	ctx->screen->fill(ctx->console, &g);
	filter = *text ? grid_filter_new(g.cols, g.ncols, text, &err) : NULL;
	if (filter)
		grid_filter(&g, filter);
	report_pane(out, pane, &g);
	grid_filter_free(filter);
	grid_release(&g);
}

/* Without a screen: what an incident channel asks for first. */
static bool
report_live(struct run_ctx *ctx, struct strbuf *out, struct error *err)
{
	static const char *const names[] = { "overview", "locks", "activity", "replication" };
	struct sampler *s = sampler_open(ctx->target, err);
	struct pane_opts opts = { 0 };
	bool ok = s != NULL;

	for (size_t i = 0; ok && i < ARRAY_LEN(names); i++) {
		const struct pane *pane = pane_by_name(names[i]);
		const struct snapshot *snap = pane ? sampler_wait(s, pane, err) : NULL;
		struct grid g = { 0 };

		ok = snap != NULL;
		if (!ok)
			break;
		if (i == 0)
			report_head(out, snap);
		grid_init(&g, pane->columns, pane->ncolumns);
		sampler_fill(s, pane, &opts, &g);
		report_pane(out, pane, &g);
		grid_release(&g);
	}
	sampler_close(s);
	return ok;
}

static bool
run_report(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct arena arena = { 0 };
	struct strbuf out = STRBUF_INIT(MAX_FILE);
	const char *path = NULL;
	bool ok = true;

	if (words->n > 1)
		path = expand_home(&arena, words->w[1].text);
	else
		path = arena_printf(
		    &arena, "pgmedic-report-%lld.md", (long long)(wall_now().us / 1000000));
	if (ctx->screen)
		report_screen(ctx, &out);
	else
		ok = report_live(ctx, &out, err);
	ok = ok && write_new(path, &out, err);
	if (ok)
		strbuf_addf(ctx->out, "the report is in %s", path);
	strbuf_release(&out);
	arena_release(&arena);
	return ok;
}

const struct command cmd_save = {
	.name = "save",
	.usage = "save FILE [text|json|csv]",
	.help = "write the rows that are shown to a new file; its name tells the format",
	.risk = RISK_FILE,
	.args = { ARG_FILE, ARG_OPTION, ARG_NONE, ARG_NONE },
	.min_args = 1,
	.max_args = 2,
	.needs_screen = true,
	.run = run_save,
};

const struct command cmd_export = {
	.name = "export",
	.usage = "export FILE [text|json|csv]",
	.help = "write the whole pane with all columns to a new file",
	.risk = RISK_FILE,
	.args = { ARG_FILE, ARG_OPTION, ARG_NONE, ARG_NONE },
	.min_args = 1,
	.max_args = 2,
	.needs_screen = true,
	.run = run_export,
};

const struct command cmd_report = {
	.name = "report",
	.usage = "report [FILE]",
	.help =
	    "write a Markdown report for an incident channel, with the literals of statements left out",
	.risk = RISK_FILE,
	.args = { ARG_FILE, ARG_NONE, ARG_NONE, ARG_NONE },
	.max_args = 1,
	.run = run_report,
};
