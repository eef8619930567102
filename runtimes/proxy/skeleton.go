package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"unicode/utf8"
)

// skeleton runs a program anew for each activation (runtimes.md §5.11): its input as argument and on stdin, its result
// the last line of its output.
type skeleton struct {
	settings settings
	logs     logs

	mu          sync.Mutex
	busy        bool
	initialized bool
	// Whether an upload has taken the stub's place.
	replaced bool
}

func newSkeleton(s settings, l logs) *skeleton {
	return &skeleton{settings: s, logs: l}
}

func (k *skeleton) take() (answer, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.busy {
		return failure(403, textNotReady), false
	}
	k.busy = true
	return answer{}, true
}

func (k *skeleton) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy = false
}

// program is what an activation runs: the action's, the one that a derived image brings, or the stub.
func (k *skeleton) program() string {
	own := filepath.Join(k.settings.skeleton, "exec")
	if _, err := os.Stat(own); err != nil && !k.replaced && k.settings.stub != "" {
		return k.settings.stub
	}
	return own
}

func (k *skeleton) init(body []byte) answer {
	if refusal, ok := k.take(); !ok {
		return refusal
	}
	defer k.release()
	if k.initialized && !k.settings.allowReinit {
		k.logs.stderr.line(textInitializedBefore)
		return failure(403, textInitializedBefore)
	}
	request, refusal := readInitRequest(body)
	if refusal != nil {
		return *refusal
	}
	if request.value.Code.quoted != nil {
		err := k.replace(request)
		body = nil
		debug.FreeOSMemory()
		if err != nil {
			k.logs.stderr.line(err.Error())
			k.logs.mark()
			return failure(502, textNoBinary)
		}
		k.replaced = true
	}
	for name, value := range request.env() {
		os.Setenv(name, value)
	}
	if !isRunnable(k.program()) {
		k.logs.mark()
		return failure(502, textNoBinary)
	}
	k.initialized = true
	return answer{200, []byte("OK")}
}

// replace puts the upload in the place of the program; all that an archive holds lies beside it.
func (k *skeleton) replace(request initRequest) error {
	code, err := request.code()
	if err != nil {
		return err
	}
	own := filepath.Join(k.settings.skeleton, "exec")
	if isZip(code) && request.binary() {
		if err := extract(code, k.settings.skeleton, ""); err != nil {
			return err
		}
		if !isRunnable(own) {
			return errors.New("the archive holds no executable file named exec")
		}
		return nil
	}
	return os.WriteFile(own, code, 0o755)
}

func (k *skeleton) run(body []byte) answer {
	if refusal, ok := k.take(); !ok {
		return refusal
	}
	defer k.release()
	defer k.logs.mark()
	var message map[string]json.RawMessage
	if err := json.Unmarshal(body, &message); err != nil && len(body) > 0 {
		return failure(500, "Internal error. "+err.Error())
	}
	input, ok := argument(message["value"])
	if !ok {
		return failure(404, textArgument)
	}
	program := k.program()
	if !isRunnable(program) {
		return failure(502, textNotLocated)
	}
	return k.execute(program, input, activationEnvironment(message))
}

func (k *skeleton) execute(program string, input []byte, env environment) answer {
	cmd := exec.Command(program)
	if utf8.RuneCount(input) <= argumentCharactersMax && len(input) <= argumentCharactersMax {
		cmd.Args = append(cmd.Args, string(input))
	}
	cmd.Dir = k.settings.skeleton
	cmd.Env = append(os.Environ(), env.list()...)
	cmd.Stdin = bytes.NewReader(input)
	cmd.WaitDelay = compilerDrain
	output := &lastLine{to: k.logs.stdout}
	errors, end, err := startPump(k.logs.stderr)
	if err != nil {
		return failure(500, "Internal error. "+err.Error())
	}
	cmd.Stdout, cmd.Stderr = output, end
	err = knownChildren.start(cmd)
	end.Close()
	if err != nil {
		k.logs.stdout.line("error: " + err.Error())
		return failure(502, textNotDictionary)
	}
	knownChildren.wait(cmd)
	errors.drain()
	result := bytes.TrimSpace(output.rest)
	if len(result) > 0 && (result[0] == '{' || result[0] == '[') && json.Valid(result) {
		return answer{200, result}
	}
	k.logs.stdout.line(string(result))
	return failure(502, textNotDictionary)
}

// lastLine passes an output on as it comes, all but its last line.
type lastLine struct {
	to   *logStream
	rest []byte
}

func (l *lastLine) Write(text []byte) (int, error) {
	l.rest = append(l.rest, text...)
	// A line break at the very end belongs to the last line.
	if end := bytes.LastIndexByte(l.rest[:len(l.rest)-1], '\n'); end >= 0 {
		l.to.write(l.rest[:end+1])
		l.rest = append(l.rest[:0], l.rest[end+1:]...)
	}
	if len(l.rest) > replyBytesMax {
		l.to.write(l.rest)
		l.rest = l.rest[:0]
	}
	return len(text), nil
}

// argument is the value as compact JSON; nothing counts as {}.
func argument(value json.RawMessage) ([]byte, bool) {
	if len(value) == 0 || string(value) == "null" {
		return []byte("{}"), true
	}
	if value[0] != '{' && value[0] != '[' {
		return nil, false
	}
	var compact bytes.Buffer
	err := json.Compact(&compact, value)
	return compact.Bytes(), err == nil
}

// activationEnvironment makes a variable of every field around `value` (§1.3).
func activationEnvironment(message map[string]json.RawMessage) environment {
	fields := map[string]json.RawMessage{}
	for name, value := range message {
		if name != "value" {
			fields["__OW_"+strings.ToUpper(name)] = value
		}
	}
	return textVariables(fields)
}

func isRunnable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
