#include "config.h"

#include "model/activity.h"

#include <math.h>
#include <string.h>

const struct session_state_info session_states[SESSION_STATE_COUNT] = {
#define X(sym, name, text, role) [SESSION_##sym] = { name, text, ROLE_##role },
	SESSION_STATE_LIST(X)
#undef X
};

static const char *const column_names[ACT_COLUMNS] = {
	[ACT_NOW] = "now",
	[ACT_PID] = "pid",
	[ACT_DATID] = "datid",
	[ACT_USESYSID] = "usesysid",
	[ACT_APPLICATION] = "application",
	[ACT_CLIENT] = "client",
	[ACT_BACKEND_START] = "backend_start",
	[ACT_XACT_START] = "xact_start",
	[ACT_QUERY_START] = "query_start",
	[ACT_STATE_CHANGE] = "state_change",
	[ACT_STATE] = "state",
	[ACT_WAIT_TYPE] = "wait_type",
	[ACT_WAIT_EVENT] = "wait_event",
	[ACT_BACKEND_XID] = "backend_xid",
	[ACT_BACKEND_XMIN] = "backend_xmin",
	[ACT_BACKEND_TYPE] = "backend_type",
	[ACT_LEADER_PID] = "leader_pid",
	[ACT_QUERY_ID] = "query_id",
	[ACT_SSL] = "ssl",
	[ACT_QUERY] = "query",
};

static enum session_state
state_of(const struct cell *state, const struct cell *query)
{
	if (cell_is_null(state))
		return cell_is(query, "<insufficient privilege>") ? SESSION_DENIED : SESSION_NONE;
	for (int i = SESSION_ACTIVE; i < SESSION_OTHER; i++)
		if (cell_is(state, session_states[i].name))
			return (enum session_state)i;
	return SESSION_OTHER;
}

/* Seconds from a moment to now. What began after the clock was read (the list takes a while) is 0
 * old. */
static double
age(const struct activity *a, const struct session *s, enum activity_column col)
{
	const struct cell *since = activity_cell(a, s, col);

	if (cell_is_null(since) || !a->now_us)
		return NAN;
	return since->i >= a->now_us ? 0 : (double)(a->now_us - since->i) / 1e6;
}

/* Without the privilege a client shows by its role alone: background processes have none. */
static bool
is_client(const struct activity *a, const struct session *s)
{
	const struct cell *type = activity_cell(a, s, ACT_BACKEND_TYPE);

	if (!cell_is_null(type))
		return cell_is(type, "client backend");
	return s->state == SESSION_DENIED && !cell_is_null(activity_cell(a, s, ACT_USESYSID)) &&
	    !cell_is_null(activity_cell(a, s, ACT_DATID));
}

static void
fill_session(const struct activity *a, struct session *s, const struct names *names)
{
	const struct cell *wait = activity_cell(a, s, ACT_WAIT_TYPE);

	s->pid = cell_i64(activity_cell(a, s, ACT_PID), 0);
	s->leader = cell_i64(activity_cell(a, s, ACT_LEADER_PID), 0);
	if (s->leader == s->pid)
		s->leader = 0; /* from 16 the leader of parallel apply workers is listed so, too */
	s->first_worker = s->next_worker = -1;
	s->state = state_of(activity_cell(a, s, ACT_STATE), activity_cell(a, s, ACT_QUERY));
	s->is_client = is_client(a, s);
	s->waits_for_lock = cell_is(wait, "Lock");
	s->is_quiet = s->state == SESSION_IDLE || cell_is(wait, "Activity");
	s->database = names_get(names, NAME_DATABASE, cell_i64(activity_cell(a, s, ACT_DATID), 0));
	s->user = names_get(names, NAME_ROLE, cell_i64(activity_cell(a, s, ACT_USESYSID), 0));
	s->xact_age_s = age(a, s, ACT_XACT_START);
	s->query_age_s = age(a, s, ACT_QUERY_START);
	s->state_age_s = age(a, s, ACT_STATE_CHANGE);
	s->backend_age_s = age(a, s, ACT_BACKEND_START);
}

static void
count_session(struct session_counts *c, const struct session *s)
{
	if (s->is_own) {
		c->own++;
		return;
	}
	c->clients += s->is_client;
	c->background += !s->is_client;
	c->waiting += s->waits_for_lock;
	c->denied += s->state == SESSION_DENIED;
	c->denied_clients += s->state == SESSION_DENIED && s->is_client;
	if (!s->is_client)
		return;
	c->active += s->state == SESSION_ACTIVE || s->state == SESSION_FASTPATH;
	c->idle += s->state == SESSION_IDLE;
	c->idle_tx += s->state == SESSION_IDLE_TX;
	c->aborted += s->state == SESSION_ABORTED;
	if (!isnan(s->xact_age_s) && !(c->oldest_xact_s >= s->xact_age_s))
		c->oldest_xact_s = s->xact_age_s;
}

/* In the order of the list; backwards, because each is put in front. */
static void
tie_workers(struct activity *a)
{
	for (int i = a->n - 1; i >= 0; i--) {
		struct session *s = &a->sessions[i];
		int leader = s->leader ? activity_find(a, s->leader) : -1;

		/* A leader that leads under another one would make a knot: the server has no such
		 * thing. */
		if (leader < 0 || a->sessions[leader].leader) {
			s->leader = 0;
			continue;
		}
		s->next_worker = a->sessions[leader].first_worker;
		a->sessions[leader].first_worker = i;
	}
}

void
activity_build(struct activity *a, struct arena *arena, const struct rowset *rows,
    const struct names *names, const int *own, int nown)
{
	memset(a, 0, sizeof(*a));
	a->counts.oldest_xact_s = NAN;
	if (!rows || !rows->nrows)
		return;
	a->rows = rows;
	rowset_cols(rows, column_names, ACT_COLUMNS, a->col);
	a->now_us = cell_i64(rowset_cell(rows, 0, a->col[ACT_NOW]), 0);
	a->n = rows->nrows;
	a->sessions = arena_zalloc(arena, (size_t)a->n, sizeof(*a->sessions));
	for (int i = 0; i < a->n; i++) {
		struct session *s = &a->sessions[i];

		s->row = i;
		fill_session(a, s, names);
		for (int k = 0; k < nown; k++)
			s->is_own = s->is_own || (own[k] && own[k] == s->pid);
		count_session(&a->counts, s);
		hmap_put(&a->by_pid, (uint64_t)s->pid, (uint64_t)i);
	}
	tie_workers(a);
}

void
activity_release(struct activity *a)
{
	hmap_release(&a->by_pid);
}

int
activity_find(const struct activity *a, int64_t pid)
{
	uint64_t i;

	return a->n && hmap_get(&a->by_pid, (uint64_t)pid, &i) ? (int)i : -1;
}

const struct cell *
activity_cell(const struct activity *a, const struct session *s, enum activity_column col)
{
	return rowset_cell(a->rows, s->row, a->col[col]);
}

struct cell
activity_query(const struct activity *a, const struct session *s)
{
	struct cell c = *activity_cell(a, s, ACT_QUERY);
	uint32_t start;

	if (c.type != CELL_TEXT || !c.len)
		return c;
	/* The lead byte of the last character, at most three bytes back, says how long it should
	 * be. */
	for (start = c.len - 1;
	     start > 0 && c.len - start < 4 && ((unsigned char)c.s[start] & 0xc0) == 0x80; start--)
		;
	unsigned char lead = (unsigned char)c.s[start];
	uint32_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	if (want > c.len - start)
		c.len = start;
	return c;
}
