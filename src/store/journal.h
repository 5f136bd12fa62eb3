/*
 * The journal: what was done to which server, by whom, and how it ended. SQLite in the state
 * folder, shared by all consoles and jobs of this user. Written before and after each act; secrets
 * never enter it. A handle belongs to one thread.
 */
#ifndef PGMEDIC_STORE_JOURNAL_H
#define PGMEDIC_STORE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "store/chain.h"

struct journal;

/* state: life of an act. PLANNED only for jobs between confirmation and start. */
#define JOURNAL_STATE_LIST(X)                                                       \
	X(PLANNED, "planned", "confirmed, its process has not begun")               \
	X(RUNNING, "running", "under way")                                          \
	X(DONE, "done", "did what was asked, verified")                             \
	X(PARTLY, "partly", "some of what was asked")                               \
	X(FAILED, "failed", "did not do it")                                        \
	X(REFUSED, "refused",                                                       \
	    "not tried: read-only, protected, changed meanwhile, or not confirmed") \
	X(LOST, "lost", "its process ended without a word")

enum journal_state {
#define X(sym, name, text) JOURNAL_##sym,
	JOURNAL_STATE_LIST(X)
#undef X
	    JOURNAL_STATE_COUNT,
};
extern const char *const journal_state_names[JOURNAL_STATE_COUNT];

struct journal_act {
	int64_t id;
	struct wall started_at, finished_at;       /* finished 0: not yet */
	const char *os_user;                       /* of this machine */
	const char *target;                        /* name */
	const char *host, *port, *database, *role; /* "" unknown */
	int64_t system_identifier;                 /* 0 unknown */
	const char *command;                       /* the command line, redacted */
	const char *plan;                          /* what was shown before the confirmation */
	const char *risk;                          /* of the worst step */
	const char *confirmed_how; /* "typed y", "typed the target's name", "--yes" */
	enum journal_state state;
	const char *detail; /* how it ended, in one line or several */
	int pid;            /* of the job's process, 0 when it ran in the console */
};

/* Open (and make) the state folder's journal.db. Fails with ERR_JOURNAL where it cannot be written.
 */
struct journal *journal_open(struct error *err) MUST_CHECK;
void journal_close(struct journal *j); /* NULL is fine */
/* How long to wait for another writer; a job has more time than a person. */
void journal_patience(struct journal *j, int ms);
/* Write the act before it happens; sets act->id. */
bool journal_begin(struct journal *j, struct journal_act *act, struct error *err) MUST_CHECK;
/* Its new state; DONE, PARTLY, FAILED, REFUSED and LOST also set the time it finished. */
bool journal_update(struct journal *j, int64_t id, enum journal_state state, const char *detail,
    int pid, struct error *err) MUST_CHECK;
/* Its process has gone without a word: LOST, unless it has ended meanwhile or has a process after
 * all.
 */
bool journal_lost(struct journal *j, int64_t id, struct error *err) MUST_CHECK;
/* One act by id; false with ERR_NOT_FOUND. Strings in the arena. */
bool journal_get(struct journal *j, int64_t id, struct arena *arena, struct journal_act *out,
    struct error *err) MUST_CHECK;
/* The newest `limit` acts, newest first, only unfinished ones when `open_only`; *acts in the arena.
 */
bool journal_list(struct journal *j, int limit, bool open_only, struct arena *arena,
    struct journal_act **acts, int *n, struct error *err) MUST_CHECK;

/* What journal.db remembers of the chained lines, for chain_verify(). */
bool journal_tip(struct journal *j, struct chain_tip *tip, struct error *err) MUST_CHECK;

/*
 * The lock of a job, a file beside the journal that its process keeps locked while it lives. Take:
 * descriptor or -1.
 */
int journal_lock_take(int64_t id, struct error *err);
/* The same lock, taken by the parent and handed over as descriptor fd: -1 where it is none. */
int journal_lock_inherit(int64_t id, int fd);
/* Let go of it; the file goes too. */
void journal_lock_drop(int64_t id, int fd);
/* Is the process of this job alive? */
bool journal_lock_held(int64_t id);

#endif
