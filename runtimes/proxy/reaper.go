package main

import (
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// children are the processes that the proxy itself waits for. As a container's first process it inherits whatever its
// children leave behind, and has to take the dead ones off the table as well.
type children struct {
	mu  sync.Mutex
	own map[int]bool
}

var knownChildren = children{own: map[int]bool{}}

func (k *children) start(cmd *exec.Cmd) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	k.own[cmd.Process.Pid] = true
	return nil
}

func (k *children) wait(cmd *exec.Cmd) {
	cmd.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.own, cmd.Process.Pid)
}

// reapOrphans works for as long as the process lives, if that is the first of its container.
func (k *children) reapOrphans() {
	if os.Getpid() != 1 {
		return
	}
	died := make(chan os.Signal, 1)
	signal.Notify(died, syscall.SIGCHLD)
	go func() {
		for range died {
			for k.reapOne() {
			}
		}
	}()
}

// reapOne takes one dead process off the table; false when there is none.
func (k *children) reapOne() bool {
	pid := peekDead()
	if pid <= 0 {
		return false
	}
	k.mu.Lock()
	own := k.own[pid]
	k.mu.Unlock()
	if own {
		// Its own waiter is about to take it; others may stand behind it.
		time.Sleep(time.Millisecond)
		return true
	}
	syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
	return true
}
