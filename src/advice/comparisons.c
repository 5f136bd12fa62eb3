/* From the expressions of a plan's clauses to conditions of the relations in them. */
#include "config.h"

#include <string.h>

#include "advice/conditions_priv.h"

struct found {
	const struct needs *needs;
	int rel;        /* of the columns seen: -1 none yet, -2 several */
	int param;      /* first parameter */
	bool is_opaque; /* has something whose columns are not known */
};

static void
note_found(void *arg, const struct expr *e)
{
	struct found *f = arg;
	int rel;

	if (e->kind == EXPR_PARAM && !f->param)
		f->param = e->param;
	if (e->kind != EXPR_COLUMN || !*e->alias)
		return;
	rel = needs_of_alias(f->needs, e->alias);
	if (rel < 0)
		f->is_opaque = true;
	else if (f->rel == -1)
		f->rel = rel;
	else if (f->rel != rel)
		f->rel = -2;
}

static struct found
look(const struct needs *needs, const struct expr *e)
{
	struct found f = { .needs = needs, .rel = -1 };

	expr_walk(e, note_found, &f);
	return f;
}

static const struct {
	const char *name;
	enum cond_op op;
	const char *swapped; /* the same with its sides exchanged; NULL: has none */
} operators[] = {
	{ "=", COND_EQ, "=" },
	{ "IS NOT DISTINCT FROM", COND_EQ, "IS NOT DISTINCT FROM" },
	{ "<", COND_LT, ">" },
	{ "<=", COND_LT, ">=" },
	{ ">", COND_GT, "<" },
	{ ">=", COND_GT, "<=" },
	{ "~~", COND_LIKE, NULL },
	{ "^@", COND_LIKE, NULL },
	{ "~~*", COND_ILIKE, NULL },
	{ "~", COND_REGEX, NULL },
	{ "~*", COND_REGEX, NULL },
	{ "@>", COND_CONTAINS, "<@" },
	{ "<@", COND_CONTAINS, "@>" },
	{ "&&", COND_CONTAINS, "&&" },
	{ "?", COND_CONTAINS, NULL },
	{ "?|", COND_CONTAINS, NULL },
	{ "?&", COND_CONTAINS, NULL },
	{ "@@", COND_CONTAINS, "@@" },
	{ "@?", COND_CONTAINS, NULL },
};

static int
operator_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		if (strcmp(operators[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

static struct cond *
new_cond(struct need_builder *b, struct need *need, enum cond_op op, const struct expr *left)
{
	const struct expr *bare = expr_bare(left);
	struct cond *c;

	if (need->nconds == need->cap) {
		int cap = need->cap ? need->cap * 2 : 8;
		struct cond *more = arena_alloc(b->arena, sizeof(*more) * (size_t)cap);

		if (need->nconds)
			memcpy(more, need->conds, sizeof(*more) * (size_t)need->nconds);
		need->conds = more;
		need->cap = cap;
	}
	c = &need->conds[need->nconds++];
	*c = (struct cond){ .op = op, .left = left, .other_rel = -1, .opname = "" };
	if (bare->kind == EXPR_COLUMN && *bare->alias && catalog_column(need->table, bare->name))
		c->column = bare->name;
	return c;
}

static bool
same_text(const struct expr *a, const struct expr *b)
{
	if (!a || !b)
		return a == b;
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Partitions repeat what their parent is asked for. */
static void
drop_repeated(struct need *need)
{
	const struct cond *c = &need->conds[need->nconds - 1];

	for (int i = 0; i < need->nconds - 1; i++) {
		const struct cond *o = &need->conds[i];

		if (o->op == c->op && strcmp(o->opname, c->opname) == 0 &&
		    (c->column ? o->column && strcmp(o->column, c->column) == 0 :
		                 !o->column && same_text(o->left, c->left)) &&
		    same_text(o->right, c->right) && !o->or_group) {
			need->nconds--;
			return;
		}
	}
}

/* A cast of a column is the column only where it is no conversion: text of varchar and the like. */
static bool
is_binary_cast(const struct need *need, const struct expr *e)
{
	const struct expr *bare = expr_bare(e);
	const struct cat_column *col;

	if (e == bare)
		return true;
	if (bare->kind != EXPR_COLUMN)
		return false;
	col = catalog_column(need->table, bare->name);
	if (!col)
		return false;
	for (; e->kind == EXPR_CAST; e = e->kids[0]) {
		bool is_text = strncmp(col->type, "character varying", 17) == 0 ||
		    strcmp(col->type, "text") == 0 || strncmp(col->type, "varchar", 7) == 0;

		if (strcmp(e->name, "collate") == 0)
			return false;
		if (strcmp(e->name, col->type) != 0 &&
		    !(is_text &&
		        (strcmp(e->name, "text") == 0 ||
		            strncmp(e->name, "character varying", 17) == 0)))
			return false;
	}
	return true;
}

static void
set_right(
    struct need_builder *b, struct cond *c, const struct expr *right, struct found *f, int rel)
{
	const struct expr *bare = expr_bare(right);

	c->right = right;
	c->param = f->param;
	c->is_plain = bare->kind == EXPR_PARAM || bare->kind == EXPR_CONST;
	c->constant = bare->kind == EXPR_CONST ? bare->value : NULL;
	c->is_join = f->rel != -1 && f->rel != rel;
	if (c->is_join && bare->kind == EXPR_COLUMN) {
		c->other_rel = needs_of_alias(b->needs, bare->alias);
		c->other_column = bare->name;
	}
}

static void
note_inner(void *arg, const struct expr *e)
{
	struct cond *c = arg;

	if (e->kind == EXPR_COLUMN && *e->alias)
		c->inner = e->name;
}

/* left op right, when left belongs to one relation and right does not. */
static void
add_comparison(struct need_builder *b, const struct expr *left, const struct expr *right,
    const char *name, enum cond_op op)
{
	struct found l = look(b->needs, left), r = look(b->needs, right);
	struct need *need;
	struct cond *c;

	if (l.rel < 0 || l.is_opaque || r.rel == l.rel || (r.rel == -2 && l.rel == -2))
		return;
	need = &b->needs->rels[l.rel];
	c = new_cond(b, need, op, left);
	c->opname = name;
	if (c->column && !is_binary_cast(need, left))
		c->column = NULL;
	if (!c->column)
		expr_walk(left, note_inner, c);
	set_right(b, c, right, &r, l.rel);
	c->is_join |= r.is_opaque && r.rel == -1 && !c->is_plain && !c->param;
	drop_repeated(need);
}

static void
add_operator(struct need_builder *b, const struct expr *e)
{
	int op = operator_of(e->name);

	if (e->nkids != 2)
		return;
	if (op < 0) {
		add_comparison(b, e->kids[0], e->kids[1], e->name, COND_OTHER);
		return;
	}
	add_comparison(b, e->kids[0], e->kids[1], e->name, operators[op].op);
	if (operators[op].swapped) {
		int swapped = operator_of(operators[op].swapped);

		add_comparison(
		    b, e->kids[1], e->kids[0], operators[op].swapped, operators[swapped].op);
	}
}

static void
add_any(struct need_builder *b, const struct expr *e)
{
	int op = operator_of(e->name);
	enum cond_op kind = COND_OTHER;
	struct found f;

	if (e->nkids != 2)
		return;
	if (op >= 0 && operators[op].op == COND_EQ) {
		/* $1 = ANY (t.tags) asks for an element: GIN on the array */
		f = look(b->needs, e->kids[1]);
		if (f.rel >= 0 && look(b->needs, e->kids[0]).rel == -1) {
			add_comparison(b, e->kids[1], e->kids[0], "= ANY", COND_OTHER);
			return;
		}
		kind = COND_IN;
	}
	add_comparison(b, e->kids[0], e->kids[1], e->name, kind);
}

/* A test of one side alone: IS NULL, a boolean column, NOT of one. */
static void
add_test(struct need_builder *b, const struct expr *e, enum cond_op op, const char *constant)
{
	struct found f = look(b->needs, e);
	struct cond *c;

	if (f.rel < 0 || f.is_opaque)
		return;
	c = new_cond(b, &b->needs->rels[f.rel], op, e);
	c->constant = constant;
	c->is_plain = true;
	c->param = f.param;
	drop_repeated(&b->needs->rels[f.rel]);
}

static void
add_or(struct need_builder *b, const struct expr *e)
{
	int group = ++b->needs->or_groups;

	for (int i = 0; i < e->nkids; i++) {
		int before[NEED_MAX];

		for (int r = 0; r < b->needs->n; r++)
			before[r] = b->needs->rels[r].nconds;
		conditions_add(b, e->kids[i]);
		for (int r = 0; r < b->needs->n; r++) {
			for (int k = before[r]; k < b->needs->rels[r].nconds; k++) {
				b->needs->rels[r].conds[k].or_group = group;
				b->needs->rels[r].conds[k].or_arm = i;
			}
		}
	}
}

static void
add_is(struct need_builder *b, const struct expr *e)
{
	if (strcmp(e->name, "IS NULL") == 0)
		add_test(b, e->kids[0], COND_IS_NULL, NULL);
	else if (strcmp(e->name, "IS NOT NULL") == 0)
		add_test(b, e->kids[0], COND_NOT_NULL, NULL);
	else if (strcmp(e->name, "IS TRUE") == 0)
		add_test(b, e->kids[0], COND_EQ, "t");
	else if (strcmp(e->name, "IS FALSE") == 0)
		add_test(b, e->kids[0], COND_EQ, "f");
	else
		add_test(b, e->kids[0], COND_OTHER, NULL);
}

void
conditions_add(struct need_builder *b, const struct expr *e)
{
	switch (e->kind) {
	case EXPR_AND:
		for (int i = 0; i < e->nkids; i++)
			conditions_add(b, e->kids[i]);
		break;
	case EXPR_OR:
		add_or(b, e);
		break;
	case EXPR_OP:
		add_operator(b, e);
		break;
	case EXPR_ANY:
		add_any(b, e);
		break;
	case EXPR_IS:
		if (e->nkids)
			add_is(b, e);
		break;
	case EXPR_NOT:
		if (e->nkids && expr_bare(e->kids[0])->kind == EXPR_COLUMN)
			add_test(b, e->kids[0], COND_EQ, "f");
		break;
	case EXPR_COLUMN:
		add_test(b, e, COND_EQ, "t");
		break;
	default:
		add_test(b, e, COND_OTHER, NULL);
		break;
	}
}
