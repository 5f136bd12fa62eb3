#include "config.h"

#include "panes/statement_help.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/fmt.h"
#include "panes/advice_detail.h"
#include "panes/lookup.h"

enum { MIN_CALLS = 1000, MAX_STALE = 5 };

struct finder {
	const struct help_facts *f;
	struct arena *arena;
	struct help_finding *out;
	int n;
};

static double
per_call(const struct help_facts *f, enum stmt_counter counter)
{
	return f->total.v[counter] / f->total.v[STMT_CALLS];
}

/* "0.50 ms"; from ten seconds on the figure has a unit of its own. */
static const char *
ms_words(char *buf, size_t size, double ms)
{
	size_t n = strlen(fmt_ms(buf, size, ms));

	if (!strpbrk(buf, "s:") && n + 4 <= size)
		memcpy(buf + n, " ms", 4);
	return buf;
}

static void
add(struct finder *x, const char *code, const char *what, const char *hint)
{
	x->out[x->n++] = (struct help_finding){ code, what, hint };
}

static bool
begins(const struct help_facts *f, const char *word)
{
	size_t at = 0, n = strlen(word);

	while (at < f->text_len && isspace((unsigned char)f->text[at]))
		at++;
	return f->text && f->text_len - at >= n && strncasecmp(f->text + at, word, n) == 0;
}

static bool
has(const struct help_facts *f, const char *part)
{
	return f->text && memmem(f->text, f->text_len, part, strlen(part)) != NULL;
}

/* ------------------------------------------------------------------ the rules */

/* One row by its key, again and again: a loop in the program that asks. */
static void
find_n_plus_1(struct finder *x)
{
	const struct help_facts *f = x->f;
	double rows = per_call(f, STMT_ROWS), ms = per_call(f, STMT_TOTAL_MS);
	bool is_frequent = f->calls_per_s >= 20 || (f->parent_calls > 0);
	char calls[32], rate[32], mean[32];
	const char *parent = "";

	if (f->total.v[STMT_CALLS] < MIN_CALLS || !begins(f, "select") || !has(f, "$") ||
	    !(rows <= 1.5) || !(ms < 2) || !is_frequent)
		return;
	if (f->parent_calls > 0)
		parent = arena_printf(x->arena,
		    "; statement %lld returns as many rows: about %.0f of these for each call of it",
		    (long long)f->parent_id, f->total.v[STMT_CALLS] / f->parent_calls);
	add(x, "n_plus_1",
	    arena_printf(x->arena, "a row at a time: %s calls%s%s%s of %.1f row%s and %s%s",
	        fmt_count(calls, sizeof(calls), f->total.v[STMT_CALLS]),
	        isnan(f->calls_per_s) ? "" : ", ",
	        isnan(f->calls_per_s) ? "" : fmt_rate(rate, sizeof(rate), f->calls_per_s),
	        isnan(f->calls_per_s) ? "" : " a second,", rows, rows == 1 ? "" : "s",
	        ms_words(mean, sizeof(mean), ms), parent),
	    "Ask for many at once: a join, or = ANY($1) with a list. In an ORM: load the relation with its parent.");
}

/* Memory that would have sufficed: what is on disk takes about 2.5 times as much in memory. */
static void
find_temp(struct finder *x)
{
	const struct help_facts *f = x->f;
	double bytes = per_call(f, STMT_TEMP_WRITTEN) * f->block_size, need = 1 << 20;
	char each[32], all[32], now[32], want[32];
	const char *hint;

	if (!(per_call(f, STMT_TEMP_WRITTEN) >= 8))
		return;
	while (need < 2.5 * bytes)
		need *= 2;
	if (need > 0x1p30)
		hint = arena_printf(x->arena,
		    "In memory it would take about %s of work_mem, which is too much to give: sort or join fewer rows, or let an index give the order.",
		    fmt_bytes(want, sizeof(want), need));
	else
		hint = arena_printf(x->arena,
		    "SET LOCAL work_mem = '%.0fMB' for this statement, or for its role; each sort and hash of each session may take that much.",
		    need / 0x1p20);
	add(x, "temp",
	    arena_printf(x->arena,
	        "spills: %s of temporary files written a call, %s in all; work_mem is %s",
	        fmt_bytes(each, sizeof(each), bytes),
	        fmt_bytes(all, sizeof(all), f->total.v[STMT_TEMP_WRITTEN] * f->block_size),
	        fmt_bytes(now, sizeof(now), f->work_mem)),
	    hint);
}

static void
find_plan(struct finder *x)
{
	const struct help_facts *f = x->f;
	double plan = f->total.v[STMT_PLAN_MS] / f->total.v[STMT_PLANS];
	double run = per_call(f, STMT_TOTAL_MS);
	char a[32], b[32];

	if (!(f->total.v[STMT_PLANS] >= 20) || !(plan > run) || !(plan >= 0.5))
		return;
	add(x, "plan",
	    arena_printf(x->arena, "planning takes %s, running it %s", ms_words(a, sizeof(a), plan),
	        ms_words(b, sizeof(b), run)),
	    "Prepare it once a session. Many partitions, indexes or joined tables make planning slow: name the partition key in the condition.");
}

static void
find_jit(struct finder *x)
{
	const struct help_facts *f = x->f;
	double share = 100 * f->total.v[STMT_JIT_MS] / f->total.v[STMT_TOTAL_MS];
	char a[32];

	if (!(share >= 10) || !(per_call(f, STMT_JIT_MS) >= 1))
		return;
	add(x, "jit",
	    arena_printf(x->arena, "just-in-time compilation takes %.0f %% of its time, %s a call",
	        share, ms_words(a, sizeof(a), per_call(f, STMT_JIT_MS))),
	    "SET jit = off for its role, or raise jit_above_cost; its cost is over-estimated when statistics are stale.");
}

static void
find_reads(struct finder *x)
{
	const struct help_facts *f = x->f;
	double hit = f->total.v[STMT_HIT], read = f->total.v[STMT_READ];
	double pct = 100 * hit / (hit + read), io = f->total.v[STMT_READ_MS];
	char each[32];
	const char *time = "";

	if (!(pct < 90) || !(per_call(f, STMT_READ) >= 100))
		return;
	if (io > 0)
		time = arena_printf(
		    x->arena, ", %.0f %% of its time", 100 * io / f->total.v[STMT_TOTAL_MS]);
	add(x, "reads",
	    arena_printf(x->arena,
	        "reads %s a call that are not in shared buffers (hit ratio %.0f %%)%s",
	        fmt_bytes(each, sizeof(each), per_call(f, STMT_READ) * f->block_size), pct, time),
	    "Read less first (an index, fewer columns); then see whether shared_buffers holds what is read often.");
}

static void
find_wide(struct finder *x)
{
	const struct help_facts *f = x->f;
	double blocks = per_call(f, STMT_HIT) + per_call(f, STMT_READ);
	double rows = fmax(1, per_call(f, STMT_ROWS));
	char b[32], r[32];

	if (!(blocks >= 200) || !(blocks / rows >= 50))
		return;
	add(x, "wide",
	    arena_printf(x->arena, "looks through %s blocks a call for %s row%s",
	        fmt_count(b, sizeof(b), blocks), fmt_count(r, sizeof(r), per_call(f, STMT_ROWS)),
	        per_call(f, STMT_ROWS) == 1 ? "" : "s"),
	    "Most of what it reads is thrown away, or summed up: e shows the plan, :advise looks for an index.");
}

static void
find_unsteady(struct finder *x)
{
	const struct help_facts *f = x->f;
	double ms = per_call(f, STMT_TOTAL_MS);
	char a[32], b[32], c[32];

	if (!(f->total.v[STMT_CALLS] >= 20) || !(f->max_ms >= 100 * ms) || !(f->max_ms >= 100) ||
	    !(f->stddev_ms >= 3 * ms))
		return;
	add(x, "unsteady",
	    arena_printf(x->arena, "unsteady: %s on average, %s at worst (standard deviation %s)",
	        ms_words(a, sizeof(a), ms), ms_words(b, sizeof(b), f->max_ms),
	        ms_words(c, sizeof(c), f->stddev_ms)),
	    "It waits at times, or some values are much more frequent than others: see its load below, waits and locks.");
}

/* The planner's rows against those that came. */
static void
find_rows(struct finder *x)
{
	const struct help_facts *f = x->f;
	double rows = fmax(1, per_call(f, STMT_ROWS)), plan = fmax(1, f->plan_rows);
	char a[32], b[32];

	if (isnan(f->plan_rows) || isnan(f->total.v[STMT_ROWS]) || !begins(f, "select") ||
	    has(f, "LIMIT") || has(f, "limit") || fmax(rows / plan, plan / rows) < 10)
		return;
	add(x, "rows",
	    arena_printf(x->arena, "misjudged: the planner expects %s rows of a call, %s come",
	        fmt_count(a, sizeof(a), f->plan_rows),
	        fmt_count(b, sizeof(b), per_call(f, STMT_ROWS))),
	    "ANALYZE its tables; where columns depend on each other CREATE STATISTICS on them; raise the statistics target of skewed ones.");
}

int
help_findings(const struct help_facts *f, struct arena *arena, struct help_finding *out)
{
	static void (*const rules[])(struct finder *) = { find_n_plus_1, find_temp, find_plan,
		find_jit, find_reads, find_wide, find_unsteady, find_rows };
	struct finder x = { f, arena, out, 0 };

	if (!(f->total.v[STMT_CALLS] > 0))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		rules[i](&x);
	return x.n;
}

/* ------------------------------------------------------------------ tables */

static bool
is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* Go back over quotes, blanks and "schema." to the end of the word before a name. */
static size_t
before_name(const char *text, size_t at)
{
	while (at && text[at - 1] == '"')
		at--;
	if (at && text[at - 1] == '.') {
		at--;
		while (at && (is_name(text[at - 1]) || text[at - 1] == '"'))
			at--;
	}
	while (at && (isspace((unsigned char)text[at - 1]) || text[at - 1] == '('))
		at--;
	return at;
}

static bool
stands_for_table(const char *text, size_t at)
{
	static const char *const words[] = { "from", "join", "update", "into", "only", "using" };
	size_t end = before_name(text, at), start = end;

	if (end && text[end - 1] == ',')
		return true;
	while (start && is_name(text[start - 1]))
		start--;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (end - start == strlen(words[i]) &&
		    strncasecmp(text + start, words[i], end - start) == 0)
			return true;
	return false;
}

bool
help_reads_table(const char *text, size_t len, const char *table, size_t table_len)
{
	const char *at = text, *end = text + len;

	while (table_len && (at = memmem(at, (size_t)(end - at), table, table_len))) {
		bool is_word = (at == text || !is_name(at[-1])) &&
		    (at + table_len == end || !is_name(at[table_len]));

		if (is_word && stands_for_table(text, (size_t)(at - text)))
			return true;
		at++;
	}
	return false;
}

/* Has so much changed since its statistics were made that plans may be wrong? */
static bool
is_stale(const struct rowset *rs, int row, struct wall now, char *why, size_t size)
{
	double rows = cell_num(rowset_get(rs, row, "reltuples"), -1);
	double live = cell_num(rowset_get(rs, row, "live"), 0);
	double mods = cell_num(rowset_get(rs, row, "mod_since_analyze"), 0);
	int64_t by_hand = cell_i64(rowset_get(rs, row, "last_analyze"), 0);
	int64_t automatic = cell_i64(rowset_get(rs, row, "last_autoanalyze"), 0);
	int64_t last = by_hand > automatic ? by_hand : automatic;
	char m[32], span[32];

	if (rows < 0 && live >= 1000) {
		snprintf(why, size, "was never analyzed");
		return true;
	}
	if (mods < 1000 || mods < 0.2 * fmax(rows, 1))
		return false;
	snprintf(why, size, "%s rows changed since it was analyzed%s%s%s",
	    fmt_count(m, sizeof(m), mods), last ? " " : "",
	    last ? fmt_span(span, sizeof(span), (double)(now.us - last) / 1e6) : "",
	    last ? " ago" : "");
	return true;
}

static int
stale_tables(const struct snapshot *snap, const struct cell *text, struct doc *doc)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_TABLES);
	int n = 0;
	char why[160];

	for (int i = 0; rs && text->type == CELL_TEXT && i < rs->nrows && n < MAX_STALE; i++) {
		const struct cell *schema = rowset_get(rs, i, "schema");
		const struct cell *name = rowset_get(rs, i, "table");

		if (name->type != CELL_TEXT || schema->type != CELL_TEXT ||
		    !help_reads_table(text->s, text->len, name->s, name->len) ||
		    !is_stale(rs, i, snap->good[PROBE_TABLES]->server_at, why, sizeof(why)))
			continue;
		n++;
		doc_add(doc, ROLE_WARN, "- stale statistics: %.*s.%.*s %s", (int)schema->len,
		    schema->s, (int)name->len, name->s, why);
		doc_add(doc, ROLE_HINT, "  :analyze %.*s.%.*s", (int)schema->len, schema->s,
		    (int)name->len, name->s);
	}
	return n;
}

/* ------------------------------------------------------------------ the document */

/* A statement whose rows are as many as this one's calls: the outer query of a loop. */
static void
find_parent(const struct statements *st, int row, struct help_facts *f)
{
	double calls = f->total.v[STMT_CALLS], best = 0.1;
	struct stmt t, d;

	for (int i = 0; i < st->cur->nrows && calls >= MIN_CALLS; i++) {
		double off;

		if (i == row)
			continue;
		statements_read(st, i, &t, &d);
		off = fabs(t.v[STMT_ROWS] - calls) / calls;
		if (!(off < best) || !(calls / t.v[STMT_CALLS] >= 5) ||
		    !(t.v[STMT_ROWS] / t.v[STMT_CALLS] >= 5) ||
		    !cell_equal(rowset_get(st->cur, i, "dbid"), rowset_get(st->cur, row, "dbid")))
			continue;
		best = off;
		f->parent_id = cell_i64(rowset_cell(st->cur, i, st->id_col), 0);
		f->parent_calls = t.v[STMT_CALLS];
		f->parent_rows = t.v[STMT_ROWS];
	}
}

static double
work_mem_of(const struct snapshot *snap)
{
	const struct cell *c = lookup_setting(snapshot_rows(snap, PROBE_SETTINGS), "work_mem");

	return c ? lookup_num(c, NAN) * 1024 : NAN; /* its unit is kB */
}

/* What the advice's plan of the statement expects. */
static double
plan_rows_of(const struct snapshot *snap, const struct cell *query_id)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_ADVICE_STATEMENTS);

	for (int i = 0; rs && !cell_is_null(query_id) && i < rs->nrows; i++)
		if (cell_equal(rowset_get(rs, i, "queryid"), query_id))
			return cell_num(rowset_get(rs, i, "plan_rows"), NAN);
	return NAN;
}

void
statement_help(const struct snapshot *snap, const struct statements *st, int row,
    const struct cell *query_id, const struct cell *text, struct doc *doc)
{
	struct help_facts f = {
		.block_size = snap->server.block_size > 0 ? snap->server.block_size : NAN,
		.work_mem = work_mem_of(snap),
		.calls_per_s = NAN,
		.max_ms = cell_num(rowset_get(st->cur, row, "max_ms"), 0),
		.stddev_ms = cell_num(rowset_get(st->cur, row, "stddev_ms"), 0),
		.text = text->type == CELL_TEXT ? text->s : NULL,
		.text_len = text->type == CELL_TEXT ? text->len : 0,
		.plan_rows = plan_rows_of(snap, query_id),
	};
	struct help_finding found[HELP_MAX];
	struct stmt delta;
	int n, before;

	statements_read(st, row, &f.total, &delta);
	if (st->prev && st->seconds > 0)
		f.calls_per_s = delta.v[STMT_CALLS] / st->seconds;
	find_parent(st, row, &f);
	doc_add(doc, ROLE_HEADER, "What stands out");
	before = doc->n;
	n = help_findings(&f, &doc->arena, found);
	for (int i = 0; i < n; i++) {
		doc_add(doc, ROLE_WARN, "- %s", found[i].what);
		doc_add(doc, ROLE_HINT, "  %s", found[i].hint);
	}
	(void)stale_tables(snap, text, doc);
	if (!cell_is_null(query_id))
		advice_for_statement(snap, query_id->i, doc);
	if (doc->n == before)
		doc_add(doc, ROLE_DIM, "nothing");
}
