#include "config.h"

#include "app/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/advise.h"
#include "app/alerting.h"
#include "app/historian.h"
#include "app/sampler.h"
#include "app/targets.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/lexer.h"
#include "base/utf8.h"
#include "collect/replay.h"
#include "model/rules.h"
#include "model/spans.h"
#include "panes/history.h"
#include "store/history.h"

enum { MAX_OUTPUT = 1 << 30, MAX_COLS = 128, TOP_SIZES = 50 };

static void
key_text(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	json_str(out, value, strlen(value));
}

/* Of what the server said last; of a target whose server is not asked, what the cloud did. */
static const struct sample *
newest(const struct pane *pane, const struct snapshot *snap)
{
	const struct sample *found = NULL;

	for (int i = 0; i < pane->nprobes; i++) {
		const struct sample *s = snap->good[pane->probes[i]];

		if (s && (!found || s->at.us > found->at.us))
			found = s;
	}
	return found;
}

static void
show_json(struct strbuf *out, const struct pane *pane, const struct snapshot *snap,
    const struct grid *grid, struct mono now)
{
	const struct sample *s = snap->taken_at.us ? NULL : newest(pane, snap);
	struct wall taken_at = s ? s->server_at : snap->taken_at;
	struct mono taken_mono = s ? s->at : snap->taken_mono;
	bool first = true;
	char buf[40];

	strbuf_addc(out, '{');
	key_text(out, &first, "pane", pane->name);
	key_text(out, &first, "target", snap->target);
	json_key(out, &first, "server_version_num");
	if (snap->server.version_num)
		json_int(out, snap->server.version_num);
	else
		strbuf_adds(out, "null");
	json_key(out, &first, "taken_at");
	if (taken_at.us)
		strbuf_addf(out, "\"%s\"", wall_rfc3339(taken_at, buf, sizeof(buf)));
	else
		strbuf_adds(out, "null");
	json_key(out, &first, "age_ms");
	json_int(out, taken_mono.us ? mono_since_ms(now, taken_mono) : 0);
	json_key(out, &first, "rows");
	grid_json_rows(out, grid);
	json_key(out, &first, "summary");
	grid_json_summary(out, grid);
	json_key(out, &first, "notes");
	grid_json_notes(out, grid);
	strbuf_adds(out, "}\n");
}

/* Summary above the table, as a list; the screen draws it in its own way. */
static void
show_text(struct strbuf *out, const struct grid *grid, int width)
{
	for (int i = 0; i < grid->nfacts; i++) {
		/* Objects are for programs: their figures are said in rows and notes. */
		if (grid->facts[i].kind == COL_JSON)
			continue;
		strbuf_addf(out, "%-28s ", grid->facts[i].name);
		grid_cell_text(out, grid->facts[i].kind, &grid->facts[i].value);
		strbuf_addc(out, '\n');
	}
	if (grid->nfacts)
		strbuf_addc(out, '\n');
	grid_text(out, grid, width);
}

void
show_grid(struct strbuf *out, enum show_format format, const struct pane *pane,
    const struct snapshot *snap, const struct grid *grid, struct mono now, int width)
{
	grid_now = snap->taken_at;
	switch (format) {
	case SHOW_TEXT:
		show_text(out, grid, width);
		break;
	case SHOW_JSON:
		show_json(out, pane, snap, grid, now);
		break;
	case SHOW_CSV:
		grid_csv(out, grid);
		break;
	}
}

static int
find_column(const struct grid *g, const char *name, struct error *err)
{
	const char *names[MAX_COLS];
	int n = 0, col = grid_col(g, name);
	const char *near;

	if (col >= 0)
		return col;
	for (; n < g->ncols && n < MAX_COLS - 1; n++)
		names[n] = g->cols[n].name;
	names[n] = NULL;
	near = nearest_name(name, names);
	error_set(err, ERR_USAGE, "there is no column '%s'", name);
	if (near)
		error_hint(err, "The nearest is %s.", near);
	return -1;
}

static bool
choose_columns(
    const struct grid *g, const char *names, int *index, int max, int *n, struct error *err)
{
	*n = 0;
	for (int i = 0; i < g->ncols && i < max && (!*names || strcmp(names, "all") == 0); i++)
		index[(*n)++] = i;
	while (strcmp(names, "all") != 0 && *names && *n < max) {
		size_t len = strcspn(names, ", ");
		char *name = xstrndup(names, len);
		int col = len ? find_column(g, name, err) : 0;

		free(name);
		if (col < 0)
			return false;
		if (len)
			index[(*n)++] = col;
		names += len;
		names += strspn(names, ", ");
	}
	return true;
}

bool
show_project(struct grid *out, const struct grid *from, struct column *cols, int max,
    const char *names, struct error *err)
{
	int index[MAX_COLS], n;

	if (!choose_columns(from, names, index, max < MAX_COLS ? max : MAX_COLS, &n, err))
		return false;
	for (int i = 0; i < n; i++) {
		cols[i] = from->cols[index[i]];
		if (*names)
			cols[i].flags &= ~(unsigned)COL_HIDDEN;
	}
	grid_init(out, cols, n);
	out->is_tree = from->is_tree;
	for (int r = 0; r < from->nrows; r++) {
		struct grid_row *row = grid_add(out);
		struct cell *cells = row->cells;

		*row = from->rows[r];
		row->cells = cells;
		for (int i = 0; i < n; i++)
			cells[i] = from->rows[r].cells[index[i]];
	}
	for (int i = 0; i < from->nnotes; i++)
		grid_note(out, from->notes[i].code, from->notes[i].what, from->notes[i].hint);
	for (int i = 0; i < from->nfacts; i++)
		grid_fact(out, from->facts[i].name, from->facts[i].kind, from->facts[i].value);
	return true;
}

/* --sort COLUMN, -COLUMN, COLUMN:desc, COLUMN:asc; without it the pane's own order. */
static bool
sort_grid(struct grid *g, const struct pane *pane, const char *sort, struct error *err)
{
	bool descending = false;
	size_t len;
	char *name;
	int col;

	if (!sort) {
		if (pane->sort && !g->is_tree)
			grid_sort(g, grid_col(g, pane->sort), pane->sort_descending);
		return true;
	}
	if (*sort == '-') {
		descending = true;
		sort++;
	}
	len = strcspn(sort, ":");
	if (strcmp(sort + len, ":desc") == 0)
		descending = true;
	else if (sort[len] && strcmp(sort + len, ":asc") != 0)
		return error_set(
		    err, ERR_USAGE, "a sort order is COLUMN:asc or COLUMN:desc, not '%s'", sort);
	name = xstrndup(sort, len);
	col = find_column(g, name, err);
	free(name);
	if (col < 0)
		return false;
	grid_sort(g, col, descending);
	return true;
}

static bool
find_mode(const struct pane *pane, const char *name, int *mode, struct error *err)
{
	const char *names[32];
	int n = 0;

	*mode = 0;
	if (!name)
		return true;
	for (; pane->modes && pane->modes[n].name && n < 31; n++) {
		if (strcmp(pane->modes[n].name, name) == 0) {
			*mode = n;
			return true;
		}
		names[n] = pane->modes[n].name;
	}
	names[n] = NULL;
	error_set(err, ERR_USAGE, "the pane %s has no mode '%s'", pane->name, name);
	if (nearest_name(name, names))
		return error_hint(err, "The nearest is %s.", nearest_name(name, names));
	return false;
}

/* --mode and --window. */
static bool
choose_opts(
    const struct options *opt, const struct pane *pane, struct pane_opts *opts, struct error *err)
{
	if (!find_mode(pane, opt->mode, &opts->mode, err))
		return false;
	if (!opt->window || span_read(opt->window, &opts->window_s))
		return true;
	error_set(err, ERR_USAGE, "--window %s is no span of time", opt->window);
	return error_hint(err, "Write it as 90s, 5m, 6h, 30d or 1y.");
}

/* Words that the user gave are checked before a connection is made. */
static bool
check_words(const struct options *opt, const struct pane *pane, struct error *err)
{
	struct grid g = { 0 }, out = { 0 };
	struct column cols[MAX_COLS];
	struct grid_filter *filter;
	struct pane_opts opts = { 0 };
	bool ok;

	grid_init(&g, pane->columns, pane->ncolumns);
	filter = grid_filter_new(g.cols, g.ncols, opt->filter ? opt->filter : "", err);
	ok = filter && sort_grid(&g, pane, opt->sort, err) && choose_opts(opt, pane, &opts, err) &&
	    show_project(&out, &g, cols, MAX_COLS, opt->columns ? opt->columns : "", err);
	grid_filter_free(filter);
	grid_release(&out);
	grid_release(&g);
	if (!ok)
		err->code = ERR_USAGE;
	return ok;
}

static int
terminal_width(void)
{
	struct winsize ws;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 ? ws.ws_col : 80;
}

/*
 * Print to a terminal only what is meant: whatever is not clean becomes \uXXXX, which in JSON means
 * the same (it can only stand inside a string), and elsewhere is readable.
 */
static void
print(const struct strbuf *out, enum show_format format)
{
	const char *s = out->buf, *end = s + out->len;
	struct strbuf safe = STRBUF_INIT(MAX_OUTPUT);

	if (!isatty(STDOUT_FILENO)) {
		fwrite(out->buf, 1, out->len, stdout);
		return;
	}
	while (s < end) {
		uint32_t cp;
		size_t n = utf8_decode(s, (size_t)(end - s), &cp);
		bool is_clean = utf8_is_clean(s, n) && *s != '\t';

		if (is_clean)
			strbuf_add(&safe, s, n);
		else if (format == SHOW_JSON && cp > 0xffff)
			strbuf_addf(&safe, "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10),
			    0xdc00 + ((cp - 0x10000) & 0x3ff));
		else
			strbuf_addf(&safe, "\\u%04x", cp);
		s += n;
	}
	fwrite(safe.buf, 1, safe.len, stdout);
	strbuf_release(&safe);
}

/* Where the snapshot comes from. */
struct origin {
	struct sampler *sampler;
	struct replay *replay;
	const struct snapshot *snap; /* of a replay: referenced */
	void *cache;
	struct targets targets;
};

static struct wall
taken_at(struct replay *r, int target)
{
	const struct snapshot *snap = replay_snapshot(r, target);
	struct wall at = snap->taken_at;

	snapshot_unref(snap);
	return at;
}

/*
 * To the last refresh that was taken at or before a moment. A block has the time when it was
 * written, a little after the server has answered.
 */
static bool
seek_taken(struct replay *r, int target, struct wall at, struct error *err)
{
	struct error end = { 0 };

	if (!replay_seek(r, at, err))
		return false;
	for (;;) {
		struct wall before = taken_at(r, target), next;

		if (!replay_step(r, 1, &end))
			return true;
		next = taken_at(r, target);
		/* Without an answer between them the server was away: time goes by the blocks. */
		if (next.us == before.us || next.us > at.us)
			return replay_step(r, -1, err);
	}
}

static bool
open_replay(struct origin *o, const struct options *opt, struct error *err)
{
	struct recfile *file = recfile_open(opt->replay, err);
	struct wall first, last, at;
	int target = 0;

	if (!file)
		return false;
	o->replay = replay_new(file, err);
	if (!o->replay)
		return false;
	if (replay_damaged(o->replay) > 0)
		fprintf(stderr, "pgmedic: %s: %lld bytes cannot be read; the rest is shown\n",
		    opt->replay, (long long)replay_damaged(o->replay));
	replay_span(o->replay, &first, &last, &at);
	if (opt->at && !wall_parse(opt->at, &last)) {
		error_set(err, ERR_USAGE, "--at %s is no time", opt->at);
		return error_hint(err, "Write it as 2026-11-21T07:30:00Z.");
	}
	if (opt->nargs > 1) {
		for (target = replay_targets(o->replay) - 1; target >= 0; target--)
			if (strcmp(replay_target_name(o->replay, target), opt->args[1]) == 0)
				break;
		if (target < 0)
			return error_set(
			    err, ERR_NOT_FOUND, "the recording has no target '%s'", opt->args[1]);
	}
	if (!(opt->at ? seek_taken(o->replay, target, last, err) :
	                replay_seek(o->replay, last, err)))
		return false;
	o->snap = replay_snapshot(o->replay, target);
	return true;
}

/* What the history of this machine has, for the panes that show it. Without it they show the rest.
 */
static void
show_past(struct origin *o, const struct options *opt, const struct settings *settings,
    const struct pane *pane)
{
	const char *name = o->targets.items[0].name;
	struct pane_opts opts = { 0 };
	struct error err = { 0 };
	struct history *h;
	bool has_chart = false, has_sizes = false;

	for (int i = 0; i < pane->nprobes; i++) {
		has_chart = has_chart || pane->probes[i] == PROBE_HISTORY;
		has_sizes = has_sizes || pane->probes[i] == PROBE_SIZE_HISTORY;
	}
	if ((!has_chart && !has_sizes) || !settings_bool(settings, "history"))
		return;
	h = history_open(&err);
	if (*err.what)
		fprintf(stderr, "pgmedic: %s\n", err.what);
	if (h && has_chart && choose_opts(opt, pane, &opts, &err))
		sampler_post(o->sampler, PROBE_HISTORY,
		    historian_chart(h, name, history_shown_metric(&opts), history_shown_span(&opts),
		        wall_now(), &err));
	if (h && has_sizes)
		sampler_post(o->sampler, PROBE_SIZE_HISTORY,
		    historian_sizes(h, name, TOP_SIZES, TOP_SIZES, &err));
	history_close(h);
}

/* The past of a server that is away can be shown, and its load as Performance Insights has it: what
 * is wrong is said beside it. */
static const struct snapshot *
past_alone(struct origin *o, const struct pane *pane, struct error *err)
{
	const struct snapshot *snap;
	const struct rowset *rows;

	if (strcmp(pane->name, "waits") == 0 && err->code != ERR_USAGE) {
		snap = sampler_cloud(o->sampler, pane);
		rows = snapshot_rows(snap, PROBE_CLOUD_LOAD);
		if (!rows || !rows->nrows)
			return NULL;
		error_report(err);
		*err = (struct error){ 0 };
		return snap;
	}
	if (strcmp(pane->name, "history") != 0 || err->code == ERR_USAGE)
		return NULL;
	snap = sampler_posted(o->sampler);
	rows = snapshot_rows(snap, PROBE_HISTORY);
	/* a row without a time: nothing is known */
	if (!rows || rows->nrows == 0 || cell_is_null(rowset_get(rows, 0, "time")))
		return NULL;
	error_report(err);
	*err = (struct error){ 0 };
	return snap;
}

/* Panes that show what the alert rules found: they go on where the last run ended. */
static bool
judges(const struct pane *pane)
{
	return strcmp(pane->name, "alerts") == 0 || strcmp(pane->name, "overview") == 0;
}

static bool
open_live(struct origin *o, const struct options *opt, struct settings *settings,
    const struct pane *pane, struct error *err)
{
	const struct snapshot *snap;

	if (!targets_resolve(&o->targets, opt, settings, opt->args + 1, opt->nargs - 1, err))
		return false;
	o->sampler = sampler_open(&o->targets.items[0], err);
	/* Advice is nobody's answer yet: it is made now. */
	if (o->sampler && strcmp(pane->name, "advice") == 0 &&
	    !advise_into(o->sampler, &o->targets.items[0], settings, err))
		return false;
	if (o->sampler)
		show_past(o, opt, settings, pane);
	if (o->sampler && judges(pane))
		alerting_recall(o->sampler, settings, &o->targets.items[0]);
	snap = o->sampler ? sampler_wait(o->sampler, pane, err) : NULL;
	if (o->sampler && !snap)
		snap = past_alone(o, pane, err);
	o->snap = snap ? snapshot_ref(snap) : NULL;
	if (snap && judges(pane))
		alerting_keep(snap, o->targets.items[0].name);
	return snap != NULL;
}

static void
close_origin(struct origin *o, const struct pane *pane)
{
	snapshot_unref(o->snap);
	if (o->cache && pane->cache_free)
		pane->cache_free(o->cache);
	sampler_close(o->sampler);
	replay_free(o->replay);
	targets_release(&o->targets);
}

static void
fill(struct origin *o, const struct pane *pane, const struct pane_opts *opts, struct mono now,
    struct grid *g)
{
	struct pane_ctx ctx = { .snap = o->snap, .opts = opts, .now = now };

	o->cache = pane->cache_new ? pane->cache_new() : NULL;
	ctx.cache = o->cache;
	pane->fill(&ctx, g);
	grid_seal(g);
}

static bool
render(struct origin *o, const struct options *opt, const struct pane *pane, struct error *err)
{
	enum show_format format = opt->json ? SHOW_JSON : opt->csv ? SHOW_CSV : SHOW_TEXT;
	/* In a recording nothing grows older. */
	struct mono now = o->replay ? o->snap->taken_mono : mono_now();
	/* Scripts get counters as the catalog has them. */
	struct pane_opts opts = { .show_idle = opt->all || format != SHOW_TEXT,
		.totals = opt->totals || (pane->totals_in_show && format != SHOW_TEXT) };
	struct strbuf text = STRBUF_INIT(MAX_OUTPUT);
	struct column cols[MAX_COLS];
	struct grid g = { 0 }, out = { 0 };
	struct grid_filter *filter = NULL;
	bool ok;

	grid_init(&g, pane->columns, pane->ncolumns);
	ok = choose_opts(opt, pane, &opts, err);
	if (ok) {
		fill(o, pane, &opts, now, &g);
		filter = grid_filter_new(g.cols, g.ncols, opt->filter ? opt->filter : "", err);
		ok = filter && sort_grid(&g, pane, opt->sort, err);
	}
	if (ok && opt->filter)
		grid_filter(&g, filter);
	if (ok && opt->limit >= 0 && g.nrows > opt->limit)
		g.nrows = opt->limit;
	ok = ok && show_project(&out, &g, cols, MAX_COLS, opt->columns ? opt->columns : "", err);
	if (ok) {
		show_grid(&text, format, pane, o->snap, &out, now, terminal_width());
		print(&text, format);
	}
	grid_filter_free(filter);
	grid_release(&out);
	grid_release(&g);
	strbuf_release(&text);
	return ok;
}

static const struct pane *
find_pane(const char *name, struct error *err)
{
	const struct pane *pane = pane_by_name(name);
	const char *names[64];
	int n = 0;

	if (pane)
		return pane;
	for (; panes[n] && n < 63; n++)
		names[n] = panes[n]->name;
	names[n] = NULL;
	error_set(err, ERR_USAGE, "there is no pane '%s'", name);
	if (nearest_name(name, names))
		error_hint(err, "The nearest is %s.", nearest_name(name, names));
	else
		error_hint(err, "See pgmedic help panes.");
	return NULL;
}

int
show_main(const struct options *opt, struct settings *settings)
{
	struct origin o = { 0 };
	struct error err = { 0 };
	const struct pane *pane = find_pane(opt->args[0], &err);
	bool ok = pane && check_words(opt, pane, &err) &&
	    (opt->replay ? open_replay(&o, opt, &err) : open_live(&o, opt, settings, pane, &err)) &&
	    render(&o, opt, pane, &err);
	/* For cron: something is critical, and nobody has muted it. */
	bool is_critical = ok && strcmp(pane->name, "alerts") == 0 &&
	    findings_count(o.snap, SEVERITY_CRITICAL) > 0;

	if (pane)
		close_origin(&o, pane);
	if (ok && fflush(stdout) != 0)
		ok = error_set(&err, ERR_FILE, "standard output cannot be written");
	if (ok)
		return is_critical ? EXIT_FAILED : EXIT_DONE;
	error_report(&err);
	return options_exit_status(&err);
}
