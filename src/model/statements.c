/* pg_stat_statements: totals, the interval, and texts. */
#include "config.h"

#include "model/statements.h"

#include <math.h>
#include <string.h>

#include "model/join.h"

static const char *const columns[STMT_COUNTERS] = {
#define X(sym, name) name,
	STMT_LIST(X)
#undef X
};

/* In the query's answer zero travels as NULL, and -1 is what the server does not count. */
static double
counter(const struct cell *row, int col)
{
	const struct cell *c = row + col;
	double v;

	if (col < 0)
		return NAN;
	if (c->type == CELL_NULL)
		return 0;
	v = c->type == CELL_FLOAT ? c->f : (double)c->i;
	return v < 0 ? NAN : v;
}

/* Has the entry started anew since the sample before? */
static bool
is_reborn(const struct statements *st, int row, int before, const struct stmt *cur,
    const struct stmt *prev)
{
	int64_t since, since_before;

	if (st->was_reset || cur->v[STMT_CALLS] < prev->v[STMT_CALLS] ||
	    cur->v[STMT_ROWS] < prev->v[STMT_ROWS] || cur->v[STMT_HIT] < prev->v[STMT_HIT] ||
	    cur->v[STMT_READ] < prev->v[STMT_READ])
		return true;
	/* times are sums of floats */
	if (cur->v[STMT_TOTAL_MS] < prev->v[STMT_TOTAL_MS] * (1 - 1e-9))
		return true;
	since = cell_i64(rowset_cell(st->cur, row, st->since_cur), 0);
	since_before = cell_i64(rowset_cell(st->prev, before, st->since_prev), 0);
	return since != 0 && since_before != 0 && since > since_before;
}

enum stmt_fate
statements_read(const struct statements *st, int row, struct stmt *total, struct stmt *delta)
{
	const struct cell *cells = rowset_row(st->cur, row);
	struct stmt prev;
	int before;

	for (int k = 0; k < STMT_COUNTERS; k++)
		total->v[k] = counter(cells, st->cur_col[k]);
	*delta = *total;
	before = st->prev ? st->prev_row[row] : -1;
	/* what is not in a sample that was cut may be older than it */
	if (!st->prev || st->id_col < 0 || cell_is_null(cells + st->id_col) ||
	    (before < 0 && st->prev->nrows >= STATEMENTS_MAX)) {
		for (int k = 0; k < STMT_COUNTERS; k++)
			delta->v[k] = NAN;
		return STMT_UNKNOWN;
	}
	if (before < 0)
		return STMT_NEW;
	cells = rowset_row(st->prev, before);
	for (int k = 0; k < STMT_COUNTERS; k++)
		prev.v[k] = counter(cells, st->prev_col[k]);
	if (is_reborn(st, row, before, total, &prev))
		return STMT_REBORN;
	for (int k = 0; k < STMT_COUNTERS; k++) {
		delta->v[k] -= prev.v[k];
		if (delta->v[k] < 0)
			delta->v[k] = 0;
	}
	return STMT_SAME;
}

void
stmt_add(struct stmt *sum, const struct stmt *s)
{
	for (int k = 0; k < STMT_COUNTERS; k++)
		sum->v[k] += isnan(s->v[k]) ? 0 : s->v[k];
}

/* Was the extension reset after the sample before? */
static bool
was_reset(const struct snapshot *snap)
{
	const struct rowset *info = snapshot_rows(snap, PROBE_STATEMENTS_INFO);
	const struct sample *prev = snap->prev[PROBE_STATEMENTS];
	const struct cell *at;

	if (!info || info->nrows == 0 || !prev)
		return false;
	at = rowset_get(info, 0, "stats_reset");
	return !cell_is_null(at) && at->i > prev->server_at.us;
}

bool
statements_init(struct statements *st, struct arena *arena, const struct snapshot *snap)
{
	static const char *const keys[] = { "queryid", "userid", "dbid", "toplevel" };
	const struct rowset *cur, *prev;

	memset(st, 0, sizeof(*st));
	st->cur = snapshot_rows(snap, PROBE_STATEMENTS);
	if (!st->cur)
		return false;
	rowset_cols(st->cur, columns, STMT_COUNTERS, st->cur_col);
	st->since_cur = rowset_col(st->cur, "since");
	st->id_col = rowset_col(st->cur, "queryid");
	if (snapshot_pair(snap, PROBE_STATEMENTS, &cur, &prev, &st->seconds) && cur == st->cur) {
		st->prev = prev;
		rowset_cols(prev, columns, STMT_COUNTERS, st->prev_col);
		st->since_prev = rowset_col(prev, "since");
		st->was_reset = was_reset(snap);
		st->prev_row = join_rows(arena, cur, prev, keys, 4);
	} else {
		st->seconds = 0;
	}
	return true;
}

/* ---- texts */

void
stmt_texts_release(struct stmt_texts *texts)
{
	hmap_release(&texts->map);
	texts->n = 0;
}

static void
take(struct stmt_texts *texts, const struct sample *sample)
{
	const struct rowset *rs = sample->rows;
	int id = rowset_col(rs, "queryid"), at = texts->n++;

	texts->seen[at].sample = sample;
	texts->seen[at].at = sample->at.us;
	texts->seen[at].rows = rs->nrows;
	texts->seen[at].text_col = rowset_col(rs, "query");
	texts->seen[at].len_col = rowset_col(rs, "len");
	for (int i = 0; i < rs->nrows; i++) {
		const struct cell *c = rowset_cell(rs, i, id);
		if (!cell_is_null(c))
			hmap_put(&texts->map, (uint64_t)c->i, (uint64_t)at << 32 | (uint64_t)i);
	}
}

void
stmt_texts_update(struct stmt_texts *texts, const struct snapshot *snap)
{
	int n = snap->ntexts < STMT_TEXT_SAMPLES ? snap->ntexts : STMT_TEXT_SAMPLES, same = 0;

	while (same < n && same < texts->n && texts->seen[same].sample == snap->texts[same] &&
	    texts->seen[same].at == snap->texts[same]->at.us &&
	    texts->seen[same].rows == snap->texts[same]->rows->nrows)
		same++;
	if (same < texts->n) {
		hmap_clear(&texts->map);
		texts->n = 0;
	}
	for (int i = texts->n; i < n; i++)
		take(texts, snap->texts[i]);
}

struct cell
stmt_text(
    const struct stmt_texts *texts, const struct snapshot *snap, int64_t query_id, int64_t *len)
{
	const struct rowset *rs;
	uint64_t where;
	int at, row;

	*len = 0;
	if (!hmap_get(&texts->map, (uint64_t)query_id, &where))
		return cell_null(WHY_NODATA);
	at = (int)(where >> 32);
	row = (int)(where & UINT32_MAX);
	rs = snap->texts[at]->rows;
	*len = cell_i64(rowset_cell(rs, row, texts->seen[at].len_col), 0);
	return *rowset_cell(rs, row, texts->seen[at].text_col);
}
