/*
 * A server of this machine whose data directory is known: started, stopped, its control file read.
 * Where this is root, all of it is done as the user who owns the directory.
 */
#ifndef PGMEDIC_OPS_LOCAL_NODE_H
#define PGMEDIC_OPS_LOCAL_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/rowset.h"
#include "ops/op.h"

struct node {
	struct op *op;
	const struct op_target *target;
	const char *name; /* of the target */
	const char *data; /* its data directory */
	const char *bin;  /* folder of its programs */
	uid_t uid;
	gid_t gid;
};

/* What a rewind has set aside is in the folder of this name behind the data directory's; while it
 * is there, no server can live in that. */
#define NODE_KEPT ".pgmedic-kept"

/* ERR_CONFIG where the target has no data_directory here, or it is none. */
bool node_open(
    struct node *n, struct op *op, const struct op_target *target, struct error *err) MUST_CHECK;

/* One that is only asked by SQL: it may be on another machine. */
void node_by_sql(struct node *n, struct op *op, const struct op_target *target);

/* What its control file says; it need not run. */
struct node_control {
	const char *state;   /* "shut down", "in production" … */
	uint64_t checkpoint; /* LSN at which the last checkpoint begins */
	int64_t timeline;    /* of that checkpoint */
	uint64_t system_identifier;
	uint64_t segment_size; /* of WAL, bytes */
};
bool node_control(struct node *n, struct node_control *c, struct error *err) MUST_CHECK;

/* Its postmaster: the process that the pid file names, when it works in the data directory. 0: it
 * does not run. */
pid_t node_pid(const struct node *n);
/* Its process is gone, those it has started, too, and nobody answers at its address. */
bool node_is_down(struct node *n);
bool node_stop(struct node *n, const char *mode, struct error *err) MUST_CHECK;
/* As it was started the last time, its output appended to the file that it had then. */
bool node_start(struct node *n, struct error *err) MUST_CHECK;
/* kill -9 to all of its processes, and wait until they are gone. */
bool node_kill(struct node *n, struct error *err) MUST_CHECK;
/* A program of that name (NULL: a server's process) that works in the data directory; 0: none. */
pid_t node_program_pid(const struct node *n, const char *program);
/* Nothing runs in it, and PostgreSQL's programs will see that, too. */
bool node_is_clear(struct node *n, struct error *err) MUST_CHECK;
/* Where its output goes: for node_start(), asked while it runs. */
const char *node_log(const struct node *n);

/* A program of the server's version. */
bool node_run(struct node *n, const char *const *argv, const char *input, int timeout_ms,
    struct strbuf *out, struct error *err) MUST_CHECK;
/* A file of the data directory as text, at most 1 MB; NULL and *err. */
const char *node_read(struct node *n, const char *name, struct error *err);
/* postmaster.opts, with which it was started the last time; NULL: not known. */
const char *node_opts(struct node *n);
/* Write one, by rename. */
bool node_write(struct node *n, const char *name, const char *text, struct error *err) MUST_CHECK;

/* The one row of a query; a new reference. */
struct rowset *node_ask(struct node *n, const char *query, const char *const *params, int nparams,
    int timeout_ms, struct error *err) MUST_CHECK;

/* What "op_node" says; strings in the operation's arena. */
struct node_look {
	bool is_standby, is_replay_paused, can_rewind, can_create, can_be_source;
	int64_t timeline, checkpoint_timeline, lsn, receive_lsn, sender_port, port;
	int64_t prepared, backups, logical_slots, system_identifier;
	int64_t max_wal_size;
	double long_xact_s;
	const char *sync_names; /* synchronous_standby_names */
	const char *archive_mode,
	    *archive_failed; /* the segment that cannot be archived, "" none */
	const char *lacks;   /* what its role lacks for acting on it, "" nothing */
	const char *receiver_status, *must_match, *cluster_name, *slot_name;
};
bool node_look(struct node *n, struct node_look *look, struct error *err) MUST_CHECK;

#endif
