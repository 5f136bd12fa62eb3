# The aws command-line client: loaded once where that can be done (Debian's, in Python), since tests call it a hundred times.
# shellcheck shell=sh
aws_program=/usr/bin/aws
[ -x "$aws_program" ] || aws_program=$(command -v aws) || skip_all "the aws command-line client is not installed"
if /usr/bin/python3 -c 'import awscli.clidriver' 2>/dev/null; then
	/usr/bin/python3 "$test_dir/../tool/aws_cli.py" serve "$TMP/aws.sock" &
	wait_for 30 test -S "$TMP/aws.sock"
	aws_cli() {
		/usr/bin/python3 -S -E "$test_dir/../tool/aws_cli.py" "$TMP/aws.sock" "$@"
	}
else
	aws_cli() {
		"$aws_program" "$@"
	}
fi
