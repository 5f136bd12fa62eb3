/*
 * A class is db.FAMILY.SIZE. The size tells the processors, the family how much memory goes with
 * each of them; burstable families have sizes of their own.
 */
#include "config.h"

#include "model/rds_class.h"

#include <stdlib.h>
#include <string.h>

#define GIB INT64_C(1073741824)

static const struct {
	const char *name;
	int vcpus, gib;
} burstable[] = {
	{ "micro", 2, 1 },
	{ "small", 2, 2 },
	{ "medium", 2, 4 },
	{ "large", 2, 8 },
	{ "xlarge", 4, 16 },
	{ "2xlarge", 8, 32 },
};

/* GiB for each processor, by the beginning of the family; the first that fits. */
static const struct {
	const char *family;
	int gib;
} memories[] = {
	{ "x2iedn", 32 },
	{ "x2iezn", 32 },
	{ "x2idn", 16 },
	{ "x2g", 16 },
	{ "x1e", 32 },
	{ "x1", 16 },
	{ "x", 16 },
	{ "z1d", 8 },
	{ "c", 2 },
	{ "m", 4 },
	{ "r", 8 },
};

static int
vcpus_of(const char *size)
{
	char *end;
	long n = strtol(size, &end, 10);

	if (strcmp(size, "medium") == 0)
		return 1;
	if (strcmp(size, "large") == 0)
		return 2;
	if (strcmp(end, "xlarge") != 0 || n < 0 || n > 128)
		return 0;
	return end == size ? 4 : (int)n * 4;
}

/* "m5d", "r6gd", "x2iedn": a d behind the generation. */
static bool
has_nvme(const char *family, size_t len)
{
	for (size_t i = 2; i < len; i++)
		if (family[i] == 'd')
			return true;
	return false;
}

struct rds_class
rds_class_of(const char *name)
{
	struct rds_class c = { .vcpus = 0 };
	const char *family = strncmp(name, "db.", 3) == 0 ? name + 3 : "",
	           *dot = strchr(family, '.');
	const char *size = dot ? dot + 1 : "";
	size_t len = dot ? (size_t)(dot - family) : strlen(family);
	/* "db.r5.2xlarge.tpc2.mem4x": what follows changes memory and threads */
	bool is_plain = !strchr(size, '.');

	c.is_serverless = strcmp(family, "serverless") == 0;
	if (!dot || !is_plain)
		return c;
	if (family[0] == 't') {
		c.is_burstable = true;
		for (size_t i = 0; i < sizeof(burstable) / sizeof(burstable[0]); i++)
			if (strcmp(burstable[i].name, size) == 0) {
				c.vcpus = burstable[i].vcpus;
				c.memory_bytes = burstable[i].gib * GIB;
			}
		return c;
	}
	c.vcpus = vcpus_of(size);
	c.has_nvme = has_nvme(family, len);
	c.has_ebs_burst = c.vcpus > 0 && c.vcpus < 16;
	for (size_t i = 0; i < sizeof(memories) / sizeof(memories[0]) && !c.memory_bytes; i++)
		if (strncmp(family, memories[i].family, strlen(memories[i].family)) == 0)
			c.memory_bytes = c.vcpus * memories[i].gib * GIB;
	return c;
}
