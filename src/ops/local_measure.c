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

#include "base/conf.h"
#include "base/digest.h"
#include "base/json.h"
#include "ops/local.h"
#include "ops/local_drill.h"
#include "ops/local_probe.h"
#include "ops/op_result.h"
#include "ops/op_server.h"

enum {
	WAIT_MS = 60000,
	LOOK_MS = 100,
	ASK_MS = 10000,
	MAX_REPORT = 1 << 20,
	MAX_HISTORY = 1 << 20
};

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
	int acks = 0, others = 0;
	bool ok;

	if (!probe_read(op, &log, err))
		return false;
	ms = arena_zalloc(&op->arena, (size_t)log.n + 1, sizeof(*ms));
	for (int i = 0; i < log.n; i++) {
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

/* ------------------------------------------------------------------ what it comes to */

/* What the hypothesis promises, in seconds. */
static int
goal_s(struct op *op)
{
	return (int)op_fact_int(op, "goal_s", DRILL_RTO_S);
}

static bool
has_passed(struct op *op)
{
	return op_fact_num(op, "rto_s", INFINITY) < goal_s(op) &&
	    op_fact_int(op, "rpo_rows", 1) == 0;
}

bool
drill_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(op, &first, "kind", op_fact(op, "kind"));
	op_result_num(op, &first, "rto_s", op_fact_num(op, "rto_s", NAN));
	op_result_num(op, &first, "rto_fault_s", op_fact_num(op, "rto_fault_s", NAN));
	op_result_num(op, &first, "rpo_rows", op_fact_num(op, "rpo_rows", NAN));
	op_result_num(op, &first, "rpo_s", op_fact_num(op, "rpo_s", NAN));
	op_result_num(op, &first, "rpo_bytes", op_fact_num(op, "rpo_bytes", NAN));
	op_result_int(op, &first, "in_doubt", op_fact_int(op, "in_doubt", 0));
	op_result_int(op, &first, "timeline_before", op_fact_int(op, "there.timeline_before", 0));
	op_result_int(op, &first, "timeline_after", op_fact_int(op, "there.timeline_after", 0));
	op_result_bool(op, &first, "passed", has_passed(op));
	op_result_bool(op, &first, "restored", op_fact_int(op, "restored", 0) != 0);
	op_result_text(op, &first, "report", op_fact(op, "report"));
	if (op_fact(op, "outcome"))
		op_result_text(op, &first, "outcome", op_fact(op, "outcome"));
	return true;
}

static bool
write_file(const char *path, const char *text, struct error *err)
{
	FILE *f = fopen(path, "we");
	bool ok = f && fputs(text, f) >= 0;

	if (f && fclose(f) != 0)
		ok = false;
	return ok || error_set(err, ERR_FILE, "cannot write %s", path);
}

static const char *
at_text(struct op *op, const char *fact)
{
	char buf[40];

	return arena_strdup(
	    &op->arena, wall_rfc3339((struct wall){ op_fact_int(op, fact, 0) }, buf, sizeof(buf)));
}

static void
add_markdown(struct op *op, struct strbuf *sb, const char *log_hash)
{
	char now[40];

	strbuf_addf(sb, "# Failover drill of %s: %s\n\n", op->target->name,
	    has_passed(op) ? "passed" : "not passed");
	strbuf_addf(sb, "Job %lld, kind %s, written %s.\n\n", (long long)op->job,
	    op_fact(op, "kind"), wall_rfc3339(wall_now(), now, sizeof(now)));
	strbuf_addf(sb,
	    "Hypothesis: writes are back in less than %d s, no acknowledged row is lost.\n\n",
	    goal_s(op));
	strbuf_adds(sb, "| | |\n|---|---|\n");
	strbuf_addf(
	    sb, "| write outage (last to first acknowledgement) | %s s |\n", op_fact(op, "rto_s"));
	strbuf_addf(sb, "| fault to first acknowledgement | %s s |\n", op_fact(op, "rto_fault_s"));
	strbuf_addf(sb, "| acknowledged rows lost | %s, spanning %s s, %s |\n",
	    op_fact(op, "rpo_rows"), op_fact(op, "rpo_s"),
	    *op_fact(op, "rpo_bytes") ?
	        arena_printf(&op->arena, "%s bytes of WAL", op_fact(op, "rpo_bytes")) :
	        "how much WAL is not known: the new primary's files are not on this machine");
	if (op_fact(op, "outcome"))
		strbuf_addf(sb, "| outcome | %s |\n", op_fact(op, "outcome"));
	strbuf_addf(sb, "| rows in doubt | %s |\n", op_fact(op, "in_doubt"));
	strbuf_addf(sb, "| timeline | %s to %s |\n", op_fact(op, "there.timeline_before"),
	    op_fact(op, "there.timeline_after"));
	strbuf_addf(sb, "| before: acknowledgements, median | %s, %s ms |\n",
	    op_fact(op, "baseline_acks"), op_fact(op, "baseline_ms"));
	strbuf_addf(
	    sb, "| topology restored | %s |\n\n", op_fact_int(op, "restored", 0) ? "yes" : "no");
	strbuf_adds(sb, "## Events\n\n");
	strbuf_addf(sb, "- %s last acknowledgement of %s\n", at_text(op, "last_ack_us"),
	    op_fact(op, "first"));
	strbuf_addf(sb, "- %s fault\n", at_text(op, "fault_us"));
	if (op_fact(op, "promoted_us"))
		strbuf_addf(sb, "- %s %s\n", at_text(op, "promoted_us"),
		    op_fact(op, "outcome") ? op_fact(op, "outcome") : "promoted");
	if (op_fact(op, "there.text"))
		strbuf_addf(sb, "- RDS says: %s\n", op_fact(op, "there.text"));
	strbuf_addf(
	    sb, "- %s first acknowledgement of the new primary\n", at_text(op, "first_ack_us"));
	strbuf_addf(sb, "- %s original topology\n\n", at_text(op, "restored_us"));
	strbuf_addf(sb, "Raw log of the probe: %s, SHA-256 %s\n", probe_path(op), log_hash);
}

/* Of all that the probe has written. */
static bool
hash_log(struct op *op, char hash[65], struct error *err)
{
	FILE *f = fopen(probe_path(op), "re");
	struct strbuf sb = STRBUF_INIT(64 << 20);
	char buf[4096];
	size_t got;

	if (!f)
		return error_set(err, ERR_FILE, "cannot read %s", probe_path(op));
	while ((got = fread(buf, 1, sizeof(buf), f)) > 0)
		strbuf_add(&sb, buf, got);
	fclose(f);
	digest_sha256_hex(sb.buf, sb.len, hash);
	strbuf_release(&sb);
	return true;
}

bool
drill_report(struct op *op, struct error *err)
{
	const char *base =
	    path_state(&op->arena, arena_printf(&op->arena, "drill-%lld", (long long)op->job));
	const char *path = arena_printf(&op->arena, "%s.md", base);
	struct strbuf sb = STRBUF_INIT(MAX_REPORT);
	char hash[65];
	bool ok;

	if (!hash_log(op, hash, err) || !op_fact_set(op, err, "report", "%s", path))
		return false;
	add_markdown(op, &sb, hash);
	ok = write_file(path, sb.buf, err);
	strbuf_release(&sb);
	strbuf_clear(&op->result);
	strbuf_addc(&op->result, '{');
	ok = ok && drill_result(op, err);
	strbuf_adds(&op->result, "}\n");
	ok = ok && write_file(arena_printf(&op->arena, "%s.json", base), op->result.buf, err);
	strbuf_clear(&op->result);
	return ok;
}
