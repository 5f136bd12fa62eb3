#include "config.h"

#include "ops/client.h"

#include <string.h>

#include "ops/local_tools.h"
#include "pg/conninfo.h"

enum { MAX_ENV = 64, MAX_ARGS = 32 };

const char *
client_program(struct op *op, const struct client_at *at, const char *name)
{
	return local_pg_program(op, at->major, name);
}

bool
client_run(struct op *op, const struct client_at *at, const char *const *argv, const char *place,
    const char *input, int timeout_ms, struct strbuf *out, int *status, struct error *err)
{
	struct arena *a = &op->arena;
	const char *vars[MAX_ENV] = { "LC_ALL=C", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/",
		"TZ=UTC", arena_printf(a, "PGAPPNAME=%s", at->name) };
	const char *args[MAX_ARGS];
	struct conninfo_env env;
	int n = 5, last = 0;

	if (!conninfo_to_env(a, at->conninfo, at->password, &env, err))
		return false;
	for (int i = 0; i < env.n && n < MAX_ENV - 3; i++)
		if (!(at->database && strcmp(env.names[i], "PGDATABASE") == 0) &&
		    strcmp(env.names[i], "PGAPPNAME") != 0 &&
		    !(env.passfile && strcmp(env.names[i], "PGPASSFILE") == 0))
			vars[n++] = arena_printf(a, "%s=%s", env.names[i], env.values[i]);
	if (at->database)
		vars[n++] = arena_printf(a, "PGDATABASE=%s", at->database);
	if (env.passfile)
		vars[n++] = "PGPASSFILE=" PROC_SECRET_FILE;
	vars[n] = NULL;
	for (; argv[last] && last < MAX_ARGS - 2; last++)
		args[last] = argv[last];
	if (*env.rest)
		args[last++] = arena_printf(a, "%s=%s", place, env.rest);
	args[last] = NULL;
	return local_run_in(op, args, vars, input, env.passfile, timeout_ms, out, status, err);
}
