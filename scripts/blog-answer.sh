#!/usr/bin/env bash
# Answers a question in one paragraph: scripts/blog-answer.sh [--short] [-c COLLECTION] QUESTION
# In the way of the article that ragqa follows: passages like the question are piped into a Llama together with it.
# --short leaves finding and writing to `ragqa ask`, which cites your files and not the lines of a pipe.
# Without -c all collections are searched. Exit codes are those of ragqa.
set -euo pipefail

usage() {
  echo "usage: ${0##*/} [--short] [-c COLLECTION] QUESTION" >&2
  exit 2
}

short='' collection=''
while (($# > 1)); do
  case $1 in
    --short) short=1 ;;
    -c)
      collection=$2
      shift
      ;;
    --) ;;
    *) usage ;;
  esac
  shift
done
[[ ${1:-} && ! $1 =~ ^(-h|--help|--short|-c)$ ]] || usage
question=$1

# The ragqa that is on the PATH, or else the one beside this script, also when it is called through a symbolic link.
# By its path: where PATH has none, bash would take a folder `ragqa` for it.
if ! ragqa=$(type -P ragqa) || [[ -d $ragqa ]]; then
  source=${BASH_SOURCE[0]}
  while [[ -L $source ]]; do
    folder=$(cd -P "${source%/*}" && pwd)
    source=$(readlink "$source")
    [[ $source == /* ]] || source=$folder/$source
  done
  [[ $source == */* ]] || source=./$source
  root=$(cd -P "${source%/*}/.." && pwd)
  ragqa=$root/.venv/bin/ragqa
fi
[[ -x $ragqa ]] || { echo "${0##*/}: ragqa is not installed; scripts/setup does that" >&2; exit 127; }

if [[ $short ]]; then
  exec "$ragqa" ask --plain ${collection:+-c "$collection"} -- "$question"
fi

command -v jq >/dev/null || { echo "${0##*/}: jq is not installed; --short does without it" >&2; exit 2; }
passages=$("$ragqa" similar ${collection:+"$collection"} -n 5 -c "query: $question" | jq -r '.content + "\n"')
"$ragqa" ask --with - -t paragraph -s 'You answer questions as a single paragraph' -- "$question" <<<"$passages"
