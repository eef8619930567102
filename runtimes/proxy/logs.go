package main

import (
	"os"
	"strings"
	"sync"
	"syscall"
)

// logStream is one of the container's two output streams, shared by a child's output and the proxy's own lines.
type logStream struct {
	mu        sync.Mutex
	out       *os.File
	lineStart bool
}

func newLogStream(out *os.File) *logStream {
	return &logStream{out: out, lineStart: true}
}

func (s *logStream) write(text []byte) {
	if len(text) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.Write(text) // nobody to tell when the reader is gone
	s.lineStart = text[len(text)-1] == '\n'
}

// line writes a line of the proxy's own.
func (s *logStream) line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beginLine()
	s.out.WriteString(strings.TrimRight(text, "\n") + "\n")
}

// mark ends an activation: a sentinel on a line of its own.
func (s *logStream) mark() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lineStart {
		s.out.WriteString(sentinel)
	} else {
		s.out.WriteString("\n" + sentinel)
	}
	s.lineStart = true
}

func (s *logStream) beginLine() {
	if !s.lineStart {
		s.out.WriteString("\n")
		s.lineStart = true
	}
}

// logs are both streams.
type logs struct{ stdout, stderr *logStream }

func openLogs() logs {
	return logs{newLogStream(os.Stdout), newLogStream(os.Stderr)}
}

func (l logs) mark() {
	l.stdout.mark()
	l.stderr.mark()
}

// pump carries what a child writes on one stream to the container's. The pipe between is what lets the proxy know that
// all output of an activation has passed, and whether its last line is complete.
type pump struct {
	to   *logStream
	raw  syscall.RawConn
	from *os.File
	mu   sync.Mutex
	buf  [16 << 10]byte
}

// startPump returns the pump and the end of the pipe that the child gets; the caller closes that.
func startPump(to *logStream) (*pump, *os.File, error) {
	from, into, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	raw, err := from.SyscallConn()
	if err != nil {
		from.Close()
		into.Close()
		return nil, nil, err
	}
	p := &pump{to: to, raw: raw, from: from}
	go func() {
		raw.Read(func(fd uintptr) bool {
			for {
				if _, state := p.move(fd); state != moved {
					return state == ended
				}
			}
		})
		from.Close()
	}()
	return p, into, nil
}

// drain returns when what the child had written before the call is on the container's stream.
func (p *pump) drain() {
	p.raw.Control(func(fd uintptr) {
		for total := 0; total < pipeBytes; {
			n, state := p.move(fd)
			if state != moved {
				return
			}
			total += n
		}
	})
}

type moveState int

const (
	moved moveState = iota
	empty
	ended
)

// move carries one buffer, if there is something in the pipe.
func (p *pump) move(fd uintptr) (int, moveState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		n, err := syscall.Read(int(fd), p.buf[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return 0, empty
		case err != nil || n <= 0:
			return 0, ended
		}
		p.to.write(p.buf[:n])
		return n, moved
	}
}
