/* The forecast as JSON, as `pgmedic forecast` and the storage pane give it. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "model/forecast.h"

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

void
forecast_json_horizons(struct strbuf *out, const struct forecast *f)
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

void
forecast_json_full(struct strbuf *out, const struct forecast *f, double capacity)
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

void
forecast_json_steps(struct strbuf *out, const struct forecast *f)
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

void
forecast_json(struct strbuf *out, const struct forecast *f, double capacity, int npoints)
{
	bool first = true;

	strbuf_addc(out, '{');
	json_field(out, &first, "last", round(f->last.bytes));
	json_time(out, &first, "last_at", f->last.at_us);
	json_field(out, &first, "points", npoints);
	json_field(out, &first, "span_days", thousandths(f->span_days));
	json_field(out, &first, "rate_bytes_per_day", round(f->rate_bytes_per_day));
	json_key(out, &first, "horizons");
	forecast_json_horizons(out, f);
	json_key(out, &first, "full");
	forecast_json_full(out, f, capacity);
	json_key(out, &first, "steps");
	forecast_json_steps(out, f);
	json_name_field(out, &first, "regime", forecast_regime_names[f->regime]);
	json_time(out, &first, "regime_since", f->regime_since_us);
	json_name_field(out, &first, "confidence", forecast_confidence_names[f->confidence]);
	json_name_field(out, &first, "refused", f->refused);
	strbuf_addc(out, '}');
}
