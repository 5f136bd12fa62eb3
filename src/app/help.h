/* Help and manual, all from the tables: options, commands, panes, columns, settings, keys, themes,
 * roles, errors. */
#ifndef PGMEDIC_APP_HELP_H
#define PGMEDIC_APP_HELP_H

#include "app/options.h"
#include "app/settings.h"
#include "base/doc.h"
#include "base/error.h"

struct help_topic_info {
	const char *name, *help;
};
extern const struct help_topic_info help_topics[]; /* NULL name ends */

/* A topic, a command's or a pane's name; word: e.g. the pane of "columns". ERR_USAGE with the
 * nearest name. */
bool help_topic(struct doc *doc, const char *topic, const char *word, const char *keymap,
    struct error *err) MUST_CHECK;
/* `pgmedic help`, --help: exit status. */
int help_main(const struct options *opt, const struct settings *settings);

#endif
