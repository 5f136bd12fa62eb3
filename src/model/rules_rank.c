/*
 * The order of what is wrong. Severity first, then harm (the order of the rules). A finding that
 * another one explains stands below it, and the cause takes the place of the worst that it
 * explains: what a DBA reads first is what is to be mended first.
 */
#include "config.h"

#include <string.h>

#include "model/rules_priv.h"

enum tie {
	TIE_ALWAYS, /* both firing is enough */
	TIE_PID,    /* both name the same process */
	TIE_QUEUE,  /* the cause blocks a tenth and more of the sessions */
	TIE_WAL,    /* the WAL that the cause keeps is a fifth and more of what is free */
};

/* Nearest cause first: of several the first one that fires is named. */
static const struct {
	enum rule_id symptom, cause;
	enum tie tie;
} causes[] = {
	{ RULE_BLOCKED_SESSIONS, RULE_PREPARED_TRANSACTION, TIE_PID },
	{ RULE_BLOCKED_SESSIONS, RULE_IDLE_IN_TRANSACTION, TIE_PID },
	{ RULE_BLOCKED_SESSIONS, RULE_LONG_TRANSACTION, TIE_PID },
	{ RULE_LONG_TRANSACTION, RULE_IDLE_IN_TRANSACTION, TIE_PID },
	{ RULE_XMIN_HORIZON, RULE_IDLE_IN_TRANSACTION, TIE_PID },
	{ RULE_XMIN_HORIZON, RULE_LONG_TRANSACTION, TIE_PID },
	{ RULE_XMIN_HORIZON, RULE_PREPARED_TRANSACTION, TIE_PID },
	{ RULE_XMIN_HORIZON, RULE_SLOT_INACTIVE, TIE_PID },
	{ RULE_XID_WRAPAROUND, RULE_XMIN_HORIZON, TIE_ALWAYS },
	{ RULE_XID_WRAPAROUND, RULE_PREPARED_TRANSACTION, TIE_ALWAYS },
	{ RULE_XID_WRAPAROUND, RULE_AUTOVACUUM_OFF, TIE_ALWAYS },
	{ RULE_MXID_WRAPAROUND, RULE_LONG_TRANSACTION, TIE_ALWAYS },
	{ RULE_MXID_WRAPAROUND, RULE_AUTOVACUUM_OFF, TIE_ALWAYS },
	{ RULE_FREEZE_OVERDUE, RULE_XMIN_HORIZON, TIE_ALWAYS },
	{ RULE_FREEZE_OVERDUE, RULE_AUTOVACUUM_OFF, TIE_ALWAYS },
	{ RULE_BLOAT, RULE_XMIN_HORIZON, TIE_ALWAYS },
	{ RULE_BLOAT, RULE_IDLE_IN_TRANSACTION, TIE_ALWAYS },
	{ RULE_BLOAT, RULE_PREPARED_TRANSACTION, TIE_ALWAYS },
	{ RULE_BLOAT, RULE_LONG_TRANSACTION, TIE_ALWAYS },
	{ RULE_BLOAT, RULE_AUTOVACUUM_OFF, TIE_ALWAYS },
	{ RULE_SLOT_RETAINED, RULE_SLOT_INACTIVE, TIE_ALWAYS },
	{ RULE_SLOT_LOST, RULE_SLOT_INACTIVE, TIE_ALWAYS },
	{ RULE_SLOT_INACTIVE, RULE_STANDBY_LOST, TIE_ALWAYS },
	{ RULE_ARCHIVE_BEHIND, RULE_ARCHIVE_FAILING, TIE_ALWAYS },
	{ RULE_DISK_FREE, RULE_SLOT_RETAINED, TIE_WAL },
	{ RULE_DISK_FREE, RULE_ARCHIVE_FAILING, TIE_WAL },
	{ RULE_DISK_FREE, RULE_ARCHIVE_BEHIND, TIE_WAL },
	{ RULE_DISK_USED, RULE_SLOT_RETAINED, TIE_WAL },
	{ RULE_DISK_USED, RULE_ARCHIVE_FAILING, TIE_WAL },
	{ RULE_DISK_USED, RULE_ARCHIVE_BEHIND, TIE_WAL },
	{ RULE_DISK_FULL, RULE_SLOT_RETAINED, TIE_WAL },
	{ RULE_DISK_FULL, RULE_ARCHIVE_FAILING, TIE_WAL },
	{ RULE_DISK_FULL, RULE_ARCHIVE_BEHIND, TIE_WAL },
	{ RULE_SYNC_WAITING, RULE_STANDBY_LOST, TIE_ALWAYS },
	{ RULE_REPLICATION_LAG, RULE_STANDBY_LOST, TIE_ALWAYS },
	{ RULE_STANDBY_LOST, RULE_ROLE_CHANGE, TIE_ALWAYS },
	{ RULE_STANDBY_LOST, RULE_RESTART, TIE_ALWAYS },
	{ RULE_CONNECTIONS, RULE_BLOCKED_SESSIONS, TIE_QUEUE },
	{ RULE_CONNECTIONS, RULE_SYNC_WAITING, TIE_ALWAYS },
	{ RULE_CLIENTS_WAITING, RULE_BLOCKED_SESSIONS, TIE_ALWAYS },
	{ RULE_CLIENTS_WAITING, RULE_SYNC_WAITING, TIE_ALWAYS },
	{ RULE_CLIENTS_WAITING, RULE_POOL_USAGE, TIE_ALWAYS },
	{ RULE_POOL_USAGE, RULE_BLOCKED_SESSIONS, TIE_QUEUE },
	{ RULE_SLOW_QUERIES, RULE_BLOCKED_SESSIONS, TIE_QUEUE },
	{ RULE_SLOW_QUERIES, RULE_CPU, TIE_ALWAYS },
	{ RULE_ROLLBACK_RATIO, RULE_DEADLOCKS, TIE_ALWAYS },
	{ RULE_CONNECTION_CHURN, RULE_RESTART, TIE_ALWAYS },
	{ RULE_CACHE_HIT, RULE_RESTART, TIE_ALWAYS },
};

static const struct finding *
by_id(const struct finding *findings, enum rule_id id)
{
	return &findings[id]; /* not yet ordered */
}

/* Slots and prepared transactions have no process: the holder's kind tells. */
static bool
holds_horizon(const struct snapshot *s, const char *kind)
{
	const struct rowset *rs = snapshot_rows(s, PROBE_XMIN_HOLDERS);
	return rs && rs->nrows > 0 && cell_is(rowset_get(rs, 0, "kind"), kind);
}

/* WAL that is kept explains a full disk from this share of the free space on. */
static const double kept_pct = 20;

static bool
archive_fills_disk(const struct snapshot *s)
{
	const struct rowset *capacity = snapshot_rows(s, PROBE_CAPACITY),
	                    *archiver = snapshot_rows(s, PROBE_ARCHIVER);
	int64_t size = s->server.wal_segment_size;

	return capacity && archiver &&
	    (double)rules_unarchived(archiver, size) * (double)size * 100 >=
	    kept_pct * rules_volume(capacity, true).free_bytes;
}

static bool
is_tied(const struct snapshot *s, enum tie tie, const struct finding *symptom,
    const struct finding *cause)
{
	switch (tie) {
	case TIE_ALWAYS:
		return true;
	case TIE_PID:
		if (cause->id == RULE_PREPARED_TRANSACTION)
			return symptom->id == RULE_XMIN_HORIZON ?
			    holds_horizon(s, "prepared transaction") :
			    symptom->pid < 0;
		if (cause->id == RULE_SLOT_INACTIVE)
			return holds_horizon(s, "replication slot");
		return symptom->pid && symptom->pid == cause->pid;
	case TIE_WAL:
		return cause->id == RULE_SLOT_RETAINED ? cause->value >= kept_pct :
		                                         archive_fills_disk(s);
	case TIE_QUEUE:
		break;
	}
	const struct rowset *rs = snapshot_rows(s, PROBE_LOCKS);
	int max = s->server.max_connections, waiting = 0;
	for (int i = 0; rs && i < rs->nrows; i++)
		waiting += !cell_i64(rowset_get(rs, i, "granted"), 1);
	return max <= 0 || waiting * 10 >= max;
}

static void
find_causes(struct finding *findings, const struct snapshot *s)
{
	for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
		struct finding *symptom = &findings[causes[i].symptom];
		const struct finding *cause = by_id(findings, causes[i].cause);

		if (symptom->state == FINDING_FIRING && cause->state == FINDING_FIRING &&
		    symptom->because == RULE_COUNT && is_tied(s, causes[i].tie, symptom, cause))
			symptom->because = causes[i].cause;
	}
}

/* What a finding counts in the order: severe first, then harm. Muted ones come after all others. */
static int
own_key(const struct finding *f)
{
	return (f->muted_until.us != 0) * 100000 + (SEVERITY_CRITICAL - (int)f->severity) * 1000 +
	    (int)f->id;
}

/* The key of the worst that a finding explains, itself among it. The table has no cycles. */
static int
key_of(const struct finding *findings, const struct finding *f)
{
	int key = own_key(f);

	for (int i = 0; i < RULE_COUNT; i++) {
		int k;
		if (findings[i].state != FINDING_FIRING || findings[i].because != f->id)
			continue;
		k = key_of(findings, &findings[i]);
		key = k < key ? k : key;
	}
	return key;
}

/* Append the findings below a cause (RULE_COUNT: the roots), the worst first, each with its own. */
static int
add_below(const struct finding *findings, enum rule_id because, int depth, struct finding *out)
{
	bool done[RULE_COUNT] = { false };
	int n = 0;

	for (;;) {
		int best = -1, best_key = 0;
		for (int i = 0; i < RULE_COUNT; i++) {
			int key;
			if (done[i] || findings[i].state != FINDING_FIRING ||
			    findings[i].because != because)
				continue;
			key = key_of(findings, &findings[i]);
			if (best < 0 || key < best_key) {
				best = i;
				best_key = key;
			}
		}
		if (best < 0)
			return n;
		done[best] = true;
		out[n] = findings[best];
		out[n++].depth = depth;
		n += add_below(findings, (enum rule_id)best, depth + 1, out + n);
	}
}

void
rules_rank(struct finding *findings, const struct snapshot *s)
{
	struct finding ordered[RULE_COUNT];
	int n;

	find_causes(findings, s);
	n = add_below(findings, RULE_COUNT, 0, ordered);
	for (int state = FINDING_PENDING; state <= FINDING_OFF; state++)
		for (int i = 0; i < RULE_COUNT; i++)
			if (findings[i].state == (enum finding_state)state)
				ordered[n++] = findings[i];
	memcpy(findings, ordered, sizeof(ordered));
}
