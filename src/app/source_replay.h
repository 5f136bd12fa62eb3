/* A recording as the console's source, and the commands that move in it. UI thread. */
#ifndef PGMEDIC_APP_SOURCE_REPLAY_H
#define PGMEDIC_APP_SOURCE_REPLAY_H

#include "app/options.h"
#include "app/source.h"
#include "app/targets.h"
#include "base/error.h"

struct source_replay;

/* Open the recording, at --at or its start, playing at --speed. */
struct source_replay *source_replay_open(const struct options *opt, struct error *err) MUST_CHECK;
void source_replay_close(struct source_replay *r);
struct source source_replay(struct source_replay *r);
/* Its targets by name: read-only, since there is nothing to act on. */
void source_replay_targets(struct source_replay *r, struct targets *targets);

#endif
