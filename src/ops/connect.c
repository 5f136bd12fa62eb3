#include "config.h"

#include "ops/connect.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ops/connect_priv.h"
#include "pg/login.h"

const char *
walk_rds_host(const struct walk *w)
{
	for (int i = 0; i < w->where->nhosts; i++)
		if (pg_is_rds_host(w->where->hosts[i].host))
			return w->where->hosts[i].host;
	return *w->target->instance ? w->target->instance : w->target->cluster;
}

static void
say_target(struct walk *w)
{
	const struct pg_where *where = w->where;
	const struct pg_where_host *first = &where->hosts[0];

	check_add(w->checks, "target", CHECK_OK, "%s port %s, user %s, database %s", first->host,
	    first->port, where->user, where->database);
	for (int i = 1; i < where->nhosts; i++)
		check_evidence(
		    w->checks, "or %s port %s", where->hosts[i].host, where->hosts[i].port);
	if (*where->service)
		check_evidence(w->checks, "service %s", where->service);
	check_evidence(w->checks, "sslmode %s%s%s", where->sslmode,
	    *where->sslrootcert ? ", authorities of " : "", where->sslrootcert);
}

/* What is the cause of what: the first of these that fails is told. */
static const char *const causes[] = { "target", "dns", "instance", "security group", "network acl",
	"route", "socket", "local", "tcp", "authorities", "server", "state", "tls", "pooler",
	"login", "database", "slots", "session" };

static void
conclude(struct connect_report *r)
{
	const struct check *found = NULL;

	r->remedy = "";
	if (r->is_reached) {
		r->verdict = "the target can be reached";
		for (int i = 0; i < r->checks.n; i++)
			if (r->checks.items[i].state == CHECK_FAIL ||
			    (!found && r->checks.items[i].state == CHECK_WARN))
				found = &r->checks.items[i];
		if (found)
			r->verdict = arena_printf(
			    &r->checks.arena, "the target can be reached; %s", found->what);
		r->remedy = found ? found->remedy : "";
		return;
	}
	for (size_t c = 0; c < ARRAY_LEN(causes) && !found; c++)
		for (int i = 0; i < r->checks.n && !found; i++)
			if (r->checks.items[i].state == CHECK_FAIL &&
			    strcmp(r->checks.items[i].area, causes[c]) == 0)
				found = &r->checks.items[i];
	r->verdict = found ? found->what : "it cannot be reached, for a reason that was not found";
	r->remedy = found ? found->remedy : "";
}

/* What was found about AWS is no obstacle where the network lets us through. */
static void
soften(struct walk *w)
{
	static const char *const of_network[] = { "security group", "network acl", "route" };

	for (int i = 0; w->first && !*w->from && i < w->checks->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(of_network); k++)
			if (w->checks->items[i].state == CHECK_FAIL &&
			    strcmp(w->checks->items[i].area, of_network[k]) == 0)
				w->checks->items[i].state = CHECK_WARN;
}

static void
hang_up(struct walk *w)
{
	for (int i = 0; i < w->nreaches; i++)
		if (w->reaches[i].fd >= 0)
			close(w->reaches[i].fd);
}

void
connect_walk(const struct op_target *target, const char *from, struct connect_report *out)
{
	struct walk w = { .target = target,
		.from = from ? from : "",
		.report = out,
		.checks = &out->checks,
		.arena = &out->checks.arena,
		.where = &out->where };
	struct error err = { 0 };

	memset(out, 0, sizeof(*out));
	if (!pg_where(w.arena, target->conninfo, &out->where, &err)) {
		check_add(w.checks, "target", CHECK_FAIL, "%s", err.what);
		check_remedy(w.checks, "%s", err.hint);
		conclude(out);
		return;
	}
	say_target(&w);
	walk_dns(&w);
	walk_tcp(&w);
	walk_local(&w);
	walk_rds(&w);
	soften(&w);
	walk_tls(&w);
	hang_up(&w);
	/* Where no packet gets through, the login would only say so again. */
	if (w.first || w.is_socket_live)
		walk_login(&w);
	conclude(out);
}

void
connect_report_release(struct connect_report *r)
{
	checks_release(&r->checks);
	memset(r, 0, sizeof(*r));
}
