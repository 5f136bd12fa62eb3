# Sourced after lib.sh: AWS as moto plays it, which is not ours, and a witness of what is asked of it.
# shellcheck shell=sh disable=SC2154 # set by lib.sh

# start_moto: at $url
start_moto() {
	free_port
	url=http://127.0.0.1:$port
	spawn python3 "$SOURCE/tests/tool/aws_moto.py" serve "$port" "$TMP/witness" >"$TMP/moto.log" 2>&1
	wait_for 60 grep -q Running "$TMP/moto.log" || { cat "$TMP/moto.log"; skip_all "moto does not start"; }
}

# aws_fault LINE...: what is to go wrong, each once (tests/tool/aws_moto.py)
aws_fault() {
	printf '%s\n' "$@" >"$TMP/witness/faults"
}

# aws_refuses CODE [STATUS]: the answer with that error, for aws_fault
aws_refuses() {
	echo "status ${2:-400} <ErrorResponse><Error><Code>$1</Code><Message>no</Message></Error></ErrorResponse>"
}

# judged: all that was asked has the parameters that AWS's own models know, with their types and values, and all that
# they require
judged() {
	python3 "$SOURCE/tests/tool/aws_moto.py" judge "$TMP/witness" >"$TMP/judged" 2>&1
	like "requests are judged by botocore's models" "$(tail -n 1 "$TMP/judged")" '^judged [0-9]+ requests of [0-9]+ actions$'
	is "... and are as AWS has them" "$(grep -v '^judged' "$TMP/judged")" ""
}
