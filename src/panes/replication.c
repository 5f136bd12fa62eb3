/*
 * Replication: standbys that stream from here, slots, the receiver of a standby, logical
 * subscriptions, in one table. Byte lags are distances from the current WAL position of this server
 * to what the other side has sent, written, flushed, replayed; which of them grows names the cause
 * (sender or network, the standby's disk, its replay).
 *
 * Lag in seconds is 0 when the positions agree: the server's own figures keep their last value, and
 * on a standby now() - pg_last_xact_replay_timestamp() grows for as long as the primary is idle.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "panes/lookup.h"
#include "panes/pane.h"
#include "panes/sessions.h"
#include "panes/sync_names.h"

enum {
	C_KIND,
	C_NAME,
	C_PID,
	C_CLIENT,
	C_STATE,
	C_SYNC,
	C_SENT,
	C_WRITE,
	C_FLUSH,
	C_REPLAY,
	C_REPLAY_S,
	C_RETAINED,
	C_ACTIVE,
	C_WAL_STATUS,
	C_SAFE,
	C_WRITE_S,
	C_FLUSH_S,
	C_XMIN_AGE,
	C_SLOT_TYPE,
	C_DATABASE,
	C_TIMELINE,
	C_DETAIL,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_KIND] = { "kind", "KIND", COL_TEXT, 8, COL_KEY,
	    "standby, slot, receiver or subscription" },
	[C_NAME] = { "name", "NAME", COL_TEXT, 12, COL_KEY | COL_FIXED,
	    "application_name of a standby, name of a slot or subscription, sender of a receiver" },
	[C_PID] = { "pid", "PID", COL_INT, 7, COL_KEY | COL_HIDDEN, "process that serves it here" },
	[C_CLIENT] = { "client", "CLIENT", COL_TEXT, 0, COL_HIDDEN, "address of the standby" },
	[C_STATE] = { "state", "STATE", COL_TEXT, 9, 0,
	    "startup, catchup, streaming, backup; active or inactive; disabled" },
	[C_SYNC] = { "sync_state", "SYNC", COL_TEXT, 6, 0, "async, potential, sync or quorum" },
	[C_SENT] = { "sent_lag_bytes", "SENT", COL_BYTES, 6, 0,
	    "WAL written here and not sent yet" },
	[C_WRITE] = { "write_lag_bytes", "WRITE", COL_BYTES, 6, 0,
	    "not written by the standby yet" },
	[C_FLUSH] = { "flush_lag_bytes", "FLUSH", COL_BYTES, 6, 0,
	    "not flushed to the standby's disk yet; of a logical slot: not confirmed" },
	[C_REPLAY] = { "replay_lag_bytes", "REPLAY", COL_BYTES, 6, 0, "not replayed yet" },
	[C_REPLAY_S] = { "replay_lag_s", "LAG", COL_SECONDS, 7, 0,
	    "time until a commit is visible on the standby; 0 when it has all, idle or not" },
	[C_RETAINED] = { "retained_bytes", "RETAIN", COL_BYTES, 6, 0, "WAL kept for the slot" },
	[C_ACTIVE] = { "active", "ACTIVE", COL_BOOL, 6, COL_HIDDEN, "somebody uses it" },
	[C_WAL_STATUS] = { "wal_status", "WAL", COL_TEXT, 8, 0,
	    "reserved, extended, unreserved or lost: whether the slot's WAL is still there" },
	[C_SAFE] = { "safe_wal_bytes", "SAFE", COL_BYTES, 6, 0,
	    "WAL that may still be written before the slot is lost; unknown without max_slot_wal_keep_size: "
	    "then it can fill the disk" },
	[C_WRITE_S] = { "write_lag_s", "WRITE.S", COL_SECONDS, 7, COL_HIDDEN,
	    "write lag in seconds" },
	[C_FLUSH_S] = { "flush_lag_s", "FLUSH.S", COL_SECONDS, 7, COL_HIDDEN,
	    "flush lag in seconds" },
	[C_XMIN_AGE] = { "xmin_age", "XMIN", COL_COUNT, 6, COL_HIDDEN,
	    "transactions since the oldest snapshot it holds back" },
	[C_SLOT_TYPE] = { "slot_type", "TYPE", COL_TEXT, 8, COL_HIDDEN, "physical or logical" },
	[C_DATABASE] = { "database", "DATABASE", COL_TEXT, 0, COL_HIDDEN,
	    "database of a logical slot" },
	[C_TIMELINE] = { "timeline", "TLI", COL_INT, 3, COL_HIDDEN, "timeline that is received" },
	[C_DETAIL] = { "detail", "DETAIL", COL_QUERY, 10, 0,
	    "what is worth knowing about this row" },
};

static const enum probe_id probes[] = { PROBE_REPLICATION, PROBE_SLOTS, PROBE_RECEIVER,
	PROBE_CONFLICTS, PROBE_SUBSCRIPTIONS, PROBE_SETTINGS };

/* Distance from an LSN to the current one; NULL when either is unknown, never negative (the two are
 * read one after the other). */
static struct cell
lsn_lag(const struct cell *current, const struct cell *lsn)
{
	if (cell_is_null(current) || cell_is_null(lsn))
		return cell_null((enum cell_why)lsn->why);
	return cell_int(current->i > lsn->i ? current->i - lsn->i : 0);
}

/* The server's lag in seconds, or 0 when the positions agree. */
static struct cell
time_lag(const struct cell *bytes, const struct cell *seconds)
{
	if (!cell_is_null(bytes) && bytes->i == 0)
		return cell_float(0);
	return *seconds;
}

static void
add_standby(const struct pane_ctx *ctx, struct grid *grid, const struct rowset *rs, int row)
{
	const struct cell *pid = rowset_get(rs, row, "pid");
	const struct cell *cur = rowset_get(rs, row, "current_lsn");
	struct session_ref who = lookup_session(ctx->snap, cell_i64(pid, 0));
	struct grid_row *r = grid_add(grid);
	struct cell *c = r->cells;

	c[C_KIND] = cell_text("standby");
	c[C_NAME] = who.application ? *who.application : cell_null(WHY_NODATA);
	c[C_CLIENT] = who.client ? *who.client : cell_null(WHY_NODATA);
	c[C_PID] = *pid;
	c[C_STATE] = *rowset_get(rs, row, "state");
	c[C_SYNC] = *rowset_get(rs, row, "sync_state");
	c[C_SENT] = lsn_lag(cur, rowset_get(rs, row, "sent_lsn"));
	c[C_WRITE] = lsn_lag(cur, rowset_get(rs, row, "write_lsn"));
	c[C_FLUSH] = lsn_lag(cur, rowset_get(rs, row, "flush_lsn"));
	c[C_REPLAY] = lsn_lag(cur, rowset_get(rs, row, "replay_lsn"));
	c[C_WRITE_S] = time_lag(&c[C_WRITE], rowset_get(rs, row, "write_lag_s"));
	c[C_FLUSH_S] = time_lag(&c[C_FLUSH], rowset_get(rs, row, "flush_lag_s"));
	c[C_REPLAY_S] = time_lag(&c[C_REPLAY], rowset_get(rs, row, "replay_lag_s"));
	c[C_ACTIVE] = cell_bool(true);
	if (cell_is_null(&c[C_STATE])) {
		for (int i = C_STATE; i <= C_REPLAY_S; i++)
			c[i] = cell_null(WHY_DENIED);
		grid_note(grid, "denied", "the state of standbys is hidden from this role",
		    sessions_grant(ctx->snap, "pg_monitor", &grid->arena));
		return;
	}
	if (!cell_is(&c[C_STATE], "streaming"))
		c[C_STATE].role = ROLE_WARN;
	if (cell_num(&c[C_REPLAY_S], 0) > 60 || cell_num(&c[C_REPLAY], 0) > (1 << 30))
		c[C_REPLAY].role = c[C_REPLAY_S].role = ROLE_LAG_HIGH;
}

static const char *
slot_detail(struct grid *grid, const struct rowset *rs, int row, const struct cell *c)
{
	const struct cell *reason = rowset_get(rs, row, "invalidation_reason");
	const struct cell *plugin = rowset_get(rs, row, "plugin");

	if (!cell_is_null(reason))
		return arena_printf(&grid->arena, "invalidated: %.*s", (int)reason->len, reason->s);
	if (cell_is(&c[C_WAL_STATUS], "lost"))
		return "its WAL is gone: drop it and rebuild what used it";
	if (cell_is(&c[C_WAL_STATUS], "unreserved"))
		return "its WAL may be removed at the next checkpoint";
	if (!cell_i64(&c[C_ACTIVE], 1) && cell_is_null(&c[C_SAFE]))
		return "inactive and without limit: WAL is kept until the disk is full";
	if (!cell_i64(&c[C_ACTIVE], 1))
		return "inactive: nobody reads from it";
	if (!cell_is_null(plugin))
		return arena_printf(&grid->arena, "plugin %.*s", (int)plugin->len, plugin->s);
	return NULL;
}

static void
add_slot(struct grid *grid, const struct rowset *rs, int row)
{
	const struct cell *cur = rowset_get(rs, row, "current_lsn");
	const struct cell *xmin = rowset_get(rs, row, "xmin_age");
	const struct cell *catalog = rowset_get(rs, row, "catalog_xmin_age");
	struct grid_row *r = grid_add(grid);
	struct cell *c = r->cells;

	c[C_KIND] = cell_text("slot");
	c[C_NAME] = *rowset_get(rs, row, "slot_name");
	c[C_PID] = *rowset_get(rs, row, "active_pid");
	c[C_ACTIVE] = *rowset_get(rs, row, "active");
	c[C_STATE] = cell_text(cell_i64(&c[C_ACTIVE], 0) ? "active" : "inactive");
	c[C_RETAINED] = lsn_lag(cur, rowset_get(rs, row, "restart_lsn"));
	c[C_FLUSH] = lsn_lag(cur, rowset_get(rs, row, "confirmed_flush_lsn"));
	c[C_WAL_STATUS] = *rowset_get(rs, row, "wal_status");
	c[C_SAFE] = *rowset_get(rs, row, "safe_wal_size");
	c[C_SLOT_TYPE] = *rowset_get(rs, row, "slot_type");
	c[C_DATABASE] = *rowset_get(rs, row, "database");
	c[C_XMIN_AGE] = cell_num(xmin, -1) >= cell_num(catalog, -1) ? *xmin : *catalog;
	if (!cell_i64(&c[C_ACTIVE], 0))
		c[C_STATE].role = ROLE_WARN;
	if (cell_is(&c[C_WAL_STATUS], "lost") || cell_is(&c[C_WAL_STATUS], "unreserved"))
		c[C_WAL_STATUS].role = ROLE_CRIT;
	c[C_DETAIL] = cell_text(slot_detail(grid, rs, row, c));
}

/* Does the receiver really hear from its sender? A receiver that lost its connection also has
 * received = replayed. */
static bool
receiver_alive(const struct rowset *rs)
{
	const struct cell *now = rowset_get(rs, 0, "now");
	const struct cell *heard = rowset_get(rs, 0, "last_msg_receipt_time");
	double timeout = cell_num(rowset_get(rs, 0, "receiver_timeout_s"), 60);

	if (!cell_is(rowset_get(rs, 0, "status"), "streaming"))
		return false;
	if (cell_is_null(heard) || timeout <= 0)
		return true;
	return (double)(now->i - heard->i) / 1e6 < timeout;
}

/* A role without the privilege sees that there is a receiver, and what was replayed. */
static void
hide_receiver(const struct pane_ctx *ctx, struct grid *grid, struct cell *c)
{
	static const int hidden[] = { C_STATE, C_ACTIVE, C_TIMELINE, C_FLUSH };

	c[C_NAME] = cell_text("(hidden)");
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		c[hidden[i]] = cell_null(WHY_DENIED);
	/* All that came is replayed; whether all came is not known. */
	if (!cell_is_null(&c[C_REPLAY]) && c[C_REPLAY].i == 0)
		c[C_REPLAY_S] = cell_null(WHY_DENIED);
	grid_note(grid, "denied", "the state of the WAL receiver is hidden from this role",
	    sessions_grant(ctx->snap, "pg_monitor", &grid->arena));
}

static void
add_receiver(const struct pane_ctx *ctx, struct grid *grid, const struct rowset *rs)
{
	const struct cell *host = rowset_get(rs, 0, "sender_host");
	const struct cell *now = rowset_get(rs, 0, "now");
	const struct cell *replayed = rowset_get(rs, 0, "replayed_at");
	const struct cell *received = rowset_get(rs, 0, "receive_lsn");
	const struct cell *replay = rowset_get(rs, 0, "replay_lsn");
	double delay = cell_num(rowset_get(rs, 0, "apply_delay_s"), 0);
	bool alive = receiver_alive(rs);
	struct grid_row *r = grid_add(grid);
	struct cell *c = r->cells;

	c[C_KIND] = cell_text("receiver");
	c[C_PID] = *rowset_get(rs, 0, "pid");
	c[C_NAME] = cell_is_null(host) ?
	    cell_text("(no sender)") :
	    cell_text(arena_printf(&grid->arena, "%.*s:%lld", (int)host->len, host->s,
	        (long long)cell_i64(rowset_get(rs, 0, "sender_port"), 0)));
	c[C_STATE] = cell_is_null(&c[C_PID]) ? cell_text("stopped") : *rowset_get(rs, 0, "status");
	c[C_ACTIVE] = cell_bool(alive);
	c[C_TIMELINE] = *rowset_get(rs, 0, "received_tli");
	c[C_REPLAY] = cell_is_null(received) ? cell_null(WHY_NODATA) : lsn_lag(received, replay);
	c[C_FLUSH] = lsn_lag(received, rowset_get(rs, 0, "flushed_lsn"));
	if (alive && !cell_is_null(&c[C_REPLAY]) && c[C_REPLAY].i == 0)
		c[C_REPLAY_S] = cell_float(0);
	else if (!cell_is_null(replayed))
		c[C_REPLAY_S] = cell_float(fmax(0, (double)(now->i - replayed->i) / 1e6));
	else
		c[C_REPLAY_S] = cell_null(WHY_NODATA);
	if (!cell_is_null(&c[C_PID]) && cell_is_null(&c[C_STATE])) {
		hide_receiver(ctx, grid, c);
	} else if (cell_is_null(&c[C_PID])) {
		c[C_STATE].role = ROLE_CRIT;
		c[C_DETAIL] = cell_text(
		    "no WAL receiver runs: this standby gets nothing but from an archive");
	} else if (!alive) {
		c[C_STATE].role = ROLE_CRIT;
		c[C_DETAIL] =
		    cell_text("has not heard from its sender for longer than wal_receiver_timeout");
	} else if (cell_i64(rowset_get(rs, 0, "is_paused"), 0)) {
		c[C_REPLAY].role = c[C_REPLAY_S].role = ROLE_WARN;
		c[C_DETAIL] = cell_text("replay is paused (pg_wal_replay_resume() goes on)");
	} else if (delay > 0) {
		c[C_DETAIL] = cell_text(arena_printf(
		    &grid->arena, "delayed on purpose by %g s (recovery_min_apply_delay)", delay));
	} else if (cell_num(&c[C_REPLAY_S], 0) > 60) {
		c[C_REPLAY].role = c[C_REPLAY_S].role = ROLE_LAG_HIGH;
	}
}

static void
add_subscription(struct grid *grid, const struct rowset *rs, int row)
{
	bool enabled = cell_i64(rowset_get(rs, row, "enabled"), 0) != 0;
	const struct cell *pid = rowset_get(rs, row, "pid");
	int64_t errors = cell_i64(rowset_get(rs, row, "apply_errors"), 0) +
	    cell_i64(rowset_get(rs, row, "sync_errors"), 0);
	int64_t not_ready = cell_i64(rowset_get(rs, row, "tables_not_ready"), 0);
	struct grid_row *r = grid_add(grid);
	struct cell *c = r->cells;

	c[C_KIND] = cell_text("subscription");
	c[C_NAME] = *rowset_get(rs, row, "subname");
	c[C_PID] = *pid;
	c[C_ACTIVE] = cell_bool(!cell_is_null(pid));
	c[C_STATE] = cell_text(!enabled ? "disabled" : cell_is_null(pid) ? "stopped" : "streaming");
	c[C_STATE].role = cell_is(&c[C_STATE], "streaming") ? ROLE_NORMAL : ROLE_CRIT;
	c[C_REPLAY] =
	    lsn_lag(rowset_get(rs, row, "received_lsn"), rowset_get(rs, row, "latest_end_lsn"));
	if (errors > 0 || not_ready > 0)
		c[C_DETAIL] = cell_text(arena_printf(&grid->arena,
		    "%lld apply and sync errors, %lld of %lld tables not ready", (long long)errors,
		    (long long)not_ready, (long long)cell_i64(rowset_get(rs, row, "tables"), 0)));
}

/* "Can a failover lose a committed transaction?", answered with its reason. */
static void
rpo_fact(const struct pane_ctx *ctx, struct grid *grid, const struct rowset *senders)
{
	const struct rowset *settings = snapshot_rows(ctx->snap, PROBE_SETTINGS);
	struct sync_verdict v;
	int safe = 0;

	if (ctx->snap->server.is_standby) {
		grid_fact(grid, "rpo_zero", COL_BOOL, cell_null(WHY_NONE));
		grid_fact(grid, "rpo_zero_because", COL_TEXT,
		    cell_text("this is a standby: ask its primary"));
		return;
	}
	if (!settings || !senders) {
		grid_fact(grid, "rpo_zero", COL_BOOL, cell_null(WHY_NODATA));
		return;
	}
	for (int i = 0; i < senders->nrows; i++) {
		const struct cell *sync = rowset_get(senders, i, "sync_state");
		if (cell_is(rowset_get(senders, i, "state"), "streaming") &&
		    (cell_is(sync, "sync") || cell_is(sync, "quorum")))
			safe++;
	}
	v = sync_judge(lookup_setting(settings, "synchronous_standby_names"),
	    lookup_setting(settings, "synchronous_commit"), lookup_setting(settings, "fsync"),
	    safe);
	grid_fact(grid, "rpo_zero", COL_BOOL, cell_bool(v.is_zero));
	grid_fact(
	    grid, "rpo_zero_because", COL_TEXT, cell_text(arena_strdup(&grid->arena, v.because)));
}

static void
replication_facts(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct server_info *s = &ctx->snap->server;
	const struct rowset *conflicts = snapshot_rows(ctx->snap, PROBE_CONFLICTS);
	static const char *const kinds[] = { "tablespace", "lock", "snapshot", "bufferpin",
		"deadlock", "logical_slot" };
	int64_t sum = 0;

	grid_fact(grid, "role", COL_TEXT, cell_text(s->is_standby ? "standby" : "primary"));
	grid_fact(
	    grid, "timeline", COL_INT, s->timeline ? cell_int(s->timeline) : cell_null(WHY_NODATA));
	if (!s->is_standby || !conflicts)
		return;
	for (int i = 0; i < conflicts->nrows; i++)
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			sum += cell_i64(rowset_get(conflicts, i, kinds[k]), 0);
	grid_fact(grid, "conflicts", COL_COUNT, cell_int(sum));
}

static void
replication_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct rowset *senders = pane_rows(ctx, grid, PROBE_REPLICATION);
	const struct rowset *slots = pane_rows(ctx, grid, PROBE_SLOTS);
	const struct rowset *receiver =
	    ctx->snap->server.is_standby ? pane_rows(ctx, grid, PROBE_RECEIVER) : NULL;
	const struct rowset *subs = pane_rows(ctx, grid, PROBE_SUBSCRIPTIONS);

	if (receiver && receiver->nrows > 0)
		add_receiver(ctx, grid, receiver);
	for (int i = 0; senders && i < senders->nrows; i++)
		add_standby(ctx, grid, senders, i);
	for (int i = 0; slots && i < slots->nrows; i++)
		add_slot(grid, slots, i);
	for (int i = 0; subs && i < subs->nrows; i++)
		add_subscription(grid, subs, i);
	replication_facts(ctx, grid);
	rpo_fact(ctx, grid, senders);
	if (senders && grid->nrows == 0)
		grid_note(grid, "info", "no standby, slot or subscription on this server", "");
}

const struct pane pane_replication = {
	.name = "replication",
	.title = "Replication",
	.help =
	    "Standbys, slots, receiver and subscriptions with their lag, and whether a failover can lose a commit.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.fill = replication_fill,
};
