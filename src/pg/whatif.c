/*
 * The session. Everything is pipelined: a transaction begins, sets its limits, asks and rolls back
 * in one round trip, so that it is the same through a pooler and leaves nothing behind, and many of
 * them may be under way at once where the network is slow.
 */
#include "config.h"

#include "pg/whatif.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "pg/decode.h"
#include "pg/fault.h"
#include "pg/plain.h"
#include "pg/whatif_priv.h"

enum { DEFAULT_MS = 2000, GRACE_MS = 3000, OPEN_MS = 5000 };

int64_t
whatif_deadline(int ms)
{
	return mono_now().us + (int64_t)ms * 1000;
}

bool
whatif_lose(struct whatif *w, struct error *err)
{
	if (w->is_stopped)
		error_set(err, ERR_LOST, "stopped");
	else if (w->pq && *PQerrorMessage(w->pq))
		fault_connection(err, w->pq, ERR_LOST);
	else
		error_set(err, ERR_LOST, "the connection was lost");
	if (w->pq)
		PQfinish(w->pq);
	w->pq = NULL;
	return false;
}

bool
whatif_usable(const struct whatif *w, struct error *err)
{
	if (w->pq && !w->is_stopped)
		return true;
	return error_set(err, ERR_LOST, w->is_stopped ? "stopped" : "the connection was lost");
}

/* Send what is queued and wait for something to read, at most until the deadline. */
static bool
wait_input(struct whatif *w, int64_t deadline_us, struct error *err)
{
	int rest = PQflush(w->pq);
	struct pollfd pfd = { .fd = PQsocket(w->pq),
		.events = (short)(POLLIN | (rest > 0 ? POLLOUT : 0)) };
	int64_t left = (deadline_us - mono_now().us + 999) / 1000;
	int n;

	if (rest < 0 || pfd.fd < 0 || w->is_stopped)
		return whatif_lose(w, err);
	if (left <= 0) {
		char ignored[64];

		if (w->cancel)
			PQcancel(w->cancel, ignored, sizeof(ignored));
		whatif_lose(w, err);
		return error_set(err, ERR_TIMEOUT, "no answer in time");
	}
	n = poll(&pfd, 1, (int)left);
	if (n < 0 && errno != EINTR)
		return whatif_lose(w, err);
	if (n > 0 && (pfd.revents & (POLLIN | POLLERR | POLLHUP)) && !PQconsumeInput(w->pq))
		return whatif_lose(w, err);
	return true;
}

PGresult *
whatif_next(struct whatif *w, int64_t deadline_us, struct error *err)
{
	PGresult *result;
	int empty = 0;

	if (!whatif_usable(w, err))
		return NULL;
	for (;;) {
		while (PQflush(w->pq) > 0 || PQisBusy(w->pq))
			if (!wait_input(w, deadline_us, err))
				return NULL;
		result = PQgetResult(w->pq);
		if (result)
			return result;
		/* a NULL ends each answer; several in a row mean that nothing is to come */
		if (++empty > 2 || PQstatus(w->pq) == CONNECTION_BAD) {
			whatif_lose(w, err);
			return NULL;
		}
	}
}

bool
whatif_send(struct whatif *w, const char *sql, int nparams, const uint32_t *types,
    const char *const *values, struct error *err)
{
	if (!w->pq)
		return whatif_usable(w, err);
	if (!PQsendQueryParams(w->pq, sql, nparams, types, values, NULL, NULL, 0))
		return whatif_lose(w, err);
	return true;
}

static const char *
query_text(struct whatif *w, const char *name)
{
	return pg_catalog_text(w->catalog, pg_query_by_name(name));
}

bool
whatif_begin(struct whatif *w, const struct whatif_frame *frame, struct error *err)
{
	char ms[16];
	const char *limits[] = { ms, frame->search_path ? frame->search_path : "pg_catalog",
		frame->no_pruning ? "off" : "on", w->can_untrack ? "t" : "f" };

	snprintf(ms, sizeof(ms), "%d", frame->timeout_ms);
	return whatif_usable(w, err) &&
	    whatif_send(w, query_text(w, "begin_read_only"), 0, NULL, NULL, err) &&
	    whatif_send(w, query_text(w, "whatif_limits"), 4, NULL, limits, err);
}

bool
whatif_end(struct whatif *w, struct error *err)
{
	if (!w->pq)
		return whatif_usable(w, err);
	if (!PQpipelineSync(w->pq))
		return whatif_lose(w, err);
	if (!whatif_send(w, query_text(w, "rollback"), 0, NULL, NULL, err))
		return false;
	return PQpipelineSync(w->pq) ? true : whatif_lose(w, err);
}

static bool
expect(struct whatif *w, int64_t deadline_us, ExecStatusType status, struct error *err)
{
	PGresult *result = whatif_next(w, deadline_us, err);
	bool ok = result && PQresultStatus(result) == status;

	if (result && !ok)
		fault_result(err, result, NULL);
	PQclear(result);
	return ok;
}

bool
whatif_begun(struct whatif *w, int64_t deadline_us, struct error *err)
{
	struct error second = { 0 };
	bool began = expect(w, deadline_us, PGRES_COMMAND_OK, err);
	bool limited = w->pq && expect(w, deadline_us, PGRES_TUPLES_OK, began ? err : &second);

	return began && limited;
}

bool
whatif_ended(struct whatif *w, int64_t deadline_us, struct error *err)
{
	return expect(w, deadline_us, PGRES_PIPELINE_SYNC, err) &&
	    expect(w, deadline_us, PGRES_COMMAND_OK, err) &&
	    expect(w, deadline_us, PGRES_PIPELINE_SYNC, err);
}

/* ------------------------------------------------------------------ queries */

static struct rowset *
take_rows(struct whatif *w, const struct pg_query *q, int64_t deadline_us, struct error *err)
{
	PGresult *result = whatif_next(w, deadline_us, err);
	struct rowset *rows = NULL;

	if (result && PQresultStatus(result) == PGRES_TUPLES_OK)
		rows = decode_rows(result, q, err);
	else if (result)
		fault_result(err, result, q);
	PQclear(result);
	return rows;
}

struct rowset *
whatif_query(
    struct whatif *w, const char *name, const char *const *params, int nparams, struct error *err)
{
	const struct pg_query *q = pg_query_by_name(name);
	struct whatif_frame frame = { .timeout_ms = q ? q->timeout_ms : 0 };
	int64_t began = mono_now().us, deadline = whatif_deadline(frame.timeout_ms + GRACE_MS);
	struct error ignored = { 0 };
	struct rowset *rows = NULL;

	if (!q)
		fatal("there is no query %s", name);
	if (!whatif_usable(w, err) || !pg_catalog_supports(w->catalog, q, err) ||
	    !whatif_begin(w, &frame, err))
		return NULL;
	if (!PQsendQueryParams(
	        w->pq, pg_catalog_text(w->catalog, q), nparams, NULL, params, NULL, NULL, 1)) {
		whatif_lose(w, err);
		return NULL;
	}
	if (!whatif_end(w, err))
		return NULL;
	if (whatif_begun(w, deadline, err))
		rows = take_rows(w, q, deadline, err);
	else if (w->pq)
		PQclear(whatif_next(w, deadline, &ignored));
	if (w->pq && !whatif_ended(w, deadline, rows ? err : &ignored)) {
		rowset_unref(rows);
		return NULL;
	}
	if (rows && (w->rtt_ms <= 0 || (double)(mono_now().us - began) / 1000 < w->rtt_ms))
		w->rtt_ms = (double)(mono_now().us - began) / 1000;
	return rows;
}

/* ------------------------------------------------------------------ open, close */

/* A query before the pipeline, binary. */
static struct rowset *
first_query(
    struct whatif *w, const char *name, const char *const *params, int nparams, struct error *err)
{
	const struct pg_query *q = pg_query_by_name(name);
	const char *text = pg_catalog_text(w->catalog, q);
	int64_t deadline = whatif_deadline(q->timeout_ms + GRACE_MS);
	struct rowset *rows = NULL;

	if (!PQsendQueryParams(w->pq, text, nparams, NULL, params, NULL, NULL, 1) ||
	    !PQpipelineSync(w->pq)) {
		whatif_lose(w, err);
		return NULL;
	}
	rows = take_rows(w, q, deadline, err);
	if (w->pq && !expect(w, deadline, PGRES_PIPELINE_SYNC, err)) {
		rowset_unref(rows);
		return NULL;
	}
	return rows;
}

static bool
learn_catalog(struct whatif *w, struct error *err)
{
	const char *params[] = { pg_conditions_array() };
	struct rowset *rows = first_query(w, "features", params, 1, err);
	const struct cell *holds, *schema;

	if (!rows)
		return false;
	if (rows->nrows != 1) {
		rowset_unref(rows);
		return error_set(err, ERR_PROTOCOL, "the server did not say what its catalog has");
	}
	holds = rowset_get(rows, 0, "holds");
	schema = rowset_get(rows, 0, "pgss_schema");
	w->catalog = pg_catalog_new(holds->type == CELL_INTS ? holds->ints : NULL,
	    holds->type == CELL_INTS ? holds->len : 0,
	    schema->type == CELL_TEXT ? arena_strndup(&w->arena, schema->s, schema->len) : NULL);
	rowset_unref(rows);
	return true;
}

static bool
untrack(struct whatif *w, struct error *err)
{
	const char *superuser = PQparameterStatus(w->pq, "is_superuser"), *params[1];
	struct rowset *rows;
	char pid[16];

	if (!superuser || strcmp(superuser, "on") != 0)
		return true;
	snprintf(pid, sizeof(pid), "%d", PQbackendPID(w->pq));
	params[0] = pid;
	rows = first_query(w, "whatif_untrack", params, 1, err);
	rowset_unref(rows);
	return rows != NULL;
}

static bool
set_up(struct whatif *w, struct error *err)
{
	char pid[16];
	const char *params[] = { pid };
	struct rowset *rows;
	const struct cell *path;

	snprintf(pid, sizeof(pid), "%d", PQbackendPID(w->pq));
	rows = first_query(w, "whatif_setup", params, 1, err);
	if (!rows)
		return false;
	path = rowset_get(rows, 0, "home_path");
	w->home_path = path->type == CELL_TEXT ? arena_strndup(&w->arena, path->s, path->len) : "";
	w->is_pooled = cell_i64(rowset_get(rows, 0, "pid"), 0) != PQbackendPID(w->pq);
	w->is_standby = cell_i64(rowset_get(rows, 0, "is_standby"), 0) != 0;
	w->can_untrack = cell_i64(rowset_get(rows, 0, "can_untrack"), 0) != 0;
	rowset_unref(rows);
	return true;
}

struct whatif *
whatif_open(const struct whatif_conf *conf, struct error *err)
{
	struct whatif *w = xcalloc(1, sizeof(*w));

	w->statement_ms = conf->statement_ms > 0 ? conf->statement_ms : DEFAULT_MS;
	w->no_hypopg = conf->no_hypopg;
	w->fd = -1;
	w->pq = plain_connect(conf->conninfo, conf->password, conf->database, "advise", err);
	if (!w->pq)
		goto fail;
	w->cancel = PQgetCancel(w->pq);
	w->fd = PQsocket(w->pq);
	if (PQsetnonblocking(w->pq, 1) != 0 || !PQenterPipelineMode(w->pq)) {
		whatif_lose(w, err);
		goto fail;
	}
	if (untrack(w, err) && learn_catalog(w, err) && set_up(w, err) && whatif_hypo_open(w, err))
		return w;
fail:
	whatif_close(w);
	return NULL;
}

void
whatif_close(struct whatif *w)
{
	struct error ignored = { 0 };

	if (!w)
		return;
	if (w->pq && !w->is_stopped && w->nhypo > 0 && whatif_reset(w, &ignored))
		w->nhypo = 0;
	/* the server forgets prepared statements and settings with the session */
	w->fd = -1;
	if (w->pq)
		PQfinish(w->pq);
	if (w->cancel)
		PQfreeCancel(w->cancel);
	pg_catalog_free(w->catalog);
	arena_release(&w->arena);
	arena_release(&w->guard.arena);
	free(w->types);
	free(w);
}

int
whatif_version_num(const struct whatif *w)
{
	return w->pq ? PQserverVersion(w->pq) : 0;
}

int
whatif_explains(const struct whatif *w)
{
	return w->explains;
}

double
whatif_rtt_ms(const struct whatif *w)
{
	return w->rtt_ms;
}

/* The local end first: whoever waits wakes up at once, even when the network does not answer. */
void
whatif_stop(struct whatif *w)
{
	char ignored[64];
	int fd = w->fd, saved = errno;

	w->is_stopped = 1;
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	if (w->cancel)
		PQcancel(w->cancel, ignored, sizeof(ignored));
	errno = saved;
}
