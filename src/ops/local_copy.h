/*
 * A copy of a server: a folder below restore_root with a restored data directory, a configuration
 * of our own that reaches nobody (no TCP, no archiving, no preloaded library, no logical worker),
 * and a server that listens on a socket in that folder only. Folder and server are leftovers of
 * the job from before they are made until the copy is meant to stay.
 */
#ifndef PGMEDIC_OPS_LOCAL_COPY_H
#define PGMEDIC_OPS_LOCAL_COPY_H

#include <stdbool.h>

#include "ops/op.h"
#include "ops/pgbackrest.h"

/* In the mark of a replica, followed by the name of its primary's target. */
#define COPY_REPLICA "\nreplica of "

/* Names of a copy: letters, digits, '_', '.', '-'; no option, no hidden file. */
bool copy_is_name(const char *s);
/* The target's restore_root, else a folder of our own; ERR_CONFIG where it is no absolute path. */
const char *copy_root(struct op *op, struct error *err);
/* Free where a folder is, or will be. */
bool copy_free_bytes(struct op *op, const char *root, double *out, struct error *err) MUST_CHECK;
/* restore_root itself (or another such): made where it is not there, and to be passed by the
 * cluster's owner. */
bool copy_make_root(const char *root, struct error *err) MUST_CHECK;
/* What its mark says, "job 12\n" and perhaps more lines; NULL: it has none. */
const char *copy_mark(struct op *op, const char *dir);
/* Still the folder copy.dir of the plan (facts goes, its inode, and mark, the first line of that),
 * and nobody's work? What is gone is as it was to be; one whose removal was cut off may have lost
 * its mark. */
bool copy_is_same(struct op *op, struct error *err) MUST_CHECK;
/* ERR_REFUSED where it is a replica that was promoted: it may hold what is nowhere else. */
bool copy_is_expendable(struct op *op, const char *dir, struct error *err) MUST_CHECK;
/* ERR_REFUSED where another job has not come to its end with it: `job undo` removes that. */
bool copy_is_finished(struct op *op, const char *dir, struct error *err) MUST_CHECK;
/* Can a copy of that many bytes be made as root/NAME? Facts copy.root, copy.dir, copy.major. */
bool copy_plan(
    struct op *op, const char *name, int major, int64_t bytes, struct error *err) MUST_CHECK;
/* Who connects to the copy: facts copy.user and copy.database. */
bool copy_plan_login(
    struct op *op, const char *user, const char *database, struct error *err) MUST_CHECK;

/* Make the folder (anew, where this job has begun with it), with a mark whose first line is the job
 * and whose others are `text`; in it the empty folders data and tablespaces. */
bool copy_begin(struct op *op, const char *text, struct error *err) MUST_CHECK;
/* The same, and restore into it. target: options
 * of pgbackrest restore, NULL-terminated. */
bool copy_restore(
    struct op *op, const char *label, const char *const *target, struct error *err) MUST_CHECK;
/* Our configuration in place of the restored one. is_scratch: no fsync, no autovacuum. */
bool copy_configure(struct op *op, bool is_scratch, struct error *err) MUST_CHECK;
/* Start it, unless it runs, and wait until it has left recovery. Facts recovered.*. */
bool copy_start(struct op *op, struct error *err) MUST_CHECK;
/* ERR_STATE: it was killed, ERR_PROGRAM: it has ended of itself. */
bool copy_still_runs(struct op *op, struct error *err) MUST_CHECK;
bool copy_stop(struct op *op, struct error *err) MUST_CHECK;
/* In order? Nothing else is read by pg_checksums. */
bool copy_is_shut_down(struct op *op, bool *is_it, struct error *err) MUST_CHECK;
/* Stop the server of the copy in dir, if it runs: the process of its pid file, when that works in
 * its data directory. */
bool copy_server_stop(struct op *op, const char *dir, int major, struct error *err) MUST_CHECK;
/* Written down before its folder is removed, and before it is started. */
bool copy_leave_directory(struct op *op, struct error *err) MUST_CHECK;
bool copy_leave_server(struct op *op, struct error *err) MUST_CHECK;
/* Stop it and remove its folder; both leftovers are settled. */
bool copy_remove(struct op *op, struct error *err) MUST_CHECK;

/* The last line of its server's log that has `word`; NULL: none. */
const char *copy_log_line(struct op *op, const char *word);
const char *copy_data(struct op *op); /* its data directory */
const char *copy_uri(struct op *op);  /* for clients */
/* The same of a server that listens elsewhere. */
const char *copy_uri_at(struct op *op, const char *host, int port);
const char *copy_conninfo(struct op *op);                  /* the same as keywords */
const char *copy_program(struct op *op, const char *name); /* of its version; NULL: none */

/* Leftovers "directory" and "server". */
bool copy_undo_directory(
    struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;
bool copy_undo_server(struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;

#endif
