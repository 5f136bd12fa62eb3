/*
 * Running a command line of the command table, with a screen (the console fills `screen`) or
 * without
 * (`pgmedic run`). UI or main thread.
 */
#ifndef PGMEDIC_APP_RUN_H
#define PGMEDIC_APP_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "app/acting.h"
#include "app/command.h"
#include "app/options.h"
#include "app/settings.h"
#include "app/targets.h"
#include "base/doc.h"
#include "base/grid.h"
#include "base/strbuf.h"
#include "model/snapshot.h"
#include "panes/pane.h"

struct advising;
struct console;

/* What commands may ask of the screen; implemented by the console. */
struct run_screen {
	const struct snapshot *(*snapshot)(
	    struct console *con); /* of the shown target; borrowed until the command returns */
	const struct pane *(*pane)(struct console *con);
	/* Fill an initialised grid with the whole shown pane, unfiltered, sealed, sorted as shown.
	 */
	void (*fill)(struct console *con, struct grid *grid);
	uint64_t (*cursor)(struct console *con, bool *any); /* key of the row under the cursor */
	bool (*is_tagged)(struct console *con, uint64_t key);
	int (*tags)(struct console *con);           /* how many, also of rows that have gone */
	const char *(*filter)(struct console *con); /* "" none */
	void (*show_doc)(
	    struct console *con, const char *title, const struct doc *doc); /* copies it */
	void (*say)(
	    struct console *con, enum role role, const char *line); /* the message line; copied */
	void (*suspend)(struct console *con);                       /* give the terminal back … */
	void (*resume)(struct console *con);                        /* … and take it again */
	struct acting *(*acting)(struct console *con);
	struct advising *(*advising)(struct console *con); /* NULL in the past */
	int (*target)(struct console *con);                /* index of the shown target */
};

struct run_ctx {
	const struct options *opt;
	struct settings *settings;
	const struct targets *targets;
	const struct target *target;     /* that it is about; never NULL */
	struct console *console;         /* NULL without a screen */
	const struct run_screen *screen; /* NULL without a screen */
	struct strbuf *out; /* what to say; without a screen standard output, in the console message
	                       or document */
	const char *line;   /* the whole command line */
	int exit_status; /* without a screen: set by commands whose failure is no error of theirs */
};

/*
 * Split, look up, check the number of words, run. On failure *err names the wrong word and the
 * nearest right one. Text that the command left in ctx->out belongs to the caller.
 */
bool run_line(struct run_ctx *ctx, const char *line, struct error *err) MUST_CHECK;
/* Exact name, alias, pane name (then the command "pane"), or unique prefix; NULL and *err
 * otherwise. */
const struct command *command_find(const char *word, struct error *err);

/* `pgmedic run`: exit status. */
int run_main(const struct options *opt, struct settings *settings);
/* `pgmedic journal …` and `pgmedic jobs`, which need no target: exit status. */
int run_journal_main(const struct options *opt, struct settings *settings);
/* `pgmedic diagnose WHAT [TARGET]`: exit status. */
int run_diagnose_main(const struct options *opt, struct settings *settings);
/* `pgmedic run --job ID`: the process of a job; its request is on standard input. */
int run_job_main(const struct options *opt);

#endif
