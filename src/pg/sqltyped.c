#include "config.h"

#include "pg/sqltyped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "pg/sqltyped_priv.h"

enum { MAX_NAMES = 8 }; /* variables of one statement; each costs the server an error */

static void
set_text(struct sql_typed *t, const char *statement)
{
	t->statement = statement;
	/* a parameter that nothing uses has no type, so there may be no holes */
	t->text = sql_renumber(t->arena, sql_repair(t->arena, statement), NULL);
	t->tok = sql_tokens(t->arena, t->text, &t->ntok);
	t->nparams = sql_params(t->text);
	t->types = arena_zalloc(t->arena, (size_t)t->nparams + 1, sizeof(*t->types));
	t->skip = arena_zalloc(t->arena, (size_t)t->nparams + 1, sizeof(*t->skip));
	t->slots = arena_zalloc(t->arena, (size_t)t->nparams + 1, sizeof(*t->slots));
	t->nslots = t->nladder = t->step = 0;
	*t->sqlstate = '\0';
}

struct sql_typed *
sql_typed_new(struct arena *arena, const char *statement)
{
	struct sql_typed *t = arena_zalloc(arena, 1, sizeof(*t));

	t->arena = arena;
	set_text(t, statement);
	return t;
}

const char *
sql_typed_text(struct sql_typed *t)
{
	return sql_cast(t->arena, t->text, t->types, t->nparams);
}

int
sql_typed_params(const struct sql_typed *t)
{
	return t->nparams;
}

void
sql_typed_set(struct sql_typed *t, int n, const char *type)
{
	if (n >= 1 && n <= t->nparams)
		t->types[n] = arena_strdup(t->arena, type);
}

/* Byte offset in t->text of the n-th (1-based) character of the text with casts. */
static size_t
uncast_place(struct sql_typed *t, long position)
{
	const char *text = sql_typed_text(t), *at = text;
	size_t len = strlen(text), offset = 0, shift = 0;
	uint32_t cp;

	for (long n = position; n > 1 && offset < len; n--)
		offset += utf8_decode(text + offset, len - offset, &cp);
	for (;;) {
		struct sql_token tok = sql_next(&at);

		if (tok.kind == SQL_END || tok.kind == SQL_BROKEN ||
		    (size_t)(tok.s - text) >= offset)
			return offset > shift ? offset - shift : 0;
		if (tok.kind == SQL_PARAM && tok.param >= 1 && tok.param <= t->nparams &&
		    t->types[tok.param])
			shift += 2 + strlen(t->types[tok.param]);
	}
}

/* The "$n" that a message names; 0 none. */
static int
named_param(const char *message)
{
	const char *s = strchr(message ? message : "", '$');

	return s ? (int)strtol(s + 1, NULL, 10) : 0;
}

static int
token_at(const struct sql_typed *t, size_t place)
{
	int i = 0;

	while (i < t->ntok && (size_t)(t->tok[i].s - t->text) + t->tok[i].len <= place)
		i++;
	return i;
}

/* Take back what the last step cast, it was in vain. */
static void
undo(struct sql_typed *t)
{
	for (int i = 0; i < t->nslots; i++)
		t->types[t->slots[i]] = NULL;
}

static bool
apply(struct sql_typed *t)
{
	for (int i = 0; i < t->nslots; i++)
		t->types[t->slots[i]] = t->ladder[t->step];
	t->step++;
	return t->nslots > 0;
}

static bool
is_retried(const char *sqlstate)
{
	/* indeterminate, ambiguous or unknown function or operator, datatype mismatch, wrong text
	 * for a type, bad assignment, polymorphic */
	static const char *const states[] = { "42P18", "42P08", "42725", "42883", "42804", "22P02",
		"42846", "42P13", "42P19", "22007", "42P22" };

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strcmp(sqlstate, states[i]) == 0)
			return true;
	return false;
}

/* The next step for the same complaint: another type, then the next nearest parameter. */
static bool
step_on(struct sql_typed *t)
{
	undo(t);
	if (t->step < t->nladder && t->nslots)
		return apply(t);
	for (int i = 0; i < t->nslots; i++)
		t->skip[t->slots[i]] = true;
	t->slots[0] = sql_nearest_param(t->text, t->place, t->skip, t->nparams);
	t->nslots = t->slots[0] >= 1 && t->slots[0] <= t->nparams;
	t->step = 0;
	return t->nslots && apply(t);
}

/* Where a variable of a function may stand, and not the name of a relation. */
static bool
is_in_expression(const struct sql_typed *t, int i)
{
	static const char *const before[] = { "from", "join", "into", "update", "only", "table",
		"using", "as" };

	for (size_t k = 0; i > 0 && k < ARRAY_LEN(before); k++)
		if (sql_is_word(&t->tok[i - 1], before[k]))
			return false;
	return i > 0 && !sql_is_symbol(&t->tok[i - 1], '.');
}

/*
 * A statement of a function has its variables by name, as p_id or NEW.id. The server says that
 * there is no such column, or no such table; each becomes a parameter. Columns that are gone do so
 * as well: no plan can be right for those.
 */
static const char *
name_to_param(struct sql_typed *t, const struct sql_complaint *c)
{
	bool is_row = strcmp(c->sqlstate, "42P01") == 0;
	int i = c->position > 0 ? token_at(t, uncast_place(t, c->position)) : t->ntok;
	const struct sql_token *name = &t->tok[i < t->ntok ? i : 0];
	const char *text, *end, *result;

	if (i >= t->ntok || (name->kind != SQL_WORD && name->kind != SQL_QUOTED) ||
	    t->nnames >= MAX_NAMES || !is_in_expression(t, i))
		return NULL;
	end = name->s + name->len;
	if (is_row != (i + 2 < t->ntok && sql_is_symbol(&t->tok[i + 1], '.')))
		return NULL;
	if (is_row)
		end = t->tok[i + 2].s + t->tok[i + 2].len;
	if (i + 1 < t->ntok && sql_is_symbol(&t->tok[i + 1], '('))
		return NULL;
	/* what was cast so far is kept */
	text = arena_printf(
	    t->arena, "%.*s$%d%s", (int)(name->s - t->text), t->text, t->nparams + 1, end);
	t->nnames++;
	result = sql_cast(t->arena, text, t->types, t->nparams);
	return result;
}

bool
sql_typed_learn(struct sql_typed *t, const struct sql_complaint *c)
{
	size_t place;
	int named;

	if (!c->sqlstate)
		return false;
	if (strcmp(c->sqlstate, "42803") == 0 || strcmp(c->sqlstate, "42P10") == 0) {
		const char *text = t->unified ? NULL : sql_unify(t->arena, t->statement);

		t->unified = true;
		if (text)
			set_text(t, text);
		return text != NULL;
	}
	if (strcmp(c->sqlstate, "42703") == 0 || strcmp(c->sqlstate, "42P01") == 0) {
		const char *text = name_to_param(t, c);

		if (text)
			set_text(t, text);
		return text != NULL;
	}
	if (t->nparams == 0 || !is_retried(c->sqlstate))
		return false;
	named = strncmp(c->sqlstate, "42P", 3) == 0 ? named_param(c->message) : 0;
	place = c->position > 0 ? uncast_place(t, c->position) : 0;
	if (named >= 1 && named <= t->nparams && c->position <= 0) {
		int i = 0;

		while (i < t->ntok && (t->tok[i].kind != SQL_PARAM || t->tok[i].param != named))
			i++;
		place = i < t->ntok ? (size_t)(t->tok[i].s - t->text) : 0;
	}
	if (strcmp(c->sqlstate, t->sqlstate) == 0 && place == t->place && t->nslots)
		return step_on(t);
	snprintf(t->sqlstate, sizeof(t->sqlstate), "%s", c->sqlstate);
	t->place = place;
	t->step = t->nslots = t->nladder = 0;
	for (int i = 1; i <= t->nparams; i++)
		t->skip[i] = t->types[i] != NULL;
	sql_guess(t, c, token_at(t, place));
	return t->nslots ? apply(t) : step_on(t);
}
