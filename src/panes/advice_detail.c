#include "config.h"

#include "panes/advice_detail.h"

#include <math.h>
#include <string.h>

#include "base/fmt.h"
#include "base/grid.h"
#include "base/json.h"
#include "model/statements.h"

enum { MAX_TEXT = 1 << 16, SHOWN_STATEMENTS = 40, SHOWN_REJECTED = 12, TEXT_WIDTH = 200 };

static const char *
shown(struct doc *doc, enum column_kind kind, const struct cell *c)
{
	struct strbuf out = STRBUF_INIT(MAX_TEXT);
	const char *text;

	grid_cell_text(&out, kind, c);
	text = arena_strndup(&doc->arena, out.buf, out.len);
	strbuf_release(&out);
	return text;
}

static void
pair(struct doc *doc, const struct rowset *rs, int row, const char *column, const char *label,
    enum column_kind kind, enum role role)
{
	const struct cell *c = rowset_get(rs, row, column);

	if (!cell_is_null(c))
		doc_pair(
		    doc, label, role, "%s%s", shown(doc, kind, c), kind == COL_PCT ? " %" : "");
}

/* The beginning of a statement, on one line: as the adviser saw it, else as it is known now. */
static void
text_line(struct doc *doc, const struct snapshot *snap, const struct stmt_texts *texts,
    const struct rowset *rs, int row)
{
	struct cell text = *rowset_get(rs, row, "query");
	int64_t len;

	if (text.type != CELL_TEXT)
		text = stmt_text(texts, snap, cell_i64(rowset_get(rs, row, "queryid"), 0), &len);
	if (text.type != CELL_TEXT)
		return;
	if (text.len > TEXT_WIDTH)
		text.len = TEXT_WIDTH;
	doc_add(doc, ROLE_DIM, "    %s", shown(doc, COL_QUERY, &text));
}

/* "cost 1234 to 12.5 (1.0 %; 0.8 to 14 % over its values)" */
static const char *
cost_words(struct doc *doc, const struct rowset *rs, int row)
{
	double before = cell_num(rowset_get(rs, row, "before_cost"), NAN);
	double after = cell_num(rowset_get(rs, row, "after_cost"), NAN);
	double low = cell_num(rowset_get(rs, row, "low"), NAN);
	double high = cell_num(rowset_get(rs, row, "high"), NAN);
	struct strbuf sb = STRBUF_INIT(512);
	char a[32], b[32];
	const char *text;

	if (!isnan(before) && !isnan(after)) {
		strbuf_addf(&sb, "cost %s to %s", fmt_float(a, sizeof(a), before),
		    fmt_float(b, sizeof(b), after));
		if (before > 0)
			strbuf_addf(
			    &sb, ", %s %% of it", fmt_pct(a, sizeof(a), 100 * after / before));
	} else if (!isnan(before)) {
		strbuf_addf(&sb, "cost %s", fmt_float(a, sizeof(a), before));
	}
	if (!isnan(low) && !isnan(high))
		strbuf_addf(&sb, "%s%s to %s %% over its values", sb.len ? "; " : "",
		    fmt_pct(a, sizeof(a), 100 * low), fmt_pct(b, sizeof(b), 100 * high));
	text = arena_strdup(&doc->arena, sb.buf);
	strbuf_release(&sb);
	return text;
}

static void
statement_line(struct doc *doc, const struct snapshot *snap, const struct stmt_texts *texts,
    const struct rowset *rs, int row)
{
	int64_t id = cell_i64(rowset_get(rs, row, "queryid"), 0);
	const struct cell *weight = rowset_get(rs, row, "weight_pct");
	const struct cell *why = rowset_get(rs, row, "why");
	const char *cost = cost_words(doc, rs, row);

	doc_add(doc, ROLE_NORMAL, "  %lld: %s%s%s%s%s", (long long)id,
	    cell_is_null(weight) ? "" : shown(doc, COL_PCT, weight),
	    cell_is_null(weight) ? "" : " % of the work; ", cost,
	    why->type == CELL_TEXT && *cost ? "; " : "",
	    why->type == CELL_TEXT ? shown(doc, COL_TEXT, why) : "");
	text_line(doc, snap, texts, rs, row);
}

static void
helped(struct doc *doc, const struct snapshot *snap, const struct stmt_texts *texts,
    const struct cell *key)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_ADVICE_STATEMENTS);
	int n = 0;

	for (int i = 0; rs && i < rs->nrows; i++) {
		if (!cell_equal(rowset_get(rs, i, "advice_key"), key) || cell_is_null(key))
			continue;
		if (!n++) {
			doc_add(doc, ROLE_NORMAL, "%s", "");
			doc_add(doc, ROLE_HEADER, "Statements it helps, planned before and after");
		}
		if (n <= SHOWN_STATEMENTS)
			statement_line(doc, snap, texts, rs, i);
	}
	if (n > SHOWN_STATEMENTS)
		doc_add(doc, ROLE_DIM, "  ... and %d more", n - SHOWN_STATEMENTS);
}

/* Does a candidate ("schema.table (a, b)") stand on this table? */
static bool
is_on_table(const struct cell *candidate, const struct cell *table)
{
	const char *at;

	if (candidate->type != CELL_TEXT || table->type != CELL_TEXT || !table->len)
		return false;
	at = memmem(candidate->s, candidate->len, table->s, table->len);
	if (!at)
		return false;
	at += table->len;
	return at == candidate->s + candidate->len || strchr(" (\"", *at) != NULL;
}

static void
rejected(struct doc *doc, const struct snapshot *snap, const struct cell *table)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_ADVICE_STATEMENTS);
	int n = 0;

	for (int i = 0; rs && i < rs->nrows; i++) {
		const struct cell *candidate = rowset_get(rs, i, "candidate");

		if (!cell_is(rowset_get(rs, i, "verdict"), "rejected") ||
		    !is_on_table(candidate, table))
			continue;
		if (!n++) {
			doc_add(doc, ROLE_NORMAL, "%s", "");
			doc_add(doc, ROLE_HEADER, "Tried for this table and rejected");
		}
		if (n <= SHOWN_REJECTED)
			doc_add(doc, ROLE_NORMAL, "  %s: %s (statement %lld)",
			    shown(doc, COL_TEXT, candidate),
			    shown(doc, COL_TEXT, rowset_get(rs, i, "why")),
			    (long long)cell_i64(rowset_get(rs, i, "queryid"), 0));
	}
	if (n > SHOWN_REJECTED)
		doc_add(doc, ROLE_DIM, "  ... and %d more", n - SHOWN_REJECTED);
}

/* Each text of a JSON list on a line of its own. */
static void
list(struct doc *doc, const struct cell *c, const char *label, enum role role)
{
	struct json_list l;
	struct strbuf item = STRBUF_INIT(MAX_TEXT);

	if (c->type != CELL_TEXT)
		return;
	l = (struct json_list){ c->s, c->s + c->len, 0 };
	while (json_list_next(&l, &item))
		doc_pair(doc, l.n == 1 ? label : "", role, "%s", item.buf);
	strbuf_release(&item);
}

const char *
advice_effect_line(const struct rowset *rs, int row, struct arena *arena)
{
	static const struct {
		const char *before, *after, *label;
	} figures[] = { { "blocks_before", "blocks_after", "buffers" },
		{ "ms_before", "ms_after", "ms" } };
	double calls = cell_num(rowset_get(rs, row, "calls_after"), 0);
	struct strbuf sb = STRBUF_INIT(1024);
	char a[32], b[32];
	const char *line;

	if (!(calls > 0))
		return NULL;
	strbuf_addf(&sb, "statement %lld", (long long)cell_i64(rowset_get(rs, row, "queryid"), 0));
	for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
		double before = cell_num(rowset_get(rs, row, figures[i].before), NAN);
		double after = cell_num(rowset_get(rs, row, figures[i].after), NAN);

		if (isnan(before) || isnan(after))
			continue;
		strbuf_addf(&sb, "%s %s a call %s to %s", i ? "," : ":", figures[i].label,
		    fmt_float(a, sizeof(a), before), fmt_float(b, sizeof(b), after));
		if (before > 0)
			strbuf_addf(&sb, " (%+.0f %%)", 100 * (after - before) / before);
	}
	strbuf_addf(&sb, " over %s call%s", fmt_count(a, sizeof(a), calls), calls == 1 ? "" : "s");
	line = arena_strdup(arena, sb.buf);
	strbuf_release(&sb);
	return line;
}

/* What came of earlier acts on this table. */
static void
measured(struct doc *doc, const struct snapshot *snap, const struct cell *table)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_ADVICE_EFFECT);
	int n = 0;

	for (int i = 0; rs && i < rs->nrows; i++) {
		const char *line;

		if (!cell_equal(rowset_get(rs, i, "table"), table))
			continue;
		if (!n++) {
			doc_add(doc, ROLE_NORMAL, "%s", "");
			doc_add(doc, ROLE_HEADER, "Measured after what was done to this table");
		}
		line = advice_effect_line(rs, i, &doc->arena);
		doc_add(doc, ROLE_NORMAL, "  %s at %s: %s",
		    shown(doc, COL_TEXT, rowset_get(rs, i, "index")),
		    shown(doc, COL_TIME, rowset_get(rs, i, "at")), line ? line : "no call since");
	}
}

void
advice_detail(const struct snapshot *snap, const struct rowset *advice, int row, struct doc *doc)
{
	const struct cell *ddl = rowset_get(advice, row, "ddl");
	const struct cell *table = rowset_get(advice, row, "table");
	struct stmt_texts texts = { 0 };

	if (ddl->type == CELL_TEXT)
		doc_text(doc, ROLE_STRONG, ddl->s, ddl->len);
	pair(doc, advice, row, "reason", "reason", COL_TEXT, ROLE_NORMAL);
	doc_add(doc, ROLE_NORMAL, "%s", "");
	pair(doc, advice, row, "kind", "kind", COL_TEXT, ROLE_NORMAL);
	pair(doc, advice, row, "index", "existing index", COL_TEXT, ROLE_NORMAL);
	pair(doc, advice, row, "columns", "columns", COL_TEXTS, ROLE_NORMAL);
	pair(doc, advice, row, "method", "method", COL_TEXT, ROLE_NORMAL);
	pair(doc, advice, row, "saving_pct", "expected saving", COL_PCT, ROLE_NORMAL);
	pair(doc, advice, row, "size_bytes", "size", COL_BYTES, ROLE_NORMAL);
	if (!cell_is_null(rowset_get(advice, row, "build_s"))) {
		char span[32];

		doc_pair(doc, "build time", ROLE_NORMAL, "about %s",
		    fmt_span(span, sizeof(span), cell_num(rowset_get(advice, row, "build_s"), 0)));
	}
	pair(doc, advice, row, "lock", "lock", COL_TEXT, ROLE_NORMAL);
	pair(doc, advice, row, "confidence", "confidence", COL_TEXT, ROLE_NORMAL);
	list(doc, rowset_get(advice, row, "caveats"), "caveats", ROLE_WARN);
	stmt_texts_update(&texts, snap);
	helped(doc, snap, &texts, rowset_get(advice, row, "key"));
	stmt_texts_release(&texts);
	rejected(doc, snap, table);
	measured(doc, snap, table);
	doc_add(doc, ROLE_NORMAL, "%s", "");
	doc_add(doc, ROLE_HINT, "A: do it (shows the plan first, asks); y: copy the command");
}

void
advice_for_statement(const struct snapshot *snap, int64_t query_id, struct doc *doc)
{
	const struct rowset *advice = snapshot_rows(snap, PROBE_ADVICE);
	const struct rowset *rs = snapshot_rows(snap, PROBE_ADVICE_STATEMENTS);

	for (int i = 0; advice && rs && i < rs->nrows; i++) {
		const struct cell *key = rowset_get(rs, i, "advice_key");

		if (cell_i64(rowset_get(rs, i, "queryid"), 0) != query_id || cell_is_null(key))
			continue;
		for (int k = 0; k < advice->nrows; k++) {
			if (!cell_equal(rowset_get(advice, k, "key"), key))
				continue;
			doc_add(
			    doc, ROLE_WARN, "- an index would help: %s", cost_words(doc, rs, i));
			doc_add(doc, ROLE_STRONG, "  %s",
			    shown(doc, COL_TEXT, rowset_get(advice, k, "ddl")));
		}
	}
}
