/*
 * Two samples hold the points: of the last hours, told now and then, and of the last minutes, told
 * each time. Where both have a minute, the later one counts.
 */
#include "config.h"

#include "panes/cloud_series.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

enum { MAX_WIDTH = 200, MAX_METRICS = 64 };

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static bool
is_one_of(const char *s, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(*names, s) == 0)
			return true;
	return false;
}

/* By the name: CloudWatch's answers have no units. */
struct cloud_unit
cloud_unit_of(const char *metric)
{
	static const char *const percents[] = { "CPUUtilization", "BurstBalance",
		"BufferCacheHitRatio", "ACUUtilization", NULL };
	static const char *const bytes[] = { "FreeableMemory", "SwapUsage",
		"OldestReplicationSlotLag", "ReplicationSlotDiskUsage", "TransactionLogsDiskUsage",
		"VolumeBytesUsed", NULL };
	static const char *const milliseconds[] = { "CommitLatency", "AuroraReplicaLag",
		"AuroraReplicaLagMaximum", NULL };
	static const char *const seconds[] = { "ReplicaLag", "CheckpointLag", NULL };

	if (ends_with(metric, "%") || is_one_of(metric, percents))
		return (struct cloud_unit){ COL_PCT, "pct", "%", 1 };
	if (is_one_of(metric, bytes) || strncmp(metric, "FreeStorage", 11) == 0 ||
	    strncmp(metric, "FreeLocal", 9) == 0)
		return (struct cloud_unit){ COL_BYTES, "bytes", "", 1 };
	if (strstr(metric, "Throughput") && strncmp(metric, "Commit", 6) != 0)
		return (struct cloud_unit){ COL_BYTES, "bytes_per_s", "/s", 1 };
	if (strcmp(metric, "TransactionLogsGeneration") == 0)
		return (struct cloud_unit){ COL_BYTES, "bytes_per_s", "/s", 1 };
	if (is_one_of(metric, milliseconds))
		return (struct cloud_unit){ COL_MS, "s", "", 0.001 };
	if (strstr(metric, "Latency"))
		return (struct cloud_unit){ COL_MS, "s", "", 1 };
	if (is_one_of(metric, seconds))
		return (struct cloud_unit){ COL_SECONDS, "s", "", 1 };
	if (ends_with(metric, "IOPS") || strcmp(metric, "CommitThroughput") == 0 ||
	    strcmp(metric, "Deadlocks") == 0)
		return (struct cloud_unit){ COL_RATE, "per_s", "/s", 1 };
	return (struct cloud_unit){ COL_FLOAT, "count", "", 1 };
}

struct cloud_unit
cloud_unit_named(const char *unit)
{
	static const struct cloud_unit units[] = { { COL_PCT, "pct", "%", 1 },
		{ COL_BYTES, "bytes", "", 1 }, { COL_BYTES, "bytes_per_s", "/s", 1 },
		{ COL_MS, "s", "", 1 }, { COL_RATE, "per_s", "/s", 1 } };

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(units[i].unit, unit) == 0)
			return units[i];
	return (struct cloud_unit){ COL_FLOAT, "count", "", 1 };
}

const char *
cloud_value(struct arena *arena, const struct cloud_unit *unit, double value)
{
	struct strbuf text = STRBUF_INIT(64);
	/* Base units are seconds; short ones are read as milliseconds. */
	struct cell c = isnan(value) ? cell_null(WHY_NODATA) :
	    unit->kind == COL_MS     ? cell_float(value * 1000) :
	                               cell_float(value);
	const char *out;

	grid_cell_text(&text, unit->kind, &c);
	if (!isnan(value))
		strbuf_adds(&text, unit->kind == COL_MS ? "ms" : unit->per);
	out = arena_strdup(arena, text.buf);
	strbuf_release(&text);
	return out;
}

static const enum probe_id parts[] = { PROBE_CLOUD_PAST, PROBE_CLOUD_METRICS };

double
cloud_now(const struct snapshot *snap)
{
	const struct sample *s = snap->good[PROBE_CLOUD_METRICS];

	if (!s)
		s = snap->good[PROBE_CLOUD_PAST];
	return s ? (double)s->server_at.us / 1e6 : 0;
}

const char *const *
cloud_metric_names(struct arena *arena, const struct snapshot *snap, int *n)
{
	const char **names = arena_zalloc(arena, MAX_METRICS, sizeof(*names));

	*n = 0;
	for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
		const struct rowset *rows = snapshot_rows(snap, parts[p]);

		for (int c = 1; rows && c < rows->ncols && *n < MAX_METRICS - 1; c++)
			if (!is_one_of(rows->names[c], names))
				names[(*n)++] = rows->names[c];
	}
	return names;
}

/* ---- points */

static void
put(struct cloud_series *s, int64_t us, double value)
{
	double x = (double)us / 1e6;

	/* Of the later part; rows come by time. */
	while (s->n > 0 && s->points[s->n - 1].x >= x)
		s->n--;
	s->points[s->n++] = (struct chart_point){ x, value };
}

/* Into each gap a point that is none. */
static struct chart_point *
with_gaps(struct cloud_series *s, struct arena *arena)
{
	struct chart_point *out = arena_alloc(arena, ((size_t)s->n * 2 + 1) * sizeof(*out));
	int n = 0;

	for (int i = 0; i < s->n; i++) {
		if (i > 0 && s->points[i].x - s->points[i - 1].x > 2.5 * s->step_s)
			out[n++] = (struct chart_point){ s->points[i - 1].x + s->step_s, NAN };
		out[n++] = s->points[i];
	}
	s->n = n;
	return out;
}

void
cloud_series_read(struct cloud_series *out, struct arena *arena, const struct snapshot *snap,
    const char *metric, double since)
{
	double factor = cloud_unit_of(metric).factor, least = INFINITY;
	int most = 0;

	*out = (struct cloud_series){ .last = NAN, .min = NAN, .max = NAN, .step_s = 60 };
	for (size_t p = 0; p < ARRAY_LEN(parts); p++)
		if (snapshot_rows(snap, parts[p]))
			most += snapshot_rows(snap, parts[p])->nrows;
	out->points = arena_alloc(arena, ((size_t)most + 1) * sizeof(*out->points));
	for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
		const struct rowset *rows = snapshot_rows(snap, parts[p]);
		int col = rows ? rowset_col(rows, metric) : -1;

		for (int r = 0; col >= 0 && r < rows->nrows; r++) {
			const struct cell *at = rowset_cell(rows, r, 0);
			double v = cell_num(rowset_cell(rows, r, col), NAN);

			if (!isnan(v) && (double)at->i / 1e6 >= since)
				put(out, at->i, v * factor);
		}
	}
	for (int i = 0; i < out->n; i++) {
		double v = out->points[i].y;

		out->min = fmin(out->min, v);
		out->max = fmax(out->max, v);
		out->sum += v;
		out->last = v;
		out->last_us = (int64_t)(out->points[i].x * 1e6);
		if (i > 0)
			least = fmin(least, out->points[i].x - out->points[i - 1].x);
	}
	out->known = out->n;
	if (isfinite(least) && least >= 1)
		out->step_s = (int)least;
	out->points = with_gaps(out, arena);
}

const char *
cloud_spark(struct arena *arena, const struct cloud_series *s, double from, double to, int width)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const ascii[] = { "_", ".", ",", "-", "=", "+", "*", "#" };
	struct strbuf out = STRBUF_INIT(MAX_WIDTH * 4);
	double v[MAX_WIDTH], top = 0;
	const char *text;

	width = width < MAX_WIDTH ? width : MAX_WIDTH;
	if (width <= 0 || to <= from)
		return "";
	for (int i = 0; i < width; i++)
		v[i] = NAN;
	for (int i = 0; i < s->n; i++) {
		int at = (int)((s->points[i].x - from) / (to - from) * width);

		if (at < 0 || at >= width || isnan(s->points[i].y))
			continue;
		/* A point stands for the time to the next. */
		for (int k = 0; k < width - at && k <= (int)(s->step_s * width / (to - from)); k++)
			v[at + k] = k ? s->points[i].y : fmax(v[at], s->points[i].y);
		top = fmax(top, v[at]);
	}
	for (int i = 0; i < width; i++) {
		int level = top > 0 && v[i] > 0 ? (int)(v[i] / top * 7.999) : 0;

		/* Not a blank: those at the beginning would be folded away. */
		strbuf_adds(&out,
		    isnan(v[i])      ? (utf8_enabled ? "·" : "'") :
		        utf8_enabled ? blocks[level] :
		                       ascii[level]);
	}
	text = arena_strndup(arena, out.buf, out.len);
	strbuf_release(&out);
	return text;
}
