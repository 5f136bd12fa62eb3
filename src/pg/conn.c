/*
 * The pipeline of one connection: what was asked, in order, and what has been answered. Queries are
 * prepared inside the pipeline the first time they are asked, so that preparing costs no round
 * trip. Where a pooler may hand us another server process for each transaction, unnamed statements
 * are used.
 */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>

#include "pg/conn_private.h"
#ifdef __linux__
#include <linux/tcp.h> /* its tcp_info has the least round trip, the C library's has not */
#else
#include <netinet/tcp.h>
#endif
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "pg/decode.h"
#include "pg/fault.h"

enum pending_kind { PENDING_PREPARE, PENDING_QUERY, PENDING_CONSOLE, PENDING_SYNC };

struct pending {
	enum pending_kind kind;
	int tag;
	const struct pg_query *query;
	bool was_told;   /* its preparation failed: the answer was given then */
	bool has_result; /* one was read; what follows is its end */
};

struct pg_conn {
	PGconn *pq;
	struct pending *queue; /* ring grown on demand: head .. head + n */
	int head, n, cap;
	bool *is_prepared; /* by query index */
	int stale;         /* how often statements went bad */
	int generation;    /* part of statement names: a new one where the old ones went bad */
	bool is_pooled, is_console, is_corked, wants_write;
	bool is_broken;          /* the server does what cannot be: nothing more is taken */
	struct error last_words; /* a FATAL the server sent unasked, code OK: none */
};

/* The server says why it closes a session even when nothing was asked. */
static void
take_notice(void *arg, const PGresult *result)
{
	struct pg_conn *c = arg;
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0))
		fault_result(&c->last_words, result, NULL);
}

struct pg_conn *
conn_new(PGconn *pq, bool is_console)
{
	struct pg_conn *c = xcalloc(1, sizeof(*c));
	c->pq = pq;
	c->is_console = is_console;
	c->is_prepared = xcalloc((size_t)pg_query_count(), sizeof(bool));
	PQsetErrorVerbosity(pq, PQERRORS_DEFAULT);
	PQsetNoticeReceiver(pq, take_notice, c);
	return c;
}

void
pg_conn_free(struct pg_conn *c)
{
	if (!c)
		return;
	PQfinish(c->pq);
	free(c->queue);
	free(c->is_prepared);
	free(c);
}

int
pg_conn_fd(const struct pg_conn *c)
{
	return PQsocket(c->pq);
}

bool
pg_conn_wants_write(const struct pg_conn *c)
{
	return c->wants_write;
}

void
pg_conn_set_pooled(struct pg_conn *c, bool is_pooled)
{
	c->is_pooled = is_pooled;
}

void
pg_conn_forget(struct pg_conn *c)
{
	c->generation++;
	memset(c->is_prepared, 0, (size_t)pg_query_count() * sizeof(bool));
}

int
pg_conn_pending(const struct pg_conn *c)
{
	return c->n;
}

static bool
is_loopback(int fd)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);
	if (getpeername(fd, (struct sockaddr *)&ss, &len) != 0)
		return false;
	if (ss.ss_family == AF_UNIX)
		return true;
	if (ss.ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &ss, sizeof(in));
		return ntohl(in.sin_addr.s_addr) >> 24 == 127;
	}
	if (ss.ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, &ss, sizeof(in6));
		return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
	}
	return false;
}

static void
copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

void
pg_conn_peer(const struct pg_conn *c, struct pg_peer *peer)
{
	memset(peer, 0, sizeof(*peer));
	copy_text(peer->host, sizeof(peer->host), PQhost(c->pq));
	copy_text(peer->port, sizeof(peer->port), PQport(c->pq));
	copy_text(peer->database, sizeof(peer->database), PQdb(c->pq));
	copy_text(peer->user, sizeof(peer->user), PQuser(c->pq));
	peer->pid = PQbackendPID(c->pq);
	peer->version_num = PQserverVersion(c->pq);
	peer->is_local = is_loopback(PQsocket(c->pq));
	const char *is_superuser = PQparameterStatus(c->pq, "is_superuser");
	peer->is_superuser = is_superuser && strcmp(is_superuser, "on") == 0;
}

double
pg_conn_rtt_ms(const struct pg_conn *c)
{
#ifdef __linux__
	struct tcp_info info = { .tcpi_min_rtt = 0 };
	socklen_t len = sizeof(info);
	if (getsockopt(PQsocket(c->pq), IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return 0;
	return info.tcpi_min_rtt == UINT32_MAX ? -1 : info.tcpi_min_rtt / 1000.0;
#else
	(void)c;
	return -1;
#endif
}

static void
queue_add(struct pg_conn *c, enum pending_kind kind, int tag, const struct pg_query *q)
{
	if (c->head && c->head + c->n == c->cap) {
		memmove(c->queue, c->queue + c->head, (size_t)c->n * sizeof(*c->queue));
		c->head = 0;
	}
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 32;
		c->queue = xrealloc(c->queue, (size_t)c->cap, sizeof(*c->queue));
	}
	c->queue[c->head + c->n++] = (struct pending){ .kind = kind, .tag = tag, .query = q };
}

static void
queue_pop(struct pg_conn *c)
{
	assert(c->n > 0);
	c->n--;
	c->head = c->n ? c->head + 1 : 0;
}

/* False, with the best reason there is for a connection that does not work any more. */
static bool
lost(struct pg_conn *c, struct error *err)
{
	if (c->last_words.code != ERR_OK)
		*err = c->last_words;
	else
		fault_connection(err, c->pq, ERR_LOST);
	if (err->code != ERR_CONNECT && err->code != ERR_AUTH)
		err->code = ERR_LOST;
	return false;
}

static void
statement_name(const struct pg_conn *c, const struct pg_query *q, char *buf, size_t size)
{
	snprintf(buf, size, "pgmedic_%d_%s", c->generation, q->name);
}

bool
pg_conn_ask(struct pg_conn *c, struct pg_catalog *cat, const struct pg_query *q, int tag,
    const char *const *params, int nparams, struct error *err)
{
	assert(nparams == q->nparams);
	const char *text = pg_catalog_text(cat, q);
	if (c->is_pooled || q->is_act) {
		if (!PQsendQueryParams(c->pq, text, nparams, NULL, params, NULL, NULL, 1))
			return lost(c, err);
		queue_add(c, PENDING_QUERY, tag, q);
		return true;
	}
	char name[80];
	statement_name(c, q, name, sizeof(name));
	bool *is_prepared = &c->is_prepared[pg_query_index(q)];
	if (!*is_prepared) {
		if (!PQsendPrepare(c->pq, name, text, 0, NULL))
			return lost(c, err);
		queue_add(c, PENDING_PREPARE, tag, q);
		*is_prepared = true;
	}
	if (!PQsendQueryPrepared(c->pq, name, nparams, params, NULL, NULL, 1))
		return lost(c, err);
	queue_add(c, PENDING_QUERY, tag, q);
	return true;
}

bool
pg_conn_sync(struct pg_conn *c, struct error *err)
{
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
	if (!PQsendPipelineSync(c->pq))
		return lost(c, err);
#else
	if (!PQpipelineSync(c->pq))
		return lost(c, err);
#endif
	queue_add(c, PENDING_SYNC, 0, NULL);
	return true;
}

bool
pg_conn_console(struct pg_conn *c, const char *command, int tag, struct error *err)
{
	if (!PQsendQuery(c->pq, command))
		return lost(c, err);
	queue_add(c, PENDING_CONSOLE, tag, NULL);
	return true;
}

void
pg_conn_cork(struct pg_conn *c)
{
#ifdef TCP_CORK
	int on = 1;
	c->is_corked = setsockopt(PQsocket(c->pq), IPPROTO_TCP, TCP_CORK, &on, sizeof(on)) == 0;
#else
	(void)c;
#endif
}

bool
pg_conn_flush(struct pg_conn *c, struct error *err)
{
	int left = PQflush(c->pq);
#ifdef TCP_CORK
	if (c->is_corked) {
		int off = 0;
		setsockopt(PQsocket(c->pq), IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
		c->is_corked = false;
	}
#endif
	c->wants_write = left == 1;
	return left >= 0 || lost(c, err);
}

bool
pg_conn_input(struct pg_conn *c, struct error *err)
{
	/* libpq takes a buffer at a time; what waits in the socket is all taken before anybody
	 * sleeps again. */
	bool is_read = PQconsumeInput(c->pq) == 1;
	for (int waiting = 0, rounds = 0; is_read && rounds < 256; rounds++) {
		if (ioctl(PQsocket(c->pq), FIONREAD, &waiting) != 0 || waiting <= 0)
			break;
		(void)PQisBusy(c->pq); /* makes room by parsing */
		is_read = PQconsumeInput(c->pq) == 1;
	}
	/* TLS hands out a record in parts; the rest is in no socket that poll() could tell of. */
	for (int round = 0; is_read && round < 2 && PQsslInUse(c->pq); round++) {
		(void)PQisBusy(c->pq);
		is_read = PQconsumeInput(c->pq) == 1;
	}
	if (c->wants_write && is_read && !pg_conn_flush(c, err))
		return false;
	/* Parses what came, so that last words outside a query are heard. */
	if (c->n == 0 || !is_read)
		(void)PQisBusy(c->pq);
	if (!is_read || c->is_broken || PQstatus(c->pq) != CONNECTION_OK)
		return lost(c, err);
	return true;
}

static int64_t
count_bytes(const PGresult *r)
{
	return (int64_t)PQresultMemorySize(r);
}

/* The statements of this session went bad: names that the server does not know or holds already (a
 * pooler that was not recognised), or plans outdated by DDL. New names; from the third time on
 * none. */
static bool
is_stale_statement(struct pg_conn *c, const PGresult *r, const struct error *e)
{
	/* "cached plan must not change result type" shares its SQLSTATE with much else. */
	const char *function = PQresultErrorField(r, PG_DIAG_SOURCE_FUNCTION);
	bool is_outdated = strcmp(e->sqlstate, "0A000") == 0 && function &&
	    strcmp(function, "RevalidateCachedQuery") == 0;
	bool is_stale =
	    is_outdated || strcmp(e->sqlstate, "26000") == 0 || strcmp(e->sqlstate, "42P05") == 0;
	if (!is_stale || c->is_pooled)
		return false;
	pg_conn_forget(c);
	c->is_pooled = ++c->stale == 3;
	return true;
}

static void
fill_error(struct pg_conn *c, const PGresult *r, const struct pending *p, struct pg_answer *a)
{
	a->state = PG_ERROR;
	fault_result(&a->error, r, p->query);
	if (a->error.code == ERR_LOST && *a->error.sqlstate)
		c->last_words = a->error;
	if (p->query)
		a->ask_again = is_stale_statement(c, r, &a->error);
}

static void
fill_rows(const PGresult *r, const struct pending *p, struct pg_answer *a)
{
	a->rows = p->query ? decode_rows(r, p->query, &a->error) : decode_text(r, &a->error);
	a->state = a->rows ? PG_ROWS : PG_ERROR;
	a->bytes = count_bytes(r);
}

/* Turns a result of the first pending entry into an answer; false when there is nothing to tell. */
static bool
take_result(struct pg_conn *c, const PGresult *r, struct pending *p, struct pg_answer *a)
{
	bool is_first = !p->has_result;
	if (p->kind == PENDING_SYNC) /* an error instead of it: the connection broke */
		return false;
	p->has_result = true;
	*a = (struct pg_answer){ .tag = p->tag, .query = p->query };
	switch (PQresultStatus(r)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
	case PGRES_EMPTY_QUERY:
		if (p->kind == PENDING_PREPARE || !is_first)
			return false;
		if (PQresultStatus(r) == PGRES_TUPLES_OK) {
			fill_rows(r, p, a);
		} else {
			a->rows = rowset_new(0, NULL, NULL);
			a->state = PG_ROWS;
		}
		return true;
	case PGRES_PIPELINE_ABORTED:
		a->state = PG_SKIPPED;
		break;
	case PGRES_COPY_IN:
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		/* Nothing of ours copies, and libpq would say so for ever: the socket's end is what
		 * pg_conn_input() sees next. */
		error_set(&c->last_words, ERR_LOST, "the server began to copy unasked");
		shutdown(PQsocket(c->pq), SHUT_RDWR);
		c->is_broken = true;
		return false;
	default:
		fill_error(c, r, p, a);
		break;
	}
	if (p->kind == PENDING_PREPARE) {
		/* The execution behind it is skipped by the server; its answer is this one. */
		c->is_prepared[pg_query_index(p->query)] = false;
		if (c->n > 1)
			c->queue[c->head + 1].was_told = true;
		return true;
	}
	return is_first && !p->was_told;
}

enum pg_got
pg_conn_next(struct pg_conn *c, struct pg_answer *a)
{
	/* libpq says NULL between the entries of a pipeline; more of them in a row mean that it has
	 * nothing. */
	for (int nulls = 0; c->n > 0 && nulls < 3 && !c->is_broken;) {
		if (PQisBusy(c->pq))
			return PG_WAIT;
		PGresult *r = PQgetResult(c->pq);
		struct pending *p = &c->queue[c->head];
		if (!r) {
			nulls++;
			if (p->has_result) {
				queue_pop(c);
				nulls = 0;
			}
			continue;
		}
		nulls = 0;
		if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
			PQclear(r);
			while (c->n > 0 && c->queue[c->head].kind != PENDING_SYNC)
				queue_pop(c);
			if (c->n > 0)
				queue_pop(c);
			return PG_GROUP_END;
		}
		bool is_told = take_result(c, r, p, a);
		PQclear(r);
		if (is_told)
			return PG_ANSWER;
		if (PQstatus(c->pq) == CONNECTION_BAD || c->is_broken)
			return PG_WAIT;
	}
	return PG_WAIT;
}

static void *
cancel_main(void *arg)
{
	PGcancel *cancel = arg;
	char message[256];
	PQcancel(cancel, message, sizeof(message));
	PQfreeCancel(cancel);
	return NULL;
}

void
pg_conn_cancel(const struct pg_conn *c)
{
	PGcancel *cancel = PQgetCancel(c->pq);
	if (cancel && !conn_thread(cancel_main, cancel))
		PQfreeCancel(cancel);
}
