/* Words of the command language; also of keymap and theme files. */
#ifndef PGMEDIC_BASE_LEXER_H
#define PGMEDIC_BASE_LEXER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/mem.h"

struct word {
	const char *text; /* unquoted */
	int at;           /* byte offset in the line, for error marks and completion */
	int end;
	bool is_quoted;
};

struct words {
	struct word *w;
	int n;
	const char *comment; /* text after '#', or NULL; only when asked for */
};

/*
 * Split a line: blanks separate; '…' is literal; "…" knows \" and \\; elsewhere \ takes the next
 * byte. with_comments: an unquoted '#' at the start of a word begins a comment. Everything is in
 * the arena. Fails on an unclosed quote (ERR_USAGE), naming its column.
 */
bool lex_line(struct arena *arena, const char *line, bool with_comments, struct words *out,
    struct error *err) MUST_CHECK;
/* A word quoted so that lex_line reads it back. */
const char *lex_quote(struct arena *arena, const char *word);

/* The nearest of `names` (NULL-terminated) by edit distance with transpositions, or NULL when none
 * is near enough (distance <= 1 + len/3); a prefix counts as near. */
const char *nearest_name(const char *word, const char *const *names);

#endif
