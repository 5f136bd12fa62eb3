/* Looking things up in a snapshot by key: sessions by pid, settings, names. UI thread. */
#ifndef PGMEDIC_PANES_LOOKUP_H
#define PGMEDIC_PANES_LOOKUP_H

#include "model/snapshot.h"

struct session_ref { /* cells of the activity sample, or NULL */
	const struct cell *application, *client, *state, *xact_start;
};
/* The session of a pid; all NULL when it is not there. Linear. */
struct session_ref lookup_session(const struct snapshot *snap, int64_t pid);

struct hidden_sessions {
	int all, clients;
};
/* Sessions of which the role sees no more than that they are there. */
struct hidden_sessions lookup_hidden(const struct snapshot *snap);

/* Value of a setting as the settings probe has it (not terminated: use the cell's length); NULL
 * when unknown. */
const struct cell *lookup_setting(const struct rowset *settings, const char *name);

/* Name of a database or role (kind "database" or "role") from PROBE_NAMES; NULL when unknown. */
const struct cell *lookup_name(const struct snapshot *snap, const char *kind, int64_t oid);

/* A number that PgBouncer sent as text, or any numeric cell; `none` when it is none. */
double lookup_num(const struct cell *c, double none);

#endif
