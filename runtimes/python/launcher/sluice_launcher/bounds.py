"""Limits of the server, all in one place. Time limits of /init and /run belong to the invoker (runtimes.md §1.1)."""

# A request body: base64 of 48 MiB of code is 64 MiB, and JSON comes on top (§1.1).
BODY_BYTES_MAX = 80 * 1024 * 1024
# A request's head.
HEAD_BYTES_MAX = 16 * 1024
# One answer of the action's process.
REPLY_BYTES_MAX = 80 * 1024 * 1024
# Entries of an action archive (§4.3).
ARCHIVE_ENTRIES_MAX = 100_000
# Bytes of an action archive once unpacked (§4.3).
ARCHIVE_BYTES_MAX = 1024 * 1024 * 1024
# A symbolic link's target inside an archive: Linux allows no longer path.
LINK_BYTES_MAX = 4096
# A pipe's capacity: what was in it at one moment has been read after so many bytes.
PIPE_BYTES = 64 * 1024
# How often a container that is a process looks whether its hub is still there.
PARENT_LOOK_S = 1.0
# `pip install` at init.
INSTALL_S_MAX = 120
