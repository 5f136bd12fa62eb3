/* Words of the command language. */
#include "config.h"

#include "base/lexer.h"

#include <stdbool.h>
#include <string.h>

enum { MAX_NAME = 64 }; /* longest word that is compared by edit distance */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The word at *p, which moves behind it; NULL on an unclosed quote, whose place *p then is. */
static char *
lex_word(struct arena *arena, const char **p, bool *is_quoted)
{
	char *text = arena_alloc(arena, strlen(*p) + 1), *out = text;
	const char *s = *p, *open = NULL;
	char quote = '\0';

	*is_quoted = false;
	for (; *s && (quote || !is_blank(*s)); s++) {
		if (quote && *s == quote) {
			quote = '\0';
		} else if (!quote && (*s == '\'' || *s == '"')) {
			quote = *s;
			open = s;
			*is_quoted = true;
		} else if (*s == '\\' && s[1] && !quote) {
			*out++ = *++s;
		} else if (*s == '\\' && quote == '"' && (s[1] == '"' || s[1] == '\\')) {
			*out++ = *++s;
		} else {
			*out++ = *s;
		}
	}
	*p = quote ? open : s;
	*out = '\0';
	return quote ? NULL : text;
}

/* A first pass that only counts, so that the array is taken from the arena once. */
static int
most_words(const char *line)
{
	int n = 0;

	for (; *line; line++)
		n += !is_blank(*line) && (is_blank(line[1]) || !line[1]);
	return n;
}

bool
lex_line(
    struct arena *arena, const char *line, bool with_comments, struct words *out, struct error *err)
{
	const char *p = line;
	struct word *w;

	*out = (struct words){ .w = arena_zalloc(arena, (size_t)most_words(line), sizeof(*w)) };
	for (;;) {
		while (is_blank(*p))
			p++;
		if (!*p)
			return true;
		if (with_comments && *p == '#') {
			do
				p++;
			while (is_blank(*p));
			out->comment = arena_strdup(arena, p);
			return true;
		}
		w = &out->w[out->n];
		w->at = (int)(p - line);
		w->text = lex_word(arena, &p, &w->is_quoted);
		if (!w->text) {
			error_set(err, ERR_USAGE, "quote %c at column %d is not closed", *p,
			    (int)(p - line) + 1);
			return error_hint(err, "Close it, or put \\ before it.");
		}
		w->end = (int)(p - line);
		out->n++;
	}
}

const char *
lex_quote(struct arena *arena, const char *word)
{
	char *text, *out;

	if (*word && *word != '#' && !strpbrk(word, " \t\n\r'\"\\"))
		return arena_strdup(arena, word);
	if (!strchr(word, '\''))
		return arena_printf(arena, "'%s'", word);
	out = text = arena_alloc(arena, 2 * strlen(word) + 3);
	*out++ = '"';
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			*out++ = '\\';
		*out++ = *word;
	}
	*out++ = '"';
	*out = '\0';
	return text;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance: insert, delete, replace, swap neighbours. Case-blind. */
static int
distance(const char *a, int na, const char *b, int nb)
{
	int rows[3][MAX_NAME + 1], *before = rows[0], *last = rows[1], *now = rows[2], *spare;

	for (int j = 0; j <= nb; j++)
		last[j] = before[j] = j;
	for (int i = 1; i <= na; i++) {
		now[0] = i;
		for (int j = 1; j <= nb; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);

			now[j] = least(last[j] + 1, now[j - 1] + 1);
			now[j] = least(now[j], last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y)
				now[j] = least(now[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[nb];
}

static bool
is_prefix(const char *word, const char *name)
{
	while (*word && lower(*word) == lower(*name))
		word++, name++;
	return !*word;
}

const char *
nearest_name(const char *word, const char *const *names)
{
	size_t len = strlen(word), n;
	/* In half steps, so that a prefix beats one typing error but not an equal word. */
	int best = 2 * (1 + (int)len / 3) + 1, d;
	const char *found = NULL;

	if (!len || len > MAX_NAME)
		return NULL;
	for (; *names; names++) {
		n = strlen(*names);
		if (n > MAX_NAME)
			continue;
		d = 2 * distance(word, (int)len, *names, (int)n);
		/* A word whose every letter was replaced is not near. */
		if (d >= 2 * (int)len)
			d = best;
		if (d > 1 && is_prefix(word, *names))
			d = 1;
		if (d < best) {
			best = d;
			found = *names;
		}
	}
	return found;
}
