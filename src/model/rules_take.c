/* What the rules keep of samples as they come: sums over sessions, growth of counters, who blocks
 * whom, how long the WAL was when. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/locks.h"
#include "model/rules_priv.h"

/* Seconds that a statement must pass to be called slow. */
static const int64_t slow_us = 1000000;

struct columns {
	int pid, user, database, type, state, wait_type, wait_event, xact, query, change;
};

static struct columns
find_columns(const struct rowset *rs)
{
	static const char *const names[] = { "pid", "usesysid", "datid", "backend_type", "state",
		"wait_type", "wait_event", "xact_start", "query_start", "state_change" };
	int at[ARRAY_LEN(names)];

	rowset_cols(rs, names, (int)ARRAY_LEN(names), at);
	return (
	    struct columns){ at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], at[8], at[9] };
}

/* The earlier of a beginning and what is known; nobody's is 0. */
static void
earliest(int64_t *start, int64_t *pid, int64_t at, int64_t who)
{
	if (at && (!*start || at < *start)) {
		*start = at;
		*pid = who;
	}
}

/* One client's row. Returns whether its statement passed a second since `from`. */
static bool
take_session(struct session_facts *f, const struct rowset *rs, int row, const struct columns *c,
    int64_t from)
{
	int64_t pid = cell_i64(rowset_cell(rs, row, c->pid), 0);
	const struct cell *state = rowset_cell(rs, row, c->state);
	int64_t query = cell_i64(rowset_cell(rs, row, c->query), 0);
	bool is_active = cell_is(state, "active") || cell_is(state, "fastpath function call");

	f->clients++;
	earliest(&f->xact_start, &f->xact_pid, cell_i64(rowset_cell(rs, row, c->xact), 0), pid);
	if (state->type == CELL_TEXT && state->len >= 19) /* "idle in transaction", aborted too */
		earliest(&f->idle_start, &f->idle_pid, cell_i64(rowset_cell(rs, row, c->change), 0),
		    pid);
	if (is_active && cell_is(rowset_cell(rs, row, c->wait_type), "Lock"))
		f->waiting++;
	if (is_active && cell_is(rowset_cell(rs, row, c->wait_event), "SyncRep")) {
		f->sync_waiting++;
		earliest(&f->sync_start, &f->sync_pid, query, pid);
	}
	return is_active && query && query + slow_us <= f->now && query + slow_us > from;
}

static void
take_activity(struct rules *r, const struct sample *s, const struct server_info *server)
{
	const struct rowset *rs = s->rows;
	struct columns c = find_columns(rs);
	struct session_facts f = { .now = s->server_at.us };
	struct window *w = &r->windows[WINDOW_SLOW];
	/* Of the first look: what passed its second in the last minute and is still there. */
	int64_t from = w->n > 0 ? w->slots[w->n - 1].to : f.now - 60 * slow_us;
	int slow = 0;

	for (int i = 0; i < rs->nrows; i++) {
		const struct cell *type = rowset_cell(rs, i, c.type);
		int64_t pid = cell_i64(rowset_cell(rs, i, c.pid), 0);
		/* Of other users' sessions an unprivileged role sees little more than the pid. */
		bool is_hidden = cell_is_null(type) && !cell_is_null(rowset_cell(rs, i, c.user)) &&
		    !cell_is_null(rowset_cell(rs, i, c.database));

		f.hidden += is_hidden;
		f.clients += is_hidden;
		if (!cell_is(type, "client backend") || pid == server->own_pid ||
		    pid == server->action_pid)
			continue;
		slow += take_session(&f, rs, i, &c, from);
	}
	r->sessions = f;
	/* The next wait is another one. */
	if (f.waiting == 0)
		r->locks = (struct lock_facts){ .is_known = false };
	if (f.now > from)
		window_add(w, WINDOW_SLOW, w->n > 0 ? from : f.now - 1000000, f.now, slow, 0);
}

static double
num(const struct sample *s, const char *name)
{
	return cell_num(rowset_get(s->rows, 0, name), NAN);
}

static void
count(struct rules *r, enum rule_window id, const struct sample *s, const char *a, const char *b)
{
	if (s->rows->nrows > 0)
		window_count(&r->windows[id], id, s->server_at.us, num(s, a), b ? num(s, b) : 0);
}

/* Counters that were remembered of another cluster say nothing of this one. */
static void
take_dbsum(struct rules *r, const struct sample *s, const struct server_info *server)
{
	if (r->system_identifier && server->system_identifier &&
	    r->system_identifier != server->system_identifier)
		rules_begin_life(r);
	count(r, WINDOW_DEADLOCKS, s, "deadlocks", NULL);
	count(r, WINDOW_CACHE, s, "blks_hit", "blks_read");
	count(r, WINDOW_XACTS, s, "commits", "rollbacks");
	count(r, WINDOW_SESSIONS, s, "sessions", NULL);
}

/* ---- locks */

static void
copy_cell(char *buf, size_t size, const struct cell *c)
{
	snprintf(buf, size, "%.*s", c && c->type == CELL_TEXT ? (int)c->len : 0,
	    c && c->type == CELL_TEXT ? c->s : "");
}

/* The head that most sessions hang below. */
static void
take_head(struct lock_facts *f, const struct locks *l)
{
	const struct lock_node *head = NULL;

	for (int i = 0; i < l->nnodes; i++) {
		const struct lock_node *n = &l->nodes[i];
		if (n->parent < 0 && n->behind > 0 && (!head || n->behind > head->behind))
			head = n;
	}
	f->heads = l->nheads;
	if (!head)
		return;
	f->head = head->pid;
	f->behind = head->behind;
	copy_cell(f->gid, sizeof(f->gid), head->gid);
	snprintf(f->mode, sizeof(f->mode), "%s", lock_mode_names[head->held_mode]);
	if (head->held_row >= 0)
		f->relation = cell_i64(rowset_get(l->rows, head->held_row, "relation"), 0);
}

static void
take_locks(struct rules *r, const struct sample *s, const struct sample *activity,
    const struct server_info *server)
{
	struct arena arena = { 0 };
	struct activity a;
	struct locks l;
	struct lock_facts *f = &r->locks;
	int own[] = { server->own_pid, server->action_pid };

	*f = (struct lock_facts){ .is_known = true };
	if (s->rows->nrows == 0 || !activity)
		return;
	activity_build(&a, &arena, activity->rows, &r->names, own, (int)ARRAY_LEN(own));
	locks_build(&l, &arena, s->rows, &a, s->server_at.us);
	take_head(f, &l);
	for (int i = 0; i < l.nwaits && f->nwaits < WAITS_MAX; i++) {
		f->waits[f->nwaits].pid = l.waits[i].pid;
		f->waits[f->nwaits++].start = l.waits[i].start_us;
	}
	locks_release(&l);
	activity_release(&a);
	arena_release(&arena);
}

/* ---- replication */

/* How long the WAL was when, to tell the age of what a standby has not replayed. Thinned by half
 * when full, so that it reaches back as far as it must. */
static void
take_lsn(struct rules *r, int64_t at, int64_t lsn)
{
	if (r->nlag > 0 && (lsn < r->lag[r->nlag - 1].lsn || at < r->lag[r->nlag - 1].at))
		r->nlag = 0;
	if (r->nlag > 0 && at - r->lag[r->nlag - 1].at < r->lag_step)
		return;
	if (r->nlag == LAG_POINTS) {
		for (int i = 0; i < LAG_POINTS / 2; i++)
			r->lag[i] = r->lag[i * 2];
		r->nlag = LAG_POINTS / 2;
		r->lag_step *= 2;
	}
	r->lag[r->nlag].at = at;
	r->lag[r->nlag++].lsn = lsn;
}

/* Programs that take WAL and go, and the workers that copy a table once, are no standbys. */
static bool
is_standby_name(const char *name)
{
	return *name && strncmp(name, "pg_basebackup", 13) != 0 &&
	    strncmp(name, "pgbackrest", 10) != 0 &&
	    !(strncmp(name, "pg_", 3) == 0 && strstr(name, "_sync_"));
}

static void
remember_standby(struct rules *r, const char *name, int64_t at)
{
	struct standby_memory *free_slot = NULL;

	for (int i = 0; i < STANDBYS_MAX; i++) {
		struct standby_memory *m = &r->standbys[i];
		if (m->seen && strcmp(m->name, name) == 0) {
			m->seen = at;
			m->is_here = true;
			return;
		}
		if (!m->seen && !free_slot)
			free_slot = m;
	}
	if (!free_slot)
		return;
	snprintf(free_slot->name, sizeof(free_slot->name), "%s", name);
	free_slot->seen = at;
	free_slot->is_here = true;
}

static void
take_replication(struct rules *r, const struct sample *s, const struct sample *activity,
    const struct server_info *server)
{
	const int64_t day_us = 86400 * INT64_C(1000000);
	int pid = activity ? rowset_col(activity->rows, "pid") : -1;
	int app = activity ? rowset_col(activity->rows, "application") : -1;

	/* The position written, not the one inserted: the latter is past the header of a page
	 * that is not there yet, and a standby would seem to be behind by it. */
	if (s->rows->nrows > 0 && !server->is_standby)
		take_lsn(r, s->server_at.us, cell_i64(rowset_get(s->rows, 0, "current_lsn"), 0));
	for (int i = 0; i < STANDBYS_MAX; i++) {
		r->standbys[i].is_here = false;
		if (s->server_at.us - r->standbys[i].seen > day_us)
			r->standbys[i].seen = 0;
	}
	for (int i = 0; i < s->rows->nrows; i++) {
		int64_t who = cell_i64(rowset_get(s->rows, i, "pid"), -1);
		if (cell_is_null(rowset_get(s->rows, i, "replay_lsn")))
			continue;
		for (int k = 0; activity && k < activity->rows->nrows; k++) {
			char name[64];
			if (cell_i64(rowset_cell(activity->rows, k, pid), 0) != who)
				continue;
			copy_cell(name, sizeof(name), rowset_cell(activity->rows, k, app));
			if (is_standby_name(name))
				remember_standby(r, name, s->server_at.us);
			break;
		}
	}
}

/* On a standby: how much WAL had been received when. */
static void
take_server(struct rules *r, const struct sample *s)
{
	if (s->rows->nrows > 0 && !cell_is_null(rowset_get(s->rows, 0, "receive_lsn")))
		take_lsn(r, s->server_at.us, cell_i64(rowset_get(s->rows, 0, "receive_lsn"), 0));
}

static void
take_archiver(struct rules *r, const struct sample *s, const struct server_info *server)
{
	if (rules_unarchived(s->rows, server->wal_segment_size) == 0)
		r->archived_at = s->server_at.us;
}

/* ---- this machine */

/* A point a minute of the space left where the data is, for its pace. */
static void
take_capacity(struct rules *r, const struct sample *s)
{
	const struct rule_volume v = rules_volume(s->rows, true);
	int64_t at = s->server_at.us;

	if (!v.path || isnan(v.free_bytes))
		return;
	if (r->ndisk > 0 && at < r->disk[r->ndisk - 1].at)
		r->ndisk = 0;
	if (r->ndisk > 0 && at - r->disk[r->ndisk - 1].at < 55 * INT64_C(1000000))
		return;
	if (r->ndisk == DISK_POINTS) {
		memmove(r->disk, r->disk + 1, (DISK_POINTS - 1) * sizeof(r->disk[0]));
		r->ndisk--;
	}
	r->disk[r->ndisk].at = at;
	r->disk[r->ndisk++].free = v.free_bytes;
}

void
rules_take(struct rules *r, const struct sample *s, const struct sample *const good[],
    const struct server_info *server)
{
	switch (s->probe) {
	case PROBE_ACTIVITY:
		take_activity(r, s, server);
		break;
	case PROBE_DBSUM:
		take_dbsum(r, s, server);
		break;
	case PROBE_LOCKS:
		take_locks(r, s, good[PROBE_ACTIVITY], server);
		break;
	case PROBE_NAMES:
		names_use(&r->names, s->rows);
		break;
	case PROBE_CHECKPOINTS:
		count(r, WINDOW_CHECKPOINTS, s, "timed", "requested");
		break;
	case PROBE_REPLICATION:
		take_replication(r, s, good[PROBE_ACTIVITY], server);
		break;
	case PROBE_SERVER:
		take_server(r, s);
		break;
	case PROBE_ARCHIVER:
		take_archiver(r, s, server);
		break;
	case PROBE_HOST:
		count(r, WINDOW_CPU, s, "cpu_busy_s", "cpu_idle_s");
		break;
	case PROBE_CAPACITY:
		take_capacity(r, s);
		break;
	case PROBE_ALERT_RULES:
		rules_take_limits(r, s->rows);
		break;
	case PROBE_ALERT_STATE:
		rules_take_memory(r, s->rows);
		break;
	default:
		break;
	}
}

void
rules_begin_life(struct rules *r)
{
	for (int i = 0; i < WINDOW_COUNT; i++)
		if (i != WINDOW_CPU)
			r->windows[i].has_last = false;
	r->nlag = 0;
	r->sessions = (struct session_facts){ .now = 0 };
	r->locks = (struct lock_facts){ .is_known = false };
}
