/* Gates: what must be so before an operation touches anything. Each is a line of the plan. */
#ifndef PGMEDIC_OPS_GATES_H
#define PGMEDIC_OPS_GATES_H

#include <stdbool.h>

#include "ops/op.h"

struct gates {
	struct op *op;
	int red;
	struct error *err; /* of the first that is red */
};

void gate(struct gates *g, const char *name, bool is_green, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* One that only warns: the operation goes on. */
void gate_warn(struct gates *g, const char *name, bool is_green, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#endif
