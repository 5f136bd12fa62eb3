/* Reading, weighing and cutting the workload. */
#include "config.h"

#include "advice/workload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "pg/sqltext.h"

/* What the costliest statements must make up of all before the rest is left out. */
static const double ENOUGH = 0.998;
enum { MAX_SET = 64 };

static bool
begins_with(const char *text, const char *word)
{
	struct sql_token t = sql_next(&text);

	return sql_is_word(&t, word);
}

static bool
has_word(const char *text, const char *word)
{
	struct sql_token t;

	for (t = sql_next(&text); t.kind != SQL_END && t.kind != SQL_BROKEN; t = sql_next(&text)) {
		if (sql_is_word(&t, word))
			return true;
	}
	return false;
}

/* ---- what changes rows ---- */

static const char *
name_of(struct arena *arena, const struct sql_token *t)
{
	if (t->kind == SQL_QUOTED && t->len >= 2)
		return arena_strndup(arena, t->s + 1, t->len - 2);
	return arena_strndup(arena, t->s, t->len);
}

/* Skips to the comma or keyword behind an assignment; true at a comma. */
static bool
skip_value(const char **at)
{
	int depth = 0;

	for (;;) {
		struct sql_token t = sql_next(at);

		if (t.kind == SQL_END || t.kind == SQL_BROKEN)
			return false;
		if (t.kind == SQL_SYMBOL && (*t.s == '(' || *t.s == '['))
			depth++;
		else if (t.kind == SQL_SYMBOL && (*t.s == ')' || *t.s == ']'))
			depth--;
		else if (depth <= 0 && t.kind == SQL_SYMBOL && *t.s == ',')
			return true;
		else if (depth <= 0 &&
		    (sql_is_word(&t, "WHERE") || sql_is_word(&t, "FROM") ||
		        sql_is_word(&t, "RETURNING")))
			return false;
	}
}

/* The columns behind SET. */
static void
read_columns(struct arena *arena, const char *text, struct change *out)
{
	struct sql_token t;

	out->columns = arena_alloc(arena, sizeof(*out->columns) * MAX_SET);
	do {
		t = sql_next(&text);
		if (t.kind == SQL_WORD || t.kind == SQL_QUOTED) {
			out->columns[out->ncolumns++] = name_of(arena, &t);
			continue;
		}
		if (t.kind != SQL_SYMBOL || *t.s != '(')
			break;
		/* (a, b) = … */
		for (t = sql_next(&text);
		     out->ncolumns < MAX_SET && (t.kind == SQL_WORD || t.kind == SQL_QUOTED);
		     t = sql_next(&text)) {
			out->columns[out->ncolumns++] = name_of(arena, &t);
			t = sql_next(&text);
		}
	} while (out->ncolumns < MAX_SET && skip_value(&text));
}

/* The name that follows, its last part when it is qualified. */
static const char *
read_table(struct arena *arena, const char **text)
{
	struct sql_token t = sql_next(text), dot;
	const char *after;

	if (sql_is_word(&t, "ONLY"))
		t = sql_next(text);
	for (;;) {
		if (t.kind != SQL_WORD && t.kind != SQL_QUOTED)
			return NULL;
		after = *text;
		dot = sql_next(&after);
		if (dot.kind != SQL_SYMBOL || *dot.s != '.')
			return name_of(arena, &t);
		*text = after;
		t = sql_next(text);
	}
}

bool
change_read(struct arena *arena, const char *text, struct change *out)
{
	struct sql_token t = sql_next(&text);

	*out = (struct change){ 0 };
	if (sql_is_word(&t, "INSERT"))
		out->command = 'i';
	else if (sql_is_word(&t, "UPDATE"))
		out->command = 'u';
	else if (sql_is_word(&t, "DELETE"))
		out->command = 'd';
	else
		return false;
	if (out->command != 'u')
		sql_next(&text); /* INTO, FROM */
	out->table = read_table(arena, &text);
	if (!out->table)
		return false;
	while (out->command == 'u' && !sql_is_word(&t, "SET")) {
		t = sql_next(&text);
		if (t.kind == SQL_END || t.kind == SQL_BROKEN)
			return true;
	}
	if (out->command == 'u')
		read_columns(arena, text, out);
	return true;
}

static void
note_change(struct workload *wl, const struct statement *s)
{
	struct change *c = &wl->changes[wl->nchanges];

	if (s->is_rare || !change_read(&wl->arena, s->text, c))
		return;
	c->rows = s->rows;
	wl->nchanges++;
}

/* ---- reading ---- */

static double
num(const struct rowset *rs, int row, const char *name)
{
	return fmax(0, cell_num(rowset_get(rs, row, name), 0));
}

struct old {
	double calls, rows, total_ms, blocks;
};

/* What the entry had counted before; a smaller count now means that it was evicted in between. */
static struct old
counted_before(
    const struct rowset *before, const struct hmap *index, int64_t queryid, int64_t userid)
{
	struct old old = { 0 };
	uint64_t row;

	if (before && hmap_get(index, hash_u64((uint64_t)queryid, (uint64_t)userid), &row)) {
		old.calls = num(before, (int)row, "calls");
		old.rows = num(before, (int)row, "rows");
		old.total_ms = num(before, (int)row, "total_ms");
		old.blocks = num(before, (int)row, "hit") + num(before, (int)row, "read");
	}
	return old;
}

static void
index_before(struct hmap *index, const struct rowset *before)
{
	for (int i = 0; before && i < before->nrows; i++) {
		uint64_t id = (uint64_t)cell_i64(rowset_get(before, i, "queryid"), 0);
		uint64_t user = (uint64_t)cell_i64(rowset_get(before, i, "userid"), 0);

		hmap_put(index, hash_u64(id, user), (uint64_t)i);
	}
}

static void
add_counts(struct statement *s, const struct rowset *rows, int i, const struct old *old)
{
	double calls = num(rows, i, "calls");
	struct old zero = { 0 };

	if (old->calls > calls)
		old = &zero;
	s->calls += calls - old->calls;
	s->rows += fmax(0, num(rows, i, "rows") - old->rows);
	s->total_ms += fmax(0, num(rows, i, "total_ms") - old->total_ms);
	s->blocks += fmax(0, num(rows, i, "hit") + num(rows, i, "read") - old->blocks);
}

static void
read_rows(struct workload *wl, const struct rowset *rows, const struct rowset *before)
{
	struct hmap index = { 0 }, seen = { 0 };

	index_before(&index, before);
	wl->items = arena_zalloc(&wl->arena, (size_t)rows->nrows + 1, sizeof(*wl->items));
	wl->changes = arena_zalloc(&wl->arena, (size_t)rows->nrows + 1, sizeof(*wl->changes));
	for (int i = 0; i < rows->nrows; i++) {
		const struct cell *text = rowset_get(rows, i, "query");
		const struct cell *path = rowset_get(rows, i, "search_path");
		int64_t id = cell_i64(rowset_get(rows, i, "queryid"), 0);
		int64_t user = cell_i64(rowset_get(rows, i, "userid"), 0);
		struct old old = counted_before(before, &index, id, user);
		struct statement *s;
		uint64_t at;

		if (!hmap_get(&seen, (uint64_t)id, &at)) {
			at = (uint64_t)wl->n++;
			hmap_put(&seen, (uint64_t)id, at);
			s = &wl->items[at];
			s->queryid = id;
			s->userid = user;
			s->text = text->type == CELL_TEXT ?
			    arena_strndup(&wl->arena, text->s, text->len) :
			    "";
			if (path->type == CELL_TEXT)
				s->search_path = arena_strndup(&wl->arena, path->s, path->len);
		}
		add_counts(&wl->items[at], rows, i, &old);
	}
	hmap_release(&index);
	hmap_release(&seen);
}

static int
by_weight(const void *va, const void *vb)
{
	const struct statement *a = va, *b = vb;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return a->queryid < b->queryid ? -1 : a->queryid > b->queryid;
}

void
workload_read(struct workload *wl, const struct rowset *rows, const struct rowset *before)
{
	double sum = 0;
	int n;

	read_rows(wl, rows, before);
	for (int i = 0; i < wl->n; i++) {
		wl->total_ms += wl->items[i].total_ms;
		wl->total_blocks += wl->items[i].blocks;
	}
	for (int i = 0; i < wl->n; i++) {
		struct statement *s = &wl->items[i];

		s->time_share = wl->total_ms > 0 ? s->total_ms / wl->total_ms : 0;
		s->block_share = wl->total_blocks > 0 ? s->blocks / wl->total_blocks : 0;
		s->weight = (s->time_share + s->block_share) / 2;
		s->is_rare = s->calls < WORKLOAD_MIN_CALLS;
		s->is_insert = begins_with(s->text, "INSERT") && !has_word(s->text, "SELECT");
		note_change(wl, s);
	}
	wl->nseen = wl->n;
	if (wl->n)
		qsort(wl->items, (size_t)wl->n, sizeof(*wl->items), by_weight);
	for (n = 0; n < wl->n && n < WORKLOAD_MAX && sum < ENOUGH && wl->items[n].calls > 0; n++)
		sum += wl->items[n].weight;
	wl->n = n;
}

void
workload_release(struct workload *wl)
{
	arena_release(&wl->arena);
	*wl = (struct workload){ 0 };
}

double
statement_before(const struct statement *s)
{
	double sum = 0;

	for (int i = 0; i < s->nsets; i++)
		sum += s->sets[i].weight * s->base[i];
	return sum;
}
