/* What locks.c hands to lock_forest.c: the graph of waits with shared lists of blockers. Private to
 * these two. */
#ifndef PGMEDIC_MODEL_LOCK_GRAPH_H
#define PGMEDIC_MODEL_LOCK_GRAPH_H

#include "model/locks.h"

/* One process at one object: the server's PROCLOCK. */
struct lock_inst {
	int proc, object;
	unsigned held; /* bits of enum lock_mode */
	enum lock_mode want;
	int held_row, want_row; /* held_row: of the strongest mode */
	int64_t start_us;
	bool is_start_exact;
};

struct lock_proc {
	int node;
	int64_t pid;   /* 0: a prepared transaction */
	int tuple_row; /* the tuple lock it holds, -1: none */
};

/* Blockers of the requests of one mode for one object, holders first; each request has a beginning
 * of it. */
struct lock_list {
	int *insts;
	int64_t *pids;
	int n, nhard;
	int oldest; /* the holder to hang a waiter from; inst, -1: no holder */
	int *lca;   /* of the dominators of insts[0..i]; lca[0..done-1] are known */
	int done;
};

struct lock_object {
	int first, ninsts;  /* in graph->sorted */
	int *queue, nqueue; /* insts in the order of the queue */
	bool is_tuple;
	struct lock_list *lists[LOCK_MODES];
};

struct lock_graph {
	struct locks *l;
	struct arena *arena;
	const struct rowset *rows;
	const struct activity *activity;
	struct lock_inst *insts;
	int ninsts;
	int *sorted; /* insts by object */
	struct lock_object *objects;
	int nobjects;
	struct lock_proc *procs;
	int nprocs;
	int *node_procs;              /* number of processes of each node */
	struct lock_list **wait_list; /* of each wait */
};

unsigned lock_conflicts(enum lock_mode mode); /* modes in conflict with it, as bits */
static inline unsigned
lock_bit(enum lock_mode mode)
{
	return 1u << mode;
}

/* Parents, roots, frees and places of a graph whose waits and lists are complete. */
void lock_forest(struct lock_graph *g);

#endif
