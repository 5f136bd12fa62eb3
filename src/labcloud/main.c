/*
 * pgmedic-cloud: the loopback endpoint of `pgmedic lab up --cloud`. It speaks the AWS APIs that
 * pgmedic uses for the lab's servers, for demonstrations and tests. Each connection has a thread;
 * the world they share is behind one mutex, and moves on with each call and ten times a second.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"

#include "labcloud/answer.h"
#include "labcloud/metrics.h"

enum { TICK_MS = 100, IDLE_S = 60, PIECE = 16 };

/* ---- one connection */

static void *
on_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
	struct request *r = xcalloc(1, sizeof(*r));
	const char *mark = strchr(uri, '?');

	(void)arg;
	(void)connection;
	strbuf_init(&r->body, MAX_BODY);
	r->path = arena_strndup(&r->arena, uri, mark ? (size_t)(mark - uri) : strlen(uri));
	r->query = mark ? arena_strdup(&r->arena, mark + 1) : "";
	return r;
}

static enum MHD_Result
add_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct request *r = arg;

	(void)kind;
	GROW(r->headers, r->nheaders, r->cap);
	r->headers[r->nheaders++] = (struct pair){ arena_strdup(&r->arena, name),
		arena_strdup(&r->arena, value ? value : "") };
	return MHD_YES;
}

static void
sleep_ms(int64_t ms)
{
	const struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&wait, NULL);
}

/* A body that comes in small pieces. */
struct slow {
	char *data;
	size_t len;
	int piece_ms;
};

static ssize_t
slow_read(void *arg, uint64_t at, char *buf, size_t max)
{
	const struct slow *s = arg;
	size_t n = s->len - (size_t)at;

	if (n == 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	sleep_ms(s->piece_ms);
	n = n > PIECE ? PIECE : n;
	n = n > max ? max : n;
	memcpy(buf, s->data + at, n);
	return (ssize_t)n;
}

static void
slow_free(void *arg)
{
	struct slow *s = arg;

	free(s->data);
	free(s);
}

static struct MHD_Response *
make_response(struct answer *a)
{
	size_t len = a->body.len;

	if (!a->slow_ms || !len)
		return MHD_create_response_from_buffer(len, a->body.buf, MHD_RESPMEM_MUST_COPY);
	struct slow *s = xcalloc(1, sizeof(*s));

	s->len = len;
	s->data = strbuf_take(&a->body);
	s->piece_ms = a->slow_ms / (int)(len / PIECE + 1);
	return MHD_create_response_from_callback(len, PIECE, slow_read, s, slow_free);
}

/* Closing then sends a reset instead of an end. */
static enum MHD_Result
cut(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const struct linger at_once = { .l_onoff = 1 };

	if (info)
		setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	return MHD_NO;
}

static enum MHD_Result
send_answer(struct MHD_Connection *connection, struct answer *a)
{
	struct MHD_Response *response;
	time_t now = (time_t)(a->now.us / 1000000);
	enum MHD_Result result;
	char date[64];
	struct tm tm;

	if (a->delay_ms)
		sleep_ms(a->delay_ms);
	if (a->is_cut)
		return cut(connection);
	response = make_response(a);
	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	MHD_add_response_header(response, "Date", date);
	MHD_add_response_header(response, "x-amzn-RequestId", a->request_id);
	if (a->type)
		MHD_add_response_header(response, "Content-Type", a->type);
	if (a->error_type)
		MHD_add_response_header(response, "x-amzn-ErrorType", a->error_type);
	if (a->query_error)
		MHD_add_response_header(response, "x-amzn-query-error", a->query_error);
	result = MHD_queue_response(connection, (unsigned)a->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *data, size_t *size, void **state)
{
	struct request *r = *state;
	struct answer a = { 0 };
	enum MHD_Result result;

	(void)url;
	(void)version;
	if (!r->method) {
		r->method = arena_strdup(&r->arena, method);
		MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, r);
		return MHD_YES;
	}
	if (*size) {
		strbuf_add(&r->body, data, *size);
		*size = 0;
		return MHD_YES;
	}
	answer_make(arg, r, &a);
	result = send_answer(connection, &a);
	answer_release(&a);
	return result;
}

static void
on_end(void *arg, struct MHD_Connection *connection, void **state,
    enum MHD_RequestTerminationCode code)
{
	struct request *r = *state;

	(void)arg;
	(void)connection;
	(void)code;
	if (r) {
		request_release(r);
		free(r);
	}
	*state = NULL;
}

/* ---- options */

static bool
read_options(struct cloud_options *o, const char *path, struct error *err)
{
	const struct {
		const char *key;
		char *text;
		size_t size;
		int *number;
	} keys[] = {
		{ "region", o->region, sizeof(o->region), NULL },
		{ "account", o->account, sizeof(o->account), NULL },
		{ "access_key", o->access_key, sizeof(o->access_key), NULL },
		{ "secret_key", o->secret_key, sizeof(o->secret_key), NULL },
		{ "control_key", o->control_key, sizeof(o->control_key), NULL },
		{ "directory", o->directory, sizeof(o->directory), NULL },
		{ "pgmedic", o->pgmedic, sizeof(o->pgmedic), NULL },
		{ "bindir", o->bindir, sizeof(o->bindir), NULL },
		{ "version", o->version, sizeof(o->version), NULL },
		{ "password", o->password, sizeof(o->password), NULL },
		{ "port", NULL, 0, &o->port },
		{ "endpoint_port", NULL, 0, &o->endpoint_port },
		{ "primary_port", NULL, 0, &o->primary_port },
		{ "standby_port", NULL, 0, &o->standby_port },
	};
	struct conf conf;
	bool ok = conf_read(&conf, path, err);

	for (int i = 0; ok && i < conf.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
			if (strcmp(conf.entries[i].key, keys[k].key) != 0)
				continue;
			if (keys[k].number)
				*keys[k].number = (int)strtol(conf.entries[i].value, NULL, 10);
			else if (strlen(conf.entries[i].value) < keys[k].size)
				snprintf(keys[k].text, keys[k].size, "%s", conf.entries[i].value);
		}
	conf_release(&conf);
	if (ok &&
	    (o->port <= 0 || o->port > 65535 || !*o->secret_key || !*o->control_key ||
	        !*o->directory))
		return error_set(err, ERR_CONFIG, "%s lacks port, keys or directory", path);
	return ok;
}

/* ---- main */

static struct MHD_Daemon *
listen_on(struct world *w, struct error *err)
{
	const struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)w->options.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION |
	        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_SUPPRESS_DATE_NO_CLOCK,
	    (uint16_t)w->options.port, NULL, NULL, on_request, w, MHD_OPTION_SOCK_ADDR, &addr,
	    MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_END);

	if (!daemon)
		error_set(err, ERR_LAB, "cannot listen on 127.0.0.1:%d: %s", w->options.port,
		    strerror(errno));
	return daemon;
}

/* Until a signal, or until the lab's folder has gone. */
static void
serve(struct world *w, const char *conf, const sigset_t *ends)
{
	const struct timespec wait = { .tv_nsec = TICK_MS * 1000000L };

	while (sigtimedwait(ends, NULL, &wait) < 0 && access(conf, F_OK) == 0) {
		pthread_mutex_lock(&w->lock);
		world_tick(w);
		pthread_mutex_unlock(&w->lock);
	}
}

int
main(int argc, char **argv)
{
	static struct world world;
	struct cloud_options options = { 0 };
	struct MHD_Daemon *daemon;
	struct error err;
	sigset_t ends;

	if (argc != 2 || argv[1][0] == '-') {
		fputs(
		    "Usage: pgmedic-cloud FILE\nThe loopback endpoint of `pgmedic lab up --cloud`, which writes FILE "
		    "and starts it.\n",
		    argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
	}
	if (!read_options(&options, argv[1], &err)) {
		error_report(&err);
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &ends, NULL); /* threads inherit it */
	daemon = world_init(&world, &options, &err) && metrics_start(&world, &err) ?
	    listen_on(&world, &err) :
	    NULL;
	if (!daemon) {
		error_report(&err);
		return 1;
	}
	serve(&world, argv[1], &ends);
	/* Not MHD_stop_daemon(): it would wait for answers that are held back. */
	_exit(0);
}
