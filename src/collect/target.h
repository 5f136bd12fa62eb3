/*
 * One target in the collector's thread: its sessions, what is in flight, when what is due. The
 * parts are in target.c (link and retries), refresh.c (bursts and answers), unseen.c (look-ups of
 * ids), action.c, console.c, os.c.
 */
#ifndef PGMEDIC_COLLECT_TARGET_H
#define PGMEDIC_COLLECT_TARGET_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hmap.h"
#include "collect/collector.h"
#include "collect/feed.h"
#include "collect/log_tail.h"
#include "collect/schedule.h"
#include "collect/session.h"

/* Ids already known, so that names and texts are asked for once. */
struct unseen {
	struct hmap names;      /* oids of databases and roles, see load_key_*() */
	struct hmap statements; /* query ids whose text has come, or will not */
	struct hmap relations;
	struct mono names_at, texts_at;      /* when last asked; 0 never */
	int texts_asked;                     /* how often */
	char *texts_param, *relations_param; /* arrays for the next question, or NULL */
};

/* A group of the pipeline that has not ended yet. */
struct flight_group {
	enum probe_scope scope;
	enum probe_id probe; /* of SCOPE_SINGLE */
};
enum { FLIGHT_MAX = PROBE_COUNT * 3 };

struct flight {
	struct flight_group groups[FLIGHT_MAX];
	int first, n;
	struct mono sent;      /* when the burst was written */
	struct mono group_end; /* when the last group before the present one ended */
	struct mono published;
	bool is_refresh; /* holds the fast group of a regular refresh */
	bool is_fast_done;
	int reasks;
	int statements;
	int round_trips;
	int64_t bytes;
};

struct run { /* a request of the UI, on its way */
	struct run *next;
	uint64_t ticket;
	enum run_kind kind;
	const struct pg_query *query;
	char *params[16];
	int nparams, timeout_ms;
	struct mono queued, sent;
	bool is_cancelled, is_answered;
	struct rowset *rows;
	struct error error;
};

struct action {
	struct session session;
	struct run *queue; /* oldest first; the first may be running */
	bool is_running;
	bool is_kept;      /* stays open: warm */
	bool is_left_open; /* an act could not make the session read-only again */
	struct mono retry_at;
	struct error why; /* why there is no session */
};

struct console {
	struct session session;
	bool is_asking;
	enum probe_id probe;
	struct mono sent, retry_at;
	struct error why;
};

struct target {
	char *name, *conninfo, *password, *pgbouncer;
	int refresh_ms, query_len;
	struct capacity_conf capacity;
	struct cloud_conf cloud;    /* strings of our own */
	char *cloud_host;           /* an endpoint of RDS; "" none, or not known yet */
	bool wants_cloud, in_cloud; /* it is one of RDS; AWS is asked for it */
	bool has_no_sql;
	bool is_alone; /* the only target */
	struct feed *feed;

	struct session main, spare;
	struct probe_slot slots[PROBE_COUNT];
	unsigned rules_version; /* that the slots' rule_ms are of */
	struct flight flight;
	struct mono next_tick;
	int backoff;            /* of the whole refresh */
	bool is_hurried;        /* something is wanted before the next tick */
	bool is_full_hurry;     /* and the fast probes with it */
	double usual_ms;        /* how long an answer takes, smoothed */
	int64_t usual_bytes;    /* of the last refresh */
	struct mono hold_until; /* no look at the socket before: see hold() in refresh.c */
	double rtt_ms;          /* least seen */
	int64_t own_xacts;      /* transactions of ours, all sessions */
	int64_t cpu_us;         /* of this process at the last refresh */
	bool raw_text;

	int attempts; /* failed ones in a row */
	struct mono retry_at, spare_at;
	struct mono facts_at; /* when features and facts were last asked */
	struct unseen unseen;
	struct log_tail *log;
	struct action action;
	struct console console;

	bool is_dirty; /* something to publish */
	void (*post)(void *arg, const struct run_outcome *outcome);
	void *post_arg;
};

/* target.c */
struct target *target_new(const struct target_conf *conf, bool is_alone);
void target_free(struct target *t);
/* Do what is due at `now`; returns when to be called again. */
struct mono target_run(struct target *t, struct mono now);
enum { TARGET_FDS = 4 };
/* Fill in what to poll for; returns how many. target_ready() gets them back. */
int target_fds(const struct target *t, struct pollfd *fds);
void target_ready(struct target *t, const struct pollfd *fds, int n);
void target_show(struct target *t, const enum probe_id *probes, int n);
void target_reconnect(struct target *t, const char *password);
void target_hurry(struct target *t);

/* refresh.c */
/* Send what is due; false: the connection is gone. */
bool refresh_send(struct target *t, struct mono now, bool is_tick, struct error *err) MUST_CHECK;
/* Take what has come. False: the connection is gone. */
bool refresh_input(struct target *t, struct error *err) MUST_CHECK;
bool refresh_is_flying(const struct target *t);
/* Forget what was in flight: the connection is another one. */
void refresh_reset(struct target *t);
/* The sample of an error. */
struct sample *refresh_failed(const struct target *t, enum probe_id probe, const struct error *e);

/* unseen.c */
void unseen_release(struct unseen *u);
/* After a good sample: what else is to be asked for? */
void unseen_look(struct target *t, const struct sample *s);

/* action.c */
void action_run(struct target *t, struct mono now, struct mono *wake);
void action_ready(struct target *t); /* its socket, or nothing, has something */
void action_queue(struct target *t, struct run *take);
void action_cancel(struct target *t, uint64_t ticket);
void action_end(struct target *t);

/* console.c */
void console_run(struct target *t, struct mono now, struct mono *wake);
void console_ready(struct target *t);

/* os.c */
/* CPU, memory and IO of the busy processes in the last activity sample; NULL where they are not on
 * this machine. */
struct sample *os_sample(const struct feed *feed);
int64_t os_cpu_us(void);

/* capacity.c */
/* What the configuration says of the storage, and the file systems of a server on this machine. */
struct sample *capacity_sample(const struct feed *feed, const struct capacity_conf *conf);
/* Is the file system of a path one of another machine, which may hang? */
bool path_is_remote(const char *path);

/* logs.c: PROBE_LOGS, from the answers of PROBE_LOG_SOURCE on */
/* That probe has answered: find the log, and read it where it is here. */
void logs_source(struct target *t, const struct sample *s, struct mono now);
/* It has failed. */
void logs_no_source(struct target *t, const struct error *why, struct mono now);
/* A probe is due: false when it is one of these and not to be asked of the server, but has been
 * seen to. */
bool logs_due(struct target *t, enum probe_id probe, struct mono now);
/* What came of that; NULL: there is more to ask. */
struct rowset *logs_answer(struct target *t, const struct rowset *answer);
/* Without a session the log on this machine goes on being read. */
void logs_run(struct target *t, struct mono now, struct mono *wake);

/* host.c */
/* CPU time of the server's machine; unsupported where that is not this one. */
struct sample *host_sample(const struct feed *feed);

/* The earlier of *wake and at, where 0 is never. */
static inline void
wake_at(struct mono *wake, struct mono at)
{
	if (at.us && (!wake->us || at.us < wake->us))
		*wake = at;
}

#endif
