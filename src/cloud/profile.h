/*
 * The two files of AWS's own tools, ~/.aws/config and ~/.aws/credentials, as those tools read them:
 * what differs from other INI files is here (section names, nested blocks, merging). Of a key that
 * is twice in a section the last one counts, and a warning says so.
 */
#ifndef PGMEDIC_CLOUD_PROFILE_H
#define PGMEDIC_CLOUD_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/strbuf.h"

enum profile_kind { PROFILE_PROFILE, PROFILE_SSO_SESSION, PROFILE_SERVICES };

struct profile_entry {
	enum profile_kind kind;
	bool is_credentials;   /* of the credentials file, which wins */
	const char *name;      /* of the section: "default" */
	const char *key, *sub; /* lower case; sub: of a nested block, else "" */
	char *value;
};

struct profiles {
	struct arena arena;
	struct profile_entry *items;
	int n, cap;
	struct strbuf warnings; /* a line each */
	const char *config_path, *credentials_path;
};

/* Reads both files (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE); missing ones are empty. */
bool profiles_read(struct profiles *p, const char *credentials, struct error *err) MUST_CHECK;
/* One file's text; for tests and fuzzing. */
void profiles_parse(struct profiles *p, const char *text, size_t len, bool is_credentials);
void profiles_init(struct profiles *p);
void profiles_release(struct profiles *p); /* overwrites the values */

bool profile_exists(const struct profiles *p, const char *name);
/* NULL: not set. */
const char *profile_get(const struct profiles *p, const char *name, const char *key);
/* The same, only of one of the files. */
const char *profile_of_file(
    const struct profiles *p, const char *name, const char *key, bool is_credentials);
const char *profile_block(const struct profiles *p, enum profile_kind kind, const char *name,
    const char *key, const char *sub);
/* "~" and "$NAME" replaced, in the arena. */
const char *profile_path(struct arena *arena, const char *path);

#endif
