/*
 * What the lab's server and machine measure, each second, for three hours: the source of
 * CloudWatch's and Performance Insights' answers. Filled by a thread of its own.
 */
#ifndef PGMEDIC_LABCLOUD_METRICS_H
#define PGMEDIC_LABCLOUD_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "labcloud/world.h"

/* The names of CloudWatch, and their units. */
/* clang-format off */
#define METRIC_LIST(X)                                \
	X(CPUUtilization, "Percent")                  \
	X(DatabaseConnections, "Count")               \
	X(FreeableMemory, "Bytes")                    \
	X(FreeStorageSpace, "Bytes")                  \
	X(ReadIOPS, "Count/Second")                   \
	X(TransactionLogsDiskUsage, "Bytes")          \
	X(MaximumUsedTransactionIDs, "Count")         \
	X(DBLoad, "None")                             \
	X(DBLoadCPU, "None")                          \
	X(DBLoadNonCPU, "None")                       \
	X(NetworkReceiveThroughput, "Bytes/Second")   \
	X(NetworkTransmitThroughput, "Bytes/Second")
/* clang-format on */

enum metric {
#define X(name, unit) METRIC_##name,
	METRIC_LIST(X)
#undef X
	    METRICS,
};

enum dimension { DIM_WAIT, DIM_USER, DIM_SQL, DIMENSIONS };

/* METRICS: there is none of that name. */
enum metric metric_find(const char *name);
const char *metric_name(enum metric metric);
/* Start measuring. */
bool metrics_start(struct world *w, struct error *err) MUST_CHECK;

/* Of the seconds from..to (excluded) that were measured. */
struct metric_span {
	double sum, min, max;
	int n;
};
/* With the world locked. */
struct metric_span metrics_span(
    const struct world *w, enum metric metric, int64_t from, int64_t to);

/* Average number of active sessions in from..to: by one dimension, largest first. Texts belong to
 * the world. Returns how many, at most `max`. */
struct load_key {
	const char *text;
	double load;
};
int metrics_load(const struct world *w, enum dimension by, int64_t from, int64_t to,
    struct load_key *keys, int max);
/* The load of one key. */
double metrics_load_of(
    const struct world *w, enum dimension by, const char *text, int64_t from, int64_t to);

#endif
