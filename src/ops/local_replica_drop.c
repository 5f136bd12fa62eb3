/*
 * replica drop NAME: a standby that is not needed any more is stopped, and its slot on the primary
 * dropped, or the primary would keep WAL for it for ever. Its data directory is removed only where
 * `replica add` has made it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fmt.h"
#include "base/json.h"
#include "ops/gates.h"
#include "ops/kept.h"
#include "ops/local_copy.h"
#include "ops/local_pair.h"
#include "ops/local_replica.h"
#include "ops/local_sync.h"
#include "ops/local_tools.h"
#include "ops/op_server.h"
#include "pg/conninfo.h"

enum { TOOL_MS = 30000 };

/* ------------------------------------------------------------------ which one */

static bool
read_words(struct op *op, const char **name, struct error *err)
{
	const struct words *w = op->words;

	*name = w->n >= 3 ? w->w[2].text : "";
	if (copy_is_name(*name) &&
	    (w->n == 3 || (w->n == 4 && strcmp(w->w[3].text, "--standby") == 0)))
		return true;
	error_set(err, ERR_USAGE, "replica drop needs one name");
	return error_hint(err, "replica drop NAME [--standby]");
}

/* What follows `key` in a mark, to the end of its line; "" nothing. */
static const char *
of_mark(struct op *op, const char *mark, const char *key)
{
	const char *at = strstr(mark, key);

	if (!at)
		return "";
	at += strlen(key);
	return arena_strndup(&op->arena, at, strcspn(at, "\n"));
}

/* Made by `replica add`: below restore_root, with its mark. */
static bool
find_ours(struct op *op, const char *name, const char *root, const char *dir, struct error *err)
{
	const char *mark = copy_mark(op, dir), *of = of_mark(op, mark, COPY_REPLICA);
	const char *version;
	struct stat st;

	if (strcmp(of, op->target->name) != 0) {
		error_set(err, ERR_REFUSED, "%s is a replica of %s, not of %s", name, of,
		    op->target->name);
		return error_hint(err, "pgmedic run 'replica drop %s' %s", name, of);
	}
	if (!copy_is_finished(op, dir, err) || lstat(dir, &st) != 0)
		return false;
	version = local_read(op, arena_printf(&op->arena, "%s/data/PG_VERSION", dir), err);
	op_identity(op, "goes", "%s %lld %s", dir, (long long)st.st_ino, mark);
	return version && op_fact_set(op, err, "copy.root", "%s", root) &&
	    op_fact_set(op, err, "copy.dir", "%s", dir) &&
	    op_fact_set(op, err, "copy.major", "%ld", strtol(version, NULL, 10)) &&
	    op_fact_set(op, err, "data", "%s/data", dir) &&
	    op_fact_set(op, err, "goes", "%lld", (long long)st.st_ino) &&
	    op_fact_set(op, err, "mark", "%.*s", (int)strcspn(mark, "\n"), mark) &&
	    op_fact_set(op, err, "slot", "%s", of_mark(op, mark, "\nslot ")) &&
	    op_fact_set(op, err, "log", "%s/server.log", dir);
}

static bool
find(struct op *op, const char *name, const char **conninfo, struct error *err)
{
	const struct op_target *standby = op->target->standby;
	const char *root = copy_root(op, err), *dir, *mark;

	if (!root || !op_fact_set(op, err, "name", "%s", name))
		return false;
	dir = arena_printf(&op->arena, "%s/%s", root, name);
	mark = copy_mark(op, dir);
	*conninfo = CONNINFO_NONE;
	if (mark && strstr(mark, COPY_REPLICA))
		return find_ours(op, name, root, dir, err);
	if (standby && strcmp(standby->name, name) == 0) {
		if (!pair_may_act(op, err))
			return false;
		*conninfo = standby->conninfo;
		return op_fact_set(op, err, "data", "%s", standby->data_directory);
	}
	error_set(err, ERR_NOT_FOUND, "%s has no replica %s", op->target->name, name);
	return error_hint(
	    err, "Neither has `replica add` made %s, nor is it the target's standby.", dir);
}

/* ------------------------------------------------------------------ gates */

/* Another target goes by it: its switchover, its drill. */
static bool
check_named(struct op *op, const char *data, struct error *err)
{
	const char *name = op_fact(op, "name");

	for (const struct op_standby *s = op->target->standbys; s && s->of; s++) {
		if (strcmp(s->name, name) != 0 && strcmp(s->data_directory, data) != 0)
			continue;
		doc_pair(
		    &op->doc, "named", ROLE_WARN, "standby = %s of [target %s]", s->name, s->of);
		if (op_has_word(op, "--standby"))
			continue;
		error_set(err, ERR_REFUSED, "%s is the standby of [target %s]", name, s->of);
		return error_hint(err,
		    "Without it there is no switchover nor failover: say --standby if it shall go.");
	}
	return true;
}

/* Its connection: as its target says, else by its own port beside the primary. */
static const char *
reach(struct op *op, struct node *n, const char *conninfo, struct error *err)
{
	struct error ignored = { 0 };
	const char *pidfile = node_read(n, "postmaster.pid", &ignored);
	long port;

	if (!conninfo_is_none(conninfo))
		return conninfo;
	for (int i = 0; pidfile && i < 3; i++) {
		pidfile = strchr(pidfile, '\n');
		pidfile += pidfile ? 1 : 0;
	}
	port = pidfile ? strtol(pidfile, NULL, 10) : 0;
	return port > 0 && port < 65536 ?
	    conninfo_at(&op->arena, op->target->conninfo, op->peer.host, (int)port, err) :
	    conninfo;
}

static bool
check_users(struct gates *g, struct node *n)
{
	struct error why = { 0 };
	struct rowset *rows;

	if (!node_pid(n)) {
		gate_warn(g, "replica", false, "it does not run");
		return true;
	}
	rows = node_ask(n, "op_replica_users", NULL, 0, TOOL_MS, &why);
	if (!rows || rows->nrows != 1) {
		gate_warn(
		    g, "replica", false, "it runs, but does not say who uses it: %s", why.what);
	} else {
		int64_t followers = cell_i64(rowset_get(rows, 0, "followers"), 0),
		        sessions = cell_i64(rowset_get(rows, 0, "sessions"), 0);

		gate(g, "replicas of its own", followers == 0, "%lld", (long long)followers);
		gate_warn(g, "sessions", sessions == 0, "%lld%s", (long long)sessions,
		    sessions ? ", which are ended" : "");
	}
	rowset_unref(rows);
	return true;
}

/* Would commits of the primary wait for ever? */
static bool
check_primary(struct gates *g, struct node *n)
{
	struct op *op = g->op;
	struct error ignored = { 0 };
	struct node_look l;
	const char *params[] = { op_fact(op, "slot"), op_fact(op, "name") };
	struct node primary;
	struct rowset *rows;
	const struct cell *names, *state;
	bool is_named, counts, runs = node_pid(n) != 0, has_slot;
	int waits;

	node_by_sql(&primary, op, op->target);
	rows = node_ask(&primary, "op_replica_gone", params, 2, TOOL_MS, g->err);
	if (!rows)
		return false;
	names = rowset_get(rows, 0, "sync_names");
	state = rowset_get(rows, 0, "sync_state");
	waits = sync_waits_for(
	    names->type == CELL_TEXT ? arena_strndup(&op->arena, names->s, names->len) : "",
	    params[1], &is_named);
	/* One that streams by another name or through no slot may be the one that is waited for. */
	counts = state->type == CELL_TEXT ? strncmp(state->s, "async", state->len) != 0 :
	                                    runs && waits > 0;
	gate(g, "sync", !counts || cell_i64(rowset_get(rows, 0, "sync_count"), 0) > waits, "%s",
	    !counts ? "commits do not wait for it" :
	              "commits wait for it: synchronous_standby_names of the primary");
	has_slot = cell_i64(rowset_get(rows, 0, "has_slot"), 0) != 0;
	/* It may follow another standby, and its slot be there: one of the same name is not ours to
	 * drop. */
	if (has_slot && runs && !cell_i64(rowset_get(rows, 0, "is_slot_used"), 0) &&
	    node_look(n, &l, &ignored) && strcmp(l.receiver_status, "streaming") == 0)
		gate(g, "slot", false, "%s of %s is not what it streams through", params[0],
		    op->target->name);
	else
		gate_warn(g, "slot", has_slot, "%s%s", *params[0] ? params[0] : "none",
		    has_slot || !*params[0] ? "" : " is not there");
	rowset_unref(rows);
	return true;
}

/* ------------------------------------------------------------------ the plan */

/* Of a standby that we have not made: what it says itself. */
static bool
keep_foreign(struct op *op, struct node *n, struct error *err)
{
	struct node_look l;

	if (op_fact(op, "slot"))
		return true;
	if (!node_pid(n)) {
		error_set(err, ERR_REFUSED, "%s does not run: its slot is not known", n->name);
		return error_hint(err, "Start it first.");
	}
	return node_look(n, &l, err) && op_fact_set(op, err, "slot", "%s", l.slot_name) &&
	    op_fact_set(op, err, "log", "%s", node_log(n));
}

static void
add_steps(struct op *op)
{
	const char *name = op_fact(op, "name"), *slot = op_fact(op, "slot"),
	           *dir = op_fact(op, "copy.dir");

	op_add_step(op, "stop", "medium", "stop the replica", "fast: its sessions are ended");
	if (*slot)
		op_add_step(op, "unslot", "high", "drop its slot",
		    "%s of %s: WAL that only it needs goes", slot, op->target->name);
	if (dir)
		op_add_step(op, "remove", "high", "remove its folder",
		    "%s; it cannot be taken back, its data is its primary's", dir);
	else
		doc_pair(&op->doc, "stays", ROLE_NORMAL, "%s: pgmedic has not made it",
		    op_fact(op, "data"));
	op->question =
	    arena_printf(&op->arena, "drop %s, a replica of %s?", name, op->target->name);
}

bool
replica_drop_plan(struct op *op, struct error *err)
{
	struct gates g = { .op = op, .err = err };
	struct op_server server;
	struct op_target target;
	struct node n;
	const char *name, *conninfo, *data;

	op->confirm = OP_DESTROYS;
	if (!read_words(op, &name, err) || !replica_is_free(op, "", err) ||
	    !find(op, name, &conninfo, err) ||
	    !op_server_look(op, op->target, "server", &server, err))
		return false;
	data = op_fact(op, "data");
	if (!replica_is_free(op, data, err) || !replica_node(op, data, conninfo, &target, &n, err))
		return false;
	target.conninfo = reach(op, &n, conninfo, err);
	if (!target.conninfo || !replica_is_standby(&n, server.system_identifier, err) ||
	    !check_named(op, data, err) || !keep_foreign(op, &n, err))
		return false;
	doc_pair(&op->doc, "replica", ROLE_WARN, "%s in %s", name, data);
	gate(&g, "primary", !server.is_standby, "%s is %s", op->target->name,
	    server.is_standby ? "a standby" : "the primary");
	if (!check_users(&g, &n) || !check_primary(&g, &n) || g.red)
		return false;
	add_steps(op);
	return op_fact_set(op, err, "system", "%lld", (long long)server.system_identifier) &&
	    op_fact_set(
	        op, err, arena_printf(&op->arena, "log.%s", name), "%s", op_fact(op, "log"));
}

/* ------------------------------------------------------------------ the run */

static bool
open_node(struct op *op, struct op_target *target, struct node *n, struct error *err)
{
	return replica_node(op, op_fact(op, "data"), CONNINFO_NONE, target, n, err);
}

static bool
leave_down(struct op *op, struct error *err)
{
	const char *const members[][2] = { { "data", op_fact(op, "data") },
		{ "slot", op_fact(op, "slot") } };
	struct strbuf args = STRBUF_INIT(16384);
	bool first = true, ok;
	int64_t id;

	strbuf_addc(&args, '{');
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		json_key(&args, &first, members[i][0]);
		json_str(&args, members[i][1], strlen(members[i][1]));
	}
	strbuf_addc(&args, '}');
	ok = op_leave(op, "replica_down", args.buf, &id, err, "the replica %s is stopped",
	    op_fact(op, "name"));
	strbuf_release(&args);
	return ok;
}

bool
replica_stop_run(struct op *op, struct error *err)
{
	struct op_target target;
	struct node n;

	return open_node(op, &target, &n, err) &&
	    replica_is_standby(&n, op_fact_int(op, "system", 0), err) && leave_down(op, err) &&
	    node_stop(&n, "fast", err) &&
	    replica_is_standby(&n, op_fact_int(op, "system", 0), err) &&
	    (*op_fact(op, "slot") || op_settle_kind(op, "replica_down", err));
}

bool
replica_unslot_run(struct op *op, struct error *err)
{
	/* After that it is of no use to anybody: what is left of it is to be removed. */
	return op_same_cluster(op, op_fact_int(op, "system", 0), err) &&
	    replica_slot_drop(op, op_fact(op, "slot"), err) &&
	    op_settle_kind(op, "replica_down", err) &&
	    (!op_fact(op, "copy.dir") || copy_leave_directory(op, err));
}

bool
replica_remove_run(struct op *op, struct error *err)
{
	return copy_is_same(op, err) && copy_is_expendable(op, op_fact(op, "copy.dir"), err) &&
	    copy_leave_directory(op, err) && copy_remove(op, err);
}
