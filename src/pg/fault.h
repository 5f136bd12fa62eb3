/* What went wrong, in one line with a hint, from libpq's words and the server's SQLSTATE. Only for
 * files of this folder. */
#ifndef PGMEDIC_PG_FAULT_H
#define PGMEDIC_PG_FAULT_H

#include <libpq-fe.h>

#include "base/error.h"
#include "pg/pg.h"
#include "pg/sqltyped.h"

/* From the answer to a query (q may be NULL); always false. */
bool fault_result(struct error *err, const PGresult *result, const struct pg_query *q);
/* What the answer says of a statement's text; borrowed from the result. */
struct sql_complaint fault_complaint(const PGresult *result);
/* From a connection that failed or was lost; `code` when nothing better is known; always false. */
bool fault_connection(struct error *err, const PGconn *pq, enum err_code code);
/* The same from libpq's text, which may be of several lines and verbose; always false. */
bool fault_message(struct error *err, const char *message, enum err_code code);

#endif
