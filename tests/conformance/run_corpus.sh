#!/bin/bash
# Compares weir with the truth of the capture corpus: run_corpus.sh WEIR KNOWN DEFAULT_CORPUS
#
# The corpus is not part of the repository. WEIR_CORPUS names its folder; without it DEFAULT_CORPUS
# is tried, and where that is not there the test is skipped (status 77).
set -u
weir=$1 known=$2 corpus=${WEIR_CORPUS:-$3}
check=$corpus/check.py
if [[ ! -f $check ]]; then
  if [[ -n ${WEIR_CORPUS:-} ]]; then
    echo "WEIR_CORPUS names $corpus, and there is no check.py in it"
    exit 1
  fi
  echo "SKIPPED: the conformance corpus is not at $corpus; WEIR_CORPUS=FOLDER names another place"
  exit 77
fi
exec python3 "$check" --corpus "$corpus" --weir "$weir" --known "$known" \
  --require flows=1.0 --require records=1.0 --require streams=1.0 --require dedup=1.0 \
  flows records streams dedup
