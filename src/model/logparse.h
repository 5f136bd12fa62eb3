/*
 * A server log, piece by piece, into entries: stderr logs with any log_line_prefix, csvlog,
 * jsonlog. It begins anywhere in a file, keeps what is incomplete for the next piece, and its
 * memory is bounded whatever the file holds. Pure.
 */
#ifndef PGMEDIC_MODEL_LOGPARSE_H
#define PGMEDIC_MODEL_LOGPARSE_H

#include "model/logentry.h"
#include "model/logprefix.h"

enum log_format { LOGFORMAT_STDERR, LOGFORMAT_CSV, LOGFORMAT_JSON };
extern const char *const log_format_names[]; /* as in log_destination */

/* An entry, complete and classified; its texts live until the call returns. */
typedef void log_take(void *arg, const struct log_entry *e);

struct log_parser;
/* prefix: log_line_prefix, NULL when it is not known. */
struct log_parser *log_parser_new(
    enum log_format format, const char *prefix, const struct log_zone *zone);
void log_parser_free(struct log_parser *p);
/* The same, for what is fed from now on; p may be NULL. */
void log_parser_set(struct log_parser *p, const char *prefix, const struct log_zone *zone);
/*
 * What is fed next stands at this offset of a file. is_middle: it may begin within a line or an
 * entry; what comes before the first beginning of an entry is dropped.
 */
void log_parser_seek(struct log_parser *p, int64_t offset, bool is_middle);
void log_parser_feed(struct log_parser *p, const char *s, size_t len, log_take *take, void *arg);
/* All that there is has been fed: the entry at the end is complete too, unless its last line is. */
void log_parser_flush(struct log_parser *p, log_take *take, void *arg);
/* Is there an entry, or part of a line, that waits for what comes next? */
bool log_parser_is_waiting(const struct log_parser *p);

/* Since the parser was made: entries given out; those of them whose severity is a word of no
 * language that is known; lines of stderr logs that did not fit the prefix. */
struct log_parser_counts {
	int64_t entries, strange_words, strange_lines;
};
struct log_parser_counts log_parser_counts(const struct log_parser *p);

#endif
