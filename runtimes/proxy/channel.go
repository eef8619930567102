package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// reply is what a child answered to one request.
type reply struct {
	// In frames the launcher has judged its result itself; lines have none.
	status int
	body   []byte
	err    error
}

// channel carries requests to a child and its replies back: a JSON line each way for foreign programs (runtimes.md §2),
// length-prefixed frames where the other end is a launcher of ours (§2.4).
type channel interface {
	send(body []byte) error
	// receive blocks; io.EOF when the child closed its end.
	receive() reply
}

// lines is OpenWhisk's own protocol.
type lines struct {
	into *os.File
	from *bufio.Reader
}

func (l *lines) send(body []byte) error {
	line := make([]byte, 0, len(body)+1)
	for _, b := range body {
		// Inside of strings JSON has no line breaks, outside of them they mean nothing.
		if b != '\n' && b != '\r' {
			line = append(line, b)
		}
	}
	_, err := l.into.Write(append(line, '\n'))
	return err
}

func (l *lines) receive() reply {
	var line []byte
	for {
		part, err := l.from.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > replyBytesMax {
			return reply{err: fmt.Errorf("an answer of more than %d bytes", replyBytesMax)}
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil && len(line) == 0 {
			return reply{err: err}
		}
		return reply{body: bytes.TrimRight(line, "\r\n")}
	}
}

// frames: three big-endian 32-bit numbers (length of the body, id of the call, status), then the body.
type frames struct {
	into *os.File
	from *bufio.Reader
	call uint32
}

const frameHeaderBytes = 12

func (f *frames) send(body []byte) error {
	f.call++
	frame := make([]byte, frameHeaderBytes, frameHeaderBytes+len(body))
	binary.BigEndian.PutUint32(frame, uint32(len(body)))
	binary.BigEndian.PutUint32(frame[4:], f.call)
	_, err := f.into.Write(append(frame, body...))
	return err
}

func (f *frames) receive() reply {
	var header [frameHeaderBytes]byte
	if _, err := io.ReadFull(f.from, header[:]); err != nil {
		return reply{err: err}
	}
	length := binary.BigEndian.Uint32(header[:])
	if length > replyBytesMax {
		return reply{err: fmt.Errorf("an answer of more than %d bytes", replyBytesMax)}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(f.from, body); err != nil {
		return reply{err: err}
	}
	return reply{status: int(binary.BigEndian.Uint32(header[8:])), body: body}
}

// answerOf judges a reply as §2.3 does. Lines: objects and arrays pass, nothing becomes {} (§4.4), all else is an error.
func answerOf(r reply) answer {
	if r.status != 0 {
		return answer{r.status, r.body}
	}
	line := bytes.TrimSpace(r.body)
	if string(line) == "null" {
		return answer{200, []byte("{}")}
	}
	if len(line) == 0 || line[0] != '{' && line[0] != '[' || !json.Valid(line) {
		return failure(502, textNotDictionary)
	}
	return answer{200, line}
}
