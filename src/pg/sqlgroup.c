/*
 * Normalising replaces constants where they were first read: "SELECT date_trunc('day', at) … GROUP
 * BY date_trunc('day', at)" comes back with $1 in one place and with 'day', or with another $2, in
 * the other, and the server no longer sees that they are the same. Here each item of GROUP BY,
 * DISTINCT ON and ORDER BY that holds constants is looked for elsewhere, and where the same tokens
 * stand but for constants, the item is written as it stands there.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/strbuf.h"
#include "pg/sqltyped_priv.h"

enum { MAX_ITEMS = 256, MAX_TEXT = 8 << 20 };

/* Items to be written as the tokens from another place. */
struct items {
	struct item {
		int from, to, as;
	} list[MAX_ITEMS];
	int n;
};

static bool
is_constant(const struct sql_token *t)
{
	return t->kind == SQL_PARAM || t->kind == SQL_STRING || t->kind == SQL_NUMBER;
}

/* The same but for constants. The field of EXTRACT is one of those. */
static bool
same_token(const struct sql_token *a, const struct sql_token *b, bool is_field)
{
	if ((is_constant(a) && is_constant(b)) || (is_field && (is_constant(a) || is_constant(b))))
		return true;
	return a->kind == b->kind && a->len == b->len &&
	    (a->kind == SQL_WORD ? strncasecmp(a->s, b->s, a->len) : memcmp(a->s, b->s, a->len)) ==
	    0;
}

static bool
differs(const struct sql_token *tok, int a, int b, int len)
{
	for (int k = 0; k < len; k++)
		if (tok[a + k].len != tok[b + k].len ||
		    memcmp(tok[a + k].s, tok[b + k].s, tok[a + k].len) != 0)
			return true;
	return false;
}

/* The first place where the tokens of [from, to) stand. */
static void
unify_item(const struct sql_token *tok, struct items *items, int from, int to)
{
	int len = to - from;

	for (int i = 0; i < from; i++) {
		int k = 0;

		while (k < len &&
		    same_token(&tok[i + k], &tok[from + k],
		        k > 1 && sql_is_word(&tok[from + k - 2], "extract")))
			k++;
		if (k < len || i + len > from)
			continue;
		if (differs(tok, i, from, len) && items->n < MAX_ITEMS)
			items->list[items->n++] = (struct item){ .from = from, .to = to, .as = i };
		return;
	}
}

static bool
ends_list(const struct sql_token *t)
{
	static const char *const words[] = { "having", "order", "limit", "offset", "union",
		"except", "intersect", "window", "fetch", "for", "asc", "desc", "nulls", "using",
		"where", "rows", "range", "groups", NULL };

	if (sql_is_symbol(t, ')'))
		return true;
	for (int i = 0; words[i]; i++)
		if (sql_is_word(t, words[i]))
			return true;
	return false;
}

/* Do brackets at i hold a list of items themselves: ROLLUP (…), GROUPING SETS ((…), …)? */
static bool
is_nested_list(const struct sql_token *tok, int n, int i)
{
	bool is_whole = i > 0 &&
	    (sql_is_symbol(&tok[i - 1], '(') || sql_is_symbol(&tok[i - 1], ',') ||
	        sql_is_word(&tok[i - 1], "by"));
	int end = sql_skip_group(tok, n, i);

	if (!sql_is_symbol(&tok[i], '(') || i == 0)
		return false;
	if (is_whole)
		return end >= n || sql_is_symbol(&tok[end], ',') || ends_list(&tok[end]);
	return sql_is_word(&tok[i - 1], "rollup") || sql_is_word(&tok[i - 1], "cube") ||
	    sql_is_word(&tok[i - 1], "sets");
}

/* The items of the list that begins at i. */
static void
unify_list(const struct sql_token *tok, int n, struct items *items, int i)
{
	bool has_constant = false;
	int from = i;

	for (; i <= n; i++) {
		bool is_end = i == n || ends_list(&tok[i]);

		if (is_end || sql_is_symbol(&tok[i], ',')) {
			if (has_constant && i - from > 1)
				unify_item(tok, items, from, i);
			/* behind ASC, DESC and NULLS the list goes on */
			while (i < n && is_end &&
			    (sql_is_word(&tok[i], "asc") || sql_is_word(&tok[i], "desc") ||
			        sql_is_word(&tok[i], "nulls") || sql_is_word(&tok[i], "first") ||
			        sql_is_word(&tok[i], "last")))
				i++;
			if (i >= n || !sql_is_symbol(&tok[i], ','))
				return;
			has_constant = false;
			from = i + 1;
		} else if (sql_is_symbol(&tok[i], '(') || sql_is_symbol(&tok[i], '[')) {
			if (is_nested_list(tok, n, i)) {
				unify_list(tok, n, items, i + 1);
				has_constant = false;
				i = sql_skip_group(tok, n, i) - 1;
				continue;
			}
			/* extract(year FROM …) has one that is a word */
			has_constant |= i > 0 && sql_is_word(&tok[i - 1], "extract");
			for (int end = sql_skip_group(tok, n, i); i < end; i++)
				has_constant |= is_constant(&tok[i]);
			i--;
		} else {
			has_constant |= is_constant(&tok[i]);
		}
	}
}

/* "-10" was one constant to the normaliser; make it one token, in place. */
static int
join_signs(struct sql_token *tok, int n)
{
	int to = 0;

	for (int i = 0; i < n; i++, to++) {
		bool is_sign = i > 0 && i + 1 < n && sql_is_symbol(&tok[i], '-') &&
		    tok[i + 1].kind == SQL_NUMBER && tok[i - 1].kind == SQL_SYMBOL &&
		    !sql_is_symbol(&tok[i - 1], ')') && !sql_is_symbol(&tok[i - 1], ']');

		if (to != i || is_sign)
			tok[to] = tok[i];
		if (!is_sign)
			continue;
		tok[to].kind = SQL_NUMBER;
		tok[to].len = (size_t)(tok[i + 1].s + tok[i + 1].len - tok[i].s);
		i++;
	}
	return to;
}

const char *
sql_unify(struct arena *arena, const char *text)
{
	struct items *items = arena_zalloc(arena, 1, sizeof(*items));
	struct strbuf out = STRBUF_INIT(MAX_TEXT);
	const char *done = text, *result;
	struct sql_token *tok;
	int n;

	tok = sql_tokens(arena, text, &n);
	n = join_signs(tok, n);
	for (int i = 0; i + 2 < n; i++) {
		bool is_by = sql_is_word(&tok[i + 1], "by") &&
		    (sql_is_word(&tok[i], "group") || sql_is_word(&tok[i], "order"));
		bool is_on = sql_is_word(&tok[i], "distinct") && sql_is_word(&tok[i + 1], "on") &&
		    sql_is_symbol(&tok[i + 2], '(');

		if (is_by || is_on)
			unify_list(tok, n, items, i + 2 + is_on);
	}
	for (int i = 0; i < items->n; i++) {
		const struct item *item = &items->list[i];
		int end = item->as + item->to - item->from;

		/* lists within lists: what was written is not written again */
		if (tok[item->from].s < done)
			continue;
		strbuf_add(&out, done, (size_t)(tok[item->from].s - done));
		strbuf_add(&out, tok[item->as].s,
		    (size_t)(tok[end - 1].s + tok[end - 1].len - tok[item->as].s));
		done = tok[item->to - 1].s + tok[item->to - 1].len;
	}
	strbuf_adds(&out, done);
	result = items->n ? arena_strndup(arena, out.buf, out.len) : NULL;
	strbuf_release(&out);
	return result;
}
