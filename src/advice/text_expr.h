/* Expressions as an index definition has them. */
#ifndef PGMEDIC_ADVICE_TEXT_EXPR_H
#define PGMEDIC_ADVICE_TEXT_EXPR_H

#include "advice/conditions.h"

/* Without aliases, casts of texts to text left out; NULL: not immutable, has parameters, or is not
 * understood. */
const char *text_expr(struct arena *arena, const struct need *need, const struct expr *e);
/* A value as a constant of DDL. */
const char *text_literal(struct arena *arena, const char *value);
/* May a cast to this type be part of an index, and does it change anything? */
bool text_is_cast(const char *type);
/* The one plain column in it, or NULL. */
const struct cat_column *text_expr_column(const struct need *need, const struct expr *e);
/*
 * Of "column ->> $1" (or, is_path, "column #>> $1") the key that is probably meant: one that the
 * column's documents in the statistics have, whose values tell rows apart as well as `share` of the
 * rows per value wants. NULL when none or several fit.
 */
const char *text_json_key(
    struct arena *arena, const struct cat_column *col, double share, bool is_path);
/* Of date_trunc($1, column) the unit, of which each selects about this share of the rows by the
 * span of the column's statistics; NULL: none is near. */
const char *text_time_unit(const struct cat_column *col, double share);

#endif
