/*
 * What a drill has shown. The recovery time is the write outage: from the last beat that the old
 * primary has acknowledged to the first that the new one has. What is lost are beats that were
 * acknowledged and are not in the table of the new primary; beats without an answer are in doubt
 * and counted apart.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/local.h"
#include "ops/local_drill.h"
#include "ops/local_probe.h"
#include "ops/op_server.h"

enum { WAIT_MS = 60000, LOOK_MS = 100, ASK_MS = 10000, MAX_HISTORY = 1 << 20 };

static int
by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

bool
drill_baseline(struct op *op, struct error *err)
{
	struct probe_log log;
	double *ms;
	int64_t since = op_fact_int(op, "baseline_us", 0);
	int acks = 0, others = 0;
	bool ok;

	if (!probe_read(op, &log, err))
		return false;
	ms = arena_zalloc(&op->arena, (size_t)log.n + 1, sizeof(*ms));
	for (int i = 0; i < log.n; i++) {
		if (log.beats[i].sent < since)
			continue;
		if (log.beats[i].what == 'o')
			ms[acks++] = (double)(log.beats[i].ended - log.beats[i].sent) / 1000;
		else
			others++;
	}
	probe_log_release(&log);
	if (acks < DRILL_MIN_ACKS || others * 10 > acks) {
		error_set(err, ERR_REFUSED, "the probe cannot write well: %d beats, %d failed",
		    acks, others);
		return error_hint(err, "Nothing was stopped.");
	}
	qsort(ms, (size_t)acks, sizeof(*ms), by_number);
	ok = op_fact_set(op, err, "baseline_acks", "%d", acks) &&
	    op_fact_set(op, err, "baseline_ms", "%.3f", ms[acks / 2]);
	return ok;
}

/* The first beat that the new primary has taken, and the last one of the old before it. port: of
 * the new one; 0: it is whichever server was started at another time. */
static bool
find_outage(const struct probe_log *log, int64_t port, int64_t fault,
    const struct probe_beat **last, const struct probe_beat **back)
{
	*last = *back = NULL;
	for (int i = 0; i < log->n; i++) {
		const struct probe_beat *b = &log->beats[i];
		bool is_new =
		    port ? b->port == port : *last && b->started && b->started != (*last)->started;

		if (b->what != 'o')
			continue;
		if (is_new && b->sent > fault) {
			*back = b;
			return *last != NULL;
		}
		*last = b;
	}
	return false;
}

static bool
is_in(const struct cell *c, int64_t seq)
{
	uint32_t lo = 0, hi = c->type == CELL_INTS ? c->len : 0;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (c->ints[mid] == seq)
			return true;
		if (c->ints[mid] < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/* Where the new timeline begins: the last line of its history. */
static uint64_t
fork_lsn(struct pair *p)
{
	struct error ignored = { 0 };
	int64_t timeline = op_fact_int(p->op, "there.timeline_after", 0);
	const char *text = node_read(&p->new,
	    arena_printf(&p->op->arena, "pg_wal/%08X.history", (unsigned)timeline), &ignored);
	uint64_t lsn = 0;

	for (; text && *text; text += strcspn(text, "\n"), text += *text == '\n') {
		unsigned parent, hi, lo;

		if (sscanf(text, "%u %X/%X", &parent, &hi, &lo) == 3)
			lsn = (uint64_t)hi << 32 | lo;
	}
	return lsn;
}

static bool
keep_loss(struct op *op, uint64_t fork, const struct probe_log *log, const struct probe_beat *back,
    const struct cell *seqs, struct error *err)
{
	int64_t first = 0, last = 0, rows = 0, doubt = 0, kept = 0;
	uint64_t known =
	    strtoull(op_fact(op, "fault_lsn") ? op_fact(op, "fault_lsn") : "0", NULL, 10);

	for (int i = 0; i < log->n && log->beats[i].seq < back->seq; i++) {
		const struct probe_beat *b = &log->beats[i];

		doubt += b->what == 'e';
		if (b->what != 'o')
			continue;
		if (b->lsn > known)
			known = b->lsn;
		if (is_in(seqs, b->seq)) {
			kept = b->ended;
			continue;
		}
		first = rows++ ? first : b->ended;
		last = b->ended;
	}
	return op_fact_set(op, err, "rpo_rows", "%lld", (long long)rows) &&
	    op_fact_set(op, err, "rpo_s", "%.3f",
	        rows ? (double)(last - (kept && kept < first ? kept : first)) / 1e6 : 0.0) &&
	    /* Where the new timeline begins may be in no file of this machine. */
	    (rows && !fork ? op_fact_set(op, err, "rpo_bytes", "%s", "") :
	                     op_fact_set(op, err, "rpo_bytes", "%lld",
	                         rows && known > fork ? (long long)(known - fork) : 0LL)) &&
	    op_fact_set(op, err, "in_doubt", "%lld", (long long)doubt);
}

/* Wait until the probe has written to the new primary. */
static bool
wait_back(struct op *op, const struct drill_site *site, struct probe_log *log,
    const struct probe_beat **last, const struct probe_beat **back, struct error *err)
{
	int64_t fault = op_fact_int(op, "fault_us", 0);

	for (int waited = 0;; waited += LOOK_MS) {
		probe_log_release(log);
		if (!probe_read(op, log, err))
			return false;
		if (find_outage(log, site->port, fault, last, back))
			return true;
		if (waited > WAIT_MS)
			return error_set(err, ERR_TIMEOUT,
			    "%s has taken over, but the probe cannot write to it", site->name);
		if (!op_wait_ms(op, LOOK_MS, err))
			return false;
	}
}

bool
drill_measure_at(struct op *op, const struct drill_site *site, struct error *err)
{
	int64_t fault = op_fact_int(op, "fault_us", 0);
	const struct probe_beat *last, *back;
	const char *params[] = { probe_run(op) };
	struct probe_log log = { 0 };
	struct rowset *rows = NULL;
	struct pg_sync *pg;
	bool ok = wait_back(op, site, &log, &last, &back, err);

	if (ok) {
		pg = op_connect(op, site->target, err);
		rows = pg ? pg_sync_run(pg, "heartbeat_seqs", params, 1, ASK_MS, err) : NULL;
		pg_sync_close(pg);
	}
	ok = rows && rows->nrows == 1 &&
	    op_fact_set(op, err, "rto_s", "%.3f", (double)(back->ended - last->ended) / 1e6) &&
	    op_fact_set(op, err, "rto_fault_s", "%.3f", (double)(back->ended - fault) / 1e6) &&
	    op_fact_set(op, err, "last_ack_us", "%lld", (long long)last->ended) &&
	    op_fact_set(op, err, "first_ack_us", "%lld", (long long)back->ended) &&
	    keep_loss(op, site->fork, &log, back, rowset_get(rows, 0, "seqs"), err);
	rowset_unref(rows);
	probe_log_release(&log);
	return ok;
}

bool
drill_measure(struct pair *p, struct error *err)
{
	struct drill_site site = { .target = p->new.target, .name = p->new.name };
	struct node_look l;

	if (!node_look(&p->new, &l, err))
		return false;
	site.port = l.port;
	site.fork = fork_lsn(p);
	return drill_measure_at(p->op, &site, err);
}
