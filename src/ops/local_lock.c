/* An flock on the directory itself: nothing is written, and the end of the process frees it. */
#include "config.h"

#include "ops/local_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

bool
local_lock(const struct op *op, struct error *err)
{
	const struct op_target *all[] = { op->target, op->target->standby };

	if (!op->kind || op->kind->confirm == OP_LOOKS)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const char *dir = all[i] ? all[i]->data_directory : NULL;
		int fd = dir && *dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

		/* Kept open: it is the lock. */
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
			continue;
		if (errno != EWOULDBLOCK) {
			close(fd); /* a file system without locks */
			continue;
		}
		close(fd);
		error_set(err, ERR_STATE, "another job, of another user perhaps, acts on %s", dir);
		return error_hint(err, "One job at a time: `fuser -v %s` shows its process.", dir);
	}
	return true;
}
