/*
 * Signals of the console: handlers write a byte into a pipe that the loop polls. The pipe is
 * static, since handlers can reach nothing else.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "app/console_priv.h"
#include "base/log.h"

static int signal_pipe[2] = { -1, -1 };

/* ------------------------------------------------------------------------------------ signals */

static void
on_signal(int signo)
{
	int saved = errno;
	unsigned char byte = (unsigned char)signo;
	ssize_t n = write(signal_pipe[1], &byte, 1);
	(void)n; /* a full pipe holds what is needed already */
	errno = saved;
}

static const int watched[] = { SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT };

bool
console_signals_open(struct error *err)
{
	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return error_set(err, ERR_FILE, "cannot make a pipe: %s", strerror(errno));
	for (size_t i = 0; i < ARRAY_LEN(watched); i++) {
		struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
		sigemptyset(&act.sa_mask);
		sigaction(watched[i], &act, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	return true;
}

void
console_signals_close(void)
{
	for (size_t i = 0; i < ARRAY_LEN(watched); i++)
		signal(watched[i], SIG_DFL);
	for (int i = 0; i < 2; i++) {
		if (signal_pipe[i] >= 0)
			close(signal_pipe[i]);
		signal_pipe[i] = -1;
	}
}

void
console_signals(struct console *c)
{
	unsigned char bytes[64];
	bool resize = false;
	ssize_t n;

	while ((n = read(signal_pipe[0], bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++)
			switch (bytes[i]) {
			case SIGCONT:
				/* Whoever had the terminal meanwhile left it in modes of their own.
				 */
				screen_enter();
				c->is_dirty = true;
				break;
			case SIGWINCH:
				resize = true;
				break;
			case SIGTSTP:
				console_suspend(c);
				break;
			case SIGINT:
				console_key(c, 'c' | TK_CTRL);
				break;
			default:
				log_info("console", "ends on signal %d", bytes[i]);
				console_quit(c, EXIT_DONE);
			}
	if (resize && screen_resize())
		c->is_dirty = true;
}

int
console_signals_fd(void)
{
	return signal_pipe[0];
}
