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

/* ---- text */

static int64_t
after_days(const struct forecast *f, double days)
{
	/* No date beyond the year 9999. */
	return isfinite(days) && days < 1e6 ? f->last.at_us + (int64_t)(days * 86400) * 1000000 : 0;
}

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
		if (opt->json) {
			forecast_json(&out, &f, capacity, points.n);
			strbuf_addc(&out, '\n');
		} else {
			print_text(&out, &f, capacity);
		}
		fwrite(out.buf, 1, out.len, stdout);
	}
	strbuf_release(&out);
	csv_points_release(&points);
	arena_release(&arena);
	return status;
}
