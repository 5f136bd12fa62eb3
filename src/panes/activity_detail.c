#include "config.h"

#include "panes/activity_detail.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "model/waits.h"
#include "panes/sessions.h"

enum { LOAD_WINDOW_S = 300 };

struct story {
	const struct pane_ctx *ctx;
	const struct rowset *look; /* the answer of look_activity, of the statement shown; NULL */
	struct sessions s;
	const struct session *session;
	struct doc *doc;
};

static void
pair_cell(const struct story *st, const char *label, enum column_kind kind, const struct cell *c)
{
	struct strbuf out = STRBUF_INIT(4000);

	if (!c || (cell_is_null(c) && c->why != WHY_DENIED) || (c->type == CELL_TEXT && !c->len))
		return;
	grid_cell_text(&out, kind, c);
	doc_pair(st->doc, label, c->role ? (enum role)c->role : ROLE_NORMAL, "%s", out.buf);
	strbuf_release(&out);
}

/* A moment and how long ago that was. */
static void
pair_since(const struct story *st, const char *label, enum activity_column col, double age_s,
    enum role role)
{
	const struct cell *c = activity_cell(&st->s.activity, st->session, col);
	char at[40], age[32];

	if (cell_is_null(c))
		return;
	wall_rfc3339((struct wall){ c->i }, at, sizeof(at));
	doc_pair(st->doc, label, role, "%s  (%s ago)", at, fmt_span(age, sizeof(age), age_s));
}

static void
doc_identity(const struct story *st)
{
	const struct session *session = st->session;
	struct cell type = sessions_cell(&st->s, session, ACT_BACKEND_TYPE);
	struct cell application = sessions_cell(&st->s, session, ACT_APPLICATION);
	struct cell client = sessions_cell(&st->s, session, ACT_CLIENT);

	doc_pair(st->doc, "pid", ROLE_STRONG, "%lld%s", (long long)session->pid,
	    session->is_own ? "  (pgmedic's own)" : "");
	pair_cell(st, "type", COL_TEXT, &type);
	pair_cell(st, "database", COL_TEXT, session->database);
	pair_cell(st, "user", COL_TEXT, session->user);
	pair_cell(st, "application", COL_TEXT, &application);
	pair_cell(st, "client", COL_TEXT, &client);
}

static void
doc_state(const struct story *st)
{
	const struct session *session = st->session;
	struct arena arena = { 0 };
	const char *wait = sessions_wait_text(&st->s, session, &arena);
	enum role role = sessions_age_role(session, session->xact_age_s, session->state_age_s);

	if (session->state == SESSION_DENIED)
		doc_pair(st->doc, "state", ROLE_WARN,
		    "hidden from this role: GRANT pg_monitor shows it");
	else if (session->state != SESSION_NONE)
		doc_pair(st->doc, "state", sessions_role(session), "%s",
		    session_states[session->state].name);
	if (*wait)
		doc_pair(st->doc, "waits for",
		    (enum role)sessions_wait_role(
		        activity_cell(&st->s.activity, session, ACT_WAIT_TYPE)),
		    "%s", strcmp(wait, "CPU") == 0 ? "nothing: on CPU, or about to be" : wait);
	pair_since(st, "in this state since", ACT_STATE_CHANGE, session->state_age_s, role);
	pair_since(st, "transaction began", ACT_XACT_START, session->xact_age_s, role);
	pair_since(st, "statement began", ACT_QUERY_START, session->query_age_s, ROLE_NORMAL);
	arena_release(&arena);
}

/* What is seldom asked for. */
static void
doc_rest(const struct story *st)
{
	const struct session *session = st->session;
	struct cell client = sessions_cell(&st->s, session, ACT_CLIENT);
	struct cell ssl = sessions_cell(&st->s, session, ACT_SSL);
	struct cell xid = sessions_cell(&st->s, session, ACT_BACKEND_XID);
	struct cell xmin = sessions_cell(&st->s, session, ACT_BACKEND_XMIN);

	if (client.type == CELL_TEXT)
		pair_cell(st, "encrypted", COL_BOOL, &ssl);
	pair_since(st, "session began", ACT_BACKEND_START, session->backend_age_s, ROLE_NORMAL);
	if (session->leader)
		doc_pair(
		    st->doc, "parallel worker of", ROLE_NORMAL, "%lld", (long long)session->leader);
	for (int w = session->first_worker; w >= 0; w = st->s.activity.sessions[w].next_worker)
		doc_pair(st->doc, "parallel worker", ROLE_NORMAL, "%lld",
		    (long long)st->s.activity.sessions[w].pid);
	pair_cell(st, "transaction id", COL_INT, &xid);
	pair_cell(st, "xmin", COL_INT, &xmin);
}

static void
doc_figures(const struct story *st, const struct session_figures *f)
{
	if (!f || cell_is_null(f->rss_bytes))
		return;
	pair_cell(st, "CPU %", COL_PCT, f->cpu_pct);
	pair_cell(st, "resident memory", COL_BYTES, f->rss_bytes);
	pair_cell(st, "disk reads per second", COL_BYTES, f->read_bps);
	pair_cell(st, "disk writes per second", COL_BYTES, f->write_bps);
}

/* What its statement waited for lately, whoever ran it. */
static void
doc_load(const struct story *st)
{
	struct cell id = sessions_cell(&st->s, st->session, ACT_QUERY_ID);
	struct waits_only only = { .is_set = true, .by = WAITS_STATEMENT };
	struct arena arena = { 0 };
	struct waits w;

	if (cell_is_null(&id) || !id.i)
		return;
	only.query_id = id.i;
	doc_pair(st->doc, "query id", ROLE_NORMAL, "%lld", (long long)id.i);
	waits_build(&w, &arena, &st->ctx->snap->series, WAITS_EVENT, LOAD_WINDOW_S, &only);
	if (w.n)
		doc_pair(st->doc, "load of this statement", ROLE_NORMAL,
		    "%.2f average active sessions in the last %.0f s, of all that ran it", w.aas,
		    w.seconds);
	for (int i = 0; i < w.n && i < 8; i++) {
		const struct waits_group *g = &w.groups[i];
		const struct wait_class_info *info = &wait_class_infos[g->class];
		bool has_event = *g->event && g->class != WAIT_CPU;
		doc_pair(st->doc, "", (enum role)info->role, "%5.1f %%  %s%s%s",
		    100 * g->aas / w.aas, info->name, has_event ? ":" : "",
		    has_event ? g->event : "");
	}
	arena_release(&arena);
}

static void
doc_looked(const struct story *st)
{
	const struct rowset *look = st->look;
	const struct cell *host = rowset_get(look, 0, "client_hostname"),
	                  *port = rowset_get(look, 0, "client_port");

	pair_cell(st, "client host name", COL_TEXT, host);
	if (cell_i64(port, 0) > 0)
		pair_cell(st, "client port", COL_INT, port);
	pair_cell(st, "TLS version", COL_TEXT, rowset_get(look, 0, "ssl_version"));
	pair_cell(st, "TLS cipher", COL_TEXT, rowset_get(look, 0, "ssl_cipher"));
	pair_cell(st, "age of xmin", COL_COUNT, rowset_get(look, 0, "xmin_age"));
	if (rowset_get(look, 0, "blocked_by")->len)
		pair_cell(st, "pg_blocking_pids()", COL_INTS, rowset_get(look, 0, "blocked_by"));
	if (rowset_get(look, 0, "safe_snapshot_blocked_by")->len)
		pair_cell(st, "safe snapshot waits for", COL_INTS,
		    rowset_get(look, 0, "safe_snapshot_blocked_by"));
}

/* The text of the list is cut; the server's own is cut as well, at track_activity_query_size. */
static void
doc_query(const struct story *st)
{
	struct cell query = activity_query(&st->s.activity, st->session);
	const struct rowset *look = st->look;

	if (look && rowset_get(look, 0, "query")->type == CELL_TEXT)
		query = *rowset_get(look, 0, "query");
	if (st->session->state == SESSION_DENIED || query.type != CELL_TEXT || !query.len)
		return;
	doc_add(st->doc, ROLE_HEADER,
	    st->session->state == SESSION_ACTIVE ? "Statement" : "Last statement");
	doc_text(st->doc, ROLE_NORMAL, query.s, query.len);
	/* A character that does not fit is left out whole: up to three bytes less, and the final
	 * zero. */
	int64_t limit = look ? cell_i64(rowset_get(look, 0, "text_limit"), 0) : 0;
	if (limit && (int64_t)query.len >= limit - 4)
		doc_add(st->doc, ROLE_HINT,
		    "cut by the server at track_activity_query_size = %lld bytes",
		    (long long)limit);
	doc_add(st->doc, ROLE_NORMAL, "%s", "");
}

/* The session may have gone on to another statement since it was asked for. */
static const struct rowset *
fitting_look(const struct story *st)
{
	const struct rowset *look = st->ctx->look;
	const struct cell *start = activity_cell(&st->s.activity, st->session, ACT_QUERY_START);

	if (!look || !look->nrows || !cell_equal(rowset_get(look, 0, "query_start"), start))
		return NULL;
	return look;
}

void
session_detail(const struct pane_ctx *ctx, int64_t pid, int64_t backend_start,
    const struct session_figures *figures, struct doc *doc)
{
	struct story st = { .ctx = ctx, .doc = doc };
	struct arena arena = { 0 };
	int at;

	sessions_init(&st.s, ctx, &arena);
	at = activity_find(&st.s.activity, pid);
	st.session = at < 0 ? NULL : &st.s.activity.sessions[at];
	if (st.session && backend_start &&
	    cell_i64(activity_cell(&st.s.activity, st.session, ACT_BACKEND_START), backend_start) !=
	        backend_start)
		st.session = NULL;
	if (!st.session) {
		doc_add(doc, ROLE_WARN, "session %lld has ended", (long long)pid);
	} else {
		st.look = fitting_look(&st);
		doc_identity(&st);
		doc_state(&st);
		doc_add(doc, ROLE_NORMAL, "%s", "");
		sessions_doc_blocking(&st.s, pid, doc);
		doc_query(&st);
		doc_add(doc, ROLE_HEADER, "Process");
		doc_rest(&st);
		doc_figures(&st, figures);
		if (st.look)
			doc_looked(&st);
		doc_load(&st);
	}
	sessions_release(&st.s);
	arena_release(&arena);
}

int
session_look(
    int64_t pid, const struct cell *backend_start, struct arena *arena, const char **params)
{
	char at[40];

	if (pid <= 0 || cell_is_null(backend_start))
		return -1;
	params[0] = arena_printf(arena, "%lld", (long long)pid);
	params[1] =
	    arena_strdup(arena, wall_rfc3339((struct wall){ backend_start->i }, at, sizeof(at)));
	return 2;
}
