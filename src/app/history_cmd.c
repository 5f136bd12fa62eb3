#include "config.h"

#include "app/history_cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/targets.h"
#include "base/fmt.h"
#include "base/json.h"
#include "base/lexer.h"
#include "base/utf8.h"
#include "model/series.h"
#include "store/history.h"

enum { MAX_OUTPUT = 1 << 30, WINDOW_S = 6 * 86400, WINDOW_BUCKETS = 8700 };

struct doing {
	const struct options *opt;
	struct settings *settings;
	struct history *history;
	struct strbuf out;
	struct arena arena;
};

/* ------------------------------------------------------------------ targets */

/* The target of a word: one that there is a history of, or one of the configuration; without a word
 * that which the console would show first. */
static const char *
target_name(struct doing *d, const char *word, struct error *err)
{
	struct history_target *kept;
	struct targets targets = { 0 };
	const char *name = NULL;
	int n;

	if (word && history_targets(d->history, &d->arena, &kept, &n, err))
		for (int i = 0; i < n; i++)
			if (strcmp(kept[i].name, word) == 0)
				return kept[i].name;
	if (targets_resolve(&targets, d->opt, d->settings, &word, word != NULL, err))
		name = arena_strdup(&d->arena, targets.items[0].name);
	targets_release(&targets);
	return name;
}

static const char *
word(const struct doing *d, int i)
{
	return d->opt->nargs > i ? d->opt->args[i] : NULL;
}

static bool
wants_words(const struct doing *d, int least, int most, const char *usage, struct error *err)
{
	if (d->opt->nargs - 1 >= least && d->opt->nargs - 1 <= most)
		return true;
	error_set(err, ERR_USAGE, "history %s %s", d->opt->args[0],
	    d->opt->nargs - 1 < least ? "needs more words" : "takes fewer words");
	return error_hint(err, "Usage: pgmedic history %s", usage);
}

/* ------------------------------------------------------------------ what there is */

static void
put_time(struct strbuf *out, struct wall t)
{
	char buf[40];

	if (t.us)
		strbuf_addf(out, "\"%s\"", wall_rfc3339(t, buf, sizeof(buf)));
	else
		strbuf_adds(out, "null");
}

static void
target_json(struct strbuf *out, const struct history_target *t)
{
	const struct {
		const char *name;
		int64_t n;
	} counts[] = { { "minutes", t->minutes }, { "hours", t->hours }, { "sizes", t->sizes },
		{ "statements", t->statements } };
	bool first = true;

	strbuf_addc(out, '{');
	json_key(out, &first, "target");
	json_str(out, t->name, strlen(t->name));
	json_key(out, &first, "system_identifier");
	if (t->system_identifier)
		strbuf_addf(out, "\"%" PRId64 "\"", t->system_identifier);
	else
		strbuf_adds(out, "null");
	json_key(out, &first, "is_former");
	strbuf_adds(out, t->is_former ? "true" : "false");
	json_key(out, &first, "first");
	put_time(out, t->first);
	json_key(out, &first, "last");
	put_time(out, t->last);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		json_key(out, &first, counts[i].name);
		json_int(out, counts[i].n);
	}
	strbuf_addc(out, '}');
}

static void
status_json(struct doing *d, const struct history_target *targets, int n)
{
	bool first = true;

	strbuf_addc(&d->out, '{');
	json_key(&d->out, &first, "path");
	json_str(&d->out, history_path(d->history), strlen(history_path(d->history)));
	json_key(&d->out, &first, "bytes");
	json_int(&d->out, history_bytes(d->history));
	json_key(&d->out, &first, "limit_bytes");
	json_int(&d->out, settings_bytes(d->settings, "history_size"));
	json_key(&d->out, &first, "targets");
	for (int i = 0; i < n; i++) {
		strbuf_addc(&d->out, i ? ',' : '[');
		target_json(&d->out, &targets[i]);
	}
	strbuf_adds(&d->out, n ? "]}\n" : "[]}\n");
}

static void
status_text(struct doing *d, const struct history_target *targets, int n)
{
	char bytes[32], limit[32], from[40], to[40];

	strbuf_addf(&d->out, "%s: %s of at most %s\n", history_path(d->history),
	    fmt_bytes(bytes, sizeof(bytes), (double)history_bytes(d->history)),
	    fmt_bytes(limit, sizeof(limit), (double)settings_bytes(d->settings, "history_size")));
	for (int i = 0; i < n; i++) {
		const struct history_target *t = &targets[i];

		strbuf_addf(&d->out,
		    "%-24s %.20s to %.20s  %" PRId64 " minutes, %" PRId64 " hours, %" PRId64
		    " sizes, %" PRId64 " statements%s\n",
		    t->name, t->first.us ? wall_rfc3339(t->first, from, sizeof(from)) : "-",
		    wall_rfc3339(t->last, to, sizeof(to)), t->minutes, t->hours, t->sizes,
		    t->statements, t->is_former ? ", another server of that name" : "");
	}
}

static bool
status(struct doing *d, struct error *err)
{
	struct history_target *targets;
	int n;

	if (!history_targets(d->history, &d->arena, &targets, &n, err))
		return false;
	if (d->opt->json)
		status_json(d, targets, n);
	else
		status_text(d, targets, n);
	return true;
}

/* ------------------------------------------------------------------ CSV */

static void
imported_json(struct doing *d, const char *target, int64_t rows, int64_t skipped)
{
	bool first = true;

	strbuf_addc(&d->out, '{');
	json_key(&d->out, &first, "target");
	json_str(&d->out, target, strlen(target));
	json_key(&d->out, &first, "rows");
	json_int(&d->out, rows);
	json_key(&d->out, &first, "skipped");
	json_int(&d->out, skipped);
	strbuf_adds(&d->out, "}\n");
}

static bool
import(struct doing *d, struct error *err)
{
	const char *names[METRIC_COUNT + 1] = { NULL };
	const char *target;
	struct error first = { 0 };
	int64_t rows, skipped;

	if (!wants_words(d, 1, 2, "import FILE.csv [TARGET]", err))
		return false;
	target = target_name(d, word(d, 2), err);
	for (int i = 0; i < METRIC_COUNT; i++)
		names[i] = metric_infos[i].name;
	if (!target ||
	    !history_import(d->history, target, word(d, 1), names, &rows, &skipped, &first)) {
		if (target)
			*err = first;
		return false;
	}
	if (skipped > 0)
		fprintf(
		    stderr, "pgmedic: %" PRId64 " lines were skipped; %s\n", skipped, first.what);
	if (d->opt->json)
		imported_json(d, target, rows, skipped);
	else
		strbuf_addf(&d->out, "%" PRId64 " rows imported for %s\n", rows, target);
	return rows > 0 || skipped == 0 ||
	    error_set(err, ERR_FORMAT, "no line of %s could be used", word(d, 1));
}

static void
put_row(struct doing *d, int64_t us, double value)
{
	char buf[40];

	strbuf_addf(&d->out, value >= 1e9 ? "%s,%.0f\n" : "%s,%.9g\n",
	    wall_rfc3339((struct wall){ us }, buf, sizeof(buf)), value);
}

/* The means, by minute or hour as they are kept. */
static bool
export_metric(
    struct doing *d, const struct history_target *t, const char *metric, struct error *err)
{
	int64_t from = t->first.us / 1000000, end = t->last.us / 1000000 + 60;

	strbuf_addf(&d->out, "time,%s\n", metric);
	for (from -= from % 60; from < end; from += WINDOW_S) {
		struct wall a = { from * 1000000 }, b = { (from + WINDOW_S) * 1000000 };
		struct rowset *rows =
		    history_metric(d->history, t->name, metric, a, b, WINDOW_BUCKETS, err);

		if (!rows)
			return false;
		for (int i = 0; i < rows->nrows; i++)
			put_row(d, rowset_cell(rows, i, 0)->i, rowset_cell(rows, i, 2)->f);
		rowset_unref(rows);
	}
	return true;
}

static bool
export_sizes(struct doing *d, const char *target, const char *object, struct error *err)
{
	struct rowset *rows = history_sizes(d->history, target, object, (struct wall){ 0 }, err);
	char buf[40];

	if (!rows)
		return false;
	strbuf_addf(&d->out, "time,%s\n", strcmp(object, "total") == 0 ? "bytes" : object);
	for (int i = 0; i < rows->nrows; i++)
		strbuf_addf(&d->out, "%s,%" PRId64 "\n",
		    wall_rfc3339((struct wall){ rowset_cell(rows, i, 0)->i }, buf, sizeof(buf)),
		    rowset_cell(rows, i, 2)->i);
	if (rows->nrows == 0)
		error_set(err, ERR_NOT_FOUND, "the history of %s has no \"%s\"", target, object);
	rowset_unref(rows);
	return err->code == ERR_OK;
}

/* What the top statements did in all the time that is kept, most time first. */
static bool
export_statements(struct doing *d, const char *target, struct error *err)
{
	struct wall now = wall_now();
	struct rowset *rows = history_statements(d->history, target, (struct wall){ 0 }, now, err);

	if (!rows)
		return false;
	for (int i = 0; i < rows->ncols; i++)
		strbuf_addf(&d->out, "%s%c", rows->names[i], i + 1 < rows->ncols ? ',' : '\n');
	for (int i = 0; i < rows->nrows; i++)
		for (int k = 0; k < rows->ncols; k++) {
			const struct cell *c = rowset_cell(rows, i, k);

			if (c->type == CELL_INT)
				strbuf_addf(&d->out, "%" PRId64, c->i);
			else
				strbuf_addf(&d->out, "%.9g", c->f);
			strbuf_addc(&d->out, k + 1 < rows->ncols ? ',' : '\n');
		}
	rowset_unref(rows);
	return true;
}

static bool
is_metric(const char *name)
{
	if (strcmp(name, "wal_lsn") == 0)
		return true;
	for (int i = 0; i < METRIC_COUNT; i++)
		if (strcmp(metric_infos[i].name, name) == 0)
			return true;
	return false;
}

static bool export(struct doing *d, struct error *err)
{
	struct history_target *targets;
	const char *target;
	int n;

	if (!wants_words(d, 1, 2, "export FIGURE|SIZE|wal_lsn|statements [TARGET]", err))
		return false;
	target = target_name(d, word(d, 2), err);
	if (!target || !history_targets(d->history, &d->arena, &targets, &n, err))
		return false;
	if (strcmp(word(d, 1), "statements") == 0)
		return export_statements(d, target, err);
	if (!is_metric(word(d, 1)))
		return export_sizes(
		    d, target, strcmp(word(d, 1), "bytes") == 0 ? "total" : word(d, 1), err);
	for (int i = 0; i < n; i++)
		if (strcmp(targets[i].name, target) == 0 && !targets[i].is_former)
			return export_metric(d, &targets[i], word(d, 1), err);
	return error_set(err, ERR_NOT_FOUND, "there is no history of \"%s\"", target);
}

/* ------------------------------------------------------------------ whole targets */

static bool
forget(struct doing *d, struct error *err)
{
	if (!wants_words(d, 1, 1, "forget TARGET --yes", err))
		return false;
	if (!d->opt->yes) {
		error_set(
		    err, ERR_NOT_CONFIRMED, "all that is kept of %s would be deleted", word(d, 1));
		return error_hint(err, "Add --yes to do so.");
	}
	if (!history_forget(d->history, word(d, 1), err))
		return false;
	strbuf_addf(&d->out, "forgotten: %s\n", word(d, 1));
	return true;
}

static bool
go_on(struct doing *d, struct error *err)
{
	if (!wants_words(d, 1, 1, "continue TARGET", err) ||
	    !history_continue(d->history, word(d, 1), err))
		return false;
	strbuf_addf(
	    &d->out, "what was kept of earlier servers is the past of %s now\n", word(d, 1));
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct doing *d, struct error *err);
} verbs[] = {
	{ "status", status },
	{ "import", import },
	{ "export", export },
	{ "forget", forget },
	{ "continue", go_on },
};

static bool
run(struct doing *d, struct error *err)
{
	const char *names[ARRAY_LEN(verbs) + 1] = { NULL };
	const char *verb = word(d, 0) ? word(d, 0) : "status", *near;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		names[i] = verbs[i].name;
		if (strcmp(verbs[i].name, verb) == 0)
			return verbs[i].run(d, err);
	}
	near = nearest_name(verb, names);
	error_set(err, ERR_USAGE, "history does not know \"%s\"", verb);
	return near ? error_hint(err, "The nearest is %s.", near) :
	              error_hint(err, "It knows status, import, export, forget and continue.");
}

/* Names in it come from servers and files. */
static void
print(const struct strbuf *out)
{
	struct strbuf clean = STRBUF_INIT(MAX_OUTPUT);

	if (isatty(STDOUT_FILENO))
		for (const char *p = out->buf, *end; *p; p = *end ? end + 1 : end) {
			end = p + strcspn(p, "\n");
			utf8_clean(&clean, p, (size_t)(end - p), true);
			strbuf_addc(&clean, '\n');
		}
	else
		strbuf_add(&clean, out->buf, out->len);
	fwrite(clean.buf, 1, clean.len, stdout);
	strbuf_release(&clean);
}

int
history_main(const struct options *opt, struct settings *settings)
{
	struct doing d = { .opt = opt, .settings = settings, .out = STRBUF_INIT(MAX_OUTPUT) };
	struct error err = { 0 };
	bool ok = false;

	d.history = history_open(&err);
	if (d.history) {
		if (*err.what)
			fprintf(stderr, "pgmedic: %s. %s\n", err.what, err.hint);
		err = (struct error){ 0 };
		history_limit(d.history, settings_bytes(settings, "history_size"));
		ok = run(&d, &err);
	}
	if (ok)
		print(&d.out);
	if (ok && fflush(stdout) != 0)
		ok = error_set(&err, ERR_FILE, "standard output cannot be written");
	if (!ok)
		error_report(&err);
	history_close(d.history);
	strbuf_release(&d.out);
	arena_release(&d.arena);
	return ok ? EXIT_DONE : options_exit_status(&err);
}
