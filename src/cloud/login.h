/* What a database login can be given by AWS: a token signed with our credentials, or a password
 * that Secrets Manager keeps. */
#ifndef PGMEDIC_CLOUD_LOGIN_H
#define PGMEDIC_CLOUD_LOGIN_H

#include "cloud/aws.h"

/*
 * A token for one attempt to log in; the region is that of the session. It is signed here, without
 * asking AWS, so that dead credentials would give one that looks fine: those whose end is known are
 * refused. `check`: AWS is asked whether it knows them. Release *out with wipe_strbuf().
 */
bool aws_rds_token(struct aws *aws, const char *host, int port, const char *user, bool check,
    struct strbuf *out, struct error *err) MUST_CHECK;

struct aws_secret {
	char *user, *password; /* user NULL: the secret does not say */
};
/* id: name or ARN. JSON with "password" (and "username"), or the password itself. */
bool aws_secret_get(
    struct aws *aws, const char *id, struct aws_secret *out, struct error *err) MUST_CHECK;
void aws_secret_release(struct aws_secret *s); /* overwrites it */
/* The region that a secret's ARN names; false: it is a name. */
bool aws_secret_region(const char *id, char *region, size_t size);
/* The secret that RDS keeps for the master user of an instance or cluster; its ARN in the arena. */
bool aws_master_secret(struct aws *aws, struct arena *arena, const char *instance,
    const char *cluster, const char **arn, struct error *err) MUST_CHECK;

#endif
