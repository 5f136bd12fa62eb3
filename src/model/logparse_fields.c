/* Records of csvlog and objects of jsonlog: their columns and keys, as PostgreSQL 13 to 18 write
 * them. A record that was cut gives what it still has. */
#include "config.h"

#include <string.h>

#include "base/compat.h"
#include "base/utf8.h"
#include "model/logparse_priv.h"
#include "model/logwords.h"

/* What a value is put into. */
enum field {
	F_NONE,
	F_TIME,
	F_USER,
	F_DATABASE,
	F_PID,
	F_CLIENT, /* csvlog: with the port */
	F_SESSION,
	F_LINE,
	F_TAG,
	F_VXID,
	F_XID,
	F_SEVERITY,
	F_STATE,
	F_MESSAGE,
	F_DETAIL,
	F_HINT,
	F_QUERY,
	F_CONTEXT,
	F_STATEMENT,
	F_LOCATION,
	F_APPLICATION,
	F_BACKEND,
	F_LEADER,
	F_QUERY_ID,
};

/* The columns of csvlog in their order; the last but one came with 13, the last two with 14. */
static const uint8_t csv_columns[] = { F_TIME, F_USER, F_DATABASE, F_PID, F_CLIENT, F_SESSION,
	F_LINE, F_TAG, F_NONE /* session_start_time */, F_VXID, F_XID, F_SEVERITY, F_STATE,
	F_MESSAGE, F_DETAIL, F_HINT, F_QUERY, F_NONE /* internal_query_pos */, F_CONTEXT,
	F_STATEMENT, F_NONE /* query_pos */, F_LOCATION, F_APPLICATION, F_BACKEND, F_LEADER,
	F_QUERY_ID };
enum { CSV_LEAST = 13 }; /* with fewer there is not even a message */

static const struct {
	const char *key;
	enum field field;
} json_keys[] = {
	{ "timestamp", F_TIME },
	{ "user", F_USER },
	{ "dbname", F_DATABASE },
	{ "pid", F_PID },
	{ "remote_host", F_CLIENT },
	{ "session_id", F_SESSION },
	{ "line_num", F_LINE },
	{ "ps", F_TAG },
	{ "vxid", F_VXID },
	{ "txid", F_XID },
	{ "error_severity", F_SEVERITY },
	{ "state_code", F_STATE },
	{ "message", F_MESSAGE },
	{ "detail", F_DETAIL },
	{ "hint", F_HINT },
	{ "internal_query", F_QUERY },
	{ "context", F_CONTEXT },
	{ "statement", F_STATEMENT },
	{ "func_name", F_LOCATION },
	{ "application_name", F_APPLICATION },
	{ "backend_type", F_BACKEND },
	{ "leader_pid", F_LEADER },
	{ "query_id", F_QUERY_ID },
};

static int64_t
integer(struct log_text t)
{
	bool is_negative = t.len > 0 && *t.s == '-';
	uint64_t v = 0;

	for (size_t i = is_negative; i < t.len && t.s[i] >= '0' && t.s[i] <= '9'; i++)
		v = v * 10 + (uint64_t)(t.s[i] - '0');
	return (int64_t)(is_negative ? 0 - v : v);
}

/* "10.0.0.1:5432" and "[local]": without the port. */
static struct log_text
without_port(struct log_text t)
{
	for (size_t i = t.len; i > 0; i--) {
		if (t.s[i - 1] == ':') {
			t.len = i - 1;
			break;
		}
		if (t.s[i - 1] < '0' || t.s[i - 1] > '9')
			break;
	}
	return t;
}

static struct log_text *
text_field(struct log_entry *e, enum field field)
{
	switch (field) {
	case F_USER:
		return &e->user;
	case F_DATABASE:
		return &e->database;
	case F_CLIENT:
		return &e->client;
	case F_SESSION:
		return &e->session_id;
	case F_TAG:
		return &e->command_tag;
	case F_VXID:
		return &e->vxid;
	case F_STATE:
		return &e->sqlstate;
	case F_MESSAGE:
		return &e->message;
	case F_DETAIL:
		return &e->detail;
	case F_HINT:
		return &e->hint;
	case F_QUERY:
		return &e->query;
	case F_CONTEXT:
		return &e->context;
	case F_STATEMENT:
		return &e->statement;
	case F_LOCATION:
		return &e->location;
	case F_APPLICATION:
		return &e->application;
	case F_BACKEND:
		return &e->backend_type;
	default:
		return NULL;
	}
}

static void
put(const struct log_zone *zone, struct log_entry *e, enum field field, struct log_text value,
    struct log_text *severity)
{
	struct log_text *text = text_field(e, field);
	size_t used;

	if (value.len == 0 && field != F_MESSAGE)
		return;
	if (text) {
		*text = value;
		return;
	}
	switch (field) {
	case F_TIME:
		(void)logtime_read(zone, value.s, value.len, &e->time_us, &used);
		break;
	case F_SEVERITY:
		*severity = value;
		break;
	case F_PID:
		e->pid = integer(value);
		break;
	case F_LEADER:
		e->leader_pid = integer(value);
		break;
	case F_LINE:
		e->line_num = integer(value);
		break;
	case F_XID:
		e->xid = integer(value);
		break;
	case F_QUERY_ID:
		e->query_id = integer(value);
		break;
	default:
		break;
	}
}

void
logparse_severity(struct log_entry *e, struct log_text word)
{
	bool has_state = e->sqlstate.len == 5 && memcmp(e->sqlstate.s, "00", 2) != 0;

	e->severity = logwords_severity_word(word.s, word.len);
	if (e->severity != LOGSEV_NONE)
		return;
	e->is_strange = true;
	e->severity = !has_state                ? LOGSEV_LOG :
	    memcmp(e->sqlstate.s, "01", 2) == 0 ? LOGSEV_WARNING :
	                                          LOGSEV_ERROR;
}

/* ------------------------------------------------------------------ csvlog */

/* The next value at *at, unquoted in place; *at is behind the comma or at the end. */
static struct log_text
csv_value(char *s, size_t len, size_t *at)
{
	char *from = s + *at, *to = from;

	if (*at < len && *from == '"') {
		(*at)++;
		while (*at < len) {
			if (s[*at] == '"' && (*at + 1 >= len || s[*at + 1] != '"'))
				break;
			*at += s[*at] == '"';
			*to++ = s[(*at)++];
		}
		while (*at < len && s[*at] != ',')
			(*at)++;
	} else {
		while (*at < len && s[*at] != ',')
			*to++ = s[(*at)++];
	}
	if (*at < len)
		(*at)++;
	return (struct log_text){ from, (size_t)(to - from) };
}

bool
logparse_csv(const struct log_zone *zone, char *s, size_t len, struct log_entry *e)
{
	struct log_text severity = { "", 0 };
	size_t at = 0, n = 0;

	while (at < len && n < ARRAY_LEN(csv_columns)) {
		struct log_text value = csv_value(s, len, &at);
		put(zone, e, (enum field)csv_columns[n++], value, &severity);
	}
	if (n <= CSV_LEAST || !e->time_us || severity.len == 0)
		return false;
	if (e->client.s)
		e->client = without_port(e->client);
	logparse_severity(e, severity);
	return true;
}

/* ------------------------------------------------------------------ jsonlog */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four digits at s: the code unit; -1: they are none. */
static int
hex4(const char *s, size_t len)
{
	int v = 0;

	for (size_t i = 0; i < 4; i++) {
		int d = i < len ? hex_digit(s[i]) : -1;
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

/* What stands behind a backslash, into to; bytes read of s. A surrogate pair takes two escapes. */
static size_t
json_escape(const char *s, size_t len, char **to)
{
	static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *letter = *s ? strchr(letters, *s) : NULL;
	int unit = *s == 'u' ? hex4(s + 1, len - 1) : -1, low;
	uint32_t cp = (uint32_t)unit;
	size_t used = 5;

	if (unit < 0) {
		*(*to)++ = letter ? values[letter - letters] : *s;
		return 1;
	}
	if (unit >= 0xd800 && unit < 0xdc00 && len > 6 && s[5] == '\\' && s[6] == 'u') {
		low = hex4(s + 7, len - 7);
		if (low >= 0xdc00 && low < 0xe000) {
			cp = 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
			used = 11;
		}
	}
	if (cp >= 0xd800 && cp < 0xe000)
		cp = 0xfffd;
	*to += utf8_encode(cp, *to);
	return used;
}

/* The string whose opening quote is at *at, decoded in place. */
static struct log_text
json_string(char *s, size_t len, size_t *at)
{
	char *from = s + ++*at, *to = from;

	while (*at < len && s[*at] != '"') {
		if (s[*at] != '\\' || *at + 1 >= len) {
			*to++ = s[(*at)++];
			continue;
		}
		(*at)++;
		*at += json_escape(s + *at, len - *at, &to);
	}
	if (*at < len)
		(*at)++;
	return (struct log_text){ from, (size_t)(to - from) };
}

static void
skip(const char *s, size_t len, size_t *at, const char *set)
{
	while (*at < len && s[*at] && strchr(set, s[*at]))
		(*at)++;
}

static enum field
json_field(struct log_text key)
{
	for (size_t i = 0; i < ARRAY_LEN(json_keys); i++)
		if (strlen(json_keys[i].key) == key.len &&
		    memcmp(json_keys[i].key, key.s, key.len) == 0)
			return json_keys[i].field;
	return F_NONE;
}

bool
logparse_json(const struct log_zone *zone, char *s, size_t len, struct log_entry *e)
{
	struct log_text severity = { "", 0 };
	size_t at = 0;

	skip(s, len, &at, " \t");
	if (at >= len || s[at++] != '{')
		return false;
	for (;;) {
		struct log_text key, value;

		skip(s, len, &at, " \t,");
		if (at >= len || s[at] != '"')
			break;
		key = json_string(s, len, &at);
		skip(s, len, &at, " \t:");
		if (at >= len)
			break;
		if (s[at] == '"') {
			value = json_string(s, len, &at);
		} else {
			/* A number or a literal: none of the keys that we know holds more. */
			value.s = s + at;
			while (at < len && s[at] != ',' && s[at] != '}')
				at++;
			value.len = (size_t)(s + at - value.s);
			if (value.len == 4 && memcmp(value.s, "null", 4) == 0)
				continue;
		}
		put(zone, e, json_field(key), value, &severity);
	}
	if (severity.len == 0 || !e->time_us)
		return false;
	logparse_severity(e, severity);
	return true;
}
