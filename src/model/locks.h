/*
 * Who waits for whom, from one reading of the lock table.
 *
 * The server's rule (storage/lmgr in its source; pg_blocking_pids() tells the same): a request
 * waits for every other lock group that holds the object in a conflicting mode (a hard edge), and
 * for every group that is ahead of it in the object's queue with a conflicting request (a soft
 * edge). Groups are a leader with its parallel workers; within one nobody blocks anybody. The eight
 * modes and their conflict table serve all kinds of objects: relations, pages, tuples, transaction
 * ids (whoever waits for a row waits for the transaction that changed it), virtual ids, advisory
 * keys.
 *
 * The queue's order is not in pg_locks. It is rebuilt as the server builds it: by the time the wait
 * began, and a request whose group holds what somebody in the queue waits for goes before that one
 * (ProcSleep). What the deadlock checker rearranges is the one thing that cannot be seen.
 *
 * The graph has as many soft edges as the square of a queue, so it is never written out: all
 * requests of one mode on one object share one list of blockers, of which each has a beginning.
 * That keeps 500 waiters on one row linear.
 *
 * For the screen the graph becomes a forest. A session hangs below a holder (the one that waits for
 * nothing, else the oldest transaction), or, when only the queue is in its way, below the first in
 * the queue; further holders show it again, without what is below it.
 *
 * `frees` is not the size of the subtree: a request that three readers block is freed by none of
 * them alone. It is the number of sessions that have every way to a head through this one: those
 * that it dominates in the graph of waits (immediate dominators by intersection, Cooper, Harvey,
 * Kennedy 2001, which for a graph without cycles takes one pass). The holder of a tuple lock that
 * waits itself frees nobody: the next takes its place.
 *
 * Pure, one thread. All in the caller's arena, pointing into rowset and activity, which must
 * outlive it.
 */
#ifndef PGMEDIC_MODEL_LOCKS_H
#define PGMEDIC_MODEL_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hmap.h"
#include "base/mem.h"
#include "base/rowset.h"
#include "model/activity.h"

/* symbol, the server's name; in the server's numbering, weakest first */
#define LOCK_MODE_LIST(X)                                     \
	X(NONE, "")                                           \
	X(ACCESS_SHARE, "AccessShareLock")                    \
	X(ROW_SHARE, "RowShareLock")                          \
	X(ROW_EXCLUSIVE, "RowExclusiveLock")                  \
	X(SHARE_UPDATE_EXCLUSIVE, "ShareUpdateExclusiveLock") \
	X(SHARE, "ShareLock")                                 \
	X(SHARE_ROW_EXCLUSIVE, "ShareRowExclusiveLock")       \
	X(EXCLUSIVE, "ExclusiveLock")                         \
	X(ACCESS_EXCLUSIVE, "AccessExclusiveLock")

enum lock_mode {
#define X(sym, name) LOCK_##sym,
	LOCK_MODE_LIST(X)
#undef X
	    LOCK_MODES,
};
extern const char *const lock_mode_names[LOCK_MODES];
/* The mode of a name, LOCK_NONE when there is none of it. */
enum lock_mode lock_mode_of(const struct cell *name);
bool lock_modes_conflict(enum lock_mode a, enum lock_mode b);

/* A request that was not granted. */
struct lock_wait {
	int node, object;
	int64_t pid;      /* who waits: a parallel worker has its leader's node */
	int row;          /* in the rowset */
	int relation_row; /* the row that names the relation (its tuple lock); -1: none does */
	enum lock_mode mode;
	int place;           /* in the object's queue, from 0 */
	int64_t start_us;    /* server clock; 0: unknown */
	bool is_start_exact; /* from pg_locks, not from the statement's start */
	/* As pg_blocking_pids(): leaders, holders first, then the queue; 0 is a prepared
	 * transaction. */
	const int64_t *blockers;
	int nblockers;
	int nhard; /* the first of them hold the object */
	int next;  /* the node's next wait; -1: none */
};

/* A session with its parallel workers, or a prepared transaction. */
struct lock_node {
	int64_t pid;            /* of the leader; -xid: a prepared transaction */
	int session;            /* index in the activity; -1: not there */
	const struct cell *gid; /* of a prepared transaction; may be a NULL cell */
	const struct cell *owner, *prepared;
	int wait;         /* its first wait (the longest); -1: it waits for nothing */
	int parent, root; /* nodes; parent -1: a head */
	int parent_wait;  /* the wait that ties it to its parent; -1 */
	int depth;
	int blocks;   /* requests that it blocks directly */
	int behind;   /* nodes below it in the forest */
	int frees;    /* nodes that go on when it ends */
	int held_row; /* the lock of it that blocks others, -1: none (only the queue) */
	enum lock_mode held_mode;
	bool is_cyclic; /* waits for itself in the end: a deadlock not yet resolved */
};

/* A line of the forest. */
struct lock_place {
	int node, parent, root; /* parent -1: a head */
	int wait; /* the wait that ties it to this parent; -1 at a head that waits for nothing */
	int depth;
	bool is_again; /* shown in full elsewhere: what is below it is there */
};

struct locks {
	const struct rowset *rows;
	int64_t now_us;
	struct lock_node *nodes;
	int nnodes;
	struct lock_wait *waits;
	int nwaits;
	struct lock_place *places; /* in the order of the tree, heads with most behind them first */
	int nplaces;
	int nheads;
	int ncyclic;
	bool is_cut;         /* further places were left out */
	struct hmap by_pid;  /* pid → node, workers too */
	struct hmap wait_of; /* pid → wait */
};

/*
 * locks_build - the graph and the forest
 *
 * rows      of the `locks` probe; NULL or empty gives an empty forest
 * activity  of about the same moment; gives parallel groups, ages, and the order of waits before
 * PostgreSQL 14 now_us    the server's clock at that moment; 0: unknown
 *
 * To be released for its indexes.
 */
void locks_build(struct locks *l, struct arena *arena, const struct rowset *rows,
    const struct activity *activity, int64_t now_us);
void locks_release(struct locks *l);
/* The request a pid waits for; NULL: none. */
const struct lock_wait *locks_wait(const struct locks *l, int64_t pid);
/* The node of a pid (also of a parallel worker); NULL: it has no part in this. */
const struct lock_node *locks_node(const struct locks *l, int64_t pid);
/* Seconds since a wait began; NAN when unknown. */
double locks_wait_s(const struct locks *l, const struct lock_wait *w);

#endif
