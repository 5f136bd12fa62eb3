/* One row of the storage pane in words. */
#include "config.h"

#include "panes/storage_detail.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/grid.h"

static const struct cell *
field(const struct snapshot *snap, enum probe_id probe, int row, const char *column)
{
	static const struct cell none = { .type = CELL_NULL };
	const struct rowset *rs = snapshot_rows(snap, probe);

	return rs && row >= 0 && row < rs->nrows ? rowset_get(rs, row, column) : &none;
}

static double
number(const struct snapshot *snap, enum probe_id probe, int row, const char *column)
{
	return cell_num(field(snap, probe, row, column), NAN);
}

static const char *
size(struct arena *arena, double bytes)
{
	char buf[32];

	return isnan(bytes) ? "?" : arena_strdup(arena, fmt_bytes(buf, sizeof(buf), bytes));
}

/* The past of a table: its own, or that of the partitioned table with this name. */
static const struct storage_past *
past_of(const struct storage_view *v, const struct storage_item *item)
{
	for (int i = 0; i < v->outlook.npast; i++)
		if (strcmp(v->outlook.past[i].name, item->name) == 0)
			return &v->outlook.past[i];
	return NULL;
}

/* ------------------------------------------------------------------ remarks */

static const char *
remark_wal(const struct snapshot *snap, struct arena *arena)
{
	double waiting = number(snap, PROBE_STORAGE_WAL, 0, "to_archive");
	double bytes = number(snap, PROBE_STORAGE_WAL, 0, "bytes");
	double max = number(snap, PROBE_STORAGE_WAL, 0, "max_wal_size");

	if (waiting > 10)
		return arena_printf(
		    arena, "%.0f files wait to be archived: see the archiver", waiting);
	if (bytes > 1.5 * max)
		return arena_printf(
		    arena, "more than max_wal_size (%s): something keeps it", size(arena, max));
	return isnan(max) ? NULL : arena_printf(arena, "max_wal_size %s", size(arena, max));
}

static const char *
remark_slot(const struct snapshot *snap, const struct storage_item *item, struct arena *arena)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_SLOTS);

	for (int i = 0; rs && i < rs->nrows; i++) {
		const struct cell *status = rowset_get(rs, i, "wal_status");
		bool is_active = cell_i64(rowset_get(rs, i, "active"), 0) != 0;
		double safe = cell_num(rowset_get(rs, i, "safe_wal_size"), NAN);

		if (!cell_is(rowset_get(rs, i, "slot_name"), item->name))
			continue;
		if (!isnan(safe))
			return arena_printf(arena, "%s, %.*s, lost after %s more",
			    is_active ? "active" : "inactive", (int)status->len,
			    status->type == CELL_TEXT ? status->s : "", size(arena, safe));
		return arena_printf(arena, "%s, %.*s, without limit",
		    is_active ? "active" : "inactive", (int)status->len,
		    status->type == CELL_TEXT ? status->s : "");
	}
	return NULL;
}

static const char *
remark_table(const struct snapshot *snap, const struct storage_view *v,
    const struct storage_item *item, struct arena *arena)
{
	const struct storage_past *past = past_of(v, item);
	double dead = number(snap, PROBE_STORAGE_TABLES, item->row, "dead");
	double live = number(snap, PROBE_STORAGE_TABLES, item->row, "live");
	double indexes = number(snap, PROBE_STORAGE_TABLES, item->row, "index_bytes");

	if (dead > 0.2 * (dead + live) && dead > 1000)
		return arena_printf(
		    arena, "%.0f %% of its rows are dead", 100 * dead / (dead + live));
	if (item->known == KNOWN_REBUILT && past)
		return arena_printf(arena, "by %s%s%s",
		    past->arrivals.column ? past->arrivals.column : "its partitions",
		    past->arrivals.why[0] ? "; " : "", past->arrivals.why);
	if (item->known == KNOWN_NOT && past && past->arrivals.why[0])
		return past->arrivals.why;
	if (indexes > 0.5 * item->bytes)
		return arena_printf(
		    arena, "indexes are %.0f %% of it", 100 * indexes / item->bytes);
	return NULL;
}

const char *
storage_remark(const struct snapshot *snap, const struct storage_view *v,
    const struct storage_item *item, struct arena *arena)
{
	const struct forecast *f = &v->outlook.total;
	double n;

	switch (item->kind) {
	case STORAGE_TOTAL:
		if (!v->storage.is_complete)
			return "what this role may see of it";
		return f->nhorizons > 0 ?
		    arena_printf(arena, "%s, confidence %s", forecast_regime_names[f->regime],
		        forecast_confidence_names[f->confidence]) :
		    NULL;
	case STORAGE_UNCOUNTED:
		n = number(snap, PROBE_STORAGE_KINDS, 0, "uncounted");
		return n > 0 ? arena_printf(arena, "tables never vacuumed or analyzed: %.0f", n) :
		               "grown since, and maps";
	case STORAGE_WAL:
		return remark_wal(snap, arena);
	case STORAGE_SLOT:
		return remark_slot(snap, item, arena);
	case STORAGE_LOG:
		return item->state == SAMPLE_OK && isnan(item->bytes) ?
		    "the server's collector is off" :
		    NULL;
	case STORAGE_FREE:
		if (isnan(v->storage.room.capacity))
			return "size of the storage unknown: set storage_capacity";
		return arena_printf(arena, "of %s%s", size(arena, v->storage.room.capacity),
		    v->storage.room.is_configured ? ", as configured" : "");
	case STORAGE_TABLE:
		return remark_table(snap, v, item, arena);
	case STORAGE_DATABASE:
		return strcmp(item->name, snap->server.database) == 0 ? "connected" : NULL;
	case STORAGE_TABLES:
	case STORAGE_INDEXES:
	case STORAGE_TOAST:
	case STORAGE_SYSTEM:
	case STORAGE_TEMP:
	case STORAGE_KIND_COUNT:
		break;
	}
	return NULL;
}

/* ------------------------------------------------------------------ stories */

static void
tell_bytes(struct doc *doc, const char *label, double bytes)
{
	char buf[32];

	if (!isnan(bytes))
		doc_pair(doc, label, ROLE_NORMAL, "%s (%.0f bytes)",
		    fmt_bytes(buf, sizeof(buf), bytes), bytes);
}

static void
tell_day(struct doc *doc, const char *label, const struct forecast *f, double days, enum role role)
{
	char buf[40];
	struct wall at = { f->last.at_us + (int64_t)(days * 86400e6) };

	if (isfinite(days))
		doc_pair(doc, label, role, "%.10s, in %.0f days",
		    wall_rfc3339(at, buf, sizeof(buf)), days);
	else
		doc_pair(doc, label, ROLE_DIM, "not in sight");
}

static void
tell_forecast(const struct storage_view *v, struct doc *doc)
{
	const struct forecast *f = &v->outlook.total;
	char low[32], mid[32], high[32];

	doc_add(doc, ROLE_NORMAL, "%s", "");
	doc_add(doc, ROLE_HEADER, "Forecast");
	if (f->refused[0])
		doc_pair(doc, "refused", ROLE_NORMAL, "%s", f->refused);
	doc_pair(doc, "regime", ROLE_NORMAL, "%s, confidence %s, from %.1f days (%s)",
	    forecast_regime_names[f->regime], forecast_confidence_names[f->confidence],
	    f->span_days, storage_known_names[v->outlook.known]);
	for (int i = 0; i < FORECAST_HORIZONS; i++) {
		const struct forecast_quantiles *q = &f->horizons[i];

		if (isnan(q->p50))
			continue;
		doc_pair(doc, i == 0 ? "in days" : "", ROLE_NORMAL,
		    "%4d  %6s  80 %% within %s to %s", q->days, fmt_bytes(mid, sizeof(mid), q->p50),
		    fmt_bytes(low, sizeof(low), q->p10), fmt_bytes(high, sizeof(high), q->p90));
	}
	if (!f->has_full || f->nhorizons == 0)
		return;
	tell_day(doc, "full by, 10 %", f, f->full_p10, ROLE_NORMAL);
	tell_day(doc, "full by, 50 %", f, f->full_p50, ROLE_STRONG);
	tell_day(doc, "full by, 90 %", f, f->full_p90, ROLE_NORMAL);
	doc_pair(doc, "full within 7/30/90 d", ROLE_NORMAL, "%.0f %% / %.0f %% / %.0f %%",
	    100 * f->probability[0], 100 * f->probability[1], 100 * f->probability[2]);
}

static void
tell_steps(const struct storage_view *v, struct doc *doc)
{
	const struct forecast *f = &v->outlook.total;
	char bytes[32], day[40];

	if (f->nsteps == 0)
		return;
	doc_add(doc, ROLE_NORMAL, "%s", "");
	doc_add(doc, ROLE_HEADER, "Steps");
	for (int i = f->nsteps - 1; i >= 0; i--) {
		const struct forecast_step *p = &f->steps[i];

		doc_add(doc, ROLE_NORMAL, "%.10s  %c%s  %s",
		    wall_rfc3339((struct wall){ p->at_us }, day, sizeof(day)),
		    p->bytes < 0 ? '-' : '+', fmt_bytes(bytes, sizeof(bytes), fabs(p->bytes)),
		    p->is_recurring ? "recurs: expected to go on" : "not in the trend");
	}
}

/* What the past of the largest tables is known from, or why it is not. */
static void
tell_pasts(const struct storage_view *v, struct doc *doc)
{
	char rate[32];

	if (v->outlook.npast == 0)
		return;
	doc_add(doc, ROLE_NORMAL, "%s", "");
	doc_add(doc, ROLE_HEADER, "What statistics and partitions tell of the past");
	for (int i = 0; i < v->outlook.npast; i++) {
		const struct storage_past *p = &v->outlook.past[i];

		if (p->arrivals.n)
			doc_add(doc, ROLE_NORMAL, "%-30s %6s a day  by %s%s%s", p->name,
			    isnan(p->rate) ? "?" : fmt_bytes(rate, sizeof(rate), p->rate),
			    p->is_parent ? "its partitions" : p->arrivals.column,
			    p->arrivals.why[0] ? "; " : "", p->arrivals.why);
		else if (p->is_counted)
			doc_add(doc, ROLE_NORMAL, "%-30s %6s a day  by its row counters; %s",
			    p->name, fmt_bytes(rate, sizeof(rate), p->rate), p->arrivals.why);
		else
			doc_add(doc, ROLE_DIM, "%-30s %6s        %s%s%s", p->name, "?",
			    p->arrivals.why, *p->arrivals.hint ? ". " : "", p->arrivals.hint);
	}
}

static void
tell_table(const struct snapshot *snap, const struct storage_view *v,
    const struct storage_item *item, struct doc *doc)
{
	static const struct {
		const char *column, *label;
	} parts[] = { { "table_bytes", "heap" }, { "index_bytes", "indexes" },
		{ "toast_bytes", "TOAST" } };
	static const struct {
		const char *column, *label;
	} counts[] = { { "live", "live rows" }, { "dead", "dead rows" }, { "ins", "inserted" },
		{ "upd", "updated" }, { "del", "deleted" },
		{ "mod_since_analyze", "changed since analyze" } };
	static const char *const times[][2] = { { "last_analyze", "last analyze" },
		{ "last_vacuum", "last vacuum" } };
	const struct storage_past *past = past_of(v, item);
	char buf[40];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		tell_bytes(doc, parts[i].label,
		    number(snap, PROBE_STORAGE_TABLES, item->row, parts[i].column));
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		double n = number(snap, PROBE_STORAGE_TABLES, item->row, counts[i].column);

		if (!isnan(n))
			doc_pair(doc, counts[i].label, ROLE_NORMAL, "%.0f", n);
	}
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		const struct cell *at = field(snap, PROBE_STORAGE_TABLES, item->row, times[i][0]);

		doc_pair(doc, times[i][1], ROLE_NORMAL, "%s",
		    at->type == CELL_TIME ? wall_rfc3339((struct wall){ at->i }, buf, sizeof(buf)) :
		                            "never, or before the statistics were reset");
	}
	if (!past)
		return;
	if (past->arrivals.n)
		doc_pair(doc, "rebuilt from", ROLE_NORMAL, "%s, confidence %s%s%s",
		    past->is_parent ? "its partitions" : past->arrivals.column,
		    forecast_confidence_names[past->arrivals.confidence],
		    past->arrivals.why[0] ? ": " : "", past->arrivals.why);
	else
		doc_pair(doc, "not rebuilt", ROLE_NORMAL, "%s%s%s", past->arrivals.why,
		    *past->arrivals.hint ? ". " : "", past->arrivals.hint);
}

static void
tell_growth(const struct storage_view *v, const struct storage_item *item, struct doc *doc)
{
	const struct storage_item *total = &v->storage.items[0];
	char buf[32];

	if (isnan(item->rate)) {
		doc_pair(doc, "growth", ROLE_DIM, "not known yet");
		return;
	}
	if (item != total && total->rate > 0)
		doc_pair(doc, "growth", ROLE_STRONG, "%s a day, %.0f %% of all (%s)",
		    fmt_bytes(buf, sizeof(buf), item->rate), 100 * item->rate / total->rate,
		    storage_known_names[item->known]);
	else
		doc_pair(doc, "growth", ROLE_STRONG, "%s a day (%s)",
		    fmt_bytes(buf, sizeof(buf), item->rate), storage_known_names[item->known]);
	tell_bytes(doc, "in 30 days", item->in_30);
	tell_bytes(doc, "in 90 days", item->in_90);
}

void
storage_story(const struct snapshot *snap, const struct storage_view *v,
    const struct storage_item *item, struct doc *doc)
{
	const char *remark = storage_remark(snap, v, item, &doc->arena);

	doc_pair(doc, storage_kind_infos[item->kind].name, ROLE_STRONG, "%s", item->name);
	doc_pair(doc, "", ROLE_DIM, "%s", storage_kind_infos[item->kind].text);
	tell_bytes(doc, "size", item->bytes);
	if (remark)
		doc_pair(doc, "remark", ROLE_NORMAL, "%s", remark);
	tell_growth(v, item, doc);
	switch (item->kind) {
	case STORAGE_TOTAL:
	case STORAGE_FREE:
		tell_forecast(v, doc);
		tell_steps(v, doc);
		tell_pasts(v, doc);
		break;
	case STORAGE_TABLE:
		tell_table(snap, v, item, doc);
		break;
	case STORAGE_WAL:
		tell_bytes(doc, "max_wal_size", number(snap, PROBE_STORAGE_WAL, 0, "max_wal_size"));
		tell_bytes(
		    doc, "wal_keep_size", number(snap, PROBE_STORAGE_WAL, 0, "wal_keep_size"));
		tell_bytes(doc, "max_slot_wal_keep_size",
		    number(snap, PROBE_STORAGE_WAL, 0, "max_slot_wal_keep_size"));
		break;
	case STORAGE_DATABASE:
	case STORAGE_TABLES:
	case STORAGE_INDEXES:
	case STORAGE_TOAST:
	case STORAGE_SYSTEM:
	case STORAGE_UNCOUNTED:
	case STORAGE_SLOT:
	case STORAGE_TEMP:
	case STORAGE_LOG:
	case STORAGE_KIND_COUNT:
		break;
	}
}
