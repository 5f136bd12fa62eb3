#include "config.h"

#include "pg/sync.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

enum { CONNECT_MS = 30000, GRACE_MS = 2000 };

struct pg_sync {
	struct pg_conn *conn;
	struct pg_catalog *catalog;
};

enum tag { TAG_FRAME, TAG_QUERY };

static struct pg_conn *
dial(const char *conninfo, const char *password, struct error *err)
{
	struct pg_dial_conf conf = { .conninfo = conninfo, .password = password, .timeout_s = 5 };
	struct pg_dial *d = pg_dial_new(&conf);
	struct pollfd pfd = { .fd = pg_dial_fd(d), .events = POLLIN };

	while (!pg_dial_done(d)) {
		int n = poll(&pfd, 1, CONNECT_MS);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 && !pg_dial_done(d)) {
			pg_dial_free(d);
			error_set(err, ERR_CONNECT, "no answer in %d s", CONNECT_MS / 1000);
			error_hint(err,
			    "The host is down, a firewall drops packets, or the server is frozen.");
			return NULL;
		}
	}
	return pg_dial_take(d, err);
}

/* Wait for the socket, at most until the deadline. */
static bool
wait_socket(struct pg_sync *s, struct mono deadline, struct error *err)
{
	for (;;) {
		short events = POLLIN | (pg_conn_wants_write(s->conn) ? POLLOUT : 0);
		struct pollfd pfd = { .fd = pg_conn_fd(s->conn), .events = events };
		int64_t left = (deadline.us - mono_now().us + 999) / 1000;
		int n;

		if (left <= 0) {
			pg_conn_cancel(s->conn);
			return error_set(err, ERR_TIMEOUT, "no answer in time");
		}
		n = poll(&pfd, 1, (int)left);
		if (n < 0 && errno != EINTR)
			return error_set(err, ERR_LOST, "the connection cannot be waited for");
		if (n > 0)
			return pg_conn_flush(s->conn, err) && pg_conn_input(s->conn, err);
	}
}

/* Collect the answers of one group; *rows gets those of TAG_QUERY. The first error is kept. */
static bool
collect(struct pg_sync *s, struct mono deadline, struct rowset **rows, struct error *err)
{
	bool ok = true;

	for (;;) {
		struct pg_answer answer = { 0 };

		switch (pg_conn_next(s->conn, &answer)) {
		case PG_WAIT:
			if (!wait_socket(s, deadline, err))
				return false;
			break;
		case PG_GROUP_END:
			return ok;
		case PG_ANSWER:
			if (answer.state == PG_ROWS && answer.tag == TAG_QUERY) {
				*rows = answer.rows;
				break;
			}
			rowset_unref(answer.state == PG_ROWS ? answer.rows : NULL);
			if (answer.state == PG_ERROR && ok) {
				*err = answer.error;
				ok = false;
			}
			break;
		}
	}
}

static bool
ask(struct pg_sync *s, const char *name, enum tag tag, const char *const *params, int nparams,
    struct error *err)
{
	const struct pg_query *q = pg_query_by_name(name);

	if (!q)
		fatal("there is no query %s", name);
	return pg_catalog_supports(s->catalog, q, err) &&
	    pg_conn_ask(s->conn, s->catalog, q, (int)tag, params, nparams, err);
}

struct rowset *
pg_sync_run(struct pg_sync *s, const char *query, const char *const *params, int nparams,
    int timeout_ms, struct error *err)
{
	const struct pg_query *q = pg_query_by_name(query);
	struct mono deadline = { mono_now().us + ((int64_t)timeout_ms + GRACE_MS) * 1000 };
	struct rowset *rows = NULL;
	char ms[16];
	const char *limits[] = { ms, "" };
	bool ok;

	if (!q)
		fatal("there is no query %s", query);
	if (!pg_catalog_supports(s->catalog, q, err))
		return NULL;
	snprintf(ms, sizeof(ms), "%d", timeout_ms);
	ok = (q->is_act || ask(s, "begin_read_only", TAG_FRAME, NULL, 0, err)) &&
	    ask(s, "limits", TAG_FRAME, limits, 2, err) &&
	    ask(s, query, TAG_QUERY, params, nparams, err) &&
	    (q->is_act || ask(s, "rollback", TAG_FRAME, NULL, 0, err)) &&
	    pg_conn_sync(s->conn, err) && pg_conn_flush(s->conn, err) &&
	    collect(s, deadline, &rows, err);
	if (!ok && !q->is_act && pg_conn_fd(s->conn) >= 0) {
		/* An error inside BEGIN leaves a failed transaction behind. */
		struct error ignored = { 0 };
		struct rowset *none = NULL;

		if (ask(s, "rollback", TAG_FRAME, NULL, 0, &ignored) &&
		    pg_conn_sync(s->conn, &ignored) && pg_conn_flush(s->conn, &ignored) &&
		    collect(s, deadline, &none, &ignored))
			rowset_unref(none);
	}
	if (!ok) {
		rowset_unref(rows);
		return NULL;
	}
	if (!rows)
		error_set(err, ERR_PROTOCOL, "query %s brought no rows", query);
	return rows;
}

/* The catalog's conditions, before any other query. */
static bool
learn_catalog(struct pg_sync *s, struct error *err)
{
	const struct pg_query *q = pg_query_by_name("features");
	const char *params[] = { pg_conditions_array() };
	struct mono deadline = { mono_now().us + 7000000 };
	struct rowset *rows = NULL;
	const struct cell *holds, *schema;
	char *name;

	if (!pg_conn_ask(s->conn, NULL, q, TAG_QUERY, params, 1, err) ||
	    !pg_conn_sync(s->conn, err) || !pg_conn_flush(s->conn, err) ||
	    !collect(s, deadline, &rows, err))
		return false;
	if (!rows || rows->nrows != 1) {
		rowset_unref(rows);
		return error_set(err, ERR_PROTOCOL, "the server did not say what its catalog has");
	}
	holds = rowset_get(rows, 0, "holds");
	schema = rowset_get(rows, 0, "pgss_schema");
	name = schema->type == CELL_TEXT ? xstrndup(schema->s, schema->len) : NULL;
	s->catalog = pg_catalog_new(holds->type == CELL_INTS ? holds->ints : NULL,
	    holds->type == CELL_INTS ? holds->len : 0, name);
	free(name);
	rowset_unref(rows);
	return true;
}

struct pg_sync *
pg_sync_open(const char *conninfo, const char *password, struct error *err)
{
	struct pg_sync *s = xcalloc(1, sizeof(*s));

	s->conn = dial(conninfo, password, err);
	if (s->conn && learn_catalog(s, err))
		return s;
	pg_sync_close(s);
	return NULL;
}

void
pg_sync_close(struct pg_sync *s)
{
	if (!s)
		return;
	pg_conn_free(s->conn);
	pg_catalog_free(s->catalog);
	free(s);
}

void
pg_sync_peer(const struct pg_sync *s, struct pg_peer *peer)
{
	pg_conn_peer(s->conn, peer);
}
