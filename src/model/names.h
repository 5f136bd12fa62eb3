/* Names of databases and roles by oid: an index over the rows of the `names` probe, kept until
 * those rows change. */
#ifndef PGMEDIC_MODEL_NAMES_H
#define PGMEDIC_MODEL_NAMES_H

#include "base/hmap.h"
#include "base/rowset.h"

enum name_kind { NAME_DATABASE, NAME_ROLE, NAME_RELATION, NAME_KINDS };

struct names {
	struct hmap index;         /* kind and oid → row; oids of the kinds overlap */
	const struct rowset *rows; /* what the index is of; a reference, or NULL */
};

/* A zeroed struct is empty. */
void names_release(struct names *n);
/*
 * Index `rows` unless that is done. Rows of the `names` probe (kind, oid, name) or of `lock_names`
 * (oid, name: all relations); NULL empties it. One thread.
 */
void names_use(struct names *n, const struct rowset *rows);
/* The name as the server has it, in the rows; NULL when unknown. */
const struct cell *names_get(const struct names *n, enum name_kind kind, int64_t oid);

#endif
