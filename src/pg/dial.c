/*
 * Connecting. libpq looks up names, reads ~/.pgpass, service files and certificates, and talks to
 * Kerberos synchronously even in its non-blocking interface, so the whole of it happens in a
 * detached thread that hands the finished connection over. The thread and the owner share the dial
 * by reference count: an owner that gives up leaves the thread to end by itself within the connect
 * timeout.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "pg/conn_private.h"
#include "pg/fault.h"
#include "pg/login_priv.h"

enum { DEFAULT_TIMEOUT_S = 3, STACK_BYTES = 512 * 1024 };

struct pg_dial {
	atomic_int refs;
	atomic_bool is_done;
	int fds[2]; /* a byte is written to [1] when done */
	struct pg_dial_conf conf;
	char *conninfo, *password;
	struct pg_conn *conn;
	struct error error;
};

/* Later entries win: what stands before "dbname" is a default for the conninfo, what stands behind
 * it is fixed. */
static void
collect_params(const struct pg_dial *d, struct login_params *list, char *timeout, size_t size)
{
	snprintf(timeout, size, "%d", d->conf.timeout_s ? d->conf.timeout_s : DEFAULT_TIMEOUT_S);
	if (!getenv("PGCONNECT_TIMEOUT"))
		login_param(list, "connect_timeout", timeout);
	login_param(list, "keepalives", "1");
	login_param(list, "keepalives_idle", "15");
	login_param(list, "keepalives_interval", "5");
	login_param(list, "keepalives_count", "3");
	/* A network that is away for a while must not cost the session; ms. */
	login_param(list, "tcp_user_timeout", "60000");
	login_param(list, "dbname", d->conninfo);
	login_param(list, "application_name", "pgmedic");
	if (!d->conf.is_console)
		login_param(list, "client_encoding", d->conf.raw_text ? "SQL_ASCII" : "UTF8");
}

static int
timeout_of(PGconn *pq)
{
	int seconds = DEFAULT_TIMEOUT_S;
	PQconninfoOption *options = PQconninfo(pq);
	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		if (strcmp(o->keyword, "connect_timeout") == 0 && o->val && *o->val)
			seconds = (int)strtol(o->val, NULL, 10);
	PQconninfoFree(options);
	return seconds > 0 ? seconds : 60;
}

static bool
has_several_hosts(PGconn *pq)
{
	bool several = false;
	PQconninfoOption *options = PQconninfo(pq);
	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		if ((strcmp(o->keyword, "host") == 0 || strcmp(o->keyword, "hostaddr") == 0) &&
		    o->val)
			several |= strchr(o->val, ',') != NULL;
	PQconninfoFree(options);
	return several;
}

/* False when the time is over. */
static bool
wait_for(int fd, short events, struct mono deadline)
{
	for (;;) {
		int64_t left = (deadline.us - mono_now().us + 999) / 1000;
		if (left <= 0)
			return false;
		struct pollfd pfd = { .fd = fd, .events = events };
		int n = poll(&pfd, 1, (int)(left < 60000 ? left : 60000));
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return true;
	}
}

static void
drop_notice(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

/*
 * Connect with verbose messages, which carry the SQLSTATE. Only libpq itself can go on to the next
 * of several hosts after a timeout, so that case is left to its blocking function.
 */
PGconn *
connect_params(const char *const *keys, const char *const *values, bool *is_late)
{
	*is_late = false;
	PGconn *pq = PQconnectStartParams(keys, values, 1);
	if (!pq || PQstatus(pq) == CONNECTION_BAD)
		return pq;
	/* libpq would print to the terminal what a login trigger or a planned function says. */
	PQsetNoticeProcessor(pq, drop_notice, NULL);
	PQsetErrorVerbosity(pq, PQERRORS_VERBOSE);
	struct mono deadline = { mono_now().us + (int64_t)timeout_of(pq) * 1000000 };
	for (PostgresPollingStatusType want = PGRES_POLLING_WRITING; want != PGRES_POLLING_OK;) {
		if (want == PGRES_POLLING_FAILED)
			return pq;
		if (!wait_for(
		        PQsocket(pq), want == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
			*is_late = true;
			if (!has_several_hosts(pq))
				return pq;
			PQfinish(pq);
			pq = PQconnectdbParams(keys, values, 1);
			PQsetNoticeProcessor(pq, drop_notice, NULL);
			return pq;
		}
		want = PQconnectPoll(pq);
	}
	return pq;
}

static void
dial_connect(struct pg_dial *d)
{
	char timeout[16];
	struct login_params list = { .n = 0 };
	collect_params(d, &list, timeout, sizeof(timeout));
	PGconn *pq = login_connect(&list, d->password, &d->error);
	if (!pq)
		return;
	if (PQsetnonblocking(pq, 1) != 0 || (!d->conf.is_console && !PQenterPipelineMode(pq))) {
		fault_connection(&d->error, pq, ERR_CONNECT);
		PQfinish(pq);
		return;
	}
	d->conn = conn_new(pq, d->conf.is_console);
}

static void
dial_unref(struct pg_dial *d)
{
	if (atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	pg_conn_free(d->conn);
	close(d->fds[0]);
	close(d->fds[1]);
	free(d->conninfo);
	login_wipe(d->password);
	free(d);
}

static void *
dial_main(void *arg)
{
	struct pg_dial *d = arg;
	dial_connect(d);
	/* A database whose encoding has no way to UTF-8 refuses the login; its bytes are taken as
	 * they are. */
	if (!d->conn && !d->conf.raw_text && !d->conf.is_console &&
	    (strcmp(d->error.sqlstate, "22023") == 0 || strcmp(d->error.sqlstate, "0A000") == 0) &&
	    strstr(d->error.what, "UTF8")) {
		d->conf.raw_text = true;
		d->error = (struct error){ .code = ERR_OK };
		dial_connect(d);
	}
	digest_thread_end();
	atomic_store(&d->is_done, true);
	ssize_t n = write(d->fds[1], "", 1);
	(void)n; /* the pipe is empty and both ends are open */
	dial_unref(d);
	return NULL;
}

bool
conn_thread(void *(*start)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	if (pthread_attr_init(&attr) != 0)
		return false;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&thread, &attr, start, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return failed == 0;
}

struct pg_dial *
pg_dial_new(const struct pg_dial_conf *conf)
{
	struct pg_dial *d = xcalloc(1, sizeof(*d));
	d->conf = *conf;
	d->conninfo = xstrdup(conf->conninfo ? conf->conninfo : "");
	d->password = conf->password ? xstrdup(conf->password) : NULL;
	atomic_init(&d->refs, 2);
	atomic_init(&d->is_done, false);
	if (pipe2(d->fds, O_CLOEXEC | O_NONBLOCK) != 0)
		d->fds[0] = d->fds[1] = -1;
	if (d->fds[0] < 0 || !conn_thread(dial_main, d)) {
		error_set(&d->error, ERR_CONNECT, "no more threads or files: %s", strerror(errno));
		error_hint(&d->error,
		    "Raise the limits of this user (ulimit -n, ulimit -u), or watch fewer targets.");
		atomic_store(&d->is_done, true);
		atomic_store(&d->refs, 1);
		if (d->fds[1] >= 0 && write(d->fds[1], "", 1) < 0)
			error_prefix(&d->error, "pipe");
	}
	return d;
}

int
pg_dial_fd(const struct pg_dial *d)
{
	return d->fds[0];
}

bool
pg_dial_done(const struct pg_dial *d)
{
	return atomic_load(&d->is_done);
}

struct pg_conn *
pg_dial_take(struct pg_dial *d, struct error *err)
{
	if (!pg_dial_done(d))
		fatal("a dial was taken before it was done");
	struct pg_conn *c = d->conn;
	d->conn = NULL;
	if (!c)
		*err = d->error;
	dial_unref(d);
	return c;
}

void
pg_dial_free(struct pg_dial *d)
{
	if (d)
		dial_unref(d);
}
