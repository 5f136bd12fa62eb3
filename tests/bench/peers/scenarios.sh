#!/usr/bin/env bash
# scenarios.sh - measure programs side by side in every scenario: cluster.sh makes the
# servers and the load, tuibench.py measures.  doc/benchmarks.md says what each scenario is for.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() {
  cat <<'USAGE'
Usage: scenarios.sh --dir DIR [OPTION...] [SCENARIO...]

  --dir DIR        for the throw-away clusters (required; two are made there when needed)
  --out FILE       reports, one JSON object a line, appended (default DIR/results.jsonl)
  --tools FILE     the programs (default tools.json beside this script)
  --only A,B,...   programs of the sessions view (default pg_activity,pg_top,pgcenter,psql,floor);
                   a program's entries NAME:statements and NAME:tables come along where they belong
  --repeat N       (default 3)
  --duration S     seconds counted in each run (default 60)
  --port PORT      first of the ports used (default 54500; up to PORT+11)
  --keep           leave the clusters running

Scenarios (default: all): idle main busy statements tables rtt50 rtt150 freeze quit cut stall
USAGE
}

dir='' out='' tools=$here/tools.json only=pg_activity,pg_top,pgcenter,psql,floor
repeat=3 duration=60 port=54500 keep=0 scenarios=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --dir) dir=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --tools) tools=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    --repeat) repeat=$2; shift 2 ;;
    --duration) duration=$2; shift 2 ;;
    --port) port=$2; shift 2 ;;
    --keep) keep=1; shift ;;
    -h|--help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) scenarios+=("$1"); shift ;;
  esac
done
[[ -n $dir ]] || { usage >&2; exit 2; }
[[ ${#scenarios[@]} -gt 0 ]] ||
  scenarios=(idle main busy statements tables rtt50 rtt150 freeze quit cut stall)
mkdir -p "$dir"
out=${out:-$dir/results.jsonl}
main=$dir/main many=$dir/many

cluster() { "$here/cluster.sh" "$@"; }
finish() {
  [[ $keep -eq 0 ]] || return 0
  local d
  for d in "$main" "$many"; do
    if [[ -f $d/cluster.env ]]; then cluster stop --dir "$d"; fi
  done
}
trap finish EXIT

# with SUFFIX: the names of --only that have an entry NAME:SUFFIX in the tools file
with() {
  python3 -c '
import json, sys
tools, only, suffix = json.load(open(sys.argv[1])), sys.argv[2].split(","), sys.argv[3]
print(",".join(f"{n}:{suffix}" for n in only if f"{n}:{suffix}" in tools))' "$tools" "$only" "$1"
}

# measure LABEL CLUSTER-DIR DATABASE NAMES [tuibench options]
measure() {
  local label=$1 d=$2 db=$3 names=$4 p=$port
  shift 4
  [[ -n $names ]] || return 0
  if [[ $d == "$many" ]]; then p=$((port + 10)); fi
  python3 "$here/tuibench.py" suite --tools "$tools" --only "$names" --label "$label" --out "$out" \
    --repeat "$repeat" --port "$p" --dbname "$db" --data-dir "$d/primary" --presses 0 \
    --duration "$duration" "$@"
}

load() { # load [cluster.sh options]: the main cluster under exactly this load
  cluster start --dir "$main" --port "$port"
  cluster unload --dir "$main"
  if [[ $# -gt 0 ]]; then cluster load --dir "$main" "$@"; fi
}
main_load=(--idle 50 --active 8)
keys=(--presses 10 --press-gap 3.2 4.4)

for scenario in "${scenarios[@]}"; do
  echo "scenarios.sh: $scenario" >&2
  case $scenario in
    idle)   load
            measure idle "$main" bench "$only" ;;
    main)   load "${main_load[@]}"
            measure main "$main" bench "$only" "${keys[@]}" ;;
    busy)   load --idle 500 --active 20 --lock-chains 4 --lock-depth 5
            measure busy "$main" bench "$only" "${keys[@]}" ;;
    rtt50)  load "${main_load[@]}"
            measure rtt50 "$main" bench "$only" --delay-ms 25 "${keys[@]}" ;;
    rtt150) load "${main_load[@]}"
            measure rtt150 "$main" bench "$only" --delay-ms 75 "${keys[@]}" ;;
    freeze) load "${main_load[@]}"
            measure freeze "$main" bench "$only" --duration 0 --freeze 10 ;;
    quit)   load "${main_load[@]}"
            measure quit "$main" bench "$only" --duration 0 --freeze 4 --quit-frozen ;;
    cut)    load "${main_load[@]}"
            measure cut "$main" bench "$only" --duration 0 --cut close --cut-for 8 ;;
    stall)  load "${main_load[@]}"
            measure stall "$main" bench "$only" --duration 0 --cut stall --cut-for 10 ;;
    statements)
            load "${main_load[@]}" --statements 5000
            measure statements "$main" bench "$only"
            measure statements-view "$main" bench "$(with statements)" "${keys[@]}"
            # the other scenarios are to have a small pg_stat_statements
            cluster destroy --dir "$main" ;;
    tables) cluster start --dir "$many" --port $((port + 10)) --tables 10000 --indexes 2
            measure tables "$many" many "$only"
            measure tables-view "$many" many "$(with tables)" "${keys[@]}"
            cluster stop --dir "$many" ;;
    *) echo "scenarios.sh: no scenario $scenario" >&2; exit 2 ;;
  esac
done
python3 "$here/tuibench.py" compare "$out"
