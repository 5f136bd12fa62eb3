/*
 * The forecast as JSON (a contract: names and units) and as text: a sentence, the table of
 * horizons, what happened on the way.
 */
#include "config.h"

#include "app/forecast_cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/forecast_csv.h"
#include "base/clock.h"
#include "base/fmt.h"
#include "base/json.h"
#include "base/mem.h"

enum { MAX_FILE = 1 << 30, MAX_STEPS_SHOWN = 12 };

static bool
read_stream(FILE *in, const char *name, struct strbuf *text, struct error *err)
{
	char buf[65536];
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		strbuf_add(text, buf, n);
	if (ferror(in))
		return error_set(err, ERR_FILE, "cannot read %s: %s", name, strerror(errno));
	if (text->cut)
		return error_set(err, ERR_MEMORY, "%s is larger than 1 GB", name);
	return true;
}

static bool
read_points(const char *path, struct csv_points *points, struct error *err)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	const char *name = is_stdin ? "standard input" : path;
	struct strbuf text = STRBUF_INIT(MAX_FILE);
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	bool ok;

	if (!in)
		return error_set(err, ERR_FILE, "cannot open %s: %s", name, strerror(errno));
	ok = read_stream(in, name, &text, err);
	if (!is_stdin)
		fclose(in);
	if (ok && !csv_points_parse(points, text.buf, text.len, err))
		ok = error_prefix(err, "%s", name);
	if (ok && points->n == 0) {
		ok = error_set(err, ERR_FORMAT, "%s holds no points", name);
		error_hint(err, "Each line is time,bytes.");
	}
	strbuf_release(&text);
	return ok;
}

/* ---- JSON */

static void
json_field(struct strbuf *out, bool *first, const char *key, double v)
{
	json_key(out, first, key);
	json_num(out, v);
}

/* To a thousandth of a day: what lies below differs between machines and means nothing. */
static double
thousandths(double v)
{
	return round(v * 1000) / 1000;
}

static void
json_time(struct strbuf *out, bool *first, const char *key, int64_t us)
{
	char buf[40];

	json_key(out, first, key);
	if (us == 0)
		strbuf_adds(out, "null");
	else
		strbuf_addf(out, "\"%s\"", wall_rfc3339((struct wall){ us }, buf, sizeof(buf)));
}

static void
json_horizons(struct strbuf *out, const struct forecast *f)
{
	strbuf_addc(out, '[');
	for (int i = 0; i < FORECAST_HORIZONS; i++) {
		const struct forecast_quantiles *q = &f->horizons[i];
		bool first = true;

		strbuf_adds(out, i ? ",{" : "{");
		json_field(out, &first, "days", q->days);
		json_field(out, &first, "p2_5", round(q->p2_5));
		json_field(out, &first, "p10", round(q->p10));
		json_field(out, &first, "p50", round(q->p50));
		json_field(out, &first, "p90", round(q->p90));
		json_field(out, &first, "p97_5", round(q->p97_5));
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

static int64_t
after_days(const struct forecast *f, double days)
{
	/* No date beyond the year 9999. */
	return isfinite(days) && days < 1e6 ? f->last.at_us + (int64_t)(days * 86400) * 1000000 : 0;
}

static void
json_full(struct strbuf *out, const struct forecast *f, double capacity)
{
	static const char *const days[] = { "7", "30", "90" };
	bool first = true;

	if (!f->has_full) {
		strbuf_adds(out, "null");
		return;
	}
	strbuf_addc(out, '{');
	json_field(out, &first, "capacity_bytes", capacity);
	json_field(out, &first, "p10", thousandths(f->full_p10));
	json_field(out, &first, "p50", thousandths(f->full_p50));
	json_field(out, &first, "p90", thousandths(f->full_p90));
	json_time(out, &first, "p10_at", after_days(f, f->full_p10));
	json_time(out, &first, "p50_at", after_days(f, f->full_p50));
	json_time(out, &first, "p90_at", after_days(f, f->full_p90));
	json_key(out, &first, "probability");
	strbuf_addc(out, '{');
	first = true;
	for (int i = 0; i < 3; i++)
		json_field(out, &first, days[i], thousandths(f->probability[i]));
	strbuf_adds(out, "}}");
}

static void
json_steps(struct strbuf *out, const struct forecast *f)
{
	strbuf_addc(out, '[');
	for (int i = 0; i < f->nsteps; i++) {
		const struct forecast_step *s = &f->steps[i];
		bool first = true;

		strbuf_adds(out, i ? ",{" : "{");
		json_time(out, &first, "time", s->at_us);
		json_field(out, &first, "bytes", round(s->bytes));
		json_key(out, &first, "recurring");
		strbuf_adds(out, s->is_recurring ? "true" : "false");
		json_field(
		    out, &first, "every_days", s->is_recurring ? thousandths(s->every_days) : NAN);
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

static void
json_name_field(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	if (*value)
		json_str(out, value, strlen(value));
	else
		strbuf_adds(out, "null");
}

static void
print_json(struct strbuf *out, const struct forecast *f, double capacity, int npoints)
{
	bool first = true;

	strbuf_addc(out, '{');
	json_field(out, &first, "last", round(f->last.bytes));
	json_time(out, &first, "last_at", f->last.at_us);
	json_field(out, &first, "points", npoints);
	json_field(out, &first, "span_days", thousandths(f->span_days));
	json_field(out, &first, "rate_bytes_per_day", round(f->rate_bytes_per_day));
	json_key(out, &first, "horizons");
	json_horizons(out, f);
	json_key(out, &first, "full");
	json_full(out, f, capacity);
	json_key(out, &first, "steps");
	json_steps(out, f);
	json_name_field(out, &first, "regime", forecast_regime_names[f->regime]);
	json_time(out, &first, "regime_since", f->regime_since_us);
	json_name_field(out, &first, "confidence", forecast_confidence_names[f->confidence]);
	json_name_field(out, &first, "refused", f->refused);
	strbuf_adds(out, "}\n");
}

/* ---- text */

static const char *
day_of(int64_t us, char buf[static 40])
{
	wall_rfc3339((struct wall){ us }, buf, 40);
	buf[10] = '\0';
	return buf;
}

static void
print_table(struct strbuf *out, const struct forecast *f)
{
	strbuf_addf(out, "%8s  %-10s %8s %8s %8s %8s %8s\n", "days", "date", "2.5 %", "10 %",
	    "median", "90 %", "97.5 %");
	for (int i = 0; i < f->nhorizons; i++) {
		const struct forecast_quantiles *q = &f->horizons[i];
		const double v[] = { q->p2_5, q->p10, q->p50, q->p90, q->p97_5 };
		char buf[40];

		strbuf_addf(out, "%8d  %-10s", q->days, day_of(after_days(f, q->days), buf));
		for (size_t k = 0; k < ARRAY_LEN(v); k++)
			strbuf_addf(out, " %8s", fmt_bytes(buf, sizeof(buf), v[k]));
		strbuf_addc(out, '\n');
	}
}

static void
print_full(struct strbuf *out, const struct forecast *f)
{
	static const int days[] = { 7, 30, 90 };

	if (!f->has_full || isnan(f->probability[0]))
		return;
	strbuf_adds(out, "full within");
	for (int i = 0; i < 3 && !isnan(f->probability[i]); i++)
		strbuf_addf(
		    out, "%s %d days: %.0f %%", i ? "," : "", days[i], f->probability[i] * 100);
	strbuf_addc(out, '\n');
}

static void
print_steps(struct strbuf *out, const struct forecast *f)
{
	int from = f->nsteps > MAX_STEPS_SHOWN ? f->nsteps - MAX_STEPS_SHOWN : 0;

	if (from)
		strbuf_addf(out, "%d earlier steps\n", from);
	for (int i = from; i < f->nsteps; i++) {
		const struct forecast_step *s = &f->steps[i];
		char size[32], day[40];

		fmt_bytes(size, sizeof(size), fabs(s->bytes));
		strbuf_addf(
		    out, "%s%s on %s", s->bytes < 0 ? "-" : "+", size, day_of(s->at_us, day));
		if (s->is_recurring)
			strbuf_addf(out, " (every %.3g days)\n", s->every_days);
		else
			strbuf_adds(out, " (not in the trend)\n");
	}
}

static void
print_text(struct strbuf *out, const struct forecast *f, double capacity)
{
	char size[32], day[40];

	strbuf_addf(out, "%s on %s; ", fmt_bytes(size, sizeof(size), f->last.bytes),
	    day_of(f->last.at_us, day));
	forecast_say(f, capacity, out);
	strbuf_adds(out, ".\n");
	if (f->nhorizons)
		print_table(out, f);
	print_full(out, f);
	print_steps(out, f);
	if (f->regime == REGIME_CHANGED)
		strbuf_addf(out, "growth changed around %s\n", day_of(f->regime_since_us, day));
	strbuf_addf(out, "growth: %s; confidence: %s (%.3g days of history)\n",
	    forecast_regime_names[f->regime], forecast_confidence_names[f->confidence],
	    f->span_days);
	if (*f->refused)
		strbuf_addf(out, "not said: %s\n", f->refused);
}

static bool
read_capacity(const char *text, double *capacity, struct error *err)
{
	*capacity = 0;
	if (!text || (csv_parse_bytes(text, capacity) && *capacity > 0))
		return true;
	error_set(err, ERR_USAGE, "--capacity %s is not a size", text);
	return error_hint(err, "Give bytes, or a number with a unit: 500GB, 1.5TB.");
}

int
forecast_main(const struct options *opt)
{
	struct strbuf out = STRBUF_INIT(1 << 26);
	struct csv_points points = { 0 };
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct forecast f;
	double capacity;
	int status = EXIT_DONE;

	if (!read_capacity(opt->capacity, &capacity, &err) ||
	    !read_points(opt->args[0], &points, &err)) {
		error_report(&err);
		status = options_exit_status(&err);
	} else {
		const struct forecast_request req = {
			.points = points.items, .n = points.n, .capacity_bytes = capacity
		};

		forecast_make(&req, &arena, &f);
		if (opt->json)
			print_json(&out, &f, capacity, points.n);
		else
			print_text(&out, &f, capacity);
		fwrite(out.buf, 1, out.len, stdout);
	}
	strbuf_release(&out);
	csv_points_release(&points);
	arena_release(&arena);
	return status;
}
