package main

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

type echo struct{ started, release chan struct{} }

func (e echo) init(body []byte) answer { return answer{200, body} }
func (e echo) run(body []byte) answer {
	if e.started != nil {
		e.started <- struct{}{}
		<-e.release
	}
	return answer{200, body}
}

func serveEcho(t *testing.T, r runtime) (*server, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := newServer(r)
	go s.serve(listener)
	return s, listener.Addr().String()
}

// exchange sends raw bytes and reads everything until the server closes.
func exchange(t *testing.T, address, text string) string {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(5 * time.Second))
	connection.Write([]byte(text))
	connection.(*net.TCPConn).CloseWrite()
	var out strings.Builder
	bufio.NewReader(connection).WriteTo(&out)
	return out.String()
}

func TestServerSpeaksHTTP(t *testing.T) {
	_, address := serveEcho(t, echo{})
	for text, expected := range map[string]string{
		"POST /run HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}":                                                  "200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
		"POST /run?x=1 HTTP/1.0\r\ncontent-length:2\r\n\r\n[]":                                               "Connection: close\r\n\r\n[]",
		"POST /init HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\nT: 1\r\n\r\n": "\r\n\r\n{}",
		"POST /run HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}":                          "100 Continue\r\n\r\nHTTP/1.1 200",
		"GET /run HTTP/1.1\r\n\r\n":                                                                          "405 Method Not Allowed",
		"POST /foo HTTP/1.1\r\n\r\n":                                                                         "404 Not Found",
		"POST /run HTTP/1.1\r\nContent-Length: 83886081\r\n\r\n":                                             "413 Payload",
		"nonsense\r\n\r\n": "400 Bad Request",
		"POST /run HTTP/1.1\r\nContent-Length: -1\r\n\r\n":                   "400 Bad Request",
		"POST /run HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n":      "400 Bad Request",
		"POST /run HTTP/1.1\r\nX: " + strings.Repeat("x", 9000) + "\r\n\r\n": "400 Bad Request",
	} {
		if found := exchange(t, address, text); !strings.Contains(found, expected) {
			t.Errorf("%q answers %q", text, found)
		}
	}
	two := exchange(t, address, strings.Repeat("POST /run HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 2))
	if strings.Count(two, "200 OK") != 2 {
		t.Errorf("two requests on one connection: %q", two)
	}
}

func TestServerDrains(t *testing.T) {
	e := echo{make(chan struct{}), make(chan struct{})}
	s, address := serveEcho(t, e)
	answered := make(chan int)
	go func() {
		response, err := http.Post("http://"+address+"/run", "", strings.NewReader("{}"))
		if err != nil {
			answered <- 0
			return
		}
		answered <- response.StatusCode
	}()
	<-e.started
	drained := make(chan struct{})
	go func() {
		s.drain()
		close(drained)
	}()
	for exchange(t, address, "POST /foo HTTP/1.0\r\n\r\n")[9:12] != "503" {
	}
	select {
	case <-drained:
		t.Fatal("a run is still going")
	default:
	}
	close(e.release)
	if status := <-answered; status != 200 {
		t.Error(status)
	}
	<-drained
}
