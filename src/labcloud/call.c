#include "config.h"

#include "labcloud/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct action *const tables[] = { rds_instance_actions, rds_snapshot_actions,
	rds_restore_actions, rds_cluster_actions, rds_replica_actions, rds_parameter_actions,
	rds_order_actions, rds_proxy_actions, rds_backup_actions, rds_tag_actions,
	rds_other_actions, sts_actions, ec2_actions, monitoring_actions, pi_actions,
	scaling_actions, small_actions };

const struct action *
action_find(const char *service, const char *name)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct action *a = tables[t]; a->service; a++)
			if (strcmp(a->service, service) == 0 && strcmp(a->name, name) == 0)
				return a;
	return NULL;
}

bool
call_fail(struct call *c, int status, const char *code, const char *fmt, ...)
{
	va_list ap;

	c->status = status;
	c->code = code;
	va_start(ap, fmt);
	vsnprintf(c->message, sizeof(c->message), fmt, ap);
	va_end(ap);
	return false;
}

const char *
call_need(struct call *c, const char *name)
{
	const char *value = form_get(&c->form, name);

	if (!value || !*value)
		call_fail(
		    c, 400, "MissingParameter", "The request must contain the parameter %s.", name);
	return value && *value ? value : NULL;
}

bool
call_bool(const struct call *c, const char *name, bool other)
{
	const char *value = form_get(&c->form, name);

	return value ? strcmp(value, "true") == 0 : other;
}

bool
call_int(struct call *c, const char *name, int least, int most, int *value)
{
	const char *text = form_get(&c->form, name);
	char *end = NULL;

	if (!text)
		return true;
	long n = strtol(text, &end, 10);

	if (!*text || *end || n < least || n > most)
		return call_fail(c, 400, "InvalidParameterValue",
		    "Invalid value %s for %s. Must be between %d and %d", text, name, least, most);
	*value = (int)n;
	return true;
}

const char *
call_arn(struct call *c, const char *type, const char *name)
{
	return arena_printf(&c->request->arena, "arn:aws:rds:%s:%s:%s:%s", c->world->options.region,
	    c->world->options.account, type, name);
}

const char *
arn_name(const char *text)
{
	const char *colon = strncmp(text, "arn:", 4) == 0 ? strrchr(text, ':') : NULL;

	return colon ? colon + 1 : text;
}

bool
call_page(struct call *c, int total, int *from, int *to)
{
	bool is_ec2 = strcmp(c->service, "ec2") == 0;
	const char *key = is_ec2 ? "NextToken" : "Marker", *marker = form_get(&c->form, key);
	int most = is_ec2 ? 1000 : 100;
	int64_t tiny;
	char *end = NULL;

	if (is_ec2 ? !call_int(c, "MaxResults", 5, 1000, &most) :
	             !call_int(c, "MaxRecords", 20, 100, &most))
		return false;
	if (fault_peek(&c->world->faults, FAULT_PAGE, c->action, &tiny) && tiny > 0)
		most = (int)tiny;
	*from = 0;
	if (marker && *marker) {
		*from = strncmp(marker, "lab/", 4) == 0 ? (int)strtol(marker + 4, &end, 16) : -1;
		if (*from < 0 || *end)
			return call_fail(c, 400, "InvalidParameterValue",
			    "The parameter %s must be one of an earlier answer.", key);
	}
	*to = *from + most < total ? *from + most : total;
	if (*from > total)
		*from = total;
	if (*to < total)
		w_text(&c->w, is_ec2 ? "nextToken" : "Marker",
		    arena_printf(&c->request->arena, "lab/%x", *to));
	return true;
}
