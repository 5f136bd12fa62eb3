/* Networks in CIDR notation. Pure. */
#ifndef PGMEDIC_OPS_CONNECT_CIDR_H
#define PGMEDIC_OPS_CONNECT_CIDR_H

#include <stdbool.h>

/* Length of the prefix when the address is in the network ("10.0.0.0/16", "::/0", one address);
 * -1: it is not, or one of them is none. */
int cidr_match(const char *cidr, const char *address);

#endif
