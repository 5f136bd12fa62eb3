/*
 * explain_all CONNINFO [SEARCH_PATH]: makes every text of pg_stat_statements in this database ready
 * to plan, as the adviser does, and prints a line for each: queryid, what came of it (ok, utility,
 * …), tries, r when it was rewritten as a SELECT, relations in the plan, SQLSTATE, text. For tests.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/whatif.h"

static const char *const words[] = {
	[WHATIF_OK] = "ok",
	[WHATIF_UTILITY] = "utility",
	[WHATIF_TRUNCATED] = "truncated",
	[WHATIF_DENIED] = "denied",
	[WHATIF_GONE] = "gone",
	[WHATIF_SYNTAX] = "syntax",
	[WHATIF_TIMEOUT] = "timeout",
	[WHATIF_OTHER] = "other",
};

static int
count_relations(const char *plan)
{
	int n = 0;

	for (const char *s = plan; s && (s = strstr(s, "\"Relation Name\"")); s++)
		n++;
	return n;
}

static void
print_line(const struct whatif_job *job, int64_t queryid)
{
	printf("%lld\t%s\t%d\t%c\t%d\t%s\t", (long long)queryid, words[job->why],
	    job->statement.retries, job->statement.is_rewritten ? 'r' : '-',
	    count_relations(job->statement.plan), *job->error.sqlstate ? job->error.sqlstate : "-");
	for (const char *s = job->text; s && *s; s++)
		putchar(*s == '\n' || *s == '\t' ? ' ' : *s);
	if (job->why != WHATIF_OK)
		printf("\t%s", job->error.what);
	putchar('\n');
}

int
main(int argc, char **argv)
{
	struct whatif_conf conf = { .conninfo = argc > 1 ? argv[1] : "", .no_hypopg = true };
	const char *path = argc > 2 ? argv[2] : NULL;
	struct error err = { 0 };
	struct arena arena = { 0 };
	struct whatif *w = whatif_open(&conf, &err);
	struct rowset *rows = w ? whatif_query(w, "advice_statements", NULL, 0, &err) : NULL;
	struct whatif_job *jobs;
	int status = 1;

	if (!rows)
		goto out;
	jobs = arena_zalloc(&arena, (size_t)rows->nrows + 1, sizeof(*jobs));
	for (int i = 0; i < rows->nrows; i++) {
		const struct cell *text = rowset_get(rows, i, "query");
		const struct cell *own = rowset_get(rows, i, "search_path");

		jobs[i].text =
		    text->type == CELL_TEXT ? arena_strndup(&arena, text->s, text->len) : NULL;
		jobs[i].search_path = path;
		if (!path && own->type == CELL_TEXT)
			jobs[i].search_path = arena_strndup(&arena, own->s, own->len);
	}
	if (!whatif_prepare_many(w, jobs, rows->nrows, &arena, &err))
		goto out;
	for (int i = 0; i < rows->nrows; i++)
		print_line(&jobs[i], cell_i64(rowset_get(rows, i, "queryid"), 0));
	status = 0;
out:
	if (status)
		error_report(&err);
	rowset_unref(rows);
	whatif_close(w);
	arena_release(&arena);
	return status;
}
