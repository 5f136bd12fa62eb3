/* Thresholds as text, in and out. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fmt.h"
#include "model/rules_priv.h"

struct suffix {
	const char *name;
	double factor;
};

static const struct suffix spans[] = { { "ms", 0.001 }, { "min", 60 }, { "s", 1 }, { "m", 60 },
	{ "h", 3600 }, { "d", 86400 }, { NULL, 0 } };
static const struct suffix sizes[] = { { "kB", 1024.0 }, { "MB", 1048576.0 },
	{ "GB", 1073741824.0 }, { "TB", 1099511627776.0 }, { "B", 1 }, { NULL, 0 } };
static const struct suffix counts[] = { { "k", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { NULL, 0 } };
static const struct suffix percent[] = { { "%", 1 }, { NULL, 0 } };
static const struct suffix per_second[] = { { "/s", 1 }, { NULL, 0 } };

static const struct suffix *
suffixes(enum rule_unit unit)
{
	switch (unit) {
	case RULE_PCT:
		return percent;
	case RULE_SECONDS:
		return spans;
	case RULE_BYTES:
		return sizes;
	case RULE_PER_S:
		return per_second;
	case RULE_NUMBER:
	case RULE_XIDS:
		break;
	}
	return counts;
}

static const char *
example(enum rule_unit unit)
{
	switch (unit) {
	case RULE_PCT:
		return "90%";
	case RULE_SECONDS:
		return "60s, 5m or 2h";
	case RULE_BYTES:
		return "10GB";
	case RULE_PER_S:
		return "50/s";
	case RULE_NUMBER:
		return "10";
	case RULE_XIDS:
		break;
	}
	return "20M";
}

/* One number with its unit; *end behind it. */
static bool
read_one(const char *text, const struct suffix *known, double *value, const char **end)
{
	char *rest;
	double v = strtod(text, &rest);

	if (rest == text || !isfinite(v) || v < 0)
		return false;
	while (*rest == ' ')
		rest++;
	for (; known->name; known++) {
		size_t n = strlen(known->name);
		if (strncasecmp(rest, known->name, n) != 0)
			continue;
		v *= known->factor;
		rest += n;
		break;
	}
	*value = v;
	*end = rest;
	return true;
}

bool
rule_span_read(const char *text, double *seconds)
{
	double part;
	const char *p = text;

	*seconds = 0;
	if (!*p)
		return false;
	while (*p) {
		const char *end;
		if (!read_one(p, spans, &part, &end))
			return false;
		*seconds += part;
		p = end;
	}
	return true;
}

static bool
read_value(enum rule_unit unit, const char *text, double *value)
{
	const char *end;

	if (unit == RULE_SECONDS)
		return rule_span_read(text, value);
	return read_one(text, suffixes(unit), value, &end) && !*end;
}

static bool
fail(enum rule_id id, const char *part, struct error *err)
{
	error_set(err, ERR_CONFIG, "\"%s\" is no threshold of %s", part, rules[id].id);
	return error_hint(err,
	    "Write WARNING[,CRITICAL[,FOR]] with values such as %s, and a FOR such as 5m; or off.",
	    example(rules[id].unit));
}

/* A warning beyond the critical level would never be seen. */
static bool
check_order(enum rule_id id, const struct rule_limits *l, struct error *err)
{
	bool is_low = rules[id].flags & RULE_LOW;

	if (isnan(l->warning) || isnan(l->critical) ||
	    (is_low ? l->warning >= l->critical : l->warning <= l->critical))
		return true;
	error_set(
	    err, ERR_CONFIG, "the warning level of %s is beyond its critical one", rules[id].id);
	return error_hint(err,
	    "For this rule %s is worse; write none for a level that is not wanted.",
	    is_low ? "less" : "more");
}

bool
rule_limits_read(enum rule_id id, const char *text, struct rule_limits *limits, struct error *err)
{
	const char *p = text + strspn(text, " \t");
	int n_given = 0;

	*limits = rule_limits_default(id);
	if (strcmp(p, "off") == 0)
		return limits->is_off = true;
	for (int part = 0; *p || part == 0; part++) {
		char word[64] = "";
		size_t n = strcspn(p, ","), used = n;
		double v;

		while (used > 0 && (p[used - 1] == ' ' || p[used - 1] == '\t'))
			used--;
		if (part > 2 || used >= sizeof(word))
			return fail(id, p, err);
		memcpy(word, p, used);
		p += n + (p[n] == ',');
		p += strspn(p, " \t");
		if (!*word)
			continue;
		n_given += part < 2;
		if (part == 2) {
			if (!rule_span_read(word, &v) || v > 30 * 86400.0)
				return fail(id, word, err);
			limits->for_s = (int)v;
		} else if (part == 1 && strcmp(word, "none") == 0) {
			limits->critical = NAN;
		} else if (part == 0 && strcmp(word, "none") == 0) {
			limits->warning = NAN;
		} else if (!read_value(rules[id].unit, word, &v)) {
			return fail(id, word, err);
		} else if (part == 0) {
			limits->warning = v;
		} else {
			limits->critical = v;
		}
	}
	/* One value alone replaces both levels' defaults where they would be out of order. */
	if (n_given == 1 && !check_order(id, limits, err))
		limits->critical = limits->warning;
	return check_order(id, limits, err);
}

void
rule_value_text(struct strbuf *out, enum rule_id id, double value)
{
	char buf[32];

	if (isnan(value)) {
		strbuf_adds(out, "-");
		return;
	}
	switch (rules[id].unit) {
	case RULE_PCT:
		strbuf_addf(out, "%s%%", fmt_pct(buf, sizeof(buf), value));
		break;
	case RULE_SECONDS:
		strbuf_adds(out, fmt_span(buf, sizeof(buf), value));
		break;
	case RULE_BYTES:
		strbuf_adds(out, fmt_bytes(buf, sizeof(buf), value));
		break;
	case RULE_PER_S:
		strbuf_addf(out, "%s/s", fmt_rate(buf, sizeof(buf), value));
		break;
	case RULE_NUMBER:
	case RULE_XIDS:
		strbuf_adds(out, fmt_count(buf, sizeof(buf), value));
		break;
	}
}
