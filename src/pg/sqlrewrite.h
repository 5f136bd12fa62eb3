/*
 * Statements that change rows, as the SELECT that finds the same rows: for a role that may only
 * read, and on servers that refuse to plan the original. Pure.
 */
#ifndef PGMEDIC_PG_SQLREWRITE_H
#define PGMEDIC_PG_SQLREWRITE_H

#include <stdbool.h>

#include "base/mem.h"

/* The verb behind WITH: 's' (SELECT, VALUES, TABLE), 'i', 'u', 'd', 'm'. */
char sql_command(struct arena *arena, const char *text);
/* WHERE CURRENT OF a cursor: its plan is that of the cursor. */
bool sql_is_current_of(struct arena *arena, const char *text);
/* SELECT … INTO [TEMP] [TABLE] t FROM …, without the INTO. */
const char *sql_without_into(struct arena *arena, const char *text);
/*
 * UPDATE t SET … FROM … WHERE … becomes SELECT t.ctid FROM t, … WHERE …, and so on for DELETE,
 * INSERT (its query), MERGE (its join) and all of them inside WITH; FOR UPDATE and SHARE are left
 * out. Parameters are numbered anew. whole_row: "t.*" instead of the ctid, which views do not have.
 * The text itself when there is nothing to change; NULL when its shape is not known.
 */
const char *sql_as_select(struct arena *arena, const char *text, bool whole_row);

#endif
