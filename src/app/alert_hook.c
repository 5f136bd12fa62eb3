#include "config.h"

#include "app/alert_hook.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lexer.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"

enum { QUEUE_MAX = 64, RUN_MS = 30000, RUNS_A_MINUTE = 60, ENV_OWN = 4 };

struct job {
	char *env[ENV_OWN]; /* PGMEDIC_ALERT_… */
	char *json;
};

struct alert_hook {
	pthread_t thread;
	struct arena arena;
	const char **argv;
	pthread_mutex_t mutex; /* what follows */
	pthread_cond_t wake;
	struct job queue[QUEUE_MAX];
	int first, n;
	int runs; /* begun in the minute since */
	struct mono minute;
	volatile sig_atomic_t is_stopping; /* also read by proc_wait() */
};

static void
free_job(struct job *job)
{
	for (int i = 0; i < ENV_OWN; i++)
		free(job->env[i]);
	free(job->json);
}

static void
run(struct alert_hook *h, const struct job *job)
{
	struct arena arena = { 0 };
	struct strbuf out = STRBUF_INIT(4096);
	struct error err = { 0 };
	struct proc proc;
	const char *const *ours = proc_env_public(&arena, NULL);
	const char **env;
	int n = 0, status = 0;
	char text[64];

	while (ours[n])
		n++;
	env = arena_zalloc(&arena, (size_t)n + ENV_OWN + 1, sizeof(*env));
	memcpy(env, ours, (size_t)n * sizeof(*env));
	for (int i = 0; i < ENV_OWN; i++)
		env[n + i] = job->env[i];
	struct proc_spec spec = {
		.argv = h->argv, .env = env, .input = job->json, .dies_with_us = true
	};
	if (!proc_start(&proc, &spec, true, &err) ||
	    !proc_wait(&proc, RUN_MS, &h->is_stopping, &out, &status, &err))
		log_warn("alerts", "%s: %s", h->argv[0], err.what);
	else if (status != 0)
		log_warn("alerts", "%s: %s: %s", h->argv[0],
		    proc_status_text(status, text, sizeof(text)), out.buf);
	else
		log_info("alerts", "%s ran for %s", h->argv[0], job->env[0]);
	strbuf_release(&out);
	arena_release(&arena);
}

static void *
hook_main(void *arg)
{
	struct alert_hook *h = arg;

	pthread_mutex_lock(&h->mutex);
	for (;;) {
		while (h->n == 0 && !h->is_stopping)
			pthread_cond_wait(&h->wake, &h->mutex);
		if (h->is_stopping)
			break;
		struct job job = h->queue[h->first];
		h->first = (h->first + 1) % QUEUE_MAX;
		h->n--;
		pthread_mutex_unlock(&h->mutex);
		run(h, &job);
		free_job(&job);
		pthread_mutex_lock(&h->mutex);
	}
	pthread_mutex_unlock(&h->mutex);
	return NULL;
}

static bool
read_command(struct alert_hook *h, const char *command, struct error *err)
{
	struct words words;

	if (!lex_line(&h->arena, command, false, &words, err))
		return false;
	if (words.n == 0)
		return error_set(err, ERR_USAGE, "--exec needs a command");
	h->argv = arena_zalloc(&h->arena, (size_t)words.n + 1, sizeof(*h->argv));
	for (int i = 0; i < words.n; i++)
		h->argv[i] = words.w[i].text;
	if (proc_find(&h->arena, h->argv[0]))
		return true;
	error_set(err, ERR_USAGE, "--exec: there is no program %s", h->argv[0]);
	return error_hint(
	    err, "It is started without a shell: give a program and its words, or a script.");
}

struct alert_hook *
alert_hook_start(const char *command, struct error *err)
{
	struct alert_hook *h = xcalloc(1, sizeof(*h));

	pthread_mutex_init(&h->mutex, NULL);
	pthread_cond_init(&h->wake, NULL);
	if (read_command(h, command, err)) {
		if (pthread_create(&h->thread, NULL, hook_main, h) == 0)
			return h;
		error_set(err, ERR_STATE, "no thread for the command of --exec");
	}
	arena_release(&h->arena);
	free(h);
	return NULL;
}

void
alert_hook_stop(struct alert_hook *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->mutex);
	h->is_stopping = 1;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->mutex);
	pthread_join(h->thread, NULL);
	for (; h->n > 0; h->n--) {
		free_job(&h->queue[h->first]);
		h->first = (h->first + 1) % QUEUE_MAX;
	}
	pthread_cond_destroy(&h->wake);
	pthread_mutex_destroy(&h->mutex);
	arena_release(&h->arena);
	free(h);
}

/* Mutex held: is there room in the queue and in this minute? */
static bool
may_run(struct alert_hook *h)
{
	struct mono now = mono_now();

	if (mono_since_ms(now, h->minute) > 60000) {
		h->minute = now;
		h->runs = 0;
	}
	return h->n < QUEUE_MAX && h->runs++ < RUNS_A_MINUTE;
}

void
alert_hook_run(struct alert_hook *h, const struct alert_call *call)
{
	struct job job = {
		.env = { xasprintf("PGMEDIC_ALERT_RULE=%s", call->rule),
		    xasprintf("PGMEDIC_ALERT_EVENT=%s", call->event),
		    xasprintf("PGMEDIC_ALERT_SEVERITY=%s", call->severity),
		    xasprintf("PGMEDIC_ALERT_TARGET=%s", call->target) },
		.json = xstrdup(call->json),
	};
	bool fits;

	pthread_mutex_lock(&h->mutex);
	fits = may_run(h);
	if (fits)
		h->queue[(h->first + h->n++) % QUEUE_MAX] = job;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->mutex);
	if (fits)
		return;
	log_warn("alerts", "%s of %s: too many runs, left out", call->rule, call->target);
	free_job(&job);
}
