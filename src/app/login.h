/*
 * Logins by AWS, for all connections of a target (pg/login.h): `auth = iam` gives a token that is
 * signed anew at each attempt, `password_secret` a password out of Secrets Manager. A password that
 * was typed (-W) counts more.
 */
#ifndef PGMEDIC_APP_LOGIN_H
#define PGMEDIC_APP_LOGIN_H

#include "app/settings.h"
#include "base/error.h"
#include "base/mem.h"

/* Once, before the first connection. */
void login_begin(void);
/* The login of a section of the configuration, in the place of a password; NULL: none. In the
 * arena. */
const char *login_of(struct arena *arena, const struct settings *s, const char *section);

#endif
