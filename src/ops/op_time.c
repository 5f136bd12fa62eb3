#include "config.h"

#include "ops/op_time.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool
no_zone(const char *text, struct error *err)
{
	error_set(err, ERR_USAGE, "'%s' does not say its time zone", text);
	return error_hint(
	    err, "Add it: 2026-11-21 04:17:37+01, … UTC, … Europe/Berlin; `at` is never guessed.");
}

/* "Europe/Berlin": letters and no way out of the folder of zones. */
static bool
is_zone(const char *name)
{
	char path[300];

	if (!isalpha((unsigned char)*name) || strstr(name, "..") || strlen(name) > 64 ||
	    name[strspn(
	        name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/")])
		return false;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	return access(path, R_OK) == 0;
}

/* The clock on the wall there at t shows these digits? */
static bool
shows(time_t t, int64_t want)
{
	struct tm tm;

	return t != (time_t)-1 && localtime_r(&t, &tm) && timegm(&tm) == (time_t)want;
}

/* The moment at which clocks of a zone show what UTC's show at `digits`. */
static bool
in_zone(struct wall digits, const char *zone, struct wall *t, struct error *err)
{
	int64_t want = digits.us / 1000000;
	time_t as_utc = (time_t)want, found[2];
	const char *before = getenv("TZ");
	char *kept = before ? strdup(before) : NULL;
	struct tm tm;
	int n = 0;

	setenv("TZ", zone, 1);
	tzset();
	for (int dst = 0; dst < 2; dst++) {
		time_t at;

		gmtime_r(&as_utc, &tm);
		tm.tm_isdst = dst;
		at = mktime(&tm);
		if (shows(at, want) && (n == 0 || found[0] != at))
			found[n++] = at;
	}
	if (kept)
		setenv("TZ", kept, 1);
	else
		unsetenv("TZ");
	tzset();
	free(kept);
	if (n == 1) {
		t->us = (int64_t)found[0] * 1000000 + digits.us % 1000000;
		return true;
	}
	error_set(err, ERR_USAGE,
	    n ? "the clocks of %s show that time twice" : "the clocks of %s never show that time",
	    zone);
	return error_hint(err, "Say the offset instead, as in +01 or Z.");
}

bool
op_time_read(const char *text, struct wall *t, struct error *err)
{
	char digits[64];
	const char *blank = strrchr(text, ' ');
	size_t len = strlen(text);
	struct wall naive;

	if (strlen(text) >= sizeof(digits) - 4)
		return error_set(err, ERR_USAGE, "'%.60s…' is no time", text);
	/* A zone by its name, behind the last blank. */
	if (blank && isalpha((unsigned char)blank[1])) {
		snprintf(digits, sizeof(digits), "%.*sZ", (int)(blank - text), text);
		if (!wall_parse(digits, &naive))
			return error_set(err, ERR_USAGE, "'%s' is no time", text);
		if (!is_zone(blank + 1))
			return error_set(err, ERR_USAGE, "there is no time zone '%s'", blank + 1);
		return in_zone(naive, blank + 1, t, err);
	}
	/* An offset or Z behind the time of day. */
	if (len > 11 && text[4] == '-' &&
	    (strpbrk(text + 11, "+-") || text[len - 1] == 'Z' || text[len - 1] == 'z')) {
		if (wall_parse(text, t))
			return true;
		/* PostgreSQL writes +01, RFC 3339 wants +01:00. */
		snprintf(digits, sizeof(digits), "%s:00", text);
		return wall_parse(digits, t) || error_set(err, ERR_USAGE, "'%s' is no time", text);
	}
	if (text[0] == '@' && wall_parse(text, t))
		return true;
	snprintf(digits, sizeof(digits), "%sZ", text);
	if (wall_parse(digits, &naive))
		return no_zone(text, err);
	error_set(err, ERR_USAGE, "'%s' is no time", text);
	return error_hint(err, "As in 2026-11-21 04:17:37+01.");
}
