/* What the configuration of a target says of its storage. */
#ifndef PGMEDIC_MODEL_CAPACITY_H
#define PGMEDIC_MODEL_CAPACITY_H

#include <stdbool.h>
#include <stdint.h>

struct capacity_conf {
	int64_t capacity_bytes; /* storage_capacity; 0: not told */
	int64_t max_bytes;      /* storage_max: what autoscaling may grow to; 0: not told */
	bool is_autoscaling;    /* storage_autoscaling */
};

#endif
