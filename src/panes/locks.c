/*
 * Locks: the tree of who waits for whom. Heads hold and wait for nothing; below them, in the order
 * of the queues, who waits for them. A request with several holders in its way stands below each of
 * them, with all that waits behind it only once.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "panes/activity_detail.h"
#include "panes/sessions.h"

enum {
	C_WHO,
	C_PID,
	C_PARENT,
	C_ROOT,
	C_DEPTH,
	C_BACKEND_START,
	C_APPLICATION,
	C_DATABASE,
	C_USER,
	C_CLIENT,
	C_WAIT_S,
	C_FREES,
	C_BEHIND,
	C_RELATION,
	C_REL,
	C_LOCKTYPE,
	C_SHORT,
	C_MODE,
	C_HELD,
	C_PLACE,
	C_OBJECT,
	C_STATE,
	C_ST,
	C_XACT_AGE,
	C_QUERY,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_WHO] = { "who", "PID", COL_TEXT, 9, COL_FIXED | COL_NOJSON | COL_LEFT,
	    "session or prepared transaction, below what it waits for; ^: shown in full elsewhere" },
	[C_PID] = { "pid", "PID.NO", COL_INT, 7, COL_KEY | COL_HIDDEN,
	    "pid, of the leader for parallel workers; -xid for a prepared transaction" },
	[C_PARENT] = { "parent_pid", "PARENT", COL_INT, 7, COL_KEY | COL_HIDDEN,
	    "whom it waits for here; unknown at a head" },
	[C_ROOT] = { "root_pid", "ROOT", COL_INT, 7, COL_HIDDEN, "head of the tree" },
	[C_DEPTH] = { "depth", "DEPTH", COL_INT, 3, COL_HIDDEN, "0 at a head" },
	[C_BACKEND_START] = { "backend_start", "STARTED", COL_TIME, 9, COL_HIDDEN,
	    "when the session began" },
	[C_APPLICATION] = { "application", "APPLICATION", COL_TEXT, 11, COL_HIDDEN,
	    "application_name" },
	[C_DATABASE] = { "database", "DATABASE", COL_TEXT, 8, COL_HIDDEN, "database" },
	[C_USER] = { "user", "USER", COL_TEXT, 6, 0, "role; owner of a prepared transaction" },
	[C_CLIENT] = { "client", "CLIENT", COL_TEXT, 10, COL_HIDDEN, "address" },
	[C_WAIT_S] = { "wait_s", "WAIT", COL_SECONDS, 6, 0,
	    "how long it has been waiting; before PostgreSQL 14 since its statement began" },
	[C_FREES] = { "frees", "FREES", COL_INT, 5, 0,
	    "sessions that go on when this one ends: all that wait for it and for nobody else" },
	[C_BEHIND] = { "behind", "BEHIND", COL_INT, 6, COL_HIDDEN,
	    "sessions below it in the tree" },
	[C_RELATION] = { "relation", "RELATION.FULL", COL_TEXT, 10, COL_HIDDEN,
	    "table or index waited for, at a head: held; also of the row a transaction is waited for" },
	[C_REL] = { "rel", "RELATION", COL_TEXT, 9, COL_NOJSON,
	    "relation, without the schema public" },
	[C_LOCKTYPE] = { "locktype", "TYPE", COL_TEXT, 8, COL_HIDDEN,
	    "kind of lock: relation, transactionid, tuple, advisory, …" },
	[C_SHORT] = { "lock", "LOCK", COL_TEXT, 10, COL_NOJSON,
	    "the mode it wants, or has at a head, short" },
	[C_MODE] = { "mode", "MODE", COL_TEXT, 19, COL_HIDDEN,
	    "the mode it wants; unknown at a head" },
	[C_HELD] = { "held_mode", "HELD", COL_TEXT, 19, COL_HIDDEN,
	    "the strongest mode with which it is in somebody's way" },
	[C_PLACE] = { "queue_place", "QUEUE", COL_INT, 5, COL_HIDDEN,
	    "its place in the queue, from 1" },
	[C_OBJECT] = { "object", "OBJECT", COL_TEXT, 16, COL_HIDDEN, "what is locked, in words" },
	[C_STATE] = { "state", "STATE.FULL", COL_TEXT, 8, COL_HIDDEN,
	    "of the session; prepared for a prepared transaction" },
	[C_ST] = { "st", "STATE", COL_TEXT, 7, COL_NOJSON, "state, short" },
	[C_XACT_AGE] = { "xact_age_s", "XACT", COL_SECONDS, 6, 0, "age of its transaction" },
	[C_QUERY] = { "query", "QUERY", COL_QUERY, 16, 0, "statement, or the last one of a head" },
};

static const enum probe_id probes[] = { PROBE_LOCKS, PROBE_LOCK_NAMES, PROBE_NAMES };

/* Seconds of waiting that are worth a look, and that are not normal. */
enum { WAIT_WARN_S = 5, WAIT_CRIT_S = 30 };
/* As many as the query answers. */
enum { ROWS_LIMIT = 20000 };

static const char *const short_modes[LOCK_MODES] = {
	[LOCK_NONE] = "",
	[LOCK_ACCESS_SHARE] = "AccShare",
	[LOCK_ROW_SHARE] = "RowShare",
	[LOCK_ROW_EXCLUSIVE] = "RowExcl",
	[LOCK_SHARE_UPDATE_EXCLUSIVE] = "ShUpdExcl",
	[LOCK_SHARE] = "Share",
	[LOCK_SHARE_ROW_EXCLUSIVE] = "ShRowExcl",
	[LOCK_EXCLUSIVE] = "Excl",
	[LOCK_ACCESS_EXCLUSIVE] = "AccExcl",
};

struct filling {
	const struct pane_ctx *ctx;
	struct grid *grid;
	struct sessions s;
	double longest_s;
	int nprepared;
};

static void
session_cells(const struct filling *f, const struct lock_node *node, struct cell *c)
{
	const struct session *session = &f->s.activity.sessions[node->session];

	c[C_BACKEND_START] = *activity_cell(&f->s.activity, session, ACT_BACKEND_START);
	c[C_APPLICATION] = sessions_cell(&f->s, session, ACT_APPLICATION);
	c[C_CLIENT] = sessions_cell(&f->s, session, ACT_CLIENT);
	if (session->database)
		c[C_DATABASE] = *session->database;
	if (session->user)
		c[C_USER] = *session->user;
	c[C_STATE] = sessions_cell(&f->s, session, ACT_STATE);
	c[C_ST] = cell_text(session_states[session->state].text);
	c[C_ST].role = (uint8_t)sessions_role(session);
	c[C_XACT_AGE] = sessions_seconds(session->xact_age_s);
	c[C_XACT_AGE].role =
	    (uint8_t)sessions_age_role(session, session->xact_age_s, session->state_age_s);
	c[C_QUERY] = session->state == SESSION_DENIED ? cell_null(WHY_DENIED) :
	                                                activity_query(&f->s.activity, session);
}

static void
prepared_cells(const struct filling *f, const struct lock_node *node, struct cell *c)
{
	struct strbuf text = STRBUF_INIT(400);
	const struct cell *owner = NULL;

	sessions_describe(&f->s, node, &text);
	if (node->owner && !cell_is_null(node->owner))
		owner = names_get(&f->s.cache->names, NAME_ROLE, node->owner->i);
	if (owner)
		c[C_USER] = *owner;
	c[C_STATE] = c[C_ST] = cell_text("prepared");
	c[C_ST].role = ROLE_WARN;
	c[C_QUERY] = cell_text(arena_strndup(&f->grid->arena, text.buf, text.len));
	if (node->prepared && !cell_is_null(node->prepared) && f->s.locks.now_us)
		c[C_XACT_AGE] =
		    sessions_seconds((double)(f->s.locks.now_us - node->prepared->i) / 1e6);
	strbuf_release(&text);
}

/* What the line is about: what it waits for, at a head what it holds. */
static void
object_cells(const struct filling *f, int row, int relation_row, struct cell *c)
{
	struct arena *arena = &f->grid->arena;
	struct strbuf text = STRBUF_INIT(400);

	if (row < 0)
		return;
	c[C_LOCKTYPE] = *rowset_get(f->s.locks.rows, row, "locktype");
	const char *relation =
	    sessions_relation(&f->s, relation_row >= 0 ? relation_row : row, arena);
	c[C_RELATION] = cell_text(relation);
	c[C_REL] = cell_text(!relation               ? "" :
	        strncmp(relation, "public.", 7) == 0 ? relation + 7 :
	                                               relation);
	sessions_object(&f->s, row, relation_row, &text);
	c[C_OBJECT] = cell_text(arena_strndup(arena, text.buf, text.len));
	strbuf_release(&text);
}

static void
wait_cells(struct filling *f, const struct lock_wait *wait, struct cell *c)
{
	double age = locks_wait_s(&f->s.locks, wait);

	object_cells(f, wait->row, wait->relation_row, c);
	c[C_MODE] = cell_text(lock_mode_names[wait->mode]);
	c[C_SHORT] = cell_text(short_modes[wait->mode]);
	c[C_PLACE] = cell_int(wait->place + 1);
	c[C_WAIT_S] = sessions_seconds(age);
	c[C_WAIT_S].role = age >= WAIT_CRIT_S ? ROLE_CRIT : age >= WAIT_WARN_S ? ROLE_WARN : 0;
	if (age > f->longest_s || isnan(f->longest_s))
		f->longest_s = age;
}

/*
 * A head holds a transaction id, which says nothing. The first that waits for it knows which row
 * that is about.
 */
static void
head_cells(const struct filling *f, int place, struct cell *c)
{
	const struct locks *l = &f->s.locks;
	const struct lock_node *node = &l->nodes[l->places[place].node];
	int relation_row = -1;

	for (int i = place + 1;
	     i < l->nplaces && l->places[i].depth > l->places[place].depth && relation_row < 0; i++)
		if (l->places[i].parent == l->places[place].node && l->places[i].wait >= 0)
			relation_row = l->waits[l->places[i].wait].relation_row;
	if (node->held_row >= 0 &&
	    !cell_is(rowset_get(l->rows, node->held_row, "locktype"), "transactionid"))
		relation_row = -1;
	object_cells(f, node->held_row, relation_row, c);
	c[C_SHORT] =
	    cell_text(arena_printf(&f->grid->arena, "has %s", short_modes[node->held_mode]));
}

static const char *
who(const struct filling *f, const struct lock_node *node, bool is_again)
{
	struct arena *arena = &f->grid->arena;

	if (node->pid >= 0)
		return arena_printf(arena, "%lld%s", (long long)node->pid, is_again ? "^" : "");
	if (node->gid && node->gid->type == CELL_TEXT)
		return arena_printf(arena, "prepared %.*s", (int)node->gid->len, node->gid->s);
	return "prepared";
}

static void
add_row(struct filling *f, int index)
{
	const struct locks *l = &f->s.locks;
	const struct lock_place *p = &l->places[index];
	const struct lock_node *node = &l->nodes[p->node];
	struct grid_row *row = grid_add(f->grid);
	struct cell *c = row->cells;

	row->aux = (uint32_t)index;
	row->depth = (uint8_t)(p->depth < UINT8_MAX ? p->depth : UINT8_MAX);
	row->is_head = p->parent < 0;
	row->role = p->is_again ? ROLE_DIM : ROLE_NORMAL;
	c[C_WHO] = cell_text(who(f, node, p->is_again));
	c[C_WHO].role = p->parent < 0 ? ROLE_LOCK_HEAD : p->is_again ? ROLE_DIM : ROLE_LOCK_BLOCKED;
	c[C_PID] = cell_int(node->pid);
	if (p->parent >= 0)
		c[C_PARENT] = cell_int(l->nodes[p->parent].pid);
	c[C_ROOT] = cell_int(l->nodes[p->root].pid);
	c[C_DEPTH] = cell_int(p->depth);
	c[C_FREES] = cell_int(node->frees);
	c[C_BEHIND] = cell_int(node->behind);
	if (node->held_mode)
		c[C_HELD] = cell_text(lock_mode_names[node->held_mode]);
	if (node->session >= 0)
		session_cells(f, node, c);
	else if (node->pid < 0)
		prepared_cells(f, node, c);
	if (p->wait >= 0)
		wait_cells(f, &l->waits[p->wait], c);
	else
		head_cells(f, index, c);
	if (p->parent < 0 && node->pid < 0)
		f->nprepared++;
}

static void
add_notes(const struct filling *f)
{
	const struct locks *l = &f->s.locks;

	if (!l->nwaits)
		grid_note(f->grid, "info", "nobody waits for a lock", "");
	if (l->ncyclic)
		grid_notef(f->grid, "info", "The server ends one of them after deadlock_timeout.",
		    "%d sessions wait for each other in a circle", l->ncyclic);
	if (l->is_cut || (l->rows && l->rows->nrows >= ROWS_LIMIT))
		grid_note(f->grid, "info", "too many to show: some lines are left out", "");
	if (f->nprepared)
		grid_note(f->grid, "info",
		    "a prepared transaction is in the way: it survives its session and a restart",
		    "End it in its database with ROLLBACK PREPARED or COMMIT PREPARED.");
}

static void
locks_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	struct filling f = { .ctx = ctx, .grid = grid, .longest_s = NAN };

	grid->is_tree = true;
	if (!pane_rows(ctx, grid, PROBE_LOCKS))
		return;
	sessions_init(&f.s, ctx, &grid->arena);
	for (int i = 0; i < f.s.locks.nplaces; i++)
		add_row(&f, i);
	grid_fact(grid, "waiting", COL_COUNT, cell_int(f.s.locks.nwaits));
	grid_fact(grid, "heads", COL_COUNT, cell_int(f.s.locks.nheads));
	grid_fact(grid, "longest_wait_s", COL_SECONDS, sessions_seconds(f.longest_s));
	grid_fact(grid, "deadlocked", COL_COUNT, cell_int(f.s.locks.ncyclic));
	add_notes(&f);
	sessions_note_denied(&f.s, grid);
	sessions_release(&f.s);
}

static void
locks_detail(const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc)
{
	const struct cell *c = grid->rows[row].cells;
	struct sessions s;
	struct arena arena = { 0 };

	if (c[C_PID].i > 0) {
		session_detail(ctx, c[C_PID].i, cell_i64(&c[C_BACKEND_START], 0), NULL, doc);
		return;
	}
	doc_pair(doc, "prepared transaction", ROLE_STRONG, "%lld", (long long)-c[C_PID].i);
	doc_text(doc, ROLE_NORMAL, c[C_QUERY].s, c[C_QUERY].type == CELL_TEXT ? c[C_QUERY].len : 0);
	doc_add(doc, ROLE_HINT,
	    "It has no session to end: connect to its database and run ROLLBACK PREPARED or COMMIT PREPARED.");
	doc_add(doc, ROLE_NORMAL, "%s", "");
	sessions_init(&s, ctx, &arena);
	sessions_doc_blocking(&s, c[C_PID].i, doc);
	sessions_release(&s);
	arena_release(&arena);
}

static int
locks_look(const struct pane_ctx *ctx, const struct grid *grid, int row, struct arena *arena,
    const char **params)
{
	const struct cell *c = grid->rows[row].cells;

	(void)ctx;
	return session_look(c[C_PID].i, &c[C_BACKEND_START], arena, params);
}

const struct pane pane_locks = {
	.name = "locks",
	.title = "Locks",
	.help =
	    "Who waits for whom: head blockers, the queues behind them, and how many ending one frees.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.fill = locks_fill,
	.detail = locks_detail,
	.look = "look_activity",
	.look_params = locks_look,
	.cache_new = sessions_cache_new,
	.cache_free = sessions_cache_free,
};
