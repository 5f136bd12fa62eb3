/*
 * Commands: one const entry each, in one array. Keys, the prompt, config files, `pgmedic run` and
 * the manual all read it.
 */
#ifndef PGMEDIC_APP_COMMAND_H
#define PGMEDIC_APP_COMMAND_H

#include <stdbool.h>

#include "base/doc.h"
#include "base/error.h"
#include "base/lexer.h"

struct console; /* NULL when run without a screen */
struct run_ctx; /* app/run.h: target, options, where output goes */

enum command_risk {
	RISK_NONE, /* looks or changes the screen */
	RISK_FILE, /* writes a local file */
	RISK_ACTS, /* changes the server: planned, confirmed, journaled; off when read-only */
};

enum arg_kind { /* for completion and checks, by position */
	ARG_NONE,
	ARG_TEXT,
	ARG_PANE,
	ARG_COLUMN,
	ARG_PID,
	ARG_DATABASE,
	ARG_SETTING,
	ARG_TARGET,
	ARG_THEME,
	ARG_KEYMAP,
	ARG_FILE,
	ARG_NUMBER,
	ARG_KEY,
	ARG_COMMAND,
	ARG_OPTION,
	ARG_TABLE,
	ARG_INDEX,
	ARG_METRIC,
	ARG_SPAN,
	ARG_WORD,
};

struct command {
	const char *name;
	const char *alias; /* or NULL */
	const char *usage; /* "cancel [PID ... | tagged | where FILTER]" */
	const char *help;  /* one line */
	enum command_risk risk;
	enum arg_kind args[4];  /* the last one repeats */
	int min_args, max_args; /* max -1: any */
	bool needs_screen;
	bool rest_is_text; /* the rest of the line is one argument (filter, explain SQL) */
	bool (*run)(struct run_ctx *ctx, const struct words *words, struct error *err);
};
extern const struct command *const commands[]; /* in the order users see, NULL-terminated */

#endif
