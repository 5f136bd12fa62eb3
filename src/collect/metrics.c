/*
 * Figures for sparklines and the overview. Rates divide by the time between two samples on the
 * server's clock. A counter that went down makes its figure unknown for that tick, never negative.
 */
#include "config.h"

#include "collect/metrics.h"

#include <math.h>

#include "base/cell.h"
#include "base/hmap.h"

/* A figure from a probe that is asked now and then holds until it is clearly too old. */
static const int64_t hold_us = 90 * INT64_C(1000000);

void
metrics_init(struct metrics *m)
{
	for (int i = 0; i < METRIC_COUNT; i++) {
		m->value[i] = NAN;
		m->taken[i] = (struct mono){ 0 };
	}
}

void
metrics_begin_life(struct metrics *m)
{
	metrics_init(m);
}

static void
set(struct metrics *m, enum metric metric, double value, const struct sample *s)
{
	m->value[metric] = (float)value;
	m->taken[metric] = s->at;
}

static double
num(const struct sample *s, const char *name)
{
	return cell_num(rowset_get(s->rows, 0, name), NAN);
}

/* Growth of a counter of a one-row probe; NAN when unknown or reset. */
static double
growth(const struct sample *s, const struct sample *before, const char *name)
{
	double d = num(s, name) - num(before, name);
	return d >= 0 ? d : NAN;
}

static double
seconds_between(const struct sample *s, const struct sample *before)
{
	return (double)(s->server_at.us - before->server_at.us) / 1e6;
}

struct activity_columns {
	int pid, type, state, wait_type, xact_start, query_start, now, user, database;
};

static struct activity_columns
activity_columns(const struct rowset *rs)
{
	static const char *const names[] = {
		"pid",
		"backend_type",
		"state",
		"wait_type",
		"xact_start",
		"query_start",
		"now",
		"usesysid",
		"datid",
	};
	int at[ARRAY_LEN(names)];
	rowset_cols(rs, names, (int)ARRAY_LEN(names), at);
	return (struct activity_columns){ at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7],
		at[8] };
}

static void
take_activity(struct metrics *m, const struct sample *s, const struct server_info *server)
{
	const struct rowset *rs = s->rows;
	struct activity_columns c = activity_columns(rs);
	int clients = 0, active = 0, idle = 0, idle_tx = 0, waiting = 0, slow = 0, hidden = 0;
	double oldest = 0;
	for (int i = 0; i < rs->nrows; i++) {
		int64_t pid = cell_i64(rowset_cell(rs, i, c.pid), 0);
		/* Of other users' sessions an unprivileged role sees the pid, the role and little
		 * else; background processes have no role or no database. */
		bool is_hidden = cell_is_null(rowset_cell(rs, i, c.type)) &&
		    !cell_is_null(rowset_cell(rs, i, c.user)) &&
		    !cell_is_null(rowset_cell(rs, i, c.database));
		if (!is_hidden && !cell_is(rowset_cell(rs, i, c.type), "client backend"))
			continue;
		if (pid == server->own_pid || pid == server->action_pid)
			continue;
		clients++;
		const struct cell *state = rowset_cell(rs, i, c.state);
		int64_t now = cell_i64(rowset_cell(rs, i, c.now), s->server_at.us);
		hidden += is_hidden;
		if (cell_is(state, "active") || cell_is(state, "fastpath function call")) {
			active++;
			int64_t start = cell_i64(rowset_cell(rs, i, c.query_start), 0);
			slow += start && now - start > 1000000;
		} else if (cell_is(state, "idle")) {
			idle++;
		} else if (state->type == CELL_TEXT && state->len >= 19) {
			idle_tx++; /* "idle in transaction", aborted or not */
		}
		waiting += cell_is(rowset_cell(rs, i, c.wait_type), "Lock");
		int64_t xact = cell_i64(rowset_cell(rs, i, c.xact_start), 0);
		if (xact && (double)(now - xact) / 1e6 > oldest)
			oldest = (double)(now - xact) / 1e6;
	}
	/* A part of the sessions would be sold as all. */
	bool is_blind = hidden > 0;
	set(m, METRIC_CONNECTIONS, clients, s);
	set(m, METRIC_ACTIVE, is_blind ? NAN : active, s);
	set(m, METRIC_IDLE, is_blind ? NAN : idle, s);
	set(m, METRIC_IDLE_TX, is_blind ? NAN : idle_tx, s);
	set(m, METRIC_WAITING, is_blind ? NAN : waiting, s);
	set(m, METRIC_SLOW, is_blind ? NAN : slow, s);
	set(m, METRIC_OLDEST_XACT_S, is_blind ? NAN : oldest, s);
}

static void
take_dbsum(struct metrics *m, const struct sample *s, const struct sample *before)
{
	double seconds = before ? seconds_between(s, before) : 0;
	if (seconds <= 0 || s->rows->nrows < 1 || before->rows->nrows < 1)
		return;
	double commits = growth(s, before, "commits"), rollbacks = growth(s, before, "rollbacks");
	double hit = growth(s, before, "blks_hit"), read = growth(s, before, "blks_read");
	/* The server counts a transaction up to a second late, so ours may be more than all for a
	 * moment. */
	double own = growth(s, before, "own_xacts");
	set(m, METRIC_TPS, fmax(0, commits + rollbacks - (isnan(own) ? 0 : own)) / seconds, s);
	set(m, METRIC_ROLLBACK_PCT,
	    commits + rollbacks > 0 ? 100 * rollbacks / (commits + rollbacks) : NAN, s);
	set(m, METRIC_HIT_PCT, hit + read > 0 ? 100 * hit / (hit + read) : NAN, s);
	set(m, METRIC_TEMP_BPS, growth(s, before, "temp_bytes") / seconds, s);
	set(m, METRIC_DEADLOCKS, growth(s, before, "deadlocks"), s);
}

static void
take_server(struct metrics *m, const struct sample *s, const struct sample *before)
{
	if (s->rows->nrows < 1)
		return;
	double seconds = before ? seconds_between(s, before) : 0;
	if (seconds > 0 && before->rows->nrows > 0)
		set(m, METRIC_WAL_BPS, growth(s, before, "wal_lsn") / seconds, s);
	if (!cell_i64(rowset_get(s->rows, 0, "is_standby"), 0))
		return;
	double behind = num(s, "receive_lsn") - num(s, "wal_lsn");
	set(m, METRIC_LAG_BYTES, behind >= 0 ? behind : 0, s);
	/* All replayed: no lag, however long ago the primary last wrote. */
	double replayed = num(s, "replay_time");
	set(m, METRIC_LAG_S, behind <= 0 ? 0 : fmax(0, ((double)s->server_at.us - replayed) / 1e6),
	    s);
}

static void
take_replication(struct metrics *m, const struct sample *s, const struct server_info *server)
{
	const struct rowset *rs = s->rows;
	if (server->is_standby && rs->nrows == 0)
		return;
	double bytes = rs->nrows ? NAN : 0, lag = rs->nrows ? NAN : 0;
	for (int i = 0; i < rs->nrows; i++) {
		double at = cell_num(rowset_get(rs, i, "replay_lsn"), NAN);
		double behind = fmax(0, cell_num(rowset_get(rs, i, "current_lsn"), NAN) - at);
		double seconds = behind > 0 ? cell_num(rowset_get(rs, i, "replay_lag_s"), NAN) : 0;
		if (isnan(at))
			continue;
		bytes = fmax(bytes, behind); /* fmax takes the number of a number and a NAN */
		lag = fmax(lag, seconds);
	}
	set(m, METRIC_LAG_BYTES, bytes, s);
	set(m, METRIC_LAG_S, lag, s);
}

static uint64_t
pool_key(const struct cell *name)
{
	return name->type == CELL_TEXT ? hash_bytes(0, name->s, name->len) : 0;
}

static double
sum_column(const struct rowset *rs, const char *name)
{
	int col = rowset_col(rs, name);
	double sum = 0;
	for (int i = 0; i < rs->nrows; i++)
		sum += cell_num(rowset_cell(rs, i, col), 0);
	return col < 0 ? NAN : sum;
}

/* NAN when the role may not read the size of one; nobody may read that of rdsadmin. */
static double
sum_sizes(const struct rowset *rs)
{
	double sum = 0;
	for (int i = 0; i < rs->nrows; i++)
		if (!cell_is(rowset_get(rs, i, "datname"), "rdsadmin"))
			sum += cell_num(rowset_get(rs, i, "size_bytes"), NAN);
	return sum;
}

/* Seconds apart, one checkpoint or one vacuum would be sold as a trend. */
static void
take_sizes(struct metrics *m, const struct sample *s, const struct sample *before)
{
	double seconds = before ? seconds_between(s, before) : 0;

	set(m, METRIC_DB_BYTES, sum_sizes(s->rows), s);
	if (seconds >= 60)
		set(m, METRIC_GROWTH,
		    (sum_sizes(s->rows) - sum_sizes(before->rows)) / seconds * 86400, s);
}

static void
take_wraparound(struct metrics *m, const struct sample *s)
{
	double worst = NAN;

	/* of 2^31 - 3 million ids, as the overview counts */
	for (int i = 0; i < s->rows->nrows; i++)
		worst = fmax(worst,
		    100 *
		        fmax(cell_num(rowset_get(s->rows, i, "xid_age"), 0),
		            cell_num(rowset_get(s->rows, i, "mxid_age"), 0)) /
		        2144483648.0);
	set(m, METRIC_WRAPAROUND_PCT, worst, s);
}

/* In use of the pool's size, of the fullest one; the sizes come with another answer. */
static void
take_pools(struct metrics *m, const struct sample *s)
{
	double use = NAN;

	set(m, METRIC_POOL_WAITING, sum_column(s->rows, "cl_waiting"), s);
	for (int i = 0; i < s->rows->nrows; i++) {
		const struct cell *database = rowset_get(s->rows, i, "database");
		double busy = 0;

		for (int k = 0; k < m->npools; k++) {
			if (m->pools[k].key != pool_key(database) || m->pools[k].size <= 0)
				continue;
			busy = cell_num(rowset_get(s->rows, i, "sv_active"), 0) +
			    cell_num(rowset_get(s->rows, i, "sv_used"), 0) +
			    cell_num(rowset_get(s->rows, i, "sv_tested"), 0) +
			    cell_num(rowset_get(s->rows, i, "sv_login"), 0);
			use = fmax(use, 100 * busy / m->pools[k].size);
		}
	}
	set(m, METRIC_POOL_USE_PCT, use, s);
}

static void
take_pool_databases(struct metrics *m, const struct sample *s)
{
	m->npools = 0;
	for (int i = 0; i < s->rows->nrows && m->npools < METRICS_POOLS; i++) {
		const struct cell *name = rowset_get(s->rows, i, "name");

		if (name->type == CELL_TEXT && !cell_is(name, "pgbouncer"))
			m->pools[m->npools++] = (struct metrics_pool){ pool_key(name),
				cell_num(rowset_get(s->rows, i, "pool_size"), 0) };
	}
}

static void
take_statements(struct metrics *m, const struct sample *s, const struct sample *before)
{
	double seconds = before ? seconds_between(s, before) : 0;
	if (seconds <= 0)
		return;
	double calls = sum_column(s->rows, "calls") - sum_column(before->rows, "calls");
	double ms = sum_column(s->rows, "total_ms") - sum_column(before->rows, "total_ms");
	set(m, METRIC_QPS, calls >= 0 ? calls / seconds : NAN, s);
	set(m, METRIC_MEAN_MS, calls > 0 && ms >= 0 ? ms / calls : NAN, s);
}

void
metrics_take(struct metrics *m, const struct sample *s, const struct sample *before,
    const struct server_info *server)
{
	switch (s->probe) {
	case PROBE_ACTIVITY:
		take_activity(m, s, server);
		break;
	case PROBE_DBSUM:
		take_dbsum(m, s, before);
		break;
	case PROBE_SERVER:
		take_server(m, s, before);
		break;
	case PROBE_REPLICATION:
		take_replication(m, s, server);
		break;
	case PROBE_STATEMENTS:
		take_statements(m, s, before);
		break;
	case PROBE_POOL_POOLS:
		take_pools(m, s);
		break;
	case PROBE_POOL_DATABASES:
		take_pool_databases(m, s);
		break;
	case PROBE_SIZES:
		take_sizes(m, s, before);
		break;
	case PROBE_CHECKPOINTS:
		if (s->rows->nrows > 0)
			set(m, METRIC_CHECKPOINTS, num(s, "timed") + num(s, "requested"), s);
		break;
	case PROBE_XMIN_HOLDERS:
		set(m, METRIC_XMIN_AGE, s->rows->nrows > 0 ? num(s, "xmin_age") : 0, s);
		break;
	case PROBE_WRAPAROUND:
		take_wraparound(m, s);
		break;
	default:
		break;
	}
}

/* What is measured every few minutes and moves slowly. */
static bool
is_slow(enum metric metric)
{
	return metric == METRIC_DB_BYTES || metric == METRIC_GROWTH ||
	    metric == METRIC_WRAPAROUND_PCT;
}

void
metrics_tick(struct metrics *m, struct tick *t)
{
	double busy = 0;
	for (int i = 0; i < t->nloads; i++)
		busy += t->loads[i].count;
	m->value[METRIC_AAS] = isnan(m->value[METRIC_ACTIVE]) ? NAN : (float)busy;
	m->taken[METRIC_AAS] = t->mono;
	for (int i = 0; i < METRIC_COUNT; i++) {
		int64_t hold = is_slow((enum metric)i) ? 11 * hold_us : hold_us;
		bool is_fresh = m->taken[i].us && t->mono.us - m->taken[i].us < hold;
		t->metric[i] = is_fresh ? m->value[i] : NAN;
	}
}
