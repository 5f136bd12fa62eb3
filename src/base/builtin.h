/* Text files that are compiled in: keymaps, themes, and what the lab loads. */
#ifndef PGMEDIC_BASE_BUILTIN_H
#define PGMEDIC_BASE_BUILTIN_H

struct builtin_file {
	const char *name; /* "keymaps/vim.keys", "themes/dark.theme", "guide/schema.sql" */
	const char *text;
};

/* All of them, sorted by name; a NULL name ends the list. Generated. */
extern const struct builtin_file builtin_files[];
/* The text of a file, NULL when there is none of that name. Any thread. */
const char *builtin_file(const char *name);

#endif
