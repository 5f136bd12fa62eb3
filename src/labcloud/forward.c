#include "config.h"

#include "labcloud/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

enum { BACKLOG = 64, BLOCK = 16384, LOOK_MS = 200, FILLERS = 4 };

struct pipe_pair {
	int a, b;
};

static bool
copy(int from, int to)
{
	char buf[BLOCK];
	ssize_t n = recv(from, buf, sizeof(buf), 0);

	for (ssize_t done = 0; done < n;) {
		ssize_t sent = send(to, buf + done, (size_t)(n - done), MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		done += sent;
	}
	return n > 0;
}

/* Both ways until one side ends. */
static void *
pass(void *arg)
{
	struct pipe_pair p = *(struct pipe_pair *)arg;
	struct pollfd fds[] = { { p.a, POLLIN, 0 }, { p.b, POLLIN, 0 } };

	free(arg);
	while (poll(fds, 2, -1) > 0 || errno == EINTR) {
		if ((fds[0].revents && !copy(p.a, p.b)) || (fds[1].revents && !copy(p.b, p.a)))
			break;
	}
	close(p.a);
	close(p.b);
	return NULL;
}

static int
dial(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	int fd = port ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Be silent until it is open again: the queue is as short as it can be, and full of our own. */
static void
stay_closed(struct forward *f)
{
	const struct timespec wait = { .tv_nsec = LOOK_MS * 1000000L };
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	int fillers[FILLERS];

	listen(f->fd, 0);
	getsockname(f->fd, (struct sockaddr *)&own, &len);
	for (int i = 0; i < FILLERS; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fillers[i] >= 0 && connect(fillers[i], (struct sockaddr *)&own, len) < 0 &&
		    errno != EINPROGRESS)
			errno = 0;
	}
	while (atomic_load(&f->is_closed))
		nanosleep(&wait, NULL);
	for (int i = 0; i < FILLERS; i++)
		if (fillers[i] >= 0)
			close(fillers[i]);
	listen(f->fd, BACKLOG);
}

/* Whoever has hung up while waiting, as our own do. */
static bool
is_gone(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void
begin_pass(int a, int to_port)
{
	int b = is_gone(a) ? -1 : dial(to_port);
	struct pipe_pair *p;
	pthread_t thread;

	if (b < 0) {
		close(a);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	*p = (struct pipe_pair){ a, b };
	if (pthread_create(&thread, NULL, pass, p) == 0) {
		pthread_detach(thread);
		return;
	}
	close(a);
	close(b);
	free(p);
}

static void *
listener(void *arg)
{
	struct forward *f = arg;
	struct pollfd fds[] = { { f->fd, POLLIN, 0 } };

	for (;;) {
		if (atomic_load(&f->is_closed))
			stay_closed(f);
		if (poll(fds, 1, LOOK_MS) <= 0)
			continue;
		int a = accept4(f->fd, NULL, NULL, SOCK_CLOEXEC);

		if (a >= 0)
			begin_pass(a, atomic_load(&f->to_port));
	}
	return NULL;
}

bool
forward_start(struct forward *f, const char *host, int *port, int to_port, struct error *err)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)*port) };
	socklen_t len = sizeof(addr);
	pthread_t thread;

	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	atomic_init(&f->to_port, to_port);
	atomic_init(&f->is_closed, false);
	if (f->fd < 0 || inet_pton(AF_INET, host, &addr.sin_addr) != 1 ||
	    bind(f->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    listen(f->fd, BACKLOG) != 0 ||
	    getsockname(f->fd, (struct sockaddr *)&addr, &len) != 0 ||
	    pthread_create(&thread, NULL, listener, f) != 0)
		return error_set(
		    err, ERR_LAB, "no endpoint can be made on %s: %s", host, strerror(errno));
	pthread_detach(thread);
	*port = ntohs(addr.sin_port);
	return true;
}
