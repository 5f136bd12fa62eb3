# Sourced after lib.sh: certificates of our own.
# shellcheck shell=sh

# make_ca NAME [DAYS]: NAME.crt and NAME.key in $TMP
make_ca() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "${2:-30}" -subj "/CN=$1" \
	    -keyout "$TMP/$1.key" -out "$TMP/$1.crt" >"$TMP/openssl.log" 2>&1 || cat "$TMP/openssl.log"
}

# make_cert FILE CA DAYS NAME...: FILE.crt and FILE.key in $TMP for the host names, signed by the CA
make_cert() {
	file=$1 ca=$2 days=$3
	shift 3
	names=''
	for name in "$@"; do
		names="$names${names:+,}DNS:$name"
	done
	printf 'subjectAltName=%s\n' "$names" >"$TMP/$file.ext"
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
	    -keyout "$TMP/$file.key" -out "$TMP/$file.csr" >"$TMP/openssl.log" 2>&1 &&
	    openssl x509 -req -in "$TMP/$file.csr" -CA "$TMP/$ca.crt" -CAkey "$TMP/$ca.key" -CAcreateserial \
		-days "$days" -extfile "$TMP/$file.ext" -out "$TMP/$file.crt" >>"$TMP/openssl.log" 2>&1 ||
	    cat "$TMP/openssl.log"
}
