#include "config.h"

#include "app/effect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/effects.h"

enum { LOOK_MS = 5000, LISTED = 100, DAYS = 30 };

static const char *
member(const struct json *request, const char *key)
{
	const char *s = json_text(json_get(request, key));

	return s ? s : "";
}

/* "{1,2}" of "[1,2]"; NULL: no number in it. */
static char *
ids_literal(const char *list)
{
	struct json_list l = { list, list + strlen(list), 0 };
	struct strbuf item = STRBUF_INIT(1 << 16), sb = STRBUF_INIT(1 << 16);
	char *literal;

	strbuf_addc(&sb, '{');
	while (json_list_next(&l, &item))
		if (item.len && item.buf[strspn(item.buf, "-0123456789")] == '\0')
			strbuf_addf(&sb, "%s%s", sb.len > 1 ? "," : "", item.buf);
	strbuf_addc(&sb, '}');
	literal = sb.len > 2 ? xstrdup(sb.buf) : NULL;
	strbuf_release(&item);
	strbuf_release(&sb);
	return literal;
}

static bool
keep(struct journal *j, int64_t id, const struct json *request, const struct rowset *rows, int i,
    struct error *err)
{
	double calls = cell_num(rowset_get(rows, i, "calls"), 0);
	double ms = cell_num(rowset_get(rows, i, "ms"), 0);
	double blocks = cell_num(rowset_get(rows, i, "blocks"), 0);
	const struct cell *database = rowset_get(rows, i, "database");
	char *name = xstrndup(database->s, database->len);
	struct effect e = {
		.act = id,
		.at = wall_now(),
		.target = member(request, "target"),
		.database = name,
		.table = member(request, "table"),
		.name = member(request, "name"),
		.queryid = cell_i64(rowset_get(rows, i, "queryid"), 0),
		.calls_before = calls,
		.ms_before = ms / calls,
		.blocks_before = blocks / calls,
		.base_calls = calls,
		.base_ms = ms,
		.base_blocks = blocks,
	};
	bool ok = !(calls > 0) || effects_add(j, &e, err);

	free(name);
	return ok;
}

void
effect_begin(struct pg_sync *pg, int64_t id, const struct json *request, struct strbuf *detail)
{
	char *ids = ids_literal(member(request, "queryids"));
	const char *params[] = { ids, ids ? NULL : member(request, "table") };
	struct error err = { 0 };
	struct rowset *rows = pg ? pg_sync_run(pg, "look_effect", params, 2, LOOK_MS, &err) : NULL;
	struct journal *j = rows && rows->nrows > 0 ? journal_open(&err) : NULL;
	int kept = 0;

	for (int i = 0; j && i < rows->nrows && keep(j, id, request, rows, i, &err); i++)
		kept++;
	if (kept > 0)
		strbuf_addf(detail, "\n%d statement%s measured from now on: see the advice pane",
		    kept, kept == 1 ? " is" : "s are");
	else if (*err.what)
		log_warn("effect", "%s", err.what);
	journal_close(j);
	rowset_unref(rows);
	free(ids);
}

/* ------------------------------------------------------------------ what came of it */

static void
measure(struct journal *j, struct effect *list, int n, const struct rowset *now)
{
	struct error err = { 0 };

	for (int i = 0; i < n; i++)
		for (int k = 0; now && k < now->nrows; k++) {
			if (cell_i64(rowset_get(now, k, "queryid"), 0) != list[i].queryid)
				continue;
			if (!effects_now(j, &list[i], cell_num(rowset_get(now, k, "calls"), 0),
			        cell_num(rowset_get(now, k, "ms"), 0),
			        cell_num(rowset_get(now, k, "blocks"), 0), &err))
				log_warn("effect", "%s", err.what);
		}
}

static struct rowset *
look_now(struct pg_sync *pg, const struct effect *list, int n)
{
	struct strbuf ids = STRBUF_INIT(1 << 16);
	const char *params[2] = { NULL, NULL };
	struct error ignored = { 0 };
	struct rowset *rows;

	strbuf_addc(&ids, '{');
	for (int i = 0; i < n; i++)
		strbuf_addf(&ids, "%s%lld", i ? "," : "", (long long)list[i].queryid);
	strbuf_addc(&ids, '}');
	params[0] = ids.buf;
	rows = pg ? pg_sync_run(pg, "look_effect", params, 2, LOOK_MS, &ignored) : NULL;
	strbuf_release(&ids);
	return rows;
}

static struct rowset *
rows_of(const struct effect *list, int n)
{
	static const char *const names[] = { "act", "at", "table", "index", "queryid",
		"calls_before", "ms_before", "blocks_before", "calls_after", "ms_after",
		"blocks_after" };
	static const uint8_t types[] = { CELL_INT, CELL_TIME, CELL_TEXT, CELL_TEXT, CELL_INT,
		CELL_FLOAT, CELL_FLOAT, CELL_FLOAT, CELL_FLOAT, CELL_FLOAT, CELL_FLOAT };
	struct rowset *rs = rowset_new(ARRAY_LEN(names), names, types);

	for (int i = 0; i < n; i++) {
		const struct effect *e = &list[i];
		const double figures[] = { e->calls_before, e->ms_before, e->blocks_before,
			e->calls_after, e->ms_after, e->blocks_after };
		struct cell *c = rowset_add(rs);

		c[0] = cell_int(e->act);
		c[1] = cell_time(e->at.us);
		c[2] = cell_text(arena_strdup(&rs->arena, e->table));
		c[3] = cell_text(arena_strdup(&rs->arena, e->name));
		c[4] = cell_int(e->queryid);
		for (int k = 0; k < 6; k++)
			c[5 + k] =
			    isnan(figures[k]) ? cell_null(WHY_NODATA) : cell_float(figures[k]);
	}
	return rs;
}

struct rowset *
effect_rows(struct pg_sync *pg, const char *target, const char *database)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct journal *j = journal_open(&err);
	struct wall since = { wall_now().us - (int64_t)DAYS * 86400 * 1000000 };
	struct effect *list;
	struct rowset *now, *rows = NULL;
	int n = 0;

	if (j && effects_list(j, target, database, since, LISTED, &arena, &list, &n, &err) &&
	    n > 0) {
		now = look_now(pg, list, n);
		measure(j, list, n, now);
		rowset_unref(now);
		rows = rows_of(list, n);
	}
	journal_close(j);
	arena_release(&arena);
	return rows;
}
