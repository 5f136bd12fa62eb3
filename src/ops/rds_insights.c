/* insights on|off: Performance Insights, and the mode of Database Insights where the instance has
 * one. */
#include "config.h"

#include <string.h>

#include "ops/rds_modify.h"

struct insights {
	bool is_on;
	int days;         /* 0: not said */
	const char *mode; /* NULL: not said */
};

static bool
insights_words(const struct op *op, struct insights *want, struct error *err)
{
	const struct words *w = op->words;
	bool ok = w->n > 1 && (strcmp(w->w[1].text, "on") == 0 || strcmp(w->w[1].text, "off") == 0);

	*want = (struct insights){ .is_on = ok && strcmp(w->w[1].text, "on") == 0 };
	for (int i = 2; ok && i < w->n; i++) {
		const char *word = w->w[i].text;

		if (want->is_on && strcmp(word, "days") == 0 && i + 1 < w->n)
			ok = (want->days = rds_number(w->w[++i].text)) > 0;
		else if (want->is_on &&
		    (strcmp(word, "standard") == 0 || strcmp(word, "advanced") == 0))
			want->mode = word;
		else
			ok = false;
	}
	if (!ok) {
		error_set(err, ERR_USAGE, "insights are on or off");
		return error_hint(err, "Usage: %s", op->kind->usage);
	}
	if (want->days && want->days != 7 && want->days != 731 &&
	    (want->days % 31 != 0 || want->days > 713)) {
		error_set(err, ERR_USAGE, "%d days are not possible", want->days);
		return error_hint(err, "7 (free), a multiple of 31 up to 713, or 731.");
	}
	return true;
}

/* The smallest burstable classes have not the memory for it. */
static bool
is_too_small(const char *class)
{
	const char *size = strrchr(class, '.');

	return strncmp(class, "db.t", 4) == 0 && size &&
	    (strcmp(size, ".micro") == 0 || strcmp(size, ".small") == 0);
}

static const char *
insights_text(struct op *op, int is_on, int days, const char *mode)
{
	if (is_on < 0)
		return "unknown";
	return !is_on ?
	    "off" :
	    arena_printf(&op->arena, "on, %d days%s%s", days ? days : 7, *mode ? ", " : "", mode);
}

static bool
insights_keep(struct op *op, const struct rds_spec *s, const struct insights *want, int days,
    const char *mode, struct error *err)
{
	bool has_mode = *s->now.insights_mode || want->mode;
	const char *from =
	    insights_text(op, s->now.insights, s->now.insights_days, s->now.insights_mode);
	const char *to = insights_text(op, want->is_on, days, has_mode ? mode : "");

	doc_pair(&op->doc, "insights", ROLE_NORMAL, "%s, then %s", from, to);
	op->question = arena_printf(
	    &op->arena, "turn Performance Insights of %s %s?", s->id, want->is_on ? "on" : "off");
	return rds_want(op, err, "EnablePerformanceInsights", want->is_on ? "true" : "false") &&
	    (!want->is_on || rds_want(op, err, "PerformanceInsightsRetentionPeriod", "%d", days)) &&
	    (!has_mode || rds_want(op, err, "DatabaseInsightsMode", "%s", mode)) &&
	    rds_want_back(
	        op, err, "EnablePerformanceInsights", s->now.insights > 0 ? "true" : "false") &&
	    (s->now.insights <= 0 || !s->now.insights_days ||
	        rds_want_back(
	            op, err, "PerformanceInsightsRetentionPeriod", "%d", s->now.insights_days)) &&
	    (!*s->now.insights_mode ||
	        rds_want_back(op, err, "DatabaseInsightsMode", "%s", s->now.insights_mode)) &&
	    op_fact_set(op, err, "undo_text", "Performance Insights %s again", from) &&
	    op_fact_set(op, err, "what", "insights") && op_fact_set(op, err, "from", "%s", from) &&
	    op_fact_set(op, err, "to", "%s", to);
}

static bool
insights_plan_with(struct op *op, struct aws *aws, struct error *err)
{
	struct insights want;
	struct rds_spec s;
	const char *mode;
	int days;

	if (!insights_words(op, &want, err) || !rds_spec_look(op, aws, &s, err) ||
	    (strcmp(s.status, "storage-optimization") != 0 && !rds_spec_ready(&s, err)))
		return false;
	mode = want.mode                       ? want.mode :
	    want.is_on && *s.now.insights_mode ? s.now.insights_mode :
	                                         "standard";
	days = want.days                  ? want.days :
	    strcmp(mode, "advanced") == 0 ? 465 :
	    s.now.insights_days           ? s.now.insights_days :
	                                    7;
	if (want.is_on && strcmp(mode, "advanced") == 0 && days < 465) {
		error_set(err, ERR_USAGE, "the advanced mode keeps at least 465 days");
		return error_hint(err, "insights on days 465 advanced, or standard.");
	}
	if (want.is_on && is_too_small(s.now.instance_class)) {
		error_set(err, ERR_UNSUPPORTED, "%s does not have Performance Insights",
		    s.now.instance_class);
		return error_hint(
		    err, "The smallest burstable classes do not: scale class db.t4g.medium.");
	}
	if (s.now.insights == want.is_on &&
	    (!want.is_on ||
	        (s.now.insights_days == days &&
	            (!want.mode || strcmp(mode, s.now.insights_mode) == 0)))) {
		error_set(err, ERR_REFUSED, "it is that already");
		return error_hint(err, "There is nothing to do.");
	}
	doc_pair(&op->doc, "cost", ROLE_NORMAL, "%s",
	    !want.is_on  ? "what was collected is deleted" :
	        days > 7 ? "no outage; more than 7 days are billed for each vCPU" :
	                   "no outage; 7 days are free");
	op_add_step(op, "modify", want.is_on ? "low" : "medium",
	    want.is_on ? "turn it on" : "turn it off", "ModifyDBInstance of %s, at once", s.id);
	op_add_step(op, "wait", "none", "see that it is so", "%s", "by DescribeDBInstances");
	return op_fact_set(op, err, "applies", "now") &&
	    op_fact_set(op, err, "window", "%s", s.window) &&
	    insights_keep(op, &s, &want, days, mode, err);
}

static bool
insights_plan(struct op *op, struct error *err)
{
	return rds_with(op, insights_plan_with, err);
}

const struct op_impl rds_insights = { insights_plan, rds_modify_steps, rds_modify_result };
