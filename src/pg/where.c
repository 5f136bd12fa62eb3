#include "config.h"

#include "pg/where.h"

#include <stdlib.h>
#include <string.h>

#include "pg/login_priv.h"

/* The i-th element of a list with commas; the only one of a list stands for all. "" none. */
static const char *
element(struct arena *arena, const char *list, int i)
{
	if (!strchr(list, ','))
		return arena_strdup(arena, list);
	for (; i > 0 && *list; i--) {
		list += strcspn(list, ",");
		list += *list == ',';
	}
	return arena_strndup(arena, list, strcspn(list, ","));
}

static int
count(const char *list)
{
	int n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n < PG_WHERE_HOSTS ? n : PG_WHERE_HOSTS;
}

static void
read_hosts(struct arena *arena, const PQconninfoOption *options, struct pg_where *out)
{
	const char *hosts = login_option(options, "host");
	const char *addrs = login_option(options, "hostaddr");
	const char *ports = login_option(options, "port");

	out->nhosts = count(*addrs ? addrs : hosts);
	for (int i = 0; i < out->nhosts; i++) {
		struct pg_where_host *h = &out->hosts[i];

		h->host = element(arena, hosts, i);
		h->addr = element(arena, addrs, i);
		h->port = element(arena, ports, i);
		if (!*h->host)
			h->host = h->addr;
		if (!*h->port)
			h->port = "5432";
	}
}

bool
pg_where(struct arena *arena, const char *conninfo, struct pg_where *out, struct error *err)
{
	struct login_params list = { .n = 0 }, extra = { .n = 0 };
	PQconninfoOption *options;
	bool ok;

	memset(out, 0, sizeof(*out));
	login_param(&list, "dbname", conninfo ? conninfo : "");
	options = login_resolve(&list, err);
	if (!options)
		return false;
	read_hosts(arena, options, out);
#define OPTION(keyword) arena_strdup(arena, login_option(options, keyword))
	out->user = OPTION("user");
	out->database = OPTION("dbname");
	out->service = OPTION("service");
	out->sslmode = OPTION("sslmode");
	out->sslrootcert = OPTION("sslrootcert");
	out->gssencmode = OPTION("gssencmode");
#undef OPTION
	out->has_password = *login_option(options, "password") != '\0';
	out->timeout_s = (int)strtol(login_option(options, "connect_timeout"), NULL, 10);
	PQconninfoFree(options);
	ok = login_expand(arena, conninfo, NULL, &extra, err);
	for (int i = 0; ok && i < extra.n; i++) {
		if (strcmp(extra.keys[i], "sslmode") == 0)
			out->sslmode = extra.values[i];
		else if (strcmp(extra.keys[i], "sslrootcert") == 0)
			out->sslrootcert = extra.values[i];
	}
	return ok;
}
