/* An act in the journal: written before it begins and after it ends. One thread. */
#ifndef PGMEDIC_APP_ACTLOG_H
#define PGMEDIC_APP_ACTLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "app/targets.h"
#include "base/error.h"
#include "ops/act.h"
#include "store/journal.h"

/* Which server an act went to. */
struct act_server {
	const char *host, *port, *database, *role; /* "" unknown */
	int64_t system_identifier;
};

struct actlog {
	struct journal *journal; /* NULL: not begun */
	int64_t id;
	int lock_fd;
};

/* Refuses (ERR_JOURNAL) when it cannot be written: what is not written down is not done. */
bool actlog_begin(struct actlog *log, const struct act *act, const struct target *target,
    const struct act_server *server, struct error *err) MUST_CHECK;
/* The act is FINISHED, or its job has ended. Releases. */
void actlog_end(struct actlog *log, const struct act *act);
/* Who is at this machine's keyboard. */
const char *actlog_os_user(void);

/*
 * Start the job of a DETACHED act: a process of its own, without this terminal, that runs
 * act_statement(). Its request goes to it through a pipe, so that no secret is in its arguments,
 * environment or a file. Returns its id; 0 and *err.
 */
int64_t job_start(const struct act *act, const struct target *target,
    const struct act_server *server, struct error *err);
/*
 * The process itself: `pgmedic run --job ID` in a session of its own, its request (JSON, smaller
 * than a pipe's buffer) on its standard input. It forks once more, so this returns at once.
 */
bool job_spawn(
    int64_t id, int lock_fd, const char *request, size_t len, struct error *err) MUST_CHECK;
enum { JOB_LOCK_FD = 3 }; /* where its process finds the lock, held from before it began */
/* After job_spawn(): ours is closed; where there is no process, the lock is let go. */
void job_lock_handed(int64_t id, int fd, bool is_handed);
/* Path of this program, for child processes. */
const char *program_path(void);
void program_path_set(const char *argv0);
/* Jobs whose process died without a word become "lost". */
void jobs_mark_lost(struct journal *j);

#endif
