/*
 * Reading SQL text that comes from elsewhere, without a grammar: tokens, "is it one statement", and
 * repairs of what pg_stat_statements has normalised. Pure.
 */
#ifndef PGMEDIC_PG_SQLTEXT_H
#define PGMEDIC_PG_SQLTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/mem.h"

enum sql_kind {
	SQL_END,
	SQL_WORD,   /* unquoted identifier or keyword */
	SQL_QUOTED, /* "identifier" */
	SQL_STRING, /* '…', E'…', $tag$…$tag$ */
	SQL_NUMBER,
	SQL_PARAM,  /* $1 */
	SQL_SYMBOL, /* one byte of anything else */
	SQL_BROKEN, /* a quote or comment that is never closed */
};

struct sql_token {
	enum sql_kind kind;
	const char *s;
	size_t len;
	int param; /* of SQL_PARAM */
};

/* The token at or after *at, comments and blanks skipped; *at moves behind it. Strings are read as
 * with standard_conforming_strings = on. */
struct sql_token sql_next(const char **at);
bool sql_is_word(const struct sql_token *t, const char *word); /* case-blind */
bool sql_is_symbol(const struct sql_token *t, char c);
/* All tokens of a text, the last one SQL_END or SQL_BROKEN; *n counts the others. */
struct sql_token *sql_tokens(struct arena *arena, const char *text, int *n);
/* Behind the bracket that closes the one at i, ( or [; n when it is never closed. */
int sql_skip_group(const struct sql_token *tokens, int n, int i);

/*
 * The statement to explain: the text's one statement, without a ';', taken out of EXPLAIN, DECLARE
 * … FOR, CREATE TABLE … AS, COPY (…) and PREPARE … AS. NULL and *err when there are several
 * statements, none, or one that cannot be explained.
 */
const char *sql_explainable(struct arena *arena, const char *text, struct error *err) MUST_CHECK;
/* Highest $n; 0 none. */
int sql_params(const char *text);
/* Mends what normalising breaks: "interval $1", "extract($1 FROM x)". */
const char *sql_repair(struct arena *arena, const char *text);
/* The text with each parameter n that has types[n] (1-based, up to ntypes) written as $n::type. */
const char *sql_cast(struct arena *arena, const char *text, const char *const *types, int ntypes);
/* The text with its parameters numbered from 1 without holes, by first appearance; map (by
 * parameter, to the one that it becomes) or NULL. */
const char *sql_renumber(struct arena *arena, const char *text, const int *map);
/* The parameter whose place is nearest to a byte offset and that is not in skip[] (1-based); 0
 * none. */
int sql_nearest_param(const char *text, size_t offset, const bool *skip, int nskip);
/* Append with every literal replaced by '?' (strings, numbers), comments left out: for reports that
 * leave the house. */
const char *sql_redact(struct arena *arena, const char *text, size_t len);

#endif
