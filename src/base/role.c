/* The list of roles as a table. */
#include "config.h"

#include "base/role.h"

#include <string.h>

const struct role_info role_infos[ROLE_COUNT] = {
#define X(sym, name, text) [ROLE_##sym] = { name, text },
	ROLE_LIST(X)
#undef X
};

int
role_by_name(const char *name)
{
	for (int i = 0; i < ROLE_COUNT; i++)
		if (strcmp(role_infos[i].name, name) == 0)
			return i;
	return -1;
}
