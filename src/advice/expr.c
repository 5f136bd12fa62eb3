/* A recursive descent over the tokens of a deparsed expression. */
#include "config.h"

#include "advice/expr.h"

#include <string.h>

#include "pg/sqltext.h"

struct parser {
	struct arena *arena;
	const char *at; /* behind tok */
	struct sql_token tok;
	const char *end; /* of the token before tok */
	int depth, nodes;
};

static struct expr *read_or(struct parser *p);

static void
advance(struct parser *p)
{
	p->end = p->tok.s ? p->tok.s + p->tok.len : p->at;
	p->tok = sql_next(&p->at);
}

static bool
at_end(const struct parser *p)
{
	return p->tok.kind == SQL_END || p->tok.kind == SQL_BROKEN;
}

static bool
at_symbol(const struct parser *p, char c)
{
	return p->tok.kind == SQL_SYMBOL && *p->tok.s == c;
}

static bool
at_word(const struct parser *p, const char *word)
{
	return sql_is_word(&p->tok, word);
}

static bool
take_word(struct parser *p, const char *word)
{
	if (!at_word(p, word))
		return false;
	advance(p);
	return true;
}

static bool
take_symbol(struct parser *p, char c)
{
	if (!at_symbol(p, c))
		return false;
	advance(p);
	return true;
}

static struct expr *
new_expr(struct parser *p, enum expr_kind kind, const char *start)
{
	struct expr *e = arena_zalloc(p->arena, 1, sizeof(*e));

	e->kind = kind;
	e->text = start;
	p->nodes++;
	return e;
}

static struct expr *
done(struct parser *p, struct expr *e)
{
	e->len = p->end > e->text ? (size_t)(p->end - e->text) : 0;
	return e;
}

static void
add_kid(struct parser *p, struct expr *e, struct expr *kid)
{
	struct expr **kids;

	if (!kid)
		return;
	/* Room is made in powers of two: at 1, 2, 4, … */
	if ((e->nkids & (e->nkids - 1)) == 0) {
		size_t cap = e->nkids ? (size_t)e->nkids * 2 : 1;

		kids = arena_alloc(p->arena, sizeof(struct expr *) * cap);
		if (e->nkids)
			memcpy(kids, e->kids, sizeof(struct expr *) * (size_t)e->nkids);
		e->kids = kids;
	}
	e->kids[e->nkids++] = kid;
}

/* 'it''s', E'a\n', $$x$$ without its quotes. */
static const char *
unquote(struct parser *p, const struct sql_token *t)
{
	const char *s = t->s, *end = t->s + t->len;
	bool escapes = *s == 'E' || *s == 'e';
	char *out = arena_alloc(p->arena, t->len + 1);
	size_t n = 0;
	char quote;

	while (s < end && *s != '\'' && *s != '"')
		s++;
	if (s == end)
		return arena_strndup(p->arena, t->s, t->len);
	quote = *s++;
	while (s < end) {
		if (*s == quote && s + 1 < end && s[1] == quote)
			s++;
		else if (*s == quote)
			break;
		else if (*s == '\\' && escapes && s + 1 < end)
			s++;
		out[n++] = *s++;
	}
	out[n] = '\0';
	return out;
}

static const char *
identifier(struct parser *p, const struct sql_token *t)
{
	return t->kind == SQL_QUOTED ? unquote(p, t) : arena_strndup(p->arena, t->s, t->len);
}

static bool
is_identifier(const struct sql_token *t)
{
	return t->kind == SQL_WORD || t->kind == SQL_QUOTED;
}

/* After "::": "character varying(10)[]", "timestamp with time zone", "s.t". */
static const char *
read_type(struct parser *p)
{
	static const char *const more[] = { "varying", "precision", "with", "without", "time",
		"zone", "year", "month", "day", "hour", "minute", "second", "to" };
	const char *start = p->tok.s;
	bool took;

	if (!is_identifier(&p->tok))
		return "";
	advance(p);
	while (at_symbol(p, '.')) {
		advance(p);
		if (is_identifier(&p->tok))
			advance(p);
	}
	do {
		took = false;
		for (size_t i = 0; i < ARRAY_LEN(more); i++)
			took |= take_word(p, more[i]);
		if (at_symbol(p, '(')) {
			while (!at_end(p) && !at_symbol(p, ')'))
				advance(p);
			took = take_symbol(p, ')');
		}
	} while (took);
	while (at_symbol(p, '[')) {
		advance(p);
		if (!take_symbol(p, ']'))
			break;
	}
	return arena_strndup(p->arena, start, p->end > start ? (size_t)(p->end - start) : 0);
}

/* What is between here and the closing word or symbol, whatever it is. */
static void
read_list(struct parser *p, struct expr *e, char close, const char *close_word)
{
	while (!at_end(p)) {
		const char *before = p->at;

		if (close ? at_symbol(p, close) : at_word(p, close_word))
			break;
		if (at_symbol(p, ',')) {
			advance(p);
			continue;
		}
		add_kid(p, e, read_or(p));
		if (p->at == before) /* nothing was taken */
			advance(p);
	}
	if (!at_end(p))
		advance(p);
}

static struct expr *
read_function(struct parser *p, struct expr *e, const char *name)
{
	e->kind = EXPR_FUNC;
	e->name = name;
	advance(p);
	read_list(p, e, ')', NULL);
	if (take_word(p, "FILTER") && take_symbol(p, '('))
		read_list(p, e, ')', NULL);
	if (take_word(p, "OVER") && take_symbol(p, '('))
		read_list(p, e, ')', NULL);
	return done(p, e);
}

static bool
is_constant_word(const struct sql_token *t)
{
	return sql_is_word(t, "true") || sql_is_word(t, "false") || sql_is_word(t, "null");
}

/* A name and what follows it: column, function, constant, CASE. */
static struct expr *
read_name(struct parser *p)
{
	struct expr *e = new_expr(p, EXPR_OTHER, p->tok.s);
	struct sql_token first = p->tok;
	const char *name;

	advance(p);
	if (is_constant_word(&first)) {
		e->kind = EXPR_CONST;
		e->value = sql_is_word(&first, "null") ? NULL : identifier(p, &first);
		return done(p, e);
	}
	if (sql_is_word(&first, "CASE")) {
		read_list(p, e, '\0', "END");
		return done(p, e);
	}
	if ((sql_is_word(&first, "ARRAY") && at_symbol(p, '[')) ||
	    (sql_is_word(&first, "ROW") && at_symbol(p, '('))) {
		char close = at_symbol(p, '[') ? ']' : ')';

		e->kind = EXPR_LIST;
		advance(p);
		read_list(p, e, close, NULL);
		return done(p, e);
	}
	name = identifier(p, &first);
	if (at_symbol(p, '.')) {
		advance(p);
		if (at_symbol(p, '*')) {
			e->kind = EXPR_COLUMN;
			e->alias = name;
			e->name = "*";
			advance(p);
			return done(p, e);
		}
		if (!is_identifier(&p->tok))
			return done(p, e);
		e->alias = name;
		name = identifier(p, &p->tok);
		advance(p);
		if (!at_symbol(p, '(')) {
			e->kind = EXPR_COLUMN;
			e->name = name;
			return done(p, e);
		}
	}
	if (at_symbol(p, '('))
		return read_function(p, e, name);
	e->kind = EXPR_COLUMN;
	e->alias = "";
	e->name = name;
	return done(p, e);
}

static struct expr *
read_primary(struct parser *p)
{
	struct expr *e;

	if (is_identifier(&p->tok))
		return read_name(p);
	e = new_expr(p, EXPR_OTHER, p->tok.s ? p->tok.s : p->at);
	if (p->tok.kind == SQL_STRING || p->tok.kind == SQL_NUMBER) {
		e->kind = EXPR_CONST;
		e->value = p->tok.kind == SQL_STRING ?
		    unquote(p, &p->tok) :
		    arena_strndup(p->arena, p->tok.s, p->tok.len);
		advance(p);
	} else if (p->tok.kind == SQL_PARAM) {
		e->kind = EXPR_PARAM;
		e->param = p->tok.param;
		advance(p);
	} else if (at_symbol(p, '(')) {
		struct expr *kid;

		advance(p);
		kid = read_or(p);
		if (at_symbol(p, ')') && kid) {
			advance(p);
			kid->text = e->text;
			return done(p, kid);
		}
		add_kid(p, e, kid);
		read_list(p, e, ')', NULL);
	}
	return done(p, e);
}

static struct expr *
wrap(struct parser *p, enum expr_kind kind, struct expr *left, const char *name)
{
	struct expr *e = new_expr(p, kind, left->text);

	e->name = name;
	add_kid(p, e, left);
	return e;
}

/* ::type, [subscript], COLLATE x, AT TIME ZONE x, .field */
static struct expr *
read_postfix(struct parser *p)
{
	struct expr *e = read_primary(p);

	for (;;) {
		if (p->nodes >= EXPR_MAX_NODES)
			return e;
		if (at_symbol(p, ':') && *p->at == ':') {
			advance(p);
			advance(p);
			e = wrap(p, EXPR_CAST, e, NULL);
			e->name = read_type(p);
		} else if (at_symbol(p, '[')) {
			advance(p);
			e = wrap(p, EXPR_OTHER, e, NULL);
			read_list(p, e, ']', NULL);
		} else if (at_word(p, "COLLATE")) {
			advance(p);
			e = wrap(p, EXPR_CAST, e, "collate");
			while (is_identifier(&p->tok) || at_symbol(p, '.')) {
				bool more = at_symbol(p, '.') || *p->at == '.';

				advance(p);
				if (!more)
					break;
			}
		} else if (at_symbol(p, '.')) {
			advance(p);
			e = wrap(p, EXPR_OTHER, e, NULL);
			if (!at_end(p))
				advance(p);
		} else {
			return e;
		}
		done(p, e);
	}
}

static bool
at_operator(const struct parser *p)
{
	return p->tok.kind == SQL_SYMBOL && strchr("+-*/<>=~!@#%^&|`?", *p->tok.s);
}

/* "=", "@>", "OPERATOR(pg_catalog.=)": the bare operator. */
static const char *
read_operator(struct parser *p)
{
	const char *start;
	size_t len;

	if (take_word(p, "OPERATOR")) {
		const char *name = "";

		take_symbol(p, '(');
		while (!at_end(p) && !at_operator(p) && !at_symbol(p, ')'))
			advance(p);
		if (at_operator(p))
			name = read_operator(p);
		take_symbol(p, ')');
		return name;
	}
	start = p->tok.s;
	for (len = 0; at_operator(p) && p->tok.s == start + len; len++)
		advance(p);
	return arena_strndup(p->arena, start, len);
}

static struct expr *
read_is(struct parser *p, struct expr *left)
{
	bool is_not;
	struct expr *e;

	advance(p);
	is_not = take_word(p, "NOT");
	if (take_word(p, "DISTINCT")) {
		take_word(p, "FROM");
		e = wrap(p, EXPR_OP, left, is_not ? "IS NOT DISTINCT FROM" : "IS DISTINCT FROM");
		add_kid(p, e, read_postfix(p));
		return done(p, e);
	}
	e = wrap(p, EXPR_IS, left, "");
	if (!at_end(p) && p->tok.kind == SQL_WORD) {
		e->name = arena_printf(
		    p->arena, "IS %s%.*s", is_not ? "NOT " : "", (int)p->tok.len, p->tok.s);
		advance(p);
	}
	return done(p, e);
}

static struct expr *
read_operators(struct parser *p)
{
	struct expr *left, *e;

	if (at_operator(p)) { /* prefix */
		e = new_expr(p, EXPR_OP, p->tok.s);
		e->name = read_operator(p);
		add_kid(p, e, read_postfix(p));
		left = done(p, e);
	} else {
		left = read_postfix(p);
	}
	for (;;) {
		if (p->nodes >= EXPR_MAX_NODES)
			return left;
		if (at_word(p, "IS")) {
			left = read_is(p, left);
		} else if (at_word(p, "AT")) {
			advance(p);
			take_word(p, "TIME");
			take_word(p, "ZONE");
			take_word(p, "LOCAL");
			left = wrap(p, EXPR_OTHER, left, NULL);
			if (!at_end(p) && !at_symbol(p, ')'))
				add_kid(p, left, read_postfix(p));
			done(p, left);
		} else if (at_operator(p) || at_word(p, "OPERATOR")) {
			const char *op = read_operator(p);
			enum expr_kind kind = at_word(p, "ANY") ? EXPR_ANY :
			    at_word(p, "ALL")                   ? EXPR_ALL :
			                                          EXPR_OP;

			if (kind != EXPR_OP)
				advance(p);
			left = wrap(p, kind, left, op);
			p->depth++;
			add_kid(p, left,
			    at_operator(p) && p->depth < EXPR_MAX_DEPTH ? read_operators(p) :
			                                                  read_postfix(p));
			p->depth--;
			done(p, left);
		} else {
			return left;
		}
	}
}

static struct expr *
read_not(struct parser *p)
{
	struct expr *e;

	if (!at_word(p, "NOT"))
		return read_operators(p);
	e = new_expr(p, EXPR_NOT, p->tok.s);
	advance(p);
	add_kid(p, e, read_operators(p));
	return done(p, e);
}

static struct expr *
read_chain(
    struct parser *p, const char *word, enum expr_kind kind, struct expr *(*part)(struct parser *p))
{
	struct expr *left = part(p), *e;

	if (!at_word(p, word))
		return left;
	e = wrap(p, kind, left, word);
	while (take_word(p, word))
		add_kid(p, e, part(p));
	return done(p, e);
}

static struct expr *
read_and(struct parser *p)
{
	return read_chain(p, "AND", EXPR_AND, read_not);
}

static struct expr *
read_or(struct parser *p)
{
	struct expr *e;

	if (p->depth >= EXPR_MAX_DEPTH || p->nodes >= EXPR_MAX_NODES) {
		e = new_expr(p, EXPR_OTHER, p->tok.s ? p->tok.s : p->at);
		while (!at_end(p))
			advance(p);
		return done(p, e);
	}
	p->depth++;
	e = read_chain(p, "OR", EXPR_OR, read_and);
	p->depth--;
	return e;
}

static struct parser
begin(struct arena *arena, const char *text)
{
	struct parser p = { .arena = arena, .at = arena_strdup(arena, text) };

	advance(&p);
	return p;
}

struct expr *
expr_read(struct arena *arena, const char *text)
{
	struct parser p = begin(arena, text);
	struct expr *e = read_or(&p), *all;

	if (at_end(&p))
		return e;
	all = new_expr(&p, EXPR_OTHER, e->text);
	add_kid(&p, all, e);
	read_list(&p, all, '\0', "");
	return done(&p, all);
}

struct expr_sort
expr_read_sort(struct arena *arena, const char *text)
{
	struct parser p = begin(arena, text);
	struct expr_sort out = { .expr = read_or(&p) };

	while (!at_end(&p)) {
		if (take_word(&p, "DESC"))
			out.is_desc = out.nulls_first = true;
		else if (take_word(&p, "FIRST"))
			out.nulls_first = true;
		else if (take_word(&p, "LAST"))
			out.nulls_first = false;
		else
			advance(&p);
	}
	return out;
}

const struct expr *
expr_bare(const struct expr *e)
{
	while (e->kind == EXPR_CAST && e->nkids)
		e = e->kids[0];
	return e;
}

void
expr_walk(const struct expr *e, void (*visit)(void *arg, const struct expr *e), void *arg)
{
	visit(arg, e);
	for (int i = 0; i < e->nkids; i++)
		expr_walk(e->kids[i], visit, arg);
}
