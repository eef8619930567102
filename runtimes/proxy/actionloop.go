package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
)

// actionLoop keeps one action in one child (runtimes.md §2). Its life:
//
//	empty -> starting -> ready <-> running
//	           |-> empty again, for another try
//
// A child that ends is not started again: the platform replaces the container.
type actionLoop struct {
	settings settings
	logs     logs

	mu          sync.Mutex
	busy        string
	initialized bool
	child       *child
	// A launcher that waits for its action.
	waiting *child
	// Number of the folder that was made last.
	number int
	oom    int
}

func newActionLoop(s settings, l logs) *actionLoop {
	p := &actionLoop{settings: s, logs: l, oom: oomKills()}
	p.prepareLauncher()
	return p
}

// prepareLauncher starts a language while nobody waits for it yet: most of a cold start is its interpreter.
func (p *actionLoop) prepareLauncher() {
	if len(p.settings.launcher) == 0 || p.waiting != nil {
		return
	}
	// A launcher that cannot be started is told when an action needs it.
	p.waiting, _ = startChild(childOptions{
		command: p.settings.launcher,
		folder:  os.TempDir(),
		env:     childEnvironment(p.settings),
		frames:  true,
		logs:    p.logs,
	})
}

// take makes the proxy busy; the other answer says why it cannot.
func (p *actionLoop) take(state string) (answer, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy != "" {
		text := textNotReady
		if p.busy == "starting" {
			text = textStarting
		}
		return failure(403, text), false
	}
	p.busy = state
	return answer{}, true
}

func (p *actionLoop) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = ""
}

func (p *actionLoop) init(body []byte) answer {
	if refusal, ok := p.take("starting"); !ok {
		return refusal
	}
	defer p.release()
	if p.initialized && !p.settings.debug {
		p.logs.stderr.line(textInitializedBefore)
		return failure(403, textInitializedBefore)
	}
	request, refusal := readInitRequest(body)
	if refusal != nil {
		return *refusal
	}
	code, err := request.code()
	if err != nil {
		return failure(400, "cannot decode the request: "+err.Error())
	}
	if len(code) == 0 {
		p.logs.stderr.line(textMissingCode)
		return failure(403, textMissingCode)
	}
	err = p.load(code, request)
	code, body, request = nil, nil, initRequest{}
	// The upload may have been many times what the proxy needs from now on.
	debug.FreeOSMemory()
	if err != nil {
		return p.initFailure(err)
	}
	p.initialized = true
	return answer{200, []byte("{\"ok\":true}\n")}
}

// loadError is a failure that the code is to blame for; which part of the way failed decides the text.
type loadError struct {
	starting bool
	text     string
}

func (e *loadError) Error() string { return e.text }

func compileError(text string) error { return &loadError{text: text} }
func startError(text string) error   { return &loadError{starting: true, text: text} }

func (p *actionLoop) initFailure(err error) answer {
	var failed *loadError
	errors.As(err, &failed)
	var text string
	switch {
	case p.settings.logInitError:
		if failed.text != "" {
			p.logs.stderr.line(failed.text)
		}
		text = textNoBinary
		if failed.starting {
			text = textCannotStart
		}
	case failed.starting:
		text = "cannot start action: " + failed.text
	default:
		text = failed.text
	}
	p.logs.mark()
	return failure(502, text)
}

// load makes a running child of uploaded code. All its errors are loadErrors.
func (p *actionLoop) load(code []byte, request initRequest) error {
	folder, err := p.nextFolder()
	if err != nil {
		return startError(err.Error())
	}
	source, binary := filepath.Join(folder, "src"), filepath.Join(folder, "bin")
	if err := extract(code, source, p.settings.saveJar); err != nil {
		os.RemoveAll(folder)
		return compileError(err.Error())
	}
	env := childEnvironment(p.settings).with(request.env())
	if err := p.start(source, binary, request, env); err != nil {
		os.RemoveAll(folder)
		return err
	}
	return nil
}

func (p *actionLoop) start(source, binary string, request initRequest, env environment) error {
	ready := isExecutable(filepath.Join(source, "exec"))
	if len(p.settings.launcher) > 0 && !(ready && request.binary()) {
		return p.launch(source, binary, request, env)
	}
	if p.settings.compiler == "" || ready {
		if err := os.Rename(source, binary); err != nil {
			return compileError(err.Error())
		}
	} else if err := compile(p.settings.compiler, request.main(), source, binary, env); err != nil {
		return compileError(err.Error())
	}
	if err := checkExecutionEnv(p.settings.executionEnv, binary); err != nil {
		return err
	}
	started, err := startChild(childOptions{
		command: []string{filepath.Join(binary, "exec")},
		folder:  binary,
		env:     env,
		logs:    p.logs,
	})
	if err != nil {
		return startError(err.Error())
	}
	check := started.survivesStart
	if p.settings.waitForAck {
		check = started.acknowledged
	}
	if err := check(); err != nil {
		started.end()
		return startError(err.Error())
	}
	p.replace(started)
	return nil
}

// launch gives the action to the launcher that waits, or to a new one after a failed try.
func (p *actionLoop) launch(source, folder string, request initRequest, env environment) error {
	if err := os.Rename(source, folder); err != nil {
		return compileError(err.Error())
	}
	if p.waiting != nil && p.waiting.hasExited() {
		p.waiting.closeEnds()
		p.waiting = nil
	}
	p.prepareLauncher()
	if p.waiting == nil {
		return startError(textExitedEarly)
	}
	started := p.waiting
	p.waiting = nil
	body, err := json.Marshal(map[string]any{"main": request.main(), "folder": folder, "env": env})
	if err != nil {
		return startError(err.Error())
	}
	r := started.request(body)
	if r.err == nil && r.status == 200 {
		p.replace(started)
		return nil
	}
	started.end()
	p.prepareLauncher()
	if r.err != nil {
		return startError(textExitedEarly)
	}
	var told struct{ Stage, Error string }
	if err := json.Unmarshal(r.body, &told); err != nil {
		return startError(err.Error())
	}
	return &loadError{starting: told.Stage == "start", text: told.Error}
}

// replace makes the child the action's; only while debugging there was another.
func (p *actionLoop) replace(started *child) {
	if p.child != nil {
		p.child.end()
	}
	p.child = started
}

func (p *actionLoop) nextFolder() (string, error) {
	for {
		p.number++
		folder, err := filepath.Abs(filepath.Join(p.settings.base, "action", strconv.Itoa(p.number)))
		if err != nil {
			return "", err
		}
		if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
			return "", err
		}
		if err := os.Mkdir(folder, 0o755); !errors.Is(err, os.ErrExist) {
			return folder, err
		}
	}
}

func (p *actionLoop) run(body []byte) answer {
	if refusal, ok := p.take("running"); !ok {
		return refusal
	}
	defer p.release()
	c := p.child
	if c == nil {
		return failure(500, textNoAction)
	}
	defer p.logs.mark()
	if c.hasExited() {
		c.drain()
		return failure(500, textExited)
	}
	if c.stray() {
		c.drain()
		p.logs.stderr.line(textOutOfStep)
		return failure(502, textOutOfStep)
	}
	r := c.request(body)
	if r.err != nil {
		c.end()
		p.child = nil
		p.leaveIfOutOfMemory(c)
		return failure(400, textExited)
	}
	c.drain()
	return answerOf(r)
}

// leaveIfOutOfMemory ends the container without an answer when the kernel took its child: only a broken connection makes
// the platform ask the engine about memory (platform.md §10).
func (p *actionLoop) leaveIfOutOfMemory(c *child) {
	if c.wasKilled() && oomKills() > p.oom {
		p.logs.mark()
		os.Exit(137)
	}
}

func checkExecutionEnv(wanted, folder string) error {
	if wanted == "" {
		return nil
	}
	found, err := os.ReadFile(filepath.Join(folder, "exec.env"))
	if err != nil || trimmed(found) != wanted {
		return startError(textVersionMismatch)
	}
	return nil
}

// initRequest is the body of /init as far as the proxy understands it (§1.2).
type initRequest struct {
	value struct {
		Main   *string
		Code   rawString
		Binary bool
		Env    map[string]json.RawMessage
	}
}

func readInitRequest(body []byte) (initRequest, *answer) {
	var request initRequest
	message := struct{ Value any }{&request.value}
	if err := json.Unmarshal(body, &message); err != nil {
		refusal := failure(400, fmt.Sprintf("Error unmarshaling request: %v", err))
		return initRequest{}, &refusal
	}
	return request, nil
}

func (r *initRequest) main() string {
	if r.value.Main == nil || *r.value.Main == "" {
		return "main"
	}
	return *r.value.Main
}

func (r *initRequest) binary() bool { return r.value.Binary }

func (r *initRequest) env() environment { return textVariables(r.value.Env) }

// code is the upload as bytes; it uses up the request's own.
func (r *initRequest) code() ([]byte, error) {
	if !r.value.Binary {
		return r.value.Code.text()
	}
	return r.value.Code.decoded()
}
