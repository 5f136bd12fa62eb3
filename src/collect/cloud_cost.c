/* What asking costs: calls and metrics since the start, and the bill of a month at this pace. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/rowset.h"
#include "collect/cloud_priv.h"

/* USD for one metric of GetMetricData; other calls of CloudWatch and those of Performance Insights
 * are free up to a million a month. The others cost nothing. */
static const double usd_per_metric = 0.01 / 1000, month_s = 30.0 * 86400;

/* clang-format off */
#define COLUMNS(X)                         \
	X(REGION, "region", TEXT)          \
	X(SOURCE, "credentials", TEXT)     \
	X(LOOKED, "looked", TEXT) \
	X(ENDPOINT, "custom_endpoint", TEXT) \
	X(INSTANCES, "targets", INT)       \
	X(RDS, "rds_calls", INT)           \
	X(CLOUDWATCH, "cloudwatch_calls", INT) \
	X(PI, "insights_calls", INT)       \
	X(OTHERS, "other_calls", INT)      \
	X(THROTTLED, "throttled", INT)     \
	X(RDS_RATE, "rds_calls_per_s", FLOAT) \
	X(SECONDS, "seconds", FLOAT)       \
	X(METRICS, "metrics", INT)         \
	X(METRICS_MONTH, "metrics_per_month", INT) \
	X(USD_MONTH, "usd_per_month", FLOAT) \
	X(PERIOD, "period_s", FLOAT)       \
	X(CLOCK, "clock_behind_s", INT)    \
	X(WARNINGS, "warnings", TEXT)      \
	X(TROUBLE, "trouble", TEXT)
/* clang-format on */

enum {
#define X(sym, name, type) COST_##sym,
	COLUMNS(X)
#undef X
	    COST_COUNT
};

static struct cell
text_cell(struct rowset *rows, const char *s)
{
	return *s ? cell_text(arena_strdup(&rows->arena, s)) : cell_null(WHY_NONE);
}

static void
fill(struct cloud_account *a, struct rowset *rows, int members)
{
	struct cell *c = rowset_add(rows);
	double seconds = (double)(mono_now().us - a->started.us) / 1e6;
	int64_t others = 0;

	for (int s = 0; s < AWS_SERVICES; s++)
		if (s != AWS_RDS && s != AWS_CLOUDWATCH && s != AWS_PI)
			others += a->calls[s];
	c[COST_REGION] = text_cell(rows, a->aws ? aws_region(a->aws) : a->region);
	c[COST_SOURCE] = text_cell(rows, a->aws ? aws_source(a->aws) : "");
	/* Where no credentials were; of no use once there are some. */
	if (a->aws && !*aws_source(a->aws))
		c[COST_LOOKED] = text_cell(rows, aws_looked(a->aws));
	c[COST_ENDPOINT] = text_cell(rows, a->aws ? aws_custom_endpoint(a->aws, AWS_RDS) : "");
	c[COST_INSTANCES] = cell_int(members);
	c[COST_RDS] = cell_int(a->calls[AWS_RDS]);
	c[COST_CLOUDWATCH] = cell_int(a->calls[AWS_CLOUDWATCH]);
	c[COST_PI] = cell_int(a->calls[AWS_PI]);
	c[COST_OTHERS] = cell_int(others);
	c[COST_THROTTLED] = cell_int(a->throttled);
	/* A first minute of few calls is no rate. */
	c[COST_RDS_RATE] = cell_float((double)a->calls[AWS_RDS] / (seconds > 60 ? seconds : 60));
	c[COST_SECONDS] = cell_float(seconds);
	c[COST_METRICS] = cell_int(a->metrics);
	c[COST_METRICS_MONTH] = cell_int((int64_t)(a->metrics_per_s * month_s));
	c[COST_USD_MONTH] = cell_float(a->metrics_per_s * month_s * usd_per_metric);
	c[COST_PERIOD] = cell_float((double)a->period_ms / 1000);
	c[COST_CLOCK] = cell_int(a->aws ? aws_clock_behind_s(a->aws) : 0);
	c[COST_WARNINGS] = text_cell(rows, a->aws ? aws_warnings(a->aws) : "");
	c[COST_TROUBLE] = text_cell(rows, a->trouble);
}

void
cloud_cost_post(struct cloud_account *a)
{
	static const char *const names[COST_COUNT] = {
#define X(sym, name, type) name,
		COLUMNS(X)
#undef X
	};
	static const uint8_t types[COST_COUNT] = {
#define X(sym, name, type) CELL_##type,
		COLUMNS(X)
#undef X
	};
	int members = 0;

	for (struct cloud_member *m = cloud_members(a); m; m = m->next)
		members++;
	for (struct cloud_member *m = cloud_members(a); m; m = m->next) {
		struct rowset *rows = rowset_new(COST_COUNT, names, types);

		fill(a, rows, members);
		cloud_post(m, PROBE_CLOUD_COST, rows);
	}
}
