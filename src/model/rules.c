/* The table of rules, and how a reading becomes a finding. */
#include "config.h"

#include "model/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/rules_priv.h"

#define PROBES(...) ((const enum probe_id[]){ __VA_ARGS__, PROBE_COUNT })
#define NONE        NAN

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
static const double gigabyte = 1024.0 * 1024 * 1024;

const char *const severity_names[] = { "none", "info", "warning", "critical" };
const char *const finding_state_names[] = {
	[FINDING_FIRING] = "firing",
	[FINDING_PENDING] = "pending",
	[FINDING_NO_DATA] = "no data",
	[FINDING_OK] = "ok",
	[FINDING_UNUSED] = "unused",
	[FINDING_OFF] = "off",
};

/* clang-format off */
const struct rule rules[RULE_COUNT] = {
#define R(sym, rule_id, rule_title, ...) \
	[RULE_##sym] = { .id = #rule_id, .title = rule_title, .read = read_##rule_id, __VA_ARGS__ }
	R(UNREACHABLE, unreachable, "no connection",
	    .unit = RULE_SECONDS, .warning = NONE, .critical = 10, .clear = 1, .for_s = 0, .period_s = 0,
	    .probes = PROBES(PROBE_SERVER), .flags = RULE_AGE, .pane = "overview", .runbook = "cannot-connect",
	    .help = "seconds without a connection or an answer"),
	R(CHECKSUM_FAILURES, checksum_failures, "corrupt pages",
	    .unit = RULE_NUMBER, .warning = NONE, .critical = 1, .clear = 1, .for_s = 0, .period_s = 0,
	    .probes = PROBES(PROBE_DBSUM), .pane = "databases", .runbook = "corruption",
	    .help = "pages whose checksum did not match, since the statistics were reset"),
	R(ROLE_CHANGE, role_change, "role changed",
	    .unit = RULE_NUMBER, .warning = 1, .critical = NONE, .clear = 1, .for_s = 15 * MINUTE, .period_s = 0,
	    .probes = PROBES(PROBE_SERVER), .flags = RULE_EVENT, .pane = "replication", .runbook = "failover",
	    .help = "a promotion, a failover, another timeline or another cluster; shown for 15 minutes"),
	R(RESTART, restart, "server restarted",
	    .unit = RULE_NUMBER, .warning = 1, .critical = NONE, .clear = 1, .for_s = 15 * MINUTE, .period_s = 0,
	    .probes = PROBES(PROBE_SERVER), .flags = RULE_EVENT, .pane = "overview", .runbook = "out-of-memory",
	    .help = "the server started anew while it was watched; shown for 15 minutes"),
	R(XID_WRAPAROUND, xid_wraparound, "transaction ids run out",
	    .unit = RULE_PCT, .warning = 50, .critical = 75, .clear = 0.98, .for_s = 0, .period_s = 60,
	    .probes = PROBES(PROBE_WRAPAROUND), .pane = "maintenance", .runbook = "wraparound",
	    .help = "age of the oldest transaction id of any database, of the 2.1 billion there are"),
	R(MXID_WRAPAROUND, mxid_wraparound, "multixact ids run out",
	    .unit = RULE_PCT, .warning = 50, .critical = 75, .clear = 0.98, .for_s = 0, .period_s = 60,
	    .probes = PROBES(PROBE_WRAPAROUND), .pane = "maintenance", .runbook = "wraparound",
	    .help = "the same of multixact ids"),
	R(SLOT_LOST, slot_lost, "replication slot lost",
	    .unit = RULE_NUMBER, .warning = 1, .critical = 2, .clear = 1, .for_s = 0, .period_s = 60,
	    .probes = PROBES(PROBE_SLOTS), .pane = "replication", .runbook = "replication-lag",
	    .help = "1: a slot is about to lose WAL that it needs (unreserved), 2: it has (lost)"),
	R(ARCHIVE_FAILING, archive_failing, "WAL archiving fails",
	    .unit = RULE_NUMBER, .warning = NONE, .critical = 1, .clear = 1, .for_s = MINUTE, .period_s = 30,
	    .probes = PROBES(PROBE_ARCHIVER), .pane = "maintenance", .runbook = "archive-failing",
	    .help = "1: the last try to archive a WAL file failed, and none has succeeded since"),
	R(SLOT_RETAINED, slot_retained, "slot holds WAL back",
	    .unit = RULE_PCT, .warning = 20, .critical = 50, .clear = 0.9, .for_s = 0, .period_s = 30,
	    .probes = PROBES(PROBE_SLOTS, PROBE_CAPACITY), .pane = "replication", .runbook = "disk-full",
	    .help = "WAL kept for the furthest slot, of the free disk space (of 50 GB where that is not known)"),
	R(SLOT_INACTIVE, slot_inactive, "replication slot unused",
	    .unit = RULE_NUMBER, .warning = 1, .critical = NONE, .clear = 1, .for_s = 10 * MINUTE, .period_s = 60,
	    .probes = PROBES(PROBE_SLOTS), .pane = "replication", .runbook = "disk-full",
	    .help = "slots that nobody reads from; since when is known from PostgreSQL 17 on"),
	R(DISK_FREE, disk_free, "little disk space left",
	    .unit = RULE_BYTES, .warning = 10 * gigabyte, .critical = 2 * gigabyte, .clear = 0.9, .for_s = MINUTE, .period_s = 10,
	    .probes = PROBES(PROBE_CAPACITY), .flags = RULE_LOW, .pane = "storage", .runbook = "disk-full",
	    .help = "bytes free where the server's data, WAL or a tablespace is"),
	R(DISK_USED, disk_used, "disk nearly full",
	    .unit = RULE_PCT, .warning = 80, .critical = 90, .clear = 0.97, .for_s = MINUTE, .period_s = 10,
	    .probes = PROBES(PROBE_CAPACITY), .pane = "storage", .runbook = "disk-full",
	    .help = "share in use of the fullest volume of data, WAL and tablespaces"),
	R(DISK_FULL, disk_full, "disk will be full",
	    .unit = RULE_SECONDS, .warning = DAY, .critical = 4 * HOUR, .clear = 0.8, .for_s = 15 * MINUTE, .period_s = 60,
	    .probes = PROBES(PROBE_CAPACITY), .flags = RULE_LOW, .pane = "storage", .runbook = "disk-full",
	    .help = "seconds until the volume is full at the pace of the last two hours; judged when less than 40 % is free"),
	R(ARCHIVE_BEHIND, archive_behind, "WAL archiving is behind",
	    .unit = RULE_SECONDS, .warning = 15 * MINUTE, .critical = HOUR, .clear = 0.9, .for_s = 0, .period_s = 60,
	    .probes = PROBES(PROBE_ARCHIVER), .flags = RULE_AGE, .pane = "maintenance", .runbook = "archive-failing",
	    .help = "seconds since the last file was archived, while finished ones wait: what a restore would lose"),
	R(SYNC_WAITING, sync_waiting, "commits wait for a standby",
	    .unit = RULE_SECONDS, .warning = 5, .critical = 30, .clear = 0.8, .for_s = 0, .period_s = 0,
	    .probes = PROBES(PROBE_ACTIVITY), .flags = RULE_AGE, .pane = "replication", .runbook = "replication-lag",
	    .help = "longest wait of a commit for a synchronous standby"),
	R(BLOCKED_SESSIONS, blocked_sessions, "sessions are blocked",
	    .unit = RULE_SECONDS, .warning = 15, .critical = MINUTE, .clear = 0.8, .for_s = 0, .period_s = 0,
	    .probes = PROBES(PROBE_ACTIVITY, PROBE_LOCKS), .flags = RULE_AGE, .pane = "locks", .runbook = "lock-pileup",
	    .help = "longest wait for a lock; names the session at the head of the queue"),
	R(CONNECTIONS, connections, "connections run out",
	    .unit = RULE_PCT, .warning = 80, .critical = 90, .clear = 0.95, .for_s = MINUTE, .period_s = 0,
	    .probes = PROBES(PROBE_ACTIVITY), .pane = "activity", .runbook = "connection-exhaustion",
	    .help = "client sessions, of max_connections"),
	R(CLIENTS_WAITING, clients_waiting, "clients wait for the pooler",
	    .unit = RULE_NUMBER, .warning = NONE, .critical = 10, .clear = 0.5, .for_s = 10, .period_s = 5,
	    .probes = PROBES(PROBE_POOL_POOLS), .pane = "pools", .runbook = "connection-exhaustion",
	    .help = "PgBouncer clients that wait for a server connection"),
	R(POOL_USAGE, pool_usage, "pool nearly exhausted",
	    .unit = RULE_PCT, .warning = 80, .critical = NONE, .clear = 0.9, .for_s = MINUTE, .period_s = 10,
	    .probes = PROBES(PROBE_POOL_POOLS, PROBE_POOL_DATABASES), .pane = "pools", .runbook = "connection-exhaustion",
	    .help = "server connections in use, of the fullest PgBouncer pool's size"),
	R(STANDBY_LOST, standby_lost, "replication broken",
	    .unit = RULE_NUMBER, .warning = NONE, .critical = 1, .clear = 1, .for_s = 30, .period_s = 10,
	    .probes = PROBES(PROBE_REPLICATION, PROBE_RECEIVER), .pane = "replication", .runbook = "replication-lag",
	    .help = "standbys that streamed from here in the last day and do no more; on a standby: it does not stream"),
	R(REPLICATION_LAG, replication_lag, "standby is behind",
	    .unit = RULE_SECONDS, .warning = 30, .critical = 60, .clear = 0.5, .for_s = 0, .period_s = 5,
	    .probes = PROBES(PROBE_REPLICATION, PROBE_RECEIVER), .flags = RULE_AGE, .pane = "replication", .runbook = "replication-lag",
	    .help = "seconds of WAL that the furthest standby has not replayed, a delay that it was told to keep left out"),
	R(SUBSCRIPTION_STOPPED, subscription_stopped, "subscription stopped",
	    .unit = RULE_NUMBER, .warning = 1, .critical = NONE, .clear = 1, .for_s = MINUTE, .period_s = 30,
	    .probes = PROBES(PROBE_SUBSCRIPTIONS), .pane = "replication", .runbook = "replication-lag",
	    .help = "enabled logical subscriptions without a worker"),
	R(KEY_EXHAUSTION, key_exhaustion, "keys run out",
	    .unit = RULE_PCT, .warning = 85, .critical = 95, .clear = 0.99, .for_s = 0, .period_s = 600,
	    .probes = PROBES(PROBE_INT4_KEYS), .pane = "tables", .runbook = "migration-stuck",
	    .help = "furthest sequence, of its end or that of the integer column it fills"),
	R(IDLE_IN_TRANSACTION, idle_in_transaction, "idle in transaction",
	    .unit = RULE_SECONDS, .warning = 5 * MINUTE, .critical = 30 * MINUTE, .clear = 1, .for_s = 0, .period_s = 0,
	    .probes = PROBES(PROBE_ACTIVITY), .flags = RULE_AGE, .pane = "activity", .runbook = "connection-exhaustion",
	    .help = "longest time that a session has been idle inside a transaction"),
	R(PREPARED_TRANSACTION, prepared_transaction, "prepared transaction forgotten",
	    .unit = RULE_SECONDS, .warning = 5 * MINUTE, .critical = HOUR, .clear = 1, .for_s = 0, .period_s = 30,
	    .probes = PROBES(PROBE_XMIN_HOLDERS), .flags = RULE_AGE, .pane = "maintenance", .runbook = "bloat",
	    .help = "age of the oldest prepared transaction"),
	R(LONG_TRANSACTION, long_transaction, "long transaction",
	    .unit = RULE_SECONDS, .warning = 5 * MINUTE, .critical = 30 * MINUTE, .clear = 1, .for_s = 0, .period_s = 0,
	    .probes = PROBES(PROBE_ACTIVITY), .flags = RULE_AGE, .pane = "activity", .runbook = "runaway-query",
	    .help = "age of the oldest transaction of a client"),
	R(XMIN_HORIZON, xmin_horizon, "vacuum is held back",
	    .unit = RULE_XIDS, .warning = 20e6, .critical = 200e6, .clear = 0.95, .for_s = 0, .period_s = 30,
	    .probes = PROBES(PROBE_XMIN_HOLDERS), .pane = "maintenance", .runbook = "bloat",
	    .help = "transactions since the oldest snapshot that anything still holds"),
	R(CPU, cpu, "CPU is busy",
	    .unit = RULE_PCT, .warning = 80, .critical = 95, .clear = 0.9, .for_s = 10 * MINUTE, .period_s = 10,
	    .probes = PROBES(PROBE_HOST), .pane = "waits", .runbook = "high-cpu",
	    .help = "CPU time in use on the server's machine, mean of five minutes (of `for` where that is shorter)"),
	R(SLOW_QUERIES, slow_queries, "slow queries",
	    .unit = RULE_NUMBER, .warning = 100, .critical = NONE, .clear = 0.8, .for_s = 0, .period_s = 0,
	    .probes = PROBES(PROBE_ACTIVITY), .pane = "statements", .runbook = "runaway-query",
	    .help = "statements of the last minute seen to pass one second; what begins and ends between two refreshes is missed"),
	R(DEADLOCKS, deadlocks, "deadlocks",
	    .unit = RULE_NUMBER, .warning = 5, .critical = NONE, .clear = 0.8, .for_s = 0, .period_s = 0,
	    .probes = PROBES(PROBE_DBSUM), .pane = "databases", .runbook = "deadlocks",
	    .help = "deadlocks of the last hour"),
	R(BACKUP_AGE, backup_age, "no recent backup",
	    .unit = RULE_SECONDS, .warning = 26 * HOUR, .critical = 50 * HOUR, .clear = 1, .for_s = 0, .period_s = 600,
	    .probes = PROBES(PROBE_BACKUP_HISTORY), .flags = RULE_AGE, .pane = "overview", .runbook = "archive-failing",
	    .help = "age of the last good base backup, by its history file in the archive or by the setting backup_file"),
	R(BACKUP_VERIFIED, backup_verified, "no verified backup",
	    .unit = RULE_SECONDS, .warning = 7 * DAY, .critical = NONE, .clear = 1, .for_s = 0, .period_s = 0,
	    .probes = PROBES(PROBE_BACKUPS), .flags = RULE_AGE, .pane = "overview", .runbook = "archive-failing",
	    .help = "age of the last backup that was restored and checked, by the setting backup_verified_file"),
	R(AUTOVACUUM_OFF, autovacuum_off, "autovacuum is off",
	    .unit = RULE_NUMBER, .warning = 1, .critical = NONE, .clear = 1, .for_s = MINUTE, .period_s = 300,
	    .probes = PROBES(PROBE_FLAWS), .pane = "settings", .runbook = "bloat",
	    .help = "autovacuum or track_counts is switched off for the server"),
	R(FREEZE_OVERDUE, freeze_overdue, "freezing cannot keep up",
	    .unit = RULE_PCT, .warning = 120, .critical = NONE, .clear = 0.95, .for_s = 0, .period_s = 60,
	    .probes = PROBES(PROBE_WRAPAROUND), .pane = "maintenance", .runbook = "wraparound",
	    .help = "age of the oldest id of a database, of the age where autovacuum forces itself"),
	R(CHECKPOINTS_REQUESTED, checkpoints_requested, "checkpoints come early",
	    .unit = RULE_PCT, .warning = 50, .critical = NONE, .clear = 0.9, .for_s = 0, .period_s = 60,
	    .probes = PROBES(PROBE_CHECKPOINTS), .pane = "maintenance", .runbook = "checkpoint-storm",
	    .help = "requested ones, of the checkpoints of the last hour; judged from five requested ones on"),
	R(CONNECTION_CHURN, connection_churn, "connections come and go",
	    .unit = RULE_PER_S, .warning = 50, .critical = NONE, .clear = 0.8, .for_s = 5 * MINUTE, .period_s = 0,
	    .probes = PROBES(PROBE_DBSUM), .flags = RULE_INFO, .pane = "activity", .runbook = "connection-exhaustion",
	    .help = "new sessions per second in the last minute (PostgreSQL 14 and newer): a pooler is missing"),
	R(ROLLBACK_RATIO, rollback_ratio, "many rollbacks",
	    .unit = RULE_PCT, .warning = 10, .critical = NONE, .clear = 0.8, .for_s = 5 * MINUTE, .period_s = 0,
	    .probes = PROBES(PROBE_DBSUM), .flags = RULE_INFO, .pane = "databases", .runbook = "deadlocks",
	    .help = "rolled-back ones of the last five minutes' transactions; judged from 100 transactions on"),
	R(CACHE_HIT, cache_hit, "few cache hits",
	    .unit = RULE_PCT, .warning = 90, .critical = NONE, .clear = 0.98, .for_s = 10 * MINUTE, .period_s = 0,
	    .probes = PROBES(PROBE_DBSUM), .flags = RULE_INFO | RULE_LOW, .pane = "databases", .runbook = "high-cpu",
	    .help = "pages found in shared buffers in the last five minutes; judged from 100 reads a second on"),
	R(BLOAT, bloat, "dead rows",
	    .unit = RULE_PCT, .warning = 50, .critical = NONE, .clear = 0.9, .for_s = 10 * MINUTE, .period_s = 300,
	    .probes = PROBES(PROBE_VACUUM_TABLES), .flags = RULE_INFO, .pane = "tables", .runbook = "bloat",
	    .help = "dead rows of the worst table, of all its rows; tables with 100,000 dead rows and more count"),
	R(INVALID_INDEXES, invalid_indexes, "invalid indexes",
	    .unit = RULE_NUMBER, .warning = 1, .critical = NONE, .clear = 1, .for_s = 5 * MINUTE, .period_s = 300,
	    .probes = PROBES(PROBE_FLAWS), .flags = RULE_INFO, .pane = "indexes", .runbook = "migration-stuck",
	    .help = "indexes that a failed build left behind: they cost writes and serve no query"),
	R(COLLATION_VERSION, collation_version, "collation version differs",
	    .unit = RULE_NUMBER, .warning = 1, .critical = NONE, .clear = 1, .for_s = 0, .period_s = 600,
	    .probes = PROBES(PROBE_FLAWS), .flags = RULE_INFO, .pane = "databases", .runbook = "corruption",
	    .help = "databases made under another version of the system's collations: their text indexes may be wrong (PostgreSQL 15 and newer)"),
	R(PENDING_RESTART, pending_restart, "settings wait for a restart",
	    .unit = RULE_NUMBER, .warning = 1, .critical = NONE, .clear = 1, .for_s = 0, .period_s = 300,
	    .probes = PROBES(PROBE_FLAWS), .flags = RULE_INFO, .pane = "settings", .runbook = "failover",
	    .help = "settings that were changed and take effect at the next start only"),
#undef R
};
/* clang-format on */

enum rule_id
rule_by_id(const char *id)
{
	int i = 0;

	while (i < RULE_COUNT && strcmp(rules[i].id, id) != 0)
		i++;
	return (enum rule_id)i;
}

struct rule_limits
rule_limits_default(enum rule_id id)
{
	const struct rule *rule = &rules[id];
	return (struct rule_limits){ rule->warning, rule->critical, rule->for_s, false };
}

struct rules *
rules_new(void)
{
	struct rules *r = xcalloc(1, sizeof(*r));

	for (int i = 0; i < RULE_COUNT; i++)
		r->limits[i] = rule_limits_default((enum rule_id)i);
	r->version = 1;
	r->lag_step = 1000000;
	return r;
}

void
rules_free(struct rules *r)
{
	if (!r)
		return;
	names_release(&r->names);
	rowset_unref(r->memory_rows);
	free(r);
}

unsigned
rules_version(const struct rules *r)
{
	return r->version;
}

/* A probe is asked often enough for the duration, and for the age, that its rules wait for. */
void
rules_periods(const struct rules *r, int ms[PROBE_COUNT])
{
	memset(ms, 0, PROBE_COUNT * sizeof(ms[0]));
	for (int i = 0; i < RULE_COUNT; i++) {
		const struct rule *rule = &rules[i];
		const struct rule_limits *l = &r->limits[i];
		double least = isnan(l->warning) ? l->critical : l->warning;
		double wait = l->for_s + (rule->flags & RULE_AGE && least > 0 ? least : 0);
		double period = rule->period_s;

		if (l->is_off || rule->period_s == 0)
			continue;
		if (wait > 0 && wait / 2 < period)
			period = fmax(1, wait / 2);
		for (const enum probe_id *p = rule->probes; *p != PROBE_COUNT; p++)
			if (!ms[*p] || period * 1000 < ms[*p])
				ms[*p] = (int)(period * 1000);
	}
}

/* ---- judging */

static bool
is_beyond(const struct rule *rule, double value, double level)
{
	if (isnan(level))
		return false;
	return rule->flags & RULE_LOW ? value < level : value >= level;
}

/* A run from cron each 15 minutes. After a longer gap nobody knows whether it was healthy
 * meanwhile. */
bool
rules_is_gap(const struct rule_limits *l, int64_t before, int64_t after)
{
	int64_t gap = l->for_s > 960 ? l->for_s : 960;
	return after - before > gap * INT64_C(1000000);
}

static bool
is_long_ago(const struct rule_input *in, const struct rule_memory *m)
{
	return m->known_at && rules_is_gap(in->limits, m->known_at, in->now);
}

/* Where a level that fired clears: a share of it, on the healthy side. */
static double
clear_level(const struct rule *rule, double level)
{
	return rule->flags & RULE_LOW ? level / rule->clear : level * rule->clear;
}

static void
judge_level(
    const struct rule_input *in, const struct reading *got, enum severity level, double threshold)
{
	const struct rule *rule = &rules[in->id];
	struct rule_memory *m = &in->r->memory[in->id];
	bool holds = is_beyond(rule, got->value, threshold) ||
	    (m->fired[level] && is_beyond(rule, got->value, clear_level(rule, threshold)));
	int64_t start = got->since && got->since < in->now ? got->since : in->now;
	int64_t for_us = rule->flags & RULE_EVENT ? 0 : in->limits->for_s * INT64_C(1000000);

	if (!holds) {
		m->held[level] = m->fired[level] = false;
		m->since[level] = 0;
		return;
	}
	if (!m->held[level] || start < m->since[level])
		m->since[level] = start;
	m->held[level] = true;
	/* An age has its beginning, but it is the level's own age that counts. */
	int64_t held_us = rule->flags & RULE_AGE && !(rule->flags & RULE_LOW) && got->since ?
	    in->now - m->since[level] - (int64_t)(threshold * 1e6) :
	    in->now - m->since[level];
	if (held_us >= for_us)
		m->fired[level] = true;
}

static enum severity
severity_of(const struct rule *rule, const bool level[])
{
	if (level[SEVERITY_CRITICAL])
		return SEVERITY_CRITICAL;
	if (level[SEVERITY_WARNING])
		return rule->flags & RULE_INFO ? SEVERITY_INFO : SEVERITY_WARNING;
	return SEVERITY_NONE;
}

static void
judge_value(const struct rule_input *in, const struct reading *got, struct finding *f)
{
	const struct rule *rule = &rules[in->id];
	struct rule_memory *m = &in->r->memory[in->id];
	enum severity fired, held;

	if (is_long_ago(in, m))
		*m = (struct rule_memory){ .known_at = 0 };
	judge_level(in, got, SEVERITY_WARNING, in->limits->warning);
	judge_level(in, got, SEVERITY_CRITICAL, in->limits->critical);
	m->known_at = in->now;
	fired = severity_of(rule, m->fired);
	held = severity_of(rule, m->held);
	f->state = fired ? FINDING_FIRING : held ? FINDING_PENDING : FINDING_OK;
	f->severity = fired ? fired : held;
	if (f->state != FINDING_OK) {
		int64_t since = m->held[SEVERITY_WARNING] ? m->since[SEVERITY_WARNING] :
		                                            m->since[SEVERITY_CRITICAL];
		f->since.us = since;
	}
	f->threshold = f->severity == SEVERITY_CRITICAL || isnan(in->limits->warning) ?
	    in->limits->critical :
	    in->limits->warning;
}

/* A figure that is missing for a moment (a timeout while the server is busy) ends nothing; what
 * was pending or firing is forgotten when it stays away. */
static void
judge_unknown(const struct rule_input *in, struct finding *f)
{
	struct rule_memory *m = &in->r->memory[in->id];

	f->state = FINDING_NO_DATA;
	if (is_long_ago(in, m))
		*m = (struct rule_memory){ .known_at = 0 };
}

static void
judge(struct rule_input *in, struct finding *f)
{
	struct reading got = {
		.kind = READING_UNKNOWN, .value = NAN, .what = "", .evidence = "", .why = ""
	};

	*f = (struct finding){ .id = in->id,
		.value = NAN,
		.threshold = NAN,
		.what = "",
		.evidence = "",
		.why = "",
		.because = RULE_COUNT,
		.mute_reason = "",
		.limits = *in->limits };
	if (in->limits->is_off) {
		f->state = FINDING_OFF;
		in->r->memory[in->id] = (struct rule_memory){ .known_at = 0 };
		return;
	}
	rules[in->id].read(in, &got);
	f->value = got.value;
	f->what = got.what;
	f->evidence = got.evidence;
	f->pid = got.pid;
	f->why = got.why;
	switch (got.kind) {
	case READING_VALUE:
		judge_value(in, &got, f);
		break;
	case READING_UNKNOWN:
		judge_unknown(in, f);
		break;
	case READING_UNUSED:
		f->state = FINDING_UNUSED;
		in->r->memory[in->id] = (struct rule_memory){ .known_at = 0 };
		break;
	}
}

static void
apply_mutes(struct finding *findings, const struct snapshot *s, int64_t now)
{
	const struct rowset *rs = snapshot_rows(s, PROBE_ALERT_MUTES);

	for (int i = 0; rs && i < rs->nrows; i++) {
		const struct cell *until = rowset_get(rs, i, "until"),
		                  *reason = rowset_get(rs, i, "reason");
		for (int k = 0; k < RULE_COUNT; k++) {
			if (!cell_is(rowset_get(rs, i, "rule"), rules[k].id) || until->i <= now)
				continue;
			findings[k].muted_until.us = until->i;
			findings[k].mute_reason = reason->type == CELL_TEXT ? reason->s : "";
		}
	}
}

static bool
is_other_cluster(const struct server_info *was, const struct server_info *is)
{
	return was->system_identifier && is->system_identifier &&
	    was->system_identifier != is->system_identifier;
}

/* Standbys, positions and counters were those of the cluster that is gone: none is missing here. */
static void
forget_cluster(struct rules *r)
{
	memset(r->standbys, 0, sizeof(r->standbys));
	memset(r->windows, 0, sizeof(r->windows));
	r->nlag = r->ndisk = 0;
	r->archived_at = r->restarted_at = 0;
}

bool
rules_is_memory_of(const struct rules *r, int64_t system_identifier)
{
	return !r->system_identifier || !system_identifier ||
	    r->system_identifier == system_identifier;
}

/* Restarts, promotions and failovers: the server is not the one that it was. */
static void
compare_identity(struct rules *r, const struct server_info *was, bool had_role,
    const struct server_info *is, int64_t now)
{
	const char *change = NULL;

	if (!is_other_cluster(was, is) && was->start_us && is->start_us > was->start_us + 1000000)
		r->restarted_at = is->start_us;
	if (is_other_cluster(was, is))
		change = "another cluster answers: a different system identifier";
	else if (had_role && was->is_standby && !is->is_standby)
		change = "the standby became a primary";
	else if (had_role && !was->is_standby && is->is_standby)
		change = "the primary is a standby now";
	else if (was->timeline && is->timeline && was->timeline != is->timeline)
		change = "the server is on another timeline";
	if (!change)
		return;
	r->role_changed_at = now;
	snprintf(r->role_change, sizeof(r->role_change), "%s", change);
}

static struct server_info
known_identity(const struct rules *r)
{
	return (struct server_info){ .start_us = r->start_us,
		.system_identifier = r->system_identifier,
		.timeline = r->timeline,
		.is_standby = r->is_standby };
}

static void
see_identity(struct rules *r, const struct server_info *s, int64_t now)
{
	struct server_info was = known_identity(r);

	if (!s->start_us)
		return;
	compare_identity(r, &was, r->has_role, s, now);
	if (is_other_cluster(&was, s))
		forget_cluster(r);
	r->start_us = s->start_us;
	r->has_role = true;
	r->is_standby = s->is_standby;
	if (s->timeline)
		r->timeline = s->timeline;
	if (s->system_identifier)
		r->system_identifier = s->system_identifier;
}

void
rules_was(struct rules *r, const struct server_info *was)
{
	struct server_info is = known_identity(r);

	if (r->has_role)
		compare_identity(r, was, true, &is, r->seen_at);
	else
		see_identity(r, was, 0);
}

void
rules_judge(struct rules *r, struct snapshot *s, struct wall now, struct mono mono)
{
	struct finding *findings = arena_alloc(&s->arena, RULE_COUNT * sizeof(*findings));

	if (s->taken_at.us)
		see_identity(r, &s->server, now.us);
	for (int i = 0; i < RULE_COUNT; i++) {
		struct rule_input in = { .s = s,
			.r = r,
			.id = (enum rule_id)i,
			.limits = &r->limits[i],
			.now = now.us,
			.mono = mono,
			.arena = &s->arena };
		judge(&in, &findings[i]);
	}
	apply_mutes(findings, s, now.us);
	r->seen_at = now.us;
	/* Often at first: a run that looks once takes it from its last snapshot. */
	if (!r->memory_rows || r->judgements++ < 50 || now.us - r->memory_at > 5000000) {
		rowset_unref(r->memory_rows);
		r->memory_rows = rules_memory(r, findings, now.us);
		r->memory_at = now.us;
	}
	rules_rank(findings, s);
	s->findings = findings;
	s->nfindings = RULE_COUNT;
	s->judged_at = now;
	s->alert_memory = rowset_ref(r->memory_rows);
}

const struct finding *
finding_of(const struct snapshot *s, enum rule_id id)
{
	for (int i = 0; i < s->nfindings; i++)
		if (s->findings[i].id == id)
			return &s->findings[i];
	return NULL;
}

int
findings_count(const struct snapshot *s, enum severity severity)
{
	int n = 0;

	for (int i = 0; i < s->nfindings; i++)
		n += s->findings[i].state == FINDING_FIRING &&
		    s->findings[i].severity == severity && !s->findings[i].muted_until.us;
	return n;
}
