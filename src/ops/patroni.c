#include "config.h"

#include "ops/patroni.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/proc.h"
#include "cloud/http.h"

enum { READ_MS = 5000, CHANGE_MS = 60000, CONNECT_MS = 2000 };

/* ------------------------------------------------------------------ requests */

/* "http://user:secret@host:8008" without who and the secret, for people. */
static const char *
shown_url(struct op *op, const char *url)
{
	const char *start = strstr(url, "://"), *at = strchr(url, '@');

	return start && at && at > start ?
	    arena_printf(&op->arena, "%.*s%s", (int)(start + 3 - url), url, at + 1) :
	    url;
}

static bool
request(struct op *op, const char *method, const char *base, const char *path, const char *body,
    struct http_answer *answer, struct error *err)
{
	size_t len = strlen(base);
	struct sigv4_header header = { "Content-Type", "application/json" };
	struct http_request r = {
		.method = method,
		.headers = &header,
		.nheaders = body ? 1 : 0,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.timeout_ms = body ? CHANGE_MS : READ_MS,
		.connect_ms = CONNECT_MS,
		.is_direct = true,
		.is_once = body != NULL,
		.stop = body ? NULL : op->stop, /* what was sent is waited for */
	};
	struct http *http = http_new();
	bool ok;

	while (len && base[len - 1] == '/')
		len--;
	r.url = arena_printf(&op->arena, "%.*s%s", (int)len, base, path);
	ok = http_do(http, &r, answer, err);
	http_free(http);
	return ok || error_prefix(err, "Patroni at %s", shown_url(op, base));
}

/* The n-th of a comma separated list; NULL: there are no more. */
static const char *
nth_url(struct op *op, int n)
{
	const char *s = op->target->patroni_url;

	for (s += strspn(s, ", "); *s; s += strcspn(s, ", "), s += strspn(s, ", "))
		if (n-- == 0)
			return arena_strndup(&op->arena, s, strcspn(s, ", "));
	return NULL;
}

/* A GET that answers with JSON; NULL and *err. */
static struct json *
get(struct op *op, const char *base, const char *path, struct error *err)
{
	struct http_answer answer;
	struct json *root = NULL;

	http_answer_init(&answer);
	if (request(op, "GET", base, path, NULL, &answer, err)) {
		root = json_parse(answer.body.buf, answer.body.len, err);
		if (!root)
			error_prefix(err, "Patroni at %s", shown_url(op, base));
	}
	http_answer_release(&answer);
	return root;
}

/* ------------------------------------------------------------------ the cluster */

static const char *
text_of(struct op *op, const struct json *root, const char *key)
{
	const char *s = json_text(json_get(root, key));

	return s ? arena_strdup(&op->arena, s) : "";
}

static int64_t
int_of(const struct json *root, const char *key, int64_t other)
{
	double v;

	return json_number(json_get(root, key), &v) && v > -9e15 && v < 9e15 ? (int64_t)v : other;
}

static void
read_member(struct op *op, const struct json *v, struct patroni_member *m)
{
	const struct json *tags = json_get(v, "tags");

	*m = (struct patroni_member){
		.name = text_of(op, v, "name"),
		.role = text_of(op, v, "role"),
		.state = text_of(op, v, "state"),
		.host = text_of(op, v, "host"),
		.api_url = text_of(op, v, "api_url"),
		.port = (int)int_of(v, "port", 0),
		.timeline = int_of(v, "timeline", 0),
		.lag = int_of(v, "lag", -1),
		.no_failover = json_true(json_get(tags, "nofailover")),
	};
	/* "master" of a member alone before 4, "standby_leader" follows another cluster. */
	m->is_leader = strcmp(m->role, "leader") == 0 || strcmp(m->role, "standby_leader") == 0;
	m->is_sync = strcmp(m->role, "sync_standby") == 0 || strcmp(m->role, "quorum_standby") == 0;
	/* From 3.0.4 on a replica says "streaming". */
	m->is_up = strcmp(m->state, "running") == 0 || strcmp(m->state, "streaming") == 0;
}

static void
read_cluster(struct op *op, const struct json *root, struct patroni_cluster *out)
{
	for (const struct json *v = json_child(json_get(root, "members"));
	     v && out->n < PATRONI_MEMBERS; v = json_next(v))
		read_member(op, v, &out->members[out->n++]);
	for (int i = 0; i < out->n; i++)
		if (out->members[i].is_leader)
			out->leader = &out->members[i];
	out->is_paused = json_true(json_get(root, "pause"));
	out->has_scheduled = json_get(root, "scheduled_switchover") != NULL;
}

bool
patroni_read(struct op *op, struct patroni_cluster *out, struct error *err)
{
	const char *url;

	*out = (struct patroni_cluster){ .scope = "", .system_identifier = "", .version = "" };
	if (!*op->target->patroni_url)
		return error_set(err, ERR_CONFIG, "patroni_url of %s is not set", op->target->name);
	for (int i = 0; (url = nth_url(op, i)); i++) {
		struct error why = { 0 };
		struct json *cluster = get(op, url, "/cluster", &why);
		struct json *self = cluster ? get(op, url, "/patroni", &why) : NULL;
		const struct json *about = json_get(self, "patroni");

		if (cluster && self) {
			read_cluster(op, cluster, out);
			out->scope = text_of(op, about, "scope");
			out->version = text_of(op, about, "version");
			out->system_identifier = text_of(op, self, "database_system_identifier");
		}
		json_free(self);
		json_free(cluster);
		if (out->n)
			return true;
		*err = why;
		if (!*why.what)
			error_set(err, ERR_FORMAT, "Patroni at %s tells of no members",
			    shown_url(op, url));
	}
	return error_hint(
	    err, "patroni_url of [target %s] may list several, with commas.", op->target->name);
}

const struct patroni_member *
patroni_member(const struct patroni_cluster *c, const char *name)
{
	for (int i = 0; i < c->n; i++)
		if (strcmp(c->members[i].name, name) == 0)
			return &c->members[i];
	return NULL;
}

bool
patroni_is_alive(struct op *op, const struct patroni_member *m)
{
	struct error ignored = { 0 };
	/* Its api_url ends in the path. */
	size_t len = strlen(m->api_url), end = strlen("/patroni");
	const char *base = len > end && strcmp(m->api_url + len - end, "/patroni") == 0 ?
	    arena_strndup(&op->arena, m->api_url, len - end) :
	    m->api_url;
	struct json *self = *base ? get(op, base, "/patroni", &ignored) : NULL;
	const char *role = text_of(op, self, "role"), *state = text_of(op, self, "state");
	bool is_alive = strcmp(state, "running") == 0 &&
	    (strcmp(role, "master") == 0 || strcmp(role, "primary") == 0);

	json_free(self);
	return is_alive;
}

bool
patroni_post(
    struct op *op, const char *path, const char *body, bool *is_uncertain, struct error *err)
{
	struct http_answer answer;
	const char *url;
	bool ok = false;

	*is_uncertain = false;
	for (int i = 0; !ok && !*is_uncertain && (url = nth_url(op, i)); i++) {
		http_answer_init(&answer);
		ok = request(op, "POST", url, path, body, &answer, err);
		*is_uncertain = !ok && answer.was_sent;
		if (ok && answer.status != 200 && answer.status != 202) {
			/* Plain text; 400 is a page of HTML. */
			size_t len = strcspn(answer.body.buf, "\n<");

			ok = error_set(err, ERR_STATE, "Patroni refuses %s: %d%s%.*s", path + 1,
			    answer.status, len ? ": " : "", (int)(len < 160 ? len : 160),
			    answer.body.buf);
			error_hint(err, "%s",
			    answer.status == 401 ?
			        "It wants a login: http://USER:PASSWORD@HOST:8008." :
			        "The log of its node says more.");
			/* "503 Failover failed" is said of what has happened after all. */
			*is_uncertain = answer.status >= 500;
			http_answer_release(&answer);
			return false;
		}
		http_answer_release(&answer);
	}
	return ok;
}

/* ------------------------------------------------------------------ who runs it */

static bool
is_patroni(pid_t pid)
{
	char path[64], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, "patroni") != NULL;
}

bool
patroni_runs(struct op *op, const char *data_directory, pid_t postmaster)
{
	struct proc_info info;

	/* What Patroni keeps in every data directory that it starts. */
	if (access(arena_printf(&op->arena, "%s/patroni.dynamic.json", data_directory), F_OK) == 0)
		return true;
	return postmaster && proc_info(postmaster, &info) && info.ppid > 1 && is_patroni(info.ppid);
}
