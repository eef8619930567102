package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// child is the program that the proxy drives: an action's own, or a launcher that loads it.
type child struct {
	channel channel
	replies chan reply
	exited  chan struct{}
	// How it ended; read it after `exited`.
	state  *os.ProcessState
	pid    int
	pumps  [2]*pump
	ends   [2]*os.File
	inStep bool
}

type childOptions struct {
	command []string
	folder  string
	env     environment
	frames  bool
	logs    logs
}

// startChild starts the program with stdin and descriptor 3 as its channel, and its output on the container's streams.
func startChild(o childOptions) (*child, error) {
	c := &child{replies: make(chan reply, 16), exited: make(chan struct{})}
	cmd := exec.Command(o.command[0], o.command[1:]...)
	cmd.Dir = o.folder
	cmd.Env = o.env.list()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var given []*os.File
	defer func() {
		for _, file := range given {
			file.Close()
		}
	}()
	stdin, into, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	given = append(given, stdin)
	from, out, err := os.Pipe()
	if err != nil {
		into.Close()
		return nil, err
	}
	given = append(given, out)
	cmd.Stdin = stdin
	cmd.ExtraFiles = []*os.File{out}
	c.ends = [2]*os.File{into, from}
	for i, stream := range []*logStream{o.logs.stdout, o.logs.stderr} {
		p, end, err := startPump(stream)
		if err != nil {
			c.closeEnds()
			return nil, err
		}
		given = append(given, end)
		c.pumps[i] = p
		if i == 0 {
			cmd.Stdout = end
		} else {
			cmd.Stderr = end
		}
	}
	if err := knownChildren.start(cmd); err != nil {
		c.closeEnds()
		return nil, err
	}
	c.pid = cmd.Process.Pid
	if o.frames {
		c.channel = &frames{into: into, from: bufio.NewReader(from)}
	} else {
		c.channel = &lines{into: into, from: bufio.NewReader(from)}
	}
	go func() {
		knownChildren.wait(cmd)
		c.state = cmd.ProcessState
		close(c.exited)
	}()
	go func() {
		for {
			r := c.channel.receive()
			c.replies <- r
			if r.err != nil {
				return
			}
		}
	}()
	return c, nil
}

var errExited = errors.New(textExited)

// request sends one request and waits for its reply; errExited when the child ends or closes its side instead.
func (c *child) request(body []byte) reply {
	if err := c.channel.send(body); err != nil {
		return reply{err: errExited}
	}
	return c.next()
}

func (c *child) next() reply {
	select {
	case r := <-c.replies:
		return r
	case <-c.exited:
	}
	// It may have answered before it ended.
	select {
	case r := <-c.replies:
		return r
	case <-time.After(exitDrain):
		return reply{err: errExited}
	}
}

// stray takes what the child wrote without being asked; true if there was something (runtimes.md §8, AL-11).
func (c *child) stray() bool {
	found := false
	for {
		select {
		case r := <-c.replies:
			if r.err != nil {
				c.replies <- r
				return found
			}
			found = true
		default:
			return found
		}
	}
}

// drain returns when all that the child has written so far is on the container's streams.
func (c *child) drain() {
	for _, p := range c.pumps {
		p.drain()
	}
}

func (c *child) hasExited() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

// wasKilled says whether a signal that nothing can refuse ended the child.
func (c *child) wasKilled() bool {
	status, ok := c.state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// end kills the child with all that it started.
func (c *child) end() {
	syscall.Kill(-c.pid, syscall.SIGKILL)
	<-c.exited
	c.drain()
	c.closeEnds()
}

func (c *child) closeEnds() {
	for _, end := range c.ends {
		end.Close()
	}
}

// acknowledged reads a line child's acknowledgement: nil, or the text that says what went wrong (§2.2).
func (c *child) acknowledged() error {
	r := c.next()
	if r.err != nil {
		return errors.New(textExitedEarly)
	}
	var ack struct{ OK bool }
	if err := json.Unmarshal(r.body, &ack); err != nil {
		return err
	}
	if !ack.OK {
		return errors.New(textNotInitialized)
	}
	return nil
}

// survivesStart is the check where nobody acknowledges.
func (c *child) survivesStart() error {
	select {
	case <-c.exited:
		return errors.New(textExited)
	case <-time.After(startWait):
		return nil
	}
}
