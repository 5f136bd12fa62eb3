/*
 * One entry of a PostgreSQL server log, whatever format it was written in: stderr with a
 * log_line_prefix, csvlog or jsonlog. Texts are as the server wrote them: not clean for a terminal,
 * not free of secrets.
 */
#ifndef PGMEDIC_MODEL_LOGENTRY_H
#define PGMEDIC_MODEL_LOGENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the log says of severity; LOGSEV_NONE for lines that are no entry of the server's. */
#define LOGSEV_LIST(X)        \
	X(NONE, "")           \
	X(DEBUG, "DEBUG")     \
	X(LOG, "LOG")         \
	X(INFO, "INFO")       \
	X(NOTICE, "NOTICE")   \
	X(WARNING, "WARNING") \
	X(ERROR, "ERROR")     \
	X(FATAL, "FATAL")     \
	X(PANIC, "PANIC")

enum log_severity {
#define X(sym, name) LOGSEV_##sym,
	LOGSEV_LIST(X)
#undef X
	    LOGSEV_COUNT,
};
extern const char *const log_severity_names[LOGSEV_COUNT];

/* What an entry is about. The names are those of column `kind`. */
#define LOGKIND_LIST(X)                                                                  \
	X(OTHER, "other", "what fits none of the others")                                \
	X(SLOW, "slow", "a statement with its duration (log_min_duration_statement)")    \
	X(PLAN, "plan", "a plan of auto_explain")                                        \
	X(STATEMENT, "statement", "a statement without duration (log_statement)")        \
	X(ERROR, "error", "an error, a lost session, a panic")                           \
	X(WARNING, "warning", "a warning")                                               \
	X(DEADLOCK, "deadlock", "a deadlock, with its parties")                          \
	X(LOCK_WAIT, "lock_wait", "a wait for a lock (log_lock_waits)")                  \
	X(CANCEL, "cancel", "a statement or session ended from outside or by a timeout") \
	X(AUTH, "auth", "a login that was refused")                                      \
	X(CONNECT, "connect", "a connection came")                                       \
	X(DISCONNECT, "disconnect", "a session ended")                                   \
	X(TEMP_FILE, "temp_file", "a temporary file (log_temp_files)")                   \
	X(CHECKPOINT, "checkpoint", "checkpoints and restartpoints")                     \
	X(AUTOVACUUM, "autovacuum", "autovacuum of a table")                             \
	X(AUTOANALYZE, "autoanalyze", "autoanalyze of a table")                          \
	X(REPLICATION, "replication", "streaming, logical replication, slots, recovery") \
	X(ARCHIVE, "archive", "archiving of WAL")                                        \
	X(SETTINGS, "settings", "reloads and changed settings")                          \
	X(SERVER, "server", "start, stop, recovery of the server")                       \
	X(CRASH, "crash", "a process of the server died")                                \
	X(OUTPUT, "output", "what other programs wrote to the server's standard error")  \
	X(GAP, "gap", "part of the log that was left out here")

enum log_kind {
#define X(sym, name, text) LOGKIND_##sym,
	LOGKIND_LIST(X)
#undef X
	    LOGKIND_COUNT,
};
struct log_kind_info {
	const char *name, *text;
};
extern const struct log_kind_info log_kinds[LOGKIND_COUNT];

struct log_text {
	const char *s; /* NULL: the log does not say */
	size_t len;
};

enum { LOG_PARTIES_MAX = 32 };

struct log_entry {
	int64_t time_us; /* since 1970 UTC; 0: unknown */
	enum log_severity severity;
	enum log_kind kind;
	int64_t pid, leader_pid, line_num, xid, query_id; /* 0: unknown */
	struct log_text user, database, application, client, session_id, backend_type, command_tag,
	    vxid, sqlstate, message, detail, hint, query, context, statement, location;
	int64_t offset;  /* of its first byte in the file */
	bool is_cut;     /* longer than what is kept of it */
	bool is_strange; /* its severity is a word of no language that is known: severity is a guess
	                  */

	/* derived by logkind_classify() */
	double duration_ms;     /* of the statement, wait, session, checkpoint, vacuum; NAN: none */
	int64_t bytes;          /* of the temporary file; -1: none */
	struct log_text object; /* the table, the lock's object, the file */
	int64_t parties[LOG_PARTIES_MAX]; /* pids of those involved */
	int nparties;
};

#endif
