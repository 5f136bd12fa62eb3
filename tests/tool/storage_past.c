/*
 * storage_past CONNINFO EPOCH...: what the cold start knows of the largest tables, a line for each:
 * name, column, confidence, reason, bytes a day, and the share of its rows that were there at each
 * moment (seconds since 1970); without shares where the past is refused. For tests.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sampler.h"
#include "model/storage.h"

static void
print_past(const struct storage_past *p, char **times)
{
	printf("%s\t%s\t%s\t%s\t%.0f", p->name,
	    p->arrivals.column && p->arrivals.n ? p->arrivals.column : "-",
	    forecast_confidence_names[p->arrivals.confidence],
	    p->arrivals.why[0] ? p->arrivals.why : "-", p->rate);
	for (; p->arrivals.n && *times; times++)
		printf(
		    "\t%.6f", arrivals_share(&p->arrivals, (int64_t)(strtod(*times, NULL) * 1e6)));
	putchar('\n');
}

int
main(int argc, char **argv)
{
	const struct pane *pane = pane_by_name("storage");
	struct target target = { .name = "test", .conninfo = argc > 1 ? argv[1] : "", .color = "" };
	const struct snapshot *snap;
	struct storage_outlook outlook;
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct storage storage;
	struct sampler *s;

	if (argc < 2 || !pane) {
		fprintf(stderr, "usage: storage_past CONNINFO EPOCH...\n");
		return 2;
	}
	s = sampler_open(&target, &err);
	snap = s ? sampler_wait(s, pane, &err) : NULL;
	if (!snap) {
		fprintf(stderr, "storage_past: %s\n", err.what);
		return 1;
	}
	storage_read(snap, &arena, &storage);
	storage_trends(snap, &storage, &arena, &outlook);
	for (int i = 0; i < outlook.npast; i++)
		print_past(&outlook.past[i], argv + 2);
	arena_release(&arena);
	sampler_close(s);
	return 0;
}
