/* Connecting with a login; only for files of this folder. */
#ifndef PGMEDIC_PG_LOGIN_PRIV_H
#define PGMEDIC_PG_LOGIN_PRIV_H

#include <libpq-fe.h>

#include "base/mem.h"
#include "pg/login.h"

enum { LOGIN_PARAMS = 24 };

/* Keywords and values for libpq. Of two equal keywords the later one wins; what stands before
 * "dbname" is a default for the conninfo in it. */
struct login_params {
	const char *keys[LOGIN_PARAMS + 1], *values[LOGIN_PARAMS + 1];
	int n;
};
void login_param(struct login_params *list, const char *key, const char *value);

/*
 * Connect with the parameters and with what `password` (may be NULL) stands for. To an RDS endpoint
 * with a certificate bundle at hand, and no sslmode or sslrootcert said, its certificate is
 * verified. NULL with *err. May wait; any thread.
 */
PGconn *login_connect(
    const struct login_params *list, const char *password, struct error *err) MUST_CHECK;

/* What libpq makes of a list of parameters, without connecting: PQconninfo()'s list, or NULL with
 * *err. */
PQconninfoOption *login_resolve(const struct login_params *list, struct error *err) MUST_CHECK;
/* The password that libpq takes for it, also from a password file; NULL: none. In the arena. */
const char *login_password(struct arena *arena, const struct login_params *list);
/* Of such a list; "" not set. */
const char *login_option(const PQconninfoOption *options, const char *keyword);
/*
 * What a connection needs besides the conninfo, now: password, user, sslmode, sslrootcert …, those
 * that there are; values in the arena. May wait.
 */
bool login_expand(struct arena *arena, const char *conninfo, const char *password,
    struct login_params *extra, struct error *err) MUST_CHECK;
void login_wipe(char *password); /* overwrite and free; NULL is nothing */

#endif
