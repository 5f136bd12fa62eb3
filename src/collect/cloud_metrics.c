/*
 * CloudWatch: one GetMetricData for all instances of the account. What is asked for goes by engine
 * and class, since a metric that an instance does not have is paid for all the same; one that told
 * nothing for an hour is asked for once an hour only.
 *
 * Points come one to three minutes late and may be revised, so each time the last five minutes are
 * read again. At the start it is the last three hours. The sample of the last minutes comes each
 * time; that of the hours now and then, which keeps recordings small.
 *
 * An answer may be good and still lack series: each has a status of its own, which is told beside
 * the points. A series may go on over several pages, told apart by its id.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rowset.h"
#include "collect/cloud_priv.h"
#include "model/rds_class.h"

enum {
	SLOTS = 192, /* minutes kept, more than CLOUD_PAST_S */
	RECENT_S = 15 * 60,
	AGAIN_S = 5 * 60,
	PAST_EVERY_S = 10 * 60,
	HOUR_S = 3600,
	MOST_QUERIES = 500, /* of one call */
	MAX_PAGES = 500,
	MAX_CALL = 1 << 20,
};

/* Who has a metric. */
enum {
	RDS = 1 << 0,    /* not Aurora */
	AURORA = 1 << 1, /* ... only */
	PG = 1 << 2,     /* PostgreSQL */
	BURSTABLE = 1 << 3,
	GP2 = 1 << 4,
	SMALL = 1 << 5,
	LOCAL = 1 << 6, /* storage of its own: NVMe, or Aurora */
	REPLICA = 1 << 7,
	READER = 1 << 8,
	WRITER = 1 << 9,
	SERVERLESS = 1 << 10,
	LOAD = 1 << 11,   /* Performance Insights is on */
	VOLUME = 1 << 12, /* of the cluster */
};

struct metric_def {
	const char *name, *stat;
	unsigned needs;
	int period_s;
};

/* clang-format off */
static const struct metric_def defs[] = {
	{ "CPUUtilization", "Average", 0, 60 },
	{ "DatabaseConnections", "Average", 0, 60 },
	{ "FreeableMemory", "Minimum", 0, 60 },
	{ "SwapUsage", "Average", 0, 60 },
	{ "FreeStorageSpace", "Minimum", RDS, 60 },
	{ "FreeLocalStorage", "Minimum", LOCAL, 60 },
	{ "ReadIOPS", "Average", 0, 60 },
	{ "WriteIOPS", "Average", 0, 60 },
	{ "ReadThroughput", "Average", 0, 60 },
	{ "WriteThroughput", "Average", 0, 60 },
	{ "ReadLatency", "Average", 0, 60 },
	{ "WriteLatency", "Average", 0, 60 },
	{ "DiskQueueDepth", "Average", 0, 60 },
	{ "NetworkReceiveThroughput", "Average", 0, 60 },
	{ "NetworkTransmitThroughput", "Average", 0, 60 },
	{ "BurstBalance", "Minimum", RDS | GP2, 60 },
	{ "EBSIOBalance%", "Minimum", RDS | SMALL, 300 },
	{ "EBSByteBalance%", "Minimum", RDS | SMALL, 300 },
	{ "CPUCreditBalance", "Minimum", BURSTABLE, 300 },
	{ "CPUSurplusCreditBalance", "Maximum", BURSTABLE, 300 },
	{ "ReplicaLag", "Maximum", RDS | REPLICA, 60 },
	{ "OldestReplicationSlotLag", "Maximum", RDS | PG, 60 },
	{ "ReplicationSlotDiskUsage", "Maximum", PG, 60 },
	{ "TransactionLogsDiskUsage", "Maximum", PG, 60 },
	{ "TransactionLogsGeneration", "Average", RDS | PG, 60 },
	{ "MaximumUsedTransactionIDs", "Maximum", PG, 60 },
	{ "CheckpointLag", "Maximum", RDS | PG, 60 },
	{ "AuroraReplicaLag", "Maximum", AURORA | READER, 60 },
	{ "AuroraReplicaLagMaximum", "Maximum", AURORA | WRITER, 60 },
	{ "BufferCacheHitRatio", "Average", AURORA, 60 },
	{ "Deadlocks", "Average", AURORA, 60 },
	{ "CommitLatency", "Average", AURORA, 60 },
	{ "CommitThroughput", "Average", AURORA, 60 },
	{ "ServerlessDatabaseCapacity", "Average", AURORA | SERVERLESS, 60 },
	{ "ACUUtilization", "Average", AURORA | SERVERLESS, 60 },
	{ "DBLoad", "Average", LOAD, 60 },
	{ "DBLoadCPU", "Average", LOAD, 60 },
	{ "DBLoadNonCPU", "Average", LOAD, 60 },
	{ "VolumeBytesUsed", "Average", AURORA | VOLUME, 300 },
	{ "VolumeReadIOPs", "Average", AURORA | VOLUME, 300 },
	{ "VolumeWriteIOPs", "Average", AURORA | VOLUME, 300 },
};
/* clang-format on */
enum { NDEFS = (int)ARRAY_LEN(defs) };

struct metric_memory {
	int64_t minutes[SLOTS]; /* since 1970; of each slot */
	double values[SLOTS][NDEFS];
	struct {
		int64_t asked, told; /* seconds; 0 never */
		char status[24];     /* of the last answer; "" whole */
	} defs[NDEFS];
	int64_t past_at;   /* when the hours were last posted */
	char message[256]; /* what CloudWatch said of the last answer as a whole */
};

void
cloud_metrics_release(struct metric_memory *memory)
{
	free(memory);
}

/* What the instance has; of an unknown one what all have. */
static unsigned
has(const struct cloud_member *m)
{
	const struct xml *x = cloud_instance_of(m);
	const char *engine = xml_text(x, "Engine");
	struct rds_class class = rds_class_of(xml_text(x, "DBInstanceClass"));
	bool is_aurora = strncmp(engine, "aurora", 6) == 0, is_writer = false;

	if (!x)
		return RDS;
	is_writer = cloud_is_writer(m);
	return (is_aurora ? AURORA | VOLUME : RDS) | (strstr(engine, "postgres") ? PG : 0) |
	    (class.is_burstable ? BURSTABLE : 0) |
	    (strcmp(xml_text(x, "StorageType"), "gp2") == 0 ? GP2 : 0) |
	    (class.has_ebs_burst ? SMALL : 0) | (is_aurora || class.has_nvme ? LOCAL : 0) |
	    (*xml_text(x, "ReadReplicaSourceDBInstanceIdentifier") ? REPLICA : 0) |
	    (is_writer ? WRITER : READER) | (class.is_serverless ? SERVERLESS : 0) |
	    (xml_true(x, "PerformanceInsightsEnabled") ? LOAD : 0);
}

/* ---- asking */

struct query {
	struct cloud_member *member;
	int def;
};

struct asking {
	struct cloud_account *account;
	struct query queries[MOST_QUERIES];
	int n;
	int64_t from, to; /* seconds */
	int64_t now;
	char message[256]; /* of the answers */
};

static void
write_query(struct strbuf *out, const struct query *q, int i)
{
	const struct metric_def *d = &defs[q->def];
	bool is_volume = d->needs & VOLUME;
	const char *id = is_volume ? q->member->cluster_id : q->member->id;

	strbuf_addf(out,
	    "%s{\"Id\":\"q%d\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"AWS/RDS\","
	    "\"MetricName\":\"%s\",\"Dimensions\":[{\"Name\":\"%s\",\"Value\":",
	    i ? "," : "", i, d->name, is_volume ? "DBClusterIdentifier" : "DBInstanceIdentifier");
	json_str(out, id, strlen(id));
	strbuf_addf(
	    out, "}]},\"Period\":%d,\"Stat\":\"%s\"},\"ReturnData\":true}", d->period_s, d->stat);
}

static void
put_point(struct metric_memory *memory, int def, int64_t seconds, double value)
{
	int64_t minute = seconds / 60;
	int slot = (int)(minute % SLOTS);

	if (memory->minutes[slot] > minute)
		return;
	if (memory->minutes[slot] < minute)
		for (int i = 0; i < NDEFS; i++)
			memory->values[slot][i] = NAN;
	memory->minutes[slot] = minute;
	memory->values[slot][def] = value;
	if (seconds > memory->defs[def].told)
		memory->defs[def].told = seconds;
}

/* Of the last page that has it: what was partial may have become whole. */
static void
put_status(struct metric_memory *memory, int def, const char *status)
{
	bool is_whole = !status || strcmp(status, "Complete") == 0;

	snprintf(memory->defs[def].status, sizeof(memory->defs[def].status), "%s",
	    is_whole ? "" : status);
}

static void
take_result(struct asking *ask, const struct json *r)
{
	const char *id = json_text(json_get(r, "Id"));
	const struct json *t = json_child(json_get(r, "Timestamps"));
	const struct json *v = json_child(json_get(r, "Values"));
	int i = id && *id == 'q' ? (int)strtol(id + 1, NULL, 10) : -1;
	struct wall at;
	double value;

	if (i < 0 || i >= ask->n)
		return;
	put_status(ask->queries[i].member->metrics, ask->queries[i].def,
	    json_text(json_get(r, "StatusCode")));
	for (; t && v; t = json_next(t), v = json_next(v))
		/* What was not asked for has no place among the minutes. */
		if (aws_time(t, &at) && aws_number(v, &value) &&
		    at.us / 1000000 >= ask->from - 3600 && at.us / 1000000 <= ask->to + 3600)
			put_point(ask->queries[i].member->metrics, ask->queries[i].def,
			    at.us / 1000000, value);
}

static bool
take_page(const struct aws_answer *answer, void *arg, struct error *err)
{
	const struct json *r = json_child(json_get(answer->json, "MetricDataResults"));
	const struct json *m = json_child(json_get(answer->json, "Messages"));
	struct asking *ask = arg;

	(void)err;
	for (; r; r = json_next(r))
		take_result(ask, r);
	for (; m && !*ask->message; m = json_next(m)) {
		const char *code = json_text(json_get(m, "Code")),
		           *value = json_text(json_get(m, "Value"));

		snprintf(ask->message, sizeof(ask->message), "%s%s%s", code ? code : "",
		    code && value ? ": " : "", value ? value : "");
	}
	return true;
}

/* Ask what has been gathered. */
static bool
ask(struct asking *ask, struct error *err)
{
	struct strbuf body = STRBUF_INIT(MAX_CALL);
	struct aws_call call = { .service = AWS_CLOUDWATCH, .op = "GetMetricData" };
	bool ok, more = false;

	if (!ask->n)
		return true;
	strbuf_addf(&body,
	    "{\"StartTime\":%lld,\"EndTime\":%lld,\"ScanBy\":\"TimestampDescending\","
	    "\"MetricDataQueries\":[",
	    (long long)ask->from, (long long)ask->to);
	for (int i = 0; i < ask->n; i++)
		write_query(&body, &ask->queries[i], i);
	strbuf_adds(&body, "]}");
	call.json = body.buf;
	ok = cloud_json_pages(ask->account, &call, MAX_PAGES, &more, take_page, ask, err);
	if (more)
		snprintf(ask->message, sizeof(ask->message),
		    "there are more than %d pages of points; the oldest were not read", MAX_PAGES);
	for (int i = 0; ok && i < ask->n; i++)
		ask->queries[i].member->metrics->defs[ask->queries[i].def].asked = ask->now;
	ask->account->metrics += ask->n;
	ask->n = 0;
	strbuf_release(&body);
	return ok;
}

/* Seconds between two questions for a metric. One that is silent while others speak rests; of a new
 * instance all are silent for some minutes. */
static int
pause_s(const struct cloud_account *a, const struct metric_memory *memory, int def, int64_t now)
{
	int period = defs[def].period_s * a->period_ms / CLOUD_PERIOD_MS;
	bool is_any = false;

	for (int d = 0; d < NDEFS; d++)
		is_any |= memory->defs[d].told > now - HOUR_S;
	if (is_any && memory->defs[def].asked && memory->defs[def].told < now - HOUR_S)
		return HOUR_S;
	return period;
}

/* is_first: those that were never asked for. */
static bool
ask_for(struct asking *a, struct cloud_member *m, bool is_first, struct error *err)
{
	unsigned its = has(m);
	const struct metric_memory *memory = m->metrics;

	for (int d = 0; d < NDEFS; d++) {
		int64_t asked = memory->defs[d].asked;

		if ((defs[d].needs & its) != defs[d].needs || !asked != is_first ||
		    (asked && a->now - asked < pause_s(a->account, memory, d, a->now) - 1))
			continue;
		if ((defs[d].needs & VOLUME) && !*m->cluster_id)
			continue;
		a->queries[a->n++] = (struct query){ m, d };
		if (a->n == MOST_QUERIES && !ask(a, err))
			return false;
	}
	return true;
}

/* ---- posting */

static struct rowset *
rows_since(const struct metric_memory *memory, int64_t from)
{
	const char *names[NDEFS + 1] = { "time" };
	uint8_t types[NDEFS + 1] = { CELL_TIME };
	int def_of[NDEFS + 1], n = 1;
	int64_t newest = 0;

	for (int d = 0; d < NDEFS; d++) {
		if (!memory->defs[d].told)
			continue;
		names[n] = defs[d].name;
		types[n] = CELL_FLOAT;
		def_of[n++] = d;
	}
	struct rowset *rows = rowset_new(n, names, types);

	for (int s = 0; s < SLOTS; s++)
		newest = memory->minutes[s] > newest ? memory->minutes[s] : newest;
	for (int64_t minute = newest - SLOTS + 1; minute <= newest; minute++) {
		int slot = (int)((minute % SLOTS + SLOTS) % SLOTS);

		if (!minute || memory->minutes[slot] != minute || minute * 60 < from)
			continue;
		struct cell *c = rowset_add(rows);

		c[0] = cell_time(minute * 60000000);
		for (int i = 1; i < n; i++) {
			double v = memory->values[slot][def_of[i]];

			c[i] = isnan(v) ? cell_null(WHY_NODATA) : cell_float(v);
		}
	}
	return rows;
}

/* A row for each series that the last answer lacked, wholly or in part; and one without a metric
 * for what was said of all. */
static struct rowset *
rows_untold(const struct metric_memory *memory)
{
	static const char *const names[] = { "metric", "status" };
	static const uint8_t types[] = { CELL_TEXT, CELL_TEXT };
	struct rowset *rows = rowset_new((int)ARRAY_LEN(names), names, types);

	for (int d = 0; d < NDEFS; d++) {
		if (!*memory->defs[d].status)
			continue;
		struct cell *c = rowset_add(rows);

		c[0] = cell_text(defs[d].name);
		c[1] = cell_text(arena_strdup(&rows->arena, memory->defs[d].status));
	}
	if (*memory->message) {
		struct cell *c = rowset_add(rows);

		c[0] = cell_null(WHY_NONE);
		c[1] = cell_text(arena_strdup(&rows->arena, memory->message));
	}
	return rows;
}

static void
tell(struct cloud_member *m, int64_t now)
{
	struct metric_memory *memory = m->metrics;

	if (now - memory->past_at >= PAST_EVERY_S) {
		memory->past_at = now;
		cloud_post(m, PROBE_CLOUD_PAST, rows_since(memory, now - CLOUD_PAST_S));
	}
	/* Before the points: who waits for those has this, too. */
	cloud_post(m, PROBE_CLOUD_UNTOLD, rows_untold(memory));
	cloud_post(m, PROBE_CLOUD_METRICS, rows_since(memory, now - RECENT_S));
}

/* What the present choice costs, in metrics a second. */
static double
rate_of(const struct cloud_member *m, int64_t now)
{
	unsigned its = has(m);
	double sum = 0;

	for (int d = 0; d < NDEFS; d++)
		if ((defs[d].needs & its) == defs[d].needs &&
		    (!(defs[d].needs & VOLUME) || *m->cluster_id)) {
			int pause = pause_s(m->account, m->metrics, d, now);

			sum += 1.0 / (pause > 0 ? pause : 1);
		}
	return sum;
}

bool
cloud_metrics_run(struct cloud_account *a, struct cloud_member *m, struct error *err)
{
	struct asking *asking = xcalloc(1, sizeof(*asking));
	bool ok = true;

	asking->account = a;
	asking->now = cloud_clock(a);
	asking->to = asking->now / 60 * 60;
	for (int is_first = 1; ok && is_first >= 0; is_first--) {
		asking->from = asking->to - (is_first ? CLOUD_PAST_S : AGAIN_S);
		for (m = cloud_members(a); ok && m; m = m->next) {
			if (!m->metrics)
				m->metrics = xcalloc(1, sizeof(*m->metrics));
			if (*m->id)
				ok = ask_for(asking, m, is_first != 0, err);
		}
		ok = ok && ask(asking, err);
	}
	a->metrics_per_s = 0;
	for (m = cloud_members(a); ok && m; m = m->next) {
		struct error unknown = { .code = ERR_OK };

		if (*m->id && m->metrics) {
			a->metrics_per_s += rate_of(m, asking->now);
			memcpy(m->metrics->message, asking->message, sizeof(asking->message));
			tell(m, asking->now);
			continue;
		}
		error_set(&unknown, ERR_UNSUPPORTED, "the instance is not known");
		cloud_post_failed(m, PROBE_CLOUD_METRICS, &unknown);
	}
	free(asking);
	return ok;
}
