#!/bin/sh
# Starts the runtime with a heap as large as the container: whoever needs more meets the container's limit, which the engine
# reports, and not V8's, which looks like a crash.
for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
  [ -r "$file" ] || continue
  read -r bytes <"$file"
  # "max", or a number beyond any machine, means no limit.
  case $bytes in
    *[!0-9]* | ??????????????*) ;;
    *) set -- "--max-old-space-size=$((bytes / 1048576))" ;;
  esac
  break
done
exec node --expose-gc "$@" /nodejsAction/src/server.js
