#include "config.h"

#include "pg/sqlrewrite.h"

#include <string.h>

#include "base/strbuf.h"
#include "pg/sqltext.h"

enum { MAX_TEXT = 8 << 20, MAX_UNUSED = 8 };

struct rewrite {
	struct arena *arena;
	struct sql_token *tok;
	int n;
	bool whole_row;
	struct strbuf out;
	/* CTEs that change rows and return none: nothing reads them, so the planner would leave
	 * them out */
	struct sql_token unused[MAX_UNUSED];
	int nunused;
};

static bool
is_at(const struct rewrite *r, int i, const char *word)
{
	return i >= 0 && i < r->n && sql_is_word(&r->tok[i], word);
}

static bool
is_name_at(const struct rewrite *r, int i)
{
	return i < r->n && (r->tok[i].kind == SQL_WORD || r->tok[i].kind == SQL_QUOTED);
}

static void
copy(struct rewrite *r, int from, int to)
{
	const char *end;

	if (from >= to)
		return;
	end = r->tok[to - 1].s + r->tok[to - 1].len;
	strbuf_add(&r->out, r->tok[from].s, (size_t)(end - r->tok[from].s));
	strbuf_addc(&r->out, ' ');
}

/* The first `word` outside brackets in [from, to); `to` when there is none. */
static int
find(const struct rewrite *r, int from, int to, const char *word)
{
	for (int i = from; i < to; i++) {
		if (sql_is_symbol(&r->tok[i], '(') || sql_is_symbol(&r->tok[i], '['))
			i = sql_skip_group(r->tok, to, i) - 1;
		else if (is_at(r, i, word) && !is_at(r, i - 1, "distinct") &&
		    !(i > 0 && sql_is_symbol(&r->tok[i - 1], '.')))
			return i;
	}
	return to;
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* [ONLY] a.b.c [*] [[AS] alias] at i: *ref gets what qualifies its columns; behind it. */
static int
target(struct rewrite *r, int i, int to, const char *stop, const char **ref)
{
	bool in_brackets = false;
	int start, end;

	i += is_at(r, i, "only");
	if (i < to && sql_is_symbol(&r->tok[i], '(')) {
		in_brackets = true;
		i++;
	}
	start = i;
	while (i + 2 < to && sql_is_symbol(&r->tok[i + 1], '.'))
		i += 2;
	end = ++i;
	i += in_brackets;
	i += i < to && sql_is_symbol(&r->tok[i], '*');
	if (is_at(r, i, "as"))
		start = i + 1, end = i += 2;
	else if (i < to && is_name_at(r, i) && !is_at(r, i, stop) && !is_at(r, i, "where") &&
	    !is_at(r, i, "returning") && !is_at(r, i, "using"))
		start = i, end = ++i;
	if (start >= to || end > to)
		return to;
	*ref = arena_strndup(r->arena, r->tok[start].s,
	    (size_t)(r->tok[end - 1].s + r->tok[end - 1].len - r->tok[start].s));
	return i;
}

/* SELECT ref.ctid, or what RETURNING gives in a CTE. */
static void
select_list(struct rewrite *r, const char *ref, int returning, int to, bool in_cte)
{
	strbuf_adds(&r->out, "SELECT ");
	if (!in_cte || returning >= to)
		strbuf_addf(&r->out, "%s.%s ", ref, r->whole_row ? "*" : "ctid");
	else if (returning + 2 == to && sql_is_symbol(&r->tok[returning + 1], '*'))
		strbuf_addf(&r->out, "%s.* ", ref);
	else
		copy(r, returning + 1, to);
}

/* Sub-selects of SET read tables as well. */
static void
set_queries(struct rewrite *r, int from, int to)
{
	while (from < to) {
		int end = to, eq = from;
		bool has_select = false, is_row = sql_is_symbol(&r->tok[from], '(');

		for (int i = from; i < end; i++) {
			if (sql_is_symbol(&r->tok[i], '(') || sql_is_symbol(&r->tok[i], '['))
				i = sql_skip_group(r->tok, end, i) - 1;
			else if (sql_is_symbol(&r->tok[i], ','))
				end = i;
		}
		while (eq < end && !sql_is_symbol(&r->tok[eq], '='))
			eq++;
		for (int i = eq; i < end; i++)
			has_select |= is_at(r, i, "select");
		if (has_select && is_row && sql_is_symbol(&r->tok[eq + 1], '(')) {
			strbuf_adds(&r->out, ", (SELECT pgmedic_q FROM ");
			copy(r, eq + 1, end);
			strbuf_adds(&r->out, "AS pgmedic_q) ");
		} else if (has_select && eq + 1 < end) {
			strbuf_adds(&r->out, ", ");
			copy(r, eq + 1, end);
		}
		from = end + 1;
	}
}

static bool
update(struct rewrite *r, int from, int to, bool in_cte)
{
	const char *ref = "";
	int end = target(r, from + 1, to, "set", &ref), set = find(r, end, to, "set");
	int returning = find(r, end, to, "returning"), where = find(r, end, returning, "where");
	int source = find(r, end, where, "from");

	if (set >= to)
		return false;
	select_list(r, ref, returning, to, in_cte);
	if (!in_cte)
		set_queries(r, set + 1, least(source, where));
	strbuf_adds(&r->out, "FROM ");
	copy(r, from + 1, end);
	if (source < where) {
		strbuf_adds(&r->out, ", ");
		copy(r, source + 1, where);
	}
	copy(r, where, returning);
	return true;
}

static bool delete (struct rewrite *r, int from, int to, bool in_cte)
{
	const char *ref = "";
	int end = target(r, from + 2, to, "using", &ref);
	int returning = find(r, end, to, "returning"), where = find(r, end, returning, "where");
	int source = find(r, end, where, "using");

	if (!is_at(r, from + 1, "from"))
		return false;
	select_list(r, ref, returning, to, in_cte);
	strbuf_adds(&r->out, "FROM ");
	copy(r, from + 2, end);
	if (source < where) {
		strbuf_adds(&r->out, ", ");
		copy(r, source + 1, where);
	}
	copy(r, where, returning);
	return true;
}

/* MERGE reads the join of its target and source: outer where rows without a partner matter. */
static bool
merge(struct rewrite *r, int from, int to, bool in_cte)
{
	const char *ref = "", *join = "JOIN ";
	int end = target(r, from + 2, to, "using", &ref), using = find(r, end, to, "using");
	int on = find(r, using, to, "on"), when = find(r, on, to, "when");
	int returning = find(r, when, to, "returning");
	bool by_source = false, by_target = false;

	if (!is_at(r, from + 1, "into") || when >= to)
		return false;
	for (int i = when; i < to; i++) {
		bool is_not = is_at(r, i, "not") && is_at(r, i + 1, "matched");
		bool is_source = is_not && is_at(r, i + 2, "by") && is_at(r, i + 3, "source");

		by_source |= is_source;
		by_target |= is_not && !is_source;
	}
	if (by_source)
		join = by_target ? "FULL JOIN " : "LEFT JOIN ";
	else if (by_target)
		join = "RIGHT JOIN ";
	select_list(r, ref, returning, to, in_cte);
	strbuf_adds(&r->out, "FROM ");
	copy(r, from + 2, end);
	strbuf_adds(&r->out, join);
	copy(r, using + 1, when);
	return true;
}

static bool begins_query(const struct rewrite *r, int i);
static bool statement(struct rewrite *r, int from, int to, bool in_cte);

/* VALUES of an INSERT may say DEFAULT. */
static void
values(struct rewrite *r, int from, int to)
{
	int done = from;

	for (int i = from; i < to; i++) {
		if (!is_at(r, i, "default"))
			continue;
		copy(r, done, i);
		strbuf_adds(&r->out, "NULL ");
		done = i + 1;
	}
	copy(r, done, to);
}

static bool
insert(struct rewrite *r, int from, int to, bool in_cte)
{
	const char *ref = "";
	int end = target(r, from + 2, to, "values", &ref), query, stop, returning;

	/* what target() took for an alias may begin the query */
	if (begins_query(r, end - 1) || is_at(r, end - 1, "default") ||
	    is_at(r, end - 1, "overriding"))
		end--;
	query = end;
	if (query < to && sql_is_symbol(&r->tok[query], '(') && !begins_query(r, query + 1))
		query = sql_skip_group(r->tok, to, query);
	if (is_at(r, query, "overriding"))
		query += 3;
	returning = find(r, query, to, "returning");
	stop = returning;
	for (int on = find(r, query, stop, "on"); on < stop; on = find(r, on + 1, stop, "on"))
		if (is_at(r, on + 1, "conflict")) {
			stop = on;
			break;
		}
	if (!is_at(r, from + 1, "into") || query >= stop)
		return false;
	if (in_cte && returning < to) {
		select_list(r, ref, returning, to, true);
		strbuf_adds(&r->out, "FROM ");
		copy(r, from + 2, end);
		strbuf_adds(&r->out, "RIGHT JOIN (SELECT 1 FROM (");
	}
	if (is_at(r, query, "default"))
		strbuf_adds(&r->out, "SELECT 1 ");
	else if (is_at(r, query, "values"))
		values(r, query, stop);
	else if (is_at(r, query, "with")) {
		strbuf_adds(&r->out, "(");
		if (!statement(r, query, stop, false))
			return false;
		strbuf_adds(&r->out, "\n) ");
	} else
		copy(r, query, stop);
	if (in_cte && returning < to)
		strbuf_adds(&r->out, "\n) pgmedic_v) pgmedic_q ON false ");
	return true;
}

static bool
begins_query(const struct rewrite *r, int i)
{
	return is_at(r, i, "select") || is_at(r, i, "with") || is_at(r, i, "values") ||
	    is_at(r, i, "table") || (i < r->n && sql_is_symbol(&r->tok[i], '('));
}

static bool
changes_rows(const struct rewrite *r, int i)
{
	return is_at(r, i, "insert") || is_at(r, i, "update") || is_at(r, i, "delete") ||
	    is_at(r, i, "merge");
}

static bool
verb(struct rewrite *r, int from, int to, bool in_cte)
{
	if (is_at(r, from, "insert"))
		return insert(r, from, to, in_cte);
	if (is_at(r, from, "update"))
		return update(r, from, to, in_cte);
	if (is_at(r, from, "delete"))
		return delete (r, from, to, in_cte);
	if (is_at(r, from, "merge"))
		return merge(r, from, to, in_cte);
	copy(r, from, to);
	return true;
}

/* name [(columns)] AS [NOT MATERIALIZED] ( … ) at i, copied; behind it, or -1. */
static int
with_item(struct rewrite *r, int i, int to)
{
	int as = find(r, i, to, "as"), open = as, end;

	while (open < to && !sql_is_symbol(&r->tok[open], '('))
		open++;
	if (open >= to)
		return -1;
	end = sql_skip_group(r->tok, to, open);
	if (changes_rows(r, open + 1)) {
		/* as the original, which is never merged into the query that reads it */
		copy(r, i, as + 1);
		strbuf_adds(&r->out, "MATERIALIZED (");
		if (find(r, open + 1, end - 1, "returning") == end - 1 && r->nunused < MAX_UNUSED)
			r->unused[r->nunused++] = r->tok[i];
		if (!verb(r, open + 1, end - 1, true))
			return -1;
	} else {
		copy(r, i, end - 1);
	}
	strbuf_adds(&r->out, "\n) ");
	return end;
}

/* A statement with or without WITH. */
static bool
statement(struct rewrite *r, int from, int to, bool in_cte)
{
	int i = from, first = r->nunused;

	if (!is_at(r, i, "with"))
		return verb(r, from, to, in_cte);
	i += 1 + is_at(r, i + 1, "recursive");
	copy(r, from, i);
	for (;;) {
		int end = with_item(r, i, to), next = end;

		if (end < 0)
			return false;
		/* SEARCH and CYCLE clauses stand between an item and the comma */
		while (next < to && !sql_is_symbol(&r->tok[next], ',') && !changes_rows(r, next) &&
		    !begins_query(r, next))
			next++;
		copy(r, end, next);
		i = next;
		if (i >= to || !sql_is_symbol(&r->tok[i], ','))
			break;
		strbuf_adds(&r->out, ", ");
		i++;
	}
	if (first == r->nunused)
		return verb(r, i, to, in_cte);
	strbuf_adds(&r->out, ", pgmedic_main AS MATERIALIZED (");
	if (!verb(r, i, to, in_cte))
		return false;
	strbuf_adds(&r->out, "\n) SELECT 1 FROM pgmedic_main ");
	for (; first < r->nunused; first++)
		strbuf_addf(&r->out, "UNION ALL SELECT 1 FROM %.*s ", (int)r->unused[first].len,
		    r->unused[first].s);
	return true;
}

/* Tokens of a locking clause at i, 0 none: FOR UPDATE OF a, b SKIP LOCKED. */
static int
lock_clause(const struct rewrite *r, int i)
{
	int k = i + 1;

	if (!is_at(r, i, "for"))
		return 0;
	if (is_at(r, k, "no") && is_at(r, k + 1, "key"))
		k += 2;
	else if (is_at(r, k, "key"))
		k++;
	if (!is_at(r, k, "update") && !is_at(r, k, "share"))
		return 0;
	k++;
	if (is_at(r, k, "of"))
		do
			for (k++;
			     is_name_at(r, k) && !is_at(r, k, "nowait") && !is_at(r, k, "skip");)
				k += k + 1 < r->n && sql_is_symbol(&r->tok[k + 1], '.') ? 2 : 1;
		while (k < r->n && sql_is_symbol(&r->tok[k], ','));
	if (is_at(r, k, "nowait"))
		k++;
	else if (is_at(r, k, "skip") && is_at(r, k + 1, "locked"))
		k += 2;
	return k - i;
}

static const char *
strip_locks(struct rewrite *r, const char *text)
{
	struct strbuf out = STRBUF_INIT(MAX_TEXT);
	const char *done = text, *result;

	for (int i = 0; i < r->n; i++) {
		int len = lock_clause(r, i);

		if (!len)
			continue;
		strbuf_add(&out, done, (size_t)(r->tok[i].s - done));
		i += len - 1;
		done = r->tok[i].s + r->tok[i].len;
	}
	if (done == text)
		return text;
	strbuf_adds(&out, done);
	result = arena_strndup(r->arena, out.buf, out.len);
	strbuf_release(&out);
	return result;
}

static bool
has_change(const struct rewrite *r)
{
	for (int i = 0; i < r->n; i++)
		if (changes_rows(r, i) &&
		    (i == 0 || sql_is_symbol(&r->tok[i - 1], '(') ||
		        sql_is_symbol(&r->tok[i - 1], ')')))
			return true;
	return false;
}

const char *
sql_as_select(struct arena *arena, const char *text, bool whole_row)
{
	struct rewrite r = { .arena = arena, .whole_row = whole_row, .out = STRBUF_INIT(MAX_TEXT) };
	const char *plain, *result = NULL;

	r.tok = sql_tokens(arena, text, &r.n);
	plain = strip_locks(&r, text);
	if (plain != text)
		r.tok = sql_tokens(arena, plain, &r.n);
	if (!has_change(&r))
		return plain;
	if (statement(&r, 0, r.n, false) && !r.out.cut)
		result = sql_renumber(arena, r.out.buf, NULL);
	strbuf_release(&r.out);
	return result;
}

char
sql_command(struct arena *arena, const char *text)
{
	struct rewrite r = { .arena = arena };
	int i = 0;

	r.tok = sql_tokens(arena, text, &r.n);
	if (is_at(&r, 0, "with"))
		for (i = 1; i < r.n && !changes_rows(&r, i) && !is_at(&r, i, "select") &&
		     !is_at(&r, i, "values") && !is_at(&r, i, "table");
		     i++)
			if (sql_is_symbol(&r.tok[i], '('))
				i = sql_skip_group(r.tok, r.n, i) - 1;
	if (is_at(&r, i, "insert"))
		return 'i';
	if (is_at(&r, i, "update"))
		return 'u';
	if (is_at(&r, i, "delete"))
		return 'd';
	return is_at(&r, i, "merge") ? 'm' : 's';
}

bool
sql_is_current_of(struct arena *arena, const char *text)
{
	struct rewrite r = { .arena = arena };

	r.tok = sql_tokens(arena, text, &r.n);
	for (int i = 0; i < r.n; i++)
		if (is_at(&r, i, "where") && is_at(&r, i + 1, "current") && is_at(&r, i + 2, "of"))
			return true;
	return false;
}

const char *
sql_without_into(struct arena *arena, const char *text)
{
	struct rewrite r = { .arena = arena };
	int i, end;

	r.tok = sql_tokens(arena, text, &r.n);
	i = find(&r, 0, r.n, "into");
	if (i == 0 || i >= r.n || sql_command(arena, text) != 's' || is_at(&r, i - 1, "insert"))
		return text;
	end = i + 1;
	while (is_at(&r, end, "temp") || is_at(&r, end, "temporary") ||
	    is_at(&r, end, "unlogged") || is_at(&r, end, "table") || is_at(&r, end, "local"))
		end++;
	while (end + 1 < r.n && sql_is_symbol(&r.tok[end + 1], '.'))
		end += 2;
	end++;
	return arena_printf(
	    arena, "%.*s %s", (int)(r.tok[i].s - text), text, end < r.n ? r.tok[end].s : "");
}
