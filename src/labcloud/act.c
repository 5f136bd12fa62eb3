#include "config.h"

#include "labcloud/act.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/proc.h"

enum { ACT_MS = 3600000, MAX_OUTPUT = 1 << 20, MAX_WORDS = 24 };

struct act {
	struct world *world;
	struct arena arena;
	const char *argv[ACT_PROGRAMS][MAX_WORDS];
	int n;
	char id[ID_SIZE];
	act_finish *finish;
	bool is_json; /* its output is pgmedic's JSON */
};

/* The JSON object is the first line that begins with one; notices may come before it. */
static struct json *
read_answer(const struct strbuf *out, struct act_answer *answer)
{
	const char *begin = strchr(out->buf, '{');
	struct error ignored;
	struct json *root = begin ? json_parse(begin, strcspn(begin, "\n"), &ignored) : NULL;
	const char *state = root ? json_text(json_get(root, "state")) : NULL,
	           *what = root ? json_text(json_get(json_get(root, "error"), "what")) : NULL;

	answer->is_done = state && strcmp(state, "done") == 0;
	if (what)
		answer->what = what;
	answer->result = root ? json_get(root, "result") : NULL;
	return root;
}

static void *
act_thread(void *arg)
{
	struct act *a = arg;
	struct act_answer answer = { .what = "" };
	struct strbuf out = STRBUF_INIT(MAX_OUTPUT);
	struct error err = { 0 };
	struct json *root = NULL;

	answer.is_done = true;
	for (int i = 0; i < a->n && answer.is_done; i++) {
		const struct proc_spec spec = { .argv = a->argv[i],
			.dir = a->world->options.directory,
			.log = a->is_json ? NULL : "/dev/null",
			.dies_with_us = true };

		answer.is_done = proc_run(&spec, ACT_MS, NULL, &out, &err);
	}
	if (!answer.is_done)
		answer.what = err.what;
	if (a->is_json)
		root = read_answer(&out, &answer);
	pthread_mutex_lock(&a->world->lock);
	a->finish(a->world, a->id, &answer);
	pthread_mutex_unlock(&a->world->lock);
	json_free(root);
	strbuf_release(&out);
	arena_release(&a->arena);
	free(a);
	return NULL;
}

static bool
begin(struct act *a, struct error *err)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, act_thread, a) != 0) {
		arena_release(&a->arena);
		free(a);
		return error_set(err, ERR_PROGRAM, "cannot start a thread");
	}
	pthread_detach(thread);
	return true;
}

static struct act *
act_new(struct world *w, const char *id, act_finish *finish)
{
	struct act *a = xcalloc(1, sizeof(*a));

	a->world = w;
	a->finish = finish;
	snprintf(a->id, sizeof(a->id), "%s", id);
	return a;
}

bool
act_start(struct world *w, const char *target, const char *id, act_finish *finish,
    struct error *err, const char *fmt, ...)
{
	struct act *a = act_new(w, id, finish);
	char line[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	const char *argv[] = { w->options.pgmedic, "run", arena_strdup(&a->arena, line),
		arena_strdup(&a->arena, target), "--yes", "--wait", "--json", NULL };

	memcpy(a->argv[0], argv, sizeof(argv));
	a->n = 1;
	a->is_json = true;
	return begin(a, err);
}

bool
act_programs(struct world *w, const char *id, act_finish *finish, int n,
    const char *const *const *programs, struct error *err)
{
	struct act *a = act_new(w, id, finish);

	for (a->n = 0; a->n < n && a->n < ACT_PROGRAMS; a->n++)
		for (int k = 0; programs[a->n][k] && k < MAX_WORDS - 1; k++)
			a->argv[a->n][k] = arena_strdup(&a->arena, programs[a->n][k]);
	return begin(a, err);
}

bool
act_restart(struct world *w, const struct instance *i, act_finish *finish, struct error *err)
{
	struct arena arena = { 0 };
	const char *dir = w->options.directory;
	const char *data = *i->home ? arena_printf(&arena, "%s/%s/data", dir, i->home) :
	                              arena_printf(&arena, "%s/%s", dir, i->data);
	const char *log = *i->home ? arena_printf(&arena, "%s/%s/log", dir, i->home) :
	                             arena_printf(&arena, "%s/log/%s.log", dir, i->data);
	const char *argv[] = { arena_printf(&arena, "%s/pg_ctl", w->options.bindir), "restart",
		"-D", data, "-m", "fast", "-w", "-l", log, NULL };
	const char *const *programs[] = { argv };
	bool ok = act_programs(w, i->id, finish, 1, programs, err);

	arena_release(&arena);
	return ok;
}

int
act_free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&addr, &len) == 0)
		port = ntohs(addr.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

const char *
act_program(const struct world *w, struct arena *arena, const char *name)
{
	return arena_printf(arena, "%s/%s", w->options.bindir, name);
}
