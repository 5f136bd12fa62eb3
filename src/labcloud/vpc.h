/* The lab's network as EC2 tells it: one VPC, two subnets, one security group. The group is real as
 * far as the endpoints go: with no rule for it, what is sent to their port is dropped. */
#ifndef PGMEDIC_LABCLOUD_VPC_H
#define PGMEDIC_LABCLOUD_VPC_H

#include <stdbool.h>

#define VPC_ID    "vpc-0000000000000lab"
#define VPC_GROUP "sg-00000000000000lab"
#define VPC_CIDR  "10.99.0.0/16"

enum { MAX_RULES = 16 };

struct rule {
	char id[24], cidr[48], about[128];
	int from, to;  /* ports; all of them where is_all */
	bool is_all;   /* protocols and ports */
	bool is_first; /* the lab's own, which the fault port-closed takes away */
};

struct vpc {
	struct rule rules[MAX_RULES];
	int nrules, made;
};

struct world;

/* With the rule that lets this machine's addresses in. */
void vpc_init(struct world *w);
/* Open or close the endpoints, as the rules are now. */
void vpc_tick(struct world *w);
/* "subnet-000000000000laba" of zone 'a' or 'b'. */
const char *vpc_subnet(char zone);

#endif
