#include "config.h"

#include "pg/sqltext.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_TEXT = 4 << 20 };

static bool
is_ident_start(char c)
{
	return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool
is_ident(char c)
{
	return is_ident_start(c) || isdigit((unsigned char)c) || c == '$';
}

/* Block comments nest. NULL: never closed. */
static const char *
skip_comment(const char *s)
{
	int depth = 0;

	do {
		if (s[0] == '/' && s[1] == '*') {
			depth++;
			s += 2;
		} else if (s[0] == '*' && s[1] == '/') {
			depth--;
			s += 2;
		} else if (*s) {
			s++;
		} else {
			return NULL;
		}
	} while (depth > 0);
	return s;
}

/* NULL: an open comment. */
static const char *
skip_blank(const char *s)
{
	for (;;) {
		if (isspace((unsigned char)*s)) {
			s++;
		} else if (s[0] == '-' && s[1] == '-') {
			s += strcspn(s, "\n\r");
		} else if (s[0] == '/' && s[1] == '*') {
			s = skip_comment(s);
			if (!s)
				return NULL;
		} else {
			return s;
		}
	}
}

/* Behind the closing quote; a doubled quote, and with escapes a backslash, does not close. NULL:
 * never closed. */
static const char *
skip_quoted(const char *s, char quote, bool has_escapes)
{
	for (s++; *s; s++) {
		if (has_escapes && *s == '\\' && s[1])
			s++;
		else if (*s == quote && s[1] == quote)
			s++;
		else if (*s == quote)
			return s + 1;
	}
	return NULL;
}

/* $tag$…$tag$: behind it; s itself when this is no dollar quote; NULL: never closed. */
static const char *
skip_dollar(const char *s)
{
	const char *tag_end = s + 1;
	size_t len;

	if (is_ident_start(*tag_end))
		while (is_ident(*tag_end) && *tag_end != '$')
			tag_end++;
	if (*tag_end != '$')
		return s;
	len = (size_t)(tag_end - s) + 1;
	for (const char *p = s + len; *p; p++)
		if (*p == '$' && strncmp(p, s, len) == 0)
			return p + len;
	return NULL;
}

static struct sql_token
token(const char **at, enum sql_kind kind, const char *s, const char *end)
{
	struct sql_token t = { .kind = end ? kind : SQL_BROKEN, .s = s };

	if (!end)
		end = s + strlen(s);
	t.len = (size_t)(end - s);
	*at = end;
	return t;
}

/* A word, or a string with a prefix letter: E'…' has escapes; B, X, N and U& have none (UESCAPE
 * aside). */
static struct sql_token
word_token(const char **at, const char *s)
{
	const char *end = s;

	if (s[1] == '\'' && strchr("eEbBxXnN", *s))
		return token(at, SQL_STRING, s, skip_quoted(s + 1, '\'', *s == 'e' || *s == 'E'));
	if ((*s == 'u' || *s == 'U') && s[1] == '&' && (s[2] == '\'' || s[2] == '"'))
		return token(
		    at, s[2] == '"' ? SQL_QUOTED : SQL_STRING, s, skip_quoted(s + 2, s[2], false));
	while (is_ident(*end))
		end++;
	return token(at, SQL_WORD, s, end);
}

static struct sql_token
dollar_token(const char **at, const char *s)
{
	const char *end = s + 1;

	if (isdigit((unsigned char)*end)) {
		struct sql_token t;
		long n = strtol(end, NULL, 10);

		while (isdigit((unsigned char)*end))
			end++;
		t = token(at, SQL_PARAM, s, end);
		t.param = n > 0 && n < 65536 ? (int)n : 0;
		return t;
	}
	end = skip_dollar(s);
	return end == s ? token(at, SQL_SYMBOL, s, s + 1) : token(at, SQL_STRING, s, end);
}

struct sql_token
sql_next(const char **at)
{
	const char *s = skip_blank(*at), *end;

	if (!s)
		return token(at, SQL_BROKEN, *at, NULL);
	if (!*s)
		return token(at, SQL_END, s, s);
	if (*s == '\'')
		return token(at, SQL_STRING, s, skip_quoted(s, '\'', false));
	if (*s == '"')
		return token(at, SQL_QUOTED, s, skip_quoted(s, '"', false));
	if (*s == '$')
		return dollar_token(at, s);
	if (is_ident_start(*s))
		return word_token(at, s);
	if (isdigit((unsigned char)*s) || (*s == '.' && isdigit((unsigned char)s[1]))) {
		for (end = s; isalnum((unsigned char)*end) || *end == '.' || *end == '_' ||
		     ((*end == '-' || *end == '+') && (end[-1] == 'e' || end[-1] == 'E') &&
		         isdigit((unsigned char)end[1]));)
			end++;
		return token(at, SQL_NUMBER, s, end);
	}
	return token(at, SQL_SYMBOL, s, s + 1);
}

bool
sql_is_word(const struct sql_token *t, const char *word)
{
	return t->kind == SQL_WORD && t->len == strlen(word) &&
	    strncasecmp(t->s, word, t->len) == 0;
}

bool
sql_is_symbol(const struct sql_token *t, char c)
{
	return t->kind == SQL_SYMBOL && *t->s == c;
}

struct sql_token *
sql_tokens(struct arena *arena, const char *text, int *n)
{
	const char *at = text;
	struct sql_token *tokens, t;
	int count = 0;

	do {
		t = sql_next(&at);
		count++;
	} while (t.kind != SQL_END && t.kind != SQL_BROKEN);
	tokens = arena_zalloc(arena, (size_t)count, sizeof(*tokens));
	at = text;
	for (int i = 0; i < count; i++)
		tokens[i] = sql_next(&at);
	*n = count - 1;
	return tokens;
}

int
sql_skip_group(const struct sql_token *tokens, int n, int i)
{
	int depth = 0;

	for (; i < n; i++) {
		depth += sql_is_symbol(&tokens[i], '(') || sql_is_symbol(&tokens[i], '[');
		depth -= sql_is_symbol(&tokens[i], ')') || sql_is_symbol(&tokens[i], ']');
		if (depth == 0)
			return i + 1;
	}
	return n;
}

/* ------------------------------------------------------- is it one statement, and which */

/* The text up to its only ';' or its end; NULL and *err when something follows or nothing is there.
 */
static const char *
one_statement(struct arena *arena, const char *text, struct error *err)
{
	const char *at = text, *end = NULL;
	bool any = false;

	for (;;) {
		struct sql_token t = sql_next(&at);

		if (t.kind == SQL_BROKEN) {
			error_set(err, ERR_REFUSED,
			    "the statement is cut off: a quote or comment is not closed");
			error_hint(err,
			    "Texts longer than track_activity_query_size are cut by the server.");
			return NULL;
		}
		if (t.kind == SQL_END)
			break;
		if (sql_is_symbol(&t, ';')) {
			if (any && !end)
				end = t.s;
			continue;
		}
		if (end) {
			error_set(err, ERR_REFUSED, "there is more than one statement");
			error_hint(err,
			    "Only a single SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES or TABLE is explained.");
			return NULL;
		}
		any = true;
	}
	if (!any) {
		error_set(err, ERR_USAGE, "there is no statement to explain");
		return NULL;
	}
	return end ? arena_strndup(arena, text, (size_t)(end - text)) : arena_strdup(arena, text);
}

/* Behind "( … )" when the next token opens one; at itself otherwise; NULL: not closed. */
static const char *
skip_parens(const char *at)
{
	const char *p = at;
	struct sql_token t = sql_next(&p);
	int depth = 1;

	if (!sql_is_symbol(&t, '('))
		return at;
	while (depth > 0) {
		t = sql_next(&p);
		if (t.kind == SQL_END || t.kind == SQL_BROKEN)
			return NULL;
		depth += sql_is_symbol(&t, '(') - sql_is_symbol(&t, ')');
	}
	return p;
}

/* Behind the first word `word` outside parentheses, or NULL. */
static const char *
behind_word(const char *at, const char *word)
{
	int depth = 0;

	for (;;) {
		struct sql_token t = sql_next(&at);

		if (t.kind == SQL_END || t.kind == SQL_BROKEN)
			return NULL;
		depth += sql_is_symbol(&t, '(') - sql_is_symbol(&t, ')');
		if (depth == 0 && sql_is_word(&t, word))
			return at;
	}
}

/* EXPLAIN [(options) | ANALYZE | VERBOSE]: behind it. */
static const char *
unwrap_explain(const char *at)
{
	at = skip_parens(at);
	while (at) {
		const char *p = at;
		struct sql_token t = sql_next(&p);

		if (!sql_is_word(&t, "analyze") && !sql_is_word(&t, "analyse") &&
		    !sql_is_word(&t, "verbose"))
			return at;
		at = p;
	}
	return NULL;
}

/* COPY (query) TO …: the query. */
static const char *
unwrap_copy(struct arena *arena, const char *at)
{
	const char *end = skip_parens(at), *start = at;
	struct sql_token t;

	if (!end || end == at)
		return NULL;
	t = sql_next(&start);
	(void)t;
	return arena_strndup(arena, start, (size_t)(end - 1 - start));
}

/* The WITH NO DATA at the end of what makes a table does not belong to the query. */
static const char *
strip_with_data(struct arena *arena, const char *text)
{
	struct sql_token last[3] = { { 0 } }, t;
	const char *at = text;

	while ((t = sql_next(&at)).kind != SQL_END && t.kind != SQL_BROKEN) {
		last[0] = last[1];
		last[1] = last[2];
		last[2] = t;
	}
	if (!last[1].s || !sql_is_word(&last[2], "data"))
		return text;
	if (sql_is_word(&last[1], "with"))
		return arena_strndup(arena, text, (size_t)(last[1].s - text));
	if (last[0].s && sql_is_word(&last[1], "no") && sql_is_word(&last[0], "with"))
		return arena_strndup(arena, text, (size_t)(last[0].s - text));
	return text;
}

/* One layer taken off; the text itself when there is none; NULL when what is inside cannot be
 * found. */
static const char *
unwrap(struct arena *arena, const char *text)
{
	const char *at = text, *inner;
	struct sql_token t = sql_next(&at);

	if (sql_is_word(&t, "explain"))
		return unwrap_explain(at);
	if (sql_is_word(&t, "declare"))
		return behind_word(at, "for");
	if (sql_is_word(&t, "prepare"))
		return behind_word(at, "as");
	if (sql_is_word(&t, "copy"))
		return unwrap_copy(arena, at);
	if (sql_is_word(&t, "create")) {
		const char *table = behind_word(at, "table"),
		           *view = behind_word(at, "materialized");

		if (!table && !view)
			return NULL;
		inner = behind_word(table ? table : view, "as");
		return inner ? strip_with_data(arena, inner) : NULL;
	}
	return text;
}

static bool
is_explainable_verb(const char *text)
{
	static const char *const verbs[] = { "select", "insert", "update", "delete", "merge",
		"values", "with", "table" };
	struct sql_token t;

	do
		t = sql_next(&text);
	while (sql_is_symbol(&t, '('));
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (sql_is_word(&t, verbs[i]))
			return true;
	return false;
}

const char *
sql_explainable(struct arena *arena, const char *text, struct error *err)
{
	const char *at = text, *s;
	struct sql_token first;

	if (strlen(text) > MAX_TEXT) {
		error_set(err, ERR_MEMORY, "the statement is longer than %d MB", MAX_TEXT >> 20);
		return NULL;
	}
	s = one_statement(arena, text, err);
	if (!s)
		return NULL;
	/* EXPLAIN of a CREATE TABLE AS is two layers; more than four is somebody's joke. */
	for (int layer = 0; s && layer < 4; layer++) {
		const char *inner = unwrap(arena, s);

		if (inner == s)
			break;
		s = inner;
	}
	if (s && is_explainable_verb(s))
		return s;
	first = sql_next(&at);
	error_set(err, ERR_REFUSED, "a statement that begins with %.*s has no plan to show",
	    (int)(first.len < 40 ? first.len : 40), first.s);
	error_hint(err,
	    "Only SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, WITH and TABLE are explained.");
	return NULL;
}
