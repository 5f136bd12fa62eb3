/* From the graph of waits to what a screen can show: parents, roots, who frees how many, and the
 * lines in order. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "model/lock_graph.h"

/* Lines beside the one of its own that a waiter may have below further holders, and all waiters
 * together. */
enum { MAX_AGAIN = 256, MAX_AGAIN_ALL = 1000 };
/* Links of a chain followed at once. Behind them a chain counts as ended, which only a recording
 * made to harm can reach. */
enum { NESTING_MAX = 4000 };
/* No dominator yet, and the dominator of heads: above everybody. */
enum { NOBODY = -2, TOP = -1 };

/* ------------------------------------------------------------------ dominators */

struct dominators {
	struct lock_graph *g;
	int *up;        /* the nearest node that every way to a head leads through, TOP: none */
	int *depth;     /* of that tree; 1 below TOP */
	uint8_t *state; /* 0 new, 1 being worked on, 2 done */
	int *order, n;  /* nodes as they were done: dominators before those they dominate */
	int nesting;    /* of resolve() */
};

static int
node_of(const struct lock_graph *g, int inst)
{
	return g->procs[g->insts[inst].proc].node;
}

/* The nearest common one. */
static int
meet(const struct dominators *d, int a, int b)
{
	if (a == NOBODY || b == NOBODY)
		return a == NOBODY ? b : a;
	while (a != b) {
		if (a == TOP || b == TOP)
			return TOP;
		if (d->depth[a] >= d->depth[b])
			a = d->up[a];
		else
			b = d->up[b];
	}
	return a;
}

static void resolve(struct dominators *d, int node);

/* What must end for blocker i of a list to be out of the way. */
static int
blocker(struct dominators *d, const struct lock_list *list, int i)
{
	const struct lock_graph *g = d->g;
	const struct lock_inst *inst = &g->insts[list->insts[i]];
	int node = node_of(g, list->insts[i]);

	resolve(d, node);
	if (d->state[node] != 2)
		return NOBODY; /* on a cycle through the waiter: that edge says nothing */
	/* The place at the head of a row's queue goes to the next when its holder ends, who then
	 * waits in its stead. */
	if (i < list->nhard && g->objects[inst->object].is_tuple && g->l->nodes[node].wait >= 0)
		return d->up[node];
	return node;
}

/* The meeting point of the first n of a list. Resolving one blocker may extend the same list, hence
 * the second look. */
static int
meet_list(struct dominators *d, struct lock_list *list, int n)
{
	while (list->done < n) {
		int i = list->done, b = blocker(d, list, i);
		if (list->done != i)
			continue;
		list->lca[i] = i ? meet(d, list->lca[i - 1], b) : b;
		list->done++;
	}
	return n ? list->lca[n - 1] : NOBODY;
}

static void
resolve(struct dominators *d, int node)
{
	int up = NOBODY;

	if (d->state[node] || d->nesting == NESTING_MAX)
		return;
	d->nesting++;
	d->state[node] = 1;
	for (int w = d->g->l->nodes[node].wait; w >= 0; w = d->g->l->waits[w].next)
		up = meet(d, up, meet_list(d, d->g->wait_list[w], d->g->l->waits[w].nblockers));
	d->up[node] = up == NOBODY ? TOP : up;
	d->depth[node] = d->up[node] == TOP ? 1 : d->depth[d->up[node]] + 1;
	d->state[node] = 2;
	d->order[d->n++] = node;
	d->nesting--;
}

static void
count_frees(struct lock_graph *g)
{
	size_t n = (size_t)g->l->nnodes;
	struct dominators d = {
		.g = g,
		.up = arena_zalloc(g->arena, n, sizeof(int)),
		.depth = arena_zalloc(g->arena, n, sizeof(int)),
		.state = arena_zalloc(g->arena, n, 1),
		.order = arena_zalloc(g->arena, n, sizeof(int)),
	};

	for (int i = 0; i < g->l->nnodes; i++)
		resolve(&d, i);
	for (int i = d.n - 1; i >= 0; i--) {
		int node = d.order[i];
		if (d.up[node] != TOP)
			g->l->nodes[d.up[node]].frees += g->l->nodes[node].frees + 1;
	}
}

/* ------------------------------------------------------------------ parents */

/* The blocker that a wait is shown under; inst, -1 when none is visible. */
static int
parent_inst(const struct lock_graph *g, int w)
{
	const struct lock_list *list = g->wait_list[w];

	if (list->oldest >= 0)
		return list->oldest;
	return g->l->waits[w].nblockers ? list->insts[0] : -1;
}

/* The strongest lock with which a node is in somebody's way tells its story best. */
static void
note_held(const struct lock_graph *g, int inst, enum lock_mode wanted)
{
	const struct lock_inst *i = &g->insts[inst];
	struct lock_node *node = &g->l->nodes[node_of(g, inst)];

	for (int m = LOCK_MODES - 1; m > (int)node->held_mode; m--) {
		if (!(i->held & lock_conflicts(wanted) & lock_bit((enum lock_mode)m)))
			continue;
		node->held_mode = (enum lock_mode)m;
		node->held_row = i->held_row;
		return;
	}
}

static void
choose_parents(struct lock_graph *g)
{
	for (int i = 0; i < g->l->nnodes; i++) {
		struct lock_node *node = &g->l->nodes[i];
		for (int w = node->wait; w >= 0 && node->parent < 0; w = g->l->waits[w].next) {
			int inst = parent_inst(g, w);
			if (inst < 0)
				continue;
			node->parent = node_of(g, inst);
			node->parent_wait = w;
		}
	}
}

/* Follow parents; a way that comes back to itself is a deadlock, cut open at the one that waits
 * longest. */
static void
cut_cycles(struct lock_graph *g)
{
	struct lock_node *nodes = g->l->nodes;
	int *seen = arena_zalloc(g->arena, (size_t)g->l->nnodes, sizeof(*seen));

	for (int i = 0; i < g->l->nnodes; i++) {
		int at = i, first;

		while (at >= 0 && !seen[at]) {
			seen[at] = i + 1;
			at = nodes[at].parent;
		}
		if (at < 0 || seen[at] != i + 1)
			continue;
		first = at;
		do {
			nodes[at].is_cyclic = true;
			g->l->ncyclic++;
			if (g->l->waits[nodes[at].wait].start_us <
			    g->l->waits[nodes[first].wait].start_us)
				first = at;
			at = nodes[at].parent;
		} while (!nodes[at].is_cyclic);
		nodes[first].parent = nodes[first].parent_wait = -1;
	}
}

/* ------------------------------------------------------------------ places */

struct edge {
	int from, to; /* blocker, waiter */
	int wait;
	bool is_again;
};

struct forest {
	struct lock_graph *g;
	struct edge *edges;
	int n, cap, nagain;
	int *first; /* edges of node i: sorted[first[i]] to sorted[first[i + 1]] */
	int *sorted;
	int *seen; /* of a node: the wait that has it as a blocker already, + 1 */
};

static void
add_edge(struct forest *f, int inst, int w, bool is_again)
{
	if (f->n == f->cap) {
		struct edge *old = f->edges;
		f->cap = f->cap ? f->cap * 2 : 64;
		f->edges = arena_alloc(f->g->arena, (size_t)f->cap * sizeof(*f->edges));
		if (f->n)
			memcpy(f->edges, old, (size_t)f->n * sizeof(*old));
	}
	f->edges[f->n++] =
	    (struct edge){ node_of(f->g, inst), f->g->l->waits[w].node, w, is_again };
	note_held(f->g, inst, f->g->l->waits[w].mode);
}

/* A waiter below its parent, and once more below each further holder in its way; of a group once.
 */
static void
add_wait_edges(struct forest *f, int w)
{
	const struct lock_graph *g = f->g;
	const struct lock_list *list = g->wait_list[w];
	int chosen = parent_inst(g, w), again = 0;

	if (chosen < 0)
		return;
	add_edge(f, chosen, w, g->l->nodes[g->l->waits[w].node].parent_wait != w);
	f->seen[node_of(g, chosen)] = w + 1;
	for (int i = 0; i < list->nhard; i++) {
		int node = node_of(g, list->insts[i]);
		if (f->seen[node] == w + 1) {
			note_held(g, list->insts[i], g->l->waits[w].mode);
			continue;
		}
		if (again == MAX_AGAIN || f->nagain == MAX_AGAIN_ALL) {
			g->l->is_cut = true;
			return;
		}
		again++;
		f->nagain++;
		f->seen[node] = w + 1;
		add_edge(f, list->insts[i], w, true);
	}
}

struct ordered {
	int64_t key, key2;
	int i;
};

static int
by_keys(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->key2 != y->key2)
		return x->key2 < y->key2 ? -1 : 1;
	return x->i - y->i;
}

/* Children come in the order of their queue; queues in the order of their first wait. */
static void
collect_edges(struct forest *f)
{
	struct locks *l = f->g->l;
	struct ordered *order = arena_alloc(f->g->arena, (size_t)(l->nwaits + 1) * sizeof(*order));
	int at = 0;

	for (int w = 0; w < l->nwaits; w++) {
		const struct lock_object *o = &f->g->objects[l->waits[w].object];
		order[w] = (struct ordered){ f->g->insts[o->queue[0]].start_us,
			(int64_t)l->waits[w].object << 32 | l->waits[w].place, w };
	}
	qsort(order, (size_t)l->nwaits, sizeof(*order), by_keys);
	f->seen = arena_zalloc(f->g->arena, (size_t)l->nnodes, sizeof(*f->seen));
	for (int i = 0; i < l->nwaits; i++)
		add_wait_edges(f, order[i].i);
	f->first = arena_zalloc(f->g->arena, (size_t)l->nnodes + 2, sizeof(*f->first));
	f->sorted = arena_alloc(f->g->arena, (size_t)(f->n + 1) * sizeof(*f->sorted));
	for (int i = 0; i < f->n; i++)
		f->first[f->edges[i].from + 2]++;
	for (int i = 2; i < l->nnodes + 2; i++)
		f->first[i] += f->first[i - 1];
	for (int i = 0; i < f->n; i++) {
		at = f->first[f->edges[i].from + 1]++;
		f->sorted[at] = i;
	}
}

static void
add_place(struct forest *f, struct lock_place place)
{
	struct locks *l = f->g->l;
	struct lock_node *node = &l->nodes[place.node];

	l->places[l->nplaces++] = place;
	if (place.is_again)
		return;
	node->root = place.root;
	node->depth = place.depth;
	if (place.depth == NESTING_MAX) {
		l->is_cut = true;
		return;
	}
	for (int i = f->first[place.node]; i < f->first[place.node + 1]; i++) {
		const struct edge *e = &f->edges[f->sorted[i]];
		add_place(f,
		    (struct lock_place){
		        .node = e->to,
		        .parent = place.node,
		        .root = place.root,
		        .wait = e->wait,
		        .depth = place.depth + 1,
		        .is_again = e->is_again,
		    });
		if (!e->is_again)
			node->behind += l->nodes[e->to].behind + 1;
	}
}

/* Sizes are known only when a tree is laid out, so heads are laid out one by one and then put in
 * order. */
static void
order_trees(struct lock_graph *g, struct ordered *heads, const int *starts)
{
	struct locks *l = g->l;
	struct lock_place *places =
	    arena_alloc(g->arena, (size_t)(l->nplaces + 1) * sizeof(*places));
	int n = 0;

	for (int i = 0; i < l->nheads; i++) {
		const struct lock_node *node = &l->nodes[l->places[starts[i]].node];
		heads[i] = (struct ordered){ -node->behind, node->pid, i };
	}
	qsort(heads, (size_t)l->nheads, sizeof(*heads), by_keys);
	for (int i = 0; i < l->nheads; i++) {
		int from = starts[heads[i].i], to = starts[heads[i].i + 1];
		memcpy(&places[n], &l->places[from], (size_t)(to - from) * sizeof(*places));
		n += to - from;
	}
	l->places = places;
}

static void
lay_out(struct lock_graph *g)
{
	struct locks *l = g->l;
	struct forest f = { .g = g };
	size_t n = (size_t)l->nnodes + 1;

	collect_edges(&f);
	l->places = arena_alloc(g->arena, ((size_t)f.n + n) * sizeof(*l->places));
	int *starts = arena_alloc(g->arena, n * sizeof(*starts));
	for (int i = 0; i < l->nnodes; i++) {
		const struct lock_node *node = &l->nodes[i];
		if (node->parent >= 0 || (node->wait < 0 && !node->blocks))
			continue;
		starts[l->nheads++] = l->nplaces;
		add_place(&f,
		    (struct lock_place){ .node = i, .parent = -1, .root = i, .wait = node->wait });
	}
	starts[l->nheads] = l->nplaces;
	order_trees(g, arena_alloc(g->arena, n * sizeof(struct ordered)), starts);
}

void
lock_forest(struct lock_graph *g)
{
	count_frees(g);
	choose_parents(g);
	cut_cycles(g);
	lay_out(g);
}
