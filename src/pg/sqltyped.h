/*
 * Types for the parameters of a statement that pg_stat_statements has normalised: what normalising
 * broke is repaired, the server is asked to parse it with untyped parameters, and each error it
 * answers with is learned from, until it parses (methods E and F of the notes 1.3). Pure: the
 * caller talks to the server.
 *
 * Each error is one that the server logs, so the first guess after one casts everything that the
 * same construct leaves untyped (all arguments of the call, all elements of the array), to the type
 * that the message names.
 */
#ifndef PGMEDIC_PG_SQLTYPED_H
#define PGMEDIC_PG_SQLTYPED_H

#include <stdbool.h>

#include "base/mem.h"
#include "pg/sqltext.h"

enum { SQL_TYPED_TRIES = 12 }; /* after so many errors it is given up */

struct sql_typed;

/* What the server said of the text. */
struct sql_complaint {
	const char *sqlstate, *message, *detail; /* detail may be NULL */
	long position;                           /* of the error, 1-based, in characters; 0 none */
};

/* The statement as sql_explainable() takes it out. Everything lives in the arena. */
struct sql_typed *sql_typed_new(struct arena *arena, const char *statement);
/* The text to parse next; its parameters are 1 to sql_typed_params(). */
const char *sql_typed_text(struct sql_typed *t);
int sql_typed_params(const struct sql_typed *t);
/* Change something after a failed parse of sql_typed_text(). False: nothing is left to try. */
bool sql_typed_learn(struct sql_typed *t, const struct sql_complaint *c);
/* From now on parameter n has this type, whatever was guessed. */
void sql_typed_set(struct sql_typed *t, int n, const char *type);

#endif
