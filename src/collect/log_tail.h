/*
 * Following a server's log: which file, from where, by which way. The file is read where it is on
 * this machine and may be read, else piece by piece through SQL; never whole, and bounded per
 * refresh. One target, the collector's thread.
 */
#ifndef PGMEDIC_COLLECT_LOG_TAIL_H
#define PGMEDIC_COLLECT_LOG_TAIL_H

#include "base/error.h"
#include "collect/log_rows.h"
#include "model/snapshot.h"

struct log_tail;
struct log_tail *log_tail_new(const char *log_file);
void log_tail_free(struct log_tail *l);

enum log_via {
	LOG_UNKNOWN, /* not told yet where it is */
	LOG_FILE,    /* read here */
	LOG_SQL,     /* asked of the server */
	LOG_AWAY,    /* neither: see why */
};

/* An answer of PROBE_LOG_SOURCE. Decides where to read from; *why is set for LOG_AWAY. */
enum log_via log_tail_source(struct log_tail *l, const struct sample *source,
    const struct server_info *server, struct error *why);
/* There is no such answer, for the reason in *why: a file that the target names is read all the
 * same. */
enum log_via log_tail_no_source(struct log_tail *l, struct error *why);
enum log_via log_tail_via(const struct log_tail *l);
/* Does the target name a file of its own? */
bool log_tail_is_named(const struct log_tail *l);

/* Read what has come since, LOG_FILE. False: the file cannot be read any more. */
bool log_tail_read(struct log_tail *l, struct rowset **rows, struct error *err) MUST_CHECK;

/* The parameters of query logs, LOG_SQL: file, offset, length; they live until the next call. */
void log_tail_params(struct log_tail *l, const char **params);
/* Its answer, parsed; NULL: there is more to read at once, its rows come with the last answer. */
struct rowset *log_tail_answer(struct log_tail *l, const struct rowset *answer);

#endif
