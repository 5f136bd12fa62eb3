/*
 * What a drill comes to: its result, and the report, for people (Markdown) and programs (JSON),
 * with the drills of the target before it.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/digest.h"
#include "base/json.h"
#include "ops/local_drill.h"
#include "ops/local_probe.h"
#include "ops/op_result.h"

enum { MAX_REPORT = 1 << 20, MAX_TREND = 10, BEAT_MS = 100, CHART_WIDTH = 80, MARGIN_MS = 1000 };

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

static bool
write_file(const char *path, const char *text, struct error *err)
{
	FILE *f = fopen(path, "we");
	bool ok = f && fputs(text, f) >= 0;

	if (f && fclose(f) != 0)
		ok = false;
	return ok || error_set(err, ERR_FILE, "cannot write %s", path);
}

/* ------------------------------------------------------------------ drills before this one */

struct trend {
	int64_t job;
	struct wall at;
	const char *kind;
	double rto_s, rpo_rows; /* NAN unknown */
	bool passed;
};

/* Newest first; what cannot be read is left out. */
static int
read_trend(struct op *op, struct trend *out)
{
	struct error ignored = { 0 };
	int64_t ids[MAX_TREND];
	int n = jobs_latest(op->journal, op->target->name, "drill", ids, MAX_TREND, &ignored),
	    k = 0;

	for (int i = 0; i < n; i++) {
		struct trend *t = &out[k];
		struct journal_act act;
		struct job_row row;
		struct json *o;
		const char *kind;

		if (!journal_get(op->journal, ids[i], &op->arena, &act, &ignored) ||
		    !jobs_get(op->journal, ids[i], &op->arena, &row, &ignored))
			continue;
		o = *row.result ? json_parse(row.result, strlen(row.result), &ignored) : NULL;
		kind = json_text(json_get(o, "kind"));
		*t = (struct trend){
			.job = ids[i], .at = act.finished_at, .rto_s = NAN, .rpo_rows = NAN
		};
		if (kind) {
			t->kind = arena_strdup(&op->arena, kind);
			json_number(json_get(o, "rto_s"), &t->rto_s);
			json_number(json_get(o, "rpo_rows"), &t->rpo_rows);
			t->passed = json_true(json_get(o, "passed"));
			k++;
		}
		json_free(o);
	}
	return k;
}

static void
add_trend_rows(struct op *op, struct strbuf *sb)
{
	struct trend all[MAX_TREND];
	int n = read_trend(op, all);
	char at[40], rto[32], rows[32];

	strbuf_adds(sb,
	    "## Trend\n\n| job | at | kind | outage | rows lost | |\n|---|---|---|---|---|---|\n");
	strbuf_addf(sb, "| %lld | this one | %s | %s s | %s | %s |\n", (long long)op->job,
	    op_fact(op, "kind"), op_fact(op, "rto_s"), op_fact(op, "rpo_rows"),
	    has_passed(op) ? "passed" : "not passed");
	for (int i = 0; i < n; i++) {
		snprintf(rto, sizeof(rto), isfinite(all[i].rto_s) ? "%.3f s" : "-", all[i].rto_s);
		snprintf(
		    rows, sizeof(rows), isfinite(all[i].rpo_rows) ? "%.0f" : "-", all[i].rpo_rows);
		strbuf_addf(sb, "| %lld | %s | %s | %s | %s | %s |\n", (long long)all[i].job,
		    wall_rfc3339(all[i].at, at, sizeof(at)), all[i].kind, rto, rows,
		    all[i].passed ? "passed" : "not passed");
	}
	strbuf_addc(sb, '\n');
}

static void
add_trend_member(struct op *op, bool *first)
{
	struct trend all[MAX_TREND];
	struct strbuf *out = &op->result;
	int n = read_trend(op, all);
	char at[40];

	json_key(out, first, "trend");
	strbuf_addc(out, '[');
	for (int i = 0; i < n; i++) {
		bool inner = true;

		strbuf_adds(out, i ? ",{" : "{");
		op_result_int(op, &inner, "job", all[i].job);
		op_result_text(op, &inner, "at", wall_rfc3339(all[i].at, at, sizeof(at)));
		op_result_text(op, &inner, "kind", all[i].kind);
		op_result_num(op, &inner, "rto_s", all[i].rto_s);
		op_result_num(op, &inner, "rpo_rows", all[i].rpo_rows);
		op_result_bool(op, &inner, "passed", all[i].passed);
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

/* ------------------------------------------------------------------ what the probe saw */

/* The outage of the way back: between beats that two different servers have taken, after the new
 * primary had taken its first. */
static void
keep_way_back(struct op *op, const struct probe_log *log)
{
	int64_t first_us = op_fact_int(op, "first_ack_us", 0);
	const struct probe_beat *last = NULL;
	struct error ignored = { 0 };

	for (int i = 0; i < log->n; i++) {
		const struct probe_beat *b = &log->beats[i];

		if (b->what != 'o' || b->ended < first_us)
			continue;
		if (last && (b->port != last->port || b->started != last->started)) {
			if (!op_fact_set(op, &ignored, "back_s", "%.3f",
			        (double)(b->ended - last->ended) / 1e6))
				return;
			return;
		}
		last = b;
	}
}

/* A character for each tenth of a second, or for more where that is too much for a line. */
static void
add_chart(struct op *op, struct strbuf *sb, const struct probe_log *log)
{
	int64_t from = op_fact_int(op, "last_ack_us", 0) - MARGIN_MS * 1000,
	        to = op_fact_int(op, "first_ack_us", 0) + MARGIN_MS * 1000, grain = BEAT_MS * 1000;
	char line[CHART_WIDTH + 1];
	int width;

	if (to <= from)
		return;
	while ((to - from) / grain >= CHART_WIDTH)
		grain *= 2;
	width = (int)((to - from) / grain) + 1;
	memset(line, ' ', (size_t)width);
	line[width] = '\0';
	for (int i = 0; i < log->n; i++) {
		const struct probe_beat *b = &log->beats[i];
		int64_t at = (b->ended - from) / grain;

		if (b->ended < from || at >= width)
			continue;
		if (b->what == 'o')
			line[at] = '#';
		else if (line[at] == ' ')
			line[at] = '.';
	}
	strbuf_addf(sb,
	    "## Writes around the outage\n\n    %s\n\nEach character is %.1f s: # acknowledged, . refused or unanswered.\n\n",
	    line, (double)grain / 1e6);
}

/* ------------------------------------------------------------------ the report */

static const char *
at_text(struct op *op, int64_t us)
{
	char buf[40];

	return arena_strdup(&op->arena, wall_rfc3339((struct wall){ us }, buf, sizeof(buf)));
}

struct event {
	int64_t us;
	const char *text;
};

static int
by_time(const void *a, const void *b)
{
	int64_t x = ((const struct event *)a)->us, y = ((const struct event *)b)->us;

	return (x > y) - (x < y);
}

static void
add_events(struct op *op, struct strbuf *sb)
{
	struct arena *a = &op->arena;
	struct event all[] = {
		{ op_fact_int(op, "last_ack_us", 0),
		    arena_printf(a, "last acknowledgement of %s", op_fact(op, "first")) },
		{ op_fact_int(op, "fault_us", 0), "fault" },
		{ op_fact_int(op, "promoted_us", 0),
		    op_fact(op, "outcome") ? op_fact(op, "outcome") : "promoted" },
		{ op_fact_int(op, "first_ack_us", 0), "first acknowledgement of the new primary" },
		{ op_fact_int(op, "restored_us", 0), "original topology" },
	};

	qsort(all, sizeof(all) / sizeof(all[0]), sizeof(all[0]), by_time);
	strbuf_adds(sb, "## Events\n\n");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].us)
			strbuf_addf(sb, "- %s %s\n", at_text(op, all[i].us), all[i].text);
	if (op_fact(op, "there.text"))
		strbuf_addf(sb, "- RDS says: %s\n", op_fact(op, "there.text"));
	strbuf_addc(sb, '\n');
}

static void
add_head(struct op *op, struct strbuf *sb)
{
	struct journal_act act = { .os_user = "" };
	struct error ignored = { 0 };
	char now[40];

	strbuf_addf(sb, "# Failover drill of %s: %s\n\n", op->target->name,
	    has_passed(op) ? "passed" : "not passed");
	strbuf_addf(sb, "Job %lld, kind %s, written %s", (long long)op->job, op_fact(op, "kind"),
	    wall_rfc3339(wall_now(), now, sizeof(now)));
	if (journal_get(op->journal, op->job, &op->arena, &act, &ignored))
		strbuf_addf(sb, ", asked for by %s (%s)", act.os_user, act.confirmed_how);
	strbuf_addf(sb,
	    ".\n\nHypothesis: writes are back in less than %d s, no acknowledged row is lost.\n\n",
	    goal_s(op));
}

static void
add_numbers(struct op *op, struct strbuf *sb)
{
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
	if (op_fact(op, "back_s"))
		strbuf_addf(sb, "| write outage of the way back | %s s |\n", op_fact(op, "back_s"));
	strbuf_addf(
	    sb, "| topology restored | %s |\n\n", op_fact_int(op, "restored", 0) ? "yes" : "no");
}

static void
add_markdown(struct op *op, struct strbuf *sb, const struct probe_log *log, const char *log_hash)
{
	add_head(op, sb);
	add_numbers(op, sb);
	add_chart(op, sb, log);
	add_events(op, sb);
	add_trend_rows(op, sb);
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
	op_result_num(op, &first, "back_s", op_fact_num(op, "back_s", NAN));
	op_result_text(op, &first, "report", op_fact(op, "report"));
	add_trend_member(op, &first);
	if (op_fact(op, "outcome"))
		op_result_text(op, &first, "outcome", op_fact(op, "outcome"));
	return true;
}

bool
drill_report(struct op *op, struct error *err)
{
	const char *base =
	    path_state(&op->arena, arena_printf(&op->arena, "drill-%lld", (long long)op->job));
	const char *path = arena_printf(&op->arena, "%s.md", base);
	struct strbuf sb = STRBUF_INIT(MAX_REPORT);
	struct probe_log log;
	char hash[65];
	bool ok;

	if (!hash_log(op, hash, err) || !op_fact_set(op, err, "report", "%s", path) ||
	    !probe_read(op, &log, err))
		return false;
	keep_way_back(op, &log);
	add_markdown(op, &sb, &log, hash);
	probe_log_release(&log);
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
