#include "config.h"

#include "app/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "app/actlog.h"
#include "base/doc.h"
#include "base/json.h"

extern char **environ;

enum { MAX_REQUEST = 60000, MAX_DOC = 1 << 20 };

void
child_member(struct strbuf *request, bool *first, const char *key, const char *value)
{
	if (!value)
		return;
	json_key(request, first, key);
	json_str(request, value, strlen(value));
}

void
child_doc(struct strbuf *request, bool *first, const struct doc *doc)
{
	struct strbuf packed = STRBUF_INIT(MAX_DOC);

	doc_pack(doc, &packed);
	child_member(request, first, "doc", packed.buf);
	strbuf_release(&packed);
}

static bool
spawn(int in, int out, pid_t *pid, struct error *err)
{
	const char *argv[] = { "pgmedic", "run", "--job", "-", NULL };
	posix_spawn_file_actions_t actions;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, out, 2);
	rc = posix_spawn(
	    pid, program_path(), &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc != 0)
		return error_set(
		    err, ERR_PROGRAM, "cannot start %s: %s", program_path(), strerror(rc));
	return true;
}

/* The request may be longer than a pipe holds (a statement): then the rest would wait for the
 * child, so it is refused. */
static bool
send_request(int fd, struct strbuf *request, struct error *err)
{
	bool ok = request->len < MAX_REQUEST &&
	    write(fd, request->buf, request->len) == (ssize_t)request->len;

	explicit_bzero(request->buf, request->len);
	return ok || error_set(err, ERR_MEMORY, "the command is too long");
}

bool
child_start(struct strbuf *request, pid_t *pid, int *fd, struct error *err)
{
	int in[2], out[2];
	bool ok;

	if (pipe2(in, O_CLOEXEC) != 0)
		return error_set(err, ERR_STATE, "cannot make a pipe: %s", strerror(errno));
	if (pipe2(out, O_CLOEXEC) != 0) {
		close(in[0]);
		close(in[1]);
		return error_set(err, ERR_STATE, "cannot make a pipe: %s", strerror(errno));
	}
	ok = send_request(in[1], request, err) && spawn(in[0], out[1], pid, err);
	close(in[0]);
	close(in[1]);
	close(out[1]);
	if (!ok) {
		close(out[0]);
		return false;
	}
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	*fd = out[0];
	return true;
}
