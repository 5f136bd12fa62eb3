/* One call of an API: what was asked, and the answer as it is made. */
#ifndef PGMEDIC_LABCLOUD_CALL_H
#define PGMEDIC_LABCLOUD_CALL_H

#include <stdbool.h>

#include "labcloud/request.h"
#include "labcloud/sigv4.h"
#include "labcloud/world.h"
#include "labcloud/writer.h"

#define EC2_NAMESPACE "http://ec2.amazonaws.com/doc/2016-11-15/"

enum wire { WIRE_QUERY, WIRE_JSON };

struct call {
	struct world *world; /* locked */
	struct request *request;
	struct form form;
	const char *service; /* of the signature: "rds" */
	char action[64];
	enum wire wire;
	const struct credential *who;
	struct strbuf out; /* what is inside of the result */
	struct writer w;   /* writes to out */
	bool is_raw;       /* out is the whole body, as plain text */
	int status;        /* of HTTP, when it failed */
	const char *code;  /* of the error; NULL: it went well */
	char message[512];
};

struct action {
	const char *service, *name;
	void (*run)(struct call *c);
	const char *namespace; /* of the XML; NULL: JSON only */
};

/* All actions, by service; a NULL service ends a table. */
extern const struct action rds_instance_actions[], rds_snapshot_actions[], rds_restore_actions[],
    rds_other_actions[], rds_cluster_actions[], rds_replica_actions[], rds_parameter_actions[],
    rds_order_actions[], rds_proxy_actions[], rds_backup_actions[], rds_tag_actions[],
    sts_actions[], ec2_actions[], monitoring_actions[], pi_actions[], scaling_actions[],
    small_actions[];
const struct action *action_find(const char *service, const char *name);

/* Fail with an error of AWS; returns false. */
bool call_fail(struct call *c, int status, const char *code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* A parameter that must be there; NULL and failed when it is not. */
const char *call_need(struct call *c, const char *name);
bool call_bool(const struct call *c, const char *name, bool other);
/* A whole number within bounds, `other` when it is not given; false and failed when it is out of
 * them. */
bool call_int(struct call *c, const char *name, int least, int most, int *value) MUST_CHECK;
/* "arn:aws:rds:REGION:ACCOUNT:TYPE:NAME", in the request's arena. */
const char *call_arn(struct call *c, const char *type, const char *name);
/* What follows the last ':' of an ARN, else the name itself. */
const char *arn_name(const char *text);

/* Which of `total` records to write: those from *from up to *to; writes the marker of the next page
 * (inside of the result, so before or after its list). False and failed: a marker that is not ours.
 */
bool call_page(struct call *c, int total, int *from, int *to) MUST_CHECK;

#endif
