/*
 * Parameters and literals of a statement: what pg_stat_statements has normalised is mended, types
 * are written to parameters, and literals are taken out.
 */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "pg/sqltext.h"

enum { MAX_TEXT = 8 << 20 };

static bool
is_ident(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

int
sql_params(const char *text)
{
	int max = 0;

	for (;;) {
		struct sql_token t = sql_next(&text);

		if (t.kind == SQL_END || t.kind == SQL_BROKEN)
			return max;
		if (t.kind == SQL_PARAM && t.param > max)
			max = t.param;
	}
}

/* Words behind which an expression may begin; any other name before a parameter is a type. */
static bool
is_before_expression(const struct sql_token *t)
{
	static const char *const words[] = { "all", "and", "any", "array", "as", "asymmetric",
		"between", "both", "by", "case", "columns", "content", "default", "distinct", "do",
		"document", "else", "end", "escape", "except", "fetch", "first", "for", "from",
		"groups", "having", "ilike", "in", "intersect", "into", "is", "key", "leading",
		"like", "limit", "next", "not", "offset", "on", "only", "or", "overlaps", "passing",
		"path", "placing", "range", "returning", "row", "rows", "select", "set", "similar",
		"some", "symmetric", "table", "then", "to", "trailing", "uescape", "union", "using",
		"value", "values", "variadic", "when", "where", "window", "with", "zone" };

	if (t->kind == SQL_QUOTED)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (sql_is_word(t, words[i]))
			return true;
	return t->kind != SQL_WORD;
}

/* Behind the second word of a type that has two: "double precision"; NULL. */
static const char *
second_word(const struct sql_token *t, const char *at)
{
	static const char *const pairs[][2] = { { "double", "precision" },
		{ "character", "varying" }, { "bit", "varying" }, { "national", "character" } };
	struct sql_token next = sql_next(&at);

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (sql_is_word(t, pairs[i][0]) && sql_is_word(&next, pairs[i][1]))
			return at;
	return NULL;
}

/* "timestamp with time zone $1": at is behind the type's first word; NULL or behind "zone". */
static const char *
time_zone(const char *at)
{
	struct sql_token with = sql_next(&at), time, zone;

	if (!sql_is_word(&with, "with") && !sql_is_word(&with, "without"))
		return NULL;
	time = sql_next(&at);
	zone = sql_next(&at);
	return sql_is_word(&time, "time") && sql_is_word(&zone, "zone") ? at : NULL;
}

/* "(5, 2)": behind it, or NULL. */
static const char *
numbers(const char *at)
{
	struct sql_token t = sql_next(&at);

	if (!sql_is_symbol(&t, '('))
		return NULL;
	do {
		t = sql_next(&at);
		if (t.kind != SQL_NUMBER)
			return NULL;
		t = sql_next(&at);
	} while (sql_is_symbol(&t, ','));
	return sql_is_symbol(&t, ')') ? at : NULL;
}

/* TYPE $n at `t`, where normalising has replaced the string of TYPE 'string': writes "$n::TYPE" and
 * returns what follows; NULL when it is something else. */
static const char *
repair_typed(struct strbuf *out, const struct sql_token *t)
{
	const char *end = t->s + t->len, *at = end, *more;
	struct sql_token p, name;

	if (is_before_expression(t))
		return NULL;
	/* schema.type */
	p = sql_next(&at);
	name = sql_next(&at);
	if (sql_is_symbol(&p, '.') && (name.kind == SQL_WORD || name.kind == SQL_QUOTED))
		end = at;
	more = second_word(t, end);
	if (more)
		end = more;
	more = numbers(end);
	if (more)
		end = more;
	more = sql_is_word(t, "timestamp") || sql_is_word(t, "time") ? time_zone(end) : NULL;
	if (more)
		end = more;
	at = end;
	p = sql_next(&at);
	if (p.kind != SQL_PARAM)
		return NULL;
	strbuf_add(out, p.s, p.len);
	strbuf_adds(out, "::");
	strbuf_add(out, t->s, (size_t)(end - t->s));
	return at;
}

/* extract($n FROM …: writes "date_part($n::text, " and returns what follows. */
static const char *
repair_extract(struct strbuf *out, const struct sql_token *t)
{
	const char *at = t->s + t->len;
	struct sql_token open, p, from;

	if (!sql_is_word(t, "extract"))
		return NULL;
	open = sql_next(&at);
	p = sql_next(&at);
	from = sql_next(&at);
	if (!sql_is_symbol(&open, '(') || p.kind != SQL_PARAM || !sql_is_word(&from, "from"))
		return NULL;
	strbuf_addf(out, "%s.date_part(%.*s::text,", "pg_catalog", (int)p.len, p.s);
	return at;
}

/* JSON_TABLE(value, $n …: its path has to be a string; writes all up to $n and '$' for it, and
 * returns what follows. */
static const char *
repair_json_table(struct strbuf *out, const struct sql_token *t)
{
	const char *at = t->s + t->len;
	struct sql_token next = sql_next(&at);
	int depth = 1;

	if (!sql_is_word(t, "json_table") || !sql_is_symbol(&next, '('))
		return NULL;
	while (depth > 0) {
		next = sql_next(&at);
		if (next.kind == SQL_END || next.kind == SQL_BROKEN)
			return NULL;
		depth += sql_is_symbol(&next, '(') - sql_is_symbol(&next, ')');
		if (depth != 1 || !sql_is_symbol(&next, ','))
			continue;
		next = sql_next(&at);
		if (next.kind != SQL_PARAM)
			return NULL;
		strbuf_add(out, t->s, (size_t)(next.s - t->s));
		strbuf_adds(out, "'$'");
		return at;
	}
	return NULL;
}

const char *
sql_repair(struct arena *arena, const char *text)
{
	struct strbuf out = STRBUF_INIT(MAX_TEXT);
	const char *done = text, *at = text, *result;

	for (;;) {
		struct sql_token t = sql_next(&at);
		struct strbuf piece = STRBUF_INIT(MAX_TEXT);
		const char *next;

		if (t.kind == SQL_END || t.kind == SQL_BROKEN)
			break;
		next = repair_typed(&piece, &t);
		if (!next)
			next = repair_extract(&piece, &t);
		if (!next)
			next = repair_json_table(&piece, &t);
		if (next) {
			strbuf_add(&out, done, (size_t)(t.s - done));
			/* nothing may grow together with what stands before */
			if (out.len && is_ident(out.buf[out.len - 1]))
				strbuf_addc(&out, ' ');
			strbuf_add(&out, piece.buf, piece.len);
			if (is_ident(*next))
				strbuf_addc(&out, ' ');
			done = at = next;
		}
		strbuf_release(&piece);
	}
	strbuf_adds(&out, done);
	result = arena_strndup(arena, out.buf, out.len);
	strbuf_release(&out);
	return result;
}

const char *
sql_cast(struct arena *arena, const char *text, const char *const *types, int ntypes)
{
	struct strbuf out = STRBUF_INIT(MAX_TEXT);
	const char *done = text, *at = text, *result;

	for (;;) {
		struct sql_token t = sql_next(&at);

		if (t.kind == SQL_END || t.kind == SQL_BROKEN)
			break;
		if (t.kind != SQL_PARAM || t.param < 1 || t.param > ntypes || !types[t.param])
			continue;
		strbuf_add(&out, done, (size_t)(t.s + t.len - done));
		strbuf_addf(&out, "::%s", types[t.param]);
		done = at;
	}
	strbuf_adds(&out, done);
	result = arena_strndup(arena, out.buf, out.len);
	strbuf_release(&out);
	return result;
}

const char *
sql_renumber(struct arena *arena, const char *text, const int *map)
{
	struct strbuf out = STRBUF_INIT(MAX_TEXT);
	int max = sql_params(text), n = 0;
	int *number = arena_zalloc(arena, (size_t)max + 1, sizeof(int));
	const char *done = text, *at = text, *result;

	for (;;) {
		struct sql_token t = sql_next(&at);
		int p;

		if (t.kind == SQL_END || t.kind == SQL_BROKEN)
			break;
		if (t.kind != SQL_PARAM || !t.param)
			continue;
		p = map ? map[t.param] : t.param;
		if (!number[p])
			number[p] = ++n;
		strbuf_add(&out, done, (size_t)(t.s - done));
		strbuf_addf(&out, "$%d", number[p]);
		done = at;
	}
	strbuf_adds(&out, done);
	result = arena_strndup(arena, out.buf, out.len);
	strbuf_release(&out);
	return result;
}

int
sql_nearest_param(const char *text, size_t offset, const bool *skip, int nskip)
{
	const char *at = text;
	size_t best = (size_t)-1;
	int found = 0;

	for (;;) {
		struct sql_token t = sql_next(&at);
		size_t place, distance;

		if (t.kind == SQL_END || t.kind == SQL_BROKEN)
			return found;
		if (t.kind != SQL_PARAM || t.param < 1 || (t.param <= nskip && skip[t.param]))
			continue;
		place = (size_t)(t.s - text);
		distance = place > offset ? place - offset : offset - place;
		if (distance < best) {
			best = distance;
			found = t.param;
		}
	}
}

const char *
sql_redact(struct arena *arena, const char *text, size_t len)
{
	struct strbuf out = STRBUF_INIT(MAX_TEXT);
	const char *copy = arena_strndup(arena, text, len), *at = copy, *result;
	const char *before = copy;

	for (;;) {
		struct sql_token t = sql_next(&at);

		if (t.kind == SQL_END)
			break;
		if (t.s > before && out.len)
			strbuf_addc(&out, ' ');
		before = at;
		if (t.kind == SQL_STRING || t.kind == SQL_NUMBER || t.kind == SQL_BROKEN)
			strbuf_addc(&out, '?');
		else
			strbuf_add(&out, t.s, t.len);
		if (t.kind == SQL_BROKEN)
			break;
	}
	result = arena_strndup(arena, out.buf, out.len);
	strbuf_release(&out);
	return result;
}
