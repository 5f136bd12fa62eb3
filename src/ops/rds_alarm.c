/*
 * alarm put: the three alarms that an instance should not be without: CPU, storage, connections.
 * PutMetricAlarm overwrites an alarm of the same name entirely, so that the plan shows what is
 * there.
 *
 * The alarm on connections counts them: nine of ten of max_connections, as the server has it, or
 * else estimated from the memory of the class by the formula of RDS,
 * LEAST({DBInstanceClassMemory/9531392}, 5000).
 */
#include "config.h"

#include "ops/rds_alarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/json.h"
#include "ops/op_result.h"
#include "ops/op_server.h"
#include "ops/rds_alarm_priv.h"
#include "ops/rds_modify.h"
#include "ops/set.h"

enum { CPU_PERCENT = 80, STORAGE_GB = 10, MOST_CONNECTIONS = 5000 };

/* ------------------------------------------------------------------ what is wanted */

/* Of the formula of RDS: memory is 2, 4 or 8 GiB for each vCPU by the family, and doubles with the
 * size. 0: not known. */
static int
connections_of_class(const char *class)
{
	static const struct {
		const char *size;
		double vcpu;
	} sizes[] = { { "medium", 1 }, { "large", 2 }, { "xlarge", 4 }, { "2xlarge", 8 },
		{ "4xlarge", 16 } };
	static const struct {
		const char *size;
		double gib;
	} burst[] = { { "micro", 1 }, { "small", 2 }, { "medium", 4 }, { "large", 8 },
		{ "xlarge", 16 }, { "2xlarge", 32 } };
	const char *size = strrchr(class, '.');
	double gib = 0, n;

	if (strncmp(class, "db.", 3) != 0 || !size || size == class + 2)
		return 0;
	for (size_t i = 0; class[3] == 't' && i < ARRAY_LEN(burst); i++)
		if (strcmp(size + 1, burst[i].size) == 0)
			gib = burst[i].gib;
	for (size_t i = 0; strchr("cmr", class[3]) && i < ARRAY_LEN(sizes); i++)
		if (strcmp(size + 1, sizes[i].size) == 0)
			gib = sizes[i].vcpu * (class[3] == 'c' ? 2 : class[3] == 'm' ? 4 : 8);
	/* Larger ones have the most that RDS gives. */
	if (gib == 0 && strchr("cmr", class[3]) && strstr(size, "xlarge"))
		return MOST_CONNECTIONS;
	n = gib * 1073741824 / 9531392;
	return n > MOST_CONNECTIONS ? MOST_CONNECTIONS : (int)n;
}

static int
max_connections(struct op *op, const struct rds_spec *s)
{
	struct error why = { 0 };
	struct pg_sync *pg = *op->target->conninfo ? op_connect(op, op->target, &why) : NULL;
	struct set_looked l;
	int n = 0;

	if (pg && set_look(op, pg, "max_connections", NULL, NULL, &l, &why))
		n = rds_number(l.setting);
	pg_sync_close(pg);
	if (n) {
		doc_pair(&op->doc, "max_connections", ROLE_NORMAL, "%d, as the server has it", n);
		return n;
	}
	n = connections_of_class(s->now.instance_class);
	if (n)
		doc_pair(&op->doc, "max_connections", ROLE_WARN,
		    "about %d, estimated from the class %s: the server is not reached", n,
		    s->now.instance_class);
	return n;
}

static bool
read_words(const struct op *op, struct alarms *a, struct error *err)
{
	const struct words *w = op->words;
	bool ok = w->n > 1 && strcmp(w->w[1].text, "put") == 0 && w->n % 2 == 0;

	for (int i = 2; ok && i + 1 < w->n; i += 2) {
		const char *word = w->w[i].text, *value = w->w[i + 1].text;
		int n = rds_number(value);

		if (strcmp(word, "sns") == 0)
			ok = strncmp(value, "arn:", 4) == 0 && strstr(value, ":sns:");
		else if (strcmp(word, "cpu") == 0)
			ok = n > 0 && n < 100;
		else if (strcmp(word, "storage") == 0)
			ok = (n = rds_size_gb(value)) > 0;
		else
			ok = strcmp(word, "connections") == 0 && n > 0;
		if (ok && strcmp(word, "sns") == 0)
			a->sns = value;
		for (int k = 0; ok && k < ALARMS; k++)
			if (strcmp(alarm_defs[k].what, word) == 0)
				a->threshold[k] = k == 1 ? n * 1073741824.0 : n;
	}
	if (ok)
		return true;
	error_set(err, ERR_USAGE, "alarm does not know this");
	return error_hint(err, "Usage: %s", op->kind->usage);
}

static bool
decide(struct op *op, const struct rds_spec *s, struct alarms *a, struct error *err)
{
	if (!a->threshold[0])
		a->threshold[0] = CPU_PERCENT;
	if (!a->threshold[1])
		a->threshold[1] = STORAGE_GB * 1073741824.0;
	if (!a->threshold[2])
		a->threshold[2] = (int)(max_connections(op, s) * 0.9);
	if (a->threshold[2] >= 1)
		return true;
	error_set(err, ERR_STATE, "how many connections %s may have is not known", s->id);
	return error_hint(err, "Say when to alarm: alarm put connections 300.");
}

/* ------------------------------------------------------------------ plan */

static void
describe(struct op *op, const struct alarms *a, const struct alarms_found *f)
{
	char buf[64];

	for (int i = 0; i < ALARMS; i++) {
		doc_pair(&op->doc, alarm_name(op, a, i), ROLE_NORMAL, "%s %s %s over %d x 300 s%s",
		    alarm_metric(a, i), alarm_defs[i].sign,
		    alarm_threshold_text(i, a->threshold[i], buf, sizeof(buf)),
		    alarm_defs[i].periods, f->is_same[i] ? ": is there already" : "");
		if (f->is_there[i] && !f->is_same[i])
			doc_pair(
			    &op->doc, "OVERWRITES", ROLE_WARN, "%s (%s)", f->text[i], f->state[i]);
	}
	if (*a->sns)
		doc_pair(&op->doc, "tells", ROLE_NORMAL, "%s", a->sns);
	else
		doc_pair(&op->doc, "tells", ROLE_WARN, "%s",
		    "nobody: `alarm put sns ARN` sends it to a topic");
	doc_pair(&op->doc, "cost", ROLE_NORMAL, "%s", "about 0.10 USD a month for each alarm");
}

static bool
keep(struct op *op, const struct alarms *a, const struct alarms_found *f, struct error *err)
{
	int created = 0, overwritten = 0;

	for (int i = 0; i < ALARMS; i++) {
		created += !f->is_there[i];
		overwritten += f->is_there[i] && !f->is_same[i];
		if (!op_fact_set(op, err, alarm_defs[i].what, "%.15g", a->threshold[i]) ||
		    !op_fact_set(
		        op, err, alarm_before(op, i), "%s", f->before[i] ? f->before[i] : ""))
			return false;
	}
	if (!created && !overwritten) {
		error_set(err, ERR_REFUSED, "the alarms of %s are so already", a->instance);
		return error_hint(err, "There is nothing to do.");
	}
	return op_fact_set(op, err, "sns", "%s", a->sns) &&
	    op_fact_set(op, err, "is_aurora", "%d", a->is_aurora) &&
	    op_fact_set(op, err, "created", "%d", created) &&
	    op_fact_set(op, err, "overwritten", "%d", overwritten);
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	struct alarms a = { .sns = "" };
	struct rds_spec s;
	struct alarms_found f;

	if (!read_words(op, &a, err) || !rds_spec_look(op, aws, &s, err))
		return false;
	a.instance = s.id;
	a.is_aurora = s.is_aurora;
	if (!decide(op, &s, &a, err) || !alarms_find(op, aws, &a, &f, err))
		return false;
	/* Whom an alarm tells is not lost because nothing was said of it. */
	if (!*a.sns && f.sns) {
		a.sns = f.sns;
		if (!alarms_find(op, aws, &a, &f, err))
			return false;
	}
	describe(op, &a, &f);
	op_add_step(op, "put", "low", "put the alarms",
	    "PutMetricAlarm, three times: an alarm of the same name is overwritten entirely");
	op_add_step(op, "see", "none", "see that they are there", "%s", "DescribeAlarms");
	for (int i = 0; i < ALARMS; i++)
		op_identity(
		    op, alarm_defs[i].what, "%.15g %s", a.threshold[i], f.text[i] ? f.text[i] : "");
	op->question = arena_printf(&op->arena, "put three alarms on %s?", s.id);
	return keep(op, &a, &f, err);
}

static bool
alarm_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

/* ------------------------------------------------------------------ run */

/* Once more is the same again. */
static bool
put_with(struct op *op, struct aws *aws, struct error *err)
{
	struct alarms a;
	int64_t id;
	bool ok = rds_same(op, aws, err);

	alarms_recall(op, &a);
	ok = ok && op_leave(op, "rds_alarm", "{}", &id, err, "alarms of %s", a.instance);
	for (int i = 0; i < ALARMS && ok; i++) {
		struct strbuf body = STRBUF_INIT(ALARM_BODY);
		struct aws_call call = { .service = AWS_CLOUDWATCH, .op = "PutMetricAlarm" };
		struct aws_answer answer;

		op_progress(op, -1, "%s", alarm_name(op, &a, i));
		alarm_write(op, &a, i, &body);
		call.json = body.buf;
		aws_answer_init(&answer);
		ok = !op_stopped(op, err) && aws_do(aws, &call, &answer, err);
		if (!ok && strcmp(answer.code, "LimitExceeded") == 0)
			error_hint(err, "The account has as many alarms as its quota allows.");
		aws_answer_release(&answer);
		strbuf_release(&body);
	}
	return ok;
}

static bool
put_run(struct op *op, struct error *err)
{
	return rds_with(op, put_with, err);
}

static bool
see_with(struct op *op, struct aws *aws, struct error *err)
{
	struct alarms a;
	struct alarms_found f;

	alarms_recall(op, &a);
	if (!alarms_find(op, aws, &a, &f, err))
		return false;
	for (int i = 0; i < ALARMS; i++) {
		if (!f.is_same[i])
			return error_set(err, ERR_STATE, "the alarm %s is %s",
			    alarm_name(op, &a, i),
			    f.is_there[i] ? "another one than was put" : "not there");
		if (!op_fact_set(op, err, arena_printf(&op->arena, "%s.state", alarm_defs[i].what),
		        "%s", f.state[i]))
			return false;
	}
	return op_settle_kind(op, "rds_alarm", err) &&
	    op_fact_set(op, err, "undo", "puts back the alarms of %s as they were", a.instance) &&
	    op_fact_set(op, err, "undo_kind", "rds_alarm");
}

static bool
see_run(struct op *op, struct error *err)
{
	return rds_with(op, see_with, err);
}

static bool
alarm_result(struct op *op, struct error *err)
{
	struct alarms a;
	bool first = true;

	(void)err;
	alarms_recall(op, &a);
	op_result_text(op, &first, "instance", a.instance);
	json_key(&op->result, &first, "alarms");
	for (int i = 0; i < ALARMS; i++) {
		bool one = true;

		strbuf_adds(&op->result, i ? ",{" : "[{");
		op_result_text(op, &one, "name", alarm_name(op, &a, i));
		op_result_text(op, &one, "metric", alarm_metric(&a, i));
		op_result_text(op, &one, "comparison", alarm_defs[i].sign);
		op_result_num(op, &one, "threshold", a.threshold[i]);
		op_result_text(op, &one, "state",
		    op_fact(op, arena_printf(&op->arena, "%s.state", alarm_defs[i].what)));
		strbuf_addc(&op->result, '}');
	}
	strbuf_addc(&op->result, ']');
	op_result_int(op, &first, "created", op_fact_int(op, "created", 0));
	op_result_int(op, &first, "overwritten", op_fact_int(op, "overwritten", 0));
	op_result_text(op, &first, "sns", *a.sns ? a.sns : NULL);
	return true;
}

static const struct op_step_def alarm_steps[] = {
	{ "put", NULL, put_run },
	{ "see", NULL, see_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_alarm = { alarm_plan, alarm_steps, alarm_result };
