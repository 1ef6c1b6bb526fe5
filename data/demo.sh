#!/bin/sh
# The whole chain on a corpus that it generates: PDFs -> figures -> records -> labels -> split -> run -> report.
# Usage: sh data/demo.sh [DIR]    Review happens in Label Studio where a token is set, else by the label rules.
set -eu

dir=${1:-.demo}
say() { printf '\n$ %s\n' "$*"; "$@"; }

rm -rf "$dir"
mkdir -p "$dir"
say polydata demo-corpus "$dir/corpus"
say polydata init "$dir/workspace"
POLYDATA_WORKSPACE=$(cd "$dir/workspace" && pwd)
export POLYDATA_WORKSPACE

say polydata extract "$dir/corpus/papers"
say polydata screen
say polydata records import "$dir/corpus/records.csv"
say polydata join
if [ -n "${POLYDATA_LABEL_STUDIO_TOKEN:-}" ]; then
    say polydata label push
    say polydata label pull
else
    echo "No Label Studio token is set: labels come from the records and the label rules."
fi
say polydata build-split v1
say polymodel train --split v1 --name demo
say polymodel evaluate demo
say polymodel report demo --output "$dir/report.html"
say polydata status
printf '\nThe report: %s\n' "$(cd "$dir" && pwd)/report.html"
