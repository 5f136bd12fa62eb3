/* Identifiers in the DDL that advice prints: quoted only where the server would not read them. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "advice/item.h"

/* Words that cannot name a column or table without quotes: reserved, and reserved but for functions
 * and types (postgres: src/include/parser/kwlist.h). Sorted. */
static const char *const reserved[] = { "all", "analyse", "analyze", "and", "any", "array", "as",
	"asc", "asymmetric", "authorization", "between", "bigint", "binary", "bit", "boolean",
	"both", "case", "cast", "char", "character", "check", "coalesce", "collate", "collation",
	"column", "concurrently", "constraint", "create", "cross", "current_catalog",
	"current_date", "current_role", "current_schema", "current_time", "current_timestamp",
	"current_user", "dec", "decimal", "default", "deferrable", "desc", "distinct", "do", "else",
	"end", "except", "exists", "extract", "false", "fetch", "float", "for", "foreign", "freeze",
	"from", "full", "grant", "greatest", "group", "grouping", "having", "ilike", "in",
	"initially", "inner", "inout", "int", "integer", "intersect", "interval", "into", "is",
	"isnull", "join", "json", "json_array", "json_arrayagg", "json_exists", "json_object",
	"json_objectagg", "json_query", "json_scalar", "json_serialize", "json_table", "json_value",
	"lateral", "leading", "least", "left", "like", "limit", "localtime", "localtimestamp",
	"merge_action", "national", "natural", "nchar", "none", "normalize", "not", "notnull",
	"null", "nullif", "numeric", "offset", "on", "only", "or", "order", "out", "outer",
	"overlaps", "overlay", "placing", "position", "precision", "primary", "real", "references",
	"returning", "right", "row", "select", "session_user", "setof", "similar", "smallint",
	"some", "substring", "symmetric", "system_user", "table", "tablesample", "then", "time",
	"timestamp", "to", "trailing", "treat", "trim", "true", "union", "unique", "user", "using",
	"values", "varchar", "variadic", "verbose", "when", "where", "window", "with",
	"xmlattributes", "xmlconcat", "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces",
	"xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable" };

static int
word_cmp(const void *key, const void *word)
{
	return strcmp(key, *(const char *const *)word);
}

static bool
is_plain(const char *name)
{
	if (!(*name >= 'a' && *name <= 'z') && *name != '_')
		return false;
	for (const char *p = name; *p; p++) {
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9') && *p != '_')
			return false;
	}
	return !bsearch(name, reserved, ARRAY_LEN(reserved), sizeof(*reserved), word_cmp);
}

const char *
advice_ident(struct arena *arena, const char *name)
{
	size_t len = strlen(name), n = 0;
	char *out;

	if (is_plain(name))
		return arena_strdup(arena, name);
	out = arena_alloc(arena, len * 2 + 3);
	out[n++] = '"';
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '"')
			out[n++] = '"';
		out[n++] = name[i];
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

const char *
advice_qualified(struct arena *arena, const char *schema, const char *table)
{
	return arena_printf(
	    arena, "%s.%s", advice_ident(arena, schema), advice_ident(arena, table));
}
