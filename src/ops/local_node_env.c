#include "config.h"

#include "ops/local_node_env.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/compat.h"

enum { MAX_ENV = 1 << 18, MAX_LOGIN = 4096 };

struct node_env {
	struct node_env *next;
	const char *data; /* of the server */
	const char **vars;
};

/* What was about the process that had it, and not about the server. */
static bool
is_of_process(const char *var)
{
	static const char *const out[] = { "NOTIFY_SOCKET=", "WATCHDOG_", "LISTEN_",
		"INVOCATION_ID=", "JOURNAL_STREAM=", "MAINPID=", "PG_GRANDPARENT_PID=", "PWD=",
		"OLDPWD=" };

	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		if (strncmp(var, out[i], strlen(out[i])) == 0)
			return true;
	return false;
}

void
node_env_keep(struct node *n)
{
	struct arena *arena = &n->op->arena;
	pid_t pid = node_pid(n);
	char *all = arena_alloc(arena, MAX_ENV);
	FILE *f = pid ? fopen(arena_printf(arena, "/proc/%ld/environ", (long)pid), "re") : NULL;
	size_t len = f ? fread(all, 1, MAX_ENV - 1, f) : 0, nvars = 0, i = 0;
	struct node_env *env;

	if (f)
		fclose(f);
	all[len] = '\0';
	for (size_t at = 0; at < len; at += strlen(all + at) + 1)
		nvars++;
	if (nvars == 0)
		return;
	env = arena_zalloc(arena, 1, sizeof(*env));
	env->vars = arena_zalloc(arena, nvars + 1, sizeof(*env->vars));
	for (size_t at = 0; at < len; at += strlen(all + at) + 1)
		if (strchr(all + at, '=') && !is_of_process(all + at))
			env->vars[i++] = all + at;
	env->data = n->data;
	env->next = n->op->node_envs;
	n->op->node_envs = env;
}

static bool
user_of(struct node *n, struct passwd *pw, char *text, size_t size)
{
	struct passwd *found = NULL;

	return getpwuid_r(n->uid, pw, text, size, &found) == 0 && found;
}

const char *
node_home(struct node *n)
{
	char text[MAX_LOGIN];
	struct passwd pw;

	return user_of(n, &pw, text, sizeof(text)) ? arena_strdup(&n->op->arena, pw.pw_dir) : "/";
}

const char *const *
node_env(struct node *n)
{
	struct arena *arena = &n->op->arena;
	const char **vars;
	char text[MAX_LOGIN];
	struct passwd pw;
	int i = 0;

	for (const struct node_env *env = n->op->node_envs; env; env = env->next)
		if (strcmp(env->data, n->data) == 0)
			return env->vars;
	vars = arena_zalloc(arena, 6, sizeof(*vars));
	vars[i++] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	vars[i++] = "LC_ALL=C";
	vars[i++] = arena_printf(arena, "HOME=%s", node_home(n));
	if (user_of(n, &pw, text, sizeof(text))) {
		vars[i++] = arena_printf(arena, "USER=%s", pw.pw_name);
		vars[i++] = arena_printf(arena, "LOGNAME=%s", pw.pw_name);
	}
	return vars;
}
