#!/usr/bin/env bash
# Answers a question from a collection in one paragraph: scripts/blog-answer.sh [--short] [-c NAME] QUESTION
# In the way of the article that ragqa follows: passages like the question are piped into a Llama together with it.
# --short leaves finding and writing to `ragqa ask`, which cites your files and not the lines of a pipe.
# Exit codes are those of ragqa.
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

if [[ $short ]]; then
  exec ragqa ask --plain ${collection:+-c "$collection"} -- "$question"
fi

command -v jq >/dev/null || { echo "${0##*/}: jq is not installed; --short does without it" >&2; exit 2; }
passages=$(ragqa similar "${collection:-default}" -n 5 -c "query: $question" | jq -r '.content + "\n"')
ragqa ask --with - -t paragraph -s 'You answer questions as a single paragraph' -- "$question" <<<"$passages"
