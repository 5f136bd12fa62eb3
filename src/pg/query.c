/*
 * The table of named queries, and their texts for one server. Conditions are decided from the
 * catalog, never from a version number: vendors back-port and leave out columns. They are collected
 * from the texts once, so that one query at connect answers all of them.
 */
#include "config.h"

#include "pg/query.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

enum { MAX_CONDS = 512, MAX_TEXT = 1 << 18 };

struct conds {
	const char *names[MAX_CONDS];
	int n;
	int nqueries;
	char *array;
};

static struct conds conds; /* written once, under once */
static pthread_once_t conds_once = PTHREAD_ONCE_INIT;

struct pg_catalog {
	bool holds[MAX_CONDS];
	char *pgss;   /* quoted schema of pg_stat_statements, or NULL */
	char **texts; /* by query index, made on demand */
};

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Skips the '!' of s. */
static const char *
positive(const char *s)
{
	return *s == '!' ? s + 1 : s;
}

static void
add_condition(const char *s, size_t len)
{
	if (len && *s == '!') {
		s++;
		len--;
	}
	if (!len)
		return;
	for (int i = 0; i < conds.n; i++)
		if (strlen(conds.names[i]) == len && memcmp(conds.names[i], s, len) == 0)
			return;
	if (conds.n == MAX_CONDS)
		fatal("more than %d conditions in the query texts", MAX_CONDS);
	conds.names[conds.n++] = xstrndup(s, len);
}

static void
collect_conditions(const struct pg_query *q)
{
	for (const char *s = q->text; (s = strstr(s, "/*if "));) {
		s += strlen("/*if ");
		s += strspn(s, " ");
		const char *end = strstr(s, "*/");
		if (!end)
			fatal("query %s: a condition is not closed", q->name);
		add_condition(s, (size_t)(end - s));
		s = end;
	}
	for (const char *s = q->requires; *s;) {
		size_t len = strcspn(s, " ");
		add_condition(s, len);
		s += len;
		s += strspn(s, " ");
	}
}

static void
conds_init(void)
{
	for (const struct pg_query *q = pg_queries; q->name; q++) {
		collect_conditions(q);
		conds.nqueries++;
	}
	qsort(conds.names, (size_t)conds.n, sizeof(conds.names[0]), compare_names);

	struct strbuf sb = STRBUF_INIT(MAX_TEXT);
	strbuf_addc(&sb, '{');
	for (int i = 0; i < conds.n; i++)
		strbuf_addf(&sb, "%s\"%s\"", i ? "," : "", conds.names[i]);
	strbuf_addc(&sb, '}');
	conds.array = strbuf_take(&sb);
}

const struct pg_query *
pg_query_by_name(const char *name)
{
	pthread_once(&conds_once, conds_init);
	int low = 0, high = conds.nqueries;
	while (low < high) {
		int mid = (low + high) / 2;
		int order = strcmp(name, pg_queries[mid].name);
		if (order == 0)
			return &pg_queries[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	/* The build sorts in C order; a table made otherwise is still searched. */
	for (const struct pg_query *q = pg_queries; q->name; q++)
		if (strcmp(q->name, name) == 0)
			return q;
	return NULL;
}

int
pg_query_count(void)
{
	pthread_once(&conds_once, conds_init);
	return conds.nqueries;
}

int
pg_query_index(const struct pg_query *q)
{
	return (int)(q - pg_queries);
}

const char *const *
pg_conditions(int *n)
{
	pthread_once(&conds_once, conds_init);
	*n = conds.n;
	return conds.names;
}

const char *
pg_conditions_array(void)
{
	pthread_once(&conds_once, conds_init);
	return conds.array;
}

/* "name" with quotes doubled. */
static char *
quote_identifier(const char *name)
{
	struct strbuf sb = STRBUF_INIT(1024);
	strbuf_addc(&sb, '"');
	for (; *name; name++) {
		if (*name == '"')
			strbuf_addc(&sb, '"');
		strbuf_addc(&sb, *name);
	}
	strbuf_addc(&sb, '"');
	return strbuf_take(&sb);
}

struct pg_catalog *
pg_catalog_new(const int64_t *ords, size_t n, const char *pgss_schema)
{
	pthread_once(&conds_once, conds_init);
	struct pg_catalog *cat = xcalloc(1, sizeof(*cat));
	cat->texts = xcalloc((size_t)conds.nqueries, sizeof(*cat->texts));
	for (size_t i = 0; i < n; i++)
		if (ords[i] >= 1 && ords[i] <= conds.n)
			cat->holds[ords[i] - 1] = true;
	if (pgss_schema && *pgss_schema)
		cat->pgss = quote_identifier(pgss_schema);
	return cat;
}

void
pg_catalog_free(struct pg_catalog *cat)
{
	if (!cat)
		return;
	for (int i = 0; i < conds.nqueries; i++)
		free(cat->texts[i]);
	free(cat->texts);
	free(cat->pgss);
	free(cat);
}

bool
pg_catalog_equal(const struct pg_catalog *a, const struct pg_catalog *b)
{
	return memcmp(a->holds, b->holds, sizeof(a->holds)) == 0 &&
	    strcmp(a->pgss ? a->pgss : "", b->pgss ? b->pgss : "") == 0;
}

static bool
holds(const struct pg_catalog *cat, const char *cond, size_t len)
{
	bool wanted = true;
	if (len && *cond == '!') {
		wanted = false;
		cond++;
		len--;
	}
	bool found = false;
	for (int i = 0; cat && i < conds.n && !found; i++)
		found = cat->holds[i] && strlen(conds.names[i]) == len &&
		    memcmp(conds.names[i], cond, len) == 0;
	return found == wanted;
}

bool
pg_catalog_has(const struct pg_catalog *cat, const char *cond)
{
	return holds(cat, positive(cond), strlen(positive(cond))) == (*cond != '!');
}

bool
pg_catalog_supports(const struct pg_catalog *cat, const struct pg_query *q, struct error *err)
{
	for (const char *s = q->requires; *s;) {
		size_t len = strcspn(s, " ");
		if (!holds(cat, s, len)) {
			size_t what = strcspn(q->too_old, "|");
			if (!*q->too_old)
				error_set(err, ERR_UNSUPPORTED, "this server does not have %.*s",
				    (int)len, s);
			else
				error_set(err, ERR_UNSUPPORTED, "%.*s", (int)what, q->too_old);
			if (q->too_old[what] == '|')
				error_hint(err, "%s", q->too_old + what + 1);
			return false;
		}
		s += len;
		s += strspn(s, " ");
	}
	return true;
}

/* Append s with @pgss@ replaced. */
static void
add_text(struct strbuf *out, const struct pg_catalog *cat, const char *s, size_t len)
{
	static const char mark[] = "@pgss@";
	const char *end = s + len;
	while (s < end) {
		const char *at = memmem(s, (size_t)(end - s), mark, strlen(mark));
		strbuf_add(out, s, (size_t)((at ? at : end) - s));
		if (!at)
			return;
		strbuf_adds(out, cat && cat->pgss ? cat->pgss : "public");
		s = at + strlen(mark);
	}
}

static char *
expand(const struct pg_catalog *cat, const struct pg_query *q)
{
	struct strbuf out = STRBUF_INIT(MAX_TEXT);
	const char *s = q->text;
	for (const char *mark; (mark = strstr(s, "/*if "));) {
		const char *cond = mark + strlen("/*if ");
		cond += strspn(cond, " ");
		const char *cond_end = strstr(cond, "*/");
		const char *other = cond_end ? strstr(cond_end, "/*else") : NULL;
		const char *end = other ? strstr(other, "*/") : NULL;
		if (!end)
			fatal("query %s: a condition is not closed", q->name);
		add_text(&out, cat, s, (size_t)(mark - s));
		if (holds(cat, cond, (size_t)(cond_end - cond))) {
			const char *then = cond_end + 2;
			add_text(&out, cat, then, (size_t)(other - then));
		} else {
			other += strlen("/*else");
			add_text(&out, cat, other, (size_t)(end - other));
		}
		s = end + 2;
	}
	add_text(&out, cat, s, strlen(s));
	if (out.cut)
		fatal("query %s is too long", q->name);
	return strbuf_take(&out);
}

const char *
pg_catalog_text(struct pg_catalog *cat, const struct pg_query *q)
{
	if (!cat)
		return q->text;
	char **text = &cat->texts[pg_query_index(q)];
	if (!*text)
		*text = expand(cat, q);
	return *text;
}
