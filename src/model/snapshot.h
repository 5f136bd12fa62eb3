/*
 * A snapshot: everything known of one target at one moment. Built by the feed (collect/feed.c) in
 * the collector thread, sealed by publishing, const and shared by reference count from then on.
 * Panes compute what they show from it, rates included: each probe keeps its answer before the
 * last.
 */
#ifndef PGMEDIC_MODEL_SNAPSHOT_H
#define PGMEDIC_MODEL_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rowset.h"
#include "model/probes.h"
#include "model/series.h"

enum sample_state {
	SAMPLE_NONE, /* not asked yet */
	SAMPLE_OK,
	SAMPLE_DENIED,      /* the role may not; hint holds the GRANT */
	SAMPLE_UNSUPPORTED, /* this server does not have it (version, extension, provider) */
	SAMPLE_FAILED,      /* the server answered with an error */
	SAMPLE_TIMEOUT,     /* no answer in the probe's time; backs off */
};

/* One answer of one probe. Const once made; shared by reference count. */
struct sample {
	atomic_int refs;
	enum probe_id probe;
	enum sample_state state;
	struct wall server_at; /* the server's clock (or the client's, where there is none) */
	struct mono at;        /* when the answer was complete, this machine's monotonic clock */
	int64_t elapsed_us;    /* from sending to the complete answer */
	struct rowset *rows;   /* never NULL; without rows unless state is SAMPLE_OK */
	char what[256];        /* why not, "" when OK */
	char hint[256];        /* the one GRANT or setting that mends it */
};
struct sample *sample_ref(const struct sample *s);
void sample_unref(const struct sample *s); /* NULL is fine */

enum link_state {
	LINK_CONNECTING, /* first try under way, nothing known yet */
	LINK_UP,
	LINK_LATE,   /* a query is out for longer than the refresh and a grace */
	LINK_DOWN,   /* refused, lost or rejected: trying again at link_retry_at */
	LINK_REPLAY, /* a recording */
};

struct server_info {
	int version_num;  /* 150018; 0 = unknown */
	char version[64]; /* "15.18 (Debian …)" */
	char host[128], port[16], database[128], user[128];
	bool is_local; /* same machine: /proc of its processes is readable */
	bool is_standby;
	bool is_pooled;                                             /* a pooler sits between */
	bool is_superuser, has_monitor, has_read_stats, has_signal; /* of our role */
	bool has_pgss; /* pg_stat_statements is usable in this database */
	bool is_aurora, is_rds;
	int32_t timeline;          /* 0 = unknown */
	int64_t system_identifier; /* 0 = unknown or denied */
	int64_t start_us;          /* pg_postmaster_start_time */
	int max_connections, reserved_connections, block_size,
	    cpus; /* 0 = unknown; cpus only when local or told */
	int64_t wal_segment_size;
	char data_directory[256]; /* "" = unknown or denied */
	int own_pid;              /* of the polling session */
	int action_pid;           /* of the warm session, 0 = none */
};

/* What looking costs, of the last refresh. */
struct self_cost {
	double server_ms; /* time between our sending and its last byte, less the round trip
	                     estimate */
	double rtt_ms;    /* least round trip seen */
	int round_trips;  /* of this refresh: 1 */
	int statements;
	int64_t bytes;   /* received, estimated from the rows */
	double cpu_ms;   /* this program's CPU since the refresh before */
	int interval_ms; /* asked for; */
	int backoff;     /* 1 = none; the interval is multiplied by this while the server is slow */
};

/* Something that happened, newest last; kept for the life of the target (bounded). */
struct event {
	struct wall at;
	const char *code; /* "restart", "failover", "promoted", "stats_reset", "reconnected",
	                     "lost", "clock_jump", "pgss_dealloc", "settings_changed" */
	char what[200];
};

struct finding; /* model/rules.h */

struct snapshot {
	atomic_int refs;
	struct arena arena;
	uint64_t seq;    /* grows by one with each snapshot of a target */
	char target[64]; /* name to show */
	struct server_info server;
	enum link_state link;
	char link_what[256], link_hint[256];
	struct mono link_since;    /* when this link state began */
	struct mono link_retry_at; /* LINK_DOWN: the next try */
	struct wall taken_at;      /* server clock of the last complete refresh; 0 = none yet */
	struct mono taken_mono;    /* and this machine's */
	struct mono
	    replay_now; /* of a recording: its recorder's clock at this moment, for ages; 0 live */
	struct self_cost cost;
	const struct sample *cur[PROBE_COUNT]; /* last answer, good or not; NULL before the first */
	const struct sample *good[PROBE_COUNT]; /* last good answer (often the same as cur); NULL */
	const struct sample *prev[PROBE_COUNT]; /* the good answer before that one; NULL */
	const struct sample *texts[16]; /* PROBE_STATEMENT_TEXTS: all answers so far, oldest first
	                                   (merged by the feed) */
	int ntexts;
	const struct sample *logs[16]; /* PROBE_LOGS: the newest entries, in pieces, oldest first */
	int nlogs;
	struct series series;       /* history of ticks, newest last */
	const struct event *events; /* in the arena */
	int nevents;
	const struct finding *findings; /* of every rule: firing ones first, ranked; in the arena */
	int nfindings;                  /* 0: not judged yet */
	struct wall judged_at;          /* when, by the server's clock */
	struct rowset *alert_memory;    /* what the rules want to know next time; or NULL */
};
struct snapshot *snapshot_new(void);
struct snapshot *snapshot_ref(const struct snapshot *s);
void snapshot_unref(const struct snapshot *s);

/* Rows of a probe's last good answer or NULL; *state and the times through cur. */
const struct rowset *snapshot_rows(const struct snapshot *s, enum probe_id probe);
/* Both good answers of a probe and the seconds between them by the server's clock, for rates.
 * False (no rate yet) when one is missing or the clock did not advance. */
bool snapshot_pair(const struct snapshot *s, enum probe_id probe, const struct rowset **cur,
    const struct rowset **prev, double *seconds);
/* Age of a probe's last answer in ms as of `now`; -1 when there is none. */
int64_t snapshot_age_ms(const struct snapshot *s, enum probe_id probe, struct mono now);

#endif
