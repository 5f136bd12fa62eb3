/*
 * The recent past: one tick per refresh, for sparklines, charts and the load of the waits pane.
 * Ticks live in reference-counted chunks that are only ever appended to, so that snapshots share
 * them: a snapshot sees `n` ticks, later ones are invisible to it. One writer (the feed).
 */
#ifndef PGMEDIC_MODEL_SERIES_H
#define PGMEDIC_MODEL_SERIES_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/mem.h"

/* Figures kept per tick; NAN when unknown. name, unit, help */
#define METRIC_LIST(X)                                                                             \
	X(TPS, "tps", "transactions committed and rolled back per second")                         \
	X(QPS, "qps", "statements per second (pg_stat_statements)")                                \
	X(MEAN_MS, "mean_ms", "mean execution time of the interval's statements")                  \
	X(CONNECTIONS, "connections", "client sessions")                                           \
	X(ACTIVE, "active", "sessions that run a query")                                           \
	X(IDLE, "idle", "idle sessions")                                                           \
	X(IDLE_TX, "idle_in_transaction", "sessions idle in a transaction, aborted ones included") \
	X(WAITING, "waiting", "sessions that wait for a heavyweight lock")                         \
	X(SLOW, "slow", "queries that run for more than one second")                               \
	X(HIT_PCT, "hit_pct", "shared-buffer hits of the interval")                                \
	X(ROLLBACK_PCT, "rollback_pct", "share of rolled-back transactions of the interval")       \
	X(TEMP_BPS, "temp_bytes_per_s", "temporary files written")                                 \
	X(WAL_BPS, "wal_bytes_per_s", "WAL written (primary) or replayed (standby)")               \
	X(LAG_BYTES, "lag_bytes", "replay lag of the furthest standby, or of this standby")        \
	X(LAG_S, "lag_s", "the same in seconds")                                                   \
	X(DEADLOCKS, "deadlocks", "deadlocks in the interval")                                     \
	X(OLDEST_XACT_S, "oldest_xact_s", "age of the oldest open transaction")                    \
	X(AAS, "aas", "average active sessions (sampled)")                                         \
	X(POOL_WAITING, "pool_waiting", "clients that wait for a pooled connection")               \
	X(DB_BYTES, "db_bytes", "size of all databases")                                           \
	X(GROWTH, "growth_bytes_per_day",                                                          \
	    "growth of all databases, between the last two measurements")                          \
	X(CHECKPOINTS, "checkpoints", "checkpoints since the statistics were reset")               \
	X(XMIN_AGE, "xmin_age", "transactions that the oldest snapshot keeps from being vacuumed") \
	X(WRAPAROUND_PCT, "wraparound_pct",                                                        \
	    "transaction ids used of those before the server stops, worst database")               \
	X(POOL_USE_PCT, "pool_use_pct", "server connections in use of the fullest pool")

enum metric {
#define X(sym, name, text) METRIC_##sym,
	METRIC_LIST(X)
#undef X
	    METRIC_COUNT,
};
struct metric_info {
	const char *name, *text;
};
extern const struct metric_info metric_infos[METRIC_COUNT];

/* One sampled active session (or several alike), with its dimensions interned as ids. */
struct load {
	uint16_t count;
	uint8_t wait_class; /* enum wait_class */
	uint8_t pad;
	uint32_t event; /* ids of series_text */
	uint32_t user, application, client, database;
	int64_t query_id; /* 0 = unknown */
};

enum wait_class {
	WAIT_CPU,
	WAIT_IO,
	WAIT_LOCK,
	WAIT_LWLOCK,
	WAIT_BUFFERPIN,
	WAIT_CLIENT,
	WAIT_IPC,
	WAIT_TIMEOUT,
	WAIT_ACTIVITY,
	WAIT_EXTENSION,
	WAIT_CLASS_COUNT
};
/* "CPU", "IO", "Lock", … as users of Performance Insights know them; letter for mono screens. */
struct wait_class_info {
	const char *name;
	char letter;
	uint8_t role;
};
extern const struct wait_class_info wait_class_infos[WAIT_CLASS_COUNT];

struct tick {
	struct wall at; /* server clock */
	struct mono mono;
	float seconds; /* since the tick before */
	float metric[METRIC_COUNT];
	const struct load *loads; /* in the chunk's arena */
	int nloads;
};

enum { SERIES_CHUNK = 64, SERIES_CHUNKS = 58 }; /* 58 * 64 ticks: one hour at 1 s */

struct series_chunk;
struct series_texts;
struct series {
	struct series_chunk *chunks[SERIES_CHUNKS]; /* oldest first */
	int nchunks;
	int n;                      /* ticks visible in total */
	struct series_texts *texts; /* interned strings, append-only, shared */
};

/* Tick i (0 = oldest visible). */
const struct tick *series_tick(const struct series *s, int i);
const char *series_text(const struct series *s, uint32_t id);
/* Index of the first tick not older than `seconds` before the newest. */
int series_since(const struct series *s, double seconds);

/* Writer's side: the feed. */
uint32_t series_intern(struct series *s, const char *text, size_t len);
/* Append a tick; loads are copied. Oldest chunk is let go when full. */
void series_add(struct series *s, const struct tick *tick);
/* A copy that shares the chunks (references taken). */
struct series series_share(const struct series *s);
void series_release(struct series *s);

#endif
