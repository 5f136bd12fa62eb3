/*
 * Who signed a request, and does the signature hold: AWS Signature Version 4 from the receiver's
 * side. Written for itself, so that it is a second opinion on pgmedic's signer.
 */
#ifndef PGMEDIC_LABCLOUD_SIGV4_H
#define PGMEDIC_LABCLOUD_SIGV4_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#include "labcloud/request.h"

struct credential {
	char access_key[32], secret[64], token[128]; /* token "": long-lived */
	char arn[160], user_id[96];
	struct wall expires; /* 0: never */
};

struct signature { /* what a request says of its signature */
	const char *access_key, *date, *region, *service;
	const char *refusal, *text; /* code and message of AWS; NULL: it holds */
	const struct credential *who;
};

/* credentials: those that are known. now: the service's clock. Texts are in the request's arena. */
bool sigv4_verify(struct request *r, const struct credential *credentials, int n, struct wall now,
    struct signature *out) MUST_CHECK;

#endif
