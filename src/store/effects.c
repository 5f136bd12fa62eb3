#include "config.h"

#include "store/effects.h"

#include <math.h>
#include <string.h>

#include "store/journal_priv.h"

static void
bind(sqlite3_stmt *st, int at, const char *s)
{
	sqlite3_bind_text(st, at, s ? s : "", -1, SQLITE_TRANSIENT);
}

static bool
step(struct journal *j, sqlite3_stmt *st, struct error *err)
{
	bool ok = sqlite3_step(st) == SQLITE_DONE || journal_fail(j, err, "written");

	sqlite3_finalize(st);
	return ok;
}

bool
effects_add(struct journal *j, const struct effect *e, struct error *err)
{
	static const char sql[] =
	    "INSERT OR REPLACE INTO effects (act, at, target, database, tbl, name, queryid, calls_before, ms_before,"
	    " blocks_before, base_calls, base_ms, base_blocks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
	const double figures[] = { e->calls_before, e->ms_before, e->blocks_before, e->base_calls,
		e->base_ms, e->base_blocks };
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(j->db, sql, -1, &st, NULL) != SQLITE_OK)
		return journal_fail(j, err, "written");
	sqlite3_bind_int64(st, 1, e->act);
	sqlite3_bind_int64(st, 2, e->at.us);
	bind(st, 3, e->target);
	bind(st, 4, e->database);
	bind(st, 5, e->table);
	bind(st, 6, e->name);
	sqlite3_bind_int64(st, 7, e->queryid);
	for (int i = 0; i < 6; i++)
		sqlite3_bind_double(st, 8 + i, figures[i]);
	return step(j, st, err);
}

static const char *
column(sqlite3_stmt *st, int col, struct arena *arena)
{
	const unsigned char *s = sqlite3_column_text(st, col);

	return arena_strdup(arena, s ? (const char *)s : "");
}

static double
number(sqlite3_stmt *st, int col)
{
	return sqlite3_column_type(st, col) == SQLITE_NULL ? NAN : sqlite3_column_double(st, col);
}

bool
effects_list(struct journal *j, const char *target, const char *database, struct wall since,
    int limit, struct arena *arena, struct effect **out, int *n, struct error *err)
{
	static const char sql[] =
	    "SELECT act, at, tbl, name, queryid, calls_before, ms_before, blocks_before, base_calls, base_ms, base_blocks,"
	    " calls_after, ms_after, blocks_after FROM effects WHERE target = ? AND database = ? AND at >= ?"
	    " ORDER BY act DESC, calls_before * ms_before DESC LIMIT ?";
	struct effect *list = arena_zalloc(arena, (size_t)limit, sizeof(*list));
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE;

	*n = 0;
	*out = list;
	if (sqlite3_prepare_v2(j->db, sql, -1, &st, NULL) != SQLITE_OK)
		return journal_fail(j, err, "read");
	bind(st, 1, target);
	bind(st, 2, database);
	sqlite3_bind_int64(st, 3, since.us);
	sqlite3_bind_int(st, 4, limit);
	while (*n < limit && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct effect *e = &list[(*n)++];

		*e = (struct effect){
			.act = sqlite3_column_int64(st, 0),
			.at = { sqlite3_column_int64(st, 1) },
			.target = target,
			.database = database,
			.table = column(st, 2, arena),
			.name = column(st, 3, arena),
			.queryid = sqlite3_column_int64(st, 4),
			.calls_before = number(st, 5),
			.ms_before = number(st, 6),
			.blocks_before = number(st, 7),
			.base_calls = number(st, 8),
			.base_ms = number(st, 9),
			.base_blocks = number(st, 10),
			.calls_after = number(st, 11),
			.ms_after = number(st, 12),
			.blocks_after = number(st, 13),
		};
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || journal_fail(j, err, "read");
}

bool
effects_now(
    struct journal *j, struct effect *e, double calls, double ms, double blocks, struct error *err)
{
	static const char sql[] =
	    "UPDATE effects SET base_calls = ?, base_ms = ?, base_blocks = ?, calls_after = ?, ms_after = ?,"
	    " blocks_after = ? WHERE act = ? AND queryid = ?";
	sqlite3_stmt *st = NULL;
	double gained;

	if (calls < e->base_calls)
		e->base_calls = e->base_ms = e->base_blocks = 0;
	gained = calls - e->base_calls;
	/* No call since: what was measured before a reset stays. */
	if (!(gained > 0))
		return true;
	e->calls_after = gained;
	e->ms_after = fmax(0, ms - e->base_ms) / gained;
	e->blocks_after = fmax(0, blocks - e->base_blocks) / gained;
	if (sqlite3_prepare_v2(j->db, sql, -1, &st, NULL) != SQLITE_OK)
		return journal_fail(j, err, "written");
	sqlite3_bind_double(st, 1, e->base_calls);
	sqlite3_bind_double(st, 2, e->base_ms);
	sqlite3_bind_double(st, 3, e->base_blocks);
	sqlite3_bind_double(st, 4, e->calls_after);
	sqlite3_bind_double(st, 5, e->ms_after);
	sqlite3_bind_double(st, 6, e->blocks_after);
	sqlite3_bind_int64(st, 7, e->act);
	sqlite3_bind_int64(st, 8, e->queryid);
	return step(j, st, err);
}
