/* Shared by ops/dump*.c. */
#ifndef PGMEDIC_OPS_DUMP_PRIV_H
#define PGMEDIC_OPS_DUMP_PRIV_H

#include "ops/dump.h"

/* The target's dump_root, else a folder of our own; NULL: it is no absolute path. */
const char *dump_root(struct op *op, struct error *err);
/* The folder of facts root and name: made anew, as a leftover of the job. */
bool dump_begin(struct op *op, struct error *err) MUST_CHECK;
/* Sizes and digests of all files; fact size_bytes. */
bool dump_write_manifest(struct op *op, struct error *err) MUST_CHECK;

#endif
