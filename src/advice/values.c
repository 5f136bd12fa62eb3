/* Choosing values from pg_stats. */
#include "config.h"

#include "advice/values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/utf8.h"
#include "pg/sqltext.h"

struct tie {
	const struct cond *cond;
	const struct cat_column *col;
	bool is_window; /* the column is bounded on its other side too */
	bool is_limit, is_offset;
};

struct chooser {
	struct arena *arena;
	struct tie *ties; /* by parameter, from 1 */
	int nparams;
	const char *const *types;
};

const char *
value_kind_name(enum value_kind kind)
{
	static const char *const names[] = { "generic", "most common", "typical", "rare" };

	return names[kind];
}

/* ---- which parameter is what ---- */

static bool
is_bounded(const struct need *need, const struct cond *c, enum cond_op op)
{
	for (int i = 0; i < need->nconds; i++) {
		const struct cond *o = &need->conds[i];

		if (o->op == op && o->column && strcmp(o->column, c->column) == 0)
			return true;
	}
	return false;
}

static bool
keeps_values(const struct expr *e)
{
	return e->kind == EXPR_FUNC && e->nkids == 1 &&
	    (strcmp(e->name, "lower") == 0 || strcmp(e->name, "upper") == 0 ||
	        strcmp(e->name, "btrim") == 0);
}

static void
tie_conditions(struct chooser *ch, const struct need *need)
{
	for (int i = 0; i < need->nconds; i++) {
		const struct cond *c = &need->conds[i];
		const struct expr *left = expr_bare(c->left);
		const char *name = c->column;
		struct tie *tie;

		/* lower(t.name) has no statistics of its own, but its column's values do */
		if (!name && keeps_values(left) && expr_bare(left->kids[0])->kind == EXPR_COLUMN)
			name = expr_bare(left->kids[0])->name;
		if (c->param < 1 || c->param > ch->nparams || !name)
			continue;
		tie = &ch->ties[c->param];
		if (tie->cond && tie->cond->op != COND_OTHER)
			continue;
		tie->cond = c;
		tie->col = catalog_column(need->table, name);
		tie->is_window = c->column &&
		    ((c->op == COND_LT && is_bounded(need, c, COND_GT)) ||
		        (c->op == COND_GT && is_bounded(need, c, COND_LT)));
	}
}

/* LIMIT $n is not in the plan. */
static void
tie_limits(struct chooser *ch, const char *text)
{
	struct sql_token last = { 0 }, t;

	for (t = sql_next(&text); t.kind != SQL_END && t.kind != SQL_BROKEN;
	     last = t, t = sql_next(&text)) {
		if (t.kind != SQL_PARAM || t.param < 1 || t.param > ch->nparams)
			continue;
		if (sql_is_word(&last, "LIMIT") || sql_is_word(&last, "FIRST") ||
		    sql_is_word(&last, "NEXT"))
			ch->ties[t.param].is_limit = true;
		else if (sql_is_word(&last, "OFFSET"))
			ch->ties[t.param].is_offset = true;
	}
}

/* ---- values ---- */

static const char *
at_share(const struct cat_column *col, double share)
{
	int i;

	if (col->nhist < 2)
		return col->nmcv ? col->mcv[(int)((col->nmcv - 1) * share)] : NULL;
	i = (int)lround(share * (col->nhist - 1));
	return col->hist[i < 0 ? 0 : i < col->nhist ? i : col->nhist - 1];
}

static const char *
equal_value(const struct cat_column *col, enum value_kind kind)
{
	switch (kind) {
	case VALUE_COMMON:
		return col->nmcv ? col->mcv[0] : at_share(col, 0.5);
	case VALUE_TYPICAL:
		/* Half of the rows have a value at least as common as this one. */
		for (double sum = 0, i = 0; i < col->nmcv; i++) {
			sum += col->freqs[(int)i];
			if (sum >= (1 - col->null_frac) / 2)
				return col->mcv[(int)i];
		}
		return at_share(col, 0.45);
	default:
		return col->nhist ? at_share(col, 0.33) :
		    col->nmcv     ? col->mcv[col->nmcv - 1] :
		                    NULL;
	}
}

static bool
is_time(const char *type)
{
	return strncmp(type, "timestamp", 9) == 0 || strcmp(type, "date") == 0;
}

/* Ranges end at the newest where rows come in that order, else they lie in the middle. */
static const char *
range_value(const struct tie *tie, enum value_kind kind)
{
	static const double width[VALUE_KINDS] = { 0, 0.6, 0.03, 0.01 };
	const struct cat_column *col = tie->col;
	bool is_recent = is_time(col->type) || fabs(col->correlation) > 0.9;
	bool is_low = tie->cond->op == COND_GT; /* the value is the lower bound */
	double w = width[kind];

	if (!tie->is_window)
		return at_share(col, is_low ? 1 - w : w);
	if (is_recent)
		return at_share(col, is_low ? 1 - w : 1);
	return at_share(col, is_low ? 0.5 - w / 2 : 0.5 + w / 2);
}

/* The first n characters, or those in the middle, with what LIKE would take for a wildcard left
 * out. */
static const char *
piece(struct arena *arena, const char *s, int skip, int n)
{
	char *out = arena_alloc(arena, strlen(s) + 1);
	size_t len = 0;

	for (size_t left = strlen(s), step; left && n > 0; s += step, left -= step) {
		uint32_t cp;

		step = utf8_decode(s, left, &cp);
		if (skip-- > 0 || *s == '%' || *s == '_' || *s == '\\')
			continue;
		memcpy(out + len, s, step);
		len += step;
		n--;
	}
	out[len] = '\0';
	return out;
}

/* Characters that values must share until no more than `most` of the histogram's do. */
static int
telling_length(const struct cat_column *col, const char *v, int most)
{
	size_t len = strlen(v);
	int chars = 0;

	for (size_t at = 0, step; at < len; at += step) {
		int same = 0;
		uint32_t cp;

		step = utf8_decode(v + at, len - at, &cp);
		chars++;
		for (int i = 0; i < col->nhist; i++)
			same += strncmp(col->hist[i], v, at + step) == 0;
		if (same <= most)
			break;
	}
	return chars;
}

/* Beginnings (of LIKE) or middles that a tenth, a hundredth, and fewer of the values have. */
static const char *
pattern_value(struct chooser *ch, const struct tie *tie, enum value_kind kind)
{
	const char *v = at_share(tie->col, 0.37);
	int n;

	if (!v)
		v = tie->col->nmcv ? tie->col->mcv[0] : "abcdefgh";
	n = telling_length(tie->col, v, kind == VALUE_COMMON ? tie->col->nhist / 10 : 1);
	if (n < 2)
		n = 2;
	if (kind == VALUE_RARE)
		n += 2;
	if (tie->cond->op == COND_LIKE)
		return arena_printf(ch->arena, "%s%%", piece(ch->arena, v, 0, n));
	if (tie->cond->op == COND_ILIKE)
		return arena_printf(ch->arena, "%%%s%%", piece(ch->arena, v, 1, n));
	return piece(ch->arena, v, 0, n);
}

static void
add_element(struct strbuf *out, const char *v)
{
	strbuf_adds(out, out->len ? ",\"" : "{\"");
	for (; *v; v++) {
		if (*v == '"' || *v == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *v);
	}
	strbuf_addc(out, '"');
}

/* Three values of the column as an array. */
static const char *
array_value(struct chooser *ch, const struct cat_column *col, enum value_kind kind)
{
	struct strbuf out = STRBUF_INIT(1 << 16);
	const char *v[3] = { equal_value(col, kind), at_share(col, 0.2), at_share(col, 0.7) };
	char *text;

	for (int i = 0; i < (kind == VALUE_COMMON && col->nmcv ? 1 : 3); i++) {
		if (v[i])
			add_element(&out, v[i]);
	}
	if (!out.len)
		return NULL;
	strbuf_addc(&out, '}');
	text = arena_strndup(ch->arena, out.buf, out.len);
	strbuf_release(&out);
	return text;
}

/* For a parameter that no column tells about. */
static const char *
type_value(const char *type, enum value_kind kind)
{
	static const struct {
		const char *type, *value;
	} list[] = { { "integer", "1" }, { "bigint", "1" }, { "smallint", "1" }, { "numeric", "1" },
		{ "double precision", "1" }, { "real", "1" }, { "text", "a" },
		{ "character varying", "a" }, { "character", "a" }, { "bpchar", "a" },
		{ "name", "a" }, { "boolean", "t" }, { "date", "2024-06-01" },
		{ "timestamp without time zone", "2024-06-01" },
		{ "timestamp with time zone", "2024-06-01 00:00+00" },
		{ "time without time zone", "12:00" },
		{ "uuid", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff" }, { "json", "{}" },
		{ "jsonb", "{}" }, { "inet", "10.0.0.1" }, { "oid", "1" }, { "regclass", "1" },
		{ "jsonpath", "$.a" }, { "tsquery", "a" }, { "money", "1" }, { "bytea", "\\x61" } };
	static const char *const intervals[VALUE_KINDS] = { "", "90 days", "7 days", "1 day" };

	if (strcmp(type, "interval") == 0)
		return intervals[kind];
	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		if (strcmp(list[i].type, type) == 0)
			return list[i].value;
	}
	return strchr(type, '[') ? "{}" : NULL;
}

static const char *
value_for(struct chooser *ch, int n, enum value_kind kind)
{
	const struct tie *tie = &ch->ties[n];
	const char *type = ch->types[n - 1] ? ch->types[n - 1] : "text", *v = NULL;

	if (tie->is_limit)
		return "20";
	if (tie->is_offset)
		return "0";
	if (!tie->cond || !tie->col || !tie->cond->is_plain)
		return type_value(type, kind);
	switch (tie->cond->op) {
	case COND_LT:
	case COND_GT:
		v = range_value(tie, kind);
		break;
	case COND_LIKE:
	case COND_ILIKE:
	case COND_REGEX:
		return pattern_value(ch, tie, kind);
	case COND_IN:
		v = strchr(type, '[') ? array_value(ch, tie->col, kind) :
		                        equal_value(tie->col, kind);
		break;
	case COND_CONTAINS:
		v = tie->col->nmcv && strcmp(tie->col->type, type) == 0 ? tie->col->mcv[0] : NULL;
		break;
	default:
		v = equal_value(tie->col, kind);
		break;
	}
	return v ? v : type_value(type, kind);
}

static bool
choose_set(struct chooser *ch, enum value_kind kind, struct value_set *set)
{
	set->kind = kind;
	set->values = arena_alloc(ch->arena, sizeof(*set->values) * (size_t)(ch->nparams + 1));
	for (int n = 1; n <= ch->nparams; n++) {
		set->values[n - 1] = value_for(ch, n, kind);
		if (!set->values[n - 1])
			return false;
	}
	return true;
}

static bool
same_values(const struct value_set *a, const struct value_set *b, int n)
{
	for (int i = 0; i < n; i++) {
		if (!a->values || !b->values || strcmp(a->values[i], b->values[i]) != 0)
			return false;
	}
	return true;
}

int
values_choose(struct arena *arena, const struct needs *needs, const char *text, int nparams,
    const char *const *types, struct value_set *sets)
{
	struct chooser ch = { arena, NULL, nparams, types };
	int n = 1;

	sets[0] = (struct value_set){ .kind = VALUE_GENERIC, .weight = 1 };
	if (nparams <= 0)
		return 1;
	ch.ties = arena_zalloc(arena, (size_t)nparams + 1, sizeof(*ch.ties));
	for (int i = 0; i < needs->n; i++)
		tie_conditions(&ch, &needs->rels[i]);
	tie_limits(&ch, text);
	for (int kind = VALUE_COMMON; kind < VALUE_KINDS; kind++) {
		bool is_new = choose_set(&ch, (enum value_kind)kind, &sets[n]);

		for (int k = 1; k < n && is_new; k++)
			is_new = !same_values(&sets[k], &sets[n], nparams);
		n += is_new;
	}
	return n;
}

bool
values_decide(const struct needs *needs)
{
	for (int r = 0; r < needs->n; r++) {
		for (int i = 0; i < needs->rels[r].nconds; i++) {
			const struct cond *c = &needs->rels[r].conds[i];

			if (c->op == COND_LIKE && c->param)
				return true;
		}
	}
	return false;
}

void
values_weigh(struct value_set *sets, int n, const double *rows, double seen, bool is_free)
{
	/* Applications ask for what is typical; a generic plan stands for all of it at once. */
	static const double prior[VALUE_KINDS] = { 0.1, 0.2, 0.4, 0.3 };
	double sum = 0;

	for (int i = 0; i < n; i++) {
		double off = log((rows[i] + 1) / (seen + 1)) / 1.2;

		sets[i].weight = prior[sets[i].kind];
		if (!is_free)
			sets[i].weight *= fmax(exp(-off * off / 2), 1e-3);
		sum += sets[i].weight;
	}
	for (int i = 0; i < n; i++)
		sets[i].weight = sum > 0 ? sets[i].weight / sum : 1.0 / n;
}
