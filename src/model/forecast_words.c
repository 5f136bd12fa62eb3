/* The forecast in a DBA's words. */
#include "config.h"

#include <math.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "model/forecast.h"

static void
say_day(const struct forecast *f, double days, struct strbuf *out)
{
	char buf[40];

	wall_rfc3339(
	    (struct wall){ f->last.at_us + (int64_t)(days * 86400) * 1000000 }, buf, sizeof(buf));
	strbuf_add(out, buf, 10);
}

static const char *
unit(double days)
{
	return fabs(days - 1) < 0.05 ? "day" : "days";
}

/* Days below ten keep a digit behind the point. */
static void
say_days(double days, struct strbuf *out)
{
	strbuf_addf(out, days < 9.95 ? "%.2g" : "%.0f", days);
}

static void
say_full(const struct forecast *f, struct strbuf *out)
{
	const double soon = f->full_p10, late = f->full_p90;

	if (f->full_p50 <= 0) {
		strbuf_adds(out, "full now");
		return;
	}
	strbuf_adds(out, "full in ");
	if (!isfinite(late)) {
		say_days(soon, out);
		strbuf_adds(out, " days or later");
	} else if (late - soon < 0.5) {
		say_days(f->full_p50, out);
		strbuf_addf(out, " %s", unit(f->full_p50));
	} else {
		say_days(soon, out);
		strbuf_adds(out, " to ");
		say_days(late, out);
		strbuf_adds(out, " days");
	}
	if (isfinite(f->full_p50)) {
		strbuf_adds(out, ", most likely on ");
		say_day(f, f->full_p50, out);
	}
}

static void
say_rate(const struct forecast *f, struct strbuf *out)
{
	char buf[32];

	if (isnan(f->rate_bytes_per_day))
		strbuf_adds(out, "growth unknown");
	else if (f->regime == REGIME_FLAT || fabs(f->rate_bytes_per_day) < 0.5)
		strbuf_adds(out, "no growth to speak of");
	else
		strbuf_addf(out, "%s %s a day", f->rate_bytes_per_day < 0 ? "shrinks" : "grows",
		    fmt_bytes(buf, sizeof(buf), fabs(f->rate_bytes_per_day)));
}

void
forecast_say(const struct forecast *f, double capacity_bytes, struct strbuf *out)
{
	if (f->has_full && isfinite(f->full_p10)) {
		say_full(f, out);
		strbuf_adds(out, ": ");
	} else if (f->has_full && capacity_bytes > 0 && f->nband > 0) {
		strbuf_addf(out, "not full within %d days: ", f->nband);
	}
	say_rate(f, out);
}
