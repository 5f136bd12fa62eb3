/*
 * Performance Insights: database load by wait event, as average active sessions. Of the target that
 * is looked at only. At first the last three hours by the minute, then every 15 seconds the last
 * minutes by the second, put together to slices of 15 seconds; its own data are some seconds late.
 *
 * A row is one wait event in one slice. Slices without load have a row of load 0 and no event, so
 * that "idle" is told from "not known".
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rowset.h"
#include "collect/cloud_priv.h"

enum {
	MINUTE_S = 60,
	SLICE_S = 15,
	MINUTES = CLOUD_PAST_S / MINUTE_S + 5,
	SLICES = 15 * 60 / SLICE_S + 5, /* a quarter of an hour */
	EVENTS = 64,                    /* kinds that are told apart, ever */
	LIVE_S = 150,
	PAST_EVERY_S = 300,
	LIMIT = 10, /* wait events of one answer */
	MAX_PAGES = 20,
};

struct slice {
	int64_t at; /* seconds; 0 nothing */
	float load[EVENTS];
};

struct load_memory {
	struct {
		char type[40], name[80];
	} events[EVENTS]; /* the last: what no longer fits */
	int nevents;
	struct slice minutes[MINUTES], slices[SLICES];
	int64_t past_at; /* when the hours were last asked for */
};

void
cloud_load_release(struct load_memory *memory)
{
	free(memory);
}

static int
event_of(struct load_memory *memory, const char *type, const char *name)
{
	int i = 0;

	while (i < memory->nevents &&
	    (strcmp(memory->events[i].type, type) != 0 ||
	        strcmp(memory->events[i].name, name) != 0))
		i++;
	if (i == EVENTS)
		return EVENTS - 1;
	if (i == memory->nevents) {
		snprintf(memory->events[i].type, sizeof(memory->events[i].type), "%s", type);
		snprintf(memory->events[i].name, sizeof(memory->events[i].name), "%s", name);
		memory->nevents++;
	}
	return i;
}

/* ---- asking */

struct asking {
	struct load_memory *memory;
	int64_t from, to;
	int period_s;
	float *load; /* EVENTS of each period */
	bool *is_known;
};

/* The total has no dimensions: it says that a period is known. */
static void
take_series(struct asking *ask, const struct json *series)
{
	const struct json *dimensions = json_get(json_get(series, "Key"), "Dimensions");
	const char *type = json_text(json_get(dimensions, "db.wait_event.type")),
	           *name = json_text(json_get(dimensions, "db.wait_event.name"));
	int event = type || name ? event_of(ask->memory, type ? type : "", name ? name : "") : -1;
	const struct json *p = json_child(json_get(series, "DataPoints"));

	for (; p; p = json_next(p)) {
		struct wall at;
		double value;

		if (!aws_time(json_get(p, "Timestamp"), &at) ||
		    !aws_number(json_get(p, "Value"), &value))
			continue;
		int64_t i = (at.us / 1000000 - ask->from) / ask->period_s;

		if (at.us / 1000000 < ask->from || at.us / 1000000 >= ask->to)
			continue;
		ask->is_known[i] = true;
		if (event >= 0)
			ask->load[i * EVENTS + event] += (float)value;
	}
}

static bool
take_page(const struct aws_answer *answer, void *arg, struct error *err)
{
	const struct json *series = json_child(json_get(answer->json, "MetricList"));

	(void)err;
	for (; series; series = json_next(series))
		take_series(arg, series);
	return true;
}

static bool
ask_span(
    struct cloud_account *a, const struct cloud_member *m, struct asking *ask, struct error *err)
{
	struct strbuf body = STRBUF_INIT(4096);
	struct aws_call call = { .service = AWS_PI, .op = "GetResourceMetrics" };
	size_t n = (size_t)((ask->to - ask->from) / ask->period_s);
	bool ok;

	ask->load = xcalloc(n * EVENTS, sizeof(*ask->load));
	ask->is_known = xcalloc(n, sizeof(*ask->is_known));
	strbuf_adds(&body, "{\"ServiceType\":\"RDS\",\"Identifier\":");
	json_str(&body, m->resource_id, strlen(m->resource_id));
	strbuf_addf(&body,
	    ",\"StartTime\":%lld,\"EndTime\":%lld,\"PeriodInSeconds\":%d,\"MetricQueries\":[{"
	    "\"Metric\":\"db.load.avg\",\"GroupBy\":{\"Group\":\"db.wait_event\",\"Limit\":%d}}]}",
	    (long long)ask->from, (long long)ask->to, ask->period_s, LIMIT);
	call.json = body.buf;
	ok = cloud_json_pages(a, &call, MAX_PAGES, NULL, take_page, ask, err);
	strbuf_release(&body);
	return ok;
}

static void
end_asking(struct asking *ask)
{
	free(ask->load);
	free(ask->is_known);
}

static bool
ask_past(struct cloud_account *a, struct cloud_member *m, int64_t now, struct error *err)
{
	struct asking ask = { .memory = m->load, .period_s = MINUTE_S };
	bool ok;

	ask.to = now / MINUTE_S * MINUTE_S;
	ask.from = ask.to - CLOUD_PAST_S;
	ok = ask_span(a, m, &ask, err);
	for (int64_t t = ask.from; ok && t < ask.to; t += MINUTE_S) {
		struct slice *s = &m->load->minutes[t / MINUTE_S % MINUTES];
		int64_t i = (t - ask.from) / MINUTE_S;

		if (!ask.is_known[i])
			continue;
		s->at = t;
		memcpy(s->load, ask.load + i * EVENTS, sizeof(s->load));
	}
	end_asking(&ask);
	return ok;
}

/* Whole slices only, of which most seconds are known. */
static bool
ask_live(struct cloud_account *a, struct cloud_member *m, int64_t now, struct error *err)
{
	struct asking ask = { .memory = m->load, .period_s = 1 };
	bool ok;

	ask.to = now / SLICE_S * SLICE_S;
	ask.from = ask.to - LIVE_S;
	ok = ask_span(a, m, &ask, err);
	for (int64_t t = ask.from; ok && t < ask.to; t += SLICE_S) {
		struct slice *s = &m->load->slices[t / SLICE_S % SLICES];
		float sum[EVENTS] = { 0 };
		int known = 0;

		for (int64_t i = t - ask.from; i < t - ask.from + SLICE_S; i++) {
			known += ask.is_known[i];
			for (int e = 0; e < EVENTS; e++)
				sum[e] += ask.load[i * EVENTS + e];
		}
		if (known * 2 < SLICE_S)
			continue;
		s->at = t;
		for (int e = 0; e < EVENTS; e++)
			s->load[e] = sum[e] / (float)known;
	}
	end_asking(&ask);
	return ok;
}

/* ---- posting */

static struct cell *
add_row(struct rowset *rows, int64_t at, int width, double load)
{
	struct cell *c = rowset_add(rows);

	c[0] = cell_time(at * 1000000);
	c[1] = cell_float(width);
	c[4] = cell_float(load);
	return c;
}

static void
add_slice(struct rowset *rows, const struct load_memory *memory, const struct slice *s, int width)
{
	int before = rows->nrows;

	for (int e = 0; e < memory->nevents; e++) {
		if (s->load[e] <= 0)
			continue;
		struct cell *c = add_row(rows, s->at, width, (double)s->load[e]);

		c[2] = cell_text(arena_strdup(&rows->arena, memory->events[e].type));
		c[3] = cell_text(arena_strdup(&rows->arena, memory->events[e].name));
	}
	if (rows->nrows == before)
		add_row(rows, s->at, width, 0);
}

static struct rowset *
rows_of(const struct load_memory *memory, const struct slice *slices, int n, int width,
    int64_t from, int64_t to)
{
	static const char *const names[] = { "time", "seconds", "type", "event", "aas" };
	static const uint8_t types[] = { CELL_TIME, CELL_FLOAT, CELL_TEXT, CELL_TEXT, CELL_FLOAT };
	struct rowset *rows = rowset_new((int)ARRAY_LEN(names), names, types);

	for (int64_t t = from / width * width; t < to; t += width) {
		const struct slice *s = &slices[t / width % n];

		if (s->at == t)
			add_slice(rows, memory, s, width);
	}
	return rows;
}

bool
cloud_load_run(struct cloud_account *a, struct cloud_member *m, struct error *err)
{
	int64_t now = cloud_clock(a);
	const struct xml *x = cloud_instance_of(m);

	if (!*m->resource_id)
		return error_set(err, ERR_UNSUPPORTED, "the instance is not known");
	if (x && !xml_true(x, "PerformanceInsightsEnabled")) {
		error_set(err, ERR_UNSUPPORTED, "Performance Insights is off for %s", m->id);
		return error_hint(err, "`insights on` switches it on.");
	}
	if (!m->load)
		m->load = xcalloc(1, sizeof(*m->load));
	if (now - m->load->past_at >= PAST_EVERY_S) {
		if (!ask_past(a, m, now, err))
			return false;
		m->load->past_at = now;
		cloud_post(m, PROBE_CLOUD_LOAD_PAST,
		    rows_of(m->load, m->load->minutes, MINUTES, MINUTE_S, now - CLOUD_PAST_S, now));
	}
	if (!ask_live(a, m, now, err))
		return false;
	cloud_post(m, PROBE_CLOUD_LOAD,
	    rows_of(m->load, m->load->slices, SLICES, SLICE_S, now - 900, now));
	return true;
}
