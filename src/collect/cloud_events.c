/*
 * What RDS says has happened, and the alarms of CloudWatch: one call each for the account, of which
 * each target gets its own. Events have no id: the same time, source and message is the same event.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/rowset.h"
#include "collect/cloud_priv.h"
#include "model/alarm_rule.h"

enum { MAX_EVENTS = 1000, FIRST_MIN = CLOUD_PAST_S / 60, OVERLAP_MIN = 5, MOST_MIN = 14 * 1440 };
enum { ALARM_PAGES = 50, ALARM_PAGE = 100 };

struct event_memory {
	struct kept_event {
		int64_t at; /* microseconds */
		char *source, *type, *message, *category;
	} items[MAX_EVENTS]; /* by time */
	int n;
	struct mono asked;
};

static void
free_event(struct kept_event *e)
{
	free(e->source);
	free(e->type);
	free(e->message);
	free(e->category);
}

void
cloud_events_release(struct event_memory *memory)
{
	for (int i = 0; memory && i < memory->n; i++)
		free_event(&memory->items[i]);
	free(memory);
}

/* In its place by time, unless it is there; the oldest makes room. */
static void
keep(struct event_memory *memory, const struct xml *x)
{
	const char *source = xml_text(x, "SourceIdentifier"), *message = xml_text(x, "Message");
	const struct xml *category = xml_get(x, "EventCategories");
	struct wall t;
	int place = memory->n;

	if (!wall_parse(xml_text(x, "Date"), &t))
		return;
	for (int i = 0; i < memory->n; i++) {
		const struct kept_event *e = &memory->items[i];

		if (e->at == t.us && strcmp(e->source, source) == 0 &&
		    strcmp(e->message, message) == 0)
			return;
	}
	if (memory->n == MAX_EVENTS) {
		free_event(&memory->items[0]);
		memmove(
		    memory->items, memory->items + 1, (MAX_EVENTS - 1) * sizeof(memory->items[0]));
		place = --memory->n;
	}
	while (place > 0 && memory->items[place - 1].at > t.us) {
		memory->items[place] = memory->items[place - 1];
		place--;
	}
	memory->items[place] = (struct kept_event){ t.us, xstrdup(source),
		xstrdup(xml_text(x, "SourceType")), xstrdup(message),
		xstrdup(category && category->child ? category->child->text : "") };
	memory->n++;
}

struct relation {
	const char *source, *cluster;
	bool is_related;
};

static bool
look_related(const struct xml *x, void *arg)
{
	struct relation *r = arg;

	r->is_related = strcasecmp(xml_text(x, "DBInstanceIdentifier"), r->source) == 0 &&
	    strcasecmp(xml_text(x, "DBClusterIdentifier"), r->cluster) == 0;
	return !r->is_related;
}

/* Does an event of this source concern the member: its instance, cluster, others of the cluster,
 * its parameter group, its automated snapshots? */
static bool
concerns(const struct cloud_member *m, const char *source)
{
	struct relation r = { .source = source, .cluster = m->cluster_id };
	const char *group = xml_text(
	    cloud_instance_of(m), "DBParameterGroups/DBParameterGroup/DBParameterGroupName");
	size_t len = strlen(m->id);

	if (!*m->id || !*source)
		return false;
	if (strcasecmp(source, m->id) == 0 || strcasecmp(source, m->cluster_id) == 0 ||
	    strcasecmp(source, group) == 0)
		return true;
	if (strncasecmp(source, "rds:", 4) == 0 && strncasecmp(source + 4, m->id, len) == 0 &&
	    source[4 + len] == '-')
		return true;
	if (*m->cluster_id)
		cloud_each(&m->account->instances, "DBInstances", look_related, &r);
	return r.is_related;
}

static struct cell
kept_text(struct rowset *rows, const char *s)
{
	return s && *s ? cell_text(arena_strdup(&rows->arena, s)) : cell_null(WHY_NONE);
}

static void
tell_events(struct cloud_member *m)
{
	static const char *const names[] = { "time", "source", "source_type", "category",
		"message" };
	static const uint8_t types[] = { CELL_TIME, CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_TEXT };
	const struct event_memory *memory = m->account->events;
	struct rowset *rows = rowset_new((int)ARRAY_LEN(names), names, types);

	for (int i = 0; i < memory->n; i++) {
		const struct kept_event *e = &memory->items[i];

		if (!concerns(m, e->source))
			continue;
		struct cell *c = rowset_add(rows);

		c[0] = cell_time(e->at);
		c[1] = kept_text(rows, e->source);
		c[2] = kept_text(rows, e->type);
		c[3] = kept_text(rows, e->category);
		c[4] = kept_text(rows, e->message);
	}
	cloud_post(m, PROBE_CLOUD_EVENTS, rows);
}

static bool
keep_event(const struct xml *x, void *arg)
{
	keep(arg, x);
	return true;
}

bool
cloud_events_run(struct cloud_account *a, struct cloud_member *m, struct error *err)
{
	struct cloud_listing events = { .n = 0 };
	struct mono now = mono_now();
	int64_t minutes = FIRST_MIN;
	char text[24];

	if (!a->events)
		a->events = xcalloc(1, sizeof(*a->events));
	if (a->events->asked.us)
		minutes = (now.us - a->events->asked.us) / 60000000 + OVERLAP_MIN;
	snprintf(text, sizeof(text), "%lld", (long long)(minutes < MOST_MIN ? minutes : MOST_MIN));
	struct aws_param params[] = { { "Duration", text }, { NULL, NULL } };

	if (!cloud_list(a, "DescribeEvents", params, &events, err))
		return false;
	a->events->asked = now;
	cloud_each(&events, "Events", keep_event, a->events);
	cloud_listing_release(&events);
	for (m = cloud_members(a); m; m = m->next)
		tell_events(m);
	return true;
}

/* ---- alarms */

static const char *const alarm_names[] = { "name", "state", "instance", "metric", "statistic",
	"comparison", "threshold", "period_s", "reason", "changed", "notifies", "rule" };
static const uint8_t alarm_types[] = { CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_TEXT,
	CELL_TEXT, CELL_FLOAT, CELL_FLOAT, CELL_TEXT, CELL_TIME, CELL_BOOL, CELL_TEXT };
enum { ALARM_NAME, ALARM_INSTANCE = 2, ALARM_REASON = 8, ALARM_RULE = 11 };

/* The instance or cluster among dimensions; NULL: none. */
static const char *
identifier_in(const struct json *dimensions)
{
	for (const struct json *d = json_child(dimensions); d; d = json_next(d)) {
		const char *name = json_text(json_get(d, "Name"));

		if (name &&
		    (strcmp(name, "DBInstanceIdentifier") == 0 ||
		        strcmp(name, "DBClusterIdentifier") == 0))
			return json_text(json_get(d, "Value"));
	}
	return NULL;
}

/* Of the alarm, or of the first metric of an expression that has one. */
static const char *
watched(const struct json *alarm)
{
	const char *id = identifier_in(json_get(alarm, "Dimensions"));
	const struct json *q = json_child(json_get(alarm, "Metrics"));

	for (; q && !id; q = json_next(q))
		id = identifier_in(
		    json_get(json_get(json_get(q, "MetricStat"), "Metric"), "Dimensions"));
	return id;
}

struct alarms {
	struct rowset *rows; /* of all; "instance" says whose */
};

/* What both kinds of alarms have. */
static struct cell *
add_alarm(struct rowset *rows, const struct json *alarm)
{
	const struct json *enabled = json_get(alarm, "ActionsEnabled");
	const char *text = json_text(enabled);
	bool is_off = enabled && (text ? strcmp(text, "true") != 0 : !json_true(enabled));
	struct cell *c = rowset_add(rows);
	struct wall t;

	c[ALARM_NAME] = kept_text(rows, json_text(json_get(alarm, "AlarmName")));
	c[1] = kept_text(rows, json_text(json_get(alarm, "StateValue")));
	c[ALARM_REASON] = kept_text(rows, json_text(json_get(alarm, "StateReason")));
	if (aws_time(json_get(alarm, "StateUpdatedTimestamp"), &t))
		c[9] = cell_time(t.us);
	c[10] = cell_bool(json_child(json_get(alarm, "AlarmActions")) != NULL && !is_off);
	return c;
}

static void
add_metric_alarm(struct rowset *rows, const struct json *alarm)
{
	const char *id = watched(alarm), *statistic;
	double number;

	if (!id || !*id)
		return;
	struct cell *c = add_alarm(rows, alarm);

	statistic = json_text(json_get(alarm, "Statistic"));
	if (!statistic)
		statistic = json_text(json_get(alarm, "ExtendedStatistic"));
	c[ALARM_INSTANCE] = kept_text(rows, id);
	c[3] = kept_text(rows, json_text(json_get(alarm, "MetricName")));
	c[4] = kept_text(rows, statistic);
	c[5] = kept_text(rows, json_text(json_get(alarm, "ComparisonOperator")));
	if (aws_number(json_get(alarm, "Threshold"), &number))
		c[6] = cell_float(number);
	if (aws_number(json_get(alarm, "Period"), &number))
		c[7] = cell_float(number);
}

static bool
take_alarms(const struct aws_answer *answer, void *arg, struct error *err)
{
	struct rowset *rows = ((struct alarms *)arg)->rows;
	const struct json *alarm = json_child(json_get(answer->json, "MetricAlarms"));

	(void)err;
	for (; alarm; alarm = json_next(alarm))
		add_metric_alarm(rows, alarm);
	alarm = json_child(json_get(answer->json, "CompositeAlarms"));
	for (; alarm; alarm = json_next(alarm)) {
		const char *rule = json_text(json_get(alarm, "AlarmRule"));

		if (rule && *rule)
			add_alarm(rows, alarm)[ALARM_RULE] = kept_text(rows, rule);
	}
	return true;
}

/* Does a rule ask for one of the alarms that are the member's? */
static bool
asks_for_ours(const struct rowset *all, const bool *ours, const char *rule)
{
	char name[ALARM_NAME_MAX];

	for (const char *at = rule; alarm_rule_next(&at, name);)
		for (int i = 0; i < all->nrows; i++) {
			const struct cell *its = &rowset_row(all, i)[ALARM_NAME];

			if (ours[i] && cell_is(its, name))
				return true;
		}
	return false;
}

/* Those of metrics by what they watch; composite ones by the alarms that their rule has, which may
 * be composite as well. */
static void
find_ours(const struct cloud_member *m, const struct rowset *all, bool *ours)
{
	bool is_new = true;

	for (int i = 0; i < all->nrows; i++) {
		const struct cell *id = &rowset_row(all, i)[ALARM_INSTANCE];

		ours[i] = id->type == CELL_TEXT && concerns(m, id->s);
	}
	while (is_new) {
		is_new = false;
		for (int i = 0; i < all->nrows; i++) {
			const struct cell *rule = &rowset_row(all, i)[ALARM_RULE];

			if (ours[i] || rule->type != CELL_TEXT ||
			    !asks_for_ours(all, ours, rule->s))
				continue;
			ours[i] = is_new = true;
		}
	}
}

static void
tell_alarms(struct cloud_member *m, const struct rowset *all, bool is_cut)
{
	struct rowset *rows = rowset_new((int)ARRAY_LEN(alarm_names), alarm_names, alarm_types);
	bool *ours = xcalloc((size_t)all->nrows + 1, sizeof(*ours));

	find_ours(m, all, ours);
	for (int i = 0; i < all->nrows; i++) {
		const struct cell *from = rowset_row(all, i);
		struct cell *to;

		if (!ours[i])
			continue;
		to = rowset_add(rows);
		for (int k = 0; k < all->ncols; k++) {
			to[k] = from[k];
			if (to[k].type == CELL_TEXT)
				to[k] = kept_text(rows, from[k].s);
		}
		if (to[ALARM_INSTANCE].type != CELL_TEXT)
			to[ALARM_INSTANCE] = kept_text(rows, m->id);
	}
	/* A row without a name: the list is not whole. */
	if (is_cut)
		rowset_add(rows)[ALARM_REASON] = cell_text(arena_printf(
		    &rows->arena, "only the first %d alarms were read", ALARM_PAGES * ALARM_PAGE));
	free(ours);
	cloud_post(m, PROBE_CLOUD_ALARMS, rows);
}

bool
cloud_alarms_run(struct cloud_account *a, struct cloud_member *m, struct error *err)
{
	char body[96];
	struct aws_call call = { .service = AWS_CLOUDWATCH, .op = "DescribeAlarms", .json = body };
	struct alarms alarms;
	bool ok, more = false;

	/* Composite ones come only to those who ask for both. */
	snprintf(body, sizeof(body),
	    "{\"MaxRecords\":%d,\"AlarmTypes\":[\"MetricAlarm\",\"CompositeAlarm\"]}", ALARM_PAGE);
	alarms.rows = rowset_new((int)ARRAY_LEN(alarm_names), alarm_names, alarm_types);
	ok = cloud_json_pages(a, &call, ALARM_PAGES, &more, take_alarms, &alarms, err);
	for (m = cloud_members(a); ok && m; m = m->next)
		tell_alarms(m, alarms.rows, more);
	rowset_unref(alarms.rows);
	return ok;
}
