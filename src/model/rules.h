/*
 * Alert rules: one const table, judged at every refresh over what the feed has.
 *
 * A rule reads one figure. The figure is compared with a warning and a critical level; a level that
 * holds for the rule's duration fires, and goes on firing until the figure is back beyond the clear
 * level, which lies on the healthy side of it (hysteresis). Many figures carry their own beginning
 * (the start of a transaction, the last failure of the archiver): the duration counts from there,
 * else from when it was first seen. Where a figure cannot be read the rule is in a state of its
 * own, "no data", which is neither good nor bad. Counters are turned into sums over sliding
 * windows, and a counter that went down begins anew.
 *
 * What is firing is ranked by harm, and a symptom stands below its cause: a head blocker before the
 * sessions that fill up max_connections behind it. Thresholds: the seed guide of this project, the
 * postgres mixin, check_postgres, GitLab's and Amazon's; see operations research 6.
 *
 * The feed owns a struct rules and is its only thread; findings are part of the snapshot. What must
 * outlive the process (beginnings, windows, the server's identity) goes out as a rowset of the
 * probe alert_state and comes back as an answer of it, so that a run from cron goes on where the
 * last one ended. Pure.
 */
#ifndef PGMEDIC_MODEL_RULES_H
#define PGMEDIC_MODEL_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "model/snapshot.h"

/* In the order of harm: of two equally severe findings the earlier one comes first. What users feel
 * now is before what will stop them in hours or weeks. */
#define RULE_LIST(X)             \
	X(UNREACHABLE)           \
	X(CHECKSUM_FAILURES)     \
	X(ROLE_CHANGE)           \
	X(RESTART)               \
	X(DISK_FREE)             \
	X(SYNC_WAITING)          \
	X(BLOCKED_SESSIONS)      \
	X(CONNECTIONS)           \
	X(CLIENTS_WAITING)       \
	X(POOL_USAGE)            \
	X(XID_WRAPAROUND)        \
	X(MXID_WRAPAROUND)       \
	X(DISK_USED)             \
	X(DISK_FULL)             \
	X(ARCHIVE_FAILING)       \
	X(SLOT_LOST)             \
	X(SLOT_RETAINED)         \
	X(ARCHIVE_BEHIND)        \
	X(STANDBY_LOST)          \
	X(REPLICATION_LAG)       \
	X(SUBSCRIPTION_STOPPED)  \
	X(SLOT_INACTIVE)         \
	X(KEY_EXHAUSTION)        \
	X(IDLE_IN_TRANSACTION)   \
	X(PREPARED_TRANSACTION)  \
	X(LONG_TRANSACTION)      \
	X(XMIN_HORIZON)          \
	X(CPU)                   \
	X(SLOW_QUERIES)          \
	X(DEADLOCKS)             \
	X(BACKUP_AGE)            \
	X(BACKUP_VERIFIED)       \
	X(AUTOVACUUM_OFF)        \
	X(FREEZE_OVERDUE)        \
	X(CHECKPOINTS_REQUESTED) \
	X(CONNECTION_CHURN)      \
	X(ROLLBACK_RATIO)        \
	X(CACHE_HIT)             \
	X(BLOAT)                 \
	X(INVALID_INDEXES)       \
	X(COLLATION_VERSION)     \
	X(PENDING_RESTART)

enum rule_id {
#define X(sym) RULE_##sym,
	RULE_LIST(X)
#undef X
	    RULE_COUNT,
};

enum severity { SEVERITY_NONE, SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };
extern const char *const severity_names[];

/* Unit of a rule's figure and thresholds, and the form of its beginning. */
enum rule_unit { RULE_PCT, RULE_SECONDS, RULE_BYTES, RULE_NUMBER, RULE_PER_S, RULE_XIDS };
enum {
	RULE_LOW = 1 << 0,   /* too little is what is wrong: free space */
	RULE_INFO = 1 << 1,  /* its only level is "info" */
	RULE_EVENT = 1 << 2, /* something that happened; `for` is how long it is shown */
	RULE_AGE = 1 << 3,   /* seconds since a moment that the server tells */
};

struct rule_limits {
	double warning, critical; /* NAN: no such level */
	int for_s;
	bool is_off;
};

struct rule_input;
struct reading;

struct rule {
	const char *id;    /* in the configuration, JSON, mute */
	const char *title; /* a few words */
	enum rule_unit unit;
	unsigned flags;
	double warning, critical; /* defaults; NAN: no such level */
	double clear; /* a level clears at this share of itself (RULE_LOW: at 1/share) */
	int for_s;
	int period_s; /* how often its probes are to be asked when no shown pane needs them */
	const enum probe_id *probes; /* PROBE_COUNT ends */
	void (*read)(struct rule_input *in, struct reading *out);
	const char *pane;    /* where to look closer */
	const char *runbook; /* name of the guided procedure */
	const char *help;    /* for the manual */
};
extern const struct rule rules[RULE_COUNT];
/* RULE_COUNT: there is none of that id. */
enum rule_id rule_by_id(const char *id);

enum finding_state {
	FINDING_FIRING,
	FINDING_PENDING,
	FINDING_NO_DATA,
	FINDING_OK,
	FINDING_UNUSED, /* there is nothing here that it could judge: no pooler, no standby */
	FINDING_OFF,
};
extern const char *const finding_state_names[];

struct finding {
	enum rule_id id;
	enum finding_state state;
	enum severity severity;  /* of firing and pending */
	struct wall since;       /* the condition's beginning, server clock; 0 unknown */
	double value;            /* NAN unknown */
	double threshold;        /* of the level reached, else the lowest; NAN none */
	const char *what;        /* one line, with the figure; "" unknown */
	const char *evidence;    /* who and where; may be "" */
	const char *why;         /* of NO_DATA, UNUSED */
	enum rule_id because;    /* of the cause, RULE_COUNT: none */
	int depth;               /* below its cause */
	int64_t pid;             /* the process that it is about, 0 none */
	struct wall muted_until; /* 0: not muted */
	const char *mute_reason;
	struct rule_limits limits; /* in force */
};

struct rules; /* the state between refreshes */

struct rules *rules_new(void);
void rules_free(struct rules *r);
/* A good sample; `good` are the last good ones of all probes, this one among them. */
void rules_take(struct rules *r, const struct sample *s, const struct sample *const good[],
    const struct server_info *server);
/* Another life of the server: its counters begin anew. */
void rules_begin_life(struct rules *r);
/*
 * Judge all rules over a snapshot that is otherwise complete, and put the findings into it. now:
 * the server's clock at `mono`.
 */
void rules_judge(struct rules *r, struct snapshot *s, struct wall now, struct mono mono);
/* Periods in ms that the rules in force want of each probe; 0: none. */
void rules_periods(const struct rules *r, int ms[PROBE_COUNT]);
/* Grows when the rules in force change. */
unsigned rules_version(const struct rules *r);

/* The finding of a rule; NULL before the first judgement. */
const struct finding *finding_of(const struct snapshot *s, enum rule_id id);
/* Firing and not muted. */
int findings_count(const struct snapshot *s, enum severity severity);

/* ---- thresholds as text: "warning[,critical[,for]]" or "off"; 90% 60s 5m 10GB 100 */

/* An empty part leaves the default. *limits begins as the rule's default. */
bool rule_limits_read(
    enum rule_id id, const char *text, struct rule_limits *limits, struct error *err) MUST_CHECK;
struct rule_limits rule_limits_default(enum rule_id id);
/* A figure in the rule's unit, as a reader wants it. */
void rule_value_text(struct strbuf *out, enum rule_id id, double value);
/* "10m", "2h", "1h30m", "90" (seconds); false when it is no span or negative. */
bool rule_span_read(const char *text, double *seconds);

/* ---- rowsets of the posted probes; columns of each in rules_memory.c */

/* alert_rules: thresholds that differ from the defaults. */
struct rowset *rules_rowset(void);
void rules_rowset_add(struct rowset *rs, enum rule_id id, const struct rule_limits *limits);
/* alert_mutes: rule, until, reason. */
struct rowset *rules_mutes_rowset(void);
void rules_mutes_add(struct rowset *rs, const char *rule, struct wall until, const char *reason);
/* alert_state: see rules_memory.c. What the snapshot's `alert_memory` holds, too. */
enum rules_memory_column {
	MEMORY_KIND,
	MEMORY_NAME,
	MEMORY_TEXT,
	MEMORY_SINCE,
	MEMORY_SEEN,
	MEMORY_A,
	MEMORY_B,
	MEMORY_COLUMNS
};
struct rowset *rules_memory_rowset(void);

#endif
