/*
 * Credentials for AWS, found where its own tools find them, in their order. What was looked at and
 * why it was passed over is kept for the message of the day when nothing is found. A key without
 * its secret is an error, not a reason to look further. Secrets are overwritten when released.
 */
#ifndef PGMEDIC_CLOUD_CREDS_H
#define PGMEDIC_CLOUD_CREDS_H

#include <signal.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "cloud/http.h"
#include "cloud/profile.h"

struct creds {
	char *key_id, *secret, *token; /* token NULL: none */
	struct wall expires;           /* 0: never, or not known */
	char source[128];              /* "environment", "profile x (role)" */
};

struct creds_ask {
	const struct profiles *profiles;
	const char *profile;
	bool is_explicit; /* the profile was asked for, so that keys of the environment do not count
	                   */
	const char *region;       /* of STS; "" none */
	const char *endpoint_url; /* of the target; "" none */
	struct http *http;
	const volatile sig_atomic_t *stop;
	/* Ask for the code of an MFA device; NULL: nobody can be asked. */
	bool (*ask_code)(void *arg, const char *serial, char *code, size_t size);
	void *arg;
};

/* looked: a line for each source that was passed over, and why. */
bool creds_load(const struct creds_ask *ask, struct creds *out, struct strbuf *looked,
    struct error *err) MUST_CHECK;
void creds_release(struct creds *c);

enum creds_age { CREDS_FRESH, CREDS_SOON, CREDS_STALE };
/* From 15 minutes before the end on they are to be renewed, from 10 on they have to be. */
enum creds_age creds_age(const struct creds *c, struct wall now);

/* The region: option, AWS_REGION, AWS_DEFAULT_REGION, the profile's, that of an endpoint's name,
 * that of the machine (IMDS). In the arena; "" none. warning: AWS_REGION and AWS_DEFAULT_REGION
 * differ. */
const char *creds_region(struct arena *arena, const struct creds_ask *ask, const char *option,
    const char *host, struct strbuf *warning);

#endif
