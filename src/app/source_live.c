/* The collector as a source of snapshots. */
#include "config.h"

#include "app/source.h"

static int
live_count(void *self)
{
	return collector_count(self);
}

static const struct snapshot *
live_snapshot(void *self, int i)
{
	return collector_snapshot(self, i);
}

static bool
live_show(void *self, int target, const enum probe_id *probes, int n)
{
	return collector_show(self, target, probes, n);
}

static bool
live_refresh_ms(void *self, int target, int ms)
{
	return collector_refresh_ms(self, target, ms);
}

static bool
live_now(void *self, int target)
{
	return collector_now(self, target);
}

static bool
live_reconnect(void *self, int target, const char *password)
{
	return collector_reconnect(self, target, password);
}

static bool
live_outcome(void *self, struct run_outcome *outcome)
{
	return collector_outcome(self, outcome);
}

static const struct source_ops source_live_ops = {
	.name = "live",
	.count = live_count,
	.snapshot = live_snapshot,
	.show = live_show,
	.refresh_ms = live_refresh_ms,
	.now = live_now,
	.reconnect = live_reconnect,
	.outcome = live_outcome,
};

struct source
source_live(struct collector *c)
{
	return (struct source){ .ops = &source_live_ops, .self = c };
}
