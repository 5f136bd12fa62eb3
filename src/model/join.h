/* Finding the rows of one sample in the sample before it. Pure. */
#ifndef PGMEDIC_MODEL_JOIN_H
#define PGMEDIC_MODEL_JOIN_H

#include "base/mem.h"
#include "base/rowset.h"

/*
 * join_rows - for each row of cur the row of prev with equal keys, or -1.
 *
 * cur, prev  two answers of one query; prev NULL: all -1
 * keys       names of at most 8 integer or bool columns; one that is in neither set is left out
 * result     cur->nrows entries in the arena, NULL when cur has no rows
 *
 * Rows with a NULL in the first key have no identity: -1. Linear: answers of one query mostly keep
 * their order, so the row after the last match is tried before the hash table, which is made when
 * that fails first.
 */
int *join_rows(struct arena *arena, const struct rowset *cur, const struct rowset *prev,
    const char *const *keys, int nkeys);

#endif
