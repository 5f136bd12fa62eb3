/* The alarms as they are in CloudWatch, and what takes back `alarm put`. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/json.h"
#include "ops/rds_alarm.h"
#include "ops/rds_alarm_priv.h"
#include "ops/rds_modify.h"

enum { PERIOD_S = 300 };

const struct alarm_def alarm_defs[ALARMS] = {
	{ "cpu", "CPUUtilization", "GreaterThanThreshold", ">", "CPU in percent", 3 },
	{ "storage", "FreeStorageSpace", "LessThanThreshold", "<", "bytes of storage that are free",
	    1 },
	{ "connections", "DatabaseConnections", "GreaterThanThreshold", ">",
	    "connections, of max_connections", 3 },
};

/* Aurora's storage is not of an instance; its local disk, for sorts and logs, is. */
const char *
alarm_metric(const struct alarms *a, int i)
{
	return a->is_aurora && strcmp(alarm_defs[i].what, "storage") == 0 ? "FreeLocalStorage" :
	                                                                    alarm_defs[i].metric;
}

const char *
alarm_name(struct op *op, const struct alarms *a, int i)
{
	return arena_printf(&op->arena, "%s-%s", a->instance, alarm_defs[i].what);
}

const char *
alarm_threshold_text(int i, double v, char *buf, size_t size)
{
	if (strcmp(alarm_defs[i].what, "storage") == 0)
		return fmt_bytes(buf, size, v);
	snprintf(buf, size, "%.15g%s", v, strcmp(alarm_defs[i].what, "cpu") == 0 ? " %" : "");
	return buf;
}

const char *
alarm_before(struct op *op, int i)
{
	return arena_printf(&op->arena, "%s.before", alarm_defs[i].what);
}

void
alarms_recall(struct op *op, struct alarms *a)
{
	*a = (struct alarms){ .instance = op_fact(op, "instance"),
		.sns = op_fact(op, "sns"),
		.is_aurora = op_fact_int(op, "is_aurora", 0) != 0 };
	for (int i = 0; i < ALARMS; i++)
		a->threshold[i] = op_fact_num(op, alarm_defs[i].what, 0);
}

static void
member(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	json_str(out, value, strlen(value));
}

void
alarm_write(struct op *op, const struct alarms *a, int i, struct strbuf *out)
{
	char text[64];
	bool first = true, one = true;

	strbuf_addc(out, '{');
	member(out, &first, "AlarmName", alarm_name(op, a, i));
	member(out, &first, "AlarmDescription",
	    arena_printf(&op->arena, "%s: %s %s, put by pgmedic", alarm_defs[i].why,
	        alarm_defs[i].sign, alarm_threshold_text(i, a->threshold[i], text, sizeof(text))));
	member(out, &first, "Namespace", "AWS/RDS");
	member(out, &first, "MetricName", alarm_metric(a, i));
	member(out, &first, "Statistic", "Average");
	member(out, &first, "ComparisonOperator", alarm_defs[i].comparison);
	json_key(out, &first, "Dimensions");
	strbuf_adds(out, "[{");
	member(out, &one, "Name", "DBInstanceIdentifier");
	member(out, &one, "Value", a->instance);
	strbuf_adds(out, "}]");
	json_key(out, &first, "Period");
	json_int(out, PERIOD_S);
	json_key(out, &first, "EvaluationPeriods");
	json_int(out, alarm_defs[i].periods);
	json_key(out, &first, "Threshold");
	json_num(out, a->threshold[i]);
	if (*a->sns) {
		json_key(out, &first, "AlarmActions");
		strbuf_addc(out, '[');
		json_str(out, a->sns, strlen(a->sns));
		strbuf_addc(out, ']');
	}
	strbuf_addc(out, '}');
}

/* ------------------------------------------------------------------ what is there */

static double
number_of(const struct json *alarm, const char *key)
{
	double n = 0;

	return aws_number(json_get(alarm, key), &n) ? n : 0;
}

static bool
is_text(const struct json *object, const char *key, const char *value)
{
	const char *s = json_text(json_get(object, key));

	return strcmp(s ? s : "", value) == 0;
}

static bool
is_as_wanted(const struct alarms *a, int i, const struct json *alarm)
{
	const struct json *dimension = json_child(json_get(alarm, "Dimensions"));
	const char *action = json_text(json_child(json_get(alarm, "AlarmActions")));

	return is_text(alarm, "MetricName", alarm_metric(a, i)) &&
	    is_text(alarm, "ComparisonOperator", alarm_defs[i].comparison) &&
	    is_text(alarm, "Statistic", "Average") && is_text(dimension, "Value", a->instance) &&
	    number_of(alarm, "Threshold") == a->threshold[i] &&
	    number_of(alarm, "Period") == PERIOD_S &&
	    number_of(alarm, "EvaluationPeriods") == alarm_defs[i].periods &&
	    strcmp(action ? action : "", a->sns) == 0;
}

/* What of an alarm is given to PutMetricAlarm: the rest is AWS's own. */
static const struct {
	const char *name;
	enum { AS_TEXT, AS_NUMBER, AS_TRUTH, AS_TREE } kind;
} given[] = { { "AlarmName", AS_TEXT }, { "AlarmDescription", AS_TEXT },
	{ "ActionsEnabled", AS_TRUTH }, { "OKActions", AS_TREE }, { "AlarmActions", AS_TREE },
	{ "InsufficientDataActions", AS_TREE }, { "MetricName", AS_TEXT }, { "Namespace", AS_TEXT },
	{ "Statistic", AS_TEXT }, { "ExtendedStatistic", AS_TEXT }, { "Dimensions", AS_TREE },
	{ "Period", AS_NUMBER }, { "Unit", AS_TEXT }, { "EvaluationPeriods", AS_NUMBER },
	{ "DatapointsToAlarm", AS_NUMBER }, { "Threshold", AS_NUMBER },
	{ "ComparisonOperator", AS_TEXT }, { "TreatMissingData", AS_TEXT },
	{ "EvaluateLowSampleCountPercentile", AS_TEXT }, { "Metrics", AS_TREE },
	{ "ThresholdMetricId", AS_TEXT } };

static void
add_given(struct strbuf *out, bool *first, int i, const struct json *value)
{
	const char *text = json_text(value);
	double n;

	if ((given[i].kind == AS_TEXT && !(text && *text)) ||
	    (given[i].kind == AS_TREE && !json_child(value)) ||
	    (given[i].kind == AS_NUMBER && !aws_number(value, &n)))
		return;
	json_key(out, first, given[i].name);
	if (given[i].kind == AS_TEXT)
		json_str(out, text, strlen(text));
	else if (given[i].kind == AS_NUMBER)
		json_num(out, n);
	else if (given[i].kind == AS_TREE)
		json_value(out, value);
	else
		strbuf_adds(out,
		    json_true(value) || (text && strcmp(text, "true") == 0) ? "true" : "false");
}

static const char *
again(struct op *op, const struct json *alarm)
{
	struct strbuf sb = STRBUF_INIT(ALARM_BODY);
	const char *text;
	bool first = true;

	strbuf_addc(&sb, '{');
	for (size_t i = 0; i < ARRAY_LEN(given); i++) {
		const struct json *value = json_get(alarm, given[i].name);

		if (value)
			add_given(&sb, &first, (int)i, value);
	}
	strbuf_addc(&sb, '}');
	text = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}

static bool
take_alarms(const struct aws_answer *answer, void *arg, struct error *err)
{
	struct alarms_found *f = arg;
	const struct json *alarm = json_child(json_get(answer->json, "MetricAlarms"));
	char buf[64];

	(void)err;
	for (; alarm; alarm = json_next(alarm))
		for (int i = 0; i < ALARMS; i++) {
			const char *metric = json_text(json_get(alarm, "MetricName"));
			const char *state = json_text(json_get(alarm, "StateValue"));

			if (!is_text(alarm, "AlarmName", alarm_name(f->op, f->a, i)))
				continue;
			const char *action = json_text(json_child(json_get(alarm, "AlarmActions")));

			if (action && *action)
				f->sns = arena_strdup(&f->op->arena, action);
			f->is_there[i] = true;
			f->before[i] = again(f->op, alarm);
			f->is_same[i] = is_as_wanted(f->a, i, alarm);
			f->state[i] = arena_strdup(&f->op->arena, state ? state : "");
			f->text[i] = arena_printf(&f->op->arena, "%s %s %s over %g x %g s",
			    metric ? metric : "a metric of mathematics",
			    is_text(alarm, "ComparisonOperator", "LessThanThreshold") ? "<" : ">",
			    alarm_threshold_text(
			        i, number_of(alarm, "Threshold"), buf, sizeof(buf)),
			    number_of(alarm, "EvaluationPeriods"), number_of(alarm, "Period"));
		}
	return true;
}

bool
alarms_find(struct op *op, struct aws *aws, const struct alarms *a, struct alarms_found *f,
    struct error *err)
{
	struct strbuf body = STRBUF_INIT(ALARM_BODY);
	struct aws_call call = { .service = AWS_CLOUDWATCH, .op = "DescribeAlarms" };
	bool ok;

	*f = (struct alarms_found){ .op = op, .a = a };
	strbuf_adds(&body, "{\"AlarmNames\":[");
	for (int i = 0; i < ALARMS; i++) {
		const char *name = alarm_name(op, a, i);

		if (i)
			strbuf_addc(&body, ',');
		json_str(&body, name, strlen(name));
	}
	strbuf_adds(&body, "]}");
	call.json = body.buf;
	ok = aws_json_pages(aws, &call, 5, NULL, take_alarms, f, err);
	strbuf_release(&body);
	return ok;
}

/* ------------------------------------------------------------------ taking it back */

static bool
put_back(struct aws *aws, const char *name, const char *before, struct error *err)
{
	struct strbuf body = STRBUF_INIT(ALARM_BODY);
	struct aws_call call = { .service = AWS_CLOUDWATCH,
		.op = *before ? "PutMetricAlarm" : "DeleteAlarms",
		.json = before };
	struct aws_answer answer;
	bool ok;

	if (!*before) {
		strbuf_adds(&body, "{\"AlarmNames\":[");
		json_str(&body, name, strlen(name));
		strbuf_adds(&body, "]}");
		call.json = body.buf;
	}
	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	aws_answer_release(&answer);
	strbuf_release(&body);
	return ok;
}

/* One that is neither what was put nor what was before is somebody else's work. */
static bool
undo_with(struct op *op, struct aws *aws, struct error *err)
{
	struct alarms a;
	struct alarms_found f;
	bool ok = true;

	alarms_recall(op, &a);
	if (!rds_same(op, aws, err) || !alarms_find(op, aws, &a, &f, err))
		return false;
	for (int i = 0; i < ALARMS; i++) {
		const char *before = op_fact(op, alarm_before(op, i)),
		           *name = alarm_name(op, &a, i);
		bool is_before = before && strcmp(before, f.before[i] ? f.before[i] : "") == 0;

		if (is_before)
			continue;
		if (!before || (f.is_there[i] && !f.is_same[i])) {
			error_set(
			    err, ERR_CHANGED, "the alarm %s is another one than was put", name);
			ok = error_hint(err, "It was left as it is.");
		} else if (f.is_there[i] || *before) {
			struct error one = { 0 };

			if (!put_back(aws, name, before, &one)) {
				*err = one;
				ok = false;
			}
		}
	}
	return ok;
}

bool
rds_alarm_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	(void)left;
	return rds_with(op, undo_with, err) && op_fact_set(op, err, "undo", "%s", "");
}
