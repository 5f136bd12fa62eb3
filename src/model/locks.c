#include "config.h"

#include "model/locks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/lock_graph.h"

const char *const lock_mode_names[LOCK_MODES] = {
#define X(sym, name) [LOCK_##sym] = name,
	LOCK_MODE_LIST(X)
#undef X
};

#define BIT(sym) (1u << LOCK_##sym)

/* The server's conflict table (LockConflicts in lock.c; chapter "Explicit Locking" of its manual).
 */
static const unsigned conflicts[LOCK_MODES] = {
	[LOCK_ACCESS_SHARE] = BIT(ACCESS_EXCLUSIVE),
	[LOCK_ROW_SHARE] = BIT(EXCLUSIVE) | BIT(ACCESS_EXCLUSIVE),
	[LOCK_ROW_EXCLUSIVE] =
	    BIT(SHARE) | BIT(SHARE_ROW_EXCLUSIVE) | BIT(EXCLUSIVE) | BIT(ACCESS_EXCLUSIVE),
	[LOCK_SHARE_UPDATE_EXCLUSIVE] = BIT(SHARE_UPDATE_EXCLUSIVE) | BIT(SHARE) |
	    BIT(SHARE_ROW_EXCLUSIVE) | BIT(EXCLUSIVE) | BIT(ACCESS_EXCLUSIVE),
	[LOCK_SHARE] = BIT(ROW_EXCLUSIVE) | BIT(SHARE_UPDATE_EXCLUSIVE) | BIT(SHARE_ROW_EXCLUSIVE) |
	    BIT(EXCLUSIVE) | BIT(ACCESS_EXCLUSIVE),
	[LOCK_SHARE_ROW_EXCLUSIVE] = BIT(ROW_EXCLUSIVE) | BIT(SHARE_UPDATE_EXCLUSIVE) | BIT(SHARE) |
	    BIT(SHARE_ROW_EXCLUSIVE) | BIT(EXCLUSIVE) | BIT(ACCESS_EXCLUSIVE),
	[LOCK_EXCLUSIVE] = BIT(ROW_SHARE) | BIT(ROW_EXCLUSIVE) | BIT(SHARE_UPDATE_EXCLUSIVE) |
	    BIT(SHARE) | BIT(SHARE_ROW_EXCLUSIVE) | BIT(EXCLUSIVE) | BIT(ACCESS_EXCLUSIVE),
	[LOCK_ACCESS_EXCLUSIVE] = BIT(ACCESS_SHARE) | BIT(ROW_SHARE) | BIT(ROW_EXCLUSIVE) |
	    BIT(SHARE_UPDATE_EXCLUSIVE) | BIT(SHARE) | BIT(SHARE_ROW_EXCLUSIVE) | BIT(EXCLUSIVE) |
	    BIT(ACCESS_EXCLUSIVE),
};

enum column {
	C_PID,
	C_LOCKTYPE,
	C_DATID,
	C_RELATION,
	C_PAGE,
	C_TUPLE,
	C_VIRTUALXID,
	C_TRANSACTIONID,
	C_CLASSID,
	C_OBJID,
	C_OBJSUBID,
	C_MODE,
	C_GRANTED,
	C_WAITSTART,
	C_VIRTUALTRANSACTION,
	C_GID,
	C_OWNER,
	C_PREPARED,
	C_COUNT
};
static const char *const column_names[C_COUNT] = { "pid", "locktype", "datid", "relation", "page",
	"tuple", "virtualxid", "transactionid", "classid", "objid", "objsubid", "mode", "granted",
	"waitstart", "virtualtransaction", "gid", "owner", "prepared" };

/* While rows are read: indexes from what names a thing to its number. */
struct reading {
	struct lock_graph *g;
	int col[C_COUNT];
	bool has_starts; /* the server tells when waits began */
	struct hmap objects, procs, insts;
};

unsigned
lock_conflicts(enum lock_mode mode)
{
	return conflicts[mode];
}

bool
lock_modes_conflict(enum lock_mode a, enum lock_mode b)
{
	return (conflicts[a] & lock_bit(b)) != 0;
}

enum lock_mode
lock_mode_of(const struct cell *name)
{
	for (int m = LOCK_ACCESS_SHARE; m < LOCK_MODES; m++)
		if (cell_is(name, lock_mode_names[m]))
			return (enum lock_mode)m;
	return LOCK_NONE;
}

static const struct cell *
cell_at(const struct reading *rd, int row, enum column c)
{
	return rowset_cell(rd->g->rows, row, rd->col[c]);
}

/* ------------------------------------------------------------------ objects, processes, nodes */

static uint64_t
hash_text(uint64_t seed, const struct cell *c)
{
	return c->type == CELL_TEXT ? hash_bytes(seed, c->s, c->len) : hash_u64(seed, 0);
}

/* Objects are told apart by a hash of all that names them: 64 bits, for some thousands of objects.
 */
static int
object_of(struct reading *rd, int row)
{
	static const enum column parts[] = { C_DATID, C_RELATION, C_PAGE, C_TUPLE, C_TRANSACTIONID,
		C_CLASSID, C_OBJID, C_OBJSUBID };
	struct lock_graph *g = rd->g;
	const struct cell *type = cell_at(rd, row, C_LOCKTYPE);
	uint64_t key = hash_text(hash_text(0, type), cell_at(rd, row, C_VIRTUALXID));
	uint64_t object;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		key = hash_u64(key, (uint64_t)cell_i64(cell_at(rd, row, parts[i]), -1));
	if (hmap_get(&rd->objects, key, &object))
		return (int)object;
	hmap_put(&rd->objects, key, (uint64_t)g->nobjects);
	g->objects[g->nobjects].is_tuple = cell_is(type, "tuple");
	return g->nobjects++;
}

static int
new_node(struct lock_graph *g, int64_t pid)
{
	struct lock_node *n = &g->l->nodes[g->l->nnodes];

	memset(n, 0, sizeof(*n));
	n->pid = pid;
	n->session = pid > 0 ? activity_find(g->activity, pid) : -1;
	n->wait = n->parent = n->parent_wait = n->held_row = -1;
	n->root = g->l->nnodes;
	return g->l->nnodes++;
}

/* A process goes under the leader of its lock group. */
static int
node_of_pid(struct lock_graph *g, int64_t pid)
{
	int s = activity_find(g->activity, pid);
	int64_t leader =
	    s >= 0 && g->activity->sessions[s].leader ? g->activity->sessions[s].leader : pid;
	uint64_t node;

	if (!hmap_get(&g->l->by_pid, (uint64_t)leader, &node)) {
		node = (uint64_t)new_node(g, leader);
		hmap_put(&g->l->by_pid, (uint64_t)leader, node);
	}
	if (leader != pid)
		hmap_put(&g->l->by_pid, (uint64_t)pid, node);
	return (int)node;
}

/* A prepared transaction has no pid but a virtual transaction of its own. */
static int
proc_of(struct reading *rd, int row)
{
	struct lock_graph *g = rd->g;
	const struct cell *pid = cell_at(rd, row, C_PID);
	bool is_prepared = cell_is_null(pid) || pid->i == 0;
	uint64_t key = is_prepared ? hash_text(2, cell_at(rd, row, C_VIRTUALTRANSACTION)) | 1 :
	                             (uint64_t)pid->i << 1;
	uint64_t proc;

	if (hmap_get(&rd->procs, key, &proc))
		return (int)proc;
	hmap_put(&rd->procs, key, (uint64_t)g->nprocs);
	struct lock_proc *p = &g->procs[g->nprocs];
	p->pid = is_prepared ? 0 : pid->i;
	p->tuple_row = -1;
	p->node = is_prepared ? new_node(g, -1 - g->nprocs) : node_of_pid(g, pid->i);
	g->node_procs[p->node]++;
	return g->nprocs++;
}

static struct lock_inst *
inst_of(struct reading *rd, int object, int proc)
{
	struct lock_graph *g = rd->g;
	uint64_t key = (uint64_t)object << 32 | (uint32_t)proc, inst;

	if (hmap_get(&rd->insts, key, &inst))
		return &g->insts[inst];
	hmap_put(&rd->insts, key, (uint64_t)g->ninsts);
	g->objects[object].ninsts++;
	struct lock_inst *i = &g->insts[g->ninsts++];
	*i = (struct lock_inst){ .proc = proc, .object = object, .held_row = -1, .want_row = -1 };
	return i;
}

/* ------------------------------------------------------------------ rows */

/* The xid is the name of a prepared transaction that stays the same from one refresh to the next.
 */
static void
name_prepared(struct reading *rd, int row, struct lock_node *node)
{
	if (!cell_is(cell_at(rd, row, C_LOCKTYPE), "transactionid"))
		return;
	node->pid = -cell_i64(cell_at(rd, row, C_TRANSACTIONID), -node->pid);
	node->gid = cell_at(rd, row, C_GID);
	node->owner = cell_at(rd, row, C_OWNER);
	node->prepared = cell_at(rd, row, C_PREPARED);
}

/*
 * When a wait began. From 14 the lock table tells, and where it does not (yet), the wait has just
 * begun. Before, the start of the statement is the best that is known.
 */
static void
read_start(struct reading *rd, int row, struct lock_inst *inst)
{
	const struct lock_graph *g = rd->g;
	const struct cell *start = cell_at(rd, row, C_WAITSTART);
	int s = activity_find(g->activity, g->procs[inst->proc].pid);

	if (!cell_is_null(start)) {
		inst->start_us = start->i;
		inst->is_start_exact = true;
	} else if (rd->has_starts) {
		inst->start_us = g->l->now_us;
	} else if (s >= 0) {
		const struct session *session = &g->activity->sessions[s];
		inst->start_us = cell_i64(activity_cell(g->activity, session, ACT_QUERY_START), 0);
		inst->start_us =
		    cell_i64(activity_cell(g->activity, session, ACT_STATE_CHANGE), inst->start_us);
	}
}

static void
read_row(struct reading *rd, int row)
{
	struct lock_graph *g = rd->g;
	enum lock_mode mode = lock_mode_of(cell_at(rd, row, C_MODE));

	if (mode == LOCK_NONE)
		return;
	int object = object_of(rd, row);
	int proc = proc_of(rd, row);
	struct lock_inst *inst = inst_of(rd, object, proc);
	if (!cell_i64(cell_at(rd, row, C_GRANTED), 0)) {
		inst->want = mode;
		inst->want_row = row;
		read_start(rd, row, inst);
		g->l->nwaits++;
		return;
	}
	if (lock_bit(mode) > inst->held)
		inst->held_row = row;
	inst->held |= lock_bit(mode);
	if (g->objects[object].is_tuple)
		g->procs[proc].tuple_row = row;
	if (!g->procs[proc].pid)
		name_prepared(rd, row, &g->l->nodes[g->procs[proc].node]);
}

/* Counting sort: stable, so that equal starts keep the order of the answer. */
static void
sort_insts(struct lock_graph *g)
{
	int at = 0;

	for (int o = 0; o < g->nobjects; o++) {
		g->objects[o].first = at;
		at += g->objects[o].ninsts;
		g->objects[o].ninsts = 0;
	}
	for (int i = 0; i < g->ninsts; i++) {
		struct lock_object *o = &g->objects[g->insts[i].object];
		g->sorted[o->first + o->ninsts++] = i;
	}
}

static void
read_rows(struct reading *rd)
{
	struct lock_graph *g = rd->g;
	size_t n = (size_t)g->rows->nrows;

	/* A node may be a leader that holds nothing itself, so there can be two for each process.
	 */
	g->l->nodes = arena_alloc(g->arena, 2 * n * sizeof(*g->l->nodes));
	g->node_procs = arena_zalloc(g->arena, 2 * n, sizeof(*g->node_procs));
	g->procs = arena_alloc(g->arena, n * sizeof(*g->procs));
	g->insts = arena_alloc(g->arena, n * sizeof(*g->insts));
	g->objects = arena_zalloc(g->arena, n, sizeof(*g->objects));
	g->sorted = arena_alloc(g->arena, n * sizeof(*g->sorted));
	rowset_cols(g->rows, column_names, C_COUNT, rd->col);
	for (int i = 0; i < g->rows->nrows && !rd->has_starts; i++)
		rd->has_starts = !cell_is_null(cell_at(rd, i, C_WAITSTART));
	for (int i = 0; i < g->rows->nrows; i++)
		read_row(rd, i);
	sort_insts(g);
}

/* ------------------------------------------------------------------ queues */

struct queued {
	int64_t start_us;
	int inst;
};

static int
by_start(const void *a, const void *b)
{
	const struct queued *x = a, *y = b;

	if (x->start_us != y->start_us)
		return x->start_us < y->start_us ? -1 : 1;
	return x->inst - y->inst;
}

/* What the whole lock group of an instance holds of its object. */
static unsigned
group_held(const struct lock_graph *g, const struct lock_inst *inst)
{
	const struct lock_object *o = &g->objects[inst->object];
	int node = g->procs[inst->proc].node;
	unsigned held = inst->held;

	if (g->node_procs[node] == 1)
		return held;
	for (int i = 0; i < o->ninsts; i++) {
		const struct lock_inst *other = &g->insts[g->sorted[o->first + i]];
		if (g->procs[other->proc].node == node)
			held |= other->held;
	}
	return held;
}

/* Append, but before the first that waits for what the newcomer's group holds: the server does so
 * lest it deadlock. */
static void
enqueue(const struct lock_graph *g, struct lock_object *o, int inst)
{
	const struct lock_inst *new = &g->insts[inst];
	unsigned held = group_held(g, new);
	int at = o->nqueue;

	for (int i = 0; held && i < o->nqueue; i++) {
		const struct lock_inst *q = &g->insts[o->queue[i]];
		if (g->procs[q->proc].node != g->procs[new->proc].node &&
		    (conflicts[q->want] & held)) {
			at = i;
			break;
		}
	}
	memmove(&o->queue[at + 1], &o->queue[at], (size_t)(o->nqueue - at) * sizeof(*o->queue));
	o->queue[at] = inst;
	o->nqueue++;
}

static void
build_queue(struct lock_graph *g, struct lock_object *o)
{
	struct queued *waiting = arena_alloc(g->arena, (size_t)o->ninsts * sizeof(*waiting));
	int n = 0;

	for (int i = 0; i < o->ninsts; i++) {
		const struct lock_inst *inst = &g->insts[g->sorted[o->first + i]];
		if (inst->want)
			waiting[n++] = (struct queued){ inst->start_us, g->sorted[o->first + i] };
	}
	qsort(waiting, (size_t)n, sizeof(*waiting), by_start);
	o->queue = arena_alloc(g->arena, (size_t)(n + 1) * sizeof(*o->queue));
	for (int i = 0; i < n; i++)
		enqueue(g, o, waiting[i].inst);
}

/* ------------------------------------------------------------------ lists of blockers */

/* Of two holders, the one to show a waiter under: one that waits for nothing, else the older
 * transaction. */
static bool
is_better_parent(const struct lock_graph *g, const struct lock_inst *a, const struct lock_inst *b)
{
	const struct lock_node *x = &g->l->nodes[g->procs[a->proc].node],
	                       *y = &g->l->nodes[g->procs[b->proc].node];
	double ax, ay;

	if ((x->wait < 0) != (y->wait < 0))
		return x->wait < 0;
	ax = x->session >= 0 ? g->activity->sessions[x->session].xact_age_s : INFINITY;
	ay = y->session >= 0 ? g->activity->sessions[y->session].xact_age_s : INFINITY;
	if (!(ax == ay) && !isnan(ax) && !isnan(ay))
		return ax > ay;
	return x->pid < y->pid;
}

static void
list_add(const struct lock_graph *g, struct lock_list *list, int inst)
{
	const struct lock_proc *p = &g->procs[g->insts[inst].proc];

	list->insts[list->n] = inst;
	list->pids[list->n++] = p->pid ? g->l->nodes[p->node].pid : 0;
}

/*
 * Blockers of the mode at the object but those of the node `but` (-1: nobody is left out), up to
 * `stop` in the queue. Sets the lengths of shared beginnings in prefix[place] unless that is NULL.
 */
static struct lock_list *
build_list(struct lock_graph *g, const struct lock_object *o, enum lock_mode mode, int but,
    int stop, int *prefix)
{
	struct lock_list *list = arena_zalloc(g->arena, 1, sizeof(*list));
	size_t room = (size_t)o->ninsts;

	list->insts = arena_alloc(g->arena, room * sizeof(*list->insts));
	list->pids = arena_alloc(g->arena, room * sizeof(*list->pids));
	list->lca = arena_alloc(g->arena, room * sizeof(*list->lca));
	list->oldest = -1;
	for (int i = 0; i < o->ninsts; i++) {
		int at = g->sorted[o->first + i];
		const struct lock_inst *inst = &g->insts[at];
		if (!(inst->held & conflicts[mode]) || g->procs[inst->proc].node == but)
			continue;
		list_add(g, list, at);
		if (list->oldest < 0 || is_better_parent(g, inst, &g->insts[list->oldest]))
			list->oldest = at;
	}
	list->nhard = list->n;
	for (int i = 0; i < stop; i++) {
		const struct lock_inst *inst = &g->insts[o->queue[i]];
		if (prefix && inst->want == mode)
			prefix[i] = list->n;
		if ((conflicts[mode] & lock_bit(inst->want)) && !(inst->held & conflicts[mode]) &&
		    g->procs[inst->proc].node != but)
			list_add(g, list, o->queue[i]);
	}
	return list;
}

/* A list is shared, unless it would hold the waiter itself or its own group. */
static void
list_wait(struct lock_graph *g, int w, int *prefix)
{
	struct lock_wait *wait = &g->l->waits[w];
	struct lock_object *o = &g->objects[wait->object];
	const struct lock_inst *inst = &g->insts[o->queue[wait->place]];
	struct lock_list *list;

	if (g->node_procs[wait->node] > 1 || (inst->held & conflicts[wait->mode])) {
		list = build_list(g, o, wait->mode, wait->node, wait->place, NULL);
		wait->nblockers = list->n;
	} else {
		if (!o->lists[wait->mode])
			o->lists[wait->mode] = build_list(g, o, wait->mode, -1, o->nqueue, prefix);
		list = o->lists[wait->mode];
		wait->nblockers = prefix[wait->place];
	}
	g->wait_list[w] = list;
	wait->blockers = list->pids;
	wait->nhard = list->nhard;
}

/* A request counts once for each node that it waits for, however many of the node's processes are
 * in its way. */
static void
count_blocks(struct lock_graph *g)
{
	struct lock_node *nodes = g->l->nodes;
	int *seen = arena_zalloc(g->arena, (size_t)g->l->nnodes, sizeof(*seen));
	int *cover = arena_zalloc(g->arena, (size_t)g->ninsts + 2, sizeof(*cover));
	int stamp = 0;

	for (int w = 0; w < g->l->nwaits;) {
		/* Waits of one list lie together: cover[i] becomes the number of them that reach
		 * beyond i. */
		const struct lock_list *list = g->wait_list[w];
		int next;

		memset(cover, 0, ((size_t)list->n + 2) * sizeof(*cover));
		for (next = w; next < g->l->nwaits && g->wait_list[next] == list; next++)
			cover[g->l->waits[next].nblockers]++;
		for (int i = list->n - 1; i >= 0; i--)
			cover[i] += cover[i + 1];
		stamp++;
		for (int i = 0; i < list->n; i++) {
			int node = g->procs[g->insts[list->insts[i]].proc].node;
			if (seen[node] != stamp)
				nodes[node].blocks += cover[i + 1];
			seen[node] = stamp;
		}
		w = next;
	}
}

/* ------------------------------------------------------------------ waits */

static void
add_wait(struct lock_graph *g, int object, int place)
{
	const struct lock_inst *inst = &g->insts[g->objects[object].queue[place]];
	const struct lock_proc *proc = &g->procs[inst->proc];
	struct lock_node *node = &g->l->nodes[proc->node];
	int w = g->l->nwaits++, *link = &node->wait;

	g->l->waits[w] = (struct lock_wait){
		.node = proc->node,
		.object = object,
		.pid = proc->pid,
		.row = inst->want_row,
		.relation_row = proc->tuple_row,
		.mode = inst->want,
		.place = place,
		.start_us = inst->start_us,
		.is_start_exact = inst->is_start_exact,
	};
	hmap_put(&g->l->wait_of, (uint64_t)proc->pid, (uint64_t)w);
	while (*link >= 0 && g->l->waits[*link].start_us <= inst->start_us)
		link = &g->l->waits[*link].next;
	g->l->waits[w].next = *link;
	*link = w;
}

/* By object and mode, so that the users of a shared list lie together; in a mode, by the queue. */
static void
build_waits(struct lock_graph *g)
{
	int n = g->l->nwaits;

	g->l->waits = arena_alloc(g->arena, (size_t)(n + 1) * sizeof(*g->l->waits));
	g->l->nwaits = 0;
	for (int o = 0; o < g->nobjects; o++) {
		build_queue(g, &g->objects[o]);
		for (int m = LOCK_ACCESS_SHARE; g->objects[o].nqueue && m < LOCK_MODES; m++)
			for (int i = 0; i < g->objects[o].nqueue; i++)
				if (g->insts[g->objects[o].queue[i]].want == (enum lock_mode)m)
					add_wait(g, o, i);
	}
	/* Which node waits is known now, and decides under which holder a waiter is shown. */
	g->wait_list = arena_alloc(g->arena, (size_t)(n + 1) * sizeof(*g->wait_list));
	int *prefix = arena_alloc(g->arena, (size_t)(g->ninsts + 1) * sizeof(*prefix));
	for (int w = 0; w < g->l->nwaits; w++)
		list_wait(g, w, prefix);
	count_blocks(g);
}

void
locks_build(struct locks *l, struct arena *arena, const struct rowset *rows,
    const struct activity *activity, int64_t now_us)
{
	static const struct activity nobody;
	struct lock_graph g = {
		.l = l, .arena = arena, .rows = rows, .activity = activity ? activity : &nobody
	};
	struct reading rd = { .g = &g };

	memset(l, 0, sizeof(*l));
	l->rows = rows;
	l->now_us = now_us;
	if (!rows || !rows->nrows)
		return;
	read_rows(&rd);
	hmap_release(&rd.objects);
	hmap_release(&rd.procs);
	hmap_release(&rd.insts);
	build_waits(&g);
	lock_forest(&g);
}

void
locks_release(struct locks *l)
{
	hmap_release(&l->by_pid);
	hmap_release(&l->wait_of);
}

const struct lock_wait *
locks_wait(const struct locks *l, int64_t pid)
{
	uint64_t w;

	return l->nwaits && hmap_get(&l->wait_of, (uint64_t)pid, &w) ? &l->waits[w] : NULL;
}

const struct lock_node *
locks_node(const struct locks *l, int64_t pid)
{
	uint64_t node;

	if (pid > 0)
		return l->nnodes && hmap_get(&l->by_pid, (uint64_t)pid, &node) ? &l->nodes[node] :
		                                                                 NULL;
	for (int i = 0; i < l->nnodes; i++)
		if (l->nodes[i].pid == pid)
			return &l->nodes[i];
	return NULL;
}

double
locks_wait_s(const struct locks *l, const struct lock_wait *w)
{
	if (!w->start_us || !l->now_us)
		return NAN;
	return w->start_us >= l->now_us ? 0 : (double)(l->now_us - w->start_us) / 1e6;
}
