/* Size and height of the B-tree that a candidate would become. */
#ifndef PGMEDIC_ADVICE_BTREE_H
#define PGMEDIC_ADVICE_BTREE_H

#include "advice/candidates.h"

/* Fills size_bytes and height from the catalogue's statistics. */
void btree_estimate(struct cand *cand);

#endif
