/*
 * What a server's complaint about types says of parameters. Messages may be in any language, the
 * names of types and operators in them are not: "…: integer = text". The position leads to the
 * operator, call or expression; the parameters that stand untyped in it are cast together. Where an
 * operand is a mere column of VALUES, of a CTE or of a sub-select, the parameter that makes that
 * column is looked for.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pg/sqltyped_priv.h"

static const char operators[] = "+-*/<>=~!@#%^&|`?";

static bool
is_operator(const struct sql_token *t)
{
	return t->kind == SQL_SYMBOL && strchr(operators, *t->s);
}

static bool
is_name(const struct sql_token *t)
{
	return t->kind == SQL_WORD || t->kind == SQL_QUOTED;
}

static bool
is_one_of(const struct sql_token *t, const char *const *words)
{
	for (; *words; words++)
		if (sql_is_word(t, *words))
			return true;
	return false;
}

/* Constructs whose type is that of what they hold. */
static bool
is_transparent(const struct sql_token *t)
{
	static const char *const words[] = { "coalesce", "greatest", "least", "nullif", "array",
		"any", "all", "some", "values", "in", "case", "when", "then", "else", "on", "and",
		"or", "where", "not", "row", NULL };

	return !is_name(t) || is_one_of(t, words);
}

static void
add_slot(struct sql_typed *t, int param)
{
	if (param < 1 || param > t->nparams || t->types[param] || t->nslots >= t->nparams)
		return;
	for (int i = 0; i < t->nslots; i++)
		if (t->slots[i] == param)
			return;
	t->slots[t->nslots++] = param;
}

static void
add_type(struct sql_typed *t, const char *type)
{
	if (!type || !*type || t->nladder == MAX_LADDER)
		return;
	for (int i = 0; i < t->nladder; i++)
		if (strcmp(t->ladder[i], type) == 0)
			return;
	t->ladder[t->nladder++] = type;
}

/* Does the parameter at i stand for the whole value of an argument, element or branch? */
static bool
is_result(const struct sql_typed *t, int i)
{
	static const char *const before[] = { "then", "else", "select", "all", "distinct", "values",
		NULL };
	static const char *const behind[] = { "when", "else", "end", "order", "as", "from", "union",
		"is", NULL };

	if (i == 0 || t->tok[i].kind != SQL_PARAM)
		return false;
	if (!sql_is_symbol(&t->tok[i - 1], '(') && !sql_is_symbol(&t->tok[i - 1], ',') &&
	    !sql_is_symbol(&t->tok[i - 1], '[') && !is_one_of(&t->tok[i - 1], before))
		return false;
	return i + 1 >= t->ntok || sql_is_symbol(&t->tok[i + 1], ')') ||
	    sql_is_symbol(&t->tok[i + 1], ',') || sql_is_symbol(&t->tok[i + 1], ']') ||
	    is_one_of(&t->tok[i + 1], behind);
}

/* Parameters that are values of what stands in [from, to); calls in it have types of their own. */
static void
add_results(struct sql_typed *t, int from, int to)
{
	for (int i = from; i < to; i++) {
		if (i > from && sql_is_symbol(&t->tok[i], '(') && !is_transparent(&t->tok[i - 1])) {
			i = sql_skip_group(t->tok, t->ntok, i) - 1;
			continue;
		}
		if (is_result(t, i))
			add_slot(t, t->tok[i].param);
	}
}

/* The bracket that opens the group which i closes; -1 none. */
static int
group_start(const struct sql_typed *t, int i)
{
	int depth = 0;

	for (; i >= 0; i--) {
		depth += sql_is_symbol(&t->tok[i], ')') || sql_is_symbol(&t->tok[i], ']');
		depth -= sql_is_symbol(&t->tok[i], '(') || sql_is_symbol(&t->tok[i], '[');
		if (depth == 0)
			return i;
	}
	return -1;
}

/* Behind the END of the CASE at i. */
static int
skip_case(const struct sql_typed *t, int i)
{
	int depth = 0;

	for (; i < t->ntok; i++) {
		depth += sql_is_word(&t->tok[i], "case");
		depth -= sql_is_word(&t->tok[i], "end");
		if (depth == 0)
			return i + 1;
	}
	return t->ntok;
}

/* --------------------------------------------------- columns made of parameters */

static bool
same_name(const struct sql_token *a, const struct sql_token *b)
{
	return is_name(a) && is_name(b) && a->len == b->len && strncasecmp(a->s, b->s, a->len) == 0;
}

/* The k-th (0-based) item of the list that starts at i, when it is a mere parameter. */
static int
item_param(const struct sql_typed *t, int i, int k)
{
	for (; i < t->ntok && !sql_is_symbol(&t->tok[i], ')'); i++) {
		if (k == 0 && t->tok[i].kind == SQL_PARAM && is_result(t, i))
			return t->tok[i].param;
		if (sql_is_symbol(&t->tok[i], '(') || sql_is_symbol(&t->tok[i], '['))
			i = sql_skip_group(t->tok, t->ntok, i) - 1;
		else if (sql_is_symbol(&t->tok[i], ',') && k-- == 0)
			return 0;
		else if (sql_is_word(&t->tok[i], "from") || sql_is_word(&t->tok[i], "union"))
			return 0;
	}
	return 0;
}

/* The place of a column in the list "(a, b, c)" at i; -1 not in it. */
static int
column_place(const struct sql_typed *t, int i, const struct sql_token *column)
{
	int k = 0;

	if (i >= t->ntok || !sql_is_symbol(&t->tok[i], '('))
		return -1;
	for (i++; i < t->ntok && !sql_is_symbol(&t->tok[i], ')'); i++) {
		if (same_name(&t->tok[i], column))
			return k;
		k += sql_is_symbol(&t->tok[i], ',');
	}
	return -1;
}

/* The list of column names that belongs to the sub-select or VALUES in the group at i: behind it
 * as "[AS] v (a, b)", or before it as "v (a, b) AS [MATERIALIZED]". */
static int
column_list(const struct sql_typed *t, int i)
{
	int end = sql_skip_group(t->tok, t->ntok, i), j = i - 1;

	if (end < t->ntok && sql_is_word(&t->tok[end], "as"))
		end++;
	if (end + 1 < t->ntok && is_name(&t->tok[end]) && sql_is_symbol(&t->tok[end + 1], '('))
		return end + 1;
	while (j > 0 && is_name(&t->tok[j]) && !sql_is_word(&t->tok[j], "as"))
		j--;
	if (j > 0 && sql_is_word(&t->tok[j], "as") && sql_is_symbol(&t->tok[j - 1], ')'))
		return group_start(t, j - 1);
	return -1;
}

/* The parameter that makes this column of a sub-select, CTE or VALUES; 0 none. */
static int
column_param(const struct sql_typed *t, const struct sql_token *column)
{
	int k = -1;

	for (int i = 0; i + 2 < t->ntok; i++) {
		bool is_values = sql_is_word(&t->tok[i + 1], "values");
		int list, param;

		if (t->tok[i].kind == SQL_PARAM && !t->types[t->tok[i].param] &&
		    same_name(&t->tok[i + 1 + sql_is_word(&t->tok[i + 1], "as")], column))
			return t->tok[i].param;
		if (!sql_is_symbol(&t->tok[i], '(') ||
		    (!is_values && !sql_is_word(&t->tok[i + 1], "select")))
			continue;
		list = column_list(t, i);
		if (list >= 0)
			k = column_place(t, list, column);
		else if (is_values && column->len > 6 && strncasecmp(column->s, "column", 6) == 0)
			k = (int)strtol(column->s + 6, NULL, 10) - 1;
		param = k >= 0 ? item_param(t, i + 2 + is_values, k) : 0;
		if (param)
			return param;
	}
	return 0;
}

/* Parameters in the argument of unnest() that makes this column: unnest(ARRAY[$1, $2], …) AS u (id,
 * n). */
static void
add_unnested(struct sql_typed *t, const struct sql_token *column)
{
	for (int i = 0; i + 1 < t->ntok; i++) {
		int list, k, from, end;

		if (!sql_is_word(&t->tok[i], "unnest") || !sql_is_symbol(&t->tok[i + 1], '('))
			continue;
		list = column_list(t, i + 1);
		k = list >= 0 ? column_place(t, list, column) : -1;
		end = sql_skip_group(t->tok, t->ntok, i + 1) - 1;
		from = i + 2;
		for (int j = from; k > 0 && j < end; j++) {
			if (sql_is_symbol(&t->tok[j], '(') || sql_is_symbol(&t->tok[j], '['))
				j = sql_skip_group(t->tok, t->ntok, j) - 1;
			else if (sql_is_symbol(&t->tok[j], ',') && --k == 0)
				from = j + 1;
		}
		for (int j = from; k == 0 && j < end && !sql_is_symbol(&t->tok[j], ','); j++)
			if (sql_is_symbol(&t->tok[j], '[')) {
				add_results(t, j, sql_skip_group(t->tok, t->ntok, j));
				j = sql_skip_group(t->tok, t->ntok, j) - 1;
			}
	}
}

static void
add_column(struct sql_typed *t, const struct sql_token *column)
{
	add_slot(t, column_param(t, column));
	if (!t->nslots)
		add_unnested(t, column);
}

/* The last name of "a.b.c" that begins at i. */
static const struct sql_token *
last_name(const struct sql_typed *t, int i)
{
	while (i + 2 < t->ntok && is_name(&t->tok[i]) && sql_is_symbol(&t->tok[i + 1], '.') &&
	    is_name(&t->tok[i + 2]))
		i += 2;
	return &t->tok[i];
}

/* --------------------------------------------------- operators and calls */

static void
add_operand_right(struct sql_typed *t, int i)
{
	if (i >= t->ntok)
		return;
	if (t->tok[i].kind == SQL_PARAM) {
		add_slot(t, t->tok[i].param);
		if (i + 2 < t->ntok && sql_is_word(&t->tok[i + 1], "and") &&
		    t->tok[i + 2].kind == SQL_PARAM && i > 0 &&
		    sql_is_word(&t->tok[i - 1], "between"))
			add_slot(t, t->tok[i + 2].param);
	} else if (sql_is_word(&t->tok[i], "case")) {
		add_results(t, i, skip_case(t, i));
	} else if (sql_is_symbol(&t->tok[i], '(')) {
		add_results(t, i, sql_skip_group(t->tok, t->ntok, i));
	} else if (is_name(&t->tok[i]) && is_transparent(&t->tok[i]) && i + 1 < t->ntok &&
	    (sql_is_symbol(&t->tok[i + 1], '(') || sql_is_symbol(&t->tok[i + 1], '['))) {
		add_results(t, i, sql_skip_group(t->tok, t->ntok, i + 1));
	} else if (is_name(&t->tok[i])) {
		add_column(t, last_name(t, i));
	}
}

static void
add_operand_left(struct sql_typed *t, int i)
{
	int start;

	if (i < 0)
		return;
	if (t->tok[i].kind == SQL_PARAM) {
		add_slot(t, t->tok[i].param);
	} else if (sql_is_symbol(&t->tok[i], ')') || sql_is_symbol(&t->tok[i], ']')) {
		start = group_start(t, i);
		if (start >= 0 && (start == 0 || is_transparent(&t->tok[start - 1])))
			add_results(t, start, i + 1);
	} else if (sql_is_word(&t->tok[i], "end")) {
		for (start = i; start > 0 && !sql_is_word(&t->tok[start], "case"); start--)
			;
		add_results(t, start, i);
	} else if (is_name(&t->tok[i])) {
		add_column(t, &t->tok[i]);
	}
}

static bool
is_time(const char *type)
{
	return strncmp(type, "date", 4) == 0 || strncmp(type, "time", 4) == 0;
}

static bool
is_span(const char *type)
{
	return strcmp(type, "interval") == 0 || strcmp(type, "integer") == 0 ||
	    strcmp(type, "bigint") == 0 || strcmp(type, "numeric") == 0 ||
	    strcmp(type, "double precision") == 0;
}

static bool
is_vague(const char *type)
{
	return !*type || strcmp(type, "unknown") == 0 || strcmp(type, "text") == 0 ||
	    strcmp(type, "text[]") == 0 || strcmp(type, "\"char\"") == 0;
}

/* "…: integer = text": the types around the operator, in the arena; "" where the message has none.
 */
static void
operand_types(
    struct sql_typed *t, const char *message, const char *op, const char **left, const char **right)
{
	const char *s = NULL, *needle = arena_printf(t->arena, " %s ", op), *at;

	*left = *right = "";
	for (at = message; (at = strstr(at, ": ")); at++)
		s = at + 2;
	if (!s)
		return;
	at = strstr(s, needle);
	if (!at)
		return;
	*left = arena_strndup(t->arena, s, (size_t)(at - s));
	*right = arena_strdup(t->arena, at + strlen(needle));
}

static void
ladder_operator(struct sql_typed *t, const char *op, const char *left, const char *right)
{
	const char *known = is_vague(left) ? right : left;
	bool is_arithmetic = *op && strchr("+-*/%", *op) && !op[1];
	size_t len;

	if (is_vague(known))
		known = "";
	len = strlen(known);
	if (is_arithmetic && strcmp(known, "date") == 0)
		add_type(t, "integer");
	/* at > now() - $1 reads as an interval or a number of days: $1 is a span, not a time */
	if ((is_time(left) && is_span(right)) || (is_time(right) && is_span(left)) ||
	    (is_arithmetic && is_time(known)))
		add_type(t, "interval");
	if (strcmp(known, "jsonb") == 0 && is_arithmetic)
		add_type(t, "text");
	else if (is_arithmetic && strcmp(known, "interval") == 0)
		add_type(t, "double precision");
	add_type(t, known);
	if (len > 2 && strcmp(known + len - 2, "[]") == 0)
		add_type(t, arena_strndup(t->arena, known, len - 2));
}

/* "$1 + $2" anywhere: each such pair would be complained of. */
static void
add_pairs(struct sql_typed *t)
{
	for (int i = 1; i + 1 < t->ntok; i++)
		if (t->tok[i].kind == SQL_SYMBOL && strchr("+-*/%^", *t->tok[i].s) &&
		    t->tok[i - 1].kind == SQL_PARAM && t->tok[i + 1].kind == SQL_PARAM)
			add_slot(t, t->tok[i - 1].param);
}

static void
guess_operator(struct sql_typed *t, const struct sql_complaint *c, int i)
{
	const char *op, *left, *right;
	int end = i;

	while (end < t->ntok && is_operator(&t->tok[end]) &&
	    (end == i || t->tok[end].s == t->tok[end - 1].s + 1))
		end++;
	op = arena_strndup(t->arena, t->tok[i].s, (size_t)(end - i));
	if (end == i) { /* IN, BETWEEN, LIKE … are written as the operators they stand for */
		op = sql_is_word(&t->tok[i], "in")     ? "=" :
		    sql_is_word(&t->tok[i], "between") ? ">=" :
		                                         "~~";
		end++;
	}
	operand_types(t, c->message, op, &left, &right);
	ladder_operator(t, op, left, right);
	add_operand_right(t, end);
	add_operand_left(t, i - 1);
	if (is_vague(left) && is_vague(right) && end < t->ntok && t->tok[end].kind == SQL_PARAM)
		add_pairs(t);
}

/* Functions by the type that their untyped arguments are given. */
static const char *const of_any[] = { "concat", "concat_ws", "format", "row", "count",
	"json_build_object", "jsonb_build_object", "json_build_array", "jsonb_build_array",
	"num_nulls", "num_nonnulls", "to_json", "to_jsonb", "pg_typeof", "json_agg", "jsonb_agg",
	"json_object_agg", "jsonb_object_agg", "quote_literal", "quote_nullable", "xmlforest",
	"xmlconcat", "pg_column_size", "json_object", "json_array", "json_objectagg",
	"json_arrayagg", NULL };
static const char *const of_time[] = { "date_trunc", "date_part", "age", "to_char", "extract",
	"date_bin", "timezone", "overlaps", "isfinite", "justify_interval", NULL };
static const char *const of_list[] = { "unnest", "array_length", "cardinality", "array_to_string",
	NULL };
static const char *const of_number[] = { "sum", "avg", "abs", "round", "ceil", "ceiling", "floor",
	"trunc", "sign", "sqrt", "exp", "ln", "log", "mod", "power", "generate_series", NULL };

/* What else of the text has untyped arguments of such functions. */
static void
add_calls(struct sql_typed *t, const char *const *names)
{
	for (int i = 0; i + 1 < t->ntok; i++)
		if (sql_is_symbol(&t->tok[i + 1], '(') && is_one_of(&t->tok[i], names))
			add_results(t, i + 1, sql_skip_group(t->tok, t->ntok, i + 1));
}

static void
ladder_call(struct sql_typed *t, const struct sql_token *name)
{
	if (is_one_of(name, of_time)) {
		add_type(t, "timestamptz");
	} else if (is_one_of(name, of_any)) {
		add_type(t, "text");
		add_calls(t, of_any);
	} else if (is_one_of(name, of_list)) {
		add_type(t, "bigint[]");
		add_type(t, "text[]");
	} else if (is_one_of(name, of_number)) {
		add_calls(t, of_number);
	}
}

/* The call whose name begins at i. */
static bool
guess_call(struct sql_typed *t, int i)
{
	int open = (int)(last_name(t, i) - t->tok) + 1;

	if (!is_name(&t->tok[i]) || open >= t->ntok || !sql_is_symbol(&t->tok[open], '('))
		return false;
	ladder_call(t, &t->tok[open - 1]);
	add_results(t, open, sql_skip_group(t->tok, t->ntok, open));
	return true;
}

/* --------------------------------------------------- named parameters */

/* The parameter at i has no type; others that stand beside it will not have one either. */
static void
guess_untyped(struct sql_typed *t, int i)
{
	int depth = 0;

	add_slot(t, t->tok[i].param);
	add_type(t, "text");
	add_calls(t, of_any);
	if (!is_result(t, i))
		return;
	for (int j = i - 1; j >= 0; j--) {
		depth += sql_is_symbol(&t->tok[j], ')') || sql_is_symbol(&t->tok[j], ']');
		depth -= sql_is_symbol(&t->tok[j], '(') || sql_is_symbol(&t->tok[j], '[');
		if (depth >= 0)
			continue;
		if (j > 0 && sql_is_symbol(&t->tok[j], '(') && is_name(&t->tok[j - 1])) {
			int end = sql_skip_group(t->tok, t->ntok, j);

			for (int k = j + 1; k < end; k++)
				if (is_result(t, k))
					add_slot(t, t->tok[k].param);
		}
		return;
	}
}

/* "integer versus bigint": the wider one first. */
static void
guess_inconsistent(struct sql_typed *t, const char *detail, int param)
{
	static const char versus[] = " versus ";
	const char *at = detail ? strstr(detail, versus) : NULL;

	add_slot(t, param);
	if (at) {
		add_type(t, arena_strdup(t->arena, at + strlen(versus)));
		add_type(t, arena_strndup(t->arena, detail, (size_t)(at - detail)));
	}
	add_type(t, "text");
}

/* --------------------------------------------------- mismatches */

/* What stands between two parts of a message. */
static const char *
between(struct sql_typed *t, const char *message, const char *before, const char *behind)
{
	const char *s = strstr(message, before), *end;

	if (!s)
		return NULL;
	s += strlen(before);
	end = *behind ? strstr(s, behind) : s + strlen(s);
	return end ? arena_strndup(t->arena, s, (size_t)(end - s)) : NULL;
}

static void
guess_mismatch(struct sql_typed *t, const struct sql_complaint *c, int i)
{
	const char *s, *other;

	add_type(t, between(t, c->message, " is of type ", " but "));
	add_type(t, between(t, c->message, " must be type ", ", not"));
	add_type(t, between(t, c->message, "but type ", " overall"));
	other = between(t, c->message, " and ", " cannot be");
	if (other && is_vague(other))
		for (s = between(t, c->message, " types ", " and "); s; s = NULL)
			other = s;
	add_type(t, other);
	if (strcmp(c->sqlstate, "42804") == 0 && !t->nladder) {
		/* "could not determine polymorphic type": of to_json() and the like */
		add_type(t, "text");
		add_calls(t, of_any);
	}
	if (i >= t->ntok)
		return;
	if (t->tok[i].kind == SQL_PARAM)
		add_slot(t, t->tok[i].param);
	else if (!guess_call(t, i))
		add_operand_right(t, i);
}

void
sql_guess(struct sql_typed *t, const struct sql_complaint *c, int i)
{
	bool is_untyped = strcmp(c->sqlstate, "42P18") == 0;

	if (i < t->ntok && t->tok[i].kind == SQL_PARAM && is_untyped)
		guess_untyped(t, i);
	else if (i < t->ntok && t->tok[i].kind == SQL_PARAM && strcmp(c->sqlstate, "42P08") == 0)
		guess_inconsistent(t, c->detail, t->tok[i].param);
	else if (strcmp(c->sqlstate, "42804") == 0 || strcmp(c->sqlstate, "42P13") == 0)
		guess_mismatch(t, c, i);
	else if (i < t->ntok && !guess_call(t, i))
		guess_operator(t, c, i);
	if (is_untyped)
		return;
	/* an integer becomes whatever kind of number is wanted */
	add_type(t, "integer");
	add_type(t, "numeric");
	add_type(t, "interval");
	add_type(t, "timestamptz");
	add_type(t, "text");
}
