package main

import (
	"encoding/json"
	"net"
	"os"
	"sync"
)

// answer is what goes back over HTTP: a status and a body that is JSON already.
type answer struct {
	status int
	body   []byte
}

func failure(status int, text string) answer {
	body, _ := json.Marshal(map[string]string{"error": text})
	return answer{status, body}
}

// runtime is what stands behind the two routes.
type runtime interface {
	// init answers /init with the whole body.
	init(body []byte) answer
	// run answers /run with the whole body.
	run(body []byte) answer
}

// server serves /init and /run and stops in order (runtimes.md §1.1, PROTO-31).
type server struct {
	runtime runtime

	mu       sync.Mutex
	open     int
	draining bool
	idle     chan struct{}
}

func newServer(r runtime) *server {
	return &server{runtime: r, idle: make(chan struct{})}
}

// serve answers until the listener is closed.
func (s *server) serve(listener net.Listener) error {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go serveConnection(connection, s.handle)
	}
}

func (s *server) handle(r request, respond func(answer) error) error {
	if !s.enter() {
		return respond(failure(503, textShuttingDown))
	}
	defer s.leave()
	return respond(s.answer(r))
}

func (s *server) answer(r request) answer {
	handle := s.runtime.run
	switch r.path {
	case "/run":
	case "/init":
		handle = s.runtime.init
	default:
		return failure(404, textNotFound)
	}
	if r.method != "POST" {
		return failure(405, textMethod)
	}
	return handle(r.body)
}

func (s *server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.open++
	return true
}

func (s *server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.draining && s.open == 0 {
		close(s.idle)
	}
}

// drain refuses what is new and returns when the last answer is written.
func (s *server) drain() {
	s.mu.Lock()
	s.draining = true
	if s.open == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
	<-s.idle
}

// listen opens the unix socket or the port. The hub is another user than the action: everybody who can reach the
// socket's folder may connect.
func listen(s settings) (net.Listener, error) {
	if s.socket == "" {
		return net.Listen("tcp", "0.0.0.0:"+s.port)
	}
	os.Remove(s.socket)
	listener, err := net.Listen("unix", s.socket)
	if err == nil {
		err = os.Chmod(s.socket, 0o666)
	}
	return listener, err
}
