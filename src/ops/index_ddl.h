/*
 * The CREATE INDEX that may be typed: one index on one table, taken apart so that the server can
 * quote the names and put the statement together. What is not of this grammar is refused:
 *
 *   [UNIQUE] INDEX [CONCURRENTLY] [[NAME] ON] [ONLY] TABLE [USING METHOD]
 *     (COLUMN | FUNCTION(...) | (EXPRESSION) [COLLATE X] [OPCLASS] [ASC | DESC]
 *        [NULLS FIRST | LAST], ...)
 *     [INCLUDE (COLUMN, ...)] [WITH (NAME = VALUE, ...)] [WHERE CONDITION]
 *
 * Expressions are not understood, only delimited: balanced parentheses, no ';', no parameter, no
 * quote left open, comments left out. Pure.
 */
#ifndef PGMEDIC_OPS_INDEX_DDL_H
#define PGMEDIC_OPS_INDEX_DDL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"

enum { INDEX_DDL_KEYS = 32 };

struct index_key {
	const char *column; /* name, folded as SQL does, without quotes; NULL: an expression */
	const char *expr; /* as it stands in the statement, with its parentheses; NULL: a column */
	const char *suffix; /* operator class, order: "text_pattern_ops DESC NULLS LAST"; "" none */
};

struct index_ddl {
	bool is_unique;
	const char *name;           /* NULL: to be chosen */
	const char *schema, *table; /* folded; schema NULL: any */
	const char *raw_table;      /* as typed */
	const char *method;         /* folded; NULL: btree */
	struct index_key keys[INDEX_DDL_KEYS];
	int nkeys;
	const char *include[INDEX_DDL_KEYS];
	int ninclude;
	const char *with;  /* between the parentheses; NULL none */
	const char *where; /* NULL none */
};

/* Read the words after "create". Everything in the arena. ERR_USAGE names what is wrong. */
bool index_ddl_parse(
    struct arena *arena, const char *text, struct index_ddl *out, struct error *err) MUST_CHECK;

/* A possibly qualified name ("Odd".name), and nothing behind it. schema NULL: none was given. */
bool index_ddl_name(struct arena *arena, const char *text, const char **schema, const char **name);

#endif
