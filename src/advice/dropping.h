/* Asks for what drop advice needs and the rest of a run does not, and gives it to drop.h. */
#ifndef PGMEDIC_ADVICE_DROPPING_H
#define PGMEDIC_ADVICE_DROPPING_H

#include "advice/drop.h"
#include "pg/whatif.h"

struct dropping;

/* The rowsets are the answers to advice_tables, advice_columns and advice_indexes; references are
 * taken. NULL and *err: the foreign keys could not be read. */
struct dropping *dropping_open(struct whatif *w, const struct rowset *tables,
    const struct rowset *columns, const struct rowset *indexes, struct error *err) MUST_CHECK;
void dropping_close(struct dropping *d); /* NULL is fine */
/* As drop_advise(). */
void dropping_advise(const struct dropping *d, const struct advice_request *req,
    const struct catalog *cat, struct advice_list *list, struct drop_outcome *out);

#endif
