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

static bool
is_symbol(const struct sql_token *t, char c)
{
	return t->kind == SQL_SYMBOL && *t->s == c;
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

/* Types that may stand before a string literal: the normaliser turns the string into $n and leaves
 * the type. */
static bool
is_type_word(const struct sql_token *t)
{
	static const char *const types[] = {
		"interval",
		"date",
		"time",
		"timetz",
		"timestamp",
		"timestamptz",
		"uuid",
		"inet",
		"cidr",
		"macaddr",
		"json",
		"jsonb",
		"bool",
		"boolean",
		"numeric",
		"decimal",
		"int",
		"integer",
		"bigint",
		"smallint",
		"int2",
		"int4",
		"int8",
		"float4",
		"float8",
		"real",
		"money",
		"text",
		"varchar",
		"bytea",
		"regclass",
		"oid",
		"xml",
		"point",
		"tsquery",
		"tsvector",
		"int4range",
		"int8range",
		"daterange",
		"tstzrange",
		"tsrange",
		"numrange",
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (sql_is_word(t, types[i]))
			return true;
	return false;
}

/* "timestamp with time zone $1": at is behind the type's first word; *end behind "zone". */
static bool
has_time_zone(const char *at, const char **end)
{
	struct sql_token with = sql_next(&at), time, zone;

	if (!sql_is_word(&with, "with") && !sql_is_word(&with, "without"))
		return false;
	time = sql_next(&at);
	zone = sql_next(&at);
	*end = at;
	return sql_is_word(&time, "time") && sql_is_word(&zone, "zone");
}

/* TYPE $n at `t`: writes "$n::TYPE" and returns what follows; NULL when it is something else. */
static const char *
repair_typed(struct strbuf *out, const struct sql_token *t)
{
	const char *type_end = t->s + t->len, *at, *end;
	struct sql_token p;

	if (!is_type_word(t))
		return NULL;
	if ((sql_is_word(t, "timestamp") || sql_is_word(t, "time")) &&
	    has_time_zone(type_end, &end))
		type_end = end;
	at = type_end;
	p = sql_next(&at);
	if (p.kind != SQL_PARAM)
		return NULL;
	strbuf_add(out, p.s, p.len);
	strbuf_adds(out, "::");
	strbuf_add(out, t->s, (size_t)(type_end - t->s));
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
	if (!is_symbol(&open, '(') || p.kind != SQL_PARAM || !sql_is_word(&from, "from"))
		return NULL;
	strbuf_addf(out, "%s.date_part(%.*s::text,", "pg_catalog", (int)p.len, p.s);
	return at;
}

const char *
sql_repair(struct arena *arena, const char *text)
{
	struct strbuf out = STRBUF_INIT(MAX_TEXT);
	const char *done = text, *at = text, *result;

	for (;;) {
		struct sql_token t = sql_next(&at);
		struct strbuf piece = STRBUF_INIT(512);
		const char *next;

		if (t.kind == SQL_END || t.kind == SQL_BROKEN)
			break;
		next = repair_typed(&piece, &t);
		if (!next)
			next = repair_extract(&piece, &t);
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
