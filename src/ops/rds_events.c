#include "config.h"

#include "ops/rds_events.h"

#include <string.h>

enum { MAX_MINUTES = 20160 }; /* kept for 14 days */

struct reading {
	struct op *op;
	int64_t after_us;
	struct rds_events *out;
};

static bool
says(const char *text, const char *word)
{
	return strcasestr(text, word) != NULL;
}

/* "Multi-AZ instance failover started", "Started cross AZ failover to DB instance: x", "Completed
 * failover to DB instance: x", "A failover for the DB cluster has failed", "Abandoning user
 * requested failover since a failover recently occurred" … */
static void
take(struct reading *r, const char *text, int64_t at)
{
	struct rds_events *e = r->out;

	if (at > e->newest_us)
		e->newest_us = at;
	if (at <= r->after_us || !says(text, "failover"))
		return;
	e->is_begun = true;
	if (says(text, "abandoning"))
		e->is_abandoned = true;
	else if (says(text, "failed") || says(text, "unable"))
		e->has_failed = true;
	else if (says(text, "complete") || says(text, "finished"))
		e->is_done = true;
	if (at >= e->failover_us) {
		e->failover_us = at;
		e->text = arena_strdup(&r->op->arena, text);
	}
}

static bool
take_page(const struct aws_answer *answer, void *arg, struct error *err)
{
	const struct xml *x = xml_get(answer->xml, "Events");
	struct wall at;

	(void)err;
	for (x = x ? x->child : NULL; x; x = x->next)
		if (wall_parse(xml_text(x, "Date"), &at))
			take(arg, xml_text(x, "Message"), at.us);
	return true;
}

bool
rds_events_read(struct op *op, struct aws *aws, bool is_cluster, const char *id, int64_t after_us,
    int minutes, struct rds_events *out, struct error *err)
{
	const char *span =
	    arena_printf(&op->arena, "%d", minutes > MAX_MINUTES ? MAX_MINUTES : minutes);
	struct aws_param params[] = { { "SourceType", is_cluster ? "db-cluster" : "db-instance" },
		{ "SourceIdentifier", id }, { "Duration", span }, { NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS, .op = "DescribeEvents", .params = params };
	struct reading r = { op, after_us, out };
	struct error why = { 0 };

	*out = (struct rds_events){ .text = "" };
	if (aws_pages(aws, &call, take_page, &r, &why))
		return true;
	if (why.code == ERR_DENIED) {
		*out = (struct rds_events){ .text = "" };
		return true;
	}
	*err = why;
	return false;
}
