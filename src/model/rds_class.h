/* What a class of RDS instances has: "db.r6g.2xlarge" is 8 processors and 64 GiB. From the naming
 * scheme of AWS; classes of other schemes (serverless) have nothing of the kind. Pure. */
#ifndef PGMEDIC_MODEL_RDS_CLASS_H
#define PGMEDIC_MODEL_RDS_CLASS_H

#include <stdbool.h>
#include <stdint.h>

struct rds_class {
	int vcpus;            /* 0 unknown */
	int64_t memory_bytes; /* 0 unknown */
	bool is_burstable;    /* lives on CPU credits */
	bool has_nvme;        /* storage of its own beside the volume */
	bool has_ebs_burst;   /* small: its way to the volume has a balance */
	bool is_serverless;
};

struct rds_class rds_class_of(const char *name);

#endif
