#!/usr/bin/env bash
# All tests with more rounds, more clients and longer waits: for a night, or for some files of it (scripts/test-long.sh FILE...).
set -euo pipefail
cd "$(dirname "$0")/.."
export TEST_LONG=1
export ABSURD_UPDATES=${ABSURD_UPDATES:-100000} CLAIMS_RUNS=${CLAIMS_RUNS:-50000} CRASH_ROUNDS=${CRASH_ROUNDS:-50}
export GFM_RUNS=${GFM_RUNS:-5000} READING_RUNS=${READING_RUNS:-5000} REAL_FILES=${REAL_FILES:-1}
export Y_PROVIDER_FUZZ_FRAMES=${Y_PROVIDER_FUZZ_FRAMES:-1000000} Y_PROVIDER_MODEL_STEPS=${Y_PROVIDER_MODEL_STEPS:-20000}
export HOSTILE_LENGTH=${HOSTILE_LENGTH:-200000} Y_PROVIDER_RUNS=${Y_PROVIDER_RUNS:-10}
export Y_PROVIDER_UPDATE_RUNS=${Y_PROVIDER_UPDATE_RUNS:-2000}
exec node scripts/test.mjs --timeout=0 "$@"
