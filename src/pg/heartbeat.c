#include "config.h"

#include "pg/heartbeat.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/login_priv.h"
#include "pg/pg.h"

enum {
	EVERY_US = 100000,
	AGAIN_US =
	    20000, /* while nobody takes it, of two that are near: when one does, to the point */
	MAX_HOSTS = 4096,
};

static void
add_host(const char *conninfo, struct strbuf *hosts, struct strbuf *ports)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	const char *host = NULL, *port = NULL;

	for (PQconninfoOption *o = options; o && o->keyword; o++) {
		if (!o->val || !*o->val)
			continue;
		if (strcmp(o->keyword, "host") == 0 && !host)
			host = o->val;
		if (strcmp(o->keyword, "hostaddr") == 0)
			host = o->val;
		if (strcmp(o->keyword, "port") == 0)
			port = o->val;
	}
	strbuf_addf(hosts, "%s%s", hosts->len ? "," : "", host ? host : "");
	strbuf_addf(ports, "%s%s", ports->len ? "," : "", port ? port : "5432");
	PQconninfoFree(options);
}

static PGconn *
open_any(const struct heartbeat_conf *conf, const char *hosts, const char *ports)
{
	struct login_params list = { .n = 0 }, extra = { .n = 0 };
	struct arena arena = { 0 };
	struct error unread = { 0 };
	PGconn *pq = NULL;

	login_param(&list, "dbname", conf->conninfo);
	if (login_expand(&arena, conf->conninfo, conf->password, &extra, &unread)) {
		for (int i = 0; i < extra.n; i++)
			login_param(&list, extra.keys[i], extra.values[i]);
		login_param(&list, "host", hosts);
		login_param(&list, "hostaddr", "");
		login_param(&list, "port", ports);
		login_param(&list, "target_session_attrs", "read-write");
		login_param(&list, "connect_timeout", "2");
		login_param(&list, "tcp_user_timeout", "2000");
		login_param(&list, "application_name", "pgmedic drill");
		login_param(&list, "options", "-c statement_timeout=2000");
		pq = PQconnectdbParams(list.keys, list.values, 1);
	}
	arena_release(&arena);
	if (PQstatus(pq) == CONNECTION_OK)
		return pq;
	PQfinish(pq);
	return NULL;
}

static void
say(int fd, const char *line, int len)
{
	if (write(fd, line, (size_t)len) != len)
		_exit(1);
}

/* "canceling wait for synchronous replication": it is committed here, and not acknowledged. */
static void
on_notice(void *arg, const PGresult *r)
{
	(void)r;
	*(bool *)arg = true;
}

/* One attempt; the connection, or NULL when it is of no use any more. */
static PGconn *
beat(const struct heartbeat_conf *conf, PGconn *pq, int64_t seq, const char *text)
{
	char number[24], sent_text[32], line[160];
	const char *params[] = { conf->run, number, sent_text };
	struct wall sent = wall_now();
	bool ok, is_warned = false;
	PGresult *r;
	int n;

	snprintf(number, sizeof(number), "%lld", (long long)seq);
	wall_rfc3339(sent, sent_text, sizeof(sent_text));
	PQsetNoticeReceiver(pq, on_notice, &is_warned);
	r = PQexecParams(pq, text, 3, NULL, params, NULL, NULL, 0);
	ok = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1 && !is_warned;
	n = ok ? snprintf(line, sizeof(line), "ok %lld %lld %lld %.20s %.8s %.20s\n",
	             (long long)seq, (long long)sent.us, (long long)wall_now().us,
	             PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 2)) :
	         snprintf(line, sizeof(line), "err %lld %lld %lld\n", (long long)seq,
	             (long long)sent.us, (long long)wall_now().us);
	PQclear(r);
	say(conf->log_fd, line, n);
	if (ok)
		return pq;
	PQfinish(pq);
	return NULL;
}

void
heartbeat_loop(const struct heartbeat_conf *conf)
{
	const struct pg_query *q = pg_query_by_name("heartbeat_beat");
	struct strbuf hosts = STRBUF_INIT(MAX_HOSTS), ports = STRBUF_INIT(MAX_HOSTS);
	struct mono next = mono_now();
	PGconn *pq = NULL;

	add_host(conf->conninfo, &hosts, &ports);
	if (conf->other)
		add_host(conf->other, &hosts, &ports);
	for (int64_t seq = conf->first_seq;; seq++) {
		struct wall begin = wall_now();
		int64_t left;

		if (!pq)
			pq = open_any(conf, hosts.buf, ports.buf);
		if (pq) {
			pq = beat(conf, pq, seq, q->text);
		} else {
			char line[96];

			say(conf->log_fd, line,
			    snprintf(line, sizeof(line), "down %lld %lld %lld\n", (long long)seq,
			        (long long)begin.us, (long long)wall_now().us));
		}
		next.us += pq || !conf->other ? EVERY_US : AGAIN_US;
		left = next.us - mono_now().us;
		if (left > 0)
			nanosleep(
			    &(struct timespec){ left / 1000000, left % 1000000 * 1000 }, NULL);
		else
			next = mono_now();
	}
}
