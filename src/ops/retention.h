/*
 * backup retention [daily N weekly N monthly N continuous N | apply]: without words it shows what
 * is kept and until when; with days it keeps them for the target, and drops what they do not keep;
 * `apply` does that by the days that are kept. What both providers share.
 */
#ifndef PGMEDIC_OPS_RETENTION_H
#define PGMEDIC_OPS_RETENTION_H

#include "ops/kept.h"

/* The words, and what was kept: in k->retention, which judges. Facts retention, is_new. */
bool retention_words(struct op *op, struct kept *k, struct error *err) MUST_CHECK;
/* Is it only to be shown? */
bool retention_only_shows(const struct op *op);
/* The items in the plan's text; which go is the fact "goes", and part of the identity. */
bool retention_show(struct op *op, const struct kept *k, const struct retention_item *items, int n,
    struct error *err) MUST_CHECK;
/* The steps all have: "set" first where days were given, or "show" alone. */
void retention_add_set(struct op *op);
/* Of the fact "goes". */
bool retention_goes(struct op *op, const char *id);
int retention_ngoes(struct op *op);

bool retention_set_run(struct op *op, struct error *err) MUST_CHECK;
bool retention_show_run(struct op *op, struct error *err) MUST_CHECK;
/* {"retention", "continuous_days" …, "kept", "dropped"} by the facts. */
bool retention_result(struct op *op, struct error *err) MUST_CHECK;

#endif
