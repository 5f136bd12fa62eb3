/*
 * The login: tried as all connections are, then told by its SQLSTATE. Messages may be in any
 * language, so they only tell apart what the SQLSTATE does not; PgBouncer's are always English.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rowset.h"
#include "ops/connect_priv.h"
#include "pg/login.h"
#include "pg/sync.h"

/* ------------------------------------------------------------------ refused */

struct verdict {
	const char *sqlstate; /* of 2 bytes: the whole class; "": none */
	const char *part;     /* of the message; "" any */
	const char *area, *what, *remedy;
};

#define HBA_REMEDY "The server's pg_hba.conf decides (its view pg_hba_file_rules shows the lines)"

/* The first that fits. @U @D @A: user, database, the address we come from. */
static const struct verdict verdicts[] = {
	{ "28P01", "", "login", "the password of @U is wrong, or there is no such role",
	    "Check where it comes from (below), and on the server: ALTER ROLE @U PASSWORD …" },
	{ "28000", "no pg_hba.conf entry", "login",
	    "no line of pg_hba.conf lets @U into @D from here",
	    "Add to pg_hba.conf: host@S @D @U @A scram-sha-256 — then SELECT pg_reload_conf()" },
	{ "28000", "pg_hba.conf rejects", "login", "a line of pg_hba.conf rejects @U from here",
	    HBA_REMEDY ": a line with reject comes before one that would let it in." },
	{ "28000", "Peer authentication", "login",
	    "peer: the system's user is not @U, and pg_hba.conf asks for it on this socket",
	    "Run as that user (sudo -u @U), connect by -h localhost with a password, or map it in "
	    "pg_ident.conf." },
	{ "28000", "Ident authentication", "login", "ident: the system's user is not @U",
	    "Use scram-sha-256 instead of ident in pg_hba.conf." },
	{ "28000", "PAM authentication", "login", "PAM refuses @U (on RDS: the IAM token)", "" },
	{ "28000", "GSSAPI authentication", "login", "Kerberos refuses @U",
	    "Is there a ticket (klist), of the principal that pg_ident.conf maps to @U?" },
	{ "28000", "LDAP authentication", "login", "the directory refuses @U",
	    "Check the password there, and that the server reaches it (its log says)." },
	{ "28000", "certificate authentication", "login",
	    "the client certificate is refused for @U",
	    "Its CN must be the role's name, or be mapped in pg_ident.conf (sslcert, sslkey)." },
	{ "28000", "does not exist", "login", "there is no role @U",
	    "CREATE ROLE @U LOGIN, or another -U." },
	{ "28000", "not permitted to log in", "login", "@U may not log in",
	    "ALTER ROLE @U LOGIN, or another -U." },
	{ "28", "", "login", "@U is refused", HBA_REMEDY "." },
	{ "3D000", "", "database", "there is no database @D",
	    "Name one that exists with -d; postgres usually does." },
	{ "42501", "", "database", "@U may not connect to @D",
	    "GRANT CONNECT ON DATABASE @D TO @U" },
	{ "55000", "", "database", "@D takes no connections",
	    "ALTER DATABASE @D ALLOW_CONNECTIONS true, or another -d." },
	{ "53300", "reserved", "slots", "all slots are taken but those that are reserved",
	    "Log in as a superuser (or a role with pg_use_reserved_connections) and end idle sessions: "
	    "`terminate where state:idle`; then a pooler, or a higher max_connections." },
	{ "53300", "for role", "slots", "@U has as many sessions as it may",
	    "End some, or ALTER ROLE @U CONNECTION LIMIT …" },
	{ "53300", "for database", "slots", "@D has as many sessions as it may",
	    "End some, or ALTER DATABASE @D CONNECTION LIMIT …" },
	{ "53300", "", "slots", "all connection slots are taken, the reserved ones, too",
	    "End a client's sessions at their end, or restart the application; then a pooler." },
	{ "57P03", "starting up", "state", "the server is starting up",
	    "Crash recovery reads the WAL since the last checkpoint; its log says how far." },
	{ "57P03", "shutting down", "state", "the server is shutting down",
	    "It waits for sessions or its last checkpoint; then start it again." },
	{ "57P03", "", "state", "the server does not take connections yet or any more",
	    "A standby before it is consistent, or with hot_standby = off; its log says how far it "
	    "is." },
	{ "08P01", "no such database", "pooler", "PgBouncer knows no database @D",
	    "Add it to [databases] of pgbouncer.ini and RELOAD, or another -d." },
	{ "08P01", "no such user", "pooler", "PgBouncer knows no user @U",
	    "Add it to auth_file, or set auth_query, and RELOAD." },
	{ "08P01", "no more connections", "pooler", "PgBouncer has max_client_conn clients",
	    "Raise max_client_conn, or end clients (SHOW CLIENTS)." },
	{ "08P01", "query_wait_timeout", "pooler", "PgBouncer has no free server connection",
	    "Its pool is full or its server down: SHOW POOLS; pane `pools`." },
	{ "08P01", "is paused", "pooler", "PgBouncer is paused", "`pool resume`" },
	{ "08P01", "server login", "pooler", "PgBouncer cannot log in to its server",
	    "Its log says why; it tries again after server_login_retry." },
	{ "08P01", "cannot connect to server", "pooler", "PgBouncer does not reach its server",
	    "Diagnose the server itself, at the address of its [databases]." },
	{ "08P01", "", "pooler", "what answers is no plain server, but a pooler that refuses", "" },
	{ "", "closed the connection", "server", "the server hung up during the login",
	    "Its log says why: a crash, an extension that is preloaded, or a proxy in between." },
	{ "", "does not support SSL", "tls", "the server has no TLS, and it is asked for",
	    "ssl = on on the server, or sslmode=prefer in the conninfo." },
	{ "", "certificate verify", "tls", "the server's certificate is not trusted", "" },
	{ "", "root certificate", "tls", "the file of authorities is missing", "" },
	{ "", "does not match host", "tls", "the server's certificate is for another name", "" },
	{ "", "timeout expired", "server", "no answer to the login in time",
	    "The server is overloaded or frozen: look at its machine." },
	{ "", "no password supplied", "login", "the server asks for a password, and there is none",
	    "Give it: ~/.pgpass, PGPASSWORD, -W; on RDS auth = iam or password_secret." },
};

static const struct verdict *
find_verdict(const struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		const struct verdict *v = &verdicts[i];
		bool fits = *v->sqlstate ?
		    strncmp(err->sqlstate, v->sqlstate, strlen(v->sqlstate)) == 0 :
		    !*err->sqlstate && err->code != ERR_CONFIG;

		if (fits && strstr(err->what, v->part))
			return v;
	}
	return NULL;
}

/* The address in a line of pg_hba.conf that would be for this machine. */
static const char *
own_address(const struct walk *w)
{
	char source[64];

	if (!w->first)
		return "";
	if (!reach_source(w->first, source, sizeof(source)))
		return "ADDRESS";
	return arena_printf(w->arena, "%s/%s", source, strchr(source, ':') ? "128" : "32");
}

static const char *
filled(const struct walk *w, const char *text)
{
	struct strbuf sb = STRBUF_INIT(1024);
	const char *result;

	for (; *text; text++) {
		if (*text != '@' || !strchr("UDAS", text[1]) || !text[1])
			strbuf_addc(&sb, *text);
		else if (*++text == 'U')
			strbuf_adds(&sb, w->where->user);
		else if (*text == 'D')
			strbuf_adds(&sb, w->where->database);
		else if (*text == 'A')
			strbuf_adds(&sb, own_address(w));
		else
			strbuf_adds(&sb, w->has_tls ? "ssl" : "");
	}
	result = arena_strndup(w->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return result;
}

static void
add_source(struct walk *w)
{
	const char *home = getenv("HOME"), *file = getenv("PGPASSFILE");
	const char *path =
	    file && *file ? file : arena_printf(w->arena, "%s/.pgpass", home ? home : "");

	if (pg_is_login(w->target->password))
		check_evidence(w->checks, "the password: %s",
		    strstr(w->target->password, "\"secret\"") ?
		        "of the secret in Secrets Manager" :
		        "an IAM token, where one is asked for");
	else if (w->target->password)
		check_evidence(w->checks, "the password: as it was typed");
	else if (w->where->has_password)
		check_evidence(
		    w->checks, "the password: of the conninfo, its service, or PGPASSWORD");
	else
		check_evidence(w->checks, "the password: %s %s",
		    access(path, R_OK) == 0 ? "by a line of" : "none; there is no", path);
}

static void
say_refused(struct walk *w, const struct error *err)
{
	const struct verdict *v = find_verdict(err);

	if (!v) {
		check_add(w->checks, "login", CHECK_FAIL, "%s", err->what);
		check_remedy(w->checks, "%s", err->hint);
	} else {
		check_add(w->checks, v->area, CHECK_FAIL, "%s", filled(w, v->what));
		check_evidence(w->checks, "%s%s%s", *err->sqlstate ? err->sqlstate : "",
		    *err->sqlstate ? ": " : "", err->what);
		check_remedy(w->checks, "%s", *v->remedy ? filled(w, v->remedy) : err->hint);
	}
	if (strncmp(err->sqlstate, "28", 2) == 0 || err->code == ERR_AUTH)
		add_source(w);
	/* The one case in which the server would let the same role in by other means. */
	if (strcmp(err->sqlstate, "28000") == 0 && strstr(err->what, "no encryption") && w->has_tls)
		check_remedy(
		    w->checks, "Ask for TLS: sslmode=require; pg_hba.conf has only hostssl.");
}

/* ------------------------------------------------------------------ let in */

static void
say_limit(struct walk *w, const struct rowset *rows, const char *what, const char *limit,
    const char *used)
{
	int64_t most = cell_i64(rowset_get(rows, 0, limit), -1);
	int64_t now = cell_i64(rowset_get(rows, 0, used), 0);

	if (most < 0)
		return;
	check_evidence(w->checks, "%s: %lld of %lld", what, (long long)now, (long long)most);
	if (now * 10 >= most * 9)
		w->checks->items[w->checks->n - 1].state = CHECK_WARN;
}

static void
say_slots(struct walk *w, const struct rowset *rows)
{
	int64_t in_use = cell_i64(rowset_get(rows, 0, "in_use"), 0);
	int64_t most = cell_i64(rowset_get(rows, 0, "max_connections"), 0);
	int64_t reserved = cell_i64(rowset_get(rows, 0, "reserved"), 0);
	bool is_tight = in_use * 10 >= (most - reserved) * 9;

	check_add(w->checks, "slots", is_tight ? CHECK_WARN : CHECK_OK,
	    "%lld of %lld connections, %lld of them reserved", (long long)in_use, (long long)most,
	    (long long)reserved);
	say_limit(w, rows, w->where->user, "role_limit", "role_used");
	say_limit(w, rows, w->where->database, "database_limit", "database_used");
	if (w->checks->items[w->checks->n - 1].state == CHECK_WARN)
		check_remedy(w->checks,
		    "Soon nobody gets in: end idle sessions (`terminate where state:idle`), use a pooler.");
}

static void
say_let_in(struct walk *w, struct pg_sync *pg)
{
	struct error err = { 0 };
	struct pg_peer peer;
	struct rowset *rows = pg_sync_run(pg, "look_connect", NULL, 0, WALK_NET_MS, &err);

	pg_sync_peer(pg, &peer);
	check_add(w->checks, "login", CHECK_OK, "%s is let into %s of PostgreSQL %d", peer.user,
	    peer.database, peer.version_num / 10000);
	if (!rows || rows->nrows != 1) {
		check_add(
		    w->checks, "session", CHECK_FAIL, "let in, but not answered: %s", err.what);
		check_remedy(w->checks, "%s", err.hint);
		rowset_unref(rows);
		return;
	}
	check_evidence(w->checks, "a %s",
	    cell_i64(rowset_get(rows, 0, "is_standby"), 0) ? "standby: it takes no writes" :
	                                                     "primary");
	if (cell_i64(rowset_get(rows, 0, "pid"), 0) != peer.pid) {
		check_add(w->checks, "pooler", CHECK_OK, "a pooler is in between");
		check_evidence(w->checks, "the process that answers is not the one of the login");
	}
	say_slots(w, rows);
	rowset_unref(rows);
	w->report->is_reached = true;
}

void
walk_login(struct walk *w)
{
	struct error err = { 0 };
	struct pg_sync *pg = pg_sync_open(w->target->conninfo, w->target->password, &err);

	if (pg)
		say_let_in(w, pg);
	else
		say_refused(w, &err);
	pg_sync_close(pg);
}
