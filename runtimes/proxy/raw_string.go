package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
)

// rawString is a JSON string that stays where it lies in the body. Uploads are large and memory in a container is small:
// a copy as a string and another one of its bytes would be most of it.
type rawString struct{ quoted []byte }

// UnmarshalJSON keeps a part of the body that json.Unmarshal was given, which nobody changes afterwards but we.
func (s *rawString) UnmarshalJSON(value []byte) error {
	if string(value) == "null" {
		return nil
	}
	if value[0] != '"' {
		return errors.New("code is not a string")
	}
	s.quoted = value
	return nil
}

func (s rawString) text() ([]byte, error) {
	if len(s.quoted) == 0 {
		return nil, nil
	}
	if !bytes.ContainsAny(s.quoted, "\\") {
		return s.quoted[1 : len(s.quoted)-1], nil
	}
	var text string
	err := json.Unmarshal(s.quoted, &text)
	return []byte(text), err
}

// decoded is the base64 text's content. It is written over the text, whose bytes are read before theirs are written.
func (s rawString) decoded() ([]byte, error) {
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	n, err := base64.StdEncoding.Decode(text, text)
	return text[:n], err
}
