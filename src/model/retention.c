#include "config.h"

#include "model/retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400 };

const char *const retention_class_names[] = { "", "daily", "weekly", "monthly", NULL };

enum retention_class
retention_class_of(const char *word)
{
	for (int c = RETENTION_DAILY; retention_class_names[c]; c++)
		if (strcmp(word, retention_class_names[c]) == 0)
			return (enum retention_class)c;
	return RETENTION_OTHER;
}

/* ------------------------------------------------------------------ the words */

static int *
days_of(struct retention *r, const char *word)
{
	switch (retention_class_of(word)) {
	case RETENTION_DAILY:
		return &r->daily;
	case RETENTION_WEEKLY:
		return &r->weekly;
	case RETENTION_MONTHLY:
		return &r->monthly;
	case RETENTION_OTHER:
		break;
	}
	return strcmp(word, "continuous") == 0 ? &r->continuous : NULL;
}

bool
retention_parse(const char *text, struct retention *out, struct error *err)
{
	char word[32];
	int used;

	*out = (struct retention){ 0 };
	while (sscanf(text, "%31s%n", word, &used) == 1) {
		int *days = days_of(out, word);
		char *end;
		long v;

		text += used;
		if (!days) {
			error_set(err, ERR_USAGE, "retention does not know '%s'", word);
			return error_hint(
			    err, "daily N weekly N monthly N continuous N: days; daily is needed.");
		}
		v = strtol(text, &end, 10);
		if (end == text || v < 0 || v > RETENTION_MAX_DAYS || (*end && *end != ' '))
			return error_set(err, ERR_USAGE, "%s needs a number of days, at most %d",
			    word, RETENTION_MAX_DAYS);
		*days = (int)v;
		text = end;
	}
	if (out->daily > 0)
		return true;
	error_set(err, ERR_USAGE, "retention needs the days of daily snapshots");
	return error_hint(err, "As in: daily 30 weekly 90 monthly 365 continuous 7");
}

const char *
retention_text(const struct retention *r, char *buf, size_t size)
{
	const int days[] = { r->daily, r->weekly, r->monthly, r->continuous };
	static const char *const names[] = { "daily", "weekly", "monthly", "continuous" };
	size_t len = 0;

	buf[0] = '\0';
	for (int i = 0; i < 4 && len < size; i++)
		if (days[i])
			len += (size_t)snprintf(
			    buf + len, size - len, "%s%s %d", len ? " " : "", names[i], days[i]);
	return buf;
}

/* ------------------------------------------------------------------ the calendar, in UTC */

static int64_t
day_of(struct wall t)
{
	return t.us / 1000000 / DAY_S;
}

/* 1970-01-01 was a Thursday. */
static int64_t
week_of(struct wall t)
{
	return (day_of(t) + 4) / 7;
}

/* Months since year 0 of the proleptic Gregorian calendar: Howard Hinnant's civil_from_days. */
static int64_t
month_of(struct wall t)
{
	int64_t z = day_of(t) + 719468, era = z / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;

	return (yoe + era * 400 + (month <= 2)) * 12 + month;
}

static bool
is_first(const struct retention_item *items, int i, int64_t (*period)(struct wall))
{
	for (int k = 0; k < i; k++)
		if (items[k].is_full && !items[k].is_bad &&
		    period(items[k].at) == period(items[i].at))
			return false;
	return true;
}

static enum retention_class
class_of(const struct retention_item *items, int i, const struct retention *r)
{
	const struct retention_item *item = &items[i];

	if (item->is_left_alone)
		return RETENTION_OTHER;
	if (*item->policy)
		return retention_class_of(item->policy);
	if (item->is_full && !item->is_bad && r->monthly && is_first(items, i, month_of))
		return RETENTION_MONTHLY;
	if (item->is_full && !item->is_bad && r->weekly && is_first(items, i, week_of))
		return RETENTION_WEEKLY;
	return RETENTION_DAILY;
}

/* A sort that has no days of its own is kept as long as a daily one. */
static int
days_kept(enum retention_class class, const struct retention *r)
{
	int days = class == RETENTION_MONTHLY ? r->monthly :
	    class == RETENTION_WEEKLY         ? r->weekly :
	                                        r->daily;

	return days ? days : r->daily;
}

/* ------------------------------------------------------------------ what is never dropped */

static void
keep(struct retention_item *item, const char *why)
{
	if (!item->is_dropped)
		return;
	item->is_dropped = false;
	item->why = why;
}

static void
keep_last(struct retention_item *items, int n)
{
	bool newest = false, full = false, verified = false;

	for (int i = n - 1; i >= 0; i--) {
		struct retention_item *item = &items[i];

		if (item->is_bad)
			continue;
		if (!newest)
			keep(item, "the newest");
		if (!full && item->is_full)
			keep(item, "the last full one");
		if (!verified && item->is_verified)
			keep(item, "the last that was verified");
		newest = true;
		full = full || item->is_full;
		verified = verified || item->is_verified;
	}
}

/* What is older cannot build upon what is newer. */
static void
keep_used(struct retention_item *items, int n)
{
	for (int i = n - 1; i >= 0; i--)
		for (int u = 0; !items[i].is_dropped && u < items[i].nuses; u++)
			for (int k = 0; k < i; k++)
				if (strcmp(items[k].id, items[i].uses[u]) == 0)
					keep(&items[k], "others build upon it");
}

void
retention_judge(struct retention_item *items, int n, const struct retention *r, struct wall now)
{
	for (int i = 0; i < n; i++) {
		struct retention_item *item = &items[i];

		item->class = class_of(items, i, r);
		item->expires.us = item->class == RETENTION_OTHER || !item->at.us ?
		    0 :
		    item->at.us + (int64_t)days_kept(item->class, r) * DAY_S * 1000000;
		item->is_dropped = item->expires.us && item->expires.us <= now.us;
		item->why = "";
	}
	keep_last(items, n);
	keep_used(items, n);
}
