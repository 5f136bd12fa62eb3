/* Names and addresses: DNS in a thread that may be left behind, all addresses tried at once. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ops/connect_priv.h"

/* ------------------------------------------------------------------ addresses */

static const unsigned char *
bytes_of(const struct reach *r, int *family)
{
	*family = r->addr.ss_family;
	if (r->addr.ss_family == AF_INET)
		return (const unsigned char *)&((const struct sockaddr_in *)(const void *)&r->addr)
		    ->sin_addr;
	return (const unsigned char *)&((const struct sockaddr_in6 *)(const void *)&r->addr)
	    ->sin6_addr;
}

bool
reach_is_loopback(const struct reach *r)
{
	int family;
	const unsigned char *b = bytes_of(r, &family);

	return family == AF_INET ? b[0] == 127 :
	                           memcmp(b, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

bool
reach_is_private(const struct reach *r)
{
	int family;
	const unsigned char *b = bytes_of(r, &family);

	if (family == AF_INET6)
		return (b[0] & 0xfe) == 0xfc;
	return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168);
}

bool
reach_is_own(const struct reach *r)
{
	struct ifaddrs *all = NULL;
	int family;
	const unsigned char *b = bytes_of(r, &family);
	bool found = reach_is_loopback(r);

	if (getifaddrs(&all) != 0)
		return found;
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		struct reach own = { .len = 0 };
		int theirs;

		if (!i->ifa_addr || i->ifa_addr->sa_family != family)
			continue;
		memcpy(&own.addr, i->ifa_addr,
		    family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		found = memcmp(b, bytes_of(&own, &theirs), family == AF_INET ? 4 : 16) == 0;
	}
	freeifaddrs(all);
	return found;
}

static void
address_text(const struct sockaddr *addr, socklen_t len, char *out, size_t size)
{
	if (getnameinfo(addr, len, out, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
		snprintf(out, size, "?");
}

bool
reach_source(const struct reach *r, char *out, size_t size)
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	/* Connecting a datagram socket sends nothing, but chooses the route. */
	int fd = socket(r->addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)&r->addr, r->len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&own, &len) == 0;

	if (ok)
		address_text((struct sockaddr *)&own, len, out, size);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* ------------------------------------------------------------------ DNS */

struct lookup {
	atomic_int refs;
	int fds[2];
	char host[256], port[16];
	bool is_numeric;
	struct addrinfo *found;
	int error; /* of getaddrinfo() */
};

static void
lookup_unref(struct lookup *l)
{
	if (atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	if (l->found)
		freeaddrinfo(l->found);
	close(l->fds[0]);
	close(l->fds[1]);
	free(l);
}

static void *
lookup_main(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = l->is_numeric ? AI_NUMERICHOST : AI_CANONNAME };
	ssize_t n;

	l->error = getaddrinfo(l->host, l->port, &hints, &l->found);
	if (l->error)
		l->found = NULL;
	n = write(l->fds[1], "", 1);
	(void)n;
	lookup_unref(l);
	return NULL;
}

/* NULL: no threads or pipes. *is_late: no answer in time. */
static struct lookup *
look_up(const char *host, const char *port, bool is_numeric, bool *is_late)
{
	struct lookup *l = xcalloc(1, sizeof(*l));
	pthread_attr_t attr;
	pthread_t thread;
	struct pollfd pfd;
	bool is_started;

	atomic_init(&l->refs, 2);
	snprintf(l->host, sizeof(l->host), "%s", host);
	snprintf(l->port, sizeof(l->port), "%s", port);
	l->is_numeric = is_numeric;
	if (pipe2(l->fds, O_CLOEXEC | O_NONBLOCK) != 0) {
		free(l);
		return NULL;
	}
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	is_started = pthread_create(&thread, &attr, lookup_main, l) == 0;
	pthread_attr_destroy(&attr);
	if (!is_started) {
		lookup_unref(l);
		lookup_unref(l);
		return NULL;
	}
	pfd = (struct pollfd){ .fd = l->fds[0], .events = POLLIN };
	*is_late = poll(&pfd, 1, WALK_NET_MS) <= 0;
	return l;
}

static void
take_addresses(struct walk *w, const struct pg_where_host *host, const struct addrinfo *found)
{
	for (const struct addrinfo *a = found; a && w->nreaches < WALK_ADDRESSES; a = a->ai_next) {
		struct reach *r = &w->reaches[w->nreaches++];

		*r = (struct reach){ .len = a->ai_addrlen, .host = host, .fd = -1 };
		memcpy(&r->addr, a->ai_addr, a->ai_addrlen);
		address_text(a->ai_addr, a->ai_addrlen, r->text, sizeof(r->text));
	}
}

/* Name servers, as the resolver has them: who was asked. */
static void
add_name_servers(struct walk *w)
{
	FILE *in = fopen("/etc/resolv.conf", "re");
	char line[256], server[128];

	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "nameserver %127s", server) == 1)
			check_evidence(w->checks, "asked: name server %s", server);
	if (in)
		fclose(in);
}

static void
say_unknown(struct walk *w, const char *host, int error, bool is_late)
{
	bool is_rds = strstr(host, ".rds.amazonaws.") != NULL;

	if (is_late || error == EAI_AGAIN) {
		check_add(w->checks, "dns", CHECK_FAIL, "%s: no name server answers", host);
		check_remedy(w->checks,
		    "Check /etc/resolv.conf and the network; an address instead of the name goes "
		    "around it.");
	} else {
		check_add(w->checks, "dns", CHECK_FAIL, "there is no host %s: %s", host,
		    gai_strerror(error));
		check_remedy(w->checks, "%s",
		    is_rds ? "Is the endpoint's name right, and is the instance still there? "
		             "`snapshots` or the AWS console lists what was restored instead." :
		             "Check its spelling, /etc/hosts and the search domain.");
	}
	add_name_servers(w);
}

static void
say_known(
    struct walk *w, const struct pg_where_host *host, int from, const char *canonical, double ms)
{
	struct strbuf list = STRBUF_INIT(1024);

	for (int i = from; i < w->nreaches; i++)
		strbuf_addf(&list, "%s%s", i > from ? ", " : "", w->reaches[i].text);
	check_add(w->checks, "dns", CHECK_OK, "%s is %s (%.0f ms)", host->host, list.buf, ms);
	if (canonical && strcmp(canonical, host->host) != 0)
		check_evidence(w->checks, "an alias of %s", canonical);
	strbuf_release(&list);
}

static void
walk_host(struct walk *w, const struct pg_where_host *host)
{
	bool is_numeric = *host->addr != '\0', is_late = false;
	struct mono start = mono_now();
	struct lookup *l =
	    look_up(is_numeric ? host->addr : host->host, host->port, is_numeric, &is_late);
	int from = w->nreaches;
	struct in6_addr unread;

	if (!l) {
		check_add(w->checks, "dns", CHECK_UNKNOWN, "no more threads or files");
		return;
	}
	if (is_late || l->error) {
		say_unknown(w, is_numeric ? host->addr : host->host, l->error, is_late);
		lookup_unref(l);
		return;
	}
	take_addresses(w, host, l->found);
	if (is_numeric && strcmp(host->addr, host->host) != 0)
		check_add(w->checks, "dns", CHECK_OK,
		    "%s is not looked up: hostaddr is %s (a tunnel?)", host->host, host->addr);
	else if (!is_numeric && inet_pton(AF_INET, host->host, &unread) != 1 &&
	    inet_pton(AF_INET6, host->host, &unread) != 1)
		say_known(w, host, from, l->found ? l->found->ai_canonname : NULL,
		    mono_since_ms(mono_now(), start));
	lookup_unref(l);
}

void
walk_dns(struct walk *w)
{
	for (int i = 0; i < w->where->nhosts; i++) {
		const struct pg_where_host *host = &w->where->hosts[i];

		if (*host->host == '/' || *host->host == '@')
			w->has_socket = true;
		else
			walk_host(w, host);
	}
}

/* ------------------------------------------------------------------ TCP */

static void
settle(struct reach *r, int error, struct mono start)
{
	r->error = error;
	r->ms = (double)(mono_now().us - start.us) / 1000;
	r->state = error == 0                            ? REACH_CONNECTED :
	    error == ECONNREFUSED || error == ECONNRESET ? REACH_REFUSED :
	    error == ETIMEDOUT                           ? REACH_SILENT :
	    error == EHOSTUNREACH || error == ENETUNREACH || error == ENETDOWN ||
	        error == EHOSTDOWN || error == EAFNOSUPPORT || error == EADDRNOTAVAIL ?
	                         REACH_UNREACHABLE :
	    error == EACCES || error == EPERM ? REACH_FORBIDDEN :
	                                        REACH_OTHER;
	if (error && r->fd >= 0) {
		close(r->fd);
		r->fd = -1;
	}
}

static void
begin(struct reach *r, struct mono start)
{
	r->fd = socket(r->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd < 0 || connect(r->fd, (const struct sockaddr *)&r->addr, r->len) == 0)
		settle(r, r->fd < 0 ? errno : 0, start);
	else if (errno != EINPROGRESS)
		settle(r, errno, start);
}

static void
connect_all(struct walk *w)
{
	struct mono start = mono_now();
	int64_t left = WALK_NET_MS;

	for (int i = 0; i < w->nreaches; i++)
		begin(&w->reaches[i], start);
	while (left > 0) {
		struct pollfd fds[WALK_ADDRESSES];
		int open = 0;

		for (int i = 0; i < w->nreaches; i++) {
			bool is_open = w->reaches[i].state == REACH_UNTRIED;

			fds[i] = (struct pollfd){ .fd = is_open ? w->reaches[i].fd : -1,
				.events = POLLOUT };
			open += is_open;
		}
		if (!open || (poll(fds, (nfds_t)w->nreaches, (int)left) < 0 && errno != EINTR))
			break;
		for (int i = 0; i < w->nreaches; i++) {
			int error = 0;
			socklen_t len = sizeof(error);

			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			if (getsockopt(fds[i].fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
				error = errno;
			settle(&w->reaches[i], error, start);
		}
		left = WALK_NET_MS - mono_since_ms(mono_now(), start);
	}
	for (int i = 0; i < w->nreaches; i++)
		if (w->reaches[i].state == REACH_UNTRIED)
			settle(&w->reaches[i], ETIMEDOUT, start);
}

static const char *
outcome(struct walk *w, const struct reach *r)
{
	switch (r->state) {
	case REACH_CONNECTED:
		return arena_printf(w->arena, "connected in %.1f ms", r->ms);
	case REACH_REFUSED:
		return arena_printf(w->arena, "refused in %.1f ms", r->ms);
	case REACH_SILENT:
		return arena_printf(w->arena, "no answer in %.0f s", r->ms / 1000);
	case REACH_UNTRIED:
	case REACH_UNREACHABLE:
	case REACH_FORBIDDEN:
	case REACH_OTHER:
		break;
	}
	return strerror(r->error);
}

static void
add_tcp_remedy(struct walk *w, const struct reach *r)
{
	bool is_rds = *walk_rds_host(w) != '\0';

	if (r->state == REACH_REFUSED && reach_is_own(r))
		check_remedy(w->checks,
		    "No server listens on port %s of this machine at that address: see `local`.",
		    r->host->port);
	else if (r->state == REACH_REFUSED)
		check_remedy(w->checks,
		    "The host is there, but nothing listens on port %s: is it the right port, does the "
		    "server run, and does its listen_addresses include %s?",
		    r->host->port, r->text);
	else if (r->state == REACH_SILENT)
		check_remedy(w->checks, "%s",
		    is_rds ? "Packets are dropped: security group, network ACL or route." :
		             "The host is down, or a firewall drops packets: check it on the host, "
		             "between the networks, and on this machine.");
	else if (r->state == REACH_UNREACHABLE)
		check_remedy(
		    w->checks, "This machine has no way to that network: VPN, tunnel, route?");
	else if (r->state == REACH_FORBIDDEN)
		check_remedy(w->checks, "A firewall of this machine forbids it.");
}

void
walk_tcp(struct walk *w)
{
	const struct reach *shown;
	int connected = 0;

	if (!w->nreaches)
		return;
	connect_all(w);
	for (int i = 0; i < w->nreaches; i++) {
		struct reach *r = &w->reaches[i];

		connected += r->state == REACH_CONNECTED;
		if (r->state == REACH_CONNECTED && !w->first)
			w->first = r;
	}
	shown = w->first ? w->first : &w->reaches[0];
	check_add(w->checks, "tcp",
	    connected == w->nreaches ? CHECK_OK :
	        connected            ? CHECK_WARN :
	                               CHECK_FAIL,
	    "%s port %s: %s", shown->text, shown->host->port, outcome(w, shown));
	for (int i = 0; i < w->nreaches; i++)
		if (&w->reaches[i] != shown)
			check_evidence(w->checks, "%s port %s: %s", w->reaches[i].text,
			    w->reaches[i].host->port, outcome(w, &w->reaches[i]));
	if (!connected)
		add_tcp_remedy(w, shown);
	else if (connected < w->nreaches)
		check_remedy(w->checks,
		    "Connections are tried address by address: those that do not answer cost time.");
}
