/* What activity, waits and locks share: sessions and lock graph of a snapshot, and sessions in
 * words. */
#ifndef PGMEDIC_PANES_SESSIONS_H
#define PGMEDIC_PANES_SESSIONS_H

#include "base/doc.h"
#include "base/strbuf.h"
#include "model/activity.h"
#include "model/locks.h"
#include "model/statements.h"
#include "panes/pane.h"

/* A pane's memory: indexes of names and statement texts. */
struct sessions_cache {
	struct names names; /* databases, roles */
	struct names relations;
	struct stmt_texts texts;
};
void *sessions_cache_new(void);
void sessions_cache_free(void *cache);

struct sessions {
	const struct snapshot *snap;
	struct sessions_cache *cache;
	struct activity activity;
	struct locks locks;
};
/* Of ctx->snap, in the arena; takes up new names. To be released. */
void sessions_init(struct sessions *s, const struct pane_ctx *ctx, struct arena *arena);
void sessions_release(struct sessions *s);

/* The note that is owed where the role may not see what others do. */
void sessions_note_denied(const struct sessions *s, struct grid *grid);
/* The same of n sessions; none for 0. */
void sessions_note_hidden(const struct snapshot *snap, int n, struct grid *grid);
/* "GRANT pg_monitor TO bob", for a hint; in the arena. */
const char *sessions_grant(const struct snapshot *snap, const char *privilege, struct arena *arena);
/* Of a client the role of its state, else ROLE_NORMAL. */
enum role sessions_role(const struct session *session);
/* How alarming an age is for a session in this state: ROLE_NORMAL (0), ROLE_WARN or ROLE_CRIT. */
enum role sessions_age_role(const struct session *session, double xact_age_s, double idle_age_s);
/* Seconds as a cell; unknown ones as NULL. */
struct cell sessions_seconds(double s);
/* A cell of the session's row, NULL for WHY_DENIED where the role may not see it. */
struct cell sessions_cell(
    const struct sessions *s, const struct session *session, enum activity_column col);
/* "Lock:tuple", "CPU", "" when idle; in the arena. */
const char *sessions_wait_text(
    const struct sessions *s, const struct session *session, struct arena *arena);

/* Role of a wait class, from wait_event_type; CPU for none. */
uint8_t sessions_wait_role(const struct cell *wait_type);

/* "public.accounts", or what else a lock row is of: "row (12,3) of public.accounts", "transaction
 * 741", … */
void sessions_object(const struct sessions *s, int row, int relation_row, struct strbuf *out);
/* Name of the relation a lock row is of: qualified, or its oid with the database; NULL when it is
 * of none. */
const char *sessions_relation(const struct sessions *s, int row, struct arena *arena);
/* "pid 123 bob@shop psql, idle in transaction for 2:03: UPDATE …" of a node of the lock graph. */
void sessions_describe(const struct sessions *s, const struct lock_node *node, struct strbuf *out);
/* Blocking: whom the session waits for, up to the head, and whom it blocks. */
void sessions_doc_blocking(const struct sessions *s, int64_t pid, struct doc *doc);

#endif
