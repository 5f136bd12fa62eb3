/* What stands in the way of a switchover, a failover, a drill: looked at before anything is
 * touched. */
#include "config.h"

#include <string.h>
#include <sys/statvfs.h>

#include "base/fmt.h"
#include "ops/gates.h"
#include "ops/local_follow.h"
#include "ops/local_pair.h"
#include "ops/local_sync.h"
#include "ops/op_server.h"
#include "ops/patroni.h"

enum { MAX_LAG = 16 << 20, MAX_XACT_S = 300, DEAD_TRIES = 3, DEAD_EVERY_MS = 200 };

bool
pair_is_own(struct node *n, const struct node_look *l, struct error *err)
{
	struct node_control c;
	struct error ignored = { 0 };
	const char *pidfile = node_read(n, "postmaster.pid", &ignored);

	if (!node_control(n, &c, err))
		return false;
	/* Its fourth line is the port. */
	for (int i = 0; pidfile && i < 3; i++) {
		pidfile = strchr(pidfile, '\n');
		pidfile += pidfile ? 1 : 0;
	}
	if ((int64_t)c.system_identifier == l->system_identifier && node_pid(n) && pidfile &&
	    strtoll(pidfile, NULL, 10) == l->port)
		return true;
	error_set(err, ERR_REFUSED, "the server of %s does not run in %s", n->name, n->data);
	return error_hint(err, "Check conninfo and data_directory of [target %s].", n->name);
}

static bool
keep_node(struct node *n, const struct node_look *l, struct error *err)
{
	struct op *op = n->op;
	struct arena *a = &op->arena;

	return op_fact_set(op, err, arena_printf(a, "log.%s", n->name), "%s", node_log(n)) &&
	    op_fact_set(op, err, arena_printf(a, "name.%s", n->name), "%s",
	        *l->cluster_name ? l->cluster_name : n->name) &&
	    op_fact_set(op, err, arena_printf(a, "slot.%s", n->name), "%s", l->slot_name) &&
	    op_fact_set(op, err, arena_printf(a, "uses.%s", n->name), "%s", l->slot_name);
}

/* What is done to a server behind Patroni's back it takes back, or it becomes a split brain. */
static bool
is_free(struct node *n, struct error *err)
{
	if (!patroni_runs(n->op, n->data, node_pid(n)))
		return true;
	error_set(err, ERR_REFUSED, "%s is run by Patroni", n->name);
	return error_hint(err,
	    "Set patroni_url of [target %s], and Patroni is asked. Where it is gone for good: remove patroni.dynamic.json from %s.",
	    n->op->target->name, n->data);
}

bool
pair_may_act(struct op *op, struct error *err)
{
	const struct op_target *other = op->target->standby;

	if (!other->read_only_why)
		return true;
	error_set(err, ERR_REFUSED, "%s is refused: %s is read-only",
	    op_kind_name(op->kind, &op->arena), other->name);
	return error_hint(err, "Because of %s.", other->read_only_why);
}

static bool
both_nodes(struct op *op, struct node *own, struct node *other, struct error *err)
{
	if (!op->target->standby) {
		error_set(err, ERR_CONFIG, "no standby of %s is known", op->target->name);
		return error_hint(
		    err, "standby = NAME of [target %s], and a [target NAME].", op->target->name);
	}
	return pair_may_act(op, err) && node_open(own, op, op->target, err) &&
	    node_open(other, op, op->target->standby, err) && is_free(own, err) &&
	    is_free(other, err);
}

static void
check_replication(struct gates *g, struct node *old, struct node *new, const struct node_look *p,
    const struct node_look *s)
{
	char lag_text[32];
	int64_t lag = p->lsn - s->lsn;

	gate(g, "streaming",
	    strcmp(s->receiver_status, "streaming") == 0 && s->sender_port == p->port,
	    "%s %s from port %lld, %s is at port %lld", new->name,
	    *s->receiver_status ? s->receiver_status : "receives nothing",
	    (long long)s->sender_port, old->name, (long long)p->port);
	gate(g, "lag", lag < MAX_LAG, "%s",
	    fmt_bytes(lag_text, sizeof(lag_text), lag > 0 ? (double)lag : 0));
	gate(g, "replay", !s->is_replay_paused, "%s", s->is_replay_paused ? "paused" : "goes on");
	gate(g, "timelines", p->timeline == s->timeline, "%lld and %lld", (long long)p->timeline,
	    (long long)s->timeline);
}

static void
check_work(struct gates *g, const struct node_look *p, const struct node_look *s)
{
	gate(g, "prepared", p->prepared == 0, "%lld prepared transactions", (long long)p->prepared);
	gate(g, "transactions", p->long_xact_s < MAX_XACT_S, "the longest runs for %.0f s",
	    p->long_xact_s);
	gate(g, "backups", p->backups == 0 && s->backups == 0, "%lld base backups under way",
	    (long long)(p->backups + s->backups));
	gate(g, "logical slots", p->logical_slots == 0, "%lld would not follow",
	    (long long)p->logical_slots);
	if (*p->archive_failed && strcmp(p->archive_mode, "off") != 0)
		gate(g, "archiving", false, "fails at WAL segment %s", p->archive_failed);
	else
		gate(g, "archiving", true, "%s",
		    strcmp(p->archive_mode, "off") == 0 ?
		        "off: no WAL but that of the two servers" :
		        "works");
}

/* Whom the new primary waits for: commits hang for ever where the old one does not count. */
static bool
check_sync(struct gates *g, struct node *old, struct node *new, const struct node_look *s)
{
	const char *name = op_fact(g->op, arena_printf(&g->op->arena, "name.%s", old->name));
	bool is_named;
	int needed = sync_waits_for(s->sync_names, name ? name : old->name, &is_named);

	if (needed == 0) {
		gate(g, "sync", true, "%s waits for no standby", new->name);
		return false;
	}
	gate(g, "sync", needed == 1 && is_named,
	    "%s waits for %d of synchronous_standby_names = %s%s", new->name, needed, s->sync_names,
	    needed == 1 && is_named ? ": writes go on when the old primary streams" :
	                              ": its writes would hang");
	return true;
}

static void
check_disk(struct gates *g, struct node *n, const struct node_look *l)
{
	char free_text[32], need_text[32];
	struct statvfs fs;
	double free_bytes;

	if (statvfs(arena_printf(&g->op->arena, "%s/pg_wal", n->data), &fs) != 0) {
		gate(g, "disk", false, "cannot look at pg_wal of %s", n->name);
		return;
	}
	free_bytes = (double)fs.f_bavail * (double)fs.f_frsize;
	gate(g, "disk", free_bytes > (double)l->max_wal_size, "%s has %s free, max_wal_size is %s",
	    n->name, fmt_bytes(free_text, sizeof(free_text), free_bytes),
	    fmt_bytes(need_text, sizeof(need_text), (double)l->max_wal_size));
}

static void
check_role(struct gates *g, struct node *n, const struct node_look *l, enum pair_need need)
{
	const char *lacks = l->lacks;

	if (!*lacks && need == PAIR_REWINDS && !l->can_be_source)
		lacks = "EXECUTE on pg_read_binary_file, pg_ls_dir and pg_stat_file, for pg_rewind";
	if (!*lacks && need != PAIR_SWITCHES && !l->can_create)
		lacks = "CREATE on the database";
	gate(g, "role", !*lacks, "%s at %s%s%s", *lacks ? "ours" : "enough", n->name,
	    *lacks ? " lacks " : "", lacks);
}

static void
check_way_back(struct gates *g, struct node *old, struct node *new)
{
	struct pair p = { .op = g->op, .old = *old, .new = *new, .way = PAIR_THERE };

	follow_gate(g, &p);
}

static bool
check(struct gates *g, struct node *old, struct node *new, const struct node_look *p,
    const struct node_look *s, enum pair_need need)
{
	check_replication(g, old, new, p, s);
	gate(g, "settings", strcmp(p->must_match, s->must_match) == 0,
	    "max_connections and what a standby must have as high: %s and %s", p->must_match,
	    s->must_match);
	check_work(g, p, s);
	if (need == PAIR_REWINDS)
		gate(g, "rewind", p->can_rewind, "%s",
		    p->can_rewind ?
		        "full_page_writes, and checksums or wal_log_hints" :
		        "full_page_writes is off, or neither checksums nor wal_log_hints are on");
	check_role(g, old, p, need);
	check_role(g, new, s, need);
	check_way_back(g, old, new);
	check_disk(g, old, p);
	check_disk(g, new, s);
	return check_sync(g, old, new, s);
}

bool
pair_still_green(struct pair *p, struct error *err)
{
	struct node_look primary, standby;
	struct gates g = { .op = p->op, .err = err };

	if (!node_look(&p->old, &primary, err) || !node_look(&p->new, &standby, err))
		return false;
	check_replication(&g, &p->old, &p->new, &primary, &standby);
	return g.red == 0;
}

static void
identify(struct op *op, const char *name, const struct node_look *l)
{
	op_identity(op, name, "%lld %s %lld", (long long)l->system_identifier,
	    l->is_standby ? "standby" : "primary", (long long)l->timeline);
}

bool
pair_gates(struct op *op, enum pair_need need, struct error *err)
{
	struct node own, other;
	struct node_look a, b;
	struct op_server server;
	struct gates g = { .op = op, .err = err };
	bool waits;

	if (!both_nodes(op, &own, &other, err) ||
	    !op_server_look(op, op->target, "server", &server, err) || !node_look(&own, &a, err) ||
	    !node_look(&other, &b, err) || !pair_is_own(&own, &a, err) ||
	    !pair_is_own(&other, &b, err) || !keep_node(&own, &a, err) ||
	    !keep_node(&other, &b, err))
		return false;
	identify(op, "own", &a);
	identify(op, "other", &b);
	if (a.system_identifier != b.system_identifier)
		return error_set(err, ERR_REFUSED, "%s and %s are no copies of one cluster",
		    own.name, other.name);
	if (a.is_standby == b.is_standby)
		return error_set(err, ERR_REFUSED, "%s and %s are both %s", own.name, other.name,
		    a.is_standby ? "standbys" : "primaries");
	doc_pair(&op->doc, "primary", ROLE_NORMAL, "%s", a.is_standby ? other.name : own.name);
	doc_pair(&op->doc, "standby", ROLE_NORMAL, "%s", a.is_standby ? own.name : other.name);
	waits = a.is_standby ? check(&g, &other, &own, &b, &a, need) :
	                       check(&g, &own, &other, &a, &b, need);
	return g.red == 0 && op_fact_set(op, err, "waits", "%d", waits) &&
	    op_fact_set(op, err, "there.timeline_before", "%lld",
	        (long long)(a.is_standby ? b.timeline : a.timeline)) &&
	    op_fact_set(op, err, "first", "%s", a.is_standby ? other.name : own.name);
}

bool
pair_gates_dead(struct op *op, bool is_fenced, struct error *err)
{
	struct node own, other, *old, *new;
	struct node_look a = { 0 }, b = { 0 }, *s;
	struct error why_a = { 0 }, why_b = { 0 };
	bool has_a, has_b;
	struct node_control c;

	if (!both_nodes(op, &own, &other, err))
		return false;
	has_a = node_look(&own, &a, &why_a);
	has_b = node_look(&other, &b, &why_b);
	if (has_a && has_b) {
		error_set(err, ERR_REFUSED, "%s is alive",
		    !a.is_standby     ? own.name :
		        !b.is_standby ? other.name :
		                        own.name);
		return error_hint(err, "`switchover` changes places without loss.");
	}
	if (!has_a && !has_b)
		return error_set(
		    err, ERR_CONNECT, "neither %s nor %s answers", own.name, other.name);
	old = has_a ? &other : &own;
	new = has_a ? &own : &other;
	s = has_a ? &a : &b;
	if (!s->is_standby)
		return error_set(err, ERR_REFUSED, "%s is a primary already", new->name);
	if (!node_control(old, &c, err) || !pair_is_own(new, s, err) || !keep_node(new, s, err))
		return false;
	if ((int64_t)c.system_identifier != s->system_identifier)
		return error_set(err, ERR_REFUSED, "%s and %s are no copies of one cluster",
		    own.name, other.name);
	/* Proof: no process in its directory, and nobody answers, several times. */
	for (int i = 0; i < DEAD_TRIES; i++) {
		if (!node_is_down(old) && !is_fenced) {
			error_set(
			    err, ERR_REFUSED, "%s does not answer, but it is not down", old->name);
			return error_hint(err,
			    "Stop it (pg_ctl -m immediate), or fence it and say `%s fenced`.",
			    op->kind->verb);
		}
		if (!op_wait_ms(op, DEAD_EVERY_MS, err))
			return false;
	}
	op_identity(op, "dead", "%s", old->name);
	identify(op, "new", s);
	doc_pair(&op->doc, "primary", ROLE_CRIT, "%s is down", old->name);
	doc_pair(&op->doc, "standby", ROLE_NORMAL, "%s", new->name);
	op->system_identifier = s->system_identifier;
	if (*s->sync_names)
		doc_pair(&op->doc, "sync", ROLE_WARN,
		    "%s waits for synchronous_standby_names = %s: its writes hang until one streams",
		    new->name, s->sync_names);
	return op_fact_set(
	           op, err, arena_printf(&op->arena, "log.%s", old->name), "%s", "/dev/null") &&
	    op_fact_set(op, err, arena_printf(&op->arena, "name.%s", old->name), "%s", old->name) &&
	    op_fact_set(op, err, arena_printf(&op->arena, "slot.%s", old->name), "%s", "") &&
	    op_fact_set(op, err, arena_printf(&op->arena, "uses.%s", old->name), "%s", "") &&
	    op_fact_set(op, err, "first", "%s", old->name);
}
