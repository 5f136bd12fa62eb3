/* One entry of the log in full. */
#ifndef PGMEDIC_PANES_LOGS_DETAIL_H
#define PGMEDIC_PANES_LOGS_DETAIL_H

#include "base/doc.h"
#include "model/logentry.h"
#include "panes/pane.h"

struct log_story {
	struct doc *doc;
	const struct pane_ctx *ctx;
	const struct cell *cells;
	const struct column *columns;
	enum log_severity severity;
	enum log_kind kind;
};

enum role logs_role(enum log_severity severity, enum log_kind kind);

/* The head: severity and message, when, and what became of the session. */
void logs_story(struct log_story *s, const struct cell *time, const struct cell *pid,
    const struct cell *message);
/* A text of several lines below its name; nothing where there is none. */
void logs_story_text(struct log_story *s, const char *label, const struct cell *c);
/* A column by its name; nothing where it is unknown. */
void logs_story_pair(struct log_story *s, int column);
/* Who was involved, and what they do now. */
void logs_story_parties(struct log_story *s, const struct cell *parties);

#endif
