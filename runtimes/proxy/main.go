// Command proxy is the server inside every image but Node's: /init and /run outside (runtimes.md §1), the ActionLoop
// protocol (§2) or a program for each run (§5.11) inside.
//
//	proxy                       serve
//	proxy -compile main         read code, write the zip of what the image's compiler makes of it
//	proxy -version
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

func main() {
	main := flag.String("compile", "", "read code on stdin, write the compiled zip for this `entry` to stdout")
	env := flag.String("env", "", "further variables for the compiler, as a `JSON` object")
	version := flag.Bool("version", false, "print the version")
	debugging := flag.Bool("debug", false, "allow a second init")
	flag.Parse()
	settings := readSettings()
	settings.debug = settings.debug || *debugging
	switch {
	case *version:
		fmt.Println("sluice proxy " + proxyVersion)
	case *main != "":
		if err := precompile(settings, *main, *env, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		if err := serve(settings); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// serve answers until the process is told to stop.
func serve(s settings) error {
	// Small in exchange for a little work: a container's memory is the action's.
	debug.SetGCPercent(50)
	knownChildren.reapOrphans()
	if err := openAPIDoor(); err != nil {
		return err
	}
	listener, err := listen(s)
	if err != nil {
		return err
	}
	os.Unsetenv("__OW_LISTEN_SOCKET")
	server := newServer(newRuntime(s, openLogs()))
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-told
		server.drain()
		os.Remove(s.socket)
		os.Exit(0)
	}()
	return server.serve(listener)
}

func newRuntime(s settings, l logs) runtime {
	if s.skeleton != "" {
		return newSkeleton(s, l)
	}
	return newActionLoop(s, l)
}
