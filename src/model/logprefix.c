/*
 * Matching is lazy with backtracking: names may hold whatever the next literal is. The work of one
 * line is bounded, so a hostile prefix or line costs a constant.
 */
#include "config.h"

#include "model/logprefix.h"

#include <string.h>

#include "base/compat.h"
#include "model/logwords.h"

enum { STEPS_MAX = 2000, NAME_BYTES = 256, HEAD_BYTES = 1024, WORDS_MAX = 16 };

void
logprefix_compile(struct log_prefix *p, const char *text)
{
	memset(p, 0, sizeof(*p));
	p->q = -1;
	p->is_whole = true;
	for (const char *s = text; *s; s++) {
		struct log_prefix_item item = { .literal = *s };

		if (*s == '%') {
			/* Padding: %-10u, %5p. The server ends the prefix at a % without more. */
			s++;
			while (*s == '-' || (*s >= '0' && *s <= '9'))
				s++;
			if (!*s)
				break;
			if (*s == 'q') {
				p->q = p->q < 0 ? p->n : p->q;
				continue;
			}
			item.literal = '%';
			item.escape = *s == '%' ? '\0' : *s;
		}
		if (p->n == LOGPREFIX_ITEMS) {
			p->is_whole = false;
			break;
		}
		p->items[p->n++] = item;
	}
}

/* ------------------------------------------------------------------ times */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
two_digits(const char *s, int *value)
{
	*value = (s[0] - '0') * 10 + s[1] - '0';
	return is_digit(s[0]) && is_digit(s[1]);
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar (Howard Hinnant's days_from_civil). */
static int64_t
days_of(int y, int m, int d)
{
	y -= m <= 2;
	int era = y / 400, yoe = y - era * 400;
	int doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return (int64_t)era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Where the server was not asked, as with RDS's API: all abbreviations of the zones of today that
 * are letters. Of those that are used twice it is the one of more people: IST is India's, CST and
 * BST are Chicago's and London's. */
static const struct {
	const char *abbrev;
	int minutes;
} known_zones[] = {
	{ "UTC", 0 },
	{ "GMT", 0 },
	{ "Z", 0 },
	{ "WET", 0 },
	{ "WEST", 60 },
	{ "BST", 60 },
	{ "CET", 60 },
	{ "CEST", 120 },
	{ "EET", 120 },
	{ "EEST", 180 },
	{ "MSK", 180 },
	{ "WAT", 60 },
	{ "CAT", 120 },
	{ "SAST", 120 },
	{ "EAT", 180 },
	{ "IDT", 180 },
	{ "PKT", 300 },
	{ "IST", 330 },
	{ "WIB", 420 },
	{ "WITA", 480 },
	{ "HKT", 480 },
	{ "AWST", 480 },
	{ "WIT", 540 },
	{ "JST", 540 },
	{ "KST", 540 },
	{ "ACST", 570 },
	{ "ACDT", 630 },
	{ "AEST", 600 },
	{ "AEDT", 660 },
	{ "ChST", 600 },
	{ "NZST", 720 },
	{ "NZDT", 780 },
	{ "NST", -210 },
	{ "NDT", -150 },
	{ "AST", -240 },
	{ "ADT", -180 },
	{ "EST", -300 },
	{ "EDT", -240 },
	{ "CST", -360 },
	{ "CDT", -300 },
	{ "MST", -420 },
	{ "MDT", -360 },
	{ "PST", -480 },
	{ "PDT", -420 },
	{ "AKST", -540 },
	{ "AKDT", -480 },
	{ "HST", -600 },
	{ "HDT", -540 },
	{ "SST", -660 },
};

/* "+03", "-0330", "+05:30" */
static bool
numeric_zone(const char *s, size_t len, int *seconds)
{
	int h, m = 0;

	if (len < 3 || (*s != '+' && *s != '-') || !two_digits(s + 1, &h))
		return false;
	if (len == 5 && !two_digits(s + 3, &m))
		return false;
	if (len == 6 && (s[3] != ':' || !two_digits(s + 4, &m)))
		return false;
	*seconds = (h * 3600 + m * 60) * (*s == '-' ? -1 : 1);
	return true;
}

static int
zone_seconds(const struct log_zone *zone, const char *s, size_t len)
{
	int seconds = 0;

	for (size_t i = 0; zone && i < ARRAY_LEN(zone->names); i++)
		if (strlen(zone->names[i].abbrev) == len && len > 0 &&
		    memcmp(zone->names[i].abbrev, s, len) == 0)
			return zone->names[i].seconds;
	if (numeric_zone(s, len, &seconds))
		return seconds;
	for (size_t i = 0; i < ARRAY_LEN(known_zones); i++)
		if (strlen(known_zones[i].abbrev) == len &&
		    memcmp(known_zones[i].abbrev, s, len) == 0)
			return known_zones[i].minutes * 60;
	return 0;
}

static bool
is_zone_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c) || c == '+' ||
	    c == '-';
}

bool
logtime_read(const struct log_zone *zone, const char *s, size_t len, int64_t *us, size_t *used)
{
	int century, year, month, day, hour, minute, second;
	size_t at = 19, zone_at;
	int64_t fraction = 0;

	if (len < 19 || s[4] != '-' || s[7] != '-' || (s[10] != ' ' && s[10] != 'T') ||
	    s[13] != ':' || s[16] != ':')
		return false;
	if (!two_digits(s, &century) || !two_digits(s + 2, &year) || !two_digits(s + 5, &month) ||
	    !two_digits(s + 8, &day) || !two_digits(s + 11, &hour) ||
	    !two_digits(s + 14, &minute) || !two_digits(s + 17, &second))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 ||
	    second > 60)
		return false;
	if (at < len && s[at] == '.')
		for (int64_t unit = 100000; ++at < len && is_digit(s[at]); unit /= 10)
			fraction += (s[at] - '0') * unit;
	zone_at = at + (at < len && s[at] == ' ');
	*used = zone_at;
	while (*used < len && is_zone_char(s[*used]) && *used - zone_at < 15)
		(*used)++;
	if (*used == zone_at)
		*used = zone_at = at; /* no zone: the blank is not ours */
	*us = ((days_of(century * 100 + year, month, day) * 24 + hour) * 60 + minute) *
	        INT64_C(60000000) +
	    second * INT64_C(1000000) + fraction;
	*us -= zone_seconds(zone, s + zone_at, *used - zone_at) * INT64_C(1000000);
	return true;
}

/* "1763747824.589": seconds since 1970. */
static bool
epoch_read(const char *s, size_t len, int64_t *us)
{
	int64_t seconds = 0, fraction = 0;
	size_t at = 0;

	for (; at < len && is_digit(s[at]) && at < 11; at++)
		seconds = seconds * 10 + (s[at] - '0');
	if (at < 9)
		return false;
	if (at < len && s[at] == '.')
		for (int64_t unit = 100000; ++at < len && is_digit(s[at]); unit /= 10)
			fraction += (s[at] - '0') * unit;
	*us = seconds * 1000000 + fraction;
	return at == len;
}

/* ------------------------------------------------------------------ matching */

struct match {
	const struct log_prefix *p;
	const struct log_zone *zone;
	const char *line;
	size_t len;
	int steps;
	size_t words[WORDS_MAX]; /* where a severity or a label stands: only there a prefix ends */
	int nwords;
	struct {
		size_t from, to;
	} found[LOGPREFIX_ITEMS];
};

static bool
all_of(const char *s, size_t len, const char *set)
{
	for (size_t i = 0; i < len; i++)
		if (!s[i] || !strchr(set, s[i]))
			return false;
	return true;
}

/* May these bytes be the value of the escape? Padding stands on one side; nothing is a value where
 * a process has none. */
static bool
fits(const struct match *m, char escape, const char *s, size_t len)
{
	int64_t us;
	size_t used;

	while (len > 0 && s[len - 1] == ' ')
		len--;
	while (len > 0 && *s == ' ') {
		s++;
		len--;
	}
	switch (escape) {
	case 'p':
	case 'l':
		return len > 0 && all_of(s, len, "0123456789");
	case 'P':
	case 'x':
		return all_of(s, len, "0123456789");
	case 'Q':
		return all_of(s, len, "0123456789-");
	case 'v':
		return all_of(s, len, "0123456789/-");
	case 'c':
		return all_of(s, len, "0123456789abcdef.");
	case 'e':
		return len == 5 && all_of(s, len, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	case 'm':
	case 't':
		return logtime_read(m->zone, s, len, &us, &used) && used == len;
	case 's':
		return len == 0 || (logtime_read(m->zone, s, len, &us, &used) && used == len);
	case 'n':
		return epoch_read(s, len, &us);
	default:
		return true;
	}
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

size_t
logprefix_word(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && n < 64 && s[n] != ':' && s[n] != ' ' && s[n] != '\t')
		n++;
	return n > 0 && len - n >= 3 && memcmp(s + n, ":  ", 3) == 0 ? n + 3 : 0;
}

/* A severity or a label, as behind every prefix; with any_word whatever looks like one. */
static bool
is_word(const char *s, size_t len, bool any_word)
{
	enum log_severity severity;
	enum log_label label;
	size_t used;

	if (any_word)
		return logprefix_word(s, len) > 0;
	return logwords_severity(s, len, &severity, &used) || logwords_label(s, len, &label, &used);
}

/* Where words begin in the head of a line. They are in capitals, where a script has those. */
static int
find_words(const char *line, size_t len, bool any_word, size_t *words)
{
	size_t limit = len < HEAD_BYTES ? len : HEAD_BYTES;
	int n = 0;

	if (!memchr(line, ':', len < 2 * HEAD_BYTES ? len : 2 * HEAD_BYTES))
		return 0;
	for (size_t at = 0; at < limit && n < WORDS_MAX; at++)
		if (is_letter(line[at]) && !(line[at] >= 'a' && line[at] <= 'z') &&
		    (at == 0 || !is_letter(line[at - 1])) && is_word(line + at, len - at, any_word))
			words[n++] = at;
	return n;
}

static bool
is_word_at(const struct match *m, size_t at)
{
	for (int i = 0; i < m->nwords; i++)
		if (m->words[i] == at)
			return true;
	return false;
}

static bool
match_from(struct match *m, int item, int end, size_t at, size_t *prefix_len)
{
	if (++m->steps > STEPS_MAX)
		return false;
	while (item < end && !m->p->items[item].escape) {
		if (at >= m->len || m->line[at] != m->p->items[item].literal)
			return false;
		at++;
		item++;
	}
	if (item == end) {
		*prefix_len = at;
		return is_word_at(m, at);
	}
	/* Until the next literal fits, the shortest value first. */
	char next =
	    item + 1 < end && !m->p->items[item + 1].escape ? m->p->items[item + 1].literal : '\0';
	for (size_t n = 0; n <= NAME_BYTES && at + n <= m->len; n++) {
		if (next && (at + n >= m->len || m->line[at + n] != next))
			continue;
		if (++m->steps > STEPS_MAX)
			return false;
		if (!fits(m, m->p->items[item].escape, m->line + at, n))
			continue;
		m->found[item].from = at;
		m->found[item].to = at + n;
		if (match_from(m, item + 1, end, at + n, prefix_len))
			return true;
	}
	return false;
}

static int64_t
number(const char *s, size_t len)
{
	uint64_t v = 0;
	bool is_negative = len > 0 && *s == '-';

	for (size_t i = is_negative; i < len && is_digit(s[i]); i++)
		v = v * 10 + (uint64_t)(s[i] - '0');
	return (int64_t)(is_negative ? 0 - v : v);
}

/* "10.0.0.1(5432)": without the port. */
static size_t
host_len(const char *s, size_t len)
{
	const char *paren = memchr(s, '(', len);

	return paren ? (size_t)(paren - s) : len;
}

static void
take(const struct match *m, char escape, const char *s, size_t len, struct log_entry *e)
{
	struct log_text text = { s, len };
	size_t used;

	while (text.len > 0 && text.s[text.len - 1] == ' ')
		text.len--;
	for (; text.len > 0 && *text.s == ' '; text.len--)
		text.s++;
	/* "[unknown]", in the language of the log, before a login. */
	if (text.len == 0 ||
	    (strchr("aud", escape) && *text.s == '[' && text.s[text.len - 1] == ']'))
		return;
	switch (escape) {
	case 'a':
		e->application = text;
		break;
	case 'u':
		e->user = text;
		break;
	case 'd':
		e->database = text;
		break;
	case 'r':
	case 'h':
		text.len = host_len(text.s, text.len);
		e->client = text;
		break;
	case 'b':
		e->backend_type = text;
		break;
	case 'i':
		e->command_tag = text;
		break;
	case 'e':
		e->sqlstate = text;
		break;
	case 'c':
		e->session_id = text;
		break;
	case 'v':
		e->vxid = text;
		break;
	case 'p':
		e->pid = number(text.s, text.len);
		break;
	case 'P':
		e->leader_pid = number(text.s, text.len);
		break;
	case 'l':
		e->line_num = number(text.s, text.len);
		break;
	case 'x':
		e->xid = number(text.s, text.len);
		break;
	case 'Q':
		e->query_id = number(text.s, text.len);
		break;
	case 'm':
	case 't':
		(void)logtime_read(m->zone, text.s, text.len, &e->time_us, &used);
		break;
	case 'n':
		(void)epoch_read(text.s, text.len, &e->time_us);
		break;
	default: /* %s, %L: nothing that is shown */
		break;
	}
}

int
logprefix_match(const struct log_prefix *p, const struct log_zone *zone, bool any_word,
    const char *line, size_t len, struct log_entry *entry)
{
	struct match m = { .p = p, .zone = zone, .line = line, .len = len };
	size_t prefix_len = 0;
	int end = p->n;

	m.nwords = p->is_whole ? find_words(line, len, any_word, m.words) : 0;
	if (m.nwords == 0)
		return -1;
	if (!match_from(&m, 0, end, 0, &prefix_len)) {
		if (p->q < 0)
			return -1;
		m.steps = 0;
		end = p->q;
		if (!match_from(&m, 0, end, 0, &prefix_len))
			return -1;
	}
	for (int i = 0; i < end; i++)
		if (p->items[i].escape)
			take(&m, p->items[i].escape, line + m.found[i].from,
			    m.found[i].to - m.found[i].from, entry);
	return (int)prefix_len;
}

/* "[1517]" or "[1517-1]" or "[4630]:": the first number in brackets. */
static int64_t
guess_pid(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t n = i + 1;

		if (s[i] != '[')
			continue;
		while (n < len && is_digit(s[n]))
			n++;
		if (n > i + 1 && n - i < 12 && n < len && (s[n] == ']' || s[n] == '-'))
			return number(s + i + 1, n - i - 1);
	}
	return 0;
}

int
logprefix_guess(const struct log_zone *zone, const char *line, size_t len, struct log_entry *entry)
{
	size_t words[WORDS_MAX], at, used;

	if ((len > 0 && *line == '\t') || find_words(line, len, false, words) == 0)
		return -1;
	at = words[0];
	for (size_t i = 0; i < at && !entry->time_us; i++)
		if (is_digit(line[i]))
			(void)logtime_read(zone, line + i, at - i, &entry->time_us, &used);
	entry->pid = guess_pid(line, at);
	return (int)at;
}
