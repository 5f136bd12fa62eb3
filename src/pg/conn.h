/*
 * Connections. Everything that can block (names, files, handshakes) happens in a short-lived thread
 * of its own, the dial; a finished connection is non-blocking, in pipeline mode, and belongs to the
 * one thread that took it.
 */
#ifndef PGMEDIC_PG_CONN_H
#define PGMEDIC_PG_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/rowset.h"
#include "pg/pg.h"
#include "pg/query.h"

struct pg_conn;
struct pg_dial;

struct pg_dial_conf {
	const char *conninfo; /* conninfo or URI; "" or NULL: libpq's environment */
	const char *password; /* NULL: as libpq finds it */
	bool is_console;      /* PgBouncer's admin console: no pipeline, no encoding asked for */
	bool raw_text;        /* client_encoding SQL_ASCII: bytes as they are stored */
	int timeout_s;        /* of the conninfo says nothing; 0: 3 */
};

/* Begin to connect; the strings are copied. Never blocks, never fails: the outcome says what went
 * wrong. */
struct pg_dial *pg_dial_new(const struct pg_dial_conf *conf);
/* Readable when the outcome is there. */
int pg_dial_fd(const struct pg_dial *d);
bool pg_dial_done(const struct pg_dial *d);
/* The outcome, once done: a connection that the caller owns, or NULL and *err. Ends the dial. */
struct pg_conn *pg_dial_take(struct pg_dial *d, struct error *err) MUST_CHECK;
/* Give up; what it may still get is closed. NULL is fine. */
void pg_dial_free(struct pg_dial *d);

/* Who is at the other end. */
struct pg_peer {
	char host[128], port[16], database[128], user[128];
	int pid; /* as told at login */
	int version_num;
	bool is_local; /* unix socket or a loopback address */
	bool is_superuser;
};
void pg_conn_peer(const struct pg_conn *c, struct pg_peer *peer);

void pg_conn_free(struct pg_conn *c); /* NULL is fine */
int pg_conn_fd(const struct pg_conn *c);
/* Bytes wait for the socket to take them: poll for output too. */
bool pg_conn_wants_write(const struct pg_conn *c);
/* The least round trip of the network in ms that the kernel has seen; 0 for a unix socket, -1
 * unknown. */
double pg_conn_rtt_ms(const struct pg_conn *c);
/* A pooler may change the server process below us, or it is not known yet: no named statements. */
void pg_conn_set_pooled(struct pg_conn *c, bool is_pooled);
/* The texts of queries have changed: prepare them anew when they are asked. */
void pg_conn_forget(struct pg_conn *c);

/*
 * Queue a named query; nothing is sent before pg_conn_flush(). tag comes back with the answer.
 * Parameters are text, NULL is SQL NULL. Fails only when the connection is unusable.
 */
bool pg_conn_ask(struct pg_conn *c, struct pg_catalog *cat, const struct pg_query *q, int tag,
    const char *const *params, int nparams, struct error *err) MUST_CHECK;
/* End a group: its queries are one transaction, and one that fails skips the rest of it. */
bool pg_conn_sync(struct pg_conn *c, struct error *err) MUST_CHECK;
/* A command of PgBouncer's console (simple protocol, one at a time). */
bool pg_conn_console(struct pg_conn *c, const char *command, int tag, struct error *err) MUST_CHECK;
/* Send what is queued, in as few packets as possible. */
bool pg_conn_flush(struct pg_conn *c, struct error *err) MUST_CHECK;
/* Hold packets back between the groups of one burst; pg_conn_flush() lets them go. */
void pg_conn_cork(struct pg_conn *c);
/* Take what has arrived. Also notices that the server is gone. */
bool pg_conn_input(struct pg_conn *c, struct error *err) MUST_CHECK;
/* Queries and group ends that have no answer yet. */
int pg_conn_pending(const struct pg_conn *c);

enum pg_got {
	PG_WAIT,   /* nothing more has arrived */
	PG_ANSWER, /* one query's answer */
	PG_GROUP_END,
};
enum pg_answer_state { PG_ROWS, PG_ERROR, PG_SKIPPED };
struct pg_answer {
	int tag;
	const struct pg_query *query;
	enum pg_answer_state state;
	struct rowset *rows; /* of PG_ROWS: a reference for the caller, who unrefs it */
	struct error error;  /* of PG_ERROR */
	bool ask_again; /* of PG_ERROR: a prepared statement was gone or outdated; it will not be
	                   now */
	int64_t bytes;  /* of the values */
};
/* The next event that has wholly arrived. Afterwards pg_conn_input() says whether the connection
 * still lives. */
enum pg_got pg_conn_next(struct pg_conn *c, struct pg_answer *answer);

/* Ask the server to cancel what the connection runs. Returns at once; a thread of its own does it.
 */
void pg_conn_cancel(const struct pg_conn *c);

#endif
