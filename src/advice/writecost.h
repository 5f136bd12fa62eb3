/* What it costs to keep an index up, in shares of the workload. */
#ifndef PGMEDIC_ADVICE_WRITECOST_H
#define PGMEDIC_ADVICE_WRITECOST_H

#include "advice/workload.h"

/* The mean of the shares of time and buffers that the table's changes would cost more. */
double writecost_share(const struct workload *wl, const struct cat_table *t,
    const struct cat_column *const *keys, int nkeys, double height);
/* Share of the table's updates that change one of the keys, 0 to 1. */
double writecost_hot_loss(const struct workload *wl, const struct cat_table *t,
    const struct cat_column *const *keys, int nkeys);

#endif
