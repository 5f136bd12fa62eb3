/* A small catalogue for tests of advice: orders (200,000 rows, 4,000 pages), items, and metrics in
 * two partitions. */
#ifndef PGMEDIC_FAKE_ADVICE_CATALOG_H
#define PGMEDIC_FAKE_ADVICE_CATALOG_H

#include "advice/catalog.h"
#include "advice/conditions.h"

/* For catalog_release(). */
void fake_catalog(struct catalog *cat);
/* The needs of a plan's JSON text; fails the test when it cannot be read. */
struct needs *fake_needs(struct arena *arena, const struct catalog *cat, const char *json);

#endif
