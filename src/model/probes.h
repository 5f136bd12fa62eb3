/*
 * The probes: every question that a refresh may ask. The name is that of the query
 * (src/pg/NAME.sql) unless the probe is answered by something else than SQL. Periods and timeouts:
 * collect/schedule.c.
 */
#ifndef PGMEDIC_MODEL_PROBES_H
#define PGMEDIC_MODEL_PROBES_H

#define PROBE_LIST(X)                                                                            \
	/* each refresh */                                                                       \
	X(SERVER, "server", "clock, role, WAL position, timeline of the server")                 \
	X(ACTIVITY, "activity", "sessions and processes")                                        \
	X(DBSUM, "dbsum", "sums of the database counters")                                       \
	X(REPLICATION, "replication", "standbys that stream from here")                          \
	X(LOCKS, "locks", "locks on contended objects; asked only when somebody waits or looks") \
	X(PROGRESS, "progress",                                                                  \
	    "progress of vacuum, analyze, create index, cluster, copy, base backup")             \
	X(OS, "os", "CPU, memory and IO of local processes (from /proc, no query)")              \
	/* every 5 to 10 s */                                                                    \
	X(DATABASES, "databases", "counters of each database")                                   \
	X(STATEMENTS, "statements", "pg_stat_statements without texts")                          \
	X(STATEMENTS_INFO, "statements_info", "deallocations and reset of pg_stat_statements")   \
	X(SLOTS, "slots", "replication slots")                                                   \
	X(RECEIVER, "receiver", "the WAL receiver of a standby")                                 \
	X(CONFLICTS, "conflicts", "queries cancelled by recovery")                               \
	X(CHECKPOINTS, "checkpoints", "checkpointer, background writer")                         \
	X(WAL, "wal", "WAL counters")                                                            \
	X(ARCHIVER, "archiver", "WAL archiving")                                                 \
	X(POOL_POOLS, "pool_pools", "PgBouncer SHOW POOLS")                                      \
	X(POOL_STATS, "pool_stats", "PgBouncer SHOW STATS")                                      \
	X(POOL_DATABASES, "pool_databases", "PgBouncer SHOW DATABASES")                          \
	X(POOL_CLIENTS, "pool_clients", "PgBouncer SHOW CLIENTS")                                \
	X(LOG_SOURCE, "log_source", "where the server logs to, and its newest log files")        \
	X(LOGS, "logs", "entries of the server's log")                                           \
	/* every 60 s and more, or when something unknown turns up */                            \
	X(NAMES, "names", "names of databases and roles")                                        \
	X(LOCK_NAMES, "lock_names", "names of the locked relations of this database")            \
	X(STATEMENT_TEXTS, "statement_texts", "texts of statements not seen before")             \
	X(TABLES, "tables", "tables of this database: counters and estimated sizes")             \
	X(LARGEST, "largest", "the largest tables of this database")                             \
	X(INDEXES, "indexes", "indexes of this database")                                        \
	X(SETTINGS, "settings", "settings")                                                      \
	X(SIZES, "sizes", "size of each database")                                               \
	X(WRAPAROUND, "wraparound", "age of the oldest xid of each database")                    \
	X(VACUUM_TABLES, "vacuum_tables", "tables nearest to wraparound or with most dead rows") \
	X(XMIN_HOLDERS, "xmin_holders",                                                          \
	    "what holds back the xmin horizon (prepared transactions)")                          \
	X(SUBSCRIPTIONS, "subscriptions", "logical subscriptions of this database")              \
	X(STORAGE_WAL, "storage_wal", "files of pg_wal and what keeps them")                     \
	X(STORAGE_TEMP, "storage_temp", "temporary files")                                       \
	X(STORAGE_LOG, "storage_log", "log files")                                               \
	X(STORAGE_KINDS, "storage_kinds", "tables, indexes and TOAST of this database, in sum")  \
	X(STORAGE_TABLES, "storage_tables", "the largest tables: what they hold, what happened") \
	X(STORAGE_PARTITIONS, "storage_partitions", "partitions by time, with their sizes")      \
	X(STORAGE_ARRIVALS, "storage_arrivals", "when the rows of the largest tables came")      \
	X(TABLESPACES, "tablespaces", "tablespaces and where they are")                          \
	X(CAPACITY, "capacity", "room of the file systems, or as configured (no query)")         \
	/* what the alert rules look at, in their periods */                                     \
	X(HOST, "host", "CPU and disk of the server's machine, where it is this one (no query)") \
	X(INT4_KEYS, "int4_keys", "sequences of this database, and the columns they fill")       \
	X(FLAWS, "flaws", "invalid indexes, settings that wait, collation versions")             \
	X(BACKUP_HISTORY, "backup_history", "the last base backup whose history was archived")   \
	/* posted by the adviser and by the history, never asked of the server */                \
	X(ADVICE, "advice", "index advice")                                                      \
	X(ADVICE_STATEMENTS, "advice_statements", "what each advice does to each statement")     \
	X(ADVICE_SUMMARY, "advice_summary", "how the advice was come by")                        \
	X(ADVICE_EFFECT, "advice_effect", "measured effect of indexes made before")              \
	X(HISTORY, "history", "figures of the past")                                             \
	X(SIZE_HISTORY, "size_history", "sizes of the past")                                     \
	X(ALERT_RULES, "alert_rules", "thresholds of the alert rules")                           \
	X(ALERT_MUTES, "alert_mutes", "muted alert rules")                                       \
	X(ALERT_STATE, "alert_state", "what the rules knew when last looked")                    \
	X(ALERT_HISTORY, "alert_history", "alerts of the past")                                  \
	X(BACKUPS, "backups", "files that say when this target was backed up")                   \
	/* asked of AWS (collect/cloud.c), each in a period of its own */                        \
	X(CLOUD, "cloud", "the instance as AWS knows it, and those beside it")                   \
	X(CLOUD_METRICS, "cloud_metrics", "CloudWatch: the last minutes")                        \
	X(CLOUD_PAST, "cloud_past", "CloudWatch: the last hours")                                \
	X(CLOUD_UNTOLD, "cloud_untold", "CloudWatch: what it did not tell")                      \
	X(CLOUD_EVENTS, "cloud_events", "what RDS says has happened")                            \
	X(CLOUD_ALARMS, "cloud_alarms", "CloudWatch alarms")                                     \
	X(CLOUD_LOAD, "cloud_load", "Performance Insights: the last minutes of load")            \
	X(CLOUD_LOAD_PAST, "cloud_load_past", "Performance Insights: the last hours of load")    \
	X(CLOUD_OS, "cloud_os", "Enhanced Monitoring")                                           \
	X(CLOUD_COST, "cloud_cost", "what asking AWS costs")

enum probe_id {
#define X(sym, name, text) PROBE_##sym,
	PROBE_LIST(X)
#undef X
	    PROBE_COUNT,
};

struct probe_info {
	const char *name, *text;
};
extern const struct probe_info probe_infos[PROBE_COUNT];

#endif
