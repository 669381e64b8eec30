#!/bin/sh
# remembered.sh NAME COMMAND...: notes its own process id under NAME, then becomes COMMAND.
# stop.sh finds every process by these notes, also when supervisord itself was killed.
set -eu
# shellcheck source=scripts/processes.sh
. "$(dirname "$0")/../scripts/processes.sh"
name=$1
shift
remember $$ "$MP_RUN_DIR/$name.pid"
exec "$@"
