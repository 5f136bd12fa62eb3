/* The whole story of one statement. */
#include "config.h"

#include "panes/statements_detail.h"

#include <math.h>
#include <stdio.h>

#include "base/fmt.h"
#include "base/grid.h"
#include "model/statements.h"
#include "panes/statement_help.h"

enum { HISTORY_SECONDS = 900, HISTORY_SLOTS = 15 };

struct line {
	const char *label;
	enum stmt_counter counter;
	enum column_kind kind;
	bool is_blocks; /* shown as bytes */
};

static const struct line lines[] = {
	{ "calls", STMT_CALLS, COL_COUNT, false },
	{ "execution time", STMT_TOTAL_MS, COL_MS, false },
	{ "rows", STMT_ROWS, COL_COUNT, false },
	{ "plans", STMT_PLANS, COL_COUNT, false },
	{ "planning time", STMT_PLAN_MS, COL_MS, false },
	{ "shared hit", STMT_HIT, COL_BYTES, true },
	{ "shared read", STMT_READ, COL_BYTES, true },
	{ "shared dirtied", STMT_DIRTIED, COL_BYTES, true },
	{ "shared written", STMT_WRITTEN, COL_BYTES, true },
	{ "local read", STMT_LOCAL_READ, COL_BYTES, true },
	{ "local written", STMT_LOCAL_WRITTEN, COL_BYTES, true },
	{ "temporary read", STMT_TEMP_READ, COL_BYTES, true },
	{ "temporary written", STMT_TEMP_WRITTEN, COL_BYTES, true },
	{ "read time", STMT_READ_MS, COL_MS, false },
	{ "write time", STMT_WRITE_MS, COL_MS, false },
	{ "temporary I/O time", STMT_TEMP_MS, COL_MS, false },
	{ "WAL records", STMT_WAL_RECORDS, COL_COUNT, false },
	{ "WAL full page images", STMT_WAL_FPI, COL_COUNT, false },
	{ "WAL bytes", STMT_WAL_BYTES, COL_BYTES, false },
	{ "JIT functions", STMT_JIT_FUNCTIONS, COL_COUNT, false },
	{ "JIT time", STMT_JIT_MS, COL_MS, false },
};

static const char *
shown(struct doc *doc, enum column_kind kind, double v)
{
	struct strbuf out = STRBUF_INIT(64);
	struct cell c = isnan(v) ? cell_null(WHY_NONE) : cell_float(v);
	const char *text;

	grid_cell_text(&out, kind, &c);
	text = arena_strndup(&doc->arena, out.buf, out.len);
	strbuf_release(&out);
	return text;
}

static void
cell_line(struct doc *doc, const char *label, const struct cell *c)
{
	struct strbuf out = STRBUF_INIT(256);

	grid_cell_text(&out,
	    c->type == CELL_TIME    ? COL_TIME :
	        c->type == CELL_INT ? COL_INT :
	                              COL_TEXT,
	    c);
	doc_pair(doc, label, ROLE_NORMAL, "%s", out.buf);
	strbuf_release(&out);
}

static void
pair(struct doc *doc, const char *label, enum column_kind kind, double total, double delta)
{
	doc_pair(
	    doc, label, ROLE_NORMAL, "%14s %14s", shown(doc, kind, total), shown(doc, kind, delta));
}

/* Execution time of all statements, since the reset and in the interval. */
static void
sums(const struct statements *st, double *total_ms, double *delta_ms)
{
	struct stmt t = { 0 }, d = { 0 }, total, delta;

	for (int i = 0; i < st->cur->nrows; i++) {
		statements_read(st, i, &total, &delta);
		stmt_add(&t, &total);
		stmt_add(&d, &delta);
	}
	*total_ms = t.v[STMT_TOTAL_MS];
	*delta_ms = d.v[STMT_TOTAL_MS];
}

static void
counters(struct doc *doc, const struct statements *st, int row, double block_size)
{
	struct stmt t, d;
	char head[48] = "no interval yet", buf[32];
	double total_ms, delta_ms;

	statements_read(st, row, &t, &d);
	sums(st, &total_ms, &delta_ms);
	if (st->prev)
		snprintf(
		    head, sizeof(head), "last %s s", fmt_seconds(buf, sizeof(buf), st->seconds));
	doc_pair(doc, "", ROLE_HEADER, "%14s %14s", "since reset", head);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		double f = lines[i].is_blocks ? block_size : 1;
		if (!isnan(t.v[lines[i].counter]))
			pair(doc, lines[i].label, lines[i].kind, t.v[lines[i].counter] * f,
			    d.v[lines[i].counter] * f);
	}
	pair(
	    doc, "calls per second", COL_RATE, NAN, st->prev ? d.v[STMT_CALLS] / st->seconds : NAN);
	pair(doc, "mean time", COL_MS, t.v[STMT_TOTAL_MS] / t.v[STMT_CALLS],
	    d.v[STMT_TOTAL_MS] / d.v[STMT_CALLS]);
	pair(doc, "rows per call", COL_FLOAT, t.v[STMT_ROWS] / t.v[STMT_CALLS],
	    d.v[STMT_ROWS] / d.v[STMT_CALLS]);
	pair(doc, "share of time", COL_PCT, 100 * t.v[STMT_TOTAL_MS] / total_ms,
	    100 * d.v[STMT_TOTAL_MS] / delta_ms);
	pair(doc, "shared hit ratio", COL_PCT,
	    100 * t.v[STMT_HIT] / (t.v[STMT_HIT] + t.v[STMT_READ]),
	    100 * d.v[STMT_HIT] / (d.v[STMT_HIT] + d.v[STMT_READ]));
}

static void
extremes(struct doc *doc, const struct rowset *rs, int row)
{
	static const char *const cols[][2] = { { "shortest", "min_ms" }, { "longest", "max_ms" },
		{ "standard deviation", "stddev_ms" } };

	for (size_t i = 0; i < ARRAY_LEN(cols); i++)
		doc_pair(doc, cols[i][0], ROLE_NORMAL, "%14s",
		    shown(doc, COL_MS, cell_num(rowset_get(rs, row, cols[i][1]), 0)));
}

/* Its sampled load: average active sessions minute by minute, and by wait class. */
static void
history(struct doc *doc, const struct series *series, int64_t query_id)
{
	double slot[HISTORY_SLOTS] = { 0 }, seconds[HISTORY_SLOTS] = { 0 },
	       wait[WAIT_CLASS_COUNT] = { 0 }, sum = 0;
	struct strbuf out = STRBUF_INIT(400);
	int first = series_since(series, HISTORY_SECONDS);
	int64_t end = series->n > 0 ? series_tick(series, series->n - 1)->at.us : 0;

	for (int i = first; i < series->n; i++) {
		const struct tick *t = series_tick(series, i);
		int64_t at = (end - t->at.us) / 60000000;
		if (at < 0 || at >= HISTORY_SLOTS)
			continue;
		seconds[at] += (double)t->seconds;
		for (int k = 0; k < t->nloads; k++) {
			if (t->loads[k].query_id != query_id ||
			    t->loads[k].wait_class >= WAIT_CLASS_COUNT)
				continue;
			slot[at] += t->loads[k].count * (double)t->seconds;
			wait[t->loads[k].wait_class] += t->loads[k].count * (double)t->seconds;
			sum += t->loads[k].count * (double)t->seconds;
		}
	}
	for (int i = HISTORY_SLOTS - 1; i >= 0; i--)
		strbuf_addf(&out, seconds[i] > 0 ? " %.2f" : " -",
		    seconds[i] > 0 ? slot[i] / seconds[i] : 0);
	doc_add(doc, ROLE_HEADER,
	    "Load (average active sessions, sampled): the last 15 minutes, oldest first");
	doc_add(doc, ROLE_NORMAL, "%s", out.buf + 1);
	strbuf_clear(&out);
	for (int i = 0; i < WAIT_CLASS_COUNT && sum > 0; i++)
		if (wait[i] > 0)
			strbuf_addf(
			    &out, " %s %.0f%%", wait_class_infos[i].name, 100 * wait[i] / sum);
	doc_add(doc, ROLE_NORMAL, "%s",
	    out.len > 0 ? out.buf + 1 : "it was not seen active in a sample");
	strbuf_release(&out);
}

static void
text_part(struct doc *doc, const struct snapshot *snap, const struct cell *query_id,
    const struct cell *text, bool is_whole)
{
	struct stmt_texts texts = { 0 };
	int64_t len;

	if (text->type != CELL_TEXT) {
		doc_add(doc, ROLE_DIM, "%s",
		    text->why == WHY_DENIED ?
		        "The text is hidden: GRANT pg_read_all_stats TO this role." :
		        "The text was not fetched yet.");
		return;
	}
	doc_text(doc, ROLE_NORMAL, text->s, text->len);
	stmt_texts_update(&texts, snap);
	stmt_text(&texts, snap, query_id->i, &len);
	if (len > STMT_TEXT_CHARS && !is_whole)
		doc_add(doc, ROLE_DIM, "... the first %d of %lld characters", STMT_TEXT_CHARS,
		    (long long)len);
	stmt_texts_release(&texts);
	doc_add(doc, ROLE_HINT, "e: its plan (EXPLAIN, nothing is executed)");
}

/* The row of the last sample that is still this statement, -1 when there is none. */
static int
find(const struct statements *st, int row, const struct cell *query_id)
{
	if (cell_equal(rowset_cell(st->cur, row, st->id_col), query_id))
		return row;
	for (int i = 0; i < st->cur->nrows && !cell_is_null(query_id); i++)
		if (cell_equal(rowset_cell(st->cur, i, st->id_col), query_id))
			return i;
	return cell_is_null(query_id) && row < st->cur->nrows ? row : -1;
}

void
statements_detail(const struct snapshot *snap, const struct rowset *look, int row,
    const struct cell *user, const struct cell *database, const struct cell *query_id,
    const struct cell *text, struct doc *doc)
{
	double block_size = snap->server.block_size > 0 ? snap->server.block_size : NAN;
	const struct cell *whole = NULL;
	struct arena arena = { 0 };
	struct statements st;

	cell_line(doc, "query id", query_id);
	cell_line(doc, "user", user);
	cell_line(doc, "database", database);
	if (!statements_init(&st, &arena, snap) || (row = find(&st, row, query_id)) < 0) {
		doc_add(doc, ROLE_DIM, "It is not in the last sample.");
		arena_release(&arena);
		return;
	}
	if (cell_num(rowset_get(st.cur, row, "since"), 0) > 0)
		cell_line(doc, "counted since", rowset_get(st.cur, row, "since"));
	if (cell_i64(rowset_get(st.cur, row, "toplevel"), 1) == 0)
		doc_pair(doc, "level", ROLE_NORMAL, "inside a function");
	doc_add(doc, ROLE_NORMAL, "%s", "");
	statement_help(snap, &st, row, query_id, text, doc);
	doc_add(doc, ROLE_NORMAL, "%s", "");
	counters(doc, &st, row, block_size);
	extremes(doc, st.cur, row);
	doc_add(doc, ROLE_NORMAL, "%s", "");
	if (!cell_is_null(query_id))
		history(doc, &snap->series, query_id->i);
	doc_add(doc, ROLE_NORMAL, "%s", "");
	if (look && look->nrows > 0 && !cell_is_null(query_id) &&
	    cell_equal(rowset_get(look, 0, "queryid"), query_id))
		whole = rowset_get(look, 0, "query");
	text_part(
	    doc, snap, query_id, whole && whole->type == CELL_TEXT ? whole : text, whole != NULL);
	arena_release(&arena);
}
