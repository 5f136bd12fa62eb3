/*
 * Text from outside: valid UTF-8, free of control bytes, and its width on the screen.
 * Widths come from a table compiled in, not from the locale, so that tests agree everywhere.
 */
#ifndef PGMEDIC_BASE_UTF8_H
#define PGMEDIC_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/* Decode one code point of s (len > 0): returns bytes used (1..4) and the code point; an invalid
 * byte is 1 byte and U+FFFD. */
size_t utf8_decode(const char *s, size_t len, uint32_t *cp);
size_t utf8_encode(uint32_t cp, char out[4]);
/* Columns of a code point: 0 for combining, 2 for wide, 1 else; -1 for controls. */
int utf8_cp_width(uint32_t cp);
/* Must it not reach a terminal: controls, bidi controls, separators, invisible and tag characters,
 * variation selectors, non-characters? '\n' and '\t' are controls too. */
bool utf8_cp_is_unsafe(uint32_t cp);
/* Lower case of ASCII, Latin, Greek and Cyrillic letters, for case-blind matching. */
uint32_t utf8_cp_fold(uint32_t cp);
/* Is the (already folded) needle in s, case-blind? An empty one always is. */
bool utf8_find_fold(const char *s, size_t len, const char *needle, size_t needle_len);
/* Is s, folded, the (already folded) word? */
bool utf8_equal_fold(const char *s, size_t len, const char *word, size_t word_len);
/* Columns of a clean string. */
int utf8_width(const char *s, size_t len);
/* Bytes of s that fit into `cols` columns; *used (may be NULL) says how many columns those take. */
size_t utf8_fit(const char *s, size_t len, int cols, int *used);
/*
 * Append s made safe for a terminal: C0 and C1 controls, DEL, bidi controls, line and paragraph
 * separators, zero-width and tag characters, unassigned surrogates become visible stand-ins ('\n',
 * '\r', '\t' a single space when `one_line`, kept '\n' and '\t' as spaces otherwise; ESC and others
 * U+FFFD or '?' when !unicode); invalid bytes U+FFFD. Runs of white space are folded when
 * `one_line`, and trimmed at both ends. More than four combining marks on one character, and marks
 * without one, become stand-ins too. Without utf8_enabled all that is not ASCII becomes '?'.
 */
void utf8_clean(struct strbuf *out, const char *s, size_t len, bool one_line);
/* Is s valid UTF-8 with nothing unsafe in it but '\n' and '\t'? */
bool utf8_is_clean(const char *s, size_t len);
/* Whole program: may the screen show more than ASCII? Set once at start (locale, --ascii). */
extern bool utf8_enabled;

#endif
