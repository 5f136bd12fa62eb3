/* Roles name meanings; themes give them colours. One list for code, theme files and manual. */
#ifndef PGMEDIC_BASE_ROLE_H
#define PGMEDIC_BASE_ROLE_H

/* name in C, name in theme files, what it is for */
#define ROLE_LIST(X)                                                                  \
	X(NORMAL, "normal", "everything not named below")                             \
	X(DIM, "dim", "secondary text: units, idle sessions, unknown values")         \
	X(STRONG, "strong", "what should be read first")                              \
	X(TITLE, "title", "the title line")                                           \
	X(HEADER, "header", "column headers")                                         \
	X(HEADER_SORT, "header-sort", "the header of the sort column")                \
	X(CURSOR, "cursor", "the selected row")                                       \
	X(TAGGED, "tagged", "tagged rows")                                            \
	X(STATUS, "status", "the status line")                                        \
	X(PROMPT, "prompt", "the command prompt")                                     \
	X(KEY, "key", "a key in hints and help")                                      \
	X(HINT, "hint", "hint line and notes")                                        \
	X(FRAME, "frame", "lines around dialogs and charts")                          \
	X(MATCH, "match", "the part a filter matched")                                \
	X(OK, "ok", "healthy")                                                        \
	X(INFO, "info", "worth knowing")                                              \
	X(WARN, "warn", "look at this")                                               \
	X(CRIT, "crit", "act on this")                                                \
	X(STALE, "stale", "data older than it should be")                             \
	X(PAUSED, "paused", "the PAUSED banner")                                      \
	X(READ_ONLY, "read-only", "the READ-ONLY mark")                               \
	X(STATE_ACTIVE, "state-active", "a session that runs a query")                \
	X(STATE_IDLE, "state-idle", "an idle session")                                \
	X(STATE_IDLE_TX, "state-idle-tx", "an idle session inside a transaction")     \
	X(STATE_ABORTED, "state-aborted", "idle in a failed transaction")             \
	X(LOCK_HEAD, "lock-head", "a head blocker")                                   \
	X(LOCK_BLOCKED, "lock-blocked", "a session that waits for a lock")            \
	X(LAG_HIGH, "lag-high", "replication lag that matters")                       \
	X(WAIT_CPU, "wait-cpu", "on CPU (no wait event)")                             \
	X(WAIT_IO, "wait-io", "wait class IO")                                        \
	X(WAIT_LOCK, "wait-lock", "wait class Lock")                                  \
	X(WAIT_LWLOCK, "wait-lwlock", "wait class LWLock")                            \
	X(WAIT_BUFFERPIN, "wait-bufferpin", "wait class BufferPin")                   \
	X(WAIT_CLIENT, "wait-client", "wait class Client")                            \
	X(WAIT_IPC, "wait-ipc", "wait class IPC")                                     \
	X(WAIT_TIMEOUT, "wait-timeout", "wait class Timeout")                         \
	X(WAIT_ACTIVITY, "wait-activity", "wait class Activity")                      \
	X(WAIT_EXTENSION, "wait-extension", "wait class Extension or InjectionPoint") \
	X(ENV_RED, "env-red", "environment colour red (production)")                  \
	X(ENV_YELLOW, "env-yellow", "environment colour yellow (staging)")            \
	X(ENV_GREEN, "env-green", "environment colour green (lab, development)")      \
	X(ENV_BLUE, "env-blue", "environment colour blue")                            \
	X(ENV_MAGENTA, "env-magenta", "environment colour magenta")

enum role {
#define X(sym, name, text) ROLE_##sym,
	ROLE_LIST(X)
#undef X
	    ROLE_COUNT,
};

struct role_info {
	const char *name, *text;
};
extern const struct role_info role_infos[ROLE_COUNT];
/* The role of a theme-file name; -1 when there is none. */
int role_by_name(const char *name);

#endif
