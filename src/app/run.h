/*
 * Running a command line of the command table, with a screen or without (`pgmedic run`). UI or main thread.
 */
#ifndef PGMEDIC_APP_RUN_H
#define PGMEDIC_APP_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "app/command.h"
#include "app/options.h"
#include "app/settings.h"
#include "app/targets.h"
#include "base/strbuf.h"

struct console;
struct acting;

struct run_ctx {
	const struct options *opt;
	struct settings *settings;
	const struct targets *targets;
	const struct target *target;	/* that the line is about (in the console: the shown one) */
	struct console *console;	/* NULL without a screen */
	struct acting *acting;		/* in the console: what is under way, or NULL */
	struct strbuf *out;		/* what a command has to say: standard output, or in the console a message or document */
	const char *line;		/* the whole command line */
	int exit_status;		/* without a screen: set by commands whose bad outcome is no error of theirs */
	int depth;			/* of run_line() within run_line() */
};

/*
 * Split, look up, check the number of words, run. On failure *err names the wrong word and the nearest right one.
 * In the console, what the command left in ctx->out is shown: one line as message, several as document.
 */
bool run_line(struct run_ctx *ctx, const char *line, struct error *err) MUST_CHECK;
/* The command of a name, alias or unique beginning; a pane's name is the command "pane" (*pane_word is set). NULL and *err. */
const struct command *command_find(const char *word, bool *pane_word, struct error *err);

/* `pgmedic run`: exit status. */
int run_main(const struct options *opt, struct settings *settings);
/* `pgmedic run --job ID`: the process of a job; its request is on standard input. */
int run_job_main(const struct options *opt);

#endif
