/*
 * Load by sampling: who is busy at this moment and with what, as Performance Insights counts it.
 * Averaged over ticks it is the number of average active sessions. Pure.
 */
#ifndef PGMEDIC_MODEL_LOAD_H
#define PGMEDIC_MODEL_LOAD_H

#include "base/hmap.h"
#include "base/rowset.h"
#include "model/series.h"

/* Keys of a map from oids of databases and roles to ids of series_text. */
static inline uint64_t
load_key_database(int64_t oid)
{
	return (uint64_t)oid << 1;
}
static inline uint64_t
load_key_role(int64_t oid)
{
	return (uint64_t)oid << 1 | 1;
}

enum { LOAD_MAX = 2048 };

/* Class of a wait_event_type; CPU for none (NULL cell). */
enum wait_class wait_class_of(const struct cell *wait_type);

/*
 * activity  rows of PROBE_ACTIVITY
 * names     database and role names as text ids, see the keys above; unknown ones appear as their
 * oid own       pids of this program's sessions, nown of them: they are not load loads     out: at
 * most LOAD_MAX entries, alike sessions merged
 *
 * Counted are sessions whose state is active and parallel workers; waits of Activity are idleness
 * and count for nobody; processes without a state (checkpointer, walwriter, ...) count while they
 * wait for something real. A role that may not see states of others gets no load from them. Returns
 * the number of entries.
 */
int load_sample(struct series *series, const struct rowset *activity, const struct hmap *names,
    const int *own, int nown, struct load *loads);

#endif
