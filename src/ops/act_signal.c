/*
 * cancel and terminate.
 *
 * Plan: the sessions are looked up, with what each would free: the sessions that wait for it
 * directly or through others. Act: one statement checks, for each pid, that it is still the same
 * session (backend_start; for cancel also the same query by query_start) and signals it, so that a
 * pid used again cannot be hit. Verify: the sessions are looked at again until each is gone or its
 * query has ended, at most VERIFY_MS; a session that rolls back takes its time and is reported as
 * such, not as gone.
 */
#include "config.h"

#include "ops/act_signal.h"

#include <stdlib.h>
#include <string.h>

#include "ops/act_priv.h"

enum { VERIFY_MS = 3000, MAX_SESSIONS = 5000 };

enum phase { LOOK_SESSIONS, LOOK_BLOCKS }; /* of ACT_LOOKING */
enum run_phase { RUN_SIGNAL, RUN_VERIFY }; /* of ACT_RUNNING */

static bool
parse_pid(struct act *a, const struct word *w, struct error *err)
{
	char *end;
	long pid = strtol(w->text, &end, 10);

	if (end == w->text || *end || pid <= 0 || pid > INT32_MAX) {
		error_set(err, ERR_USAGE, "'%s' is not a pid", w->text);
		return error_hint(err, "Usage: %s", a->ops->info.usage);
	}
	for (int i = 0; i < a->nsessions; i++)
		if (a->sessions[i].pid == pid)
			return true;
	a->sessions[a->nsessions++] = (struct act_session){ .pid = (int)pid };
	return true;
}

/* Sessions that the driver has resolved ("tagged", "where …") come ready; otherwise the words are
 * pids. */
static bool
parse(struct act *a, const struct words *words, struct error *err)
{
	struct signal *sig = arena_zalloc(&a->arena, 1, sizeof(*sig));

	sig->is_cancel = a->ops == &act_cancel;
	a->data = sig;
	if (!a->selection) {
		a->sessions = arena_zalloc(&a->arena, (size_t)words->n + 1, sizeof(*a->sessions));
		a->nsessions = 0;
		for (int i = 1; i < words->n; i++) {
			if (strcmp(words->w[i].text, "--force") == 0)
				a->force = true;
			else if (!parse_pid(a, &words->w[i], err))
				return false;
		}
	}
	if (a->nsessions == 0) {
		error_set(err, a->selection ? ERR_NOT_FOUND : ERR_USAGE, "no session is meant%s%s",
		    a->selection ? ": none matches " : "", a->selection ? a->selection : "");
		return error_hint(err, "Usage: %s", a->ops->info.usage);
	}
	if (a->nsessions > MAX_SESSIONS)
		return error_set(err, ERR_REFUSED,
		    "%d sessions are too many for one command (at most %d)", a->nsessions,
		    MAX_SESSIONS);
	return true;
}

static const char *
pids_literal(struct act *a)
{
	int64_t *v = arena_alloc(&a->arena, (size_t)a->nsessions * sizeof(*v));

	for (int i = 0; i < a->nsessions; i++)
		v[i] = a->sessions[i].pid;
	return act_ints_literal(a, v, a->nsessions);
}

/* Parameters for the sessions that take part in the act. */
static void
set_params(struct act *a, struct act_query *q, int nparams)
{
	struct signal *sig = a->data;
	size_t n = (size_t)sig->n + 1;
	int64_t *pids = arena_alloc(&a->arena, n * sizeof(*pids));
	int64_t *starts = arena_alloc(&a->arena, n * sizeof(*starts));
	int64_t *queries = arena_alloc(&a->arena, n * sizeof(*queries));
	int k = 0;

	for (int i = 0; i < sig->n; i++) {
		const struct session *s = &sig->sessions[i];

		if (s->refused)
			continue;
		pids[k] = s->pid;
		starts[k] = s->backend_start;
		queries[k++] = s->query_start;
	}
	q->params[0] = act_ints_literal(a, pids, k);
	q->params[1] = act_times_literal(a, starts, k);
	q->params[2] = act_times_literal(a, queries, k);
	q->nparams = nparams;
}

static bool
next(struct act *a, struct act_query *q)
{
	struct signal *sig = a->data;

	if (a->stage == ACT_LOOKING && a->phase == LOOK_SESSIONS) {
		q->query = "look_sessions";
		q->params[0] = pids_literal(a);
		q->nparams = 1;
	} else if (a->stage == ACT_LOOKING) {
		q->query = "look_blocks";
		q->timeout_ms = 2000;
	} else if (a->phase == RUN_SIGNAL) {
		q->query = sig->is_cancel ? "act_cancel" : "act_terminate";
		q->is_act = true;
		q->timeout_ms = 5000;
		set_params(a, q, sig->is_cancel ? 3 : 2);
	} else {
		q->query = "look_gone";
		q->delay_ms = sig->delay_ms;
		set_params(a, q, 2);
	}
	return true;
}

/* ------------------------------------------------------------------ the plan */

static bool
is_own(const struct act *a, int pid)
{
	for (int i = 0; i < a->nown; i++)
		if (a->own_pids[i] == pid)
			return true;
	return false;
}

/* Why this session must not be touched; NULL: it may. */
static void
judge(struct act *a, struct session *s, bool is_self, bool is_wraparound,
    const struct act_session *meant)
{
	struct signal *sig = a->data;
	bool is_walsender = s->type && strcmp(s->type, "walsender") == 0;

	if (is_self || is_own(a, s->pid)) {
		s->refused = "it is pgmedic's own session";
	} else if (a->selection && s->application && strncmp(s->application, "pgmedic", 7) == 0) {
		s->refused = "it is a session of pgmedic: name its pid if it is meant";
	} else if (meant->backend_start && s->backend_start &&
	    meant->backend_start != s->backend_start) {
		s->refused = "the pid is now another session";
	} else if (!s->may && s->is_super) {
		s->refused =
		    "it belongs to a superuser (or to the server itself), and this role is none";
		s->refused_hint = "Only a superuser may signal it.";
	} else if (!s->may) {
		s->refused = "this role may not signal it";
		s->refused_hint = "GRANT pg_signal_backend TO the role.";
	} else if (!s->backend_start) {
		s->refused =
		    "this role cannot see when it started, so its identity cannot be checked";
		s->refused_hint = "GRANT pg_read_all_stats (or pg_monitor) TO the role.";
	} else if ((is_walsender || is_wraparound) && !a->force) {
		s->refused = is_walsender ?
		    "it is a WAL sender: a standby, a slot's consumer or a base backup hangs on it" :
		    "it is an autovacuum that prevents wraparound, and would start again at once";
		s->refused_hint = "Add --force if it is really meant.";
	} else if (sig->is_cancel && s->state && strcmp(s->state, "active") != 0 &&
	    strcmp(s->state, "fastpath function call") != 0) {
		s->refused = "it runs no query: there is nothing to cancel";
		s->refused_hint = "terminate ends an idle session and its transaction.";
	}
}

static double
seconds_or(const struct rowset *rows, int row, const char *column)
{
	return cell_num(rowset_get(rows, row, column), -1);
}

static void
read_session(struct act *a, const struct rowset *rows, int row, struct session *s)
{
	const struct act_session *meant = &a->sessions[0];

	s->pid = (int)cell_i64(rowset_get(rows, row, "pid"), 0);
	s->backend_start = cell_i64(rowset_get(rows, row, "backend_start"), 0);
	s->query_start = cell_i64(rowset_get(rows, row, "query_start"), 0);
	s->state = act_text(a, rows, row, "state");
	s->type = act_text(a, rows, row, "backend_type");
	s->user = act_text(a, rows, row, "usename");
	s->database = act_text(a, rows, row, "datname");
	s->application = act_text(a, rows, row, "application_name");
	s->client = act_text(a, rows, row, "client");
	s->wait = act_text(a, rows, row, "wait");
	s->query = act_text(a, rows, row, "query");
	s->connected_s = seconds_or(rows, row, "connected_s");
	s->xact_age_s = seconds_or(rows, row, "xact_age_s");
	s->state_age_s = seconds_or(rows, row, "state_age_s");
	s->has_xid = cell_i64(rowset_get(rows, row, "has_xid"), 0) != 0;
	s->is_super = cell_i64(rowset_get(rows, row, "is_super"), 0) != 0;
	s->may = cell_i64(rowset_get(rows, row, "may"), 0) != 0;
	for (int i = 0; i < a->nsessions; i++)
		if (a->sessions[i].pid == s->pid)
			meant = &a->sessions[i];
	judge(a, s, cell_i64(rowset_get(rows, row, "is_self"), 0) != 0,
	    cell_i64(rowset_get(rows, row, "is_wraparound"), 0) != 0, meant);
}

/*
 * Sessions that would go on: waiters whose every blocker is in the set of ended or freed sessions.
 * Repeated until nothing is added: O(waiters * depth), bounded by the query's LIMIT.
 */
static int
count_freed(const struct rowset *waits, const int64_t *ended, int nended)
{
	int pid_col = rowset_col(waits, "pid"), by_col = rowset_col(waits, "blocked_by");
	bool *is_free = xcalloc((size_t)waits->nrows + 1, sizeof(*is_free));
	int freed = 0;

	for (bool again = true; again;) {
		again = false;
		for (int i = 0; i < waits->nrows; i++) {
			const struct cell *by = rowset_cell(waits, i, by_col);
			bool all_gone = by->type == CELL_INTS && by->len > 0 && !is_free[i];

			for (uint32_t k = 0; all_gone && k < by->len; k++) {
				bool gone = false;

				for (int e = 0; e < nended && !gone; e++)
					gone = ended[e] == by->ints[k];
				for (int w = 0; w < waits->nrows && !gone; w++)
					gone = is_free[w] &&
					    cell_i64(rowset_cell(waits, w, pid_col), 0) ==
					        by->ints[k];
				all_gone = gone;
			}
			if (all_gone) {
				is_free[i] = again = true;
				freed++;
			}
		}
	}
	free(is_free);
	return freed;
}

static int
count_blocks(const struct rowset *waits, int pid)
{
	int by_col = rowset_col(waits, "blocked_by"), n = 0;

	for (int i = 0; i < waits->nrows; i++) {
		const struct cell *by = rowset_cell(waits, i, by_col);

		for (uint32_t k = 0; by->type == CELL_INTS && k < by->len; k++) {
			if (by->ints[k] == pid) {
				n++;
				break;
			}
		}
	}
	return n;
}

/* Nobody left to signal: say why, by the first that was refused. */
static void
nothing_to_do(struct act *a)
{
	struct signal *sig = a->data;

	signal_describe_refused(a);
	if (sig->n == 0) {
		act_refuse(a, ERR_NOT_FOUND,
		    "It has ended since, or never was: look at the activity pane.",
		    a->nsessions == 1 ? "there is no session %d" :
		                        "none of the sessions (%d, …) is there any more",
		    a->sessions[0].pid);
		return;
	}
	for (int i = 0; i < sig->n; i++) {
		const struct session *s = &sig->sessions[i];
		bool denied = !s->may || !s->backend_start;

		if (!s->refused)
			continue;
		act_refuse(a, denied ? ERR_DENIED : ERR_REFUSED,
		    s->refused_hint ? s->refused_hint : "", "%s of %d is refused: %s%s",
		    a->ops->info.name, s->pid, s->refused,
		    sig->n > 1 ? " (and so the others)" : "");
		return;
	}
}

static void
answer_sessions(struct act *a, const struct rowset *rows)
{
	struct signal *sig = a->data;
	int acting = 0;

	sig->sessions = arena_zalloc(&a->arena, (size_t)rows->nrows + 1, sizeof(*sig->sessions));
	sig->n = rows->nrows;
	for (int i = 0; i < rows->nrows; i++) {
		read_session(a, rows, i, &sig->sessions[i]);
		acting += !sig->sessions[i].refused;
	}
	if (acting == 0)
		nothing_to_do(a);
	else
		a->phase = LOOK_BLOCKS;
}

/* rows NULL: the look at the locks failed, which is no reason not to act; the plan says so. */
static void
answer_blocks(struct act *a, const struct rowset *rows, const struct error *error)
{
	struct signal *sig = a->data;
	int acting = 0, n = 0;
	int64_t *ended = arena_alloc(&a->arena, ((size_t)sig->n + 1) * sizeof(*ended));

	for (int i = 0; i < sig->n; i++) {
		struct session *s = &sig->sessions[i];
		int64_t pid = s->pid;

		if (s->refused)
			continue;
		acting++;
		ended[n++] = pid;
		if (rows) {
			s->blocks = count_blocks(rows, s->pid);
			s->frees = s->blocks ? count_freed(rows, &pid, 1) : 0;
		}
	}
	signal_make_plan(a, acting);
	if (!rows)
		doc_add(&a->doc, ROLE_WARN, "who waits for them is unknown: %s", error->what);
	else if (acting > 1)
		doc_pair(&a->doc, "together they free", ROLE_STRONG, "%d waiting sessions",
		    count_freed(rows, ended, n));
}

/* ------------------------------------------------------------------ run and verify */

static struct session *
by_pid(struct signal *sig, int pid)
{
	for (int i = 0; i < sig->n; i++)
		if (sig->sessions[i].pid == pid)
			return &sig->sessions[i];
	return NULL;
}

static enum outcome
signal_outcome(const struct rowset *rows, int row)
{
	const struct cell *signalled = rowset_get(rows, row, "is_signalled");

	if (!cell_i64(rowset_get(rows, row, "is_found"), 0))
		return OUT_VANISHED;
	if (!cell_i64(rowset_get(rows, row, "is_session"), 0))
		return OUT_OTHER;
	if (!cell_i64(rowset_get(rows, row, "is_same"), 0))
		return OUT_CHANGED;
	if (!cell_i64(rowset_get(rows, row, "is_allowed"), 0))
		return OUT_DENIED;
	/* The function's false is "no such process": it ended in the very moment. */
	return !cell_is_null(signalled) && signalled->i ? OUT_SIGNALLED : OUT_FAILED;
}

/* The words for each outcome. */
static const char *
outcome_text(const struct signal *sig, const struct session *s)
{
	switch (s->outcome) {
	case OUT_NONE:
		return s->refused ? s->refused : "not tried";
	case OUT_SIGNALLED:
		return "signalled, its end could not be checked";
	case OUT_GONE:
		return sig->is_cancel ? "cancelled" : "gone";
	case OUT_ENDING:
		return sig->is_cancel ? "asked to stop, its query is still running" :
		    s->has_xid        ? "signalled, still rolling back" :
		                        "signalled, still ending";
	case OUT_VANISHED:
		return "was not there any more";
	case OUT_OTHER:
		return "is now another session: not touched";
	case OUT_CHANGED:
		return "runs another query by now: not touched";
	case OUT_DENIED:
		return "refused by the server: this role may not signal it";
	case OUT_FAILED:
		return "the signal could not be sent: it ended in this moment";
	}
	return "";
}

static void
finish(struct act *a)
{
	struct signal *sig = a->data;
	int good = 0, ending = 0, bad = 0;
	const struct session *last = NULL;

	for (int i = 0; i < sig->n; i++) {
		struct session *s = &sig->sessions[i];
		bool ok = s->outcome == OUT_GONE || s->outcome == OUT_VANISHED ||
		    s->outcome == OUT_FAILED;
		bool slow = s->outcome == OUT_ENDING || s->outcome == OUT_SIGNALLED;

		if (s->refused)
			continue;
		last = s;
		good += ok;
		ending += slow;
		bad += !ok && !slow;
		doc_add(&a->result_doc,
		    ok       ? ROLE_OK :
		        slow ? ROLE_WARN :
		               ROLE_CRIT,
		    "%d: %s", s->pid, outcome_text(sig, s));
	}
	if (good + ending + bad == 1) {
		enum act_state state = bad ? ACT_FAILED : ending ? ACT_ENDING : ACT_DONE;

		if (bad) {
			struct error err = { 0 };

			error_set(&err, last->outcome == OUT_DENIED ? ERR_DENIED : ERR_CHANGED,
			    "session %d %s", last->pid, outcome_text(sig, last));
			if (last->outcome == OUT_DENIED)
				error_hint(&err, "GRANT pg_signal_backend TO the role.");
			doc_reset(&a->result_doc);
			act_fail(a, state, &err);
			return;
		}
		act_finish(a, state, "session %d: %s", last->pid, outcome_text(sig, last));
		return;
	}
	act_finish(a,
	    bad == 0          ? (ending ? ACT_ENDING : ACT_DONE) :
	        good + ending ? ACT_PARTLY :
	                        ACT_FAILED,
	    "%d %s, %d still ending, %d not touched", good, sig->is_cancel ? "cancelled" : "gone",
	    ending, bad);
}

static bool
is_open(const struct session *s)
{
	return !s->refused && (s->outcome == OUT_SIGNALLED || s->outcome == OUT_ENDING);
}

static void
go_on_or_finish(struct act *a)
{
	struct signal *sig = a->data;
	bool any = false;

	for (int i = 0; i < sig->n; i++)
		any |= is_open(&sig->sessions[i]);
	if (!any || sig->waited_ms >= VERIFY_MS) {
		finish(a);
		return;
	}
	sig->delay_ms = sig->waited_ms == 0 ? 30 : sig->waited_ms < 500 ? 100 : 300;
	sig->waited_ms += sig->delay_ms;
	a->phase = RUN_VERIFY;
}

static void
answer_signal(struct act *a, const struct rowset *rows)
{
	struct signal *sig = a->data;

	for (int i = 0; i < rows->nrows; i++) {
		struct session *s = by_pid(sig, (int)cell_i64(rowset_get(rows, i, "pid"), 0));

		if (s)
			s->outcome = signal_outcome(rows, i);
	}
	go_on_or_finish(a);
}

static void
answer_verify(struct act *a, const struct rowset *rows)
{
	struct signal *sig = a->data;

	for (int i = 0; i < rows->nrows; i++) {
		struct session *s = by_pid(sig, (int)cell_i64(rowset_get(rows, i, "pid"), 0));
		bool here = cell_i64(rowset_get(rows, i, "is_here"), 0) != 0;
		int64_t query_start = cell_i64(rowset_get(rows, i, "query_start"), 0);
		const struct cell *state = rowset_get(rows, i, "state");

		if (!s || !is_open(s))
			continue;
		if (!here)
			s->outcome = OUT_GONE;
		else if (sig->is_cancel &&
		    (query_start != s->query_start || !cell_is(state, "active")))
			s->outcome = OUT_GONE;
		else {
			s->outcome = OUT_ENDING;
			s->has_xid = cell_i64(rowset_get(rows, i, "has_xid"), 0) != 0;
		}
	}
	go_on_or_finish(a);
}

static void
answer(struct act *a, const struct rowset *rows, const struct error *error)
{
	if (a->stage == ACT_LOOKING && a->phase == LOOK_BLOCKS) {
		answer_blocks(a, rows, error);
		return;
	}
	if (!rows) {
		struct error err = *error;

		if (a->stage == ACT_RUNNING && a->phase == RUN_VERIFY) {
			finish(a); /* signalled, but the second look failed: finish() says so */
			return;
		}
		if (strcmp(err.sqlstate, "42501") == 0 && !*err.hint)
			error_hint(&err,
			    "GRANT pg_signal_backend TO the role; a superuser's session needs a superuser.");
		act_fail(a, ACT_FAILED, &err);
		return;
	}
	if (a->stage == ACT_LOOKING)
		answer_sessions(a, rows);
	else if (a->phase == RUN_SIGNAL)
		answer_signal(a, rows);
	else
		answer_verify(a, rows);
}

static const char *
terminate_takes(const struct act *a, struct arena *arena)
{
	const struct signal *sig = a->data;
	struct strbuf sb = STRBUF_INIT(1 << 20);
	const char *text;

	for (int i = 0; i < sig->n; i++)
		if (!sig->sessions[i].refused)
			strbuf_addf(&sb, "session %d %lld\n", sig->sessions[i].pid,
			    (long long)sig->sessions[i].backend_start);
	text = arena_strndup(arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}

const struct act_ops act_cancel = {
	.info = { "cancel", "cancel [PID ... | tagged | where FILTER] [--force]",
	    "cancel the running query of sessions; the connection stays" },
	.parse = parse,
	.next = next,
	.answer = answer,
};

const struct act_ops act_terminate = {
	.info = { "terminate", "terminate [PID ... | tagged | where FILTER] [--force]",
	    "close sessions; their transactions are rolled back" },
	.parse = parse,
	.next = next,
	.answer = answer,
	.takes = terminate_takes,
};
