#include "config.h"

#include "pg/walsender.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "pg/login_priv.h"

enum { MAX_CONNINFO = 1 << 16 };

static PGconn *
log_in(const char *conninfo, const char *password, struct error *err)
{
	struct login_params list = { .n = 0 };

	login_param(&list, "connect_timeout", "5");
	login_param(&list, "dbname", conninfo);
	login_param(&list, "replication", "true");
	login_param(&list, "application_name", "pgmedic");
	return login_connect(&list, password, err);
}

static void
describe(struct arena *arena, PGconn *pq, struct walsender *out)
{
	const char *password = PQconnectionUsedPassword(pq) ? PQpass(pq) : NULL;

	*out = (struct walsender){
		.host = arena_strdup(arena, PQhost(pq) ? PQhost(pq) : ""),
		.user = arena_strdup(arena, PQuser(pq)),
		.port = (int)strtol(PQport(pq), NULL, 10),
		.password = arena_strdup(arena, password ? password : ""),
	};
}

bool
walsender_try(struct arena *arena, const char *conninfo, const char *password,
    struct walsender *out, struct error *err)
{
	PGconn *pq = log_in(conninfo, password, err);

	if (pq)
		describe(arena, pq, out);
	PQfinish(pq);
	return pq != NULL;
}

/* Does the conninfo bring a password of its own? */
static bool
has_password(const char *conninfo)
{
	PQconninfoOption *all = PQconninfoParse(conninfo, NULL);
	bool has = false;

	for (const PQconninfoOption *o = all; o && o->keyword; o++)
		has |= strcmp(o->keyword, "password") == 0 && o->val && *o->val;
	PQconninfoFree(all);
	return has;
}

bool
walsender_may(const char *primary_conninfo, const char *passfile, struct error *err)
{
	const char *ours = getenv("PGPASSWORD");
	struct login_params list = { .n = 0 };
	PGconn *pq;
	bool ok;

	login_param(&list, "connect_timeout", "5");
	if (passfile)
		login_param(&list, "passfile", passfile);
	login_param(&list, "dbname", primary_conninfo);
	login_param(&list, "replication", "true");
	pq = login_connect(&list, NULL, err);
	ok = pq != NULL;
	if (ok && PQconnectionUsedPassword(pq) && ours && *ours && !has_password(primary_conninfo))
		ok = error_set(
		    err, ERR_AUTH, "it asks for a password, which PGPASSWORD has here only");
	PQfinish(pq);
	return ok;
}

static void
add_pair(struct strbuf *sb, const char *keyword, const char *value)
{
	strbuf_addf(sb, "%s%s='", sb->len ? " " : "", keyword);
	for (const char *s = value; *s; s++) {
		if (*s == '\'' || *s == '\\')
			strbuf_addc(sb, '\\');
		strbuf_addc(sb, *s);
	}
	strbuf_addc(sb, '\'');
}

/* What is said anew, is not for a standby, or is a secret. */
static bool
is_left_out(const PQconninfoOption *o)
{
	static const char *const out[] = { "host", "port", "user", "password", "passfile", "dbname",
		"service", "replication", "application_name", "fallback_application_name",
		"target_session_attrs", "options", "client_encoding", "load_balance_hosts" };

	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		if (strcmp(out[i], o->keyword) == 0)
			return true;
	/* Of several hosts it is the one that answered. */
	if (strcmp(o->keyword, "hostaddr") == 0)
		return o->val && strchr(o->val, ',');
	return *o->dispchar == '*';
}

const char *
walsender_conninfo(struct arena *arena, const char *conninfo, const char *password,
    const char *application_name, const char *passfile, struct error *err)
{
	PGconn *pq = log_in(conninfo, password, err);
	PQconninfoOption *options = pq ? PQconninfo(pq) : NULL;
	struct strbuf sb = STRBUF_INIT(MAX_CONNINFO);
	const char *text;

	if (!pq)
		return NULL;
	add_pair(&sb, "user", PQuser(pq));
	if (PQconnectionUsedPassword(pq))
		add_pair(&sb, "passfile", passfile);
	if (PQhost(pq) && *PQhost(pq))
		add_pair(&sb, "host", PQhost(pq));
	add_pair(&sb, "port", PQport(pq));
	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		if (o->val && *o->val && !is_left_out(o))
			add_pair(&sb, o->keyword, o->val);
	add_pair(&sb, "application_name", application_name);
	text = arena_strndup(arena, sb.buf, sb.len);
	strbuf_release(&sb);
	PQconninfoFree(options);
	PQfinish(pq);
	return text;
}
