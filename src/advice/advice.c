/* A run: workload, plans, candidates, search, results; each step bounded and any time. */
#include "config.h"

#include "advice/advice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice/dropping.h"
#include "advice/explaining.h"
#include "advice/report.h"
#include "advice/text.h"
#include "base/json.h"
#include "base/strbuf.h"

enum { MAX_EXPLAINS = 600, MAX_MS = 10000, MAX_MS_BACKGROUND = 300000, BUSY_SESSIONS = 16 };
enum { MANY_INDEXES = 20000 }; /* more than the catalog query gives */

struct run {
	const struct advice_request *req;
	const struct advice_sink *sink;
	struct whatif *whatif;
	struct catalog catalog;
	struct workload workload;
	struct cands *cands;
	struct oracle oracle;
	struct search search;
	struct dropping *dropping;
	struct text_setup setup;
	bool has_statements;
	struct error no_statements;
	double first_ms; /* until the first advice was given */
};

/* ---- summary ---- */

static const char *
hypo_name(enum whatif_hypo hypo)
{
	static const char *const names[] = {
		[HYPO_USABLE] = "used",
		[HYPO_OFF] = "never",
		[HYPO_ABSENT] = "absent",
		[HYPO_DENIED] = "denied",
		[HYPO_REFUSED] = "refused",
	};

	return names[hypo];
}

static struct cell
not_explained(struct rowset *rs, const struct workload *wl)
{
	struct strbuf json = STRBUF_INIT(1 << 20);
	struct cell cell;
	bool first = true;

	strbuf_addc(&json, '[');
	for (int i = 0; i < wl->n; i++) {
		const struct statement *s = &wl->items[i];

		if (!s->why_not)
			continue;
		strbuf_adds(&json, first ? "{\"queryid\":" : ",{\"queryid\":");
		json_int(&json, s->queryid);
		strbuf_adds(&json, ",\"why\":");
		json_str(&json, s->why_not, strlen(s->why_not));
		strbuf_addc(&json, '}');
		first = false;
	}
	strbuf_addc(&json, ']');
	cell = cell_textn(arena_strndup(&rs->arena, json.buf, json.len), json.len);
	strbuf_release(&json);
	return cell;
}

static struct rowset *
summary(struct run *r, const struct drop_outcome *drop, bool is_final)
{
	static const char *const names[] = { "explains", "elapsed_ms", "statements", "explained",
		"is_final", "hypopg", "hypopg_hint", "not_explained", "stopped", "stats_age_s",
		"no_unused", "no_unused_hint", "first_ms" };
	static const uint8_t types[] = { CELL_INT, CELL_FLOAT, CELL_INT, CELL_INT, CELL_BOOL,
		CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_FLOAT, CELL_TEXT, CELL_TEXT,
		CELL_FLOAT };
	struct rowset *rs = rowset_new((int)ARRAY_LEN(names), names, types);
	struct cell *c = rowset_add(rs);
	const char *what = NULL, *hint = NULL;
	enum whatif_hypo hypo = whatif_hypo(r->whatif, &what, &hint);
	int plannable = 0, explained = 0;

	for (int i = 0; i < r->workload.n; i++) {
		explained += r->workload.items[i].is_explained;
		plannable += r->workload.items[i].is_explained || r->workload.items[i].why_not;
	}
	*c++ = cell_int(whatif_explains(r->whatif));
	*c++ = cell_float(oracle_elapsed_ms(&r->oracle));
	*c++ = cell_int(plannable);
	*c++ = cell_int(explained);
	*c++ = cell_bool(is_final);
	*c++ = cell_text(hypo_name(hypo));
	*c++ = hint ? cell_text(arena_strdup(&rs->arena, hint)) : cell_null(WHY_NONE);
	*c++ = not_explained(rs, &r->workload);
	*c++ = r->oracle.stopped ? cell_text(r->oracle.stopped) : cell_null(WHY_NONE);
	*c++ = r->workload.age_s > 0 ? cell_float(r->workload.age_s) : cell_null(WHY_NONE);
	*c++ = cell_text(drop->no_unused ? arena_strdup(&rs->arena, drop->no_unused) : NULL);
	*c++ = cell_text(drop->no_unused ? arena_strdup(&rs->arena, drop->no_unused_hint) : NULL);
	*c++ = cell_float(r->first_ms > 0 ? r->first_ms : oracle_elapsed_ms(&r->oracle));
	return rs;
}

/* ---- steps ---- */

static struct rowset *
query(struct run *r, const char *name, struct error *err)
{
	return whatif_query(r->whatif, name, NULL, 0, err);
}

static void
read_load(struct run *r)
{
	struct error err = { 0 };
	struct rowset *rs = query(r, "advice_load", &err);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const struct cell *config;

	r->setup.text_config = "english";
	if (!rs)
		return;
	if (rs->nrows) {
		r->workload.age_s = cell_num(rowset_get(rs, 0, "age_s"), 0);
		r->setup.has_trgm = cell_i64(rowset_get(rs, 0, "has_trgm"), 0) != 0;
		config = rowset_get(rs, 0, "text_config");
		if (config->type == CELL_TEXT)
			r->setup.text_config =
			    arena_strndup(&r->workload.arena, config->s, config->len);
		if (r->req->is_background &&
		    cell_num(rowset_get(rs, 0, "active"), 0) > fmax(BUSY_SESSIONS, 2.0 * cpus))
			r->oracle.stopped = "load";
	}
	rowset_unref(rs);
}

/* Tables and their indexes are read one after the other: a table that was locked for one of them
 * would seem to have none. */
static bool
fit_together(const struct rowset *tables, const struct rowset *indexes)
{
	double n = 0;

	for (int i = 0; i < tables->nrows; i++)
		n += cell_num(rowset_get(tables, i, "indexes"), 0);
	return n == indexes->nrows || indexes->nrows >= MANY_INDEXES;
}

static bool
read_catalog(struct run *r, struct error *err)
{
	struct rowset *tables = NULL, *indexes = NULL, *columns;

	for (int tries = 0; tries < 3; tries++) {
		rowset_unref(tables);
		rowset_unref(indexes);
		memset(err, 0, sizeof(*err));
		tables = query(r, "advice_tables", err);
		indexes = tables ? query(r, "advice_indexes", err) : NULL;
		if (indexes ? fit_together(tables, indexes) : err->code != ERR_TIMEOUT)
			break;
	}
	columns = indexes ? query(r, "advice_columns", err) : NULL;
	if (columns) {
		catalog_build(&r->catalog, tables, columns, indexes);
		r->dropping = dropping_open(r->whatif, tables, columns, indexes, err);
	}
	rowset_unref(tables);
	rowset_unref(columns);
	rowset_unref(indexes);
	return r->dropping != NULL;
}

static bool
read_statements(struct run *r)
{
	struct rowset *rs = query(r, "advice_statements", &r->no_statements);

	if (!rs)
		return false;
	workload_read(&r->workload, rs, r->req->before);
	rowset_unref(rs);
	r->has_statements = true;
	return true;
}

/* What is known so far, given to the sink. */
static void
give(struct run *r, bool is_final)
{
	struct advice_list list = { 0 };
	struct drop_outcome drop;

	search_settle(&r->search);
	text_advise(&list, &r->catalog, &r->search, &r->setup);
	report_chosen(&list, &r->catalog, &r->search);
	dropping_advise(r->dropping, r->req, &r->catalog, &list, &drop);
	report_foreign_keys(&list, &r->catalog, &r->workload);
	if (is_final)
		report_reasons(&r->search);
	advice_list_sort(&list);
	r->sink->put(r->sink->arg, advice_list_rows(&list), report_statements(&list, &r->workload),
	    summary(r, &drop, is_final));
	advice_list_release(&list);
}

/* From the workload to what is chosen; where it stops, what is known by then stays. */
static bool
advise(struct run *r)
{
	if (!read_statements(r) || !explain_workload(&r->oracle))
		return !r->oracle.error.code || r->oracle.stopped;
	if (!explain_values(&r->oracle, &r->catalog))
		return true;
	if (search_first(&r->search)) {
		search_guess(&r->search);
		r->first_ms = oracle_elapsed_ms(&r->oracle);
		give(r, false);
	}
	search_run(&r->search);
	return true;
}

static bool
begin(struct run *r, struct error *err)
{
	const struct advice_request *req = r->req;
	struct whatif_conf conf = { .conninfo = req->conninfo,
		.password = req->password,
		.database = req->database,
		.no_hypopg = req->no_hypopg };

	r->oracle.began = mono_now();
	r->whatif = whatif_open(&conf, err);
	if (!r->whatif)
		return false;
	r->cands = xcalloc(1, sizeof(*r->cands));
	r->cands->arena = &r->workload.arena;
	r->oracle.whatif = r->whatif;
	r->oracle.use_hypo = whatif_hypo(r->whatif, NULL, NULL) == HYPO_USABLE;
	r->oracle.wl = &r->workload;
	r->oracle.cands = r->cands;
	r->oracle.req = req;
	r->oracle.max_explains = req->max_explains > 0 ? req->max_explains : MAX_EXPLAINS;
	r->oracle.max_ms = req->max_ms > 0 ? req->max_ms :
	    req->is_background             ? MAX_MS_BACKGROUND :
	                                     MAX_MS;
	r->search.oracle = &r->oracle;
	return true;
}

bool
advice_run(const struct advice_request *req, const struct advice_sink *sink, struct error *err)
{
	struct run *r = xcalloc(1, sizeof(*r));
	bool ok;

	r->req = req;
	r->sink = sink;
	ok = begin(r, err);
	if (ok)
		read_load(r);
	ok = ok && read_catalog(r, err) && advise(r);
	if (ok)
		give(r, true);
	whatif_close(r->whatif);
	dropping_close(r->dropping);
	oracle_release(&r->oracle);
	workload_release(&r->workload);
	catalog_release(&r->catalog);
	free(r->cands);
	free(r);
	return ok;
}
