#!/bin/sh
# The whole chain on a corpus that it generates: PDFs -> figures -> records -> labels -> split -> run -> report.
# Usage: sh data/demo.sh [DIR]    Review happens in Label Studio where a token is set, else by the label rules.
set -eu

dir=${1:-.demo}
say() { printf '\n$ %s\n' "$*"; "$@"; }

if [ -e "$dir" ] && [ -n "$(ls -A -- "$dir")" ] && [ ! -e "$dir/.polydata-demo" ]; then
    echo "$dir holds other files. Name a new or an empty folder, or one of an earlier demo." >&2
    exit 7
fi
mkdir -p -- "$dir"
: > "$dir/.polydata-demo"
rm -rf -- "$dir/corpus" "$dir/workspace" "$dir/report.html"  # what an earlier demo left
say polydata demo-corpus "$dir/corpus"
say polydata init "$dir/workspace"
POLYDATA_WORKSPACE=$(cd "$dir/workspace" && pwd)
export POLYDATA_WORKSPACE

say polydata extract "$dir/corpus/papers"
say polydata screen
say polydata records import "$dir/corpus/records.csv"
say polydata join
if [ -z "${POLYDATA_LABEL_STUDIO_TOKEN:-}" ]; then
    echo "No Label Studio token is set: labels come from the records and the label rules."
elif say polydata label push; then
    if [ -t 0 ]; then
        printf 'Review as many images as you like, then press Enter. '
        read -r _
    fi
    say polydata label pull
else
    echo "Label Studio could not be used (see above): labels come from the records and the label rules."
fi
say polydata build-split v1
say polymodel train v1 --name demo
say polymodel evaluate demo
say polymodel report demo --output "$dir/report.html"
say polydata status
printf '\nThe report: %s\n' "$(cd "$dir" && pwd)/report.html"
