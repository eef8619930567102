package main

// The texts that OpenWhisk's clients and tests know, word for word (runtimes.md §1.2, §1.3, §2, §5.11).
const (
	textMissingCode       = "Missing main/no code to execute."
	textInitializedBefore = "Cannot initialize the action more than once."
	textNotReady          = "System not ready, status is running."
	textStarting          = "System not ready, status is starting."
	textShuttingDown      = "System not ready, it is shutting down."
	textNoBinary          = "The action failed to generate or locate a binary. See logs for details."
	textCannotStart       = "Cannot start action. Check logs for details."
	textCannotCompile     = "cannot compile"
	textNotInitialized    = "The action did not initialize properly."
	textExitedEarly       = "Command exited abruptly during initialization."
	textVersionMismatch   = "Execution environment version mismatch. See logs for details."
	textNoAction          = "no action defined yet"
	textExited            = "command exited"
	textNotDictionary     = "The action did not return a dictionary or array."
	textOutOfStep         = "The action wrote more than one line for a request."
	textNotFound          = "Not found."
	textMethod            = "Method not allowed."
	textNotLocated        = "The action failed to locate a binary. See logs for details."
	textArgument          = "The action did not receive a dictionary or array as an argument."
)

// sentinel ends an activation's log on each stream (§1.5).
const sentinel = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n"
