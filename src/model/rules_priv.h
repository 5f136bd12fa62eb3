/* Inside of the rules; shared by rules*.c alone. */
#ifndef PGMEDIC_MODEL_RULES_PRIV_H
#define PGMEDIC_MODEL_RULES_PRIV_H

#include "model/names.h"
#include "model/rules.h"

/* Sums of growing counters over the recent past, two at a time: hits and reads, timed and
 * requested. Server clock. */
#define RULE_WINDOW_LIST(X)                                    \
	X(DEADLOCKS, "deadlocks", 3600)                        \
	X(CHECKPOINTS, "checkpoints", 3600)                    \
	X(CACHE, "cache", 300)        /* hits, reads */        \
	X(XACTS, "transactions", 300) /* commits, rollbacks */ \
	X(CPU, "cpu", 300)            /* busy, idle seconds */ \
	X(SESSIONS, "sessions", 60)                            \
	X(SLOW, "slow", 60)

enum rule_window {
#define X(sym, name, span_s) WINDOW_##sym,
	RULE_WINDOW_LIST(X)
#undef X
	    WINDOW_COUNT,
};
enum { WINDOW_SLOTS = 64, LAG_POINTS = 512, DISK_POINTS = 128, STANDBYS_MAX = 16, WAITS_MAX = 256 };

struct window_slot {
	int64_t from, to;
	double a, b;
};
struct window {
	struct window_slot slots[WINDOW_SLOTS]; /* oldest first */
	int n;
	bool has_last;
	int64_t last_at;
	double last_a, last_b;
};

/* What the activity says, gone through once per sample. */
struct session_facts {
	int64_t now;
	int hidden; /* sessions that the role may not see */
	int clients, waiting, sync_waiting;
	int64_t xact_start, xact_pid; /* oldest transaction of a client */
	int64_t idle_start, idle_pid; /* longest idle in a transaction: since the state changed */
	int64_t sync_start, sync_pid; /* longest wait for a synchronous standby */
};

struct lock_facts {
	bool is_known;
	int64_t head; /* pid; -xid of a prepared transaction */
	int behind, heads;
	int64_t relation; /* oid, 0 none */
	char mode[32], gid[64];
	int nwaits;
	struct {
		int64_t pid, start;
	} waits[WAITS_MAX];
};

struct standby_memory {
	char name[64];
	int64_t seen; /* server clock; 0: free */
	bool is_here;
};

struct rule_memory {
	bool held[SEVERITY_CRITICAL + 1], fired[SEVERITY_CRITICAL + 1];
	int64_t since[SEVERITY_CRITICAL + 1];
	int64_t known_at; /* last reading */
};

struct rules {
	struct rule_limits limits[RULE_COUNT];
	unsigned version;
	struct rule_memory memory[RULE_COUNT];
	struct window windows[WINDOW_COUNT];
	struct session_facts sessions;
	struct lock_facts locks;
	struct names names;
	struct {
		int64_t at, lsn;
	} lag[LAG_POINTS]; /* when the WAL was how long, oldest first */
	int nlag;
	int64_t lag_step; /* us between points */
	struct {
		int64_t at;
		double free;
	} disk[DISK_POINTS]; /* one a minute */
	int ndisk;
	int64_t archived_at; /* when no finished WAL file was last seen to wait; 0: never */
	struct standby_memory standbys[STANDBYS_MAX];
	/* identity of the server, as last seen */
	int64_t start_us, system_identifier;
	int timeline;
	bool has_role, is_standby;
	int64_t restarted_at, role_changed_at; /* 0: not seen */
	char role_change[160];
	bool has_memory; /* of an earlier process, taken once */
	int64_t seen_at; /* last judgement */
	struct rowset *memory_rows;
	int64_t memory_at;
	int judgements;
};

enum reading_kind { READING_UNKNOWN, READING_UNUSED, READING_VALUE };

struct reading {
	enum reading_kind kind;
	double value;
	int64_t since; /* beginning that the value itself tells; 0: none */
	int64_t pid;
	const char *what, *evidence, *why;
};

struct rule_input {
	const struct snapshot *s;
	struct rules *r;
	enum rule_id id;
	const struct rule_limits *limits;
	int64_t now; /* server clock */
	struct mono mono;
	struct arena *arena;
};

/* rules.c */
/* Is it too long between two looks to say that a condition held all the time? */
bool rules_is_gap(const struct rule_limits *l, int64_t before, int64_t after);
/* Whether what is remembered of that cluster may be of this one; 0: not known which it is of. */
bool rules_is_memory_of(const struct rules *r, int64_t system_identifier);
/* What the server was when an earlier process saw it last. */
void rules_was(struct rules *r, const struct server_info *was);

/* rules_window.c */
/* Counters as they stand at a moment: what they grew by is added. */
void window_count(struct window *w, enum rule_window id, int64_t at, double a, double b);
void window_add(
    struct window *w, enum rule_window id, int64_t from, int64_t to, double a, double b);
/* Sums of the last span_s seconds; returns the seconds of them that are known. */
double window_sum(const struct window *w, int64_t now, double span_s, double *a, double *b);
extern const char *const window_names[WINDOW_COUNT];
extern const int window_spans[WINDOW_COUNT];

/* rules_read*.c: the figures */
/* Rows of a probe that are recent enough to judge by; else out says why there is no data. */
const struct rowset *reading_rows(
    const struct rule_input *in, enum probe_id probe, struct reading *out);
void reading_unknown(const struct rule_input *in, struct reading *out, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void reading_unused(struct reading *out, const char *why);
void reading_is(struct reading *out, double value);
/* In the arena: a span of seconds, an amount of bytes, a number, a text cell ("" for none). */
const char *reading_span(const struct rule_input *in, double seconds);
const char *reading_bytes(const struct rule_input *in, double n);
const char *reading_count(const struct rule_input *in, double n);
const char *reading_text(const struct rule_input *in, const struct cell *c);
/* "app/psql, idle in transaction: UPDATE t …", "" when it has gone. */
const char *reading_session(const struct rule_input *in, int64_t pid);

/* The volume that has least room, as a share; or the one of the data directory. path NULL: none is
 * known. */
struct rule_volume {
	const struct cell *path;
	double free_bytes, total_bytes;
};
struct rule_volume rules_volume(const struct rowset *capacity, bool of_data);

/* Finished WAL files that are not archived; -1: unknown. segment_bytes: size of one. */
int64_t rules_unarchived(const struct rowset *archiver, int64_t segment_bytes);

#define RULE_READER(name) void read_##name(struct rule_input *in, struct reading *out)
RULE_READER(unreachable);
RULE_READER(checksum_failures);
RULE_READER(role_change);
RULE_READER(restart);
RULE_READER(xid_wraparound);
RULE_READER(mxid_wraparound);
RULE_READER(slot_lost);
RULE_READER(archive_failing);
RULE_READER(slot_retained);
RULE_READER(slot_inactive);
RULE_READER(disk_free);
RULE_READER(disk_used);
RULE_READER(disk_full);
RULE_READER(archive_behind);
RULE_READER(sync_waiting);
RULE_READER(blocked_sessions);
RULE_READER(connections);
RULE_READER(clients_waiting);
RULE_READER(pool_usage);
RULE_READER(standby_lost);
RULE_READER(replication_lag);
RULE_READER(subscription_stopped);
RULE_READER(key_exhaustion);
RULE_READER(idle_in_transaction);
RULE_READER(prepared_transaction);
RULE_READER(long_transaction);
RULE_READER(xmin_horizon);
RULE_READER(cpu);
RULE_READER(slow_queries);
RULE_READER(deadlocks);
RULE_READER(backup_age);
RULE_READER(backup_verified);
RULE_READER(autovacuum_off);
RULE_READER(freeze_overdue);
RULE_READER(checkpoints_requested);
RULE_READER(connection_churn);
RULE_READER(rollback_ratio);
RULE_READER(cache_hit);
RULE_READER(bloat);
RULE_READER(invalid_indexes);
RULE_READER(collation_version);
RULE_READER(pending_restart);

/* rules_rank.c: order and causes. */
void rules_rank(struct finding *findings, const struct snapshot *s);

/* rules_memory.c */
void rules_take_limits(struct rules *r, const struct rowset *rows);
void rules_take_memory(struct rules *r, const struct rowset *rows);
struct rowset *rules_memory(const struct rules *r, const struct finding *findings, int64_t now);

#endif
