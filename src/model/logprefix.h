/*
 * log_line_prefix: compiled once, matched against each line of a stderr log. And the times of logs,
 * which are local times with an abbreviation that means what the server's zone means by it. Pure.
 */
#ifndef PGMEDIC_MODEL_LOGPREFIX_H
#define PGMEDIC_MODEL_LOGPREFIX_H

#include "model/logentry.h"

/* What the abbreviations of log_timezone stand for: those of now and of half a year ago. */
struct log_zone {
	struct {
		char abbrev[16];
		int seconds; /* east of UTC */
	} names[2];
};

enum { LOGPREFIX_ITEMS = 96 };

struct log_prefix {
	struct log_prefix_item {
		char escape; /* as behind %; 0: a literal */
		char literal;
	} items[LOGPREFIX_ITEMS];
	int n;
	int q;         /* items before %q: all that processes without a session write; -1: no %q */
	bool is_whole; /* false: longer than what is kept */
};

void logprefix_compile(struct log_prefix *p, const char *text);

/*
 * Match the prefix at the beginning of a line; behind it must stand a severity or a label, or with
 * any_word a word of a language that is not known. Fills what the prefix says into entry and
 * returns the bytes of the prefix; -1: the line does not fit.
 */
int logprefix_match(const struct log_prefix *p, const struct log_zone *zone, bool any_word,
    const char *line, size_t len, struct log_entry *entry);
/* Bytes of "WORD:  " in whatever language; 0: none is here. */
size_t logprefix_word(const char *s, size_t len);

/*
 * For lines that fit no prefix that is known: the first severity or label within the line, and the
 * time and the pid that seem to stand before it. Bytes before it, or -1.
 */
int logprefix_guess(
    const struct log_zone *zone, const char *line, size_t len, struct log_entry *entry);

/* "2026-11-21 17:57:04.589 UTC" at s: microseconds since 1970 and the bytes it takes; false: it is
 * no such time. An abbreviation that nobody knows is taken for UTC. */
bool logtime_read(
    const struct log_zone *zone, const char *s, size_t len, int64_t *us, size_t *used);

#endif
