/*
 * Logins: what libpq is given besides the conninfo. libpq sorts out by itself where host, user and
 * sslmode come from (conninfo, service file, environment); to know before connecting, it is asked
 * for a connection that it refuses before it looks at the network.
 */
#include "config.h"

#include "pg/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "pg/conn_private.h"
#include "pg/fault.h"
#include "pg/login_priv.h"

static pg_login_fn *provider;

void
pg_login_provider(pg_login_fn *f)
{
	provider = f;
}

static bool
is_lazy(const char *password)
{
	return password && strncmp(password, PG_LOGIN_LAZY, strlen(PG_LOGIN_LAZY)) == 0;
}

bool
pg_is_login(const char *password)
{
	return is_lazy(password) ||
	    (password && strncmp(password, PG_LOGIN_MARK, strlen(PG_LOGIN_MARK)) == 0);
}

bool
pg_is_rds_host(const char *host)
{
	static const char *const ends[] = { ".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu",
		".c2s.ic.gov", ".sc2s.sgov.gov", ".cloud.adc-e.uk", ".csp.hci.ic.gov" };
	size_t len = strlen(host);

	if (!strstr(host, ".rds."))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t n = strlen(ends[i]);

		if (len > n && strcmp(host + len - n, ends[i]) == 0)
			return true;
	}
	return false;
}

bool
pg_rds_host_in(const char *conninfo, char *host, size_t size)
{
	static const char between[] = " \t\n=@/'\",:?&";

	for (const char *s = conninfo; *s;) {
		size_t len = strcspn(s, between);

		if (len < size) {
			memcpy(host, s, len);
			host[len] = '\0';
			if (pg_is_rds_host(host))
				return true;
		}
		s += len;
		s += strspn(s, between);
	}
	*host = '\0';
	return false;
}

bool
pg_rds_ca(char *path, size_t size)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	const char *dirs = getenv("XDG_DATA_DIRS");
	char first[512], next[512];

	snprintf(first, sizeof(first), "%s%s/pgmedic/rds-ca.pem",
	    data && *data ? data :
	        home      ? home :
	                    "",
	    data && *data ? "" : "/.local/share");
	snprintf(path, size, "%s", first);
	if (access(first, R_OK) == 0)
		return true;
	for (const char *d = dirs && *dirs ? dirs : "/usr/local/share:/usr/share"; *d;) {
		size_t len = strcspn(d, ":");

		snprintf(next, sizeof(next), "%.*s/pgmedic/rds-ca.pem", (int)len, d);
		if (len && access(next, R_OK) == 0) {
			snprintf(path, size, "%s", next);
			return true;
		}
		d += len + (d[len] == ':');
	}
	if (access("/etc/pgmedic/rds-ca.pem", R_OK) != 0)
		return false;
	snprintf(path, size, "/etc/pgmedic/rds-ca.pem");
	return true;
}

void
login_wipe(char *password)
{
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
}

void
login_param(struct login_params *list, const char *key, const char *value)
{
	if (list->n == LOGIN_PARAMS)
		fatal("too many parameters of a connection");
	list->keys[list->n] = key;
	list->values[list->n++] = value;
	list->keys[list->n] = list->values[list->n] = NULL;
}

const char *
login_option(const PQconninfoOption *options, const char *keyword)
{
	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return o->val ? o->val : "";
	return "";
}

/* A connection that has everything but is refused before anything is sent. */
static const char nonsense[] = "none of them";

static PGconn *
start_nowhere(const struct login_params *list)
{
	struct login_params all = *list;

	login_param(&all, "target_session_attrs", nonsense);
	return PQconnectStartParams(all.keys, all.values, 1);
}

const char *
login_password(struct arena *arena, const struct login_params *list)
{
	PGconn *pq = start_nowhere(list);
	const char *password = pq ? PQpass(pq) : NULL;

	if (password)
		password = *password ? arena_strdup(arena, password) : NULL;
	PQfinish(pq);
	return password;
}

PQconninfoOption *
login_resolve(const struct login_params *list, struct error *err)
{
	PQconninfoOption *options = NULL;
	PGconn *pq = start_nowhere(list);

	if (pq)
		options = PQconninfo(pq);
	/* Refused for another reason: so will be the connection itself. */
	if (!options || !strstr(PQerrorMessage(pq), nonsense)) {
		fault_message(err, pq ? PQerrorMessage(pq) : "out of memory", ERR_CONNECT);
		PQconninfoFree(options);
		options = NULL;
	}
	for (PQconninfoOption *o = options; o && o->keyword; o++)
		if (strcmp(o->keyword, "host") == 0 && (!o->val || !*o->val) &&
		    !*login_option(options, "hostaddr")) {
			free(o->val);
			o->val = xstrdup(PQhost(pq)); /* the folder of the socket */
		}
	PQfinish(pq);
	return options;
}

/* What the parameters and the login come to for one attempt. */
struct attempt {
	struct login_params list;
	const PQconninfoOption *options;
	char ca[512];
};

/* RDS's authorities are in no system's store. What was said of TLS is left as it is. */
static void
trust_rds(struct attempt *a)
{
	const char *mode = login_option(a->options, "sslmode"), *home = getenv("HOME");
	char own[512];

	if (!pg_is_rds_host(login_option(a->options, "host")) ||
	    *login_option(a->options, "sslrootcert") || !pg_rds_ca(a->ca, sizeof(a->ca))) {
		*a->ca = '\0';
		return;
	}
	snprintf(own, sizeof(own), "%s/.postgresql/root.crt", home ? home : "");
	if (strcmp(mode, "prefer") == 0) {
		login_param(&a->list, "sslmode", "verify-full");
	} else if (strncmp(mode, "verify-", 7) != 0 || access(own, R_OK) == 0) {
		*a->ca = '\0';
		return;
	}
	login_param(&a->list, "sslrootcert", a->ca);
}

static bool
ask_provider(const PQconninfoOption *options, const char *password, bool is_again,
    struct pg_login *login, struct error *err)
{
	const char *port = login_option(options, "port");
	struct pg_login_ask ask = {
		.what = password + strlen(PG_LOGIN_MARK),
		.host = login_option(options, "host"),
		.port = *port ? port : "5432",
		.user = login_option(options, "user"),
		.is_again = is_again,
	};

	memset(login, 0, sizeof(*login));
	if (!provider)
		return error_set(err, ERR_STATE, "nobody here knows this login");
	if (strchr(ask.host, ',')) {
		error_set(err, ERR_CONFIG, "such a login is for one host, and there are several");
		return error_hint(
		    err, "Name the endpoint of the cluster, which leads to its writer.");
	}
	return provider(&ask, login, err);
}

static bool
use_login(struct attempt *a, const struct pg_login *login, bool has_user, struct error *err)
{
	const char *mode = login_option(a->options, "sslmode");
	const char *host = login_option(a->options, "host");
	bool is_socket = !*host || *host == '/' || *host == '@';

	login_param(&a->list, "password", login->password);
	if (*login->user && !has_user)
		login_param(&a->list, "user", login->user);
	if (!login->needs_tls || is_socket)
		return true;
	if (strcmp(mode, "disable") == 0) {
		error_set(
		    err, ERR_REFUSED, "sslmode=disable would send a login token in the clear");
		return error_hint(
		    err, "Leave sslmode out of the conninfo: it is then at least require.");
	}
	if (!*a->ca && (strcmp(mode, "allow") == 0 || strcmp(mode, "prefer") == 0 || !*mode))
		login_param(&a->list, "sslmode", "require");
	/* Kerberos would be tried before TLS, and has no use for it. */
	login_param(&a->list, "gssencmode", "disable");
	return true;
}

/* NULL with *err; *needs: the server wants a password and libpq has none. */
static PGconn *
try_once(const struct attempt *a, bool *needs, struct error *err)
{
	bool is_late;
	PGconn *pq = connect_params(a->list.keys, a->list.values, &is_late);

	*needs = false;
	if (!pq)
		fatal("out of memory");
	if (PQstatus(pq) == CONNECTION_OK)
		return pq;
	*needs = PQconnectionNeedsPassword(pq) == 1;
	if (is_late && PQstatus(pq) != CONNECTION_BAD)
		fault_message(err, "timeout expired", ERR_CONNECT);
	else
		fault_connection(err, pq, ERR_CONNECT);
	PQfinish(pq);
	return NULL;
}

/* Did the conninfo, a service or the environment say who? Else libpq takes the system's user. */
static bool
has_user(const struct attempt *a)
{
	PQconninfoOption *defaults = PQconndefaults(), *said = NULL;
	bool found =
	    strcmp(login_option(a->options, "user"), login_option(defaults, "user")) != 0 ||
	    getenv("PGUSER");

	for (int i = 0; i < a->list.n && !found; i++)
		if (strcmp(a->list.keys[i], "dbname") == 0 &&
		    (said = PQconninfoParse(a->list.values[i], NULL))) {
			found = *login_option(said, "user") != '\0';
			PQconninfoFree(said);
		}
	PQconninfoFree(defaults);
	return found;
}

static PGconn *
connect_again(const struct attempt *base, const char *password, bool is_again, bool had_user,
    char *remedy, struct error *err)
{
	struct attempt a = *base;
	struct pg_login login;
	bool needs;
	PGconn *pq = NULL;

	if (ask_provider(a.options, password, is_again, &login, err) &&
	    use_login(&a, &login, had_user, err))
		pq = try_once(&a, &needs, err);
	memcpy(remedy, login.remedy, sizeof(login.remedy));
	login_wipe(login.password);
	return pq;
}

/* With a login: a password that the server refuses has perhaps been changed since it was read. */
static PGconn *
connect_login(const struct attempt *a, const char *password, bool is_again, struct error *err)
{
	bool had_user = has_user(a);
	char remedy[sizeof(((struct pg_login *)0)->remedy)] = "";
	PGconn *pq = connect_again(a, password, is_again, had_user, remedy, err);

	if (!pq && !is_again && strncmp(err->sqlstate, "28", 2) == 0) {
		*err = (struct error){ .code = ERR_OK };
		pq = connect_again(a, password, true, had_user, remedy, err);
	}
	if (!pq && *remedy && strncmp(err->sqlstate, "28", 2) == 0)
		error_hint(err, "%s", remedy);
	return pq;
}

PGconn *
login_connect(const struct login_params *list, const char *password, struct error *err)
{
	struct attempt a = { .list = *list };
	PQconninfoOption *options = login_resolve(list, err);
	struct error no_login = { .code = ERR_OK };
	bool needs;
	PGconn *pq;

	if (!options)
		return NULL;
	a.options = options;
	trust_rds(&a);
	if (pg_is_login(password) && !is_lazy(password)) {
		pq = connect_login(&a, password, false, err);
		goto out;
	}
	if (password && !is_lazy(password))
		login_param(&a.list, "password", password);
	pq = try_once(&a, &needs, err);
	if (!pq && needs && is_lazy(password) && pg_is_rds_host(login_option(options, "host"))) {
		pq = connect_login(&a, password, true, &no_login);
		if (!pq && strncmp(no_login.sqlstate, "28", 2) == 0)
			*err = no_login;
		else if (!pq)
			error_hint(err,
			    "Give the password: ~/.pgpass, PGPASSWORD; or auth = iam: %s",
			    no_login.what);
	}
out:
	if (!pq && pg_is_rds_host(login_option(options, "host")) && !*a.ca &&
	    strstr(err->what, "root certificate"))
		error_hint(err, "Put " PG_RDS_CA_URL " to %s.",
		    pg_rds_ca(a.ca, sizeof(a.ca)) ? "the place of sslrootcert" : a.ca);
	PQconninfoFree(options);
	return pq;
}

bool
login_expand(struct arena *arena, const char *conninfo, const char *password,
    struct login_params *extra, struct error *err)
{
	struct attempt a = { .list = { .n = 0 } };
	struct pg_login login = { 0 };
	PQconninfoOption *options;
	bool ok = true;

	login_param(&a.list, "dbname", conninfo ? conninfo : "");
	options = login_resolve(&a.list, err);
	if (!options)
		return false;
	a.options = options;
	trust_rds(&a);
	if (pg_is_login(password) && !is_lazy(password))
		ok = ask_provider(options, password, false, &login, err) &&
		    use_login(&a, &login, has_user(&a), err);
	else if (password && !is_lazy(password))
		login_param(&a.list, "password", password);
	extra->n = 0;
	for (int i = 1; ok && i < a.list.n; i++)
		login_param(extra, a.list.keys[i], arena_strdup(arena, a.list.values[i]));
	login_wipe(login.password);
	PQconninfoFree(options);
	return ok;
}
