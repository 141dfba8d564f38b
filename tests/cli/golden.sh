#!/bin/bash
# golden.sh - write the expected transcripts anew and show what changed
set -eu
cd "$(dirname "$0")/../.."
BATTEN=$(realpath "${BATTEN_BUILD:-build}")/batten
export BATTEN
mkdir -p tests/cli/golden
GOLDEN='write' bats tests/cli/golden.bats
git --no-pager diff --stat -- tests/cli/golden
git --no-pager diff -- tests/cli/golden
git ls-files --others --exclude-standard -- tests/cli/golden | sed 's/^/new: /'
