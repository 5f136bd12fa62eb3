# Sourced by src/try and tests/run: installs Debian or Ubuntu packages that are missing, and says so.
# shellcheck shell=sh disable=SC2034 # lists for those who source this

# The packages that a build needs, and those that the lab runs.
build_packages="gcc libc6-dev make pkg-config libncurses-dev libpq-dev libreadline-dev libsqlite3-dev libzstd-dev
libcjson-dev libinih-dev libssl-dev libcurl4-openssl-dev libexpat1-dev"
lab_packages="postgresql postgresql-contrib pgbouncer pgbackrest"
# What the lab's cloud is built with, and the client that tests it.
cloud_packages="libmicrohttpd-dev"
cloud_test_packages="awscli curl"
# Patroni with a store of its own, for its adapter's test.
ha_test_packages="patroni python3-pysyncobj"

have_package() {
	dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Installing a server must not start one: no default cluster when none of Debian's PostgreSQL is here yet, and
# no service of this installation.
keep_servers_down() {
	kept_down=''
	if ! have_package postgresql-common && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
		as_root mkdir -p /etc/postgresql-common
		echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
		echo "  (PostgreSQL will not make a default cluster: /etc/postgresql-common/createcluster.conf)" >&2
	fi
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
		as_root chmod 755 /usr/sbin/policy-rc.d
		kept_down=yes
	fi
}

# install_packages required|wished PACKAGE...: 1 when one that is required stays missing
install_packages() {
	kind=$1 missing=''
	shift
	command -v dpkg-query >/dev/null 2>&1 || {
		echo "This is not a Debian or Ubuntu; it should have what these packages bring: $*" >&2
		return 0
	}
	for package in "$@"; do
		have_package "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ] && ! { command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }; then
		echo "These packages are missing, and neither root nor sudo is at hand:$missing" >&2
		[ "$kind" = wished ]
		return
	fi
	echo "Installing with apt-get:$missing" >&2
	install_log=$(mktemp)
	trap 'exit 130' HUP INT TERM
	keep_servers_down
	apt='apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120'
	# An old or absent package list first; later a package that this release does not know is left out.
	# shellcheck disable=SC2086 # lists of words
	as_root env DEBIAN_FRONTEND=noninteractive $apt update >"$install_log" 2>&1
	known=''
	for package in $missing; do
		if apt-cache show "$package" >/dev/null 2>&1; then
			known="$known $package"
		fi
	done
	installed=no
	# shellcheck disable=SC2086
	if [ -n "$known" ] && as_root env DEBIAN_FRONTEND=noninteractive $apt install $known >>"$install_log" 2>&1; then
		installed=yes
	fi
	[ -z "$kept_down" ] || as_root rm -f /usr/sbin/policy-rc.d
	still=''
	for package in $missing; do
		have_package "$package" || still="$still $package"
	done
	if [ -n "$still" ]; then
		echo "Could not be installed:$still" >&2
		[ "$installed" = yes ] || tail -n 15 "$install_log" | sed 's/^/  | /' >&2
	fi
	rm -f "$install_log"
	[ "$kind" = wished ] || [ -z "$still" ]
}
