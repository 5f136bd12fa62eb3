#include "config.h"

#include "ops/local_pair.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/json.h"
#include "ops/local_follow.h"
#include "ops/local_pooler.h"
#include "ops/local_tools.h"

enum {
	CATCH_UP_MS = 30000,
	PROMOTE_MS = 65000,
	CHECKPOINT_MS = 600000,
	STREAM_MS = 120000,
	LOOK_MS = 50,
	REWIND_MS = 3600 * 1000,
	TOOL_MS = 30000,
	MAX_TEXT = 1 << 20,
};

static const char *const way_names[] = { [PAIR_THERE] = "there", [PAIR_BACK] = "back" };

static const char *
key(struct pair *p, const char *name)
{
	return arena_printf(&p->op->arena, "%s.%s", way_names[p->way], name);
}

const char *
pair_fact(struct pair *p, const char *name)
{
	return op_fact(p->op, key(p, name));
}

static const char *
node_fact(struct op *op, const char *what, const struct node *n)
{
	const char *value = op_fact(op, arena_printf(&op->arena, "%s.%s", what, n->name));

	return value ? value : "";
}

bool
pair_open(struct pair *p, struct op *op, enum pair_way way, struct error *err)
{
	const char *first = op_fact(op, "first");
	const struct op_target *own = op->target, *other = op->target->standby;
	bool is_own_first;

	*p = (struct pair){ .op = op, .way = way };
	if (!first || !other)
		return error_set(err, ERR_STATE, "which servers change places is not known");
	is_own_first = strcmp(first, own->name) == 0;
	if (way == PAIR_BACK)
		is_own_first = !is_own_first;
	return node_open(&p->old, op, is_own_first ? own : other, err) &&
	    node_open(&p->new, op, is_own_first ? other : own, err);
}

/* ------------------------------------------------------------------ stop */

const char *
pair_node_args(struct op *op, const struct node *n, const char *slot)
{
	struct strbuf sb = STRBUF_INIT(4096);
	const char *text;
	bool first = true;

	strbuf_addc(&sb, '{');
	json_key(&sb, &first, "node");
	json_str(&sb, n->name, strlen(n->name));
	json_key(&sb, &first, "slot");
	json_str(&sb, slot, strlen(slot));
	strbuf_addc(&sb, '}');
	text = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}

/* What the standby reads by now is a slot that nobody uses once it is primary, and keeps WAL. */
static bool
leave_stale_slot(struct pair *p, struct error *err)
{
	const char *slot = node_fact(p->op, "uses", &p->new);
	int64_t id;

	return !*slot ||
	    op_leave(p->op, "stale_slot", pair_node_args(p->op, &p->old, slot), &id, err,
	        "slot %s of %s, where that is the standby", slot, p->old.name);
}

bool
pair_leave_down(struct pair *p, struct error *err)
{
	int64_t id;

	return leave_stale_slot(p, err) &&
	    op_leave(p->op, "server_down", pair_node_args(p->op, &p->old, ""), &id, err,
	        "the server of %s is stopped", p->old.name);
}

bool
pair_flush(struct pair *p, struct error *err)
{
	struct rowset *rows;

	op_progress(p->op, -1, "%s writes what has changed", p->old.name);
	rows = node_ask(&p->old, "op_checkpoint", NULL, 0, CHECKPOINT_MS, err);
	if (rows) {
		rowset_unref(rows);
		return true;
	}
	error_prefix(err, "checkpoint of %s", p->old.name);
	return *err->hint ? false : error_hint(err, "It serves as before: nothing was stopped.");
}

bool
pair_stop(struct pair *p, struct error *err)
{
	if (!pair_leave_down(p, err))
		return false;
	if (node_stop(&p->old, "fast", err))
		return true;
	/* Asked once it ends, whether we wait for that or not. */
	pair_go_back(p, err);
	return false;
}

enum op_seen
pair_stop_seen(struct pair *p, struct error *err)
{
	struct node_control c;

	if (node_pid(&p->old))
		return OP_NOT_SEEN;
	if (!node_control(&p->old, &c, err))
		return OP_UNSURE;
	if (strcmp(c.state, "shut down") == 0)
		return OP_SEEN;
	error_set(err, ERR_STATE, "%s is down, but not shut down: %s", p->old.name, c.state);
	error_hint(err, "Look at its log; `job undo %lld` starts it.", (long long)p->op->job);
	return OP_UNSURE;
}

/* Before anybody was promoted: as it was; also where this was stopped, or cannot be written down.
 */
void
pair_go_back(struct pair *p, struct error *err)
{
	const volatile sig_atomic_t *stop = p->op->stop;
	struct error more = { 0 };
	bool ok;

	p->op->stop = NULL;
	ok = node_start(&p->old, &more);
	if (ok && pooler_is_there(p->op) && op_fact(p->op, "pooler"))
		ok = pooler_resume(p->op, "", &more);
	ok = ok && op_settle_kind(p->op, "server_down", &more) &&
	    op_settle_kind(p->op, "stale_slot", &more);
	p->op->stop = stop;
	if (ok)
		error_hint(err, "%s is primary again, as it was.", p->old.name);
	else
		error_hint(err, "And to go back failed: %.180s", more.what);
}

bool
pair_catch_up(struct pair *p, struct error *err)
{
	struct mono begin = mono_now();
	struct node_control c;
	struct node_look l = { 0 };

	if (!node_control(&p->old, &c, err) ||
	    (strcmp(c.state, "shut down") != 0 &&
	        !error_set(
	            err, ERR_STATE, "%s was not shut down in order: %s", p->old.name, c.state))) {
		pair_go_back(p, err);
		return false;
	}
	/* The checkpoint of the shutdown is its last record: replay has to be behind its begin. */
	for (;;) {
		struct error why = { 0 };

		if (node_look(&p->new, &l, &why) && l.lsn > (int64_t)c.checkpoint)
			return op_fact_set(p->op, err, key(p, "shutdown_lsn"), "%X/%X",
			    (unsigned)(c.checkpoint >> 32), (unsigned)c.checkpoint);
		if (mono_since_ms(mono_now(), begin) > CATCH_UP_MS)
			break;
		if (!op_wait_ms(p->op, LOOK_MS, err)) {
			pair_go_back(p, err);
			return false;
		}
	}
	error_set(err, ERR_STATE, "%s has not got all of %s: %X/%X of %X/%X", p->new.name,
	    p->old.name, (unsigned)(l.lsn >> 32), (unsigned)l.lsn, (unsigned)(c.checkpoint >> 32),
	    (unsigned)c.checkpoint);
	pair_go_back(p, err);
	return false;
}

/* ------------------------------------------------------------------ promote */

static bool
keep_promoted(struct pair *p, const struct node_look *l, struct error *err)
{
	return op_fact_set(p->op, err, key(p, "timeline_after"), "%lld", (long long)l->timeline);
}

/* Did this job stop the old primary? Then it starts it again where nobody was promoted. */
static bool
is_stopped_by_us(struct pair *p)
{
	struct job_leftover *items;
	struct error ignored = { 0 };
	bool is_it = false;
	int n;

	if (!jobs_leftovers(p->op->journal, p->op->job, &p->op->arena, &items, &n, &ignored))
		return true;
	for (int i = 0; i < n; i++)
		is_it |= strcmp(items[i].kind, "server_down") == 0;
	return is_it;
}

/* All that must hold, and be written down, before a promotion is asked for. */
static bool
may_promote(struct pair *p, struct node_look *l, struct error *err)
{
	int64_t before;

	if (!op_fact(p->op, "fenced") && !node_is_down(&p->old)) {
		error_set(err, ERR_REFUSED, "%s runs: there would be two primaries", p->old.name);
		return error_hint(err, "Nothing was promoted.");
	}
	if (!node_look(&p->new, l, err))
		return false;
	/* A standby that has just been started again may tell the timeline of before: the primary
	 * knew. */
	before = op_fact_int(p->op, key(p, "timeline_before"), 0);
	return !l->is_standby || before >= l->timeline ||
	    op_fact_set(p->op, err, key(p, "timeline_before"), "%lld", (long long)l->timeline);
}

bool
pair_promote(struct pair *p, struct error *err)
{
	struct rowset *rows;
	struct node_look l;

	if (!may_promote(p, &l, err)) {
		if (is_stopped_by_us(p))
			pair_go_back(p, err);
		return false;
	}
	if (l.is_standby) {
		rows = node_ask(&p->new, "op_promote", NULL, 0, PROMOTE_MS, err);
		rowset_unref(rows);
		if (!rows || !node_look(&p->new, &l, err))
			return false;
	}
	if (l.is_standby)
		return error_set(err, ERR_STATE, "%s is still a standby", p->new.name);
	return keep_promoted(p, &l, err);
}

enum op_seen
pair_promote_seen(struct pair *p, struct error *err)
{
	struct node_look l;

	if (!node_look(&p->new, &l, err))
		return OP_UNSURE;
	if (l.is_standby)
		return OP_NOT_SEEN;
	return keep_promoted(p, &l, err) ? OP_SEEN : OP_UNSURE;
}

bool
pair_checkpoint(struct pair *p, struct error *err)
{
	struct mono begin = mono_now();
	struct rowset *rows = node_ask(&p->new, "op_checkpoint", NULL, 0, CHECKPOINT_MS, err);
	struct node_look l;

	rowset_unref(rows);
	while (rows) {
		if (!node_look(&p->new, &l, err))
			return false;
		if (l.checkpoint_timeline == l.timeline)
			return true;
		if (mono_since_ms(mono_now(), begin) > CHECKPOINT_MS)
			return error_set(err, ERR_TIMEOUT,
			    "the control file of %s still tells timeline %lld", p->new.name,
			    (long long)l.checkpoint_timeline);
		if (!op_wait_ms(p->op, LOOK_MS, err))
			return false;
	}
	return false;
}

/* ------------------------------------------------------------------ the old one follows */

const char *
pair_slot_name(struct op *op, const char *name)
{
	struct strbuf sb = STRBUF_INIT(63);
	const char *slot;

	strbuf_adds(&sb, "pgmedic_");
	for (const char *s = name; *s; s++) {
		char c = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;

		strbuf_addc(&sb, (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_');
	}
	slot = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return slot;
}

/* The slot that the old primary will use: its own of before, else one of ours; on the way back none
 * where it had none. */
static const char *
slot_of(struct pair *p)
{
	const char *own = node_fact(p->op, "slot", &p->old);

	return *own || p->way == PAIR_BACK ? own : pair_slot_name(p->op, p->old.name);
}

bool
pair_slot(struct pair *p, struct error *err)
{
	const char *slot = slot_of(p), *params[] = { slot };
	struct rowset *rows;
	int64_t id;

	if (!*slot)
		return true;
	if (!op_leave(p->op, "slot", pair_node_args(p->op, &p->new, slot), &id, err,
	        "slot %s of %s keeps WAL", slot, p->new.name))
		return false;
	rows = node_ask(&p->new, "op_slot_make", params, 1, TOOL_MS, err);
	rowset_unref(rows);
	return rows != NULL;
}

/* The file without what is said anew: targets of an old recovery, and, but on the way back, how a
 * standby follows: there it is what it was before all this. */
static void
add_others(struct strbuf *sb, const char *text, bool is_back)
{
	static const char *const out[] = { "recovery_target", "primary_conninfo",
		"primary_slot_name" };

	while (*text) {
		size_t len = strcspn(text, "\n");
		bool is_out = false;

		for (size_t i = 0; i < (is_back ? 1 : ARRAY_LEN(out)); i++)
			is_out |= strncmp(text, out[i], strlen(out[i])) == 0;
		if (!is_out)
			strbuf_addf(sb, "%.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static bool
write_settings(struct pair *p, struct error *err)
{
	struct strbuf sb = STRBUF_INIT(MAX_TEXT);
	const char *now = node_read(&p->old, "postgresql.auto.conf", err);
	const char *conninfo = "", *slot = slot_of(p);
	bool is_back = p->way == PAIR_BACK, ok;

	ok = now && (is_back || (conninfo = follow_conninfo(p, err)));
	if (ok) {
		add_others(&sb, now, is_back);
		if (!is_back)
			strbuf_addf(&sb, "primary_conninfo = %s\nprimary_slot_name = %s\n",
			    local_conf_value(p->op, conninfo), local_conf_value(p->op, slot));
		ok = node_write(&p->old, "postgresql.auto.conf", sb.buf, err) &&
		    node_write(&p->old, "standby.signal", "", err) &&
		    op_fact_set(p->op, err, arena_printf(&p->op->arena, "uses.%s", p->old.name),
		        "%s", slot);
	}
	explicit_bzero(sb.buf, sb.len);
	strbuf_release(&sb);
	return ok;
}

bool
pair_rejoin(struct pair *p, struct error *err)
{
	struct node_look l;

	if (node_pid(&p->old))
		return error_set(err, ERR_STATE, "%s runs already", p->old.name);
	/* It follows only who is a primary. */
	if (!node_look(&p->new, &l, err))
		return false;
	if (l.is_standby)
		return error_set(err, ERR_STATE, "%s is no primary", p->new.name);
	return write_settings(p, err) && node_start(&p->old, err);
}

enum op_seen
pair_rejoin_seen(struct pair *p, struct error *err)
{
	struct node_look l;

	if (!node_pid(&p->old))
		return OP_NOT_SEEN;
	if (!node_look(&p->old, &l, err))
		return OP_UNSURE;
	if (l.is_standby)
		return OP_SEEN;
	error_set(err, ERR_STATE, "%s runs as a primary", p->old.name);
	error_hint(err, "Stop one of %s and %s at once.", p->old.name, p->new.name);
	return OP_UNSURE;
}

bool
pair_streams(struct pair *p, struct error *err)
{
	struct mono begin = mono_now();
	struct node_look primary, l = { .receiver_status = "" };

	if (!node_look(&p->new, &primary, err))
		return false;
	for (;;) {
		struct error why = { 0 };

		if (node_look(&p->old, &l, &why) && l.is_standby &&
		    strcmp(l.receiver_status, "streaming") == 0 && l.timeline == primary.timeline &&
		    l.lsn >= primary.lsn)
			break;
		if (mono_since_ms(mono_now(), begin) > STREAM_MS) {
			error_set(err, ERR_TIMEOUT, "%s does not stream from %s", p->old.name,
			    p->new.name);
			return error_hint(
			    err, "Look at its log: %s", node_fact(p->op, "log", &p->old));
		}
		if (!op_wait_ms(p->op, LOOK_MS, err))
			return false;
	}
	return op_settle_kind(p->op, "server_down", err) && op_settle_kind(p->op, "slot", err);
}

bool
pair_drop_slot(struct node *n, const char *slot, struct error *err)
{
	const char *params[] = { slot };
	struct rowset *rows = node_ask(n, "op_slot_drop", params, 1, TOOL_MS, err);

	rowset_unref(rows);
	return rows != NULL;
}

bool
pair_clean(struct pair *p, struct error *err)
{
	const char *slot = node_fact(p->op, "uses", &p->new);

	return !*slot ||
	    (pair_drop_slot(&p->old, slot, err) && op_settle_kind(p->op, "stale_slot", err));
}
