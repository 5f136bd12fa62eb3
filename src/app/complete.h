/* Completion of a command line: pure, from the tables and one snapshot. */
#ifndef PGMEDIC_APP_COMPLETE_H
#define PGMEDIC_APP_COMPLETE_H

#include "app/targets.h"
#include "base/mem.h"
#include "model/snapshot.h"
#include "panes/pane.h"

struct complete_ctx {
	const struct snapshot *snap;                /* or NULL */
	const struct pane *pane;                    /* shown, or NULL */
	const struct targets *targets;              /* or NULL */
	const char *const *themes, *const *keymaps; /* NULL-terminated, or NULL */
	bool no_files;                              /* do not read folders (tests) */
};

struct completion {
	int from, to; /* bytes of the line that a candidate replaces */
	const char *
	    *items; /* whole words, quoted where the lexer needs it; sorted, NULL-terminated */
	int n;
	const char *common; /* longest common beginning of the items */
};

/* Candidates for the word at `cursor` (byte offset). Everything in the arena. */
void complete_line(struct arena *arena, const struct complete_ctx *ctx, const char *line,
    int cursor, struct completion *out);

#endif
