# Fills a manual page: awk -f manual.awk PARTS PAGE. PARTS is what `pgmedic help manual` prints: parts in scdoc
# form, each after a line @@NAME@@. Such a line in PAGE is replaced by its part.

/^@@[A-Z_]+@@$/ {
	name = $0
	if (NR == FNR)
		next
	if (!(name in part)) {
		printf "%s:%d: the program has no part %s\n", FILENAME, FNR, name > "/dev/stderr"
		exit 1
	}
	printf "%s", part[name]
	next
}

NR == FNR {
	part[name] = part[name] $0 "\n"
	next
}

{ print }
