package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// loop is an action loop of a test, with its streams in files.
type loop struct {
	*actionLoop
	t      *testing.T
	folder string
}

func startLoop(t *testing.T, change func(*settings)) loop {
	t.Helper()
	folder := t.TempDir()
	s := settings{base: folder}
	if change != nil {
		change(&s)
	}
	streams := [2]*os.File{}
	for i, name := range []string{"stdout", "stderr"} {
		file, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		streams[i] = file
	}
	l := loop{newActionLoop(s, logs{newLogStream(streams[0]), newLogStream(streams[1])}), t, folder}
	t.Cleanup(func() {
		for _, c := range []*child{l.child, l.waiting} {
			if c != nil {
				c.end()
			}
		}
	})
	return l
}

func (l loop) initWith(code string, more map[string]any) answer {
	value := map[string]any{"code": code}
	for name, field := range more {
		value[name] = field
	}
	body, _ := json.Marshal(map[string]any{"value": value})
	return l.init(body)
}

func (l loop) output(name string) string { return contentOf(l.t, filepath.Join(l.folder, name)) }

func (l loop) expect(a answer, status int, body string) {
	l.t.Helper()
	if a.status != status || !strings.Contains(string(a.body), body) {
		l.t.Errorf("answered %d %s, not %d %s", a.status, a.body, status, body)
	}
}

func script(lines ...string) string { return "#!/bin/sh\n" + strings.Join(lines, "\n") + "\n" }

func (l loop) fixture(name, content string) string {
	path := filepath.Join(l.folder, name)
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		l.t.Fatal(err)
	}
	return path
}

const hello = `while read line; do echo "log $line"; echo '{"main":"Hello"}' >&3; done`

func TestRefusesWhatIsNoCode(t *testing.T) {
	l := startLoop(t, nil)
	l.expect(l.init([]byte("{")), 400, "Error unmarshaling request: ")
	l.expect(l.init([]byte("{}")), 403, textMissingCode)
	l.expect(l.initWith("%%%", map[string]any{"binary": true}), 400, "cannot decode the request: ")
	l.expect(l.run([]byte("{}")), 500, textNoAction)
	if strings.Contains(l.output("stdout")+l.output("stderr"), sentinel) {
		t.Error("rejected requests write no sentinel")
	}
}

func TestRunsAScriptAndKeepsItOverASecondInit(t *testing.T) {
	l := startLoop(t, nil)
	l.expect(l.initWith(script(hello), nil), 200, "{\"ok\":true}\n")
	l.expect(l.run([]byte("{\"value\":\n{}}")), 200, `{"main":"Hello"}`)
	l.expect(l.initWith(script("exit"), nil), 403, textInitializedBefore)
	l.expect(l.run([]byte("{}")), 200, `{"main":"Hello"}`)
	expected := "log {\"value\":{}}\n" + sentinel + "log {}\n" + sentinel
	if l.output("stdout") != expected {
		t.Errorf("%q", l.output("stdout"))
	}
}

func TestBeginsALineForTheSentinelAlsoAfterOutputOfGrandchildren(t *testing.T) {
	l := startLoop(t, nil)
	l.initWith(script(`while read line; do sh -c 'printf open; printf bad >&2'; echo '{}' >&3; done`), nil)
	l.run([]byte("{}"))
	if l.output("stdout") != "open\n"+sentinel || l.output("stderr") != "bad\n"+sentinel {
		t.Errorf("%q %q", l.output("stdout"), l.output("stderr"))
	}
}

func TestJudgesLines(t *testing.T) {
	l := startLoop(t, nil)
	l.initWith(script(`while read -r line; do echo "$line" >&3; done`), nil)
	for line, expected := range map[string]answer{
		`{"a":1}`: {200, []byte(`{"a":1}`)}, `["a"]`: {200, []byte(`["a"]`)}, `null`: {200, []byte(`{}`)},
		`"str"`: failure(502, textNotDictionary), `1`: failure(502, textNotDictionary),
		`{bad`: failure(502, textNotDictionary), ``: failure(502, textNotDictionary),
	} {
		l.expect(l.run([]byte(line)), expected.status, string(expected.body))
	}
}

func TestGetsBackInStepAfterTwoLines(t *testing.T) {
	l := startLoop(t, nil)
	l.initWith(script(`while read -r line; do echo '{"a":1}' >&3; case $line in *two*) echo '{"b":2}' >&3;; esac; done`), nil)
	l.expect(l.run([]byte(`{"two":1}`)), 200, `{"a":1}`)
	// Until the second line has been read: one that comes later still would be taken for the next answer.
	for len(l.child.replies) == 0 {
		time.Sleep(time.Millisecond)
	}
	l.expect(l.run([]byte("{}")), 502, textOutOfStep)
	l.expect(l.run([]byte("{}")), 200, `{"a":1}`)
}

func TestTellsThatAChildHasEnded(t *testing.T) {
	l := startLoop(t, nil)
	l.initWith(script(`read line; exit 1`), nil)
	l.expect(l.run([]byte("{}")), 400, textExited)
	l.expect(l.run([]byte("{}")), 500, textNoAction)
	l = startLoop(t, nil)
	l.initWith(script(`read line; echo '{}' >&3`), nil)
	l.expect(l.run([]byte("{}")), 200, "{}")
	<-l.child.exited
	l.expect(l.run([]byte("{}")), 500, textExited)
	if strings.Count(l.output("stdout"), sentinel) != 2 {
		t.Error("each run has its sentinel")
	}
}

func TestAcknowledgements(t *testing.T) {
	for line, expected := range map[string]string{
		`echo '{"ok":true}' >&3; ` + hello: "",
		`echo '{"ok":false}' >&3; sleep 9`: textNotInitialized,
		`echo garbage >&3; sleep 9`:        "invalid character",
		`exit 0`:                           textExitedEarly,
	} {
		l := startLoop(t, func(s *settings) { s.waitForAck = true })
		a := l.initWith(script(line), nil)
		if expected == "" {
			l.expect(a, 200, "ok")
			continue
		}
		l.expect(a, 502, "cannot start action: "+expected)
		if l.output("stderr") != sentinel {
			t.Errorf("%q", l.output("stderr"))
		}
		l.expect(l.initWith(script(`echo '{"ok":true}' >&3; `+hello), nil), 200, "ok")
	}
}

func TestWithoutAcknowledgementAChildHasToSurviveItsStart(t *testing.T) {
	l := startLoop(t, nil)
	l.expect(l.initWith("#!/no/such/interpreter\n", nil), 502, "cannot start action: ")
	l = startLoop(t, func(s *settings) { s.logInitError = true })
	l.expect(l.initWith("#!/no/such/interpreter\n", nil), 502, textCannotStart)
	if !strings.Contains(l.output("stderr"), "no such file") {
		t.Error(l.output("stderr"))
	}
	if entries, _ := os.ReadDir(filepath.Join(l.folder, "action")); len(entries) != 0 {
		t.Error("the action's folder is removed")
	}
}

func TestCompiles(t *testing.T) {
	l := startLoop(t, nil)
	l.settings.compiler = l.fixture("compiler", script(
		`[ -n "$PATH" ] && [ "$SEEN" = yes ] || echo environment`,
		`{ echo '#!/bin/sh'; cat "$2/exec"; echo "# $1"; } >"$3/exec"; chmod 755 "$3/exec"`))
	env := map[string]any{"SEEN": "yes"}
	l.expect(l.initWith(hello+"\n", map[string]any{"env": env, "main": "niam"}), 200, "ok")
	if !strings.Contains(l.output("action/1/bin/exec"), "# niam") {
		t.Error("the compiler gets the entry")
	}
}

func TestCompilerFailures(t *testing.T) {
	for compiler, text := range map[string]string{
		"echo wrong":   "wrong",
		"echo bad >&2": "bad",
		"exit 0":       textCannotCompile,
		"exit 3":       textCannotCompile,
	} {
		for _, logged := range []bool{false, true} {
			l := startLoop(t, func(s *settings) { s.logInitError = logged })
			l.settings.compiler = l.fixture("compiler", script(compiler))
			a := l.initWith("code", nil)
			if logged {
				l.expect(a, 502, textNoBinary)
			} else {
				l.expect(a, 502, text)
			}
			if logged != strings.Contains(l.output("stderr"), text) || strings.Count(l.output("stderr"), sentinel) != 1 {
				t.Errorf("%q", l.output("stderr"))
			}
		}
	}
}

func TestExecutionEnvironmentHasToMatch(t *testing.T) {
	for found, status := range map[string]int{"wanted\n": 200, "other": 502} {
		l := startLoop(t, func(s *settings) { s.executionEnv = "wanted" })
		code := zipOf(t, entry{name: "exec", content: script(hello), mode: 0o755}, entry{name: "exec.env", content: found})
		a := l.initWith(base64.StdEncoding.EncodeToString(code), map[string]any{"binary": true})
		if status == 200 {
			l.expect(a, 200, "ok")
		} else {
			l.expect(a, 502, textVersionMismatch)
		}
	}
}

// A launcher in shell would be no shorter: frames are tested with Python's (runtimes/python).
func TestTakesUpAnotherLauncherAfterAFailedInit(t *testing.T) {
	l := startLoop(t, func(s *settings) { s.launcher = []string{"/bin/sh", "-c", "exit 1"}; s.logInitError = true })
	l.expect(l.initWith("code", nil), 502, textCannotStart)
	l.expect(l.initWith("code", nil), 502, textCannotStart)
	if strings.Count(l.output("stderr"), textExitedEarly) != 2 {
		t.Error(l.output("stderr"))
	}
}

func TestRefusesWhatComesWhileARunIsGoing(t *testing.T) {
	l := startLoop(t, nil)
	l.initWith(script(`while read line; do echo begun; read go <"`+l.fixture("x", "")+`.fifo"; echo '{}' >&3; done`), nil)
	fifo := filepath.Join(l.folder, "x.fifo")
	if err := makeFifo(fifo); err != nil {
		t.Fatal(err)
	}
	first := make(chan answer)
	go func() { first <- l.run([]byte("{}")) }()
	for !strings.Contains(l.output("stdout"), "begun") {
	}
	l.expect(l.run([]byte("{}")), 403, textNotReady)
	l.expect(l.initWith("x", nil), 403, textNotReady)
	os.WriteFile(fifo, []byte("go\n"), 0)
	l.expect(<-first, 200, "{}")
	if strings.Count(l.output("stderr"), sentinel) != 1 {
		t.Error("one run, one sentinel")
	}
}

func TestPrecompiles(t *testing.T) {
	l := startLoop(t, nil)
	l.settings.compiler = l.fixture("compiler", script(`cp "$2/exec" "$3/exec"; echo "$EXTRA" >"$3/extra"; chmod 755 "$3/exec"`))
	out, err := os.Create(filepath.Join(l.folder, "out"))
	if err != nil {
		t.Fatal(err)
	}
	source := strings.TrimPrefix(script(hello), "#!/bin/sh\n")
	if err := precompile(l.settings, "main", `{"EXTRA":"seen"}`, strings.NewReader(source), out); err != nil {
		t.Fatal(err)
	}
	out.Close()
	folder := t.TempDir()
	if err := extract([]byte(l.output("out")), folder, ""); err != nil {
		t.Fatal(err)
	}
	if contentOf(t, filepath.Join(folder, "extra")) != "seen\n" || contentOf(t, filepath.Join(folder, "exec")) != source {
		t.Error("the zip holds what the compiler made")
	}
}
