#include "config.h"

#include "ops/local_follow.h"

#include <string.h>

#include "ops/local_node_env.h"
#include "pg/conninfo.h"
#include "pg/login.h"
#include "pg/walsender.h"

#define PASSFILE "pgmedic.passfile"

enum { TOOL_MS = 30000 };

const char *
follow_missing_line(struct op *op, const char *what)
{
	static const char from[] = "from host \"", by[] = "user \"";
	const char *host = strstr(what, from), *user = strstr(what, by), *ip;

	if (!strstr(what, "no pg_hba.conf entry for replication") || !host || !user)
		return NULL;
	host += strlen(from);
	user += strlen(by);
	user = arena_strndup(&op->arena, user, strcspn(user, "\""));
	ip = arena_strndup(&op->arena, host, strcspn(host, "\""));
	if (strcmp(ip, "[local]") == 0)
		return arena_printf(&op->arena, "local replication %s scram-sha-256", user);
	return arena_printf(&op->arena, "%s replication %s %s/%d scram-sha-256",
	    strstr(what, "SSL on") || strstr(what, "SSL encryption") ? "hostssl" : "host", user, ip,
	    strchr(ip, ':') ? 128 : 32);
}

static const char *
old_name(struct pair *p)
{
	const char *name = op_fact(p->op, arena_printf(&p->op->arena, "name.%s", p->old.name));

	return name ? name : p->old.name;
}

/* NULL and *err: the new primary does not say how it reached the old one, or that is no conninfo.
 */
static const char *
as_it_was(struct pair *p, struct error *err)
{
	struct rowset *rows = node_ask(&p->new, "op_conninfo", NULL, 0, TOOL_MS, err);
	const struct cell *c = rows && rows->nrows ? rowset_get(rows, 0, "primary_conninfo") : NULL;
	const char *base =
	    c && c->type == CELL_TEXT ? arena_strndup(&p->op->arena, c->s, c->len) : "";

	rowset_unref(rows);
	return rows ?
	    conninfo_follow(&p->op->arena, base, p->new.target->conninfo, old_name(p), false, err) :
	    NULL;
}

struct way {
	const char *conninfo;
	const char *user;     /* of the target's login, NULL: as it was */
	const char *password; /* that goes into the file; "" none */
};

/* By the login of the target. A password that a provider makes is not for a file. */
static bool
by_target(struct pair *p, struct way *w, struct error *err)
{
	const struct op_target *t = p->new.target;
	struct arena *arena = &p->op->arena;
	struct walsender login;

	if (pg_is_login(t->password))
		return error_set(err, ERR_AUTH, "its password is not for a file");
	if (!walsender_try(arena, t->conninfo, t->password, &login, err))
		return false;
	w->user = login.user;
	w->password = login.password;
	w->conninfo = walsender_conninfo(arena, t->conninfo, t->password, old_name(p),
	    arena_printf(arena, "%s/" PASSFILE, p->old.data), err);
	return w->conninfo != NULL;
}

/* *err, where it is false: why the first of the two ways is none. */
static bool
find(struct pair *p, struct way *w, struct error *err)
{
	struct arena *arena = &p->op->arena;
	struct error second = { 0 };

	*w = (struct way){ .conninfo = as_it_was(p, err), .password = "" };
	if (!w->conninfo)
		return false;
	/* A password file of ours belongs to one of the two servers. */
	if (!strstr(w->conninfo, "/" PASSFILE) &&
	    walsender_may(w->conninfo, arena_printf(arena, "%s/.pgpass", node_home(&p->old)), err))
		return true;
	if (by_target(p, w, &second))
		return true;
	if (err->code == ERR_OK)
		*err = second;
	return false;
}

void
follow_gate(struct gates *g, struct pair *p)
{
	struct error err = { 0 };
	struct way w;
	const char *line;

	if (find(p, &w, &err)) {
		gate(g, "way back", true, "%s can follow %s %s%s%s", p->old.name, p->new.name,
		    w.user ? "as " : "by its primary_conninfo", w.user ? w.user : "",
		    *w.password ? "; the password goes into " PASSFILE " of its data directory" :
		                  "");
		return;
	}
	line = follow_missing_line(g->op, err.what);
	gate(g, "way back", false, "%s could not follow %s: %s%s", p->old.name, p->new.name,
	    line ? "pg_hba.conf lacks: " : "", line ? line : err.what);
	if (g->red == 1)
		error_hint(g->err,
		    "Let primary_conninfo of %s log in there: password, ~/.pgpass, pg_hba.conf. Nothing has been touched.",
		    p->new.name);
}

const char *
follow_conninfo(struct pair *p, struct error *err)
{
	struct error why = { 0 };
	struct way w;

	if (!find(p, &w, &why)) {
		/* It was let in when this was planned: the server tries on. */
		if (!w.conninfo)
			*err = why;
		return w.conninfo;
	}
	if (*w.password &&
	    !node_write(
	        &p->old, PASSFILE, conninfo_passline(&p->op->arena, w.user, w.password), err))
		return NULL;
	return w.conninfo;
}
