/* sts: who is calling, and sessions of limited time. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "labcloud/call.h"

#define STS_NAMESPACE "https://sts.amazonaws.com/doc/2011-06-15/"

static void
get_caller_identity(struct call *c)
{
	w_text(&c->w, "Arn", c->who->arn);
	w_text(&c->w, "UserId", c->who->user_id);
	w_text(&c->w, "Account", c->world->options.account);
}

static bool
random_text(char *out, size_t size, const char *prefix)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned char raw[128];
	size_t n = strlen(prefix), len = size - 1 - n;

	if (len > sizeof(raw) || getentropy(raw, len) < 0)
		return false;
	memcpy(out, prefix, n);
	for (size_t i = 0; i < len; i++)
		out[n + i] = letters[raw[i] % 32];
	out[size - 1] = 0;
	return true;
}

/* The place of a new session: a free one, else that of the oldest. */
static struct credential *
place(struct world *w)
{
	int best = 1;

	if (w->ncredentials < MAX_CREDENTIALS)
		return &w->credentials[w->ncredentials++];
	for (int i = 2; i < w->ncredentials; i++)
		if (w->credentials[i].expires.us < w->credentials[best].expires.us)
			best = i;
	return &w->credentials[best];
}

static void
assume_role(struct call *c)
{
	const char *role = call_need(c, "RoleArn"),
	           *session = role ? call_need(c, "RoleSessionName") : NULL;
	const char *name = role ? strstr(role, ":role/") : NULL;
	struct credential made = { 0 };
	int seconds = 3600;
	char key[21], secret[41];

	if (!session || !call_int(c, "DurationSeconds", 900, 43200, &seconds))
		return;
	if (!name || strlen(name + 6) > 64 || strlen(session) < 2 || strlen(session) > 64) {
		call_fail(c, 400, "ValidationError", "%s is invalid", role);
		return;
	}
	if (!random_text(key, sizeof(key), "ASIA") || !random_text(secret, sizeof(secret), "") ||
	    !random_text(made.token, sizeof(made.token), "IQoJ")) {
		call_fail(c, 500, "InternalFailure", "the system has no random bytes");
		return;
	}
	snprintf(made.access_key, sizeof(made.access_key), "%s", key);
	snprintf(made.secret, sizeof(made.secret), "%s", secret);
	snprintf(made.arn, sizeof(made.arn), "arn:aws:sts::%s:assumed-role/%s/%.64s",
	    c->world->options.account, name + 6, session);
	snprintf(made.user_id, sizeof(made.user_id), "AROALABLABLABLABLABLA:%.64s", session);
	made.expires.us = (wall_now().us / 1000000 + seconds) * 1000000;
	*place(c->world) = made;
	w_open(&c->w, "Credentials");
	w_text(&c->w, "AccessKeyId", made.access_key);
	w_text(&c->w, "SecretAccessKey", made.secret);
	w_text(&c->w, "SessionToken", made.token);
	w_time(&c->w, "Expiration", made.expires);
	w_close(&c->w);
	w_open(&c->w, "AssumedRoleUser");
	w_text(&c->w, "AssumedRoleId", made.user_id);
	w_text(&c->w, "Arn", made.arn);
	w_close(&c->w);
}

const struct action sts_actions[] = {
	{ "sts", "GetCallerIdentity", get_caller_identity, STS_NAMESPACE },
	{ "sts", "AssumeRole", assume_role, STS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
