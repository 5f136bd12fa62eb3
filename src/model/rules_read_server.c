/* Figures of transaction ids, slots, archiving and replication. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/rules_priv.h"

/* Ids that may be used before the server stops taking writes: 2^31 less 3 million. */
static const double ids_in_all = 2144483648.0;
/* What a slot may hold back is judged against this where the free disk space is not known. */
static const double assumed_free = 50.0 * 1024 * 1024 * 1024;

static double
num(const struct rowset *rs, int row, const char *name)
{
	return cell_num(rowset_get(rs, row, name), NAN);
}

/* ---- transaction ids */

/* The database whose `column` is highest as a share of `of`; -1: none. */
static int
oldest_database(const struct rowset *rs, const char *column)
{
	int worst = -1;

	for (int i = 0; i < rs->nrows; i++)
		if (worst < 0 || num(rs, i, column) > num(rs, worst, column))
			worst = i;
	return worst;
}

static void
wraparound(struct rule_input *in, struct reading *out, const char *column, const char *kind)
{
	const struct rowset *rs = reading_rows(in, PROBE_WRAPAROUND, out);
	int worst = rs ? oldest_database(rs, column) : -1;
	double age;

	if (worst < 0)
		return;
	age = num(rs, worst, column);
	reading_is(out, 100 * age / ids_in_all);
	out->what = arena_printf(
	    in->arena, "%s %s ids are in use (%.1f%%)", reading_count(in, age), kind, out->value);
	out->evidence = arena_printf(in->arena, "database %s; %s are left before writes stop",
	    reading_text(in, rowset_get(rs, worst, "datname")),
	    reading_count(in, ids_in_all - age));
}

RULE_READER(xid_wraparound)
{
	wraparound(in, out, "xid_age", "transaction");
}

RULE_READER(mxid_wraparound)
{
	wraparound(in, out, "mxid_age", "multixact");
}

RULE_READER(freeze_overdue)
{
	const struct rowset *rs = reading_rows(in, PROBE_WRAPAROUND, out);
	double worst = -1;

	for (int i = 0; rs && i < rs->nrows; i++) {
		double xids = 100 * num(rs, i, "xid_age") / num(rs, i, "freeze_max_age");
		double mxids =
		    100 * num(rs, i, "mxid_age") / num(rs, i, "multixact_freeze_max_age");
		double share = fmax(xids, mxids);
		if (isnan(share) || share <= worst)
			continue;
		worst = share;
		out->what = arena_printf(in->arena,
		    "database %s is at %.0f%% of the age where vacuum is forced",
		    reading_text(in, rowset_get(rs, i, "datname")), share);
	}
	if (worst >= 0)
		reading_is(out, worst);
}

RULE_READER(xmin_horizon)
{
	const struct rowset *rs = reading_rows(in, PROBE_XMIN_HOLDERS, out);

	if (!rs)
		return;
	if (rs->nrows == 0) {
		reading_is(out, 0);
		out->what = "nothing holds vacuum back";
		return;
	}
	reading_is(out, fmax(0, cell_num(rowset_get(rs, 0, "xmin_age"), 0)));
	out->pid = cell_i64(rowset_get(rs, 0, "pid"), 0);
	out->what =
	    arena_printf(in->arena, "vacuum keeps all rows that died in the last %s transactions",
	        reading_count(in, out->value));
	out->evidence =
	    arena_printf(in->arena, "held by %s %s%s", reading_text(in, rowset_get(rs, 0, "kind")),
	        reading_text(in, rowset_get(rs, 0, "name")),
	        out->pid ? arena_printf(in->arena, ", pid %lld", (long long)out->pid) : "");
}

RULE_READER(prepared_transaction)
{
	const struct rowset *rs = reading_rows(in, PROBE_XMIN_HOLDERS, out);
	int n = 0;

	if (!rs)
		return;
	reading_is(out, 0);
	out->what = "none is prepared";
	for (int i = 0; i < rs->nrows; i++) {
		int64_t since = cell_i64(rowset_get(rs, i, "since"), 0);
		if (!cell_is(rowset_get(rs, i, "kind"), "prepared transaction") || !since)
			continue;
		n++;
		if (out->since && since >= out->since)
			continue;
		out->since = since;
		reading_is(out, fmax(0, (double)(in->now - since) / 1e6));
		out->what = arena_printf(in->arena, "'%s' has been prepared for %s",
		    reading_text(in, rowset_get(rs, i, "name")), reading_span(in, out->value));
		out->evidence = arena_printf(in->arena,
		    "database %s; it keeps its locks until COMMIT PREPARED or ROLLBACK PREPARED",
		    reading_text(in, rowset_get(rs, i, "database")));
	}
	if (n > 1)
		out->evidence = arena_printf(in->arena, "%s; %d are prepared", out->evidence, n);
}

/* ---- slots */

RULE_READER(slot_lost)
{
	const struct rowset *rs = reading_rows(in, PROBE_SLOTS, out);

	if (!rs)
		return;
	reading_is(out, 0);
	out->what = "no slot lacks WAL";
	for (int i = 0; i < rs->nrows; i++) {
		const struct cell *status = rowset_get(rs, i, "wal_status");
		double v = cell_is(status, "lost") ? 2 : cell_is(status, "unreserved") ? 1 : 0;
		if (v <= out->value)
			continue;
		reading_is(out, v);
		out->what = arena_printf(in->arena, "slot %s %s",
		    reading_text(in, rowset_get(rs, i, "slot_name")),
		    v > 1 ? "has lost WAL that it needs: its reader must start anew" :
		            "will lose WAL at the next checkpoint");
		out->evidence = arena_printf(in->arena, "%s slot, wal_status %s",
		    reading_text(in, rowset_get(rs, i, "slot_type")), reading_text(in, status));
	}
}

static double
retained(const struct rowset *rs, int i)
{
	return fmax(0, num(rs, i, "current_lsn") - num(rs, i, "restart_lsn"));
}

RULE_READER(slot_inactive)
{
	const struct rowset *rs = reading_rows(in, PROBE_SLOTS, out);
	int n = 0, first = -1;

	if (!rs)
		return;
	for (int i = 0; i < rs->nrows; i++) {
		int64_t since = cell_i64(rowset_get(rs, i, "inactive_since"), 0);
		if (cell_i64(rowset_get(rs, i, "active"), 1) ||
		    cell_i64(rowset_get(rs, i, "synced"), 0) ||
		    cell_is(rowset_get(rs, i, "wal_status"), "lost"))
			continue;
		n++;
		if (first < 0 || retained(rs, i) > retained(rs, first))
			first = i;
		if (since && (!out->since || since < out->since))
			out->since = since;
	}
	reading_is(out, n);
	out->what = "all slots are in use";
	if (n == 0)
		return;
	out->what = arena_printf(in->arena, "nobody reads from slot %s%s",
	    reading_text(in, rowset_get(rs, first, "slot_name")),
	    n > 1 ? arena_printf(in->arena, " and %d others", n - 1) : "");
	out->evidence = arena_printf(
	    in->arena, "it holds back %s of WAL", reading_bytes(in, retained(rs, first)));
}

RULE_READER(slot_retained)
{
	const struct rowset *rs = reading_rows(in, PROBE_SLOTS, out);
	const struct rowset *capacity = snapshot_rows(in->s, PROBE_CAPACITY);
	double free_bytes = capacity ? rules_volume(capacity, true).free_bytes : NAN;
	int worst = -1;

	if (!rs)
		return;
	for (int i = 0; i < rs->nrows; i++)
		if (!isnan(retained(rs, i)) && (worst < 0 || retained(rs, i) > retained(rs, worst)))
			worst = i;
	reading_is(out, 0);
	out->what = "no slot holds WAL back";
	if (worst < 0)
		return;
	reading_is(out,
	    100 * retained(rs, worst) / fmax(1, isnan(free_bytes) ? assumed_free : free_bytes));
	out->pid = cell_i64(rowset_get(rs, worst, "active_pid"), 0);
	out->what = arena_printf(in->arena, "slot %s holds back %s of WAL",
	    reading_text(in, rowset_get(rs, worst, "slot_name")),
	    reading_bytes(in, retained(rs, worst)));
	out->evidence = arena_printf(in->arena, "%s; %s",
	    cell_i64(rowset_get(rs, worst, "active"), 0) ? "its reader is behind" :
	                                                   "nobody reads from it",
	    isnan(free_bytes) ?
	        "the free disk space is not known" :
	        arena_printf(in->arena, "%s of disk are free", reading_bytes(in, free_bytes)));
}

/* ---- archiving */

static const struct rowset *
archiver(struct rule_input *in, struct reading *out)
{
	const struct rowset *rs = reading_rows(in, PROBE_ARCHIVER, out);

	if (!rs || rs->nrows == 0)
		return NULL;
	if (cell_is(rowset_get(rs, 0, "archive_mode"), "off") ||
	    (in->s->server.is_standby && !cell_is(rowset_get(rs, 0, "archive_mode"), "always"))) {
		reading_unused(out, "this server does not archive its WAL");
		return NULL;
	}
	return rs;
}

RULE_READER(archive_failing)
{
	const struct rowset *rs = archiver(in, out);
	int64_t failed, done, failures;

	if (!rs)
		return;
	failed = cell_i64(rowset_get(rs, 0, "last_failed_time"), 0);
	done = cell_i64(rowset_get(rs, 0, "last_archived_time"), 0);
	failures = cell_i64(rowset_get(rs, 0, "failed_count"), 0);
	if (!cell_i64(rowset_get(rs, 0, "has_command"), 1)) {
		reading_is(out, 1);
		out->what = "WAL is kept to be archived, and archive_command is empty";
		out->evidence = "the files stay and fill the disk until a command takes them";
		return;
	}
	reading_is(out, failed > done);
	out->what = "archiving works";
	if (failed <= done)
		return;
	out->since = failed;
	out->what = arena_printf(in->arena, "WAL file %s cannot be archived",
	    reading_text(in, rowset_get(rs, 0, "last_failed_wal")));
	out->evidence = arena_printf(in->arena, "%lld failure%s; %s", (long long)failures,
	    failures == 1 ? "" : "s",
	    done ? arena_printf(in->arena, "the last success was %s ago",
	               reading_span(in, fmax(0, (double)(in->now - done) / 1e6))) :
	           "no success yet");
}

/* Number of a WAL file within its timeline, -1: no such name. size: of a segment. */
static int64_t
segment(const struct cell *name, int64_t size)
{
	char part[9] = "";
	int64_t high, low;

	if (name->type != CELL_TEXT || name->len < 24 || size <= 0)
		return -1;
	memcpy(part, name->s + 8, 8);
	high = (int64_t)strtoll(part, NULL, 16);
	memcpy(part, name->s + 16, 8);
	low = (int64_t)strtoll(part, NULL, 16);
	return high * (INT64_C(0x100000000) / size) + low;
}

/* The file that is being written does not count. */
int64_t
rules_unarchived(const struct rowset *rs, int64_t segment_bytes)
{
	int64_t current, archived;

	if (rs->nrows == 0)
		return -1;
	current = segment(rowset_get(rs, 0, "current_wal"), segment_bytes);
	archived = segment(rowset_get(rs, 0, "last_archived_wal"), segment_bytes);
	if (current < 0 || archived < 0)
		return -1;
	return current > archived + 1 ? current - archived - 1 : 0;
}

RULE_READER(archive_behind)
{
	const struct rowset *rs = archiver(in, out);
	int64_t waiting, done, since;

	if (!rs)
		return;
	waiting = rules_unarchived(rs, in->s->server.wal_segment_size);
	done = cell_i64(rowset_get(rs, 0, "last_archived_time"), 0);
	if (waiting < 0 || !done) {
		reading_unknown(in, out, "which WAL file was archived last is not known");
		return;
	}
	/* Where little is written the last one may be hours old, and nothing wrong with that. */
	since = in->r->archived_at > done ? in->r->archived_at : done;
	reading_is(out, waiting > 0 ? fmax(0, (double)(in->now - since) / 1e6) : 0);
	out->what = "all finished WAL files are archived";
	if (waiting == 0)
		return;
	out->since = since;
	out->what = arena_printf(in->arena, "%lld finished WAL file%s to be archived for %s",
	    (long long)waiting, waiting == 1 ? " waits" : "s wait", reading_span(in, out->value));
	out->evidence = arena_printf(in->arena, "the last was %s, %s ago",
	    reading_text(in, rowset_get(rs, 0, "last_archived_wal")),
	    reading_span(in, fmax(0, (double)(in->now - done) / 1e6)));
}

/* ---- replication */

/* When the WAL passed a position: seconds since then, 0 unknown. */
static double
lag_of(const struct rule_input *in, int64_t lsn)
{
	const struct rules *r = in->r;

	for (int i = 0; i < r->nlag; i++)
		if (r->lag[i].lsn > lsn)
			return fmax(0, (double)(in->now - r->lag[i].at) / 1e6);
	return 0;
}

static void
lag_of_standbys(struct rule_input *in, struct reading *out, const struct rowset *rs)
{
	const struct rowset *act = snapshot_rows(in->s, PROBE_ACTIVITY);
	int worst = -1;

	reading_is(out, 0);
	out->what = "all standbys are up to date";
	for (int i = 0; i < rs->nrows; i++) {
		int64_t at = cell_i64(rowset_get(rs, i, "replay_lsn"), 0);
		int64_t current = cell_i64(rowset_get(rs, i, "current_lsn"), 0);
		double told = cell_num(rowset_get(rs, i, "replay_lag_s"), 0), lag;
		if (!at || at >= current)
			continue;
		lag = fmax(told, lag_of(in, at));
		if (worst >= 0 && lag <= out->value)
			continue;
		worst = i;
		reading_is(out, lag);
	}
	if (worst < 0)
		return;
	int64_t pid = cell_i64(rowset_get(rs, worst, "pid"), -1);
	const char *name = "";
	for (int k = 0; act && k < act->nrows; k++)
		if (cell_i64(rowset_get(act, k, "pid"), 0) == pid)
			name = reading_text(in, rowset_get(act, k, "application"));
	out->pid = pid;
	out->since = in->now - (int64_t)(out->value * 1e6);
	out->what =
	    arena_printf(in->arena, "standby %s is %s behind", name, reading_span(in, out->value));
	out->evidence = arena_printf(in->arena, "%s not sent, %s not flushed, %s not replayed",
	    reading_bytes(in, fmax(0, num(rs, worst, "current_lsn") - num(rs, worst, "sent_lsn"))),
	    reading_bytes(in, fmax(0, num(rs, worst, "sent_lsn") - num(rs, worst, "flush_lsn"))),
	    reading_bytes(in, fmax(0, num(rs, worst, "flush_lsn") - num(rs, worst, "replay_lsn"))));
}

/* On the standby itself. All that it has received is replayed: no lag while it streams. */
static void
lag_of_this(struct rule_input *in, struct reading *out)
{
	const struct rowset *server = reading_rows(in, PROBE_SERVER, out);
	const struct rowset *receiver = snapshot_rows(in->s, PROBE_RECEIVER);
	double behind, delay = 0, lag;
	int64_t replayed, at;

	if (!server || server->nrows == 0)
		return;
	at = cell_i64(rowset_get(server, 0, "wal_lsn"), 0);
	behind = num(server, 0, "receive_lsn") - (double)at;
	replayed = cell_i64(rowset_get(server, 0, "replay_time"), 0);
	if (receiver && receiver->nrows > 0)
		delay = cell_num(rowset_get(receiver, 0, "apply_delay_s"), 0);
	reading_is(out, 0);
	out->what = "all received WAL is replayed";
	if (!(behind > 0) || !replayed)
		return;
	/* The last commit may be old because the primary was idle: what counts is how long WAL has
	 * been here, where that was seen. */
	lag = (double)(in->now - replayed) / 1e6;
	if (in->r->nlag > 0 && in->r->lag[0].lsn <= at)
		lag = fmin(lag, lag_of(in, at));
	reading_is(out, fmax(0, lag - delay));
	out->since = in->now - (int64_t)(out->value * 1e6);
	out->what =
	    arena_printf(in->arena, "this standby is %s behind", reading_span(in, out->value));
	out->evidence =
	    arena_printf(in->arena, "%s received and not replayed%s", reading_bytes(in, behind),
	        cell_i64(rowset_get(server, 0, "is_replay_paused"), 0) ? "; replay is paused" : "");
}

RULE_READER(replication_lag)
{
	const struct rowset *rs;

	if (in->s->server.is_standby) {
		lag_of_this(in, out);
		return;
	}
	rs = reading_rows(in, PROBE_REPLICATION, out);
	if (!rs)
		return;
	if (rs->nrows == 0)
		reading_unused(out, "no standby streams from here");
	else
		lag_of_standbys(in, out, rs);
}

static void
receiver_lost(struct rule_input *in, struct reading *out)
{
	const struct rowset *rs = reading_rows(in, PROBE_RECEIVER, out);
	const struct cell *status;

	if (!rs)
		return;
	if (rs->nrows == 0 || !cell_i64(rowset_get(rs, 0, "has_primary"), 0)) {
		reading_unused(out, "this standby is not told to stream");
		return;
	}
	status = rowset_get(rs, 0, "status");
	reading_is(out, !cell_is(status, "streaming"));
	out->what = out->value > 0 ?
	    arena_printf(in->arena, "this standby does not stream from its primary%s%s",
	        reading_text(in, status)[0] ? ": " : "", reading_text(in, status)) :
	    "it streams from its primary";
}

RULE_READER(standby_lost)
{
	const struct rowset *rs;
	const struct standby_memory *lost = NULL;
	int n = 0;

	if (in->s->server.is_standby) {
		receiver_lost(in, out);
		return;
	}
	rs = reading_rows(in, PROBE_REPLICATION, out);
	if (!rs)
		return;
	for (int i = 0; i < STANDBYS_MAX; i++) {
		const struct standby_memory *m = &in->r->standbys[i];
		if (!m->seen || m->is_here)
			continue;
		n++;
		if (!lost || m->seen < lost->seen)
			lost = m;
	}
	if (!lost && rs->nrows == 0) {
		reading_unused(out, "no standby has streamed from here");
		return;
	}
	reading_is(out, n);
	out->what = "all standbys stream";
	if (!lost)
		return;
	out->since = lost->seen;
	out->what = arena_printf(in->arena, "standby %s streams no more%s", lost->name,
	    n > 1 ? arena_printf(in->arena, ", nor do %d others", n - 1) : "");
	out->evidence = arena_printf(in->arena, "last seen %s ago",
	    reading_span(in, fmax(0, (double)(in->now - lost->seen) / 1e6)));
}

RULE_READER(subscription_stopped)
{
	const struct rowset *rs = reading_rows(in, PROBE_SUBSCRIPTIONS, out);
	int n = 0;

	if (!rs)
		return;
	if (rs->nrows == 0) {
		reading_unused(out, "this database subscribes to nothing");
		return;
	}
	out->what = "all subscriptions run";
	for (int i = 0; i < rs->nrows; i++) {
		if (!cell_i64(rowset_get(rs, i, "enabled"), 0) ||
		    !cell_is_null(rowset_get(rs, i, "pid")) || n++)
			continue;
		out->what = arena_printf(in->arena, "subscription %s has no worker",
		    reading_text(in, rowset_get(rs, i, "subname")));
		out->evidence = arena_printf(in->arena, "%.0f errors while applying",
		    cell_num(rowset_get(rs, i, "apply_errors"), 0));
	}
	reading_is(out, n);
}
