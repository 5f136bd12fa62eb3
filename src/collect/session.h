/*
 * One session of a target: dial, set up in one pipeline, ready. Driven by its owner's poll loop,
 * never blocks. The set-up makes the session read-only and bounded, learns the server's facts and
 * what its catalog has: one round trip.
 */
#ifndef PGMEDIC_COLLECT_SESSION_H
#define PGMEDIC_COLLECT_SESSION_H

#include <stdbool.h>

#include "base/clock.h"
#include "model/snapshot.h"
#include "pg/conn.h"

enum session_state { SESSION_NONE, SESSION_DIALING, SESSION_SETUP, SESSION_READY };

struct session {
	enum session_state state;
	struct pg_dial *dial;
	struct pg_conn *conn;
	struct pg_catalog *catalog;
	struct server_info info; /* complete in SESSION_READY */
	struct mono since;       /* when dialing began */
	struct mono sent;        /* when the set-up was sent */
	double rtt_ms;           /* least round trip, see finish_setup() */
	bool is_pooled;
	bool is_console; /* PgBouncer's admin console: no set-up */
	bool raw_text;
};

/* Begin. Ends what was there before. */
void session_start(struct session *s, const struct pg_dial_conf *conf);
/* End at once; whatever state. */
void session_end(struct session *s);
/* Descriptor to poll and what for; -1 for none. */
int session_fd(const struct session *s, short *events);
/* The outcome of the dial is there, but not taken yet. */
bool session_has_dialed(const struct session *s);
/* Go on after poll said so, until SESSION_READY. False: it failed, for the reason in err, and has
 * ended. */
bool session_step(struct session *s, struct error *err) MUST_CHECK;

/* Send the questions about the server's features and facts again, as a group of the caller's
 * pipeline, with the tags given; GRANT and CREATE EXTENSION may have changed the answers. */
bool session_ask_again(
    struct session *s, int features_tag, int facts_tag, struct error *err) MUST_CHECK;
/* Take such an answer; true: something is different now. */
bool session_learn(struct session *s, const struct pg_answer *a);

/* Does the process with this id on this machine serve that session, as far as /proc tells? */
bool session_is_on_this_machine(int pid);

#endif
