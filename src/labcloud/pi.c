/* Performance Insights: the load of the lab's server, from looking at its sessions each second. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

#include "labcloud/call.h"
#include "labcloud/metrics.h"

enum { MAX_KEYS = 25, MAX_POINTS = 3600, MAX_DETAILS = 500, KEPT_S = 3 * 3600 };

struct group {
	const char *name;
	enum dimension by;
};
static const struct group groups[] = { { "db.wait_event", DIM_WAIT }, { "db.user", DIM_USER },
	{ "db.sql_tokenized", DIM_SQL }, { "db.sql", DIM_SQL } };

static const struct group *
find_group(const char *name)
{
	for (size_t g = 0; name && g < ARRAY_LEN(groups); g++)
		if (strcmp(groups[g].name, name) == 0)
			return &groups[g];
	return NULL;
}

static void
write_dimensions(struct call *c, const struct group *g, const char *text)
{
	struct arena *arena = &c->request->arena;
	const char *colon = strchr(text, ':');
	char hex[DIGEST_HEX];

	w_open(&c->w, "Dimensions");
	if (g->by == DIM_WAIT) {
		w_text(&c->w, "db.wait_event.name", colon ? colon + 1 : text);
		w_text(&c->w, "db.wait_event.type",
		    colon ? arena_strndup(arena, text, (size_t)(colon - text)) : text);
	} else if (g->by == DIM_USER) {
		w_text(&c->w, "db.user.name", text);
	} else {
		digest_sha256_hex(text, strlen(text), hex);
		w_text(&c->w, arena_printf(arena, "%s.id", g->name), arena_strndup(arena, hex, 40));
		w_text(&c->w, arena_printf(arena, "%s.statement", g->name), text);
	}
	w_close(&c->w);
}

struct span {
	int64_t from, to;
	int period;
};

/* An instance that has it; false and failed. */
static bool
has_insights(struct call *c)
{
	const char *id = call_need(c, "Identifier");

	if (!id)
		return false;
	for (int i = 0; i < c->world->ninstances; i++)
		if (strcmp(c->world->instances[i].resource_id, id) == 0 &&
		    c->world->instances[i].spec.has_insights)
			return true;
	return call_fail(
	    c, 400, "NotAuthorizedException", "Performance Insights is not enabled for %s", id);
}

/* The instance, the times and the period; false and failed. */
static bool
read_span(struct call *c, struct span *span)
{
	const char *from = has_insights(c) ? call_need(c, "StartTime") : NULL,
	           *to = from ? call_need(c, "EndTime") : NULL;
	int64_t now = wall_now().us / 1000000;
	struct wall begin, end;

	if (!to)
		return false;
	span->period = 60;
	if (!wall_parse(from, &begin) || !wall_parse(to, &end) || end.us <= begin.us ||
	    !call_int(c, "PeriodInSeconds", 1, 86400, &span->period))
		return call_fail(c, 400, "InvalidArgumentException", "The times are not a span.");
	if (span->period != 1 && span->period != 60 && span->period != 300 &&
	    span->period != 3600 && span->period != 86400)
		return call_fail(c, 400, "InvalidArgumentException",
		    "PeriodInSeconds must be one of 1, 60, 300, 3600, 86400");
	span->from = begin.us / 1000000 / span->period * span->period;
	span->to = (end.us / 1000000 + span->period - 1) / span->period * span->period;
	if (span->to > now + span->period)
		span->to = now / span->period * span->period + span->period;
	if ((span->to - span->from) / span->period > MAX_POINTS)
		return call_fail(
		    c, 400, "InvalidArgumentException", "Too many data points are asked for");
	return true;
}

/* text NULL: of all. */
static void
write_series(struct call *c, const char *metric, const struct span *span, const struct group *g,
    const char *text)
{
	w_open(&c->w, NULL);
	w_open(&c->w, "Key");
	w_text(&c->w, "Metric", metric);
	if (text)
		write_dimensions(c, g, text);
	w_close(&c->w);
	w_list(&c->w, "DataPoints", "member");
	for (int64_t t = span->from; t < span->to; t += span->period) {
		struct metric_span found =
		    metrics_span(c->world, METRIC_DBLoad, t, t + span->period);

		if (!found.n)
			continue;
		w_open(&c->w, NULL);
		w_time(&c->w, "Timestamp", (struct wall){ t * 1000000 });
		w_num(&c->w, "Value",
		    text ? metrics_load_of(c->world, g->by, text, t, t + span->period) :
		           found.sum / found.n);
		w_close(&c->w);
	}
	w_close(&c->w);
	w_close(&c->w);
}

static bool
write_query(struct call *c, int q, const struct span *span)
{
	const char *metric = form_getf(&c->form, "MetricQueries.member.%d.Metric", q),
	           *name = form_getf(&c->form, "MetricQueries.member.%d.GroupBy.Group", q),
	           *limit = form_getf(&c->form, "MetricQueries.member.%d.GroupBy.Limit", q);
	const struct group *g = find_group(name);
	struct load_key keys[MAX_KEYS];
	long most = limit ? strtol(limit, NULL, 10) : 10;

	if (strcmp(metric, "db.load.avg") != 0 && strcmp(metric, "db.sampledload.avg") != 0)
		return call_fail(c, 400, "InvalidArgumentException", "Unknown metric %s", metric);
	if (name && !g)
		return call_fail(
		    c, 400, "InvalidArgumentException", "Unknown dimension group %s", name);
	write_series(c, metric, span, NULL, NULL);
	if (!g)
		return true;
	int n = metrics_load(c->world, g->by, span->from, span->to, keys,
	    most > 0 && most < MAX_KEYS ? (int)most : MAX_KEYS);

	for (int k = 0; k < n; k++)
		write_series(c, metric, span, g, keys[k].text);
	return true;
}

static void
write_aligned(struct call *c, const struct span *span)
{
	w_time(&c->w, "AlignedStartTime", (struct wall){ span->from * 1000000 });
	w_time(&c->w, "AlignedEndTime", (struct wall){ span->to * 1000000 });
}

static void
get_resource_metrics(struct call *c)
{
	struct span span;

	if (!read_span(c, &span))
		return;
	write_aligned(c, &span);
	w_text(&c->w, "Identifier", form_get(&c->form, "Identifier"));
	w_list(&c->w, "MetricList", "member");
	for (int q = 1; form_getf(&c->form, "MetricQueries.member.%d.Metric", q); q++)
		if (!write_query(c, q, &span))
			return;
	w_close(&c->w);
}

static void
describe_dimension_keys(struct call *c)
{
	const struct group *g = find_group(form_get(&c->form, "GroupBy.Group"));
	struct load_key keys[MAX_KEYS];
	struct span span;
	int most = 10;

	if (!read_span(c, &span) || !call_int(c, "GroupBy.Limit", 1, MAX_KEYS, &most))
		return;
	if (!g) {
		call_fail(c, 400, "InvalidArgumentException", "Unknown dimension group");
		return;
	}
	write_aligned(c, &span);
	w_list(&c->w, "Keys", "member");
	int n = metrics_load(c->world, g->by, span.from, span.to, keys, most);

	for (int k = 0; k < n; k++) {
		w_open(&c->w, NULL);
		write_dimensions(c, g, keys[k].text);
		w_num(&c->w, "Total", keys[k].load);
		w_close(&c->w);
	}
	w_close(&c->w);
}

/* ---- what there is to ask for */

/* The whole text of a statement, by the id that its dimension has. */
static void
get_key_details(struct call *c)
{
	const struct group *g = find_group(form_get(&c->form, "Group"));
	const char *id = has_insights(c) ? call_need(c, "GroupIdentifier") : NULL, *found = NULL;
	struct load_key *keys;
	int64_t now = wall_now().us / 1000000;
	char hex[DIGEST_HEX];
	int n;

	if (!id)
		return;
	if (!g || g->by != DIM_SQL) {
		call_fail(
		    c, 400, "InvalidArgumentException", "Group must be a group of statements");
		return;
	}
	keys = xcalloc(MAX_DETAILS, sizeof(*keys));
	n = metrics_load(c->world, DIM_SQL, now - KEPT_S, now + 1, keys, MAX_DETAILS);
	for (int k = 0; k < n && !found; k++) {
		digest_sha256_hex(keys[k].text, strlen(keys[k].text), hex);
		if (strncmp(hex, id, 40) == 0 && strlen(id) == 40)
			found = keys[k].text;
	}
	free(keys);
	if (!found) {
		call_fail(
		    c, 400, "InvalidArgumentException", "There is no %s of id %s", g->name, id);
		return;
	}
	w_list(&c->w, "Dimensions", "member");
	w_open(&c->w, NULL);
	w_text(&c->w, "Value", found);
	w_text(&c->w, "Dimension", arena_printf(&c->request->arena, "%s.statement", g->name));
	w_text(&c->w, "Status", "AVAILABLE");
	w_close(&c->w);
	w_close(&c->w);
}

static void
get_metadata(struct call *c)
{
	if (!has_insights(c))
		return;
	w_text(&c->w, "Identifier", form_get(&c->form, "Identifier"));
	w_open(&c->w, "Features");
	w_open(&c->w, "SQL_DIGEST_STATISTICS");
	w_text(&c->w, "Status", "UNSUPPORTED");
	w_close(&c->w);
	w_close(&c->w);
}

static void
write_group(struct call *c, const struct group *g)
{
	static const char *const parts[DIMENSIONS][3] = {
		[DIM_WAIT] = { "name", "type", NULL },
		[DIM_USER] = { "name", NULL },
		[DIM_SQL] = { "id", "statement", NULL },
	};

	w_open(&c->w, NULL);
	w_text(&c->w, "Group", g->name);
	w_list(&c->w, "Dimensions", "member");
	for (int p = 0; parts[g->by][p]; p++) {
		w_open(&c->w, NULL);
		w_text(&c->w, "Identifier",
		    arena_printf(&c->request->arena, "%s.%s", g->name, parts[g->by][p]));
		w_close(&c->w);
	}
	w_close(&c->w);
	w_close(&c->w);
}

static void
list_dimensions(struct call *c)
{
	const char *metric;

	if (!has_insights(c))
		return;
	w_list(&c->w, "MetricDimensions", "member");
	for (int m = 1; (metric = form_getf(&c->form, "Metrics.member.%d", m)); m++) {
		if (strcmp(metric, "db.load") != 0)
			continue;
		w_open(&c->w, NULL);
		w_text(&c->w, "Metric", metric);
		w_list(&c->w, "Groups", "member");
		for (size_t g = 0; g < ARRAY_LEN(groups); g++)
			write_group(c, &groups[g]);
		w_close(&c->w);
		w_close(&c->w);
	}
	w_close(&c->w);
}

/* The load is all that the lab has, and that is in no list of metrics. */
static void
list_metrics(struct call *c)
{
	if (!has_insights(c))
		return;
	w_list(&c->w, "Metrics", "member");
	w_close(&c->w);
}

const struct action pi_actions[] = {
	{ "pi", "GetDimensionKeyDetails", get_key_details, NULL },
	{ "pi", "GetResourceMetadata", get_metadata, NULL },
	{ "pi", "ListAvailableResourceDimensions", list_dimensions, NULL },
	{ "pi", "ListAvailableResourceMetrics", list_metrics, NULL },
	{ "pi", "GetResourceMetrics", get_resource_metrics, NULL },
	{ "pi", "DescribeDimensionKeys", describe_dimension_keys, NULL },
	{ NULL, NULL, NULL, NULL },
};
