/*
 * The collector: one thread, one poll(2) loop, all targets. The UI thread gets snapshots from it
 * and sends it requests; nothing else crosses.
 */
#ifndef PGMEDIC_COLLECT_COLLECTOR_H
#define PGMEDIC_COLLECT_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rowset.h"
#include "collect/cloud.h"
#include "collect/feed.h"
#include "model/capacity.h"
#include "model/snapshot.h"

/* What the collector must know of a target; strings are copied. */
struct target_conf {
	const char *name;      /* unique, shown; */
	const char *conninfo;  /* libpq conninfo or URI, already with -h -p -U -d merged; "" =
	                          libpq's environment */
	const char *password;  /* typed at start, or NULL */
	const char *pgbouncer; /* conninfo of its admin console, or NULL */
	const char *log_file;  /* its server log on this machine, or NULL: as the server says */
	int refresh_ms;
	int query_len;                     /* bytes of each session's statement text; 0: 256 */
	const enum probe_id *first_probes; /* as collector_show() before the first refresh */
	int nfirst;
	struct capacity_conf capacity; /* what is known of its storage */
	struct cloud_conf cloud;
	bool no_action; /* open no warm session (show, record); a run request opens it when it comes
	                 */
	const struct feed_hook
	    *hook; /* told of all that comes in, in the collector's thread; NULL */
};

struct collector;

/* UI thread. Starts the thread. wake_fd: a byte is written there whenever a snapshot or an outcome
 * is ready. */
struct collector *collector_start(const struct target_conf *targets, int n, int wake_fd);
/* Stops and joins within 100 ms whatever the servers do; frees everything. UI thread. */
void collector_stop(struct collector *c);
int collector_count(const struct collector *c);
/* The newest snapshot of target i, with a reference; never NULL (before the first answer it says
 * LINK_CONNECTING). UI thread. */
const struct snapshot *collector_snapshot(struct collector *c, int i);

/* The same from any other thread: the UI thread is still told of it. */
const struct snapshot *collector_peek(struct collector *c, int i);

/* Requests, UI thread; each returns at once, the queue is bounded (false: full, try again). */
bool collector_show(struct collector *c, int target, const enum probe_id *probes,
    int n); /* hurry these; replaces the set before */
/* Ask these once, with the next refresh, whether or not a pane is shown that lives on them. Any
 * thread. */
bool collector_want(struct collector *c, int target, const enum probe_id *probes, int n);
bool collector_refresh_ms(struct collector *c, int target, int ms); /* target -1: all */
bool collector_now(
    struct collector *c, int target); /* refresh at once, all due probes of the shown pane */
bool collector_reconnect(
    struct collector *c, int target, const char *password); /* NULL: as before */

/*
 * The answer of a probe that is not asked of the server (SCOPE_POSTED): advice, history. It goes
 * the way of all answers, into the feed, the recording and the next snapshot. Takes `rows`. False:
 * queue full, rows are let go. Any thread.
 */
bool collector_post(struct collector *c, int target, enum probe_id probe, struct rowset *rows);
/* The same where there is none: why, and what mends it. */
bool collector_post_failed(
    struct collector *c, int target, enum probe_id probe, const struct error *why);

/*
 * Run a named query (src/pg/NAME.sql) outside the refresh. ACT queries use the warm action
 * connection (connected after the first refresh, or at once when asked); LOOK queries too, in a
 * read-only transaction that is rolled back. params: text values, NULL for SQL NULL; copied. The
 * outcome arrives by collector_outcome().
 */
enum run_kind { RUN_LOOK, RUN_ACT };
struct run_request {
	enum run_kind kind;
	const char *query; /* name of a query in src/pg */
	const char *params[16];
	int nparams;
	int timeout_ms;
};
/* Returns a ticket > 0, or 0 when the queue is full. */
uint64_t collector_run(struct collector *c, int target, const struct run_request *req);
struct run_outcome {
	uint64_t ticket;
	bool is_ok;
	struct error error;
	struct rowset *rows; /* NULL unless ok; unref it */
	int64_t elapsed_us;
};
/* Take the oldest outcome; false: none. The caller unrefs outcome->rows. UI thread. */
bool collector_outcome(struct collector *c, struct run_outcome *outcome);
/* Give up on a ticket: its query is cancelled on the server when it runs. */
void collector_cancel(struct collector *c, uint64_t ticket);

#endif
