/*
 * Jobs of several steps, in the journal: their plan, steps, what was decided, what they may leave
 * behind, how far they are, how they ended. A job is an act (its id) that has rows here, too. All
 * but progress is written to the chained lines (store/chain.h) as well. One thread per handle.
 */
#ifndef PGMEDIC_STORE_JOBS_H
#define PGMEDIC_STORE_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "store/journal.h"

struct job_row {
	int64_t id;
	const char *kind;      /* "snapshot" */
	const char *plan_hash; /* what was confirmed */
	const char *plan;      /* JSON: [{step, effect, risk}] */
	const char *progress;  /* "backup: 45 %", "" */
	struct wall heartbeat; /* 0: never */
	bool is_cancelled;     /* somebody has asked it to stop */
	const char *result;    /* JSON object, "" none yet */
	const char *error;     /* JSON object {code, what, hint}, "" none */
};

bool jobs_create(struct journal *j, const struct job_row *row, struct error *err) MUST_CHECK;
/*
 * A new job, its act and its lock at once: whoever sees it sees it held. Sets act->id and row->id.
 * The lock's descriptor, for the job's process (journal_lock_inherit()); -1 and *err, and then
 * there is nothing.
 */
int jobs_begin(
    struct journal *j, struct journal_act *act, struct job_row *row, struct error *err) MUST_CHECK;
/* A job that has ended is to begin again ("resume", "undo"): its lock is held by the caller.
 * ERR_STATE when it is under way, or when another one who resumed it has brought it to its end
 * since it was looked at. */
bool jobs_again(struct journal *j, int64_t id, const char *why, struct error *err) MUST_CHECK;
/* What is to be looked after, newest first: what is under way, lost, or has left something behind.
 */
bool jobs_list(struct journal *j, struct arena *arena, struct journal_act **acts, int *n,
    struct error *err) MUST_CHECK;
/* False with ERR_NOT_FOUND where the act is no job of steps. */
bool jobs_get(struct journal *j, int64_t id, struct arena *arena, struct job_row *out,
    struct error *err) MUST_CHECK;
/* The newest jobs of a kind that are done for a target, newest first; how many: 0 also where *err
 * says why. */
int jobs_latest(struct journal *j, const char *target, const char *kind, int64_t *ids, int max,
    struct error *err);
/* The newest job of a kind that is done for a target; *id 0: none. */
bool jobs_last(struct journal *j, const char *target, const char *kind, int64_t *id,
    struct error *err) MUST_CHECK;
/* Progress and heartbeat; what cannot be written is left out. */
void jobs_beat(struct journal *j, int64_t id, const char *progress);
bool jobs_cancel(struct journal *j, int64_t id, struct error *err) MUST_CHECK;
bool jobs_is_cancelled(struct journal *j, int64_t id);
/* How it ended: result and error are JSON objects or "". */
bool jobs_end(struct journal *j, int64_t id, const char *result, const char *error,
    struct error *err) MUST_CHECK;

/* Steps. A step that is "doing" when its process died is looked at again before it is repeated. */
enum job_step_state { JOB_STEP_DOING, JOB_STEP_DONE, JOB_STEP_FAILED };
struct job_step_row {
	const char *name;
	enum job_step_state state;
	struct wall began_at, ended_at; /* ended 0: not yet */
	const char *detail;
};
bool jobs_step(struct journal *j, int64_t id, const char *name, enum job_step_state state,
    const char *detail, struct error *err) MUST_CHECK;
/* The end of a step, and the leftovers that it has settled: all of it is written, or nothing. */
bool jobs_step_end(struct journal *j, int64_t id, const char *name, enum job_step_state state,
    const char *detail, const int64_t *settled, int n, struct error *err) MUST_CHECK;
bool jobs_steps(struct journal *j, int64_t id, struct arena *arena, struct job_step_row **steps,
    int *n, struct error *err) MUST_CHECK;

/* Facts: what was decided or learnt, by name; a later one replaces. */
bool jobs_fact_set(struct journal *j, int64_t id, const char *name, const char *value,
    struct error *err) MUST_CHECK;
/* NULL: there is none (or it cannot be read: *err). */
const char *jobs_fact(
    struct journal *j, int64_t id, const char *name, struct arena *arena, struct error *err);
/* All of them, in the order of the names. */
struct job_fact {
	const char *name, *value;
};
bool jobs_facts(struct journal *j, int64_t id, struct arena *arena, struct job_fact **facts, int *n,
    struct error *err) MUST_CHECK;

/*
 * Leftovers: written down before the thing is made (a scratch directory, a paused pooler, a slot),
 * settled when it has been taken back.
 */
struct job_leftover {
	int64_t id, job;
	const char *target; /* of the job's act */
	const char *kind;   /* "directory", "pooler", "slot" …: see ops/op.h */
	const char *what;   /* for people: "PgBouncer of db is paused" */
	const char *args;   /* JSON object, for who takes it back */
	struct wall at;
};
bool jobs_leave(struct journal *j, int64_t job, const char *kind, const char *what,
    const char *args, int64_t *id, struct error *err) MUST_CHECK;
bool jobs_settle(struct journal *j, int64_t id, struct error *err) MUST_CHECK;
/* Those not settled, of one job or (0) of all, newest first. */
bool jobs_leftovers(struct journal *j, int64_t job, struct arena *arena,
    struct job_leftover **items, int *n, struct error *err) MUST_CHECK;

/*
 * One acting job per target: taken by a job that holds its lock, freed by the end of that lock.
 * ERR_STATE names the job that has it.
 */
bool jobs_lease(struct journal *j, const char *target, int64_t job, struct error *err) MUST_CHECK;

/* What the user wants kept of a backup beside what the repository knows: its verification. */
struct job_verified {
	const char *snapshot;
	struct wall at;
	bool passed;
	double rto_s, rpo_s; /* NAN unknown */
};
bool jobs_verified_set(struct journal *j, const char *target, const struct job_verified *v,
    struct error *err) MUST_CHECK;
/* The last verification of each snapshot of a target. */
bool jobs_verified(struct journal *j, const char *target, struct arena *arena,
    struct job_verified **items, int *n, struct error *err) MUST_CHECK;

/* Restore points by name: a name alone finds no backup, an LSN does. */
struct job_point {
	const char *name;
	int64_t lsn;
	const char *timeline; /* eight hexadecimal digits */
	struct wall at;
	const char *label; /* of the newest backup at that time, "" none */
};
bool jobs_point_set(
    struct journal *j, const char *target, const struct job_point *p, struct error *err) MUST_CHECK;
/* ERR_NOT_FOUND where the target has none of that name. */
bool jobs_point(struct journal *j, const char *target, const char *name, struct arena *arena,
    struct job_point *out, struct error *err) MUST_CHECK;

/* What was set for a target from the prompt: "retention". */
bool jobs_setting_set(struct journal *j, const char *target, const char *name, const char *value,
    struct error *err) MUST_CHECK;
/* "" where nothing was set; NULL: it cannot be read. */
const char *jobs_setting(struct journal *j, const char *target, const char *name,
    struct arena *arena, struct error *err);

#endif
