/* Figures of the machine, the counters, the catalog and the backups. */
#include "config.h"

#include <math.h>

#include "model/rules_priv.h"

static double
num(const struct rowset *rs, int row, const char *name)
{
	return cell_num(rowset_get(rs, row, name), NAN);
}

/* ---- this machine */

struct rule_volume
rules_volume(const struct rowset *rs, bool of_data)
{
	struct rule_volume v = { NULL, NAN, NAN };

	for (int i = 0; i < rs->nrows; i++) {
		double total = num(rs, i, "total_bytes"), left = num(rs, i, "free_bytes");
		if (!(total > 0) || isnan(left) ||
		    (of_data && !cell_is(rowset_get(rs, i, "what"), "data directory")) ||
		    (v.path && left / total >= v.free_bytes / v.total_bytes))
			continue;
		v = (struct rule_volume){ rowset_get(rs, i, "path"), left, total };
	}
	return v;
}

/* False: the disk cannot be seen, *out says why. */
static bool
see_volume(struct rule_input *in, struct reading *out, bool of_data, struct rule_volume *v)
{
	const struct rowset *rs = reading_rows(in, PROBE_CAPACITY, out);

	if (!rs)
		return false;
	*v = rules_volume(rs, of_data);
	if (v->path)
		return true;
	reading_unknown(in, out, "the server's disk is not on this machine");
	return false;
}

static void
volume_text(struct rule_input *in, struct reading *out, const struct rule_volume *v)
{
	out->what = arena_printf(in->arena, "%s of %s are free", reading_bytes(in, v->free_bytes),
	    reading_bytes(in, v->total_bytes));
	out->evidence = arena_printf(in->arena, "volume of %s", reading_text(in, v->path));
}

RULE_READER(disk_free)
{
	struct rule_volume v;

	if (!see_volume(in, out, false, &v))
		return;
	reading_is(out, v.free_bytes);
	volume_text(in, out, &v);
	/* On a small volume 10 GB free is no sign of trouble: disk_used judges that. */
	if (v.total_bytes < 4 * in->limits->warning)
		reading_unused(out, "the volume is smaller than four times the threshold");
}

RULE_READER(disk_used)
{
	struct rule_volume v;

	if (!see_volume(in, out, false, &v))
		return;
	reading_is(out, 100 * (1 - v.free_bytes / v.total_bytes));
	volume_text(in, out, &v);
	out->what = arena_printf(in->arena, "%.0f%% of %s are in use, %s are free", out->value,
	    reading_bytes(in, v.total_bytes), reading_bytes(in, v.free_bytes));
}

/* Least squares over the points of two hours. */
RULE_READER(disk_full)
{
	const struct rules *r = in->r;
	struct rule_volume v;
	double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, slope, first = 0;

	if (!see_volume(in, out, true, &v))
		return;
	for (int i = 0; i < r->ndisk; i++) {
		double x = (double)(r->disk[i].at - in->now) / 1e6, y = r->disk[i].free;
		if (x < -7200)
			continue;
		first = n > 0 ? first : x;
		n++;
		sx += x;
		sy += y;
		sxx += x * x;
		sxy += x * y;
	}
	if (n < 6 || first > -1800) {
		reading_unknown(in, out, "the disk has been watched for less than half an hour");
		return;
	}
	slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
	/* A disk that is mostly empty fills up by a load that ends long before. */
	reading_is(out,
	    slope < 0 && v.free_bytes <= 0.4 * v.total_bytes ? v.free_bytes / -slope : INFINITY);
	out->what = isinf(out->value) ?
	    "no end in sight" :
	    arena_printf(in->arena, "full in %s at %s an hour", reading_span(in, out->value),
	        reading_bytes(in, -slope * 3600));
	out->evidence = arena_printf(in->arena, "%s are free", reading_bytes(in, v.free_bytes));
}

RULE_READER(cpu)
{
	double wanted = window_spans[WINDOW_CPU], busy, idle, seconds;
	const struct rowset *rs = reading_rows(in, PROBE_HOST, out);

	if (!rs || rs->nrows == 0)
		return;
	if (in->limits->for_s < wanted)
		wanted = fmax(5, in->limits->for_s);
	seconds = window_sum(&in->r->windows[WINDOW_CPU], in->now, wanted, &busy, &idle);
	if (seconds < fmin(60, 0.5 * wanted) || !(busy + idle > 0)) {
		reading_unknown(in, out, "the CPU has been watched for %.0f s only", seconds);
		return;
	}
	reading_is(out, 100 * busy / (busy + idle));
	out->what = arena_printf(in->arena, "CPU is %.0f%% busy", out->value);
	out->evidence = arena_printf(
	    in->arena, "mean of %s, %.0f CPUs", reading_span(in, seconds), num(rs, 0, "cpus"));
}

/* ---- counters */

RULE_READER(checksum_failures)
{
	const struct rowset *rs = reading_rows(in, PROBE_DBSUM, out);

	if (!rs || rs->nrows == 0)
		return;
	if (cell_is_null(rowset_get(rs, 0, "checksum_failures"))) {
		reading_unused(out, "this server has no data checksums");
		return;
	}
	reading_is(out, num(rs, 0, "checksum_failures"));
	out->what = arena_printf(in->arena, "%.0f pages had a wrong checksum", out->value);
	if (out->value > 0)
		out->evidence = "disk or memory damages data; which file is in the server log";
}

/* A window of a counter of the databases. False: too little of it is known. */
static bool
window(struct rule_input *in, struct reading *out, enum rule_window id, double least_s, double *a,
    double *b)
{
	double seconds;

	if (!reading_rows(in, PROBE_DBSUM, out))
		return false;
	seconds = window_sum(&in->r->windows[id], in->now, window_spans[id], a, b);
	if (seconds >= least_s)
		return true;
	reading_unknown(in, out, "watched for %.0f s, not %.0f s", seconds, least_s);
	return false;
}

RULE_READER(deadlocks)
{
	double n, unused;

	if (!window(in, out, WINDOW_DEADLOCKS, 0.5, &n, &unused))
		return;
	reading_is(out, n);
	out->what = arena_printf(in->arena, "%.0f deadlocks in the last hour", n);
	if (n > 0)
		out->evidence = "the statements are in the server log";
}

RULE_READER(connection_churn)
{
	const struct rowset *rs = snapshot_rows(in->s, PROBE_DBSUM);
	double n, unused;

	if (rs && rs->nrows > 0 && cell_is_null(rowset_get(rs, 0, "sessions"))) {
		reading_unused(out, "this server does not count sessions");
		return;
	}
	if (!window(in, out, WINDOW_SESSIONS, 30, &n, &unused))
		return;
	reading_is(out, n / window_spans[WINDOW_SESSIONS]);
	out->what = arena_printf(in->arena, "%.1f new sessions per second", out->value);
}

RULE_READER(rollback_ratio)
{
	double commits, rollbacks;

	if (!window(in, out, WINDOW_XACTS, 60, &commits, &rollbacks))
		return;
	reading_is(out, commits + rollbacks >= 100 ? 100 * rollbacks / (commits + rollbacks) : 0);
	out->what = arena_printf(in->arena, "%.0f of %.0f transactions were rolled back", rollbacks,
	    commits + rollbacks);
}

RULE_READER(cache_hit)
{
	double hits, reads;

	if (!window(in, out, WINDOW_CACHE, 60, &hits, &reads))
		return;
	reading_is(
	    out, reads >= 100.0 * window_spans[WINDOW_CACHE] ? 100 * hits / (hits + reads) : 100);
	out->what = arena_printf(in->arena, "%.1f%% of the pages were in shared buffers",
	    hits + reads > 0 ? 100 * hits / (hits + reads) : 100);
	out->evidence =
	    arena_printf(in->arena, "%s pages read in five minutes", reading_count(in, reads));
}

RULE_READER(checkpoints_requested)
{
	double timed, requested;

	if (!reading_rows(in, PROBE_CHECKPOINTS, out))
		return;
	if (window_sum(&in->r->windows[WINDOW_CHECKPOINTS], in->now,
	        window_spans[WINDOW_CHECKPOINTS], &timed, &requested) < 1) {
		reading_unknown(in, out, "counted once only");
		return;
	}
	reading_is(out, requested >= 5 ? 100 * requested / (timed + requested) : 0);
	out->what =
	    arena_printf(in->arena, "%.0f of %.0f checkpoints in the last hour were requested",
	        requested, timed + requested);
	if (requested > 0)
		out->evidence =
		    "max_wal_size is too small for the writes, or somebody asks for them";
}

/* ---- catalog */

RULE_READER(key_exhaustion)
{
	const struct rowset *rs = reading_rows(in, PROBE_INT4_KEYS, out);
	int worst = -1;

	if (!rs)
		return;
	for (int i = 0; i < rs->nrows; i++)
		if (num(rs, i, "used_pct") >= 0 &&
		    (worst < 0 || num(rs, i, "used_pct") > num(rs, worst, "used_pct")))
			worst = i;
	reading_is(out, worst < 0 ? 0 : num(rs, worst, "used_pct"));
	out->what = "no sequence is near its end";
	if (worst < 0)
		return;
	out->what = arena_printf(in->arena, "%s has used %.1f%% of its values",
	    reading_text(in, rowset_get(rs, worst, "name")), out->value);
	out->evidence = arena_printf(in->arena, "%s of %s (%s)",
	    reading_count(in, num(rs, worst, "last_value")),
	    reading_count(in, num(rs, worst, "max_value")),
	    reading_text(in, rowset_get(rs, worst, "type")));
}

RULE_READER(bloat)
{
	const struct rowset *rs = reading_rows(in, PROBE_VACUUM_TABLES, out);

	if (!rs)
		return;
	reading_is(out, 0);
	out->what = "no table has many dead rows";
	for (int i = 0; i < rs->nrows; i++) {
		double dead = num(rs, i, "dead"), live = num(rs, i, "live");
		if (!(dead >= 100000) || 100 * dead / (dead + live) <= out->value)
			continue;
		reading_is(out, 100 * dead / (dead + live));
		out->what = arena_printf(in->arena, "%.0f%% of the rows of %s are dead", out->value,
		    reading_text(in, rowset_get(rs, i, "relation")));
		out->evidence = arena_printf(in->arena, "%s dead, %s live%s",
		    reading_count(in, dead), reading_count(in, live),
		    cell_i64(rowset_get(rs, i, "autovacuum_enabled"), 1) ?
		        "" :
		        "; autovacuum is off for it");
	}
}

/* Rows of one kind among the flaws. */
static void
flaws(struct rule_input *in, struct reading *out, const char *kind, const char *none,
    const char *some)
{
	const struct rowset *rs = reading_rows(in, PROBE_FLAWS, out);
	struct strbuf names = STRBUF_INIT(200);
	int n = 0;

	if (!rs)
		return;
	for (int i = 0; i < rs->nrows; i++) {
		const struct cell *name = rowset_get(rs, i, "name");
		if (!cell_is(rowset_get(rs, i, "kind"), kind) || name->type != CELL_TEXT)
			continue;
		if (n++ < 5 && names.len + name->len < 190)
			strbuf_addf(&names, "%s%.*s", n > 1 ? ", " : "", (int)name->len, name->s);
	}
	reading_is(out, n);
	out->what = n ? arena_printf(in->arena, "%d %s", n, some) : none;
	out->evidence = arena_strdup(in->arena, names.buf);
	strbuf_release(&names);
}

RULE_READER(invalid_indexes)
{
	flaws(in, out, "invalid index", "all indexes are valid", "invalid indexes");
}

RULE_READER(collation_version)
{
	flaws(in, out, "collation", "collations are as when the databases were made",
	    "databases have another version of the collations");
}

RULE_READER(pending_restart)
{
	flaws(in, out, "pending restart", "no setting waits", "settings wait for a restart");
}

RULE_READER(autovacuum_off)
{
	flaws(in, out, "autovacuum", "autovacuum is on", "settings keep autovacuum from working");
}

/* ---- backups */

/* The newer of what the server's archive and what a file on this machine tell. */
RULE_READER(backup_age)
{
	const struct rowset *files = snapshot_rows(in->s, PROBE_BACKUPS),
	                    *archive = snapshot_rows(in->s, PROBE_BACKUP_HISTORY);
	int64_t told =
	    files && files->nrows > 0 ? cell_i64(rowset_get(files, 0, "last_good"), 0) : 0;
	int64_t seen =
	    archive && archive->nrows > 0 ? cell_i64(rowset_get(archive, 0, "last_good"), 0) : 0;
	int64_t at = told > seen ? told : seen;

	if (!at) {
		reading_unknown(in, out,
		    "no backup is known: none in the archive of this server, and no backup_file is set");
		return;
	}
	reading_is(out, fmax(0, (double)(in->now - at) / 1e6));
	out->since = at;
	out->what =
	    arena_printf(in->arena, "the last good backup is %s old", reading_span(in, out->value));
	out->evidence = told >= seen ? reading_text(in, rowset_get(files, 0, "good_file")) :
	                               arena_printf(in->arena, "archived: %s",
	                                   reading_text(in, rowset_get(archive, 0, "name")));
}

RULE_READER(backup_verified)
{
	const struct rowset *files = snapshot_rows(in->s, PROBE_BACKUPS);
	int64_t at =
	    files && files->nrows > 0 ? cell_i64(rowset_get(files, 0, "last_verified"), 0) : 0;

	if (!files || files->nrows == 0 || cell_is_null(rowset_get(files, 0, "verified_file"))) {
		reading_unused(out, "no backup_verified_file is set");
		return;
	}
	if (!at) {
		reading_unknown(in, out, "there is no %s",
		    reading_text(in, rowset_get(files, 0, "verified_file")));
		return;
	}
	reading_is(out, fmax(0, (double)(in->now - at) / 1e6));
	out->since = at;
	out->what = arena_printf(in->arena, "the last backup was restored and checked %s ago",
	    reading_span(in, out->value));
	out->evidence = reading_text(in, rowset_get(files, 0, "verified_file"));
}
