/* The log file. One mutex guards the stream; a line is put together before it is taken. */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { MAX_LINE = 16384 };

bool log_debug_on;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static enum log_level log_most;

bool
log_open(const char *path, enum log_level level, struct error *err)
{
	int fd = -1;

	log_close();
	if (!path)
		return true;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return error_set(
		    err, ERR_FILE, "cannot open log file \"%s\": %s", path, strerror(errno));
	pthread_mutex_lock(&mutex);
	log_fd = fd;
	log_most = level;
	log_debug_on = level >= LOG_DEBUG;
	pthread_mutex_unlock(&mutex);
	return true;
}

void
log_close(void)
{
	pthread_mutex_lock(&mutex);
	if (log_fd >= 0)
		close(log_fd);
	log_fd = -1;
	log_debug_on = false;
	pthread_mutex_unlock(&mutex);
}

void
log_write(enum log_level level, const char *module, const char *fmt, ...)
{
	static const char *const names[] = { "ERROR", "WARN", "INFO", "DEBUG" };
	struct strbuf text = STRBUF_INIT(MAX_LINE), safe = STRBUF_INIT(MAX_LINE);
	struct strbuf line = STRBUF_INIT(MAX_LINE + 200);
	char when[40];
	ssize_t written;
	bool is_wanted;
	va_list ap;

	pthread_mutex_lock(&mutex);
	is_wanted = log_fd >= 0 && level <= log_most;
	pthread_mutex_unlock(&mutex);
	if (!is_wanted)
		return;
	va_start(ap, fmt);
	strbuf_addv(&text, fmt, ap);
	va_end(ap);
	redact(&safe, text.buf);
	strbuf_addf(&line, "%s %s %ld %s: ", wall_rfc3339(wall_now(), when, sizeof(when)),
	    names[level], (long)syscall(SYS_gettid), module);
	utf8_clean(&line, safe.buf, safe.len, true);
	/* Also a line that was cut has an end. */
	line.max = SIZE_MAX;
	line.cut = false;
	strbuf_addc(&line, '\n');
	/* One write: lines of other processes on the same file stay whole. A full disk is no reason
	 * to stop watching a server, so the result is not looked at. */
	pthread_mutex_lock(&mutex);
	written = log_fd >= 0 ? write(log_fd, line.buf, line.len) : 0;
	(void)written;
	pthread_mutex_unlock(&mutex);
	strbuf_release(&text);
	strbuf_release(&safe);
	strbuf_release(&line);
}
