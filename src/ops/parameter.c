#include "config.h"

#include "ops/parameter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* Units as the server knows them: of memory in bytes, of time in ms. They are case-sensitive there.
 */
static const struct unit {
	const char *name;
	double size;
	bool is_time;
} units[] = {
	{ "TB", 1099511627776.0, false },
	{ "GB", 1073741824.0, false },
	{ "MB", 1048576.0, false },
	{ "kB", 1024.0, false },
	{ "B", 1.0, false },
	{ "d", 86400000.0, true },
	{ "h", 3600000.0, true },
	{ "min", 60000.0, true },
	{ "s", 1000.0, true },
	{ "ms", 1.0, true },
	{ "us", 0.001, true },
};

/* "8kB": eight of them. */
static bool
unit_of(const char *text, double *size, bool *is_time)
{
	char *end = NULL;
	double n = strtod(text, &end);

	if (end == text)
		n = 1;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(units[i].name, end) == 0) {
			*size = n * units[i].size;
			*is_time = units[i].is_time;
			return true;
		}
	return false;
}

bool
parameter_number(const struct parameter *p, const char *text, double *value)
{
	double own, given;
	bool is_time, is_given_time;
	char *end = NULL;

	*value = strtod(text, &end);
	if (end == text || !isfinite(*value))
		return false;
	end += strspn(end, " ");
	if (*end) {
		if (!unit_of(p->unit, &own, &is_time) || !unit_of(end, &given, &is_given_time) ||
		    is_time != is_given_time || (*end >= '0' && *end <= '9'))
			return false;
		*value = *value * given / own;
	}
	if (strcmp(p->vartype, "integer") == 0)
		*value = rint(*value);
	return true;
}

/* 1, 0; -1: no truth value. As the server reads it: any beginning that means one thing only. */
static int
truth(const char *text)
{
	static const struct {
		const char *word;
		size_t least;
		int value;
	} words[] = { { "true", 1, 1 }, { "false", 1, 0 }, { "yes", 1, 1 }, { "no", 1, 0 },
		{ "on", 2, 1 }, { "off", 2, 0 }, { "1", 1, 1 }, { "0", 1, 0 } };
	size_t n = strlen(text);

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (n >= words[i].least && n <= strlen(words[i].word) &&
		    strncasecmp(words[i].word, text, n) == 0)
			return words[i].value;
	return -1;
}

static bool
is_one_of(const char *list, const char *value)
{
	size_t n = strlen(value);

	while (*list) {
		size_t len = strcspn(list, ",");

		if (len == n && strncasecmp(list, value, n) == 0)
			return true;
		list += len;
		list += strspn(list, ", ");
	}
	return false;
}

static bool
check_number(const struct parameter *p, const char *value, struct error *err)
{
	char low[64], high[64], given[64];
	double n, min, max;

	if (!parameter_number(p, value, &n)) {
		error_set(err, ERR_USAGE, "'%s' is no value for %s", value, p->name);
		return error_hint(err, "A number%s%s%s, from %s to %s.",
		    *p->unit ? " of unit " : "", p->unit,
		    !*p->unit                         ? "" :
		        strpbrk(p->unit, "B") != NULL ? ", or with kB, MB, GB, TB" :
		                                        ", or with ms, s, min, h, d",
		    *p->min ? p->min : "any", *p->max ? p->max : "any");
	}
	min = *p->min ? strtod(p->min, NULL) : -INFINITY;
	max = *p->max ? strtod(p->max, NULL) : INFINITY;
	if (n >= min && n <= max)
		return true;
	error_set(err, ERR_USAGE, "%s of %s is out of bounds",
	    parameter_show(p, value, given, sizeof(given)), p->name);
	return error_hint(err, "From %s to %s.", parameter_show(p, p->min, low, sizeof(low)),
	    parameter_show(p, p->max, high, sizeof(high)));
}

bool
parameter_check(const struct parameter *p, const char *value, struct error *err)
{
	if (strcmp(p->vartype, "bool") == 0) {
		if (truth(value) >= 0)
			return true;
		error_set(err, ERR_USAGE, "'%s' is no value for %s", value, p->name);
		return error_hint(err, "It is on or off.");
	}
	if (strcmp(p->vartype, "enum") == 0) {
		/* An enum takes more than it lists: "1" for "on". */
		if (is_one_of(p->enums, value) || truth(value) >= 0)
			return true;
		error_set(err, ERR_USAGE, "'%s' is no value for %s", value, p->name);
		return error_hint(err, "It is one of: %.200s.", p->enums);
	}
	if (strcmp(p->vartype, "integer") == 0 || strcmp(p->vartype, "real") == 0)
		return check_number(p, value, err);
	if (p->is_list && value[strspn(value, " ,\"")] == 0) {
		error_set(err, ERR_USAGE, "%s cannot be set to an empty list", p->name);
		return error_hint(err,
		    "The server would take it for one empty name. `set %s DEFAULT` takes the setting away.",
		    p->name);
	}
	return true;
}

/* The next byte that counts in a list of names; 0 at its end. */
static char
next_of_list(const char **s)
{
	while (**s == ' ' || **s == '"')
		++*s;
	return **s ? *(*s)++ : 0;
}

static bool
same_list(const char *a, const char *b)
{
	for (;;) {
		char x = next_of_list(&a), y = next_of_list(&b);

		if (x != y)
			return false;
		if (!x)
			return true;
	}
}

bool
parameter_same(const struct parameter *p, const char *a, const char *b)
{
	double x, y;

	if (strcmp(a, b) == 0)
		return true;
	if (strcmp(p->vartype, "bool") == 0 || strcmp(p->vartype, "enum") == 0)
		return strcasecmp(a, b) == 0 || (truth(a) >= 0 && truth(a) == truth(b));
	if (strcmp(p->vartype, "integer") == 0 || strcmp(p->vartype, "real") == 0)
		return parameter_number(p, a, &x) && parameter_number(p, b, &y) &&
		    fabs(x - y) <= 1e-9 * fmax(1, fabs(y));
	return p->is_list && same_list(a, b);
}

const char *
parameter_show(const struct parameter *p, const char *value, char *buf, size_t size)
{
	double n, own, total;
	bool is_time;
	char *end = NULL;

	if (!*value)
		return "''";
	n = strtod(value, &end);
	if (*end || end == value || n <= 0 || !*p->unit || !unit_of(p->unit, &own, &is_time))
		return value;
	total = n * own;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].is_time == is_time && total >= units[i].size &&
		    fmod(total, units[i].size) == 0) {
			snprintf(buf, size, "%.15g%s", total / units[i].size, units[i].name);
			return buf;
		}
	snprintf(buf, size, "%s %s", value, p->unit);
	return buf;
}

/* ------------------------------------------------------------------ what is known to hurt */

#define MUST_MATCH                                                                         \
	"a standby with less than its primary does not replay, and does not start: raise " \
	"it on the standbys first, lower it on the primary first"
#define HURTS_ADDRESS "clients and standbys that use the old address cannot connect any more"

static const struct parameter_warning warnings[] = {
	{ "fsync", WHEN_OFF, "high", "a crash of the machine can destroy the whole cluster" },
	{ "full_page_writes", WHEN_OFF, "high",
	    "a crash of the machine can leave torn pages, which nothing repairs" },
	{ "synchronous_commit", WHEN_OFF, "medium",
	    "a crash loses the last commits that clients were told of" },
	{ "zero_damaged_pages", WHEN_ON, "high",
	    "what is damaged is thrown away for ever when it is read" },
	{ "ignore_checksum_failure", WHEN_ON, "high",
	    "damaged pages are read as if they were good" },
	{ "ignore_invalid_pages", WHEN_ON, "high", "recovery goes on over what is damaged" },
	{ "session_replication_role", WHEN_ALWAYS, "high",
	    "triggers, and with them foreign keys, may not be checked any more" },
	{ "default_transaction_read_only", WHEN_ON, "high", "applications cannot write any more" },
	{ "autovacuum", WHEN_OFF, "high",
	    "tables bloat, statistics age, and transaction ids run towards their end" },
	{ "track_counts", WHEN_OFF, "high", "autovacuum sees nothing to do without it" },
	{ "archive_mode", WHEN_OFF, "high",
	    "from then on there is no point in time to restore to" },
	{ "archive_command", WHEN_ALWAYS, "medium",
	    "WAL that it does not copy is missing in every restore; WAL that it fails on fills the disk" },
	{ "archive_library", WHEN_ALWAYS, "medium",
	    "WAL that it does not copy is missing in every restore; WAL that it fails on fills the disk" },
	{ "wal_level", WHEN_ALWAYS, "high",
	    "minimal ends archiving and standbys; below logical, logical slots keep the server from starting" },
	{ "max_wal_senders", WHEN_LOWERED, "high",
	    "standbys and backups may not get a connection" },
	{ "max_replication_slots", WHEN_LOWERED, "high",
	    "with more slots than this the server does not start" },
	{ "max_slot_wal_keep_size", WHEN_ALWAYS, "medium",
	    "a standby or subscriber that is further behind loses its slot" },
	{ "max_connections", WHEN_ALWAYS, "medium", MUST_MATCH },
	{ "max_worker_processes", WHEN_ALWAYS, "medium", MUST_MATCH },
	{ "max_wal_senders", WHEN_ALWAYS, "medium", MUST_MATCH },
	{ "max_prepared_transactions", WHEN_ALWAYS, "medium", MUST_MATCH },
	{ "max_locks_per_transaction", WHEN_ALWAYS, "medium", MUST_MATCH },
	{ "max_connections", WHEN_RAISED, "medium",
	    "each connection may take work_mem several times: more of them rarely make it faster" },
	{ "shared_buffers", WHEN_RAISED, "high",
	    "where there is not as much memory (or huge pages) the server does not start" },
	{ "huge_pages", WHEN_ON, "high", "without enough huge pages the server does not start" },
	{ "shared_preload_libraries", WHEN_ALWAYS, "high",
	    "with a library that is not installed the server does not start" },
	{ "session_preload_libraries", WHEN_ALWAYS, "high",
	    "with a library that is not installed nobody can connect" },
	{ "local_preload_libraries", WHEN_ALWAYS, "high",
	    "with a library that is not installed nobody can connect" },
	{ "listen_addresses", WHEN_ALWAYS, "high", HURTS_ADDRESS },
	{ "port", WHEN_ALWAYS, "high", HURTS_ADDRESS },
	{ "unix_socket_directories", WHEN_ALWAYS, "high", HURTS_ADDRESS },
	{ "hba_file", WHEN_ALWAYS, "high", "who may connect changes with it" },
	{ "ident_file", WHEN_ALWAYS, "high", "who may connect changes with it" },
	{ "ssl", WHEN_OFF, "high", "clients that insist on TLS cannot connect any more" },
	{ "rds.force_ssl", WHEN_ON, "high", "clients without TLS cannot connect any more" },
	{ "password_encryption", WHEN_ALWAYS, "medium",
	    "old drivers cannot use scram-sha-256, and md5 is weak" },
	{ "restart_after_crash", WHEN_OFF, "medium", "after a crash of one session it stays down" },
	{ "work_mem", WHEN_RAISED, "low", "each sort and hash of each session may take as much" },
	{ "statement_timeout", WHEN_ON, "medium",
	    "dumps and migrations that do not set their own are ended by it, too" },
	{ "idle_session_timeout", WHEN_ON, "medium", "connection pools lose their connections" },
	{ "log_statement", WHEN_ON, "medium",
	    "passwords in statements are logged, too; the log grows" },
	{ "log_min_duration_statement", WHEN_OFF, "medium",
	    "0 logs every statement: it may fill the disk" },
};

static bool
is_off(const char *value)
{
	return !*value || truth(value) == 0 || strcasecmp(value, "none") == 0 ||
	    (strspn(value, "0") && !value[strspn(value, "0")]);
}

static bool
holds(
    const struct parameter *p, const struct parameter_warning *w, const char *from, const char *to)
{
	double a, b;

	switch (w->when) {
	case WHEN_ALWAYS:
		return true;
	case WHEN_OFF:
		return is_off(to);
	case WHEN_ON:
		return !is_off(to);
	case WHEN_RAISED:
	case WHEN_LOWERED:
		return parameter_number(p, from, &a) && parameter_number(p, to, &b) &&
		    (w->when == WHEN_RAISED ? b > a : b < a);
	}
	return false;
}

const struct parameter_warning *
parameter_warning(const struct parameter *p, const char *from, const char *to,
    const struct parameter_warning *last)
{
	for (const struct parameter_warning *w = last ? last + 1 : warnings;
	     w < warnings + ARRAY_LEN(warnings); w++)
		if (strcmp(w->name, p->name) == 0 && holds(p, w, from, to))
			return w;
	return NULL;
}
