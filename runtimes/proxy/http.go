package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
)

// request is one HTTP request, read whole.
type request struct {
	method, path string
	body         []byte
	// Whether the connection ends with the answer.
	last bool
}

var (
	errTooLarge   = errors.New("The request body exceeds " + strconv.Itoa(bodyBytesMax) + " bytes.")
	errBadRequest = errors.New("malformed request")
)

// Go's own HTTP server would be most of the proxy's memory and a third of its time. All that talks to this one is an
// invoker, and all it says is a POST with a JSON body: HTTP/1.1 with keep-alive, lengths and chunks, nothing else.
//
// serveConnection answers one connection's requests in turn; `handle` is done with one when the answer is written. No wait
// has a time limit: the invoker owns those.
func serveConnection(connection net.Conn, handle func(r request, respond func(answer) error) error) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for {
		r, err := readRequest(reader, connection)
		switch {
		case err == errTooLarge:
			writeAnswer(connection, failure(413, err.Error()), true)
			// A client that still sends would not see the answer.
			io.CopyN(io.Discard, reader, bodyBytesMax)
			return
		case err == errBadRequest:
			writeAnswer(connection, failure(400, "Error reading request body: "+err.Error()), true)
			return
		case err != nil:
			return
		}
		respond := func(a answer) error { return writeAnswer(connection, a, r.last) }
		if err := handle(r, respond); err != nil || r.last {
			return
		}
	}
}

func readRequest(reader *bufio.Reader, connection io.Writer) (request, error) {
	line, err := readLine(reader)
	if err != nil {
		return request{}, err
	}
	words := strings.Split(line, " ")
	if len(words) != 3 || !strings.HasPrefix(words[2], "HTTP/1.") {
		return request{}, errBadRequest
	}
	r := request{method: words[0], last: words[2] == "HTTP/1.0"}
	r.path, _, _ = strings.Cut(words[1], "?")
	length, chunked := 0, false
	for count := 0; ; count++ {
		line, err := readLine(reader)
		if err != nil {
			return request{}, err
		}
		if line == "" {
			break
		}
		name, value, found := strings.Cut(line, ":")
		if !found || count == headersMax {
			return request{}, errBadRequest
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "content-length":
			if length, err = strconv.Atoi(value); err != nil || length < 0 {
				return request{}, errBadRequest
			}
		case "transfer-encoding":
			chunked = strings.EqualFold(value, "chunked")
			if !chunked {
				return request{}, errBadRequest
			}
		case "connection":
			r.last = strings.EqualFold(value, "close") || r.last && !strings.EqualFold(value, "keep-alive")
		case "expect":
			io.WriteString(connection, "HTTP/1.1 100 Continue\r\n\r\n")
		}
	}
	if chunked {
		r.body, err = readChunks(reader)
	} else if length > bodyBytesMax {
		err = errTooLarge
	} else if length > 0 {
		r.body = make([]byte, length)
		_, err = io.ReadFull(reader, r.body)
	}
	return r, err
}

func readChunks(reader *bufio.Reader) ([]byte, error) {
	var body bytes.Buffer
	for {
		line, err := readLine(reader)
		if err != nil {
			return nil, err
		}
		digits, _, _ := strings.Cut(line, ";")
		size, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 32)
		if err != nil {
			return nil, errBadRequest
		}
		if size == 0 {
			return body.Bytes(), readTrailers(reader)
		}
		if body.Len()+int(size) > bodyBytesMax {
			return nil, errTooLarge
		}
		if _, err := io.CopyN(&body, reader, int64(size)); err != nil {
			return nil, err
		}
		if line, err := readLine(reader); err != nil || line != "" {
			return nil, errBadRequest
		}
	}
}

func readTrailers(reader *bufio.Reader) error {
	for count := 0; count < headersMax; count++ {
		line, err := readLine(reader)
		if err != nil || line == "" {
			return err
		}
	}
	return errBadRequest
}

// readLine reads up to a line's end, which the reader's buffer must hold.
func readLine(reader *bufio.Reader) (string, error) {
	line, err := reader.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		return "", errBadRequest
	}
	return string(bytes.TrimRight(line, "\r\n")), err
}

var reasons = map[int]string{
	200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	413: "Payload Too Large", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
}

func writeAnswer(connection net.Conn, a answer, last bool) error {
	head := "HTTP/1.1 " + strconv.Itoa(a.status) + " " + reasons[a.status] +
		"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(a.body)) + "\r\n"
	if last {
		head += "Connection: close\r\n"
	}
	parts := net.Buffers{[]byte(head + "\r\n"), a.body}
	_, err := parts.WriteTo(connection)
	return err
}
