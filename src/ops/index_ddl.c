#include "config.h"

#include "ops/index_ddl.h"

#include <string.h>

#include "base/strbuf.h"
#include "pg/sqltext.h"

enum { MAX_DDL = 32 << 10 };

struct reader {
	struct arena *arena;
	const char *at;     /* behind the token */
	const char *before; /* where the token before this one ended */
	struct sql_token t; /* the token in hand */
	struct index_ddl *out;
	struct error *err;
};

static void
advance(struct reader *r)
{
	r->before = r->t.s ? r->t.s + r->t.len : r->at;
	r->t = sql_next(&r->at);
}

static bool
is_word(const struct reader *r, const char *word)
{
	return sql_is_word(&r->t, word);
}

static bool
is_symbol(const struct reader *r, char c)
{
	return r->t.kind == SQL_SYMBOL && *r->t.s == c;
}

static bool
take_word(struct reader *r, const char *word)
{
	if (!is_word(r, word))
		return false;
	advance(r);
	return true;
}

static bool
take_symbol(struct reader *r, char c)
{
	if (!is_symbol(r, c))
		return false;
	advance(r);
	return true;
}

/* What was expected instead of the token in hand. */
static bool
expected(struct reader *r, const char *what)
{
	if (r->t.kind == SQL_END)
		error_set(r->err, ERR_USAGE, "the command ends where %s is expected", what);
	else if (r->t.kind == SQL_BROKEN)
		error_set(r->err, ERR_USAGE, "a quote or comment is never closed");
	else
		error_set(r->err, ERR_USAGE, "'%.*s' stands where %s is expected",
		    r->t.len < 60 ? (int)r->t.len : 60, r->t.s, what);
	return error_hint(r->err,
	    "create [unique] index [NAME] on TABLE [using METHOD] (COLUMN, ...) [include (COLUMN, ...)] [where CONDITION]");
}

/* A token that may stand inside an expression. */
static bool
is_safe(const struct reader *r)
{
	return r->t.kind != SQL_END && r->t.kind != SQL_BROKEN && r->t.kind != SQL_PARAM &&
	    !is_symbol(r, ';');
}

static bool
is_identifier(const struct reader *r)
{
	return r->t.kind == SQL_WORD || (r->t.kind == SQL_QUOTED && r->t.len > 2);
}

/* The identifier in hand as the catalog has it. */
static const char *
fold(struct reader *r)
{
	char *out = arena_alloc(r->arena, r->t.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < r->t.len; i++) {
		char c = r->t.s[i];

		if (r->t.kind == SQL_WORD) {
			out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
			continue;
		}
		if (i == 0 || i + 1 == r->t.len)
			continue;
		i += c == '"';
		out[n++] = c;
	}
	out[n] = '\0';
	return out;
}

static bool
read_identifier(struct reader *r, const char *what, const char **name)
{
	if (!is_identifier(r))
		return expected(r, what);
	*name = fold(r);
	advance(r);
	return true;
}

static bool
read_table(struct reader *r)
{
	const char *start = r->t.s;

	if (!read_identifier(r, "a table", &r->out->table))
		return false;
	if (take_symbol(r, '.')) {
		r->out->schema = r->out->table;
		if (!read_identifier(r, "a table", &r->out->table))
			return false;
	}
	r->out->raw_table = arena_strndup(r->arena, start, (size_t)(r->before - start));
	return true;
}

/* Append the token in hand; blanks and comments before it become one blank. */
static void
keep(struct reader *r, struct strbuf *sb)
{
	if (sb->len && r->t.s != r->before)
		strbuf_addc(sb, ' ');
	strbuf_add(sb, r->t.s, r->t.len);
	advance(r);
}

/* From '(' to its ')', both kept. */
static bool
keep_group(struct reader *r, struct strbuf *sb)
{
	int depth = 0;

	do {
		if (!is_safe(r))
			return expected(r, "')'");
		depth += is_symbol(r, '(') - is_symbol(r, ')');
		keep(r, sb);
	} while (depth > 0);
	return true;
}

/* What may stand behind a key: COLLATE "x", an operator class, its options, order, NULLS. */
static bool
read_suffix(struct reader *r, struct strbuf *sb)
{
	while (!is_symbol(r, ',') && !is_symbol(r, ')')) {
		if (is_symbol(r, '(')) {
			if (!keep_group(r, sb))
				return false;
			continue;
		}
		if (!is_identifier(r) && !is_symbol(r, '.'))
			return expected(r, "',' or ')'");
		keep(r, sb);
	}
	return true;
}

/* "lower", "public.lower": what stands before '(' of a call. */
static bool
keep_call(struct reader *r, struct strbuf *sb)
{
	while (is_identifier(r) || is_symbol(r, '.'))
		keep(r, sb);
	return is_symbol(r, '(') ? keep_group(r, sb) : expected(r, "'('");
}

/* Does a call begin here, rather than a column? */
static bool
is_call(const struct reader *r)
{
	const char *at = r->at;
	struct sql_token next = sql_next(&at);

	return next.kind == SQL_SYMBOL && (*next.s == '(' || *next.s == '.');
}

static bool
read_key(struct reader *r)
{
	struct index_key *key = &r->out->keys[r->out->nkeys];
	struct strbuf expr = STRBUF_INIT(MAX_DDL), suffix = STRBUF_INIT(MAX_DDL);
	bool ok = true;

	if (r->out->nkeys == INDEX_DDL_KEYS)
		return error_set(
		    r->err, ERR_USAGE, "an index has at most %d columns", INDEX_DDL_KEYS);
	*key = (struct index_key){ 0 };
	if (is_symbol(r, '('))
		ok = keep_group(r, &expr);
	else if (is_identifier(r) && is_call(r))
		ok = keep_call(r, &expr);
	else
		ok = read_identifier(r, "a column", &key->column);
	ok = ok && read_suffix(r, &suffix);
	if (ok && expr.len)
		key->expr = arena_strdup(r->arena, expr.buf);
	key->suffix = arena_strdup(r->arena, suffix.buf);
	r->out->nkeys += ok;
	strbuf_release(&expr);
	strbuf_release(&suffix);
	return ok;
}

static bool
read_keys(struct reader *r)
{
	if (!take_symbol(r, '('))
		return expected(r, "'(' and the columns");
	do {
		if (!read_key(r))
			return false;
	} while (take_symbol(r, ','));
	return take_symbol(r, ')') || expected(r, "')'");
}

static bool
read_include(struct reader *r)
{
	if (!take_symbol(r, '('))
		return expected(r, "'('");
	do {
		if (r->out->ninclude == INDEX_DDL_KEYS)
			return error_set(
			    r->err, ERR_USAGE, "an index has at most %d columns", INDEX_DDL_KEYS);
		if (!read_identifier(r, "a column", &r->out->include[r->out->ninclude++]))
			return false;
	} while (take_symbol(r, ','));
	return take_symbol(r, ')') || expected(r, "')'");
}

/* Storage parameters: NAME = VALUE, ... of words, numbers and, as pg_get_indexdef() writes them,
 * strings. */
static bool
read_with(struct reader *r)
{
	struct strbuf sb = STRBUF_INIT(MAX_DDL);
	bool ok = take_symbol(r, '(') || expected(r, "'('");

	while (ok && !is_symbol(r, ')')) {
		ok = r->t.kind == SQL_WORD || r->t.kind == SQL_NUMBER || r->t.kind == SQL_STRING ||
		    is_symbol(r, '=') || is_symbol(r, ',') || expected(r, "NAME = VALUE");
		if (ok)
			keep(r, &sb);
	}
	if (ok)
		advance(r);
	r->out->with = arena_strdup(r->arena, sb.buf);
	strbuf_release(&sb);
	return ok;
}

static bool
read_where(struct reader *r)
{
	struct strbuf sb = STRBUF_INIT(MAX_DDL);
	bool ok = true;

	while (ok && r->t.kind != SQL_END) {
		if (!is_safe(r) || is_symbol(r, ')'))
			ok = expected(r, "the end of the condition");
		else if (is_symbol(r, '('))
			ok = keep_group(r, &sb);
		else
			keep(r, &sb);
	}
	if (ok && !sb.len)
		ok = expected(r, "a condition");
	r->out->where = arena_strdup(r->arena, sb.buf);
	strbuf_release(&sb);
	return ok;
}

static bool
read_head(struct reader *r)
{
	r->out->is_unique = take_word(r, "unique");
	if (!take_word(r, "index"))
		return expected(r, "index");
	/* It is always built concurrently, said or not. */
	(void)take_word(r, "concurrently");
	if (!is_word(r, "on") && !read_identifier(r, "a name or on", &r->out->name))
		return false;
	if (!take_word(r, "on"))
		return expected(r, "on");
	(void)take_word(r, "only");
	return read_table(r) &&
	    (!take_word(r, "using") || read_identifier(r, "a method", &r->out->method));
}

bool
index_ddl_parse(struct arena *arena, const char *text, struct index_ddl *out, struct error *err)
{
	struct reader r = { .arena = arena, .at = text, .out = out, .err = err };

	*out = (struct index_ddl){ 0 };
	if (strlen(text) > MAX_DDL / 4)
		return error_set(err, ERR_USAGE, "the command is too long");
	advance(&r);
	if (!read_head(&r) || !read_keys(&r) || (take_word(&r, "include") && !read_include(&r)) ||
	    (take_word(&r, "with") && !read_with(&r)) ||
	    (take_word(&r, "where") && !read_where(&r)))
		return false;
	return r.t.kind == SQL_END || expected(&r, "the end");
}

bool
index_ddl_name(struct arena *arena, const char *text, const char **schema, const char **name)
{
	struct error ignored = { 0 };
	struct reader r = { .arena = arena, .at = text, .err = &ignored };

	*schema = NULL;
	advance(&r);
	if (!read_identifier(&r, "a name", name))
		return false;
	if (take_symbol(&r, '.')) {
		*schema = *name;
		if (!read_identifier(&r, "a name", name))
			return false;
	}
	return r.t.kind == SQL_END;
}
