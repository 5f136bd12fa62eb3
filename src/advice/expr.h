/*
 * An expression as the server deparses it into a plan: aliases before columns, parentheses around
 * every operator, casts as "::". What is not understood becomes EXPR_OTHER with the columns and
 * parameters in it, so that nothing is lost but its meaning.
 */
#ifndef PGMEDIC_ADVICE_EXPR_H
#define PGMEDIC_ADVICE_EXPR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

enum expr_kind {
	EXPR_COLUMN, /* alias.name; alias "": name alone, as outputs of one table are shown (or a
	                keyword) */
	EXPR_PARAM,  /* $param */
	EXPR_CONST,  /* value; NULL: SQL NULL */
	EXPR_FUNC,   /* name(kids) */
	EXPR_OP,     /* kids[0] name kids[1], or name kids[0] */
	EXPR_ANY,    /* kids[0] name ANY (kids[1]) */
	EXPR_ALL,
	EXPR_AND,
	EXPR_OR,
	EXPR_NOT,
	EXPR_IS,   /* kids[0] name, as "IS NULL" */
	EXPR_CAST, /* kids[0]::name */
	EXPR_LIST, /* ARRAY[kids], ROW(kids) */
	EXPR_OTHER,
};

struct expr {
	enum expr_kind kind;
	int param;
	const char *name, *alias, *value;
	const char *text; /* as written, of len bytes */
	size_t len;
	struct expr **kids;
	int nkids;
};

/* A key of a sort. */
struct expr_sort {
	struct expr *expr;
	bool is_desc, nulls_first;
};

enum { EXPR_MAX_DEPTH = 60, EXPR_MAX_NODES = 20000 };

/* Never NULL. */
struct expr *expr_read(struct arena *arena, const char *text);
struct expr_sort expr_read_sort(struct arena *arena, const char *text);
/* Casts taken off. */
const struct expr *expr_bare(const struct expr *e);
/* Calls visit for each node, outer first. */
void expr_walk(const struct expr *e, void (*visit)(void *arg, const struct expr *e), void *arg);

#endif
