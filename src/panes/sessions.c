#include "config.h"

#include "panes/sessions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/mem.h"
#include "model/load.h"

/*
 * Ages a DBA looks at twice, seconds. A transaction that does nothing holds locks and the xmin
 * horizon for nothing; one that works may be a report. All are worth a look after minutes.
 */
static const struct {
	double idle_warn, idle_crit, work_warn, work_crit;
} ages = { 30, 300, 60, 600 };

/* Locks and activity of different moments do not belong together. */
static const int64_t max_apart_us = 6000000;

void *
sessions_cache_new(void)
{
	return xcalloc(1, sizeof(struct sessions_cache));
}

void
sessions_cache_free(void *cache)
{
	struct sessions_cache *c = cache;

	names_release(&c->names);
	names_release(&c->relations);
	stmt_texts_release(&c->texts);
	free(c);
}

/* The lock table is read only while somebody waits, so the last answer may be of another hour. */
static const struct rowset *
lock_rows(const struct snapshot *snap, const struct activity *a)
{
	const struct sample *locks = snap->good[PROBE_LOCKS], *now = snap->good[PROBE_ACTIVITY];
	int64_t apart;

	if (!locks || !now)
		return locks ? locks->rows : NULL;
	apart = now->server_at.us - locks->server_at.us;
	if (apart > max_apart_us || apart < -max_apart_us)
		return NULL;
	if (apart > 0 && !a->counts.waiting && !a->counts.denied)
		return NULL;
	return locks->rows;
}

void
sessions_init(struct sessions *s, const struct pane_ctx *ctx, struct arena *arena)
{
	const struct snapshot *snap = ctx->snap;
	const int own[] = { snap->server.own_pid, snap->server.action_pid };

	memset(s, 0, sizeof(*s));
	s->snap = snap;
	s->cache = ctx->cache;
	names_use(&s->cache->names, snapshot_rows(snap, PROBE_NAMES));
	names_use(&s->cache->relations, snapshot_rows(snap, PROBE_LOCK_NAMES));
	activity_build(&s->activity, arena, snapshot_rows(snap, PROBE_ACTIVITY), &s->cache->names,
	    own, (int)ARRAY_LEN(own));
	int64_t now_us = s->activity.now_us;
	if (!now_us && snap->good[PROBE_LOCKS])
		now_us = snap->good[PROBE_LOCKS]->server_at.us;
	locks_build(&s->locks, arena, lock_rows(snap, &s->activity), &s->activity, now_us);
}

void
sessions_release(struct sessions *s)
{
	locks_release(&s->locks);
	activity_release(&s->activity);
}

/* An identifier as the server wants it in a GRANT. */
static void
add_identifier(struct strbuf *out, const char *name)
{
	if (name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(name) &&
	    !strchr("0123456789", name[0])) {
		strbuf_adds(out, name);
		return;
	}
	strbuf_addc(out, '"');
	for (; *name; name++) {
		if (*name == '"')
			strbuf_addc(out, '"');
		strbuf_addc(out, *name);
	}
	strbuf_addc(out, '"');
}

const char *
sessions_grant(const struct snapshot *snap, const char *privilege, struct arena *arena)
{
	struct strbuf out = STRBUF_INIT(200);
	const char *user = snap->server.user, *text;

	strbuf_addf(&out, "GRANT %s TO ", privilege);
	add_identifier(&out, *user ? user : "your_role");
	text = arena_strndup(arena, out.buf, out.len);
	strbuf_release(&out);
	return text;
}

void
sessions_note_hidden(const struct snapshot *snap, int n, struct grid *grid)
{
	if (n == 0)
		return;
	grid_notef(grid, "denied", sessions_grant(snap, "pg_monitor", &grid->arena),
	    "%d sessions of other roles: state, waits, client and query are hidden from this role",
	    n);
}

void
sessions_note_denied(const struct sessions *s, struct grid *grid)
{
	sessions_note_hidden(s->snap, s->activity.counts.denied, grid);
}

enum role
sessions_role(const struct session *session)
{
	return session->is_own ? ROLE_DIM : session_states[session->state].role;
}

enum role
sessions_age_role(const struct session *session, double xact_age_s, double idle_age_s)
{
	switch (session->state) {
	case SESSION_IDLE_TX:
	case SESSION_ABORTED:
		if (idle_age_s >= ages.idle_crit)
			return ROLE_CRIT;
		return idle_age_s >= ages.idle_warn ? ROLE_WARN : ROLE_NORMAL;
	case SESSION_ACTIVE:
	case SESSION_FASTPATH:
		if (!session->is_client)
			return ROLE_NORMAL; /* a walsender or autovacuum may take its time */
		if (xact_age_s >= ages.work_crit)
			return ROLE_CRIT;
		return xact_age_s >= ages.work_warn ? ROLE_WARN : ROLE_NORMAL;
	case SESSION_NONE:
	case SESSION_IDLE:
	case SESSION_DISABLED:
	case SESSION_STARTING:
	case SESSION_OTHER:
	case SESSION_DENIED:
	case SESSION_STATE_COUNT:
		break;
	}
	return ROLE_NORMAL;
}

struct cell
sessions_seconds(double s)
{
	return isnan(s) ? cell_null(WHY_NONE) : cell_float(s);
}

struct cell
sessions_cell(const struct sessions *s, const struct session *session, enum activity_column col)
{
	struct cell c = *activity_cell(&s->activity, session, col);

	if (cell_is_null(&c) && session->state == SESSION_DENIED)
		c.why = WHY_DENIED;
	return c;
}

const char *
sessions_wait_text(const struct sessions *s, const struct session *session, struct arena *arena)
{
	const struct cell *type = activity_cell(&s->activity, session, ACT_WAIT_TYPE);
	const struct cell *event = activity_cell(&s->activity, session, ACT_WAIT_EVENT);

	/* Who is idle waits for its client: nothing that has to be read in every line. */
	if (session->state == SESSION_IDLE ||
	    ((session->state == SESSION_IDLE_TX || session->state == SESSION_ABORTED) &&
	        cell_is(type, "Client")))
		return "";
	if (type->type != CELL_TEXT)
		return session->state == SESSION_ACTIVE ? "CPU" : "";
	if (event->type != CELL_TEXT)
		return arena_strndup(arena, type->s, type->len);
	return arena_printf(arena, "%.*s:%.*s", (int)type->len, type->s, (int)event->len, event->s);
}

uint8_t
sessions_wait_role(const struct cell *wait_type)
{
	return wait_class_infos[wait_class_of(wait_type)].role;
}

/* ------------------------------------------------------------------ locks in words */

const char *
sessions_relation(const struct sessions *s, int row, struct arena *arena)
{
	const struct cell *oid = rowset_get(s->locks.rows, row, "relation");
	const struct cell *db = rowset_get(s->locks.rows, row, "datid");
	const struct cell *name;

	if (cell_is_null(oid))
		return NULL;
	name = names_get(&s->cache->relations, NAME_RELATION, oid->i);
	if (name && name->type == CELL_TEXT)
		return arena_strndup(arena, name->s, name->len);
	name = names_get(&s->cache->names, NAME_DATABASE, cell_i64(db, 0));
	if (name && name->type == CELL_TEXT)
		return arena_printf(
		    arena, "oid %lld in %.*s", (long long)oid->i, (int)name->len, name->s);
	return arena_printf(arena, "oid %lld", (long long)oid->i);
}

static long long
lock_number(const struct sessions *s, int row, const char *column)
{
	return (long long)cell_i64(rowset_get(s->locks.rows, row, column), 0);
}

void
sessions_object(const struct sessions *s, int row, int relation_row, struct strbuf *out)
{
	const struct cell *type = rowset_get(s->locks.rows, row, "locktype");
	const struct cell *vxid = rowset_get(s->locks.rows, row, "virtualxid");
	struct arena arena = { 0 };
	int place = cell_is(type, "tuple") ? row : relation_row;
	const char *relation = sessions_relation(s, place >= 0 ? place : row, &arena);

	if (cell_is(type, "transactionid") && place >= 0)
		strbuf_addf(out, "row (%lld,%lld) of %s, changed by transaction %lld",
		    lock_number(s, place, "page"), lock_number(s, place, "tuple"), relation,
		    lock_number(s, row, "transactionid"));
	else if (cell_is(type, "transactionid"))
		strbuf_addf(out, "transaction %lld", lock_number(s, row, "transactionid"));
	else if (cell_is(type, "tuple"))
		strbuf_addf(out, "place in the queue for row (%lld,%lld) of %s",
		    lock_number(s, row, "page"), lock_number(s, row, "tuple"), relation);
	else if (cell_is(type, "virtualxid"))
		strbuf_addf(out, "virtual transaction %.*s", (int)vxid->len, vxid->s);
	else if (cell_is(type, "advisory"))
		strbuf_addf(out, "advisory key %lld, %lld", lock_number(s, row, "classid"),
		    lock_number(s, row, "objid"));
	else if (cell_is(type, "object"))
		strbuf_addf(out, "object %lld of catalog %lld", lock_number(s, row, "objid"),
		    lock_number(s, row, "classid"));
	else if (cell_is(type, "relation"))
		strbuf_adds(out, relation ? relation : "relation");
	else
		strbuf_addf(out, "%.*s%s%s", (int)type->len, type->s, relation ? " of " : "",
		    relation ? relation : "");
	arena_release(&arena);
}

static void
add_cell_text(struct strbuf *out, const char *before, const struct cell *c, const char *after)
{
	if (c && c->type == CELL_TEXT && c->len)
		strbuf_addf(out, "%s%.*s%s", before, (int)c->len, c->s, after);
}

static void
describe_prepared(const struct sessions *s, const struct lock_node *node, struct strbuf *out)
{
	char buf[32];

	strbuf_adds(out, "prepared transaction");
	add_cell_text(out, " '", node->gid, "'");
	if (node->owner && !cell_is_null(node->owner))
		add_cell_text(
		    out, " of ", names_get(&s->cache->names, NAME_ROLE, node->owner->i), "");
	if (node->prepared && !cell_is_null(node->prepared) && s->locks.now_us)
		strbuf_addf(out, ", prepared %s ago",
		    fmt_span(
		        buf, sizeof(buf), (double)(s->locks.now_us - node->prepared->i) / 1e6));
}

void
sessions_describe(const struct sessions *s, const struct lock_node *node, struct strbuf *out)
{
	const struct session *session;
	struct cell query;
	char buf[32];

	if (node->pid < 0) {
		describe_prepared(s, node, out);
		return;
	}
	strbuf_addf(out, "pid %lld", (long long)node->pid);
	if (node->session < 0)
		return;
	session = &s->activity.sessions[node->session];
	add_cell_text(out, " ", session->user, "");
	add_cell_text(out, "@", session->database, "");
	add_cell_text(out, " ", activity_cell(&s->activity, session, ACT_APPLICATION), "");
	strbuf_addf(out, ", %s", session_states[session->state].name);
	if (!isnan(session->state_age_s))
		strbuf_addf(out, " for %s", fmt_span(buf, sizeof(buf), session->state_age_s));
	query = activity_query(&s->activity, session);
	if (query.type == CELL_TEXT && query.len)
		strbuf_addf(out, ": %.*s", query.len < 120 ? (int)query.len : 120, query.s);
}

static void
doc_wait(const struct sessions *s, const struct lock_wait *w, struct doc *doc)
{
	struct strbuf what = STRBUF_INIT(1000);
	char buf[32];
	double age = locks_wait_s(&s->locks, w);

	sessions_object(s, w->row, w->relation_row, &what);
	doc_pair(
	    doc, "waits for", ROLE_LOCK_BLOCKED, "%s on %s", lock_mode_names[w->mode], what.buf);
	if (!isnan(age))
		doc_pair(doc, "waits since", ROLE_NORMAL, "%s%s",
		    fmt_seconds(buf, sizeof(buf), age),
		    w->is_start_exact ? "" : " at most (start of the statement)");
	doc_pair(doc, "queue", ROLE_NORMAL,
	    "number %d in the queue; %d hold it, %d are ahead with a conflicting request",
	    w->place + 1, w->nhard, w->nblockers - w->nhard);
	strbuf_release(&what);
}

static void
doc_chain(const struct sessions *s, const struct lock_node *node, struct doc *doc)
{
	int above = node->parent;

	for (int steps = 0; above >= 0 && steps < 50; steps++) {
		const struct lock_node *n = &s->locks.nodes[above];
		struct strbuf line = STRBUF_INIT(1000);

		sessions_describe(s, n, &line);
		if (n->held_mode)
			strbuf_addf(&line, " [holds %s]", lock_mode_names[n->held_mode]);
		doc_pair(doc, n->parent < 0 ? "head blocker" : "blocked by",
		    n->parent < 0 ? ROLE_LOCK_HEAD : ROLE_NORMAL, "%s", line.buf);
		strbuf_release(&line);
		above = n->parent;
	}
}

static void
doc_blocked(const struct sessions *s, const struct lock_node *node, struct doc *doc)
{
	int shown = 0, me = (int)(node - s->locks.nodes);

	for (int i = 0; i < s->locks.nplaces && shown < 50; i++) {
		struct strbuf line = STRBUF_INIT(1000);

		if (s->locks.places[i].parent != me)
			continue;
		sessions_describe(s, &s->locks.nodes[s->locks.places[i].node], &line);
		doc_pair(doc, shown++ ? "" : "blocks", ROLE_LOCK_BLOCKED, "%s", line.buf);
		strbuf_release(&line);
	}
	if (node->behind)
		doc_pair(doc, "waiting behind it", ROLE_NORMAL, "%d; terminating this frees %d",
		    node->behind, node->frees);
}

void
sessions_doc_blocking(const struct sessions *s, int64_t pid, struct doc *doc)
{
	const struct lock_node *node = locks_node(&s->locks, pid);
	const struct lock_wait *wait = locks_wait(&s->locks, pid);

	if (!node || (node->wait < 0 && !node->blocks))
		return;
	doc_add(doc, ROLE_HEADER, "Locks");
	if (wait)
		doc_wait(s, wait, doc);
	if (node->is_cyclic)
		doc_pair(doc, "deadlock", ROLE_CRIT,
		    "it waits for itself in the end; the server ends one of the circle after deadlock_timeout");
	doc_chain(s, node, doc);
	doc_blocked(s, node, doc);
	doc_add(doc, ROLE_NORMAL, "%s", "");
}
