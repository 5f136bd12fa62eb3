/* Printing immutable expressions, guessing keys of documents. */
#include "config.h"

#include "advice/text_expr.h"

#include <math.h>
#include <string.h>

#include "advice/item.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/strbuf.h"

enum { MAX_TEXT = 1000, MAX_KEYS = 32, MAX_DOCS = 200, MAX_DEPTH = 12 };

/* Immutable whatever their arguments; date_trunc and date_part are for types without a zone only.
 */
static const char *const functions[] = { "lower", "upper", "btrim", "ltrim", "rtrim", "left",
	"right", "substr", "substring", "md5", "abs", "length", "char_length", "reverse",
	"COALESCE", "date_trunc", "date_part", "replace", "translate", "split_part", "mod" };
static const char *const operators[] = { "->>", "->", "#>>", "#>", "+", "-", "*", "/", "%", "||" };
static const char *const casts[] = { "text", "integer", "bigint", "smallint", "numeric", "uuid",
	"double precision", "character varying", "boolean", "date" };

static bool
is_listed(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], name) == 0)
			return true;
	}
	return false;
}

static bool
is_text_type(const char *type)
{
	return strcmp(type, "text") == 0 || strncmp(type, "character varying", 17) == 0;
}

bool
text_is_cast(const char *type)
{
	return is_listed(casts, ARRAY_LEN(casts), type) && !is_text_type(type) &&
	    strcmp(type, "date") != 0;
}

const char *
text_literal(struct arena *arena, const char *value)
{
	struct strbuf out = STRBUF_INIT(1 << 16);
	const char *text;

	strbuf_addc(&out, '\'');
	for (; *value; value++) {
		if (*value == '\'')
			strbuf_addc(&out, '\'');
		strbuf_addc(&out, *value);
	}
	strbuf_addc(&out, '\'');
	text = arena_strndup(arena, out.buf, out.len);
	strbuf_release(&out);
	return text;
}

struct printer {
	struct arena *arena;
	const struct need *need;
	struct strbuf out;
	int depth;
	bool has_zone; /* a column whose reading depends on the time zone */
};

static bool print(struct printer *p, const struct expr *e);

static bool
print_cast(struct printer *p, const struct expr *e)
{
	const struct expr *kid = e->kids[0];
	const struct cat_column *col =
	    kid->kind == EXPR_COLUMN ? catalog_column(p->need->table, kid->name) : NULL;

	if (!is_listed(casts, ARRAY_LEN(casts), e->name))
		return false;
	/* A text's date depends on DateStyle. */
	if (strcmp(e->name, "date") == 0 && !(col && strncmp(col->type, "timestamp", 9) == 0))
		return false;
	/* The server adds these itself. */
	if (is_text_type(e->name) && ((col && is_text_type(col->type)) || kid->kind == EXPR_CONST))
		return print(p, kid);
	strbuf_addc(&p->out, '(');
	if (!print(p, kid))
		return false;
	strbuf_addf(&p->out, ")::%s", e->name);
	return true;
}

static bool
print_kids(struct printer *p, const struct expr *e, const char *between)
{
	for (int i = 0; i < e->nkids; i++) {
		if (i)
			strbuf_adds(&p->out, between);
		if (!print(p, e->kids[i]))
			return false;
	}
	return true;
}

static bool
print(struct printer *p, const struct expr *e)
{
	const struct cat_column *col;
	bool ok = false;

	if (++p->depth > MAX_DEPTH)
		return false;
	switch (e->kind) {
	case EXPR_COLUMN:
		col = *e->alias ? catalog_column(p->need->table, e->name) : NULL;
		ok = col != NULL;
		p->has_zone |= col && strstr(col->type, "with time zone");
		if (ok)
			strbuf_adds(&p->out, advice_ident(p->arena, e->name));
		break;
	case EXPR_CONST:
		ok = e->value != NULL;
		if (ok)
			strbuf_adds(&p->out, text_literal(p->arena, e->value));
		break;
	case EXPR_FUNC:
		ok = !e->alias && is_listed(functions, ARRAY_LEN(functions), e->name);
		strbuf_addf(&p->out, "%s(", ok ? e->name : "");
		ok = ok && print_kids(p, e, ", ");
		strbuf_addc(&p->out, ')');
		break;
	case EXPR_OP:
		ok = e->nkids == 2 && is_listed(operators, ARRAY_LEN(operators), e->name);
		strbuf_addc(&p->out, '(');
		ok = ok && print(p, e->kids[0]);
		strbuf_addf(&p->out, " %s ", e->name);
		ok = ok && print(p, e->kids[1]);
		strbuf_addc(&p->out, ')');
		break;
	case EXPR_CAST:
		ok = print_cast(p, e);
		break;
	default:
		break;
	}
	p->depth--;
	return ok;
}

const char *
text_expr(struct arena *arena, const struct need *need, const struct expr *e)
{
	struct printer p = { .arena = arena, .need = need, .out = STRBUF_INIT(MAX_TEXT) };
	const char *text = NULL;

	if (print(&p, e) && !p.has_zone && !p.out.cut)
		text = arena_strndup(arena, p.out.buf, p.out.len);
	strbuf_release(&p.out);
	return text;
}

struct column_of {
	const struct need *need;
	const struct cat_column *col;
	int n;
};

static void
note(void *arg, const struct expr *e)
{
	struct column_of *c = arg;

	if (e->kind != EXPR_COLUMN || !*e->alias)
		return;
	c->col = catalog_column(c->need->table, e->name);
	c->n++;
}

const struct cat_column *
text_expr_column(const struct need *need, const struct expr *e)
{
	struct column_of c = { .need = need };

	expr_walk(e, note, &c);
	return c.n == 1 ? c.col : NULL;
}

/* ---- units of time ---- */

const char *
text_time_unit(const struct cat_column *col, double share)
{
	static const struct {
		const char *name;
		double days;
	} units[] = { { "hour", 1.0 / 24 }, { "day", 1 }, { "week", 7 }, { "month", 30.4 },
		{ "quarter", 91.3 }, { "year", 365.2 } };
	const char *best = NULL;
	double nearest = log(2);
	struct wall first, last;

	if (col->nhist < 2 || !wall_parse(col->hist[0], &first) ||
	    !wall_parse(col->hist[col->nhist - 1], &last) || last.us <= first.us)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		double span = (double)(last.us - first.us) / 86400e6;
		double off = fabs(log(fmin(units[i].days / span, 1) / fmax(share, 1e-9)));

		if (off < nearest) {
			nearest = off;
			best = units[i].name;
		}
	}
	return best;
}

/* ---- keys of documents ---- */

struct key {
	const char *name;
	const char *values[MAX_DOCS];
	int n, distinct;
};

struct keys {
	struct arena *arena;
	struct key items[MAX_KEYS];
	int n;
	bool is_path;
};

static void
add_scalar(struct keys *keys, const char *name, const char *text)
{
	struct key *key;
	int k;

	for (k = 0; k < keys->n && strcmp(keys->items[k].name, name) != 0; k++)
		;
	if (k == MAX_KEYS)
		return;
	key = &keys->items[k];
	if (k == keys->n) {
		*key = (struct key){ .name = arena_strdup(keys->arena, name) };
		keys->n++;
	}
	if (key->n == MAX_DOCS)
		return;
	key->distinct++;
	for (int i = 0; i < key->n; i++) {
		if (strcmp(key->values[i], text) == 0) {
			key->distinct--;
			break;
		}
	}
	key->values[key->n++] = arena_strdup(keys->arena, text);
}

/* Members of an object; with paths those of the objects in it too, as "outer,inner". */
static void
add_members(struct keys *keys, const struct json *object, const char *outer, int depth)
{
	for (const struct json *v = json_child(object); v; v = json_next(v)) {
		const char *name = json_name(v), *text = json_text(v);
		double num;

		if (!name || strpbrk(name, ",{}\"\\' "))
			continue;
		if (*outer)
			name = arena_printf(keys->arena, "%s,%s", outer, name);
		if (text)
			add_scalar(keys, name, text);
		else if (json_number(v, &num))
			add_scalar(keys, name, arena_printf(keys->arena, "%.17g", num));
		else if (keys->is_path && depth < 3)
			add_members(keys, v, name, depth + 1);
	}
}

const char *
text_json_key(struct arena *arena, const struct cat_column *col, double share, bool is_path)
{
	struct keys *keys = arena_zalloc(arena, 1, sizeof(*keys));
	const char *best = NULL;
	int docs = 0;

	keys->arena = arena;
	keys->is_path = is_path;
	for (int i = 0; i < col->nhist + col->nmcv && docs < MAX_DOCS; i++) {
		const char *doc = i < col->nhist ? col->hist[i] : col->mcv[i - col->nhist];
		struct error err;
		struct json *root = json_parse(doc, strlen(doc), &err);

		add_members(keys, root, "", 0);
		docs += root != NULL;
		json_free(root);
	}
	for (int k = 0; k < keys->n && docs >= 10; k++) {
		const struct key *key = &keys->items[k];
		/* Among so few documents a value seldom comes twice if it is that rare. */
		double twice = 1 - (double)key->distinct / fmax(key->n, 1);

		if (key->n < docs / 2 || twice > fmin(0.9, docs * share + 0.05))
			continue;
		/* A path is written where a key alone would not do. */
		if (best && !(is_path && strchr(key->name, ',') && !strchr(best, ',')))
			return NULL;
		best = key->name;
	}
	return best && is_path ? arena_printf(arena, "{%s}", best) : best;
}
