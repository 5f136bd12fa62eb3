/* Figures of sessions, locks and the pooler; what the readers share. */
#include "config.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "model/rules_priv.h"

/* ---- shared */

void
reading_unused(struct reading *out, const char *why)
{
	out->kind = READING_UNUSED;
	out->why = why;
}

void
reading_unknown(const struct rule_input *in, struct reading *out, const char *fmt, ...)
{
	char buf[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	out->kind = READING_UNKNOWN;
	out->why = arena_strdup(in->arena, buf);
}

static bool
is_cut_off(const struct rule_input *in)
{
	return in->s->link == LINK_DOWN || in->s->link == LINK_CONNECTING;
}

/* An answer speaks for the present for three of its periods, and for three minutes at least. */
static const int64_t fresh_ms = 180000;

const struct rowset *
reading_rows(const struct rule_input *in, enum probe_id probe, struct reading *out)
{
	const struct sample *cur = in->s->cur[probe], *good = in->s->good[probe];
	const char *text = probe_infos[probe].text;
	int64_t limit = 3000 * (int64_t)rules[in->id].period_s;

	if (is_cut_off(in)) {
		reading_unknown(in, out, "no connection");
		return NULL;
	}
	if (!cur || cur->state == SAMPLE_NONE) {
		reading_unknown(in, out, "%s: not read yet", text);
		return NULL;
	}
	if (cur->state == SAMPLE_DENIED || cur->state == SAMPLE_UNSUPPORTED || !good) {
		reading_unknown(in, out, "%s: %s", text, *cur->what ? cur->what : "no answer");
		return NULL;
	}
	if (mono_since_ms(in->mono, good->at) > (limit > fresh_ms ? limit : fresh_ms)) {
		reading_unknown(in, out, "%s: %s; last read %.0f s ago", text,
		    *cur->what ? cur->what : "not read of late",
		    (double)mono_since_ms(in->mono, good->at) / 1000);
		return NULL;
	}
	return good->rows;
}

void
reading_is(struct reading *out, double v)
{
	out->kind = READING_VALUE;
	out->value = v;
}

const char *
reading_span(const struct rule_input *in, double seconds)
{
	char buf[32];
	return arena_strdup(in->arena, fmt_span(buf, sizeof(buf), seconds));
}

const char *
reading_bytes(const struct rule_input *in, double n)
{
	char buf[32];
	return arena_strdup(in->arena, fmt_bytes(buf, sizeof(buf), n));
}

const char *
reading_count(const struct rule_input *in, double n)
{
	char buf[32];
	return arena_strdup(in->arena, fmt_count(buf, sizeof(buf), n));
}

const char *
reading_text(const struct rule_input *in, const struct cell *c)
{
	return c->type == CELL_TEXT ? arena_strndup(in->arena, c->s, c->len) : "";
}

static int
text_len(const struct cell *c)
{
	return c && c->type == CELL_TEXT ? (int)c->len : 0;
}

static int
find_pid(const struct rowset *rs, int64_t pid)
{
	int col = rs ? rowset_col(rs, "pid") : -1;

	for (int i = 0; rs && i < rs->nrows; i++)
		if (cell_i64(rowset_cell(rs, i, col), 0) == pid)
			return i;
	return -1;
}

const char *
reading_session(const struct rule_input *in, int64_t pid)
{
	const struct rowset *rs = snapshot_rows(in->s, PROBE_ACTIVITY);
	int row = find_pid(rs, pid);
	const struct cell *user, *app, *query, *state;
	int cut;

	if (row < 0)
		return "";
	user = names_get(&in->r->names, NAME_ROLE, cell_i64(rowset_get(rs, row, "usesysid"), 0));
	app = rowset_get(rs, row, "application");
	query = rowset_get(rs, row, "query");
	state = rowset_get(rs, row, "state");
	cut = text_len(query) < 120 ? text_len(query) : 120;
	while (cut > 0 && strchr("; \t\n", query->s[cut - 1]))
		cut--;
	return arena_printf(in->arena, "%.*s%s%.*s, %.*s%s%.*s", text_len(user),
	    text_len(user) ? user->s : "", text_len(app) ? "/" : "", text_len(app),
	    text_len(app) ? app->s : "", text_len(state), text_len(state) ? state->s : "",
	    cut ? ": " : "", cut, cut ? query->s : "");
}

/* Sessions are judged only when all of them are seen. */
static bool
see_sessions(const struct rule_input *in, struct reading *out)
{
	const struct session_facts *f = &in->r->sessions;

	if (!reading_rows(in, PROBE_ACTIVITY, out))
		return false;
	if (f->hidden > 0) {
		reading_unknown(in, out,
		    "%d sessions of other roles are hidden from this one: GRANT pg_read_all_stats",
		    f->hidden);
		return false;
	}
	return true;
}

static double
age_s(const struct rule_input *in, int64_t start)
{
	return start ? fmax(0, (double)(in->now - start) / 1e6) : 0;
}

/* ---- link and server */

RULE_READER(unreachable)
{
	const struct snapshot *s = in->s;
	double down;

	if (s->link == LINK_CONNECTING && !s->taken_at.us) {
		reading_unknown(in, out, "no connection yet");
		return;
	}
	if (s->link != LINK_DOWN && s->link != LINK_LATE) {
		reading_is(out, 0);
		out->what = "connected";
		return;
	}
	down = fmax(0, (double)(in->mono.us - s->link_since.us) / 1e6);
	reading_is(out, down);
	out->since = in->now - (int64_t)(down * 1e6);
	out->what = arena_printf(in->arena, "%s for %s",
	    s->link == LINK_LATE ? "no answer" : "no connection", reading_span(in, down));
	out->evidence = arena_strdup(in->arena, s->link_what);
}

/* Something that happened is shown for `for` seconds. */
static void
event(struct rule_input *in, struct reading *out, int64_t at, const char *what)
{
	bool is_shown = at && in->now - at < in->limits->for_s * INT64_C(1000000);

	reading_is(out, is_shown);
	out->since = at;
	out->what = is_shown ? what : "nothing seen";
	if (is_shown)
		out->evidence = arena_printf(in->arena, "%s ago", reading_span(in, age_s(in, at)));
}

RULE_READER(restart)
{
	if (!in->s->server.start_us) {
		reading_unknown(in, out, "when the server started is not known yet");
		return;
	}
	event(in, out, in->r->restarted_at, "the server was restarted, or crashed and recovered");
}

RULE_READER(role_change)
{
	if (!in->r->has_role) {
		reading_unknown(in, out, "the server's role is not known yet");
		return;
	}
	event(in, out, in->r->role_changed_at, arena_strdup(in->arena, in->r->role_change));
}

/* ---- sessions */

RULE_READER(connections)
{
	const struct session_facts *f = &in->r->sessions;
	int max = in->s->server.max_connections;

	if (!reading_rows(in, PROBE_ACTIVITY, out))
		return;
	if (max <= 0) {
		reading_unknown(in, out, "max_connections is not known yet");
		return;
	}
	reading_is(out, 100.0 * f->clients / max);
	out->what = arena_printf(
	    in->arena, "%d of %d connections are in use (%.0f%%)", f->clients, max, out->value);
	if (!f->hidden)
		out->evidence = arena_printf(in->arena, "%d wait for locks, oldest transaction %s",
		    f->waiting, reading_span(in, age_s(in, f->xact_start)));
}

RULE_READER(long_transaction)
{
	const struct session_facts *f = &in->r->sessions;

	if (!see_sessions(in, out))
		return;
	reading_is(out, age_s(in, f->xact_start));
	out->since = f->xact_start;
	out->pid = f->xact_pid;
	out->what = !f->xact_start ?
	    "no open transaction" :
	    arena_printf(in->arena, "pid %lld has been in a transaction for %s",
	        (long long)f->xact_pid, reading_span(in, out->value));
	if (f->xact_start)
		out->evidence = reading_session(in, f->xact_pid);
}

RULE_READER(idle_in_transaction)
{
	const struct session_facts *f = &in->r->sessions;

	if (!see_sessions(in, out))
		return;
	reading_is(out, age_s(in, f->idle_start));
	out->since = f->idle_start;
	out->pid = f->idle_pid;
	out->what = !f->idle_start ?
	    "nobody is idle in a transaction" :
	    arena_printf(in->arena, "pid %lld has been idle in its transaction for %s",
	        (long long)f->idle_pid, reading_span(in, out->value));
	if (f->idle_start)
		out->evidence = reading_session(in, f->idle_pid);
}

RULE_READER(sync_waiting)
{
	const struct session_facts *f = &in->r->sessions;

	if (!see_sessions(in, out))
		return;
	reading_is(out, age_s(in, f->sync_start));
	out->since = f->sync_start;
	out->pid = f->sync_pid;
	out->what = !f->sync_start ?
	    "no commit waits" :
	    arena_printf(in->arena, "%d commits wait for a synchronous standby, the longest for %s",
	        f->sync_waiting, reading_span(in, out->value));
	if (f->sync_start)
		out->evidence = arena_printf(in->arena, "pid %lld %s", (long long)f->sync_pid,
		    reading_session(in, f->sync_pid));
}

RULE_READER(slow_queries)
{
	const struct window *w = &in->r->windows[WINDOW_SLOW];
	double n, unused, seconds;

	if (!see_sessions(in, out))
		return;
	seconds = window_sum(w, in->now, window_spans[WINDOW_SLOW], &n, &unused);
	/* Fewer than the threshold in part of a minute says nothing of the whole. */
	if (seconds < 55 && n < in->limits->warning) {
		reading_unknown(in, out, "watched for %.0f s of the minute", seconds);
		return;
	}
	reading_is(out, n);
	out->what =
	    arena_printf(in->arena, "%.0f statements passed one second in the last minute", n);
	out->evidence = "seen at the refreshes; shorter ones between them are missed";
}

/* ---- locks */

/* The oldest of the waits that the last look at the locks saw and that still go on: a wait that is
 * older than its session's statement was an earlier one's. */
static int64_t
oldest_wait(const struct rule_input *in, int64_t *pid)
{
	const struct rowset *rs = snapshot_rows(in->s, PROBE_ACTIVITY);
	const struct lock_facts *f = &in->r->locks;
	int pid_col = rowset_col(rs, "pid"), type = rowset_col(rs, "wait_type");
	int query = rowset_col(rs, "query_start");
	int64_t oldest = 0;

	for (int i = 0; i < rs->nrows; i++) {
		int64_t who = cell_i64(rowset_cell(rs, i, pid_col), 0);
		int64_t began = cell_i64(rowset_cell(rs, i, query), 0);
		if (!cell_is(rowset_cell(rs, i, type), "Lock"))
			continue;
		for (int k = 0; k < f->nwaits; k++) {
			if (f->waits[k].pid != who || !f->waits[k].start ||
			    f->waits[k].start < began || (oldest && f->waits[k].start >= oldest))
				continue;
			oldest = f->waits[k].start;
			*pid = who;
		}
	}
	return oldest;
}

static const char *
relation_name(const struct rule_input *in, int64_t oid)
{
	const struct rowset *rs = snapshot_rows(in->s, PROBE_LOCK_NAMES);

	for (int i = 0; oid && rs && i < rs->nrows; i++) {
		const struct cell *name = rowset_get(rs, i, "name");
		if (cell_i64(rowset_get(rs, i, "oid"), 0) == oid && text_len(name))
			return arena_printf(in->arena, " on %.*s", text_len(name), name->s);
	}
	return "";
}

static void
head_blocker(struct rule_input *in, struct reading *out, int64_t waiter)
{
	const struct lock_facts *f = &in->r->locks;
	const char *others =
	    f->heads > 1 ? arena_printf(in->arena, "; %d heads in all", f->heads) : "";

	const char *relation = relation_name(in, f->relation);

	out->pid = f->head;
	if (f->head < 0) {
		out->what = arena_printf(in->arena,
		    "prepared transaction %s blocks %d session%s, the longest for %s", f->gid,
		    f->behind, f->behind == 1 ? "" : "s", reading_span(in, out->value));
		out->evidence = arena_printf(in->arena, "holds %s%s%s", f->mode, relation, others);
	} else if (f->head) {
		out->what = arena_printf(in->arena,
		    "pid %lld blocks %d session%s, the longest for %s", (long long)f->head,
		    f->behind, f->behind == 1 ? "" : "s", reading_span(in, out->value));
		/* Of a row lock the lock table has the transaction only, which says nothing. */
		out->evidence = *relation ?
		    arena_printf(in->arena, "holds %s%s: %s%s", f->mode, relation,
		        reading_session(in, f->head), others) :
		    arena_printf(in->arena, "%s%s", reading_session(in, f->head), others);
	} else {
		out->what = arena_printf(in->arena, "pid %lld has waited for a lock for %s",
		    (long long)waiter, reading_span(in, out->value));
		out->evidence = reading_session(in, waiter);
	}
}

RULE_READER(blocked_sessions)
{
	int64_t waiter = 0, start;

	if (!see_sessions(in, out))
		return;
	if (in->r->sessions.waiting == 0) {
		reading_is(out, 0);
		out->what = "nobody waits for a lock";
		return;
	}
	if (!in->r->locks.is_known) {
		const struct sample *cur = in->s->cur[PROBE_LOCKS];
		reading_unknown(in, out, "locks: %s",
		    cur && *cur->what ? cur->what : "somebody waits; not looked at yet");
		return;
	}
	start = oldest_wait(in, &waiter);
	reading_is(out, age_s(in, start));
	out->since = start;
	if (start)
		head_blocker(in, out, waiter);
	else
		out->what = "waits for locks have just begun";
}

/* ---- pooler */

/* Rows of a pooler's probe; a target without a pooler has nothing to judge. */
static const struct rowset *
pool_rows(struct rule_input *in, struct reading *out, enum probe_id probe)
{
	const struct sample *cur = in->s->cur[probe];

	if (!cur || (cur->state == SAMPLE_UNSUPPORTED && !in->s->good[probe])) {
		reading_unused(out, "no pooler is configured for this target");
		return NULL;
	}
	return reading_rows(in, probe, out);
}

/* PgBouncer's columns are texts or integers by version. */
static double
pool_num(const struct rowset *rs, int row, const char *name)
{
	const struct cell *c = rowset_get(rs, row, name);
	char buf[32];
	long long n = 0;

	if (c->type != CELL_TEXT)
		return cell_num(c, 0);
	snprintf(buf, sizeof(buf), "%.*s", (int)c->len, c->s);
	return sscanf(buf, "%lld", &n) == 1 ? (double)n : 0;
}

static double
pool_size(const struct rowset *dbs, const struct cell *database)
{
	for (int i = 0; i < dbs->nrows; i++)
		if (cell_equal(rowset_get(dbs, i, "name"), database))
			return pool_num(dbs, i, "pool_size");
	return NAN;
}

RULE_READER(pool_usage)
{
	const struct rowset *pools = pool_rows(in, out, PROBE_POOL_POOLS);
	const struct rowset *dbs = pools ? pool_rows(in, out, PROBE_POOL_DATABASES) : NULL;
	double worst = NAN;

	if (!dbs)
		return;
	for (int i = 0; i < pools->nrows; i++) {
		const struct cell *db = rowset_get(pools, i, "database");
		double size = pool_size(dbs, db);
		double busy = pool_num(pools, i, "sv_active") + pool_num(pools, i, "sv_used") +
		    pool_num(pools, i, "sv_tested") + pool_num(pools, i, "sv_login");
		if (cell_is(db, "pgbouncer") || !(size > 0) ||
		    (!isnan(worst) && 100 * busy / size <= worst))
			continue;
		worst = 100 * busy / size;
		out->what = arena_printf(in->arena,
		    "pool %.*s uses %.0f of %.0f server connections (%.0f%%)", text_len(db), db->s,
		    busy, size, worst);
	}
	reading_is(out, isnan(worst) ? 0 : worst);
}

RULE_READER(clients_waiting)
{
	const struct rowset *pools = pool_rows(in, out, PROBE_POOL_POOLS);
	double waiting = 0, longest = 0;

	if (!pools)
		return;
	for (int i = 0; i < pools->nrows; i++) {
		waiting += pool_num(pools, i, "cl_waiting");
		longest = fmax(longest, pool_num(pools, i, "maxwait"));
	}
	reading_is(out, waiting);
	out->what =
	    arena_printf(in->arena, "%.0f clients wait for a server connection, the longest for %s",
	        waiting, reading_span(in, longest));
}
