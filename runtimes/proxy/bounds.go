package main

import "time"

// The proxy's limits, all in one place. Time limits of /init and /run belong to the invoker (runtimes.md §1.1).
const (
	// A request body: base64 of 48 MiB of code is 64 MiB, and JSON comes on top (§1.1).
	bodyBytesMax = 80 << 20
	// One answer of a child.
	replyBytesMax = 80 << 20
	// Entries of an action archive (§4.3).
	archiveEntriesMax = 100_000
	// Bytes of an action archive once unpacked (§4.3).
	archiveBytesMax = 1 << 30
	// A symbolic link's target inside an archive: Linux allows no longer path.
	linkBytesMax = 4096
	// What a compiler's or an action's output may have before the rest is dropped (§2.2, §5.11).
	outputBytesMax = 16 << 20
	// The longest JSON that is also handed to `exec` as its argument: Linux allows no longer one (§5.11).
	argumentCharactersMax = 131_071
	// Where nobody acknowledges, a child that lives this long counts as started (§2.2).
	startWait = 5 * time.Millisecond
	// Connections of the action to the hub's API at once.
	doorConnectionsMax = 256
	// Lines of a request's head beside the first.
	headersMax = 100
	// What lies in the pipe of a child that has ended is read for this long.
	exitDrain = 200 * time.Millisecond
	// Output that a compiler's or a program's left-overs hold open is waited for so long.
	compilerDrain = time.Second
	// A pipe's capacity: what was in it at one moment has been read after so many bytes.
	pipeBytes = 64 << 10
)
