/* cloud check: each reading action that is of use here, called once with harmless parameters. What
 * changes something cannot be tried out in RDS. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cloud/policy.h"
#include "ops/local.h"
#include "ops/rds.h"

enum { MAX_PARAMS = 8, MAX_CHECKS = 32768 };

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	int n = 0;

	if (op->words->n != 2 || strcmp(op->words->w[1].text, "check") != 0)
		return error_set(err, ERR_USAGE, "usage: %s", op->kind->usage);
	for (const struct policy_action *a = policy_actions; a->action; a++)
		n += a->probe != NULL;
	if (!rds_look(op, aws, err))
		return false;
	op_add_step(
	    op, "check", "none", "call each reading action once", "%d calls, nothing changes", n);
	return true;
}

static bool
check_plan(struct op *op, struct error *err)
{
	struct aws *aws = rds_open(op, err);
	bool ok = aws && plan_with(op, aws, err);

	aws_close(aws);
	return ok;
}

/* "@I", "@R", "@T", "@P" replaced; in the arena. */
static const char *
filled(struct op *op, const char *probe)
{
	struct strbuf sb = STRBUF_INIT(4096);
	long long now = (long long)(wall_now().us / 1000000);
	const char *text;

	for (; *probe; probe++) {
		if (*probe != '@')
			strbuf_addc(&sb, *probe);
		else if (*++probe == 'I')
			strbuf_adds(&sb, op_fact(op, "source"));
		else if (*probe == 'R')
			strbuf_adds(&sb, op_fact(op, "resource"));
		else
			strbuf_addf(&sb, "%lld", *probe == 'T' ? now : now - 300);
	}
	text = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}

/* "A=b&C=d" as parameters, in the arena. */
static void
split(struct op *op, const char *text, struct aws_param *params)
{
	int n = 0;

	while (*text && n < MAX_PARAMS - 1) {
		size_t len = strcspn(text, "&"), name = strcspn(text, "=");

		params[n++] = (struct aws_param){ arena_strndup(&op->arena, text, name),
			arena_strndup(&op->arena, text + name + 1, len - name - 1) };
		text += len + (text[len] == '&');
	}
	params[n] = (struct aws_param){ NULL, NULL };
}

static void
probe(struct op *op, struct aws *aws, const struct policy_action *a, char *verdict, size_t size)
{
	enum aws_wire wire = aws_services[a->service].wire;
	const char *text = filled(op, a->probe);
	struct aws_param params[MAX_PARAMS];
	struct aws_call call = { .service = a->service, .op = strchr(a->action, ':') + 1 };
	struct aws_answer answer;
	struct error err = { 0 };

	if (wire == AWS_WIRE_QUERY || wire == AWS_WIRE_EC2) {
		split(op, text, params);
		call.params = params;
	} else {
		call.json = text;
	}
	aws_answer_init(&answer);
	/* What is not there was looked for, so it is allowed to. */
	if (aws_do(aws, &call, &answer, &err) || strstr(answer.code, "NotFound"))
		snprintf(verdict, size, "allowed");
	else if (err.code == ERR_DENIED)
		snprintf(verdict, size, "denied: %.150s", answer.message);
	else if (*answer.code || !answer.http_status)
		snprintf(verdict, size, "unknown: %.150s", *answer.code ? answer.code : err.what);
	else
		snprintf(verdict, size, "unknown: HTTP status %d", answer.http_status);
	aws_answer_release(&answer);
}

static bool
check_with(struct op *op, struct aws *aws, struct error *err)
{
	struct strbuf out = STRBUF_INIT(MAX_CHECKS);
	bool first = true, ok = true;
	int done = 0, n = 0;

	for (const struct policy_action *a = policy_actions; a->action; a++)
		n += a->policy == POLICY_READ;
	for (const struct policy_action *a = policy_actions; a->action && ok; a++) {
		char verdict[192] = "not tried: nothing harmless does";

		if (a->policy != POLICY_READ)
			continue;
		ok = !op_stopped(op, err);
		op_progress(op, 100.0 * done++ / n, "%s", a->action);
		if (ok && a->probe)
			probe(op, aws, a, verdict, sizeof(verdict));
		json_key(&out, &first, a->action);
		json_str(&out, verdict, strlen(verdict));
	}
	ok = ok && op_fact_set(op, err, "checks", "%s", out.buf);
	strbuf_release(&out);
	return ok;
}

static bool
check_run(struct op *op, struct error *err)
{
	struct aws *aws = rds_open(op, err);
	bool ok = aws && check_with(op, aws, err);

	aws_close(aws);
	return ok;
}

static bool
check_result(struct op *op, struct error *err)
{
	(void)err;
	strbuf_adds(&op->result, op_fact(op, "checks"));
	return true;
}

static const struct op_step_def check_steps[] = {
	{ "check", NULL, check_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_check = { check_plan, check_steps, check_result };
