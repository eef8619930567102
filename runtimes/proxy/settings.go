package main

import (
	"os"
	"strings"
)

// settings are the proxy's own configuration, from the variables of the image (runtimes.md §2.1).
type settings struct {
	compiler     string
	saveJar      string
	waitForAck   bool
	executionEnv string
	logInitError bool
	debug        bool
	// Command of a launcher that speaks frames; started before /init comes.
	launcher []string
	// Folder in which `action/<n>` is made.
	base string
	// The Docker skeleton's way: a program for each run. Its folder, empty where this is an ActionLoop proxy.
	skeleton    string
	stub        string
	allowReinit bool
	// Where to listen: a unix socket, or a port on 0.0.0.0.
	socket string
	port   string
}

func readSettings() settings {
	return settings{
		compiler:     os.Getenv("OW_COMPILER"),
		saveJar:      os.Getenv("OW_SAVE_JAR"),
		waitForAck:   os.Getenv("OW_WAIT_FOR_ACK") != "",
		executionEnv: os.Getenv("OW_EXECUTION_ENV"),
		logInitError: os.Getenv("OW_LOG_INIT_ERROR") != "",
		debug:        os.Getenv("OW_DEBUG") != "",
		launcher:     strings.Fields(os.Getenv("SLUICE_LAUNCHER")),
		base:         valueOr("SLUICE_BASE", "."),
		skeleton:     os.Getenv("SLUICE_SKELETON"),
		stub:         os.Getenv("SLUICE_STUB"),
		allowReinit:  os.Getenv("PROXY_ALLOW_REINIT") == "1",
		socket:       os.Getenv("__OW_LISTEN_SOCKET"),
		port:         valueOr("FLASK_PROXY_PORT", "8080"),
	}
}

func valueOr(name, standard string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return standard
}
