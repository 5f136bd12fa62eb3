/*
 * Activity: every backend and process, what it does, for how long, and what it waits for. Idle
 * sessions and processes that sleep in their main loop come on request, as do pgmedic's own; the
 * summary counts all but those. Parallel workers are shown below their leader.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "panes/activity_detail.h"
#include "panes/sessions.h"

enum {
	C_PID,
	C_BACKEND_START,
	C_BACKEND_TYPE,
	C_LEADER_PID,
	C_DATABASE,
	C_USER,
	C_APPLICATION,
	C_CLIENT,
	C_STATE,
	C_ST,
	C_WAIT_TYPE,
	C_WAIT_EVENT,
	C_WAIT,
	C_XACT_AGE,
	C_QUERY_AGE,
	C_STATE_AGE,
	C_BLOCKED_BY,
	C_BLOCKS,
	C_BLK,
	C_CPU,
	C_RSS,
	C_READ,
	C_WRITE,
	C_SSL,
	C_XID,
	C_XMIN,
	C_QUERY_ID,
	C_QUERY,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_PID] = { "pid", "PID", COL_INT, 5, COL_KEY | COL_FIXED, "process id" },
	[C_BACKEND_START] = { "backend_start", "STARTED", COL_TIME, 9, COL_KEY | COL_HIDDEN,
	    "when the session began; with pid it is the session's identity" },
	[C_BACKEND_TYPE] = { "backend_type", "TYPE", COL_TEXT, 14, COL_HIDDEN,
	    "client backend, autovacuum worker, walsender, checkpointer, …" },
	[C_LEADER_PID] = { "leader_pid", "LEADER", COL_INT, 7, COL_HIDDEN,
	    "leader of a parallel worker" },
	[C_DATABASE] = { "database", "DB", COL_TEXT, 5, 0, "database" },
	[C_USER] = { "user", "USER", COL_TEXT, 6, 0, "role it logged in as" },
	[C_APPLICATION] = { "application", "APPLICATION", COL_TEXT, 11, COL_HIDDEN,
	    "application_name" },
	[C_CLIENT] = { "client", "CLIENT", COL_TEXT, 10, COL_HIDDEN,
	    "address; [local] is a Unix socket" },
	[C_STATE] = { "state", "STATE.FULL", COL_TEXT, 8, COL_HIDDEN,
	    "active, idle, idle in transaction, …, as the server says it" },
	[C_ST] = { "st", "STATE", COL_TEXT, 7, COL_NOJSON, "state, short; of a process its name" },
	[C_WAIT_TYPE] = { "wait_type", "WAIT.TYPE", COL_TEXT, 9, COL_HIDDEN, "wait_event_type" },
	[C_WAIT_EVENT] = { "wait_event", "WAIT.EVENT", COL_TEXT, 10, COL_HIDDEN, "wait_event" },
	[C_WAIT] = { "wait", "WAIT", COL_TEXT, 13, COL_NOJSON,
	    "what it waits for, type:event; CPU: for nothing" },
	[C_XACT_AGE] = { "xact_age_s", "XACT", COL_SECONDS, 6, 0, "age of its transaction" },
	[C_QUERY_AGE] = { "query_age_s", "TIME", COL_SECONDS, 6, 0,
	    "since its statement, or the last one, began" },
	[C_STATE_AGE] = { "state_age_s", "IN.STATE", COL_SECONDS, 6, COL_HIDDEN,
	    "since it came into its state" },
	[C_BLOCKED_BY] = { "blocked_by", "BLOCKED.BY", COL_INTS, 10, COL_HIDDEN,
	    "pids that keep it waiting for a lock, as pg_blocking_pids(); 0 is a prepared transaction" },
	[C_BLOCKS] = { "blocks", "BLOCKS", COL_INT, 6, COL_HIDDEN,
	    "requests for locks that it keeps waiting, directly" },
	[C_BLK] = { "blk", "BLK", COL_TEXT, 6, COL_NOJSON,
	    "<pid: blocked by it (+n more); >n: blocks n" },
	[C_CPU] = { "cpu_pct", "CPU%", COL_PCT, 5, COL_HIDDEN,
	    "CPU of the process, 100 is one core; only on the server's machine" },
	[C_RSS] = { "rss_bytes", "RSS", COL_BYTES, 6, COL_HIDDEN,
	    "resident memory, shared buffers it touched included; only on the server's machine" },
	[C_READ] = { "read_bps", "READ/S", COL_BYTES, 6, COL_HIDDEN,
	    "read from disks per second; only on the server's machine" },
	[C_WRITE] = { "write_bps", "WRITE/S", COL_BYTES, 6, COL_HIDDEN,
	    "written to disks per second; only on the server's machine" },
	[C_SSL] = { "ssl", "SSL", COL_BOOL, 3, COL_HIDDEN, "the connection is encrypted" },
	[C_XID] = { "xid", "XID", COL_INT, 8, COL_HIDDEN, "transaction id, once it writes" },
	[C_XMIN] = { "xmin", "XMIN", COL_INT, 8, COL_HIDDEN, "oldest transaction it may see" },
	[C_QUERY_ID] = { "query_id", "QUERY.ID", COL_INT, 20, COL_HIDDEN,
	    "as in pg_stat_statements; from PostgreSQL 14, with compute_query_id" },
	[C_QUERY] = { "query", "QUERY", COL_QUERY, 20, 0,
	    "statement, or the last one of a session that is idle" },
};

static const enum probe_id probes[] = { PROBE_LOCKS, PROBE_NAMES, PROBE_LOCK_NAMES };
/* Three files of each busy process, each refresh: only for who looks at them. */
static const struct pane_need needs[] = {
	{ C_CPU, PROBE_OS },
	{ C_RSS, PROBE_OS },
	{ C_READ, PROBE_OS },
	{ C_WRITE, PROBE_OS },
};

/* ------------------------------------------------------------------ processes of this machine */

struct os {
	const struct rowset *cur, *prev;
	double seconds;                /* 0: one sample only */
	struct hmap cur_row, prev_row; /* pid → row */
	int cpu, rss, read, write, prev_cpu, prev_read, prev_write;
};

static void
index_pids(struct hmap *map, const struct rowset *rows)
{
	int pid = rowset_col(rows, "pid");

	for (int i = 0; i < rows->nrows; i++)
		hmap_put(map, (uint64_t)cell_i64(rowset_cell(rows, i, pid), 0), (uint64_t)i);
}

static void
os_init(struct os *os, const struct snapshot *snap)
{
	memset(os, 0, sizeof(*os));
	os->cur = snapshot_rows(snap, PROBE_OS);
	if (!os->cur)
		return;
	index_pids(&os->cur_row, os->cur);
	os->cpu = rowset_col(os->cur, "cpu_s");
	os->rss = rowset_col(os->cur, "rss_bytes");
	os->read = rowset_col(os->cur, "read_bytes");
	os->write = rowset_col(os->cur, "write_bytes");
	if (!snapshot_pair(snap, PROBE_OS, &os->cur, &os->prev, &os->seconds))
		return;
	index_pids(&os->prev_row, os->prev);
	os->prev_cpu = rowset_col(os->prev, "cpu_s");
	os->prev_read = rowset_col(os->prev, "read_bytes");
	os->prev_write = rowset_col(os->prev, "write_bytes");
}

static void
os_release(struct os *os)
{
	hmap_release(&os->cur_row);
	hmap_release(&os->prev_row);
}

static void
os_cells(const struct os *os, int64_t pid, struct cell *c)
{
	static const struct cell none = { .type = CELL_NULL, .why = WHY_NODATA };
	uint64_t at, before;

	if (!os->cur || !hmap_get(&os->cur_row, (uint64_t)pid, &at))
		return;
	int row = (int)at;
	c[C_RSS] = *rowset_cell(os->cur, row, os->rss);
	bool has_prev = os->prev && hmap_get(&os->prev_row, (uint64_t)pid, &before);
	int old = has_prev ? (int)before : 0;
	c[C_CPU] = pane_rate(rowset_cell(os->cur, row, os->cpu),
	    has_prev ? rowset_cell(os->prev, old, os->prev_cpu) : &none, os->seconds);
	if (c[C_CPU].type == CELL_FLOAT)
		c[C_CPU].f *= 100;
	c[C_READ] = pane_rate(rowset_cell(os->cur, row, os->read),
	    has_prev ? rowset_cell(os->prev, old, os->prev_read) : &none, os->seconds);
	c[C_WRITE] = pane_rate(rowset_cell(os->cur, row, os->write),
	    has_prev ? rowset_cell(os->prev, old, os->prev_write) : &none, os->seconds);
}

/* ------------------------------------------------------------------ rows */

struct filling {
	const struct pane_ctx *ctx;
	struct grid *grid;
	struct sessions s;
	struct os os;
	int nhidden;
};

static struct cell
name_cell(const struct filling *f, const struct session *session, const struct cell *name,
    enum activity_column oid)
{
	const struct cell *c = activity_cell(&f->s.activity, session, oid);

	if (name)
		return *name;
	/* A database or role made since the names were read: its number is better than nothing. */
	if (!cell_is_null(c) && c->i)
		return cell_text(arena_printf(&f->grid->arena, "%lld", (long long)c->i));
	return cell_null(WHY_NONE);
}

static void
blocking_cells(const struct filling *f, const struct session *session, struct cell *c)
{
	const struct lock_wait *wait = locks_wait(&f->s.locks, session->pid);
	const struct lock_node *node = locks_node(&f->s.locks, session->pid);
	struct arena *arena = &f->grid->arena;
	/* A worker shares its leader's node; what that blocks is the leader's to show. */
	int blocks = node && node->pid == session->pid ? node->blocks : 0;

	c[C_BLOCKED_BY] = (struct cell){ .ints = wait ? wait->blockers : NULL,
		.len = wait ? (uint32_t)wait->nblockers : 0,
		.type = CELL_INTS };
	c[C_BLOCKS] = cell_int(blocks);
	c[C_BLK] = cell_text("");
	if (wait && wait->nblockers > 1)
		c[C_BLK] = cell_text(arena_printf(
		    arena, "<%lld+%d", (long long)wait->blockers[0], wait->nblockers - 1));
	else if (wait && wait->nblockers)
		c[C_BLK] = cell_text(arena_printf(arena, "<%lld", (long long)wait->blockers[0]));
	else if (blocks)
		c[C_BLK] = cell_text(arena_printf(arena, ">%d", blocks));
	if (wait)
		c[C_BLK].role = ROLE_LOCK_BLOCKED;
	else if (blocks)
		c[C_BLK].role = c[C_PID].role = ROLE_LOCK_HEAD;
}

static void
age_cells(const struct session *session, struct cell *c)
{
	enum role role = sessions_age_role(session, session->xact_age_s, session->state_age_s);

	c[C_XACT_AGE] = sessions_seconds(session->xact_age_s);
	c[C_QUERY_AGE] = sessions_seconds(session->query_age_s);
	c[C_STATE_AGE] = sessions_seconds(session->state_age_s);
	c[C_XACT_AGE].role = (uint8_t)role;
	if (session->state == SESSION_ACTIVE)
		c[C_QUERY_AGE].role =
		    (uint8_t)sessions_age_role(session, session->query_age_s, session->query_age_s);
	else
		c[C_STATE_AGE].role = (uint8_t)role;
}

/* A process has no state: which one it is stands in its place. */
static struct cell
process_name(const struct cell *type)
{
	static const struct {
		const char *type, *name;
	} names[] = {
		{ "autovacuum launcher", "avlaun" },
		{ "background writer", "bgwr" },
		{ "checkpointer", "ckpt" },
		{ "logical replication launcher", "lrlaun" },
		{ "walwriter", "walwr" },
		{ "walreceiver", "walrecv" },
		{ "walsummarizer", "walsum" },
	};
	struct cell name = *type;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (cell_is(type, names[i].type))
			return cell_text(names[i].name);
	if (name.type == CELL_TEXT && name.len > 7)
		name.len = 7;
	return name.type == CELL_TEXT ? name : cell_text("");
}

/* What the role may not see is unknown, not empty. */
static void
deny_cells(struct cell *c)
{
	static const int hidden[] = { C_BACKEND_START, C_BACKEND_TYPE, C_LEADER_PID, C_APPLICATION,
		C_CLIENT, C_STATE, C_ST, C_WAIT_TYPE, C_WAIT_EVENT, C_WAIT, C_XACT_AGE, C_QUERY_AGE,
		C_STATE_AGE, C_SSL, C_XID, C_XMIN, C_QUERY_ID, C_QUERY };

	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		if (cell_is_null(&c[hidden[i]]) || hidden[i] == C_QUERY || hidden[i] == C_ST ||
		    hidden[i] == C_WAIT)
			c[hidden[i]] = cell_null(WHY_DENIED);
}

static void
add_row(struct filling *f, int index, int depth)
{
	const struct session *session = &f->s.activity.sessions[index];
	struct grid_row *row = grid_add(f->grid);
	struct cell *c = row->cells;
	const struct session_state_info *state = &session_states[session->state];
	const struct cell *type = activity_cell(&f->s.activity, session, ACT_WAIT_TYPE);

	row->aux = (uint32_t)index;
	row->depth = (uint8_t)depth;
	row->role = session->is_own || session->is_quiet ? ROLE_DIM : ROLE_NORMAL;
	c[C_PID] = cell_int(session->pid);
	c[C_BACKEND_START] = *activity_cell(&f->s.activity, session, ACT_BACKEND_START);
	c[C_BACKEND_TYPE] = *activity_cell(&f->s.activity, session, ACT_BACKEND_TYPE);
	c[C_LEADER_PID] = *activity_cell(&f->s.activity, session, ACT_LEADER_PID);
	c[C_DATABASE] = name_cell(f, session, session->database, ACT_DATID);
	c[C_USER] = name_cell(f, session, session->user, ACT_USESYSID);
	c[C_APPLICATION] = *activity_cell(&f->s.activity, session, ACT_APPLICATION);
	c[C_CLIENT] = *activity_cell(&f->s.activity, session, ACT_CLIENT);
	c[C_STATE] = *activity_cell(&f->s.activity, session, ACT_STATE);
	c[C_ST] = session->state == SESSION_NONE ? process_name(&c[C_BACKEND_TYPE]) :
	                                           cell_text(state->text);
	c[C_ST].role = (uint8_t)sessions_role(session);
	c[C_WAIT_TYPE] = *type;
	c[C_WAIT_EVENT] = *activity_cell(&f->s.activity, session, ACT_WAIT_EVENT);
	c[C_WAIT] = cell_text(sessions_wait_text(&f->s, session, &f->grid->arena));
	if (session->state == SESSION_ACTIVE)
		c[C_WAIT].role = sessions_wait_role(type);
	age_cells(session, c);
	blocking_cells(f, session, c);
	os_cells(&f->os, session->pid, c);
	c[C_SSL] = *activity_cell(&f->s.activity, session, ACT_SSL);
	c[C_XID] = *activity_cell(&f->s.activity, session, ACT_BACKEND_XID);
	c[C_XMIN] = *activity_cell(&f->s.activity, session, ACT_BACKEND_XMIN);
	c[C_QUERY_ID] = *activity_cell(&f->s.activity, session, ACT_QUERY_ID);
	c[C_QUERY] = activity_query(&f->s.activity, session);
	if (session->state == SESSION_DENIED)
		deny_cells(c);
}

/* One that blocks others is shown whatever it is: an idle session can hold an advisory lock. */
static bool
is_shown(const struct filling *f, const struct session *session)
{
	const struct lock_node *node;

	if (f->ctx->opts && f->ctx->opts->show_idle)
		return true;
	if (!session->is_own && !session->is_quiet)
		return true;
	node = locks_node(&f->s.locks, session->pid);
	return node && (node->blocks || node->wait >= 0);
}

static void
add_rows(struct filling *f)
{
	const struct activity *a = &f->s.activity;

	for (int i = 0; i < a->n; i++) {
		const struct session *session = &a->sessions[i];
		if (session->leader)
			continue;
		if (!is_shown(f, session) && session->first_worker < 0) {
			f->nhidden++;
			continue;
		}
		add_row(f, i, 0);
		for (int w = session->first_worker; w >= 0; w = a->sessions[w].next_worker)
			add_row(f, w, 1);
	}
}

/* A count of which the role cannot see all is unknown, not less. */
static struct cell
count(int n, int unseen)
{
	return unseen ? cell_null(WHY_DENIED) : cell_int(n);
}

static void
add_facts(const struct filling *f)
{
	const struct session_counts *n = &f->s.activity.counts;
	const struct server_info *server = &f->ctx->snap->server;
	int unseen = n->denied_clients;
	struct grid *g = f->grid;

	grid_fact(g, "sessions", COL_COUNT, cell_int(n->clients));
	if (server->max_connections)
		grid_fact(g, "max_connections", COL_COUNT, cell_int(server->max_connections));
	grid_fact(g, "active", COL_COUNT, count(n->active, unseen));
	grid_fact(g, "idle", COL_COUNT, count(n->idle, unseen));
	grid_fact(g, "idle_in_transaction", COL_COUNT, count(n->idle_tx, unseen));
	grid_fact(g, "idle_in_transaction_aborted", COL_COUNT, count(n->aborted, unseen));
	grid_fact(g, "waiting", COL_COUNT, count(n->waiting, unseen));
	grid_fact(g, "background", COL_COUNT, cell_int(n->background));
	grid_fact(g, "own", COL_COUNT, cell_int(n->own));
	grid_fact(g, "hidden", COL_COUNT, cell_int(f->nhidden));
	grid_fact(g, "oldest_xact_s", COL_SECONDS,
	    unseen ? cell_null(WHY_DENIED) : sessions_seconds(n->oldest_xact_s));
}

static void
activity_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	struct filling f = { .ctx = ctx, .grid = grid };

	grid->is_tree = true;
	if (!pane_rows(ctx, grid, PROBE_ACTIVITY))
		return;
	sessions_init(&f.s, ctx, &grid->arena);
	os_init(&f.os, ctx->snap);
	add_rows(&f);
	add_facts(&f);
	sessions_note_denied(&f.s, grid);
	os_release(&f.os);
	sessions_release(&f.s);
}

static void
activity_detail(const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc)
{
	const struct cell *c = grid->rows[row].cells;
	struct session_figures figures = { &c[C_CPU], &c[C_RSS], &c[C_READ], &c[C_WRITE] };

	session_detail(ctx, c[C_PID].i, cell_i64(&c[C_BACKEND_START], 0), &figures, doc);
}

static int
activity_look(const struct pane_ctx *ctx, const struct grid *grid, int row, struct arena *arena,
    const char **params)
{
	const struct cell *c = grid->rows[row].cells;

	(void)ctx;
	return session_look(c[C_PID].i, &c[C_BACKEND_START], arena, params);
}

const struct pane pane_activity = {
	.name = "activity",
	.title = "Activity",
	.help =
	    "Sessions and server processes: what they run, for how long, what they wait for, who blocks them. "
	    "Idle ones come on request.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.needs = needs,
	.nneeds = ARRAY_LEN(needs),
	.sort = "xact_age_s",
	.sort_descending = true,
	.fill = activity_fill,
	.detail = activity_detail,
	.look = "look_activity",
	.look_params = activity_look,
	.cache_new = sessions_cache_new,
	.cache_free = sessions_cache_free,
};
