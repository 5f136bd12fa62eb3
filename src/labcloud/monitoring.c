/* CloudWatch: metric data and alarms, as JSON 1.0 and in the Query protocol. */
#include "config.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labcloud/call.h"
#include "labcloud/metrics.h"

#define CW_NAMESPACE "http://monitoring.amazonaws.com/doc/2010-08-01/"

enum { MAX_ALARMS = 50, MAX_POINTS = 2000, PAGE_OF_METRICS = 500, KEPT_S = 3 * 3600 };

struct alarm {
	char name[256], instance[ID_SIZE], metric[64], statistic[24], comparison[48], missing[24];
	char description[256], action[256];
	double threshold;
	int period, periods, to_alarm;
	const char *state;
	struct wall updated;
};

struct alarms {
	struct alarm items[MAX_ALARMS];
	int n;
};

/* ---- metric data */

/* One value of a statistic; false: there was no data. */
static bool
statistic(const struct metric_span *s, const char *name, double *value)
{
	*value = strcmp(name, "Sum") == 0    ? s->sum :
	    strcmp(name, "Minimum") == 0     ? s->min :
	    strcmp(name, "Maximum") == 0     ? s->max :
	    strcmp(name, "SampleCount") == 0 ? s->n :
	    s->n                             ? s->sum / s->n :
	                                       0;
	return s->n > 0;
}

/* The instance among the dimensions of a metric that is given at `prefix`. */
static const char *
dimension_of(const struct call *c, const char *prefix)
{
	for (int d = 1; d <= 30; d++) {
		const char *name = form_getf(&c->form, "%s.member.%d.Name", prefix, d);

		if (!name)
			return NULL;
		if (strcmp(name, "DBInstanceIdentifier") == 0)
			return form_getf(&c->form, "%s.member.%d.Value", prefix, d);
	}
	return NULL;
}

struct span {
	struct wall from, to;
	int first, most; /* of the points: of this page */
	bool is_ascending;
};

/* Timestamps or values of one query; returns whether there are more than fit. */
static bool
write_points(struct call *c, enum metric metric, const struct span *span, int period,
    const char *stat, bool as_times)
{
	int64_t begin = span->from.us / 1000000 / period * period, end = span->to.us / 1000000;
	int64_t now = wall_now().us / 1000000;
	int n = 0;

	/* Nothing is older than what is kept. */
	if (begin < now - KEPT_S)
		begin = (now - KEPT_S) / period * period;
	if (end > now + 1)
		end = now + 1;
	int count = end > begin ? (int)((end - begin + period - 1) / period) : 0;

	for (int i = 0; i < count; i++) {
		int64_t at = begin + (int64_t)(span->is_ascending ? i : count - 1 - i) * period;
		struct metric_span found = metrics_span(c->world, metric, at, at + period);
		double value;

		if (!statistic(&found, stat, &value) || n++ < span->first)
			continue;
		if (n > span->first + span->most)
			return true;
		if (as_times)
			w_time(&c->w, NULL, (struct wall){ at * 1000000 });
		else
			w_num(&c->w, NULL, value);
	}
	return false;
}

/* False and failed: the query is wrong. */
static bool
write_query(struct call *c, int q, const struct span *span, bool *has_more)
{
	const char *id = form_getf(&c->form, "MetricDataQueries.member.%d.Id", q),
	           *name = form_getf(
	               &c->form, "MetricDataQueries.member.%d.MetricStat.Metric.MetricName", q),
	           *stat = form_getf(&c->form, "MetricDataQueries.member.%d.MetricStat.Stat", q),
	           *text = form_getf(&c->form, "MetricDataQueries.member.%d.MetricStat.Period", q),
	           *label = form_getf(&c->form, "MetricDataQueries.member.%d.Label", q);
	const char *instance = dimension_of(c,
	    arena_printf(
	        &c->request->arena, "MetricDataQueries.member.%d.MetricStat.Metric.Dimensions", q));
	long period = text ? strtol(text, NULL, 10) : 0;

	if (!name || !stat ||
	    (period != 1 && period != 5 && period != 10 && period != 30 &&
	        (period <= 0 || period % 60 != 0)))
		return call_fail(c, 400, "ValidationError",
		    "The query %s needs a metric, a statistic and a period of 1, 5, 10, 30 or a multiple of 60.",
		    id);
	enum metric metric = metric_find(name);

	w_open(&c->w, NULL);
	w_text(&c->w, "Id", id);
	w_text(&c->w, "Label", label ? label : name);
	bool is_known = metric != METRICS && instance && world_instance(c->world, instance) != NULL;

	w_list(&c->w, "Timestamps", "member");
	if (is_known)
		*has_more |= write_points(c, metric, span, (int)period, stat, true);
	w_close(&c->w);
	w_list(&c->w, "Values", "member");
	if (is_known)
		write_points(c, metric, span, (int)period, stat, false);
	w_close(&c->w);
	w_text(&c->w, "StatusCode", "Complete");
	w_close(&c->w);
	return true;
}

static bool
read_span(struct call *c, struct span *span)
{
	const char *from = call_need(c, "StartTime"), *to = from ? call_need(c, "EndTime") : NULL,
	           *order = form_get(&c->form, "ScanBy"), *token = form_get(&c->form, "NextToken");
	int64_t tiny = 0;

	*span = (struct span){ .most = MAX_POINTS,
		.is_ascending = order && strcmp(order, "TimestampAscending") == 0 };
	if (!to)
		return false;
	if (!wall_parse(from, &span->from) || !wall_parse(to, &span->to) ||
	    span->to.us <= span->from.us)
		return call_fail(c, 400, "ValidationError", "The times are not a span.");
	if (fault_peek(&c->world->faults, FAULT_PAGE, c->action, &tiny) && tiny > 0)
		span->most = (int)tiny;
	if (token && strncmp(token, "lab/", 4) != 0)
		return call_fail(c, 400, "InvalidNextToken", "The token %s is invalid.", token);
	span->first = token ? (int)strtol(token + 4, NULL, 16) : 0;
	return true;
}

static void
get_metric_data(struct call *c)
{
	bool has_more = false;
	struct span span;

	if (!read_span(c, &span))
		return;
	w_list(&c->w, "MetricDataResults", "member");
	for (int q = 1; form_getf(&c->form, "MetricDataQueries.member.%d.Id", q); q++)
		if (!write_query(c, q, &span, &has_more))
			return;
	w_close(&c->w);
	if (has_more)
		w_text(&c->w, "NextToken",
		    arena_printf(&c->request->arena, "lab/%x", span.first + span.most));
	w_list(&c->w, "Messages", "member");
	w_close(&c->w);
}

/* ---- which metrics there are */

static bool
is_wanted(const struct call *c, const char *metric, const char *instance)
{
	const char *name = form_get(&c->form, "MetricName"),
	           *namespace = form_get(&c->form, "Namespace"),
	           *dimension = form_get(&c->form, "Dimensions.member.1.Name"),
	           *value = form_get(&c->form, "Dimensions.member.1.Value");

	return (!namespace || strcmp(namespace, "AWS/RDS") == 0) &&
	    (!name || strcmp(name, metric) == 0) &&
	    (!dimension || strcmp(dimension, "DBInstanceIdentifier") == 0) &&
	    (!value || strcmp(value, instance) == 0);
}

static void
list_metrics(struct call *c)
{
	const char *token = form_get(&c->form, "NextToken");
	int first = token && strncmp(token, "lab/", 4) == 0 ? (int)strtol(token + 4, NULL, 16) : 0;
	int64_t most = PAGE_OF_METRICS;
	int n = 0;

	fault_peek(&c->world->faults, FAULT_PAGE, c->action, &most);
	w_list(&c->w, "Metrics", "member");
	for (int i = 0; i < c->world->ninstances * METRICS; i++) {
		const char *instance = c->world->instances[i / METRICS].id,
		           *metric = metric_name((enum metric)(i % METRICS));

		if (!is_wanted(c, metric, instance) || n++ < first || n > first + most)
			continue;
		w_open(&c->w, NULL);
		w_text(&c->w, "Namespace", "AWS/RDS");
		w_text(&c->w, "MetricName", metric);
		w_list(&c->w, "Dimensions", "member");
		w_open(&c->w, NULL);
		w_text(&c->w, "Name", "DBInstanceIdentifier");
		w_text(&c->w, "Value", instance);
		w_close(&c->w);
		w_close(&c->w);
		w_close(&c->w);
	}
	w_close(&c->w);
	if (n > first + most)
		w_text(&c->w, "NextToken",
		    arena_printf(&c->request->arena, "lab/%x", (unsigned)(first + most)));
}

/* ---- alarms */

static struct alarms *
alarms(struct world *w)
{
	if (!w->alarms)
		w->alarms = xcalloc(1, sizeof(*w->alarms));
	return w->alarms;
}

static bool
breaches(const struct alarm *a, double v)
{
	bool is_greater = strncmp(a->comparison, "Greater", 7) == 0;

	if (strstr(a->comparison, "OrEqual") && v == a->threshold)
		return true;
	return is_greater ? v > a->threshold : v < a->threshold;
}

/* M of the last N periods. */
static void
evaluate(const struct world *w, struct alarm *a)
{
	int64_t now = wall_now().us / 1000000;
	int breaching = 0, seen = 0;
	enum metric metric = metric_find(a->metric);

	for (int p = 1; p <= a->periods && metric != METRICS; p++) {
		int64_t from = now - (int64_t)p * a->period;
		struct metric_span span = metrics_span(w, metric, from, from + a->period);
		double value;

		if (statistic(&span, a->statistic, &value)) {
			seen++;
			breaching += breaches(a, value);
		} else {
			breaching += strcmp(a->missing, "breaching") == 0;
		}
	}
	const char *state = breaching >= a->to_alarm        ? "ALARM" :
	    seen || strcmp(a->missing, "notBreaching") == 0 ? "OK" :
	                                                      "INSUFFICIENT_DATA";

	if (strcmp(state, a->state) != 0) {
		a->state = state;
		a->updated = wall_now();
	}
}

static bool
read_alarm(struct call *c, struct alarm *a)
{
	const struct {
		const char *name;
		char *to;
		size_t size;
	} texts[] = { { "AlarmName", a->name, sizeof(a->name) },
		{ "MetricName", a->metric, sizeof(a->metric) },
		{ "ComparisonOperator", a->comparison, sizeof(a->comparison) } };
	const char *stat = form_get(&c->form, "Statistic"),
	           *missing = form_get(&c->form, "TreatMissingData"),
	           *threshold = call_need(c, "Threshold"),
	           *about = form_get(&c->form, "AlarmDescription"),
	           *action = form_get(&c->form, "AlarmActions.member.1"),
	           *instance = dimension_of(c, "Dimensions");

	for (size_t t = 0; threshold && t < ARRAY_LEN(texts); t++) {
		const char *value = call_need(c, texts[t].name);

		if (!value)
			return false;
		snprintf(texts[t].to, texts[t].size, "%s", value);
	}
	a->period = 60;
	a->periods = 1;
	if (!threshold || !call_int(c, "Period", 1, 86400, &a->period) ||
	    !call_int(c, "EvaluationPeriods", 1, 1440, &a->periods))
		return false;
	a->to_alarm = a->periods;
	if (!call_int(c, "DatapointsToAlarm", 1, a->periods, &a->to_alarm))
		return false;
	if (strcmp(a->comparison, "GreaterThanThreshold") != 0 &&
	    strcmp(a->comparison, "GreaterThanOrEqualToThreshold") != 0 &&
	    strcmp(a->comparison, "LessThanThreshold") != 0 &&
	    strcmp(a->comparison, "LessThanOrEqualToThreshold") != 0)
		return call_fail(c, 400, "ValidationError",
		    "Value '%s' at 'comparisonOperator' failed to satisfy constraint",
		    a->comparison);
	a->threshold = strtod(threshold, NULL);
	snprintf(a->statistic, sizeof(a->statistic), "%s", stat ? stat : "Average");
	snprintf(a->missing, sizeof(a->missing), "%s", missing ? missing : "missing");
	snprintf(a->description, sizeof(a->description), "%s", about ? about : "");
	snprintf(a->action, sizeof(a->action), "%s", action ? action : "");
	snprintf(a->instance, sizeof(a->instance), "%s", instance ? instance : "");
	return true;
}

/* What is not there is no error. */
static void
delete_alarms(struct call *c)
{
	struct alarms *all = alarms(c->world);
	const char *name;

	for (int n = 1; (name = form_getf(&c->form, "AlarmNames.member.%d", n)); n++)
		for (int i = 0; i < all->n; i++)
			if (strcmp(all->items[i].name, name) == 0) {
				all->items[i] = all->items[--all->n];
				break;
			}
}

static void
put_metric_alarm(struct call *c)
{
	struct alarm made = { .state = "INSUFFICIENT_DATA", .updated = wall_now() };
	struct alarms *all = alarms(c->world);
	int i = 0;

	if (!read_alarm(c, &made))
		return;
	while (i < all->n && strcmp(all->items[i].name, made.name) != 0)
		i++;
	if (i == MAX_ALARMS) {
		call_fail(c, 400, "LimitExceeded", "The quota for alarms has been reached.");
		return;
	}
	all->items[i] = made;
	if (i == all->n)
		all->n++;
}

static void
write_alarm(struct call *c, const struct alarm *a)
{
	struct writer *w = &c->w;

	w_open(w, NULL);
	w_text(w, "AlarmName", a->name);
	w_text(w, "AlarmArn",
	    arena_printf(&c->request->arena, "arn:aws:cloudwatch:%s:%s:alarm:%s",
	        c->world->options.region, c->world->options.account, a->name));
	w_text(w, "AlarmDescription", *a->description ? a->description : NULL);
	w_bool(w, "ActionsEnabled", true);
	w_list(w, "AlarmActions", "member");
	if (*a->action)
		w_text(w, NULL, a->action);
	w_close(w);
	w_text(w, "StateValue", a->state);
	w_text(w, "StateReason",
	    arena_printf(&c->request->arena,
	        "Evaluated %d periods of %d s against the threshold (%g).", a->periods, a->period,
	        a->threshold));
	w_time(w, "StateUpdatedTimestamp", a->updated);
	w_text(w, "Namespace", "AWS/RDS");
	w_text(w, "MetricName", a->metric);
	w_text(w, "Statistic", a->statistic);
	w_list(w, "Dimensions", "member");
	if (*a->instance) {
		w_open(w, NULL);
		w_text(w, "Name", "DBInstanceIdentifier");
		w_text(w, "Value", a->instance);
		w_close(w);
	}
	w_close(w);
	w_int(w, "Period", a->period);
	w_int(w, "EvaluationPeriods", a->periods);
	w_int(w, "DatapointsToAlarm", a->to_alarm);
	w_num(w, "Threshold", a->threshold);
	w_text(w, "ComparisonOperator", a->comparison);
	w_text(w, "TreatMissingData", a->missing);
	w_close(w);
}

static void
describe_alarms(struct call *c)
{
	const char *prefix = form_get(&c->form, "AlarmNamePrefix"),
	           *state = form_get(&c->form, "StateValue"), *name;
	bool is_named = form_has(&c->form, "AlarmNames.member");
	struct alarms *all = alarms(c->world);

	w_list(&c->w, "MetricAlarms", "member");
	for (int i = 0; i < all->n; i++) {
		struct alarm *a = &all->items[i];
		bool is_wanted = !is_named;

		evaluate(c->world, a);
		for (int n = 1; (name = form_getf(&c->form, "AlarmNames.member.%d", n)); n++)
			is_wanted |= strcmp(name, a->name) == 0;
		if (is_wanted && (!prefix || strncmp(prefix, a->name, strlen(prefix)) == 0) &&
		    (!state || strcmp(state, a->state) == 0))
			write_alarm(c, a);
	}
	w_close(&c->w);
	w_list(&c->w, "CompositeAlarms", "member");
	w_close(&c->w);
}

const struct action monitoring_actions[] = {
	{ "monitoring", "GetMetricData", get_metric_data, CW_NAMESPACE },
	{ "monitoring", "ListMetrics", list_metrics, CW_NAMESPACE },
	{ "monitoring", "PutMetricAlarm", put_metric_alarm, CW_NAMESPACE },
	{ "monitoring", "DeleteAlarms", delete_alarms, CW_NAMESPACE },
	{ "monitoring", "DescribeAlarms", describe_alarms, CW_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
