#include "config.h"

#include "ops/rds_modify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ops/op_result.h"

enum { LOOKS = 12, MAX_PARAMS = 16, MAX_VALUE = 256 };

/* What is compared, by its name in ModifyDBInstance. */
static const struct value {
	const char *name;
	bool is_text;
	size_t at;
} values[] = {
	{ "DBInstanceClass", true, offsetof(struct rds_values, instance_class) },
	{ "StorageType", true, offsetof(struct rds_values, storage_type) },
	{ "DatabaseInsightsMode", true, offsetof(struct rds_values, insights_mode) },
	{ "AllocatedStorage", false, offsetof(struct rds_values, storage_gb) },
	{ "MaxAllocatedStorage", false, offsetof(struct rds_values, max_storage_gb) },
	{ "Iops", false, offsetof(struct rds_values, iops) },
	{ "StorageThroughput", false, offsetof(struct rds_values, throughput) },
	{ "EnablePerformanceInsights", false, offsetof(struct rds_values, insights) },
	{ "PerformanceInsightsRetentionPeriod", false, offsetof(struct rds_values, insights_days) },
};

/* ------------------------------------------------------------------ reading */

static const char *
keep(struct op *op, const struct xml *x, const char *path)
{
	return arena_strdup(&op->arena, xml_text(x, path));
}

static void
read_values(
    struct op *op, const struct xml *x, const struct rds_values *other, struct rds_values *v)
{
	const char *class = xml_text(x, "DBInstanceClass"), *type = xml_text(x, "StorageType");

	*v = *other;
	if (*class)
		v->instance_class = arena_strdup(&op->arena, class);
	if (*type)
		v->storage_type = arena_strdup(&op->arena, type);
	v->storage_gb = (int)xml_int(x, "AllocatedStorage", v->storage_gb);
	v->max_storage_gb = (int)xml_int(x, "MaxAllocatedStorage", v->max_storage_gb);
	v->iops = (int)xml_int(x, "Iops", v->iops);
	v->throughput = (int)xml_int(x, "StorageThroughput", v->throughput);
	v->insights_days = (int)xml_int(x, "PerformanceInsightsRetentionPeriod", v->insights_days);
	if (*xml_text(x, "PerformanceInsightsEnabled"))
		v->insights = xml_true(x, "PerformanceInsightsEnabled");
	if (*xml_text(x, "DatabaseInsightsMode"))
		v->insights_mode = keep(op, x, "DatabaseInsightsMode");
}

static void
read_spec(struct op *op, const struct xml *x, struct rds_spec *s)
{
	static const struct rds_values none = {
		.instance_class = "", .storage_type = "", .insights_mode = "", .insights = -1
	};

	*s = (struct rds_spec){
		.id = keep(op, x, "DBInstanceIdentifier"),
		.resource_id = keep(op, x, "DbiResourceId"),
		.status = keep(op, x, "DBInstanceStatus"),
		.engine = keep(op, x, "Engine"),
		.version = keep(op, x, "EngineVersion"),
		.window = keep(op, x, "PreferredMaintenanceWindow"),
		.zone = keep(op, x, "AvailabilityZone"),
		.storage_operation = keep(op, x, "StorageOperationStatus"),
		.percent = (int)xml_int(
		    x, "StorageOperationPercentProgress", xml_int(x, "PercentProgress", -1)),
		.is_multi_az = xml_true(x, "MultiAZ"),
	};
	s->is_aurora = strncmp(s->engine, "aurora", 6) == 0;
	read_values(op, x, &none, &s->now);
	read_values(op, xml_get(x, "PendingModifiedValues"), &s->now, &s->pending);
}

bool
rds_spec_get(
    struct op *op, struct aws *aws, const char *id, struct rds_spec *out, struct error *err)
{
	struct aws_param params[] = { { "DBInstanceIdentifier", id }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "DescribeDBInstances", .params = params
	};
	struct aws_answer answer;
	const struct xml *x;
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	x = xml_get(answer.xml, "DBInstances/DBInstance");
	if (ok && !x)
		ok = error_set(
		    err, ERR_NOT_FOUND, "there is no instance %s in %s", id, aws_region(aws));
	if (ok)
		read_spec(op, x, out);
	aws_answer_release(&answer);
	return ok;
}

/* Of a target that is a cluster it is the writer that is changed. */
static bool
writer_of(struct op *op, struct aws *aws, const char **id, struct error *err)
{
	const struct op_target *t = op->target;
	struct rds_cluster c;

	if (!rds_cluster_get(op, aws, t->cluster, &c, err))
		return false;
	*id = rds_writer(&c);
	if (!*id) {
		error_set(err, ERR_STATE,
		    "%s has no writer now, and this is about one of its instances", t->cluster);
		return error_hint(err, "Set instance beside cluster in [target %s].", t->name);
	}
	doc_pair(&op->doc, "instance", ROLE_NORMAL, "%s, the writer%s", *id,
	    c.nmembers > 1 ? "; for another set instance beside cluster" : "");
	return true;
}

bool
rds_spec_look(struct op *op, struct aws *aws, struct rds_spec *out, struct error *err)
{
	const struct op_target *t = op->target;
	const char *id = *t->instance ? t->instance : NULL;

	if (!rds_look(op, aws, err) || (!id && *t->cluster && !writer_of(op, aws, &id, err)))
		return false;
	if (!id)
		id = op_fact(op, "source");
	if (!rds_spec_get(op, aws, id, out, err))
		return false;
	op_identity(op, "instance", "%s %s %s", out->id, out->resource_id, out->status);
	return op_fact_set(op, err, "instance", "%s", out->id);
}

bool
rds_spec_ready(const struct rds_spec *s, struct error *err)
{
	if (strcmp(s->status, "available") == 0)
		return true;
	error_set(err, ERR_STATE, "%s is %s, and cannot be changed now", s->id, s->status);
	return error_hint(err,
	    strcmp(s->status, "storage-optimization") == 0 ?
	        "Its storage was changed: wait until that has been optimized, which may take hours." :
	        "Wait until it is available.");
}

/* ------------------------------------------------------------------ what is wanted */

static bool
want(struct op *op, struct error *err, const char *prefix, const char *name, const char *fmt,
    va_list ap)
{
	struct strbuf text = STRBUF_INIT(MAX_VALUE);
	bool ok;

	strbuf_addv(&text, fmt, ap);
	ok = op_fact_set(op, err, arena_printf(&op->arena, "%s.%s", prefix, name), "%s", text.buf);
	strbuf_release(&text);
	return ok;
}

bool
rds_want(struct op *op, struct error *err, const char *name, const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = want(op, err, "want", name, fmt, ap);
	va_end(ap);
	return ok;
}

bool
rds_want_back(struct op *op, struct error *err, const char *name, const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = want(op, err, "back", name, fmt, ap);
	va_end(ap);
	return ok;
}

static const char *
wanted(struct op *op, const char *prefix, const char *name)
{
	const char *s = op_fact(op, arena_printf(&op->arena, "%s.%s", prefix, name));

	return s && *s ? s : NULL;
}

/* A number of the values; booleans are numbers, too, -1 where the instance does not say. */
static bool
is_value(const struct rds_values *v, const struct value *def, const char *text)
{
	const char *at = (const char *)v + def->at;
	int n;

	if (def->is_text)
		return strcmp(*(const char *const *)(const void *)at, text) == 0;
	n = *(const int *)(const void *)at;
	if (strcmp(text, "true") == 0)
		return n == 1;
	if (strcmp(text, "false") == 0)
		return n == 0;
	return n == (int)strtol(text, NULL, 10);
}

/* An endpoint that says nothing of Performance Insights cannot be asked about it. */
static bool
is_not_said(const struct rds_values *v, const struct value *def)
{
	return v->insights < 0 && (strstr(def->name, "Insights") != NULL);
}

/* An instance whose storage does not grow by itself names no maximum. */
static bool
is_no_maximum(const struct rds_values *v, const struct value *def, const char *text)
{
	return strcmp(def->name, "MaxAllocatedStorage") == 0 && v->max_storage_gb == 0 &&
	    (int)strtol(text, NULL, 10) == v->storage_gb;
}

enum reach { IS_NOT, IS_NOT_SAID, IS };

static enum reach
all_are(struct op *op, const struct rds_values *v, const char *prefix)
{
	enum reach reach = IS;

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		const char *text = wanted(op, prefix, values[i].name);

		if (text && is_not_said(v, &values[i]))
			reach = IS_NOT_SAID;
		else if (text && !is_value(v, &values[i], text) &&
		    !is_no_maximum(v, &values[i], text))
			return IS_NOT;
	}
	return reach;
}

/* ------------------------------------------------------------------ asking for it */

static const char *
instance_of(struct op *op)
{
	const char *id = op_fact(op, "instance");

	return id ? id : "";
}

/* It is so, or will be; else whether the instance is at rest, so that nothing is under way. */
static enum op_seen
look_once(struct op *op, struct aws *aws, const char *prefix, bool *is_at_rest, struct error *err)
{
	struct rds_spec s;

	if (!rds_spec_get(op, aws, instance_of(op), &s, err))
		return OP_UNSURE;
	*is_at_rest = rds_state_of(s.status) == RDS_READY;
	return all_are(op, &s.now, prefix) == IS || all_are(op, &s.pending, prefix) == IS ?
	    OP_SEEN :
	    OP_NOT_SEEN;
}

static enum op_seen
modify_seen_with(struct op *op, struct aws *aws, struct error *err)
{
	bool is_at_rest = false;

	for (int i = 0; i < LOOKS; i++) {
		enum op_seen seen = look_once(op, aws, "want", &is_at_rest, err);

		if (seen != OP_NOT_SEEN || is_at_rest)
			return seen;
		op_progress(op, -1, "something is under way; looking whether it is this");
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return OP_UNSURE;
	}
	error_set(err, ERR_STATE, "%s is being changed, and does not say to what", instance_of(op));
	return OP_UNSURE;
}

static enum op_seen
modify_seen(struct op *op, struct error *err)
{
	return rds_seen_with(op, modify_seen_with, err);
}

static void
fill(struct op *op, const char *prefix, const char *applies, struct aws_param *p)
{
	int n = 0;

	p[n++] = (struct aws_param){ "DBInstanceIdentifier", instance_of(op) };
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		p[n++] = (struct aws_param){ values[i].name, wanted(op, prefix, values[i].name) };
	p[n++] = (struct aws_param){ "ApplyImmediately",
		strcmp(applies, "now") == 0 ? "true" : "false" };
	p[n] = (struct aws_param){ NULL, NULL };
}

static bool
send(struct op *op, struct aws *aws, const char *prefix, const char *applies, struct error *err)
{
	struct aws_param params[MAX_PARAMS];
	struct aws_call call = {
		.service = AWS_RDS, .op = "ModifyDBInstance", .params = params, .changes = true
	};
	struct aws_answer answer;
	bool ok, is_at_rest;

	fill(op, prefix, applies, params);
	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	for (int i = 0; !ok && answer.is_uncertain && i < LOOKS; i++) {
		struct error other = { 0 };

		op_progress(op, -1, "sent, no answer; looking at %s", instance_of(op));
		ok = look_once(op, aws, prefix, &is_at_rest, &other) == OP_SEEN;
		if (!ok && !op_wait_ms(op, rds_poll_ms(), err))
			break;
	}
	aws_answer_release(&answer);
	return ok;
}

static bool
modify_with(struct op *op, struct aws *aws, struct error *err)
{
	return rds_same(op, aws, err) && op_fact_now(op, err, "started_at") &&
	    send(op, aws, "want", op_fact(op, "applies"), err);
}

static bool
modify_run(struct op *op, struct error *err)
{
	return rds_with(op, modify_with, err);
}

/* ------------------------------------------------------------------ what became of it */

static void
tell(struct op *op, const struct rds_spec *s)
{
	if (*s->storage_operation)
		op_progress(op, s->percent, "%s, storage %s", s->status, s->storage_operation);
	else
		op_progress(op, s->percent, "%s", s->status);
}

static bool
wait_for(struct op *op, struct aws *aws, const char *prefix, bool is_now, struct rds_spec *s,
    struct error *err)
{
	struct mono start = mono_now();

	for (;;) {
		enum rds_state state;

		if (!rds_spec_get(op, aws, instance_of(op), s, err))
			return error_prefix(err, "while waiting");
		state = rds_state_of(s->status);
		if (all_are(op, &s->now, prefix) != IS_NOT ?
		        state == RDS_READY :
		        !is_now && all_are(op, &s->pending, prefix) == IS)
			return true;
		if (state == RDS_BAD && strcmp(s->status, "storage-full") != 0) {
			error_set(err, ERR_STATE, "%s is %s", s->id, s->status);
			return error_hint(err, "The events of RDS say why.");
		}
		if (mono_since_ms(mono_now(), start) > RDS_WAIT_MS)
			return error_set(
			    err, ERR_TIMEOUT, "%s is still %s, and not changed", s->id, s->status);
		tell(op, s);
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
}

static bool
wait_with(struct op *op, struct aws *aws, struct error *err)
{
	static const char *const states[] = { "pending", "accepted", "applied" };
	const char *undo = op_fact(op, "undo_text");
	bool is_now = strcmp(op_fact(op, "applies"), "now") == 0;
	struct rds_spec s;

	if (!wait_for(op, aws, "want", is_now, &s, err))
		return false;
	return op_fact_set(op, err, "state", "%s", states[all_are(op, &s.now, "want")]) &&
	    op_fact_set(op, err, "status", "%s", s.status) && op_fact_now(op, err, "finished_at") &&
	    (!undo ||
	        (op_fact_set(op, err, "undo", "%s", undo) &&
	            op_fact_set(op, err, "undo_kind", "rds_modify")));
}

static bool
wait_run(struct op *op, struct error *err)
{
	return rds_with(op, wait_with, err);
}

/* ------------------------------------------------------------------ taking it back */

static bool
undo_with(struct op *op, struct aws *aws, struct error *err)
{
	/* What still waits for its window is called off without an outage. */
	const char *applies = strcmp(op_fact(op, "state"), "pending") == 0 ? "window" : "now";
	struct rds_spec s;

	if (!rds_same(op, aws, err) || !rds_spec_get(op, aws, instance_of(op), &s, err))
		return false;
	if (all_are(op, &s.now, "want") == IS_NOT && all_are(op, &s.pending, "want") == IS_NOT) {
		error_set(err, ERR_CHANGED, "%s has been changed to something else since", s.id);
		return error_hint(err, "It was left as it is.");
	}
	return (all_are(op, &s.now, "back") == IS && all_are(op, &s.pending, "back") == IS) ||
	    (send(op, aws, "back", applies, err) &&
	        wait_for(op, aws, "back", strcmp(applies, "now") == 0, &s, err));
}

bool
rds_modify_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	(void)left;
	return rds_with(op, undo_with, err) && op_fact_set(op, err, "undo", "%s", "");
}

/* ------------------------------------------------------------------ for its operations */

static bool
is_text(const char *what)
{
	return strcmp(what, "class") == 0 || strcmp(what, "insights") == 0;
}

bool
rds_modify_result(struct op *op, struct error *err)
{
	const char *what = op_fact(op, "what");
	bool first = true;

	(void)err;
	op_result_text(op, &first, "instance", op_fact(op, "instance"));
	op_result_text(op, &first, "what", what);
	if (is_text(what)) {
		op_result_text(op, &first, "from", op_fact(op, "from"));
		op_result_text(op, &first, "to", op_fact(op, "to"));
	} else {
		op_result_int(op, &first, "from", op_fact_int(op, "from", 0));
		op_result_int(op, &first, "to", op_fact_int(op, "to", 0));
	}
	op_result_text(op, &first, "state", op_fact(op, "state"));
	op_result_text(op, &first, "applies", op_fact(op, "applies"));
	op_result_text(op, &first, "window", op_fact(op, "window"));
	op_result_text(op, &first, "status", op_fact(op, "status"));
	op_result_time(op, &first, "started_at", (struct wall){ op_fact_int(op, "started_at", 0) });
	op_result_time(
	    op, &first, "finished_at", (struct wall){ op_fact_int(op, "finished_at", 0) });
	return true;
}

const struct op_step_def rds_modify_steps[] = {
	{ "modify", modify_seen, modify_run },
	{ "wait", NULL, wait_run },
	{ NULL, NULL, NULL },
};
