/* The services that are spoken to, and where they are: by region and partition, or as overridden by
 * an option, the environment or the configuration of AWS's tools. Pure but for getenv(). */
#ifndef PGMEDIC_CLOUD_ENDPOINT_H
#define PGMEDIC_CLOUD_ENDPOINT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "cloud/profile.h"

enum aws_service {
	AWS_RDS,
	AWS_STS,
	AWS_EC2,
	AWS_CLOUDWATCH,
	AWS_PI,
	AWS_LOGS,
	AWS_SECRETS,
	AWS_AUTOSCALING,
	AWS_SSO, /* the portal of IAM Identity Center; not signed */
	AWS_SERVICES,
};

enum aws_wire { AWS_WIRE_QUERY, AWS_WIRE_EC2, AWS_WIRE_JSON10, AWS_WIRE_JSON11, AWS_WIRE_REST };

struct aws_service_def {
	const char *name;    /* in the host's name and the signature */
	const char *version; /* Query: Version; JSON: what X-Amz-Target begins with */
	const char *suffix;  /* of AWS_ENDPOINT_URL_…; in lower case in [services …] */
	enum aws_wire wire;
	const char *query_version; /* JSON services that know the Query protocol as well: its
	                              Version; else NULL */
};
extern const struct aws_service_def aws_services[AWS_SERVICES];

struct endpoint_ask {
	const struct profiles *profiles; /* may be NULL */
	const char *profile;
	const char *option; /* endpoint_url of the target; "" or NULL none */
	const char *region;
};

/* "https://rds.eu-central-1.amazonaws.com". *is_custom: it was overridden. */
bool endpoint_of(const struct endpoint_ask *ask, enum aws_service service, struct strbuf *url,
    bool *is_custom, struct error *err) MUST_CHECK;
/* "aws", "aws-cn", "aws-us-gov": what ARNs of a region begin with. */
const char *endpoint_partition(const char *region);
/* The region in the name of an RDS endpoint ("x.abc.eu-west-1.rds.amazonaws.com"); false: none. */
bool endpoint_region(const char *host, char *region, size_t size);

#endif
