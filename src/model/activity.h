/*
 * Sessions and processes as a DBA thinks of them: one struct per row of the `activity` probe, with
 * names for oids, ages by the server's clock, states as numbers, and parallel workers tied to their
 * leader. Pure; everything is in the caller's arena and points into the rowsets, which must outlive
 * it.
 */
#ifndef PGMEDIC_MODEL_ACTIVITY_H
#define PGMEDIC_MODEL_ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/role.h"
#include "base/rowset.h"
#include "model/names.h"

/* symbol, as the server says it, short for narrow screens, role */
#define SESSION_STATE_LIST(X)                                                 \
	X(NONE, "", "", NORMAL) /* no client */                               \
	X(ACTIVE, "active", "active", STATE_ACTIVE)                           \
	X(IDLE, "idle", "idle", STATE_IDLE)                                   \
	X(IDLE_TX, "idle in transaction", "idle tx", STATE_IDLE_TX)           \
	X(ABORTED, "idle in transaction (aborted)", "aborted", STATE_ABORTED) \
	X(FASTPATH, "fastpath function call", "fastpth", STATE_ACTIVE)        \
	X(DISABLED, "disabled", "untrack", DIM)                               \
	X(STARTING, "starting", "start", DIM)                                 \
	X(OTHER, "?", "?", NORMAL)    /* newer than us */                     \
	X(DENIED, "denied", "?", DIM) /* the role may not see it */

enum session_state {
#define X(sym, name, text, role) SESSION_##sym,
	SESSION_STATE_LIST(X)
#undef X
	    SESSION_STATE_COUNT,
};
struct session_state_info {
	const char *name, *text;
	enum role role;
};
extern const struct session_state_info session_states[SESSION_STATE_COUNT];

/* Columns of the probe, in the order of activity_column_names. */
enum activity_column {
	ACT_NOW,
	ACT_PID,
	ACT_DATID,
	ACT_USESYSID,
	ACT_APPLICATION,
	ACT_CLIENT,
	ACT_BACKEND_START,
	ACT_XACT_START,
	ACT_QUERY_START,
	ACT_STATE_CHANGE,
	ACT_STATE,
	ACT_WAIT_TYPE,
	ACT_WAIT_EVENT,
	ACT_BACKEND_XID,
	ACT_BACKEND_XMIN,
	ACT_BACKEND_TYPE,
	ACT_LEADER_PID,
	ACT_QUERY_ID,
	ACT_SSL,
	ACT_QUERY,
	ACT_COLUMNS
};

struct session {
	int64_t pid;
	int64_t leader;                /* pid of the leader of a parallel worker; 0: none */
	int row;                       /* in the rowset */
	int first_worker, next_worker; /* sessions; -1: none */
	enum session_state state;
	bool is_client;      /* a client backend (also when the role may see no more of it) */
	bool is_own;         /* pgmedic's */
	bool is_quiet;       /* an idle client, or a process that sleeps in its main loop */
	bool waits_for_lock; /* wait type Lock */
	const struct cell *database, *user; /* names, NULL: none or not known */
	double xact_age_s, query_age_s, state_age_s, backend_age_s; /* NAN: unknown */
};

/* Sessions but pgmedic's own. */
struct session_counts {
	int clients, background, active, idle, idle_tx, aborted, waiting, denied, own;
	int denied_clients;   /* of the denied */
	double oldest_xact_s; /* of a client; NAN: none */
};

struct activity {
	const struct rowset *rows;
	int col[ACT_COLUMNS];
	int64_t now_us; /* the server's clock when it was read; 0: unknown */
	struct session *sessions;
	int n;
	struct session_counts counts;
	struct hmap by_pid;
};

/*
 * activity_build - from a sample's rows
 *
 * rows   of the `activity` probe; NULL gives an empty list
 * names  of databases and roles
 * own    pids of pgmedic's own sessions, nown of them (0 entries are skipped)
 *
 * Must be released (an index of its own); the rest is the arena's.
 */
void activity_build(struct activity *a, struct arena *arena, const struct rowset *rows,
    const struct names *names, const int *own, int nown);
void activity_release(struct activity *a);
/* Index of a pid's session, -1: none. */
int activity_find(const struct activity *a, int64_t pid);
/* A cell of a session's row; a NULL cell when the server does not have the column. */
const struct cell *activity_cell(
    const struct activity *a, const struct session *s, enum activity_column col);
/* Its statement text, without a character that was cut in half. */
struct cell activity_query(const struct activity *a, const struct session *s);

#endif
