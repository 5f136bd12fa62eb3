/*
 * Whose code planning may run. The planner folds constants: it calls functions that say that they
 * are immutable, with the rights of the role that plans. Texts in pg_stat_statements are anybody's,
 * and a superuser who plans them would lend anybody those rights. So a statement that names a
 * function of somebody who is neither a superuser nor this role, or an operator, type, table or
 * view that leads to one, is not planned. Names are compared lexically and may match too much,
 * never too little; they are asked for anew each second, since they may be made meanwhile.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hmap.h"
#include "base/strbuf.h"
#include "pg/sqltext.h"
#include "pg/whatif_priv.h"

enum { FRESH_US = 1000000, MAX_LISTED = 20000, MAX_NAME = 63, MAX_OPERATORS = 1 << 20 };

struct whatif_suspect {
	const char *schema, *name;
	bool is_operator, is_wide;
};

/* What a text names. */
struct names {
	struct hmap words;
	struct strbuf operators; /* those of a text, with blanks between */
	bool has_escapes;        /* U&"…": not known */
};

/* ------------------------------------------------------------------ the list */

static uint64_t
print_of(const struct rowset *rows)
{
	static const char *const columns[] = { "schema", "name", "why" };
	uint64_t print = hash_u64(0, (uint64_t)rows->nrows);

	for (int i = 0; i < rows->nrows; i++)
		for (size_t c = 0; c < ARRAY_LEN(columns); c++) {
			const struct cell *cell = rowset_get(rows, i, columns[c]);

			if (cell->type == CELL_TEXT)
				print = hash_bytes(hash_u64(print, cell->len), cell->s, cell->len);
		}
	return print;
}

static void
take_list(struct whatif_guard *g, const struct rowset *rows)
{
	uint64_t print = print_of(rows);

	if (g->version && print == g->print)
		return;
	g->version++;
	g->print = print;
	arena_reset(&g->arena);
	g->list = arena_zalloc(&g->arena, (size_t)rows->nrows + 1, sizeof(*g->list));
	g->n = rows->nrows;
	for (int i = 0; i < g->n; i++) {
		const struct cell *schema = rowset_get(rows, i, "schema"),
		                  *name = rowset_get(rows, i, "name");

		g->list[i] = (struct whatif_suspect){
			.schema = arena_strndup(&g->arena, schema->s, schema->len),
			.name = arena_strndup(&g->arena, name->s, name->len),
			.is_operator = cell_i64(rowset_get(rows, i, "is_operator"), 0) != 0,
			.is_wide = cell_is(rowset_get(rows, i, "why"), "locks"),
		};
	}
}

bool
whatif_guard_look(struct whatif *w, struct error *err)
{
	struct rowset *rows;

	if (w->guard.version && mono_now().us - w->guard.asked_us < FRESH_US)
		return true;
	rows = whatif_query(w, "whatif_untrusted", NULL, 0, err);
	if (!rows)
		return false;
	take_list(&w->guard, rows);
	rowset_unref(rows);
	w->guard.asked_us = mono_now().us;
	return true;
}

/* ------------------------------------------------------------------ a statement */

static void
add_word(struct names *names, const char *s, size_t len)
{
	/* the server cuts longer ones, never within a character */
	if (len > MAX_NAME) {
		len = MAX_NAME;
		while (len && ((unsigned char)s[len] & 0xc0) == 0x80)
			len--;
	}
	hmap_put(&names->words, hash_bytes(0, s, len), 1);
}

/* As the catalog has it. */
static void
add_name(struct names *names, const struct sql_token *t)
{
	struct strbuf name = STRBUF_INIT(1 << 16);

	if (t->kind == SQL_QUOTED && *t->s != '"') {
		names->has_escapes = true;
		return;
	}
	for (size_t i = t->kind == SQL_QUOTED; i < t->len - (t->kind == SQL_QUOTED); i++) {
		char c = t->s[i];

		if (t->kind == SQL_WORD && c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		else if (t->kind == SQL_QUOTED && c == '"')
			i++;
		strbuf_addc(&name, c);
	}
	add_word(names, name.buf, name.len);
	strbuf_release(&name);
}

/* Is the star behind this token one that multiplies, not that of count(*), t.* or SELECT *? */
static bool
is_operand(const struct sql_token *t)
{
	static const char *const words[] = { "select", "distinct", "all", "returning" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (sql_is_word(t, words[i]))
			return false;
	return t->kind != SQL_SYMBOL || *t->s == ')' || *t->s == ']';
}

static void
read_names(struct names *names, const char *text)
{
	struct sql_token t = { 0 }, before = { .kind = SQL_SYMBOL, .s = "(" };
	const char *end = NULL;

	for (;; before = t) {
		t = sql_next(&text);
		if (t.kind == SQL_END || t.kind == SQL_BROKEN)
			return;
		if (t.kind == SQL_WORD || t.kind == SQL_QUOTED)
			add_name(names, &t);
		if (t.kind != SQL_SYMBOL || (*t.s == '*' && t.s != end && !is_operand(&before)))
			continue;
		if (t.s != end)
			strbuf_addc(&names->operators, ' ');
		strbuf_addc(&names->operators, *t.s);
		end = t.s + 1;
	}
}

static bool
is_named(const struct names *names, const struct whatif_suspect *s)
{
	if (!hmap_has(&names->words, hash_bytes(0, s->schema, strlen(s->schema))))
		return false;
	if (s->is_operator)
		return names->operators.cut || strstr(names->operators.buf, s->name);
	return hmap_has(&names->words, hash_bytes(0, s->name, strlen(s->name)));
}

static bool
refuse(const struct whatif_suspect *s, struct error *err)
{
	if (s->is_wide) {
		error_set(err, ERR_REFUSED,
		    "a plan of %s.%s locks all its partitions, too much of the server's lock table",
		    s->schema, s->name);
		return error_hint(err, "Raise max_locks_per_transaction.");
	}
	error_set(err, ERR_REFUSED,
	    "it uses %s.%s; planning could run a function of another role with this role's rights",
	    s->schema, s->name);
	return error_hint(err, "Let the role that owns the function ask.");
}

bool
whatif_guard_allows(struct whatif *w, const char *text, const char *path, struct error *err)
{
	const struct whatif_guard *g = &w->guard;
	struct names names = { .operators = STRBUF_INIT(MAX_OPERATORS) };
	const char *user = PQuser(w->pq);
	bool ok = true;

	if (g->n == 0)
		return true;
	read_names(&names, text);
	/* unqualified names are looked up in these; "$user" is the role's own */
	read_names(&names, path ? path : w->home_path);
	if (user)
		add_word(&names, user, strlen(user));
	if (g->n >= MAX_LISTED)
		ok = error_set(err, ERR_REFUSED,
		    "there are too many functions of other roles to tell whether planning runs one");
	else if (names.has_escapes)
		ok = error_set(err, ERR_REFUSED, "it has names written with escapes");
	for (int i = 0; ok && i < g->n; i++)
		if (is_named(&names, &g->list[i]))
			ok = refuse(&g->list[i], err);
	hmap_release(&names.words);
	strbuf_release(&names.operators);
	return ok;
}
